/* SPDX-License-Identifier: ISC */
#ifndef XA_WAY_H
#define XA_WAY_H

/*
 * The way an address takes across the bridge: which JID a principal of PRIM
 * has, which address a user of XMPP has, and when the gateway's domain must
 * stand in for one that cannot speak for itself (DESIGN 6, realm). Pure.
 */

#include <stdbool.h>

#include "adapters/xmpp/jid.h"
#include "prim/buf.h"
#include "prim/slice.h"

/* All borrowed. */
struct xa_way {
	struct prim_slice domain;  /* of the component: the PRIM domain */
	struct prim_slice gateway; /* the gateway's domain, or empty */
	/* Is a user of `domain` known to PRIM under the own name? Only asked
	 * where there is a gateway; only by xa_way_put_user_uri(). */
	bool (*routes)(void *ctx, struct prim_slice domain);
	void *ctx;
};

/* Appends the bare JID that the principal `address` has at one of our
 * components. 0, or the PRIM status that refuses it, with the reason (static)
 * in `*out_why`. */
unsigned xa_way_put_principal(const struct xa_way *w, struct prim_buf *b,
    struct prim_slice address, bool *out_via_gateway, const char **out_why);

/* Appends the bare JID of the XMPP user whom PRIM knows as `address`. 0 or a
 * status, as above; whoever is on our side is no XMPP user. */
unsigned xa_way_put_user(const struct xa_way *w, struct prim_buf *b,
    struct prim_slice address, const char **out_why);

/* Does `jid`, a user's, have none of our domains, in any spelling? Whoever has
 * one speaks PRIM. */
bool xa_way_is_elsewhere(const struct xa_way *w, struct prim_slice jid);

/* Appends the "im:" address of the XMPP user `jid`. False: PRIM cannot carry
 * it. */
bool xa_way_put_user_uri(const struct xa_way *w, struct prim_buf *b,
    const struct xa_jid *jid);
/* Appends the address that stands for the same user as `address` and is equal
 * for all that do. False: no user of XMPP has it. */
bool xa_way_put_canonical(const struct xa_way *w, struct prim_buf *b,
    struct prim_slice address);
/* Appends the "im:" address of the principal whose JID at a component is
 * `jid`: at the gateway's, or at the other. False: there is none. */
bool xa_way_put_principal_uri(struct prim_buf *b, const struct xa_jid *jid,
    bool is_gateway);

/* Appends the bare JID of `jid` in the one spelling that it has among all that
 * mean the same: mapped, with U-labels. False if it is no user's address. */
bool xa_way_put_bare(struct prim_buf *b, const struct xa_jid *jid);

#endif
