/* SPDX-License-Identifier: ISC */
/* All that makes a principal resident, in one look. */

#include "bridge/store_private.h"

#include "prim/base.h"

/* What was found grows here, and its slices are set when it grows no more:
 * strings stand in `text` in the order in which they were found. */
struct principal_look {
	struct br_store_job job;
	br_store_principal_fn found;
	void *arg; /* borrowed */
	bool is_there;
	struct br_store_account account;
	struct prim_buf values;        /* owned: struct br_store_value */
	struct prim_buf subscriptions; /* owned: struct br_store_subscription */
	struct prim_buf text;          /* owned */
	struct prim_slice key;
	char octets[];
};

static void append(struct prim_buf *b, const void *what, size_t len)
{
	prim_buf_put(b, prim_slice_make(what, len));
}

static struct br_store_value *values_of(const struct principal_look *l)
{
	return (struct br_store_value *)(void *)l->values.ptr;
}

static size_t value_count(const struct principal_look *l)
{
	return l->values.len / sizeof(struct br_store_value);
}

static struct br_store_subscription *
subscriptions_of(const struct principal_look *l)
{
	return (struct br_store_subscription *)(void *)l->subscriptions.ptr;
}

static size_t subscription_count(const struct principal_look *l)
{
	return l->subscriptions.len / sizeof(struct br_store_subscription);
}

/* A failed look may be asked again. */
static void look_reset(struct principal_look *l)
{
	l->is_there = false;
	prim_buf_reset(&l->values);
	prim_buf_reset(&l->subscriptions);
	prim_buf_reset(&l->text);
}

/* ---- what is found ---- */

static void account_put(struct principal_look *l,
    const struct br_store_account *account)
{
	l->is_there = true;
	l->account = *account;
	prim_buf_put(&l->text, account->key);
	prim_buf_put(&l->text, account->address);
	prim_buf_put(&l->text, account->cram_secret);
}

static bool account_look(struct br_store_db *db, struct principal_look *l)
{
	struct br_store_query q = br_store_query(db, BR_SQL_ACCOUNT_FIND);
	struct br_store_account account;
	bool fine = true;
	int code;

	br_store_put_text(&q, l->key);
	code = br_store_query_step(&q);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return false;
	if (code == SQLITE_ROW) {
		fine = br_store_account_take(&q, &account);
		if (fine)
			account_put(l, &account);
		else
			db->reason = "an account is damaged";
	}
	br_store_query_end(&q);
	return fine;
}

/* False: not what we stored: a lease without an end, or an end without one. */
static bool value_put(struct br_store_query *q, struct principal_look *l)
{
	struct br_store_value v = { .presentity = l->key };
	bool has_end;

	v.tuple_id = br_store_take_slice(q);
	v.type = br_store_take_slice(q);
	v.body = br_store_take_slice(q);
	v.is_lease = br_store_take_number(q) != 0;
	v.at_ms = br_store_take_number(q);
	v.expires_ms = br_store_take_number(q);
	v.row = br_store_take_number(q);
	has_end = br_store_take_number(q) != 0;
	if (v.tuple_id.len == 0 || v.is_lease != has_end)
		return false;
	append(&l->values, &v, sizeof(v));
	prim_buf_put(&l->text, v.tuple_id);
	prim_buf_put(&l->text, v.type);
	prim_buf_put(&l->text, v.body);
	return true;
}

static bool subscription_put(struct br_store_query *q, struct principal_look *l)
{
	struct br_store_subscription sub;

	if (!br_store_subscription_take(q, &sub))
		return false;
	append(&l->subscriptions, &sub, sizeof(sub));
	prim_buf_put(&l->text, sub.watcher);
	prim_buf_put(&l->text, sub.presentity);
	prim_buf_put(&l->text, sub.watcher_address);
	prim_buf_put(&l->text, sub.presentity_address);
	prim_buf_put(&l->text, sub.id);
	return true;
}

