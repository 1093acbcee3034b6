/* SPDX-License-Identifier: ISC */
/* A link's life, with a clock turned by hand and no sockets. */

#include "tests/lib/t.h"

#include <string.h>

#include "adapters/xmpp/link.h"
#include "adapters/xmpp/stanza.h"
#include "prim/base.h"
#include "tests/adapters/xmpp/fake_bridge.h"

#define HEADER                                             \
	"<?xml version='1.0'?><stream:stream "             \
	"xmlns:stream='http://etherx.jabber.org/streams' " \
	"xmlns='jabber:component:accept' id='3BF96D32'>"
#define STREAM_ERROR(condition)     \
	"<stream:error><" condition \
	" xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"

struct world {
	struct bridge bridge;
	xmpp_ctx_t *xmpp;
	struct xa_link link;
	struct prim_buf wrote;
	struct prim_buf told; /* connect, disconnect, up, down, ... */
	uint64_t random;
	uint64_t mark;
	int64_t now_ms;
	bool hold; /* at the next stanza */
};

static void on_connect(void *ctx)
{
	struct world *w = ctx;

	prim_buf_puts(&w->told, "connect ");
}

static void on_disconnect(void *ctx)
{
	struct world *w = ctx;

	prim_buf_puts(&w->told, "disconnect ");
}

static void on_write(void *ctx, struct prim_slice octets)
{
	struct world *w = ctx;

	prim_buf_put(&w->wrote, octets);
}

static void on_hold(void *ctx)
{
	struct world *w = ctx;

	prim_buf_puts(&w->told, "hold ");
}

static void on_go(void *ctx)
{
	struct world *w = ctx;

	prim_buf_puts(&w->told, "go ");
}

static void on_up(void *ctx)
{
	struct world *w = ctx;

	prim_buf_puts(&w->told, "up ");
}

static void on_down(void *ctx)
{
	struct world *w = ctx;

	prim_buf_puts(&w->told, "down ");
}

static void on_stanza(void *ctx, xmpp_stanza_t *stanza)
{
	struct world *w = ctx;

	prim_buf_putf(&w->told, "%s ", xmpp_stanza_get_name(stanza));
	if (w->hold)
		xa_link_hold(&w->link);
}

static void on_refused(void *ctx, xmpp_stanza_t *head)
{
	(void)head;
	prim_buf_puts(&((struct world *)ctx)->told, "refused ");
}

static void on_passed(void *ctx, uint64_t mark)
{
	struct world *w = ctx;

	w->mark = mark;
}

static uint64_t on_random(void *ctx)
{
	struct world *w = ctx;

	return w->random;
}

static void on_log(void *ctx, enum bridge_level level, const char *text)
{
	struct world *w = ctx;

	bridge_log(&w->bridge, level, "%s", text);
}

static const struct xa_link_ops OPS = {
	.connect = on_connect,
	.disconnect = on_disconnect,
	.write = on_write,
	.hold = on_hold,
	.go = on_go,
	.up = on_up,
	.down = on_down,
	.stanza = on_stanza,
	.refused = on_refused,
	.passed = on_passed,
	.random = on_random,
	.log = on_log,
};

static int setup(void **state)
{
	struct world *w = prim_new(struct world);

	w->xmpp = xa_stanza_context();
	w->random = UINT64_MAX / 2;
	w->now_ms = 1000000;
	xa_link_init(&w->link, &OPS, w, w->xmpp);
	w->link.host = PRIM_SLICE("prim.example");
	w->link.secret = PRIM_SLICE("test");
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	xa_link_fini(&w->link);
	xmpp_ctx_free(w->xmpp);
	prim_buf_fini(&w->wrote);
	prim_buf_fini(&w->told);
	fake_fini(&w->bridge);
	prim_free(w);
	return 0;
}

static void feed(struct world *w, const char *xml)
{
	xa_link_feed(&w->link, prim_slice_of(xml), w->now_ms);
}

