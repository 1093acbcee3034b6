/* SPDX-License-Identifier: ISC */
/* Leases and subscriptions that nobody ended: the core ends what is past its
 * time when it sees it, and what it never loads is swept up here. */

#include "bridge/store_private.h"

#include "prim/base.h"

#define STEP      512       /* rows looked at in one transaction */
#define MARGIN_MS 3600000LL /* the core is given an hour */

/* All leases are walked through, then all subscriptions; no index by time,
 * which every renewal would have to write. A step that is taken back with its
 * transaction is made up for by the next sweep. */
struct sweep {
	struct br_store_job job;
	int64_t before_ms;
	bool has_leases; /* behind it: the leases are done */
	int64_t row;     /* of the last lease seen */
	/* The last subscription seen. */
	struct prim_buf watcher, presentity, id; /* owned */
};

/* ---- leases ---- */

/* The last row of the step that begins behind `after`, INT64_MAX when it is the
 * last step; false: failed. */
static bool lease_step(struct br_store_db *db, int64_t after, int64_t *out_row)
{
	struct br_store_query q = br_store_query(db, BR_SQL_LEASE_STEP);
	int code;

	br_store_put_number(&q, after);
	br_store_put_number(&q, STEP - 1);
	code = br_store_query_step(&q);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return false;
	*out_row = code == SQLITE_ROW ? br_store_take_number(&q) : INT64_MAX;
	br_store_query_end(&q);
	return true;
}

static bool leases_sweep(struct br_store_db *db, struct sweep *w)
{
	struct br_store_query q;
	int64_t last;

	if (!lease_step(db, w->row, &last))
		return false;
	q = br_store_query(db, BR_SQL_LEASE_SWEEP);
	br_store_put_number(&q, w->row);
	br_store_put_number(&q, last);
	br_store_put_number(&q, w->before_ms);
	if (!br_store_query_run(&q))
		return false;
	w->row = last;
	w->has_leases = last == INT64_MAX;
	return true;
}

/* ---- subscriptions ---- */

static void names_put(struct br_store_query *q, const struct sweep *w)
{
	br_store_put_text(q, prim_buf_slice(&w->watcher));
	br_store_put_text(q, prim_buf_slice(&w->presentity));
	br_store_put_text(q, prim_buf_slice(&w->id));
}

static void name_take(struct br_store_query *q, struct prim_buf *name)
{
	prim_buf_reset(name);
	prim_buf_put(name, br_store_take_slice(q));
}

/* Finds where the step ends that begins behind `w`, into `end`. */
static bool watch_step(struct br_store_db *db, const struct sweep *w,
    struct sweep *end, bool *out_last)
{
	struct br_store_query q = br_store_query(db, BR_SQL_SUBSCRIPTION_STEP);
	int code;

	names_put(&q, w);
	br_store_put_number(&q, STEP - 1);
	code = br_store_query_step(&q);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return false;
	*out_last = code == SQLITE_DONE;
	if (code == SQLITE_ROW) {
		name_take(&q, &end->watcher);
		name_take(&q, &end->presentity);
		name_take(&q, &end->id);
	}
	br_store_query_end(&q);
	return true;
}

/* Every octet string is behind every text: that is the end of the last step. */
static void no_end_put(struct br_store_query *q)
{
	for (unsigned i = 0; i < 3; i++)
		br_store_put_blob(q, PRIM_SLICE_NONE);
}

static bool range_sweep(struct br_store_db *db, const struct sweep *w,
    const struct sweep *end)
{
	struct br_store_query q = br_store_query(db, BR_SQL_SUBSCRIPTION_SWEEP);

	names_put(&q, w);
	if (end)
		names_put(&q, end);
	else
		no_end_put(&q);
	br_store_put_number(&q, w->before_ms);
	return br_store_query_run(&q);
}

static void names_free(struct sweep *w)
{
	prim_buf_fini(&w->watcher);
	prim_buf_fini(&w->presentity);
	prim_buf_fini(&w->id);
}

static void names_take(struct sweep *w, struct sweep *from)
{
	names_free(w);
	w->watcher = from->watcher;
	w->presentity = from->presentity;
	w->id = from->id;
}

static bool subscriptions_sweep(struct br_store_db *db, struct sweep *w,
    bool *out_last)
{
	struct sweep end = { 0 };

	if (watch_step(db, w, &end, out_last) &&
	    range_sweep(db, w, *out_last ? NULL : &end)) {
		names_take(w, &end);
		return true;
	}
	names_free(&end);
	return false;
}

/* ---- the job ---- */

static bool sweep_write(struct br_store_db *db, struct br_store_job *job)
{
	struct sweep *w = (struct sweep *)job;
	bool last = false, fine;

	if (!w->has_leases)
		fine = leases_sweep(db, w);
	else
		fine = subscriptions_sweep(db, w, &last);
	job->outcome = BR_STORE_DONE;
	job->more = fine && !last;
	return fine;
}

static void sweep_finish(struct br_store *s, struct br_store_job *job)
{
	s->sweeping = job->more;
}

static void sweep_release(struct br_store_job *job)
{
	names_free((struct sweep *)job);
}

static const struct br_store_work SWEEP = {
	.write = { [BR_STORE_PRIMD] = sweep_write },
	.finish = sweep_finish,
	.release = sweep_release,
};

void br_store_sweep(struct br_store *s, int64_t now_ms)
{
	struct sweep *w;

	if (s->sweeping)
		return;
	s->sweeping = true;
	w = prim_new(struct sweep);
	w->before_ms = now_ms - MARGIN_MS;
	br_store_take_write(s, &w->job, &SWEEP);
}
