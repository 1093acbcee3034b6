/* SPDX-License-Identifier: ISC */
/* What XMPP senders are told later, and what the core is told later. */

#include "tests/lib/t.h"

#include "adapters/xmpp/answer.h"
#include "adapters/xmpp/leg.h"
#include "adapters/xmpp/stanza.h"
#include "adapters/xmpp/token.h"
#include "prim/imdn.h"
#include "tests/adapters/xmpp/plugin_world.h"

#define OTHER "ffeeddccbbaa99887766554433221100"

/*
 * The words.
 */

static const struct {
	const char *name;
	struct prim_imdn notice;
	bool is_iq, wants_receipt;
	const char *want[4]; /* NULL first: nothing is said */
} WORDS[] = {
	{"it failed",
         { .status = PRIM_IMDN_FAILED,
		.code = 408,
		.reason = { "nobody <reads> it", 17 } },
         false,										true,
         { "type=\"error\"", "<service-unavailable ",
		"PRIM 408 Inbox Is Closed: nobody &lt;reads&gt; it" }										 },
	{ "nobody is there",               { .status = PRIM_IMDN_FAILED, .code = 403 }, false,
         false,										       { "type=\"cancel\"", "<item-not-found ",
		"PRIM 403 Resource Not Found</text>" }										 },
	{ "it may not",                    { .status = PRIM_IMDN_FAILED, .code = 402 }, false,
         true,											{ "<forbidden " }                               },
	{ "no time is left",               { .status = PRIM_IMDN_FAILED, .code = 504 }, false,
         true,											{ "<remote-server-timeout ", "type=\"wait\"" }  },
	{ "no code",		       { .status = PRIM_IMDN_FAILED },              false, true,
         { "<service-unavailable " }														  },
	{ "a code that is no failure",
         { .status = PRIM_IMDN_FAILED, .code = 200 },                                   false, true,
         { "<service-unavailable ", "PRIM 408 " }												     },
	{ "nothing is known",              { .status = PRIM_IMDN_ERROR, .code = 500 },  false,
         true,											{ "<internal-server-error " }                   },
	{ "a reason that XML cannot hold",
         { .status = PRIM_IMDN_FAILED,
		.code = 403,
		.reason = { "a\x01", 2 } },
         false,										true,  { "PRIM 403 Resource Not Found</text>" }        },
	{ "it was delivered",
         { .status = PRIM_IMDN_DELIVERED, .message_id = { "m7", 2 } },                  false,
         true,											{ "<received ", "id=\"r-m7\"", "type=\"chat\"" }},
	{ "nobody had asked",              { .status = PRIM_IMDN_DELIVERED },           false, false,
         { NULL }																     },
	{ "it is late",                    { .status = PRIM_IMDN_STORED },              false, true,  { NULL }                                        },
	{ "processed",                     { .status = PRIM_IMDN_PROCESSED },           false, true,
         { NULL }																     },
	{ "displayed",                     { .status = PRIM_IMDN_DISPLAYED },           false, true,
         { NULL }																     },
	{ "the report was refused",        { .status = PRIM_IMDN_FORBIDDEN },           false,
         true,											{ NULL }					},
	{ "a registration",                { .status = PRIM_IMDN_FAILED, .code = 403 }, true,
         false,										       { NULL }					},
};

static void check_words(xmpp_ctx_t *xmpp, size_t i)
{
	const struct xa_token t = {
		.kind = WORDS[i].is_iq ? XA_TOKEN_LINK : XA_TOKEN_MESSAGE,
		.wants_receipt = WORDS[i].wants_receipt,
		.is_chat = true,
		.id = PRIM_SLICE("a1"),
		.from = PRIM_SLICE("juliet@jabber.example/x"),
		.to = PRIM_SLICE("romeo@prim.example"),
	};
	xmpp_stanza_t *s = xa_answer_notice(xmpp, &t, &WORDS[i].notice);
	struct prim_buf b = { 0 };

	if ((s != NULL) != (WORDS[i].want[0] != NULL))
		fail_msg("%s", WORDS[i].name);
	if (!s)
		return;
	xa_stanza_put(&b, s);
	xmpp_stanza_release(s);
	assert_non_null(strstr(fake_text(&b),
	    "to=\"juliet@jabber.example/x\""));
	assert_non_null(strstr(b.ptr, "from=\"romeo@prim.example\""));
	assert_non_null(strstr(b.ptr, "id=\"a1\""));
	for (size_t k = 0; k < 4 && WORDS[i].want[k]; k++) {
		if (!strstr(b.ptr, WORDS[i].want[k]))
			fail_msg("%s: no %s in %s", WORDS[i].name,
			    WORDS[i].want[k], b.ptr);
	}
	prim_buf_fini(&b);
}

