/* SPDX-License-Identifier: ISC */
/* PRIM to XMPP: what a SEND becomes. */

#include "tests/lib/t.h"

#include <string.h>

#include "adapters/xmpp/out.h"
#include "adapters/xmpp/stanza.h"
#include "prim/base.h"

#define NOW INT64_C(1793004800000) /* 2026-10-26T08:53:20Z */
#define ID  "00112233445566778899aabbccddeeff"

struct world {
	struct xa_out out;
	struct xa_out_context context;
	struct bridge_message message;
};

static int setup(void **state)
{
	struct world *w = prim_new(struct world);

	w->context.xmpp = xa_stanza_context();
	w->context.domain = PRIM_SLICE("prim.example");
	w->context.now_ms = NOW;
	w->message = (struct bridge_message){
		.from = PRIM_SLICE("im:romeo@prim.example"),
		.to = PRIM_SLICE("im:juliet@jabber.example"),
		.message_id = PRIM_SLICE("m1"),
		.conversation_id = PRIM_SLICE("c1"),
		.date = PRIM_SLICE("Mon, 26 Oct 2026 08:53:00 +0000"),
		.content_type = PRIM_SLICE("text/plain"),
		.body = PRIM_SLICE("hello"),
		.delivery_id = PRIM_SLICE(ID),
		.attempt = 1,
		.hops = 7,
	};
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	xa_out_fini(&w->out);
	xmpp_ctx_free(w->context.xmpp);
	prim_free(w);
	return 0;
}

static unsigned give(struct world *w)
{
	return xa_out_translate(&w->out, &w->context, &w->message);
}

static unsigned give_cpim(struct world *w, const char *body)
{
	w->message.content_type = PRIM_SLICE("message/cpim");
	w->message.body = prim_slice_of(body);
	return give(w);
}

static bool holds(struct world *w, const char *text)
{
	prim_buf_putc(&w->out.xml, '\0');
	w->out.xml.len--;
	return strstr(w->out.xml.ptr, text) != NULL;
}

static void assert_holds(struct world *w, const char *text)
{
	if (!holds(w, text))
		fail_msg("no %s in %s", text, w->out.xml.ptr);
}

static void plain_text_becomes_a_chat_message(void **state)
{
	struct world *w = *state;

	assert_int_equal(give(w), 0);
	assert_holds(w, "<message ");
	assert_holds(w, " from=\"romeo@prim.example\"");
	assert_holds(w, " to=\"juliet@jabber.example\"");
	assert_holds(w, " type=\"chat\"");
	assert_holds(w, " id=\"" ID "\"");
	assert_holds(w, "<body>hello</body><thread>c1</thread>");
	assert_true(holds(w,
			"<origin-id id=\"m1\" xmlns=\"urn:xmpp:sid:0\"/>") ||
	    holds(w, "<origin-id xmlns=\"urn:xmpp:sid:0\" id=\"m1\"/>"));
	assert_holds(w, "<request xmlns=\"urn:xmpp:receipts\"/>");
	assert_holds(w, "<unstyled xmlns=\"urn:xmpp:styling:0\"/>");
	assert_true(holds(w,
			"<bridge hops=\"7\" xmlns=\"urn:primbridge:hops\"/>") ||
	    holds(w, "<bridge xmlns=\"urn:primbridge:hops\" hops=\"7\"/>"));
	assert_false(holds(w, "<delay"));
	assert_false(w->out.via_gateway);
	assert_true(prim_slice_eq(prim_buf_slice(&w->out.key),
	    PRIM_SLICE("juliet@jabber.example")));
}

