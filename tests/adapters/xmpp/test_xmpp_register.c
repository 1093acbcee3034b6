/* SPDX-License-Identifier: ISC */
/* Registration: what a form says, and what its sender hears. */

#include "tests/lib/t.h"

#include "tests/adapters/xmpp/plugin_world.h"

#define JULIET "juliet@jabber.example/x"

static void ask_as(struct world *w, const char *from, const char *type,
    const char *inside)
{
	struct prim_buf b = { 0 };

	prim_buf_reset(&w->server.links[0].heard);
	prim_buf_putf(&b,
	    "<iq type='%s' id='r1' from='%s' to='prim.example'>"
	    "<query xmlns='jabber:iq:register'>%s</query></iq>",
	    type, from, inside);
	prim_buf_putc(&b, '\0');
	say(w, b.ptr);
	prim_buf_fini(&b);
}

static void ask(struct world *w, const char *type, const char *inside)
{
	ask_as(w, JULIET, type, inside);
}

static bool heard(struct world *w, const char *text)
{
	return strstr(server_heard(&w->server.links[0]), text) != NULL;
}

/* The words of the last submission. */
static const char *words(struct world *w)
{
	const char *text = strstr(fake_text(&w->bridge.body), "\r\n\r\n");

	text = text ? strstr(text + 4, "\r\n\r\n") : NULL;
	return text ? text + 4 : "";
}

static const struct {
	const char *name;
	const char *inside;
	const char *words; /* NULL: refused */
	const char *error;
} FORMS[] = {
	{"an address",			    "<username>nurse@prim.example</username>",
         "link im:nurse@prim.example",													   NULL              },
	{ "an im: address and an empty password",
         "<username> im:Nurse@prim.example </username><password/>",				     "link im:Nurse@prim.example",            NULL              },
	{ "a pres: address",                      "<username>pres:nurse@prim.example</username>",
         "link im:nurse@prim.example",													   NULL              },
	{ "a code",
         "<username>nurse@prim.example</username>"
	    "<password>12345678</password>",							    "verify im:nurse@prim.example 12345678", NULL              },
	{ "a code as a key",
         "<key>12345678</key>"
	    "<username>nurse@prim.example</username>",						  "verify im:nurse@prim.example 12345678", NULL              },
	{ "a code alone",                         "<password> 12345678 </password>",                    "verify 12345678",
         NULL																		      },
	{ "nothing",			      "",						   NULL,				    "<not-acceptable "},
	{ "empty fields",                         "<username/><password/>",                             NULL,                                    "<not-acceptable "},
	{ "no address",			   "<username>nurse</username>",                         NULL,
         "<not-acceptable "																	},
	{ "two words",			    "<username>nurse@prim.example order prim</username>",
         NULL,																   "<not-acceptable "},
	{ "two lines",			    "<username>nurse@prim.example\nlinks</username>",     NULL,
         "<not-acceptable "																	},
	{ "another scheme",                       "<username>mailto:nurse@prim.example</username>",
         NULL,																   "<not-acceptable "},
	{ "a password that is no code",
         "<username>nurse@prim.example</username>"
	    "<password>s3cret</password>",							      NULL,				    "<not-acceptable "},
	{ "an endless code",                      "<password>12345678901234567</password>",             NULL,
         "<not-acceptable "																	},
	{ "a code and no address",
         "<username>nurse</username><password>12345678</password>",                                     NULL,
         "<not-acceptable "																	},
	{ "fields of somebody else's",
         "<username xmlns='urn:x'>nurse@prim.example</username>",                                       NULL,
         "<not-acceptable "																	},
	{ "removing what is not there",           "<remove/>",                                          NULL,
         "<registration-required "																 },
	{ "removing and more",
         "<remove/><username>nurse@prim.example</username>",                                            NULL,
         "<bad-request "																	   },
};

static void a_form_becomes_words_for_the_service(void **state)
{
	struct world *w = *state;

	start(w);
	for (size_t i = 0; i < PRIM_COUNT(FORMS); i++) {
		prim_buf_reset(&w->bridge.said);
		ask(w, "set", FORMS[i].inside);
		if (!FORMS[i].words) {
			await_heard(w, 0, "</iq>");
			if (!heard(w, FORMS[i].error))
				fail_msg("%s: %s", FORMS[i].name,
				    server_heard(&w->server.links[0]));
			assert_false(was_said(w, "submit"));
			continue;
		}
		await_said(w,
		    "submit im:juliet@jabber.example "
		    "im:primbridge@prim.example\n");
		if (strcmp(words(w), FORMS[i].words) != 0)
			fail_msg("%s: %s", FORMS[i].name, words(w));
		/* Nothing is said before it is done. */
		assert_false(heard(w, "<iq"));
		outcome(w, 500);
		await_heard(w, 0, "<internal-server-error ");
		assert_true(heard(w, "id=\"r1\""));
		assert_true(heard(w, "to=\"" JULIET "\""));
	}
}

