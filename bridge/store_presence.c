/* SPDX-License-Identifier: ISC */
/* Presence: the values of tuples, and when leases end. */

#include "bridge/store_private.h"

#include <event2/event.h>

#include "prim/base.h"

#define RENEWALS_FEW 8    /* that a job has room for at first */
#define RENEWALS_MAX 1024 /* in one job */
/* What a renewal weighs in a transaction. A big transaction is cheap here: it
 * writes each page once, however many of its leases are renewed. */
#define RENEWAL_WEIGHT 512

struct value_put {
	struct br_store_job job;
	struct br_store_value value; /* its slices are borrowed until done */
	br_store_row_fn done;
	void *arg; /* borrowed */
	int64_t row;
};

struct value_drop {
	struct br_store_write write;
	struct prim_slice presentity, tuple_id;
	bool only_lease;
	char octets[];
};

struct renewal {
	int64_t row;
	int64_t expires_ms;
	br_store_done_fn done;
	void *arg; /* borrowed */
	bool is_there;
};

/* Many at once, as one job. */
struct br_store_renewals {
	struct br_store_job job;
	size_t count, room;
	struct renewal renewals[];
};

/* ---- put ---- */

/* False: failed. `*out_row` is 0 when there is no such account. */
static bool row_put(struct br_store_db *db, const struct br_store_value *v,
    int64_t *out_row)
{
	struct br_store_query q = br_store_query(db, BR_SQL_VALUE_PUT);
	int code;

	br_store_put_text(&q, v->presentity);
	br_store_put_text(&q, v->tuple_id);
	br_store_put_number(&q, v->is_lease);
	br_store_put_number(&q, v->at_ms);
	br_store_put_text(&q, v->type);
	br_store_put_blob(&q, v->body);
	code = br_store_query_step(&q);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return false;
	*out_row = code == SQLITE_ROW ? br_store_take_number(&q) : 0;
	if (code == SQLITE_ROW)
		return br_store_query_run(&q);
	br_store_query_end(&q);
	return true;
}

static bool lease_put(struct br_store_db *db, int64_t row, int64_t expires_ms)
{
	struct br_store_query q = br_store_query(db, BR_SQL_LEASE_PUT);

	br_store_put_number(&q, row);
	br_store_put_number(&q, expires_ms);
	return br_store_query_run(&q);
}

static bool put_write(struct br_store_db *db, struct br_store_job *job)
{
	struct value_put *p = (struct value_put *)job;

	if (!row_put(db, &p->value, &p->row))
		return false;
	job->outcome = p->row ? BR_STORE_DONE : BR_STORE_ABSENT;
	return !p->row || !p->value.is_lease ||
	    lease_put(db, p->row, p->value.expires_ms);
}

static void put_finish(struct br_store *s, struct br_store_job *job)
{
	const struct value_put *p = (const struct value_put *)job;
	bool has_row = job->outcome == BR_STORE_DONE && p->value.is_lease;

	(void)s;
	p->done(p->arg, job->outcome, has_row ? p->row : 0);
}

static const struct br_store_work PUT = {
	.write = { [BR_STORE_PRIMD] = put_write },
	.finish = put_finish,
};

void br_store_value_put(struct br_store *s, const struct br_store_value *v,
    br_store_row_fn done, void *arg)
{
	struct value_put *p = prim_new(struct value_put);

	p->value = *v;
	p->done = done;
	p->arg = arg;
	p->job.weight = v->body.len;
	br_store_take_write(s, &p->job, &PUT);
}

/* ---- drop ---- */

static bool drop_write(struct br_store_db *db, struct br_store_job *job)
{
	const struct value_drop *d = (const struct value_drop *)job;
	struct br_store_query q = br_store_query(db, BR_SQL_VALUE_DROP);

	br_store_put_text(&q, d->presentity);
	br_store_put_text(&q, d->tuple_id);
	br_store_put_number(&q, d->only_lease);
	return br_store_query_run(&q) && br_store_changed(&q, job);
}

static const struct br_store_work DROP = {
	.write = { [BR_STORE_PRIMD] = drop_write },
	.finish = br_store_write_finish,
};

