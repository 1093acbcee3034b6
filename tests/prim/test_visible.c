/* SPDX-License-Identifier: ISC */
#include "tests/lib/t.h"

#include <string.h>

#include "prim/base.h"
#include "prim/visible.h"

static const struct {
	const char *name;
	const char *text;
	const char *want; /* on one line */
	const char *want_lines;
} CASES[] = {
	{"nothing",				      "",			  "",					     ""                         },
	{ "plain words",				 "good morning",              "good morning",                                 "good morning"             },
	{ "umlauts and emoji",                           "\xC3\xBC \xF0\x9F\x98\x80",
         "\xC3\xBC \xF0\x9F\x98\x80",												 "\xC3\xBC \xF0\x9F\x98\x80"},
	{ "a joined emoji keeps its joiner",
         "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB",			      "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB",
         "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x92\xBB"													  },
	{ "a tab stays",				 "a\tb",                      "a\tb",					 "a\tb"                     },
	{ "a backslash stays",                           "C:\\n",                     "C:\\n",                                        "C:\\n"                    },
	{ "an escape sequence",                          "\x1B[2J\x07",               "\\x1B[2J\\x07",
         "\\x1B[2J\\x07"																	 },
	{ "a title sequence in C1",
         "\xC2\x9D"
	    "0;x",								    "\\u{009D}0;x",				 "\\u{009D}0;x"             },
	{ "delete",				      "a\x7F",                     "a\\x7F",				       "a\\x7F"                   },
	{ "a second line cannot pose as another sender", "hi\nboss@x: pay",
         "hi\\nboss@x: pay",													  "hi\n  boss@x: pay"        },
	{ "CRLF is one break",                           "a\r\nb",                    "a\\r\\nb",                                     "a\n  b"                   },
	{ "a lone CR cannot overwrite",                  "aaa\rb",                    "aaa\\rb",                                      "aaa\\rb"                  },
	{ "a last line break",                           "a\n",                       "a\\n",                                         "a\n  "                    },
	{ "the line separator",
         "a\xE2\x80\xA8"
	    "b",								      "a\\u{2028}b",				  "a\\u{2028}b"              },
	{ "a right-to-left override",
         "\xE2\x80\xAE"
	    "fdp.exe",								"\\u{202E}fdp.exe",                             "\\u{202E}fdp.exe"         },
	{ "Hebrew itself stays",                         "\xD7\xA9\xD7\x9C",          "\xD7\xA9\xD7\x9C",
         "\xD7\xA9\xD7\x9C"																      },
	{ "Latin-1",				     "caf\xE9!",                  "caf\\xE9!",                                    "caf\\xE9!"                },
	{ "an overlong slash",                           "\xC0\xAF",                  "\\xC0\\xAF",                                   "\\xC0\\xAF"               },
	{ "a character that is cut off",                 "\xE2\x82",                  "\\xE2\\x82",
         "\\xE2\\x82"																	    },
};

static void check(const char *name, struct prim_buf *b, const char *want)
{
	if (!prim_slice_eq(prim_buf_slice(b), prim_slice_of(want)))
		fail_msg("%s: got '%.*s'", name, (int)b->len,
		    b->ptr ? b->ptr : "");
	prim_buf_fini(b);
}

static void foreign_text_cannot_steer_a_terminal(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		struct prim_buf b = { 0 };

		prim_visible_put(&b, prim_slice_of(CASES[i].text));
		check(CASES[i].name, &b, CASES[i].want);
		prim_visible_put_lines(&b, prim_slice_of(CASES[i].text), "  ");
		check(CASES[i].name, &b, CASES[i].want_lines);
	}
}

static void a_nul_octet_is_written_out(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	prim_visible_put(&b, prim_slice_make("a\0b", 3));
	check("nul", &b, "a\\x00b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(foreign_text_cannot_steer_a_terminal),
		cmocka_unit_test(a_nul_octet_is_written_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
