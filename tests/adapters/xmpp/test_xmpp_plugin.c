/* SPDX-License-Identifier: ISC */
/* The whole adapter between a fake bridge and a fake server. */

#include "tests/lib/t.h"

#include "tests/adapters/xmpp/plugin_world.h"

static void the_window_opens_when_the_link_is_up(void **state)
{
	struct world *w = *state;

	assert_true(br_adapter_plugin.start(&w->bridge, w->state, &w->options));
	w->started = true;
	assert_string_equal(fake_text(&w->bridge.said), "list\n");
	br_adapter_plugin.state_value(w->state, NULL, NULL);
	assert_string_equal(fake_text(&w->bridge.said), "list\nready\n");
	await_said(w, "window 1024\n");
	assert_string_equal(fake_text(&w->bridge.said),
	    "list\nready\nwindow 1024\n");
}

static void a_receipt_of_the_recipient_is_200(void **state)
{
	struct world *w = *state;

	start(w);
	assert_int_equal(deliver(w, ID), 0);
	await_heard(w, 0, "</message>");
	say(w,
	    "<message from='evil@jabber.example/x' to='romeo@prim.example'>"
	    "<received xmlns='urn:xmpp:receipts' id='" ID "'/></message>"
	    "<message from='juliet@jabber.example/x' to='paris@prim.example'>"
	    "<received xmlns='urn:xmpp:receipts' id='" ID "'/></message>"
	    "<message from='juliet@jabber.example/x' to='romeo@prim.example'>"
	    "<received xmlns='urn:xmpp:receipts' id='other'/></message>"
	    "<message from='juliet@jabber.example/x' to='romeo@prim.example'>"
	    "<body>now</body></message>");
	await_said(w, "submit ");
	assert_false(was_said(w, "report"));
	say(w,
	    "<message from='juliet@jabber.example/x' to='romeo@prim.example'>"
	    "<received xmlns='urn:xmpp:receipts' id='" ID "'/></message>");
	await_said(w, "report " ID " 200 receipt\n");
}

static void an_error_gives_its_status(void **state)
{
	struct world *w = *state;

	start(w);
	assert_int_equal(deliver(w, ID), 0);
	await_heard(w, 0, "</message>");
	say(w,
	    "<message type='error' id='" ID "' "
	    "from='juliet@jabber.example' to='romeo@prim.example'>"
	    "<error type='continue'><bad-request "
	    "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
	    "<message type='error' id='" ID "' "
	    "from='juliet@jabber.example' to='romeo@prim.example'>"
	    "<error type='cancel'><text "
	    "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>no</text>"
	    "<service-unavailable "
	    "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error>"
	    "</message>");
	await_said(w, "report " ID " 408 service-unavailable\n");
	assert_false(was_said(w, " 400 "));
}

static void the_server_of_the_recipient_may_refuse_too(void **state)
{
	struct world *w = *state;

	start(w);
	assert_int_equal(deliver(w, ID), 0);
	await_heard(w, 0, "</message>");
	say(w,
	    "<message type='error' id='" ID "' from='jabber.example' "
	    "to='romeo@prim.example'><error type='wait'/></message>");
	await_said(w, "report " ID " 500 undefined-condition\n");
}

static void what_the_server_has_read_is_handed_over(void **state)
{
	struct world *w = *state;

	start(w);
	w->server.echo = false;
	on_tick_ms = 400;
	assert_int_equal(deliver(w, ID), 0);
	await_heard(w, 0, "<iq type='get' id='ping-");
	/* Long after the hold, but the fence has not passed. */
	for (int i = 0; i < 12; i++)
		event_base_loop(w->bridge.base, EVLOOP_ONCE);
	assert_false(was_said(w, "report"));
	server_echo(&w->server.links[0], 0);
	await_said(w, "report " ID " 101 the XMPP server has it\n");
	on_tick_ms = 20;
}

