/* SPDX-License-Identifier: ISC */
/* The life of a stored message: attempts, other ways, a word that it is late. */

#include "bridge/stored.h"

#include "prim/base.h"

struct attempt {
	struct br_store_write write;
	struct br_store_attempt attempt;
	char octets[];
};

struct move {
	struct br_store_write write;
	struct br_store_move move;
	char octets[];
};

struct delay {
	struct br_store_write write;
	int64_t seq;
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
	return br_store_event_put(db, a->seq, 0, prim_buf_slice(&db->scratch));
}

/* What came of the one before. */
static bool setback_event(struct br_store_db *db,
    const struct br_store_attempt *a)
{
	if (!a->last_code && !a->last_reason.len)
		return true;
	prim_buf_reset(&db->scratch);
	prim_buf_puts(&db->scratch, "back");
	if (a->last_code)
		prim_buf_putf(&db->scratch, " code=%u", a->last_code);
	if (a->last_reason.len)
		prim_buf_puts(&db->scratch, " why=");
	prim_buf_put(&db->scratch, a->last_reason);
	return br_store_event_put(db, a->seq, 0, prim_buf_slice(&db->scratch));
}

/* A hand-off that begins is history, and what came of it; that nothing happened
 * is not. */
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
	br_store_put_number(&q, a->deaths);
	br_store_put_number(&q, a->last_code);
	br_store_put_text(&q, a->last_reason);
	return br_store_query_run(&q) &&
	    (a->attempts > before ? attempt_event(db, a)
				  : setback_event(db, a));
}

static const struct br_store_work ATTEMPT = {
	.write = { [BR_STORE_QUEUE] = attempt_write },
	.finish = br_store_write_finish,
};

void br_store_message_attempt(struct br_store *s,
    const struct br_store_attempt *attempt, br_store_done_fn done, void *arg)
{
	struct prim_slice reason = br_stored_cut(attempt->last_reason);
	struct attempt *a = prim_alloc(sizeof(*a) + reason.len);
	char *room = a->octets;

	a->write.done = done;
	a->write.arg = arg;
	a->attempt = *attempt;
	a->attempt.last_reason = reason;
	br_store_keep(&room, &a->attempt.last_reason);
	br_store_take_write(s, &a->write.job, &ATTEMPT);
}

/* ---- other ways ---- */

static bool move_event(struct br_store_db *db, const struct br_store_move *move)
{
	prim_buf_reset(&db->scratch);
	prim_buf_puts(&db->scratch, "moved via=");
	prim_buf_put(&db->scratch, move->destination);
	if (move->target.len)
		prim_buf_puts(&db->scratch, " target=");
	prim_buf_put(&db->scratch, move->target);
	return br_store_event_put(db, move->seq, 0,
	    prim_buf_slice(&db->scratch));
}

/* A damaged one is found out when it is read, and must not look whole then. */
static bool move_row(struct br_store_db *db, struct br_store_job *job,
    struct br_stored *st)
{
	const struct br_store_move *move = &((const struct move *)job)->move;

	if (!st->has_state)
		return true;
	if (!st->via.len)
		st->via = st->m.destination;
	st->m.destination = move->destination;
	st->m.target = move->target;
	st->m.tried = move->tried;
	return br_stored_change(db, st) && move_event(db, move);
}

static bool move_write(struct br_store_db *db, struct br_store_job *job)
{
	return br_stored_with(db, job, ((const struct move *)job)->move.seq,
	    move_row);
}

static const struct br_store_work MOVE = {
	.write = { [BR_STORE_QUEUE] = move_write },
	.finish = br_store_write_finish,
};

void br_store_message_move(struct br_store *s, const struct br_store_move *move,
    br_store_done_fn done, void *arg)
{
	struct move *v = prim_alloc(sizeof(*v) + move->destination.len +
	    move->target.len + move->tried.len);
	char *room = v->octets;

	v->write.done = done;
	v->write.arg = arg;
	v->move = *move;
	br_store_keep(&room, &v->move.destination);
	br_store_keep(&room, &v->move.target);
	br_store_keep(&room, &v->move.tried);
	br_store_take_write(s, &v->write.job, &MOVE);
}

/* ---- late ---- */

static bool delay_row(struct br_store_db *db, struct br_store_job *job,
    struct br_stored *st)
{
	const struct br_notice_cause cause = { .kind = BR_NOTICE_DELAYED,
		.code = st->m.last_code,
		.reason = st->m.last_reason,
		.now_ms = db->now_ms };
	bool is_told;

	if (!st->has_state || !st->m.delay_notice_ms)
		return true;
	if (!br_store_event_put(db, st->m.seq, 0, PRIM_SLICE("delayed")) ||
	    !br_store_notice_row(db, job, st, &cause, &is_told))
		return false;
	st->m.delay_notice_ms = 0;
	return br_stored_change(db, st);
}

static bool delay_write(struct br_store_db *db, struct br_store_job *job)
{
	return br_stored_with(db, job, ((const struct delay *)job)->seq,
	    delay_row);
}

static const struct br_store_work DELAY = {
	.write = { [BR_STORE_QUEUE] = delay_write },
	.finish = br_store_write_finish,
};

void br_store_message_delayed(struct br_store *s, int64_t seq,
    br_store_done_fn done, void *arg)
{
	struct delay *d = prim_new(struct delay);

	d->write.done = done;
	d->write.arg = arg;
	d->seq = seq;
	br_store_take_write(s, &d->write.job, &DELAY);
}
