/* SPDX-License-Identifier: ISC */
/* A queue.db whose structure is damaged is made anew out of what can be read of
 * it, whatever was hit and whenever that is stopped. */

#include "tests/bridge/store_damage.h"

#include <sys/wait.h>
#include <time.h>

#include "bridge/metric.h"
#include "tests/lib/random.h"

#define ROWS (PAGE / 180) /* of messages on a page; they have no fewer octets */

static struct image wal, was;

/* ---- what primd says meanwhile ---- */

static char said[16384];

static void on_line(void *arg, struct prim_slice line)
{
	size_t used = strlen(said);

	(void)arg;
	(void)snprintf(said + used, sizeof(said) - used, "%.*s\n",
	    PRIM_SLICE_ARG(line));
}

static void listen_anew(void)
{
	said[0] = '\0';
	br_log_set_sink(on_line, NULL);
}

static void expect_said(const char *part)
{
	if (!strstr(said, part))
		fail_msg("no '%s' in '%s'", part, said);
}

/* ---- a store with a past ---- */

/* Some of what was stored besides has ended, so that there are free pages and
 * traces; the first NUMBERS wait. */
static void fill(struct world *w)
{
	int64_t seq[200];

	samples_store(w);
	for (unsigned i = 0; i < PRIM_COUNT(seq); i++) {
		sample_make(&sample, NUMBERS + 1 + i);
		seq[i] = message_store(w, &sample.m).seq;
	}
	for (unsigned i = 0; i < PRIM_COUNT(seq); i++)
		message_end(w, seq[i], 200, "delivered");
}

static void fill_and_close(struct world *w)
{
	fill(w);
	world_close(w);
	image_load(&queue, queue_path(w, ""));
	was = queue;
}

static void page_zero(size_t number)
{
	memset(queue.octets + number * PAGE, 0, PAGE);
}

/* Sees that somebody who looks finds all that are there. */
static unsigned whole_count(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < NUMBERS; i++)
		count += look.is_whole[i];
	return count;
}

/* Only whoever had something on one page may be harmed. */
static void expect_one_page(const struct look *l, struct sums *sums,
    unsigned before)
{
	if (sums->worst > ROWS)
		fail_msg("%s at %llu: %u messages are spoiled", l->what,
		    (unsigned long long)l->where, sums->worst);
	if (sums->worst < before)
		sums->worst = before;
}

static void queue_look(struct world *w, const char *what, uint64_t where,
    struct sums *sums)
{
	queue_save(w);
	assert_true(damage_look(w, what, where, sums));
	queue = was;
}

static void queue_look_page(struct world *w, const char *what, uint64_t where,
    struct sums *sums)
{
	const unsigned before = sums->worst;

	sums->worst = 0;
	queue_look(w, what, where, sums);
	expect_one_page(&look, sums, before);
}

/* ---- pages ---- */

/* Each in turn. Whoever had nothing on it is delivered. */
static void a_lost_page_costs_what_was_on_it(void **state)
{
	struct world *w = *state;
	struct sums sums = { 0 };

	fill_and_close(w);
	for (size_t i = 0; i < was.len / PAGE; i++) {
		page_zero(i);
		queue_look_page(w, "zeroed page", i, &sums);
	}
	sums_print("a zeroed page", &sums);
	assert_int_equal(sums.refused, 0);
	/* Whoever has his row or his content left is told. */
	assert_int_equal(sums.untold + sums.lost, 0);
	world_open(w);
}

static void a_page_of_noise_costs_what_was_on_it(void **state)
{
	struct world *w = *state;
	struct t_random random = { .state = 77 };
	struct sums sums = { 0 };

	fill_and_close(w);
	for (size_t i = 0; i < was.len / PAGE; i += 3) {
		for (unsigned at = 0; at < PAGE; at++)
			queue.octets[i * PAGE + at] =
			    (char)t_random_below(&random, 256);
		queue_look_page(w, "page of noise", i, &sums);
	}
	sums_print("a page of noise", &sums);
	assert_int_equal(sums.refused + sums.untold + sums.lost, 0);
	world_open(w);
}

