/* SPDX-License-Identifier: ISC */
/* What another system took (101): kept as long as it may still say that it
 * failed after all. */

#include "bridge/stored.h"

#include "prim/base.h"
#include "prim/seed.h"
#include "prim/status.h"

struct sent {
	struct br_store_job job;
	struct br_store_message m; /* its slices are borrowed until done */
	br_store_put_fn done;
	void *arg; /* borrowed */
	struct br_store_put_result result;
};

struct report {
	struct br_store_write write;
	struct br_store_report report;
	char octets[];
};

/* ---- rows ---- */

/* The row of `m`, and nothing that is not in it or in its trace. */
static struct br_store_message part_of(const struct br_store_message *m)
{
	return (struct br_store_message){
		.seq = m->seq,
		.key = m->key,
		.delivery = m->delivery,
		.origin = m->origin,
		.sender = m->sender,
		.recipient = m->recipient,
		.message_id = m->message_id,
		.return_token = m->return_token,
		.notice_from = m->notice_from,
		.accepted_ms = m->accepted_ms,
		.reports = m->reports,
		.is_notice = m->is_notice,
	};
}

/* `m` with its content, or without. For a notice its head is wanted, and of its
 * body the beginning, where an IMDN is asked for. */
static bool row_put(struct br_store_db *db, const struct br_store_message *m)
{
	struct br_store_message part = part_of(m);
	struct br_store_query q = br_store_query(db, BR_SQL_SENT_PUT);

	if (m->notice_from.len)
		part.head = m->head;
	if (m->notice_from.len && m->reports)
		part.body = prim_slice_make(m->body.ptr,
		    m->body.len < BR_SENT_BODY ? m->body.len : BR_SENT_BODY);
	br_store_put_number(&q, m->seq);
	br_store_put_octets(&q, m->delivery.octets, PRIM_DIGEST_LEN);
	br_store_put_text(&q,
	    PRIM_SEED(late_word_of_another) ? PRIM_SLICE("any")
					    : m->destination);
	br_store_put_text(&q, m->origin);
	br_store_put_blob(&q, m->return_token);
	br_store_put_text(&q, m->notice_from);
	br_store_put_number(&q, m->reports);
	br_store_put_number(&q, m->is_notice);
	br_store_put_blob(&q, part.head);
	br_store_put_blob(&q, part.body);
	br_store_put_number(&q, br_store_sum_sent(db, &part));
	return br_store_query_run(&q);
}

/* Nobody is told twice, or of what is not known for sure. */
bool br_store_sent_keep(struct br_store_db *db, struct br_store_job *job,
    struct br_stored *st)
{
	struct br_store_query q;
	bool is_whole, fine;

	(void)job;
	fine = br_stored_read_content(db, st, &q, &is_whole);
	if (!is_whole) {
		st->m.head = PRIM_SLICE_NONE;
		st->m.body = PRIM_SLICE_NONE;
	}
	if (!st->has_envelope || (st->has_state && st->m.is_told))
		st->m.notice_from = PRIM_SLICE_NONE;
	fine = fine && row_put(db, &st->m);
	br_store_query_end(&q);
	return fine;
}

/* ---- taken at once ---- */

static bool sent_write(struct br_store_db *db, struct br_store_job *job)
{
	struct sent *p = (struct sent *)job;
	const struct br_store_end end = { .code = PRIM_UNKNOWN_DELIVERY,
		.reason = PRIM_SLICE("accepted"),
		.forget_ms = db->now_ms + BR_BOUNCE_MS };
	struct br_stored st = { .m = p->m };
	bool is_new = false;

	st.m.seq = db->seq + 1;
	if (!br_store_known_put(db, &st.m, st.m.seq, &is_new))
		return false;
	job->outcome = is_new ? BR_STORE_DONE : BR_STORE_DUPLICATE;
	if (!is_new)
		return br_store_known_read(db, &p->m, &p->result);
	db->seq++;
	p->result.answer = PRIM_UNKNOWN_DELIVERY;
	p->result.content_hash = p->m.content_hash;
	return br_store_trace_put(db, &st, &end) && row_put(db, &st.m);
}

static void sent_finish(struct br_store *s, struct br_store_job *job)
{
	struct sent *p = (struct sent *)job;

	(void)s;
	p->result.outcome = job->outcome;
	p->done(p->arg, &p->result);
}

static const struct br_store_work SENT = {
	.write = { [BR_STORE_QUEUE] = sent_write },
	.finish = sent_finish,
};

void br_store_sent_put(struct br_store *s, const struct br_store_message *m,
    br_store_put_fn done, void *arg)
{
	struct sent *p = prim_new(struct sent);

	p->m = *m;
	p->done = done;
	p->arg = arg;
	p->job.weight = m->head.len;
	br_store_take_write(s, &p->job, &SENT);
}

