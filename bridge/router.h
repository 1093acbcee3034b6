/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_ROUTER_H
#define BRIDGE_ROUTER_H

/*
 * Which way an address goes (DESIGN 6): by its domain, to an inbox of ours or
 * to an adapter. A look-up costs one hash a label of the domain.
 */

#include <stdbool.h>

#include "bridge/config.h"
#include "prim/slice.h"

struct br_router;

enum br_route_kind {
	BR_ROUTE_LOCAL,
	BR_ROUTE_ADAPTER,
};

struct br_route {
	enum br_route_kind kind;
	unsigned adapter; /* index in config->adapters */
	bool queues; /* may the outbox hold what cannot be delivered now? */
	const struct br_config_route *from; /* borrowed; NULL when implied */
};

/* `config` is borrowed and outlives the router. Domains we serve are local;
 * `domain` and `gateway_domain` of an adapter, unless we serve them, go to that
 * adapter (DESIGN 6, realm); the configured routes win over those. */
struct br_router *br_router_new(const struct br_config *config);
struct br_router *br_router_free(struct br_router *router);

/* The route of `domain` (lower case): exact, else the longest `.suffix`; NULL
 * when there is none. Borrowed. */
const struct br_route *br_router_find(const struct br_router *router,
    struct prim_slice domain);

/* The way through the adapter `name`, as for its own domain; NULL: there is no
 * such adapter. Borrowed. */
const struct br_route *br_router_via(const struct br_router *router,
    struct prim_slice name);

/* May a sender of `domain` be relayed to `route` although neither end is ours? */
bool br_route_relays(const struct br_route *route, struct prim_slice domain);

#endif
