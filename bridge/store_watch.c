/* SPDX-License-Identifier: ISC */
/* Subscriptions, and who is resident. */

#include "bridge/store_private.h"

#include <string.h>

#include "prim/address.h"
#include "prim/base.h"

#define PAGE 256 /* of a list of all */

struct put {
	struct br_store_write write;
	struct br_store_subscription sub;
	char octets[];
};

struct subscription_row {
	struct br_store_row row;
	struct br_store_subscription sub;
	char octets[];
};

/* A page, or all of them page by page. */
struct list {
	struct br_store_job job;
	br_store_subscription_fn each;      /* of all; or NULL */
	br_store_subscription_page_fn page; /* of a page; or NULL */
	void *arg;                          /* borrowed */
	unsigned max;
	struct prim_buf names; /* owned: what the slices below borrow from */
	struct prim_slice watcher, presentity, id; /* behind these */
	struct prim_slice key;                     /* of whom; empty: of all */
	char octets[];
};

/* ---- a row ---- */

bool br_store_key_ok(struct prim_slice key)
{
	return key.len > 0 && key.len <= PRIM_ADDRESS_MAX &&
	    memchr(key.ptr, '@', key.len);
}

static bool address_ok(struct prim_slice address)
{
	return address.len > 0 && address.len <= PRIM_ADDRESS_MAX;
}

bool br_store_subscription_take(struct br_store_query *q,
    struct br_store_subscription *out_sub)
{
	struct br_store_subscription *sub = out_sub;

	sub->watcher = br_store_take_slice(q);
	sub->presentity = br_store_take_slice(q);
	sub->watcher_address = br_store_take_slice(q);
	sub->presentity_address = br_store_take_slice(q);
	sub->id = br_store_take_slice(q);
	sub->is_outgoing = br_store_take_number(q) != 0;
	sub->expires_ms = br_store_take_number(q);
	return br_store_key_ok(sub->watcher) &&
	    br_store_key_ok(sub->presentity) &&
	    address_ok(sub->watcher_address) &&
	    address_ok(sub->presentity_address);
}

size_t br_store_subscription_size(const struct br_store_subscription *sub)
{
	return sub->watcher.len + sub->presentity.len +
	    sub->watcher_address.len + sub->presentity_address.len +
	    sub->id.len;
}

void br_store_subscription_keep(char **room, struct br_store_subscription *sub)
{
	br_store_keep(room, &sub->watcher);
	br_store_keep(room, &sub->presentity);
	br_store_keep(room, &sub->watcher_address);
	br_store_keep(room, &sub->presentity_address);
	br_store_keep(room, &sub->id);
}

/* ---- writes ---- */

static bool put_write(struct br_store_db *db, struct br_store_job *job)
{
	const struct br_store_subscription *sub = &((struct put *)job)->sub;
	struct br_store_query q = br_store_query(db, BR_SQL_SUBSCRIPTION_PUT);

	br_store_put_text(&q, sub->watcher);
	br_store_put_text(&q, sub->presentity);
	br_store_put_text(&q, sub->watcher_address);
	br_store_put_text(&q, sub->presentity_address);
	br_store_put_text(&q, sub->id);
	br_store_put_number(&q, sub->is_outgoing);
	br_store_put_number(&q, sub->expires_ms);
	job->outcome = BR_STORE_DONE;
	return br_store_query_run(&q);
}

