/* SPDX-License-Identifier: ISC */
/* What an adapter may say, without a process: the test is the adapter. */

#include "tests/lib/t.h"

#include <stdio.h>
#include <string.h>

#include "prim/base.h"
#include "tests/bridge/world_host.h"

#define CONFIGURED "PRIM/1.0 1 0 200 OK\r\n\r\n"
#define READY      "READY PRIM/1.0 - 0\r\n\r\n"
#define WINDOW     "WINDOW PRIM/1.0 - 0\r\nWindow: 1024\r\n\r\n"
#define UP         CONFIGURED READY WINDOW
#define ID         "01010101010101010101010101010101"
#define TEXT       "Content-Type: text/plain\r\n"
#define SEND_HEAD                                                    \
	"From: im:bob@far.example\r\nTo: im:alice@localhost\r\n"     \
	"Date: Thu, 01 Jan 2026 00:00:00 +0000\r\nMessage-ID: m\r\n" \
	"Conversation-ID: c\r\n" TEXT "\r\n"

static struct world w;

static void the_configuration_goes_first(void **state)
{
	(void)state;
	world_begin(&w);
	world_expect_heard(&w, NULL,
	    "CONFIG PRIM/1.0 1 19\r\nName: fault\r\n"
	    "Max-Content-Length: 100000\r\n"
	    "Content-Type: text/plain; charset=UTF-8\r\n\r\n"
	    "serve localhost\n\n{}");
	assert_string_equal(br_host_state(w.host), "starting");
	world_fini(&w);
}

static void a_delivery_looks_like_this(void **state)
{
	(void)state;
	world_begin_saying(&w, UP);
	world_deliver(&w, "bob@far.example", 1);
	world_expect_heard(&w, NULL,
	    "SEND PRIM/1.0 2 5\r\nAStrength: none\r\n"
	    "Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n"
	    "From: im:alice@localhost\r\n"
	    "To: im:bob@far.example\r\nMessage-ID: m1\r\n"
	    "Conversation-ID: c\r\nContent-Type: text/plain\r\n"
	    "Bridge-Hops: 1\r\nDelivery-ID: " ID "\r\n"
	    "Attempt: 1\r\n\r\nhello");
	assert_int_equal(w.host->untaken, 1);
	world_say(&w, "PRIM/1.0 2 0 200 OK\r\n\r\n");
	assert_int_equal(w.host->untaken, 0);
	assert_int_equal(w.report_count, 0);
	world_say(&w,
	    "REPORT PRIM/1.0 - 4\r\nDelivery-ID: " ID "\r\nCode: 101\r\n" TEXT
	    "\r\nsent");
	assert_int_equal(world_reported(&w, 1), 101);
	world_fini(&w);
}

/* Octets after which the adapter still lives. */
static const struct {
	const char *name;
	const char *said;
	const char *answer;
} GOOD[] = {
	{"log before anything else",
         "LOG PRIM/1.0 - 2\r\nLevel: warn\r\n" TEXT "\r\nhi",                                ""                           },
	{ "ping",				 CONFIGURED "PING PRIM/1.0 1 0\r\n\r\n",
         "PRIM/1.0 1 0 200 OK\r\n\r\n"										    },
	{ "a metric",
         CONFIGURED "METRIC PRIM/1.0 - 0\r\nName: x\r\nValue: -5\r\n\r\n",
         ""													       },
	{ "a metric with a name that is refused",
         CONFIGURED "METRIC PRIM/1.0 - 0\r\nName: X\r\nValue: 5\r\n\r\n",
         ""													       },
	{ "nobody is linked",
         CONFIGURED "LINK PRIM/1.0 1 0\r\nFrom: im:bob@far.example\r\n\r\n",
         "PRIM/1.0 1 0 403 Resource Not Found\r\n\r\n"								    },
	{ "ids may leave some out",
         CONFIGURED "PING PRIM/1.0 7 0\r\n\r\nPING PRIM/1.0 9 0\r\n\r\n",
         "PRIM/1.0 7 0 200 OK\r\n\r\nPRIM/1.0 9 0 200 OK\r\n\r\n"                                                         },
	{ "a report of something unknown",
         UP "REPORT PRIM/1.0 - 0\r\nDelivery-ID: " ID
	       "\r\nCode: 504\r\n\r\n",						      ""			   },
	{ "the window moves",
         UP WINDOW "WINDOW PRIM/1.0 - 0\r\nWindow: 0\r\n"
		      "\r\n" WINDOW,
         ""													       },
	{ "an unknown header",
         CONFIGURED "PING PRIM/1.0 1 0\r\nX-Mine: a\r\nX-Mine: b\r\n\r\n",
         "PRIM/1.0 1 0 200 OK\r\n\r\n"										    },
	{ "a submission of somebody linked",
         UP
	    "SEND PRIM/1.0 1 2\r\nBridge-Original-From: im:b@far.example\r\n" SEND_HEAD
	    "hi",									    "PRIM/1.0 1 0 200 OK\r\n\r\n"},
	{ "a submission",                         UP "SEND PRIM/1.0 1 2\r\n" SEND_HEAD "hi",
         "PRIM/1.0 1 0 200 OK\r\n\r\n"										    },
};

