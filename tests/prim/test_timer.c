/* SPDX-License-Identifier: ISC */
/* The wheel against a model that looks at every timer each time. */

#include "tests/lib/t.h"

#include <string.h>

#include "prim/base.h"
#include "prim/timer.h"
#include "tests/lib/random.h"

#define TIMERS  64
#define STEPS   100000
#define DAY_MS  ((int64_t)24 * 3600 * 1000)
#define YEAR_MS (365 * DAY_MS)

struct model {
	struct prim_timer timer;
	int64_t due_ms;
	bool is_set;
	unsigned fired;
};

static struct prim_wheel wheel;
static struct model models[TIMERS];
static struct t_random chance;
static bool is_reviving; /* callbacks set timers, too */

static void model_set(struct model *m, int64_t at_ms)
{
	m->due_ms = at_ms;
	m->is_set = true;
	prim_timer_set(&wheel, &m->timer, at_ms);
}

static void model_stop(struct model *m)
{
	m->is_set = false;
	prim_timer_stop(&wheel, &m->timer);
}

/* A wait of any size: most are short, some are years. */
static int64_t any_wait(void)
{
	return (int64_t)(t_random_next(&chance) >>
		   (24 + t_random_below(&chance, 40))) -
	    8;
}

static void on_expiry(struct prim_timer *t)
{
	struct model *m = PRIM_CONTAINER(t, struct model, timer);

	assert_true(m->is_set);
	assert_true(m->due_ms <= wheel.now_ms);
	assert_false(prim_timer_is_set(t));
	m->is_set = false;
	m->fired++;
	if (!is_reviving)
		return;
	if (t_random_below(&chance, 4) == 0)
		model_set(m, wheel.now_ms + any_wait());
	if (t_random_below(&chance, 8) == 0)
		model_stop(&models[t_random_below(&chance, TIMERS)]);
}

static int set_up(void **state)
{
	(void)state;
	memset(models, 0, sizeof(models));
	is_reviving = false;
	prim_wheel_init(&wheel, 1004356800000);
	for (unsigned i = 0; i < TIMERS; i++)
		prim_timer_init(&models[i].timer, on_expiry);
	return 0;
}

/* Everything that is due with a tick to spare has fired; the next one is
 * promised early enough. */
static void check_all(void)
{
	int64_t next = prim_wheel_next(&wheel), earliest = INT64_MAX;

	for (unsigned i = 0; i < TIMERS; i++) {
		const struct model *m = &models[i];

		assert_int_equal(m->is_set, prim_timer_is_set(&m->timer));
		if (!m->is_set)
			continue;
		if (m->due_ms + 2 * PRIM_TIMER_TICK_MS <= wheel.now_ms &&
		    !is_reviving)
			fail_msg("timer %u is %lld ms late", i,
			    (long long)(wheel.now_ms - m->due_ms));
		if (m->due_ms < earliest)
			earliest = m->due_ms;
	}
	if (earliest == INT64_MAX)
		assert_true(next == INT64_MAX);
	else if (next > earliest + 2 * PRIM_TIMER_TICK_MS &&
	    next > wheel.now_ms + 2 * PRIM_TIMER_TICK_MS)
		fail_msg("next is %lld ms too late",
		    (long long)(next - earliest));
}

static void step(void)
{
	struct model *m = &models[t_random_below(&chance, TIMERS)];
	int64_t wait;

	switch (t_random_below(&chance, 4)) {
	case 0:
	case 1:
		model_set(m, wheel.now_ms + any_wait());
		return;
	case 2:
		model_stop(m);
		return;
	default:
		/* Mostly a moment; each 512 ms of a jump cost a look. */
		wait = (int64_t)t_random_below(&chance,
		    t_random_below(&chance, 64) ? 2000 : 3600 * 1000);
		prim_wheel_advance(&wheel, wheel.now_ms + wait);
		return;
	}
}

static void random_sets_stops_and_advances_agree_with_the_model(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		set_up(NULL);
		chance.state = seed;
		for (unsigned i = 0; i < STEPS / 4; i++) {
			step();
			check_all();
		}
	}
}

static void callbacks_may_set_and_stop_timers(void **state)
{
	(void)state;
	chance.state = 7;
	is_reviving = true;
	for (unsigned i = 0; i < STEPS / 4; i++) {
		step();
		check_all();
	}
}

