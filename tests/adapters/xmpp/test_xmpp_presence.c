/* SPDX-License-Identifier: ISC */
/* Presence as XMPP has it: stanzas read and written, what is known of a
 * contact, and what has to be told of it. */

#include "tests/adapters/xmpp/presence_text.h"

#include <stdio.h>

/*
 * Reading.
 */

static const struct {
	const char *name;
	const char *xml;
	const char *want; /* NULL: refused */
} STANZAS[] = {
	{"available",					PRESENCE(FROM("balcony"),                      ""),                                             "balcony+"},
	{ "unavailable",				     PRESENCE(FROM("balcony") "type='unavailable'", ""),
         "balcony-"																		    },
	{ "of the bare JID",
         PRESENCE("from='juliet@jabber.example' type='unavailable'",                                        ""),
         "-"																			   },
	{ "chat",					    PRESENCE(FROM("a"),                            "<show>chat</show>"),                            "a+ chat" },
	{ "away",					    PRESENCE(FROM("a"),                            "<show>away</show>"),                            "a+ away" },
	{ "xa",					      PRESENCE(FROM("a"),                            "<show>xa</show>"),                              "a+ xa"   },
	{ "dnd",					     PRESENCE(FROM("a"),                            "<show>dnd</show>"),                             "a+ dnd"  },
	{ "an empty show",				   PRESENCE(FROM("a"),                            "<show/>"),                                      "a+"      },
	{ "an unknown show",				 PRESENCE(FROM("a"),                            "<show>online</show>"),                          NULL      },
	{ "a show in capitals",                              PRESENCE(FROM("a"),                            "<show>Away</show>"),
         NULL																			  },
	{ "two shows",
         PRESENCE(FROM("a"),										"<show>away</show><show>away</show>"),           NULL      },
	{ "a show of another namespace",
         PRESENCE(FROM("a"),										"<show xmlns='urn:x'>odd</show>"),               "a+"      },
	{ "the highest priority",
         PRESENCE(FROM("a"),										"<priority>127</priority>"),                     "a+ 127"  },
	{ "the lowest priority",
         PRESENCE(FROM("a"),										"<priority>-128</priority>"),                    "a+ -128" },
	{ "a priority with a plus and blanks",
         PRESENCE(FROM("a"),										"<priority> +5\n</priority>"),                   "a+ 5"    },
	{ "an empty priority",			       PRESENCE(FROM("a"),                            "<priority/>"),                                  "a+"      },
	{ "a priority too high",
         PRESENCE(FROM("a"),										"<priority>128</priority>"),                     NULL      },
	{ "a priority too low",
         PRESENCE(FROM("a"),										"<priority>-129</priority>"),                    NULL      },
	{ "a priority of two signs",
         PRESENCE(FROM("a"),										"<priority>--1</priority>"),                     NULL      },
	{ "a priority that is no number",
         PRESENCE(FROM("a"),										"<priority>high</priority>"),                    NULL      },
	{ "a priority with a fraction",
         PRESENCE(FROM("a"),										"<priority>1.0</priority>"),                     NULL      },
	{ "two priorities",
         PRESENCE(FROM("a"),										"<priority>1</priority><priority>1</priority>"),
         NULL																			  },
	{ "a status",					PRESENCE(FROM("a"),                            "<status>in the garden</status>"),
         "a+ \"in the garden\""																	},
	{ "an empty status",				 PRESENCE(FROM("a"),                            "<status/>"),                                    "a+"      },
	{ "statuses of several languages",
         PRESENCE(FROM("a"),
         "<status xml:lang='en'>gone</status>"
		"<status xml:lang='fr'>partie</status>"),
         "a+ en\"gone\" fr\"partie\""																  },
	{ "an inherited language",
         PRESENCE(FROM("a") "xml:lang='cs'",
         "<status>pryc</status><status xml:lang='en'>gone</status>"),
         "a+ cs\"pryc\" en\"gone\""																    },
	{ "two statuses of a language",
         PRESENCE(FROM("a") "xml:lang='en'",
         "<status>one</status><status xml:lang='EN'>two</status>"),
         "a+ en\"one\""																		},
	{ "what is no language",
         PRESENCE(FROM("a"),
         "<status xml:lang='no_language'>one</status>"
		"<status>two</status>"),
         "a+ \"two\""																		  },
	{ "idle",
         PRESENCE(FROM("a"),
         "<idle xmlns='urn:xmpp:idle:1' "
		"since='2026-10-26T10:00:00+02:00'/>"),
         "a+ idle=2026-10-26T08:00:00Z"																},
	{ "idle since no time",
         PRESENCE(FROM("a"),										"<idle xmlns='urn:xmpp:idle:1' since='1'/>"),
         "a+"																			  },
	{ "unavailable with what only who is available has",
         PRESENCE(FROM("a") "type='unavailable'",
         "<show>odd</show><priority>1000</priority>"
		"<idle xmlns='urn:xmpp:idle:1' since='2026-10-26T08:00:00Z'/>"
		"<status>bye</status>"),
         "a- \"bye\""																		  },
	{ "a subscription",				  PRESENCE(FROM("a") "type='subscribe'",         ""),                                             NULL      },
	{ "no sender",				       PRESENCE("",                                   ""),					     NULL      },
	{ "a sender with an empty resource",                 PRESENCE(FROM(""),                             ""),                                             NULL      },
};

