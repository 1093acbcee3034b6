/* SPDX-License-Identifier: ISC */
/* Presence and lists in the adapter's process, without a process: the test is
 * the core and the plugin. */

#include "tests/lib/t.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "bridge/plugin_private.h"
#include "prim/base.h"

#define ALICE "From: pres:alice@localhost\r\n"
#define BOB   "From: pres:bob@far.example\r\n"
#define TO_A  "To: pres:alice@localhost\r\n"
#define TO_B  "To: pres:bob@far.example\r\n"
#define DATE  "Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n"
#define ID    "Subscription-ID: s-1\r\n"
#define XML   "Content-Type: application/pidf+xml\r\n"

/* The plugin: what it was told, and what it says to that. */

struct told {
	unsigned subscribes, unsubscribes, notifies, outcomes;
	char watcher[64], presentity[64], id[64], body[64];
	uint32_t duration_s;
	enum prim_astrength strength;
	bool is_end;
	struct bridge_presence_outcome outcome;
	unsigned entries, ends;
	unsigned last;
};

static struct told told;
static unsigned verdict;
static uint32_t grant_s;
static bool speaks; /* from inside subscribe() */
static struct bridge *b;

static void copy(char to[64], struct prim_slice s)
{
	assert_true(s.len < 64);
	snprintf(to, 64, "%.*s", PRIM_SLICE_ARG(s));
}

static struct bridge_notification notification(void)
{
	return (struct bridge_notification){
		.watcher = PRIM_SLICE("pres:alice@localhost"),
		.presentity = PRIM_SLICE("pres:bob@far.example"),
		.id = PRIM_SLICE("s-1"),
		.content_type = PRIM_SLICE("application/pidf+xml"),
		.body = PRIM_SLICE("<open/>"),
	};
}

static void take(const struct bridge_subscription *s)
{
	copy(told.watcher, s->watcher);
	copy(told.presentity, s->presentity);
	copy(told.id, s->id);
	told.duration_s = s->duration_s;
	told.strength = s->strength;
}

static unsigned on_subscribe(void *state, const struct bridge_subscription *s,
    uint32_t *granted_s)
{
	const struct bridge_notification n = notification();

	(void)state;
	told.subscribes++;
	take(s);
	if (speaks) {
		bridge_log(b, BRIDGE_INFO, "hello");
		assert_true(bridge_notify(b, &n));
	}
	*granted_s = grant_s;
	return verdict;
}

static unsigned on_unsubscribe(void *state, const struct bridge_subscription *s)
{
	(void)state;
	told.unsubscribes++;
	take(s);
	return verdict;
}

static unsigned on_notify(void *state, const struct bridge_notification *n)
{
	(void)state;
	told.notifies++;
	copy(told.watcher, n->watcher);
	copy(told.presentity, n->presentity);
	copy(told.id, n->id);
	copy(told.body, n->body);
	told.duration_s = n->duration_s;
	told.is_end = n->is_end;
	return verdict;
}

static void on_outcome(void *state, const struct bridge_presence_outcome *o)
{
	(void)state;
	told.outcomes++;
	told.outcome = *o;
	copy(told.watcher, o->watcher);
	copy(told.presentity, o->presentity);
	copy(told.id, o->id);
}

static void on_state(void *state, const struct prim_slice *key,
    const struct prim_slice *value)
{
	uint64_t number;

	(void)state;
	if (!key) {
		told.ends++;
		return;
	}
	assert_true(prim_slice_number(*key, 100000, &number));
	assert_int_equal(number, told.last + 1);
	assert_true(prim_slice_eq(*value, PRIM_SLICE("value")));
	told.last = (unsigned)number;
	told.entries++;
}

static const struct br_adapter FULL = {
	.subscribe = on_subscribe,
	.unsubscribe = on_unsubscribe,
	.notify = on_notify,
	.presence_outcome = on_outcome,
	.state_value = on_state,
};
static const struct br_adapter BARE;
static const struct br_adapter ONLY_SUBSCRIBE = { .subscribe = on_subscribe };