static void a_notice_has_its_words(void **state)
{
	xmpp_ctx_t *xmpp = xa_stanza_context();

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(WORDS); i++)
		check_words(xmpp, i);
	xmpp_ctx_free(xmpp);
}

static void a_token_keeps_what_it_is_about(void **state)
{
	struct prim_buf text = { 0 }, store = { 0 };
	struct xa_token t = {
		.id = PRIM_SLICE("a1"),
		.from = PRIM_SLICE("juliet@jabber.example/x"),
		.to = PRIM_SLICE("prim.example"),
	};
	struct xa_token got;

	(void)state;
	for (unsigned kind = 0; kind <= XA_TOKEN_UNLINK; kind++) {
		t.kind = (enum xa_token_kind)kind;
		t.wants_receipt = kind % 2 == 0;
		t.is_chat = kind > 1;
		prim_buf_reset(&text);
		assert_true(xa_token_put(&text, &t));
		assert_true(xa_token_parse(prim_buf_slice(&text), &store,
		    &got));
		assert_int_equal(got.kind, kind);
		assert_int_equal(got.wants_receipt, t.wants_receipt);
		assert_int_equal(got.is_chat, t.is_chat);
	}
	prim_buf_fini(&text);
	prim_buf_fini(&store);
}

/*
 * On their way.
 */

/* A token as the adapter made it. */
static void take_token(struct world *w, struct prim_buf *token)
{
	say(w,
	    "<message from='juliet@jabber.example/x' id='a1' "
	    "to='romeo@prim.example'><body>hi</body>"
	    "<request xmlns='urn:xmpp:receipts'/></message>");
	await_said(w, "submit ");
	prim_buf_put(token, prim_buf_slice(&w->bridge.token));
	outcome(w, 101);
	prim_buf_reset(&w->bridge.said);
	prim_buf_reset(&w->server.links[0].heard);
}

static unsigned notify(struct world *w, const char *id, struct prim_slice token,
    enum prim_imdn_status status)
{
	const struct prim_imdn imdn = {
		.status = status,
		.code = status == PRIM_IMDN_FAILED ? 403 : 0,
		.message_id = PRIM_SLICE("m7"),
	};
	const struct bridge_message m = {
		.from = PRIM_SLICE("im:postmaster@prim.example"),
		.to = PRIM_SLICE("im:juliet@jabber.example"),
		.message_id = PRIM_SLICE("n1"),
		.conversation_id = PRIM_SLICE("c1"),
		.content_type = PRIM_SLICE("message/cpim"),
		.body = PRIM_SLICE("not looked at"),
		.delivery_id = prim_slice_of(id),
		.attempt = 1,
		.return_token = token,
		.notice = &imdn,
	};

	return br_adapter_plugin.deliver(w->state, &m);
}

static void a_failure_is_told_and_reported_behind_the_fence(void **state)
{
	struct world *w = *state;
	struct prim_buf token = { 0 };

	start(w);
	take_token(w, &token);
	w->server.echo = false;
	assert_int_equal(notify(w, ID, prim_buf_slice(&token),
			     PRIM_IMDN_FAILED),
	    0);
	await_heard(w, 0, "<iq type='get' id='ping-");
	assert_non_null(strstr(server_heard(&w->server.links[0]),
	    "<item-not-found "));
	assert_non_null(strstr(server_heard(&w->server.links[0]),
	    "to=\"juliet@jabber.example/x\""));
	assert_false(was_said(w, "report"));
	server_echo(&w->server.links[0], 0);
	await_said(w, "report " ID " 200 the sender is told\n");
	prim_buf_fini(&token);
}

static void one_that_waits_is_not_told_twice(void **state)
{
	struct world *w = *state;
	struct prim_buf token = { 0 };
	const char *first;

	start(w);
	take_token(w, &token);
	w->server.echo = false;
	assert_int_equal(notify(w, ID, prim_buf_slice(&token),
			     PRIM_IMDN_FAILED),
	    0);
	assert_int_equal(notify(w, ID, prim_buf_slice(&token),
			     PRIM_IMDN_FAILED),
	    0);
	await_heard(w, 0, "<iq type='get' id='ping-");
	first = strstr(server_heard(&w->server.links[0]), "<message");
	assert_non_null(first);
	assert_null(strstr(first + 1, "<message"));
	prim_buf_fini(&token);
}

