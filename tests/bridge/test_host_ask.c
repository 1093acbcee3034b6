/* SPDX-License-Identifier: ISC */
/* What presence asks of an adapter and is asked by it: with the test as the
 * adapter, and with real processes. */

#include "tests/lib/t.h"

#include <stdio.h>
#include <string.h>

#include "bridge/adapter.h"
#include "prim/base.h"
#include "tests/bridge/world_host.h"

#define CONFIGURED "PRIM/1.0 1 0 200 OK\r\n\r\n"
#define UP         CONFIGURED "READY PRIM/1.0 - 0\r\n\r\n"
#define DATE       "Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n"
#define TEXT       "Content-Type: text/plain\r\n"
#define NAMES      "From: pres:bob@far.example\r\nTo: pres:alice@localhost\r\n"
#define LINES      NAMES DATE "Subscription-ID: s1\r\nDuration: 60\r\n"

static struct world w;

/* Whoever asks: what it was told. */

struct asker {
	struct prim_question question;
	unsigned answers;
	unsigned code; /* 0: there will be none */
	unsigned duration_s;
	struct asker *forgets; /* when told */
};

static void on_answered(struct prim_question *q, const struct prim_command *c)
{
	struct asker *a = PRIM_CONTAINER(q, struct asker, question);
	uint64_t duration = 0;

	assert_int_equal(q->id, 0);
	a->answers++;
	a->code = c ? c->code : 0;
	if (c &&
	    prim_slice_number(prim_command_get(c, PRIM_HEADER_DURATION), 1000,
		&duration))
		a->duration_s = (unsigned)duration;
	if (a->forgets)
		br_host_forget(w.host, &a->forgets->question);
	/* All who asked know before the core does. */
	assert_true(c || w.gones < w.readies);
}

static bool ask_as(struct asker *a, enum prim_method method, const char *lines,
    const char *body)
{
	const struct br_host_request r = {
		.method = method,
		.lines = prim_slice_of(lines),
		.body = prim_slice_of(body),
	};

	a->question.answered = on_answered;
	return br_host_ask(w.host, &r, 0, &a->question);
}

static bool ask(struct asker *a)
{
	return ask_as(a, PRIM_METHOD_SUBSCRIBE, LINES, "");
}

static bool ask_reserving(unsigned reserved, size_t octets)
{
	static char body[100000];
	const struct br_host_request r = {
		.method = PRIM_METHOD_NOTIFY,
		.lines = PRIM_SLICE(LINES TEXT),
		.body = prim_slice_make(body, octets),
	};

	return br_host_ask(w.host, &r, reserved, NULL);
}

static void answer(uint64_t id, const char *rest)
{
	char text[200];

	snprintf(text, sizeof(text), "PRIM/1.0 %llu 0 %s",
	    (unsigned long long)id, rest);
	world_say(&w, text);
}

static void a_question_looks_like_this(void **state)
{
	struct asker a = { 0 };

	(void)state;
	world_begin_saying(&w, UP);
	assert_true(ask(&a));
	world_expect_heard(&w, NULL, "SUBSCRIBE PRIM/1.0 2 0\r\n" LINES "\r\n");
	assert_int_equal(a.question.id, 2);
	assert_true(ask_as(&a, PRIM_METHOD_NOTIFY, LINES TEXT, "hello"));
	world_expect_heard(&w, NULL,
	    "NOTIFY PRIM/1.0 3 5\r\n" LINES TEXT "\r\nhello");
	assert_true(ask_as(&a, PRIM_METHOD_UNSUBSCRIBE, NAMES, ""));
	world_expect_heard(&w, NULL,
	    "UNSUBSCRIBE PRIM/1.0 4 0\r\n" NAMES "\r\n");
	br_host_forget(w.host, &a.question);
	world_fini(&w);
}