static void on_later(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static void begin(const struct br_adapter *adapter)
{
	memset(&told, 0, sizeof(told));
	verdict = 200;
	grant_s = 0;
	speaks = false;
	b = prim_new(struct bridge);
	b->base = event_base_new();
	b->later = event_new(b->base, -1, 0, on_later, b);
	b->plugin.adapter = adapter;
	b->body_max = 1000;
	b->started = b->ready = true;
	STAILQ_INIT(&b->refused);
	STAILQ_INIT(&b->presence_refused);
	br_plugin_state_init(b);
	br_asks_init(&b->asks, 1024);
	br_link_init(&b->link, &br_plugin_link_ops, b);
}

static void release(struct br_ask *ask, void *arg)
{
	(void)arg;
	if (ask->kind == PLUGIN_ASK_PRESENCE)
		br_plugin_presence_free(ask->what);
}

static void end(void)
{
	struct plugin_presence *p;

	while ((p = STAILQ_FIRST(&b->presence_refused))) {
		STAILQ_REMOVE_HEAD(&b->presence_refused, next);
		br_plugin_presence_free(p);
	}
	br_asks_each(&b->asks, release, NULL);
	br_asks_fini(&b->asks);
	br_plugin_state_fini(b);
	br_link_fini(&b->link);
	prim_buf_fini(&b->scratch);
	event_free(b->later);
	event_base_free(b->base);
	b = prim_free(b);
}

static void say(const char *octets)
{
	br_link_feed(&b->link, prim_slice_of(octets));
}

/* What the runtime has said, dates made equal. */
static char *heard(void)
{
	const size_t len = evbuffer_get_length(b->link.out);
	char *text = prim_alloc(len + 1);
	char *at = text;

	evbuffer_remove(b->link.out, text, len);
	while ((at = strstr(at, "Date: "))) {
		memcpy(at, DATE, sizeof(DATE) - 1);
		at += sizeof(DATE) - 1;
	}
	return text;
}

static void expect_heard(const char *text)
{
	char *is = heard();

	assert_string_equal(is, text);
	prim_free(is);
}

/* What the core says. */

static void a_subscription_is_put_to_the_plugin(void **state)
{
	static const struct {
		const char *name;
		unsigned verdict;
		uint32_t granted_s;
		const char *answer;
	} CASES[] = {
		{"as asked",   200, 7,  "7 0 200 OK\r\nDuration: 600\r\n\r\n"},
		{ "shorter",   201, 60,
                 "7 0 201 Duration Adjusted\r\nDuration: 60\r\n\r\n"         },
		{ "forbidden", 402, 7,  "7 0 402 Forbidden\r\n\r\n"          },
		{ "later",     504, 7,  "7 0 504 Gateway Timeout\r\n\r\n"    },
	};

	char answer[80];

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++) {
		begin(&FULL);
		verdict = CASES[i].verdict;
		grant_s = CASES[i].granted_s;
		say("SUBSCRIBE PRIM/1.0 7 0\r\n" ALICE TO_B DATE ID
		    "AStrength: strong\r\nDuration: 600\r\n\r\n");
		snprintf(answer, sizeof(answer), "PRIM/1.0 %s",
		    CASES[i].answer);
		expect_heard(answer);
		assert_string_equal(told.watcher, "pres:alice@localhost");
		assert_string_equal(told.presentity, "pres:bob@far.example");
		assert_string_equal(told.id, "s-1");
		assert_int_equal(told.duration_s, 600);
		assert_int_equal(told.strength, PRIM_ASTRENGTH_STRONG);
		end();
	}
}

static void a_strange_code_is_an_internal_error(void **state)
{
	(void)state;
	begin(&FULL);
	verdict = 0;
	say("SUBSCRIBE PRIM/1.0 7 0\r\n" ALICE TO_B DATE ID
	    "Duration: 600\r\n\r\n");
	expect_heard("PRIM/1.0 7 0 500 Internal Server Error\r\n\r\n"
		     "LOG PRIM/1.0 - 31\r\nLevel: error\r\n"
		     "Content-Type: text/plain; charset=UTF-8\r\n\r\n"
		     "subscribe gave a strange code=0");
	end();
}

static void what_is_said_inside_leaves_behind_the_answer(void **state)
{
	(void)state;
	begin(&FULL);
	speaks = true;
	say("SUBSCRIBE PRIM/1.0 7 0\r\n" ALICE TO_B DATE ID
	    "Duration: 600\r\n\r\n");
	expect_heard("PRIM/1.0 7 0 200 OK\r\nDuration: 600\r\n\r\n"
		     "LOG PRIM/1.0 - 5\r\nLevel: info\r\n"
		     "Content-Type: text/plain; charset=UTF-8\r\n\r\nhello"
		     "NOTIFY PRIM/1.0 1 7\r\n" BOB TO_A DATE ID XML
		     "\r\n<open/>");
	end();
}

