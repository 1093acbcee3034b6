/* SPDX-License-Identifier: ISC */
/* What adapters keep. */

#include "bridge/store_private.h"

#include <string.h>

#include "prim/base.h"

struct state_write {
	struct br_store_write write;
	struct prim_slice adapter, key, value;
	char octets[];
};

struct state_row {
	struct br_store_row row;
	struct prim_slice key, value;
	char octets[];
};

/* One key, or a page of all. */
struct state_look {
	struct br_store_job job;
	br_store_state_fn found;
	void *arg; /* borrowed */
	struct prim_slice adapter;
	struct prim_slice key; /* the one, or the last before the page */
	bool more;             /* something is behind the page */
	char octets[];
};

/* ---- writes ---- */

static bool put_write(struct br_store_db *db, struct br_store_job *job)
{
	const struct state_write *w = (const struct state_write *)job;
	struct br_store_query q = br_store_query(db, BR_SQL_STATE_PUT);

	br_store_put_text(&q, w->adapter);
	br_store_put_blob(&q, w->key);
	br_store_put_blob(&q, w->value);
	job->outcome = BR_STORE_DONE;
	return br_store_query_run(&q);
}

static bool drop_write(struct br_store_db *db, struct br_store_job *job)
{
	const struct state_write *w = (const struct state_write *)job;
	struct br_store_query q = br_store_query(db, BR_SQL_STATE_DROP);

	br_store_put_text(&q, w->adapter);
	br_store_put_blob(&q, w->key);
	return br_store_query_run(&q) && br_store_changed(&q, job);
}

static const struct br_store_work PUT = {
	.write = { [BR_STORE_PRIMD] = put_write },
	.finish = br_store_write_finish,
};
static const struct br_store_work DROP = {
	.write = { [BR_STORE_PRIMD] = drop_write },
	.finish = br_store_write_finish,
};

static struct state_write *write_new(struct prim_slice adapter,
    struct prim_slice key, struct prim_slice value)
{
	struct state_write *w = prim_alloc(sizeof(*w) + adapter.len + key.len +
	    value.len);
	char *room = w->octets;

	w->adapter = adapter;
	w->key = key;
	w->value = value;
	br_store_keep(&room, &w->adapter);
	br_store_keep(&room, &w->key);
	br_store_keep(&room, &w->value);
	w->write.job.weight = key.len + value.len;
	return w;
}

/* `adapter` and `key` are one name, `done` and `arg` one callback. */
/* NOLINTNEXTLINE(readability-function-size) */
void br_store_state_put(struct br_store *s, struct prim_slice adapter,
    struct prim_slice key, struct prim_slice value, br_store_done_fn done,
    void *arg)
{
	struct state_write *w = write_new(adapter, key, value);

	w->write.done = done;
	w->write.arg = arg;
	br_store_take_write(s, &w->write.job, &PUT);
}

void br_store_state_drop(struct br_store *s, struct prim_slice adapter,
    struct prim_slice key, br_store_done_fn done, void *arg)
{
	struct state_write *w = write_new(adapter, key, PRIM_SLICE_NONE);

	w->write.done = done;
	w->write.arg = arg;
	br_store_take_write(s, &w->write.job, &DROP);
}

/* ---- look-ups ---- */

static const struct state_row *row_add(struct br_store_query *q,
    struct br_store_job *job)
{
	struct prim_slice key = br_store_take_slice(q);
	struct prim_slice value = br_store_take_slice(q);
	struct state_row *row = prim_alloc(sizeof(*row) + key.len + value.len);
	char *room = row->octets;

	row->key = key;
	row->value = value;
	br_store_keep(&room, &row->key);
	br_store_keep(&room, &row->value);
	STAILQ_INSERT_TAIL(&job->rows, &row->row, link);
	return row;
}

static bool find_look(struct br_store_db *dbs, struct br_store_job *job)
{
	const struct state_look *l = (const struct state_look *)job;
	struct br_store_query q = br_store_query(&dbs[BR_STORE_PRIMD],
	    BR_SQL_STATE_FIND);
	int code;

	br_store_put_text(&q, l->adapter);
	br_store_put_blob(&q, l->key);
	code = br_store_query_step(&q);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return false;
	if (code == SQLITE_ROW)
		(void)row_add(&q, job);
	br_store_query_end(&q);
	return true;
}

static bool page_look(struct br_store_db *dbs, struct br_store_job *job)
{
	struct state_look *l = (struct state_look *)job;
	struct br_store_query q = br_store_query(&dbs[BR_STORE_PRIMD],
	    BR_SQL_STATE_LIST);
	const struct state_row *row;
	size_t octets = 0;
	int code;

	br_store_put_text(&q, l->adapter);
	br_store_put_blob(&q, l->key);
	br_store_put_number(&q, -1); /* octets are the limit */
	while ((code = br_store_query_step(&q)) == SQLITE_ROW &&
	    octets < BR_STATE_PAGE) {
		row = row_add(&q, job);
		octets += row->key.len + row->value.len;
	}
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return false;
	l->more = code == SQLITE_ROW;
	br_store_query_end(&q);
	return true;
}

static void find_finish(struct br_store *s, struct br_store_job *job)
{
	const struct state_look *l = (const struct state_look *)job;
	const struct state_row *row =
	    (const struct state_row *)STAILQ_FIRST(&job->rows);

	(void)s;
	l->found(l->arg, &l->key, row ? &row->value : NULL,
	    job->outcome == BR_STORE_FAILED);
}

static void page_finish(struct br_store *s, struct br_store_job *job)
{
	const struct state_look *l = (const struct state_look *)job;
	const struct prim_slice none = PRIM_SLICE_NONE;
	const bool failed = job->outcome == BR_STORE_FAILED;
	struct br_store_row *r;

	(void)s;
	STAILQ_FOREACH(r, &job->rows, link)
	{
		const struct state_row *row = (const struct state_row *)r;

		l->found(l->arg, &row->key, &row->value, false);
	}
	l->found(l->arg, NULL, l->more ? &none : NULL, failed);
}

static const struct br_store_work FIND = {
	.look = find_look,
	.finish = find_finish,
};
static const struct br_store_work PAGE = {
	.look = page_look,
	.finish = page_finish,
};

static struct br_store_job *look_new(struct prim_slice adapter,
    struct prim_slice key, br_store_state_fn found, void *arg)
{
	struct state_look *l = prim_alloc(sizeof(*l) + adapter.len + key.len);
	char *room = l->octets;

	l->found = found;
	l->arg = arg;
	l->adapter = adapter;
	l->key = key;
	br_store_keep(&room, &l->adapter);
	br_store_keep(&room, &l->key);
	return &l->job;
}

void br_store_state_find(struct br_store *s, struct prim_slice adapter,
    struct prim_slice key, br_store_state_fn found, void *arg)
{
	br_store_take_look(s, look_new(adapter, key, found, arg), &FIND);
}

void br_store_state_page(struct br_store *s, struct prim_slice adapter,
    struct prim_slice after, br_store_state_fn each, void *arg)
{
	br_store_take_look(s, look_new(adapter, after, each, arg), &PAGE);
}
