/* SPDX-License-Identifier: ISC */
/* The component stream: every way to cut it, every cap, every trick. */

#include "tests/lib/t.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "adapters/xmpp/stanza.h"
#include "adapters/xmpp/stream.h"
#include "prim/base.h"

#define OPEN                                               \
	"<?xml version='1.0'?><stream:stream "             \
	"xmlns:stream='http://etherx.jabber.org/streams' " \
	"xmlns='jabber:component:accept' from='c.example' id='3BF96D32'>"

struct world {
	xmpp_ctx_t *xmpp;
	struct xa_stream *stream;
	struct prim_buf log; /* what was told, one a line */
	bool pause;
};

static void on_opened(void *ctx, struct prim_slice id)
{
	struct world *w = ctx;

	prim_buf_putf(&w->log, "open %.*s\n", PRIM_SLICE_ARG(id));
}

static void on_stanza(void *ctx, xmpp_stanza_t *stanza)
{
	struct world *w = ctx;

	xa_stanza_put(&w->log, stanza);
	prim_buf_putc(&w->log, '\n');
	if (w->pause)
		xa_stream_pause(w->stream);
}

static void on_refused(void *ctx, xmpp_stanza_t *head)
{
	struct world *w = ctx;

	prim_buf_putf(&w->log, "refused %s id=%.*s\n",
	    xmpp_stanza_get_name(head),
	    PRIM_SLICE_ARG(xa_stanza_get(head, "id")));
}

static const struct xa_stream_ops OPS = {
	.opened = on_opened,
	.stanza = on_stanza,
	.refused = on_refused,
};

static int setup(void **state)
{
	struct world *w = prim_new(struct world);

	w->xmpp = xa_stanza_context();
	w->stream = xa_stream_new(w->xmpp, &OPS, w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	xa_stream_free(w->stream);
	xmpp_ctx_free(w->xmpp);
	prim_buf_fini(&w->log);
	prim_free(w);
	return 0;
}

static enum xa_stream_status feed(struct world *w, const char *text)
{
	return xa_stream_feed(w->stream, prim_slice_of(text));
}

static void renew(struct world *w)
{
	xa_stream_free(w->stream);
	w->stream = xa_stream_new(w->xmpp, &OPS, w);
	prim_buf_reset(&w->log);
}

static const char *told(struct world *w)
{
	prim_buf_putc(&w->log, '\0');
	w->log.len--;
	return w->log.ptr;
}

static const char TALK[] = OPEN
    "<message from='a@b.example/\xc3\xbc' to='c@c.example' xml:lang='de'>"
    "<body>x &lt; y &amp;&amp; \"z\" &#x1F600;</body>"
    "<x xmlns='some:thing' xmlns:p='q' p:attr='dropped' attr='kept'>"
    "<![CDATA[<not a='tag\">]] >]]></x></message>\n \n"
    "<iq type='get' id='1' note='a > b'><ping xmlns='urn:xmpp:ping'/></iq>"
    "<presence from='a@b.example' status=\"it's\"/>"
    "</stream:stream>";

static void a_stream_may_be_cut_anywhere(void **state)
{
	struct world *w = *state;
	enum xa_stream_status status = XA_STREAM_MORE;
	char *whole;

	assert_int_equal(feed(w, TALK), XA_STREAM_ENDED);
	whole = prim_slice_copy(prim_buf_slice(&w->log));
	assert_non_null(strstr(whole, "open 3BF96D32\n"));
	assert_non_null(strstr(whole, "&quot;z&quot; \xf0\x9f\x98\x80"));
	assert_non_null(strstr(whole, "attr=\"kept\""));
	assert_null(strstr(whole, "dropped"));
	assert_non_null(strstr(whole, "&lt;not a='tag&quot;&gt;]] &gt;</x>"));
	assert_non_null(strstr(whole, "note=\"a &gt; b\""));
	for (size_t cut = 1; cut < sizeof(TALK) - 1; cut++) {
		renew(w);
		status = xa_stream_feed(w->stream, prim_slice_make(TALK, cut));
		assert_int_equal(status, XA_STREAM_MORE);
		status = feed(w, TALK + cut);
		assert_int_equal(status, XA_STREAM_ENDED);
		assert_string_equal(told(w), whole);
	}
	renew(w);
	for (size_t i = 0; i < sizeof(TALK) - 1; i++)
		status = xa_stream_feed(w->stream,
		    prim_slice_make(TALK + i, 1));
	assert_int_equal(status, XA_STREAM_ENDED);
	assert_string_equal(told(w), whole);
	prim_free(whole);
}

static const struct {
	const char *name;
	const char *text;
} BROKEN[] = {
	{"a DOCTYPE",			       "<!DOCTYPE x [<!ENTITY a 'b'>]><x/>"   },
	{ "a DOCTYPE behind the declaration",
         "<?xml version='1.0'?><!DOCTYPE stream>"                                          },
	{ "not a stream",			   "<html>"                               },
	{ "a stream of another namespace",
         "<stream xmlns='http://example.org/'>"                                            },
	{ "a comment",			      OPEN "<!-- x -->"                      },
	{ "an instruction",                         OPEN "<?php x ?>"                      },
	{ "an entity nobody declared",              OPEN "<message>&a;</message>"          },
	{ "tags that cross",                        OPEN "<message><body></message></body>"},
	{ "a prefix nobody declared",               OPEN "<p:message/>"                    },
	{ "an attribute twice",                     OPEN "<message a='1' a='2'/>"          },
	{ "not UTF-8",			      OPEN "<message>\xff</message>"         },
	{ "a control character",                    OPEN "<message>\x01</message>"         },
	{ "a reference to one",                     OPEN "<message>&#1;</message>"         },
	{ "a surrogate",			    OPEN "<message>&#xD800;</message>"     },
	{ "another encoding claimed is not heeded",
         "<?xml version='1.0' encoding='iso-8859-1'?><stream:stream "
	    "xmlns:stream='http://etherx.jabber.org/streams'><a>\xe4</a>"                  },
};

static void what_no_server_sends_breaks_the_stream(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(BROKEN); i++) {
		renew(w);
		if (feed(w, BROKEN[i].text) != XA_STREAM_BAD)
			fail_msg("%s", BROKEN[i].name);
		assert_true(strlen(xa_stream_why(w->stream)) > 0);
	}
}