static void an_end_is_put_to_the_plugin(void **state)
{
	(void)state;
	begin(&FULL);
	verdict = 404;
	say("UNSUBSCRIBE PRIM/1.0 8 0\r\n" ALICE TO_B DATE ID "\r\n");
	expect_heard("PRIM/1.0 8 0 404 Subscription Not Found\r\n\r\n");
	assert_int_equal(told.unsubscribes, 1);
	assert_string_equal(told.watcher, "pres:alice@localhost");
	end();
}

static void a_notification_is_put_to_the_plugin(void **state)
{
	(void)state;
	begin(&FULL);
	say("NOTIFY PRIM/1.0 9 3\r\n" ALICE TO_B DATE ID "Duration: 50\r\n" XML
	    "\r\nxml");
	expect_heard("PRIM/1.0 9 0 200 OK\r\n\r\n");
	assert_string_equal(told.watcher, "pres:bob@far.example");
	assert_string_equal(told.presentity, "pres:alice@localhost");
	assert_string_equal(told.body, "xml");
	assert_int_equal(told.duration_s, 50);
	assert_false(told.is_end);
	verdict = 403;
	say("NOTIFY PRIM/1.0 10 0\r\n" ALICE TO_B DATE ID
	    "Duration: 0\r\n\r\n");
	expect_heard("PRIM/1.0 10 0 403 Resource Not Found\r\n\r\n");
	assert_true(told.is_end);
	end();
}

static void members_may_be_missing(void **state)
{
	static const struct {
		const struct br_adapter *adapter;
		const char *answers;
	} CASES[] = {
		{&BARE,
                 "PRIM/1.0 1 0 501 Not Implemented\r\n\r\n"
		    "PRIM/1.0 2 0 501 Not Implemented\r\n\r\n"
		    "PRIM/1.0 3 0 403 Resource Not Found\r\n\r\n"},
		{ &ONLY_SUBSCRIBE,
                 "PRIM/1.0 1 0 200 OK\r\nDuration: 9\r\n\r\n"
		    "PRIM/1.0 2 0 200 OK\r\n\r\n"
		    "PRIM/1.0 3 0 403 Resource Not Found\r\n\r\n"},
	};

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++) {
		begin(CASES[i].adapter);
		say("SUBSCRIBE PRIM/1.0 1 0\r\n" ALICE TO_B DATE ID
		    "Duration: 9\r\n\r\n"
		    "UNSUBSCRIBE PRIM/1.0 2 0\r\n" ALICE TO_B DATE ID "\r\n"
		    "NOTIFY PRIM/1.0 3 1\r\n" ALICE TO_B DATE ID
		    "Duration: 9\r\n" XML "\r\nx");
		expect_heard(CASES[i].answers);
		end();
	}
}

static void a_draining_plugin_takes_no_subscription(void **state)
{
	(void)state;
	begin(&FULL);
	b->draining = true;
	say("SUBSCRIBE PRIM/1.0 1 0\r\n" ALICE TO_B DATE ID
	    "Duration: 9\r\n\r\n");
	expect_heard("PRIM/1.0 1 0 500 Internal Server Error\r\n\r\n");
	assert_int_equal(told.subscribes, 0);
	end();
}