static bool rows_look(struct br_store_query *q, struct principal_look *l,
    bool (*put)(struct br_store_query *q, struct principal_look *l),
    const char *damage)
{
	int code;

	br_store_put_text(q, l->key);
	while ((code = br_store_query_step(q)) == SQLITE_ROW)
		if (!put(q, l))
			q->db->reason = damage;
	if (code == SQLITE_DONE)
		br_store_query_end(q);
	return code == SQLITE_DONE;
}

static bool presence_look(struct br_store_db *db, struct principal_look *l)
{
	struct br_store_query values = br_store_query(db, BR_SQL_VALUE_LIST);
	struct br_store_query watchers = br_store_query(db,
	    BR_SQL_SUBSCRIPTION_TO);

	return rows_look(&values, l, value_put,
		   "a stored presence is damaged") &&
	    rows_look(&watchers, l, subscription_put,
		"a stored subscription is damaged");
}

/* ---- the job ---- */

/* As br_store_keep() does, but the octets are there already. */
static void lend(char **at, struct prim_slice *slice)
{
	slice->ptr = *at;
	*at += slice->len;
}

static void slices_set(struct principal_look *l)
{
	char *at = l->text.ptr;

	lend(&at, &l->account.key);
	lend(&at, &l->account.address);
	lend(&at, &l->account.cram_secret);
	for (size_t i = 0; i < value_count(l); i++) {
		struct br_store_value *v = &values_of(l)[i];

		lend(&at, &v->tuple_id);
		lend(&at, &v->type);
		lend(&at, &v->body);
	}
	for (size_t i = 0; i < subscription_count(l); i++) {
		struct br_store_subscription *sub = &subscriptions_of(l)[i];

		lend(&at, &sub->watcher);
		lend(&at, &sub->presentity);
		lend(&at, &sub->watcher_address);
		lend(&at, &sub->presentity_address);
		lend(&at, &sub->id);
	}
}

/* In one transaction: an account without what was dropped together with it is
 * never seen. */
static bool principal_look(struct br_store_db *dbs, struct br_store_job *job)
{
	struct principal_look *l = (struct principal_look *)job;
	struct br_store_db *db = &dbs[BR_STORE_PRIMD];
	bool fine;

	look_reset(l);
	if (!br_store_db_snapshot(db))
		return false;
	fine = account_look(db, l) && (!l->is_there || presence_look(db, l));
	if (!fine || !br_store_db_commit(db)) {
		br_store_db_rollback(db);
		return false;
	}
	if (l->is_there)
		slices_set(l);
	return true;
}

static void principal_finish(struct br_store *s, struct br_store_job *job)
{
	const struct principal_look *l = (const struct principal_look *)job;
	const struct br_store_principal p = {
		.account = l->is_there ? &l->account : NULL,
		.values = values_of(l),
		.value_count = value_count(l),
		.subscriptions = subscriptions_of(l),
		.subscription_count = subscription_count(l),
	};
	bool failed = job->outcome == BR_STORE_FAILED;

	(void)s;
	l->found(l->arg, failed ? NULL : &p, failed);
}

static void principal_release(struct br_store_job *job)
{
	struct principal_look *l = (struct principal_look *)job;

	prim_buf_fini(&l->values);
	prim_buf_fini(&l->subscriptions);
	prim_buf_fini(&l->text);
}

static const struct br_store_work FIND = {
	.look = principal_look,
	.finish = principal_finish,
	.release = principal_release,
};

void br_store_principal_find(struct br_store *s, struct prim_slice key,
    br_store_principal_fn found, void *arg)
{
	struct principal_look *l = prim_alloc(sizeof(*l) + key.len);
	char *room = l->octets;

	l->found = found;
	l->arg = arg;
	l->key = key;
	br_store_keep(&room, &l->key);
	br_store_take_look(s, &l->job, &FIND);
}
