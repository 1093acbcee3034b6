/* SPDX-License-Identifier: ISC */
/* A stored message: its turns, and what is heard of it. */

#include "bridge/transit_private.h"

#include "bridge/ending.h"
#include "bridge/metric.h"
#include "bridge/server.h"

bool br_transit_row_is_moving(const struct br_transit *t)
{
	return t->is_waiting || t->is_noting || t->is_handed || t->is_holding ||
	    prim_send_is_asked(&t->send);
}

struct prim_slice br_transit_reason(unsigned code, struct prim_slice why)
{
	if (code == PRIM_OK)
		return PRIM_SLICE("delivered");
	if (code == PRIM_UNKNOWN_DELIVERY)
		return PRIM_SLICE("accepted");
	return why.len ? why : PRIM_SLICE("refused");
}

/* The row is gone or moved: so is the motion. */
static void leave_row(struct br_transit *t, struct br_dest *dest)
{
	dest->is_busy = false;
	br_dest_kick(t->server->outbox, dest);
	br_transit_release(t);
}

/* A row's end, by what was heard of it. */
void br_transit_row_end(struct br_transit *t, unsigned code,
    struct prim_slice why)
{
	struct br_row *row = t->row;
	struct br_dest *dest = row->lane->dest;

	br_transit_unhand(t);
	prim_timer_stop(&t->server->wheel, &t->timer);
	br_transit_log_end(t, code, why);
	br_transit_history(t, BR_HISTORY_END, code,
	    br_transit_reason(code, why));
	t->row = NULL;
	dest->is_busy = true; /* its last lane may go */
	br_row_end(t->server->outbox, row, code, br_transit_reason(code, why));
	leave_row(t, dest);
}

/* Whoever has it in his hands may speak of it, to nobody; what is being read is
 * found missing. */
void br_transit_ended(void *arg, const struct br_store_message *m, bool failed)
{
	struct br_server *s = arg;
	struct br_row *row = br_outbox_find(s->outbox, m->seq);
	struct br_transit *t = row ? row->transit : NULL;

	(void)failed;
	if (t && !t->is_waiting && !t->is_noting) {
		br_transit_row_end(t, m->last_code, m->last_reason);
		return;
	}
	br_ending_tell(s, m, m->last_code, m->last_reason);
	if (row && !t)
		br_row_drop(s->outbox, row);
}

/* Or gone with its account: then there is nothing to put aside. */
static void row_damaged(struct br_transit *t)
{
	struct br_row *row = t->row;
	struct br_dest *dest = row->lane->dest;

	t->row = NULL;
	dest->is_busy = true;
	br_row_quarantine(t->server->outbox, row, PRIM_INTERNAL_ERROR,
	    PRIM_SLICE("damaged"));
	leave_row(t, dest);
}

/* What of its lane was handed over behind row `seq` goes back with it, in order
 * (DESIGN 4). */
static void recall_behind(struct br_lane *lane, int64_t seq)
{
	struct br_row *row, *next;

	PRIM_TAILQ_FOREACH_SAFE(row, &lane->rows, link, next) {
		struct br_transit *t = row->transit;

		if (row->seq > seq && t && (t->is_handed || t->is_holding))
			br_transit_row_back(t, 0, PRIM_SLICE_NONE);
	}
}

static void row_back(struct br_transit *t, const struct br_row_setback *how)
{
	struct br_row *row = t->row;
	struct br_lane *lane = row->lane;
	struct br_dest *dest = lane->dest;
	const int64_t seq = row->seq;
	/* The row may be gone after its setback, and the lane with it. */
	const bool pauses = !how->now && dest->host &&
	    row->deaths < BR_DEATHS_MAX;

	if (t->was_handed)
		br_row_recall(row, &t->message->delivery);
	br_transit_unhand(t);
	prim_timer_stop(&t->server->wheel, &t->timer);
	t->row = NULL;
	dest->is_busy = true;
	br_row_back(t->server->outbox, row, how);
	if (pauses)
		recall_behind(lane, seq);
	leave_row(t, dest);
}

void br_transit_row_back(struct br_transit *t, unsigned code,
    struct prim_slice why)
{
	row_back(t,
	    &(struct br_row_setback){ .code = code,
		.why = why,
		.now = code == 0 });
}

void br_transit_row_pause(struct br_transit *t, unsigned code,
    struct prim_slice why)
{
	row_back(t, &(struct br_row_setback){ .code = code, .why = why });
}

/* What is heard of a message whose row exists. 0: silence. */
void br_transit_row_outcome(struct br_transit *t, unsigned code,
    struct prim_slice why)
{
	bool is_refused = br_transit_is_refusal(code) ||
	    (code && !br_transit_is_final(code) && br_transit_is_awaited(t));

