/* SPDX-License-Identifier: ISC */
/* Links, notices and late word in the adapter's process, without a process: the
 * test is the core and the plugin. */

#include "tests/lib/t.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "bridge/plugin_private.h"
#include "prim/base.h"
#include "prim/imdn.h"

#define ID     "01010101010101010101010101010101"
#define DATE   "Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n"
#define UTF8   "Content-Type: text/plain; charset=UTF-8\r\n"
#define REPORT "REPORT PRIM/1.0 - "

/* The plugin: what it was told, and what it says to that. */

static struct {
	unsigned linked;
	char address[64], principal[64];
	uint64_t cookie;
	unsigned delivered;
	char token[64], original_from[64], original_to[64];
	bool is_notice;
	struct prim_imdn notice; /* its texts are gone */
	char about[64];
} told;

static bool asks_again;  /* from inside linked() */
static const char *form; /* NULL: no such address */
static struct bridge *b;

static void copy(char to[64], struct prim_slice s)
{
	assert_true(s.len < 64);
	snprintf(to, 64, "%.*s", PRIM_SLICE_ARG(s));
}

static void on_linked(void *state, const struct bridge_linked *l)
{
	(void)state;
	told.linked++;
	copy(told.address, l->address);
	copy(told.principal, l->principal);
	told.cookie = l->cookie;
	if (asks_again)
		assert_true(bridge_link(b, l->address, l->cookie + 1));
	asks_again = false;
}

static bool on_canonical(void *state, struct prim_slice address,
    struct prim_buf *out)
{
	(void)state;
	copy(told.address, address);
	if (!form)
		return false;
	prim_buf_puts(out, form);
	return true;
}

static unsigned on_deliver(void *state, const struct bridge_message *m)
{
	(void)state;
	told.delivered++;
	copy(told.token, m->return_token);
	copy(told.original_from, m->original_from);
	copy(told.original_to, m->original_to);
	told.is_notice = m->notice != NULL;
	if (m->notice) {
		told.notice = *m->notice;
		copy(told.about, m->notice->message_id);
	}
	return 0;
}

static const struct br_adapter FULL = {
	.deliver = on_deliver,
	.linked = on_linked,
	.canonical = on_canonical,
};
static const struct br_adapter BARE = { .deliver = on_deliver };

static unsigned laters;

static void on_later(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	laters++;
}

static void begin(const struct br_adapter *adapter)
{
	static char domain[] = "localhost";
	static char *domains[] = { domain };

	memset(&told, 0, sizeof(told));
	asks_again = false;
	form = "im:bob@far.example";
	b = prim_new(struct bridge);
	b->base = event_base_new();
	b->later = event_new(b->base, -1, 0, on_later, b);
	b->plugin.adapter = adapter;
	b->body_max = 1000;
	b->started = b->ready = true;
	b->window = 1024;
	b->config.domains = domains;
	b->config.domain_count = 1;
	STAILQ_INIT(&b->refused);
	STAILQ_INIT(&b->presence_refused);
	STAILQ_INIT(&b->questions);
	br_plugin_state_init(b);
	br_asks_init(&b->asks, 1024);
	br_link_init(&b->link, &br_plugin_link_ops, b);
}

static void release(struct br_ask *ask, void *arg)
{
	(void)arg;
	if (ask->kind == PLUGIN_ASK_SUBMIT)
		br_plugin_submission_free(ask->what);
}

static void end(void)
{
	br_asks_each(&b->asks, release, NULL);
	br_asks_fini(&b->asks);
	br_plugin_delivery_drop_all(b);
	prim_table_fini(&b->deliveries);
	br_plugin_identity_fini(b);
	br_plugin_state_fini(b);
	br_link_fini(&b->link);
	prim_buf_fini(&b->scratch);
	prim_buf_fini(&b->retry);
	event_free(b->later);
	event_base_free(b->base);
	b = prim_free(b);
}

static void say(const char *octets)
{
	br_link_feed(&b->link, prim_slice_of(octets));
}