/* One page behind the other is lost, from the end. */
static void a_cut_file_keeps_what_is_left(void **state)
{
	struct world *w = *state;
	struct sums sums = { 0 };
	unsigned before = NUMBERS;

	fill_and_close(w);
	for (size_t pages = was.len / PAGE; pages > 1; pages -= 1 + pages / 9) {
		queue.len = pages * PAGE - (pages % 2 ? 100 : 0);
		queue_look(w, "cut to pages", pages, &sums);
		assert_true(whole_count() <= before);
		before = whole_count();
	}
	sums_print("a cut file", &sums);
	assert_int_equal(sums.refused, 0);
	world_open(w);
}

/* Where nothing shows what a page is for, what was deleted stays deleted. */
static void what_has_ended_does_not_come_back(void **state)
{
	struct world *w = *state;
	struct sums sums = { 0 };
	const unsigned pages[] = { 0, 1, 2, 3 };

	fill(w);
	/* Nothing is known any more of what has ended. */
	br_store_expire(w->store, INT64_MAX / 2);
	br_store_settle(w->store);
	world_close(w);
	image_load(&queue, queue_path(w, ""));
	was = queue;
	for (unsigned i = 0; i < PRIM_COUNT(pages); i++) {
		page_zero(pages[i]);
		queue_look(w, "zeroed page", pages[i], &sums);
		/* Those that wait, and one that came after. */
		assert_in_range(look.seqs, 1, NUMBERS);
	}
	assert_int_equal(sums.lost, 0);
	world_open(w);
}

/* ---- what belongs to a message ---- */

static void what_is_known_of_it_comes_along(void **state)
{
	struct world *w = *state;
	struct br_store_attempt attempt = { .seq = 3,
		.attempts = 2,
		.next_try_ms = 77,
		.last_code = 504 };
	struct history_lines lines;
	struct message_got got = { 0 };
	struct heard heard = { 0 };

	fill(w);
	br_store_message_attempt(w->store, &attempt, on_done, &heard);
	world_expect(w, &heard, BR_STORE_DONE);
	message_quarantine(w, 5, BR_STORE_DONE);
	sample_make(&sample, 4);
	world_expect_notices(w, 1, &sample.m, BR_NOTICE_FAILED);
	world_close(w);
	image_load(&queue, queue_path(w, ""));
	page_zero(0);
	queue_save(w);
	listen_anew();
	world_open(w);
	expect_said("queue.db is damaged: ");
	expect_said("61 messages brought over whole; ");
	expect_said("; 0 messages lost. Kept: queue.db.damaged-");
	assert_int_equal(br_metric_get(BR_METRIC_STORE_SALVAGED), 1);
	/* Two that end and come again, as those that wait and come again. */
	for (unsigned i = 0; i < NUMBERS + 200; i++) {
		sample_make(&sample, i < NUMBERS ? i : i + 1);
		assert_int_equal(answer(w, &sample.m), i < NUMBERS ? 101 : 200);
	}
	assert_true(message_get(w, 3, &got));
	assert_int_equal(got.m.attempts, 2);
	assert_int_equal(got.m.next_try_ms, 77);
	assert_int_equal(got.m.last_code, 504);
	prim_buf_fini(&got.content);
	sample_make(&sample, 2);
	history_read(w, sample.m.message_id, &lines);
	assert_non_null(strstr(lines.text, "accepted from=s2@"));
	assert_non_null(strstr(lines.text, "attempt n=2"));
	/* Its sender was told before. */
	assert_int_equal(messages(w), NUMBERS + 1);
	assert_int_equal(w->notices, 0);
	sample_make(&sample, 1000);
	assert_true(message_store(w, &sample.m).seq > NUMBERS + 200);
}

