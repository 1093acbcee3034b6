/* SPDX-License-Identifier: ISC */
/* The road of a message, from its SEND to its end. */

#include "bridge/transit_private.h"

#include <assert.h>

#include "bridge/metric.h"
#include "bridge/server.h"
#include "prim/base.h"
#include "prim/seed.h"

/* How long an adapter or a listener may keep a stored message without a word
 * before it is handed over again, with the same Delivery-ID. */
#define ROW_WITHIN_MS 60000

/* ---- life and death ---- */

static bool is_in_use(const struct br_transit *t)
{
	return !t->is_answered || t->is_waiting || t->is_committing ||
	    t->is_handed || t->is_holding || t->is_noting || t->is_telling ||
	    prim_send_is_asked(&t->send);
}

void br_transit_unhand(struct br_transit *t)
{
	if (t->is_handed) {
		prim_table_drop(&t->server->handed, &t->by_delivery);
		TAILQ_REMOVE(&t->dest->handed, t, of_dest);
		t->is_handed = false;
	}
	br_transit_leave_site(t);
}

void br_transit_leave_site(struct br_transit *t)
{
	struct br_site *site = t->site;

	if (!site)
		return;
	if (t->is_holding)
		TAILQ_REMOVE(&site->holding, t, of_dest);
	if (t->is_untaken)
		site->untaken--;
	t->is_holding = t->is_untaken = false;
	t->site = NULL;
	br_site_update(site);
	br_site_release(site);
}

void br_transit_leave_lane(struct br_transit *t)
{
	struct br_lane *lane = t->lane;

	if (!lane)
		return;
	TAILQ_REMOVE(&lane->live, t, of_lane);
	t->lane = NULL;
	br_lane_release(t->server->outbox, lane);
}

/* Nothing is expected of it any more. */
static void transit_free(struct br_transit *t)
{
	struct br_server *s = t->server;

	assert(!t->row && LIST_EMPTY(&t->joints));
	TAILQ_REMOVE(&s->transits, t, of_server);
	prim_timer_stop(&s->wheel, &t->timer);
	prim_send_fini(&t->send);
	br_transit_unhand(t);
	br_transit_leave_lane(t);
	if (t->entity)
		br_entity_unpin(s->entities, t->entity);
	br_outbox_uncharge(s->outbox, t->sender, t->charged);
	br_message_unref(t->message);
	prim_buf_fini(&t->tried);
	prim_buf_fini(&t->notice_from);
	prim_free(t->target);
	prim_free(t);
}

void br_transit_release(struct br_transit *t)
{
	if (!is_in_use(t) && !t->row) {
		transit_free(t);
		return;
	}
	/* Only a slow listener still owes an answer, to nobody: it holds a few
	 * octets, not the message. */
	if (t->is_answered && !t->row && !t->is_committing && !t->is_handed &&
	    !t->is_waiting && !t->is_telling)
		t->message = br_message_unref(t->message);
}

/* From now on somebody owes us a word. answer_within is the outermost limit of
 * a sender's patience (DESIGN 4); what waits in the outbox has no sender. */
void br_transit_expect_word(struct br_transit *t)
{
	struct br_server *s = t->server;
	int64_t at = br_server_now(s) +
	    (t->row ? ROW_WITHIN_MS : BR_LISTENER_WITHIN_MS);

	if (!t->row && at > t->answer_by_ms)
		at = t->answer_by_ms;
	prim_timer_set(&s->wheel, &t->timer, at);
}

/* ---- outcomes ---- */

/* What the row has to know once there is one. Something final comes first. */
static void note_late(struct br_transit *t, unsigned code)
{
	if (!t->late_code ||
	    (br_transit_is_final(code) && !br_transit_is_final(t->late_code)) ||
	    (br_transit_is_final(code) &&
		prim_status_better(code, t->late_code)))
		t->late_code = code;
}

static void live_outcome(struct br_transit *t, unsigned code,
    struct prim_slice why)
{
	if (t->is_telling) {
		return; /* it has its answer soon */
	} else if (t->target && br_transit_is_refusal(code)) {
		br_transit_seek(t, code);
	} else if (code == PRIM_UNKNOWN_DELIVERY && t->dest && t->dest->host) {
		br_transit_tell(t);
	} else if (br_transit_is_final(code)) {
		br_transit_end(t, code, why);
	} else if (t->target && t->server->config->disclosure_hide &&
	    !br_transit_is_kept(t->server, t->message)) {
		/* A stranger is not to learn that there is another place. */
		br_transit_end(t, PRIM_INBOX_CLOSED, why);
	} else if (t->route->queues) {
		note_late(t, code); /* who refused is not asked again at once */
		br_transit_commit_lane(t);
	} else {
		/* DESIGN 4: whatever kept it, nobody took it in time. */
		br_transit_end(t, br_transit_code_for(t->ticket.family, 0),
		    why);
	}
}

void br_transit_outcome(struct br_transit *t, unsigned code,
    struct prim_slice why)
{
	if (code)
		br_transit_history(t, BR_HISTORY_REPORT, code, why);
	if (t->row)
		br_transit_row_outcome(t, code, why);
	else if (t->is_committing)
		note_late(t, code);
	else if (!t->is_answered)
		live_outcome(t, code, why);
	else
		br_transit_release(t);
}

