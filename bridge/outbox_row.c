/* SPDX-License-Identifier: ISC */
/* Rows: one stored message each. */

#include "bridge/outbox_private.h"

#include "bridge/ending.h"
#include "bridge/metric.h"
#include "bridge/server.h"
#include "bridge/transit.h"
#include "prim/base.h"
#include "prim/seed.h"

/* The first row that is not in motion, from `from` on. */
static struct br_row *next_waiting(struct br_row *from)
{
	while (from && from->transit)
		from = TAILQ_NEXT(from, link);
	return from;
}

void br_row_leave_lane(struct br_row *row)
{
	struct br_lane *lane = row->lane;

	br_row_acquit(row);
	if (lane->next == row)
		lane->next = next_waiting(TAILQ_NEXT(row, link));
	TAILQ_REMOVE(&lane->rows, row, link);
	if (!lane->next)
		br_lane_unready(lane);
	br_pile_remove(row);
	lane->dest->row_count--;
}

/* Nearly always it is the newest. */
void br_row_enter_lane(struct br_row *row, struct br_lane *lane)
{
	struct br_row *before = TAILQ_LAST(&lane->rows, br_rows);

	while (before && before->seq > row->seq)
		before = TAILQ_PREV(before, br_rows, link);
	if (before)
		TAILQ_INSERT_AFTER(&lane->rows, before, row, link);
	else
		TAILQ_INSERT_HEAD(&lane->rows, row, link);
	row->lane = lane;
	if (!lane->next || row->seq < lane->next->seq)
		lane->next = row;
	br_pile_add(row);
	lane->dest->row_count++;
	br_lane_ready(lane);
}

static void count_rows(struct br_outbox *o)
{
	br_metric_set(BR_METRIC_OUTBOX_ROWS, (int64_t)o->row_count);
}

void br_row_drop(struct br_outbox *o, struct br_row *row)
{
	struct br_lane *lane = row->lane;
	struct br_server *s = o->server;

	br_dedup_note_durable(s->dedup, row->prefix); /* from its end on */
	prim_timer_stop(&s->wheel, &row->timer);
	br_row_set_transit(row, NULL);
	br_row_recall_end(row);
	br_row_leave_lane(row);
	TAILQ_REMOVE(&o->rows, row, of_outbox);
	prim_table_drop(&o->by_seq, &row->by_seq);
	br_outbox_uncharge(o, row->sender, row->size);
	o->row_count--;
	count_rows(o);
	prim_free(row->tried);
	prim_free(row);
	br_lane_release(o, lane);
}

/* ---- time ---- */

static void set_timer(struct br_outbox *o, struct br_row *row)
{
	int64_t at = row->expires_ms;

	if (row->delay_notice_ms && row->delay_notice_ms < at)
		at = row->delay_notice_ms;
	prim_timer_set(&o->server->wheel, &row->timer, at);
}

static void on_timer(struct prim_timer *t)
{
	struct br_row *row = PRIM_CONTAINER(t, struct br_row, timer);
	struct br_outbox *o = row->lane->outbox;
	struct br_server *s = o->server;

	if (br_server_now(s) < row->expires_ms && !PRIM_SEED(expired_early)) {
		row->delay_notice_ms = 0;
		br_store_message_delayed(s->store, row->seq, NULL, NULL);
		set_timer(o, row);
	} else if (row->transit) { /* not under the adapter's hands */
		br_transit_overdue(row->transit);
	} else {
		br_metric_add(BR_METRIC_MESSAGES_EXPIRED, 1);
		br_ending_start_unheld(s, row->seq,
		    PRIM_SEED(expired_untold) ? PRIM_UNKNOWN_DELIVERY
					      : PRIM_TIMEOUT,
		    PRIM_SLICE("expired"));
		br_row_drop(o, row);
	}
}

/* ---- coming and going ---- */

