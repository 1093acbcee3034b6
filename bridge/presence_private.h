/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_PRESENCE_PRIVATE_H
#define BRIDGE_PRESENCE_PRIVATE_H

/*
 * What the presence*.c files know of each other: presence.c (life, loading,
 * residence), presence_check.c (may it?), presence_turn.c (one after the other),
 * presence_publish.c and publication.c (what ours publish), presence_subscribe.c
 * and subscription.c (who watches ours), presence_remote.c and those of
 * presence_remote.h (what ours watch elsewhere), presence_host.c (the link to an
 * adapter), conn_presence.c (the way to a client).
 */

#include "bridge/conn.h"
#include "bridge/entity.h"
#include "bridge/errand.h"
#include "bridge/presence.h"
#include "bridge/router.h"
#include "bridge/server.h"
#include "prim/address.h"

struct br_last_word;
struct br_remote;
struct br_subscription_names;

/* An adapter, as presence sees it: all its users are one watcher. */
struct br_presence_host {
	struct br_presence *presence; /* borrowed: owns us */
	unsigned adapter;
	struct prim_watcher watcher;
	struct prim_outlet outlet;         /* open while it is ready */
	TAILQ_HEAD(, br_remote) remotes;   /* borrowed: all towards it */
	TAILQ_HEAD(, br_remote) asking;    /* borrowed: to be asked, in turn */
	struct prim_timer grace;           /* while it is gone */
	STAILQ_HEAD(, br_last_word) lasts; /* owned: found no room yet */
};

/* A request that waits for the store, an entity or an adapter. First member of
 * what says for what. */
struct br_presence_errand {
	struct br_errand errand;
	LIST_ENTRY(br_presence_errand) link; /* in p->errands */
	struct br_presence *presence;        /* borrowed */
	struct br_entity *entity;            /* pinned, or NULL */
	/* What it has besides; may be NULL. */
	void (*release)(struct br_presence_errand *e);
};

struct br_presence {
	struct br_server *server;                /* borrowed: owns us */
	LIST_HEAD(, br_presence_errand) errands; /* owned: all under way */
	TAILQ_HEAD(, br_entity) held;            /* pinned for what they have */
	struct prim_fan fan;
	struct prim_table subscriptions; /* owned: to ours, by three names */
	struct prim_table remotes;       /* owned: by watcher and presentity */
	struct prim_table remote_ids;    /* the same by Subscription-ID */
	struct br_presence_host *hosts;  /* owned: one an adapter */
	unsigned aside; /* outgoing ones in the store that lead nowhere */
};

/* When what is stored as granted until `expires_ms` is over. A clock that was put
 * back makes nothing last longer than it was granted for (`at_ms`: when; 0: not
 * known), nor than anything is granted for. */
int64_t br_presence_end(const struct br_server *s, int64_t at_ms,
    int64_t expires_ms);

/* ---- a request that is being looked at (presence_check.c) ---- */

struct br_presence_request {
	struct br_server *server;
	struct br_peer *peer;
	const struct prim_command *c;
	struct prim_address from, to;
	struct prim_key watcher, presentity; /* keys of from and to */
	const struct br_route *route;        /* of the presentity */
	struct prim_slice id;                /* Subscription-ID; or empty */
	int64_t asked_s, granted_s;          /* Duration */
};

/* Parses `header` as somebody's presence. `*out` borrows from `c`. */
bool br_presence_name(const struct prim_command *c, enum prim_header_id header,
    struct prim_address *out, struct prim_key *out_key);
/* Syntax, whom the peer may speak for, and where it goes (C.0 8, 9, 11): 0, or
 * the code that refuses it. For SUBSCRIBE, UNSUBSCRIBE and FETCH. */
unsigned br_presence_check(struct br_presence_request *r);
/* Does the default rule give `watcher` the right (DESIGN 6)? */
bool br_presence_allows(const struct br_server *s, struct prim_slice watcher,
    struct prim_slice presentity, enum br_right right);
/* What is said about a principal that is absent: with disclosure `hide` who has
 * not the right cannot tell (DESIGN 6). */
unsigned br_presence_absent_code(const struct br_server *s,
    struct prim_slice watcher, struct prim_slice presentity,
    enum br_right right);
/* The Duration of `c`; `fallback` without one. False: malformed. Whatever is
 * longer than we grant counts as INT64_MAX. */
bool br_presence_duration(const struct prim_command *c, int64_t fallback,
    int64_t *out_s);
int64_t br_presence_grant(int64_t asked_s);
/* What the answer says as Duration: what was granted, or as it was asked
 * (PRIM-041), for br_errand_new(). */
int64_t br_presence_repeated(const struct br_presence_request *r);

/* ---- who watches ours (presence_subscribe.c) ---- */

/* SUBSCRIBE, UNSUBSCRIBE or FETCH that is in order. */
void br_presence_subscribe(struct br_presence_request *r);

/* ---- what ours watch elsewhere (presence_remote.c) ---- */