/* It is said at each start, until the old file is gone. */
static void it_is_said_as_long_as_the_old_file_is_kept(void **state)
{
	struct world *w = *state;
	char name[64] = "";
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	fill_and_close(w);
	page_zero(4);
	queue_save(w);
	world_open(w);
	listen_anew();
	world_reopen(w);
	expect_said("queue.db was damaged, and has been made anew");
	dir = opendir(w->dir);
	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (strncmp(entry->d_name, "queue.db.damaged-", 17) == 0)
			(void)snprintf(name, sizeof(name), "%s",
			    entry->d_name + strlen("queue.db"));
	closedir(dir);
	/* Untouched, and nobody else's. */
	assert_int_equal(strlen(name), strlen(".damaged-20261122T101500Z"));
	assert_int_equal(stat(queue_path(w, name), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	image_load(&wal, queue_path(w, name));
	assert_int_equal(wal.len, queue.len);
	assert_memory_equal(wal.octets, queue.octets, queue.len);
	assert_int_equal(kept_sweep(w), 1);
	listen_anew();
	world_reopen(w);
	world_reopen(w);
	assert_null(strstr(said, "made anew"));
}

/* ---- the log of writes ---- */

/* As after a crash: the file, and a log that nobody has brought into it. */
static void crash_load(struct world *w)
{
	fill(w);
	image_load(&queue, queue_path(w, ""));
	image_load(&wal, queue_path(w, "-wal"));
	world_close(w);
	was = queue;
}

static void crash_look(struct world *w, uint64_t where, struct sums *sums)
{
	queue_save(w);
	image_save(&wal, queue_path(w, "-wal"));
	assert_true(damage_look(w, "octet of the log", where, sums));
}

/* The log is used from its beginning again and again: as long as its frames have
 * the salt of its head they count. */
static size_t log_end(void)
{
	size_t at = 32;

	while (at + 24 + PAGE <= wal.len &&
	    memcmp(wal.octets + at + 8, wal.octets + 16, 8) == 0)
		at += 24 + PAGE;
	return at;
}

static void a_flipped_bit_of_the_log_hides_nothing(void **state)
{
	struct world *w = *state;
	unsigned count = getenv("PRIM_LONG") ? 2000 : 60;
	struct t_random random = { .state = 4711 };
	struct sums sums = { 0 };

	crash_load(w);
	for (unsigned i = 0; i < count; i++) {
		/* The last commit may have been cut off by the end of power. */
		uint64_t at = t_random_below(&random,
		    i % 6 ? log_end() - (size_t)64 * PAGE : 32);
		const unsigned before = sums.worst;

		sums.worst = 0;
		wal.octets[at] ^= (char)(1 << at % 8);
		crash_look(w, at, &sums);
		wal.octets[at] ^= (char)(1 << at % 8);
		expect_one_page(&look, &sums, before);
	}
	sums_print("a bit of the log", &sums);
	assert_int_equal(sums.refused + sums.lost, 0);
	assert_true(sums.salvaged > 0);
	world_open(w);
}

/* What the end of power leaves is no damage: all up to some commit. */
static void a_log_that_was_cut_off_is_not_damaged(void **state)
{
	struct world *w = *state;
	size_t len;

	crash_load(w);
	len = log_end();
	for (unsigned i = 1; i <= 40; i++) {
		queue_save(w);
		wal.len = len - (size_t)i * 1000;
		image_save(&wal, queue_path(w, "-wal"));
		assert_false(br_metric_get(BR_METRIC_STORE_SALVAGED));
		world_open(w);
		world_close(w);
		assert_int_equal(kept_sweep(w), 0);
	}
	world_open(w);
}

/* ---- stopped ---- */

static void open_and_die(struct world *w)
{
	struct event_base *base = event_base_new();

	br_log_set_sink(world_hush, NULL);
	(void)br_store_open(base, w->dir, NULL);
	_exit(0);
}

/* Whenever it is killed, the next one does all of it. */
static void it_may_be_killed_at_any_moment(void **state)
{
	struct world *w = *state;
	unsigned count = getenv("PRIM_LONG") ? 300 : 30;
	struct t_random random = { .state = 99 };
	struct sums sums = { 0 };

	crash_load(w);
	wal.octets[log_end() / 2] ^= 1;
	for (unsigned i = 0; i < count; i++) {
		struct timespec pause = { 0,
			(long)t_random_below(&random, 60000000) };
		pid_t child;
		int status;

		queue = was;
		queue_save(w);
		image_save(&wal, queue_path(w, "-wal"));
		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			open_and_die(w);
		(void)nanosleep(&pause, NULL);
		(void)kill(child, SIGKILL);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(damage_look(w, "killed", i, &sums));
		assert_int_equal(whole_count(), NUMBERS);
	}
	sums_print("killed meanwhile", &sums);
	assert_int_equal(sums.salvaged, count);
	world_open(w);
}

static void copy(const struct world *w, const char *from, const char *to)
{
	static struct image image;

	image_load(&image, queue_path(w, from));
	image_save(&image, queue_path(w, to));
}

/* Each state of the folder that a kill leaves. */
static void it_goes_on_from_every_step(void **state)
{
	struct world *w = *state;
	struct sums sums = { 0 };

	fill_and_close(w);
	copy(w, "", ".whole");
	/* Half a new one. */
	page_zero(3);
	image_save(&queue, queue_path(w, ".salvage"));
	queue_look(w, "left", 1, &sums);
	assert_int_equal(look.is_whole[0], 1);
	/* The new one is whole; the old one has its log still, or not. */
	for (unsigned i = 0; i < 2; i++) {
		page_zero(0);
		queue_save(w);
		if (i == 0)
			copy(w, "", "-wal");
		copy(w, ".whole", ".salvaged");
		assert_true(damage_look(w, "left", 2 + i, &sums));
		assert_int_equal(whole_count(), NUMBERS);
		queue = was;
		assert_int_not_equal(access(queue_path(w, ".salvaged"), F_OK),
		    0);
	}
	world_open(w);
}

/* ---- found later ---- */

static void octets_read(const struct world *w, int64_t page, void *to)
{
	int fd = open(queue_path(w, ""), O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, to, PAGE, (page - 1) * PAGE), PAGE);
	close(fd);
}

static void octets_write(const struct world *w, int64_t page, const void *from)
{
	int fd = open(queue_path(w, ""), O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, from, PAGE, (page - 1) * PAGE), PAGE);
	close(fd);
}

