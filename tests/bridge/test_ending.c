/* SPDX-License-Identifier: ISC */
/* Ends of messages that nobody has in his hands, with a disk that does not read. */

#include "tests/lib/t.h"

#include <string.h>

#include "bridge/log.h"
#include "bridge/outbox.h"
#include "bridge/store_private.h"
#include "prim/base.h"
#include "tests/talk/world.h"

#define DAY_MS (24 * 3600000)
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

struct lines {
	unsigned ends; /* that tell which message expired */
};

static void take_line(void *arg, struct prim_slice line)
{
	struct lines *lines = arg;
	struct prim_buf b = { 0 };

	prim_buf_put(&b, line);
	prim_buf_putc(&b, '\0');
	if (strstr(b.ptr, "message end") && strstr(b.ptr, " id=m1") &&
	    strstr(b.ptr, "why=expired"))
		lines->ends++;
	prim_buf_fini(&b);
}

static struct lines lines;

static int set_up(void **state)
{
	static struct talk_world w;
	struct br_err err = { "" };

	memset(&lines, 0, sizeof(lines));
	memset(&w, 0, sizeof(w));
	br_log_set_sink(take_line, &lines);
	assert_true(talk_world_open(&w,
	    PRIM_SLICE("domains: [prim.example]\n"
		       "auth: { mechanisms: [PLAIN], allow_plaintext: true }\n"
		       "adapters: [{ name: far, plugin: far,"
		       " options: { domain: far.example } }]\n"),
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

static int interrupt(void *arg)
{
	(void)arg;
	return 1;
}

static void read_fails(struct talk_world *w, bool fails)
{
	sqlite3_progress_handler(w->server->store->read[BR_STORE_QUEUE].sql, 1,
	    fails ? interrupt : NULL, NULL);
}

/* For an adapter that is not there, which is its message for a day. */
static void leave_one_waiting(struct talk_world *w)
{
	struct talk_conn *alice = &w->conns[1];

	talk_conn_open(w, alice, "192.0.2.1");
	talk_conn_say(w, alice, PRIM_SLICE(LOGIN));
	talk_conn_say(w, alice, PRIM_SLICE(SEND));
	assert_int_equal(br_outbox_rows(w->server->outbox), 1);
}

static void on_read(void *arg, const struct br_store_message *m, bool failed)
{
	assert_false(failed);
	*(bool *)arg = m != NULL;
}

static bool is_stored(struct talk_world *w)
{
	bool there = false;

	br_store_message_get(w->server->store, 1, on_read, &there);
	talk_world_turn(w);
	return there;
}

static void an_end_is_told_when_it_can_be_read(void **state)
{
	struct talk_world *w = *state;

	leave_one_waiting(w);
	read_fails(w, true);
	talk_world_advance(w, DAY_MS + 1000);
	assert_int_equal(lines.ends, 0);
	read_fails(w, false);
	talk_world_advance(w, 6000);
	assert_int_equal(lines.ends, 1);
	assert_false(is_stored(w));
}

/* Its sender is told, even if nobody can say in the log which message it was. */
static void an_end_that_can_never_be_read_is_written(void **state)
{
	struct talk_world *w = *state;

	leave_one_waiting(w);
	read_fails(w, true);
	talk_world_advance(w, DAY_MS + 60000);
	read_fails(w, false);
	assert_false(is_stored(w));
	assert_int_equal(lines.ends, 0);
	assert_int_equal(br_outbox_rows(w->server->outbox), 1); /* notice */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_end_is_told_when_it_can_be_read),
		TEST(an_end_that_can_never_be_read_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