static void turn(struct world *w, int64_t ms)
{
	w->now_ms += ms;
	if (xa_link_deadline(&w->link) <= w->now_ms)
		xa_link_tick(&w->link, w->now_ms);
}

/* What was told since the last time. */
static void assert_told(struct world *w, const char *want)
{
	assert_string_equal(fake_text(&w->told), want);
	prim_buf_reset(&w->told);
}

static void assert_wrote(struct world *w, const char *want)
{
	assert_string_equal(fake_text(&w->wrote), want);
	prim_buf_reset(&w->wrote);
}

static void bring_up(struct world *w)
{
	xa_link_start(&w->link, w->now_ms);
	xa_link_connected(&w->link, w->now_ms);
	feed(w, HEADER "<handshake/>");
	assert_true(xa_link_is_up(&w->link));
	prim_buf_reset(&w->told);
	prim_buf_reset(&w->wrote);
	prim_buf_reset(&w->bridge.log);
}

static void a_component_proves_that_it_knows_the_secret(void **state)
{
	struct world *w = *state;

	xa_link_start(&w->link, w->now_ms);
	assert_told(w, "connect ");
	xa_link_connected(&w->link, w->now_ms);
	assert_wrote(w,
	    "<?xml version='1.0'?><stream:stream "
	    "xmlns='jabber:component:accept' "
	    "xmlns:stream='http://etherx.jabber.org/streams' "
	    "to='prim.example'>");
	feed(w, HEADER);
	/* XEP-0114 prints this digest. */
	assert_wrote(w,
	    "<handshake>aaee83c26aeeafcbabeabfcbcd50df997e0a2a1e</handshake>");
	assert_false(xa_link_is_up(&w->link));
	feed(w, "<handshake/>");
	assert_true(xa_link_is_up(&w->link));
	assert_told(w, "up ");
}

static const struct {
	const char *xml;
	const char *log;
} DIAGNOSES[] = {
	{STREAM_ERROR("not-authorized"),   "refuses our secret"},
	{ STREAM_ERROR("not-authorized"),  "(ejabberd"         },
	{ STREAM_ERROR("host-unknown"),    "no such component" },
	{ STREAM_ERROR("conflict"),        "kick_old"          },
	{ STREAM_ERROR("conflict"),        "the server itself" },
	{ STREAM_ERROR("system-shutdown"), "system-shutdown"   },
	{ "</stream:stream>",              "closed the stream" },
	{ "<message",		      NULL                },
	{ "<!DOCTYPE x>",                  "reason="           },
};

static void each_way_of_being_refused_has_its_line(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(DIAGNOSES); i++) {
		w->random = 0;
		xa_link_start(&w->link, w->now_ms);
		while (strcmp(xa_link_state_name(&w->link), "connecting") != 0)
			turn(w, XA_LINK_WAIT_MAX);
		xa_link_connected(&w->link, w->now_ms);
		prim_buf_reset(&w->bridge.log);
		prim_buf_reset(&w->told);
		feed(w, HEADER);
		feed(w, DIAGNOSES[i].xml);
		if (!DIAGNOSES[i].log) {
			turn(w, XA_LINK_SETUP_MS);
			assert_told(w, "disconnect ");
			continue;
		}
		assert_told(w, "disconnect ");
		assert_string_equal(xa_link_state_name(&w->link), "waiting");
		if (!strstr(fake_text(&w->bridge.log), DIAGNOSES[i].log))
			fail_msg("%s: %s", DIAGNOSES[i].log, w->bridge.log.ptr);
	}
}

static void a_server_that_never_answers_is_given_up(void **state)
{
	struct world *w = *state;

	xa_link_start(&w->link, w->now_ms);
	turn(w, XA_LINK_SETUP_MS - 1);
	assert_told(w, "connect ");
	turn(w, 1);
	assert_told(w, "disconnect ");
	turn(w, XA_LINK_WAIT_MS);
	assert_told(w, "connect ");
	xa_link_connected(&w->link, w->now_ms);
	turn(w, XA_LINK_SETUP_MS);
	assert_told(w, "disconnect ");
}

