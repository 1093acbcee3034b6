/* SPDX-License-Identifier: ISC */
/* LINK in both directions, with the test as the adapter, and with real
 * processes. */

#include "tests/lib/t.h"

#include <stdio.h>
#include <string.h>

#include "prim/base.h"
#include "tests/bridge/world_host.h"

#define CONFIGURED "PRIM/1.0 1 0 200 OK\r\n\r\n"
#define UP         CONFIGURED "READY PRIM/1.0 - 0\r\n\r\n"
#define NOBODY     "403 Resource Not Found\r\n"
#define OPTIONS    "domain: fault.localhost\n"

static struct world w;

/* ---- it asks ---- */

static void whose_an_address_is_is_answered_at_once(void **state)
{
	static const struct {
		const char *from, *principal, *answer;
		unsigned links;
	} CASES[] = {
		{"im:bob@far.example",    "im:alice@localhost",
                 "200 OK\r\nTo: im:alice@localhost\r\n",                1},
		{ "im:bob@far.example",   NULL,                 NOBODY, 1},
		{ "pres:bob@far.example", "im:alice@localhost", NOBODY, 0},
		{ "bob",                  "im:alice@localhost", NOBODY, 0},
		{ "im:a@b im:c@d",        "im:alice@localhost", NOBODY, 0},
	};

	char text[200];

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++) {
		world_begin_saying(&w, CONFIGURED);
		w.principal = CASES[i].principal;
		snprintf(text, sizeof(text),
		    "LINK PRIM/1.0 1 0\r\nFrom: %s\r\n\r\n", CASES[i].from);
		world_say(&w, text);
		snprintf(text, sizeof(text), "PRIM/1.0 1 0 %s\r\n",
		    CASES[i].answer);
		world_expect_heard(&w, CASES[i].from, text);
		assert_int_equal(w.links, CASES[i].links);
		assert_int_equal(w.host->peer.ticket_count, 0);
		assert_int_equal(br_host_deaths(w.host), 0);
		world_fini(&w);
	}
}

static void a_link_request_that_is_wrong_is_the_end(void **state)
{
	static const struct {
		const char *said, *why;
	} CASES[] = {
		{
                 .said = "LINK PRIM/1.0 1 0\r\nFrom: im:a@b\r\n\r\n",
                 .why = "it speaks too early",
		 },
		{
                 .said = CONFIGURED "LINK PRIM/1.0 1 0\r\n\r\n",
                 .why = "a required header is missing",
		 },
		{
                 .said = CONFIGURED "LINK PRIM/1.0 1 0\r\nFrom: \r\n\r\n",
                 .why = "a required header is missing",
		 },
		{
                 .said = CONFIGURED
		    "LINK PRIM/1.0 1 0\r\nTo: im:a@b\r\n\r\n",							.why = "a required header is missing",
		 },
		{
                 .said = CONFIGURED
		    "LINK PRIM/1.0 - 0\r\nFrom: im:a@b\r\n\r\n", .why = "a bad id",
		 },
		{
                 .said = CONFIGURED "LINK PRIM/1.0 1 1\r\nFrom: im:a@b\r\n"
				       "Content-Type: a/b\r\n\r\nx",							.why = "a body that is missing or out of place",
		 },
		{
                 .said = CONFIGURED "LINK PRIM/1.0 1 0\r\nFrom: im:a@b\r\n"
				       "From: im:a@b\r\n\r\n",             .why = "a header that is misspelled or repeated",
		 },
	};

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++) {
		world_begin_saying(&w, "");
		world_say(&w, CASES[i].said);
		if (br_host_deaths(w.host) != 1 ||
		    !world_logged(&w, CASES[i].why))
			fail_msg("%s", CASES[i].said);
		assert_int_equal(w.links, 0);
		world_fini(&w);
	}
}

/* ---- we ask ---- */

struct asker {
	unsigned answers;
	char key[100]; /* empty: none */
	char why[200]; /* empty: there is a key */
	bool asks_again;
};

