/* SPDX-License-Identifier: ISC */
/* Who a sender is, in the whole adapter: asked first, in order, within bounds. */

#include "tests/lib/t.h"

#include "adapters/xmpp/intake.h"
#include "tests/adapters/xmpp/plugin_world.h"

static void say_from(struct world *w, const char *who, const char *body)
{
	struct prim_buf b = { 0 };

	prim_buf_putf(&b,
	    "<message from='%s@jabber.example/x' id='%s' "
	    "to='romeo@prim.example'><body>%s</body></message>",
	    who, who, body);
	prim_buf_putc(&b, '\0');
	say(w, b.ptr);
	prim_buf_fini(&b);
}

/* Until the adapter has heard all that was said so far. */
static void sync_server(struct world *w)
{
	static unsigned number;
	struct prim_buf b = { 0 };

	prim_buf_putf(&b,
	    "<iq type='get' id='sync-%u' from='a@b/c' to='prim.example'>"
	    "<ping xmlns='urn:xmpp:ping'/></iq>",
	    ++number);
	prim_buf_putc(&b, '\0');
	say(w, b.ptr);
	prim_buf_reset(&b);
	prim_buf_putf(&b, "id=\"sync-%u\"", number);
	prim_buf_putc(&b, '\0');
	await_heard(w, 0, b.ptr);
	prim_buf_fini(&b);
}

static unsigned count(struct prim_buf *b, const char *text)
{
	unsigned n = 0;

	for (const char *p = strstr(fake_text(b), text); p;
	     p = strstr(p + 1, text))
		n++;
	return n;
}

static void a_linked_sender_goes_as_the_principal(void **state)
{
	struct world *w = *state;

	w->bridge.linked = "im:juliet@jabber.example";
	w->bridge.owner = "im:nurse@prim.example";
	start(w);
	say(w,
	    "<message from='Juliet@Jabber.Example/Balcony' id='a1' "
	    "to='romeo@prim.example'><body>hi</body>"
	    "<bridge xmlns='urn:primbridge:hops' hops='2'/></message>");
	await_said(w, "submit im:nurse@prim.example im:romeo@prim.example\n");
	assert_string_equal(fake_text(&w->bridge.original),
	    "im:juliet@jabber.example");
	assert_non_null(strstr(fake_text(&w->bridge.body),
	    "From: <im:nurse@prim.example>"));
	assert_int_equal(w->bridge.hops, 2);
	/* What is said to the sender is said to the address. */
	outcome(w, 403);
	await_heard(w, 0, "to=\"Juliet@Jabber.Example/Balcony\"");
}

static void others_go_as_themselves(void **state)
{
	struct world *w = *state;

	w->bridge.linked = "im:juliet@jabber.example";
	w->bridge.owner = "im:nurse@prim.example";
	start(w);
	say_from(w, "paris", "hi");
	await_said(w, "submit im:paris@jabber.example im:romeo@prim.example\n");
	assert_string_equal(fake_text(&w->bridge.original), "");
}

static void nothing_is_asked_for_what_is_refused_anyway(void **state)
{
	struct world *w = *state;

	start(w);
	say(w,
	    "<message from='a@jabber.example/x' to='romeo@prim.example' "
	    "type='groupchat'><body>x</body></message>"
	    "<message from='a@jabber.example/x' to='romeo@prim.example'>"
	    "<composing xmlns='http://jabber.org/protocol/chatstates'/>"
	    "</message>"
	    "<message from='a@jabber.example/x' to='prim.example'>"
	    "<body>x</body></message>"
	    "<message from='a@jabber.example/x' to='romeo@prim.example'>"
	    "<body>x</body><bridge xmlns='urn:primbridge:hops' hops='16'/>"
	    "</message>"
	    "<presence from='a@jabber.example/x' to='romeo@prim.example'/>");
	sync_server(w);
	assert_int_equal(w->bridge.asked, 0);
	await_heard(w, 0, "<not-allowed ");
}

