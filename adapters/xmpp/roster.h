/* SPDX-License-Identifier: ISC */
#ifndef XA_ROSTER_H
#define XA_ROSTER_H

/*
 * Who sees whom across the bridge, without sockets and without a clock.
 *
 * A contact is a pair: one principal of PRIM and one user of XMPP. Either may
 * see the other, and each of the two has a permission that lasts (kept in
 * STATE, record.h) and leases that do not (spec/xmpp.md 5):
 *
 *	watch   the principal watches the user (watch.c, spec 5.2): the core
 *	        SUBSCRIBEs at us, the user approves, we NOTIFY
 *	follow  the user follows the principal (follow.c, spec 5.1): the user
 *	        subscribes, we SUBSCRIBE at the core, it NOTIFYs us
 *
 * Nothing that we do not know is told as if we knew it. After a start or a lost
 * link we ask (a probe, a SUBSCRIBE) and tell once the answer is there.
 *
 * Two queues, each of contacts, never of stanzas: whoever has to say something
 * to XMPP (within a token bucket), and whoever has to ask something of the core
 * (within BRIDGE_PRESENCE_MAX). What is said is decided when the turn comes, so
 * only the newest state ever waits.
 */

#include <stdbool.h>
#include <stdint.h>

#include "adapters/xmpp/errors.h"
#include "adapters/xmpp/presence.h"
#include "bridge/adapter.h"

#define XA_ROSTER_PREFIX "presence/" /* of the keys in STATE */
#define XA_ROSTER_MAX    200000      /* watches, and as many follows */
#define XA_LEASES_MAX    8           /* of one watch */
#define XA_LEGS_MAX      2

#define XA_PACE_RATE  200 /* presence stanzas a second to the server */
#define XA_PACE_BURST 400
#define XA_USER_RATE  20 /* of these to one user */
#define XA_USER_BURST 1000
#define XA_KEEP_RATE  100 /* records a second to STATE, of the usual length */
#define XA_KEEP_BURST 2000
#define XA_DRAIN_MAX  500 /* stanzas said when the bridge stops */

struct xa_roster;

/* Who it is about. All borrowed. */
struct xa_pair {
	struct prim_slice ours; /* bare JID of the principal */
	struct prim_slice
	    theirs; /* bare JID of the user, by xa_way_put_bare() */
	/* "pres:..." of both; may be empty in xa_roster_hear() but for
	 * XA_HEARD_SUBSCRIBE. */
	struct prim_slice principal;
	struct prim_slice user;
};

/* A stanza that says something between bare JIDs. */
struct xa_word {
	const char *type; /* subscribe, subscribed, probe, ... */
	const char *from; /* bare JIDs; borrowed */
	const char *to;
	const char *id;               /* or NULL */
	const struct xa_error *error; /* with the type "error" */
};

struct xa_roster_ops {
	/* To XMPP, on leg `leg`. */
	void (*say)(void *ctx, unsigned leg, const struct xa_word *w);
	void (*show)(void *ctx, unsigned leg, const struct xa_presence *p,
	    const struct xa_presence_route *route);
	/* Would a stanza go out soon? Else the roster tries again a little
	 * later. */
	bool (*is_clear)(void *ctx, unsigned leg);
	/* To the core, as bridge_*() of the same names. */
	bool (*subscribe)(void *ctx, const struct bridge_subscription *s);
	bool (*unsubscribe)(void *ctx, const struct bridge_subscription *s);
	bool (*notify)(void *ctx, const struct bridge_notification *n);
	unsigned (*room)(void *ctx);
	void (*keep)(void *ctx, struct prim_slice key, struct prim_slice value);
	void (*forget)(void *ctx, struct prim_slice key);
	/* On which leg the JID of a principal speaks; -1: on none. */
	int (*leg_of)(void *ctx, struct prim_slice ours);
	uint64_t (*random)(void *ctx);
	/* What happened to a contact. */
	void (*log)(void *ctx, enum bridge_level level, const char *what,
	    const struct xa_pair *pair);
};

struct xa_roster *xa_roster_new(const struct xa_roster_ops *ops, void *ctx,
    int64_t now_ms);
/* Calls nobody. Returns NULL; NULL is fine. */
struct xa_roster *xa_roster_free(struct xa_roster *r);

/* What STATE has, one by one, then its end. Until then, and after it unless it
 * `is_whole`, nothing that is unknown is taken for absent. False: the record
 * could not be read. */
bool xa_roster_restore(struct xa_roster *r, struct prim_slice key,
    struct prim_slice value);
void xa_roster_restored(struct xa_roster *r, bool is_whole, int64_t now_ms);

/* The leg to the XMPP server came, or went. */
void xa_roster_up(struct xa_roster *r, unsigned leg, int64_t now_ms);
void xa_roster_down(struct xa_roster *r, unsigned leg, int64_t now_ms);

/* What the core says; the codes of bridge/adapter.h. */
unsigned xa_roster_subscribe(struct xa_roster *r, const struct xa_pair *pair,
    const struct bridge_subscription *s, uint32_t *granted_s, int64_t now_ms);
unsigned xa_roster_unsubscribe(struct xa_roster *r, const struct xa_pair *pair,
    const struct bridge_subscription *s, int64_t now_ms);
unsigned xa_roster_notify(struct xa_roster *r, const struct xa_pair *pair,
    const struct bridge_notification *n, int64_t now_ms);
void xa_roster_outcome(struct xa_roster *r, const struct xa_pair *pair,
    const struct bridge_presence_outcome *o, int64_t now_ms);

enum xa_heard_kind {
	XA_HEARD_PRESENCE, /* available or unavailable */
	XA_HEARD_SUBSCRIBE,
	XA_HEARD_SUBSCRIBED,
	XA_HEARD_UNSUBSCRIBE,
	XA_HEARD_UNSUBSCRIBED,
	XA_HEARD_PROBE,
	XA_HEARD_ERROR,
};

/* A presence stanza of the user. All borrowed. */
struct xa_heard {
	enum xa_heard_kind kind;
	struct prim_slice from;       /* the JID it came from, full or bare */
	struct prim_slice asked;      /* the resource it was sent to, or none */
	struct prim_slice id;         /* or none */
	struct xa_presence *presence; /* PRESENCE: taken, empty afterwards */
	const char *condition;        /* ERROR */
};

void xa_roster_hear(struct xa_roster *r, const struct xa_pair *pair,
    const struct xa_heard *h, int64_t now_ms);

/* The user said something else to the principal: he is there. False: that is
 * of no interest. */
bool xa_roster_sign(struct xa_roster *r, const struct xa_pair *pair,
    int64_t now_ms);

/* The bridge is stopping: whom nobody can reach any more is shown as gone, at
 * once. Nothing is said afterwards. */
void xa_roster_drain(struct xa_roster *r, int64_t now_ms);

/* Does what is due and says what may be said. To be called after all the others
 * and at xa_roster_deadline() (INT64_MAX: never). */
void xa_roster_go(struct xa_roster *r, int64_t now_ms);
int64_t xa_roster_deadline(const struct xa_roster *r);

struct xa_roster_counts {
	size_t contacts;
	size_t watches; /* with a live lease */
	size_t follows; /* with a live lease */
	uint64_t words; /* stanzas said, ever */
	uint64_t probes;
};

void xa_roster_count(const struct xa_roster *r, struct xa_roster_counts *out);

#endif
