/* SPDX-License-Identifier: ISC */
/* Bodies of several parts: RFC 2046 5.1, spec A.1-49, the drafts' record of two
 * tuples. */

#include "tests/lib/slice.h"

#include "prim/base.h"
#include "prim/multipart.h"

#define TYPE "multipart/mixed; boundary=b"

static struct prim_multipart multipart;

static void parse(const char *type, const char *body)
{
	const char *why = "";

	if (!prim_multipart_parse(prim_slice_of(type), prim_slice_of(body),
		&multipart, &why))
		fail_msg("%s: %s", why, body);
}

/* "lines|content|" of each part. */
static void assert_parts(const char *row, const char *expected)
{
	struct prim_buf b = { 0 };

	for (unsigned i = 0; i < multipart.count; i++) {
		prim_buf_put(&b, multipart.parts[i].lines);
		prim_buf_putc(&b, '|');
		prim_buf_put(&b, multipart.parts[i].content);
		prim_buf_putc(&b, '|');
	}
	t_buf_is(row, &b, expected);
	prim_buf_fini(&b);
}

#define HOME                          \
	"<?xml version=\"1.0\"?>\r\n" \
	"<presence identifier=\"pres:suga@x\">\r\n</presence>"
#define PART(id)                                 \
	"Content-Type: application/presence\r\n" \
	"Tuple-ID: " id "\r\n"

static void the_record_of_two_tuples_is_read_in_both_drafts_forms(void **state)
{
	static const struct {
		const char *name, *end;
	} CASES[] = {
		{"closed, D2 14.6",           "--next--\r\n"       },
		{ "closed, and no CRLF",      "--next--"           },
		{ "not closed, D1 15.6",      "--next\r\n"         },
		{ "not closed, and no CRLF",  "--next"             },
		{ "not closed, blank behind", "--next\r\n \r\n\r\n"},
	};
	struct prim_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		prim_buf_reset(&b);
		prim_buf_puts(&b,
		    "--next\r\n" PART("home") "\r\n" HOME "\r\n"
					      "--next\r\n" PART(
						  "office") "\r\n" HOME "\r\n");
		prim_buf_puts(&b, CASES[i].end);
		assert_true(prim_multipart_parse(
		    PRIM_SLICE("multipart/mixed; boundary=\"next\""),
		    prim_buf_slice(&b), &multipart, NULL));
		assert_parts(CASES[i].name,
		    PART("home") "|" HOME "|" PART("office") "|" HOME "|");
	}
	prim_buf_fini(&b);
}

static void a_body_is_cut_into_parts(void **state)
{
	static const struct {
		const char *name, *body, *parts;
	} CASES[] = {
		{"one part",                          "--b\r\n\r\nx\r\n--b--\r\n",                "|x|"                },
		{ "no headers and no content",        "--b\r\n\r\n--b--",                         "||"                 },
		{ "headers and no content",           "--b\r\nA: b\r\n\r\n\r\n--b--",
                 "A: b\r\n||"											  },
		{ "headers and no empty line",        "--b\r\nA: b\r\n\r\n--b--",
                 "A: b\r\n||"											  },
		{ "a preamble",                       "for old readers\r\n--b\r\n\r\nx\r\n--b--",
                 "|x|"												 },
		{ "an epilogue",                      "--b\r\n\r\nx\r\n--b--\r\nno\r\n--b\r\n",
                 "|x|"												 },
		{ "blanks behind a delimiter",        "--b \t\r\n\r\nx\r\n--b-- \r\n",
                 "|x|"												 },
		{ "the last part ends with the body",
                 "--b\r\n\r\nx\r\n--b\r\n\r\ny",                                                  "|x||y|"             },
		{ "an empty line in the content",
                 "--b\r\nA: b\r\n\r\n\r\nx\r\n\r\n--b--",					 "A: b\r\n|\r\nx\r\n|"},
		{ "a delimiter behind a bare LF",
                 "--b\r\n\r\nx\n--b\r\ny\r\n--b--",                                               "|x\n--b\r\ny|"      },
		{ "a delimiter within a line",        "--b\r\n\r\nx --b\r\n--b--",
                 "|x --b|"											     },
		{ "another boundary",                 "--b\r\n\r\n--c\r\nx\r\n--c--\r\n--b--",
                 "|--c\r\nx\r\n--c--|"										 },
		{ "a header without value",           "--b\r\nA:\r\n\r\nx\r\n--b--",
                 "A:\r\n|x|"											   },
	};

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		parse(TYPE, CASES[i].body);
		assert_parts(CASES[i].name, CASES[i].parts);
	}
}