/* Octets after which the runtime ends itself. */
static void a_core_that_breaks_the_rules_is_left(void **state)
{
	static const char *const BAD[] = {
		"SUBSCRIBE PRIM/1.0 - 0\r\n" ALICE TO_B DATE ID
		"Duration: 9\r\n\r\n",
		"SUBSCRIBE PRIM/1.0 1 0\r\n" ALICE TO_B DATE ID "\r\n",
		"SUBSCRIBE PRIM/1.0 1 0\r\n" ALICE TO_B DATE
		"Duration: 9\r\n\r\n",
		"SUBSCRIBE PRIM/1.0 1 0\r\n" ALICE TO_B ID
		"Duration: 9\r\n\r\n",
		"SUBSCRIBE PRIM/1.0 1 0\r\n" ALICE DATE ID
		"Duration: 9\r\n\r\n",
		"SUBSCRIBE PRIM/1.0 1 0\r\n" ALICE TO_B DATE ID
		"Duration: -1\r\n\r\n",
		"SUBSCRIBE PRIM/1.0 1 0\r\n" ALICE TO_B DATE ID
		"Duration: 4294967296\r\n\r\n",
		"SUBSCRIBE PRIM/1.0 1 0\r\n" ALICE TO_B DATE
		"Subscription-ID: a b\r\nDuration: 9\r\n\r\n",
		"SUBSCRIBE PRIM/1.0 1 1\r\n" ALICE TO_B DATE ID XML
		"Duration: 9\r\n\r\nx",
		"UNSUBSCRIBE PRIM/1.0 1 0\r\n" ALICE TO_B DATE "\r\n",
		"NOTIFY PRIM/1.0 1 1\r\n" ALICE TO_B DATE ID XML "\r\nx",
		"NOTIFY PRIM/1.0 1 0\r\n" ALICE TO_B DATE ID
		"Duration: 9\r\n\r\n",
		"FETCH PRIM/1.0 1 0\r\n" ALICE TO_B "\r\n",
		"PRIM/1.0 1 0 200 OK\r\n\r\n",
	};

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(BAD); i++) {
		begin(&FULL);
		say(BAD[i]);
		if (b->code != PLUGIN_EXIT_CORE)
			fail_msg("%s", BAD[i]);
		assert_int_equal(told.subscribes + told.unsubscribes +
			told.notifies,
		    0);
		end();
	}
	begin(&FULL);
	b->ready = false;
	say("UNSUBSCRIBE PRIM/1.0 1 0\r\n" ALICE TO_B DATE ID "\r\n");
	assert_int_equal(b->code, PLUGIN_EXIT_CORE);
	end();
}

/* What the plugin says. */

static struct bridge_subscription subscription(void)
{
	return (struct bridge_subscription){
		.watcher = PRIM_SLICE("pres:bob@far.example"),
		.presentity = PRIM_SLICE("pres:alice@localhost"),
		.id = PRIM_SLICE("s-1"),
		.duration_s = 600,
		.strength = PRIM_ASTRENGTH_MEDIUM,
	};
}

static void what_a_plugin_says_looks_like_this(void **state)
{
	struct bridge_notification n = notification();
	const struct bridge_subscription s = subscription();

	(void)state;
	begin(&FULL);
	assert_int_equal(bridge_presence_room(b), BRIDGE_PRESENCE_MAX);
	assert_true(bridge_subscribe(b, &s));
	expect_heard("SUBSCRIBE PRIM/1.0 1 0\r\n" BOB TO_A DATE ID
		     "AStrength: medium\r\nDuration: 600\r\n\r\n");
	assert_true(bridge_unsubscribe(b, &s));
	expect_heard("UNSUBSCRIBE PRIM/1.0 2 0\r\n" BOB TO_A DATE ID
		     "AStrength: medium\r\n\r\n");
	assert_true(bridge_notify(b, &n));
	expect_heard("NOTIFY PRIM/1.0 3 7\r\n" BOB TO_A DATE ID XML
		     "\r\n<open/>");
	n.is_end = true;
	n.body = n.content_type = PRIM_SLICE_NONE;
	assert_true(bridge_notify(b, &n));
	expect_heard("NOTIFY PRIM/1.0 4 0\r\n" BOB TO_A DATE ID
		     "Duration: 0\r\n\r\n");
	assert_int_equal(bridge_presence_room(b), BRIDGE_PRESENCE_MAX - 4);
	end();
}

static void an_answer_is_the_outcome(void **state)
{
	static const struct {
		const char *answer;
		unsigned code;
		uint32_t duration_s;
	} CASES[] = {
		{"PRIM/1.0 1 0 200 OK\r\n\r\n",                      200, 600},
		{ "PRIM/1.0 1 0 200 OK\r\nDuration: 600\r\n\r\n",    200, 600},
		{ "PRIM/1.0 1 0 201 Duration Adjusted\r\n"
		  "Duration: 60\r\n\r\n",           201, 60 },
		{ "PRIM/1.0 1 0 402 Forbidden\r\n\r\n",              402, 0  },
		{ "PRIM/1.0 1 0 505 Too Many Subscriptions\r\n\r\n", 505, 0  },
	};
	const struct bridge_subscription s = subscription();

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++) {
		begin(&FULL);
		assert_true(bridge_subscribe(b, &s));
		say(CASES[i].answer);
		assert_int_equal(told.outcomes, 1);
		assert_int_equal(told.outcome.kind, BRIDGE_SUBSCRIBE);
		assert_int_equal(told.outcome.code, CASES[i].code);
		assert_int_equal(told.outcome.duration_s, CASES[i].duration_s);
		assert_string_equal(told.watcher, "pres:bob@far.example");
		assert_string_equal(told.presentity, "pres:alice@localhost");
		assert_string_equal(told.id, "s-1");
		assert_int_equal(bridge_presence_room(b), BRIDGE_PRESENCE_MAX);
		end();
	}
}

