/* SPDX-License-Identifier: ISC */
/* Domains and where they lead. */

#include "bridge/router.h"

#include <string.h>
#include <sys/random.h>

#include "prim/base.h"
#include "prim/hash.h"
#include "prim/table.h"

struct entry {
	struct prim_table_node node;
	struct prim_slice domain; /* borrowed from the configuration */
	struct br_route route;
};

struct br_router {
	const struct br_config *config; /* borrowed */
	struct br_route *via;           /* owned: through each adapter */
	struct prim_hash_key seed;
	struct prim_table table; /* owned entries */
};

static struct entry *find(const struct br_router *r, struct prim_slice domain)
{
	struct prim_table_node *n = prim_table_first(&r->table,
	    prim_hash(&r->seed, domain));

	for (; n; n = prim_table_next(n)) {
		struct entry *e = PRIM_CONTAINER(n, struct entry, node);

		if (prim_slice_eq(e->domain, domain))
			return e;
	}
	return NULL;
}

static void put(struct br_router *r, const char *domain,
    const struct br_route *route)
{
	struct prim_slice name = prim_slice_of(domain);
	struct entry *e = find(r, name);

	if (!e) {
		e = prim_new(struct entry);
		e->domain = name;
		prim_table_put(&r->table, &e->node, prim_hash(&r->seed, name));
	}
	e->route = *route;
}

static void put_implied(struct br_router *r, const struct br_config *config,
    const char *domain, unsigned adapter)
{
	struct br_route route = {
		.kind = BR_ROUTE_ADAPTER,
		.adapter = adapter,
		.queues = true,
	};

	if (domain && !br_config_serves(config, prim_slice_of(domain)))
		put(r, domain, &route);
}

static void put_adapters(struct br_router *r, const struct br_config *config)
{
	r->via = prim_alloc((config->adapter_count + 1) * sizeof(*r->via));
	for (unsigned i = 0; i < config->adapter_count; i++) {
		r->via[i] = (struct br_route){ .kind = BR_ROUTE_ADAPTER,
			.adapter = i,
			.queues = true };
		put_implied(r, config, config->adapters[i].domain, i);
		put_implied(r, config, config->adapters[i].gateway_domain, i);
	}
}

static void put_routes(struct br_router *r, const struct br_config *config)
{
	for (size_t i = 0; i < config->route_count; i++) {
		const struct br_config_route *from = &config->routes[i];
		struct br_route route = { .kind = BR_ROUTE_ADAPTER,
			.queues = from->queues,
			.from = from };

		/* The configuration made sure that `via` names one. */
		while (strcmp(config->adapters[route.adapter].name,
			   from->via) != 0)
			route.adapter++;
		put(r, from->domain, &route);
	}
}

struct br_router *br_router_new(const struct br_config *config)
{
	struct br_router *r = prim_new(struct br_router);
	struct br_route local = { .kind = BR_ROUTE_LOCAL,
		.queues = config->offline_store };

	while (getrandom(&r->seed, sizeof(r->seed), 0) != sizeof(r->seed))
		continue;
	r->config = config;
	put_adapters(r, config);
	put_routes(r, config);
	for (size_t i = 0; i < config->domain_count; i++)
		put(r, config->domains[i], &local);
	return r;
}

static void drop(struct prim_table_node *n, void *arg)
{
	struct br_router *r = arg;

	prim_table_drop(&r->table, n);
	prim_free(PRIM_CONTAINER(n, struct entry, node));
}

struct br_router *br_router_free(struct br_router *router)
{
	if (!router)
		return NULL;
	prim_table_each(&router->table, drop, router);
	prim_table_fini(&router->table);
	prim_free(router->via);
	return prim_free(router);
}

const struct br_route *br_router_find(const struct br_router *router,
    struct prim_slice domain)
{
	const struct entry *e = find(router, domain);
	struct prim_slice rest = domain;
	ptrdiff_t dot;

	while (!e && (dot = prim_slice_find(rest, '.')) >= 0) {
		/* ".suffix" with its dot is how a route for all below is kept. */
		e = find(router, prim_slice_from(rest, (size_t)dot));
		rest = prim_slice_from(rest, (size_t)dot + 1);
	}
	return e ? &e->route : NULL;
}

const struct br_route *br_router_via(const struct br_router *router,
    struct prim_slice name)
{
	for (size_t i = 0; i < router->config->adapter_count; i++) {
		if (prim_slice_eq(
			prim_slice_of(router->config->adapters[i].name), name))
			return &router->via[i];
	}
	return NULL;
}

bool br_route_relays(const struct br_route *route, struct prim_slice domain)
{
	const struct br_config_route *from = route->from;

	for (size_t i = 0; from && i < from->relay_count; i++) {
		struct prim_slice allowed = prim_slice_of(from->relay[i]);

		if (prim_slice_eq(domain, allowed))
			return true;
		if (allowed.len && allowed.ptr[0] == '.' &&
		    prim_slice_ends(domain, allowed))
			return true;
	}
	return false;
}
