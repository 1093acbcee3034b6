/* SPDX-License-Identifier: ISC */
/* How a delivery is handed over, and what is heard of it until its fate: taken,
 * alive, died; and when it may be tried again. The test is the adapter. */

#include "tests/lib/t.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "prim/base.h"
#include "tests/bridge/world_host.h"

#define CONFIGURED "PRIM/1.0 1 0 200 OK\r\n\r\n"
#define READY      "READY PRIM/1.0 - 0\r\n\r\n"
#define WINDOW     "WINDOW PRIM/1.0 - 0\r\nWindow: 1024\r\n\r\n"
#define UP         CONFIGURED READY WINDOW
#define FROM       "From: im:a@b\r\n"
#define TO         "To: im:bob@far.example\r\n"
#define WAS        "Bridge-Original-To: im:bob@far.example\r\n"
#define ID         "01010101010101010101010101010101"
#define TAIL       "Bridge-Hops: 1\r\nDelivery-ID: " ID "\r\nAttempt: 1\r\n"

static struct world w;

/* ---- what goes over the link ---- */

static const struct {
	const char *lines, *target, *token;
	bool is_notice;
	const char *heard; /* between the start line and the body */
} HANDOVERS[] = {
	{FROM TO,					       "",                  "",    false, FROM TO TAIL                                },
	{ "X: 1\r\n" TO FROM,				   "im:b@near.example", "",    false,
         "X: 1\r\nTo: im:b@near.example\r\n" FROM WAS TAIL										     },
	{ "to :  im:bob@far.example\r\nTopic: To: x\r\nY:\r\n",
         "im:b@near.example",							"",    false,
         "To: im:b@near.example\r\nTopic: To: x\r\nY:\r\n" WAS TAIL									    },
	{ TO "X: 1\r\nTO: im:bob@far.example\r\n",              "im:b@near.example", "",
         false,										    "To: im:b@near.example\r\nX: 1\r\n" WAS TAIL},
	{ FROM "Bridge-Original-From: im:a@c\r\n",              "",                  "",    false,
         FROM "Bridge-Original-From: im:a@c\r\n" TAIL											  },
	{ FROM,						 "",                  "x/y", true,  FROM TAIL "Return: x/y\r\n"                 },
	{ FROM,						 "",                  "",    true,  FROM TAIL                                   },
	{ FROM,						 "",                  "x/y", false, FROM TAIL                                   },
};

static struct br_message *message(unsigned row)
{
	struct br_message *m = prim_new(struct br_message);

	m->refs = 1;
	m->hops = 1;
	m->to = PRIM_SLICE("im:bob@far.example");
	m->lines = prim_slice_of(HANDOVERS[row].lines);
	m->return_token = prim_slice_of(HANDOVERS[row].token);
	m->body = PRIM_SLICE("hi");
	memset(&m->delivery, 1, sizeof(m->delivery));
	return m;
}

static void a_handover_alters_only_where_it_goes(void **state)
{
	char expected[400];

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(HANDOVERS); i++) {
		struct br_message *m = message(i);

		world_begin_saying(&w, UP);
		br_host_deliver(w.host, m,
		    &(struct br_host_handover){
			.attempt = 1,
			.target = prim_slice_of(HANDOVERS[i].target),
			.is_notice = HANDOVERS[i].is_notice,
		    });
		snprintf(expected, sizeof(expected),
		    "SEND PRIM/1.0 2 2\r\n%s\r\nhi", HANDOVERS[i].heard);
		world_expect_heard(&w, HANDOVERS[i].lines, expected);
		world_say(&w, "PRIM/1.0 2 0 200 OK\r\n\r\n");
		assert_int_equal(m->refs, 1);
		br_message_unref(m);
		world_fini(&w);
	}
}

/* ---- taken ---- */

static void what_is_taken_is_told(void **state)
{
	static const struct {
		const char *name, *said;
		unsigned takens, reports;
	} CASES[] = {
		{"taken",       "PRIM/1.0 2 0 200 OK\r\n\r\n",          1, 0},
		{ "refused",    "PRIM/1.0 2 0 402 x\r\n\r\n",           0, 1},
		{ "reported",
                 "REPORT PRIM/1.0 - 0\r\nDelivery-ID: " ID
		    "\r\nCode: 200\r\n\r\nPRIM/1.0 2 0 200 OK\r\n\r\n", 1, 1},
		{ "given back",
                 "WINDOW PRIM/1.0 - 0\r\nWindow: 0\r\n\r\n"
		    "PRIM/1.0 2 0 200 OK\r\n\r\n",		      0, 0},
	};

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++) {
		world_begin_saying(&w, UP);
		world_deliver(&w, "bob@far.example", 7);
		assert_int_equal(w.takens, 0);
		world_say(&w, CASES[i].said);
		if (w.takens != CASES[i].takens ||
		    w.report_count != CASES[i].reports)
			fail_msg("%s: taken %u, reported %u", CASES[i].name,
			    w.takens, w.report_count);
		if (w.takens > 0)
			assert_int_equal(w.last_taken.octets[0], 7);
		assert_int_equal(br_host_deaths(w.host), 0);
		world_fini(&w);
	}
}

