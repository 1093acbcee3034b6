/* SPDX-License-Identifier: ISC */
/* A message on its way into the store. */

#include "bridge/transit_private.h"

#include "bridge/metric.h"
#include "bridge/server.h"
#include "prim/base.h"

static void on_committed(void *arg, const struct br_store_put_result *result);

static void fill_store_message(const struct br_transit *t,
    struct br_store_message *out)
{
	const struct br_message *m = t->message;

	*out = (struct br_store_message){
		.key = m->key,
		.lane = m->lane,
		.content_hash = m->content_hash,
		.destination = prim_slice_of(t->dest->name),
		.origin = m->origin,
		.sender = m->sender,
		.recipient = m->recipient,
		.message_id = m->message_id,
		.return_token = m->return_token,
		.head = m->lines,
		.body = m->body,
		.hops = m->hops,
		.accepted_ms = m->accepted_ms,
		.expires_ms = m->expires_ms,
	};
}

/* Its account was removed while it waited. */
static bool is_orphan(const struct br_transit *t)
{
	return t->entity && t->entity->state == BR_ENTITY_ABSENT;
}

static bool inbox_is_full(const struct br_transit *t)
{
	const struct br_config *config = t->server->config;

	/* What is on its way to the store counts, or a burst would pass. */
	return !t->dest->host &&
	    t->dest->row_count + t->dest->committing >=
	    config->limit_offline_messages;
}

void br_transit_commit(struct br_transit *t)
{
	struct br_store_message stored;

	if (t->is_committing || t->is_answered)
		return;
	prim_timer_stop(&t->server->wheel, &t->timer);
	if (is_orphan(t)) {
		br_transit_end_absent(t);
		return;
	}
	if (!t->dest)
		t->dest = br_outbox_inbox(t->server->outbox,
		    t->message->recipient);
	br_lane_set_dest(t->lane, t->dest);
	if (inbox_is_full(t)) {
		br_transit_end(t, PRIM_INTERNAL_ERROR,
		    PRIM_SLICE("inbox full"));
		return;
	}
	t->is_committing = true;
	t->lane->committing++;
	t->dest->committing++;
	fill_store_message(t, &stored);
	br_store_message_put(t->server->store, &stored, on_committed, t);
}

/* It is durable: the sender may know. */
static void become_row(struct br_transit *t, int64_t seq)
{
	struct br_lane *lane = t->lane;
	struct br_row *row;

	br_metric_add(BR_METRIC_MESSAGES_QUEUED, 1);
	row = br_outbox_append(lane, seq, t->message->expires_ms,
	    br_dedup_prefix(&t->message->key));
	TAILQ_REMOVE(&lane->live, t, of_lane);
	t->lane = NULL;
	t->row = row;
	br_row_set_transit(row, t);
	br_row_set_octets(row, br_message_size(t->message));
	br_transit_answer(t, PRIM_UNKNOWN_DELIVERY);
	if (is_orphan(t))
		br_transit_row_end(t, PRIM_NOT_FOUND,
		    PRIM_SLICE("no such inbox"));
	else if (br_transit_is_final(t->late_code))
		br_transit_row_outcome(t, t->late_code, PRIM_SLICE_NONE);
	else if (!br_transit_row_is_moving(t))
		br_transit_row_back(t, t->late_code == 0);
	else if (!t->is_holding)
		br_transit_expect_word(t);
}

static void on_committed(void *arg, const struct br_store_put_result *result)
{
	struct br_transit *t = arg;

	t->is_committing = false;
	t->lane->committing--;
	t->dest->committing--;
	switch (result->outcome) {
	case BR_STORE_DONE:
		become_row(t, result->seq);
		return;
	case BR_STORE_DUPLICATE:
		br_transit_answer(t,
		    result->content_hash == t->message->content_hash
			? result->answer
			: PRIM_BAD_REQUEST);
		br_transit_unhand(t);
		br_transit_leave_lane(t);
		br_transit_release(t);
		return;
	case BR_STORE_EXISTS:
	case BR_STORE_ABSENT:
	case BR_STORE_FAILED:
		/* It may still be told final by who has it already. */
		br_transit_end(t,
		    br_transit_is_final(t->late_code) ? t->late_code
						      : PRIM_INTERNAL_ERROR,
		    PRIM_SLICE("not stored"));
		return;
	}
}

/* A transient outcome: this one and all that is unsettled in its lane go to
 * the outbox, in order (DESIGN 4). */
void br_transit_commit_lane(struct br_transit *t)
{
	struct br_outbox *o = t->server->outbox;
	struct br_lane *lane = t->lane;
	struct br_transit *each, *next;

	lane->committing++; /* keeps the lane */
	PRIM_TAILQ_FOREACH_SAFE(each, &lane->live, of_lane, next)
	{
		if (each->is_waiting && each != t)
			continue; /* not known yet to be one we take */
		br_transit_commit(each);
	}
	lane->committing--;
	br_lane_release(o, lane); /* `t` may have ended: a full inbox */
}
