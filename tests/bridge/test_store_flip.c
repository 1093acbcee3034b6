/* SPDX-License-Identifier: ISC */
/*
 * A bit of queue.db flips while nobody looks. Whatever it hits, nobody gets
 * anything but what was stored: of the message that it hit the sender is told,
 * and all others are as they were. Or the file is refused as a whole, with a
 * sentence, and nothing is lost by that.
 *
 * And a disk that cannot read a page for a moment has damaged nothing.
 */

#include "tests/bridge/store_world.h"

#include <errno.h>

#include "bridge/metric.h"
#include "tests/lib/random.h"

#define NUMBERS  60
#define BODY_MAX 40000
#define HARMED   2 /* as many messages can one bit hit */
#define FILE_MAX (4 << 20)

/* What is stored, made anew from its number whenever it is compared. */
struct sample {
	struct br_store_message m;
	char id[32], sender[64], recipient[64], head[256], body[BODY_MAX];
};

static void sample_make(struct sample *s, unsigned number)
{
	static const size_t SIZES[] = { 40, 100, 300, 1000, 9000 };
	size_t len = SIZES[number % PRIM_COUNT(SIZES)] + number * 7;

	(void)snprintf(s->id, sizeof(s->id), "n%u", number);
	(void)snprintf(s->sender, sizeof(s->sender), "s%u@here.example",
	    number);
	(void)snprintf(s->recipient, sizeof(s->recipient), "r%u@here.example",
	    number);
	(void)snprintf(s->head, sizeof(s->head),
	    "From: im:%s\r\nTo: im:%s\r\nMessage-ID: %s\r\n", s->sender,
	    s->recipient, s->id);
	for (size_t i = 0; i < len; i++)
		s->body[i] = (char)('a' + (i * 31 + number * 7) % 26);
	s->m = message_make(number + 1, prim_slice_of(s->id));
	s->m.sender = prim_slice_of(s->sender);
	s->m.recipient = prim_slice_of(s->recipient);
	s->m.head = prim_slice_of(s->head);
	s->m.body = prim_slice_make(s->body, len);
}

/* ---- the file ---- */

static char octets[FILE_MAX];
static size_t octet_count;

static FILE *file_open(const struct world *w, const char *mode)
{
	char path[300];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/queue.db", w->dir);
	file = fopen(path, mode);
	assert_non_null(file);
	return file;
}

static void file_load(const struct world *w)
{
	FILE *file = file_open(w, "rb");

	octet_count = fread(octets, 1, sizeof(octets), file);
	assert_true(octet_count > 0 && octet_count < sizeof(octets));
	assert_int_equal(fclose(file), 0);
}

static void file_save(const struct world *w)
{
	static const char *const MORE[] = { "-wal", "-shm" };
	FILE *file;
	char path[300];

	for (unsigned i = 0; i < PRIM_COUNT(MORE); i++) {
		(void)snprintf(path, sizeof(path), "%s/queue.db%s", w->dir,
		    MORE[i]);
		(void)unlink(path);
	}
	file = file_open(w, "wb");
	assert_int_equal(fwrite(octets, 1, octet_count, file), octet_count);
	assert_int_equal(fclose(file), 0);
}

/* As it was, but for one bit. */
static void file_flip(const struct world *w, uint64_t bit)
{
	octets[bit / 8] ^= (char)(1 << bit % 8);
	file_save(w);
	octets[bit / 8] ^= (char)(1 << bit % 8);
}

/* ---- what is left ---- */

struct look {
	struct world *w;
	uint64_t bit;
	bool is_whole[NUMBERS], is_aside[NUMBERS], is_told[NUMBERS];
	unsigned seqs;
	int64_t seq[4 * NUMBERS];
};

static struct sample sample; /* large */

/* Everything of it must be as it was, or it must not be handed out at all. */
static void on_content(void *arg, const struct br_store_message *m, bool failed)
{
	struct look *look = arg;
	unsigned number;

	assert_false(failed);
	if (!m || m->is_notice)
		return;
	assert_true(m->seq >= 1 && m->seq <= NUMBERS);
	number = (unsigned)m->seq - 1;
	sample_make(&sample, number);
	if (!prim_slice_eq(m->body, sample.m.body) ||
	    !prim_slice_eq(m->head, sample.m.head) ||
	    !prim_slice_eq(m->recipient, sample.m.recipient) ||
	    !prim_slice_eq(m->sender, sample.m.sender) ||
	    !prim_slice_eq(m->message_id, sample.m.message_id) ||
	    !prim_slice_eq(m->destination, sample.m.destination) ||
	    m->expires_ms != sample.m.expires_ms)
		fail_msg("bit %llu: message %u is handed out, and is wrong",
		    (unsigned long long)look->bit, number);
	look->is_whole[number] = !m->is_quarantined;
}