static void any_code_is_passed_on(void **state)
{
	static const struct {
		const char *answer;
		unsigned code, duration_s;
	} CASES[] = {
		{"200 OK\r\nDuration: 60\r\n\r\n",                200, 60},
		{ "201 Duration Adjusted\r\nDuration: 5\r\n\r\n", 201, 5 },
		{ "100 x\r\n\r\n",                                100, 0 },
		{ "404 x\r\n\r\n",                                404, 0 },
		{ "599 x\r\n\r\n",                                599, 0 },
	};

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++) {
		struct asker a = { 0 };

		world_begin_saying(&w, UP);
		assert_true(ask(&a));
		answer(2, CASES[i].answer);
		assert_int_equal(a.answers, 1);
		assert_int_equal(a.code, CASES[i].code);
		assert_int_equal(a.duration_s, CASES[i].duration_s);
		assert_int_equal(w.host->questions, 0);
		assert_int_equal(w.host->question_octets, 0);
		assert_int_equal(br_host_deaths(w.host), 0);
		world_fini(&w);
	}
}

static void an_answer_that_is_none_is_the_end(void **state)
{
	static const struct {
		const char *answer;
		const char *why;
	} CASES[] = {
		{"600 x\r\n\r\n",                                 "a bad answer to a question"},
		{ "200 OK\r\nduration: 5\r\n\r\n",
                 "a bad answer to a question"						 },
		{ "200 OK\r\nDuration: 5\r\nDuration: 5\r\n\r\n",
                 "a bad answer to a question"						 },
	};

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++) {
		struct asker a = { 0 };

		world_begin_saying(&w, UP);
		assert_true(ask(&a));
		answer(2, CASES[i].answer);
		assert_int_equal(a.answers, 1);
		assert_int_equal(a.code, 0);
		assert_true(world_logged(&w, CASES[i].why));
		assert_int_equal(w.gones, 1);
		world_fini(&w);
	}
}

/* Or places would be taken for ever by one that answers PING and nothing
 * else. */
static void a_ping_that_overtakes_a_question_is_the_end(void **state)
{
	struct asker before = { 0 }, behind = { 0 };

	(void)state;
	world_begin_saying(&w, UP);
	assert_true(ask(&before));
	br_host_say_ping(w.host);
	answer(2, "200 OK\r\n\r\n");
	assert_true(ask(&behind)); /* it may well answer this one later */
	answer(3, "200 OK\r\n\r\n");
	assert_int_equal(before.code, 200);
	assert_int_equal(br_host_deaths(w.host), 0);
	assert_int_equal(behind.answers, 0);
	br_host_say_ping(w.host);
	answer(5, "200 OK\r\n\r\n");
	assert_int_equal(behind.answers, 1);
	assert_int_equal(behind.code, 0);
	assert_true(world_logged(&w, "a question is not answered"));
	world_fini(&w);
}

static void a_long_answer_is_the_end(void **state)
{
	struct prim_buf text = { 0 };
	struct asker a = { 0 };

	(void)state;
	world_begin_saying(&w, UP);
	assert_true(ask(&a));
	prim_buf_putf(&text, "PRIM/1.0 2 %u 402 Forbidden\r\n" TEXT "\r\n",
	    HOST_TEXT_MAX + 1);
	for (unsigned i = 0; i < HOST_TEXT_MAX + 1; i++)
		prim_buf_putc(&text, 'x');
	br_link_feed(&w.host->link, prim_buf_slice(&text));
	assert_true(world_logged(&w, "an answer that is too long"));
	assert_int_equal(a.answers, 1);
	assert_int_equal(a.code, 0);
	prim_buf_fini(&text);
	world_fini(&w);
}

static void only_a_ready_one_can_be_asked(void **state)
{
	struct asker a = { 0 };

	(void)state;
	world_begin_saying(&w, "");
	assert_false(br_host_is_ready(w.host));
	assert_false(ask(&a));
	world_say(&w, CONFIGURED);
	assert_false(ask(&a));
	world_say(&w, "READY PRIM/1.0 - 0\r\n\r\n");
	assert_int_equal(w.readies, 1);
	assert_int_equal(w.ups, 0);
	assert_true(br_host_is_ready(w.host));
	assert_true(ask(&a));
	world_say(&w,
	    "WINDOW PRIM/1.0 - 0\r\nWindow: 9\r\n\r\n"
	    "WINDOW PRIM/1.0 - 0\r\nWindow: 0\r\n\r\n");
	assert_int_equal(w.downs, 1);
	assert_int_equal(a.answers, 0);
	br_host_forget(w.host, &a.question);
	assert_true(ask(&a));
	br_host_stop(w.host);
	assert_false(br_host_is_ready(w.host));
	br_host_forget(w.host, &a.question);
	assert_false(ask(&a));
	assert_int_equal(w.ask_rooms, 0);
	world_fini(&w);
}