static void it_does_not_wait_for_the_receipts_of_others(void **state)
{
	struct world *w = *state;
	struct prim_buf token = { 0 };
	int64_t begin_ms;

	start(w);
	take_token(w, &token);
	assert_int_equal(deliver(w, OTHER), 0);
	begin_ms = w->bridge.now_ms;
	assert_int_equal(notify(w, ID, prim_buf_slice(&token),
			     PRIM_IMDN_DELIVERED),
	    0);
	await_said(w, "report " ID " 200 ");
	assert_true(w->bridge.now_ms - begin_ms < 2000);
	assert_non_null(strstr(server_heard(&w->server.links[0]),
	    "<received "));
	assert_false(was_said(w, "report " OTHER));
	prim_buf_fini(&token);
}

static void what_xmpp_has_no_word_for_is_reported_at_once(void **state)
{
	struct world *w = *state;
	struct prim_buf token = { 0 };

	start(w);
	take_token(w, &token);
	assert_int_equal(notify(w, ID, prim_buf_slice(&token),
			     PRIM_IMDN_STORED),
	    0);
	assert_true(was_said(w, "report " ID " 200 "));
	prim_buf_fini(&token);
}

static void a_token_that_is_none_of_ours_is_nobodys(void **state)
{
	static const char *const tokens[] = { "", "QUJD", "!", "nonsense" };
	const struct xa_token foreign = {
		.id = PRIM_SLICE("a1"),
		.from = PRIM_SLICE("juliet@jabber.example/x"),
		.to = PRIM_SLICE("romeo@elsewhere.example"),
	};
	struct world *w = *state;
	struct prim_buf token = { 0 };

	start(w);
	for (size_t i = 0; i < PRIM_COUNT(tokens); i++)
		assert_int_equal(notify(w, ID, prim_slice_of(tokens[i]),
				     PRIM_IMDN_FAILED),
		    403);
	/* The domain was ours until the configuration changed. */
	assert_true(xa_token_put(&token, &foreign));
	assert_int_equal(notify(w, ID, prim_buf_slice(&token),
			     PRIM_IMDN_FAILED),
	    403);
	assert_non_null(strstr(fake_text(&w->bridge.log),
	    "a notice for nobody"));
	assert_false(was_said(w, "report"));
	prim_buf_fini(&token);
}

static void without_a_link_it_comes_again(void **state)
{
	struct world *w = *state;
	struct prim_buf token = { 0 };

	start(w);
	take_token(w, &token);
	w->server.echo = false;
	assert_int_equal(notify(w, ID, prim_buf_slice(&token),
			     PRIM_IMDN_FAILED),
	    0);
	await_heard(w, 0, "</message>");
	server_cut(&w->server.links[0]);
	await_said(w, "window 0\n");
	/* With the window it was handed back. */
	assert_int_equal(notify(w, ID, prim_buf_slice(&token),
			     PRIM_IMDN_FAILED),
	    502);
	assert_false(was_said(w, "report"));
	on_tick_ms = 200;
	await_said(w, "window 0\nwindow 1024\n");
	on_tick_ms = 20;
	assert_int_equal(notify(w, ID, prim_buf_slice(&token),
			     PRIM_IMDN_FAILED),
	    0);
	await_heard(w, 1, "<item-not-found ");
	prim_buf_fini(&token);
}

/*
 * Late words.
 */

#define FROM   "from='juliet@jabber.example/x' to='romeo@prim.example'"
#define STANZA "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'"
#define RECEIPT(id)                                                     \
	"<message " FROM "><received xmlns='urn:xmpp:receipts' id='" id \
	"'/></message>"
#define ERROR(id, type, condition)                                      \
	"<message type='error' id='" id "' " FROM "><error type='" type \
	"'><" condition " " STANZA "/>"                                 \
	"</error></message>"

