/* SPDX-License-Identifier: ISC */
/* What the schema step of a queue.db of the first version leaves to do: the sums
 * of its messages, which SQL cannot make, and who is to write their notices. */

#include "bridge/stored.h"

#include <string.h>

#include "bridge/destination.h"
#include "bridge/message.h"
#include "prim/base.h"

/* ---- as the first version had it ---- */

static void feed_number(struct prim_hasher *h, int64_t value)
{
	prim_hasher_feed(h,
	    prim_slice_make((const char *)&value, sizeof(value)));
}

static void feed_digest(struct prim_hasher *h, const struct prim_digest *d)
{
	prim_hasher_feed(h,
	    prim_slice_make((const char *)d->octets, sizeof(d->octets)));
}

static int64_t old_sum(const struct br_store_db *db,
    const struct br_store_message *m)
{
	struct prim_hasher h;
	struct prim_digest digest;
	int64_t sum;

	prim_hasher_init(&h, &db->keys->checksum);
	feed_digest(&h, &m->key);
	feed_digest(&h, &m->lane);
	feed_number(&h, (int64_t)m->content_hash);
	prim_hasher_feed_field(&h, m->destination);
	prim_hasher_feed_field(&h, m->origin);
	prim_hasher_feed_field(&h, m->sender);
	prim_hasher_feed_field(&h, m->recipient);
	prim_hasher_feed_field(&h, m->message_id);
	prim_hasher_feed_field(&h, m->return_token);
	prim_hasher_feed_field(&h, m->head);
	prim_hasher_feed_field(&h, m->body);
	feed_number(&h, m->hops);
	feed_number(&h, m->accepted_ms);
	feed_number(&h, m->expires_ms);
	digest = prim_hasher_digest(&h);
	memcpy(&sum, digest.octets, sizeof(sum));
	return sum;
}

/* ---- made anew ---- */

static struct prim_digest delivery_of(const struct br_store_db *db,
    const struct br_store_message *m)
{
	struct prim_hasher h;

	prim_hasher_init(&h, &db->keys->message.delivery);
	feed_digest(&h, &m->key);
	return prim_hasher_digest(&h);
}

/* We serve whose inbox it is, or who sent it as a client. */
static struct prim_slice notice_from(struct prim_buf *b,
    const struct br_store_message *m)
{
	struct prim_slice key = PRIM_SLICE_NONE;

	if (br_destination_is_inbox(m->destination))
		key = m->recipient;
	else if (prim_slice_eq(m->origin, PRIM_SLICE(BR_ORIGIN_CLIENT)))
		key = m->sender;
	prim_buf_reset(b);
	if (!key.len)
		return PRIM_SLICE_NONE;
	prim_buf_puts(b, "im:" BR_POSTMASTER "@");
	prim_buf_put(b,
	    prim_slice_from(key, (size_t)(prim_slice_find_last(key, '@') + 1)));
	return prim_buf_slice(b);
}

static bool row_write(struct br_store_db *db, struct br_stored *st)
{
	struct br_store_query q = br_store_query(db, BR_SQL_MESSAGE_UPGRADE);
	struct br_store_message *m = &st->m;

	m->delivery = delivery_of(db, m);
	m->notice_from = notice_from(&db->scratch, m);
	br_store_put_number(&q, m->seq);
	br_store_put_octets(&q, m->delivery.octets, PRIM_DIGEST_LEN);
	br_store_put_text(&q, m->notice_from);
	br_store_put_number(&q, br_store_sum_envelope(db, m));
	br_store_put_number(&q, br_store_sum_state(db, st));
	if (!br_store_query_run(&q))
		return false;
	q = br_store_query(db, BR_SQL_CONTENT_SUM);
	br_store_put_number(&q, m->seq);
	br_store_put_number(&q, br_store_sum_content(db, m));
	return br_store_query_run(&q);
}

/* A damaged one keeps sums that are wrong. */
static bool row_upgrade(struct br_store_db *db, int64_t seq)
{
	struct br_store_query q = br_store_query(db, BR_SQL_MESSAGE_GET);
	struct br_stored st;
	bool fine = true;
	int64_t sum;

	br_store_put_number(&q, seq);
	if (br_store_query_step(&q) != SQLITE_ROW)
		return false;
	br_stored_take(&q, &st);
	sum = br_store_take_number(&q);
	st.m.head = br_store_take_slice(&q);
	st.m.body = br_store_take_slice(&q);
	if (sum == old_sum(db, &st.m))
		fine = row_write(db, &st);
	br_store_query_end(&q);
	return fine;
}

/* False: failed. `*seq` moves on to the next row, or is INT64_MAX. */
static bool row_next(struct br_store_db *db, int64_t *seq)
{
	struct br_store_query q = br_store_query(db, BR_SQL_MESSAGE_STEP);
	int code;

	br_store_put_number(&q, *seq);
	br_store_put_number(&q, 0);
	code = br_store_query_step(&q);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return false;
	*seq = code == SQLITE_ROW ? br_store_take_number(&q) : INT64_MAX;
	br_store_query_end(&q);
	return true;
}

static bool upgrade(struct br_store_db *db)
{
	struct br_store_query q;
	int64_t seq = 0;
	bool fine;

	if (!br_store_db_begin(db))
		return false;
	fine = row_next(db, &seq);
	while (fine && seq < INT64_MAX)
		fine = row_upgrade(db, seq) && row_next(db, &seq);
	q = br_store_query(db, BR_SQL_META_DROP);
	br_store_put_text(&q, PRIM_SLICE("upgrade"));
	if (fine && br_store_query_run(&q) && br_store_db_commit(db))
		return true;
	br_store_db_rollback(db);
	return false;
}

/* ---- at start ---- */

static bool is_due(struct br_store_db *db, bool *out_due)
{
	struct br_store_query q = br_store_query(db, BR_SQL_META_FIND);
	int code;

	br_store_put_text(&q, PRIM_SLICE("upgrade"));
	code = br_store_query_step(&q);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return false;
	*out_due = code == SQLITE_ROW;
	br_store_query_end(&q);
	return true;
}

static bool seq_find(struct br_store_db *db)
{
	struct br_store_query q = br_store_query(db, BR_SQL_SEQ_LAST);

	if (br_store_query_step(&q) != SQLITE_ROW)
		return false;
	db->seq = br_store_take_number(&q);
	br_store_query_end(&q);
	return true;
}

bool br_store_upgrade(struct br_store *s, struct br_err *err)
{
	struct br_store_db *db = &s->write[BR_STORE_QUEUE];
	bool due = false;

	return (is_due(db, &due) && (!due || upgrade(db)) && seq_find(db)) ||
	    br_err_set(err, "cannot use %s/queue.db: %s", s->place.dir,
		db->reason);
}
