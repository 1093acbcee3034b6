/* SPDX-License-Identifier: ISC */
/* Taking message/cpim apart: CPIM-046..080, the examples of RFC 3862. */

#include "tests/lib/slice.h"

#include <stdio.h>

#include "prim/base.h"
#include "prim/cpim.h"
#include "tests/prim/cpim.h"

static struct prim_cpim cpim;

/* RFC 3862 5.1. */
#define EXAMPLE_HEADERS                                             \
	"From: MR SANDERS <im:piglet@100akerwood.com>\r\n"          \
	"To: Depressed Donkey <im:eeyore@100akerwood.com>\r\n"      \
	"DateTime: 2000-12-13T13:40:00-08:00\r\n"                   \
	"Subject: the weather will be fine today\r\n"               \
	"Subject:;lang=fr beau temps prevu pour aujourd'hui\r\n"    \
	"NS: MyFeatures <mid:MessageFeatures@id.foo.com>\r\n"       \
	"Require: MyFeatures.VitalMessageOption\r\n"                \
	"MyFeatures.VitalMessageOption: Confirmation-requested\r\n" \
	"MyFeatures.WackyMessageOption: Use-silly-font\r\n"
#define EXAMPLE_CONTENT "<body>\r\nHere is the text of my message.\r\n</body>"
#define EXAMPLE                                                     \
	EXAMPLE_HEADERS "\r\n"                                      \
			"Content-type: text/xml; charset=utf-8\r\n" \
			"Content-ID: <1234567890@foo.com>\r\n"      \
			"\r\n" EXAMPLE_CONTENT

#define FEATURES "mid:MessageFeatures@id.foo.com"

static void parse(const char *text)
{
	const char *why = "";

	if (!prim_cpim_parse(prim_slice_of(text), &cpim, &why))
		fail_msg("%s: %s", why, text);
}

static void assert_header(unsigned i, const char *uri, const char *name,
    const char *value)
{
	assert_true(i < cpim.header_count);
	t_slice_is("uri", cpim.headers[i].uri, uri);
	t_slice_is("name", cpim.headers[i].name, name);
	t_slice_is("value", cpim.headers[i].value, value);
}

static void the_example_of_the_rfc_is_taken_apart(void **state)
{
	(void)state;
	parse(EXAMPLE);
	assert_int_equal(cpim.header_count, 9);
	assert_header(0, PRIM_CPIM_CORE, "From",
	    "MR SANDERS <im:piglet@100akerwood.com>");
	assert_header(3, PRIM_CPIM_CORE, "Subject",
	    "the weather will be fine today");
	t_slice_is("no lang", cpim.headers[3].lang, "");
	assert_header(4, PRIM_CPIM_CORE, "Subject",
	    "beau temps prevu pour aujourd'hui");
	t_slice_is("lang", cpim.headers[4].lang, "fr");
	assert_header(5, PRIM_CPIM_CORE, "NS", "MyFeatures <" FEATURES ">");
	assert_header(7, FEATURES, "VitalMessageOption",
	    "Confirmation-requested");
	assert_header(8, FEATURES, "WackyMessageOption", "Use-silly-font");
	assert_int_equal(cpim.content_header_count, 2);
	t_slice_is("type", prim_cpim_content_header(&cpim, "CONTENT-TYPE"),
	    "text/xml; charset=utf-8");
	t_slice_is("id", prim_cpim_content_header(&cpim, "Content-ID"),
	    "<1234567890@foo.com>");
	t_slice_is("absent", prim_cpim_content_header(&cpim, "Content"), "");
	t_slice_is("content", cpim.content, EXAMPLE_CONTENT);
}

/* Only what is built by our own writers; values are octets already escaped. */
static void the_example_is_built_again_octet_for_octet(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	parse(EXAMPLE);
	for (unsigned i = 0; i < cpim.header_count; i++) {
		const struct prim_cpim_header *h = &cpim.headers[i];
		bool is_ours = prim_slice_eq(h->uri, PRIM_SLICE(FEATURES));
		char name[64];

		snprintf(name, sizeof(name), "%s%.*s",
		    is_ours ? "MyFeatures." : "", PRIM_SLICE_ARG(h->name));
		prim_cpim_put_text(&b, name, h->lang, h->value);
	}
	t_buf_is("headers", &b, EXAMPLE_HEADERS);
	prim_cpim_put_content(&b,
	    prim_cpim_content_header(&cpim, "Content-Type"), PRIM_SLICE_NONE);
	prim_buf_put(&b, cpim.content);
	t_buf_is("object", &b,
	    EXAMPLE_HEADERS "\r\nContent-type: text/xml; charset=utf-8\r\n"
			    "\r\n" EXAMPLE_CONTENT);
	prim_buf_fini(&b);
}

