/* SPDX-License-Identifier: ISC */
/* One subscription to a principal of ours: found, begun, ended. */

#include "bridge/subscription.h"

#include <string.h>

#include "bridge/log.h"
#include "bridge/metric.h"
#include "prim/base.h"

#define POSTPONE_MS 50 /* an end that comes while it is being renewed */

/* ---- one of them ---- */

struct br_subscription *br_subscription_of(struct prim_subscription *s)
{
	return PRIM_CONTAINER(s, struct br_subscription, sub);
}

struct br_entity *br_subscription_presentity(const struct br_subscription *s)
{
	return PRIM_CONTAINER(s->sub.source, struct br_entity,
	    presentity.source);
}

static struct br_presence *presence_of(const struct br_subscription *s)
{
	return PRIM_CONTAINER(s->sub.source->fan, struct br_presence, fan);
}

static struct br_entity *watcher_entity(const struct br_subscription *s)
{
	return PRIM_CONTAINER(s->sub.watcher, struct br_entity, watcher);
}

void br_subscription_names(const struct br_subscription *s,
    struct br_subscription_names *out)
{
	const char *text = s->text;

	out->watcher_address = prim_slice_make(text, s->address_len);
	text += s->address_len;
	out->watcher = prim_slice_make(text, s->key_len);
	text += s->key_len;
	out->id = prim_slice_make(text, s->id_len);
	out->presentity = br_entity_key(br_subscription_presentity(s));
}

static uint64_t hash_of(const struct br_presence *p,
    const struct br_subscription_names *names)
{
	const struct prim_hash_key *seed = &p->server->seed;

	return prim_hash(seed, names->watcher) * 31 +
	    prim_hash(seed, names->presentity) * 17 +
	    prim_hash(seed, names->id);
}

static bool is_same(const struct br_subscription *s,
    const struct br_subscription_names *names)
{
	struct br_subscription_names own;

	br_subscription_names(s, &own);
	return prim_slice_eq(own.watcher, names->watcher) &&
	    prim_slice_eq(own.presentity, names->presentity) &&
	    prim_slice_eq(own.id, names->id);
}

struct br_subscription *br_subscription_find(struct br_presence *p,
    const struct br_subscription_names *names)
{
	struct prim_table_node *n = prim_table_first(&p->subscriptions,
	    hash_of(p, names));

	for (; n; n = prim_table_next(n)) {
		struct br_subscription *s = br_subscription_of(PRIM_CONTAINER(n,
		    struct prim_subscription, node));

		if (is_same(s, names))
			return s;
	}
	return NULL;
}

static struct br_subscription *
subscription_new(const struct br_subscription_names *names)
{
	struct br_subscription *s = prim_alloc(sizeof(*s) +
	    names->watcher_address.len + names->watcher.len + names->id.len);
	char *text = s->text;

	s->address_len = (uint16_t)names->watcher_address.len;
	s->key_len = (uint16_t)names->watcher.len;
	s->id_len = (uint16_t)names->id.len;
	prim_slice_keep(&text, names->watcher_address);
	prim_slice_keep(&text, names->watcher);
	prim_slice_keep(&text, names->id);
	return s;
}

static void on_expiry(struct prim_timer *t)
{
	struct br_subscription *s = br_subscription_of(PRIM_CONTAINER(t,
	    struct prim_subscription, timer));
	const struct br_server *server = presence_of(s)->server;

	if (br_subscription_presentity(s)->subscribing)
		/* It may be just being renewed. */
		prim_subscription_renew(&s->sub,
		    br_server_now(server) + POSTPONE_MS);
	else
		br_subscription_end(s, s->is_foreign, true); /* ERR-86 */
}

/* The way to the watcher: his own connections, or the link to the adapter he is
 * behind. NULL: there is none any more. */
static struct prim_watcher *way_to(struct br_presence *p,
    const struct br_subscription_names *names, bool *out_foreign)
{
	struct br_server *s = p->server;
	const struct br_route *route = br_router_find(s->router,
	    br_key_domain(names->watcher));

	if (!route)
		return NULL;
	*out_foreign = route->kind == BR_ROUTE_ADAPTER;
	return *out_foreign
	    ? &p->hosts[route->adapter].watcher
	    : &br_entity_hold(s->entities, names->watcher)->watcher;
}

struct br_subscription *br_subscription_start(struct br_presence *p,
    struct br_entity *presentity, const struct br_subscription_names *names,
    int64_t expires_ms)
{
	bool is_foreign = false;
	struct prim_watcher *watcher = way_to(p, names, &is_foreign);
	struct br_subscription *s;

	if (!watcher)
		return NULL;
	s = subscription_new(names);
	s->is_foreign = is_foreign;
	prim_subscription_start(&s->sub, &presentity->presentity.source,
	    watcher, expires_ms, on_expiry);
	prim_table_put(&p->subscriptions, &s->sub.node, hash_of(p, names));
	br_presence_reside(p, presentity);
	br_metric_set(BR_METRIC_SUBSCRIPTIONS, (int64_t)p->subscriptions.count);
	return s;
}

struct br_subscription *br_subscription_restore(struct br_presence *p,
    struct br_entity *presentity, const struct br_store_subscription *row)
{
	const struct br_subscription_names names = {
		.watcher = row->watcher,
		.watcher_address = row->watcher_address,
		.presentity = row->presentity,
		.id = row->id,
	};

	struct br_subscription *s = br_subscription_start(p, presentity, &names,
	    br_presence_end(p->server, 0, row->expires_ms));

	if (s)
		prim_subscription_show(&s->sub); /* to who came before us */
	return s;
}

void br_subscription_forget(struct br_presence *p,
    const struct br_subscription_names *names, br_store_done_fn done, void *arg)
{
	const struct br_store_subscription row = {
		.watcher = names->watcher,
		.presentity = names->presentity,
		.watcher_address = names->watcher_address,
		.id = names->id,
	};

	br_store_subscription_drop(p->server->store, &row, done, arg);
}

/* The last word; nothing may follow it, so it comes after the end. */
static void tell_end(const struct br_subscription *s, struct prim_watcher *w,
    const struct br_subscription_names *names, struct br_entity *presentity)
{
	if (s->is_foreign)
		br_presence_host_last(PRIM_CONTAINER(w, struct br_presence_host,
					  watcher),
		    names, br_entity_uri(presentity));
	else
		br_conn_cancel_all(w, br_entity_uri(presentity));
}

void br_subscription_end(struct br_subscription *s, bool tell, bool lasting)
{
	struct br_presence *p = presence_of(s);
	struct br_entity *presentity = br_subscription_presentity(s);
	struct br_entity *held = s->is_foreign ? NULL : watcher_entity(s);
	struct prim_watcher *w = s->sub.watcher;
	struct br_subscription_names names;

	br_entity_pin(p->server->entities, presentity);
	br_subscription_names(s, &names);
	if (lasting)
		br_subscription_forget(p, &names, NULL, NULL);
	prim_table_drop(&p->subscriptions, &s->sub.node);
	prim_subscription_end(&s->sub);
	br_metric_set(BR_METRIC_SUBSCRIPTIONS, (int64_t)p->subscriptions.count);
	if (tell)
		tell_end(s, w, &names, presentity);
	prim_free(s);
	br_presence_reside(p, presentity);
	if (held)
		br_entity_unpin(p->server->entities, held);
	br_entity_unpin(p->server->entities, presentity);
}