static void messages_keep_their_order_while_it_is_asked(void **state)
{
	struct world *w = *state;

	w->bridge.mute = true;
	w->bridge.linked = "im:b@jabber.example";
	w->bridge.owner = "im:nurse@prim.example";
	start(w);
	say_from(w, "a", "1");
	say_from(w, "b", "2");
	say_from(w, "c", "3");
	/* Nobody else waits for that. */
	assert_int_equal(deliver(w, ID), 0);
	say(w,
	    "<message from='juliet@jabber.example/x' to='romeo@prim.example'>"
	    "<received xmlns='urn:xmpp:receipts' id='" ID "'/></message>");
	await_said(w, "report " ID " 200 receipt\n");
	sync_server(w);
	assert_int_equal(w->bridge.question_count, 3);
	assert_false(was_said(w, "submit"));
	fake_link_answer(&w->bridge);
	fake_link_answer(&w->bridge);
	fake_link_answer(&w->bridge);
	assert_true(was_said(w,
	    "submit im:a@jabber.example im:romeo@prim.example\n"
	    "submit im:nurse@prim.example im:romeo@prim.example\n"
	    "submit im:c@jabber.example im:romeo@prim.example\n"));
}

static void the_queue_is_bounded_and_then_the_stream_waits(void **state)
{
	struct world *w = *state;

	w->bridge.mute = true;
	start(w);
	for (unsigned i = 0; i < XA_INTAKE_MAX + 10; i++)
		say_from(w, "a", "x");
	while (w->bridge.question_count < XA_INTAKE_MAX)
		event_base_loop(w->bridge.base, EVLOOP_ONCE);
	for (int i = 0; i < 10; i++)
		event_base_loop(w->bridge.base, EVLOOP_ONCE);
	assert_int_equal(w->bridge.asked, XA_INTAKE_MAX);
	while (w->bridge.question_count)
		fake_link_answer(&w->bridge);
	while (w->bridge.submissions < XA_INTAKE_MAX + 10) {
		event_base_loop(w->bridge.base, EVLOOP_ONCE);
		while (w->bridge.question_count)
			fake_link_answer(&w->bridge);
	}
	assert_int_equal(w->bridge.asked, XA_INTAKE_MAX + 10);
}

static void without_room_they_wait_in_their_order(void **state)
{
	struct world *w = *state;

	start(w);
	say_from(w, "a", "1");
	await_said(w, "submit im:a@");
	w->bridge.full = true;
	say_from(w, "b", "2");
	say_from(w, "c", "3");
	sync_server(w);
	while (w->bridge.question_count)
		event_base_loop(w->bridge.base, EVLOOP_ONCE);
	br_adapter_plugin.room(w->state);
	assert_false(was_said(w, "submit im:b@"));
	w->bridge.full = false;
	outcome(w, 200);
	assert_true(was_said(w,
	    "submit im:b@jabber.example im:romeo@prim.example\n"
	    "submit im:c@jabber.example im:romeo@prim.example\n"));
}

static void who_cannot_be_asked_for_is_refused(void **state)
{
	struct world *w = *state;

	start(w);
	w->bridge.deaf = true;
	say_from(w, "a", "1");
	await_heard(w, 0, "<jid-malformed ");
	assert_false(was_said(w, "submit"));
	/* Nobody waits behind it. */
	w->bridge.deaf = false;
	say_from(w, "b", "2");
	await_said(w, "submit im:b@");
}

/* Nobody was told that they are here, so somebody is told that they are not. */
static void who_waits_when_it_ends_is_told(void **state)
{
	struct world *w = *state;

	w->bridge.mute = true;
	start(w);
	say_from(w, "a", "1");
	say_from(w, "b", "2");
	sync_server(w);
	assert_int_equal(w->bridge.question_count, 2);
	br_adapter_plugin.stop(w->state);
	w->started = false;
	await_heard(w, 0, "</stream:stream>");
	assert_int_equal(count(&w->server.links[0].heard,
			     "<remote-server-timeout "),
	    2);
}

static void a_bridge_that_stops_finishes_what_it_has(void **state)
{
	struct world *w = *state;

	w->bridge.mute = true;
	start(w);
	say_from(w, "a", "1");
	sync_server(w);
	br_adapter_plugin.drain(w->state);
	say_from(w, "b", "2");
	await_heard(w, 0, "<remote-server-timeout ");
	fake_link_answer(&w->bridge);
	assert_true(was_said(w, "submit im:a@"));
	assert_int_equal(count(&w->bridge.said, "submit"), 1);
}

