/* SPDX-License-Identifier: ISC */
/* What is acknowledged survives: killed processes, full disks, busy readers.
 * With the arguments `bench [FOLDER [MESSAGES]]` it measures instead. */

#include "tests/bridge/store_power.h"
#include "tests/bridge/store_world.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "bridge/metric.h"
#include "prim/base.h"

#define OUTSTANDING 64

/* One of the messages that are always on their way. */
struct lane {
	struct load *load;
	struct br_store_message m;
	int64_t begun_us;
};

struct load {
	struct br_store *store;
	struct lane lanes[OUTSTANDING];
	uint64_t next, limit; /* numbers of messages */
	uint64_t done;
	int ack_fd; /* -1, or where the numbers of the stored go */
	bool reads; /* a look-up after each put */
	uint64_t found;
	uint32_t *us; /* NULL, or how long each took */
};

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void on_stored(void *arg, const struct br_store_put_result *result);

static void lane_put(struct lane *lane)
{
	struct load *load = lane->load;

	if (load->next >= load->limit)
		return;
	lane->m = message_make(load->next++, PRIM_SLICE("1234567890abcdef"));
	lane->begun_us = now_us();
	br_store_message_put(load->store, &lane->m, on_stored, lane);
}

static void on_found(void *arg, const struct br_store_message *m, bool failed)
{
	struct lane *lane = arg;

	assert_false(failed);
	assert_non_null(m);
	assert_memory_equal(&m->key, &lane->m.key, sizeof(m->key));
	lane->load->found++;
	lane_put(lane);
}

static void on_stored(void *arg, const struct br_store_put_result *result)
{
	struct lane *lane = arg;
	struct load *load = lane->load;
	uint64_t number;

	assert_int_equal(result->outcome, BR_STORE_DONE);
	memcpy(&number, lane->m.key.octets + 8, sizeof(number));
	if (load->ack_fd >= 0 &&
	    write(load->ack_fd, &number, sizeof(number)) != sizeof(number))
		_exit(1);
	if (load->us)
		load->us[load->done] = (uint32_t)(now_us() - lane->begun_us);
	load->done++;
	if (load->reads)
		br_store_message_get(load->store, result->seq, on_found, lane);
	else
		lane_put(lane);
}

static void load_run(struct load *load)
{
	for (unsigned i = 0; i < OUTSTANDING; i++) {
		load->lanes[i].load = load;
		lane_put(&load->lanes[i]);
	}
	br_store_settle(load->store);
}

/* How the child dies. */
enum death {
	KILLED,     /* what it wrote stays */
	POWER_CUT,  /* what it did not sync goes */
	LYING_DISK, /* nothing was synced; the store cannot know */
};

/* Puts until it is killed; numbers of stored messages go to `fd`. */
static void child_run(const char *dir, uint64_t first, int fd, enum death death)
{
	struct load load = { .next = first, .limit = UINT64_MAX, .ack_fd = fd };
	struct event_base *base = event_base_new();

	if (death != KILLED)
		power_install(death == LYING_DISK);
	load.store = br_store_open(base, dir, NULL);
	if (load.store)
		load_run(&load);
	_exit(1);
}

static void on_key(void *arg, const struct br_store_duplicate *d, bool failed)
{
	*(unsigned *)arg += !failed && d && d->answer == 101;
}

static void on_row(void *arg, const struct br_store_message *m, bool failed)
{
	assert_false(failed);
	assert_non_null(m);
	++*(uint64_t *)arg;
}

/* How many the pipe acknowledges; those with their key in the store go to
 * `there`, all rows to `rows`. */
static unsigned count_acknowledged(struct world *w, int fd, unsigned *there,
    uint64_t *rows)
{
	uint64_t number;
	unsigned count = 0;

	*there = 0;
	*rows = 0;
	while (read(fd, &number, sizeof(number)) == sizeof(number)) {
		struct br_store_message m = message_make(number,
		    PRIM_SLICE("m"));

		br_store_duplicate_find(w->store, &m.key,
		    PRIM_SLICE("1234567890abcdef"), on_key, there);
		count++;
	}
	br_store_settle(w->store);
	if (!br_store_message_each(w->store, on_row, rows, NULL))
		*rows = 0;
	return count;
}

