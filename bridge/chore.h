/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_CHORE_H
#define BRIDGE_CHORE_H

/*
 * Work that can wait for a moment: what the threads of the store hand back, what
 * adapters say, rows that may leave the outbox. It comes in heaps, of a thousand
 * when a transaction is over, and somebody who talks live must not wait behind a
 * heap. So it is done in slices of some 30 us, one between two turns of the loop,
 * and none while clients were heard, until it has waited long enough; from then on
 * it has half of the time.
 *
 * Knows nothing of what the work is. One thread.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define BR_CHORE_SLICE_NS 30000
#define BR_CHORE_WAIT_NS  60000  /* so long it stands back behind clients */
#define BR_CHORE_MAX_NS   500000 /* a slice of one that had to wait */

/* Does a little: one message, one read. False: that was all for now. It may not
 * free its chore. */
typedef bool (*br_chore_fn)(void *arg);

struct br_chores;

struct br_chore {
	TAILQ_ENTRY(br_chore) link;
	struct br_chores *owner; /* borrowed: outlives us; NULL: see below */
	br_chore_fn step;
	void *arg; /* borrowed */
	bool is_due;
};

struct br_chores {
	TAILQ_HEAD(, br_chore) due; /* borrowed */
	int64_t since_ns; /* when they began to wait, or the last slice ended */
	bool is_live;     /* a client was heard in this turn */
	int64_t (*now_ns)(void); /* steady; another one in tests */
};

void br_chores_init(struct br_chores *all);
/* A client was heard: there will be more of him soon. */
void br_chores_stand_back(struct br_chores *all);
/* Once a turn of the loop: a slice, of one after the other. */
void br_chores_turn(struct br_chores *all);
/* Then the loop must not sleep. */
bool br_chores_are_due(const struct br_chores *all);

/* Without an owner it is done to its end whenever it is due. */
void br_chore_init(struct br_chore *c, struct br_chores *owner,
    br_chore_fn step, void *arg);
/* There is something to do. May be said again. */
void br_chore_due(struct br_chore *c);
/* Does all of it now. */
void br_chore_finish(struct br_chore *c);
/* Is not done any more; idempotent. */
void br_chore_stop(struct br_chore *c);

#endif
