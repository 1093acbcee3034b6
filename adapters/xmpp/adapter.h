/* SPDX-License-Identifier: ISC */
#ifndef XA_ADAPTER_H
#define XA_ADAPTER_H

/*
 * The adapter as a whole, for the files that make it up: xmpp.c (its life, and
 * what goes from PRIM to XMPP) and inward.c (messages from XMPP to PRIM).
 */

#include "adapters/xmpp/counts.h"
#include "adapters/xmpp/herald.h"
#include "adapters/xmpp/in.h"
#include "adapters/xmpp/leg.h"
#include "adapters/xmpp/options.h"
#include "adapters/xmpp/out.h"
#include "bridge/adapter.h"

enum xa_adapter_leg { LEG_MAIN, LEG_GATEWAY, LEG_MAX };

struct xa_adapter {
	struct bridge *bridge;            /* borrowed: outlives us */
	const struct xa_options *options; /* borrowed: outlives us */
	xmpp_ctx_t *xmpp;                 /* owned */
	char *secret;                     /* owned */
	char *hosts[LEG_MAX]; /* owned: our domains; NULL: no gateway */
	unsigned leg_count;
	struct xa_leg legs[LEG_MAX];
	struct xa_in in;
	struct xa_out out;
	struct prim_buf token; /* workspace of `outcome` */
	struct event *teller;  /* owned */
	unsigned unanswered;   /* submissions */
	bool draining;
	struct xa_counts counts;
	struct xa_herald herald;
};

static inline void xa_adapter_count(struct xa_adapter *a, enum xa_count which)
{
	a->counts.values[which]++;
}

/* The gateway's domain, or empty. */
struct prim_slice xa_adapter_gateway(const struct xa_adapter *a);
/* bridge_routes(), for a context `ctx` that is the adapter. */
bool xa_adapter_routes(void *ctx, struct prim_slice domain);

/* ---- inward.c ---- */

/* As in struct xa_leg_ops and struct br_adapter. */
bool xa_inward_message(void *ctx, struct xa_leg *leg, xmpp_stanza_t *message);
void xa_inward_room(void *state);
void xa_inward_outcome(void *state, const struct bridge_outcome *o);

#endif
