/* SPDX-License-Identifier: ISC */
/* What follows when a notice was stored: it is told, and handed over. */

#include "bridge/server_private.h"

#include "bridge/destination.h"
#include "bridge/ending.h"
#include "bridge/metric.h"
#include "bridge/notice.h"
#include "bridge/outbox.h"
#include "prim/base.h"

#define AGAIN_MS 5000 /* before what could not be read is read again */

/* A notice for an inbox of which nothing is known yet. */
struct br_told {
	LIST_ENTRY(br_told) link;
	struct br_server *server; /* borrowed: outlives us */
	struct prim_timer again;
	int64_t seq;
	int64_t about_accepted_ms;
};

static void count_notice(struct br_server *s, const struct br_store_message *m)
{
	static const enum br_metric METRICS[] = {
		[BR_NOTICE_FAILED] = BR_METRIC_NOTICES_FAILED,
		[BR_NOTICE_DELAYED] = BR_METRIC_NOTICES_DELAYED,
		[BR_NOTICE_DELIVERED] = BR_METRIC_NOTICES_DELIVERED,
	};
	const enum br_notice_kind kind = m->notice_kind;
	const struct br_history_line line = { .event = BR_HISTORY_NOTICE,
		.delivery = &m->delivery,
		.about = &m->about,
		.id = m->message_id,
		.from = m->sender,
		.to = m->recipient,
		.seq = m->seq,
		.kind = prim_slice_of(br_notice_kind_name(kind)) };

	br_metric_add(METRICS[kind], 1);
	br_history_put(s->history, br_server_now(s), &line);
	br_info(&s->log, "notice kind=%s id=%s to=%s",
	    br_notice_kind_name(kind), br_quote(m->message_id),
	    br_quote(m->recipient));
}

/* ---- for an inbox ---- */

static void told_free(struct br_told *told)
{
	LIST_REMOVE(told, link);
	prim_timer_stop(&told->server->wheel, &told->again);
	prim_free(told);
}

static void on_read(void *arg, const struct br_store_message *m, bool failed)
{
	struct br_told *told = arg;
	struct br_server *s = told->server;

	if (failed) {
		prim_timer_set(&s->wheel, &told->again,
		    br_server_now(s) + AGAIN_MS);
		return;
	}
	if (m && !br_outbox_find(s->outbox, m->seq))
		br_outbox_take(s->outbox, m);
	told_free(told);
}

static void on_again(struct prim_timer *t)
{
	struct br_told *told = PRIM_CONTAINER(t, struct br_told, again);

	br_store_message_get(told->server->store, told->seq, on_read, told);
}

/* Whoever got the name of an account that was removed does not hear to whom the
 * former one wrote. NULL: there is none. An account of the future says that a
 * clock was wrong, and no more. */
static bool may_hear(const struct br_server *s, const struct br_entity *e,
    int64_t about_accepted_ms)
{
	return e &&
	    (e->created_ms <= about_accepted_ms ||
		e->created_ms > br_server_now(s));
}

static void drop(struct br_server *s, int64_t seq)
{
	br_ending_start_unheld(s, seq, PRIM_NOT_FOUND,
	    PRIM_SLICE("account removed"));
}

static void on_reader(void *arg, enum br_entity_outcome known,
    struct br_entity *e)
{
	struct br_told *told = arg;
	struct br_server *s = told->server;

	if (known == BR_ENTITY_UNKNOWN ||
	    may_hear(s, e, told->about_accepted_ms)) {
		br_store_message_get(s->store, told->seq, on_read, told);
	} else {
		drop(s, told->seq);
		told_free(told);
	}
	if (e)
		br_entity_unpin(s->entities, e);
}

static void take_later(struct br_server *s, const struct br_store_message *m)
{
	struct br_told *told = prim_new(struct br_told);

	told->server = s;
	told->seq = m->seq;
	told->about_accepted_ms = m->about_accepted_ms;
	prim_timer_init(&told->again, on_again);
	LIST_INSERT_HEAD(&s->told, told, link);
	br_entity_with(s->entities, m->recipient, on_reader, told);
}

static void take(struct br_server *s, const struct br_store_message *m)
{
	const struct br_entity *e = br_entity_find(s->entities, m->recipient);

	if (!br_destination_is_inbox(m->destination))
		br_outbox_take(s->outbox, m);
	else if (!e)
		take_later(s, m);
	else if (may_hear(s, e, m->about_accepted_ms))
		br_outbox_take(s->outbox, m);
	else
		drop(s, m->seq);
}

void br_server_notice(void *arg, const struct br_store_message *m, bool failed)
{
	struct br_server *s = arg;

	(void)failed;
	br_server_wake(s);
	count_notice(s, m);
	take(s, m);
}

void br_server_notices_free(struct br_server *s)
{
	struct br_told *told;

	while ((told = LIST_FIRST(&s->told)))
		told_free(told);
}
