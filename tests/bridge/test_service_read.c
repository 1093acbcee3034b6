/* SPDX-License-Identifier: ISC */
/* What the bridge takes for a text, and who is answered how often. */

#include "tests/bridge/world_service.h"

#include <stdio.h>
#include <string.h>

#include "prim/base.h"

#define ANN   "ann@here.example"
#define BOB   "bob@here.example"
#define ROMEO "romeo@far.example"
#define CAROL "carol@mail.example"

#define CPIM_HEAD                              \
	"From: <im:ann@here.example>\r\n"      \
	"To: <im:primbridge@here.example>\r\n" \
	"DateTime: 2023-11-14T22:13:20Z\r\n"
#define CPIM_PLAIN CPIM_HEAD "\r\nContent-type: text/plain\r\n"

/* Objects of message/cpim. */
static const char PLAIN[] = CPIM_HEAD
    "\r\nContent-type: text/plain; charset=utf-8\r\n\r\nhelp";
static const char PLAIN_8BIT[] = CPIM_PLAIN
    "Content-Transfer-Encoding: 8bit\r\n\r\nhelp";
static const char PLAIN_BASE64[] = CPIM_PLAIN
    "Content-Transfer-Encoding: base64\r\n\r\naGVscA==";
static const char UNTYPED[] = CPIM_HEAD "\r\n\r\nhelp";
static const char HTML[] = CPIM_HEAD "\r\nContent-type: text/html\r\n\r\nhelp";
static const char REQUIRING[] = CPIM_HEAD
    "NS: x <urn:x>\r\nRequire: x.Secret\r\nx.Secret: y\r\n"
    "\r\nContent-type: text/plain\r\n\r\nhelp";
static const char REPLIED[] = CPIM_PLAIN
    "Auto-Submitted: auto-replied\r\n\r\nhelp";
static const char REPLIED_OUTSIDE[] = CPIM_HEAD
    "NS: m <urn:m>\r\nm.Auto-Submitted: auto-replied\r\n"
    "\r\nContent-type: text/plain\r\n\r\nhelp";
static const char NOTICE[] = CPIM_HEAD
    "\r\nContent-type: message/imdn+xml\r\n\r\n"
    "<imdn xmlns=\"urn:ietf:params:xml:ns:imdn\"/>";

/* ---- what is text ---- */

static void only_text_is_read(void **state)
{
	static const struct {
		const char *type, *text;
		bool is_read;
	} CASES[] = {
		{"text/plain; charset=utf-8",         "help",           true },
		{ "Text/Plain; charset=\"US-ASCII\"", "help",           true },
		{ "text/plain; charset=iso-8859-1",   "help",           false},
		{ "text/html",                        "help",           false},
		{ "application/octet-stream",         "help",           false},
		{ "text/plain",                       "hel\377",        false},
		{ "text/plain",                       "help\n\300\200", false},
		{ "message/cpim",                     PLAIN,            true },
		{ "message/cpim",                     PLAIN_8BIT,       true },
		{ "message/cpim",                     PLAIN_BASE64,     false},
		{ "message/cpim",                     UNTYPED,          false},
		{ "message/cpim",                     HTML,             false},
		{ "message/cpim",                     REQUIRING,        false},
		{ "message/cpim",                     "help",           false},
	};
	struct world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		const struct question q = { .from = ANN,
			.type = CASES[i].type,
			.text = CASES[i].text };

		print_message("%zu %s\n", i, CASES[i].type);
		assert_int_equal(world_say(w, &q),
		    CASES[i].is_read ? 200 : 400);
		if (CASES[i].is_read)
			world_heard(w, ANN, "link ADDRESS");
		assert_int_equal(w->letter_count, CASES[i].is_read);
	}
}

static void only_a_line_is_read(void **state)
{
	struct world *w = *state;
	char text[3000];
	struct question q = { .from = ANN, .text = text };

	memset(text, 'x', sizeof(text));
	q.len = 1000;
	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "I do not know that");
	q.len = 1001;
	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "too long");
	memcpy(text, "help\n", 5);
	q.len = sizeof(text);
	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "link ADDRESS");
	memcpy(text, "he\0p\n", 5);
	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "I do not know 'he\\x00p'");
}