static void stanzas_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(STANZAS); i++) {
		struct xa_presence p = { 0 };
		struct xa_presences all = { .items = &p, .count = 1 };
		bool ok = text_read(&p, STANZAS[i].xml);

		if (ok != (STANZAS[i].want != NULL))
			fail_msg("%s: %d", STANZAS[i].name, ok);
		if (ok)
			assert_text(STANZAS[i].name, &all, STANZAS[i].want);
		xa_presence_fini(&p);
	}
}

static const struct {
	const char *name;
	const char *stamp;
	int64_t want;
} STAMPS[] = {
	{"the past",        "2026-10-26T08:00:00Z", NOW - 3200000},
	{ "now",            "2026-10-26T08:53:20Z", NOW          },
	{ "the future",     "2026-10-26T08:53:21Z", NOW          },
	{ "the old format", "20261026T08:00:00",    NOW          },
	{ "nothing",        "",                     NOW          },
};

static void a_delay_counts_unless_it_is_of_the_future(void **state)
{
	struct xa_presence p;
	char xml[256];

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(STAMPS); i++) {
		snprintf(xml, sizeof(xml),
		    PRESENCE(FROM("a"),
			"<delay xmlns='urn:xmpp:delay' stamp='%s'/>"),
		    STAMPS[i].stamp);
		assert_true(text_read(&p, xml));
		if (p.stamp_ms != STAMPS[i].want)
			fail_msg("%s", STAMPS[i].name);
		xa_presence_fini(&p);
	}
}

static void a_long_status_is_cut_at_a_character(void **state)
{
	struct prim_buf xml = { 0 };
	struct xa_presence p;
	const char *text;

	(void)state;
	prim_buf_puts(&xml,
	    "<presence to='romeo@prim.example' from='j@x'><status>");
	for (int i = 0; i < 1000; i++)
		prim_buf_puts(&xml, "\xf0\x9f\x98\x80");
	prim_buf_puts(&xml, "</status></presence>");
	prim_buf_putc(&xml, '\0');
	assert_true(text_read(&p, xml.ptr));
	text = p.statuses[0].text;
	assert_int_equal(strlen(text), 511 * 4 + 3);
	assert_string_equal(text + 511 * 4, "\xe2\x80\xa6");
	xa_presence_fini(&p);
	prim_buf_fini(&xml);
}

static void only_eight_languages_are_kept(void **state)
{
	struct prim_buf xml = { 0 };
	struct xa_presence p;

	(void)state;
	prim_buf_puts(&xml, "<presence to='romeo@prim.example' from='j@x'>");
	for (int i = 0; i < 20; i++)
		prim_buf_putf(&xml, "<status xml:lang='a%c'>x</status>",
		    'a' + i);
	prim_buf_puts(&xml, "</presence>");
	prim_buf_putc(&xml, '\0');
	assert_true(text_read(&p, xml.ptr));
	assert_int_equal(p.status_count, XA_STATUSES_MAX);
	assert_string_equal(p.statuses[7].language, "ah");
	xa_presence_fini(&p);
	prim_buf_fini(&xml);
}

/*
 * Writing.
 */

static char *written(const struct xa_presence *p, const char *from)
{
	const struct xa_presence_route route = {
		.from = from,
		.to = "romeo@prim.example",
		.id = "i1",
		.now_ms = NOW,
	};
	xmpp_ctx_t *xmpp = xa_stanza_context();
	xmpp_stanza_t *s = xa_presence_stanza(xmpp, p, &route);
	struct prim_buf xml = { 0 };

	xa_stanza_put(&xml, s);
	xmpp_stanza_release(s);
	xmpp_ctx_free(xmpp);
	return prim_buf_steal(&xml);
}

static void assert_has(const char *xml, const char *part)
{
	if (!strstr(xml, part))
		fail_msg("no %s in %s", part, xml);
}

static void stanzas_come_back_as_they_were(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(STANZAS); i++) {
		struct xa_presence p, again;
		struct xa_presences all = { .items = &again, .count = 1 };
		char *xml;

		if (!STANZAS[i].want)
			continue;
		assert_true(text_read(&p, STANZAS[i].xml));
		p.stamp_ms = NOW - 3600000;
		xml = written(&p, "juliet@jabber.example");
		assert_true(text_read(&again, xml));
		assert_text(STANZAS[i].name, &all, STANZAS[i].want);
		assert_int_equal(again.stamp_ms, p.stamp_ms);
		prim_free(xml);
		xa_presence_fini(&p);
		xa_presence_fini(&again);
	}
}