static const struct {
	const char *name;
	const char *xml;
	const char *want; /* NULL: nothing */
} LATE[] = {
	{"a receipt",			       RECEIPT(ID),                                "late " ID " 200 receipt\n"                 },
	{ "gone",				   ERROR(ID,				   "cancel",                                     "gone"), "late " ID " 403 gone\n" },
	{ "nobody stores",                 ERROR(ID,							  "cancel",										       "service-unavailable"),
         "late " ID " 408 service-unavailable\n" },
	{ "may not",				 ERROR(ID,"auth",											     "forbidden"),
         "late " ID " 402 forbidden\n" },
 /* Nobody will try again, whatever it is called. */
	{ "no such server",				ERROR(ID,                                  "cancel",									     "remote-server-not-found"),
         "late " ID " 408 remote-server-not-found\n" },
	{ "a silent server",             ERROR(ID,						      "wait",										  "remote-server-timeout"),
         "late " ID " 408 remote-server-timeout\n" },
	{ "a full store",				 ERROR(ID,                "wait",											 "resource-constraint"),
         "late " ID " 408 resource-constraint\n" },
	{ "a warning",			ERROR(ID,					      "continue",                               "gone"), NULL },
	{ "another id", RECEIPT("a1"),					  NULL								       },
	{ "an id of a receipt of ours",                                   ERROR("r-" ID,                                        "cancel",											     "gone"),
         NULL },
	{ "capitals",			      RECEIPT("00112233445566778899AABBCCDDEEFF"),                                         NULL                             },
	{ "too short",				     RECEIPT("00112233445566778899aabbccddeef"),									      NULL													     },
	{ "too long",				     RECEIPT(ID "0"),                                     NULL},
	{ "no id",
         "<message " FROM ">"
	    "<received xmlns='urn:xmpp:receipts'/></message>",			     NULL															       },
	{ "an id of something else",
         "<message id='" ID "' " FROM ">"
	    "<body>hi</body></message>", NULL},
};

static void sync_server(struct world *w)
{
	prim_buf_reset(&w->server.links[0].heard);
	say(w,
	    "<iq type='get' id='sync' from='a@b/c' to='prim.example'>"
	    "<ping xmlns='urn:xmpp:ping'/></iq>");
	await_heard(w, 0, "id=\"sync\"");
}

static void late_words_are_passed_on(void **state)
{
	struct world *w = *state;

	start(w);
	for (size_t i = 0; i < PRIM_COUNT(LATE); i++) {
		prim_buf_reset(&w->bridge.said);
		say(w, LATE[i].xml);
		sync_server(w);
		if (LATE[i].want && !was_said(w, LATE[i].want))
			fail_msg("%s: %s", LATE[i].name, w->bridge.said.ptr);
		if (!LATE[i].want && was_said(w, "late"))
			fail_msg("%s: %s", LATE[i].name, w->bridge.said.ptr);
	}
}

static void a_strangers_word_about_one_that_waits_is_none(void **state)
{
	struct world *w = *state;

	start(w);
	assert_int_equal(deliver(w, ID), 0);
	say(w,
	    "<message from='evil@jabber.example/x' to='romeo@prim.example'>"
	    "<received xmlns='urn:xmpp:receipts' id='" ID "'/></message>");
	sync_server(w);
	assert_false(was_said(w, "late"));
	assert_false(was_said(w, "report"));
}

static void a_second_receipt_is_a_late_one(void **state)
{
	struct world *w = *state;

	start(w);
	assert_int_equal(deliver(w, ID), 0);
	say(w, RECEIPT(ID) RECEIPT(ID));
	await_said(w, "report " ID " 200 receipt\nlate " ID " 200 receipt\n");
}

static void late_words_are_bounded(void **state)
{
	struct world *w = *state;
	unsigned passed = 0;

	start(w);
	for (unsigned i = 0; i < 2 * XA_LEG_LATE_BURST; i++)
		say(w, RECEIPT(ID));
	sync_server(w);
	for (const char *p = strstr(fake_text(&w->bridge.said), "late "); p;
	     p = strstr(p + 1, "late "))
		passed++;
	assert_in_range(passed, XA_LEG_LATE_BURST,
	    XA_LEG_LATE_BURST + XA_LEG_LATE_BURST / 2);
	/* They come back. */
	w->bridge.now_ms += 1000;
	prim_buf_reset(&w->bridge.said);
	say(w, RECEIPT(ID));
	await_said(w, "late " ID " 200 receipt\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_notice_has_its_words),
		cmocka_unit_test(a_token_keeps_what_it_is_about),
		TEST(a_failure_is_told_and_reported_behind_the_fence),
		TEST(one_that_waits_is_not_told_twice),
		TEST(it_does_not_wait_for_the_receipts_of_others),
		TEST(what_xmpp_has_no_word_for_is_reported_at_once),
		TEST(a_token_that_is_none_of_ours_is_nobodys),
		TEST(without_a_link_it_comes_again),
		TEST(late_words_are_passed_on),
		TEST(a_strangers_word_about_one_that_waits_is_none),
		TEST(a_second_receipt_is_a_late_one),
		TEST(late_words_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