/* ---- who is not answered ---- */

static void automata_are_not_answered(void **state)
{
	static const struct {
		const char *from, *type, *text, *lines;
		unsigned hops;
		bool is_answered;
	} CASES[] = {
		{"postmaster@far.example",      NULL,               "help",          NULL,                                 1, false},
		{ "postmaster@here.example",    NULL,               "help",          NULL,                                 1, false},
		{ "primbridge@also.example",    NULL,               "help",          NULL,                                 1, false},
		{ "primbridge@far.example",     NULL,               "help",          NULL,                                 1, false},
		{ "mailer-daemon@mail.example", NULL,               "help",          NULL,                                 1, false},
		{ "echo@far.example",           NULL,               "help",          NULL,                                 1, true },
		{ ROMEO,                        NULL,               "help",          NULL,                                 5, false},
		{ ROMEO,                        NULL,               "help",          NULL,                                 4, true },
		{ CAROL,                        NULL,               "help",          "Auto-Submitted: auto-replied\r\n",   1,
                 false													     },
		{ CAROL,                        NULL,               "help",          "auto-submitted: generated; x=y\r\n", 1,
                 false													     },
		{ CAROL,                        NULL,               "help",          "Auto-Submitted: No\r\n",             1, true },
		{ CAROL,                        NULL,               "help",          "Precedence: bulk\r\n",               1, false},
		{ CAROL,                        NULL,               "help",          "List-Id: <x.y>\r\n",                 1, false},
		{ CAROL,                        "message/cpim",     REPLIED,         NULL,                                 1, false},
		{ CAROL,                        "message/cpim",     REPLIED_OUTSIDE, NULL,                                 1, false},
		{ CAROL,                        "message/cpim",     NOTICE,          NULL,                                 1, false},
		{ CAROL,                        "message/imdn+xml", "<imdn/>",       NULL,                                 1, false},
	};
	struct world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		const struct question q = { .from = CASES[i].from,
			.type = CASES[i].type,
			.text = CASES[i].text,
			.lines = CASES[i].lines,
			.hops = CASES[i].hops };

		print_message("%zu %s\n", i, q.from);
		assert_int_equal(world_say(w, &q), 200);
		if (CASES[i].is_answered)
			world_heard(w, q.from, "link NAME@");
		assert_int_equal(w->letter_count, CASES[i].is_answered);
	}
}

/* What answers by itself is answered, but not for ever. */
static void an_echo_dies_away(void **state)
{
	struct world *w = *state;
	struct question q = { .from = ROMEO, .text = "hello", .hops = 1 };
	unsigned rounds = 0;
	char text[2048];

	while (world_say(w, &q) == 200 && w->letter_count && rounds < 100) {
		const struct letter *l = world_letter(w, ROMEO);

		assert_non_null(l);
		assert_int_equal(l->hops, q.hops);
		(void)snprintf(text, sizeof(text), "%s", l->text);
		q.text = text;
		q.hops = l->hops + 1; /* as it comes back */
		rounds++;
	}
	assert_int_equal(rounds, 4);
}

static void a_sender_has_twenty_answers_a_minute(void **state)
{
	struct world *w = *state;
	const struct question q = { .from = ANN, .text = "help" };
	const struct question bad = { .from = ANN, .text = "\377" };
	const struct question other = { .from = BOB, .text = "help" };

	for (int i = 0; i < 20; i++) {
		assert_int_equal(world_say(w, i % 2 ? &q : &bad),
		    i % 2 ? 200 : 400);
		br_clock_turn(&w->server->clock, 2999);
	}
	assert_int_equal(world_say(w, &q), 500);
	world_silence(w, ANN);
	assert_int_equal(world_say(w, &bad), 500);
	assert_int_equal(world_say(w, &other), 200);
	world_heard(w, BOB, "link ADDRESS");
	br_clock_turn(&w->server->clock, 20);
	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "link ADDRESS");
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_text_is_read),
		TEST(only_a_line_is_read),
		TEST(automata_are_not_answered),
		TEST(an_echo_dies_away),
		TEST(a_sender_has_twenty_answers_a_minute),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