static void the_end_is_told_to_all_who_asked_and_then_to_the_core(void **state)
{
	struct asker askers[3] = { 0 };

	(void)state;
	world_begin_saying(&w, UP);
	for (unsigned i = 0; i < 3; i++)
		assert_true(ask(&askers[i]));
	askers[0].forgets = &askers[2];
	br_host_fault(w.host, "enough");
	assert_int_equal(w.gones, 1);
	assert_int_equal(askers[0].answers, 1);
	assert_int_equal(askers[1].answers, 1);
	assert_int_equal(askers[1].code, 0);
	assert_int_equal(askers[2].answers, 0);
	world_fini(&w);
	assert_int_equal(w.gones, 1);
}

static void one_that_never_was_ready_is_not_gone(void **state)
{
	(void)state;
	world_begin_saying(&w, CONFIGURED);
	br_host_fault(w.host, "enough");
	assert_int_equal(br_host_deaths(w.host), 1);
	assert_int_equal(w.gones, 0);
	world_fini(&w);
}

static void the_end_of_the_host_is_told_too(void **state)
{
	struct asker a = { 0 };

	(void)state;
	world_begin_saying(&w, UP);
	assert_true(ask(&a));
	w.host = br_host_free(w.host);
	assert_int_equal(a.answers, 1);
	assert_int_equal(a.code, 0);
	assert_int_equal(w.gones, 0);
	world_fini(&w);
}

static void who_forgets_hears_nothing(void **state)
{
	struct asker a = { 0 }, other = { 0 };

	(void)state;
	world_begin_saying(&w, UP);
	assert_true(ask(&a));
	assert_true(ask(&other));
	br_host_forget(w.host, &a.question);
	br_host_forget(w.host, &a.question);
	assert_int_equal(a.question.id, 0);
	/* It still takes a place: the adapter works on it. */
	assert_int_equal(w.host->questions, 2);
	answer(2, "200 OK\r\n\r\n");
	assert_int_equal(a.answers, 0);
	assert_int_equal(w.host->questions, 1);
	/* A stale id is another's question by now. */
	a.question.id = 3;
	br_host_forget(w.host, &a.question);
	answer(3, "200 OK\r\n\r\n");
	assert_int_equal(other.answers, 1);
	world_fini(&w);
}

static void some_places_are_for_the_urgent(void **state)
{
	const unsigned reserved = 128;
	unsigned count = 0;

	(void)state;
	world_begin_saying(&w, UP);
	while (ask_reserving(reserved, 1))
		count++;
	assert_int_equal(count, BR_HOST_QUESTIONS_MAX - reserved);
	while (ask_reserving(0, 1))
		count++;
	assert_int_equal(count, BR_HOST_QUESTIONS_MAX);
	assert_false(ask_reserving(BR_HOST_QUESTIONS_MAX, 1));
	assert_int_equal(w.ask_rooms, 0);
	/* The urgent come first: the others are asked when they are. */
	answer(2, "200 OK\r\n\r\n");
	assert_int_equal(w.ask_rooms, 1);
	answer(3, "200 OK\r\n\r\n");
	assert_int_equal(w.ask_rooms, 1);
	assert_false(ask_reserving(reserved, 1));
	for (unsigned i = 4; i <= reserved + 1; i++)
		answer(i, "200 OK\r\n\r\n");
	assert_int_equal(w.ask_rooms, 1);
	answer(reserved + 2, "200 OK\r\n\r\n");
	assert_int_equal(w.ask_rooms, 2);
	assert_true(ask_reserving(reserved, 1));
	world_fini(&w);
}

