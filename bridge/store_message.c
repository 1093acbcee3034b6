/* SPDX-License-Identifier: ISC */
/* Messages: how one is stored and read back. */

#include "bridge/stored.h"

#include "prim/base.h"
#include "prim/status.h"

struct put {
	struct br_store_job job;
	struct br_store_message m; /* its slices are borrowed until done */
	br_store_put_fn done;
	void *arg; /* borrowed */
	struct br_store_put_result result;
};

struct get {
	struct br_store_job job;
	int64_t seq;
	br_store_message_fn found;
	void *arg; /* borrowed */
};

struct page {
	struct br_store_job job;
	int64_t after;
	unsigned max;
	br_store_message_fn each;
	void *arg; /* borrowed */
};

void br_store_on_notice(struct br_store *s, br_store_message_fn fn, void *arg)
{
	s->on_notice = fn;
	s->on_notice_arg = arg;
}

void br_store_on_end(struct br_store *s, br_store_message_fn fn, void *arg)
{
	s->on_end = fn;
	s->on_end_arg = arg;
}

/* ---- put ---- */

static bool put_write(struct br_store_db *db, struct br_store_job *job)
{
	struct put *p = (struct put *)job;

	if (!br_stored_put(db, &p->m, &p->result.seq))
		return false;
	job->outcome = p->result.seq ? BR_STORE_DONE : BR_STORE_DUPLICATE;
	if (!p->result.seq)
		return br_store_known_read(db, &p->m, &p->result);
	p->result.answer = BR_STORE_KEPT;
	p->result.content_hash = p->m.content_hash;
	return true;
}

static void put_finish(struct br_store *s, struct br_store_job *job)
{
	struct put *p = (struct put *)job;

	(void)s;
	p->result.outcome = job->outcome;
	if (job->outcome != BR_STORE_DONE)
		p->result.seq = 0;
	p->done(p->arg, &p->result);
}

static const struct br_store_work PUT = {
	.write = { [BR_STORE_QUEUE] = put_write },
	.finish = put_finish,
};

void br_store_message_put(struct br_store *s, const struct br_store_message *m,
    br_store_put_fn done, void *arg)
{
	struct put *p = prim_new(struct put);

	p->m = *m;
	p->done = done;
	p->arg = arg;
	p->job.weight = m->head.len + m->body.len;
	br_store_take_write(s, &p->job, &PUT);
}

/* ---- get ---- */

static bool whole_take(struct br_store_query *q, struct br_stored *st)
{
	br_stored_take(q, st);
	return br_stored_take_content(q, &st->m) && st->has_envelope &&
	    st->has_state;
}

/* A page that SQLite itself finds damaged will not get better by asking again:
 * that message is lost, like one whose sum is wrong. */
static bool get_look(struct br_store_db *dbs, struct br_store_job *job)
{
	struct br_store_db *db = &dbs[BR_STORE_QUEUE];
	struct br_store_query q = br_store_query(db, BR_SQL_MESSAGE_GET);
	struct br_stored st;
	int code;

	br_store_put_number(&q, ((struct get *)job)->seq);
	code = br_store_query_step(&q);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return (code & 0xff) == SQLITE_CORRUPT;
	if (code == SQLITE_ROW && whole_take(&q, &st))
		(void)br_stored_row_add(job, &st.m);
	else if (code == SQLITE_ROW)
		db->reason = "a stored message is damaged";
	br_store_query_end(&q);
	return true;
}

static void get_finish(struct br_store *s, struct br_store_job *job)
{
	const struct get *g = (const struct get *)job;
	const struct br_stored_row *row =
	    (const struct br_stored_row *)STAILQ_FIRST(&job->rows);

	(void)s;
	g->found(g->arg, row ? &row->m : NULL, job->outcome == BR_STORE_FAILED);
}

static const struct br_store_work GET = {
	.look = get_look,
	.finish = get_finish,
};

void br_store_message_get(struct br_store *s, int64_t seq,
    br_store_message_fn found, void *arg)
{
	struct get *g = prim_new(struct get);

	g->seq = seq;
	g->found = found;
	g->arg = arg;
	br_store_take_look(s, &g->job, &GET);
}

/* ---- a page ---- */

static bool page_look(struct br_store_db *dbs, struct br_store_job *job)
{
	const struct page *p = (const struct page *)job;
	struct br_store_query q = br_store_query(&dbs[BR_STORE_QUEUE],
	    BR_SQL_MESSAGE_PAGE);
	struct br_stored st;
	int code;

	br_store_put_number(&q, p->after);
	br_store_put_number(&q, p->max);
	while ((code = br_store_query_step(&q)) == SQLITE_ROW) {
		br_stored_take(&q, &st);
		(void)br_stored_row_add(job, &st.m);
	}
	if (code != SQLITE_DONE)
		return false;
	br_store_query_end(&q);
	return true;
}

static void page_finish(struct br_store *s, struct br_store_job *job)
{
	const struct page *p = (const struct page *)job;
	struct br_store_row *row;

	(void)s;
	STAILQ_FOREACH(row, &job->rows, link)
	p->each(p->arg, &((const struct br_stored_row *)row)->m, false);
	p->each(p->arg, NULL, job->outcome == BR_STORE_FAILED);
}

static const struct br_store_work PAGE = {
	.look = page_look,
	.finish = page_finish,
};

void br_store_message_page(struct br_store *s, int64_t after, unsigned max,
    br_store_message_fn each, void *arg)
{
	struct page *p = prim_new(struct page);

	p->after = after;
	p->max = max;
	p->each = each;
	p->arg = arg;
	br_store_take_look(s, &p->job, &PAGE);
}

/* ---- all, at start ---- */

struct messages {
	struct br_store *store;
	br_store_message_fn each;
	void *arg; /* borrowed */
};

/* A damaged one is set aside like any that is found damaged later; one that was
 * already set aside is the operator's. */
static bool message_tell(struct br_store_query *q, void *arg)
{
	const struct messages *all = arg;
	const struct br_store_end end = { .code = PRIM_INTERNAL_ERROR,
		.reason = PRIM_SLICE("damaged") };
	struct br_stored st;

	br_stored_take(q, &st);
	if (st.has_envelope && st.has_state) {
		all->each(all->arg, &st.m, false);
		return true;
	}
	if (st.has_state && st.m.is_quarantined)
		return true;
	br_store_message_quarantine(all->store, st.m.seq, &end, NULL, NULL);
	return false;
}

bool br_store_message_each(struct br_store *s, br_store_message_fn each,
    void *arg, struct br_err *err)
{
	struct messages all = { s, each, arg };
	const struct br_store_scan scan = {
		.file = BR_STORE_QUEUE,
		.statement = BR_SQL_MESSAGE_EACH,
		.row = message_tell,
		.arg = &all,
		.one = "a stored message",
		.all = "the stored messages",
	};

	return br_store_scan(s, &scan, err);
}
