/* SPDX-License-Identifier: ISC */
/* What must be durable before anybody hears of it, with a store that is slow. */

#include "tests/lib/t.h"

#include <event2/event.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bridge/log.h"
#include "bridge/outbox.h"
#include "bridge/store_private.h"
#include "prim/base.h"
#include "tests/talk/adapter.h"
#include "tests/talk/world.h"

#define FOLLOWING 60 /* messages */
#define LOGIN                             \
	"LOGIN PRIM-IM/1.0 login 32\r\n"  \
	"From: im:alice@prim.example\r\n" \
	"Auth-State: init\r\n"            \
	"SASL-Mech: PLAIN\r\n\r\n"        \
	"alice@prim.example\r\nalice secret"
#define SEND                                       \
	"SEND PRIM-IM/1.0 m1 5\r\n"                \
	"From: im:alice@prim.example\r\n"          \
	"To: im:dan@far.example\r\n"               \
	"Message-ID: m1:im:alice@prim.example\r\n" \
	"Conversation-ID: talk\r\n"                \
	"Content-Type: text/plain\r\n\r\nhello"
#define BEGIN                         \
	"PRIM/1.0 1 0 200 OK\r\n\r\n" \
	"READY PRIM/1.0 - 0\r\n\r\n"  \
	"WINDOW PRIM/1.0 - 0\r\nWindow: 9\r\n\r\n"

static void hush(void *arg, struct prim_slice line)
{
	(void)arg;
	(void)line;
}

static int set_up(void **state)
{
	static struct talk_world w;
	struct br_err err = { "" };

	br_log_set_sink(hush, NULL);
	memset(&w, 0, sizeof(w));
	assert_true(talk_world_open(&w,
	    PRIM_SLICE("domains: [prim.example]\n"
		       "auth: { mechanisms: [PLAIN], allow_plaintext: true }\n"
		       "adapters: [{ name: far, plugin: far,"
		       " options: { domain: far.example } },"
		       " { name: off, plugin: off,"
		       " options: { domain: off.example } }]\n"),
	    &err));
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	talk_world_close(*state);
	br_log_set_sink(NULL, NULL);
	return 0;
}

/* Takes what came; was `text` in it? */
static bool hears(struct talk_conn *c, const char *text)
{
	struct prim_buf b = { 0 };
	bool is_there;

	prim_buf_put(&b, talk_conn_unread(c));
	prim_buf_putc(&b, '\0');
	is_there = strstr(b.ptr, text) != NULL;
	c->taken = c->in.len;
	prim_buf_fini(&b);
	return is_there;
}

static struct talk_conn *log_in(struct talk_world *w)
{
	struct talk_conn *c = &w->conns[1];

	talk_conn_open(w, c, "192.0.2.1");
	talk_conn_say(w, c, PRIM_SLICE(LOGIN));
	assert_true(hears(c, "200 OK"));
	return c;
}

static void nothing_is_answered_before_it_is_stored(void **state)
{
	struct talk_world *w = *state;
	struct talk_conn *alice = log_in(w);

	talk_conn_put(alice, PRIM_SLICE(SEND));
	for (unsigned i = 0; i < 50; i++)
		talk_world_nudge(w);
	assert_true(br_store_pending(w->server->store) > 0);
	assert_int_equal(talk_conn_unread(alice).len, 0);
	talk_world_turn(w);
	assert_true(hears(alice, "m1 0 101"));
}

/* Turns until what was looked up is there, but nothing that was written is. */
static void turn_the_reader(struct talk_world *w)
{
	struct br_store *store = w->server->store;
	time_t until = time(NULL) + 10;

	event_del(store->written.bell);
	while (br_store_pending(store) > 1 && time(NULL) < until) {
		event_base_loop(w->base, EVLOOP_NONBLOCK);
		br_server_turn(w->server);
		usleep(1000);
	}
	assert_int_equal(br_store_pending(store), 1);
	event_add(store->written.bell, NULL);
	(void)talk_adapter_fill(&w->conns[TALK_CONNS]);
}