static void sixty_four_stanzas_raise_the_fence_at_once(void **state)
{
	struct world *w = *state;
	char id[33];

	start(w);
	w->server.echo = false;
	for (int i = 0; i < 64; i++) {
		snprintf(id, sizeof(id), "%032d", i);
		assert_int_equal(deliver(w, id), 0);
	}
	/* No turn of the clock in between. */
	await_heard(w, 0, "<iq type='get' id='ping-");
	assert_null(strstr(server_heard(&w->server.links[0]), "-2'"));
	server_echo(&w->server.links[0], 0);
	br_adapter_plugin.drain(w->state);
	await_said(w, "report 00000000000000000000000000000063 101 ");
	assert_true(was_said(w, "report 00000000000000000000000000000000 101"));
}

static void a_delivery_that_waits_is_not_sent_twice(void **state)
{
	struct world *w = *state;
	const char *first;

	start(w);
	assert_int_equal(deliver(w, ID), 0);
	assert_int_equal(deliver(w, ID), 0);
	await_heard(w, 0, "<iq type='get' id='ping-");
	first = strstr(server_heard(&w->server.links[0]), "<message");
	assert_non_null(first);
	assert_null(strstr(first + 1, "<message"));
}

static void a_lost_link_closes_the_window_and_gives_all_back(void **state)
{
	struct world *w = *state;

	start(w);
	w->server.echo = false;
	assert_int_equal(deliver(w, ID), 0);
	await_heard(w, 0, "</message>");
	server_cut(&w->server.links[0]);
	await_said(w, "window 0\n");
	assert_int_equal(deliver(w, ID), 502);
	on_tick_ms = 200;
	await_said(w, "window 0\nwindow 1024\n");
	on_tick_ms = 20;
	assert_false(was_said(w, "report"));
	assert_int_equal(deliver(w, ID), 0);
	await_heard(w, 1, "</message>");
	assert_non_null(strstr(server_heard(&w->server.links[1]),
	    "id=\"" ID "\""));
}

static void a_lost_link_leaves_the_processor_alone(void **state)
{
	const struct timeval enough = { 1, 0 };
	struct world *w = *state;
	unsigned turns = 0;

	start(w);
	w->server.echo = false;
	assert_int_equal(deliver(w, ID), 0);
	await_heard(w, 0, "</message>");
	evconnlistener_disable(w->server.listener);
	server_cut(&w->server.links[0]);
	await_said(w, "window 0\n");
	event_base_loopexit(w->bridge.base, &enough);
	/* The clock of the test makes fifty, the way back a few. */
	while (!event_base_got_exit(w->bridge.base) && turns < 1000) {
		event_base_loop(w->bridge.base, EVLOOP_ONCE);
		turns++;
	}
	assert_in_range(turns, 1, 200);
}

static void the_sender_gets_a_receipt_when_it_is_delivered(void **state)
{
	struct world *w = *state;

	start(w);
	say(w,
	    "<message from='juliet@jabber.example/x' id='a1' "
	    "type='chat' to='romeo@prim.example'><body>hi</body>"
	    "<request xmlns='urn:xmpp:receipts'/></message>");
	await_said(w,
	    "submit im:juliet@jabber.example im:romeo@prim.example\n");
	assert_null(strstr(server_heard(&w->server.links[0]), "received"));
	outcome(w, 200);
	await_heard(w, 0, "</message>");
	assert_non_null(strstr(server_heard(&w->server.links[0]),
	    "to=\"juliet@jabber.example/x\""));
	assert_non_null(strstr(server_heard(&w->server.links[0]), "id=\"a1\""));
	assert_non_null(strstr(server_heard(&w->server.links[0]),
	    "<received "));
	assert_non_null(strstr(server_heard(&w->server.links[0]),
	    "from=\"romeo@prim.example\""));
}

/* It may fail yet, and then an error follows. */
static void what_is_only_stored_gets_no_receipt(void **state)
{
	struct world *w = *state;

	start(w);
	say(w,
	    "<message from='juliet@jabber.example/x' id='a1' "
	    "type='chat' to='romeo@prim.example'><body>hi</body>"
	    "<request xmlns='urn:xmpp:receipts'/></message>");
	await_said(w, "submit ");
	outcome(w, 101);
	say(w,
	    "<iq type='get' id='q' from='juliet@jabber.example/x' "
	    "to='prim.example'><ping xmlns='urn:xmpp:ping'/></iq>");
	await_heard(w, 0, "id=\"q\"");
	assert_null(strstr(server_heard(&w->server.links[0]), "<message"));
}

