/* SPDX-License-Identifier: ISC */
#ifndef XA_ROSTER_PRIVATE_H
#define XA_ROSTER_PRIVATE_H

/*
 * What the files of the roster share: roster.c and roster_hear.c (the public
 * face), contact.c (one contact), roster_keep.c (what lasts about it),
 * roster_turn.c and roster_line.c (the two queues), watch.c, watch_view.c and watch_lease.c (who watches XMPP users),
 * follow.c and follow_lease.c (whom XMPP users follow).
 */

#include "adapters/xmpp/bucket.h"
#include "adapters/xmpp/record.h"
#include "adapters/xmpp/roster.h"
#include "prim/base.h"
#include "prim/hash.h"
#include "prim/pidf.h"
#include "prim/status.h"
#include "prim/table.h"
#include "prim/timer.h"

#define XA_SECOND ((int64_t)1000)
#define XA_HOUR   (3600 * XA_SECOND)
#define XA_DAY    (24 * XA_HOUR)

#define XA_BOUNCES_MAX   3  /* then nothing is sent to somebody any more */
#define XA_FOLLOW_ID_LEN 32 /* of a Subscription-ID of ours */

/* How the ids of these two begin; an error says by it what it answers. */
#define XA_ID_SUBSCRIBE "subscribe-"
#define XA_ID_PROBE     "probe-"

/* What a contact has to say to XMPP; said in this order. Bits. */
enum xa_say {
	XA_SAY_LEFT = 1 << 0, /* `unavailable`: the watcher has gone */
	XA_SAY_UNSUBSCRIBE = 1 << 1,
	XA_SAY_SUBSCRIBE = 1 << 2,
	XA_SAY_PROBE = 1 << 3,
	XA_SAY_REFUSED = 1 << 4, /* an error to a `subscribe` */
	XA_SAY_SUBSCRIBED = 1 << 5,
	XA_SAY_ALL = 1 << 6,    /* the presence, in full */
	XA_SAY_NEWS = 1 << 7,   /* the presence, what changed */
	XA_SAY_ANSWER = 1 << 8, /* the presence, to whoever probed */
	XA_SAY_UNSUBSCRIBED = 1 << 9,
};

/*
 * How much the watch knows of the user's resources.
 *
 *	            probe sent            answers, 100 ms      leg lost
 *	UNKNOWN ───────────────> ASKING ─────────────> KNOWN ─────────> UNKNOWN
 *	   │ 30 s, 3 s at first    │ 3 s, 5 s: nobody: KNOWN, closed (silence)
 *	   ▼                       │ the user's server cannot be reached
 *	 LOST <────────────────────┘          LOST ── leg up, 60 s ──> UNKNOWN
 *
 * Silence is no knowledge: a server that has nothing to say to us, because the
 * user's roster lost us, is silent, too. So each SUBSCRIBE probes again, and
 * silence upon silence says `subscribe` again: to one whom the user approves his
 * server answers at once, and it asks the user otherwise.
 */
enum xa_view {
	XA_VIEW_UNKNOWN,
	XA_VIEW_ASKING,
	XA_VIEW_KNOWN,
	XA_VIEW_LOST, /* the watchers were told so */
};

struct xa_contact;

/* Where somebody stands who has something to say; see roster_line.c. */
enum xa_line {
	XA_LINE_MAIN,
	XA_LINE_STRANGERS,
	XA_LINE_LATE,
	XA_LINES_MAX,
};

#define XA_USER_BUCKETS 1024

/* A subscription of the core at a watch. */
struct xa_lease {
	TAILQ_ENTRY(xa_lease) link;
	struct xa_contact *contact; /* borrowed: owns us */
	struct prim_timer expiry;
	char *id;         /* owned */
	char *watcher;    /* owned: as the core spells it */
	char *presentity; /* owned: the same */
	bool is_owed;     /* a NOTIFY must follow once we know */
	bool is_dirty;    /* a NOTIFY waits for its turn */
	bool is_unanswered;
	bool is_last; /* the next NOTIFY ends it */
};

TAILQ_HEAD(xa_lease_list, xa_lease);

