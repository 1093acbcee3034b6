/* SPDX-License-Identifier: ISC */
/* Rows of messages: put, read, changed and dropped. */

#include "bridge/stored.h"

#include <string.h>

#include "prim/base.h"
#include "prim/seed.h"

bool br_stored_run(struct br_store_db *db, enum br_store_statement statement,
    int64_t number)
{
	struct br_store_query q = br_store_query(db, statement);

	br_store_put_number(&q, number);
	return br_store_query_run(&q);
}

/* Not in the middle of a character. */
struct prim_slice br_stored_cut(struct prim_slice text)
{
	size_t len = BR_REASON_MAX;

	if (text.len <= len)
		return text;
	while (len > 0 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
		len--;
	return prim_slice_make(text.ptr, len);
}

/* ---- put ---- */

static void put_names(struct br_store_query *q,
    const struct br_store_message *m)
{
	br_store_put_number(q, m->seq);
	br_store_put_octets(q, m->key.octets, PRIM_DIGEST_LEN);
	br_store_put_octets(q, m->lane.octets, PRIM_DIGEST_LEN);
	br_store_put_octets(q, m->delivery.octets, PRIM_DIGEST_LEN);
	br_store_put_number(q, (int64_t)m->content_hash);
	br_store_put_text(q, m->destination);
	br_store_put_text(q, m->target);
	br_store_put_text(q, m->tried);
	br_store_put_text(q, m->origin);
	br_store_put_text(q, m->sender);
	br_store_put_text(q, m->recipient);
	br_store_put_text(q, m->message_id);
	br_store_put_blob(q, m->return_token);
	br_store_put_text(q, m->notice_from);
}

bool br_stored_put_row(struct br_store_db *db, const struct br_stored *st)
{
	const struct br_store_message *m = &st->m;
	struct br_store_query q = br_store_query(db, BR_SQL_MESSAGE_PUT);

	put_names(&q, m);
	br_store_put_number(&q, (int64_t)m->octets);
	br_store_put_number(&q, m->hops);
	br_store_put_number(&q, m->reports);
	br_store_put_number(&q, m->is_notice);
	br_store_put_number(&q, m->accepted_ms);
	br_store_put_number(&q, m->expires_ms);
	br_store_put_number(&q, m->delay_notice_ms);
	br_store_put_number(&q, m->attempts);
	br_store_put_number(&q, m->next_try_ms);
	br_store_put_number(&q, m->deaths);
	br_store_put_number(&q, m->last_code);
	br_store_put_text(&q, br_stored_cut(m->last_reason));
	br_store_put_number(&q, br_store_sum_envelope(db, m));
	br_store_put_number(&q, br_store_sum_state(db, st));
	return br_store_query_run(&q);
}

static bool content_put(struct br_store_db *db,
    const struct br_store_message *m)
{
	struct br_store_query q = br_store_query(db, BR_SQL_CONTENT_PUT);

	br_store_put_number(&q, m->seq);
	br_store_put_number(&q, br_store_sum_content(db, m));
	br_store_put_blob(&q, m->head);
	br_store_put_blob(&q, m->body);
	return br_store_query_run(&q);
}

bool br_stored_put(struct br_store_db *db, const struct br_store_message *m,
    int64_t *out_seq)
{
	struct br_stored st = { .m = *m };
	bool is_new = false;

	st.m.seq = db->seq + 1;
	st.m.octets = m->head.len + m->body.len;
	st.m.is_told = false;
	if (!br_store_known_put(db, m, st.m.seq, &is_new))
		return false;
	*out_seq = is_new ? st.m.seq : 0;
	if (!is_new)
		return true;
	db->seq++;
	return br_stored_put_row(db, &st) && content_put(db, &st.m);
}

/* ---- read ---- */

/* One of another length is damaged, and its sum will say so. */
static struct prim_digest take_digest(struct br_store_query *q)
{
	struct prim_digest digest;

