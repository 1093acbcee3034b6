/* SPDX-License-Identifier: ISC */
/* A changed configuration, while we run. */

#include "bridge/reload.h"

#include <string.h>

static bool differs(const char *a, const char *b)
{
	if (!a || !b)
		return a != b;
	return strcmp(a, b) != 0;
}

static bool domains_differ(const struct br_config *a, const struct br_config *b)
{
	if (a->domain_count != b->domain_count)
		return true;
	for (size_t i = 0; i < a->domain_count; i++) {
		if (differs(a->domains[i], b->domains[i]))
			return true;
	}
	return false;
}

static bool listen_differs(const struct br_config *a, const struct br_config *b)
{
	if (a->listen_count != b->listen_count)
		return true;
	for (size_t i = 0; i < a->listen_count; i++) {
		const struct br_config_listen *x = &a->listen[i];
		const struct br_config_listen *y = &b->listen[i];

		if (differs(x->endpoint.host, y->endpoint.host) ||
		    x->endpoint.port != y->endpoint.port || x->tls != y->tls)
			return true;
	}
	return false;
}

static bool adapters_differ(const struct br_config *a,
    const struct br_config *b)
{
	if (a->adapter_count != b->adapter_count)
		return true;
	for (size_t i = 0; i < a->adapter_count; i++) {
		const struct br_config_adapter *x = &a->adapters[i];
		const struct br_config_adapter *y = &b->adapters[i];

		if (differs(x->name, y->name) ||
		    differs(x->plugin, y->plugin) ||
		    differs(x->options, y->options))
			return true;
	}
	return false;
}

static bool relay_differs(const struct br_config_route *a,
    const struct br_config_route *b)
{
	if (a->relay_count != b->relay_count)
		return true;
	for (size_t i = 0; i < a->relay_count; i++) {
		if (differs(a->relay[i], b->relay[i]))
			return true;
	}
	return false;
}

static bool routes_differ(const struct br_config *a, const struct br_config *b)
{
	if (a->route_count != b->route_count)
		return true;
	for (size_t i = 0; i < a->route_count; i++) {
		const struct br_config_route *x = &a->routes[i];
		const struct br_config_route *y = &b->routes[i];

		if (differs(x->domain, y->domain) || differs(x->via, y->via) ||
		    x->queues != y->queues || relay_differs(x, y))
			return true;
	}
	return false;
}

/* Of routes that are otherwise the same: whoever holds one sees the new ones. */
static void adopt_schedules(struct br_config *live,
    const struct br_config *fresh)
{
	for (size_t i = 0; i < live->route_count; i++) {
		struct br_config_route *route = &live->routes[i];
		const struct br_config_route *now = &fresh->routes[i];

		memcpy(route->retry_s, now->retry_s, sizeof(route->retry_s));
		route->retry_count = now->retry_count;
		route->give_up_after_ms = now->give_up_after_ms;
	}
}

static void tell(const struct br_log *log, bool changed, const char *key)
{
	if (changed)
		br_warn(log, "changed, but needs a restart key=%s", key);
}

void br_reload_adopt(struct br_config *live, const struct br_config *fresh,
    const struct br_log *log)
{
	tell(log, domains_differ(live, fresh), "domains");
	tell(log, differs(live->data_dir, fresh->data_dir), "data_dir");
	tell(log, differs(live->user, fresh->user), "user");
	tell(log, listen_differs(live, fresh), "listen");
	tell(log, adapters_differ(live, fresh), "adapters");
	if (routes_differ(live, fresh))
		tell(log, true, "routes");
	else
		adopt_schedules(live, fresh);
	tell(log,
	    live->mechanisms != fresh->mechanisms ||
		live->allow_plaintext != fresh->allow_plaintext,
	    "auth");
	tell(log,
	    differs(live->admin.host, fresh->admin.host) ||
		live->admin.port != fresh->admin.port,
	    "admin");
	tell(log,
	    differs(live->tls_certificate, fresh->tls_certificate) ||
		differs(live->tls_key, fresh->tls_key),
	    "tls");
	/* Routes were made with it. */
	tell(log, live->offline_store != fresh->offline_store,
	    "delivery.offline_store");
	tell(log, live->limit_body != fresh->limit_body, "limits.body");
	tell(log, differs(live->history, fresh->history), "history");
	live->acl_own_domain = fresh->acl_own_domain;
	live->acl_everyone = fresh->acl_everyone;
	live->disclosure_hide = fresh->disclosure_hide;
	live->limit_presence = fresh->limit_presence;
	live->limit_connections = fresh->limit_connections;
	live->limit_connections_per_address =
	    fresh->limit_connections_per_address;
	live->limit_offline_messages = fresh->limit_offline_messages;
	live->limit_queue_messages = fresh->limit_queue_messages;
	live->limit_queue = fresh->limit_queue;
	live->answer_within_ms = fresh->answer_within_ms;
	live->give_up_after_ms = fresh->give_up_after_ms;
	live->notices_always = fresh->notices_always;
}