static void the_sender_gets_an_error_when_it_is_refused(void **state)
{
	struct world *w = *state;

	start(w);
	say(w,
	    "<message from='juliet@jabber.example/x' id='a1' "
	    "to='romeo@prim.example'><body>hi</body></message>");
	await_said(w, "submit ");
	outcome(w, 403);
	await_heard(w, 0, "</message>");
	assert_non_null(strstr(server_heard(&w->server.links[0]),
	    "<item-not-found "));
	assert_non_null(strstr(server_heard(&w->server.links[0]),
	    "PRIM 403 Resource Not Found"));
	assert_non_null(strstr(server_heard(&w->server.links[0]), "id=\"a1\""));
	assert_null(strstr(server_heard(&w->server.links[0]), "hi</body>"));
}

static void an_answer_waits_for_the_link(void **state)
{
	struct world *w = *state;

	start(w);
	say(w,
	    "<message from='juliet@jabber.example/x' id='a1' "
	    "to='romeo@prim.example'><body>hi</body></message>");
	await_said(w, "submit ");
	server_cut(&w->server.links[0]);
	await_said(w, "window 0\n");
	outcome(w, 408);
	on_tick_ms = 200;
	await_heard(w, 1, "<service-unavailable ");
	on_tick_ms = 20;
}

static void an_unasked_receipt_is_not_sent(void **state)
{
	struct world *w = *state;

	start(w);
	say(w,
	    "<message from='juliet@jabber.example/x' id='a1' "
	    "to='romeo@prim.example'><body>hi</body></message>");
	await_said(w, "submit ");
	outcome(w, 200);
	say(w,
	    "<iq type='get' id='q' from='juliet@jabber.example/x' "
	    "to='prim.example'><ping xmlns='urn:xmpp:ping'/></iq>");
	await_heard(w, 0, "id=\"q\"");
	assert_null(strstr(server_heard(&w->server.links[0]), "<message"));
}

static void without_room_the_stream_waits_and_keeps_its_order(void **state)
{
	struct world *w = *state;

	start(w);
	say(w,
	    "<message from='a@jabber.example/x' to='romeo@prim.example'>"
	    "<body>1</body></message>");
	await_said(w, "submit im:a@");
	w->bridge.full = true;
	say(w,
	    "<message from='b@jabber.example/x' to='romeo@prim.example'>"
	    "<body>2</body></message>"
	    "<message from='c@jabber.example/x' to='romeo@prim.example'>"
	    "<body>3</body></message>"
	    "<iq type='get' id='q' from='c@jabber.example/x' "
	    "to='prim.example'><ping xmlns='urn:xmpp:ping'/></iq>");
	for (int i = 0; i < 10; i++)
		event_base_loop(w->bridge.base, EVLOOP_ONCE);
	assert_false(was_said(w, "submit im:b@"));
	br_adapter_plugin.room(w->state);
	assert_false(was_said(w, "submit im:b@"));
	w->bridge.full = false;
	br_adapter_plugin.room(w->state);
	assert_true(was_said(w,
	    "submit im:a@jabber.example "
	    "im:romeo@prim.example\n"
	    "submit im:b@jabber.example "
	    "im:romeo@prim.example\n"
	    "submit im:c@jabber.example "
	    "im:romeo@prim.example\n"));
	await_heard(w, 0, "id=\"q\"");
}