static void four_mib_are_enough_of_questions(void **state)
{
	unsigned count = 0;

	(void)state;
	world_begin_saying(&w, UP);
	while (ask_reserving(256, 65536))
		count++;
	assert_in_range(count, 32, 33);
	while (ask_reserving(0, 65536))
		count++;
	assert_in_range(count, 64, 65);
	assert_false(w.host->link.overfull);
	world_fini(&w);
}

/* A whole window and all questions are in flight at once, again and again. */
static void ids_do_not_collide(void **state)
{
	struct br_message *m;
	uint64_t id = 2;

	(void)state;
	world_begin_saying(&w,
	    UP "WINDOW PRIM/1.0 - 0\r\nWindow: 1024\r\n\r\n");
	m = world_message("bob@far.example", "hello", 1);
	for (unsigned round = 0; round < 3; round++) {
		const uint64_t first = id;

		while (br_host_has_room(w.host)) {
			br_host_deliver(w.host, m,
			    &(struct br_host_handover){ .attempt = 1 });
			id++;
		}
		while (ask_reserving(0, 1))
			id++;
		assert_int_equal(id - first,
		    HOST_WINDOW_MAX + BR_HOST_QUESTIONS_MAX);
		assert_int_equal(w.host->asks.last, id - 1);
		for (uint64_t i = first; i < id; i++)
			answer(i, "200 OK\r\n\r\n");
		assert_int_equal(w.host->asks.count, 0);
	}
	assert_int_equal(br_host_deaths(w.host), 0);
	br_message_unref(m);
	world_fini(&w);
}

/* What the adapter asks. */

static void what_it_asks_reaches_the_core(void **state)
{
	static const struct {
		const char *said;
		enum prim_method method;
	} CASES[] = {
		{"SUBSCRIBE PRIM/1.0 1 0\r\n" LINES "\r\n",
                 PRIM_METHOD_SUBSCRIBE						},
		{ "UNSUBSCRIBE PRIM/1.0 1 0\r\n" NAMES "\r\n",
                 PRIM_METHOD_UNSUBSCRIBE					      },
		{ "NOTIFY PRIM/1.0 1 5\r\n" LINES TEXT "\r\nhello",
                 PRIM_METHOD_NOTIFY						   },
		{ "NOTIFY PRIM/1.0 1 0\r\n" LINES "\r\n",           PRIM_METHOD_NOTIFY},
	};

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++) {
		world_begin_saying(&w, UP);
		world_say(&w, CASES[i].said);
		assert_int_equal(w.requests, 1);
		assert_int_equal(w.last_method, CASES[i].method);
		world_expect_heard(&w, NULL, "PRIM/1.0 1 0 200 OK\r\n\r\n");
		assert_int_equal(br_host_deaths(w.host), 0);
		world_fini(&w);
	}
}

static void what_it_asks_wrongly_is_the_end(void **state)
{
	static const struct {
		const char *said;
		const char *why;
	} CASES[] = {
		{"SUBSCRIBE PRIM/1.0 - 0\r\n" LINES "\r\n",              "a bad id"                    },
		{ "SUBSCRIBE PRIM/1.0 1 0\r\n" NAMES DATE
		  "Duration: 60\r\n\r\n",               "a required header is missing"},
		{ "NOTIFY PRIM/1.0 1 0\r\n" NAMES DATE "\r\n",
                 "a required header is missing"							},
		{ "UNSUBSCRIBE PRIM/1.0 1 5\r\n" NAMES TEXT "\r\nhello",
                 "a body that is missing or out of place"                                              },
		{ "FETCH PRIM/1.0 1 0\r\n" NAMES "\r\n",
                 "a method that adapters may not use"                                                  },
		{ "CANCELSUBSCRIPTION PRIM/1.0 - 0\r\n" NAMES "\r\n",
                 "a method that adapters may not use"                                                  },
	};

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++) {
		world_begin_saying(&w, UP);
		world_say(&w, CASES[i].said);
		assert_int_equal(w.requests, 0);
		assert_true(world_logged(&w, CASES[i].why));
		world_fini(&w);
		world_begin_saying(&w, CONFIGURED);
		world_say(&w, "UNSUBSCRIBE PRIM/1.0 1 0\r\n" NAMES "\r\n");
		assert_true(world_logged(&w, "it speaks too early"));
		world_fini(&w);
	}
}