struct xa_watch {
	enum xa_approval approval;
	unsigned code; /* DENIED: what a SUBSCRIBE is answered */
	int64_t since_ms;
	int64_t asked_ms; /* when `subscribe` was last sent; 0: never */
	bool
	    is_heard; /* `subscribe` was sent on this link: an answer to it will
	                  be heard */
	int64_t used_ms;
	enum xa_view view;
	bool was_told;     /* somebody has seen `told` */
	bool is_hurried;   /* the first answer to a probe has come */
	unsigned silences; /* probes in a row that nobody answered */
	int64_t probed_ms; /* the last probe; 0: none */
	struct xa_lease_list leases;
	unsigned lease_count;
	struct xa_presences known; /* what we heard */
	struct xa_presences told;  /* what the last NOTIFY said or will say */
	int64_t told_ms;
	struct prim_timer settle; /* by the view: look, tell, ask again */
	struct prim_timer linger; /* unused so long: given back */
};

struct xa_follow {
	enum xa_approval approval; /* never DENIED */
	int64_t since_ms;
	/* Upstream. */
	char id[XA_FOLLOW_ID_LEN + 1]; /* of the lease or the request; or "" */
	char ending[XA_FOLLOW_ID_LEN + 1]; /* to be unsubscribed; or "" */
	bool is_wanted;                    /* a SUBSCRIBE waits for its turn */
	bool is_asked;                     /* a SUBSCRIBE is unanswered */
	bool is_live;                      /* there is a lease */
	bool is_away;    /* the user is offline: nothing is renewed, or shown */
	bool is_lapsing; /* the lease ends without a renewal */
	bool
	    is_unbidden; /* the last SUBSCRIBE came of an end, of nobody's word */
	int64_t sign_ms;    /* he was last heard of */
	int64_t expires_ms; /* of the lease */
	int64_t acted_ms;   /* the last SUBSCRIBE; 0: none */
	int64_t absent_ms;  /* the first 403 in a row; 0: none */
	unsigned failures;
	struct prim_timer timer;
	/* Downstream. */
	bool is_known;                /* `now` is what the core says */
	int64_t shown_ms;             /* when `told` was last said */
	struct prim_timer news;       /* changes are bundled until then */
	struct xa_presences now;      /* to be shown */
	struct xa_presences told;     /* what the user was shown */
	char *asker;                  /* owned: who probed and waits; or NULL */
	char *asker_id;               /* owned */
	char *asked;                  /* owned: which resource; or NULL */
	char *request_id;             /* owned: of the `subscribe`; or NULL */
	const struct xa_error *error; /* static: for REFUSED */
	unsigned bounces;             /* permanent errors in a row */
};

struct xa_contact {
	struct xa_roster *roster; /* borrowed: owns us */
	struct prim_table_node node;
	TAILQ_ENTRY(xa_contact) link;
	TAILQ_ENTRY(xa_contact) say_turn, ask_turn, keep_turn;
	bool is_saying, is_asking, is_keeping; /* stands in the queue */
	enum xa_line line;                     /* while `is_saying` */
	unsigned say;                          /* enum xa_say */
	unsigned leg;
	char *ours, *theirs;    /* owned: bare JIDs */
	char *principal, *user; /* owned: "pres:..." */
	bool is_kept;           /* STATE has a record */
	uint64_t kept_hash;     /* of that */
	struct xa_watch watch;
	struct xa_follow follow;
};

TAILQ_HEAD(xa_contact_list, xa_contact);

struct xa_roster {
	const struct xa_roster_ops *ops; /* borrowed: static */
	void *ctx;                       /* borrowed: outlives us */
	int64_t now_ms;
	struct prim_hash_key key;
	struct prim_table table;
	struct xa_contact_list contacts; /* owned */
	/* borrowed from `contacts` */
	struct xa_contact_list lines[XA_LEGS_MAX][XA_LINES_MAX];
	struct xa_contact_list ask_queue;  /* the same */
	struct xa_contact_list keep_queue; /* the same */
	struct xa_bucket keep_bucket;
	struct prim_wheel wheel;
	struct xa_bucket bucket;
	struct xa_bucket users[XA_USER_BUCKETS]; /* by a hash of the user */
	int64_t blocked_ms[XA_LEGS_MAX]; /* nothing is said until then */
	int64_t late_ms;                 /* who is late is looked at then */
	unsigned leg;                    /* whose turn it was */
	size_t stranger_count;           /* in line */
	bool is_up[XA_LEGS_MAX];
	bool is_whole; /* STATE was read, and all of it understood */
	bool is_draining;
	size_t watch_count, follow_count; /* approvals that are not NONE */
	size_t lease_count, live_count;
	uint64_t words, probes;
	uint64_t requests; /* stanzas with an id of ours; begins anywhere */
	struct prim_pidf *pidf; /* owned: workspace */
	struct prim_buf body;   /* workspace */
};