static void what_is_no_multipart_is_refused(void **state)
{
	static const struct {
		const char *name, *type, *body;
	} CASES[] = {
		{"no boundary",                "multipart/mixed",                  "--b\r\n\r\nx\r\n--b--"       },
		{ "an empty boundary",         "multipart/mixed; boundary=\"\"",
                 "--\r\n\r\nx\r\n----"									   },
		{ "a blank at its end",        "multipart/mixed; boundary=\"b \"",
                 "--b \r\n\r\nx\r\n--b --"								       },
		{ "a boundary of 71 octets",
                 "multipart/mixed; boundary="
		    "1234567890123456789012345678901234567890"
		    "1234567890123456789012345678901",			     "--b\r\n\r\nx\r\n--b--"       },
		{ "nothing",                   TYPE,                               ""                            },
		{ "no delimiter",              TYPE,                               "x\r\ny"                      },
		{ "closed at once",            TYPE,                               "--b--\r\n"                   },
		{ "only opened",               TYPE,                               "--b\r\n"                     },
		{ "two delimiters at once",    TYPE,                               "--b\r\n--b--"                },
		{ "no empty line",             TYPE,                               "--b\r\nA: b\r\n--b--"        },
		{ "no end of the headers",     TYPE,                               "--b\r\nA: b"                 },
		{ "a line without colon",      TYPE,                               "--b\r\nA\r\n\r\nx\r\n--b--"  },
		{ "a name with a blank",       TYPE,
                 "--b\r\nA : b\r\n\r\nx\r\n--b--"								},
		{ "no name",                   TYPE,                               "--b\r\n: b\r\n\r\nx\r\n--b--"},
		{ "a folded line",             TYPE,
                 "--b\r\nA: b\r\n c\r\n\r\nx\r\n--b--"							   },
		{ "a control in a header",     TYPE,
                 "--b\r\nA: \x1b\r\n\r\nx\r\n--b--"							      },
		{ "a header that is no UTF-8", TYPE,
                 "--b\r\nA: \xff\r\n\r\nx\r\n--b--"							      },
		{ "a bare LF in the headers",  TYPE,
                 "--b\r\nA: b\nB: c\r\n\r\nx\r\n--b--"							   },
		{ "a header twice",            TYPE,
                 "--b\r\nA: b\r\nB: c\r\na: d\r\n\r\nx\r\n--b--"                                                 },
		{ "more behind a boundary",    TYPE,
                 "--b\r\n\r\nx\r\n--bc\r\n--b--"								 },
		{ "more in the first line",    TYPE,                               "--bc\r\n\r\nx\r\n--b--"      },
		{ "more behind the end",       TYPE,                               "--b\r\n\r\nx\r\n--b--c"      },
	};

	const char *why;

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		why = NULL;
		if (prim_multipart_parse(prim_slice_of(CASES[i].type),
			prim_slice_of(CASES[i].body), &multipart, &why) ||
		    !why)
			fail_msg("%s: accepted", CASES[i].name);
	}
}

/* The opening, `count` times a number in a frame, the end. */
struct many {
	const char *opening, *front, *back, *end;
};

static bool parses(const struct many *m, unsigned count)
{
	struct prim_buf b = { 0 };
	bool ok;

	prim_buf_puts(&b, m->opening);
	for (unsigned i = 0; i < count; i++) {
		prim_buf_puts(&b, m->front);
		prim_buf_putf(&b, "%08x", i);
		prim_buf_puts(&b, m->back);
	}
	prim_buf_puts(&b, m->end);
	ok = prim_multipart_parse(PRIM_SLICE(TYPE), prim_buf_slice(&b),
	    &multipart, NULL);
	prim_buf_fini(&b);
	return ok;
}