static void expect_heard(const char *text)
{
	const size_t len = evbuffer_get_length(b->link.out);
	char *is = prim_alloc(len + 1);

	evbuffer_remove(b->link.out, is, len);
	assert_string_equal(is, text);
	prim_free(is);
}

/* ---- bridge_link() ---- */

static void questions_are_answered_in_their_order(void **state)
{
	(void)state;
	begin(&FULL);
	assert_true(bridge_link(b, PRIM_SLICE("im:bob@far.example"), 7));
	assert_true(bridge_link(b, PRIM_SLICE("im:eve@far.example"), 8));
	expect_heard("LINK PRIM/1.0 1 0\r\nFrom: im:bob@far.example\r\n\r\n"
		     "LINK PRIM/1.0 2 0\r\nFrom: im:eve@far.example\r\n\r\n");
	assert_int_equal(told.linked, 0);
	say("PRIM/1.0 1 0 200 OK\r\nTo: im:alice@localhost\r\n\r\n");
	assert_string_equal(told.address, "im:bob@far.example");
	assert_string_equal(told.principal, "im:alice@localhost");
	assert_int_equal(told.cookie, 7);
	say("PRIM/1.0 2 0 403 Resource Not Found\r\n\r\n");
	assert_string_equal(told.address, "im:eve@far.example");
	assert_string_equal(told.principal, "");
	assert_int_equal(told.cookie, 8);
	assert_int_equal(told.linked, 2);
	assert_int_equal(b->question_count, 0);
	end();
}

static void one_may_be_asked_while_another_is_answered(void **state)
{
	(void)state;
	begin(&FULL);
	asks_again = true;
	assert_true(bridge_link(b, PRIM_SLICE("im:bob@far.example"), 7));
	say("PRIM/1.0 1 0 403 Resource Not Found\r\n\r\n");
	assert_int_equal(told.linked, 1);
	say("PRIM/1.0 2 0 403 Resource Not Found\r\n\r\n");
	assert_int_equal(told.linked, 2);
	assert_int_equal(told.cookie, 8);
	end();
}

static void what_cannot_be_asked_is_refused(void **state)
{
	struct prim_slice bob = PRIM_SLICE("im:bob@far.example");

	(void)state;
	begin(&FULL);
	assert_false(bridge_link(b, PRIM_SLICE_NONE, 1));
	assert_false(bridge_link(b, PRIM_SLICE("im:a@b\r\nTo: x"), 1));
	b->ready = false;
	assert_false(bridge_link(b, bob, 1));
	b->ready = true;
	for (unsigned i = 0; i < BRIDGE_LINK_MAX; i++)
		assert_true(bridge_link(b, bob, i));
	assert_false(bridge_link(b, bob, 1));
	say("PRIM/1.0 1 0 403 Resource Not Found\r\n\r\n");
	assert_true(bridge_link(b, bob, 1));
	end();
	/* Without a member nobody would hear the answer. */
	begin(&BARE);
	assert_false(bridge_link(b, bob, 1));
	expect_heard("");
	end();
}

/* What it wants to submit comes behind the answer. */
static void a_drain_waits_for_the_answer(void **state)
{
	(void)state;
	begin(&FULL);
	laters = 0;
	assert_true(bridge_link(b, PRIM_SLICE("im:bob@far.example"), 1));
	say("DRAIN PRIM/1.0 - 0\r\n\r\n");
	event_base_loop(b->base, EVLOOP_NONBLOCK);
	assert_int_equal(laters, 1);
	say("PRIM/1.0 1 0 403 Resource Not Found\r\n\r\n");
	event_base_loop(b->base, EVLOOP_NONBLOCK);
	assert_int_equal(laters, 2);
	end();
}

static void a_core_that_answers_strangely_is_left(void **state)
{
	static const char *const BAD[] = {
		"PRIM/1.0 1 0 200 OK\r\n\r\n",
		"PRIM/1.0 1 0 403 x\r\nTo: im:alice@localhost\r\n\r\n",
		"PRIM/1.0 1 0 500 x\r\n\r\n",
		"PRIM/1.0 2 0 403 x\r\n\r\n",
	};

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(BAD); i++) {
		begin(&FULL);
		assert_true(bridge_link(b, PRIM_SLICE("im:b@far.example"), 1));
		say(BAD[i]);
		assert_int_equal(b->code, PLUGIN_EXIT_CORE);
		assert_int_equal(told.linked, 0);
		end();
	}
}