/* Tickets that the test keeps, as a core would that takes its time. */
static void too_many_unanswered_requests_are_the_end(void **state)
{
	enum { MAX = HOST_REQUESTS_MAX + HOST_PRESENCE_MAX };
	static struct br_ticket tickets[MAX];
	char text[300];

	(void)state;
	world_begin_saying(&w, UP);
	w.answer = 0;
	for (unsigned i = 0; i < MAX; i++) {
		snprintf(text, sizeof(text),
		    "UNSUBSCRIBE PRIM/1.0 %u 0\r\n" NAMES "\r\n", i + 1);
		world_say(&w, text);
		assert_int_equal(w.requests, i + 1);
		br_ticket_open(&tickets[i], br_host_peer(w.host),
		    PRIM_FAMILY_PRIM, PRIM_SLICE("1"), PRIM_SLICE_NONE);
	}
	assert_int_equal(br_host_deaths(w.host), 0);
	world_say(&w, "UNSUBSCRIBE PRIM/1.0 9999 0\r\n" NAMES "\r\n");
	assert_int_equal(br_host_deaths(w.host), 1);
	assert_true(world_logged(&w, "too many unanswered requests"));
	world_fini(&w);
}

/* Real processes. */

static bool watch(struct asker *a, const char *who)
{
	char lines[300];

	snprintf(lines, sizeof(lines),
	    "From: pres:alice@localhost\r\nTo: pres:%s@fault.localhost\r\n" DATE
	    "Subscription-ID: s1\r\nDuration: 60\r\nAStrength: strong\r\n",
	    who);
	return ask_as(a, PRIM_METHOD_SUBSCRIBE, lines, "");
}

static void begin_real(void)
{
	world_init(&w, "fault", "domain: fault.localhost\n");
	br_host_start(w.host);
	assert_true(world_wait(&w, &w.ups, 1));
}

static void a_plugin_accepts_and_refuses(void **state)
{
	static const struct {
		const char *who;
		unsigned code, duration_s, requests;
	} CASES[] = {
		{"ok",          200, 60, 1   },
		{ "anybody",    200, 60, 1   },
		{ "refuse-403", 403, 0,  0   },
		{ "transient",  504, 0,  0   },
		{ "grant-30",   201, 30, 1   },
		{ "silence",    200, 60, 0   },
		{ "end",        200, 60, 2   },
		{ "lie",        200, 60, 1   },
		{ "flood-2000", 200, 60, 2001},
	};
	struct asker askers[PRIM_COUNT(CASES)] = { 0 };
	unsigned requests = 0;

	(void)state;
	begin_real();
	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++) {
		assert_true(watch(&askers[i], CASES[i].who));
		assert_true(world_wait(&w, &askers[i].answers, 1));
		requests += CASES[i].requests;
		assert_true(world_wait(&w, &w.requests, requests));
		assert_int_equal(askers[i].code, CASES[i].code);
		assert_int_equal(askers[i].duration_s, CASES[i].duration_s);
		assert_int_equal(w.requests, requests);
	}
	assert_int_equal(w.last_method, PRIM_METHOD_NOTIFY);
	assert_int_equal(br_host_deaths(w.host), 0);
	assert_int_equal(w.gones, 0);
	world_fini(&w);
}

static void whoever_asked_one_that_dies_is_told(void **state)
{
	static const char *const DEATHS[] = { "die", "hang", "garbage" };

	(void)state;
	begin_real();
	for (unsigned i = 0; i < PRIM_COUNT(DEATHS); i++) {
		struct asker a = { 0 };

		assert_true(watch(&a, DEATHS[i]));
		assert_true(world_wait(&w, &w.gones, i + 1));
		assert_int_equal(a.answers, 1);
		assert_int_equal(a.code, 0);
		assert_true(world_wait(&w, &w.readies, i + 2));
	}
	world_fini(&w);
}