static void a_cpim_is_unpacked(void **state)
{
	struct world *w = *state;

	assert_int_equal(give_cpim(w,
			     "From: R <im:Romeo@prim.example>\r\n"
			     "To: <im:juliet@jabber.example>\r\n"
			     "DateTime: 2026-10-26T08:00:00Z\r\n"
			     "Subject: a\\tb\\u00fc <&>\r\n"
			     "Subject:;lang=fr Bonjour\r\n"
			     "NS: x <urn:x>\r\nx.y: z\r\n"
			     "\r\n"
			     "Content-Type: text/plain; charset=UTF-8\r\n"
			     "Content-Language: en\r\n"
			     "\r\n"
			     "1 < 2 && \"\xf0\x9f\x98\x80\"\r\n"),
	    0);
	assert_holds(w,
	    "<body>1 &lt; 2 &amp;&amp; "
	    "&quot;\xf0\x9f\x98\x80&quot;\r\n</body>");
	assert_holds(w, "<subject>a\tb\xc3\xbc &lt;&amp;&gt;</subject>");
	assert_holds(w, "<subject xml:lang=\"fr\">Bonjour</subject>");
	assert_holds(w, " xml:lang=\"en\"");
	assert_holds(w, " stamp=\"2026-10-26T08:00:00Z\"");
	assert_holds(w, " from=\"prim.example\"");
}

#define TYPE     "Content-Type: "
#define PLAIN    TYPE "text/plain"
#define TEXT     PLAIN "\r\n\r\nhello"
#define CHARSET  PLAIN "; charset="
#define ENCODING PLAIN "\r\nContent-Transfer-Encoding: "
#define ROMEO    "From: <im:romeo@prim.example>\r\n"

static const struct {
	const char *name;
	const char *headers; /* besides To and DateTime */
	const char *content;
	unsigned code;
} CPIMS[] = {
	{"a plain one",              ROMEO,				   TEXT,                               0  },
	{ "no headers of content",   ROMEO,                                   "\r\nhello",                        400},
	{ "another From",            "From: <im:tybalt@prim.example>\r\n",    TEXT,                               402},
	{ "no From",                 "",				      TEXT,			       400},
	{ "a mail From",             "From: <mailto:romeo@prim.example>\r\n", TEXT,                               402},
	{ "a presence From",         "From: <pres:romeo@prim.example>\r\n",   TEXT,                               0  },
	{ "a known one required",    ROMEO "Require: Subject\r\n",            TEXT,                               0  },
	{ "an unknown one required", ROMEO "Require: Secret\r\n",             TEXT,                               501},
	{ "a bad subject",           ROMEO "Subject: a\\u0001b\r\n",          TEXT,                               400},
	{ "HTML",		    ROMEO,				   TYPE "text/html\r\n\r\n<p>x",       501},
	{ "a signature",             ROMEO,				   TYPE "multipart/signed\r\n\r\n",    501},
	{ "a notification",          ROMEO,				   TYPE "message/imdn+xml\r\n\r\nx",   501},
	{ "base64",                  ROMEO,				   ENCODING "base64\r\n\r\nAAAA",      501},
	{ "8bit",		    ROMEO,				   ENCODING "8bit\r\n\r\nAAAA",        0  },
	{ "a bad language",          ROMEO,				   "Content-Language: 1\r\n" TEXT,     400},
	{ "Latin 1",                 ROMEO,				   CHARSET "ISO-8859-1\r\n\r\n\xfc",   0  },
	{ "windows-1252",            ROMEO,				   CHARSET "windows-1252\r\n\r\n\x80", 0  },
	{ "an unknown charset",      ROMEO,                                   CHARSET "utf-7\r\n\r\nx",           501},
	{ "UTF-8 that is none",      ROMEO,                                   CHARSET "utf-8\r\n\r\n\xff",        400},
	{ "ASCII that is none",      ROMEO,                                   CHARSET "us-ascii\r\n\r\n\xc3",     400},
};

static unsigned give_parts(struct world *w, const char *headers,
    const char *content)
{
	struct prim_buf b = { 0 };
	unsigned code;

	prim_buf_putf(&b,
	    "%sTo: <im:juliet@jabber.example>\r\n"
	    "DateTime: 2026-10-26T08:53:00Z\r\n\r\n%s",
	    headers, content);
	w->message.content_type = PRIM_SLICE("message/cpim");
	w->message.body = prim_buf_slice(&b);
	code = give(w);
	prim_buf_fini(&b);
	return code;
}