/* ---- canonical ---- */

#define ASKED "LINK PRIM/1.0 9 0\r\nTo: im:Bob@far.example\r\n\r\n"

static void the_canonical_form_is_asked_of_the_plugin(void **state)
{
	static const struct {
		const struct br_adapter *adapter;
		const char *form, *answer;
	} CASES[] = {
		{&FULL,  "im:bob@far.example",
                 "200 OK\r\nTo: im:bob@far.example\r\n\r\n"                              },
		{ &FULL, NULL,                 "400 Bad Request\r\n\r\n"                 },
		{ &BARE, NULL,                 "200 OK\r\nTo: im:Bob@far.example\r\n\r\n"},
	};

	char text[200];

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++) {
		begin(CASES[i].adapter);
		form = CASES[i].form;
		say(ASKED);
		snprintf(text, sizeof(text), "PRIM/1.0 9 0 %s",
		    CASES[i].answer);
		expect_heard(text);
		end();
	}
}

static void a_form_that_is_none_is_a_refusal(void **state)
{
	static const char *const BAD[] = { "", "im:a@b\r\nTo: im:c@d" };
	const char *expected = "PRIM/1.0 9 0 400 Bad Request\r\n\r\n";
	char *is;

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(BAD); i++) {
		begin(&FULL);
		form = BAD[i];
		say(ASKED);
		is = prim_alloc(1000);
		evbuffer_remove(b->link.out, is, 999);
		assert_non_null(strstr(is, "no address"));
		assert_string_equal(is + strlen(is) - strlen(expected),
		    expected);
		prim_free(is);
		end();
	}
}

static void a_core_that_asks_strangely_is_left(void **state)
{
	static const char *const BAD[] = {
		"LINK PRIM/1.0 9 0\r\n\r\n",
		"LINK PRIM/1.0 9 0\r\nTo: \r\n\r\n",
		"LINK PRIM/1.0 9 0\r\nFrom: im:a@b\r\n\r\n",
		"LINK PRIM/1.0 - 0\r\nTo: im:a@b\r\n\r\n",
		"LINK PRIM/1.0 9 1\r\nTo: im:a@b\r\nContent-Type: a/b\r\n\r\nx",
	};

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(BAD); i++) {
		begin(&FULL);
		say(BAD[i]);
		assert_int_equal(b->code, PLUGIN_EXIT_CORE);
		end();
	}
	begin(&FULL);
	b->ready = false;
	say(ASKED);
	assert_int_equal(b->code, PLUGIN_EXIT_CORE);
	end();
}

/* ---- what is delivered ---- */

static void put_send(struct prim_buf *out, const char *from,
    const char *headers, struct prim_slice body)
{
	prim_buf_putf(out,
	    "SEND PRIM/1.0 2 %zu\r\nFrom: %s\r\nTo: im:bob@far.example\r\n"
	    "Message-ID: m\r\nConversation-ID: c\r\n" DATE
	    "Bridge-Hops: 1\r\n%sAttempt: 1\r\nDelivery-ID: " ID "\r\n\r\n",
	    body.len, from, headers);
	prim_buf_put(out, body);
}

static void deliver(const char *from, const char *headers,
    struct prim_slice body)
{
	struct prim_buf text = { 0 };

	put_send(&text, from, headers, body);
	br_link_feed(&b->link, prim_buf_slice(&text));
	prim_buf_fini(&text);
	expect_heard("PRIM/1.0 2 0 200 OK\r\n\r\n");
	assert_int_equal(told.delivered, 1);
}