static int64_t wait_after_failure(struct world *w)
{
	xa_link_lost(&w->link, "refused", w->now_ms);
	assert_told(w, "disconnect ");
	return xa_link_deadline(&w->link) - w->now_ms;
}

/* The least and the most that a wait may be by now. */
static void assert_wait(struct world *w, int64_t least, int64_t most)
{
	struct xa_link before = w->link;

	w->random = 0;
	assert_int_equal(wait_after_failure(w), least);
	w->link = before;
	w->random = (uint64_t)(most - least);
	assert_int_equal(wait_after_failure(w), most);
	turn(w, most);
	assert_told(w, "connect ");
}

static void waits_double_and_stay_short_for_a_minute(void **state)
{
	static const int64_t most[] = { 1000, 2000, 4000, 4000, 4000 };
	struct world *w = *state;
	int64_t began;

	xa_link_start(&w->link, w->now_ms);
	assert_told(w, "connect ");
	began = w->now_ms;
	for (size_t i = 0; i < PRIM_COUNT(most); i++)
		assert_wait(w, most[i] / 2, most[i]);
	while (w->now_ms - began < XA_LINK_EAGER_MS)
		assert_wait(w, 2000, 4000);
	assert_wait(w, 30000, 60000);
	assert_wait(w, 30000, 60000);
}

static void a_steady_link_begins_its_waits_anew(void **state)
{
	struct world *w = *state;

	w->random = 500;
	bring_up(w);
	w->link.failures = 6;
	turn(w, XA_LINK_STEADY_MS - 1);
	xa_link_lost(&w->link, "gone", w->now_ms);
	assert_int_equal(w->link.failures, 6);
	assert_told(w, "disconnect down ");
	turn(w, 60000);
	xa_link_connected(&w->link, w->now_ms);
	feed(w, HEADER "<handshake/>");
	turn(w, XA_LINK_STEADY_MS);
	/* The first wait is short, not only the second. */
	w->random = XA_LINK_WAIT_MS / 2 + 1;
	xa_link_lost(&w->link, "gone", w->now_ms);
	assert_int_equal(xa_link_deadline(&w->link),
	    w->now_ms + XA_LINK_WAIT_MS / 2);
	assert_int_equal(w->link.failures, 1);
}

static char *ping_id(struct world *w)
{
	char *begin = strstr(fake_text(&w->wrote), "id='");
	char *end, *id;

	assert_non_null(begin);
	begin += 4;
	end = strchr(begin, '\'');
	id = prim_copy(begin, (size_t)(end - begin));
	prim_buf_reset(&w->wrote);
	return id;
}

static void answer(struct world *w, const char *form, const char *id)
{
	struct prim_buf b = { 0 };

	prim_buf_putf(&b,
	    "<iq type='%s' id='%s' from='prim.example' "
	    "to='prim.example'/>",
	    form, id);
	feed(w, fake_text(&b));
	prim_buf_fini(&b);
}

static void a_silent_server_is_pinged_and_given_up(void **state)
{
	struct world *w = *state;
	char *id;

	bring_up(w);
	turn(w, XA_LINK_PING_MS - 1);
	assert_wrote(w, "");
	turn(w, 1);
	id = ping_id(w);
	turn(w, XA_LINK_ANSWER_MS - 1);
	answer(w, "get", id);
	prim_free(id);
	turn(w, XA_LINK_PING_MS - XA_LINK_ANSWER_MS + 1);
	id = ping_id(w);
	turn(w, XA_LINK_ANSWER_MS - 1);
	assert_told(w, "");
	turn(w, 1);
	assert_told(w, "disconnect down ");
	prim_free(id);
}