/* ---- contact.c ---- */

struct xa_contact *xa_contact_find(const struct xa_roster *r,
    const struct xa_pair *pair);
/* NULL: no leg speaks for the principal. */
struct xa_contact *xa_contact_find_or_make(struct xa_roster *r,
    const struct xa_pair *pair);
void xa_contact_free(struct xa_contact *c);
/* Takes a record of STATE in. False: it is none. */
bool xa_contact_restore(struct xa_roster *r, struct prim_slice key,
    struct prim_slice value);

static inline int64_t xa_contact_now(const struct xa_contact *c)
{
	return c->roster->now_ms;
}

void xa_contact_set_timer(struct xa_contact *c, struct prim_timer *t,
    int64_t at_ms);
void xa_contact_stop_timer(struct xa_contact *c, struct prim_timer *t);
bool xa_contact_is_up(const struct xa_contact *c);
void xa_contact_log(const struct xa_contact *c, enum bridge_level level,
    const char *what);
/* Frees the contact when nothing is left of it. Last thing that is done. */
void xa_contact_reap(struct xa_contact *c);
/* Nobody there, and maybe (NULL: not) why. */
void xa_contact_set_closed(const struct xa_contact *c, struct xa_presences *all,
    const char *why);
/* Changes an approval, counted. */
void xa_contact_set_watch(struct xa_contact *c, enum xa_approval approval);
void xa_contact_set_follow(struct xa_contact *c, enum xa_approval approval);

/* ---- roster_turn.c ---- */

/* Something has to be asked of the core. */
void xa_contact_ask(struct xa_contact *c);
void xa_contact_leave(struct xa_contact *c); /* both queues */
void xa_roster_turn(struct xa_roster *r);
/* Shows what the user does not know, at once. The number of stanzas. */
unsigned xa_contact_show(struct xa_contact *c, bool in_full);

/* ---- roster_keep.c ---- */

/* Writes what lasts to STATE, or drops it there if nothing does: now, or when
 * the pace allows it. */
void xa_contact_keep(struct xa_contact *c);
void xa_contact_leave_keeping(struct xa_contact *c);
void xa_roster_turn_keeping(struct xa_roster *r);
/* Writes what waits, without a pace. */
void xa_roster_drain_keeping(struct xa_roster *r);
int64_t xa_roster_keep_deadline(const struct xa_roster *r);

/* ---- roster_line.c ---- */

void xa_line_init(struct xa_roster *r);
/* `what` (enum xa_say) will be said; nothing while the leg is down. */
void xa_contact_say(struct xa_contact *c, unsigned what);
void xa_line_leave(struct xa_contact *c);
/* May this user ask for a permission now? He pays for it from his pace. */
bool xa_line_admit(struct xa_roster *r, struct prim_slice theirs);
/* Can a stranger wait for an answer? */
bool xa_line_is_open(const struct xa_roster *r);
/* Whose turn it is, or NULL. */
struct xa_contact *xa_line_first(const struct xa_roster *r, unsigned leg);
/* May something be said now? Else `c` is not the first any more, or the leg is
 * blocked. */
bool xa_line_may(struct xa_contact *c);
void xa_line_said(const struct xa_contact *c, unsigned count);
/* Who was late, and is so no more, stands in line again. */
void xa_line_wake(struct xa_roster *r);
int64_t xa_roster_turn_deadline(const struct xa_roster *r);

/* ---- watch.c ---- */

void xa_watch_init(struct xa_contact *c);
void xa_watch_fini(struct xa_contact *c);
void xa_watch_restored(struct xa_contact *c);
bool xa_watch_is_idle(const struct xa_contact *c);
void xa_watch_up(struct xa_contact *c);
void xa_watch_down(struct xa_contact *c);
void xa_watch_hear_subscribed(struct xa_contact *c);
void xa_watch_hear_unsubscribed(struct xa_contact *c);
void xa_watch_hear_error(struct xa_contact *c, const struct xa_heard *h);
/* Nobody answered, again: asks the user again, now and then. */
void xa_watch_ask_again(struct xa_contact *c);
/* `subscribe` has just been sent. */
void xa_watch_was_asked(struct xa_contact *c);
/* There is a new lease, or one was renewed: asks whoever must be asked. */
void xa_watch_wanted(struct xa_contact *c, struct xa_lease *l);
/* The last lease is over. */
void xa_watch_unused(struct xa_contact *c);
/* Is anybody interested in the user's presence? */
bool xa_watch_is_used(const struct xa_contact *c);
/* Is he available, as far as that is known? */
bool xa_watch_is_there(const struct xa_contact *c);

