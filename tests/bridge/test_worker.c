/* SPDX-License-Identifier: ISC */
/* Threads for pure computing. */

#include "tests/lib/t.h"

#include <event2/event.h>
#include <pthread.h>
#include <string.h>

#include "bridge/worker.h"
#include "prim/base.h"

#define THREADS 2
#define JOBS    4

struct world {
	struct event_base *base;
	struct br_worker *worker;
};

struct task {
	struct br_worker_job job;
	struct world *w;
	pthread_barrier_t *gate; /* NULL: open */
	pthread_t ran_on;
	unsigned runs, dones;
	bool again; /* submit once more when done */
};

static int set_up(void **state)
{
	static struct world w;

	w.base = event_base_new();
	w.worker = br_worker_open(w.base, THREADS, JOBS);
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	w->worker = br_worker_close(w->worker);
	event_base_free(w->base);
	return 0;
}

static void task_run(void *arg)
{
	struct task *task = arg;

	if (task->gate)
		pthread_barrier_wait(task->gate);
	task->ran_on = pthread_self();
	task->runs++;
}

static void task_done(void *arg)
{
	struct task *task = arg;

	task->dones++;
	if (!task->again)
		return;
	task->again = false;
	assert_true(br_worker_submit(task->w->worker, &task->job));
}

static bool submit(struct world *w, struct task *task)
{
	task->w = w;
	task->job.run = task_run;
	task->job.done = task_done;
	task->job.arg = task;
	return br_worker_submit(w->worker, &task->job);
}

static void settle(struct world *w)
{
	while (br_worker_pending(w->worker) > 0)
		event_base_loop(w->base, EVLOOP_ONCE);
}

static void a_job_runs_elsewhere_and_is_done_here(void **state)
{
	struct world *w = *state;
	struct task task = { 0 };

	assert_true(submit(w, &task));
	assert_int_equal(task.dones, 0);
	settle(w);
	assert_int_equal(task.runs, 1);
	assert_int_equal(task.dones, 1);
	assert_false(pthread_equal(task.ran_on, pthread_self()));
}

/* Would hang if one thread had both. */
static void two_jobs_run_at_the_same_time(void **state)
{
	struct world *w = *state;
	struct task tasks[2] = { 0 };
	pthread_barrier_t gate;

	pthread_barrier_init(&gate, NULL, 2);
	for (size_t i = 0; i < PRIM_COUNT(tasks); i++) {
		tasks[i].gate = &gate;
		assert_true(submit(w, &tasks[i]));
	}
	settle(w);
	assert_false(pthread_equal(tasks[0].ran_on, tasks[1].ran_on));
	pthread_barrier_destroy(&gate);
}

static void the_queue_is_bounded(void **state)
{
	struct world *w = *state;
	struct task tasks[JOBS + 1] = { 0 };
	pthread_barrier_t gate;

	pthread_barrier_init(&gate, NULL, THREADS + 1);
	for (size_t i = 0; i < JOBS; i++) {
		tasks[i].gate = i < THREADS ? &gate : NULL;
		assert_true(submit(w, &tasks[i]));
	}
	assert_false(submit(w, &tasks[JOBS]));
	pthread_barrier_wait(&gate);
	settle(w);
	assert_int_equal(tasks[JOBS].runs, 0);
	assert_true(submit(w, &tasks[JOBS]));
	settle(w);
	for (size_t i = 0; i < PRIM_COUNT(tasks); i++)
		assert_int_equal(tasks[i].dones, 1);
	pthread_barrier_destroy(&gate);
}

static void a_job_may_be_submitted_again_when_done(void **state)
{
	struct world *w = *state;
	struct task task = { .again = true };

	assert_true(submit(w, &task));
	settle(w);
	assert_int_equal(task.runs, 2);
	assert_int_equal(task.dones, 2);
}

static void closing_finishes_what_was_taken(void **state)
{
	struct world *w = *state;
	struct task tasks[JOBS] = { 0 };

	for (size_t i = 0; i < JOBS; i++)
		assert_true(submit(w, &tasks[i]));
	w->worker = br_worker_close(w->worker);
	for (size_t i = 0; i < JOBS; i++) {
		assert_int_equal(tasks[i].runs, 1);
		assert_int_equal(tasks[i].dones, 1);
	}
}

static void submit_late(void *arg)
{
	struct task *task = arg;

	task->dones++;
	assert_false(br_worker_submit(task->w->worker, &task->job));
}

static void nothing_is_taken_while_closing(void **state)
{
	struct world *w = *state;
	struct task task = { .w = w };

	task.job.run = task_run;
	task.job.done = submit_late;
	task.job.arg = &task;
	assert_true(br_worker_submit(w->worker, &task.job));
	w->worker = br_worker_close(w->worker);
	assert_int_equal(task.runs, 1);
	assert_int_equal(task.dones, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_job_runs_elsewhere_and_is_done_here, set_up, tear_down),
		cmocka_unit_test_setup_teardown(two_jobs_run_at_the_same_time,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_queue_is_bounded, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    a_job_may_be_submitted_again_when_done, set_up, tear_down),
		cmocka_unit_test_setup_teardown(closing_finishes_what_was_taken,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_is_taken_while_closing,
		    set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
