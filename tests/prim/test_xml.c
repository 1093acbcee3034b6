/* SPDX-License-Identifier: ISC */
/* Reading XML within bounds, and text that goes out as it comes in. */

#include "tests/lib/slice.h"

#include "prim/base.h"
#include "prim/xml.h"

/* What was seen, as text. */
struct seen {
	struct prim_buf b;
	const char *stop_at; /* this element ends the reading, or NULL */
};

static const char *on_start(void *ctx, const struct prim_xml_element *e)
{
	struct seen *s = ctx;
	struct prim_slice value;

	prim_buf_putf(&s->b, "<%.*s:%.*s", PRIM_SLICE_ARG(e->ns),
	    PRIM_SLICE_ARG(e->name));
	if (prim_xml_attribute(e, NULL, "a", &value))
		prim_buf_putf(&s->b, " a=%.*s", PRIM_SLICE_ARG(value));
	if (prim_xml_attribute(e, "urn:n", "a", &value))
		prim_buf_putf(&s->b, " n:a=%.*s", PRIM_SLICE_ARG(value));
	if (prim_xml_attribute(e, PRIM_XML_NS, "lang", &value))
		prim_buf_putf(&s->b, " lang=%.*s", PRIM_SLICE_ARG(value));
	prim_buf_putc(&s->b, '>');
	if (s->stop_at && prim_slice_eq(e->name, prim_slice_of(s->stop_at)))
		return "stopped";
	return NULL;
}

static const char *on_text(void *ctx, struct prim_slice text)
{
	struct seen *s = ctx;

	prim_buf_put(&s->b, text);
	return NULL;
}

static const char *on_end(void *ctx)
{
	struct seen *s = ctx;

	prim_buf_puts(&s->b, "</>");
	return NULL;
}

static const struct prim_xml_ops OPS = { on_start, on_text, on_end };
static const struct prim_xml_bounds BOUNDS = { .depth = 4, .elements = 6 };

/* clang-format off */
static const struct {
	const char *name;
	const char *xml;
	const char *seen;
	const char *why; /* NULL: the end was reached */
} CASES[] = {
	{ "an element", "<r/>", "<:r></>", NULL },
	{ "namespaces", "<r xmlns='urn:d' xmlns:n='urn:n'><n:x/><x/></r>",
	    "<urn:d:r><urn:n:x></><urn:d:x></></>", NULL },
	{ "attributes are in no namespace, or in their own",
	    "<r xmlns='urn:n' xmlns:n='urn:n' n:a='1' a='2' b='3'/>",
	    "<urn:n:r a=2 n:a=1></>", NULL },
	{ "language", "<r xml:lang='de'/>", "<:r lang=de></>", NULL },
	{ "text in pieces", "<r>a&lt;b<![CDATA[&]]>c&#xe4;</r>",
	    "<:r>a<b&c\xc3\xa4</>", NULL },
	{ "line ends", "<r>a\r\nb\rc</r>", "<:r>a\nb\nc</>", NULL },
	{ "around the root", "<?xml version='1.0'?>\n<!--x--><?y?><r/>\n<!---->",
	    "<:r></>", NULL },
	{ "as deep as it may be", "<r><a><b><c/></b></a></r>",
	    "<:r><:a><:b><:c></></></></>", NULL },
	{ "too deep", "<r><a><b><c><d/></c></b></a></r>", "<:r><:a><:b><:c>",
	    "elements too deep in each other" },
	{ "as many as there may be", "<r><a/><b/><c/><d/><e/></r>",
	    "<:r><:a></><:b></><:c></><:d></><:e></></>", NULL },
	{ "too many", "<r><a/><b/><c/><d/><e/><f/></r>",
	    "<:r><:a></><:b></><:c></><:d></><:e></>", "too many elements" },
	{ "stopped", "<r>x<stop/>y</r>", "<:r>x<:stop>", "stopped" },
	{ "stopped before what is broken", "<r><stop></r>", "<:r><:stop>",
	    "stopped" },
	{ "broken", "<r></s>", "<:r>", "mismatched tag" },
	{ "a DOCTYPE", "<!DOCTYPE r><r/>", "", "a DOCTYPE" },
	{ "a DOCTYPE behind a comment", "<!-- --><!DOCTYPE r><r/>", "",
	    "a DOCTYPE" },
	{ "a DOCTYPE from outside",
	    "<!DOCTYPE r PUBLIC 'x' 'http://127.0.0.1/x'><r/>", "",
	    "a DOCTYPE" },
	{ "a DOCTYPE with attributes",
	    "<!DOCTYPE r [<!ATTLIST r a CDATA '1'>]><r/>", "", "a DOCTYPE" },
	{ "a DOCTYPE that is broken later", "<!DOCTYPE r [ <broken", "",
	    "a DOCTYPE" },
	{ "a parameter entity", "<!DOCTYPE r [<!ENTITY % a '%a;'> %a;]><r/>", "",
	    "a DOCTYPE" },
	{ "an instruction in capitals", "<?XML version='1.0'?><r/>", "",
	    "not well-formed (invalid token)" },
};