/* ---- watch_view.c ---- */

void xa_watch_on_settle(struct prim_timer *t);
/* Asks the user's server what we do not know. */
void xa_watch_look(struct xa_contact *c);
/* Owed leases hear what is known, or will be. */
void xa_watch_show(struct xa_contact *c);
/* Nothing is known any more, nor was anything told. */
void xa_watch_unknow(struct xa_contact *c);
/* The link is gone: what is known may be wrong. */
void xa_watch_doubt(struct xa_contact *c);
/* What came back instead of presence: the server cannot be reached; or there
 * is none. */
void xa_watch_unreachable(struct xa_contact *c);
void xa_watch_answered(struct xa_contact *c);
void xa_watch_was_probed(struct xa_contact *c);
void xa_watch_hear_presence(struct xa_contact *c, struct xa_presence *p);

/* ---- watch_lease.c ---- */

unsigned xa_watch_subscribe(struct xa_contact *c,
    const struct bridge_subscription *s, uint32_t *granted_s);
unsigned xa_watch_unsubscribe(struct xa_contact *c,
    const struct bridge_subscription *s);
void xa_watch_outcome(struct xa_contact *c,
    const struct bridge_presence_outcome *o);
/* Every lease hears `told`: those with `owed_only` that wait for it. */
void xa_watch_tell(struct xa_contact *c, bool owed_only);
/* Has a lease not yet heard `told`, or may not have? */
bool xa_watch_is_behind(const struct xa_contact *c);
/* Every lease ends with what is in `told`. */
void xa_watch_end_all(struct xa_contact *c);
void xa_lease_free(struct xa_lease *l);
/* Sends the NOTIFYs whose turn it is. False: there is no room. */
bool xa_watch_ask(struct xa_contact *c);

/* ---- follow.c ---- */

void xa_follow_init(struct xa_contact *c);
void xa_follow_fini(struct xa_contact *c);
void xa_follow_restored(struct xa_contact *c);
bool xa_follow_is_idle(const struct xa_contact *c);
void xa_follow_up(struct xa_contact *c);
void xa_follow_down(struct xa_contact *c);
void xa_follow_hear_subscribe(struct xa_contact *c, struct prim_slice id);
void xa_follow_hear_unsubscribe(struct xa_contact *c);
void xa_follow_hear_probe(struct xa_contact *c, const struct xa_heard *h);
void xa_follow_hear_error(struct xa_contact *c, const struct xa_heard *h);
/* Permission is there, or is over; `say` what the user hears besides, `code` the
 * core's answer that ended it, 0 where he left. */
void xa_follow_grant(struct xa_contact *c);
void xa_follow_end(struct xa_contact *c, unsigned say, unsigned code);
unsigned xa_follow_notify(struct xa_contact *c,
    const struct bridge_notification *n);
/* Nothing is known any more: what was shown is taken back. */
void xa_follow_unknow(struct xa_contact *c);

/* ---- follow_lease.c ---- */

void xa_follow_on_timer(struct prim_timer *t);
/* The user is there, or has gone. */
void xa_follow_user(struct xa_contact *c, bool is_here);
/* He has said something: he is alive. */
void xa_follow_sign(struct xa_contact *c);
/* The same may be so, unheard: the link was away. */
void xa_follow_revive(struct xa_contact *c);
/* A SUBSCRIBE goes out, now or as soon as it may. */
void xa_follow_want(struct xa_contact *c);
/* The lease is given back. */
void xa_follow_release(struct xa_contact *c);
/* The core has `seconds` left for us. */
void xa_follow_leased(struct xa_contact *c, uint32_t seconds);
/* The core says that the lease is over. */
void xa_follow_lost(struct xa_contact *c);
void xa_follow_outcome(struct xa_contact *c,
    const struct bridge_presence_outcome *o);
/* Sends what has its turn. False: there is no room. */
bool xa_follow_ask(struct xa_contact *c);

#endif