static void a_cpim_is_taken_or_refused_by_its_content(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(CPIMS); i++) {
		unsigned code = give_parts(w, CPIMS[i].headers,
		    CPIMS[i].content);

		if (code != CPIMS[i].code)
			fail_msg("%s: %u %s", CPIMS[i].name, code,
			    w->out.why ? w->out.why : "");
		assert_true(code == 0 || w->out.why);
	}
	assert_int_equal(give_cpim(w, "no cpim at all"), 400);
}

static void another_character_set_is_converted(void **state)
{
	struct world *w = *state;

	w->message.content_type =
	    PRIM_SLICE("text/plain; charset=\"windows-1252\"");
	w->message.body = PRIM_SLICE("5 \x80 f\xfcr dich");
	assert_int_equal(give(w), 0);
	assert_holds(w, "<body>5 \xe2\x82\xac f\xc3\xbcr dich</body>");
}

static const struct {
	const char *name;
	const char *body;
	unsigned code;
} TEXTS[] = {
	{"umlauts and an emoji",       "f\xc3\xbcr \xf0\x9f\x98\x80",            0  },
	{ "tab and line ends",         "a\tb\r\nc\nd",                           0  },
	{ "a control character",       "a\x01z",                                 400},
	{ "an escape",                 "\x1b[31m",                               400},
	{ "a form feed",               "a\fb",				   400},
	{ "U+FFFE",		    "a\xef\xbf\xbez",                         400},
	{ "U+FFFF",		    "a\xef\xbf\xbfz",                         400},
	{ "U+FFFD is a character",     "a\xef\xbf\xbdz",                         0  },
	{ "a surrogate",               "\xed\xa0\x80",                           400},
	{ "an overlong form",          "\xc0\x80",                               400},
	{ "above Unicode",             "\xf4\x90\x80\x80",                       400},
	{ "cut short",                 "abc\xe2\x82",                            400},
	{ "markup",		    "</body></message><message to='evil@x'>", 0  },
	{ "DEL is a character of XML", "\x7f",                                   0  },
	{ "nothing",                   "",				       0  },
};

static void text_xml_cannot_carry_is_refused(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(TEXTS); i++) {
		w->message.body = prim_slice_of(TEXTS[i].body);
		if (give(w) != TEXTS[i].code)
			fail_msg("%s", TEXTS[i].name);
		assert_false(holds(w, "evil@x'>"));
	}
	w->message.body = PRIM_SLICE("a\0b");
	assert_int_equal(give(w), 400);
}

static const struct {
	const char *name;
	const char *from;
	const char *to;
	unsigned code;
	const char *holds;
} ADDRESSES[] = {
	{"escapes",			"im:d'artagnan@prim.example",   "im:a%20b@jabber.example",  0,
         "to=\"a\\20b@jabber.example\""										       },
	{ "capitals",		      "im:ROMEO@PRIM.example",        "im:Juliet@Jabber.Example", 0,
         "from=\"romeo@prim.example\""											},
	{ "an international domain",       "im:romeo@prim.example",
         "im:a@xn--bcher-kva.example",								 0,   "to=\"a@b\xc3\xbc"},
	{ "a sender of another domain",    "im:romeo@other.example",
         "im:juliet@jabber.example",								   403, NULL              },
	{ "a sender XMPP cannot carry",    "im:%F0%9F%98%80@prim.example",
         "im:juliet@jabber.example",								   403, NULL              },
	{ "a recipient XMPP cannot carry", "im:romeo@prim.example",
         "im:%20@jabber.example",								      403, NULL              },
	{ "a recipient on this side",      "im:romeo@prim.example",
         "im:mercutio@prim.example",								   403, NULL              },
	{ "no address",                    "romeo",                        "im:juliet@jabber.example", 400, NULL              },
	{ "a quote in an address",         "im:%22'%22@prim.example",
         "im:juliet@jabber.example",								   0,
         "from=\"\\22\\27\\22@prim.example\""										 },
};

static void addresses_are_mapped_or_refused(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(ADDRESSES); i++) {
		w->message.from = prim_slice_of(ADDRESSES[i].from);
		w->message.to = prim_slice_of(ADDRESSES[i].to);
		if (give(w) != ADDRESSES[i].code)
			fail_msg("%s", ADDRESSES[i].name);
		if (ADDRESSES[i].holds)
			assert_holds(w, ADDRESSES[i].holds);
	}
}

