/* SPDX-License-Identifier: ISC */
#ifndef XA_ADAPTER_H
#define XA_ADAPTER_H

/*
 * The adapter as a whole, for the files that make it up: xmpp.c (its life),
 * inward.c (messages from XMPP to PRIM), inward_register.c (registration) and
 * outward.c (messages and notices from PRIM to XMPP).
 */

#include "adapters/xmpp/bucket.h"
#include "adapters/xmpp/counts.h"
#include "adapters/xmpp/herald.h"
#include "adapters/xmpp/in.h"
#include "adapters/xmpp/intake.h"
#include "adapters/xmpp/leg.h"
#include "adapters/xmpp/options.h"
#include "adapters/xmpp/out.h"
#include "adapters/xmpp/register.h"
#include "adapters/xmpp/token.h"
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
	struct xa_intake intake;
	struct xa_register registering;
	struct xa_bucket registrations;
	struct prim_buf token; /* workspace: a return token, unpacked */
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

/* The leg that has `to`, an address of ours, or NULL. */
struct xa_leg *xa_adapter_leg(struct xa_adapter *a, struct prim_slice to);
/* The domain whose im:primbridge hears registrations; NULL: nobody does. */
const char *xa_adapter_service(const struct xa_adapter *a);

/* ---- inward.c ---- */

/* As in struct xa_leg_ops and struct br_adapter. */
bool xa_inward_message(void *ctx, struct xa_leg *leg, xmpp_stanza_t *message);
void xa_inward_room(void *state);
void xa_inward_linked(void *state, const struct bridge_linked *l);
void xa_inward_outcome(void *state, const struct bridge_outcome *o);
/* Tells those who wait that nothing comes of it. */
void xa_inward_stop(struct xa_adapter *a);

enum xa_inward_asked {
	XA_INWARD_ASKED,
	XA_INWARD_FULL,
	XA_INWARD_IMPOSSIBLE, /* PRIM cannot carry `address` */
};

/* Puts `stanza` behind all that wait, and asks who its sender, `address`, is. */
enum xa_inward_asked xa_inward_ask(struct xa_adapter *a,
    enum xa_intake_kind kind, struct xa_leg *leg, xmpp_stanza_t *stanza,
    struct prim_slice address);
struct xa_in_context xa_inward_context(struct xa_adapter *a,
    const struct xa_leg *leg);
/* Hands in what was translated. False: there is no room. */
bool xa_inward_submit(struct xa_adapter *a, const struct xa_intake_item *item);
void xa_inward_refuse(struct xa_adapter *a, struct xa_leg *leg,
    xmpp_stanza_t *stanza, const struct xa_error *error, const char *text);

/* ---- inward_register.c ---- */

/* As in struct xa_leg_ops. */
bool xa_inward_iq(void *ctx, struct xa_leg *leg, xmpp_stanza_t *iq);
/* It is known who sent the iq of `item`. False: there is no room. */
bool xa_inward_registered(struct xa_adapter *a,
    const struct xa_intake_item *item);
/* The outcome of what an iq had said. */
void xa_inward_executed(struct xa_adapter *a, const struct bridge_outcome *o,
    const struct xa_token *t, struct xa_leg *leg);

/* ---- outward.c ---- */

/* As in struct br_adapter and struct xa_leg_ops. */
unsigned xa_outward_deliver(void *state, const struct bridge_message *m);
void xa_outward_report(void *ctx, struct prim_slice delivery_id, unsigned code,
    const char *text);
void xa_outward_told(void *ctx, struct prim_slice delivery_id, unsigned code,
    const char *text);
void xa_outward_late(void *ctx, struct prim_slice delivery_id, unsigned code,
    const char *text);

#endif