static void who_and_for_whom_it_really_is_comes_along(void **state)
{
	(void)state;
	begin(&FULL);
	deliver("im:alice@localhost",
	    UTF8 "Bridge-Original-From: im:a@far.example\r\n"
		 "Bridge-Original-To: im:b@localhost\r\n",
	    PRIM_SLICE("hi"));
	assert_string_equal(told.original_from, "im:a@far.example");
	assert_string_equal(told.original_to, "im:b@localhost");
	assert_string_equal(told.token, "");
	assert_false(told.is_notice);
	end();
	begin(&FULL);
	deliver("im:alice@localhost", UTF8, PRIM_SLICE("hi"));
	assert_string_equal(told.original_from, "");
	assert_string_equal(told.original_to, "");
	end();
}

#define IMDN      "Content-Type: message/imdn+xml\r\n"
#define CPIM      "Content-Type: message/cpim\r\n"
#define TOKEN     "Return: x/y\r\n"
#define CPIM_HEAD "From: <im:a@b>\r\nTo: <im:c@d>\r\n\r\n" IMDN "\r\n"

static void a_notice_is_read(void **state)
{
	static const struct {
		const char *name, *from, *headers, *before;
		bool is_notice;
	} CASES[] = {
		{"with a token",                "im:postmaster@localhost",   IMDN TOKEN, "",
                 true									     },
		{ "without one",                "im:postmaster@localhost",   IMDN,       "", true },
		{ "spelled otherwise",          "IM:Postmaster@LOCALHOST",   IMDN,       "",
                 true									     },
		{ "inside a message/cpim",      "im:postmaster@localhost",   CPIM,
                 CPIM_HEAD,								  true },
		{ "with a token, from anybody", "im:eve@far.example",
                 IMDN TOKEN,							     "", true },
		{ "from anybody",               "im:alice@localhost",        IMDN,       "", false},
		{ "from another postmaster",    "im:postmaster@far.example", IMDN,
                 "",									 false},
		{ "not at the start",           "im:postmaster@localhost",   IMDN TOKEN,
                 "x",									false},
		{ "of another type",            "im:postmaster@localhost",   UTF8 TOKEN, "",
                 false									    },
	};
	const struct prim_imdn notice = {
		.status = PRIM_IMDN_FAILED,
		.message_id = PRIM_SLICE("m-1"),
		.date = PRIM_SLICE("2026-01-01T00:00:00Z"),
		.recipient = PRIM_SLICE("im:alice@localhost"),
		.code = 408,
	};
	struct prim_buf body = { 0 };

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++) {
		begin(&FULL);
		prim_buf_reset(&body);
		prim_buf_puts(&body, CASES[i].before);
		prim_imdn_put(&body, &notice);
		deliver(CASES[i].from, CASES[i].headers, prim_buf_slice(&body));
		if (told.is_notice != CASES[i].is_notice)
			fail_msg("%s: %d", CASES[i].name, told.is_notice);
		if (strstr(CASES[i].headers, TOKEN))
			assert_string_equal(told.token, "x/y");
		if (told.is_notice) {
			assert_int_equal(told.notice.status, PRIM_IMDN_FAILED);
			assert_int_equal(told.notice.code, 408);
			assert_string_equal(told.about, "m-1");
		}
		end();
	}
	prim_buf_fini(&body);
}

/* ---- what it says ---- */

static void a_message_may_say_who_it_was_really_from(void **state)
{
	struct bridge_message m = {
		.from = PRIM_SLICE("im:alice@localhost"),
		.to = PRIM_SLICE("im:carol@localhost"),
		.message_id = PRIM_SLICE("m"),
		.conversation_id = PRIM_SLICE("c"),
		.date = PRIM_SLICE("Thu, 01 Jan 2026 00:00:00 +0000"),
		.content_type = PRIM_SLICE("text/plain"),
		.body = PRIM_SLICE("hi"),
		.original_from = PRIM_SLICE("im:bob@far.example"),
	};

	(void)state;
	begin(&FULL);
	assert_true(bridge_submit(b, &m));
	expect_heard(
	    "SEND PRIM/1.0 1 2\r\nFrom: im:alice@localhost\r\n"
	    "To: im:carol@localhost\r\n" DATE
	    "AStrength: none\r\nMessage-ID: m\r\nConversation-ID: c\r\n"
	    "Content-Type: text/plain\r\n"
	    "Bridge-Original-From: im:bob@far.example\r\n\r\nhi");
	m.original_from = PRIM_SLICE("im:bob@far.example\r\nTo: x");
	assert_false(bridge_submit(b, &m));
	end();
}

