/* SPDX-License-Identifier: ISC */
/* The echo adapter, with the test as its bridge. */

#include "tests/lib/t.h"

#include <string.h>

#include "bridge/adapter.h"
#include "prim/base.h"
#include "prim/buf.h"
#include "prim/imdn.h"
#include "prim/pidf.h"

#define ID    "0123456789abcdef0123456789abcdef"
#define ALICE "im:alice@localhost"
#define ECHO  "im:anything@echo.localhost"
#define DATE  "DateTime: 2026-01-01T00:00:00Z\r\n"
#define NAMES "From: <" ALICE ">\r\nTo: <" ECHO ">\r\n" DATE

/* The bridge: what it was told. */

struct bridge {
	unsigned ready, window, submitted, reported;
	bool full;
	unsigned code; /* of the last report */
	struct prim_buf from, to, message_id, conversation, type, body, token;
	struct prim_buf original_from;
	unsigned hops;
	enum prim_astrength strength;
	unsigned notified;
	bool is_end;
};

static struct bridge bridge;
static _Alignas(max_align_t) char echo_state[64];

void bridge_ready(struct bridge *b)
{
	b->ready++;
}

void bridge_window(struct bridge *b, unsigned deliveries)
{
	b->window = deliveries;
}

void bridge_report(struct bridge *b, struct prim_slice delivery_id,
    unsigned code, const char *text)
{
	(void)text;
	assert_true(prim_slice_eq(delivery_id, PRIM_SLICE(ID)));
	b->reported++;
	b->code = code;
}

static void keep(struct prim_buf *to, struct prim_slice s)
{
	prim_buf_reset(to);
	prim_buf_put(to, s);
}

bool bridge_submit(struct bridge *b, const struct bridge_message *m)
{
	if (b->full)
		return false;
	b->submitted++;
	keep(&b->from, m->from);
	keep(&b->to, m->to);
	keep(&b->message_id, m->message_id);
	keep(&b->conversation, m->conversation_id);
	keep(&b->type, m->content_type);
	keep(&b->body, m->body);
	keep(&b->token, m->return_token);
	keep(&b->original_from, m->original_from);
	b->hops = m->hops;
	b->strength = m->strength;
	return true;
}

bool bridge_notify(struct bridge *b, const struct bridge_notification *n)
{
	if (b->full)
		return false;
	b->notified++;
	keep(&b->from, n->presentity);
	keep(&b->to, n->watcher);
	keep(&b->token, n->id);
	keep(&b->type, n->content_type);
	keep(&b->body, n->body);
	b->is_end = n->is_end;
	return true;
}

static int begin(void **state)
{
	(void)state;
	memset(&bridge, 0, sizeof(bridge));
	memset(echo_state, 0, sizeof(echo_state));
	assert_true(br_adapter_plugin.state_size <= sizeof(echo_state));
	assert_true(br_adapter_plugin.start(&bridge, echo_state, NULL));
	return 0;
}

static int end(void **state)
{
	struct prim_buf *const all[] = { &bridge.from, &bridge.to,
		&bridge.message_id, &bridge.conversation, &bridge.type,
		&bridge.body, &bridge.token, &bridge.original_from };

	(void)state;
	br_adapter_plugin.stop(echo_state);
	for (size_t i = 0; i < PRIM_COUNT(all); i++)
		prim_buf_fini(all[i]);
	return 0;
}

static unsigned deliver(const char *from, const char *type, const char *body)
{
	const struct bridge_message m = {
		.from = prim_slice_of(from),
		.to = PRIM_SLICE(ECHO),
		.message_id = PRIM_SLICE("m1"),
		.conversation_id = PRIM_SLICE("c1"),
		.date = PRIM_SLICE("Thu, 01 Jan 2026 00:00:00 +0000"),
		.content_type = prim_slice_of(type),
		.body = prim_slice_of(body),
		.strength = PRIM_ASTRENGTH_STRONG,
		.original_from = PRIM_SLICE("im:alice@far.example"),
		.delivery_id = PRIM_SLICE(ID),
		.attempt = 1,
		.hops = 3,
	};

	return br_adapter_plugin.deliver(echo_state, &m);
}

