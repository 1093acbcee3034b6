/* SPDX-License-Identifier: ISC */
/*
 * A bit of queue.db flips while nobody looks. Whatever it hits, nobody gets
 * anything but what was stored: of the message that it hit the sender is told,
 * and all others are as they were. The file is never refused.
 *
 * And a disk that cannot read a page for a moment has damaged nothing.
 */

#include "tests/bridge/store_damage.h"

#include <errno.h>

#include "bridge/metric.h"
#include "tests/lib/random.h"

#define HARMED 2 /* as many messages can one bit hit */

/* ---- where it flips ---- */

enum place { FIRST, NODE, LEAF_HEAD, LEAF, OTHER, PLACES };

static const char *const PLACE_NAMES[PLACES] = {
	[FIRST] = "page of the schema",
	[NODE] = "page inside a tree",
	[LEAF_HEAD] = "head of a leaf",
	[LEAF] = "rows of a leaf",
	[OTHER] = "the rest of long rows",
};

static enum place place_of(size_t octet)
{
	const unsigned char *page = (const unsigned char *)queue.octets +
	    octet / PAGE * PAGE;
	unsigned cells = (unsigned)page[3] << 8 | page[4];

	if (octet < PAGE)
		return FIRST;
	if (page[0] == 0x02 || page[0] == 0x05)
		return NODE;
	if (page[0] != 0x0a && page[0] != 0x0d)
		return OTHER;
	return octet % PAGE < 8 + 2 * cells ? LEAF_HEAD : LEAF;
}

/* As it was, but for one bit. */
static void flip(struct world *w, uint64_t bit, struct sums *sums)
{
	const unsigned before = sums->worst;

	sums->worst = 0;
	queue.octets[bit / 8] ^= (char)(1 << bit % 8);
	queue_save(w);
	queue.octets[bit / 8] ^= (char)(1 << bit % 8);
	(void)damage_look(w, "bit", bit, sums);
	if (sums->worst > HARMED)
		fail_msg("bit %llu: %u messages are spoiled",
		    (unsigned long long)bit, sums->worst);
	if (before > sums->worst)
		sums->worst = before;
}

/* ---- the tests ---- */

/* Is it one that other rows depend on? */
static bool is_structure(size_t octet)
{
	const unsigned char *page = (const unsigned char *)queue.octets +
	    octet / PAGE * PAGE;
	unsigned at = (unsigned)(octet % PAGE);

	switch (place_of(octet)) {
	case FIRST:
		return at < 120 || at > 2000;
	case NODE:
		return at < 12 + 2 * ((unsigned)page[3] << 8 | page[4]) ||
		    at >= ((unsigned)page[5] << 8 | page[6]);
	case LEAF_HEAD:
		return true;
	case LEAF:
	case OTHER:
	case PLACES:
		break;
	}
	return false;
}

/* There are few of those, so every second one is. */
static uint64_t bit_choose(struct t_random *random, unsigned i)
{
	uint64_t bit;

	do
		bit = t_random_below(random, queue.len * 8);
	while (i % 2 == 0 && !is_structure(bit / 8));
	return bit;
}

static void a_flipped_bit_spoils_no_other_message(void **state)
{
	struct world *w = *state;
	unsigned count = getenv("PRIM_LONG") ? 10000 : 150;
	struct t_random random = { .state = 20261122 };
	struct sums sums[PLACES] = { { 0 } };
	unsigned told = 0, lost = 0, refused = 0;

	if (getenv("PRIM_RANDOM"))
		random.state = strtoull(getenv("PRIM_RANDOM"), NULL, 10);
	samples_store(w);
	world_close(w);
	image_load(&queue, queue_path(w, ""));
	for (unsigned i = 0; i < count; i++) {
		uint64_t bit = bit_choose(&random, i);

		flip(w, bit, &sums[place_of(bit / 8)]);
	}
	for (unsigned i = 0; i < PLACES; i++) {
		sums_print(PLACE_NAMES[i], &sums[i]);
		told += sums[i].told;
		lost += sums[i].lost;
		refused += sums[i].refused;
	}
	assert_true(told > 0);
	assert_int_equal(lost, 0);
	assert_int_equal(refused, 0);
	queue_save(w);
	world_open(w);
}

/* ---- a disk that does not answer ---- */

/* Of one kind of file; begins with what SQLite sees of it. */
struct deaf_methods {
	sqlite3_io_methods own;
	const sqlite3_io_methods *real;
};

static struct {
	sqlite3_vfs vfs;
	sqlite3_vfs *real;
	struct deaf_methods kinds[2]; /* the file, and what is beside it */
	volatile bool fails;
} deaf;

/* As SQLite does it. */
static int deaf_read(sqlite3_file *file, void *to, int len, sqlite3_int64 at)
{
	const struct deaf_methods *kind =
	    (const struct deaf_methods *)file->pMethods;

	if (!deaf.fails)
		return kind->real->xRead(file, to, len, at);
	errno = EIO;
	return SQLITE_IOERR_CORRUPTFS;
}

static int deaf_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file,
    int flags, int *out_flags)
{
	int code = deaf.real->xOpen(deaf.real, path, file, flags, out_flags);
	struct deaf_methods *kind =
	    &deaf.kinds[(flags & SQLITE_OPEN_MAIN_DB) != 0];

	(void)vfs;
	if (code != SQLITE_OK)
		return code;
	kind->real = file->pMethods;
	kind->own = *file->pMethods;
	kind->own.xRead = deaf_read;
	file->pMethods = &kind->own;
	return code;
}

static void deaf_install(void)
{
	deaf.real = sqlite3_vfs_find(NULL);
	deaf.vfs = *deaf.real;
	deaf.vfs.zName = "deaf";
	deaf.vfs.xOpen = deaf_open;
	assert_int_equal(sqlite3_vfs_register(&deaf.vfs, 1), SQLITE_OK);
}

static void expect_got(struct world *w, int64_t seq, bool is_there, bool failed)
{
	struct message_got got = { 0 };

	br_store_message_get(w->store, seq, on_message_got, &got);
	br_store_settle(w->store);
	assert_int_equal(got.calls, 1);
	assert_int_equal(got.is_there, is_there);
	assert_int_equal(got.failed, failed);
	prim_buf_fini(&got.content);
}

static void what_cannot_be_read_now_is_not_damaged(void **state)
{
	struct world *w = *state;

	samples_store(w);
	world_close(w);
	deaf_install();
	world_open(w);
	expect_got(w, 1, true, false);
	deaf.fails = true;
	expect_got(w, 35, false, true); /* it has pages of its own */
	expect_got(w, 60, false, true);
	deaf.fails = false;
	expect_got(w, 35, true, false);
	expect_got(w, 60, true, false);
	world_close(w);
	assert_int_equal(sqlite3_vfs_unregister(&deaf.vfs), SQLITE_OK);
	world_open(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_flipped_bit_spoils_no_other_message, world_set_up,
		    world_tear_down),
		cmocka_unit_test_setup_teardown(
		    what_cannot_be_read_now_is_not_damaged, world_set_up,
		    world_tear_down),
	};

	if (access("/dev/shm", W_OK) == 0)
		(void)setenv("TMPDIR", "/dev/shm", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