/* ---- died ---- */

static void it_breaks_a_rule(void)
{
	world_say(&w, "rubbish\r\n\r\n");
}

static void it_hangs_up(void)
{
	w.host->link.ops->gone(w.host->link.ctx, NULL);
}

static void it_hangs(void)
{
	w.host->pinging = true;
	w.host->silent_ms = w.host->times.hang;
	w.host->times.ping = 1;
	event_active(w.host->tick, EV_TIMEOUT, 0);
	world_turn(&w, 1);
}

static void its_network_is_away(void)
{
	world_say(&w, "WINDOW PRIM/1.0 - 0\r\nWindow: 0\r\n\r\n");
}

static void it_is_drained(void)
{
	br_host_stop(w.host);
	it_hangs_up();
}

static void it_breaks_a_rule_while_drained(void)
{
	br_host_stop(w.host);
	it_breaks_a_rule();
}

static void it_is_wanted_again_while_drained(void)
{
	br_host_stop(w.host);
	br_host_start(w.host);
	it_hangs_up();
}

static void it_does_not_end_in_time(void)
{
	br_host_stop(w.host);
	br_host_fault(w.host, "it did not end in time");
}

static void only_what_ends_by_itself_has_died(void **state)
{
	static const struct {
		const char *name;
		void (*happens)(void);
		bool died;
	} CASES[] = {
		{"it breaks a rule",                  it_breaks_a_rule,        true },
		{ "it hangs up",                      it_hangs_up,             true },
		{ "it hangs",                         it_hangs,                true },
		{ "its network is away",              its_network_is_away,     false},
		{ "it is drained",                    it_is_drained,           false},
		{ "it breaks a rule while drained",
                 it_breaks_a_rule_while_drained,                               false},
		{ "it is wanted again while drained",
                 it_is_wanted_again_while_drained,                             false},
		{ "it does not end in time",          it_does_not_end_in_time, false},
	};

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++) {
		world_begin_saying(&w, UP);
		world_deliver(&w, "bob@far.example", 1);
		CASES[i].happens();
		if (w.downs != 1 || w.deaths != CASES[i].died)
			fail_msg("%s: downs %u, deaths %u", CASES[i].name,
			    w.downs, w.deaths);
		/* Once is enough. */
		br_host_fault(w.host, "again");
		assert_int_equal(w.downs, 1);
		world_fini(&w);
	}
}

/* ---- alive ---- */

static void a_probe_is_a_ping_of_its_own(void **state)
{
	(void)state;
	world_begin_saying(&w, UP);
	br_host_probe(w.host);
	br_host_probe(w.host);
	world_expect_heard(&w, "probes",
	    "PING PRIM/1.0 2 0\r\n\r\nPING PRIM/1.0 3 0\r\n\r\n");
	assert_false(w.host->pinging);
	br_host_say_ping(w.host);
	w.host->silent_ms = 700;
	world_say(&w, "PRIM/1.0 2 0 200 OK\r\n\r\n");
	assert_int_equal(w.alives, 1);
	world_say(&w, "PRIM/1.0 3 0 200 OK\r\n\r\n");
	assert_int_equal(w.alives, 2);
	/* The regular one is still open, and its time goes on. */
	assert_true(w.host->pinging);
	assert_int_equal(w.host->silent_ms, 700);
	world_say(&w, "PRIM/1.0 4 0 200 OK\r\n\r\n");
	assert_false(w.host->pinging);
	assert_int_equal(w.alives, 2);
	world_fini(&w);
}

static void probes_that_are_too_many_follow(void **state)
{
	const unsigned count = HOST_PROBES_MAX + 5;
	char text[64];

	(void)state;
	world_begin_saying(&w, UP);
	for (unsigned i = 0; i < count; i++)
		br_host_probe(w.host);
	assert_int_equal(w.host->asks.count, HOST_PROBES_MAX);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(w.alives, i);
		snprintf(text, sizeof(text), "PRIM/1.0 %u 0 200 OK\r\n\r\n",
		    i + 2);
		world_say(&w, text);
	}
	assert_int_equal(w.alives, count);
	assert_int_equal(w.host->asks.count, 0);
	assert_int_equal(br_host_deaths(w.host), 0);
	world_fini(&w);
}

