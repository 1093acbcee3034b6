/* SPDX-License-Identifier: ISC */
/* A message on its way into the store. */

#include "bridge/transit_private.h"

#include <string.h>

#include "bridge/metric.h"
#include "bridge/server.h"
#include "prim/base.h"

static void on_committed(void *arg, const struct br_store_put_result *result);

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

/* Where nobody is to be told yet, everybody can still be refused. */
static bool is_refused(struct br_transit *t)
{
	struct br_message *m = t->message;
	const char *why = NULL;

	if (m->expires_ms <= br_server_now(t->server)) {
		br_transit_end(t, br_transit_code_for(t->ticket.family, 0),
		    PRIM_SLICE("expired"));
		return true;
	}
	t->charged = m->lines.len + m->body.len;
	if (inbox_is_full(t))
		why = "inbox full";
	else
		why = br_outbox_charge(t->server->outbox, m->sender, t->charged,
		    &t->sender);
	if (why && strcmp(why, BR_OUTBOX_SHARE_FULL) == 0)
		t->reason = "too much of yours waits to be delivered; try "
			    "again when some of it has arrived";
	if (why)
		br_transit_end(t, PRIM_INTERNAL_ERROR, prim_slice_of(why));
	return why != NULL;
}

/* What follows a link has a lane of its own. If that link is gone by now, or
 * its adapter, the inbox has it. */
static void take_lane(struct br_transit *t)
{
	struct br_outbox *o = t->server->outbox;
	const struct br_identity *link = t->target ? br_transit_link(t) : NULL;
	struct br_lane *old = t->lane;
	struct br_lane *lane = link
	    ? br_outbox_lane_to(o, &t->message->lane, link)
	    : NULL;

	if (lane) {
		TAILQ_REMOVE(&old->live, t, of_lane);
		TAILQ_INSERT_TAIL(&lane->live, t, of_lane);
		t->lane = lane;
		t->dest = lane->dest;
		return;
	}
	if (t->target) {
		br_transit_unhand(t); /* or it would look for it in vain */
		t->target = prim_free(t->target);
		t->dest = NULL;
	}
	if (!t->dest)
		t->dest = br_outbox_inbox(o, t->message->recipient);
	br_lane_set_dest(t->lane, t->dest,
	    br_key_domain(t->message->recipient));
}

static void put(struct br_transit *t)
{
	struct br_store_message stored;

	t->is_committing = true;
	t->lane->committing++;
	t->dest->committing++;
	br_transit_fill(t, &stored);
	if (PRIM_SEED(answer_before_commit))
		br_transit_answer(t, PRIM_UNKNOWN_DELIVERY);
	br_store_message_put(t->server->store, &stored, on_committed, t);
}

void br_transit_commit(struct br_transit *t)
{
	if (t->is_committing || t->is_answered || t->is_telling)
		return;
	prim_timer_stop(&t->server->wheel, &t->timer);
	if (is_orphan(t)) {
		br_transit_end_absent(t);
		return;
	}
	take_lane(t);
	if (!is_refused(t))
		put(t);
}

void br_transit_post(struct br_server *s, struct br_message *m)
{
	const struct br_route *route = br_server_route(s, m->recipient);
	struct br_transit *t = br_transit_new(s);

	t->message = m;
	t->is_answered = true; /* nobody waits */
	if (route && route->kind == BR_ROUTE_ADAPTER)
		t->dest = br_outbox_adapter(s->outbox, route->adapter);
	m->accepted_ms = br_server_now(s);
	m->expires_ms = m->accepted_ms +
	    (t->dest ? (int64_t)s->config->give_up_after_ms
		     : BR_OFFLINE_KEEP_MS);
	t->lane = br_outbox_lane(s->outbox, &m->lane);
	TAILQ_INSERT_TAIL(&t->lane->live, t, of_lane);
	br_transit_history(t, BR_HISTORY_ACCEPT, 0, PRIM_SLICE_NONE);
	take_lane(t);
	put(t);
}

/* It is durable: the sender may know. */
static void become_row(struct br_transit *t, int64_t seq)
{
	struct br_lane *lane = t->lane;
	struct br_store_message stored;
	struct br_row *row;

	br_metric_add(BR_METRIC_MESSAGES_QUEUED, 1);
	br_transit_fill(t, &stored);
	stored.seq = seq;
	row = br_outbox_append(lane, &stored, t->sender);
	t->sender = NULL;
	TAILQ_REMOVE(&lane->live, t, of_lane);
	t->lane = NULL;
	t->row = row;
	br_row_set_transit(row, t);
	br_row_set_octets(row, br_message_size(t->message));
	if (t->is_suspect) {
		row->suspicions++;
		br_row_suspect(row);
	}
	br_transit_history(t, BR_HISTORY_COMMIT, 0, PRIM_SLICE_NONE);
	br_transit_answer(t, PRIM_UNKNOWN_DELIVERY);
	if (is_orphan(t))
		br_transit_row_end(t, PRIM_NOT_FOUND,
		    PRIM_SLICE("no such inbox"));
	else if (br_transit_is_final(t->late_code))
		br_transit_row_outcome(t, t->late_code, PRIM_SLICE_NONE);
	else if (!br_transit_row_is_moving(t))
		br_transit_row_back(t, t->late_code, PRIM_SLICE_NONE);
	else if (t->dest->host && prim_timer_is_set(&lane->retry))
		br_transit_row_back(t, 0, PRIM_SLICE_NONE); /* its lane waits */
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
		br_transit_answer_known(t, result->answer,
		    result->content_hash);
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
	PRIM_TAILQ_FOREACH_SAFE(each, &lane->live, of_lane, next) {
		if (each->is_waiting && each != t)
			continue;     /* not known yet to be one we take */
		if (each->is_holding) /* or it would come before the others */
			br_transit_unhand(each);
		br_transit_commit(each);
	}
	lane->committing--;
	br_lane_release(o, lane); /* `t` may have ended: a full inbox */
}
