/* SPDX-License-Identifier: ISC */
/* What the operator does to single messages. */

#include <stdio.h>

#include "bridge/ending.h"
#include "bridge/metric.h"
#include "bridge/outbox_private.h"
#include "bridge/server.h"
#include "prim/base.h"

struct order {
	struct br_outbox *outbox; /* borrowed: outlives us */
	int64_t seq;
	enum br_outbox_verb verb;
	br_outbox_done_fn done;
	void *arg;          /* borrowed */
	const char *reason; /* static */
	bool had_row;       /* it was in circulation */
	bool was_quarantined;
};

static void order_end(struct order *order, const char *why)
{
	order->done(order->arg, why);
	prim_free(order);
}

static void order_absent(struct order *order)
{
	char why[128];

	(void)snprintf(why, sizeof(why),
	    "there is no message %lld in the outbox; 'primctl outbox list' "
	    "shows what is there",
	    (long long)order->seq);
	order_end(order, why);
}

static void order_settle(struct order *order, enum br_store_outcome outcome)
{
	if (outcome == BR_STORE_DONE)
		order_end(order, NULL);
	else if (outcome == BR_STORE_ABSENT)
		order_absent(order);
	else
		order_end(order,
		    "nothing was changed: the database could not be written; "
		    "look at free disk space and the log of primd");
}

/* ---- back into circulation ---- */

static void on_read(void *arg, const struct br_store_message *m, bool failed)
{
	struct order *order = arg;

	(void)failed;
	if (m && !br_outbox_find(order->outbox, m->seq))
		br_outbox_take(order->outbox, m);
	order_end(order, NULL); /* it is released: primd sees it at its next
	                           start at the latest */
}

static void on_released(void *arg, enum br_store_outcome outcome)
{
	struct order *order = arg;

	if (outcome == BR_STORE_DONE)
		br_metric_add(BR_METRIC_OUTBOX_QUARANTINED, -1);
	if (outcome == BR_STORE_DONE)
		br_store_message_get(order->outbox->server->store, order->seq,
		    on_read, order);
	else
		order_settle(order, outcome);
}

static void release(struct order *order)
{
	const struct br_server *s = order->outbox->server;

	br_store_message_release(s->store, order->seq,
	    br_server_now(s) + (int64_t)s->config->give_up_after_ms,
	    on_released, order);
}

/* Why it cannot be tried now, or NULL. */
static const char *hindrance(const struct br_outbox *o,
    const struct br_row *row)
{
	const struct br_dest *dest = row->lane->dest;
	const struct br_entity *e;

	if (row->transit)
		return "it is under way already, and its fate is not known yet";
	if (dest->host)
		return br_host_is_up(dest->host)
		    ? NULL
		    : "its adapter is not up ('primctl status' shows it); it "
		      "is tried as soon as that is";
	e = br_entity_find(o->server->entities, prim_slice_of(dest->key));
	return e && prim_inbox_is_open(&e->inbox)
	    ? NULL
	    : "nobody listens to its inbox; it is delivered as soon as "
	      "somebody does";
}

static void retry(struct order *order, struct br_row *row)
{
	struct br_lane *lane = row->lane;
	const char *why = hindrance(order->outbox, row);

	if (!why) {
		row->pauses = 0;
		prim_timer_stop(&order->outbox->server->wheel, &lane->retry);
		br_lane_ready(lane);
		br_dest_kick(order->outbox, lane->dest);
	}
	order_end(order, why);
}

/* ---- out of it ---- */

/* Nobody has it in memory any more: like other ends it is written as soon as it
 * can be. */
static void end_later(struct order *order)
{
	struct br_server *s = order->outbox->server;
	const struct prim_slice reason = prim_slice_of(order->reason);

	if (order->verb == BR_OUTBOX_DROP)
		br_ending_start(s, order->seq, PRIM_INTERNAL_ERROR, reason);
	else
		br_ending_quarantine_told(s, order->seq, PRIM_INTERNAL_ERROR,
		    reason);
	order_end(order,
	    "nobody gets it any more, but the database could not be written: "
	    "that is tried again, and unless it succeeds the message is back "
	    "when primd starts the next time; look at free disk space and the "
	    "log of primd");
}

static void on_ended(void *arg, enum br_store_outcome outcome)
{
	struct order *order = arg;
	const bool is_done = outcome == BR_STORE_DONE;

	if (outcome == BR_STORE_FAILED && order->had_row) {
		end_later(order);
		return;
	}
	if (is_done && order->was_quarantined)
		br_metric_add(BR_METRIC_OUTBOX_QUARANTINED, -1);
	if (is_done && order->verb == BR_OUTBOX_QUARANTINE) {
		br_metric_add(BR_METRIC_QUARANTINES, 1);
		br_metric_add(BR_METRIC_OUTBOX_QUARANTINED, 1);
	}
	order_settle(arg, outcome);
}

static void end_it(struct order *order)
{
	struct br_server *s = order->outbox->server;
	const struct br_store_end end = { .code = PRIM_INTERNAL_ERROR,
		.reason = prim_slice_of(order->reason),
		.forget_ms = br_server_now(s) + BR_REMEMBER_MS };

	if (order->verb == BR_OUTBOX_DROP)
		br_store_message_end(s->store, order->seq, &end, on_ended,
		    order);
	else
		br_store_message_quarantine(s->store, order->seq, &end,
		    on_ended, order);
}

/* The line of its end comes from what is stored. */
static void on_known(void *arg, const struct br_store_message *m, bool failed)
{
	struct order *order = arg;

	if (failed && !order->had_row) {
		order_settle(order, BR_STORE_FAILED);
		return;
	}
	if (m && !m->is_quarantined)
		br_ending_tell(order->outbox->server, m, PRIM_INTERNAL_ERROR,
		    prim_slice_of(order->reason));
	order->was_quarantined = m && m->is_quarantined;
	end_it(order);
}

static void take_out(struct order *order, struct br_row *row)
{
	order->reason = "dropped by the operator";
	if (order->verb == BR_OUTBOX_QUARANTINE)
		order->reason = "quarantined by the operator";
	order->had_row = row != NULL;
	if (row)
		br_row_drop(order->outbox, row);
	br_store_message_get(order->outbox->server->store, order->seq, on_known,
	    order);
}

/* What somebody has in his hands is not taken from him. */
static void order_row(struct order *order, struct br_row *row)
{
	if (order->verb == BR_OUTBOX_RETRY)
		retry(order, row);
	else if (row->transit)
		order_end(order,
		    "it is just being handed over; try again in a minute, when "
		    "its fate is known");
	else
		take_out(order, row);
}

void br_outbox_order(struct br_outbox *o, int64_t seq, enum br_outbox_verb verb,
    br_outbox_done_fn done, void *arg)
{
	struct order *order = prim_new(struct order);
	struct br_row *row = br_outbox_find(o, seq);

	*order = (struct order){ .outbox = o,
		.seq = seq,
		.verb = verb,
		.done = done,
		.arg = arg };
	if (row)
		order_row(order, row);
	else if (br_ending_is_near(o->server, seq))
		order_absent(order);
	else if (verb == BR_OUTBOX_RETRY)
		release(order);
	else if (verb == BR_OUTBOX_DROP)
		take_out(order, NULL);
	else
		order_absent(order);
}
