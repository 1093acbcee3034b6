/* SPDX-License-Identifier: ISC */
/* Where a feed is, and what moves it. */

#include "tests/lib/t.h"

#include "tests/prim/window.h"

enum from { CURRENT, ASKED, STALE, WAITING };

enum stimulus { CHANGE, ANSWER, REFUSE, GO, SHOW, EXPIRE, CLOSE, END };

static const struct {
	const char *name;
	enum from from;
	enum stimulus stimulus;
	unsigned room;
	bool ends_unwanted;
	enum to to;
	unsigned notifies, forgets;
} CASES[] = {
	{"a change is sent",          CURRENT, CHANGE, 1, false, TO_ASKED,   1, 0},
	{ "a change waits for room",  CURRENT, CHANGE, 0, false, TO_WAITING, 0,
         0								       },
	{ "room alone sends nothing", CURRENT, GO,     1, false, TO_CURRENT, 0, 0},
	{ "unchanged is shown",       CURRENT, SHOW,   1, false, TO_ASKED,   1, 0},
	{ "showing waits for room",   CURRENT, SHOW,   0, false, TO_WAITING, 0, 0},
	{ "nothing asked is late",    CURRENT, EXPIRE, 1, false, TO_CURRENT, 0,
         0								       },
	{ "current, closed",          CURRENT, CLOSE,  1, false, TO_NOWHERE, 0, 0},
	{ "current, ended",           CURRENT, END,    1, false, TO_NOWHERE, 0, 0},
	{ "one unanswered is enough", ASKED,   CHANGE, 1, false, TO_ASKED,   0, 0},
	{ "answered",                 ASKED,   ANSWER, 1, false, TO_CURRENT, 0, 0},
	{ "refused, and kept",        ASKED,   REFUSE, 1, false, TO_CURRENT, 0, 0},
	{ "refused, and ended",       ASKED,   REFUSE, 1, true,  TO_NOWHERE, 0, 0},
	{ "asked, and room",          ASKED,   GO,     1, false, TO_ASKED,   0, 0},
	{ "asked, and to be shown",   ASKED,   SHOW,   1, false, TO_ASKED,   0, 0},
	{ "asked for too long",       ASKED,   EXPIRE, 1, false, TO_CURRENT, 0, 1},
	{ "asked, closed",            ASKED,   CLOSE,  1, false, TO_NOWHERE, 0, 1},
	{ "asked, ended",             ASKED,   END,    1, false, TO_NOWHERE, 0, 1},
	{ "answered, and changed",    STALE,   ANSWER, 1, false, TO_ASKED,   1, 0},
	{ "answered, no room",        STALE,   ANSWER, 0, false, TO_WAITING, 0, 0},
	{ "stale, refused, kept",     STALE,   REFUSE, 1, false, TO_ASKED,   1, 0},
	{ "stale, refused, ended",    STALE,   REFUSE, 1, true,  TO_NOWHERE, 0, 0},
	{ "stale for too long",       STALE,   EXPIRE, 1, false, TO_ASKED,   1, 1},
	{ "too long, no room",        STALE,   EXPIRE, 0, false, TO_WAITING, 0, 1},
	{ "stale, closed",            STALE,   CLOSE,  1, false, TO_NOWHERE, 0, 1},
	{ "stale, ended",             STALE,   END,    1, false, TO_NOWHERE, 0, 1},
	{ "room for who waits",       WAITING, GO,     1, false, TO_ASKED,   1, 0},
	{ "no room for who waits",    WAITING, GO,     0, false, TO_WAITING, 0, 0},
	{ "waiting, and changed",     WAITING, CHANGE, 1, false, TO_WAITING, 0, 0},
	{ "waiting, to be shown",     WAITING, SHOW,   1, false, TO_WAITING, 0, 0},
	{ "waiting is not late",      WAITING, EXPIRE, 1, false, TO_WAITING, 0, 0},
	{ "waiting, closed",          WAITING, CLOSE,  1, false, TO_NOWHERE, 0, 0},
	{ "waiting, ended",           WAITING, END,    1, false, TO_NOWHERE, 0, 0},
};

static void bring(enum from from)
{
	if (from == CURRENT)
		return;
	window.room = from == WAITING ? 0 : 1;
	change();
	if (from == STALE)
		change();
}

static void apply(enum stimulus stimulus)
{
	switch (stimulus) {
	case CHANGE:
		change();
		break;
	case ANSWER:
		answer(&window, 200);
		break;
	case REFUSE:
		answer(&window, 403);
		break;
	case GO:
		prim_outlet_go(&window.outlet);
		break;
	case SHOW:
		prim_subscription_show(&subscription);
		break;
	case EXPIRE:
		wait_ms(PRIM_NOTIFY_WITHIN_MS + PRIM_TIMER_TICK_MS);
		break;
	case CLOSE:
		prim_outlet_close(&window.outlet);
		break;
	case END:
		prim_subscription_end(&subscription);
		break;
	}
}

static void a_feed_goes_where_the_diagram_says(void **state)
{
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		print_message("%s\n", CASES[i].name);
		set_up(state);
		bring(CASES[i].from);
		window.room = CASES[i].room;
		window.ends_unwanted = CASES[i].ends_unwanted;
		window.notify_count = window.forget_count = 0;
		apply(CASES[i].stimulus);
		is_at(CASES[i].to);
		assert_int_equal(window.notify_count, CASES[i].notifies);
		assert_int_equal(window.forget_count, CASES[i].forgets);
		assert_int_equal(window.unwanted_count,
		    CASES[i].stimulus == REFUSE ? 1 : 0);
		tear_down(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_feed_goes_where_the_diagram_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