static void on_canonical(void *arg, const struct prim_key *key, const char *why)
{
	struct asker *a = arg;

	a->answers++;
	a->key[0] = a->why[0] = '\0';
	assert_true((key == NULL) == (why != NULL));
	if (key)
		snprintf(a->key, sizeof(a->key), "%.*s", (int)key->len,
		    key->text);
	else
		snprintf(a->why, sizeof(a->why), "%s", why);
	if (a->asks_again) {
		a->asks_again = false;
		br_host_canonical(w.host, PRIM_SLICE("im:x@far.example"),
		    on_canonical, a);
	}
}

static void ask(struct asker *a, const char *uri)
{
	br_host_canonical(w.host, prim_slice_of(uri), on_canonical, a);
}

#define NO_SUCH "the adapter fault has no such address"

static const struct {
	const char *said; /* behind its id */
	const char *key, *why;
	bool dies;
} ANSWERS[] = {
	{"200 OK\r\nTo: im:Bob@Far.example\r\n\r\n",     "bob@far.example",    "",
         false									       },
	{ "200 OK\r\nTo: im:b%40o@near.example\r\n\r\n", "b%40o@near.example",
         "",									    false},
	{ "400 Bad Request\r\n\r\n",                     "",                   NO_SUCH, false},
	{ "500 x\r\n\r\n",			       "",                   NO_SUCH, false},
	{ "200 OK\r\n\r\n",			      "",                   NO_SUCH, false},
	{ "200 OK\r\nTo: bob\r\n\r\n",                   "",                   NO_SUCH, false},
	{ "200 OK\r\nTo: pres:bob@far.example\r\n\r\n",  "",                   NO_SUCH, false},
	{ "101 x\r\n\r\n",			       "",                   NO_SUCH, true },
	{ "600 x\r\nTo: im:bob@far.example\r\n\r\n",     "",                   NO_SUCH, true },
	{ "200 OK\r\nTo: im:a@b\r\nTo: im:a@b\r\n\r\n",  "",                   NO_SUCH, true },
};

static void the_canonical_form_is_its_key(void **state)
{
	char text[200];

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(ANSWERS); i++) {
		struct asker a = { 0 };

		world_begin_saying(&w, UP);
		ask(&a, "im:Bob@far.example");
		world_expect_heard(&w, ANSWERS[i].said,
		    "LINK PRIM/1.0 2 0\r\nTo: im:Bob@far.example\r\n\r\n");
		assert_int_equal(a.answers, 0);
		snprintf(text, sizeof(text), "PRIM/1.0 2 0 %s",
		    ANSWERS[i].said);
		world_say(&w, text);
		if (a.answers != 1 || strcmp(a.key, ANSWERS[i].key) != 0 ||
		    strcmp(a.why, ANSWERS[i].why) != 0 ||
		    br_host_deaths(w.host) != ANSWERS[i].dies)
			fail_msg("%s: %u, key %s, why %s", ANSWERS[i].said,
			    a.answers, a.key, a.why);
		assert_int_equal(w.host->canonicals, 0);
		world_fini(&w);
	}
}

static void what_cannot_be_asked_is_refused_at_once(void **state)
{
	static const struct {
		const char *said, *uri, *why;
	} CASES[] = {
		{UP,          "bob",                  NO_SUCH},
		{ UP,         "pres:bob@far.example", NO_SUCH},
		{ UP,         "im:bob",               NO_SUCH},
		{ CONFIGURED, "im:bob@far.example",
                 "the adapter fault does not run now"        },
	};

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++) {
		struct asker a = { 0 };

		world_begin_saying(&w, CASES[i].said);
		ask(&a, CASES[i].uri);
		assert_int_equal(a.answers, 1);
		assert_string_equal(a.why, CASES[i].why);
		world_expect_heard(&w, CASES[i].uri, "");
		world_fini(&w);
	}
}

