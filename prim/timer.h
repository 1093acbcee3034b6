/* SPDX-License-Identifier: ISC */
#ifndef PRIM_TIMER_H
#define PRIM_TIMER_H

/*
 * Timers on a hierarchical wheel: setting, stopping and expiring one costs the
 * same whether there are ten or ten million. Nothing here reads a clock; the
 * owner tells the time and it never goes back.
 *
 * Resolution is PRIM_TIMER_TICK_MS. A timer never fires early; it may fire one
 * tick late.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define PRIM_TIMER_TICK_MS 8
#define PRIM_TIMER_SLOTS   64
#define PRIM_TIMER_LEVELS  6 /* 64^6 ticks: 17 years */

struct prim_timer;
typedef void (*prim_timer_fn)(struct prim_timer *t);

struct prim_timer {
	TAILQ_ENTRY(prim_timer) link;
	struct prim_timer_list
	    *list;    /* borrowed: where it waits; NULL: stopped */
	int64_t tick; /* when it is due */
	prim_timer_fn on_expiry;
};

TAILQ_HEAD(prim_timer_list, prim_timer);

struct prim_wheel {
	int64_t now_ms;
	int64_t tick;                     /* the last one that was handled */
	uint64_t used[PRIM_TIMER_LEVELS]; /* a bit for every slot with timers */
	struct prim_timer_list slots[PRIM_TIMER_LEVELS][PRIM_TIMER_SLOTS];
};

void prim_wheel_init(struct prim_wheel *w, int64_t now_ms);

/* `t` is stopped at first. The callback finds its object by PRIM_CONTAINER(). */
void prim_timer_init(struct prim_timer *t, prim_timer_fn on_expiry);
/* (Re)starts `t`, due at `at_ms`; at once on the next advance if that is past. */
void prim_timer_set(struct prim_wheel *w, struct prim_timer *t, int64_t at_ms);
/* Stopping a stopped timer is fine. */
void prim_timer_stop(struct prim_wheel *w, struct prim_timer *t);
bool prim_timer_is_set(const struct prim_timer *t);

/* Turns the wheel to `now_ms` and calls what is due, each stopped before its
 * callback, which may set, stop and free timers. */
void prim_wheel_advance(struct prim_wheel *w, int64_t now_ms);

/* When to call prim_wheel_advance() next, at the latest: never later than the
 * earliest timer, maybe earlier. INT64_MAX without timers. */
int64_t prim_wheel_next(const struct prim_wheel *w);

#endif