static void outcome(unsigned code)
{
	const struct bridge_outcome o = {
		.return_token = prim_buf_slice(&bridge.token),
		.message_id = prim_buf_slice(&bridge.message_id),
		.code = code,
	};

	br_adapter_plugin.outcome(echo_state, &o);
}

static void expect(const struct prim_buf *b, const char *text)
{
	char *is = prim_slice_copy(prim_buf_slice(b));

	assert_string_equal(is, text);
	prim_free(is);
}

static void it_is_what_the_bridge_loads(void **state)
{
	(void)state;
	assert_int_equal(br_adapter_plugin.abi, BR_ADAPTER_ABI);
	assert_string_equal(br_adapter_plugin.name, "echo");
	assert_int_equal(bridge.ready, 1);
	assert_int_equal(bridge.window, 256);
}

static void a_text_comes_back_under_changed_names(void **state)
{
	(void)state;
	assert_int_equal(deliver(ALICE, "text/plain", "hello"), 0);
	expect(&bridge.from, ECHO);
	expect(&bridge.to, ALICE);
	expect(&bridge.message_id, ID);
	expect(&bridge.conversation, "c1");
	expect(&bridge.type, "text/plain");
	expect(&bridge.body, "hello");
	assert_int_equal(bridge.hops, 3);
	assert_int_equal(bridge.strength, PRIM_ASTRENGTH_NONE);
	assert_int_equal(bridge.reported, 0);
	/* Who is linked to the sender has not sent the echo. */
	expect(&bridge.original_from, "");
}

static void the_outcome_becomes_the_report(void **state)
{
	static const struct {
		unsigned outcome, report;
	} CASES[] = {
		{200,  200},
                { 101, 200},
                { 402, 402},
                { 408, 408},
		{ 407, 407},
                { 500, 500},
                { 504, 504}
	};

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++) {
		deliver(ALICE, "text/plain", "hello");
		outcome(CASES[i].outcome);
		assert_int_equal(bridge.reported, i + 1);
		assert_int_equal(bridge.code, CASES[i].report);
	}
}

static void without_room_it_is_tried_again(void **state)
{
	(void)state;
	bridge.full = true;
	assert_int_equal(deliver(ALICE, "text/plain", "hello"), 500);
	assert_int_equal(bridge.reported, 0);
}

static void a_cpim_comes_back_as_a_new_one(void **state)
{
	(void)state;
	deliver(ALICE, "Message/CPIM; charset=x",
	    NAMES "Subject: old\r\n\r\n"
		  "Content-Type: text/plain; charset=utf-8\r\n"
		  "Content-ID: <1@x>\r\n\r\nhe\r\n\r\nllo");
	expect(&bridge.body,
	    "From: <" ECHO ">\r\nTo: <" ALICE ">\r\n" DATE "\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-ID: <1@x>\r\n\r\nhe\r\n\r\nllo");
	expect(&bridge.type, "Message/CPIM; charset=x");
}

static void what_must_not_come_back_counts_as_delivered(void **state)
{
	static const struct {
		const char *from, *type, *body;
	} CASES[] = {
		{ALICE,                        "message/imdn+xml",                "<imdn/>"     },
		{ ALICE,                       "Message/IMDN+XML; charset=utf-8", "<imdn/>"     },
		{ "im:postmaster@far.example", "text/plain",                      "gone"        },
		{ "im:PostMaster@far.example", "text/plain",                      "gone"        },
		{ "im:primbridge@localhost",   "text/plain",                      "code 1"      },
		{ ALICE,                       "message/cpim",
                 NAMES "\r\nContent-Type: message/imdn+xml\r\n\r\n<imdn/>"                      },
		{ ALICE,                       "message/cpim",
                 NAMES "\r\nContent-Type: text/plain\r\n"
			  "Content-Disposition: notification\r\n\r\nread"                       },
		{ ALICE,                       "message/cpim",                    "this is none"},
	};

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++) {
		assert_int_equal(deliver(CASES[i].from, CASES[i].type,
				     CASES[i].body),
		    0);
		assert_int_equal(bridge.submitted, 0);
		assert_int_equal(bridge.reported, i + 1);
		assert_int_equal(bridge.code, 200);
	}
}