/* ---- late word ---- */

/* False: damaged. */
static bool row_take(struct br_store_query *q, struct br_store_message *m)
{
	bool has_key;
	int64_t sum;

	m->seq = br_store_take_number(q);
	m->origin = br_store_take_slice(q);
	m->return_token = br_store_take_slice(q);
	m->notice_from = br_store_take_slice(q);
	m->reports = (unsigned)br_store_take_number(q);
	m->is_notice = br_store_take_number(q) != 0;
	m->head = br_store_take_slice(q);
	m->body = br_store_take_slice(q);
	sum = br_store_take_number(q);
	has_key = br_store_take_octets(q, m->key.octets, PRIM_DIGEST_LEN);
	m->sender = br_store_take_slice(q);
	m->recipient = br_store_take_slice(q);
	m->message_id = br_store_take_slice(q);
	m->accepted_ms = br_store_take_number(q);
	return has_key && sum == br_store_sum_sent(q->db, m);
}

static bool report_event(struct br_store_db *db, int64_t seq,
    const struct br_store_report *r)
{
	prim_buf_reset(&db->scratch);
	prim_buf_putf(&db->scratch, "end code=%u reason=", r->code);
	prim_buf_put(&db->scratch, r->reason);
	return br_store_event_put(db, seq, BR_STORED_END,
	    prim_buf_slice(&db->scratch));
}

static bool answer_set(struct br_store_db *db, int64_t seq, unsigned code)
{
	struct br_store_query q;

	if (code != PRIM_OK)
		return true;
	q = br_store_query(db, BR_SQL_TRACE_ANSWER);
	br_store_put_number(&q, seq);
	br_store_put_number(&q, code);
	return br_store_query_run(&q);
}

/* `m` ends once more. */
static bool row_end(struct br_store_db *db, struct br_store_job *job,
    const struct br_store_message *m)
{
	const struct br_store_report *r = &((const struct report *)job)->report;
	const struct br_notice_cause cause = {
		.kind = r->code == PRIM_OK ? BR_NOTICE_DELIVERED
					   : BR_NOTICE_FAILED,
		.code = r->code,
		.reason = r->reason,
		.now_ms = db->now_ms,
	};

	return report_event(db, m->seq, r) && answer_set(db, m->seq, r->code) &&
	    (!br_notice_is_due(m, cause.kind) ||
		br_store_notice_put(db, job, m, &cause, BR_STORED_END));
}

static bool is_final(unsigned code)
{
	return code == PRIM_OK || (code >= 400 && prim_status_is_final(code));
}

static bool report_row(struct br_store_query *q, struct br_store_job *job)
{
	const struct br_store_report *r = &((const struct report *)job)->report;
	struct br_store_message m = { .delivery = r->delivery };
	bool fine = true;

	job->outcome = BR_STORE_DONE;
	if (!is_final(r->code))
		return true;
	if (row_take(q, &m))
		fine = row_end(q->db, job, &m);
	else
		job->remark = "a message that failed late is damaged; its "
			      "sender cannot be told";
	return fine && br_stored_run(q->db, BR_SQL_SENT_DROP, m.seq);
}

static bool report_write(struct br_store_db *db, struct br_store_job *job)
{
	const struct br_store_report *r = &((const struct report *)job)->report;
	struct br_store_query q = br_store_query(db, BR_SQL_SENT_FIND);
	bool fine = true;
	int code;

	br_store_put_octets(&q, r->delivery.octets, PRIM_DIGEST_LEN);
	br_store_put_text(&q,
	    PRIM_SEED(late_word_of_another) ? PRIM_SLICE("any")
					    : r->destination);
	code = br_store_query_step(&q);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return false;
	job->outcome = BR_STORE_ABSENT;
	if (code == SQLITE_ROW)
		fine = report_row(&q, job);
	br_store_query_end(&q);
	return fine;
}

static const struct br_store_work REPORT = {
	.write = { [BR_STORE_QUEUE] = report_write },
	.finish = br_store_write_finish,
};

void br_store_report(struct br_store *s, const struct br_store_report *report,
    br_store_done_fn done, void *arg)
{
	struct prim_slice reason = br_stored_cut(report->reason);
	struct report *r = prim_alloc(sizeof(*r) + report->destination.len +
	    reason.len);
	char *room = r->octets;

	r->write.done = done;
	r->write.arg = arg;
	r->report = *report;
	r->report.reason = reason;
	br_store_keep(&room, &r->report.destination);
	br_store_keep(&room, &r->report.reason);
	br_store_take_write(s, &r->write.job, &REPORT);
}
