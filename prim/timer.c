/* SPDX-License-Identifier: ISC */
/*
 * A hierarchical timing wheel. Level n holds what is due in less than
 * 64^(n+1) ticks; when a level's hand comes round, the next slot of the level
 * above is dealt out below.
 */

#include "prim/timer.h"

#include <stddef.h>

#define BITS 6
#define MASK (PRIM_TIMER_SLOTS - 1)

void prim_wheel_init(struct prim_wheel *w, int64_t now_ms)
{
	w->now_ms = now_ms;
	w->tick = now_ms / PRIM_TIMER_TICK_MS;
	for (int level = 0; level < PRIM_TIMER_LEVELS; level++) {
		w->used[level] = 0;
		for (int slot = 0; slot < PRIM_TIMER_SLOTS; slot++)
			TAILQ_INIT(&w->slots[level][slot]);
	}
}

void prim_timer_init(struct prim_timer *t, prim_timer_fn on_expiry)
{
	t->list = NULL;
	t->tick = 0;
	t->on_expiry = on_expiry;
}

bool prim_timer_is_set(const struct prim_timer *t)
{
	return t->list != NULL;
}

static void place(struct prim_wheel *w, struct prim_timer *t)
{
	int64_t wait = t->tick - w->tick;
	int64_t tick = t->tick;
	int level = 0;
	int slot;

	while (level < PRIM_TIMER_LEVELS - 1 &&
	    wait >= (int64_t)1 << (BITS * (level + 1)))
		level++;
	if (wait >= (int64_t)1 << (BITS * PRIM_TIMER_LEVELS))
		tick = w->tick + ((int64_t)1 << (BITS * PRIM_TIMER_LEVELS)) - 1;
	slot = (int)((tick >> (BITS * level)) & MASK);
	t->list = &w->slots[level][slot];
	TAILQ_INSERT_TAIL(t->list, t, link);
	w->used[level] |= (uint64_t)1 << slot;
}

void prim_timer_set(struct prim_wheel *w, struct prim_timer *t, int64_t at_ms)
{
	prim_timer_stop(w, t);
	/* Rounded up, so that no timer fires early. */
	t->tick = (at_ms + PRIM_TIMER_TICK_MS - 1) / PRIM_TIMER_TICK_MS;
	if (t->tick <= w->tick)
		t->tick = w->tick + 1;
	place(w, t);
}

void prim_timer_stop(struct prim_wheel *w, struct prim_timer *t)
{
	if (!t->list)
		return;
	TAILQ_REMOVE(t->list, t, link);
	if (TAILQ_EMPTY(t->list)) {
		ptrdiff_t at = t->list - &w->slots[0][0];

		w->used[at / PRIM_TIMER_SLOTS] &= ~((uint64_t)1 << (at & MASK));
	}
	t->list = NULL;
}

/* Deals one slot of `level` out to the levels below. */
static void cascade(struct prim_wheel *w, int level)
{
	int slot = (int)((w->tick >> (BITS * level)) & MASK);
	struct prim_timer_list moving;
	struct prim_timer *t;

	if (slot == 0 && level + 1 < PRIM_TIMER_LEVELS)
		cascade(w, level + 1);
	TAILQ_INIT(&moving);
	TAILQ_CONCAT(&moving, &w->slots[level][slot], link);
	w->used[level] &= ~((uint64_t)1 << slot);
	while ((t = TAILQ_FIRST(&moving))) {
		TAILQ_REMOVE(&moving, t, link);
		place(w, t);
	}
}

static void expire_slot(struct prim_wheel *w)
{
	struct prim_timer_list *due = &w->slots[0][w->tick & MASK];
	struct prim_timer *t;

	/* A callback sets its timers at tick + 1 or later, never in here. */
	while ((t = TAILQ_FIRST(due))) {
		prim_timer_stop(w, t);
		t->on_expiry(t);
	}
}

/* How many ticks may be passed over because nothing is due in them. */
static int64_t quiet_ticks(const struct prim_wheel *w)
{
	int here = (int)(w->tick & MASK);
	uint64_t ahead = here == MASK ? 0 : w->used[0] >> (here + 1);

	if (ahead)
		return __builtin_ctzll(ahead);
	return MASK - here; /* stop where the next level is dealt out */
}

void prim_wheel_advance(struct prim_wheel *w, int64_t now_ms)
{
	int64_t target = now_ms / PRIM_TIMER_TICK_MS;

	w->now_ms = now_ms;
	while (w->tick < target) {
		int64_t step = quiet_ticks(w) + 1;

		if (w->tick + step > target) {
			w->tick = target;
			return;
		}
		w->tick += step;
		if ((w->tick & MASK) == 0)
			cascade(w, 1);
		expire_slot(w);
	}
}

/* The tick at which the hand of `level` meets its next used slot. */
static int64_t next_of_level(const struct prim_wheel *w, int level)
{
	int64_t hand = w->tick >> (BITS * level);
	int here = (int)(hand & MASK);
	uint64_t used = w->used[level];
	/* Slots in the order in which the hand meets them, its own last. */
	uint64_t rotated = (used >> ((here + 1) & MASK)) |
	    (here == MASK ? 0 : used << (MASK - here));

	return (hand + 1 + __builtin_ctzll(rotated)) << (BITS * level);
}

int64_t prim_wheel_next(const struct prim_wheel *w)
{
	int64_t earliest = INT64_MAX;

	for (int level = 0; level < PRIM_TIMER_LEVELS; level++) {
		int64_t at;

		if (!w->used[level])
			continue;
		at = next_of_level(w, level) * PRIM_TIMER_TICK_MS;
		if (at < earliest)
			earliest = at;
	}
	return earliest;
}