static void a_stanza_has_its_parts(void **state)
{
	struct xa_presence p;
	char *xml;

	(void)state;
	assert_true(text_read(&p,
	    PRESENCE(FROM("a&amp;b"),
		"<show>xa</show><priority>-1</priority>"
		"<status xml:lang='en'>1 &lt; 2</status>"
		"<idle xmlns='urn:xmpp:idle:1' "
		"since='2026-10-26T08:00:00Z'/>")));
	p.stamp_ms = NOW - 60001;
	xml = written(&p, "juliet@jabber.example");
	assert_has(xml, " from=\"juliet@jabber.example/a&amp;b\"");
	assert_has(xml, " to=\"romeo@prim.example\"");
	assert_has(xml, " id=\"i1\"");
	assert_null(strstr(xml, " type="));
	assert_has(xml, "<show>xa</show>");
	assert_has(xml, "<status xml:lang=\"en\">1 &lt; 2</status>");
	assert_has(xml, "<priority>-1</priority>");
	assert_has(xml, "since=\"2026-10-26T08:00:00Z\"");
	assert_has(xml, "urn:xmpp:idle:1");
	assert_has(xml, "stamp=\"2026-10-26T08:52:19.999Z\"");
	assert_has(xml, " from=\"jabber.example\"");
	prim_free(xml);
	xa_presence_fini(&p);
}

static void who_is_unavailable_has_no_show_and_no_priority(void **state)
{
	const struct xa_presence p = {
		.resource = (char *)(uintptr_t) "a",
		.show = XA_SHOW_DND,
		.priority = 5,
		.idle_since_ms = NOW,
		.stamp_ms = NOW - 60000,
	};
	char *xml = written(&p, "j@x");

	(void)state;
	assert_has(xml, " type=\"unavailable\"");
	assert_has(xml, " from=\"j@x/a\"");
	assert_null(strstr(xml, "<show"));
	assert_null(strstr(xml, "<priority"));
	assert_null(strstr(xml, "<idle"));
	assert_null(strstr(xml, "<delay"));
	prim_free(xml);
}

static void an_empty_struct_is_unavailable_and_of_the_bare_jid(void **state)
{
	const struct xa_presence p = { 0 };
	char *xml = written(&p, "j@x");

	(void)state;
	assert_has(xml, " type=\"unavailable\"");
	assert_has(xml, " from=\"j@x\"");
	assert_has(xml, "/>");
	prim_free(xml);
}

static void nothing_that_is_no_xml_reaches_a_stanza(void **state)
{
	struct xa_presence p = {
		.resource = (char *)(uintptr_t) "a\x01",
		.is_available = true,
		.idle_since_ms = XA_NO_TIME,
		.stamp_ms = NOW,
		.status_count = 2,
	};
	char *xml;

	(void)state;
	p.statuses[0] = (struct xa_status){ (char *)(uintptr_t) "",
		(char *)(uintptr_t) "a\x02" };
	p.statuses[1] = (struct xa_status){ (char *)(uintptr_t) "'/>",
		(char *)(uintptr_t) "b" };
	xml = written(&p, "j@x");
	assert_has(xml, " from=\"j@x/x-");
	assert_null(strstr(xml, "<status"));
	prim_free(xml);
}

static void the_largest_stanza_is_below_64_kib(void **state)
{
	struct xa_presence p = {
		.is_available = true,
		.show = XA_SHOW_AWAY,
		.priority = -128,
		.idle_since_ms = NOW,
		.stamp_ms = NOW - 3600000,
		.status_count = XA_STATUSES_MAX,
	};
	char *resource = prim_alloc(1024), *text = prim_alloc(2049), *xml;
	char *host = prim_alloc(1100);

	(void)state;
	memset(resource, '&', 1023);
	memset(text, '"', 2048);
	memset(host, 'x', 1090);
	host[60] = '@';
	p.resource = resource;
	for (unsigned i = 0; i < XA_STATUSES_MAX; i++)
		p.statuses[i] = (struct xa_status){
			(char *)(uintptr_t) "en-aaaaaaaa-bbbbbbbb-cccccccc",
			text
		};
	xml = written(&p, host);
	assert_true(strlen(xml) < 65536);
	assert_has(xml, "<status");
	prim_free(xml);
	prim_free(host);
	prim_free(resource);
	prim_free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stanzas_are_read),
		cmocka_unit_test(a_delay_counts_unless_it_is_of_the_future),
		cmocka_unit_test(a_long_status_is_cut_at_a_character),
		cmocka_unit_test(only_eight_languages_are_kept),
		cmocka_unit_test(stanzas_come_back_as_they_were),
		cmocka_unit_test(a_stanza_has_its_parts),
		cmocka_unit_test(
		    who_is_unavailable_has_no_show_and_no_priority),
		cmocka_unit_test(
		    an_empty_struct_is_unavailable_and_of_the_bare_jid),
		cmocka_unit_test(nothing_that_is_no_xml_reaches_a_stanza),
		cmocka_unit_test(the_largest_stanza_is_below_64_kib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
