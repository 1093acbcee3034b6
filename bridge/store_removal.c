/* SPDX-License-Identifier: ISC */
/*
 * The messages for an account that is removed. They are many, and their end must
 * not stop; and they must not be delivered to whoever gets the name later. So
 * queue.db notes first whose messages are to end, and up to which; then the
 * account goes; then they are ended step by step. Whoever finds the note at
 * start, and no account, goes on with it.
 */

#include "bridge/stored.h"

#include "prim/base.h"
#include "prim/status.h"

#define STEP 4096 /* rows looked at in one transaction */
#define ENDS 256  /* that end in one */

struct resume {
	struct br_store_job job;
	struct br_store_removal removal;
	char octets[];
};

/* ---- a step ---- */

static bool begin(struct br_store_db *db, struct br_store_removal *r)
{
	struct br_store_query q = br_store_query(db, BR_SQL_REMOVAL_PUT);

	r->upto = db->seq;
	br_store_put_text(&q, r->key);
	br_store_put_number(&q, r->upto);
	return br_store_query_run(&q);
}

static bool end(struct br_store_db *db, const struct br_store_removal *r)
{
	struct br_store_query q = br_store_query(db, BR_SQL_REMOVAL_DROP);

	br_store_put_text(&q, r->key);
	return br_store_query_run(&q);
}

/* Where the rows end that one transaction looks at. False: failed. */
static bool window_find(struct br_store_db *db,
    const struct br_store_removal *r, int64_t *out_last)
{
	struct br_store_query q = br_store_query(db, BR_SQL_MESSAGE_STEP);
	int code;

	br_store_put_number(&q, r->after);
	br_store_put_number(&q, STEP - 1);
	code = br_store_query_step(&q);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return false;
	*out_last = code == SQLITE_ROW ? br_store_take_number(&q) : r->upto;
	if (*out_last > r->upto)
		*out_last = r->upto;
	br_store_query_end(&q);
	return true;
}

/* How many in the window are for the account; -1: failed. */
static int seqs_find(struct br_store_db *db, const struct br_store_removal *r,
    int64_t last, int64_t out_seqs[ENDS])
{
	struct br_store_query q = br_store_query(db, BR_SQL_MESSAGE_TO);
	int count = 0, code;

	br_store_put_number(&q, r->after);
	br_store_put_number(&q, last);
	br_store_put_text(&q, r->key);
	br_store_put_number(&q, ENDS);
	while ((code = br_store_query_step(&q)) == SQLITE_ROW)
		out_seqs[count++] = br_store_take_number(&q);
	if (code != SQLITE_DONE)
		return -1;
	br_store_query_end(&q);
	return count;
}

/* To the loop. Of what is quarantined the end was told, and of a damaged one
 * nothing can be said. */
static void announce(struct br_store_job *job, const struct br_stored *st,
    const struct br_store_end *end)
{
	struct br_store_message m = st->m;

	if (!st->has_envelope || (st->has_state && m.is_quarantined))
		return;
	m.last_code = end->code;
	m.last_reason = end->reason;
	br_stored_row_add(job, &m)->is_end = true;
}

static bool row_end(struct br_store_db *db, struct br_store_job *job,
    struct br_stored *st)
{
	const struct br_store_end gone = {
		.code = PRIM_NOT_FOUND,
		.reason = PRIM_SLICE("account removed"),
		.forget_ms = db->now_ms + BR_STORE_FORGET,
	};

	announce(job, st, &gone);
	return br_store_end_one(db, job, st, &gone);
}

static bool ends(struct br_store_db *db, struct br_store_job *job,
    struct br_store_removal *r)
{
	const enum br_store_outcome outcome = job->outcome; /* of the account */
	int64_t seqs[ENDS], last;
	int count;

	if (!window_find(db, r, &last))
		return false;
	count = seqs_find(db, r, last, seqs);
	for (int i = 0; i < count; i++)
		if (!br_stored_with(db, job, seqs[i], row_end))
			return false;
	r->next = count == ENDS ? seqs[ENDS - 1] : last;
	job->outcome = outcome;
	return count >= 0;
}

bool br_store_removal_step(struct br_store_db *db, struct br_store_job *job,
    struct br_store_removal *r)
{
	if (r->round == 0) {
		job->more = true;
		return begin(db, r);
	}
	if (!ends(db, job, r))
		return false;
	job->more = r->next < r->upto;
	return job->more || end(db, r);
}

void br_store_removal_next(struct br_store_removal *r)
{
	r->round++;
	r->after = r->next;
}

/* ---- taken up at start ---- */

static bool resume_write(struct br_store_db *db, struct br_store_job *job)
{
	job->outcome = BR_STORE_DONE;
	return br_store_removal_step(db, job, &((struct resume *)job)->removal);
}

static void resume_finish(struct br_store *s, struct br_store_job *job)
{
	(void)s;
	br_store_removal_next(&((struct resume *)job)->removal);
}

static const struct br_store_work RESUME = {
	.write = { [BR_STORE_QUEUE] = resume_write },
	.finish = resume_finish,
};

static void resume(struct br_store *s, struct br_store_query *q)
{
	const struct prim_slice key = br_store_take_slice(q);
	struct resume *r = prim_alloc(sizeof(*r) + key.len);
	char *room = r->octets;

	r->removal.key = key;
	br_store_keep(&room, &r->removal.key);
	r->removal.upto = br_store_take_number(q);
	r->removal.round = 1;
	br_store_take_write(s, &r->job, &RESUME);
}

/* An account that is still there was never removed: the note is void, at once,
 * before anybody looks at the messages. */
static bool note_read(struct br_store *s, struct br_store_query *notes)
{
	struct br_store_removal r = { .key = br_store_take_slice(notes) };
	struct br_store_query q = br_store_query(&s->write[BR_STORE_PRIMD],
	    BR_SQL_ACCOUNT_FIND);
	int code;

	br_store_put_text(&q, r.key);
	code = br_store_query_step(&q);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return false;
	br_store_query_end(&q);
	if (code == SQLITE_ROW)
		return end(notes->db, &r);
	notes->at = 0;
	resume(s, notes);
	return true;
}

bool br_store_removals_resume(struct br_store *s, struct br_err *err)
{
	struct br_store_query notes = br_store_query(&s->write[BR_STORE_QUEUE],
	    BR_SQL_REMOVAL_EACH);
	bool fine = true;
	int code;

	while ((code = br_store_query_step(&notes)) == SQLITE_ROW && fine)
		fine = note_read(s, &notes);
	br_store_query_end(&notes);
	return (fine && code == SQLITE_DONE) ||
	    br_err_set(err, "cannot read what is being removed from %s",
		s->place.dir);
}
