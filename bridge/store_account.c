/* SPDX-License-Identifier: ISC */
/* Accounts. */

#include "bridge/stored.h"

#include <string.h>

#include "prim/base.h"

#define PAGE 256

/* A put or a new password: the account is copied behind the job. */
struct account_write {
	struct br_store_write write;
	struct br_store_account account;
	char octets[];
};

struct account_drop {
	struct br_store_write write;
	struct br_store_removal removal;
	char octets[];
};

/* Secrets that nobody needs any longer. */
struct account_purge {
	struct br_store_job job;
	br_store_purge_fn done;
	void *arg; /* borrowed */
	unsigned count;
};

/* A row on its way to the loop. */
struct account_row {
	struct br_store_row row;
	struct br_store_account account;
	char octets[];
};

/* One account or all. */
struct account_look {
	struct br_store_job job;
	br_store_account_fn found;
	void *arg; /* borrowed */
	char *key; /* owned; the one, or the last of the page */
	size_t key_len;
};

static size_t account_size(const struct br_store_account *account)
{
	return account->key.len + account->address.len +
	    account->cram_secret.len;
}

static void account_keep(struct br_store_account *account, char *room)
{
	br_store_keep(&room, &account->key);
	br_store_keep(&room, &account->address);
	br_store_keep(&room, &account->cram_secret);
}

/* ---- writes ---- */

static void verifier_put(struct br_store_query *q,
    const struct br_store_account *account)
{
	br_store_put_number(q, account->iterations);
	br_store_put_octets(q, account->salt, account->salt_len);
	br_store_put_octets(q, account->stored_key, BR_HASH_LEN);
	br_store_put_octets(q, account->server_key, BR_HASH_LEN);
	br_store_put_blob(q, account->cram_secret);
}

static bool put_write(struct br_store_db *db, struct br_store_job *job)
{
	const struct br_store_account *account =
	    &((struct account_write *)job)->account;
	struct br_store_query q = br_store_query(db, BR_SQL_ACCOUNT_PUT);

	br_store_put_text(&q, account->key);
	br_store_put_text(&q, account->address);
	verifier_put(&q, account);
	br_store_put_number(&q, account->created_ms);
	if (!br_store_query_run(&q))
		return false;
	job->outcome = br_store_query_changes(&q) ? BR_STORE_DONE
						  : BR_STORE_EXISTS;
	return true;
}

static bool passwd_write(struct br_store_db *db, struct br_store_job *job)
{
	const struct br_store_account *account =
	    &((struct account_write *)job)->account;
	struct br_store_query q = br_store_query(db, BR_SQL_ACCOUNT_PASSWD);

	br_store_put_text(&q, account->key);
	verifier_put(&q, account);
	return br_store_query_run(&q) && br_store_changed(&q, job);
}

static bool drop_write(struct br_store_db *db, struct br_store_job *job)
{
	const struct br_store_removal *r =
	    &((const struct account_drop *)job)->removal;
	const struct prim_slice key = r->key;
	struct br_store_query q;

	if (r->round != 1)
		return true;
	q = br_store_query(db, BR_SQL_ACCOUNT_DROP);
	br_store_put_text(&q, key);
	return br_store_query_run(&q) && br_store_changed(&q, job) &&
	    br_store_presence_purge(db, key) && br_store_links_purge(db, key);
}

/* For an absent account, too: an earlier removal may have failed half-way. */
static bool drop_write_queue(struct br_store_db *db, struct br_store_job *job)
{
	return br_store_removal_step(db, job,
	    &((struct account_drop *)job)->removal);
}

static void drop_finish(struct br_store *s, struct br_store_job *job)
{
	br_store_removal_next(&((struct account_drop *)job)->removal);
	if (!job->more)
		br_store_write_finish(s, job);
}

static bool purge_write(struct br_store_db *db, struct br_store_job *job)
{
	struct br_store_query q = br_store_query(db, BR_SQL_ACCOUNT_PURGE);

	if (!br_store_query_run(&q))
		return false;
	((struct account_purge *)job)->count =
	    (unsigned)br_store_query_changes(&q);
	job->outcome = BR_STORE_DONE;
	return true;
}

static void purge_finish(struct br_store *s, struct br_store_job *job)
{
	const struct account_purge *p = (const struct account_purge *)job;

	(void)s;
	p->done(p->arg, job->outcome, p->count);
}

static const struct br_store_work PUT = {
	.write = { [BR_STORE_PRIMD] = put_write },
	.finish = br_store_write_finish,
};
static const struct br_store_work PASSWD = {
	.write = { [BR_STORE_PRIMD] = passwd_write },
	.finish = br_store_write_finish,
};
static const struct br_store_work DROP = {
	.write = {[BR_STORE_PRIMD] = drop_write,
		  [BR_STORE_QUEUE] = drop_write_queue},
	.finish = drop_finish,
};
static const struct br_store_work PURGE = {
	.write = { [BR_STORE_PRIMD] = purge_write },
	.scrubs = true,
	.finish = purge_finish,
};

static struct br_store_job *write_new(const struct br_store_account *account,
    br_store_done_fn done, void *arg)
{
	struct account_write *w = prim_alloc(sizeof(*w) +
	    account_size(account));

	w->write.done = done;
	w->write.arg = arg;
	w->account = *account;
	account_keep(&w->account, w->octets);
	return &w->write.job;
}

void br_store_account_put(struct br_store *s,
    const struct br_store_account *account, br_store_done_fn done, void *arg)
{
	br_store_take_write(s, write_new(account, done, arg), &PUT);
}

void br_store_account_passwd(struct br_store *s,
    const struct br_store_account *account, br_store_done_fn done, void *arg)
{
	br_store_take_write(s, write_new(account, done, arg), &PASSWD);
}