static void the_form_is_shown(void **state)
{
	struct world *w = *state;

	start(w);
	ask(w, "get", "");
	await_heard(w, 0, "</iq>");
	assert_true(heard(w, "type=\"result\""));
	assert_true(heard(w, "<instructions>"));
	assert_true(heard(w, "you@prim.example"));
	assert_true(heard(w, "<username/>"));
	assert_true(heard(w, "<password/>"));
	assert_false(heard(w, "<registered/>"));
	assert_false(was_said(w, "submit"));
}

static void who_is_linked_sees_it(void **state)
{
	struct world *w = *state;

	w->bridge.linked = "im:juliet@jabber.example";
	w->bridge.owner = "im:nurse@prim.example";
	start(w);
	ask(w, "get", "");
	await_heard(w, 0, "</iq>");
	assert_true(heard(w, "<registered/>"));
	assert_true(heard(w, "<username>nurse@prim.example</username>"));
	/* Somebody else does not. */
	ask_as(w, "paris@jabber.example/x", "get", "");
	await_heard(w, 0, "</iq>");
	assert_false(heard(w, "<registered/>"));
	assert_false(heard(w, "nurse"));
}

/* The answer of an iq that was executed. */
static void asking_for_a_link_is_done_when_it_is_taken(void **state)
{
	struct world *w = *state;

	start(w);
	ask(w, "set", "<username>nurse@prim.example</username>");
	await_said(w, "submit ");
	outcome(w, 200);
	await_heard(w, 0, "type=\"result\"");
	assert_true(heard(w, "id=\"r1\""));
	assert_true(heard(w, "from=\"prim.example\""));
}

static const struct {
	const char *name;
	const char *inside;
	bool before, after; /* is he linked? */
	unsigned code;
	const char *want;
} ENDS[] = {
	{"the right code",         "<password>12345678</password>", false, true,  200,
         "type=\"result\""									       },
	{ "a wrong code",          "<password>12345678</password>", false, false, 200,
         "<not-acceptable "									      },
	{ "a code that is stored", "<password>12345678</password>", false, true,
         101,									  "type=\"result\"" },
	{ "unlinked",              "<remove/>",                     true,  false, 200, "type=\"result\"" },
	{ "not unlinked",          "<remove/>",                     true,  true,  200, "<not-acceptable "},
	{ "nobody serves",         "<remove/>",                     true,  true,  403, "<item-not-found "},
};

static void what_is_done_is_looked_at(void **state)
{
	struct world *w = *state;

	w->bridge.owner = "im:nurse@prim.example";
	start(w);
	for (size_t i = 0; i < PRIM_COUNT(ENDS); i++) {
		prim_buf_reset(&w->bridge.said);
		w->bridge.linked = ENDS[i].before ? "im:juliet@jabber.example"
						  : NULL;
		ask(w, "set", ENDS[i].inside);
		await_said(w, "submit ");
		w->bridge.linked = ENDS[i].after ? "im:juliet@jabber.example"
						 : NULL;
		outcome(w, ENDS[i].code);
		await_heard(w, 0, "id=\"r1\"");
		if (!heard(w, ENDS[i].want))
			fail_msg("%s: %s", ENDS[i].name,
			    server_heard(&w->server.links[0]));
	}
}

static void a_linked_one_speaks_as_the_principal(void **state)
{
	struct world *w = *state;

	w->bridge.linked = "im:juliet@jabber.example";
	w->bridge.owner = "im:nurse@prim.example";
	start(w);
	ask(w, "set", "<remove/>");
	await_said(w,
	    "submit im:nurse@prim.example im:primbridge@prim.example\n");
	assert_string_equal(words(w), "unlink im:nurse@prim.example");
	assert_string_equal(fake_text(&w->bridge.original),
	    "im:juliet@jabber.example");
}