static void a_notice_of_the_bridge_is_taken_and_not_answered(void **state)
{
	const struct prim_imdn imdn = { .status = PRIM_IMDN_FAILED };
	const struct bridge_message m = {
		.from = PRIM_SLICE(ALICE),
		.to = PRIM_SLICE(ECHO),
		.message_id = PRIM_SLICE("n1"),
		.conversation_id = PRIM_SLICE("c1"),
		.content_type = PRIM_SLICE("text/plain"),
		.body = PRIM_SLICE("it failed"),
		.return_token = PRIM_SLICE(ID),
		.delivery_id = PRIM_SLICE(ID),
		.attempt = 1,
		.notice = &imdn,
	};

	(void)state;
	assert_int_equal(br_adapter_plugin.deliver(echo_state, &m), 0);
	assert_int_equal(bridge.submitted, 0);
	assert_int_equal(bridge.reported, 1);
	assert_int_equal(bridge.code, 200);
}

static void a_second_try_makes_the_same_echo(void **state)
{
	char *first;

	(void)state;
	deliver(ALICE, "message/cpim",
	    NAMES "\r\nContent-Type: text/plain\r\n\r\nhello");
	first = prim_slice_copy(prim_buf_slice(&bridge.body));
	deliver(ALICE, "message/cpim",
	    NAMES "\r\nContent-Type: text/plain\r\n\r\nhello");
	expect(&bridge.body, first);
	expect(&bridge.message_id, ID);
	prim_free(first);
}

static unsigned subscribe(uint32_t duration_s)
{
	const struct bridge_subscription s = {
		.watcher = PRIM_SLICE("pres:alice@localhost"),
		.presentity = PRIM_SLICE("pres:a&b@echo.localhost"),
		.id = PRIM_SLICE("s1"),
		.duration_s = duration_s,
	};
	uint32_t granted_s = duration_s;

	return br_adapter_plugin.subscribe(echo_state, &s, &granted_s);
}

static void every_address_is_open(void **state)
{
	static struct prim_pidf seen;

	(void)state;
	assert_int_equal(subscribe(60), 200);
	assert_int_equal(bridge.notified, 1);
	assert_false(bridge.is_end);
	expect(&bridge.from, "pres:a&b@echo.localhost");
	expect(&bridge.to, "pres:alice@localhost");
	expect(&bridge.token, "s1");
	expect(&bridge.type, "application/pidf+xml");
	assert_true(prim_pidf_parse(&seen, prim_buf_slice(&bridge.body), NULL));
	assert_true(prim_slice_eq(seen.entity,
	    PRIM_SLICE("pres:a&b@echo.localhost")));
	assert_int_equal(seen.tuple_count, 1);
	assert_int_equal(seen.tuples[0].basic, PRIM_BASIC_OPEN);
	prim_pidf_fini(&seen);
}

static void a_single_look_is_over_with_its_answer(void **state)
{
	(void)state;
	assert_int_equal(subscribe(0), 200);
	assert_true(bridge.is_end);
	assert_true(bridge.body.len > 0);
	bridge.full = true;
	assert_int_equal(subscribe(0), 500);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_is_what_the_bridge_loads),
		TEST(a_text_comes_back_under_changed_names),
		TEST(the_outcome_becomes_the_report),
		TEST(without_room_it_is_tried_again),
		TEST(a_cpim_comes_back_as_a_new_one),
		TEST(what_must_not_come_back_counts_as_delivered),
		TEST(a_notice_of_the_bridge_is_taken_and_not_answered),
		TEST(a_second_try_makes_the_same_echo),
		TEST(every_address_is_open),
		TEST(a_single_look_is_over_with_its_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
