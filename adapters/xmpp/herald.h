/* SPDX-License-Identifier: ISC */
#ifndef XA_HERALD_H
#define XA_HERALD_H

/*
 * Carries presence between the legs, the bridge and the roster: turns stanzas
 * and requests into what the roster understands, and back. Decides nothing.
 */

#include <stdbool.h>
#include <strophe.h>

#include "adapters/xmpp/counts.h"
#include "adapters/xmpp/leg.h"
#include "adapters/xmpp/roster.h"
#include "adapters/xmpp/way.h"
#include "bridge/adapter.h"
#include "prim/buf.h"

struct xa_herald_setup {
	struct bridge *bridge; /* borrowed: outlives us */
	xmpp_ctx_t *xmpp;      /* borrowed: outlives us */
	struct xa_leg *legs;   /* borrowed: `leg_count` of them */
	unsigned leg_count;
	struct xa_way way;
};

struct xa_herald {
	struct xa_herald_setup setup;
	struct xa_roster *roster; /* owned */
	struct event *timer;      /* owned */
	int64_t armed_ms;         /* when it fires; INT64_MAX: never */
	uint64_t heard;           /* presence stanzas, ever */
	size_t restored, unread;  /* records of STATE */
	struct prim_buf ours, theirs, principal, user; /* workspace */
};

void xa_herald_init(struct xa_herald *h, const struct xa_herald_setup *setup);
/* In any state, also when never initialised but all zero. */
void xa_herald_fini(struct xa_herald *h);

/* Asks STATE for all there is; it comes by xa_herald_state(), which is true
 * when that was the end of it. */
void xa_herald_start(struct xa_herald *h);
bool xa_herald_state(struct xa_herald *h, const struct prim_slice *key,
    const struct prim_slice *value);

/* What the legs tell. */
void xa_herald_up(struct xa_herald *h, const struct xa_leg *leg);
void xa_herald_down(struct xa_herald *h, const struct xa_leg *leg);
/* herald_hear.c */
void xa_herald_hear(struct xa_herald *h, struct xa_leg *leg,
    xmpp_stanza_t *presence);
/* A message of a user: he is there. herald_hear.c */
void xa_herald_sign(struct xa_herald *h, const struct xa_leg *leg,
    xmpp_stanza_t *message);
/* Lets the roster do what it has to do after each of these. */
void xa_herald_go(struct xa_herald *h);

/* The members of struct br_adapter. */
unsigned xa_herald_subscribe(struct xa_herald *h,
    const struct bridge_subscription *s, uint32_t *granted_s);
unsigned xa_herald_unsubscribe(struct xa_herald *h,
    const struct bridge_subscription *s);
unsigned xa_herald_notify(struct xa_herald *h,
    const struct bridge_notification *n);
void xa_herald_outcome(struct xa_herald *h,
    const struct bridge_presence_outcome *o);
void xa_herald_drain(struct xa_herald *h);

/* Fills in the operator's numbers that are about presence. */
void xa_herald_count(const struct xa_herald *h, struct xa_counts *out);

#endif
