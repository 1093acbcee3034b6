/* SPDX-License-Identifier: ISC */
/* Links of identities, and in which order a principal is looked for. */

#include "bridge/store_private.h"

#include <string.h>

#include "prim/base.h"

struct link_write {
	struct br_store_write write;
	struct br_store_link link;
	char octets[];
};

struct order_write {
	struct br_store_write write;
	struct prim_slice principal, order;
	char octets[];
};

/* ---- a row ---- */

static void link_put(struct br_store_query *q, const struct br_store_link *link)
{
	br_store_put_text(q, link->principal);
	br_store_put_text(q, link->address);
	br_store_put_text(q, link->network);
	br_store_put_number(q, link->made_ms);
	br_store_put_number(q, link->verified_ms);
	br_store_put_text(q, link->how);
	br_store_put_octets(q, link->code_hash, sizeof(link->code_hash));
	br_store_put_octets(q, link->code_salt, sizeof(link->code_salt));
	br_store_put_number(q, link->code_expires_ms);
	br_store_put_number(q, link->code_tries);
	br_store_put_number(q, link->is_foreign_asking);
}

/* Valid until the next step. False: not what we stored. */
static bool link_take(struct br_store_query *q, struct br_store_link *out_link)
{
	struct br_store_link *link = out_link;
	bool has_code;

	link->principal = br_store_take_slice(q);
	link->address = br_store_take_slice(q);
	link->network = br_store_take_slice(q);
	link->made_ms = br_store_take_number(q);
	link->verified_ms = br_store_take_number(q);
	link->how = br_store_take_slice(q);
	has_code = br_store_take_octets(q, link->code_hash,
		       sizeof(link->code_hash)) &&
	    br_store_take_octets(q, link->code_salt, sizeof(link->code_salt));
	if (!has_code)
		return false;
	link->code_expires_ms = br_store_take_number(q);
	link->code_tries = (unsigned)br_store_take_number(q);
	link->is_foreign_asking = br_store_take_number(q) != 0;
	return br_store_key_ok(link->principal) &&
	    br_store_key_ok(link->address) && link->network.len > 0;
}

static bool account_find(struct br_store_db *db, struct prim_slice key,
    bool *out_found)
{
	struct br_store_query q = br_store_query(db, BR_SQL_ACCOUNT_FIND);
	int code;

	br_store_put_text(&q, key);
	code = br_store_query_step(&q);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return false;
	*out_found = code == SQLITE_ROW;
	br_store_query_end(&q);
	return true;
}

/* ---- links ---- */

static bool put_write(struct br_store_db *db, struct br_store_job *job)
{
	const struct br_store_link *link = &((struct link_write *)job)->link;
	struct br_store_query q = br_store_query(db, BR_SQL_LINK_PUT);
	bool has_account = false;

	link_put(&q, link);
	if (!br_store_query_run(&q))
		return false;
	job->outcome = BR_STORE_DONE;
	if (br_store_query_changes(&q) > 0)
		return true;
	if (!account_find(db, link->principal, &has_account))
		return false;
	job->outcome = has_account ? BR_STORE_EXISTS : BR_STORE_ABSENT;
	return true;
}

static bool order_set(struct br_store_db *db, struct prim_slice principal,
    struct prim_slice order)
{
	struct br_store_query q = br_store_query(db,
	    order.len ? BR_SQL_ORDER_PUT : BR_SQL_ORDER_DROP);

	br_store_put_text(&q, principal);
	if (order.len)
		br_store_put_text(&q, order);
	return br_store_query_run(&q);
}

void br_store_order_without(struct prim_buf *out, struct prim_slice order,
    struct prim_slice address)
{
	while (order.len) {
		struct prim_slice word = prim_slice_cut(&order, '\n');

		if (prim_slice_eq(word, address))
			continue;
		prim_buf_put(out, word);
		prim_buf_putc(out, '\n');
	}
}

/* Who is linked no longer has no place in the order either. */
static bool order_cut(struct br_store_db *db, struct prim_slice principal,
    struct prim_slice address)
{
	struct br_store_query q = br_store_query(db, BR_SQL_ORDER_FIND);
	struct prim_buf left = { 0 };
	bool fine;
	int code;

	br_store_put_text(&q, principal);
	code = br_store_query_step(&q);
	if (code == SQLITE_ROW)
		br_store_order_without(&left, br_store_take_slice(&q), address);
	if (code == SQLITE_ROW || code == SQLITE_DONE)
		br_store_query_end(&q);
	fine = code == SQLITE_DONE ||
	    (code == SQLITE_ROW &&
		order_set(db, principal, prim_buf_slice(&left)));
	prim_buf_fini(&left);
	return fine;
}