static void what_waits_outlives_the_link(void **state)
{
	struct world *w = *state;

	w->bridge.mute = true;
	start(w);
	say_from(w, "a", "1");
	sync_server(w);
	server_cut(&w->server.links[0]);
	await_said(w, "window 0\n");
	fake_link_answer(&w->bridge);
	assert_true(was_said(w, "submit im:a@"));
	outcome(w, 403);
	on_tick_ms = 200;
	await_heard(w, 1, "<item-not-found ");
	on_tick_ms = 20;
}

static void an_answer_that_nobody_asked_for_is_harmless(void **state)
{
	const struct bridge_linked l = {
		.address = PRIM_SLICE("im:a@jabber.example"),
		.principal = PRIM_SLICE("im:nurse@prim.example"),
		.cookie = 99,
	};
	struct world *w = *state;

	start(w);
	br_adapter_plugin.linked(w->state, &l);
	assert_false(was_said(w, "submit"));
}

static void addresses_have_one_canonical_form(void **state)
{
	static const struct {
		const char *address;
		const char *want; /* NULL: no user of XMPP has it */
	} cases[] = {
		{"im:juliet@jabber.example",                 "im:juliet@jabber.example"  },
		{ "im:Juliet@Jabber.EXAMPLE",                "im:juliet@jabber.example"  },
		{ "im:%4Auliet@jabber.example",              "im:juliet@jabber.example"  },
		{ "im:o'malley@jabber.example",              "im:o'malley@jabber.example"},
		{ "im:F%C3%9C@jabber.example",               "im:f%C3%BC@jabber.example" },
		{ "im:f%C3%BC@jabber.example",               "im:f%C3%BC@jabber.example" },
 /* Full-width letters. */
		{ "im:%EF%BC%A1@jabber.example",             "im:a@jabber.example"       },
		{ "im:a@XN--BCHER-KVA.example",              "im:a@xn--bcher-kva.example"},
		{ "im:a%40Far.example@gw.prim.example",
                 "im:a%40far.example@gw.prim.example"                                    },
		{ "im:Juliet@far.example",
                 "im:juliet%40far.example@gw.prim.example"                               },
		{ "im:%E2%99%9A@jabber.example",             NULL                        },
		{ "im:a%20@jabber.example",                  NULL                        },
		{ "im:romeo@prim.example",                   NULL                        },
		{ "im:romeo%40prim.example@gw.prim.example", NULL                        },
		{ "im:romeo@gw.prim.example",                NULL                        },
		{ "romeo",				   NULL                        },
		{ "",					NULL                        },
	};
	struct world *w = *state;

	w->options.gateway_domain = w->gateway;
	w->bridge.routed = "jabber.example";
	begin(w);
	for (size_t i = 0; i < PRIM_COUNT(cases); i++) {
		struct prim_buf b = { 0 };
		bool ok;

		if (strstr(cases[i].address, "XN--"))
			w->bridge.routed = "xn--bcher-kva.example";
		else
			w->bridge.routed = "jabber.example";
		ok = br_adapter_plugin.canonical(w->state,
		    prim_slice_of(cases[i].address), &b);
		if (ok != (cases[i].want != NULL))
			fail_msg("%s", cases[i].address);
		if (ok)
			assert_string_equal(fake_text(&b), cases[i].want);
		prim_buf_fini(&b);
	}
}

static void retries_and_delays_are_as_documented(void **state)
{
	static const unsigned want[] = { 5, 10, 20, 40, 80, 160, 300, 0 };

	(void)state;
	assert_memory_equal(br_adapter_plugin.retry_s, want, sizeof(want));
	assert_int_equal(br_adapter_plugin.delay_notice_s, 900);
	assert_int_equal(br_adapter_plugin.abi, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_linked_sender_goes_as_the_principal),
		TEST(others_go_as_themselves),
		TEST(nothing_is_asked_for_what_is_refused_anyway),
		TEST(messages_keep_their_order_while_it_is_asked),
		TEST(the_queue_is_bounded_and_then_the_stream_waits),
		TEST(without_room_they_wait_in_their_order),
		TEST(who_cannot_be_asked_for_is_refused),
		TEST(who_waits_when_it_ends_is_told),
		TEST(a_bridge_that_stops_finishes_what_it_has),
		TEST(what_waits_outlives_the_link),
		TEST(an_answer_that_nobody_asked_for_is_harmless),
		TEST(addresses_have_one_canonical_form),
		cmocka_unit_test(retries_and_delays_are_as_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