static void what_is_allowed_is_heard(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(GOOD); i++) {
		world_begin_saying(&w, "");
		world_say(&w, GOOD[i].said);
		if (br_host_deaths(w.host) != 0)
			fail_msg("%s: %.*s", GOOD[i].name,
			    PRIM_SLICE_ARG(prim_buf_slice(&w.logged)));
		world_expect_heard(&w, NULL, GOOD[i].answer);
		world_fini(&w);
	}
}

/* Octets that cost the adapter its life, and the reason that is logged. */
static const struct {
	const char *name;
	const char *said;
	const char *why;
} BAD[] = {
	{"rubbish",			    "rubbish\r\n\r\n",                                "a broken head"                           },
	{ "an empty line",                     "\r\n" CONFIGURED,                                "an empty line"                           },
	{ "a bare LF",			 "PRIM/1.0 1 0 200 OK\n\n",                        "a broken head"                           },
	{ "another version",                   "PRIM/1.1 1 0 200 OK\r\n\r\n",                    "a version"                               },
	{ "another family",                    CONFIGURED "PING IMP/1.0 1 0\r\n\r\n",
         "a version"														       },
	{ "a header without colon",            CONFIGURED "PING PRIM/1.0 1 0\r\nx\r\n\r\n",
         "a malformed header"													      },
	{ "a response to nothing",             "PRIM/1.0 2 0 200 OK\r\n\r\n",
         "a response to nothing"													   },
	{ "an answer twice",                   CONFIGURED CONFIGURED,                            "a response to nothing"                   },
	{ "an id in another spelling",         "PRIM/1.0 01 0 200 OK\r\n\r\n",
         "a response to nothing"													   },
	{ "a refused configuration",
         "PRIM/1.0 1 4 400 Bad Request\r\n" TEXT "\r\nno!\n",
         "it refused its configuration"												    },
	{ "a method nobody knows",             CONFIGURED "HELO PRIM/1.0 1 0\r\n\r\n",
         "a method that adapters may not use"											      },
	{ "a method of clients",
         CONFIGURED "LISTEN PRIM/1.0 1 0\r\nFrom: im:a@b\r\n\r\n",
         "a method that adapters may not use"											      },
	{ "a method of ours",                  CONFIGURED "DRAIN PRIM/1.0 - 0\r\n\r\n",
         "a method that adapters may not use"											      },
	{ "READY before CONFIG is answered",   READY,                                            "it speaks too early"                     },
	{ "READY twice",                       CONFIGURED READY READY,                           "READY twice"                             },
	{ "READY with an id",                  CONFIGURED "READY PRIM/1.0 1 0\r\n\r\n",
         "a bad id"															},
	{ "READY with a body",                 CONFIGURED "READY PRIM/1.0 - 1\r\n" TEXT "\r\nx",
         "a body that is missing or out of place"											  },
	{ "WINDOW before READY",               CONFIGURED WINDOW,                                "it speaks too early"                     },
	{ "WINDOW without Window",
         CONFIGURED READY "WINDOW PRIM/1.0 - 0\r\n\r\n",
         "a required header is missing"												    },
	{ "too large a window",
         CONFIGURED READY "WINDOW PRIM/1.0 - 0\r\nWindow: 1025\r\n\r\n",
         "a bad Window"														    },
	{ "a negative window",
         CONFIGURED READY "WINDOW PRIM/1.0 - 0\r\nWindow: -1\r\n\r\n",
         "a bad Window"														    },
	{ "a header in another case",
         CONFIGURED READY "WINDOW PRIM/1.0 - 0\r\nwindow: 1\r\n\r\n",
         "a header that is misspelled or repeated"											 },
	{ "a header twice",
         CONFIGURED READY
	    "WINDOW PRIM/1.0 - 0\r\nWindow: 1\r\nWindow: 1\r\n\r\n",			     "a header that is misspelled or repeated" },
	{ "REPORT before READY",
         CONFIGURED "REPORT PRIM/1.0 - 0\r\nDelivery-ID: " ID
		       "\r\nCode: 200\r\n\r\n",						  "it speaks too early"                     },
	{ "a short Delivery-ID",
         UP "REPORT PRIM/1.0 - 0\r\nDelivery-ID: 01\r\nCode: 200\r\n\r\n",
         "a bad Delivery-ID"													       },
	{ "a Code that is no fate",
         UP "REPORT PRIM/1.0 - 0\r\nDelivery-ID: " ID
	       "\r\nCode: 300\r\n\r\n",							  "a bad Code"			      },
	{ "a Code that is no number",
         UP "REPORT PRIM/1.0 - 0\r\nDelivery-ID: " ID "\r\nCode: ok\r\n\r\n",
         "a bad Code"														      },
	{ "a body without Content-Type",
         UP "REPORT PRIM/1.0 - 2\r\nDelivery-ID: " ID
	       "\r\nCode: 200\r\n\r\nhi",							"a body without Content-Type"             },
	{ "SEND before READY",
         CONFIGURED "SEND PRIM/1.0 1 2\r\n" SEND_HEAD "hi",
         "it speaks too early"													     },
	{ "SEND that wants no answer",
         UP "SEND PRIM/1.0 - 2\r\n" SEND_HEAD "hi",                                              "a bad id"                                },
	{ "SEND with an id that is no number",
         UP "SEND PRIM/1.0 a1 2\r\n" SEND_HEAD "hi",                                             "a bad id"                                },
	{ "SEND that was really from two",
         UP "SEND PRIM/1.0 1 2\r\nBridge-Original-From: im:b@far.example\r\n"
	       "Bridge-Original-From: im:b@far.example\r\n" SEND_HEAD "hi",
         "a header that is misspelled or repeated"											 },
	{ "SEND without body",                 UP "SEND PRIM/1.0 1 0\r\n" SEND_HEAD,
         "a body that is missing or out of place"											  },
	{ "ids that do not count up",
         CONFIGURED "PING PRIM/1.0 2 0\r\n\r\nPING PRIM/1.0 2 0\r\n\r\n",
         "a bad id"															},
	{ "a body that is too long",           UP "SEND PRIM/1.0 1 165537\r\n" SEND_HEAD,
         "a body that is too long"													 },
	{ "a level that is none",
         "LOG PRIM/1.0 - 2\r\nLevel: loud\r\n" TEXT "\r\nhi",
         "a bad Level"														     },
	{ "a level that is long",
         "LOG PRIM/1.0 - 2\r\nLevel: errorerror\r\n" TEXT "\r\nhi",
         "a bad Level"														     },
	{ "a metric that is no number",
         CONFIGURED "METRIC PRIM/1.0 - 0\r\nName: x\r\nValue: --5\r\n\r\n",
         "a bad Value"														     },
	{ "an Operation that is none",
         CONFIGURED
	    "STATE PRIM/1.0 1 0\r\nOperation: drop\r\nKey: k\r\n\r\n",			   "a bad Operation"                         },
	{ "get without Key",
         CONFIGURED "STATE PRIM/1.0 1 0\r\nOperation: get\r\n\r\n",
         "a Key that is missing"													   },
	{ "list with an empty Key",
         CONFIGURED "STATE PRIM/1.0 1 0\r\nOperation: list\r\nKey: \r\n\r\n",
         "a bad Key"														       },
	{ "a Key with a broken escape",
         CONFIGURED
	    "STATE PRIM/1.0 1 0\r\nOperation: get\r\nKey: k%4\r\n\r\n",			  "a bad Key"			       },
	{ "an empty Key",
         CONFIGURED "STATE PRIM/1.0 1 0\r\nOperation: get\r\nKey: \r\n\r\n",
         "a bad Key"														       },
	{ "get with a value",
         CONFIGURED "STATE PRIM/1.0 1 1\r\nOperation: get\r\nKey: k\r\n" TEXT
		       "\r\nx",								  "a value that is too long or out of place"},
};

