/* SPDX-License-Identifier: ISC */
/*
 * The secret of the store, from which all its sums are made. With another one
 * everything would look damaged, so there are three copies of it, and a bit that
 * flips in one of them or in its name is outvoted.
 */

#include "bridge/store_private.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "prim/base.h"

#define LEN    32
#define COPIES 3

static const char *const NAMES[COPIES] = { "secret", "secret_2", "secret_3" };

struct copies {
	bool is_there[COPIES]; /* and as long as it must be */
	uint8_t octets[COPIES][LEN];
	unsigned count;
	bool is_any; /* or one was there, and is damaged */
};

static bool no_secret(struct br_store_db *db)
{
	db->reason = "its secret is damaged";
	return false;
}

static void copy_take(struct br_store_query *q, struct copies *c)
{
	struct prim_slice name = br_store_take_slice(q);

	for (unsigned i = 0; i < COPIES; i++) {
		if (!prim_slice_eq(name, prim_slice_of(NAMES[i])))
			continue;
		c->is_any = true;
		c->is_there[i] = br_store_take_octets(q, c->octets[i], LEN);
		c->count += c->is_there[i];
		return;
	}
}

/* All rows are looked at: a damaged name may hide others from a search. */
static bool copies_read(struct br_store_db *db, struct copies *c)
{
	struct br_store_query q = br_store_query(db, BR_SQL_META_EACH);
	int code;

	while ((code = br_store_query_step(&q)) == SQLITE_ROW)
		copy_take(&q, c);
	if (code == SQLITE_DONE)
		br_store_query_end(&q);
	return code == SQLITE_DONE;
}

static bool copies_write(struct br_store_db *db, const struct copies *c,
    const uint8_t secret[LEN])
{
	for (unsigned i = 0; i < COPIES; i++) {
		struct br_store_query q;

		if (c->is_there[i] && memcmp(c->octets[i], secret, LEN) == 0)
			continue;
		q = br_store_query(db, BR_SQL_META_PUT);
		br_store_put_text(&q, prim_slice_of(NAMES[i]));
		br_store_put_octets(&q, secret, LEN);
		if (!br_store_query_run(&q))
			return false;
	}
	return true;
}

/* Nothing was stored yet whose sums would be lost with it. */
static bool secret_make(struct br_store_db *db, uint8_t out_secret[LEN])
{
	struct br_store_query q = br_store_query(db, BR_SQL_SEQ_LAST);
	bool is_new;

	if (br_store_query_step(&q) != SQLITE_ROW)
		return false;
	is_new = br_store_take_number(&q) == 0;
	br_store_query_end(&q);
	if (!is_new)
		return no_secret(db);
	if (getrandom(out_secret, LEN, 0) == LEN)
		return true;
	db->reason = strerror(errno);
	return false;
}

static bool vote(struct br_store_db *db, const struct copies *c,
    uint8_t out_secret[LEN])
{
	const uint8_t *a = c->octets[0], *b = c->octets[1], *d = c->octets[2];
	unsigned first = c->is_there[0] ? 0 : 1;
	unsigned last = c->is_there[2] ? 2 : 1;

	if (c->count == COPIES) {
		for (unsigned i = 0; i < LEN; i++)
			out_secret[i] = (uint8_t)((a[i] & b[i]) |
			    (b[i] & d[i]) | (a[i] & d[i]));
		return true;
	}
	if (c->count == 0)
		return c->is_any ? no_secret(db) : secret_make(db, out_secret);
	/* The first versions had one. */
	if (c->count == 1 ? !c->is_there[0]
			  : memcmp(c->octets[first], c->octets[last], LEN) != 0)
		return no_secret(db);
	memcpy(out_secret, c->octets[first], LEN);
	return true;
}

static struct prim_hash_key key_derive(const uint8_t secret[LEN],
    struct prim_slice purpose)
{
	struct prim_hash_key key = prim_hash_key_from(secret);
	struct prim_hasher h;
	struct prim_digest digest;

	prim_hasher_init(&h, &key);
	prim_hasher_feed_field(&h, purpose);
	prim_hasher_feed(&h, prim_slice_make((const char *)secret + 16, 16));
	digest = prim_hasher_digest(&h);
	return prim_hash_key_from(digest.octets);
}

bool br_store_secret_load(struct br_store *s, struct br_err *err)
{
	struct br_store_db *db = &s->write[BR_STORE_QUEUE];
	struct copies c = { .count = 0 };
	bool fine = copies_read(db, &c) && vote(db, &c, s->secret) &&
	    copies_write(db, &c, s->secret);

	explicit_bzero(&c, sizeof(c));
	if (!fine)
		return br_err_set(err, "cannot use %s/queue.db: %s",
		    s->place.dir, db->reason);
	s->keys.checksum = key_derive(s->secret, PRIM_SLICE("checksum"));
	s->keys.id = key_derive(s->secret, PRIM_SLICE("message-id"));
	br_message_keys_init(&s->keys.message, s->secret);
	return true;
}
