/* SPDX-License-Identifier: ISC */
/* Who is told, in the transaction of what he is told of. */

#include "bridge/stored.h"

#include "prim/base.h"
#include "prim/seed.h"

static const char UNTOLD[] =
    "a stored message is damaged; its sender cannot be "
    "told that it will not be delivered";

/* For a message whose own is damaged: what a notice needs to be addressed. */
static struct prim_slice make_head(struct prim_buf *b,
    const struct br_store_message *m)
{
	prim_buf_reset(b);
	prim_buf_puts(b, "From: im:");
	prim_buf_put(b, m->sender);
	prim_buf_puts(b, "\r\nTo: im:");
	prim_buf_put(b, m->recipient);
	prim_buf_puts(b, "\r\n");
	return prim_buf_slice(b);
}

static bool make(struct br_store_db *db, const struct br_store_message *m,
    const struct br_notice_cause *cause, struct br_store_message *out_notice)
{
	struct br_store_message bare = *m;

	if (m->head.len &&
	    br_notice_make(&db->keys->message, m, cause, &db->room, out_notice))
		return true;
	bare.head = make_head(&db->scratch, m);
	bare.body = PRIM_SLICE_NONE;
	return br_notice_make(&db->keys->message, &bare, cause, &db->room,
	    out_notice);
}

/* To the loop, which wants no content. */
static void announce(struct br_store_job *job,
    const struct br_store_message *notice)
{
	struct br_store_message m = *notice;

	m.octets = m.head.len + m.body.len;
	m.head = PRIM_SLICE_NONE;
	m.body = PRIM_SLICE_NONE;
	(void)br_stored_row_add(job, &m);
}

static bool line(struct br_store_db *db, const struct br_store_message *m,
    const struct br_store_message *notice, enum br_notice_kind kind,
    int64_t from)
{
	prim_buf_reset(&db->scratch);
	prim_buf_puts(&db->scratch, "notice kind=");
	prim_buf_puts(&db->scratch, br_notice_kind_name(kind));
	prim_buf_puts(&db->scratch, " id=");
	prim_buf_put(&db->scratch, notice->message_id);
	return br_store_event_put(db, m->seq, from,
	    prim_buf_slice(&db->scratch));
}

/* The same notice made again has a key that is known, and nobody is told. */
bool br_store_notice_put(struct br_store_db *db, struct br_store_job *job,
    const struct br_store_message *m, const struct br_notice_cause *cause,
    int64_t from)
{
	struct br_store_message notice;
	int64_t seq = 0;

	if (!make(db, m, cause, &notice)) {
		job->remark = UNTOLD;
		return true;
	}
	if (PRIM_SEED(end_before_notice) &&
	    !(br_stored_drop(db, m->seq) && br_store_db_commit(db) &&
		br_store_db_begin(db)))
		return false;
	if (!br_stored_put(db, &notice, &seq))
		return false;
	if (!seq)
		return true;
	notice.seq = seq;
	announce(job, &notice);
	return line(db, m, &notice, cause->kind, from);
}

/* Whoever is not sure that he was told is told. */
static bool is_due(const struct br_stored *st, enum br_notice_kind kind)
{
	struct br_store_message m = st->m;

	m.is_told = st->has_state && m.is_told;
	return br_notice_is_due(&m, kind);
}

bool br_store_notice_row(struct br_store_db *db, struct br_store_job *job,
    struct br_stored *st, const struct br_notice_cause *cause, bool *out_told)
{
	struct br_store_query q;
	bool is_whole = false, fine;

	*out_told = st->has_envelope && is_due(st, cause->kind);
	if (!st->has_envelope)
		job->remark = UNTOLD;
	if (!*out_told)
		return true;
	fine = br_stored_read_content(db, st, &q, &is_whole);
	if (!is_whole) {
		st->m.head = PRIM_SLICE_NONE;
		st->m.body = PRIM_SLICE_NONE;
	}
	fine = fine &&
	    br_store_notice_put(db, job, &st->m, cause, st->lines_from);
	br_store_query_end(&q);
	return fine;
}
