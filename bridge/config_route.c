/* SPDX-License-Identifier: ISC */
/* The routes of the configuration. */

#include <string.h>

#include "bridge/config_build.h"
#include "bridge/schema.h"
#include "bridge/value.h"
#include "prim/base.h"
#include "prim/buf.h"

#define SECOND ((uint64_t)1000)
#define DAY    (SECOND * 86400)

/* "x" or ".x" in lower case, or NULL. */
static char *parse_pattern(const char *text)
{
	struct prim_buf pattern = { 0 };
	char *domain = br_value_domain(text + (text[0] == '.'));

	if (!domain || text[0] != '.')
		return domain;
	prim_buf_putf(&pattern, ".%s", domain);
	prim_free(domain);
	return prim_buf_steal(&pattern);
}

static bool take_pattern(const struct br_config_build *b,
    const struct br_yaml *node, char **out)
{
	*out = parse_pattern(node->text);
	if (*out)
		return true;
	return br_yaml_complain(b->source, node,
	    "`%s` is neither a domain name nor `.` and a domain name",
	    br_yaml_show(node->text));
}

static bool check_via(const struct br_config_build *b,
    const struct br_yaml *node)
{
	const struct br_config *c = b->config;
	const char **names = prim_alloc((c->adapter_count + 1) *
	    sizeof(*names));
	struct prim_buf hint = { 0 };
	char *text;

	for (size_t i = 0; i < c->adapter_count; i++)
		names[i] = c->adapters[i].name;
	br_schema_put_hint(&hint, node->text, names, c->adapter_count);
	prim_free(names);
	text = prim_buf_steal(&hint);
	if (!br_config_build_adapter_find(c, node->text))
		br_yaml_complain(b->source, node, "no adapter is named `%s`%s",
		    br_yaml_show(node->text), text);
	prim_free(text);
	return br_config_build_adapter_find(c, node->text) != NULL;
}

static bool check_route(const struct br_config_build *b,
    const struct br_yaml *node, const char *domain)
{
	const struct br_config *c = b->config;

	if (br_config_serves(c, prim_slice_of(domain)))
		return br_yaml_complain(b->source, node,
		    "`%s` is a domain we serve; it can have no route",
		    br_yaml_show(domain));
	for (size_t i = 0; i + 1 < c->route_count; i++)
		if (strcmp(c->routes[i].domain, domain) == 0)
			return br_yaml_complain(b->source, node,
			    "there are two routes for `%s`",
			    br_yaml_show(domain));
	return true;
}

static bool take_relay(const struct br_config_build *b,
    const struct br_yaml *list, struct br_config_route *route)
{
	const struct br_yaml *node;

	if (!list || list->count == 0)
		return true;
	route->relay = prim_alloc(list->count * sizeof(*route->relay));
	for (node = list->first; node; node = node->next)
		if (!take_pattern(b, node, &route->relay[route->relay_count++]))
			return false;
	return true;
}

static bool take_retry(const struct br_config_build *b,
    const struct br_yaml *list, struct br_config_route *route)
{
	const struct br_yaml *node;
	uint64_t ms;

	if (!list)
		return true;
	if (!route->queues)
		return br_yaml_complain(b->source, list,
		    "`retry` has no meaning where `queue` is false");
	for (node = list->first; node; node = node->next) {
		if (!br_value_duration(node->text, &ms) || ms < SECOND ||
		    ms > DAY || ms % SECOND != 0)
			return br_yaml_complain(b->source, node,
			    "an entry of `retry` must be a time from 1s to "
			    "24h, with its unit, in whole seconds, not `%s`",
			    br_yaml_show(node->text));
		route->retry_s[route->retry_count++] = (unsigned)(ms / SECOND);
	}
	return true;
}

static bool take_give_up(const struct br_config_build *b,
    const struct br_yaml *node, struct br_config_route *route)
{
	uint64_t ms;

	if (!node)
		return true;
	if (!route->queues)
		return br_yaml_complain(b->source, node,
		    "`give_up_after` has no meaning where `queue` is false");
	if (!br_value_duration(node->text, &ms) || ms < 100 || ms > 30 * DAY)
		return br_yaml_complain(b->source, node,
		    "`give_up_after` must be a time from 100ms to 30d, with "
		    "its unit, not `%s`",
		    br_yaml_show(node->text));
	route->give_up_after_ms = ms;
	return true;
}

static bool build_route(const struct br_config_build *b,
    const struct br_yaml *node, const struct br_raw_route *raw)
{
	struct br_config *c = b->config;
	struct br_config_route *route = &c->routes[c->route_count++];
	const struct br_yaml *domain = br_yaml_find(node, "domain");

	route->queues = raw->queue ? *raw->queue : true;
	if (!take_pattern(b, domain, &route->domain) ||
	    !check_route(b, domain, route->domain) ||
	    !check_via(b, br_yaml_find(node, "via")))
		return false;
	route->via = prim_copy(raw->via, strlen(raw->via));
	return take_relay(b, br_yaml_find(node, "relay"), route) &&
	    take_retry(b, br_yaml_find(node, "retry"), route) &&
	    take_give_up(b, br_yaml_find(node, "give_up_after"), route);
}

bool br_config_build_routes(const struct br_config_build *b)
{
	const struct br_yaml *list = br_yaml_find(b->tree, "routes"), *node;
	const struct br_raw_route *raw = b->raw->routes;
	struct br_config *c = b->config;

	if (!list || list->count == 0)
		return true;
	c->routes = prim_alloc(list->count * sizeof(*c->routes));
	for (node = list->first; node; node = node->next)
		if (!build_route(b, node, raw++))
			return false;
	return true;
}