static void any_answer_to_a_ping_counts_but_only_ours(void **state)
{
	static const char *const forms[] = { "get", "result", "error" };
	struct world *w = *state;
	struct prim_buf b = { 0 };
	char *id;

	bring_up(w);
	for (size_t i = 0; i < PRIM_COUNT(forms); i++) {
		w->mark = 0;
		assert_true(xa_link_ping(&w->link, i + 1, w->now_ms));
		id = ping_id(w);
		prim_buf_putf(&b,
		    "<iq type='result' id='%s' from='evil@jabber.example/x' "
		    "to='prim.example'/>",
		    id);
		feed(w, fake_text(&b));
		prim_buf_reset(&b);
		assert_int_equal(w->mark, 0);
		assert_told(w, "iq ");
		answer(w, forms[i], id);
		assert_int_equal(w->mark, i + 1);
		assert_told(w, "");
		prim_free(id);
	}
	prim_buf_fini(&b);
}

static void sixteen_pings_are_enough(void **state)
{
	struct world *w = *state;

	bring_up(w);
	for (uint64_t i = 1; i <= XA_PINGS_MAX; i++)
		assert_true(xa_link_ping(&w->link, i, w->now_ms));
	assert_false(xa_link_ping(&w->link, 99, w->now_ms));
}

static void a_link_that_holds_hears_nothing_and_misses_nothing(void **state)
{
	struct world *w = *state;

	bring_up(w);
	assert_true(xa_link_ping(&w->link, 1, w->now_ms));
	w->hold = true;
	feed(w, "<message/><presence/><iq/>");
	assert_told(w, "message hold ");
	turn(w, 120000);
	assert_told(w, "");
	xa_link_go(&w->link, w->now_ms);
	assert_told(w, "presence hold ");
	w->hold = false;
	xa_link_go(&w->link, w->now_ms);
	assert_told(w, "iq go ");
	/* The ping has its full time again. */
	turn(w, XA_LINK_ANSWER_MS - 1);
	assert_told(w, "");
	turn(w, 1);
	assert_told(w, "disconnect down ");
}

static void a_stream_error_ends_the_link_at_once(void **state)
{
	struct world *w = *state;

	bring_up(w);
	feed(w, "<message/>" STREAM_ERROR("conflict") "<message/>");
	assert_told(w, "message disconnect down ");
	assert_non_null(strstr(fake_text(&w->bridge.log), "kick_old"));
}

static void an_over_long_stanza_costs_only_itself(void **state)
{
	struct world *w = *state;

	bring_up(w);
	feed(w, "<message>");
	for (int i = 0; i < 2000; i++)
		feed(w, "<x/>");
	feed(w, "</message><presence/>");
	assert_told(w, "refused presence ");
	assert_true(xa_link_is_up(&w->link));
}

static void stopping_says_goodbye(void **state)
{
	struct world *w = *state;

	bring_up(w);
	xa_link_stop(&w->link);
	assert_wrote(w, "</stream:stream>");
	assert_told(w, "disconnect down ");
	xa_link_stop(&w->link);
	assert_told(w, "");
	assert_true(xa_link_deadline(&w->link) == INT64_MAX);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_component_proves_that_it_knows_the_secret),
		TEST(each_way_of_being_refused_has_its_line),
		TEST(a_server_that_never_answers_is_given_up),
		TEST(waits_double_and_stay_short_for_a_minute),
		TEST(a_steady_link_begins_its_waits_anew),
		TEST(a_silent_server_is_pinged_and_given_up),
		TEST(any_answer_to_a_ping_counts_but_only_ours),
		TEST(sixteen_pings_are_enough),
		TEST(a_link_that_holds_hears_nothing_and_misses_nothing),
		TEST(a_stream_error_ends_the_link_at_once),
		TEST(an_over_long_stanza_costs_only_itself),
		TEST(stopping_says_goodbye),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