static void nothing_is_handed_over_before_its_attempt_is_noted(void **state)
{
	struct talk_world *w = *state;
	struct talk_conn *far = &w->conns[TALK_CONNS];
	struct talk_conn *alice = log_in(w);

	talk_conn_say(w, alice, PRIM_SLICE(SEND));
	assert_true(hears(alice, "m1 0 101"));
	assert_true(talk_adapter_open(w, far, PRIM_SLICE("far")));
	assert_true(hears(far, "CONFIG"));
	talk_conn_put(far, PRIM_SLICE(BEGIN));
	turn_the_reader(w);
	assert_int_equal(talk_conn_unread(far).len, 0);
	talk_world_turn(w);
	assert_true(hears(far, "\r\nAttempt: 1\r\n"));
}

/* ---- what was noted a moment ago ---- */

static void send_to_bob(struct talk_world *w, struct talk_conn *c,
    unsigned number)
{
	struct prim_buf b = { 0 };

	prim_buf_putf(&b,
	    "SEND PRIM-IM/1.0 m%u 5\r\n"
	    "From: im:alice@prim.example\r\n"
	    "To: im:bob@prim.example\r\n"
	    "Message-ID: m%u:im:alice@prim.example\r\n"
	    "Conversation-ID: talk%u\r\n"
	    "Content-Type: text/plain\r\n\r\nhello",
	    number, number, number);
	talk_conn_say(w, c, prim_buf_slice(&b));
	prim_buf_fini(&b);
}

/* Refuses for good the next that the adapter got. False: there is none. */
static bool refuse_one(struct talk_world *w, struct talk_conn *c)
{
	static struct prim_command cmd; /* large */
	struct prim_buf b = { 0 };
	size_t scanned = 0;

	(void)talk_adapter_fill(c);
	if (prim_command_head(talk_conn_unread(c), &scanned, &cmd) !=
	    PRIM_COMMAND_HEAD)
		return false;
	c->taken += cmd.head.len + (size_t)cmd.body_len;
	assert_int_equal(cmd.method, PRIM_METHOD_SEND);
	prim_buf_putf(&b, "PRIM/1.0 %.*s 0 403 No\r\n\r\n",
	    PRIM_SLICE_ARG(cmd.id));
	talk_conn_say(w, c, prim_buf_slice(&b));
	prim_buf_fini(&b);
	return true;
}

static void begin(struct talk_world *w, struct talk_conn *c, const char *name)
{
	assert_true(talk_adapter_open(w, c, prim_slice_of(name)));
	assert_true(hears(c, "CONFIG"));
	talk_conn_say(w, c, PRIM_SLICE(BEGIN));
}

/* A message is read again while it is still being written where it was refused;
 * who is first differs from time to time. */
static void whoever_refused_it_is_not_asked_again(void **state)
{
	struct talk_world *w = *state;
	struct talk_conn *far = &w->conns[TALK_CONNS];
	struct talk_conn *off = &w->conns[TALK_CONNS + 1];
	struct talk_conn *alice = log_in(w);
	unsigned by_far = 0, by_off = 0;

	assert_true(talk_world_link(w, PRIM_SLICE("bob"),
	    PRIM_SLICE("rob@far.example")));
	assert_true(talk_world_link(w, PRIM_SLICE("bob"),
	    PRIM_SLICE("rob@off.example")));
	for (unsigned i = 0; i < FOLLOWING; i++)
		send_to_bob(w, alice, i);
	begin(w, far, "far");
	begin(w, off, "off");
	for (unsigned i = 0; i < 4 * FOLLOWING; i++) {
		by_far += refuse_one(w, far);
		by_off += refuse_one(w, off);
	}
	assert_int_equal(by_far, FOLLOWING);
	assert_int_equal(by_off, FOLLOWING);
}

/* ---- the operator is late ---- */

static void on_ordered(void *arg, const char *why)
{
	*(bool *)arg = why != NULL;
}

static void what_has_ended_cannot_be_dropped(void **state)
{
	struct talk_world *w = *state;
	struct br_outbox *o = w->server->outbox;
	struct talk_conn *alice = log_in(w);
	bool is_refused = false;

	talk_conn_say(w, alice, PRIM_SLICE(SEND));
	assert_true(hears(alice, "m1 0 101"));
	br_row_end(o, br_outbox_find(o, 1), PRIM_OK, PRIM_SLICE("delivered"));
	br_outbox_order(o, 1, BR_OUTBOX_DROP, on_ordered, &is_refused);
	assert_true(is_refused);
	talk_world_turn(w);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_answered_before_it_is_stored),
		TEST(nothing_is_handed_over_before_its_attempt_is_noted),
		TEST(whoever_refused_it_is_not_asked_again),
		TEST(what_has_ended_cannot_be_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
