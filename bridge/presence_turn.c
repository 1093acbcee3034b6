/* SPDX-License-Identifier: ISC */
/* Requests that have their turn at an entity. */

#include "bridge/presence_private.h"

#include "prim/base.h"

static void queue_tail(struct br_entity *e, struct br_turn *t)
{
	STAILQ_INSERT_TAIL(&e->turns, t, next);
	e->turn_count++;
	t->entity = e;
}

static void queue_head(struct br_entity *e, struct br_turn *t)
{
	STAILQ_INSERT_HEAD(&e->turns, t, next);
	e->turn_count++;
	t->entity = e;
}

void br_turn_leave(struct br_turn *t)
{
	struct br_entity *e = t->entity;

	if (!e)
		return;
	STAILQ_REMOVE(&e->turns, t, br_turn, next);
	e->turn_count--;
	t->entity = NULL;
}

static bool may_begin(const struct br_entity *e, const struct br_turn *t)
{
	return e->storing == 0 ||
	    (e->is_storing_renewals && t->goes_with_renewals);
}

static void run(struct br_presence *p, struct br_entity *e)
{
	struct br_turn *t;

	br_entity_pin(p->server->entities, e);
	while ((t = STAILQ_FIRST(&e->turns)) && may_begin(e, t)) {
		br_turn_leave(t);
		if (!t->begin(t, e)) {
			queue_head(e, t);
			break;
		}
	}
	br_entity_unpin(p->server->entities, e);
}

bool br_turn_take(struct br_presence *p, struct br_entity *e, struct br_turn *t)
{
	if (e->turn_count >= BR_TURNS_MAX)
		return false;
	queue_tail(e, t);
	run(p, e);
	return true;
}

void br_turn_hold(struct br_entity *e, bool is_renewal)
{
	e->is_storing_renewals = is_renewal;
	e->storing++;
}

void br_turn_done(struct br_presence *p, struct br_entity *e)
{
	e->storing--;
	br_presence_reside(p, e);
	run(p, e);
}
