/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_PRESENCE_REMOTE_H
#define BRIDGE_PRESENCE_REMOTE_H

/*
 * What presence_remote.c (the subscription), presence_asking.c (the adapter),
 * presence_told.c (what the adapter says) and presence_waiting.c (the clients
 * that wait) know of each other.
 */

#include "bridge/presence_private.h"

#define BR_REMOTE_ID_OCTETS 16

/*
 *	        SUBSCRIBE sent      200, 201             NOTIFY
 *	new ──> asking ──────────> granted ──────────> granted, known
 *	          │ refused             │ lease ends soon, adapter is back:
 *	          ▼                     ▼ asked again
 *	        ended                asking
 *
 * A client's request waits here until there is something to tell it, or its
 * time is up (ERR-83). A FETCH is one that ends with its first NOTIFY.
 */
struct br_remote {
	struct prim_subscription sub; /* started with the first 200 */
	struct prim_source source;
	struct prim_document *known; /* owned ref: the last NOTIFY's; or NULL */
	struct br_presence_host *host;   /* borrowed */
	struct prim_table_node by_names; /* in p->remotes; not a FETCH's */
	struct prim_table_node by_id;    /* in p->remote_ids */
	TAILQ_ENTRY(br_remote) of_host;
	TAILQ_ENTRY(br_remote) of_asking;
	struct prim_question question; /* SUBSCRIBE */
	struct prim_timer renewal;
	TAILQ_HEAD(, br_remote_waiting)
	waitings; /* borrowed: p->errands own them; oldest first */
	struct br_entity *watcher;    /* pinned */
	enum prim_astrength strength; /* of who asked last; none once that
	                                 is not known any more */
	bool is_fetch;
	bool is_retried;    /* under a fresh id (ERR-79) */
	bool is_asking;     /* in host->asking: not sent yet */
	bool is_granted;    /* it was accepted once */
	int64_t covered_ms; /* until then the adapter goes on by itself */
	bool is_stored;     /* or is being stored */
	bool is_started;    /* `sub` watches */
	char id[2 * BR_REMOTE_ID_OCTETS + 1];
	size_t key_len, address_len;
	char text[]; /* the presentity: key, address as spelled */
};

/* A client that waits. */
struct br_remote_waiting {
	struct br_presence_errand errand;
	TAILQ_ENTRY(br_remote_waiting) of_remote;
	struct br_remote *remote; /* borrowed; NULL: left */
	struct prim_timer timer;
	int64_t asked_s, granted_s, expires_ms;
	enum prim_method method;
	bool is_storing;   /* the store will call back: it cannot be freed */
	bool is_committed; /* what it asked for is stored */
};

static inline struct br_server *br_remote_server(const struct br_remote *r)
{
	return r->host->presence->server;
}

/* ---- presence_remote.c ---- */

struct br_remote_making {
	struct br_presence_host *host;
	struct br_entity *watcher; /* pinned, taken */
	struct prim_slice presentity, address;
	struct prim_slice id; /* empty: a new one */
	bool is_fetch;
};

struct br_remote *br_remote_new(const struct br_remote_making *m);
/* Nobody waits for it any more. */
void br_remote_free(struct br_remote *r);
/* Of the pair; or NULL. */
struct br_remote *br_remote_find(struct br_presence *p,
    struct prim_slice watcher, struct prim_slice presentity);
/* By its Subscription-ID; or NULL. */
struct br_remote *br_remote_find_id(struct br_presence *p,
    struct prim_slice id);
struct prim_slice br_remote_key(const struct br_remote *r);
struct prim_slice br_remote_address(const struct br_remote *r);
/* For the store; `expires_ms` is the caller's to set. */
void br_remote_row(const struct br_remote *r,
    struct br_store_subscription *out);
void br_remote_forget(struct br_remote *r, br_store_done_fn done, void *arg);
/* Watches from now on, or for longer. */
void br_remote_start(struct br_remote *r, int64_t expires_ms);
/* It gets another Subscription-ID, here and in the store. */
void br_remote_rename(struct br_remote *r);
/* The other side ended it; nobody waits. The watcher hears it, if he was told
 * before that it is, and it is freed. */
void br_remote_cancelled(struct br_remote *r);

/* ---- presence_asking.c ---- */

void br_remote_init_asking(struct br_remote *r);
/* Nothing is asked, or answered, any more. */
void br_remote_stop_asking(struct br_remote *r);
/* Asks the adapter as soon as it can hear it. */
void br_remote_want(struct br_remote *r);
/* It is over here: the adapter hears it, and it is freed. */
void br_remote_leave(struct br_remote *r);

/* ---- presence_waiting.c ---- */

/* For how long: the longest that somebody here wants it. */
int64_t br_remote_wanted_s(const struct br_remote *r);
/* When that ends which is stored, or is being stored; 0: nothing is. */
int64_t br_remote_stored_ms(const struct br_remote *r);
/* It was accepted for the first time: what clients asked for is stored. */
void br_remote_store_all(struct br_remote *r);
/* There is something to tell: whoever can be answered is. */
void br_remote_answer_all(struct br_remote *r);
/* It cannot be. */
void br_remote_refuse_all(struct br_remote *r, unsigned code);

#endif