/* Every other one is killed at any moment, even before it has said a word. */
static void child_live_and_die(const struct world *w, unsigned cycle,
    const int ends[2], enum death death)
{
	struct pollfd word = { .fd = ends[0], .events = POLLIN };
	pid_t child = fork();

	if (child == 0)
		child_run(w->dir, (uint64_t)cycle << 32, ends[1], death);
	assert_true(child > 0);
	close(ends[1]);
	if (cycle % 2 == 0)
		assert_int_equal(poll(&word, 1, 30000), 1);
	usleep((useconds_t)(30000 + cycle * 7001));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* After a disk that lied the whole file may be gone: then all of it is lost. */
static void open_after(struct world *w, enum death death)
{
	struct br_err err = { "" };
	char path[300];

	w->base = event_base_new();
	w->store = br_store_open(w->base, w->dir, &err);
	if (w->store || death != LYING_DISK) {
		assert_string_equal(err.text, "");
		return;
	}
	event_base_free(w->base);
	for (unsigned i = 0; i < 3; i++) {
		static const char *const ENDS[] = { "", "-wal", "-shm" };

		(void)snprintf(path, sizeof(path), "%s/queue.db%s", w->dir,
		    ENDS[i]);
		(void)unlink(path);
		(void)snprintf(path, sizeof(path), "%s/primd.db%s", w->dir,
		    ENDS[i]);
		(void)unlink(path);
	}
	world_open(w);
}

/* How many acknowledged messages ten such deaths lost. */
static unsigned lost_by(struct world *w, enum death death)
{
	unsigned acknowledged = 0, lost = 0, there;
	uint64_t rows;

	world_close(w);
	for (unsigned cycle = 0; cycle < 10; cycle++) {
		unsigned count;
		int ends[2];

		assert_int_equal(pipe(ends), 0);
		child_live_and_die(w, cycle, ends, death);
		open_after(w, death);
		count = count_acknowledged(w, ends[0], &there, &rows);
		acknowledged += count;
		lost += count - there;
		assert_true(rows >= there || death == LYING_DISK);
		world_close(w);
		close(ends[0]);
	}
	world_open(w);
	assert_true(acknowledged > 0);
	print_message("%u acknowledged, %u lost\n", acknowledged, lost);
	return lost;
}

static void what_was_acknowledged_survives_a_kill(void **state)
{
	assert_int_equal(lost_by(*state, KILLED), 0);
}

static void what_was_acknowledged_survives_a_power_cut(void **state)
{
	assert_int_equal(lost_by(*state, POWER_CUT), 0);
}

/* The proof that the test before can fail. */
static void a_disk_that_lies_loses_messages(void **state)
{
	assert_true(lost_by(*state, LYING_DISK) > 0);
}

static void a_full_disk_fails_and_is_got_over(void **state)
{
	static char body[400000];
	struct world *w = *state;
	struct br_store_message m = message_make(1, PRIM_SLICE("m"));
	struct br_store_message big = message_make(2, PRIM_SLICE("m"));
	int64_t errors;
	uint64_t rows = 0;

	big.body = prim_slice_make(body, sizeof(body));
	assert_int_equal(message_store(w, &m).outcome, BR_STORE_DONE);
	errors = br_metric_get(BR_METRIC_STORE_ERRORS);
	world_limit(sizeof(body) - 50000);
	assert_int_equal(message_store(w, &big).outcome, BR_STORE_FAILED);
	assert_int_equal(message_store(w, &big).outcome, BR_STORE_FAILED);
	assert_true(br_metric_get(BR_METRIC_STORE_ERRORS) > errors);
	/* What is small still fits. */
	m = message_make(3, PRIM_SLICE("m"));
	assert_int_equal(message_store(w, &m).outcome, BR_STORE_DONE);
	world_limit(RLIM_INFINITY);
	assert_int_equal(message_store(w, &big).outcome, BR_STORE_DONE);
	world_reopen(w);
	assert_true(br_store_message_each(w->store, on_row, &rows, NULL));
	assert_int_equal(rows, 3);
}

static void look_ups_go_on_beside_writes(void **state)
{
	struct world *w = *state;
	struct load load = {
		.store = w->store,
		.limit = 3000,
		.ack_fd = -1,
		.reads = true,
	};

	load_run(&load);
	assert_int_equal(load.done, 3000);
	assert_int_equal(load.found, 3000);
}

static int by_time(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static double ms(const struct load *load, double part)
{
	size_t at = (size_t)((double)(load->done - 1) * part);

	return (double)load->us[at] / 1000;
}

static void bench(const char *dir, uint64_t count)
{
	struct world w = { 0 };
	struct load load = { .limit = count, .ack_fd = -1 };
	struct rusage usage;
	int64_t begun;
	double s;

	if (dir)
		(void)snprintf(w.dir, sizeof(w.dir), "%s", dir);
	else
		world_folder(&w);
	world_open(&w);
	load.store = w.store;
	load.us = calloc(count, sizeof(*load.us));
	begun = now_us();
	load_run(&load);
	s = (double)(now_us() - begun) / 1e6;
	getrusage(RUSAGE_SELF, &usage);
	qsort(load.us, load.done, sizeof(*load.us), by_time);
	print_message(
	    "%lu puts, %d outstanding: %.0f/s, p50 %.2f ms, "
	    "p99 %.2f ms, max %.2f ms, %ld commits, cpu %.1f us each\n",
	    (unsigned long)load.done, OUTSTANDING, (double)load.done / s,
	    ms(&load, 0.5), ms(&load, 0.99), ms(&load, 1.0),
	    (long)br_metric_get(BR_METRIC_COMMITS),
	    ((double)usage.ru_utime.tv_sec * 1e6 +
		(double)usage.ru_utime.tv_usec +
		(double)usage.ru_stime.tv_sec * 1e6 +
		(double)usage.ru_stime.tv_usec) /
		(double)load.done);
	free(load.us);
	world_close(&w);
	if (!dir)
		world_sweep(&w);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_acknowledged_survives_a_kill),
		TEST(what_was_acknowledged_survives_a_power_cut),
		TEST(a_disk_that_lies_loses_messages),
		TEST(a_full_disk_fails_and_is_got_over),
		TEST(look_ups_go_on_beside_writes),
	};

	if (argc > 1 && strcmp(argv[1], "bench") == 0) {
		bench(argc > 2 ? argv[2] : NULL,
		    argc > 3 ? strtoul(argv[3], NULL, 10) : 100000);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