static void an_entity_bomb_does_not_go_off(void **state)
{
	struct world *w = *state;
	struct prim_buf b = { 0 };

	prim_buf_puts(&b, "<!DOCTYPE x [<!ENTITY a0 'aaaaaaaaaa'>");
	for (int i = 1; i < 10; i++)
		prim_buf_putf(&b,
		    "<!ENTITY a%d '&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;'>", i, i - 1,
		    i - 1, i - 1, i - 1, i - 1, i - 1);
	prim_buf_puts(&b, "]><x>&a9;</x>");
	assert_int_equal(xa_stream_feed(w->stream, prim_buf_slice(&b)),
	    XA_STREAM_BAD);
	prim_buf_fini(&b);
}

static void put_times(struct prim_buf *b, const char *text, int times)
{
	for (int i = 0; i < times; i++)
		prim_buf_puts(b, text);
}

/* A stanza over a cap, put between two that are not: it is refused, and they
 * come through. */
static void assert_refused(struct world *w, struct prim_buf *big)
{
	struct prim_slice rest;

	renew(w);
	assert_int_equal(feed(w, OPEN "<message id='before'/>"),
	    XA_STREAM_MORE);
	for (rest = prim_buf_slice(big); rest.len;
	     rest = prim_slice_from(rest, 4096)) {
		struct prim_slice chunk = rest;

		if (chunk.len > 4096)
			chunk.len = 4096;
		assert_int_equal(xa_stream_feed(w->stream, chunk),
		    XA_STREAM_MORE);
	}
	assert_int_equal(feed(w, "<message id='after'/>"), XA_STREAM_MORE);
	assert_string_equal(told(w),
	    "open 3BF96D32\n"
	    "<message id=\"before\" xmlns=\"jabber:component:accept\"/>\n"
	    "refused message id=big\n"
	    "<message id=\"after\" xmlns=\"jabber:component:accept\"/>\n");
	prim_buf_fini(big);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void a_stanza_too_deep_is_refused(void **state)
{
	struct prim_buf b = { 0 };

	prim_buf_puts(&b, "<message id='big'>");
	put_times(&b, "<a>", XA_STREAM_DEPTH_MAX);
	put_times(&b, "</a>", XA_STREAM_DEPTH_MAX);
	prim_buf_puts(&b, "</message>");
	assert_refused(*state, &b);
	prim_buf_puts(&b, "<message id='big'>");
	put_times(&b, "<a>", 70000);
	put_times(&b, "</a>", 70000);
	prim_buf_puts(&b, "</message>");
	assert_refused(*state, &b);
}

static void a_stanza_with_too_many_children_is_refused(void **state)
{
	struct prim_buf b = { 0 };
	double begin = seconds();

	prim_buf_puts(&b, "<message id='big'>");
	put_times(&b, "<a/>", 62000);
	prim_buf_puts(&b, "</message>");
	assert_refused(*state, &b);
	prim_buf_puts(&b, "<message id='big'>");
	put_times(&b, "x<a/>", XA_STREAM_NODES_MAX / 2);
	prim_buf_puts(&b, "</message>");
	assert_refused(*state, &b);
	assert_true(seconds() - begin < 2);
}

static void a_stanza_too_long_is_refused(void **state)
{
	struct prim_buf b = { 0 };

	prim_buf_puts(&b, "<message id='big'><body>");
	put_times(&b, "0123456789abcdef", XA_STREAM_STANZA_MAX / 16);
	prim_buf_puts(&b, "</body></message>");
	assert_refused(*state, &b);
	prim_buf_puts(&b, "<message id='big'><body>");
	put_times(&b, "&amp;", XA_STREAM_STANZA_MAX / 5 + 1);
	prim_buf_puts(&b, "</body><x/></message>");
	assert_refused(*state, &b);
}

static void a_stanza_with_too_many_attributes_is_refused(void **state)
{
	struct prim_buf b = { 0 };

	prim_buf_puts(&b, "<message id='big'");
	for (int i = 0; i < XA_STREAM_ATTRIBUTES_MAX; i++)
		prim_buf_putf(&b, " a%d='x'", i);
	prim_buf_puts(&b, "><body>x</body></message>");
	assert_refused(*state, &b);
	prim_buf_puts(&b, "<message id='big'><x");
	for (int i = 0; i <= XA_STREAM_ATTRIBUTES_MAX; i++)
		prim_buf_putf(&b, " a%d='x'", i);
	prim_buf_puts(&b, "/></message>");
	assert_refused(*state, &b);
}

/* A server writes a user's 256 KiB of quote signs as 1.5 MiB. */
static void a_huge_attribute_is_refused_and_costs_little(void **state)
{
	struct prim_buf b = { 0 };
	double begin = seconds();

	prim_buf_puts(&b, "<message id='big'><x a='");
	put_times(&b, "&apos;>", 300000);
	prim_buf_puts(&b, "'/></message>");
	assert_refused(*state, &b);
	prim_buf_puts(&b, "<message id='big' a='");
	put_times(&b, "&quot;", 300000);
	prim_buf_puts(&b, "'/>");
	assert_refused(*state, &b);
	assert_true(seconds() - begin < 2);
}

static void a_tag_that_never_ends_breaks_the_stream(void **state)
{
	struct world *w = *state;
	enum xa_stream_status status = feed(w, OPEN "<message a='");
	static char chunk[65536];
	size_t fed = 0;

	memset(chunk, 'a', sizeof(chunk));
	while (status == XA_STREAM_MORE &&
	    fed < 2 * (size_t)XA_STREAM_TAG_MAX) {
		status = xa_stream_feed(w->stream,
		    prim_slice_make(chunk, sizeof(chunk)));
		fed += sizeof(chunk);
	}
	assert_int_equal(status, XA_STREAM_BAD);
	assert_true(fed <= XA_STREAM_TAG_MAX + sizeof(chunk));
}

static void half_a_megabyte_of_newlines_is_quick(void **state)
{
	struct world *w = *state;
	struct prim_buf b = { 0 };
	double begin = seconds();

	feed(w, OPEN);
	prim_buf_puts(&b, "<message id='1'><body>");
	put_times(&b, "\n", 500000);
	prim_buf_puts(&b, "</body></message>");
	for (int i = 0; i < 4; i++)
		assert_int_equal(xa_stream_feed(w->stream, prim_buf_slice(&b)),
		    XA_STREAM_MORE);
	assert_true(seconds() - begin < 1);
	assert_true(w->log.len > (size_t)4 * 500000);
	prim_buf_fini(&b);
}

static void a_large_attribute_comes_at_once(void **state)
{
	struct world *w = *state;
	struct prim_buf b = { 0 };

	feed(w, OPEN);
	prim_buf_puts(&b, "<message id='");
	put_times(&b, "x", 40000);
	prim_buf_puts(&b, "'/>");
	for (size_t at = 0; at < b.len; at += 1000) {
		struct prim_slice chunk = prim_slice_from(prim_buf_slice(&b),
		    at);

		if (chunk.len > 1000)
			chunk.len = 1000;
		xa_stream_feed(w->stream, chunk);
	}
	assert_true(w->log.len > 40000);
	prim_buf_fini(&b);
}

static void a_paused_stream_tells_nothing(void **state)
{
	struct world *w = *state;

	w->pause = true;
	assert_int_equal(feed(w,
			     OPEN "<message/><iq/><presence/></stream:stream>"),
	    XA_STREAM_PAUSED);
	assert_null(strstr(told(w), "<iq"));
	assert_int_equal(xa_stream_resume(w->stream), XA_STREAM_PAUSED);
	assert_non_null(strstr(told(w), "<iq"));
	assert_null(strstr(told(w), "<presence"));
	w->pause = false;
	assert_int_equal(xa_stream_resume(w->stream), XA_STREAM_ENDED);
	assert_non_null(strstr(told(w), "<presence"));
}

static void a_tag_cut_behind_a_pause_is_kept(void **state)
{
	struct world *w = *state;

	w->pause = true;
	assert_int_equal(feed(w, OPEN "<message/><iq id='hal"),
	    XA_STREAM_PAUSED);
	w->pause = false;
	assert_int_equal(xa_stream_resume(w->stream), XA_STREAM_MORE);
	assert_int_equal(feed(w, "f'/>"), XA_STREAM_MORE);
	assert_non_null(strstr(told(w), "id=\"half\""));
}

static void a_stream_freed_in_the_middle_leaks_nothing(void **state)
{
	struct world *w = *state;

	feed(w, OPEN "<message id='1'><body>text<x><y a='1'");
	renew(w);
	feed(w, OPEN "<message id='1'><body>text<x>text");
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stream_may_be_cut_anywhere),
		TEST(what_no_server_sends_breaks_the_stream),
		TEST(an_entity_bomb_does_not_go_off),
		TEST(a_stanza_too_deep_is_refused),
		TEST(a_stanza_with_too_many_children_is_refused),
		TEST(a_stanza_too_long_is_refused),
		TEST(a_stanza_with_too_many_attributes_is_refused),
		TEST(a_huge_attribute_is_refused_and_costs_little),
		TEST(a_tag_that_never_ends_breaks_the_stream),
		TEST(half_a_megabyte_of_newlines_is_quick),
		TEST(a_large_attribute_comes_at_once),
		TEST(a_paused_stream_tells_nothing),
		TEST(a_tag_cut_behind_a_pause_is_kept),
		TEST(a_stream_freed_in_the_middle_leaks_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