/* SUBSCRIBE, UNSUBSCRIBE or FETCH of a client that is in order. */
void br_remote_subscribe(struct br_presence_request *r);
/* NOTIFY of an adapter. */
void br_remote_notify(struct br_server *s, struct br_host *host,
    const struct prim_command *c);
/* False: no way leads there now; the row stays until its time is over. */
bool br_remote_restore(struct br_presence *p,
    const struct br_store_subscription *row);
void br_remote_end_of(struct prim_subscription *s, bool lasting);
/* All that `watcher` watches elsewhere, or waits to, is over. */
void br_remote_end_all(struct br_presence *p, const struct br_entity *watcher);
bool br_remote_is(const struct prim_subscription *s);
/* Whom it watches, as spelled. */
struct prim_slice br_remote_presentity(const struct prim_subscription *s);
/* Asks what waits to be asked; the adapter is ready, or has room. */
void br_remote_go(struct br_presence_host *h);
void br_remote_host_init(struct br_presence_host *h);
void br_remote_host_ready(struct br_presence_host *h);
void br_remote_host_gone(struct br_presence_host *h);
void br_remote_free_all(struct br_presence *p);

/* ---- in turn (presence_turn.c) ---- */

/* A request that has its turn at an entity: publications are stored one after
 * the other, and whoever asks behind one sees it (DESIGN 3). */
struct br_turn {
	STAILQ_ENTRY(br_turn) next;
	struct br_entity *entity; /* borrowed; NULL: it does not wait */
	/* Its turn has come. False: it has to wait for those before it after
	 * all, and is asked again. It has left the queue when it is called, and
	 * is put back. */
	bool (*begin)(struct br_turn *t, struct br_entity *e);
	/* May it begin while renewals, and nothing else, are being stored? */
	bool goes_with_renewals;
};

#define BR_TURNS_MAX 512 /* that wait, at one entity */

/* Calls t->begin, now or later. False: too many wait. */
bool br_turn_take(struct br_presence *p, struct br_entity *e,
    struct br_turn *t);
/* It waits no more. */
void br_turn_leave(struct br_turn *t);
/* A publication is being stored; has been stored, or not, and is answered. */
void br_turn_hold(struct br_entity *e, bool is_renewal);
void br_turn_done(struct br_presence *p, struct br_entity *e);

/* ---- publications (presence_publish.c, publication.c) ---- */

void br_presence_publish(struct br_conn *conn, const struct prim_command *c);
/* One that is in order; `r` has the Duration of a lease, else none. It is
 * answered when it is stored and made so. */
void br_publication_start(struct br_presence_request *r,
    enum prim_publication_kind kind, const struct prim_document_parts *content);

/* ---- errands, residence, texts (presence.c) ---- */

/* As br_errand_new(). */
void *br_presence_errand_new(struct br_presence_request *r, size_t size,
    int64_t granted_s);
/* The entity becomes the errand's, pinned as it is. */
void br_presence_errand_keep(struct br_presence_errand *e,
    struct br_entity *entity);
void br_presence_errand_free(struct br_presence_errand *e);
/* Answers with a bare code and frees. */
void br_presence_errand_end(struct br_presence_errand *e, unsigned code);

/* Pins or unpins `e` as its leases and watchers want it. */
void br_presence_reside(struct br_presence *p, struct br_entity *e);
/* Answers with what `view` says, as the peer's dialect has it; 500 where it is
 * more than the client takes (PRIM-108). */
void br_presence_answer_view(struct br_errand *e, unsigned code,
    const struct prim_document *view);
/* Does the client take a body of this size (PRIM-108)? */
bool br_presence_fits(const struct br_errand *e,
    const struct prim_document *view);
/* Will the answer be read, as far as we know? Not by a connection that ends with
 * it: its other end may have gone. */
bool br_presence_is_heard(const struct br_errand *e);
/* Appends the header lines of a view for clients. */
void br_presence_put_view(struct prim_buf *b, enum prim_family family,
    const struct prim_document *view);

/* ---- links (presence_host.c) ---- */

extern const struct prim_outlet_ops br_presence_host_outlet_ops;
/* The last word on a subscription: NOTIFY with Duration 0 (ERR-85, ERR-86). It
 * waits for room; not for an adapter that is gone, which comes back knowing
 * nothing of it. */
void br_presence_host_last(struct br_presence_host *h,
    const struct br_subscription_names *names, struct prim_slice entity);
/* Can it be told something that must not wait? */
bool br_presence_host_has_room(const struct br_presence_host *h);
void br_presence_host_init(struct br_presence_host *h);
/* Says nothing more, nor what found no room. */
void br_presence_host_fini(struct br_presence_host *h);
/* The answer to a single look: 200 was said, one NOTIFY follows. */
bool br_presence_host_once(struct br_presence_host *h,
    const struct br_subscription_names *names, struct br_entity *presentity);

/* ---- ways to clients (conn_presence.c) ---- */

extern const struct prim_outlet_ops br_conn_outlet_ops;
/* CANCELSUBSCRIPTION to every connection of `w` (PRIM-195). */
void br_conn_cancel_all(struct prim_watcher *w, struct prim_slice presentity);

#endif
