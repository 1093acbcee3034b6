/* SPDX-License-Identifier: ISC */
/* How a stored message leaves circulation: its end, its quarantine, and the way
 * back from there. */

#include "bridge/stored.h"

#include "prim/base.h"
#include "prim/status.h"

/* An end, or a quarantine. */
struct end {
	struct br_store_write write;
	int64_t seq;
	struct br_store_end end;
	char octets[];
};

struct release {
	struct br_store_write write;
	int64_t seq;
	int64_t expires_ms;
};

/* ---- ends ---- */

static struct br_notice_cause cause_of(const struct br_store_db *db,
    const struct br_store_end *end)
{
	return (struct br_notice_cause){
		.kind = end->code == PRIM_OK ? BR_NOTICE_DELIVERED
					     : BR_NOTICE_FAILED,
		.code = end->code,
		.reason = end->reason,
		.now_ms = db->now_ms,
	};
}

bool br_store_end_one(struct br_store_db *db, struct br_store_job *job,
    struct br_stored *st, const struct br_store_end *end)
{
	const struct br_notice_cause cause = cause_of(db, end);
	struct br_store_end kept = *end;
	bool fine, is_told;

	st->lines_from = BR_STORED_END;
	if (end->code == PRIM_UNKNOWN_DELIVERY) {
		if (kept.forget_ms < cause.now_ms + BR_BOUNCE_MS)
			kept.forget_ms = cause.now_ms + BR_BOUNCE_MS;
		fine = br_store_sent_keep(db, job, st);
	} else {
		fine = br_store_notice_row(db, job, st, &cause, &is_told);
	}
	return fine && br_store_trace_put(db, st, &kept) &&
	    br_stored_drop(db, st->m.seq);
}

static bool end_row(struct br_store_db *db, struct br_store_job *job,
    struct br_stored *st)
{
	return br_store_end_one(db, job, st, &((const struct end *)job)->end);
}

static bool end_write(struct br_store_db *db, struct br_store_job *job)
{
	return br_stored_with(db, job, ((const struct end *)job)->seq, end_row);
}

static const struct br_store_work END = {
	.write = { [BR_STORE_QUEUE] = end_write },
	.finish = br_store_write_finish,
};

static struct end *end_new(int64_t seq, const struct br_store_end *end,
    br_store_done_fn done, void *arg)
{
	struct prim_slice reason = br_stored_cut(end->reason);
	struct end *e = prim_alloc(sizeof(*e) + reason.len);
	char *room = e->octets;

	e->write.done = done;
	e->write.arg = arg;
	e->seq = seq;
	e->end = *end;
	e->end.reason = reason;
	br_store_keep(&room, &e->end.reason);
	return e;
}

void br_store_message_end(struct br_store *s, int64_t seq,
    const struct br_store_end *end, br_store_done_fn done, void *arg)
{
	struct end *e = end_new(seq, end, done, arg);

	br_store_take_write(s, &e->write.job, &END);
}

/* ---- quarantine ---- */

static bool quarantine_event(struct br_store_db *db, int64_t seq,
    const struct br_store_end *end)
{
	prim_buf_reset(&db->scratch);
	prim_buf_putf(&db->scratch, "quarantined code=%u reason=", end->code);
	prim_buf_put(&db->scratch, end->reason);
	return br_store_event_put(db, seq, 0, prim_buf_slice(&db->scratch));
}

/* Where a damaged state says that it goes is forgotten; the rest of it is made
 * anew, so that this happens once. */
static bool quarantine_row(struct br_store_db *db, struct br_store_job *job,
    struct br_stored *st)
{
	const struct br_store_end *end = &((const struct end *)job)->end;
	const struct br_notice_cause cause = { .kind = BR_NOTICE_FAILED,
		.code = end->code,
		.reason = end->reason,
		.now_ms = db->now_ms };
	struct br_store_message *m = &st->m;
	bool is_told;

	if (st->has_state && m->is_quarantined)
		return true;
	if (!quarantine_event(db, m->seq, end) ||
	    !br_store_notice_row(db, job, st, &cause, &is_told))
		return false;
	if (!st->has_state) {
		st->via = PRIM_SLICE_NONE;
		m->target = PRIM_SLICE_NONE;
		m->tried = PRIM_SLICE_NONE;
	}
	m->is_told = is_told || (st->has_state && m->is_told);
	m->delay_notice_ms = 0;
	m->last_code = end->code;
	m->last_reason = end->reason;
	st->quarantine_ms = cause.now_ms + BR_QUARANTINE_MS;
	return br_stored_change(db, st);
}

static bool quarantine_write(struct br_store_db *db, struct br_store_job *job)
{
	return br_stored_with(db, job, ((const struct end *)job)->seq,
	    quarantine_row);
}

static const struct br_store_work QUARANTINE = {
	.write = { [BR_STORE_QUEUE] = quarantine_write },
	.finish = br_store_write_finish,
};

void br_store_message_quarantine(struct br_store *s, int64_t seq,
    const struct br_store_end *end, br_store_done_fn done, void *arg)
{
	struct end *e = end_new(seq, end, done, arg);

	br_store_take_write(s, &e->write.job, &QUARANTINE);
}

/* ---- release ---- */

/* False: failed. A damaged one would only come back. */
static bool may_go(struct br_store_db *db, struct br_stored *st, bool *out_may)
{
	struct br_store_query q;
	bool is_whole, fine;

	fine = br_stored_read_content(db, st, &q, &is_whole);
	br_store_query_end(&q);
	*out_may = is_whole && st->has_envelope && st->has_state &&
	    st->m.is_quarantined;
	return fine;
}

static bool release_row(struct br_store_db *db, struct br_store_job *job,
    struct br_stored *st)
{
	struct br_store_message *m = &st->m;
	bool may;

	if (!may_go(db, st, &may))
		return false;
	if (!may) {
		job->outcome = BR_STORE_ABSENT;
		return true;
	}
	st->quarantine_ms = 0;
	m->expires_ms = ((const struct release *)job)->expires_ms;
	m->next_try_ms = 0;
	m->deaths = 0;
	m->is_told = true;
	return br_stored_change(db, st) &&
	    br_store_event_put(db, m->seq, 0, PRIM_SLICE("released"));
}

static bool release_write(struct br_store_db *db, struct br_store_job *job)
{
	return br_stored_with(db, job, ((const struct release *)job)->seq,
	    release_row);
}

static const struct br_store_work RELEASE = {
	.write = { [BR_STORE_QUEUE] = release_write },
	.finish = br_store_write_finish,
};

void br_store_message_release(struct br_store *s, int64_t seq,
    int64_t expires_ms, br_store_done_fn done, void *arg)
{
	struct release *r = prim_new(struct release);

	r->write.done = done;
	r->write.arg = arg;
	r->seq = seq;
	r->expires_ms = expires_ms;
	br_store_take_write(s, &r->write.job, &RELEASE);
}
