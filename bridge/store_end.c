/* SPDX-License-Identifier: ISC */
/* The life of a stored message after it was stored: attempts, its end, and how
 * long it is remembered. */

#include "bridge/store_private.h"

#include "bridge/clock.h"
#include "prim/base.h"

#define END_STEP    256 /* messages found at once when all are ended */
#define EXPIRE_STEP 128 /* keys forgotten in one transaction */

struct attempt {
	struct br_store_write write;
	struct br_store_attempt attempt;
};

struct end {
	struct br_store_write write;
	int64_t seq;
	struct br_store_end end;
	char octets[];
};

struct expire {
	struct br_store_job job;
	int64_t now_ms;
};

/* What is forgotten together. */
struct past {
	int64_t seq;
	struct prim_digest key;
};

/* ---- attempts ---- */

/* False: failed. `*out_attempts` is -1 when there is no such message. */
static bool attempts_find(struct br_store_db *db, int64_t seq,
    int64_t *out_attempts)
{
	struct br_store_query q = br_store_query(db, BR_SQL_MESSAGE_ATTEMPTS);
	int code;

	br_store_put_number(&q, seq);
	code = br_store_query_step(&q);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return false;
	*out_attempts = code == SQLITE_ROW ? br_store_take_number(&q) : -1;
	br_store_query_end(&q);
	return true;
}

static bool attempt_event(struct br_store_db *db,
    const struct br_store_attempt *a)
{
	prim_buf_reset(&db->scratch);
	prim_buf_puts(&db->scratch, "attempt n=");
	prim_buf_put_number(&db->scratch, a->attempts);
	return br_store_event_put(db, a->seq, prim_buf_slice(&db->scratch));
}

/* Only a hand-off that begins is history; a new time for the next is not. */
static bool attempt_write(struct br_store_db *db, struct br_store_job *job)
{
	const struct br_store_attempt *a =
	    &((const struct attempt *)job)->attempt;
	struct br_store_query q;
	int64_t before;

	if (!attempts_find(db, a->seq, &before))
		return false;
	job->outcome = before < 0 ? BR_STORE_ABSENT : BR_STORE_DONE;
	if (before < 0)
		return true;
	q = br_store_query(db, BR_SQL_MESSAGE_ATTEMPT);
	br_store_put_number(&q, a->seq);
	br_store_put_number(&q, a->attempts);
	br_store_put_number(&q, a->next_try_ms);
	return br_store_query_run(&q) &&
	    (a->attempts == before || attempt_event(db, a));
}

static const struct br_store_work ATTEMPT = {
	.write = { [BR_STORE_QUEUE] = attempt_write },
	.finish = br_store_write_finish,
};

void br_store_message_attempt(struct br_store *s,
    const struct br_store_attempt *attempt, br_store_done_fn done, void *arg)
{
	struct attempt *a = prim_new(struct attempt);

	a->write.done = done;
	a->write.arg = arg;
	a->attempt = *attempt;
	br_store_take_write(s, &a->write.job, &ATTEMPT);
}

/* ---- ends ---- */

static bool by_number(struct br_store_db *db, enum br_store_statement statement,
    int64_t number)
{
	struct br_store_query q = br_store_query(db, statement);

	br_store_put_number(&q, number);
	return br_store_query_run(&q);
}

/* Takes the row of `seq` out. False: failed. */
static bool row_drop(struct br_store_db *db, int64_t seq, bool *out_there,
    struct prim_digest *out_key)
{
	struct br_store_query q = br_store_query(db, BR_SQL_MESSAGE_DROP);
	int code;

	br_store_put_number(&q, seq);
	code = br_store_query_step(&q);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return false;
	*out_there = code == SQLITE_ROW;
	if (*out_there)
		(void)br_store_take_octets(&q, out_key->octets,
		    PRIM_DIGEST_LEN);
	return br_store_query_run(&q) &&
	    by_number(db, BR_SQL_CONTENT_DROP, seq);
}

/* A message that was delivered after all is answered 200 from now on; every
 * other keeps its 101, for it has had its end (DESIGN 5). */
static bool answer_set(struct br_store_db *db, const struct prim_digest *key,
    unsigned code)
{
	struct br_store_query q;

	if (code != 200)
		return true;
	q = br_store_query(db, BR_SQL_DUPLICATE_ANSWER);
	br_store_put_octets(&q, key->octets, PRIM_DIGEST_LEN);
	br_store_put_number(&q, code);
	return br_store_query_run(&q);
}

