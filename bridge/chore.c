/* SPDX-License-Identifier: ISC */
/* Slices of what can wait. */

#include "bridge/chore.h"

#include <string.h>

#include "bridge/clock.h"

void br_chores_init(struct br_chores *all)
{
	memset(all, 0, sizeof(*all));
	TAILQ_INIT(&all->due);
	all->now_ns = br_clock_steady_ns;
}

void br_chores_stand_back(struct br_chores *all)
{
	all->is_live = true;
}

/* How long the next slice may be; 0: not now. */
static int64_t slice_of(const struct br_chores *all, int64_t now_ns)
{
	int64_t waited = now_ns - all->since_ns;

	if (!all->is_live)
		return BR_CHORE_SLICE_NS;
	if (waited < BR_CHORE_WAIT_NS)
		return 0;
	return waited < BR_CHORE_MAX_NS ? waited : BR_CHORE_MAX_NS;
}

/* The first goes behind the others when its time is up, so that none waits for
 * the end of another. */
static int64_t work(struct br_chores *all, int64_t now_ns, int64_t until_ns)
{
	struct br_chore *c;

	while ((c = TAILQ_FIRST(&all->due)) && now_ns < until_ns) {
		bool more = c->step(c->arg);

		now_ns = all->now_ns();
		/* It may have been stopped by its own step. */
		if (c->is_due && (!more || now_ns >= until_ns)) {
			TAILQ_REMOVE(&all->due, c, link);
			c->is_due = more;
			if (more)
				TAILQ_INSERT_TAIL(&all->due, c, link);
		}
	}
	return now_ns;
}

void br_chores_turn(struct br_chores *all)
{
	int64_t now_ns, slice_ns;

	if (!TAILQ_EMPTY(&all->due)) {
		now_ns = all->now_ns();
		slice_ns = slice_of(all, now_ns);
		if (slice_ns > 0)
			all->since_ns = work(all, now_ns, now_ns + slice_ns);
	}
	all->is_live = false;
}

bool br_chores_are_due(const struct br_chores *all)
{
	return !TAILQ_EMPTY(&all->due);
}

void br_chore_init(struct br_chore *c, struct br_chores *owner,
    br_chore_fn step, void *arg)
{
	memset(c, 0, sizeof(*c));
	c->owner = owner;
	c->step = step;
	c->arg = arg;
}

void br_chore_due(struct br_chore *c)
{
	struct br_chores *all = c->owner;

	if (!all) {
		br_chore_finish(c);
		return;
	}
	if (c->is_due)
		return;
	if (TAILQ_EMPTY(&all->due))
		all->since_ns = all->now_ns();
	TAILQ_INSERT_TAIL(&all->due, c, link);
	c->is_due = true;
}

void br_chore_finish(struct br_chore *c)
{
	br_chore_stop(c);
	while (c->step(c->arg))
		continue;
}

void br_chore_stop(struct br_chore *c)
{
	if (c->is_due)
		TAILQ_REMOVE(&c->owner->due, c, link);
	c->is_due = false;
}
