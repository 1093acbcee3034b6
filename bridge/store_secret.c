/* SPDX-License-Identifier: ISC */
/*
 * The secret of the store, from which all its sums are made. With another one
 * everything would look damaged, so there are three copies of it, and a bit that
 * flips in one of them or in its name is outvoted. All three are on one page, so
 * there is a fourth in a file of its own: when no two of the three are left, it is
 * what counts.
 */

#include "bridge/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "prim/base.h"

#define LEN    BR_SECRET_LEN
#define COPIES BR_SECRETS

static const char *const NAMES[COPIES] = { "secret", "secret_2", "secret_3" };

static bool no_secret(struct br_store_db *db)
{
	db->reason = "its secret is damaged";
	return false;
}

void br_store_secret_take(struct br_store_secrets *c, struct prim_slice name,
    struct prim_slice octets)
{
	for (unsigned i = 0; i < COPIES; i++) {
		if (!prim_slice_eq(name, prim_slice_of(NAMES[i])))
			continue;
		c->is_any = true;
		if (octets.len != LEN)
			return;
		memcpy(c->octets[i], octets.ptr, LEN);
		c->count += !c->is_there[i];
		c->is_there[i] = true;
		return;
	}
}

/* All rows are looked at: a damaged name may hide others from a search. */
static bool copies_read(struct br_store_db *db, struct br_store_secrets *c)
{
	struct br_store_query q = br_store_query(db, BR_SQL_META_EACH);
	int code;

	while ((code = br_store_query_step(&q)) == SQLITE_ROW) {
		struct prim_slice name = br_store_take_slice(&q);

		br_store_secret_take(c, name, br_store_take_slice(&q));
	}
	if (code == SQLITE_DONE)
		br_store_query_end(&q);
	return code == SQLITE_DONE;
}

bool br_store_secret_write(struct br_store_db *db,
    const struct br_store_secrets *c, const uint8_t secret[LEN])
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

bool br_store_secret_vote(const struct br_store_secrets *c,
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
	/* The first versions had one. */
	if (c->count == 0 ||
	    (c->count == 1
		    ? !c->is_there[0]
		    : memcmp(c->octets[first], c->octets[last], LEN) != 0))
		return false;
	memcpy(out_secret, c->octets[first], LEN);
	return true;
}

/* ---- the file ---- */

static bool key_path(const struct br_store *s, char out_path[BR_STORE_PATH_MAX])
{
	int len = snprintf(out_path, BR_STORE_PATH_MAX, "%s/queue.key",
	    s->place.dir);

	return !s->place.memory && len > 0 && len + 8 < BR_STORE_PATH_MAX;
}

bool br_store_key_read(const char *path, uint8_t out_secret[LEN])
{
	uint8_t octets[LEN + 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t len;

	if (fd < 0)
		return false;
	len = read(fd, octets, sizeof(octets));
	close(fd);
	if (len == LEN)
		memcpy(out_secret, octets, LEN);
	explicit_bzero(octets, sizeof(octets));
	return len == LEN;
}

static bool key_write(const char *path, const uint8_t secret[LEN])
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	char part[BR_STORE_PATH_MAX + 8];
	bool fine;
	int fd;

	(void)snprintf(part, sizeof(part), "%s.new", path);
	(void)unlink(part);
	fd = open(part, flags, 0600);
	if (fd < 0)
		return false;
	fine = write(fd, secret, LEN) == LEN && fsync(fd) == 0;
	close(fd);
	if (!fine || rename(part, path) != 0) {
		(void)unlink(part);
		return false;
	}
	return br_store_copy_sync_folder(path, NULL);
}

/* It is only for the day of damage: without it all goes on. */
static void key_keep(struct br_store *s)
{
	char path[BR_STORE_PATH_MAX];
	uint8_t kept[LEN];
	bool is_kept;

	if (!key_path(s, path))
		return;
	is_kept = br_store_key_read(path, kept) &&
	    memcmp(kept, s->secret, LEN) == 0;
	explicit_bzero(kept, sizeof(kept));
	if (!is_kept && !key_write(path, s->secret))
		br_warn(&s->log, "cannot write %s: %s", path, strerror(errno));
}

/* ---- at start ---- */

/* The file is used where there was a secret, or something that is under it. */
static bool secret_find(struct br_store *s, struct br_store_db *db,
    const struct br_store_secrets *c)
{
	char path[BR_STORE_PATH_MAX];

	if (br_store_secret_vote(c, s->secret))
		return true;
	if (!c->is_any && secret_make(db, s->secret))
		return true;
	return (key_path(s, path) && br_store_key_read(path, s->secret)) ||
	    no_secret(db);
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

void br_store_keys_init(struct br_store_keys *keys, const uint8_t secret[LEN])
{
	keys->checksum = key_derive(secret, PRIM_SLICE("checksum"));
	keys->id = key_derive(secret, PRIM_SLICE("message-id"));
	br_message_keys_init(&keys->message, secret);
}

bool br_store_secret_load(struct br_store *s, struct br_err *err)
{
	struct br_store_db *db = &s->write[BR_STORE_QUEUE];
	struct br_store_secrets c = { .count = 0 };
	bool fine = copies_read(db, &c) && secret_find(s, db, &c) &&
	    br_store_secret_write(db, &c, s->secret);

	explicit_bzero(&c, sizeof(c));
	if (!fine)
		return br_err_set(err, "cannot use %s/queue.db: %s",
		    s->place.dir, db->reason);
	br_store_keys_init(&s->keys, s->secret);
	key_keep(s);
	return true;
}