struct br_row *br_outbox_append(struct br_lane *lane,
    const struct br_store_message *m, struct br_sender *sender)
{
	struct br_outbox *o = lane->outbox;
	struct br_row *row = prim_new(struct br_row);

	row->seq = m->seq;
	row->sender = sender;
	row->size = m->octets;
	row->accepted_ms = m->accepted_ms;
	row->expires_ms = m->expires_ms;
	row->delay_notice_ms = m->delay_notice_ms;
	row->attempts = m->attempts;
	row->deaths = m->deaths;
	row->last_code = m->last_code;
	row->is_notice = m->is_notice;
	row->tried = m->tried.len ? prim_slice_copy(m->tried) : NULL;
	row->prefix = br_dedup_prefix(&m->key);
	br_dedup_note_durable(o->server->dedup, row->prefix);
	prim_timer_init(&row->timer, on_timer);
	set_timer(o, row);
	TAILQ_INSERT_TAIL(&o->rows, row, of_outbox);
	prim_table_put(&o->by_seq, &row->by_seq, (uint64_t)row->seq);
	o->row_count++;
	count_rows(o);
	br_row_enter_lane(row, lane);
	return row;
}

struct br_row *br_outbox_find(const struct br_outbox *o, int64_t seq)
{
	struct prim_table_node *n = prim_table_first(&o->by_seq, (uint64_t)seq);

	return n ? PRIM_CONTAINER(n, struct br_row, by_seq) : NULL;
}

int64_t br_outbox_oldest_ms(const struct br_outbox *o)
{
	const struct br_row *row = TAILQ_FIRST(&o->rows);

	return row ? row->accepted_ms : 0;
}

/* ---- motion ---- */

void br_row_set_transit(struct br_row *row, struct br_transit *t)
{
	struct br_lane *lane = row->lane;

	if (t && !row->transit) {
		lane->dest->in_motion++;
		if (lane->base)
			br_lane_goes_away(lane->base);
	}
	if (!t && row->transit) {
		lane->dest->in_motion--;
		if (lane->base)
			br_lane_came_back(lane->base);
		lane->dest->octets -= row->octets;
		lane->outbox->octets -= row->octets;
		row->octets = 0;
		br_row_untry(row);
	}
	row->transit = t;
	if (t && lane->next == row)
		lane->next = next_waiting(row);
	else if (!t && (!lane->next || row->seq < lane->next->seq))
		lane->next = row;
	if (!lane->next)
		br_lane_unready(lane);
}

void br_row_set_octets(struct br_row *row, size_t octets)
{
	row->octets = octets;
	row->lane->dest->octets += octets;
	row->lane->outbox->octets += octets;
}

void br_row_read_begin(struct br_row *row)
{
	row->lane->dest->reading++;
	row->lane->outbox->reading++;
}

void br_row_read_done(struct br_row *row, size_t octets)
{
	row->lane->dest->reading--;
	row->lane->outbox->reading--;
	br_row_set_octets(row, octets);
}

/* ---- going wrong ---- */

/* What the route says, else what the adapter says; an inbox has the usual one. */
static unsigned pause_s(const struct br_lane *lane, unsigned n)
{
	static const unsigned USUAL[] = { 5, 10, 20, 40, 80, 160, 300 };
	const struct br_server *s = lane->outbox->server;
	const unsigned *list = USUAL;
	unsigned count = PRIM_COUNT(USUAL);
	const struct br_route *route;

	if (lane->dest->host) {
		const struct br_schedule *usual =
		    br_host_schedule(lane->dest->host);

		list = usual->pause_s;
		count = usual->count;
		route = br_router_find(s->router,
		    prim_slice_make(lane->site->domain, lane->site->len));
		if (route && route->from && route->from->retry_count) {
			list = route->from->retry_s;
			count = route->from->retry_count;
		}
	}
	return PRIM_SEED(no_schedule) ? 1 : list[n < count ? n : count - 1];
}

/* A fifth more or less, so that not all come at once. */
static int64_t retry_delay(struct br_outbox *o, const struct br_row *row)
{
	int64_t delay = (int64_t)pause_s(row->lane, row->pauses) * 1000;

	o->random ^= o->random << 13;
	o->random ^= o->random >> 17;
	o->random ^= o->random << 5;
	return delay * (80 + o->random % 41) / 100;
}

static void on_attempt(void *arg, enum br_store_outcome outcome)
{
	(void)arg; /* a row that ended meanwhile is ABSENT, and that is fine */
	(void)outcome;
}

