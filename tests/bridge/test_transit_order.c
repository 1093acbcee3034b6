/* SPDX-License-Identifier: ISC */
/* In which order an adapter gets messages, and says what became of them, with a
 * store that is slow, or fails. */

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

#define WAIT_S 10

#define LOGIN                             \
	"LOGIN PRIM-IM/1.0 login 32\r\n"  \
	"From: im:alice@prim.example\r\n" \
	"Auth-State: init\r\n"            \
	"SASL-Mech: PLAIN\r\n\r\n"        \
	"alice@prim.example\r\nalice secret"
#define SEND(id)                                       \
	"SEND PRIM-IM/1.0 " id " 5\r\n"                \
	"From: im:alice@prim.example\r\n"              \
	"To: im:dan@far.example\r\n"                   \
	"Message-ID: " id ":im:alice@prim.example\r\n" \
	"Conversation-ID: talk\r\n"                    \
	"Content-Type: text/plain\r\n\r\nhello"
#define WINDOW(n) "WINDOW PRIM/1.0 - 0\r\nWindow: " n "\r\n\r\n"
#define BEGIN     "PRIM/1.0 1 0 200 OK\r\n\r\nREADY PRIM/1.0 - 0\r\n\r\n"

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

/* Where `text` is in what came, or the empty slice. */
static struct prim_slice seek(const struct talk_conn *c, const char *text)
{
	struct prim_slice heard = talk_conn_unread(c);

	while (heard.len > 0 && !prim_slice_starts(heard, prim_slice_of(text)))
		heard = prim_slice_from(heard, 1);
	return heard;
}

/* What the adapter would report of what it heard. */
static void note_report(const struct talk_conn *far, struct prim_buf *out,
    unsigned code)
{
	struct prim_slice line = seek(far, "Delivery-ID: ");

	assert_true(line.len > 0);
	prim_buf_puts(out, "REPORT PRIM/1.0 - 0\r\n");
	prim_buf_put(out, prim_slice_cut(&line, '\n'));
	prim_buf_putf(out, "\nCode: %u\r\n\r\n", code);
}

static void report(struct talk_conn *far, unsigned code)
{
	struct prim_buf b = { 0 };

	note_report(far, &b, code);
	talk_conn_put(far, prim_buf_slice(&b));
	prim_buf_fini(&b);
}

/* The adapter has m1. */
static void hand_over(struct talk_world *w)
{
	struct talk_conn *far = &w->conns[TALK_CONNS], *alice = &w->conns[1];

	talk_conn_open(w, alice, "192.0.2.1");
	talk_conn_say(w, alice, PRIM_SLICE(LOGIN));
	talk_conn_say(w, alice, PRIM_SLICE(SEND("m1")));
	assert_true(talk_adapter_open(w, far, PRIM_SLICE("far")));
	talk_conn_say(w, far, PRIM_SLICE(BEGIN WINDOW("9")));
	assert_true(seek(far, "Message-ID: m1").len > 0);
}

/* Turns until message `seq` is stored; nothing that is read is there. */
static void turn_the_writer(struct talk_world *w, int64_t seq)
{
	struct br_store *store = w->server->store;
	time_t until = time(NULL) + WAIT_S;

	event_del(store->looked.bell);
	while (!br_outbox_find(w->server->outbox, seq) && time(NULL) < until) {
		event_base_loop(w->base, EVLOOP_NONBLOCK);
		br_server_turn(w->server);
		usleep(1000);
	}
	event_add(store->looked.bell, NULL);
	assert_non_null(br_outbox_find(w->server->outbox, seq));
}

/* The second is being read when the first goes back, and its link is lost and
 * comes up again. */
static void who_is_read_early_does_not_overtake(void **state)
{
	struct talk_world *w = *state;
	struct talk_conn *far = &w->conns[TALK_CONNS], *alice = &w->conns[1];
	struct prim_buf b = { 0 };

	hand_over(w);
	talk_conn_put(alice, PRIM_SLICE(SEND("m2")));
	turn_the_writer(w, 2);
	note_report(far, &b, 503);
	far->taken = far->in.len;
	talk_conn_put(far, prim_buf_slice(&b));
	talk_conn_put(far, PRIM_SLICE(WINDOW("0") WINDOW("9")));
	talk_world_turn(w);
	assert_true(seek(far, "Message-ID: m1").len > 0);
	assert_true(seek(far, "Message-ID: m2").len > 0);
	assert_true(seek(far, "Message-ID: m1").len >
	    seek(far, "Message-ID: m2").len);
	prim_buf_fini(&b);
}

static void the_first_word_counts(void **state)
{
	struct talk_world *w = *state;
	struct talk_conn *far = &w->conns[TALK_CONNS];

	hand_over(w);
	talk_conn_say(w, far, PRIM_SLICE(WINDOW("0")));
	talk_conn_put(far, PRIM_SLICE(WINDOW("9")));
	talk_world_nudge(w);
	assert_true(br_store_pending(w->server->store) > 0);
	report(far, 200);
	report(far, 402);
	talk_world_turn(w);
	assert_int_equal(br_outbox_rows(w->server->outbox), 0);
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

/* Its end is tried again in five seconds; its bounce comes before. */
static void what_bounces_before_its_end_is_written_is_told(void **state)
{
	struct talk_world *w = *state;
	struct talk_conn *far = &w->conns[TALK_CONNS];

	hand_over(w);
	break_store(w, true);
	report(far, 101);
	talk_world_turn(w);
	break_store(w, false);
	report(far, 403);
	talk_world_turn(w);
	assert_int_equal(br_outbox_rows(w->server->outbox), 0);
	talk_world_advance(w, 12000);
	assert_int_equal(br_outbox_rows(w->server->outbox), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_is_read_early_does_not_overtake),
		TEST(the_first_word_counts),
		TEST(what_bounces_before_its_end_is_written_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