static bool drop_write(struct br_store_db *db, struct br_store_job *job)
{
	const struct br_store_link *link = &((struct link_write *)job)->link;
	struct br_store_query q = br_store_query(db, BR_SQL_LINK_DROP);

	br_store_put_text(&q, link->principal);
	br_store_put_text(&q, link->address);
	return br_store_query_run(&q) && br_store_changed(&q, job) &&
	    order_cut(db, link->principal, link->address);
}

static const struct br_store_work PUT = {
	.write = { [BR_STORE_PRIMD] = put_write },
	.finish = br_store_write_finish,
};
static const struct br_store_work DROP = {
	.write = { [BR_STORE_PRIMD] = drop_write },
	.finish = br_store_write_finish,
};

static struct br_store_job *link_new(const struct br_store_link *link,
    br_store_done_fn done, void *arg)
{
	struct link_write *w = prim_alloc(sizeof(*w) + link->principal.len +
	    link->address.len + link->network.len + link->how.len);
	char *room = w->octets;

	w->write.done = done;
	w->write.arg = arg;
	w->link = *link;
	br_store_keep(&room, &w->link.principal);
	br_store_keep(&room, &w->link.address);
	br_store_keep(&room, &w->link.network);
	br_store_keep(&room, &w->link.how);
	return &w->write.job;
}

void br_store_link_put(struct br_store *s, const struct br_store_link *link,
    br_store_done_fn done, void *arg)
{
	br_store_take_write(s, link_new(link, done, arg), &PUT);
}

void br_store_link_drop(struct br_store *s, struct prim_slice principal,
    struct prim_slice address, br_store_done_fn done, void *arg)
{
	const struct br_store_link link = { .principal = principal,
		.address = address };

	br_store_take_write(s, link_new(&link, done, arg), &DROP);
}

/* ---- order ---- */

static bool order_write(struct br_store_db *db, struct br_store_job *job)
{
	const struct order_write *w = (const struct order_write *)job;
	bool has_account = false;

	if (!account_find(db, w->principal, &has_account))
		return false;
	job->outcome = has_account ? BR_STORE_DONE : BR_STORE_ABSENT;
	return !has_account || order_set(db, w->principal, w->order);
}

static const struct br_store_work ORDER = {
	.write = { [BR_STORE_PRIMD] = order_write },
	.finish = br_store_write_finish,
};

void br_store_order_put(struct br_store *s, struct prim_slice principal,
    struct prim_slice order, br_store_done_fn done, void *arg)
{
	struct order_write *w = prim_alloc(sizeof(*w) + principal.len +
	    order.len);
	char *room = w->octets;

	w->write.done = done;
	w->write.arg = arg;
	w->principal = principal;
	w->order = order;
	br_store_keep(&room, &w->principal);
	br_store_keep(&room, &w->order);
	br_store_take_write(s, &w->write.job, &ORDER);
}

/* ---- the whole principal ---- */

static bool purge(struct br_store_db *db, enum br_store_statement statement,
    struct prim_slice key)
{
	struct br_store_query q = br_store_query(db, statement);

	br_store_put_text(&q, key);
	return br_store_query_run(&q);
}

bool br_store_links_purge(struct br_store_db *db, struct prim_slice key)
{
	return purge(db, BR_SQL_LINK_PURGE, key) &&
	    purge(db, BR_SQL_ORDER_DROP, key);
}

/* ---- at start ---- */

static bool link_tell(struct br_store_query *q, void *arg)
{
	const struct br_store_links *each = arg;
	struct br_store_link link;

	if (!link_take(q, &link))
		return false;
	each->link(each->arg, &link);
	return true;
}

static bool order_tell(struct br_store_query *q, void *arg)
{
	const struct br_store_links *each = arg;
	struct prim_slice principal = br_store_take_slice(q);
	struct prim_slice order = br_store_take_slice(q);

	if (!br_store_key_ok(principal) ||
	    !prim_slice_ends(order, PRIM_SLICE("\n")))
		return false;
	each->order(each->arg, principal, order);
	return true;
}

bool br_store_links_each(struct br_store *s, const struct br_store_links *each,
    struct br_err *err)
{
	struct br_store_links copy = *each;
	const struct br_store_scan links = {
		.file = BR_STORE_PRIMD,
		.statement = BR_SQL_LINK_EACH,
		.row = link_tell,
		.arg = &copy,
		.one = "a link",
		.all = "the links",
	};
	const struct br_store_scan orders = {
		.file = BR_STORE_PRIMD,
		.statement = BR_SQL_ORDER_EACH,
		.row = order_tell,
		.arg = &copy,
		.one = "the order of somebody's links",
		.all = "the orders of links",
	};

	return br_store_scan(s, &links, err) && br_store_scan(s, &orders, err);
}
