/* SPDX-License-Identifier: ISC */
/* The same message again: while the first waits, or later. */

#include "bridge/transit_private.h"

#include "bridge/metric.h"
#include "bridge/server.h"
#include "prim/base.h"

void br_transit_settle_joints(struct br_transit *t, unsigned code)
{
	struct br_joint *j;

	while ((j = LIST_FIRST(&t->joints))) {
		LIST_REMOVE(j, link);
		br_ticket_settle(&j->ticket, code, PRIM_SLICE_NONE,
		    PRIM_SLICE_NONE);
		prim_free(j->id);
		prim_free(j->echo);
		prim_free(j);
	}
}

static void wait_with(struct br_transit *first,
    const struct br_transit_start *start)
{
	struct br_joint *j = prim_new(struct br_joint);

	br_metric_add(BR_METRIC_MESSAGES_DUPLICATE, 1);
	j->id = prim_slice_copy(start->message->request_id);
	j->echo = prim_slice_copy(start->message->echo);
	LIST_INSERT_HEAD(&first->joints, j, link);
	br_ticket_open(&j->ticket, start->peer, start->family,
	    prim_slice_make(j->id, start->message->request_id.len),
	    prim_slice_make(j->echo, start->message->echo.len));
	br_ticket_charge(&j->ticket,
	    sizeof(*j) + j->ticket.id.len + j->ticket.echo.len);
}

static void answer_now(const struct br_transit_start *start, unsigned code)
{
	struct br_ticket ticket;

	br_ticket_open(&ticket, start->peer, start->family,
	    start->message->request_id, start->message->echo);
	br_ticket_settle(&ticket, code, PRIM_SLICE_NONE, PRIM_SLICE_NONE);
}

static struct br_transit *live_find(const struct br_server *s,
    const struct prim_digest *key)
{
	struct prim_table_node *n = prim_table_first(&s->live,
	    br_transit_hash(key));

	for (; n; n = prim_table_next(n)) {
		struct br_transit *t = PRIM_CONTAINER(n, struct br_transit,
		    by_key);

		if (prim_digest_eq(&t->message->key, key))
			return t;
	}
	return NULL;
}

bool br_transit_join(struct br_server *s, const struct br_transit_start *start)
{
	const struct br_message *m = start->message;
	struct br_transit *first = live_find(s, &m->key);
	struct br_dedup_answer known;

	if (first && !PRIM_SEED(duplicate_not_joined)) {
		if (first->message->content_hash == m->content_hash)
			wait_with(first, start);
		else
			answer_now(start, PRIM_BAD_REQUEST);
		return true;
	}
	if (PRIM_SEED(no_live_dedup) ||
	    !br_dedup_find(s->dedup, &m->key, br_server_now(s), &known))
		return false;
	br_metric_add(BR_METRIC_MESSAGES_DUPLICATE, 1);
	answer_now(start,
	    known.content_hash == m->content_hash ? known.code
						  : PRIM_BAD_REQUEST);
	return true;
}
