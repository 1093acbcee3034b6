/* SPDX-License-Identifier: ISC */
/* What is past its time is forgotten, in steps. */

#include "bridge/stored.h"

#include "prim/base.h"
#include "prim/status.h"

#define TRACES 128 /* forgotten in one transaction */
#define ROWS   32  /* quarantined messages that end in one */

struct expire {
	struct br_store_job job;
	int64_t now_ms;
};

/* Runs `q`, whose rows begin with a seq. How many; -1: failed. */
static int seqs_find(struct br_store_query *q, int64_t *out_seqs)
{
	int count = 0, code;

	while ((code = br_store_query_step(q)) == SQLITE_ROW)
		out_seqs[count++] = br_store_take_number(q);
	if (code != SQLITE_DONE)
		return -1;
	br_store_query_end(q);
	return count;
}

/* ---- traces ---- */

/* The first that is past its time goes, with all that is known of it. */
static bool trace_forget(struct br_store_db *db, struct br_store_query *q)
{
	const int64_t seq = br_store_take_number(q);
	const struct prim_slice message_id = br_store_take_slice(q);
	struct prim_digest key;

	if (br_store_take_octets(q, key.octets, PRIM_DIGEST_LEN) &&
	    !br_store_known_drop(db, message_id, &key))
		return false;
	return br_stored_run(db, BR_SQL_EVENT_DROP, seq) &&
	    br_stored_run(db, BR_SQL_SENT_DROP, seq) &&
	    br_stored_run(db, BR_SQL_TRACE_DROP, seq);
}

/* How many; -1: failed. */
static int traces_forget(struct br_store_db *db, int64_t now_ms)
{
	struct br_store_query q = br_store_query(db, BR_SQL_TRACE_PAST);
	int count = 0, code;
	bool fine = true;

	br_store_put_number(&q, now_ms);
	br_store_put_number(&q, TRACES);
	while (fine && (code = br_store_query_step(&q)) == SQLITE_ROW) {
		fine = trace_forget(db, &q);
		count++;
	}
	br_store_query_end(&q);
	return fine && code == SQLITE_DONE ? count : -1;
}

/* So that no seq is given twice when all traces are gone. */
static bool seq_keep(struct br_store_db *db)
{
	struct br_store_query q = br_store_query(db, BR_SQL_META_PUT);

	prim_buf_reset(&db->scratch);
	prim_buf_put_number(&db->scratch, (uint64_t)db->seq);
	br_store_put_text(&q, PRIM_SLICE("seq"));
	br_store_put_blob(&q, prim_buf_slice(&db->scratch));
	return br_store_query_run(&q);
}

/* ---- what was quarantined ---- */

static bool row_end(struct br_store_db *db, struct br_store_job *job,
    struct br_stored *st)
{
	const struct br_store_end end = { .code = PRIM_INTERNAL_ERROR,
		.reason = PRIM_SLICE("quarantine over"),
		.forget_ms = ((const struct expire *)job)->now_ms +
		    BR_STORE_FORGET };

	return br_store_end_one(db, job, st, &end);
}

static int rows_end(struct br_store_db *db, struct br_store_job *job,
    int64_t now_ms)
{
	struct br_store_query q = br_store_query(db, BR_SQL_MESSAGE_PAST);
	int64_t seqs[ROWS];
	int count;

	br_store_put_number(&q, now_ms);
	br_store_put_number(&q, ROWS);
	count = seqs_find(&q, seqs);
	for (int i = 0; i < count; i++)
		if (!br_stored_with(db, job, seqs[i], row_end))
			return -1;
	return count;
}

/* ---- the job ---- */

static bool expire_write(struct br_store_db *db, struct br_store_job *job)
{
	const struct expire *e = (const struct expire *)job;
	int traces = traces_forget(db, e->now_ms);
	int rows = traces < 0 ? -1 : rows_end(db, job, e->now_ms);

	job->outcome = BR_STORE_DONE;
	job->more = traces == TRACES || rows == ROWS;
	return rows >= 0 && (traces == 0 || seq_keep(db));
}

static void expire_finish(struct br_store *s, struct br_store_job *job)
{
	s->expiring = job->more;
}

static const struct br_store_work EXPIRE = {
	.write = { [BR_STORE_QUEUE] = expire_write },
	.finish = expire_finish,
};

void br_store_expire(struct br_store *s, int64_t now_ms)
{
	struct expire *e;

	br_store_sweep(s, now_ms);
	if (s->expiring)
		return;
	s->expiring = true;
	e = prim_new(struct expire);
	e->now_ms = now_ms;
	br_store_take_write(s, &e->job, &EXPIRE);
}