static void questions_are_answered(void **state)
{
	static const struct {
		const char *xml;
		const char *want;
	} cases[] = {
		{"<iq type='get' id='1' from='a@b/c' to='prim.example'>"
		  "<query xmlns='http://jabber.org/protocol/disco#info' "
		  "node='n'/></iq>",					      "category=\"gateway\""   },
		{ "<iq type='get' id='2' from='a@b/c' to='x@prim.example'>"
		  "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>",  "type=\"registered\""    },
		{ "<iq type='get' id='3' from='a@b/c' to='prim.example'>"
		  "<query xmlns='http://jabber.org/protocol/disco#items'/></iq>",
                 "type=\"result\""											  },
		{ "<iq type='get' id='4' from='a@b/c' to='prim.example'>"
		  "<query xmlns='jabber:iq:version'/></iq>",		      "<name>Primbridge</name>"},
		{ "<iq type='get' id='5' from='a@b/c' to='x@prim.example'>"
		  "<vCard xmlns='vcard-temp'/></iq>",			     "<service-unavailable "  },
		{ "<iq type='set' id='6' from='a@b/c' to='prim.example'>"
		  "<ping xmlns='urn:xmpp:ping'/></iq>",			   "<service-unavailable "  },
		{ "<iq type='get' id='7' from='a@b/c' to='prim.example'/>",
                 "<service-unavailable "										    },
	};
	struct world *w = *state;

	start(w);
	for (size_t i = 0; i < PRIM_COUNT(cases); i++) {
		prim_buf_reset(&w->server.links[0].heard);
		say(w, cases[i].xml);
		await_heard(w, 0, cases[i].want);
	}
	prim_buf_reset(&w->server.links[0].heard);
	say(w,
	    "<iq type='result' id='8' from='a@b/c' to='prim.example'/>"
	    "<iq type='error' id='8' from='a@b/c' to='prim.example'/>"
	    "<presence type='subscribe' from='a@b' to='x@prim.example'/>"
	    "<message type='error' from='a@b/c' to='x@prim.example'/>"
	    "<iq type='get' id='9' from='a@b/c' to='prim.example'>"
	    "<ping xmlns='urn:xmpp:ping'/></iq>");
	await_heard(w, 0, "id=\"9\"");
	assert_null(strstr(server_heard(&w->server.links[0]), "id=\"8\""));
	assert_null(strstr(server_heard(&w->server.links[0]), "presence"));
	assert_null(strstr(server_heard(&w->server.links[0]), "<message"));
}

static void nothing_is_said_in_the_name_of_others(void **state)
{
	struct world *w = *state;

	start(w);
	/* A server that sends us what is not ours would close the stream over
	 * an answer in that name. */
	say(w,
	    "<message from='a@b/c' to='x@other.example' id='1'>"
	    "<body>hi</body></message>"
	    "<iq type='get' id='2' from='a@b/c' to='other.example'>"
	    "<ping xmlns='urn:xmpp:ping'/></iq>"
	    "<iq type='get' id='9' from='a@b/c' to='prim.example'>"
	    "<ping xmlns='urn:xmpp:ping'/></iq>");
	await_heard(w, 0, "id=\"9\"");
	assert_null(strstr(server_heard(&w->server.links[0]), "other.example"));
}

static void a_domain_is_written_in_lower_case(void **state)
{
	struct world *w = *state;

	snprintf(w->domain, sizeof(w->domain), "Prim.Example");
	start(w);
	/* Servers compare it octet by octet. */
	assert_int_equal(deliver(w, ID), 0);
	await_heard(w, 0, "</message>");
	assert_non_null(strstr(server_heard(&w->server.links[0]),
	    "from=\"romeo@prim.example\""));
}

static void a_server_that_does_not_read_fills_no_memory(void **state)
{
	struct world *w = *state;
	struct prim_buf body = { 0 };
	struct bridge_message m = {
		.from = PRIM_SLICE("im:romeo@prim.example"),
		.to = PRIM_SLICE("im:juliet@jabber.example"),
		.message_id = PRIM_SLICE("m1"),
		.conversation_id = PRIM_SLICE("c1"),
		.content_type = PRIM_SLICE("text/plain"),
		.attempt = 1,
	};
	unsigned code = 0;
	char id[33];

	start(w);
	bufferevent_disable(w->server.links[0].bev, EV_READ);
	while (body.len < 400000)
		prim_buf_puts(&body, "0123456789abcdef");
	m.body = prim_buf_slice(&body);
	for (unsigned i = 0; i < 100 && code == 0; i++) {
		snprintf(id, sizeof(id), "%032u", i);
		m.delivery_id = prim_slice_of(id);
		code = br_adapter_plugin.deliver(w->state, &m);
	}
	assert_int_equal(code, 500);
	prim_buf_fini(&body);
}