static void numbers_are_bounded(void **state)
{
	static const struct many PARTS = { "", "--b\r\n\r\n", "\r\n", "--b--" };
	static const struct many OPEN_PARTS = { "", "--b\r\n\r\n", "\r\n", "" };
	static const struct many HEADERS = { "--b\r\n", "H", ": x\r\n",
		"\r\nx" };
	static const struct many LINE = { "--b\r\nH: ", "", "", "\r\n\r\nx" };

	(void)state;
	assert_true(parses(&PARTS, PRIM_MULTIPART_PARTS_MAX));
	assert_int_equal(multipart.count, PRIM_MULTIPART_PARTS_MAX);
	assert_true(parses(&OPEN_PARTS, PRIM_MULTIPART_PARTS_MAX));
	assert_false(parses(&PARTS, PRIM_MULTIPART_PARTS_MAX + 1));
	assert_true(parses(&HEADERS, PRIM_MULTIPART_HEADERS_MAX));
	assert_false(parses(&HEADERS, PRIM_MULTIPART_HEADERS_MAX + 1));
	assert_true(parses(&LINE, PRIM_MULTIPART_LINE_MAX / 8 - 10));
	assert_false(parses(&LINE, PRIM_MULTIPART_LINE_MAX / 8));
}

static void a_header_is_found_in_any_case(void **state)
{
	(void)state;
	parse(TYPE, "--b\r\nContent-type:  a/b; c=d \r\nTUPLE-ID:x\r\n\r\n.");
	t_slice_is("type",
	    prim_multipart_header(&multipart.parts[0], "Content-Type"),
	    "a/b; c=d");
	t_slice_is("id", prim_multipart_header(&multipart.parts[0], "Tuple-ID"),
	    "x");
	t_slice_is("none", prim_multipart_header(&multipart.parts[0], "Tuple"),
	    "");
}

static void parts_that_were_written_are_read_again(void **state)
{
	static const struct prim_multipart_part PARTS[] = {
		{.lines = T_SLICE("A: b\r\nC: d\r\n"),
                 .content = T_SLICE("x")                                     },
		{ .lines = T_SLICE(""),                .content = T_SLICE("")},
		{ .lines = T_SLICE("E: f\r\n"),
                 .content = T_SLICE("--b\r\n\r\n\0y\r\n--b--\r\n")           },
	};
	struct prim_buf boundary = { 0 }, type = { 0 }, body = { 0 };

	(void)state;
	for (size_t count = 1; count <= PRIM_COUNT(PARTS); count++) {
		prim_buf_reset(&boundary);
		prim_buf_reset(&type);
		prim_buf_reset(&body);
		prim_multipart_put_boundary(&boundary, PARTS, count);
		prim_buf_puts(&type, "multipart/mixed; boundary=");
		prim_buf_put(&type, prim_buf_slice(&boundary));
		prim_multipart_put(&body, prim_buf_slice(&boundary), PARTS,
		    count);
		assert_true(prim_multipart_parse(prim_buf_slice(&type),
		    prim_buf_slice(&body), &multipart, NULL));
		assert_int_equal(multipart.count, count);
		for (size_t i = 0; i < count; i++) {
			assert_true(prim_slice_eq(multipart.parts[i].lines,
			    PARTS[i].lines));
			assert_true(prim_slice_eq(multipart.parts[i].content,
			    PARTS[i].content));
		}
	}
	prim_buf_fini(&boundary);
	prim_buf_fini(&type);
	prim_buf_fini(&body);
}

static void a_boundary_depends_on_the_parts_alone(void **state)
{
	struct prim_multipart_part part = { .content = PRIM_SLICE("x") };
	struct prim_buf a = { 0 }, b = { 0 }, c = { 0 };

	(void)state;
	prim_multipart_put_boundary(&a, &part, 1);
	prim_multipart_put_boundary(&b, &part, 1);
	part.content = prim_buf_slice(&a);
	prim_multipart_put_boundary(&c, &part, 1);
	assert_true(prim_slice_eq(prim_buf_slice(&a), prim_buf_slice(&b)));
	assert_false(prim_slice_eq(prim_buf_slice(&a), prim_buf_slice(&c)));
	assert_true(a.len <= PRIM_MULTIPART_BOUNDARY_MAX);
	prim_buf_fini(&a);
	prim_buf_fini(&b);
	prim_buf_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_record_of_two_tuples_is_read_in_both_drafts_forms),
		cmocka_unit_test(a_body_is_cut_into_parts),
		cmocka_unit_test(what_is_no_multipart_is_refused),
		cmocka_unit_test(numbers_are_bounded),
		cmocka_unit_test(a_header_is_found_in_any_case),
		cmocka_unit_test(parts_that_were_written_are_read_again),
		cmocka_unit_test(a_boundary_depends_on_the_parts_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
