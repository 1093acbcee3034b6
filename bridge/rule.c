/* SPDX-License-Identifier: ISC */
/* Who may send to whom, and which way. */

#include "bridge/rule.h"

#include "bridge/message.h"
#include "prim/seed.h"

static bool is_stranger(struct prim_slice sender, struct prim_slice recipient)
{
	return !prim_slice_eq(br_key_domain(sender), br_key_domain(recipient));
}

const struct br_route *br_rule_route(const struct br_router *router,
    const struct br_identities *identities, struct prim_slice key)
{
	const struct br_identity *link = br_identity_of(identities, key);
	const struct br_route *route = link
	    ? br_router_via(router, link->network)
	    : NULL;

	return route ? route : br_router_find(router, br_key_domain(key));
}

bool br_rule_may_send(const struct br_config *config, struct prim_slice sender,
    struct prim_slice recipient)
{
	unsigned rights = is_stranger(sender, recipient)
	    ? config->acl_everyone
	    : config->acl_own_domain;

	return prim_slice_eq(sender, recipient) ||
	    (rights & BR_RIGHT_SEND) != 0;
}

/* To a linked address: that is to its principal. */
static bool is_to_principal(const struct br_rule_pass *p)
{
	const struct br_identity *link = br_identity_of(p->identities,
	    p->recipient);

	return link && br_rule_may_send(p->config, p->sender, link->principal);
}

bool br_rule_may_pass(const struct br_rule_pass *p)
{
	if (p->peer == BR_RULE_CLIENT || p->route->kind == BR_ROUTE_LOCAL)
		return true;
	if (prim_slice_eq(p->sender, p->recipient))
		return false;
	/* A linked one sends on behalf of a principal of ours. */
	return p->peer == BR_RULE_LINKED || is_to_principal(p) ||
	    PRIM_SEED(open_relay) ||
	    br_route_relays(p->route, br_key_domain(p->sender));
}

bool br_rule_is_kept(const struct br_config *config, struct prim_slice sender,
    struct prim_slice recipient)
{
	return config->offline_store &&
	    (!(config->disclosure_hide && is_stranger(sender, recipient)) ||
		PRIM_SEED(hidden_and_stored));
}
