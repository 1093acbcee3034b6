/* SPDX-License-Identifier: ISC */
/* Rows: one stored message each. */

#include "bridge/outbox_private.h"

#include "bridge/ending.h"
#include "bridge/metric.h"
#include "bridge/server.h"
#include "prim/base.h"

/* reliability 4.7: 5 s, doubling, at most 5 min, a fifth more or less. */
#define RETRY_FIRST_MS 5000
#define RETRY_MAX_MS   300000

/* The first row that is not in motion, from `from` on. */
static struct br_row *next_waiting(struct br_row *from)
{
	while (from && from->transit)
		from = TAILQ_NEXT(from, link);
	return from;
}

void br_row_drop(struct br_outbox *o, struct br_row *row)
{
	struct br_lane *lane = row->lane;
	struct br_server *s = o->server;

	br_dedup_note_durable(s->dedup, row->prefix); /* from its end on */
	prim_timer_stop(&s->wheel, &row->expiry);
	br_row_set_transit(row, NULL);
	if (lane->next == row)
		lane->next = next_waiting(TAILQ_NEXT(row, link));
	TAILQ_REMOVE(&lane->rows, row, link);
	if (!lane->next)
		br_lane_unready(lane);
	lane->dest->row_count--;
	o->row_count--;
	br_metric_set(BR_METRIC_OUTBOX_ROWS, (int64_t)o->row_count);
	prim_free(row);
	br_lane_release(o, lane);
}

static void on_expiry(struct prim_timer *t)
{
	struct br_row *row = PRIM_CONTAINER(t, struct br_row, expiry);
	struct br_outbox *o = row->lane->outbox;
	struct br_server *s = o->server;

	if (row->transit) { /* not under the adapter's hands */
		row->is_overdue = true;
		return;
	}
	br_metric_add(BR_METRIC_MESSAGES_EXPIRED, 1);
	br_ending_start_unheld(s, row->seq, PRIM_TIMEOUT, "expired");
	br_row_drop(o, row);
}

struct br_row *br_outbox_append(struct br_lane *lane, int64_t seq,
    int64_t expires_ms, uint64_t prefix)
{
	struct br_outbox *o = lane->outbox;
	struct br_row *row = prim_new(struct br_row);

	row->lane = lane;
	row->seq = seq;
	row->prefix = prefix;
	br_dedup_note_durable(o->server->dedup, prefix);
	prim_timer_init(&row->expiry, on_expiry);
	prim_timer_set(&o->server->wheel, &row->expiry, expires_ms);
	TAILQ_INSERT_TAIL(&lane->rows, row, link);
	if (!lane->next)
		lane->next = row;
	lane->dest->row_count++;
	o->row_count++;
	br_metric_set(BR_METRIC_OUTBOX_ROWS, (int64_t)o->row_count);
	br_lane_ready(lane);
	return row;
}

void br_row_set_transit(struct br_row *row, struct br_transit *t)
{
	struct br_lane *lane = row->lane;

	if (t && !row->transit)
		lane->dest->in_motion++;
	if (!t && row->transit) {
		lane->dest->in_motion--;
		lane->dest->octets -= row->octets;
		lane->outbox->octets -= row->octets;
		row->octets = 0;
		br_outbox_feed(lane->outbox);
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
	br_outbox_feed(row->lane->outbox);
}

static int64_t retry_delay(struct br_outbox *o, unsigned attempts)
{
	int64_t delay = RETRY_FIRST_MS;

	for (unsigned i = 1; i < attempts && delay < RETRY_MAX_MS; i++)
		delay *= 2;
	if (delay > RETRY_MAX_MS)
		delay = RETRY_MAX_MS;
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

void br_row_back(struct br_outbox *o, struct br_row *row, bool now)
{
	struct br_lane *lane = row->lane;
	struct br_server *s = o->server;
	struct br_store_attempt attempt;

	br_row_set_transit(row, NULL);
	if (row->is_overdue)
		prim_timer_set(&s->wheel, &row->expiry, br_server_now(s));
	if (!now) {
		row->attempts++;
		attempt = (struct br_store_attempt){ .seq = row->seq,
			.attempts = row->attempts,
			.next_try_ms = br_server_now(s) +
			    retry_delay(o, row->attempts) };
		prim_timer_set(&s->wheel, &lane->retry, attempt.next_try_ms);
		br_lane_unready(lane);
		br_store_message_attempt(s->store, &attempt, on_attempt, NULL);
	}
	br_lane_ready(lane);
}

void br_row_end(struct br_outbox *o, struct br_row *row, unsigned code,
    const char *reason)
{
	br_ending_start(o->server, row->seq, code, reason);
	br_row_drop(o, row);
}