	if (!br_store_take_octets(q, digest.octets, PRIM_DIGEST_LEN))
		memset(&digest, 0, sizeof(digest));
	return digest;
}

static void take_names(struct br_store_query *q, struct br_stored *st)
{
	struct br_store_message *m = &st->m;

	m->seq = br_store_take_number(q);
	m->key = take_digest(q);
	m->lane = take_digest(q);
	m->delivery = take_digest(q);
	m->content_hash = (uint64_t)br_store_take_number(q);
	m->destination = br_store_take_slice(q);
	st->via = br_store_take_slice(q);
	m->target = br_store_take_slice(q);
	m->tried = br_store_take_slice(q);
	m->origin = br_store_take_slice(q);
	m->sender = br_store_take_slice(q);
	m->recipient = br_store_take_slice(q);
	m->message_id = br_store_take_slice(q);
	m->return_token = br_store_take_slice(q);
	m->notice_from = br_store_take_slice(q);
}

void br_stored_take(struct br_store_query *q, struct br_stored *out_st)
{
	struct br_stored *st = out_st;
	struct br_store_message *m = &st->m;

	memset(st, 0, sizeof(*st));
	take_names(q, st);
	m->octets = (size_t)br_store_take_number(q);
	m->hops = (unsigned)br_store_take_number(q);
	m->reports = (unsigned)br_store_take_number(q);
	m->is_notice = br_store_take_number(q) != 0;
	m->accepted_ms = br_store_take_number(q);
	m->expires_ms = br_store_take_number(q);
	m->delay_notice_ms = br_store_take_number(q);
	m->attempts = (unsigned)br_store_take_number(q);
	m->next_try_ms = br_store_take_number(q);
	m->deaths = (unsigned)br_store_take_number(q);
	m->is_told = br_store_take_number(q) != 0;
	st->quarantine_ms = br_store_take_number(q);
	m->is_quarantined = st->quarantine_ms != 0;
	m->last_code = (unsigned)br_store_take_number(q);
	m->last_reason = br_store_take_slice(q);
	st->envelope = br_store_take_number(q);
	st->has_envelope = st->envelope == br_store_sum_envelope(q->db, m);
	st->has_state = br_store_take_number(q) ==
	    br_store_sum_state(q->db, st);
}

bool br_stored_with(struct br_store_db *db, struct br_store_job *job,
    int64_t seq, br_stored_fn fn)
{
	struct br_store_query q = br_store_query(db, BR_SQL_MESSAGE_ROW);
	struct br_stored st;
	bool fine = true;
	int code;

	br_store_put_number(&q, seq);
	code = br_store_query_step(&q);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return false;
	job->outcome = code == SQLITE_ROW ? BR_STORE_DONE : BR_STORE_ABSENT;
	if (code == SQLITE_ROW) {
		br_stored_take(&q, &st);
		fine = fn(db, job, &st);
	}
	br_store_query_end(&q);
	return fine;
}

bool br_stored_take_content(struct br_store_query *q,
    struct br_store_message *m)
{
	const int64_t sum = br_store_take_number(q);

	m->head = br_store_take_slice(q);
	m->body = br_store_take_slice(q);
	return sum == br_store_sum_content(q->db, m) ||
	    PRIM_SEED(damage_unseen);
}

bool br_stored_read_content(struct br_store_db *db, struct br_stored *st,
    struct br_store_query *q, bool *out_whole)
{
	int code;

	*q = br_store_query(db, BR_SQL_CONTENT_GET);
	br_store_put_number(q, st->m.seq);
	code = br_store_query_step(q);
	*out_whole = code == SQLITE_ROW && br_stored_take_content(q, &st->m);
	return code == SQLITE_ROW || code == SQLITE_DONE ||
	    (code & 0xff) == SQLITE_CORRUPT;
}

/* ---- change, drop ---- */

bool br_stored_change(struct br_store_db *db, struct br_stored *st)
{
	const struct br_store_message *m = &st->m;
	struct br_store_query q = br_store_query(db, BR_SQL_MESSAGE_CHANGE);

	if (st->has_envelope)
		st->envelope = br_store_sum_envelope(db, m);
	br_store_put_number(&q, m->seq);
	br_store_put_text(&q, m->destination);
	br_store_put_text(&q, st->via);
	br_store_put_text(&q, m->target);
	br_store_put_text(&q, m->tried);
	br_store_put_number(&q, m->expires_ms);
	br_store_put_number(&q, m->delay_notice_ms);
	br_store_put_number(&q, m->next_try_ms);
	br_store_put_number(&q, m->deaths);
	br_store_put_number(&q, m->is_told);
	br_store_put_number(&q, st->quarantine_ms);
	br_store_put_number(&q, m->last_code);
	br_store_put_text(&q, br_stored_cut(m->last_reason));
	br_store_put_number(&q, st->envelope);
	br_store_put_number(&q, br_store_sum_state(db, st));
	return br_store_query_run(&q);
}

bool br_stored_drop(struct br_store_db *db, int64_t seq)
{
	return br_stored_run(db, BR_SQL_MESSAGE_DROP, seq) &&
	    br_stored_run(db, BR_SQL_CONTENT_DROP, seq);
}

/* ---- on the way to the loop ---- */

static size_t message_size(const struct br_store_message *m)
{
	return m->destination.len + m->target.len + m->tried.len +
	    m->origin.len + m->sender.len + m->recipient.len +
	    m->message_id.len + m->return_token.len + m->notice_from.len +
	    m->last_reason.len + m->head.len + m->body.len;
}

struct br_stored_row *br_stored_row_add(struct br_store_job *job,
    const struct br_store_message *m)
{
	struct br_stored_row *row = prim_alloc(sizeof(*row) + message_size(m));
	char *room = row->octets;

	row->is_end = false;
	row->m = *m;
	br_store_keep(&room, &row->m.destination);
	br_store_keep(&room, &row->m.target);
	br_store_keep(&room, &row->m.tried);
	br_store_keep(&room, &row->m.origin);
	br_store_keep(&room, &row->m.sender);
	br_store_keep(&room, &row->m.recipient);
	br_store_keep(&room, &row->m.message_id);
	br_store_keep(&room, &row->m.return_token);
	br_store_keep(&room, &row->m.notice_from);
	br_store_keep(&room, &row->m.last_reason);
	br_store_keep(&room, &row->m.head);
	br_store_keep(&room, &row->m.body);
	STAILQ_INSERT_TAIL(&job->rows, &row->row, link);
	return row;
}
