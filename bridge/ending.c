/* SPDX-License-Identifier: ISC */
/* Ends of stored messages on their way to the store. */

#include "bridge/ending.h"

#include <string.h>

#include "bridge/destination.h"
#include "bridge/metric.h"
#include "bridge/server.h"
#include "prim/base.h"

#define AGAIN_MS 5000 /* before it is tried again */
#define READ_MAX 6    /* tries to read what the end is told from */
#define LATE_MAX 4096 /* reports that are not written yet */

enum what { END, QUARANTINE, REPORT };

struct br_ending {
	LIST_ENTRY(br_ending) link;
	struct br_server *server; /* borrowed: outlives us */
	struct prim_timer again;
	enum what what;
	int64_t seq;
	struct prim_digest delivery; /* of a report */
	const char *destination;     /* of a report; in `reason` */
	unsigned code;
	unsigned reads; /* tries that are left; 0: it was told */
	size_t reason_len;
	char reason[];
};

static void ending_free(struct br_ending *e)
{
	if (e->what == REPORT)
		e->server->late_reports--;
	LIST_REMOVE(e, link);
	prim_timer_stop(&e->server->wheel, &e->again);
	prim_free(e);
}

/* What ended with its account meanwhile is not in quarantine. */
static void tell_quarantine(const struct br_ending *e)
{
	br_metric_add(BR_METRIC_QUARANTINES, 1);
	br_metric_add(BR_METRIC_OUTBOX_QUARANTINED, 1);
	br_warn(&e->server->log, "message quarantined seq=%lld code=%u why=%s",
	    (long long)e->seq, e->code,
	    br_quote(prim_slice_make(e->reason, e->reason_len)));
}

/* The end that a report is about may not be written yet. */
static bool is_early(const struct br_ending *report)
{
	const struct br_ending *e;

	LIST_FOREACH(e, &report->server->endings, link) {
		if (e->what == END && prim_timer_is_set(&e->again))
			return true;
	}
	return false;
}

static void on_written(void *arg, enum br_store_outcome outcome)
{
	struct br_ending *e = arg;
	struct br_server *s = e->server;

	if (outcome == BR_STORE_FAILED ||
	    (outcome == BR_STORE_ABSENT && e->what == REPORT && is_early(e))) {
		prim_timer_set(&s->wheel, &e->again,
		    br_server_now(s) + AGAIN_MS);
		return;
	}
	if (outcome == BR_STORE_DONE && e->what == QUARANTINE)
		tell_quarantine(e);
	ending_free(e);
}

static void report_write(struct br_ending *e)
{
	const struct br_store_report report = { .delivery = e->delivery,
		.destination = prim_slice_of(e->destination),
		.code = e->code,
		.reason = prim_slice_make(e->reason, e->reason_len) };

	br_store_report(e->server->store, &report, on_written, e);
}

static void ending_write(struct br_ending *e)
{
	struct br_server *s = e->server;
	const struct br_store_end end = { .code = e->code,
		.reason = prim_slice_make(e->reason, e->reason_len),
		.forget_ms = br_server_now(s) + BR_REMEMBER_MS };

	switch (e->what) {
	case END:
		br_store_message_end(s->store, e->seq, &end, on_written, e);
		return;
	case QUARANTINE:
		br_store_message_quarantine(s->store, e->seq, &end, on_written,
		    e);
		return;
	case REPORT:
		report_write(e);
		return;
	}
}

static void on_read(void *arg, const struct br_store_message *m, bool failed);

static void on_again(struct prim_timer *t)
{
	struct br_ending *e = PRIM_CONTAINER(t, struct br_ending, again);

	if (e->reads)
		br_store_message_get(e->server->store, e->seq, on_read, e);
	else
		ending_write(e);
}

/* With room for `more` octets behind its reason. */
static struct br_ending *ending_make(struct br_server *s, unsigned code,
    struct prim_slice reason, size_t more)
{
	struct br_ending *e;