static void a_grant_without_duration_breaks_the_rules(void **state)
{
	static const char *const BAD[] = {
		"PRIM/1.0 1 0 201 Duration Adjusted\r\n\r\n",
		"PRIM/1.0 1 0 200 OK\r\nDuration: soon\r\n\r\n",
	};
	const struct bridge_subscription s = subscription();

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(BAD); i++) {
		begin(&FULL);
		assert_true(bridge_subscribe(b, &s));
		say(BAD[i]);
		assert_int_equal(b->code, PLUGIN_EXIT_CORE);
		assert_int_equal(told.outcomes, 0);
		end();
	}
}

static void what_cannot_be_said_is_refused(void **state)
{
	struct bridge_subscription s;
	struct bridge_notification n;
	char id[BRIDGE_SUBSCRIPTION_ID_MAX + 2];

	(void)state;
	begin(&FULL);
	memset(id, 'x', sizeof(id));
	s = subscription();
	s.id = prim_slice_make(id, BRIDGE_SUBSCRIPTION_ID_MAX + 1);
	assert_false(bridge_subscribe(b, &s));
	s.id = PRIM_SLICE("a/b");
	assert_false(bridge_unsubscribe(b, &s));
	s = subscription();
	s.watcher = PRIM_SLICE("pres:a@b\r\nEvil: 1");
	assert_false(bridge_subscribe(b, &s));
	s.watcher = PRIM_SLICE_NONE;
	assert_false(bridge_subscribe(b, &s));
	n = notification();
	n.body = PRIM_SLICE_NONE;
	assert_false(bridge_notify(b, &n));
	n = notification();
	n.content_type = PRIM_SLICE_NONE;
	assert_false(bridge_notify(b, &n));
	b->ready = false;
	s = subscription();
	assert_false(bridge_subscribe(b, &s));
	assert_int_equal(bridge_presence_room(b), 0);
	expect_heard("");
	end();
}

static void too_much_unanswered_is_refused(void **state)
{
	const struct bridge_subscription s = subscription();
	const struct bridge_notification n = notification();

	(void)state;
	begin(&FULL);
	for (unsigned i = 0; i < BRIDGE_PRESENCE_MAX; i++)
		assert_true(bridge_subscribe(b, &s));
	assert_false(bridge_unsubscribe(b, &s));
	assert_false(bridge_notify(b, &n));
	say("PRIM/1.0 77 0 200 OK\r\n\r\n");
	assert_true(bridge_notify(b, &n));
	end();
}

static void a_document_that_is_too_long_has_an_outcome(void **state)
{
	static char body[1001];
	struct bridge_notification n = notification();
	struct plugin_presence *p;

	(void)state;
	begin(&FULL);
	n.body = prim_slice_make(body, sizeof(body));
	assert_true(bridge_notify(b, &n));
	expect_heard("");
	assert_int_equal(told.outcomes, 0);
	p = STAILQ_FIRST(&b->presence_refused);
	assert_non_null(p);
	STAILQ_REMOVE_HEAD(&b->presence_refused, next);
	br_plugin_presence_settle(b, p, p->code);
	assert_int_equal(told.outcome.code, 400);
	assert_int_equal(bridge_presence_room(b), BRIDGE_PRESENCE_MAX);
	end();
}

/* Lists. */