/* clang-format on */

static void a_document_is_seen_in_order_as_far_as_it_is_good(void **state)
{
	struct seen s = { .stop_at = "stop" };

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		const char *why;

		prim_buf_reset(&s.b);
		why = prim_xml_parse(prim_slice_of(CASES[i].xml), &BOUNDS, &OPS,
		    &s);
		t_slice_is(CASES[i].name, prim_slice_of(why ? why : "none"),
		    CASES[i].why ? CASES[i].why : "none");
		t_buf_is(CASES[i].name, &s.b, CASES[i].seen);
	}
	prim_buf_fini(&s.b);
}

/* A billion times "lol", and nothing of it is ever made: what comes behind the
 * beginning of the DOCTYPE is not even looked at. */
static void a_bomb_of_entities_costs_nothing(void **state)
{
	struct seen s = { 0 };
	struct prim_buf xml = { 0 };

	(void)state;
	prim_buf_puts(&xml,
	    "<?xml version='1.0'?><!DOCTYPE r ["
	    "<!ENTITY l0 'lol'>");
	for (int i = 1; i < 10; i++) {
		prim_buf_putf(&xml, "<!ENTITY l%d '", i);
		for (int k = 0; k < 10; k++)
			prim_buf_putf(&xml, "&l%d;", i - 1);
		prim_buf_puts(&xml, "'>");
	}
	prim_buf_puts(&xml, "]><r a='&l9;'>&l9;</r>");
	t_slice_is("bomb",
	    prim_slice_of(prim_xml_parse(prim_buf_slice(&xml), &BOUNDS, &OPS,
		&s)),
	    "a DOCTYPE");
	assert_int_equal(s.b.len, 0);
	prim_buf_fini(&xml);
	prim_buf_fini(&s.b);
}

static void nothing_is_no_document(void **state)
{
	struct seen s = { 0 };

	(void)state;
	assert_non_null(prim_xml_parse(PRIM_SLICE_NONE, &BOUNDS, &OPS, &s));
	assert_int_equal(s.b.len, 0);
}