/* ejabberd with global_routes, and two components. */
static void
what_is_for_another_component_is_told_once_and_left_alone(void **state)
{
	static const char *const ASTRAY =
	    "<message from='juliet@jabber.example/x' to='paris@gw.prim.example'>"
	    "<body>lost</body></message>"
	    "<presence type='subscribe' from='juliet@jabber.example' "
	    "to='gw.prim.example'/>"
	    "<iq type='get' id='i1' from='juliet@jabber.example/x' "
	    "to='gw.prim.example'><ping xmlns='urn:xmpp:ping'/></iq>";
	struct world *w = *state;
	const char *told;

	start(w);
	say(w, ASTRAY);
	say(w, ASTRAY);
	say(w,
	    "<message from='juliet@jabber.example/x' to='romeo@PRIM.example'>"
	    "<body>found</body></message>");
	await_said(w, "submit im:juliet@jabber.example im:romeo@");
	assert_int_equal(w->bridge.submissions, 1);
	told = strstr(fake_text(&w->bridge.log), "global_routes: false");
	assert_non_null(told);
	assert_null(strstr(told + 1, "global_routes: false"));
	assert_null(strstr(server_heard(&w->server.links[0]), "i1"));
}

static void a_stanza_too_big_is_answered_and_the_link_stays(void **state)
{
	struct world *w = *state;

	start(w);
	say(w,
	    "<message from='a@jabber.example/x' id='big' "
	    "to='romeo@prim.example'><body>hi</body>");
	for (int i = 0; i < 1100; i++)
		say(w, "<x/>");
	say(w,
	    "</message><message from='b@jabber.example/x' "
	    "to='romeo@prim.example'><body>small</body></message>");
	await_heard(w, 0, "<policy-violation ");
	await_said(w, "submit im:b@");
	assert_non_null(strstr(server_heard(&w->server.links[0]),
	    "id=\"big\""));
	assert_false(was_said(w, "window 0"));
}

static void a_bridge_that_stops_takes_nothing_new(void **state)
{
	struct world *w = *state;

	start(w);
	br_adapter_plugin.drain(w->state);
	say(w,
	    "<message from='a@jabber.example/x' id='late' "
	    "to='romeo@prim.example'><body>hi</body></message>");
	await_heard(w, 0, "<remote-server-timeout ");
	assert_false(was_said(w, "submit"));
}

static void other_domains_speak_through_the_gateway(void **state)
{
	struct world *w = *state;
	unsigned gateway;

	w->options.gateway_domain = w->gateway;
	w->bridge.routed = "jabber.example";
	start(w);
	while (w->server.link_count < 2 || !w->server.links[1].proved ||
	    !w->server.links[0].proved)
		event_base_loop(w->bridge.base, EVLOOP_ONCE);
	gateway = strstr(server_heard(&w->server.links[1]),
		      "to='gw.prim.example'")
	    ? 1
	    : 0;
	/* One more turn, for the handshake's answer to arrive. */
	server_say(&w->server.links[gateway],
	    "<message from='a@other.example/x' "
	    "to='mercutio\\40verona.example@gw.prim.example'>"
	    "<body>hi</body></message>");
	await_said(w,
	    "submit im:a%40other.example@gw.prim.example "
	    "im:mercutio@verona.example\n");
	assert_int_equal(deliver_as(w, ID, "im:mercutio@verona.example"), 0);
	await_heard(w, gateway, "mercutio\\40verona.example@gw.prim.example");
	/* It goes alone: what is on the other leg stays. */
	server_cut(&w->server.links[gateway]);
	await_said(w, "report " ID " 502 ");
	assert_false(was_said(w, "window 0"));
}