void br_store_account_drop(struct br_store *s, struct prim_slice key,
    br_store_done_fn done, void *arg)
{
	struct account_drop *d = prim_alloc(sizeof(*d) + key.len);
	char *room = d->octets;

	d->write.done = done;
	d->write.arg = arg;
	d->removal.key = key;
	br_store_keep(&room, &d->removal.key);
	br_store_take_write(s, &d->write.job, &DROP);
}

void br_store_account_purge(struct br_store *s, br_store_purge_fn done,
    void *arg)
{
	struct account_purge *p = prim_new(struct account_purge);

	p->done = done;
	p->arg = arg;
	br_store_take_write(s, &p->job, &PURGE);
}

/* ---- look-ups ---- */

bool br_store_account_take(struct br_store_query *q,
    struct br_store_account *out_account)
{
	struct br_store_account *a = out_account;
	struct prim_slice salt;
	bool fine;

	memset(a, 0, sizeof(*a));
	a->key = br_store_take_slice(q);
	a->address = br_store_take_slice(q);
	a->iterations = (uint32_t)br_store_take_number(q);
	salt = br_store_take_slice(q);
	fine = salt.len <= BR_SALT_MAX &&
	    br_store_take_octets(q, a->stored_key, BR_HASH_LEN) &&
	    br_store_take_octets(q, a->server_key, BR_HASH_LEN);
	if (!fine)
		return false;
	a->salt_len = (uint8_t)salt.len;
	if (salt.len)
		memcpy(a->salt, salt.ptr, salt.len);
	a->cram_secret = br_store_take_slice(q);
	a->created_ms = br_store_take_number(q);
	return true;
}

static struct account_row *row_add(struct br_store_query *q,
    struct br_store_job *job)
{
	struct br_store_account account;
	struct account_row *row;

	if (!br_store_account_take(q, &account)) {
		q->db->reason = "an account is damaged";
		return NULL;
	}
	row = prim_alloc(sizeof(*row) + account_size(&account));
	row->account = account;
	account_keep(&row->account, row->octets);
	STAILQ_INSERT_TAIL(&job->rows, &row->row, link);
	return row;
}

static bool find_look(struct br_store_db *dbs, struct br_store_job *job)
{
	const struct account_look *l = (const struct account_look *)job;
	struct br_store_query q = br_store_query(&dbs[BR_STORE_PRIMD],
	    BR_SQL_ACCOUNT_FIND);
	int code;
	bool fine;

	br_store_put_text(&q, prim_slice_make(l->key, l->key_len));
	code = br_store_query_step(&q);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return false;
	fine = code == SQLITE_DONE || row_add(&q, job);
	br_store_query_end(&q);
	return fine;
}

/* The next page begins behind the last key of this one. */
static void page_end(struct account_look *l, const struct account_row *last)
{
	prim_free(l->key);
	l->key = prim_slice_copy(last->account.key);
	l->key_len = last->account.key.len;
	l->job.more = true;
}

static bool list_look(struct br_store_db *dbs, struct br_store_job *job)
{
	struct account_look *l = (struct account_look *)job;
	struct br_store_query q = br_store_query(&dbs[BR_STORE_PRIMD],
	    BR_SQL_ACCOUNT_LIST);
	const struct account_row *last = NULL;
	size_t count = 0;
	int code;

	br_store_put_text(&q, prim_slice_make(l->key, l->key_len));
	br_store_put_number(&q, PAGE);
	while ((code = br_store_query_step(&q)) == SQLITE_ROW) {
		last = row_add(&q, job);
		if (!last)
			break;
		count++;
	}
	if (code == SQLITE_ROW || code == SQLITE_DONE)
		br_store_query_end(&q);
	if (count == PAGE)
		page_end(l, last);
	return code == SQLITE_DONE;
}

static void rows_tell(const struct account_look *l)
{
	struct br_store_row *row;

	STAILQ_FOREACH(row, &l->job.rows, link)
	l->found(l->arg, &((struct account_row *)row)->account, false);
}

static void find_finish(struct br_store *s, struct br_store_job *job)
{
	const struct account_look *l = (const struct account_look *)job;

	(void)s;
	if (STAILQ_EMPTY(&job->rows))
		l->found(l->arg, NULL, job->outcome == BR_STORE_FAILED);
	else
		rows_tell(l);
}

static void list_finish(struct br_store *s, struct br_store_job *job)
{
	const struct account_look *l = (const struct account_look *)job;

	(void)s;
	rows_tell(l);
	if (!job->more)
		l->found(l->arg, NULL, job->outcome == BR_STORE_FAILED);
}

static void look_release(struct br_store_job *job)
{
	prim_free(((struct account_look *)job)->key);
}

static const struct br_store_work FIND = {
	.look = find_look,
	.finish = find_finish,
	.release = look_release,
};
static const struct br_store_work LIST = {
	.look = list_look,
	.finish = list_finish,
	.release = look_release,
};

static struct br_store_job *look_new(struct prim_slice key,
    br_store_account_fn found, void *arg)
{
	struct account_look *l = prim_new(struct account_look);

	l->found = found;
	l->arg = arg;
	l->key = prim_slice_copy(key);
	l->key_len = key.len;
	return &l->job;
}

void br_store_account_find(struct br_store *s, struct prim_slice key,
    br_store_account_fn found, void *arg)
{
	br_store_take_look(s, look_new(key, found, arg), &FIND);
}

void br_store_account_list(struct br_store *s, br_store_account_fn each,
    void *arg)
{
	br_store_take_look(s, look_new(PRIM_SLICE_NONE, each, arg), &LIST);
}