static const struct {
	struct prim_slice text;
	bool is_text;
	bool is_name;
} TEXTS[] = {
	{T_SLICE(""),                  true,  false},
	{ T_SLICE("a"),                true,  true },
	{ T_SLICE("_-.0"),             true,  true },
	{ T_SLICE("0a"),               true,  false},
	{ T_SLICE("-a"),               true,  false},
	{ T_SLICE(".a"),               true,  false},
	{ T_SLICE("a:b"),              true,  false},
	{ T_SLICE("a b"),              true,  false},
	{ T_SLICE("a/b"),              true,  false},
	{ T_SLICE("\t\r\n"),           true,  false},
	{ T_SLICE("a\0b"),             false, false},
	{ T_SLICE("\x01"),             false, false},
	{ T_SLICE("\x0b"),             false, false},
	{ T_SLICE("\x1f"),             false, false},
	{ T_SLICE("\x7f"),             true,  false},
	{ T_SLICE("\xc2\xb7"),         true,  false}, /* middle dot */
	{ T_SLICE("a\xc2\xb7"),        true,  true },
	{ T_SLICE("\xc3\x97"),         true,  false}, /* times */
	{ T_SLICE("\xc3\xa4"),         true,  true },
	{ T_SLICE("\xcc\x81"),         true,  false}, /* combining acute */
	{ T_SLICE("e\xcc\x81"),        true,  true },
	{ T_SLICE("\xef\xbf\xbd"),     true,  true }, /* U+FFFD */
	{ T_SLICE("\xef\xbf\xbe"),     false, false}, /* U+FFFE */
	{ T_SLICE("\xef\xbf\xbf"),     false, false},
	{ T_SLICE("\xed\xa0\x80"),     false, false}, /* U+D800 */
	{ T_SLICE("\xf0\x9f\x98\x80"), true,  true },
	{ T_SLICE("\xf4\x8f\xbf\xbf"), true,  false}, /* U+10FFFF */
	{ T_SLICE("a\xff"),            false, false},
	{ T_SLICE("a\xc3"),            false, false},
};

static void what_xml_can_hold_is_told_from_what_it_cannot(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(TEXTS); i++) {
		struct prim_slice text = TEXTS[i].text;

		if (prim_xml_text_ok(text) != TEXTS[i].is_text ||
		    prim_xml_ncname_ok(text) != TEXTS[i].is_name)
			fail_msg("row %zu", i);
	}
}

static void all_text_comes_back_as_it_went_out(void **state)
{
	struct seen s = { 0 };
	struct prim_buf xml = { 0 }, expected = { 0 };

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(TEXTS); i++) {
		struct prim_slice text = TEXTS[i].text;

		if (!TEXTS[i].is_text)
			continue;
		prim_buf_reset(&xml);
		prim_buf_puts(&xml, "<r");
		prim_xml_put_attribute(&xml, "a", text);
		prim_buf_putc(&xml, '>');
		prim_xml_put_text(&xml, text);
		prim_xml_put_element(&xml, "e", text);
		prim_buf_puts(&xml, "</r>");
		prim_buf_reset(&expected);
		prim_buf_putf(&expected, "<:r a=%.*s>%.*s<:e>%.*s</></>",
		    PRIM_SLICE_ARG(text), PRIM_SLICE_ARG(text),
		    PRIM_SLICE_ARG(text));
		prim_buf_reset(&s.b);
		assert_null(prim_xml_parse(prim_buf_slice(&xml), &BOUNDS, &OPS,
		    &s));
		assert_true(prim_slice_eq(prim_buf_slice(&s.b),
		    prim_buf_slice(&expected)));
	}
	prim_buf_fini(&xml);
	prim_buf_fini(&expected);
	prim_buf_fini(&s.b);
}

static void blanks_are_trimmed_as_xml_has_them(void **state)
{
	(void)state;
	t_slice_is("all", prim_xml_trim(PRIM_SLICE(" \t\r\na b\n\r\t ")),
	    "a b");
	t_slice_is("nothing left", prim_xml_trim(PRIM_SLICE(" \n")), "");
	t_slice_is("no more than that", prim_xml_trim(PRIM_SLICE("\xc2\xa0")),
	    "\xc2\xa0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_document_is_seen_in_order_as_far_as_it_is_good),
		cmocka_unit_test(a_bomb_of_entities_costs_nothing),
		cmocka_unit_test(nothing_is_no_document),
		cmocka_unit_test(what_xml_can_hold_is_told_from_what_it_cannot),
		cmocka_unit_test(all_text_comes_back_as_it_went_out),
		cmocka_unit_test(blanks_are_trimmed_as_xml_has_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