static void the_gateway_speaks_for_other_domains(void **state)
{
	struct world *w = *state;

	w->context.gateway = PRIM_SLICE("gw.prim.example");
	assert_int_equal(give(w), 0);
	assert_false(w->out.via_gateway);
	w->message.from = PRIM_SLICE("im:romeo@other.example");
	w->message.to = PRIM_SLICE("im:a%40far.example@gw.prim.example");
	assert_int_equal(give(w), 0);
	assert_true(w->out.via_gateway);
	assert_holds(w, " from=\"romeo\\40other.example@gw.prim.example\"");
	assert_holds(w, " to=\"a@far.example\"");
	w->message.to = PRIM_SLICE("im:a%40prim.example@gw.prim.example");
	assert_int_equal(give(w), 403);
	w->message.to = PRIM_SLICE("im:a@gw.prim.example");
	assert_int_equal(give(w), 403);
}

static void a_late_message_says_when_it_was_written(void **state)
{
	static const struct {
		const char *date;
		unsigned attempt;
		bool delay;
	} cases[] = {
		{"Mon, 26 Oct 2026 08:53:00 +0000",  1, false},
		{ "Mon, 26 Oct 2026 08:53:00 +0000", 2, true },
		{ "Mon, 26 Oct 2026 08:52:19 +0000", 1, true },
		{ "Mon, 26 Oct 2026 08:59:00 +0000", 2, false},
		{ "nonsense",                        2, false},
	};
	struct world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(cases); i++) {
		w->message.date = prim_slice_of(cases[i].date);
		w->message.attempt = cases[i].attempt;
		assert_int_equal(give(w), 0);
		assert_int_equal(holds(w, "<delay"), cases[i].delay);
	}
}

static void ids_that_cannot_be_shown_are_hashed(void **state)
{
	struct world *w = *state;

	w->message.message_id = PRIM_SLICE("a b");
	assert_int_equal(give(w), 0);
	assert_holds(w, "id=\"p-");
	assert_false(holds(w, "a b"));
	w->message.delivery_id = PRIM_SLICE("a'b c");
	assert_int_equal(give(w), 400);
}

static void threads_come_back_as_they_were(void **state)
{
	static const struct {
		const char *conversation;
		const char *want; /* NULL: none is shown */
	} cases[] = {
		{"e0ffe42b28561960", "<thread>e0ffe42b28561960</thread>"},
		{ "a%20b/%C3%BC",    "<thread>a b/\xc3\xbc</thread>"    },
		{ "a%zz",            "<thread>a%zz</thread>"            },
		{ "%61",             "<thread>%61</thread>"             },
		{ "a%01",            "<thread>a%01</thread>"            },
	};
	struct world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(cases); i++) {
		w->message.conversation_id =
		    prim_slice_of(cases[i].conversation);
		assert_int_equal(give(w), 0);
		assert_holds(w, cases[i].want);
	}
}

static void a_stanza_no_server_takes_is_refused(void **state)
{
	struct world *w = *state;
	struct prim_buf b = { 0 };

	for (int i = 0; i < 100000; i++)
		prim_buf_puts(&b, "0123");
	w->message.body = prim_buf_slice(&b);
	assert_int_equal(give(w), 0);
	for (size_t i = 0; i < b.len; i++)
		b.ptr[i] = '&';
	assert_int_equal(give(w), 400);
	prim_buf_fini(&b);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(plain_text_becomes_a_chat_message),
		TEST(a_cpim_is_unpacked),
		TEST(a_cpim_is_taken_or_refused_by_its_content),
		TEST(another_character_set_is_converted),
		TEST(text_xml_cannot_carry_is_refused),
		TEST(addresses_are_mapped_or_refused),
		TEST(the_gateway_speaks_for_other_domains),
		TEST(a_late_message_says_when_it_was_written),
		TEST(ids_that_cannot_be_shown_are_hashed),
		TEST(threads_come_back_as_they_were),
		TEST(a_stanza_no_server_takes_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
