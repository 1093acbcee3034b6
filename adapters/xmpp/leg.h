/* SPDX-License-Identifier: ISC */
#ifndef XA_LEG_H
#define XA_LEG_H

/*
 * One component of the XMPP server and all that belongs to it: the link and
 * its wire, the fence, the deliveries that wait, the clock. A server lets a
 * component speak for its own domain only, so there is a leg for each domain
 * we speak for: the PRIM domain, and the gateway's.
 */

#include <stdbool.h>
#include <strophe.h>

#include "adapters/xmpp/bucket.h"
#include "adapters/xmpp/fence.h"
#include "adapters/xmpp/link.h"
#include "adapters/xmpp/out.h"
#include "adapters/xmpp/pending.h"
#include "adapters/xmpp/wire.h"
#include "bridge/adapter.h"
#include "prim/slice.h"

/* Octets of answers that may wait for the link. */
#define XA_LEG_UNSENT_MAX 1048576
/* Octets that may wait for a server that does not read; it is given up soon. */
#define XA_LEG_WAITING_MAX 16777216
/* Words about deliveries that do not wait any more: so many a second are passed
 * on, and so many at once, for who comes back reads much at once. */
#define XA_LEG_LATE_RATE  100
#define XA_LEG_LATE_BURST 2000

struct xa_leg;

struct xa_leg_ops {
	void (*up)(void *ctx, struct xa_leg *leg);
	/* It has to forget or to fail what waits. */
	void (*down)(void *ctx, struct xa_leg *leg);
	/* A message from somebody. False: there is no room, it comes again
	 * after xa_leg_go(). Borrowed. */
	bool (*message)(void *ctx, struct xa_leg *leg, xmpp_stanza_t *message);
	/* An iq from somebody. False: it is answered as every iq. Borrowed. */
	bool (*iq)(void *ctx, struct xa_leg *leg, xmpp_stanza_t *iq);
	/* A presence stanza from somebody. Borrowed. */
	void (*presence)(void *ctx, struct xa_leg *leg,
	    xmpp_stanza_t *presence);
	/* The end of a delivery. */
	void (*report)(void *ctx, struct prim_slice delivery_id, unsigned code,
	    const char *text);
	/* The same for one that xa_leg_tell() began. */
	void (*told)(void *ctx, struct prim_slice delivery_id, unsigned code,
	    const char *text);
	/* Later word of one that has ended here: 200, or 4xx. */
	void (*late)(void *ctx, struct prim_slice delivery_id, unsigned code,
	    const char *text);
};

/* All borrowed for the life of the leg. */
struct xa_leg_setup {
	struct bridge *bridge;
	xmpp_ctx_t *xmpp;
	const struct xa_leg_ops *ops;
	void *ctx;
	struct prim_slice server; /* passed xa_wire_parse() */
	struct prim_slice host;
	struct prim_slice secret;
};

struct xa_leg {
	struct xa_leg_setup setup;
	struct xa_link link;
	struct xa_wire wire;
	struct xa_fence fence;
	struct xa_pendings pendings;
	struct xa_pendings notices; /* told, and not yet read */
	struct xa_bucket late;
	struct event *timer;    /* owned */
	int64_t armed_ms;       /* when it fires; INT64_MAX: never */
	int64_t hold_ms;        /* how long a delivery waits for a receipt */
	bool astray;            /* said so since the link is up */
	xmpp_stanza_t *parked;  /* owned: it found no room */
	struct prim_buf unsent; /* answers that wait for the link */
	uint64_t unfenced;      /* deliveries lost before the fence, ever */
	uint64_t dropped;       /* answers that could not be sent, ever */
	uint64_t late_dropped;  /* late words over the bound, ever */
};

void xa_leg_init(struct xa_leg *leg, const struct xa_leg_setup *setup);
/* Not from inside an op. Stops if need be. */
void xa_leg_fini(struct xa_leg *leg);

void xa_leg_start(struct xa_leg *leg);
/* Says goodbye; `down` if it was up. Idempotent. */
void xa_leg_stop(struct xa_leg *leg);
bool xa_leg_is_up(const struct xa_leg *leg);
/* Does the server keep up with what we have for it? */
bool xa_leg_has_room(const struct xa_leg *leg);

/* Is `stanza` in the name of our host? The server closes the stream over any
 * other sender. */
bool xa_leg_may_say(const struct xa_leg *leg, xmpp_stanza_t *stanza);

/* Sends a stanza and takes it: it is released. While the link is down it
 * waits, within XA_LEG_UNSENT_MAX. One that no server would take, for its
 * length or for a sender that is not of our host, is dropped. */
void xa_leg_take(struct xa_leg *leg, xmpp_stanza_t *stanza);

/* Sends what was translated; one report follows, or `down`. One that waits
 * already is not sent again. */
void xa_leg_deliver(struct xa_leg *leg, const struct xa_out *out,
    struct prim_slice delivery_id);

/* Sends a stanza about something that happened before, and takes it: it is
 * released. It passed xa_leg_may_say(). `told` with 200 follows when the server
 * has read it, or `down`. One that waits already is not sent again. */
void xa_leg_tell(struct xa_leg *leg, xmpp_stanza_t *stanza,
    struct prim_slice delivery_id);

/* There may be room. */
void xa_leg_go(struct xa_leg *leg);
/* Holds nothing for receipts any more. */
void xa_leg_hurry(struct xa_leg *leg);

/* Ends all that waits: without a word, or with a report. */
void xa_leg_forget(struct xa_leg *leg);
void xa_leg_fail(struct xa_leg *leg, unsigned code, const char *text);

#endif
