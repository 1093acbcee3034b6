/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_RULE_H
#define BRIDGE_RULE_H

/*
 * Who may send to whom, and which way (DESIGN 6): what follows from
 * configuration and links alone. The core decides by it, and `primctl route
 * test` tells by it. All addresses are keys.
 */

#include <stdbool.h>

#include "bridge/config.h"
#include "bridge/identity.h"
#include "bridge/router.h"

/* Which way `key` goes: along its link if it has one, else as its domain does.
 * NULL: nowhere. Borrowed. */
const struct br_route *br_rule_route(const struct br_router *router,
    const struct br_identities *identities, struct prim_slice key);

/* Who brought a message. */
enum br_rule_peer {
	BR_RULE_CLIENT,  /* a principal of ours */
	BR_RULE_LINKED,  /* an adapter, from a linked address */
	BR_RULE_FOREIGN, /* an adapter, from any other */
};

/* What is about to go which way. Borrowed. */
struct br_rule_pass {
	const struct br_config *config;
	const struct br_identities *identities;
	enum br_rule_peer peer;
	const struct br_route *route; /* of the recipient */
	struct prim_slice sender, recipient;
};

/* May it? We are no open relay: one end is a principal of ours, by login or by
 * a link, or the route says so. Nothing goes back to where it came from. */
bool br_rule_may_pass(const struct br_rule_pass *p);

/* Has `sender` the right to send to a principal of ours? Of a linked one both
 * must have it, the principal and the address. */
bool br_rule_may_send(const struct br_config *config, struct prim_slice sender,
    struct prim_slice recipient);

/* Is a message kept where nobody listens? Not for strangers of a domain that
 * hides, or 101 would tell them who exists. */
bool br_rule_is_kept(const struct br_config *config, struct prim_slice sender,
    struct prim_slice recipient);

#endif