static void on_time(struct prim_timer *timer)
{
	struct br_transit *t = PRIM_CONTAINER(timer, struct br_transit, timer);

	if (t->row) {
		br_transit_row_late(t);
	} else if (t->is_waiting) {
		br_transit_log_end(t, PRIM_INTERNAL_ERROR,
		    PRIM_SLICE("store is slow"));
		br_transit_answer(t, PRIM_INTERNAL_ERROR);
		br_transit_leave_lane(t);
	} else if (prim_send_is_asked(&t->send)) {
		prim_send_expire(&t->send);
	} else {
		if (t->is_holding)
			br_transit_unhand(t);
		br_transit_outcome(t, 0, PRIM_SLICE("no answer in time"));
	}
}

/* ---- the beginning ---- */

struct br_transit *br_transit_new(struct br_server *s)
{
	struct br_transit *t = prim_new(struct br_transit);

	t->server = s;
	TAILQ_INSERT_TAIL(&s->transits, t, of_server);
	LIST_INIT(&t->joints);
	prim_send_init(&t->send, &br_transit_inbox_ops);
	prim_timer_init(&t->timer, on_time);
	return t;
}

static void proceed(struct br_transit *t)
{
	struct br_server *s = t->server;

	if (t->route->kind == BR_ROUTE_LOCAL) {
		br_transit_to_inbox(t);
	} else if (t->route->queues && br_lane_is_closed(t->lane) &&
	    !PRIM_SEED(lane_overtaken)) {
		br_transit_commit(t);
	} else if (br_transit_is_crowded(s)) {
		br_transit_to_store(t);
	} else {
		br_transit_to_adapter(t);
	}
}

static void on_duplicate(void *arg, const struct br_store_duplicate *d,
    bool failed)
{
	struct br_transit *t = arg;

	t->is_waiting = false;
	if (t->is_answered) {
		br_transit_release(t);
	} else if (failed) {
		br_transit_end(t, PRIM_INTERNAL_ERROR,
		    PRIM_SLICE("not looked up"));
	} else if (!d) {
		proceed(t);
	} else {
		br_metric_add(BR_METRIC_MESSAGES_DUPLICATE, 1);
		br_transit_answer_known(t, d->answer, d->content_hash);
		br_transit_leave_lane(t);
		br_transit_release(t);
	}
}

static void park(struct br_server *s, struct br_transit *t,
    const struct br_transit_start *start)
{
	struct br_message *m = start->message;

	t->message = m;
	t->route = start->route;
	br_ticket_open(&t->ticket, start->peer, start->family, m->request_id,
	    m->echo);
	br_ticket_charge(&t->ticket, br_message_size(m));
	prim_table_put(&s->live, &t->by_key, br_transit_hash(&m->key));
	s->parked_octets += br_message_size(m);
	if (start->route->kind != BR_ROUTE_LOCAL)
		t->dest = br_outbox_adapter(s->outbox, start->route->adapter);
	t->lane = br_outbox_lane(s->outbox, &m->lane);
	TAILQ_INSERT_TAIL(&t->lane->live, t, of_lane);
	t->answer_by_ms = br_server_now(s) + s->config->answer_within_ms;
	prim_timer_set(&s->wheel, &t->timer, t->answer_by_ms);
	br_transit_history(t, BR_HISTORY_ACCEPT, 0, PRIM_SLICE_NONE);
}

void br_transit_begin(struct br_server *s, const struct br_transit_start *start)
{
	struct br_transit *t;

	if (br_transit_join(s, start)) {
		br_message_unref(start->message);
		return;
	}
	t = br_transit_new(s);
	park(s, t, start);
	if (br_dedup_may_be_durable(s->dedup, &t->message->key) &&
	    !PRIM_SEED(no_durable_dedup)) {
		t->is_waiting = true;
		br_store_duplicate_find(s->store, &t->message->key,
		    t->message->message_id, on_duplicate, t);
	} else {
		proceed(t);
	}
}

/* ---- the end of everything ---- */

static void stop_one(struct br_transit *t)
{
	if (t->is_answered || t->is_committing || t->is_waiting ||
	    t->is_telling)
		return;
	if (t->route->queues && !PRIM_SEED(stop_drops_parked))
		br_transit_commit(t);
	else
		br_transit_end(t, br_transit_code_for(t->ticket.family, 0),
		    PRIM_SLICE("stopping"));
}

/* In the order of arrival, so that lanes keep theirs. */
void br_transit_stop_all(struct br_server *s)
{
	struct br_transit *t, *next;

	PRIM_TAILQ_FOREACH_SAFE(t, &s->transits, of_server, next)
		stop_one(t);
}

void br_transit_free_all(struct br_server *s)
{
	struct br_transit *t;

	while ((t = TAILQ_FIRST(&s->transits))) {
		if (t->row)
			br_row_set_transit(t->row, NULL);
		t->row = NULL;
		if (t->is_committing) {
			t->lane->committing--;
			t->dest->committing--;
		}
		if (!t->is_answered)
			br_transit_leave_live(t);
		br_ticket_close(&t->ticket);
		br_transit_settle_joints(t, PRIM_INTERNAL_ERROR);
		transit_free(t);
	}
}