static void what_is_not_allowed_is_the_end(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(BAD); i++) {
		world_begin_saying(&w, "");
		world_say(&w, BAD[i].said);
		if (br_host_deaths(w.host) != 1 ||
		    !world_logged(&w, BAD[i].why))
			fail_msg("%s: %.*s", BAD[i].name,
			    PRIM_SLICE_ARG(prim_buf_slice(&w.logged)));
		assert_int_equal(w.ups, w.downs);
		assert_string_equal(br_host_state(w.host), "stopped");
		/* What comes after it is not heard. */
		world_say(&w, UP);
		assert_string_equal(br_host_state(w.host), "stopped");
		world_fini(&w);
	}
}

static void octets_may_come_one_by_one(void **state)
{
	static const char SAID[] = UP "SEND PRIM/1.0 1 2\r\n" SEND_HEAD "hi";

	(void)state;
	world_begin_saying(&w, "");
	for (size_t i = 0; i < sizeof(SAID) - 1; i++)
		br_link_feed(&w.host->link, prim_slice_make(SAID + i, 1));
	assert_int_equal(w.requests, 1);
	assert_int_equal(w.host->link.in.len, 0);
	world_fini(&w);
}

static void questions_that_pile_up_are_the_end(void **state)
{
	struct prim_buf text = { 0 };

	(void)state;
	world_begin_saying(&w, CONFIGURED);
	for (unsigned i = 1; i <= HOST_STATES_MAX + 1; i++)
		prim_buf_putf(&text,
		    "STATE PRIM/1.0 %u 0\r\nOperation: list\r\n\r\n", i);
	br_link_feed(&w.host->link, prim_buf_slice(&text));
	assert_true(world_logged(&w, "too many unanswered STATEs"));
	world_turn(&w, 30);
	prim_buf_fini(&text);
	world_fini(&w);
}