static void saying_it_twice_is_no_duplicate(void **state)
{
	struct world *w = *state;
	char *first;

	start(w);
	ask(w, "set", "<username>nurse@prim.example</username>");
	await_said(w, "submit ");
	first = prim_slice_copy(prim_buf_slice(&w->bridge.body));
	prim_buf_reset(&w->bridge.said);
	ask(w, "set", "<username>nurse@prim.example</username>");
	await_said(w, "submit ");
	assert_string_not_equal(strstr(first, "Message-ID"),
	    strstr(fake_text(&w->bridge.body), "Message-ID"));
	prim_free(first);
}

static void others_cannot_register(void **state)
{
	static const char *const from[] = {
		"jabber.example",              /* a server */
		"romeo@prim.example/x",        /* one of ours */
		"\xe2\x99\x9a@jabber.example", /* PRIM cannot carry it */
	};
	struct world *w = *state;

	start(w);
	for (size_t i = 0; i < PRIM_COUNT(from); i++) {
		ask_as(w, from[i], "set",
		    "<username>nurse@prim.example</username>");
		await_heard(w, 0, "<not-allowed ");
	}
	assert_int_equal(w->bridge.asked, 0);
}

static void only_the_bridge_itself_registers(void **state)
{
	static const char *const xml[] = {
		"<iq type='get' id='1' from='" JULIET
		"' to='romeo@prim.example'>"
		"<query xmlns='jabber:iq:register'/></iq>",
		"<iq type='get' id='1' from='" JULIET "' to='prim.example/x'>"
		"<query xmlns='jabber:iq:register'/></iq>",
	};
	struct world *w = *state;

	start(w);
	for (size_t i = 0; i < PRIM_COUNT(xml); i++) {
		prim_buf_reset(&w->server.links[0].heard);
		say(w, xml[i]);
		await_heard(w, 0, "<service-unavailable ");
	}
	say(w,
	    "<iq type='result' id='1' from='" JULIET "' to='prim.example'>"
	    "<query xmlns='jabber:iq:register'/></iq>");
	assert_int_equal(w->bridge.asked, 0);
}

static void registering_is_announced(void **state)
{
	struct world *w = *state;

	start(w);
	say(w,
	    "<iq type='get' id='1' from='" JULIET "' to='prim.example'>"
	    "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>");
	await_heard(w, 0, "</iq>");
	assert_true(heard(w, "var=\"jabber:iq:register\""));
	prim_buf_reset(&w->server.links[0].heard);
	say(w,
	    "<iq type='get' id='1' from='" JULIET "' to='x@prim.example'>"
	    "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>");
	await_heard(w, 0, "</iq>");
	assert_false(heard(w, "jabber:iq:register"));
}

static void so_many_register_and_no_more(void **state)
{
	struct world *w = *state;

	w->bridge.mute = true;
	start(w);
	for (int i = 0; i < 60; i++)
		ask(w, "get", "");
	await_heard(w, 0, "<resource-constraint ");
	assert_in_range(w->bridge.asked, 50, 59);
}

static void a_bridge_that_stops_registers_nobody(void **state)
{
	struct world *w = *state;

	start(w);
	br_adapter_plugin.drain(w->state);
	ask(w, "set", "<username>nurse@prim.example</username>");
	await_heard(w, 0, "<remote-server-timeout ");
	assert_int_equal(w->bridge.asked, 0);
}

static void an_id_that_is_too_long_is_refused(void **state)
{
	struct world *w = *state;
	struct prim_buf b = { 0 };

	start(w);
	prim_buf_puts(&b,
	    "<iq type='set' from='" JULIET "' to='prim.example' id='");
	for (int i = 0; i < 400; i++)
		prim_buf_putc(&b, 'x');
	prim_buf_puts(&b,
	    "'><query xmlns='jabber:iq:register'>"
	    "<username>nurse@prim.example</username></query></iq>");
	prim_buf_putc(&b, '\0');
	say(w, b.ptr);
	await_heard(w, 0, "<policy-violation ");
	assert_false(was_said(w, "submit"));
	prim_buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_form_becomes_words_for_the_service),
		TEST(the_form_is_shown),
		TEST(who_is_linked_sees_it),
		TEST(asking_for_a_link_is_done_when_it_is_taken),
		TEST(what_is_done_is_looked_at),
		TEST(a_linked_one_speaks_as_the_principal),
		TEST(saying_it_twice_is_no_duplicate),
		TEST(others_cannot_register),
		TEST(only_the_bridge_itself_registers),
		TEST(registering_is_announced),
		TEST(so_many_register_and_no_more),
		TEST(a_bridge_that_stops_registers_nobody),
		TEST(an_id_that_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