static void late_word_needs_no_delivery(void **state)
{
	struct prim_slice id = PRIM_SLICE(ID);

	(void)state;
	begin(&FULL);
	bridge_report_late(b, id, 408, "bounced");
	expect_heard(REPORT "7\r\nDelivery-ID: " ID "\r\nCode: 408\r\n" UTF8
			    "\r\nbounced");
	bridge_report_late(b, id, 200, NULL);
	expect_heard(REPORT "0\r\nDelivery-ID: " ID "\r\nCode: 200\r\n\r\n");
	bridge_report_late(b, PRIM_SLICE("x"), 200, NULL);
	expect_heard("");
	/* If it is open after all, it is not any more. */
	deliver("im:alice@localhost", UTF8, PRIM_SLICE("hi"));
	assert_int_equal(b->deliveries.count, 1);
	bridge_report_late(b, id, 200, NULL);
	assert_int_equal(b->deliveries.count, 0);
	end();
}

static void late_word_is_of_the_end_only(void **state)
{
	static const unsigned BAD[] = { 0, 101, 201, 300, 399, 500, 504, 600 };
	char text[200];
	int len;

	(void)state;
	for (unsigned i = 0; i <= PRIM_COUNT(BAD); i++) {
		const unsigned code = i < PRIM_COUNT(BAD) ? BAD[i] : 200;

		begin(&FULL);
		b->ready = code != 200;
		bridge_report_late(b, PRIM_SLICE(ID), code, "x");
		len = snprintf(text, sizeof(text),
		    "a late report too early or of a strange code=%u", code);
		snprintf(text, sizeof(text),
		    "LOG PRIM/1.0 - %d\r\nLevel: error\r\n" UTF8
		    "\r\na late report too early or of a strange code=%u",
		    len, code);
		expect_heard(text);
		end();
	}
}

static void ready_says_when_to_try_again(void **state)
{
	static const struct {
		unsigned pauses_s[BRIDGE_RETRY_MAX], delay_s;
		const char *headers;
	} CASES[] = {
		{{ 0 },						    0,  ""			       },
		{ { 5 },						   0,  "Retry: 5\r\n"                   },
		{ { 5, 10, 20, 0, 7 },                                     60, "Retry: 5 10 20\r\nDelay: 60\r\n"},
		{ { 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 100000 },
                 100000,						       "Retry: 1 2 3 4 5 6 7 8 9 1 2 3 4 5 6 86400\r\n"
		    "Delay: 86400\r\n"						  },
	};

	char text[200];

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++) {
		begin(&FULL);
		b->ready = false;
		b->window = 0;
		bridge_retry(b, CASES[i].pauses_s, CASES[i].delay_s);
		bridge_ready(b);
		snprintf(text, sizeof(text), "READY PRIM/1.0 - 0\r\n%s\r\n",
		    CASES[i].headers);
		expect_heard(text);
		bridge_ready(b);
		expect_heard("");
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_are_answered_in_their_order),
		cmocka_unit_test(one_may_be_asked_while_another_is_answered),
		cmocka_unit_test(what_cannot_be_asked_is_refused),
		cmocka_unit_test(a_drain_waits_for_the_answer),
		cmocka_unit_test(a_core_that_answers_strangely_is_left),
		cmocka_unit_test(the_canonical_form_is_asked_of_the_plugin),
		cmocka_unit_test(a_form_that_is_none_is_a_refusal),
		cmocka_unit_test(a_core_that_asks_strangely_is_left),
		cmocka_unit_test(who_and_for_whom_it_really_is_comes_along),
		cmocka_unit_test(a_notice_is_read),
		cmocka_unit_test(a_message_may_say_who_it_was_really_from),
		cmocka_unit_test(late_word_needs_no_delivery),
		cmocka_unit_test(late_word_is_of_the_end_only),
		cmocka_unit_test(ready_says_when_to_try_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