static void content_may_be_empty_or_folded(void **state)
{
	(void)state;
	parse(NEEDED CONTENT);
	assert_int_equal(cpim.content.len, 0);
	parse(NEEDED "\r\nContent-Type: multipart/mixed;\r\n"
		     "\tboundary=\"x y\"\r\nContent-ID:\r\n <a@b>\r\n\r\n--x");
	t_slice_is("folded", prim_cpim_content_header(&cpim, "Content-Type"),
	    "multipart/mixed;\r\n\tboundary=\"x y\"");
	assert_true(prim_cpim_type_is(prim_cpim_content_header(&cpim,
					  "content-type"),
	    "multipart/mixed"));
	t_slice_is("boundary",
	    prim_cpim_type_parameter(prim_cpim_content_header(&cpim,
					 "content-type"),
		"boundary"),
	    "x y");
	assert_int_equal(cpim.content_header_count, 2);
	t_slice_is("content", cpim.content, "--x");
}

/* IMDN-032: the examples of RFC 5438 have no empty line there. Where there is
 * one, it is heeded. */
static void the_empty_line_before_content_headers_may_be_missing(void **state)
{
	(void)state;
	parse(NEEDED "content-TYPE: text/plain\r\nContent-Length: 5\r\n\r\n"
		     "a: b\r\n");
	assert_int_equal(cpim.header_count, 3);
	assert_int_equal(cpim.content_header_count, 2);
	t_slice_is("content", cpim.content, "a: b\r\n");
	parse(NEEDED "Content-Foo: x\r\n" CONTENT "hi");
	assert_int_equal(cpim.header_count, 4);
	assert_int_equal(cpim.content_header_count, 1);
	t_slice_is("content", cpim.content, "hi");
	assert_false(prim_cpim_parse(PRIM_SLICE(NEEDED "Content-Length: 5\r\n"
						       "\r\nhi"),
	    &cpim, NULL));
	assert_false(prim_cpim_parse(PRIM_SLICE("From: <im:a@b>\r\n"
						"Content-Type: a/b\r\n\r\n"),
	    &cpim, NULL));
}

/* RFC 3862 3.4: three ways to say the same. */
static void a_prefix_means_its_namespace(void **state)
{
	static const char URI[] = "http://id.acme.widgets/wily-headers/";
	static const char *const CASES[] = {
		NEEDED "NS: acme <http://id.acme.widgets/wily-headers/>\r\n"
		       "acme.runner-trap: set\r\n" CONTENT,
		NEEDED "NS: widget <http://id.acme.widgets/wily-headers/>\r\n"
		       "widget.runner-trap: set\r\n" CONTENT,
		NEEDED "NS: <http://id.acme.widgets/wily-headers/>\r\n"
		       "runner-trap: set\r\n" CONTENT,
	};

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		const struct prim_cpim_header *h;

		parse(CASES[i]);
		h = prim_cpim_find(&cpim, URI, "runner-trap");
		assert_non_null(h);
		t_slice_is("value", h->value, "set");
		assert_null(prim_cpim_find(&cpim, PRIM_CPIM_CORE,
		    "runner-trap"));
		assert_null(prim_cpim_find(&cpim, URI, "Runner-Trap"));
	}
}

static void a_declaration_holds_from_there_on(void **state)
{
	(void)state;
	parse(NEEDED "NS: p <x:1>\r\np.h: one\r\nNS: p <x:2>\r\np.h: two\r\n"
		     "NS: <x:3>\r\nh: three\r\nNS: q <x:4>\r\nq.h: four\r\n"
		     "Require: h\r\nSubject: not of the core\r\n" CONTENT);
	t_slice_is("one", prim_cpim_find(&cpim, "x:1", "h")->value, "one");
	t_slice_is("two", prim_cpim_find(&cpim, "x:2", "h")->value, "two");
	t_slice_is("three", prim_cpim_find(&cpim, "x:3", "h")->value, "three");
	/* CPIM-068. */
	t_slice_is("four", prim_cpim_find(&cpim, "x:4", "h")->value, "four");
	assert_non_null(prim_cpim_find(&cpim, PRIM_CPIM_CORE, "Require"));
	assert_null(prim_cpim_find(&cpim, PRIM_CPIM_CORE, "Subject"));
	assert_non_null(prim_cpim_find(&cpim, "x:3", "Subject"));
}

/* CPIM-080: others than To, cc, Subject, NS, Require: the first wins. */
static void the_first_of_several_wins(void **state)
{
	(void)state;
	parse(NEEDED "From: <im:evil@b>\r\n" CONTENT);
	t_slice_is("From", prim_cpim_find(&cpim, PRIM_CPIM_CORE, "From")->value,
	    "<im:a@b>");
}

