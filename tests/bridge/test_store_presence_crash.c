/* SPDX-License-Identifier: ISC */
/* Presence that was acknowledged survives: killed processes, full disks. With
 * the arguments `bench [FOLDER [LEASES]]` it measures renewals instead. */

#include "tests/bridge/presence_world.h"
#include "tests/bridge/store_power.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "bridge/metric.h"

#define CYCLES 8

/* What is always changing, and how often it was acknowledged. */
enum what { RENEWED, PUBLISHED, SUBSCRIBED, WHATS };

struct load;

struct wheel {
	struct load *load;
	enum what what;
	int64_t number; /* of the change under way */
};

struct load {
	struct br_store *store;
	struct wheel wheels[WHATS];
	int64_t row; /* of the lease that is renewed */
	int ack_fd;
};

struct ack {
	int64_t what, number;
};

static void wheel_turn(struct wheel *wheel);

static void acknowledge(struct wheel *wheel, enum br_store_outcome outcome)
{
	const struct ack ack = { wheel->what, wheel->number };

	if (outcome != BR_STORE_DONE ||
	    write(wheel->load->ack_fd, &ack, sizeof(ack)) != sizeof(ack))
		_exit(1);
	wheel_turn(wheel);
}

static void on_changed(void *arg, enum br_store_outcome outcome)
{
	acknowledge(arg, outcome);
}

static void on_published(void *arg, enum br_store_outcome outcome, int64_t row)
{
	(void)row;
	acknowledge(arg, outcome);
}

static void wheel_turn(struct wheel *wheel)
{
	struct br_store *store = wheel->load->store;
	struct br_store_value v = value_make(PRIM_SLICE("new"), false);
	struct br_store_subscription sub = sub_make(BOB, ANN, PRIM_SLICE("s"));

	wheel->number++;
	v.at_ms = sub.expires_ms = wheel->number;
	if (wheel->what == RENEWED)
		br_store_lease_renew(store, wheel->load->row, wheel->number,
		    on_changed, wheel);
	else if (wheel->what == PUBLISHED)
		br_store_value_put(store, &v, on_published, wheel);
	else
		br_store_subscription_put(store, &sub, on_changed, wheel);
}

/* What the store has of it. */
struct kept {
	int64_t numbers[WHATS];
	int64_t row;
};

static void on_kept(void *arg, const struct br_store_principal *p, bool failed)
{
	struct kept *kept = arg;

	assert_false(failed);
	for (size_t i = 0; i < p->value_count; i++) {
		const struct br_store_value *v = &p->values[i];

		if (v->is_lease) {
			kept->row = v->row;
			kept->numbers[RENEWED] = v->expires_ms;
		} else {
			kept->numbers[PUBLISHED] = v->at_ms;
		}
	}
	if (p->subscription_count > 0)
		kept->numbers[SUBSCRIBED] = p->subscriptions[0].expires_ms;
}

static void keep(struct br_store *store, struct kept *kept)
{
	memset(kept, 0, sizeof(*kept));
	br_store_principal_find(store, ANN, on_kept, kept);
	br_store_settle(store);
}

/* Changes one thing of each kind until it is killed. */
static void child_run(const char *dir, int fd, bool has_power_cut)
{
	struct load load = { .ack_fd = fd };
	struct event_base *base = event_base_new();
	struct kept kept;

	if (has_power_cut)
		power_install(false);
	load.store = br_store_open(base, dir, NULL);
	if (!load.store)
		_exit(1);
	keep(load.store, &kept);
	load.row = kept.row;
	for (int what = 0; what < WHATS; what++) {
		struct wheel *wheel = &load.wheels[what];

		wheel->load = &load;
		wheel->what = (enum what)what;
		wheel->number = kept.numbers[what];
		wheel_turn(wheel);
	}
	br_store_settle(load.store);
	_exit(1);
}