static bool drop_write(struct br_store_db *db, struct br_store_job *job)
{
	const struct br_store_subscription *sub = &((struct put *)job)->sub;
	struct br_store_query q = br_store_query(db, BR_SQL_SUBSCRIPTION_DROP);

	br_store_put_text(&q, sub->watcher);
	br_store_put_text(&q, sub->presentity);
	br_store_put_text(&q, sub->id);
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

static struct br_store_job *write_new(const struct br_store_subscription *sub,
    br_store_done_fn done, void *arg)
{
	struct put *p = prim_alloc(sizeof(*p) +
	    br_store_subscription_size(sub));
	char *room = p->octets;

	p->write.done = done;
	p->write.arg = arg;
	p->sub = *sub;
	br_store_subscription_keep(&room, &p->sub);
	return &p->write.job;
}

void br_store_subscription_put(struct br_store *s,
    const struct br_store_subscription *sub, br_store_done_fn done, void *arg)
{
	br_store_take_write(s, write_new(sub, done, arg), &PUT);
}

void br_store_subscription_drop(struct br_store *s,
    const struct br_store_subscription *sub, br_store_done_fn done, void *arg)
{
	br_store_take_write(s, write_new(sub, done, arg), &DROP);
}

static bool purge(struct br_store_db *db, enum br_store_statement statement,
    struct prim_slice key)
{
	struct br_store_query q = br_store_query(db, statement);

	br_store_put_text(&q, key);
	return br_store_query_run(&q);
}

bool br_store_presence_purge(struct br_store_db *db, struct prim_slice key)
{
	return purge(db, BR_SQL_VALUE_PURGE, key) &&
	    purge(db, BR_SQL_SUBSCRIPTION_PURGE, key);
}

/* ---- lists ---- */

static const struct br_store_subscription *row_add(struct br_store_query *q,
    struct br_store_job *job)
{
	struct subscription_row *row;
	struct br_store_subscription sub;
	char *room;

	if (!br_store_subscription_take(q, &sub)) {
		q->db->reason = "a stored subscription is damaged";
		return NULL;
	}
	row = prim_alloc(sizeof(*row) + br_store_subscription_size(&sub));
	room = row->octets;
	row->sub = sub;
	br_store_subscription_keep(&room, &row->sub);
	STAILQ_INSERT_TAIL(&job->rows, &row->row, link);
	return &row->sub;
}

/* The next page begins behind `sub`, which is none of our own slices. */
static void list_go_behind(struct list *l,
    const struct br_store_subscription *sub)
{
	char *at;

	prim_buf_reset(&l->names);
	prim_buf_put(&l->names, sub->watcher);
	prim_buf_put(&l->names, sub->presentity);
	prim_buf_put(&l->names, sub->id);
	at = l->names.ptr;
	l->watcher = prim_slice_make(at, sub->watcher.len);
	at += sub->watcher.len;
	l->presentity = prim_slice_make(at, sub->presentity.len);
	at += sub->presentity.len;
	l->id = prim_slice_make(at, sub->id.len);
}

static struct br_store_query list_query(struct br_store_db *db,
    const struct list *l)
{
	struct br_store_query q = br_store_query(db,
	    l->key.len ? BR_SQL_SUBSCRIPTION_OF : BR_SQL_SUBSCRIPTION_LIST);

	br_store_put_text(&q, l->watcher);
	br_store_put_text(&q, l->presentity);
	br_store_put_text(&q, l->id);
	if (l->key.len)
		br_store_put_text(&q, l->key);
	return q;
}

/* Without a LIMIT: what is damaged is no part of a page, so a page that is not
 * full is the last. */
static bool list_look(struct br_store_db *dbs, struct br_store_job *job)
{
	struct list *l = (struct list *)job;
	struct br_store_query q = list_query(&dbs[BR_STORE_PRIMD], l);
	const struct br_store_subscription *sub, *last = NULL;
	unsigned count = 0;
	int code = SQLITE_ROW;

	while (count < l->max &&
	    (code = br_store_query_step(&q)) == SQLITE_ROW) {
		sub = row_add(&q, job);
		if (!sub)
			continue;
		last = sub;
		count++;
	}
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return false;
	br_store_query_end(&q);
	if (l->each && count == l->max) {
		list_go_behind(l, last);
		job->more = true;
	}
	return true;
}

static void list_tell(const struct list *l,
    const struct br_store_subscription *sub)
{
	if (l->each)
		l->each(l->arg, sub);
	else
		l->page(l->arg, sub, !sub && l->job.outcome == BR_STORE_FAILED);
}

static void list_finish(struct br_store *s, struct br_store_job *job)
{
	const struct list *l = (const struct list *)job;
	struct br_store_row *row;

	(void)s;
	STAILQ_FOREACH(row, &job->rows, link)
	list_tell(l, &((struct subscription_row *)row)->sub);
	if (!job->more)
		list_tell(l, NULL);
}

static void list_release(struct br_store_job *job)
{
	prim_buf_fini(&((struct list *)job)->names);
}

static const struct br_store_work LIST = {
	.look = list_look,
	.finish = list_finish,
	.release = list_release,
};

void br_store_subscription_list(struct br_store *s,
    br_store_subscription_fn each, void *arg)
{
	struct list *l = prim_new(struct list);

	l->each = each;
	l->arg = arg;
	l->max = PAGE;
	br_store_take_look(s, &l->job, &LIST);
}

void br_store_subscription_page(struct br_store *s,
    const struct br_store_subscription_range *range,
    br_store_subscription_page_fn each, void *arg)
{
	struct list *l = prim_alloc(sizeof(*l) + range->key.len);
	char *room = l->octets;

	l->page = each;
	l->arg = arg;
	l->max = range->max;
	l->key = range->key;
	br_store_keep(&room, &l->key);
	if (range->after)
		list_go_behind(l, range->after);
	br_store_take_look(s, &l->job, &LIST);
}

/* ---- at start ---- */

static bool resident_tell(struct br_store_query *q, void *arg)
{
	const struct br_store_resident *each = arg;
	struct prim_slice key = br_store_take_slice(q);

	if (!br_store_key_ok(key))
		return false;
	each->principal(each->arg, key);
	return true;
}

static bool outgoing_tell(struct br_store_query *q, void *arg)
{
	const struct br_store_resident *each = arg;
	struct br_store_subscription sub;

	if (!br_store_subscription_take(q, &sub))
		return false;
	each->outgoing(each->arg, &sub);
	return true;
}

bool br_store_resident_each(struct br_store *s,
    const struct br_store_resident *each, struct br_err *err)
{
	struct br_store_resident copy = *each;
	const struct br_store_scan principals = {
		.file = BR_STORE_PRIMD,
		.statement = BR_SQL_RESIDENT_EACH,
		.row = resident_tell,
		.arg = &copy,
		.one = "the name of a presentity",
		.all = "who is present",
	};
	const struct br_store_scan outgoing = {
		.file = BR_STORE_PRIMD,
		.statement = BR_SQL_SUBSCRIPTION_OUTGOING,
		.row = outgoing_tell,
		.arg = &copy,
		.one = "a stored subscription",
		.all = "the subscriptions",
	};

	return br_store_scan(s, &principals, err) &&
	    br_store_scan(s, &outgoing, err);
}
