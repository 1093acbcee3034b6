/* SPDX-License-Identifier: ISC */
/* What must be durable before anybody hears of it, and what is heard in odd
 * moments, with a store that is slow, or fails. */

#include "tests/lib/t.h"

#include <event2/event.h>
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bridge/log.h"
#include "bridge/metric.h"
#include "bridge/outbox_private.h"
#include "bridge/store_private.h"
#include "prim/base.h"
#include "tests/lib/slice.h"
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
	    PRIM_SLICE("domains: [prim.example, other.example]\n"
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

/* What Alice sends to `whom`, the `number`-th of all; nothing is turned. */
static void put_message(struct talk_conn *c, const char *whom, unsigned number)
{
	struct prim_buf b = { 0 };

	prim_buf_putf(&b,
	    "SEND PRIM-IM/1.0 m%u 5\r\n"
	    "From: im:alice@prim.example\r\n"
	    "To: im:%s\r\n"
	    "Message-ID: m%u:im:alice@prim.example\r\n"
	    "Conversation-ID: talk%u\r\n"
	    "Content-Type: text/plain\r\n\r\nhello",
	    number, whom, number, number);
	talk_conn_put(c, prim_buf_slice(&b));
	prim_buf_fini(&b);
}

static void send_to_bob(struct talk_world *w, struct talk_conn *c,
    unsigned number)
{
	put_message(c, "bob@prim.example", number);
	talk_world_turn(w);
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

/* ---- what an adapter says of what was taken from it ---- */

#define WINDOW(n) "WINDOW PRIM/1.0 - 0\r\nWindow: " #n "\r\n\r\n"

/* The adapter gets alice's message; what it would report of it. */
static void hand_over(struct talk_world *w, struct prim_buf *report)
{
	static const char NAME[] = "Delivery-ID: ";
	struct talk_conn *far = &w->conns[TALK_CONNS];
	struct talk_conn *alice = log_in(w);
	struct prim_slice heard;

	begin(w, far, "far");
	talk_conn_say(w, alice, PRIM_SLICE(SEND));
	heard = talk_conn_unread(far);
	while (heard.len > 0 && !prim_slice_starts(heard, prim_slice_of(NAME)))
		heard = prim_slice_from(heard, 1);
	assert_true(heard.len > 0);
	prim_buf_puts(report, "REPORT PRIM/1.0 - 0\r\n");
	prim_buf_put(report, prim_slice_cut(&heard, '\n'));
	prim_buf_puts(report, "\nCode: 200\r\n\r\n");
	far->taken = far->in.len;
}

static void what_is_reported_while_it_is_stored_is_its_end(void **state)
{
	struct talk_world *w = *state;
	struct talk_conn *far = &w->conns[TALK_CONNS];
	struct prim_buf report = { 0 };

	hand_over(w, &report);
	talk_conn_put(far, PRIM_SLICE(WINDOW(0)));
	assert_int_equal(br_store_pending(w->server->store), 1);
	talk_conn_put(far, prim_buf_slice(&report));
	talk_world_turn(w);
	assert_true(hears(&w->conns[1], "m1 0 101"));
	assert_int_equal(br_outbox_rows(w->server->outbox), 0);
	prim_buf_fini(&report);
}

static void what_is_reported_while_it_is_read_is_its_end(void **state)
{
	struct talk_world *w = *state;
	struct talk_conn *far = &w->conns[TALK_CONNS];
	struct prim_buf report = { 0 };

	hand_over(w, &report);
	talk_conn_say(w, far, PRIM_SLICE(WINDOW(0)));
	assert_int_equal(br_outbox_rows(w->server->outbox), 1);
	talk_conn_put(far, PRIM_SLICE(WINDOW(9)));
	talk_world_nudge(w);
	assert_true(br_store_pending(w->server->store) > 0);
	talk_conn_put(far, prim_buf_slice(&report));
	talk_world_turn(w);
	assert_false(hears(far, "SEND"));
	assert_int_equal(br_outbox_rows(w->server->outbox), 0);
	prim_buf_fini(&report);
}

/* ---- many on their way to the store ---- */

static int pass(void *gate)
{
	(void)pthread_mutex_lock(gate);
	(void)pthread_mutex_unlock(gate);
	return 0;
}

static void expect_postmaster(void *arg, const struct br_store_message *m,
    bool failed)
{
	assert_false(failed);
	assert_non_null(m);
	t_slice_is(arg, m->notice_from, arg);
}

static void each_message_has_the_postmaster_of_its_domain(void **state)
{
	static const char *const WHOM[] = { "dave@other.example",
		"bob@prim.example", "dave@other.example", "bob@prim.example" };
	static char postmasters[][32] = { "im:postmaster@other.example",
		"im:postmaster@prim.example" };
	pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
	struct talk_world *w = *state;
	struct br_store *store = w->server->store;
	struct talk_conn *alice = log_in(w);

	assert_true(talk_world_account(w, prim_slice_of(WHOM[0]),
	    PRIM_SLICE_NONE));
	/* Once, so that their inboxes are known from then on. */
	for (unsigned i = 0; i < 2; i++) {
		put_message(alice, WHOM[i], i);
		talk_world_turn(w);
	}
	sqlite3_progress_handler(store->write[BR_STORE_QUEUE].sql, 1, pass,
	    &gate);
	(void)pthread_mutex_lock(&gate);
	for (unsigned i = 2; i < 4; i++)
		put_message(alice, WHOM[i], i);
	while (br_store_pending(store) < 2)
		talk_world_nudge(w);
	(void)pthread_mutex_unlock(&gate);
	br_store_settle(store);
	for (unsigned i = 0; i < 4; i++)
		br_store_message_get(store, i + 1, expect_postmaster,
		    postmasters[i % 2]);
	br_store_settle(store);
	sqlite3_progress_handler(store->write[BR_STORE_QUEUE].sql, 0, NULL,
	    NULL);
}

/* ---- a store that fails ---- */

static int interrupt(void *arg)
{
	(void)arg;
	return 1;
}

static void break_store(struct talk_world *w, bool is_broken)
{
	sqlite3_progress_handler(w->server->store->write[BR_STORE_QUEUE].sql, 1,
	    is_broken ? interrupt : NULL, NULL);
}

struct state {
	bool is_there, is_quarantined;
};

static void on_read(void *arg, const struct br_store_message *m, bool failed)
{
	struct state *found = arg;

	assert_false(failed);
	found->is_there = m != NULL;
	found->is_quarantined = m && m->is_quarantined;
}

static void what_the_operator_ends_has_its_end_when_it_can(void **state)
{
	static const enum br_outbox_verb VERBS[] = { BR_OUTBOX_DROP,
		BR_OUTBOX_QUARANTINE };
	struct talk_world *w = *state;
	struct br_store *store = w->server->store;
	struct talk_conn *alice = log_in(w);
	struct state found;
	bool is_refused;
	int64_t seq;

	for (unsigned i = 0; i < PRIM_COUNT(VERBS); i++) {
		send_to_bob(w, alice, i);
		seq = TAILQ_LAST(&w->server->outbox->rows, br_rows)->seq;
		break_store(w, true);
		br_outbox_order(w->server->outbox, seq, VERBS[i], on_ordered,
		    &is_refused);
		br_store_settle(store);
		assert_true(is_refused);
		break_store(w, false);
		talk_world_advance(w, 6000);
		br_store_message_get(store, seq, on_read, &found);
		br_store_settle(store);
		assert_int_equal(found.is_there,
		    VERBS[i] == BR_OUTBOX_QUARANTINE);
		assert_int_equal(found.is_there, found.is_quarantined);
	}
}

/* ---- an account that goes ---- */

static void expect_no_damage(void *arg, struct prim_slice line)
{
	(void)arg;
	for (; line.len > 0; line = prim_slice_from(line, 1))
		assert_false(prim_slice_starts(line, PRIM_SLICE("damaged")));
}

static void what_is_gone_is_not_put_aside(void **state)
{
	struct talk_world *w = *state;
	struct br_store *store = w->server->store;
	const struct br_store_end end = { .code = PRIM_NOT_FOUND };
	int64_t before = br_metric_get(BR_METRIC_OUTBOX_QUARANTINED);
	struct talk_conn *alice = log_in(w);

	talk_conn_say(w, alice, PRIM_SLICE(SEND));
	assert_true(hears(alice, "m1 0 101"));
	br_store_message_end(store, 1, &end, NULL, NULL);
	br_store_settle(store);
	br_log_set_sink(expect_no_damage, NULL);
	begin(w, &w->conns[TALK_CONNS], "far");
	assert_null(br_outbox_find(w->server->outbox, 1));
	assert_int_equal(br_metric_get(BR_METRIC_OUTBOX_QUARANTINED), before);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_answered_before_it_is_stored),
		TEST(nothing_is_handed_over_before_its_attempt_is_noted),
		TEST(whoever_refused_it_is_not_asked_again),
		TEST(what_has_ended_cannot_be_dropped),
		TEST(each_message_has_the_postmaster_of_its_domain),
		TEST(what_is_reported_while_it_is_stored_is_its_end),
		TEST(what_is_reported_while_it_is_read_is_its_end),
		TEST(what_the_operator_ends_has_its_end_when_it_can),
		TEST(what_is_gone_is_not_put_aside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
