/* SPDX-License-Identifier: ISC */
/* Media types: CPIM-048. */

#include "tests/lib/slice.h"

#include "prim/base.h"
#include "prim/cpim.h"

static void a_type_is_itself_in_any_case_and_with_parameters(void **state)
{
	static const struct {
		const char *value;
		bool is_cpim;
	} CASES[] = {
		{"message/cpim",                 true },
		{ "Message/CPIM",                true },
		{ "message/cpim; x=y",           true },
		{ "message/cpim ;x=y",           true },
		{ " message/cpim ",              true },
		{ "\r\n\tmessage/cpim;\r\n x=y", true },
		{ "",			    false},
		{ "message",                     false},
		{ "message/cpimx",               false},
		{ "message / cpim",              false},
		{ "text/plain; t=message/cpim",  false},
	};

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++)
		t_number_is(CASES[i].value,
		    prim_cpim_type_is(prim_slice_of(CASES[i].value),
			"message/cpim"),
		    CASES[i].is_cpim);
}

static void a_parameter_is_found(void **state)
{
	static const struct {
		const char *value, *charset;
	} CASES[] = {
		{"text/plain",				       ""     },
		{ "text/plain; charset=utf-8",                       "utf-8"},
		{ "text/plain;charset=utf-8",                        "utf-8"},
		{ "text/plain; Charset = utf-8 ; x=y",               "utf-8"},
		{ "text/plain; charset=\"utf-8\"",                   "utf-8"},
		{ "text/plain; charset=\"a;b\"",                     "a;b"  },
		{ "text/plain; x=\"; charset=no\"; charset=yes",     "yes"  },
		{ "text/plain; x=\"\\\"; charset=no\"; charset=yes", "yes"  },
		{ "text/plain; charset=first; charset=second",       "first"},
		{ "text/plain; charset=\"a\\\"b\"",                  ""     },
		{ "text/plain; charset=\"open",                      ""     },
		{ "text/plain; charset=\"",                          ""     },
		{ "text/plain; charset=",                            ""     },
		{ "text/plain; charset",                             ""     },
		{ "text/plain; xcharset=no",                         ""     },
		{ "text/plain;;; charset=yes;",                      "yes"  },
		{ "text/plain;\r\n\tcharset=yes",                    "yes"  },
		{ "text/plain; x=\"\\",                              ""     },
		{ "charset=no",				      ""     },
		{ "",						""     },
	};

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++)
		t_slice_is(CASES[i].value,
		    prim_cpim_type_parameter(prim_slice_of(CASES[i].value),
			"charset"),
		    CASES[i].charset);
}

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(
		    a_type_is_itself_in_any_case_and_with_parameters),
		cmocka_unit_test(a_parameter_is_found),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