static void note(struct br_outbox *o, const struct br_row *row,
    const struct br_store_attempt *how, br_store_done_fn done, void *arg)
{
	struct br_store_attempt attempt = *how;

	attempt.seq = row->seq;
	attempt.attempts = row->attempts;
	attempt.deaths = row->deaths;
	attempt.last_code = row->last_code;
	br_store_message_attempt(o->server->store, &attempt, done, arg);
}

void br_row_note_attempt(struct br_outbox *o, struct br_row *row,
    br_store_done_fn done, void *arg)
{
	if (row->attempts > 0)
		br_metric_add(BR_METRIC_RETRIES, 1);
	row->attempts++;
	note(o, row,
	    &(struct br_store_attempt){
		.next_try_ms = br_server_now(o->server) },
	    done, arg);
}

/* An inbox counts what went wrong, an adapter what began. */
static void pause(struct br_outbox *o, struct br_row *row,
    const struct br_row_setback *setback)
{
	struct br_lane *lane = row->lane;
	struct br_store_attempt how = { .last_reason = setback->why };

	if (!lane->dest->host)
		row->attempts++;
	how.next_try_ms = br_server_now(o->server) + retry_delay(o, row);
	row->pauses++;
	lane->retry_ms = how.next_try_ms;
	prim_timer_set(&o->server->wheel, &lane->retry, how.next_try_ms);
	br_lane_unready(lane);
	if (!TAILQ_EMPTY(&lane->dest->suspects))
		br_dest_soon(lane->dest); /* it held up others, maybe */
	note(o, row, &how, on_attempt, NULL);
}

void br_row_back(struct br_outbox *o, struct br_row *row,
    const struct br_row_setback *setback)
{
	struct br_lane *lane = row->lane;
	struct br_server *s = o->server;

	br_row_set_transit(row, NULL);
	row->last_code = setback->code;
	if (row->deaths >= BR_DEATHS_MAX) {
		note(o, row,
		    &(struct br_store_attempt){ .last_reason = setback->why },
		    on_attempt, NULL);
		br_row_quarantine(o, row, PRIM_INTERNAL_ERROR,
		    PRIM_SLICE("the adapter died of it"));
		return;
	}
	if (row->is_overdue)
		prim_timer_set(&s->wheel, &row->timer, br_server_now(s));
	if (!setback->now)
		br_row_acquit(row); /* its adapter outlived it */
	if (!setback->now)
		pause(o, row, setback);
	else if (row->deaths > 0 || row->is_suspect)
		note(o, row,
		    &(struct br_store_attempt){ .next_try_ms = br_server_now(s),
			.last_reason = setback->why },
		    on_attempt, NULL);
	br_lane_ready(lane);
}

void br_row_end(struct br_outbox *o, struct br_row *row, unsigned code,
    struct prim_slice reason)
{
	br_ending_start(o->server, row->seq, code, reason);
	br_row_drop(o, row);
}

void br_row_quarantine(struct br_outbox *o, struct br_row *row, unsigned code,
    struct prim_slice reason)
{
	br_ending_quarantine(o->server, row->seq, code, reason);
	br_row_drop(o, row);
}

static void on_moved(void *arg, enum br_store_outcome outcome)
{
	(void)arg; /* not written: it is tried there once more, and refused */
	(void)outcome;
}

void br_row_move(struct br_outbox *o, struct br_row *row, struct br_lane *lane,
    struct prim_slice tried)
{
	struct br_lane *old = row->lane;
	const struct br_store_move move = { .seq = row->seq,
		.destination = prim_slice_of(lane->dest->name),
		.target = prim_slice_of(lane->target ? lane->target : ""),
		.tried = tried };

	br_row_set_transit(row, NULL);
	br_row_recall_end(row);
	br_row_leave_lane(row);
	row->pauses = 0;
	prim_free(row->tried);
	row->tried = tried.len ? prim_slice_copy(tried) : NULL;
	if (row->is_overdue)
		prim_timer_set(&o->server->wheel, &row->timer,
		    br_server_now(o->server));
	br_row_enter_lane(row, lane);
	br_store_message_move(o->server->store, &move, on_moved, NULL);
	br_lane_release(o, old);
}