	if (reason.len > BR_REASON_MAX)
		reason.len = BR_REASON_MAX;
	e = prim_alloc(sizeof(*e) + reason.len + 1 + more);
	e->server = s;
	e->code = code;
	e->reason_len = reason.len;
	if (reason.len)
		memcpy(e->reason, reason.ptr, reason.len);
	prim_timer_init(&e->again, on_again);
	LIST_INSERT_HEAD(&s->endings, e, link);
	return e;
}

static struct br_ending *ending_new(struct br_server *s, int64_t seq,
    unsigned code, struct prim_slice reason)
{
	struct br_ending *e = ending_make(s, code, reason, 0);

	e->seq = seq;
	return e;
}

void br_ending_start(struct br_server *s, int64_t seq, unsigned code,
    struct prim_slice reason)
{
	ending_write(ending_new(s, seq, code, reason));
}

void br_ending_tell(struct br_server *s, const struct br_store_message *m,
    unsigned code, struct prim_slice reason)
{
	const struct br_history_line line = { .event = BR_HISTORY_END,
		.delivery = &m->delivery,
		.seq = m->seq,
		.code = code,
		.reason = reason };

	br_info(&s->log,
	    "message end code=%u id=%s from=%s to=%s via=%s delay_ms=%lld "
	    "why=%s",
	    code, br_quote(m->message_id), br_quote(m->sender),
	    br_quote(m->recipient),
	    br_quote(br_destination_via(m->destination)),
	    (long long)(br_server_now(s) - m->accepted_ms), br_quote(reason));
	br_history_put(s->history, br_server_now(s), &line);
}

/* What ended with its account was told of; of what is damaged nothing can be
 * said: of that only the number is left, which a quarantine tells by itself. */
static void on_read(void *arg, const struct br_store_message *m, bool failed)
{
	struct br_ending *e = arg;
	struct br_server *s = e->server;
	struct prim_slice reason = prim_slice_make(e->reason, e->reason_len);

	if (failed && --e->reads > 0) {
		prim_timer_set(&s->wheel, &e->again,
		    br_server_now(s) + AGAIN_MS);
		return;
	}
	e->reads = 0;
	if (m)
		br_ending_tell(s, m, e->code, reason);
	else if (e->what != QUARANTINE)
		br_info(&s->log, "message end code=%u seq=%lld why=%s", e->code,
		    (long long)e->seq, br_quote(reason));
	ending_write(e);
}

void br_ending_start_unheld(struct br_server *s, int64_t seq, unsigned code,
    struct prim_slice reason)
{
	struct br_ending *e = ending_new(s, seq, code, reason);

	e->reads = READ_MAX;
	br_store_message_get(s->store, seq, on_read, e);
}

void br_ending_quarantine(struct br_server *s, int64_t seq, unsigned code,
    struct prim_slice reason)
{
	struct br_ending *e = ending_new(s, seq, code, reason);

	e->what = QUARANTINE;
	e->reads = READ_MAX;
	br_store_message_get(s->store, seq, on_read, e);
}

void br_ending_quarantine_told(struct br_server *s, int64_t seq, unsigned code,
    struct prim_slice reason)
{
	struct br_ending *e = ending_new(s, seq, code, reason);

	e->what = QUARANTINE;
	ending_write(e);
}

void br_ending_report(struct br_server *s, const struct br_store_report *report)
{
	struct prim_slice destination = report->destination;
	struct br_ending *e;
	char *room;

	if (s->late_reports >= LATE_MAX) {
		br_warn(&s->log, "late report dropped via=%s: too many at once",
		    br_quote(br_destination_via(destination)));
		return;
	}
	s->late_reports++;
	e = ending_make(s, report->code, report->reason, destination.len + 1);
	room = e->reason + e->reason_len + 1;
	memcpy(room, destination.ptr, destination.len);
	e->what = REPORT;
	e->delivery = report->delivery;
	e->destination = room;
	ending_write(e);
}

bool br_ending_is_near(const struct br_server *s, int64_t seq)
{
	const struct br_ending *e;

	LIST_FOREACH(e, &s->endings, link) {
		if (e->what != REPORT && e->seq == seq)
			return true;
	}
	return false;
}

void br_ending_free_all(struct br_server *s)
{
	struct br_ending *e;

	while ((e = LIST_FIRST(&s->endings)))
		ending_free(e);
}