/* Answers question `id` with `count` entries behind `after`. */
static void say_page(unsigned id, unsigned after, unsigned count, bool has_more)
{
	struct prim_buf body = { 0 }, text = { 0 };
	char key[16];

	for (unsigned i = 1; i <= count; i++) {
		snprintf(key, sizeof(key), "%u", after + i);
		prim_buf_putf(&body, "%zu:%s,5:value,", strlen(key), key);
	}
	prim_buf_putf(&text, "PRIM/1.0 %u %zu 200 OK\r\n", id, body.len);
	if (has_more)
		prim_buf_putf(&text, "Key: %u\r\n", after + count);
	prim_buf_puts(&text, "Content-Type: application/octet-stream\r\n\r\n");
	prim_buf_put(&text, prim_buf_slice(&body));
	br_link_feed(&b->link, prim_buf_slice(&text));
	prim_buf_fini(&body);
	prim_buf_fini(&text);
}

static void a_long_list_is_asked_for_page_by_page(void **state)
{
	const unsigned total = 20000, each = 3000;
	char request[100];
	unsigned id = 1;

	(void)state;
	begin(&FULL);
	bridge_state_list(b);
	bridge_state_get(b, PRIM_SLICE("other"));
	expect_heard("STATE PRIM/1.0 1 0\r\nOperation: list\r\n\r\n");
	for (unsigned at = each; at < total; at += each) {
		say_page(id++, at - each, each, true);
		snprintf(request, sizeof(request),
		    "STATE PRIM/1.0 %u 0\r\nOperation: list\r\n"
		    "Key: %u\r\n\r\n",
		    id, at);
		expect_heard(request);
		assert_int_equal(told.entries, at);
		assert_int_equal(told.ends, 0);
	}
	say_page(id, told.entries, total - told.entries, false);
	assert_int_equal(told.entries, total);
	assert_int_equal(told.ends, 1);
	/* Only then it is the next one's turn. */
	snprintf(request, sizeof(request),
	    "STATE PRIM/1.0 %u 0\r\nOperation: get\r\nKey: other\r\n\r\n",
	    id + 1);
	expect_heard(request);
	assert_int_equal(b->code, 0);
	end();
}

static void a_page_that_fails_is_asked_for_again(void **state)
{
	(void)state;
	begin(&FULL);
	bridge_state_list(b);
	say_page(1, 0, 10, true);
	prim_free(heard());
	say("PRIM/1.0 2 0 500 Internal Server Error\r\n\r\n");
	prim_free(heard());
	event_base_loop(b->base, EVLOOP_ONCE);
	expect_heard("STATE PRIM/1.0 3 0\r\nOperation: list\r\n"
		     "Key: 10\r\n\r\n");
	say_page(3, 10, 5, false);
	assert_int_equal(told.entries, 15);
	assert_int_equal(told.ends, 1);
	end();
}

static void a_list_that_turns_in_a_circle_is_left(void **state)
{
	static const char *const BAD[] = {
		"PRIM/1.0 1 0 200 OK\r\nKey: 1\r\n\r\n",
		"PRIM/1.0 1 12 200 OK\r\nKey: 2\r\nContent-Type: a/b\r\n\r\n"
		"1:1,5:value,",
		"PRIM/1.0 1 11 200 OK\r\nContent-Type: a/b\r\n\r\n"
		"1:1,5:value",
	};

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(BAD); i++) {
		begin(&FULL);
		bridge_state_list(b);
		say(BAD[i]);
		assert_int_equal(b->code, PLUGIN_EXIT_CORE);
		assert_int_equal(told.ends, 0);
		end();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_subscription_is_put_to_the_plugin),
		cmocka_unit_test(a_strange_code_is_an_internal_error),
		cmocka_unit_test(what_is_said_inside_leaves_behind_the_answer),
		cmocka_unit_test(an_end_is_put_to_the_plugin),
		cmocka_unit_test(a_notification_is_put_to_the_plugin),
		cmocka_unit_test(members_may_be_missing),
		cmocka_unit_test(a_draining_plugin_takes_no_subscription),
		cmocka_unit_test(a_core_that_breaks_the_rules_is_left),
		cmocka_unit_test(what_a_plugin_says_looks_like_this),
		cmocka_unit_test(an_answer_is_the_outcome),
		cmocka_unit_test(a_grant_without_duration_breaks_the_rules),
		cmocka_unit_test(what_cannot_be_said_is_refused),
		cmocka_unit_test(too_much_unanswered_is_refused),
		cmocka_unit_test(a_document_that_is_too_long_has_an_outcome),
		cmocka_unit_test(a_long_list_is_asked_for_page_by_page),
		cmocka_unit_test(a_page_that_fails_is_asked_for_again),
		cmocka_unit_test(a_list_that_turns_in_a_circle_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
