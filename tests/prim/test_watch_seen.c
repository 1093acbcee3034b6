/* SPDX-License-Identifier: ISC */
/* Who gets to see what, in which order, and until when. */

#include "tests/lib/t.h"

#include "tests/prim/window.h"

static void a_slow_outlet_ends_with_the_newest_state(void **state)
{
	(void)state;
	window.room = 1;
	for (int i = 0; i < 1000; i++)
		change();
	assert_int_equal(window.notify_count, 1);
	assert_int_equal(window.outlet.asked_count, 1);
	window.room = 1;
	answer(&window, 200);
	assert_int_equal(window.notify_count, 2);
	assert_int_equal(window.shown, source.version);
	answer(&window, 200);
	is_at(TO_CURRENT);
	assert_int_equal(subscription.seen, source.version);
}

static void a_view_is_composed_once_a_change(void **state)
{
	(void)state;
	prim_outlet_open(&other_window.outlet, &watcher);
	change();
	assert_int_equal(compose_count, 1);
	assert_int_equal(other_window.notify_count, 1);
	prim_source_view(&source, PRIM_FORM_CLIENT);
	assert_int_equal(compose_count, 1);
	prim_source_view(&source, PRIM_FORM_PIDF);
	assert_int_equal(compose_count, 2);
	change();
	assert_int_equal(compose_count, 2); /* nobody looked */
}

/* How the NOTIFY at the first outlet ended, and whether the next one to open
 * shows the state again. */
static const struct {
	const char *name;
	bool is_answered;
	unsigned code;
	int64_t wait_ms;
	bool is_shown_again;
} AGAIN[] = {
	{"answered",                true,  200, 0,     false},
	{ "answered with an error", true,  500, 0,     true },
	{ "lost with its link",     true,  0,   0,     true },
	{ "never answered",         false, 0,   0,     true },
	{ "not answered in time",   false, 0,   11000, true },
};

static void what_nobody_has_seen_is_shown_at_the_next_outlet(void **state)
{
	for (size_t i = 0; i < PRIM_COUNT(AGAIN); i++) {
		print_message("%s\n", AGAIN[i].name);
		set_up(state);
		change();
		if (AGAIN[i].is_answered)
			answer(&window, AGAIN[i].code);
		wait_ms(AGAIN[i].wait_ms);
		prim_outlet_close(&window.outlet);
		prim_outlet_close(&window.outlet);
		prim_outlet_open(&other_window.outlet, &watcher);
		assert_int_equal(other_window.notify_count, 0);
		prim_outlet_go(&other_window.outlet);
		assert_int_equal(other_window.notify_count,
		    AGAIN[i].is_shown_again ? 1 : 0);
		tear_down(state);
	}
}

static void what_changes_while_nobody_is_there_is_shown_later(void **state)
{
	(void)state;
	prim_outlet_close(&window.outlet);
	change();
	prim_outlet_open(&window.outlet, &watcher);
	prim_outlet_go(&window.outlet);
	assert_int_equal(window.notify_count, 1);
	assert_int_equal(window.shown, source.version);
}

static void showing_while_asked_shows_once_more(void **state)
{
	(void)state;
	change();
	prim_subscription_show(&subscription);
	assert_int_equal(window.notify_count, 1);
	answer(&window, 200);
	assert_int_equal(window.notify_count, 2);
	answer(&window, 200);
	is_at(TO_CURRENT);
}

static void who_begins_during_a_change_is_told_by_the_caller_only(void **state)
{
	struct prim_subscription late;

	(void)state;
	prim_source_change(&source);
	watch(&late, &source);
	while (prim_fan_run(&fan, 1))
		;
	assert_int_equal(window.notify_count, 1); /* not the late one */
	change();
	assert_int_equal(window.notify_count, 2);
	prim_subscription_end(&late);
}

static void what_an_outlet_can_never_show_is_passed_over(void **state)
{
	(void)state;
	window.is_narrow = true;
	change();
	is_at(TO_CURRENT);
	assert_int_not_equal(subscription.seen, source.version);
	window.is_narrow = false;
	change();
	is_at(TO_ASKED);
}

/* ---- turns ---- */

#define CROWD 1000

static struct prim_subscription crowd[CROWD];

static void gather(void)
{
	for (unsigned i = 0; i < CROWD; i++)
		watch(&crowd[i], &source);
}

static void scatter(void)
{
	for (unsigned i = 0; i < CROWD; i++)
		prim_subscription_end(&crowd[i]);
}