/* `presentity` and `tuple_id` are one name, `done` and `arg` one callback. */
/* NOLINTNEXTLINE(readability-function-size) */
void br_store_value_drop(struct br_store *s, struct prim_slice presentity,
    struct prim_slice tuple_id, bool only_lease, br_store_done_fn done,
    void *arg)
{
	struct value_drop *d = prim_alloc(sizeof(*d) + presentity.len +
	    tuple_id.len);
	char *room = d->octets;

	d->write.done = done;
	d->write.arg = arg;
	d->presentity = presentity;
	d->tuple_id = tuple_id;
	d->only_lease = only_lease;
	br_store_keep(&room, &d->presentity);
	br_store_keep(&room, &d->tuple_id);
	br_store_take_write(s, &d->write.job, &DROP);
}

/* ---- renew ---- */

static bool renew_one(struct br_store_db *db, struct renewal *r)
{
	struct br_store_query q = br_store_query(db, BR_SQL_LEASE_RENEW);

	br_store_put_number(&q, r->row);
	br_store_put_number(&q, r->expires_ms);
	if (!br_store_query_run(&q))
		return false;
	r->is_there = br_store_query_changes(&q) > 0;
	return true;
}

static bool renew_write(struct br_store_db *db, struct br_store_job *job)
{
	struct br_store_renewals *all = (struct br_store_renewals *)job;

	for (size_t i = 0; i < all->count; i++)
		if (!renew_one(db, &all->renewals[i]))
			return false;
	job->outcome = BR_STORE_DONE;
	return true;
}

static enum br_store_outcome renewal_outcome(const struct renewal *r,
    const struct br_store_job *job)
{
	if (job->outcome == BR_STORE_FAILED)
		return BR_STORE_FAILED;
	return r->is_there ? BR_STORE_DONE : BR_STORE_ABSENT;
}

static void renew_finish(struct br_store *s, struct br_store_job *job)
{
	const struct br_store_renewals *all =
	    (const struct br_store_renewals *)job;

	/* The job itself was one of those pending. */
	s->pending -= all->count - 1;
	for (size_t i = 0; i < all->count; i++) {
		const struct renewal *r = &all->renewals[i];

		if (r->done)
			r->done(r->arg, renewal_outcome(r, job));
	}
}

static const struct br_store_work RENEW = {
	.write = { [BR_STORE_PRIMD] = renew_write },
	.finish = renew_finish,
};

static size_t renewals_size(size_t room)
{
	return sizeof(struct br_store_renewals) + room * sizeof(struct renewal);
}

static struct br_store_renewals *renewals_with_room(struct br_store *s)
{
	struct br_store_renewals *all = s->renewals;

	if (!all) {
		all = prim_alloc(renewals_size(RENEWALS_FEW));
		all->room = RENEWALS_FEW;
		event_active(s->renew, 0, 0);
	} else if (all->count == all->room) {
		all->room *= 2;
		all = prim_resize(all, renewals_size(all->room));
	}
	s->renewals = all;
	return all;
}

void br_store_lease_renew(struct br_store *s, int64_t row, int64_t expires_ms,
    br_store_done_fn done, void *arg)
{
	struct br_store_renewals *all = renewals_with_room(s);

	all->renewals[all->count++] = (struct renewal){
		.row = row,
		.expires_ms = expires_ms,
		.done = done,
		.arg = arg,
	};
	s->pending++;
	if (all->count == RENEWALS_MAX)
		br_store_renewals_flush(s);
}

void br_store_renewals_flush(struct br_store *s)
{
	struct br_store_renewals *all = s->renewals;

	if (!all)
		return;
	s->renewals = NULL;
	event_del(s->renew);
	all->job.weight = all->count * RENEWAL_WEIGHT;
	s->pending--; /* the job counts again */
	br_store_take_write(s, &all->job, &RENEW);
}

static void on_renew(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	br_store_renewals_flush(arg);
}

void br_store_renewals_open(struct br_store *s)
{
	s->renew = event_new(s->base, -1, 0, on_renew, s);
}

void br_store_renewals_close(struct br_store *s)
{
	s->renewals = prim_free(s->renewals);
	if (s->renew)
		event_free(s->renew);
	s->renew = NULL;
}