static void on_row(void *arg, const struct br_store_message *m, bool failed)
{
	struct look *look = arg;

	assert_false(failed);
	if (m && look->seqs < PRIM_COUNT(look->seq))
		look->seq[look->seqs++] = m->seq;
}

static void on_aside(void *arg, const struct br_store_message *m, bool failed)
{
	struct look *look = arg;

	if (!m || failed || !m->is_quarantined)
		return;
	if (m->seq >= 1 && m->seq <= NUMBERS)
		look->is_aside[m->seq - 1] = true;
}

/* Whoever cannot be handed over is put aside, as the outbox does. */
static void put_aside(struct look *look, int64_t seq)
{
	const struct br_store_end end = end_make(500, "damaged");
	struct br_store *s = look->w->store;

	if (seq < 1 || seq > NUMBERS || look->is_whole[seq - 1])
		return;
	br_store_message_quarantine(s, seq, &end, NULL, NULL);
	br_store_settle(s);
}

static void on_told(void *arg, const struct br_store_message *m, bool failed)
{
	struct look *look = arg;

	(void)failed;
	for (unsigned i = 0; i < NUMBERS; i++) {
		sample_make(&sample, i);
		if (memcmp(&m->about, &sample.m.delivery, sizeof(m->about)) !=
		    0)
			continue;
		assert_false(look->is_told[i]);
		assert_true(prim_slice_eq(m->recipient, sample.m.sender));
		look->is_told[i] = true;
		return;
	}
	fail_msg("bit %llu: a notice about nothing",
	    (unsigned long long)look->bit);
}

static void look_through(struct look *look)
{
	struct br_store *s = look->w->store;

	br_store_on_notice(s, on_told, look);
	if (!br_store_message_each(s, on_row, look, NULL))
		return;
	br_store_settle(s);
	for (unsigned i = 0; i < look->seqs; i++)
		br_store_message_get(s, look->seq[i], on_content, look);
	br_store_settle(s);
	for (unsigned i = 0; i < look->seqs; i++)
		put_aside(look, look->seq[i]);
	br_store_message_page(s, 0, 4 * NUMBERS, on_aside, look);
	br_store_settle(s);
}

struct sums {
	unsigned refused, harmless, told, untold, lost;
};

/* Life goes on: one more comes and goes. */
static void expect_life(struct world *w)
{
	sample_make(&sample, NUMBERS);
	message_end(w, message_store(w, &sample.m).seq, 200, "delivered");
}

static void judge(const struct look *look, struct sums *sums)
{
	unsigned harmed = 0;

	for (unsigned i = 0; i < NUMBERS; i++) {
		if (look->is_whole[i]) {
			assert_false(look->is_told[i]);
			continue;
		}
		harmed++;
		if (look->is_told[i])
			sums->told++;
		else if (look->is_aside[i])
			sums->untold++;
		else
			sums->lost++;
	}
	if (harmed == 0)
		sums->harmless++;
	if (harmed > HARMED)
		fail_msg("bit %llu: %u messages are spoiled",
		    (unsigned long long)look->bit, harmed);
}

static struct look look; /* large */

static void flip(struct world *w, uint64_t bit, struct sums *sums)
{
	struct br_err err = { "" };

	memset(&look, 0, sizeof(look));
	look.w = w;
	look.bit = bit;
	file_flip(w, bit);
	w->base = event_base_new();
	w->store = br_store_open(w->base, w->dir, &err);
	if (w->store) {
		look_through(&look);
		judge(&look, sums);
		expect_life(w);
		w->store = br_store_close(w->store);
	} else {
		assert_true(strlen(err.text) > 20);
		assert_non_null(strstr(err.text, "queue.db"));
		sums->refused++;
	}
	event_base_free(w->base);
	w->base = NULL;
}

/* ---- the tests ---- */

static void fill(struct world *w)
{
	for (unsigned i = 0; i < NUMBERS; i++) {
		sample_make(&sample, i);
		assert_int_equal(message_store(w, &sample.m).seq, i + 1);
	}
}

static void a_flipped_bit_spoils_no_other_message(void **state)
{
	struct world *w = *state;
	unsigned count = getenv("PRIM_LONG") ? 10000 : 150;
	struct t_random random = { .state = 20261122 };
	struct sums sums = { 0 };

	if (getenv("PRIM_RANDOM"))
		random.state = strtoull(getenv("PRIM_RANDOM"), NULL, 10);
	fill(w);
	world_close(w);
	file_load(w);
	for (unsigned i = 0; i < count; i++)
		flip(w, t_random_below(&random, octet_count * 8), &sums);
	print_message("%u flips in %zu octets: %u harmless, %u files refused; "
		      "of the messages %u told, %u put aside untold, %u lost\n",
	    count, octet_count, sums.harmless, sums.refused, sums.told,
	    sums.untold, sums.lost);
	assert_true(sums.told > 0);
	assert_int_equal(sums.lost, 0);
	file_save(w);
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

	fill(w);
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