	if (t->row->lane->target && is_refused && br_transit_row_seek(t))
		return;
	if (br_transit_is_final(code))
		br_transit_row_end(t, code, why);
	else if (!br_transit_row_is_moving(t))
		br_transit_row_back(t, code, why);
}

/* Nobody said a word about a stored message. A listener may take its time
 * while there is no other one to ask. */
void br_transit_row_late(struct br_transit *t)
{
	bool is_alone = prim_send_is_asked(&t->send) &&
	    t->entity->inbox.listener_count < 2;

	if (is_alone && br_server_now(t->server) < t->message->expires_ms) {
		br_transit_expect_word(t);
		return;
	}
	prim_send_demote(&t->send);
	br_transit_row_pause(t, 0, PRIM_SLICE("no word of it"));
}

/* ---- a row's turn ---- */

static void row_expire(struct br_transit *t)
{
	br_metric_add(BR_METRIC_MESSAGES_EXPIRED, 1);
	br_transit_row_end(t, PRIM_TIMEOUT, PRIM_SLICE("expired"));
}

void br_transit_overdue(struct br_transit *t)
{
	t->row->is_overdue = true;
	if (t->is_holding)
		row_expire(t);
}

static void row_to_inbox(struct br_transit *t)
{
	struct br_server *s = t->server;

	t->entity = br_entity_find(s->entities, t->message->recipient);
	if (!t->entity) {
		br_transit_row_back(t, 0, PRIM_SLICE("not resident"));
		return;
	}
	br_entity_pin(s->entities, t->entity);
	br_transit_offer(t);
}

/* Is the one before it in its lane not there yet? It may have gone back, and the
 * link may have been lost and come up again, while this one was read. */
static bool is_early(const struct br_transit *t)
{
	const struct br_row *before = TAILQ_PREV(t->row, br_rows, link);

	return before &&
	    !(before->transit &&
		(before->transit->is_handed || before->transit->is_holding));
}

/* It is read, and its attempt is noted. */
static void row_go(struct br_transit *t)
{
	unsigned code;

	if (t->is_waiting || t->is_noting)
		return;
	code = br_row_recalled_code(t->row);
	if (code)
		br_transit_row_end(t, code, PRIM_SLICE_NONE);
	else if (t->row->is_overdue)
		row_expire(t);
	else if (prim_timer_is_set(&t->row->lane->retry))
		br_transit_row_back(t, 0, PRIM_SLICE_NONE);
	else if (t->row->lane->target && !br_transit_link(t))
		br_transit_row_home(t);
	else if (t->dest->host && is_early(t))
		br_transit_row_back(t, 0, PRIM_SLICE_NONE);
	else if (t->dest->host)
		br_transit_to_adapter(t);
	else
		row_to_inbox(t);
}

/* What cannot be written is handed over all the same: a full disk holds up
 * nothing that was accepted. */
static void on_noted(void *arg, enum br_store_outcome outcome)
{
	struct br_transit *t = arg;

	(void)outcome;
	t->is_noting = false;
	if (!t->row)
		br_transit_release(t);
	else
		row_go(t);
}

static void on_row_read(void *arg, const struct br_store_message *m,
    bool failed)
{
	struct br_transit *t = arg;
	struct br_server *s = t->server;

	t->is_waiting = false;
	t->message = m && !failed ? br_message_restore(m, &s->keys) : NULL;
	/* What is stored may not know of the newest refusal yet. */
	if (t->message && t->row->tried)
		prim_buf_puts(&t->tried, t->row->tried);
	br_row_read_done(t->row, t->message ? br_message_size(t->message) : 0);
	if (failed) {
		br_transit_row_pause(t, 0, PRIM_SLICE("not read"));
	} else if (!t->message) {
		row_damaged(t);
	} else {
		br_dest_kick(s->outbox, t->dest); /* the next may be read */
		row_go(t);
	}
}

void br_transit_redeliver(struct br_server *s, struct br_row *row)
{
	struct br_transit *t = br_transit_new(s);

	t->is_answered = true; /* with 101, when it was committed */
	t->row = row;
	t->dest = row->lane->dest;
	br_row_set_transit(row, t);
	t->is_waiting = true;
	br_row_read_begin(row);
	br_store_message_get(s->store, row->seq, on_row_read, t);
	if (!t->dest->host)
		return;
	t->is_noting = !PRIM_SEED(handed_before_noted);
	br_row_note_attempt(s->outbox, row, t->is_noting ? on_noted : NULL, t);
}