static void advancing_when_told_to_never_misses_a_timer(void **state)
{
	struct model *m = &models[0];

	(void)state;
	chance.state = 9;
	for (unsigned i = 0; i < 300; i++) {
		int64_t wait = any_wait() % (2 * DAY_MS);
		unsigned looks = 0;

		model_set(m, wheel.now_ms + wait);
		while (m->is_set) {
			int64_t next = prim_wheel_next(&wheel);

			assert_true(next > wheel.now_ms - PRIM_TIMER_TICK_MS);
			prim_wheel_advance(&wheel,
			    next > wheel.now_ms ? next : wheel.now_ms + 1);
			assert_true(++looks <= 2 * PRIM_TIMER_LEVELS + 2);
		}
		if (wheel.now_ms - m->due_ms > 2 * PRIM_TIMER_TICK_MS &&
		    wait > 0)
			fail_msg("%lld ms late after %lld",
			    (long long)(wheel.now_ms - m->due_ms),
			    (long long)wait);
	}
}

static void nothing_fires_before_its_time(void **state)
{
	(void)state;
	model_set(&models[0], wheel.now_ms + 100);
	prim_wheel_advance(&wheel, wheel.now_ms + 99);
	assert_int_equal(models[0].fired, 0);
	prim_wheel_advance(&wheel, wheel.now_ms + 1 + PRIM_TIMER_TICK_MS);
	assert_int_equal(models[0].fired, 1);
}

static void what_is_past_fires_at_the_next_advance(void **state)
{
	(void)state;
	model_set(&models[0], wheel.now_ms - 5000);
	model_set(&models[1], 0);
	prim_wheel_advance(&wheel, wheel.now_ms);
	assert_int_equal(models[0].fired, 0); /* no tick has passed */
	prim_wheel_advance(&wheel, wheel.now_ms + PRIM_TIMER_TICK_MS);
	assert_int_equal(models[0].fired, 1);
	assert_int_equal(models[1].fired, 1);
}

static void setting_again_replaces(void **state)
{
	(void)state;
	model_set(&models[0], wheel.now_ms + 100);
	model_set(&models[0], wheel.now_ms + 10000);
	prim_wheel_advance(&wheel, wheel.now_ms + 5000);
	assert_int_equal(models[0].fired, 0);
	prim_wheel_advance(&wheel, wheel.now_ms + 6000);
	assert_int_equal(models[0].fired, 1);
}

static void waits_beyond_the_wheel_are_kept(void **state)
{
	int64_t end = wheel.now_ms + 20 * YEAR_MS;

	(void)state;
	model_set(&models[0], end);
	assert_true(prim_wheel_next(&wheel) <= end + PRIM_TIMER_TICK_MS);
	prim_wheel_advance(&wheel, wheel.now_ms + YEAR_MS / 12);
	assert_int_equal(models[0].fired, 0);
	assert_true(prim_timer_is_set(&models[0].timer));
	model_stop(&models[0]);
	assert_true(prim_wheel_next(&wheel) == INT64_MAX);
}

static void stopping_a_stopped_timer_is_fine(void **state)
{
	(void)state;
	prim_timer_stop(&wheel, &models[0].timer);
	model_set(&models[0], wheel.now_ms + 50);
	model_stop(&models[0]);
	prim_timer_stop(&wheel, &models[0].timer);
	prim_wheel_advance(&wheel, wheel.now_ms + 1000);
	assert_int_equal(models[0].fired, 0);
}

static void stop_the_other(struct prim_timer *t)
{
	models[t == &models[0].timer ? 1 : 0].fired++;
	prim_timer_stop(&wheel, &models[0].timer);
	prim_timer_stop(&wheel, &models[1].timer);
}

static void a_callback_may_stop_what_is_due_with_it(void **state)
{
	(void)state;
	prim_timer_init(&models[0].timer, stop_the_other);
	prim_timer_init(&models[1].timer, stop_the_other);
	prim_timer_set(&wheel, &models[0].timer, wheel.now_ms + 100);
	prim_timer_set(&wheel, &models[1].timer, wheel.now_ms + 100);
	prim_wheel_advance(&wheel, wheel.now_ms + 200);
	assert_int_equal(models[0].fired + models[1].fired, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    random_sets_stops_and_advances_agree_with_the_model,
		    set_up),
		cmocka_unit_test_setup(callbacks_may_set_and_stop_timers,
		    set_up),
		cmocka_unit_test_setup(
		    advancing_when_told_to_never_misses_a_timer, set_up),
		cmocka_unit_test_setup(nothing_fires_before_its_time, set_up),
		cmocka_unit_test_setup(what_is_past_fires_at_the_next_advance,
		    set_up),
		cmocka_unit_test_setup(setting_again_replaces, set_up),
		cmocka_unit_test_setup(waits_beyond_the_wheel_are_kept, set_up),
		cmocka_unit_test_setup(stopping_a_stopped_timer_is_fine,
		    set_up),
		cmocka_unit_test_setup(a_callback_may_stop_what_is_due_with_it,
		    set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