/* Every other one is killed at any moment, even before it has said a word. */
static void live_and_die(const struct world *w, unsigned cycle,
    const int ends[2], bool has_power_cut)
{
	struct pollfd word = { .fd = ends[0], .events = POLLIN };
	pid_t child = fork();

	if (child == 0)
		child_run(w->dir, ends[1], has_power_cut);
	assert_true(child > 0);
	close(ends[1]);
	if (cycle % 2 == 0)
		assert_int_equal(poll(&word, 1, 30000), 1);
	usleep((useconds_t)(40000 + cycle * 7001));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* The last of each kind that was acknowledged. */
static void acknowledged(int fd, int64_t out_numbers[WHATS])
{
	struct ack ack;

	memset(out_numbers, 0, WHATS * sizeof(*out_numbers));
	while (read(fd, &ack, sizeof(ack)) == sizeof(ack))
		out_numbers[ack.what] = ack.number;
	close(fd);
}

/* What is there is the last that was acknowledged, or the one after it. */
static void survives(struct world *w, bool has_power_cut)
{
	struct br_store_value v = value_make(PRIM_SLICE("t1"), true);
	int64_t numbers[WHATS], total = 0;
	struct kept kept;
	int ends[2];

	account_make(w, ANN);
	v.expires_ms = 0;
	(void)value_store(w, &v);
	world_close(w);
	for (unsigned cycle = 0; cycle < CYCLES; cycle++) {
		assert_int_equal(pipe(ends), 0);
		live_and_die(w, cycle, ends, has_power_cut);
		acknowledged(ends[0], numbers);
		world_open(w);
		keep(w->store, &kept);
		world_close(w);
		for (int what = 0; what < WHATS; what++) {
			if (numbers[what] == 0)
				continue;
			assert_true(kept.numbers[what] >= numbers[what]);
			assert_true(kept.numbers[what] <= numbers[what] + 1);
			total += numbers[what];
		}
	}
	world_open(w);
	assert_true(total > 0);
}

static void what_was_acknowledged_survives_a_kill(void **state)
{
	survives(*state, false);
}

static void what_was_acknowledged_survives_a_power_cut(void **state)
{
	survives(*state, true);
}

/* ---- the disk ---- */

static void a_full_disk_fails_and_is_got_over(void **state)
{
	static char body[400000];
	struct world *w = *state;
	struct br_store_value v = value_make(PRIM_SLICE("t1"), true);
	struct br_store_value big = value_make(PRIM_SLICE("big"), true);
	struct br_store_subscription sub = sub_make(BOB, ANN, PRIM_SLICE("s"));
	struct heard heard[2] = { 0 };
	struct rowed got = { 0 };
	struct seen seen;
	int64_t row, errors;

	big.body = prim_slice_make(body, sizeof(body));
	account_make(w, ANN);
	row = value_store(w, &v).row;
	errors = br_metric_get(BR_METRIC_STORE_ERRORS);
	world_limit(sizeof(body) - 50000);
	/* One transaction, most likely: the big one fails alone. */
	br_store_lease_renew(w->store, row, 6000, on_done, &heard[0]);
	br_store_value_put(w->store, &big, on_row, &got);
	br_store_subscription_put(w->store, &sub, on_done, &heard[1]);
	br_store_settle(w->store);
	assert_int_equal(got.outcome, BR_STORE_FAILED);
	assert_int_equal(got.row, 0);
	assert_int_equal(heard[0].outcome, BR_STORE_DONE);
	assert_int_equal(heard[1].outcome, BR_STORE_DONE);
	assert_true(br_metric_get(BR_METRIC_STORE_ERRORS) > errors);
	world_limit(RLIM_INFINITY);
	assert_int_equal(value_store(w, &big).outcome, BR_STORE_DONE);
	world_reopen(w);
	look(w, ANN, &seen);
	assert_int_equal(seen.value_count, 2);
	assert_int_equal(seen.sub_count, 1);
}

static void a_disk_with_no_room_at_all_fails_everything(void **state)
{
	struct world *w = *state;
	struct br_store_value v = value_make(PRIM_SLICE("t1"), true);
	struct br_store_subscription sub = sub_make(BOB, ANN, PRIM_SLICE("s"));
	struct heard heard[4] = { 0 };
	struct seen seen;
	int64_t row;

	account_make(w, ANN);
	row = value_store(w, &v).row;
	world_limit(0);
	br_store_lease_renew(w->store, row, 6000, on_done, &heard[0]);
	br_store_subscription_put(w->store, &sub, on_done, &heard[1]);
	br_store_value_drop(w->store, ANN, v.tuple_id, false, on_done,
	    &heard[2]);
	br_store_account_drop(w->store, ANN, on_done, &heard[3]);
	br_store_expire(w->store, INT64_MAX);
	br_store_settle(w->store);
	world_limit(RLIM_INFINITY);
	for (unsigned i = 0; i < PRIM_COUNT(heard); i++) {
		assert_int_equal(heard[i].count, 1);
		assert_int_equal(heard[i].outcome, BR_STORE_FAILED);
	}
	look(w, ANN, &seen);
	assert_string_equal(seen.values, "t1 lease 5000 text/plain body\n");
	assert_int_equal(seen.sub_count, 0);
	/* The sweep that failed is not under way for ever. */
	br_store_expire(w->store, INT64_MAX);
	br_store_settle(w->store);
	look(w, ANN, &seen);
	assert_int_equal(seen.value_count, 0);
}

/* ---- bench ---- */

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct rows {
	int64_t *rows;
	size_t count, done;
};

static void on_bench_row(void *arg, enum br_store_outcome outcome, int64_t row)
{
	struct rows *rows = arg;

	assert_int_equal(outcome, BR_STORE_DONE);
	rows->rows[rows->count++] = row;
}

static void on_bench_renewed(void *arg, enum br_store_outcome outcome)
{
	assert_int_equal(outcome, BR_STORE_DONE);
	((struct rows *)arg)->done++;
}

static void bench_fill(struct world *w, struct rows *rows, size_t count)
{
	static char names[1000][16];

	account_make(w, ANN);
	for (size_t i = 0; i < count; i++) {
		struct br_store_value v = value_make(PRIM_SLICE("t"), true);
		char *name = names[i % PRIM_COUNT(names)];
		int len = snprintf(name, sizeof(names[0]), "t%zu", i);

		v.tuple_id = prim_slice_make(name, (size_t)len);
		br_store_value_put(w->store, &v, on_bench_row, rows);
		if (i % PRIM_COUNT(names) == PRIM_COUNT(names) - 1)
			br_store_settle(w->store);
	}
	br_store_settle(w->store);
}

/* Every lease once, in no order: as when their owners each have a clock. */
static void bench_renew(struct world *w, struct rows *rows, const char *name,
    size_t at_once)
{
	int64_t commits = br_metric_get(BR_METRIC_COMMITS);
	double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	double loop = seconds(CLOCK_THREAD_CPUTIME_ID);
	double wall = seconds(CLOCK_MONOTONIC);

	rows->done = 0;
	for (size_t i = 0; i < rows->count; i++) {
		br_store_lease_renew(w->store,
		    rows->rows[i * 7919 % rows->count], 9000, on_bench_renewed,
		    rows);
		if (i % at_once == at_once - 1)
			event_base_loop(w->base, EVLOOP_NONBLOCK);
	}
	br_store_settle(w->store);
	assert_int_equal(rows->done, rows->count);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	loop = seconds(CLOCK_THREAD_CPUTIME_ID) - loop;
	wall = seconds(CLOCK_MONOTONIC) - wall;
	print_message("%s: %zu renewals in %.3f s, writer %.3f s of CPU, "
		      "loop %.3f s, %ld commits\n",
	    name, rows->count, wall, cpu - loop, loop,
	    (long)(br_metric_get(BR_METRIC_COMMITS) - commits));
}

static void bench(const char *dir, size_t count)
{
	struct world w = { 0 };
	struct rows rows = { .rows = calloc(count, sizeof(int64_t)) };

	assert_non_null(rows.rows);
	if (dir)
		(void)snprintf(w.dir, sizeof(w.dir), "%s", dir);
	else
		world_folder(&w);
	world_open(&w);
	bench_fill(&w, &rows, count);
	bench_renew(&w, &rows, "all at once", count);
	bench_renew(&w, &rows, "100 a turn of the loop", 100);
	bench_renew(&w, &rows, "1 a turn of the loop", 1);
	world_close(&w);
	free(rows.rows);
	if (!dir)
		world_sweep(&w);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(what_was_acknowledged_survives_a_kill),
		IN_FOLDER(what_was_acknowledged_survives_a_power_cut),
		IN_FOLDER(a_full_disk_fails_and_is_got_over),
		IN_FOLDER(a_disk_with_no_room_at_all_fails_everything),
	};

	if (argc > 1 && strcmp(argv[1], "bench") == 0) {
		bench(argc > 2 ? argv[2] : NULL,
		    argc > 3 ? strtoul(argv[3], NULL, 10) : 100000);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