static void without_a_gateway_other_domains_are_refused(void **state)
{
	struct world *w = *state;

	start(w);
	assert_int_equal(deliver_as(w, ID, "im:mercutio@verona.example"), 403);
}

static void a_secret_that_cannot_be_read_is_told(void **state)
{
	struct world *w = *state;
	char nowhere[] = "no-such-file-here";

	w->options.secret_file = nowhere;
	assert_false(br_adapter_plugin.start(&w->bridge, w->state,
	    &w->options));
	w->started = true;
	assert_non_null(strstr(fake_text(&w->bridge.log),
	    "cannot read secret_file"));
}

static void options_are_checked(void **state)
{
	static const struct {
		const char *server, *domain, *gateway;
		const char *why; /* NULL: fine */
	} cases[] = {
		{"127.0.0.1:5347",     "a.example", NULL,          NULL             },
		{ "[::1]:5347",        "a.example", "b.a.example", NULL             },
		{ "xmpp.example:5347", "a.example", NULL,          NULL             },
		{ "127.0.0.1",         "a.example", NULL,          "server:"        },
		{ "127.0.0.1:0",       "a.example", NULL,          "server:"        },
		{ "127.0.0.1:65536",   "a.example", NULL,          "server:"        },
		{ "::1:5347",          "a.example", NULL,          "server:"        },
		{ ":5347",             "a.example", NULL,          "server:"        },
		{ "127.0.0.1:5347",    "a_b",       NULL,          "domain:"        },
		{ "127.0.0.1:5347",    "a.example", "x y",         "gateway_domain:"},
		{ "127.0.0.1:5347",    "a.example", "A.example",
                 "gateway_domain:"						  },
	};

	char why[256];

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(cases); i++) {
		char server[64], domain[64], gateway[64];
		const struct xa_options o = {
			.server = server,
			.domain = domain,
			.gateway_domain = cases[i].gateway ? gateway : NULL,
		};

		snprintf(server, sizeof(server), "%s", cases[i].server);
		snprintf(domain, sizeof(domain), "%s", cases[i].domain);
		if (cases[i].gateway)
			snprintf(gateway, sizeof(gateway), "%s",
			    cases[i].gateway);
		assert_int_equal(br_adapter_plugin.check(&o, why, sizeof(why)),
		    cases[i].why == NULL);
		if (cases[i].why)
			assert_int_equal(strncmp(why, cases[i].why,
					     strlen(cases[i].why)),
			    0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_window_opens_when_the_link_is_up),
		TEST(a_receipt_of_the_recipient_is_200),
		TEST(an_error_gives_its_status),
		TEST(the_server_of_the_recipient_may_refuse_too),
		TEST(what_the_server_has_read_is_handed_over),
		TEST(sixty_four_stanzas_raise_the_fence_at_once),
		TEST(a_delivery_that_waits_is_not_sent_twice),
		TEST(a_lost_link_closes_the_window_and_gives_all_back),
		TEST(a_lost_link_leaves_the_processor_alone),
		TEST(the_sender_gets_a_receipt_when_it_is_delivered),
		TEST(what_is_only_stored_gets_no_receipt),
		TEST(the_sender_gets_an_error_when_it_is_refused),
		TEST(an_answer_waits_for_the_link),
		TEST(an_unasked_receipt_is_not_sent),
		TEST(without_room_the_stream_waits_and_keeps_its_order),
		TEST(questions_are_answered),
		TEST(nothing_is_said_in_the_name_of_others),
		TEST(a_domain_is_written_in_lower_case),
		TEST(a_server_that_does_not_read_fills_no_memory),
		TEST(what_is_for_another_component_is_told_once_and_left_alone),
		TEST(a_stanza_too_big_is_answered_and_the_link_stays),
		TEST(a_bridge_that_stops_takes_nothing_new),
		TEST(other_domains_speak_through_the_gateway),
		TEST(without_a_gateway_other_domains_are_refused),
		TEST(a_secret_that_cannot_be_read_is_told),
		TEST(options_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
