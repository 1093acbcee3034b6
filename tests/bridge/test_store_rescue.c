/* SPDX-License-Identifier: ISC */
/* What a salvage brings over from a damaged queue.db, and what it must not. */

#include "tests/bridge/store_damage.h"

#define ENDED 400 /* messages that came and went */

static struct image wal, was;

/* ---- a store with a past ---- */

static void end_all(struct world *w, const int64_t *seq, unsigned from,
    unsigned step)
{
	for (unsigned i = from; i < ENDED; i += step)
		message_end(w, seq[i], 200, "delivered");
}

/* The first NUMBERS wait. The others have ended, in two rounds, so that pages
 * were merged and freed with images of rows that lived on elsewhere. */
static void fill(struct world *w)
{
	static int64_t seq[ENDED];

	samples_store(w);
	for (unsigned i = 0; i < ENDED; i++) {
		sample_make(&sample, NUMBERS + 1 + i);
		seq[i] = message_store(w, &sample.m).seq;
	}
	end_all(w, seq, 0, 2);
	end_all(w, seq, 1, 2);
}

static void save_and_close(struct world *w)
{
	world_close(w);
	image_load(&queue, queue_path(w, ""));
	was = queue;
}

static void page_zero(size_t number)
{
	memset(queue.octets + number * PAGE, 0, PAGE);
}

static unsigned whole_count(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < NUMBERS; i++)
		count += look.is_whole[i];
	return count;
}

/* ---- what has ended ---- */

static void on_waiting(void *arg, const struct br_store_message *m, bool failed)
{
	unsigned *back = arg;

	assert_false(failed);
	*back += !m->is_notice && m->seq > NUMBERS;
}

/* Nothing is known any more of what was delivered long ago; only images of it
 * are left, on pages that nobody uses. */
static void what_ended_long_ago_stays_away_whatever_page_is_lost(void **state)
{
	struct world *w = *state;
	unsigned worst = 0;

	fill(w);
	br_store_expire(w->store, INT64_MAX / 2);
	br_store_settle(w->store);
	save_and_close(w);
	for (size_t i = 0; i < was.len / PAGE; i++) {
		unsigned back = 0;

		page_zero(i);
		queue_save(w);
		world_open(w);
		assert_true(br_store_message_each(w->store, on_waiting, &back,
		    NULL));
		world_close(w);
		if (back)
			print_message("page %zu: %u came back\n", i, back);
		worst = back > worst ? back : worst;
		(void)kept_sweep(w);
		queue = was;
	}
	assert_int_equal(worst, 0);
	world_open(w);
}

/* ---- the file is gone, and its log is there ---- */

static void a_lost_file_leaves_what_its_log_has(void **state)
{
	struct world *w = *state;
	struct sums sums = { 0 };

	samples_store(w);
	image_load(&wal, queue_path(w, "-wal"));
	world_close(w);
	for (unsigned i = 0; i < 2; i++) {
		queue.len = 0;
		queue_save(w);
		if (i == 1)
			assert_int_equal(unlink(queue_path(w, "")), 0);
		image_save(&wal, queue_path(w, "-wal"));
		assert_true(damage_look(w, "lost file", i, &sums));
		assert_int_equal(whole_count(), NUMBERS);
	}
	assert_int_equal(sums.salvaged, 2);
	world_open(w);
}

/* ---- duplicates ---- */

/* The pages of `table` that have its rows. */
static size_t pages_of(struct world *w, const char *table, size_t *out_pages,
    size_t max)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *sql = NULL;
	size_t count = 0;

	assert_int_equal(sqlite3_open(queue_path(w, ""), &sql), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(sql,
			     "SELECT pageno - 1 FROM dbstat WHERE name = ?1"
			     " AND pagetype = 'leaf'",
			     -1, &st, NULL),
	    SQLITE_OK);
	(void)sqlite3_bind_text(st, 1, table, -1, SQLITE_STATIC);
	while (count < max && sqlite3_step(st) == SQLITE_ROW)
		out_pages[count++] = (size_t)sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(sql);
	return count;
}

/* What has ended is recognised when it comes again, whichever page is lost that
 * has only keys; what it said is not compared any more. */
static void a_lost_page_of_keys_forgets_no_key(void **state)
{
	struct world *w = *state;
	size_t pages[16], count;

	fill(w);
	save_and_close(w);
	count = pages_of(w, "known", pages, PRIM_COUNT(pages));
	assert_true(count > 4);
	for (size_t i = 0; i < count; i++) {
		page_zero(pages[i]);
		queue_save(w);
		world_open(w);
		for (unsigned k = 0; k < ENDED; k++) {
			sample_make(&sample, NUMBERS + 1 + k);
			assert_int_equal(answer(w, &sample.m), 200);
			assert_int_equal(message_store(w, &sample.m).outcome,
			    BR_STORE_DUPLICATE);
		}
		world_close(w);
		assert_true(kept_sweep(w) > 0);
		queue = was;
	}
	world_open(w);
}

/* ---- what somebody sends ---- */

#define FORGED "0123456789abcdef0123456789abcdef"

/* A row of meta as it stands on a page, with a secret that its sender knows. */
static void forge(struct prim_buf *b, const char *name)
{
	const size_t len = strlen(name);

	prim_buf_putc(b, (char)(3 + len + strlen(FORGED)));
	prim_buf_putc(b, 3);
	prim_buf_putc(b, (char)(13 + 2 * len));
	prim_buf_putc(b, (char)(12 + 2 * strlen(FORGED)));
	prim_buf_puts(b, name);
	prim_buf_puts(b, FORGED);
}

static bool page_has(size_t page, const char *text)
{
	const char *octets = was.octets + page * PAGE;

	for (size_t at = 0; at + strlen(text) <= PAGE; at++)
		if (memcmp(octets + at, text, strlen(text)) == 0)
			return true;
	return false;
}

static void key_drop(const struct world *w)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/queue.key", w->dir);
	assert_int_equal(unlink(path), 0);
}

/* On a page where something is wrong, rows are looked for in messages, too. */
static void nobody_sends_us_our_secret(void **state)
{
	struct world *w = *state;
	struct prim_buf b = { 0 };
	uint8_t before[32], after[32];
	size_t page;
	int64_t seq;

	samples_store(w);
	br_store_secret(w->store, before);
	forge(&b, "secret");
	forge(&b, "secret_2");
	forge(&b, "secret_3");
	sample_make(&sample, NUMBERS);
	sample.m.body = prim_buf_slice(&b);
	seq = message_store(w, &sample.m).seq;
	assert_int_equal(seq, NUMBERS + 1);
	save_and_close(w);
	for (page = 0; page < was.len / PAGE; page++)
		if (page_has(page, FORGED))
			break;
	assert_true(page < was.len / PAGE);
	/* One cell less; and its first one is elsewhere. */
	queue.octets[page * PAGE + 8] ^= 0x0f;
	queue_save(w);
	key_drop(w);
	world_open(w);
	br_store_secret(w->store, after);
	assert_memory_equal(before, after, sizeof(before));
	world_close(w);
	assert_true(kept_sweep(w) > 0);
	prim_buf_fini(&b);
	world_open(w);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_ended_long_ago_stays_away_whatever_page_is_lost),
		TEST(a_lost_file_leaves_what_its_log_has),
		TEST(a_lost_page_of_keys_forgets_no_key),
		TEST(nobody_sends_us_our_secret),
	};

	if (access("/dev/shm", W_OK) == 0)
		(void)setenv("TMPDIR", "/dev/shm", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