static void expect_suspect(const struct world *w, bool is_so)
{
	assert_int_equal(access(queue_path(w, ".suspect"), F_OK) == 0, is_so);
}

static void fill_large(struct world *w)
{
	static char body[1 << 20];

	memset(body, 'b', sizeof(body));
	samples_key(w);
	for (unsigned i = 0; i < 66; i++) {
		sample_make(&sample, i);
		sample.m.body = prim_slice_make(body, sizeof(body));
		assert_int_equal(message_store(w, &sample.m).seq, i + 1);
	}
}

/* It is not read at each start, but at the one after something was found. */
static void a_large_file_is_checked_when_it_is_suspect(void **state)
{
	static const char zero[PAGE];
	struct world *w = *state;
	unsigned char page[PAGE];
	unsigned cell, count = 0, left;
	int64_t root;

	fill_large(w);
	root = world_ask(w,
	    "SELECT rootpage FROM sqlite_schema WHERE name = 'message'");
	world_close(w);
	octets_read(w, root, page);
	assert_int_equal(page[0], 5);
	cell = (unsigned)page[12] << 8 | page[13];
	octets_write(w, page[cell + 2] << 8 | page[cell + 3], zero);
	world_open(w);
	assert_false(br_store_message_each(w->store, count_message_told, &count,
	    NULL));
	expect_suspect(w, true);
	world_reopen(w);
	expect_suspect(w, false);
	assert_int_equal(kept_sweep(w), 1);
	/* Of those on that page there is the content, and so they are told. */
	left = messages(w);
	assert_true(left < 66 && left >= 66 - ROWS);
	assert_int_equal(w->notices, 66 - left);
	assert_true(message_get(w, 66, NULL));
	w->notices = 0;
}

/* What is found while it is opened is not left to the next start. */
static void what_is_found_on_opening_is_salvaged_at_once(void **state)
{
	static const char zero[PAGE];
	struct world *w = *state;
	int64_t root;

	fill_large(w);
	root = world_ask(w,
	    "SELECT rootpage FROM sqlite_schema WHERE name = 'message'");
	world_close(w);
	octets_write(w, root, zero);
	world_open(w);
	expect_suspect(w, false);
	assert_int_equal(kept_sweep(w), 1);
	assert_int_equal(messages(w), 66);
	assert_int_equal(w->notices, 0);
}

/* An index that leads nowhere: only whoever follows it sees that. */
static void a_damaged_index_is_made_anew(void **state)
{
	struct world *w = *state;
	unsigned char page[PAGE];
	unsigned cell;
	int64_t root;

	samples_key(w);
	sample_make(&sample, 1);
	message_end(w, message_store(w, &sample.m).seq, 200, "delivered");
	root = world_ask(w,
	    "SELECT rootpage FROM sqlite_schema WHERE name = 'trace_forget'");
	world_close(w);
	octets_read(w, root, page);
	cell = (unsigned)page[8] << 8 | page[9];
	page[cell + 5]++; /* of 5,000 */
	octets_write(w, root, page);
	world_open(w);
	assert_int_equal(kept_sweep(w), 0);
	br_store_expire(w->store, 6000);
	br_store_settle(w->store);
	expect_suspect(w, true);
	world_reopen(w);
	assert_int_equal(kept_sweep(w), 1);
	br_store_expire(w->store, 6000);
	br_store_settle(w->store);
	expect_suspect(w, false);
	assert_int_equal(keys(w), 0);
}

