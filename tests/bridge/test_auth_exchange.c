/* SPDX-License-Identifier: ISC */
/* The life of exchanges: waiting, cancelling, being too many. */

#include "tests/bridge/auth_world.h"

#include <semaphore.h>
#include <time.h>

#include "bridge/auth_throttle.h"

#define EXCHANGES_MAX 1024
#define RIGHT         PRIM_SLICE(ANN "\r\n" SESAME)

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Turns until all that was asked elsewhere has come back. */
static void let_all_come_back(struct auth_world *w)
{
	br_store_settle(w->in.store);
	while (br_worker_pending(br_auth_worker(w->auth)) > 0)
		event_base_loop(w->in.base, EVLOOP_ONCE);
	turn(w);
}

/* ---- waiting ---- */

static void the_sixth_attempt_waits_a_second_also_if_right(void **state)
{
	struct auth_world *w = *state;
	const double before = seconds();

	be_slowed_down(w);
	assert_true(seconds() - before < 1);
	begin(w, ANN, "PLAIN", RIGHT);
	for (unsigned i = 0; i < 20; i++)
		turn(w);
	assert_int_equal(w->answers, 0);
	expect(w, BR_AUTH_OK);
	assert_true(seconds() - before > 0.9);
}

static void who_comes_from_elsewhere_or_later_does_not_wait(void **state)
{
	struct auth_world *w = *state;
	struct br_auth_start start = start_of(ANN, "PLAIN", RIGHT);
	const double before = seconds();

	be_slowed_down(w);
	start.remote = PRIM_SLICE("192.0.2.2");
	begin_with(w, &start);
	expect(w, BR_AUTH_OK);
	w->now_ms += 60000;
	begin(w, ANN, "PLAIN", RIGHT);
	expect(w, BR_AUTH_OK);
	assert_true(seconds() - before < 1);
}

/* Every kind of failure waits, and counts. */
static void all_failures_wait_alike(void **state)
{
	static const struct {
		const char *mechanisms, *body;
	} CASES[] = {
		{"PLAIN",          ANN "\r\nwrong"         },
		{ "SCRAM-SHA-256", "p=tls-unique,,n=,r="   },
		{ "SCRAM-SHA-256", "n,,n=bob@b.example,r=a"},
	};
	struct auth_world *w = *state;

	be_slowed_down(w);
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		begin(w, ANN, CASES[i].mechanisms,
		    prim_slice_of(CASES[i].body));
		let_all_come_back(w);
		assert_int_equal(w->answers, 0);
		assert_non_null(w->x);
		w->x = br_auth_cancel(w->x);
	}
}

static void no_mechanism_is_no_guess(void **state)
{
	struct auth_world *w = *state;

	for (unsigned i = 0; i < 20; i++) {
		begin(w, ANN, "CRAM-MD5", PRIM_SLICE_NONE);
		expect(w, BR_AUTH_NO_MECHANISM);
	}
	begin(w, ANN, "PLAIN", RIGHT);
	let_all_come_back(w);
	expect(w, BR_AUTH_OK);
}

/* ---- cancelling ---- */

static void an_exchange_can_be_cancelled_at_any_step(void **state)
{
	struct auth_world *w = *state;

	assert_null(br_auth_cancel(NULL));

	/* While the client is asked. */
	begin(w, ANN, "PLAIN", PRIM_SLICE_NONE);
	w->x = br_auth_cancel(w->x);
	/* While the account is looked up. */
	begin(w, ANN, "PLAIN", RIGHT);
	assert_non_null(w->x);
	w->x = br_auth_cancel(w->x);
	let_all_come_back(w);
	assert_int_equal(w->answers, 0);
	/* While a worker has it. */
	begin(w, ANN, "PLAIN", RIGHT);
	br_store_settle(w->in.store);
	assert_int_equal(br_worker_pending(br_auth_worker(w->auth)), 1);
	w->x = br_auth_cancel(w->x);
	let_all_come_back(w);
	assert_int_equal(w->answers, 0);
	/* Between SCRAM's messages. */
	begin(w, ANN, "SCRAM-SHA-256", PRIM_SLICE("n,,n=" ANN ",r=abc"));
	expect(w, BR_AUTH_CHALLENGE);
	w->x = br_auth_cancel(w->x);
	/* While it waits. */
	be_slowed_down(w);
	begin(w, ANN, "PLAIN", RIGHT);
	turn(w);
	assert_int_equal(w->answers, 0);
	w->x = br_auth_cancel(w->x);
}