static void one_that_is_not_ready_is_not_probed(void **state)
{
	(void)state;
	world_begin_saying(&w, CONFIGURED);
	br_host_probe(w.host);
	world_expect_heard(&w, "starting", "");
	world_say(&w, READY);
	br_host_probe(w.host);
	br_host_fault(w.host, "enough");
	br_host_probe(w.host);
	assert_int_equal(w.alives, 0);
	/* Nor is its next life asked what its last one was. */
	br_host_start_bare(w.host);
	world_say(&w, UP);
	prim_free(world_heard(&w));
	br_host_probe(w.host);
	world_expect_heard(&w, "again", "PING PRIM/1.0 2 0\r\n\r\n");
	world_say(&w, "PRIM/1.0 2 0 200 OK\r\n\r\n");
	assert_int_equal(w.alives, 1);
	assert_int_equal(w.host->probes, 0);
	world_fini(&w);
}

static void a_bad_answer_to_a_probe_is_the_end(void **state)
{
	static const struct {
		const char *name, *said, *why;
	} CASES[] = {
		{"refused",                       "PRIM/1.0 2 0 500 x\r\n\r\n",
                 "a bad answer to PING"      },
		{ "overtaken by the regular one", "PRIM/1.0 4 0 200 OK\r\n\r\n",
                 "a question is not answered"},
		{ "overtaken by its like",        "PRIM/1.0 3 0 200 OK\r\n\r\n",
                 "a question is not answered"},
	};

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++) {
		world_begin_saying(&w, UP);
		br_host_probe(w.host);
		br_host_probe(w.host);
		br_host_say_ping(w.host);
		world_say(&w, CASES[i].said);
		if (w.alives != 0 || br_host_deaths(w.host) != 1 ||
		    !world_logged(&w, CASES[i].why))
			fail_msg("%s", CASES[i].name);
		world_fini(&w);
	}
}

/* ---- when to try again ---- */

static const struct {
	const char *headers;
	unsigned count, first, last, delay_s;
} SCHEDULES[] = {
	{"",						      7,  5,     300, 900  },
	{ "Retry: 1\r\n",					 1,  1,     1,   900  },
	{ "Retry: 5 10 20\r\nDelay: 60\r\n",                      3,  5,     20,  60   },
	{ "Delay: 86400\r\n",				     7,  5,     300, 86400},
	{ "Retry: 86400 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15\r\n", 16, 86400, 15,
         900									   },
};

static void ready_may_say_when_to_try_again(void **state)
{
	const struct br_schedule *s;
	char text[200];

	(void)state;
	world_begin_saying(&w, "");
	for (unsigned i = 0; i < PRIM_COUNT(SCHEDULES); i++) {
		snprintf(text, sizeof(text),
		    CONFIGURED "READY PRIM/1.0 - 0\r\n%s\r\n",
		    SCHEDULES[i].headers);
		world_say(&w, text);
		s = br_host_schedule(w.host);
		assert_int_equal(s->count, SCHEDULES[i].count);
		assert_int_equal(s->pause_s[0], SCHEDULES[i].first);
		assert_int_equal(s->pause_s[s->count - 1], SCHEDULES[i].last);
		assert_int_equal(s->delay_notice_s, SCHEDULES[i].delay_s);
		/* What it said holds until its next life says otherwise. */
		br_host_fault(w.host, "next");
		assert_int_equal(br_host_schedule(w.host)->count,
		    SCHEDULES[i].count);
		br_host_start_bare(w.host);
	}
	world_fini(&w);
}

static void a_schedule_out_of_bounds_is_the_end(void **state)
{
	static const char *const BAD[] = { "Retry: ", "Retry: 0", "Retry: 5 0",
		"Retry: 86401", "Retry: 5,10", "Retry: 5  10", "Retry: -1",
		"Retry: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17",
		"Delay: ", "Delay: 0", "Delay: 86401", "Delay: 5 5", "Delay: x",
		"Retry: 99999999999999999999" };
	char text[200];

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(BAD); i++) {
		world_begin_saying(&w, CONFIGURED);
		snprintf(text, sizeof(text), "READY PRIM/1.0 - 0\r\n%s\r\n\r\n",
		    BAD[i]);
		world_say(&w, text);
		if (br_host_deaths(w.host) != 1 || w.readies != 0 ||
		    !world_logged(&w,
			BAD[i][0] == 'R' ? "a bad Retry" : "a bad Delay"))
			fail_msg("%s", BAD[i]);
		assert_int_equal(br_host_schedule(w.host)->count, 7);
		world_fini(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_handover_alters_only_where_it_goes),
		cmocka_unit_test(what_is_taken_is_told),
		cmocka_unit_test(only_what_ends_by_itself_has_died),
		cmocka_unit_test(a_probe_is_a_ping_of_its_own),
		cmocka_unit_test(probes_that_are_too_many_follow),
		cmocka_unit_test(one_that_is_not_ready_is_not_probed),
		cmocka_unit_test(a_bad_answer_to_a_probe_is_the_end),
		cmocka_unit_test(ready_may_say_when_to_try_again),
		cmocka_unit_test(a_schedule_out_of_bounds_is_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