static void lines_over_the_limit_are_lost_and_counted(void **state)
{
	(void)state;
	world_init(&w, "fault", "{}");
	w.now_ms = 5000;
	br_host_start_bare(w.host);
	for (unsigned i = 0; i < HOST_LOG_PER_S + 7; i++)
		world_say(&w,
		    "LOG PRIM/1.0 - 4\r\nLevel: info\r\n" TEXT "\r\nline");
	w.now_ms = 6000;
	world_say(&w, "LOG PRIM/1.0 - 4\r\nLevel: info\r\n" TEXT "\r\nlast");
	assert_true(world_logged(&w, "lines_lost=7"));
	assert_true(world_logged(&w, "info fault: last"));
	world_fini(&w);
}

static void a_line_with_controls_is_quoted(void **state)
{
	(void)state;
	world_begin_saying(&w,
	    "LOG PRIM/1.0 - 8\r\nLevel: info\r\n" TEXT "\r\na\nerror:");
	assert_true(world_logged(&w, "fault: \"a\\nerror:\""));
	world_fini(&w);
}

static void answers_after_a_closed_window_only_free_places(void **state)
{
	(void)state;
	world_begin_saying(&w, UP);
	world_deliver(&w, "bob@far.example", 1);
	world_say(&w, "WINDOW PRIM/1.0 - 0\r\nWindow: 0\r\n\r\n");
	assert_int_equal(w.downs, 1);
	assert_int_equal(w.host->untaken, 1);
	world_say(&w, "PRIM/1.0 2 0 504 Gateway Timeout\r\n\r\n");
	assert_int_equal(w.host->untaken, 0);
	assert_int_equal(w.report_count, 0);
	world_say(&w, WINDOW);
	assert_int_equal(w.ups, 2);
	world_fini(&w);
}

static void a_small_window_is_kept(void **state)
{
	(void)state;
	world_begin_saying(&w,
	    CONFIGURED READY "WINDOW PRIM/1.0 - 0\r\nWindow: 2\r\n\r\n");
	world_deliver(&w, "bob@far.example", 1);
	assert_true(br_host_has_room(w.host));
	world_deliver(&w, "bob@far.example", 2);
	assert_false(br_host_has_room(w.host));
	world_say(&w, "PRIM/1.0 3 0 200 OK\r\n\r\n");
	assert_int_equal(w.rooms, 1);
	world_say(&w, "PRIM/1.0 2 0 403 Resource Not Found\r\n\r\n");
	assert_int_equal(w.rooms, 1);
	assert_int_equal(world_reported(&w, 1), 403);
	world_fini(&w);
}

static void one_that_does_not_read_is_killed(void **state)
{
	char ping[64];
	unsigned i = 1;

	(void)state;
	world_begin_saying(&w, CONFIGURED);
	w.host->link.backlog_max = 1000;
	for (; i < 1000 && !w.host->link.overfull; i++) {
		snprintf(ping, sizeof(ping), "PING PRIM/1.0 %u 0\r\n\r\n", i);
		world_say(&w, ping);
	}
	assert_in_range(i, 20, 100);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_configuration_goes_first),
		cmocka_unit_test(a_delivery_looks_like_this),
		cmocka_unit_test(what_is_allowed_is_heard),
		cmocka_unit_test(what_is_not_allowed_is_the_end),
		cmocka_unit_test(octets_may_come_one_by_one),
		cmocka_unit_test(questions_that_pile_up_are_the_end),
		cmocka_unit_test(lines_over_the_limit_are_lost_and_counted),
		cmocka_unit_test(a_line_with_controls_is_quoted),
		cmocka_unit_test(
		    answers_after_a_closed_window_only_free_places),
		cmocka_unit_test(a_small_window_is_kept),
		cmocka_unit_test(one_that_does_not_read_is_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