static void cancel_in_the_answer(void *arg, const struct br_auth_answer *answer)
{
	struct auth_world *w = arg;

	w->answers++;
	if (answer->outcome == BR_AUTH_CHALLENGE && w->x)
		w->x = br_auth_cancel(w->x);
}

static void a_challenge_may_be_answered_by_cancelling(void **state)
{
	struct auth_world *w = *state;
	const struct br_auth_start start = start_of(ANN, "SCRAM-SHA-256",
	    PRIM_SLICE("n,,n=" ANN ",r=abc"));

	w->answers = 0;
	w->x = br_auth_begin(w->auth, &start, cancel_in_the_answer, w);
	await(w);
	assert_null(w->x);
}

static void the_end_may_come_with_questions_open(void **state)
{
	struct auth_world *w = *state;

	begin(w, ANN, "PLAIN", RIGHT);
	br_store_settle(w->in.store);
	w->x = br_auth_cancel(w->x); /* at a worker */
	begin(w, ANN, "PLAIN", RIGHT);
	w->x = br_auth_cancel(w->x); /* at the store */
}

/* ---- too many ---- */

struct blocker {
	struct br_worker_job job;
	sem_t *gate;
};

static void blocker_run(void *arg)
{
	struct blocker *blocker = arg;

	sem_wait(blocker->gate);
}

static void blocker_done(void *arg)
{
	(void)arg;
}

static void a_full_worker_queue_is_told(void **state)
{
	static struct blocker blockers[BR_WORKER_JOBS];
	struct auth_world *w = *state;
	struct br_worker *worker = br_auth_worker(w->auth);
	sem_t gate;

	sem_init(&gate, 0, 0);
	for (size_t i = 0; i < PRIM_COUNT(blockers); i++) {
		blockers[i].gate = &gate;
		blockers[i].job.run = blocker_run;
		blockers[i].job.done = blocker_done;
		blockers[i].job.arg = &blockers[i];
		assert_true(br_worker_submit(worker, &blockers[i].job));
	}
	begin(w, ANN, "PLAIN", RIGHT);
	expect(w, BR_AUTH_OVERLOADED);
	assert_null(w->x);
	for (size_t i = 0; i < PRIM_COUNT(blockers); i++)
		sem_post(&gate);
	let_all_come_back(w);
	/* It was no failure of the client's. */
	begin(w, ANN, "PLAIN", RIGHT);
	expect(w, BR_AUTH_OK);
	sem_destroy(&gate);
}

static struct br_auth_exchange *open_one(struct auth_world *w, unsigned source)
{
	struct br_auth_start start = start_of(ANN, "PLAIN", PRIM_SLICE_NONE);
	char remote[32];

	(void)snprintf(remote, sizeof(remote), "192.0.2.%u", source);
	start.remote = prim_slice_of(remote);
	begin_with(w, &start);
	expect(w, w->x ? BR_AUTH_CHALLENGE : BR_AUTH_OVERLOADED);
	return w->x;
}

static void exchanges_are_bounded_in_all_and_for_a_source(void **state)
{
	static struct br_auth_exchange *open[EXCHANGES_MAX];
	struct auth_world *w = *state;
	unsigned count = 0;

	for (unsigned source = 1; source <= 4; source++) {
		for (unsigned i = 0; i < BR_AUTH_THROTTLE_OPEN; i++) {
			open[count] = open_one(w, source);
			assert_non_null(open[count]);
			count++;
		}
		assert_null(open_one(w, source));
	}
	assert_int_equal(count, EXCHANGES_MAX);
	assert_null(open_one(w, 5));
	open[0] = br_auth_cancel(open[0]);
	open[0] = open_one(w, 5);
	assert_non_null(open[0]);
	for (unsigned i = 0; i < count; i++)
		open[i] = br_auth_cancel(open[i]);
	w->x = NULL;
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, auth_set_up, auth_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_sixth_attempt_waits_a_second_also_if_right),
		TEST(who_comes_from_elsewhere_or_later_does_not_wait),
		TEST(all_failures_wait_alike),
		TEST(no_mechanism_is_no_guess),
		TEST(an_exchange_can_be_cancelled_at_any_step),
		TEST(a_challenge_may_be_answered_by_cancelling),
		TEST(the_end_may_come_with_questions_open),
		TEST(a_full_worker_queue_is_told),
		TEST(exchanges_are_bounded_in_all_and_for_a_source),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
