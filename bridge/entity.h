/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_ENTITY_H
#define BRIDGE_ENTITY_H

/*
 * Resident entities (DESIGN 3): a principal of ours is loaded from the store
 * the first time somebody asks, and stays while it is in use. An absent one is
 * remembered as absent for a while.
 *
 *	loading ──found──> present <──> (idle, may be evicted)
 *	        └─absent─> absent  ───> (forgotten after 30 s, or when made)
 */

#include <stdbool.h>
#include <stdint.h>

#include "bridge/store.h"
#include "prim/inbox.h"
#include "prim/presence.h"
#include "prim/table.h"
#include "prim/timer.h"

struct br_entities;
struct br_entity_wait;

enum br_entity_state {
	BR_ENTITY_LOADING,
	BR_ENTITY_PRESENT,
	BR_ENTITY_ABSENT,
};

struct br_entity {
	struct prim_table_node node;
	enum br_entity_state state;
	unsigned pins;    /* who holds on to it */
	bool is_loading;  /* a look-up is under way */
	bool is_outdated; /* the look-up under way began before a change */
	bool was_removed; /* not known to others; gone when unpinned */
	TAILQ_ENTRY(br_entity) idle;
	bool is_idle;     /* in the list of those that may go */
	int64_t known_ms; /* since when this state is known */
	TAILQ_HEAD(, br_entity_wait) waits; /* owned */
	unsigned wait_count;
	struct prim_inbox inbox;
	/* Presence (presence.h). */
	struct prim_presentity presentity;
	struct prim_watcher watcher;
	/* Requests that wait for what is being stored, in turn; borrowed. */
	STAILQ_HEAD(br_turn_list, br_turn) turns;
	unsigned turn_count;
	unsigned storing;         /* publications that are being stored */
	bool is_storing_renewals; /* and nothing else */
	unsigned subscribing;     /* SUBSCRIBEs to it that are being stored */
	int64_t created_ms;       /* the account, as it was last told */
	bool has_presence;        /* what is stored is in `presentity` */
	bool is_held;             /* pinned for its leases and watchers */
	TAILQ_ENTRY(br_entity) of_held;
	size_t key_len;
	char uri[]; /* "pres:" and the canonical key, NUL-terminated */
};

struct br_entity_ops {
	/* The store has told what it knows of `e`; `p` is never without
	 * account. Also when it is told again. */
	void (*loaded)(void *ctx, struct br_entity *e,
	    const struct br_store_principal *p);
	/* There is no such principal, or no longer. */
	void (*absent)(void *ctx, struct br_entity *e);
};

enum br_entity_outcome {
	BR_ENTITY_IS_PRESENT, /* `e` is pinned for the callee: br_entity_unpin() */
	BR_ENTITY_IS_ABSENT,
	BR_ENTITY_UNKNOWN, /* the store did not answer, or too many wait */
};

typedef void (*br_entity_fn)(void *arg, enum br_entity_outcome outcome,
    struct br_entity *e);

#define BR_ENTITY_WAITS_MAX 1024  /* requests that wait for one entity */
#define BR_ENTITY_IDLE_MAX  65536 /* idle ones that stay */
#define BR_ENTITY_ABSENT_MS 30000

struct br_entities_context {
	struct br_store *store;          /* borrowed: outlives us */
	const int64_t *now_ms;           /* borrowed: the loop's clock */
	struct prim_fan *fan;            /* borrowed: of what is watched */
	const struct br_entity_ops *ops; /* borrowed: static */
	void *ctx;                       /* borrowed */
	const struct prim_presentity_ops *presentity_ops; /* borrowed: static */
};

struct br_entities *br_entities_new(const struct br_entities_context *context);
/* The store calls back no more: whoever waits is told UNKNOWN. */
void br_entities_cancel(struct br_entities *all);
/* Nothing is pinned and nothing waits. NULL is fine. */
struct br_entities *br_entities_free(struct br_entities *all);

/* Calls `fn` with the principal `key`: at once when it is resident, later when
 * it has to be loaded; in the order of the calls. */
void br_entity_with(struct br_entities *all, struct prim_slice key,
    br_entity_fn fn, void *arg);

/* The resident, present entity, or NULL; not pinned. */
struct br_entity *br_entity_find(struct br_entities *all,
    struct prim_slice key);

/* The entity of `key`, loaded or not, and pinned; the store is asked if nobody
 * has asked yet. For what must find it again. */
struct br_entity *br_entity_hold(struct br_entities *all,
    struct prim_slice key);

void br_entity_pin(struct br_entities *all, struct br_entity *e);
void br_entity_unpin(struct br_entities *all, struct br_entity *e);

/* The account `key` was made, changed or removed: what we knew is void. Whoever
 * listens stays, and who asks waits until it is known again. */
void br_entity_forget(struct br_entities *all, struct prim_slice key);

struct prim_slice br_entity_key(const struct br_entity *e);
/* "pres:local@domain" */
struct prim_slice br_entity_uri(const struct br_entity *e);

#endif