static void a_requirement_is_met_or_named(void **state)
{
	static const struct prim_cpim_known KNOWN[] = {
		{FEATURES,        "VitalMessageOption"},
		{ PRIM_CPIM_CORE, "Subject"           },
	};

	/* clang-format off */
	static const struct {
		const char *name, *lines, *unmet;
	} CASES[] = {
		{ "none", "", NULL },
		{ "core", "Require: Subject\r\n", NULL },
		{ "unknown", "Require: Locale\r\n", "Locale" },
		{ "3.5",
		    "NS: My <" FEATURES
		    ">\r\nRequire: My.VitalMessageOption\r\n",
		    NULL },
		{ "two",
		    "NS: My <" FEATURES ">\r\n"
		    "Require: Subject,My.VitalMessageOption\r\n",
		    NULL },
		{ "the second of two",
		    "NS: My <" FEATURES ">\r\n"
		    "Require: Subject,My.MustRenderKanji\r\n",
		    "My.MustRenderKanji" },
		{ "the second header",
		    "Require: Subject\r\nRequire: subject\r\n", "subject" },
		{ "the name of another namespace",
		    "NS: My <x:y>\r\nRequire: My.VitalMessageOption\r\n",
		    "My.VitalMessageOption" },
		{ "declared too late",
		    "Require: My.VitalMessageOption\r\n"
		    "NS: My <" FEATURES ">\r\n",
		    "My.VitalMessageOption" },
		{ "empty name", "Require: Subject,,Subject\r\n", "" },
	};
	/* clang-format on */
	struct prim_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		struct prim_slice unmet = PRIM_SLICE("untouched");

		prim_buf_reset(&b);
		prim_buf_putf(&b, "%s%s%s", NEEDED, CASES[i].lines, CONTENT);
		assert_true(prim_cpim_parse(prim_buf_slice(&b), &cpim, NULL));
		t_number_is(CASES[i].name,
		    prim_cpim_require_met(&cpim, KNOWN, PRIM_COUNT(KNOWN),
			&unmet),
		    CASES[i].unmet == NULL);
		t_slice_is(CASES[i].name, unmet,
		    CASES[i].unmet ? CASES[i].unmet : "untouched");
	}
	prim_buf_fini(&b);
}

static bool parse_many(const char *line, unsigned headers, unsigned contents)
{
	struct prim_buf b = { 0 };
	bool is_taken;

	prim_buf_puts(&b, NEEDED);
	for (unsigned i = 0; i < headers; i++)
		prim_buf_puts(&b, line);
	prim_buf_puts(&b, "\r\nContent-Type: text/plain\r\n");
	for (unsigned i = 0; i < contents; i++)
		prim_buf_puts(&b, line);
	prim_buf_puts(&b, "\r\n");
	is_taken = prim_cpim_parse(prim_buf_slice(&b), &cpim, NULL);
	prim_buf_fini(&b);
	return is_taken;
}

static void counts_and_lengths_are_bounded(void **state)
{
	char *line = prim_alloc(PRIM_CPIM_LINE_MAX + 4);

	(void)state;
	assert_true(parse_many("x: y\r\n", PRIM_CPIM_HEADERS_MAX - 3, 0));
	assert_int_equal(cpim.header_count, PRIM_CPIM_HEADERS_MAX);
	assert_false(parse_many("x: y\r\n", PRIM_CPIM_HEADERS_MAX - 2, 0));
	assert_true(parse_many("x: y\r\n", 0,
	    PRIM_CPIM_CONTENT_HEADERS_MAX - 1));
	assert_false(parse_many("x: y\r\n", 0, PRIM_CPIM_CONTENT_HEADERS_MAX));
	memset(line, 'y', PRIM_CPIM_LINE_MAX);
	memcpy(line, "x: ", 3);
	memcpy(line + PRIM_CPIM_LINE_MAX, "\r\n", 3);
	assert_true(parse_many(line, 1, 1));
	memcpy(line + PRIM_CPIM_LINE_MAX, "y\r\n", 4);
	assert_false(parse_many(line, 1, 0));
	assert_false(parse_many(line, 0, 1));
	prim_free(line);
}

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(the_example_of_the_rfc_is_taken_apart),
		cmocka_unit_test(the_example_is_built_again_octet_for_octet),
		cmocka_unit_test(content_may_be_empty_or_folded),
		cmocka_unit_test(
		    the_empty_line_before_content_headers_may_be_missing),
		cmocka_unit_test(a_prefix_means_its_namespace),
		cmocka_unit_test(a_declaration_holds_from_there_on),
		cmocka_unit_test(the_first_of_several_wins),
		cmocka_unit_test(a_requirement_is_met_or_named),
		cmocka_unit_test(counts_and_lengths_are_bounded),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