/* ---- not done ---- */

static void expect_refusal(struct world *w, const char *part)
{
	struct br_err err = { "" };
	struct event_base *base = event_base_new();

	queue_save(w);
	assert_null(br_store_open(base, w->dir, &err));
	if (!strstr(err.text, part))
		fail_msg("no '%s' in '%s'", part, err.text);
	event_base_free(base);
	/* As it was. */
	image_load(&wal, queue_path(w, ""));
	assert_int_equal(wal.len, queue.len);
	assert_memory_equal(wal.octets, queue.octets, queue.len);
	assert_int_equal(kept_sweep(w), 0);
	queue = was;
}

static void what_is_not_ours_is_left_alone(void **state)
{
	struct world *w = *state;
	sqlite3 *sql = NULL;

	fill_and_close(w);
	queue.octets[63] = 3;
	expect_refusal(w, "made by a newer version");
	queue.octets[63] = 3;
	page_zero(2);
	expect_refusal(w, "its schema has the number 3, ours 2");
	memset(queue.octets, 'x', queue.len);
	expect_refusal(w, "nothing in it shows that it is one of ours");
	/* Somebody else's database, with rows in it. */
	(void)unlink(queue_path(w, ""));
	assert_int_equal(sqlite3_open(queue_path(w, ""), &sql), SQLITE_OK);
	assert_int_equal(sqlite3_exec(sql,
			     "PRAGMA journal_mode = WAL;"
			     "CREATE TABLE message (a, b, c, d);"
			     "INSERT INTO message VALUES (1, 2, x'00', x'01')",
			     NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_close(sql), SQLITE_OK);
	image_load(&queue, queue_path(w, ""));
	expect_refusal(w, "cannot use");
	queue_save(w);
	world_open(w);
}

static void a_disk_without_room_keeps_the_old_one(void **state)
{
	struct world *w = *state;

	fill_and_close(w);
	page_zero(4);
	queue_save(w);
	world_limit(64 * 1024);
	queue.len = was.len;
	{
		struct br_err err = { "" };
		struct event_base *base = event_base_new();

		assert_null(br_store_open(base, w->dir, &err));
		assert_non_null(strstr(err.text, "cannot be salvaged either"));
		event_base_free(base);
	}
	world_limit(RLIM_INFINITY);
	assert_int_equal(kept_sweep(w), 0);
	assert_int_not_equal(access(queue_path(w, ".salvage"), F_OK), 0);
	world_open(w);
	assert_true(messages(w) >= NUMBERS - ROWS);
}

static int set_up(void **state)
{
	br_metric_set(BR_METRIC_STORE_SALVAGED, 0);
	return world_set_up(state);
}

static int tear_down(void **state)
{
	br_log_set_sink(world_hush, NULL);
	return world_tear_down(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_lost_page_costs_what_was_on_it),
		TEST(a_page_of_noise_costs_what_was_on_it),
		TEST(a_cut_file_keeps_what_is_left),
		TEST(what_has_ended_does_not_come_back),
		TEST(what_is_known_of_it_comes_along),
		TEST(it_is_said_as_long_as_the_old_file_is_kept),
		TEST(a_flipped_bit_of_the_log_hides_nothing),
		TEST(a_log_that_was_cut_off_is_not_damaged),
		TEST(it_may_be_killed_at_any_moment),
		TEST(it_goes_on_from_every_step),
		TEST(a_large_file_is_checked_when_it_is_suspect),
		TEST(what_is_found_on_opening_is_salvaged_at_once),
		TEST(a_damaged_index_is_made_anew),
		TEST(what_is_not_ours_is_left_alone),
		TEST(a_disk_without_room_keeps_the_old_one),
	};

	if (access("/dev/shm", W_OK) == 0)
		(void)setenv("TMPDIR", "/dev/shm", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