static void one_of_theirs_watches_one_of_ours(void **state)
{
	struct asker a = { 0 };

	(void)state;
	begin_real();
	world_deliver(&w, "watch-60@fault.localhost", 1);
	assert_true(world_wait(&w, &w.report_count, 1));
	assert_int_equal(world_reported(&w, 1), 200);
	assert_int_equal(w.last_method, PRIM_METHOD_SUBSCRIBE);
	assert_true(prim_slice_eq(prim_buf_slice(&w.last_from),
	    PRIM_SLICE("pres:watch-60@fault.localhost")));
	assert_true(ask_as(&a, PRIM_METHOD_NOTIFY,
	    "From: pres:alice@localhost\r\n"
	    "To: pres:watch-60@fault.localhost\r\n" DATE
	    "Subscription-ID: s1\r\nDuration: 60\r\n" TEXT,
	    "open"));
	assert_true(world_wait(&w, &a.answers, 1));
	assert_int_equal(a.code, 200);
	/* It tells what it saw. */
	assert_true(world_wait(&w, &w.requests, 2));
	assert_int_equal(w.last_method, PRIM_METHOD_SEND);
	assert_true(ask_as(&a, PRIM_METHOD_NOTIFY,
	    "From: pres:alice@localhost\r\nTo: pres:forget@fault.localhost\r\n" DATE
	    "Subscription-ID: s1\r\nDuration: 0\r\n",
	    ""));
	assert_true(world_wait(&w, &a.answers, 2));
	assert_int_equal(a.code, 403);
	w.answer = 404;
	world_deliver(&w, "unwatch@fault.localhost", 2);
	assert_true(world_wait(&w, &w.report_count, 2));
	assert_int_equal(world_reported(&w, 2), 404);
	assert_int_equal(w.last_method, PRIM_METHOD_UNSUBSCRIBE);
	world_fini(&w);
}

static void a_drained_one_waits_for_nothing_of_presence(void **state)
{
	(void)state;
	begin_real();
	w.answer = 0;
	world_deliver(&w, "watch-60@fault.localhost", 1);
	assert_true(world_wait(&w, &w.requests, 1));
	world_deliver(&w, "down-0@fault.localhost", 2);
	assert_true(world_wait(&w, &w.downs, 1));
	br_host_stop(w.host);
	assert_true(world_wait_stopped(&w));
	assert_true(world_logged(&w, "stopped code=0"));
	assert_int_equal(w.gones, 1);
	world_fini(&w);
}

static void twenty_thousand_entries_are_listed(void **state)
{
	(void)state;
	begin_real();
	w.entries = 20000;
	world_deliver(&w, "state@fault.localhost", 1);
	assert_true(world_wait(&w, &w.report_count, 1));
	assert_int_equal(world_reported(&w, 1), 200);
	assert_int_equal(w.pages, 5);
	assert_int_equal(w.host->states, 0);
	assert_int_equal(br_host_deaths(w.host), 0);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_looks_like_this),
		cmocka_unit_test(any_code_is_passed_on),
		cmocka_unit_test(an_answer_that_is_none_is_the_end),
		cmocka_unit_test(a_ping_that_overtakes_a_question_is_the_end),
		cmocka_unit_test(a_long_answer_is_the_end),
		cmocka_unit_test(only_a_ready_one_can_be_asked),
		cmocka_unit_test(
		    the_end_is_told_to_all_who_asked_and_then_to_the_core),
		cmocka_unit_test(one_that_never_was_ready_is_not_gone),
		cmocka_unit_test(the_end_of_the_host_is_told_too),
		cmocka_unit_test(who_forgets_hears_nothing),
		cmocka_unit_test(some_places_are_for_the_urgent),
		cmocka_unit_test(four_mib_are_enough_of_questions),
		cmocka_unit_test(ids_do_not_collide),
		cmocka_unit_test(what_it_asks_reaches_the_core),
		cmocka_unit_test(what_it_asks_wrongly_is_the_end),
		cmocka_unit_test(too_many_unanswered_requests_are_the_end),
		cmocka_unit_test(a_plugin_accepts_and_refuses),
		cmocka_unit_test(whoever_asked_one_that_dies_is_told),
		cmocka_unit_test(one_of_theirs_watches_one_of_ours),
		cmocka_unit_test(a_drained_one_waits_for_nothing_of_presence),
		cmocka_unit_test(twenty_thousand_entries_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