static void a_source_with_many_watchers_leaves_a_turn_to_others(void **state)
{
	struct prim_subscription alone;
	struct prim_source quiet;

	(void)state;
	window.room = 2 * CROWD;
	prim_source_init(&quiet, &SOURCE_OPS, &fan);
	gather();
	watch(&alone, &quiet);
	prim_source_change(&source);
	prim_source_change(&quiet);
	assert_true(prim_fan_run(&fan, 65));
	assert_int_equal(window.notify_count, 65);
	assert_ptr_equal(window.last, &quiet);
	while (prim_fan_run(&fan, 7))
		;
	assert_int_equal(window.notify_count, CROWD + 2);
	prim_subscription_end(&alone);
	prim_source_fini(&quiet);
	scatter();
}

static void nobody_overtakes_those_who_wait(void **state)
{
	struct prim_source quiet;
	struct prim_subscription first;

	(void)state;
	prim_source_init(&quiet, &SOURCE_OPS, &fan);
	watch(&first, &quiet);
	window.room = 0;
	prim_source_change(&quiet);
	change();
	window.room = 1;
	change(); /* the other one waits already, and is first */
	assert_int_equal(window.notify_count, 0);
	prim_outlet_go(&window.outlet);
	assert_ptr_equal(window.last, &quiet);
	window.room = 1;
	answer(&window, 200);
	assert_ptr_equal(window.last, &source);
	prim_subscription_end(&first);
	prim_source_fini(&quiet);
}

static void a_question_that_is_forgotten_makes_room(void **state)
{
	struct prim_subscription second;

	(void)state;
	watch(&second, &source);
	window.room = 1;
	change();
	assert_int_equal(window.outlet.asked_count, 1);
	prim_subscription_end(TAILQ_FIRST(&window.outlet.asked)->subscription);
	assert_int_equal(window.forget_count, 1);
	window.room = 1;
	wait_ms(2 * PRIM_TIMER_TICK_MS);
	assert_int_equal(window.notify_count, 2);
	prim_subscription_end(&second);
}

static void every_question_has_its_own_time(void **state)
{
	struct prim_source quiet;
	struct prim_subscription second;

	(void)state;
	prim_source_init(&quiet, &SOURCE_OPS, &fan);
	watch(&second, &quiet);
	change();
	wait_ms(6000);
	prim_source_change(&quiet);
	prim_fan_run(&fan, 1);
	wait_ms(5000);
	assert_int_equal(window.forget_count, 1);
	assert_int_equal(window.outlet.asked_count, 1);
	wait_ms(4000);
	assert_int_equal(window.forget_count, 1);
	wait_ms(1008);
	assert_int_equal(window.forget_count, 2);
	prim_subscription_end(&second);
	prim_source_fini(&quiet);
}

/* ---- subscriptions ---- */

static void a_subscription_ends_with_its_time(void **state)
{
	(void)state;
	prim_subscription_renew(&subscription, START_MS + 8000);
	wait_ms(7000);
	prim_subscription_renew(&subscription, START_MS + 16000);
	change();
	wait_ms(8999);
	assert_ptr_equal(subscription.source, &source);
	assert_int_equal(source.subscription_count, 1);
	wait_ms(8);
	assert_null(subscription.source);
	assert_int_equal(source.subscription_count, 0);
	assert_int_equal(watcher.subscription_count, 0);
	is_at(TO_NOWHERE);
	prim_subscription_end(&subscription);
}

static void a_source_without_watchers_changes_for_nothing(void **state)
{
	(void)state;
	prim_subscription_end(&subscription);
	prim_source_change(&source);
	assert_false(source.is_changed);
	assert_false(prim_fan_run(&fan, 1));
}

static void a_source_may_go_while_its_change_is_not_pushed(void **state)
{
	(void)state;
	prim_source_change(&source);
	prim_subscription_end(&subscription);
	prim_source_fini(&source);
	assert_false(prim_fan_run(&fan, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_slow_outlet_ends_with_the_newest_state, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    a_view_is_composed_once_a_change, set_up, tear_down),
		cmocka_unit_test(
		    what_nobody_has_seen_is_shown_at_the_next_outlet),
		cmocka_unit_test_setup_teardown(
		    what_changes_while_nobody_is_there_is_shown_later, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    showing_while_asked_shows_once_more, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    who_begins_during_a_change_is_told_by_the_caller_only,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    what_an_outlet_can_never_show_is_passed_over, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    a_source_with_many_watchers_leaves_a_turn_to_others, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(nobody_overtakes_those_who_wait,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_question_that_is_forgotten_makes_room, set_up, tear_down),
		cmocka_unit_test_setup_teardown(every_question_has_its_own_time,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_subscription_ends_with_its_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_source_without_watchers_changes_for_nothing, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    a_source_may_go_while_its_change_is_not_pushed, set_up,
		    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