static bool trace_end(struct br_store_db *db, int64_t seq,
    const struct br_store_end *end)
{
	struct br_store_query q = br_store_query(db, BR_SQL_TRACE_END);

	br_store_put_number(&q, seq);
	br_store_put_number(&q, end->forget_ms);
	if (!br_store_query_run(&q))
		return false;
	prim_buf_reset(&db->scratch);
	prim_buf_putf(&db->scratch, "end code=%u reason=", end->code);
	prim_buf_put(&db->scratch, end->reason);
	return br_store_event_put(db, seq, prim_buf_slice(&db->scratch));
}

static bool end_one(struct br_store_db *db, int64_t seq,
    const struct br_store_end *end, bool *out_there)
{
	struct prim_digest key = { 0 };

	if (!row_drop(db, seq, out_there, &key))
		return false;
	return !*out_there ||
	    (answer_set(db, &key, end->code) && trace_end(db, seq, end));
}

/* How many; -1: failed. */
static int seqs_find(struct br_store_db *db, struct prim_slice destination,
    int64_t after, int64_t out_seqs[END_STEP])
{
	struct br_store_query q = br_store_query(db, BR_SQL_MESSAGE_FOR);
	int count = 0;
	int code;

	br_store_put_text(&q, destination);
	br_store_put_number(&q, after);
	br_store_put_number(&q, END_STEP);
	while ((code = br_store_query_step(&q)) == SQLITE_ROW)
		out_seqs[count++] = br_store_take_number(&q);
	if (code != SQLITE_DONE)
		return -1;
	br_store_query_end(&q);
	return count;
}

bool br_store_end_for(struct br_store_db *db, struct prim_slice destination,
    const struct br_store_end *end)
{
	int64_t seqs[END_STEP], after = 0;
	bool there;
	int count;

	do {
		count = seqs_find(db, destination, after, seqs);
		for (int i = 0; i < count; i++)
			if (!end_one(db, seqs[i], end, &there))
				return false;
		after = count > 0 ? seqs[count - 1] : after;
	} while (count == END_STEP);
	return count >= 0;
}

static bool end_write(struct br_store_db *db, struct br_store_job *job)
{
	const struct end *e = (const struct end *)job;
	bool there = false;

	if (!end_one(db, e->seq, &e->end, &there))
		return false;
	job->outcome = there ? BR_STORE_DONE : BR_STORE_ABSENT;
	return true;
}

static const struct br_store_work END = {
	.write = { [BR_STORE_QUEUE] = end_write },
	.finish = br_store_write_finish,
};

void br_store_message_end(struct br_store *s, int64_t seq,
    const struct br_store_end *end, br_store_done_fn done, void *arg)
{
	struct end *e = prim_alloc(sizeof(*e) + end->reason.len);
	char *room = e->octets;

	e->write.done = done;
	e->write.arg = arg;
	e->seq = seq;
	e->end = *end;
	br_store_keep(&room, &e->end.reason);
	br_store_take_write(s, &e->write.job, &END);
}

/* ---- forgetting ---- */

/* How many; -1: failed. */
static int past_find(struct br_store_db *db, int64_t now_ms,
    struct past out_past[EXPIRE_STEP])
{
	struct br_store_query q = br_store_query(db, BR_SQL_TRACE_PAST);
	int count = 0;
	int code;

	br_store_put_number(&q, now_ms);
	br_store_put_number(&q, EXPIRE_STEP);
	while ((code = br_store_query_step(&q)) == SQLITE_ROW) {
		struct past *p = &out_past[count++];

		*p = (struct past){ .seq = br_store_take_number(&q) };
		(void)br_store_take_octets(&q, p->key.octets, PRIM_DIGEST_LEN);
	}
	if (code != SQLITE_DONE)
		return -1;
	br_store_query_end(&q);
	return count;
}

static bool forget(struct br_store_db *db, const struct past *p)
{
	struct br_store_query q = br_store_query(db, BR_SQL_DUPLICATE_DROP);

	br_store_put_octets(&q, p->key.octets, PRIM_DIGEST_LEN);
	return br_store_query_run(&q) &&
	    by_number(db, BR_SQL_EVENT_DROP, p->seq) &&
	    by_number(db, BR_SQL_TRACE_DROP, p->seq);
}

static bool expire_write(struct br_store_db *db, struct br_store_job *job)
{
	struct past past[EXPIRE_STEP];
	int count = past_find(db, ((struct expire *)job)->now_ms, past);

	for (int i = 0; i < count; i++)
		if (!forget(db, &past[i]))
			return false;
	job->outcome = BR_STORE_DONE;
	job->more = count == EXPIRE_STEP;
	return count >= 0;
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