static void too_many_questions_are_refused(void **state)
{
	struct asker a = { 0 };

	(void)state;
	world_begin_saying(&w, UP);
	for (unsigned i = 0; i < HOST_CANONICAL_MAX; i++)
		ask(&a, "im:bob@far.example");
	assert_int_equal(a.answers, 0);
	ask(&a, "im:bob@far.example");
	assert_int_equal(a.answers, 1);
	assert_string_equal(a.why,
	    "the adapter fault has too many questions to answer");
	world_say(&w, "PRIM/1.0 2 0 200 OK\r\nTo: im:bob@far.example\r\n\r\n");
	assert_int_equal(a.answers, 2);
	ask(&a, "im:bob@far.example");
	assert_int_equal(a.answers, 2);
	world_fini(&w);
	assert_int_equal(a.answers, 2 + HOST_CANONICAL_MAX);
}

static void the_end_of_it_is_an_answer(void **state)
{
	struct asker a = { 0 }, again = { .asks_again = true };

	(void)state;
	world_begin_saying(&w, UP);
	ask(&a, "im:bob@far.example");
	ask(&again, "im:bob@far.example");
	br_host_fault(w.host, "enough");
	assert_int_equal(a.answers, 1);
	assert_string_equal(a.why, "the adapter fault has ended");
	/* Who asks again while he is told is refused, and told of that. */
	assert_int_equal(again.answers, 2);
	assert_string_equal(again.why, "the adapter fault does not run now");
	/* Its next life answers for itself only. */
	br_host_start_bare(w.host);
	world_say(&w, UP);
	ask(&a, "im:bob@far.example");
	assert_int_equal(w.host->canonicals, 1);
	world_say(&w, "PRIM/1.0 2 0 200 OK\r\nTo: im:bob@far.example\r\n\r\n");
	assert_string_equal(a.key, "bob@far.example");
	world_fini(&w);
	assert_int_equal(a.answers, 2);
	assert_int_equal(again.answers, 2);
}

static void a_ping_that_overtakes_it_is_the_end(void **state)
{
	struct asker a = { 0 };

	(void)state;
	world_begin_saying(&w, UP);
	ask(&a, "im:bob@far.example");
	br_host_say_ping(w.host);
	world_say(&w, "PRIM/1.0 3 0 200 OK\r\n\r\n");
	assert_int_equal(br_host_deaths(w.host), 1);
	assert_true(world_logged(&w, "a question is not answered"));
	assert_int_equal(a.answers, 1);
	world_fini(&w);
}

/* ---- with real processes ---- */

static void begin_process(void)
{
	world_init(&w, "fault", OPTIONS);
	br_host_start(w.host);
	assert_true(world_wait(&w, &w.ups, 1));
}

static void a_plugin_without_canonical_forms_answers_as_asked(void **state)
{
	struct asker a = { 0 };

	(void)state;
	begin_process();
	ask(&a, "im:Bob@Fault.localhost");
	assert_true(world_wait(&w, &a.answers, 1));
	assert_string_equal(a.key, "bob@fault.localhost");
	world_fini(&w);
}

static void a_plugin_hears_whose_an_address_is(void **state)
{
	(void)state;
	begin_process();
	world_deliver(&w, "link+bob%40far.example@fault.localhost", 1);
	assert_true(world_wait(&w, &w.report_count, 1));
	assert_int_equal(world_reported(&w, 1), 403);
	w.principal = "im:alice@localhost";
	world_deliver(&w, "link+bob%40far.example@fault.localhost", 2);
	assert_true(world_wait(&w, &w.report_count, 2));
	assert_int_equal(world_reported(&w, 2), 200);
	assert_true(world_logged(&w,
	    "linked address=im:bob@far.example principal=im:alice@localhost"));
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whose_an_address_is_is_answered_at_once),
		cmocka_unit_test(a_link_request_that_is_wrong_is_the_end),
		cmocka_unit_test(the_canonical_form_is_its_key),
		cmocka_unit_test(what_cannot_be_asked_is_refused_at_once),
		cmocka_unit_test(too_many_questions_are_refused),
		cmocka_unit_test(the_end_of_it_is_an_answer),
		cmocka_unit_test(a_ping_that_overtakes_it_is_the_end),
		cmocka_unit_test(
		    a_plugin_without_canonical_forms_answers_as_asked),
		cmocka_unit_test(a_plugin_hears_whose_an_address_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
