/* SPDX-License-Identifier: ISC */
/* The two tables of errors, each row of them. */

#include "tests/lib/t.h"

#include <string.h>

#include "adapters/xmpp/errors.h"
#include "adapters/xmpp/text.h"
#include "prim/base.h"

static const struct {
	unsigned code;
	const char *condition; /* NULL: no failure */
	const char *type;
} CODES[] = {
	{100,  NULL,		      NULL    },
	{ 101, NULL,		      NULL    },
	{ 102, NULL,		      NULL    },
	{ 200, NULL,		      NULL    },
	{ 201, NULL,		      NULL    },
	{ 299, NULL,		      NULL    },
	{ 300, "remote-server-not-found", "cancel"},
	{ 301, "remote-server-not-found", "cancel"},
	{ 400, "bad-request",             "modify"},
	{ 401, "remote-server-timeout",   "cancel"},
	{ 402, "forbidden",               "auth"  },
	{ 403, "item-not-found",          "cancel"},
	{ 404, "bad-request",             "modify"},
	{ 406, "remote-server-timeout",   "cancel"},
	{ 407, "remote-server-timeout",   "wait"  },
	{ 408, "service-unavailable",     "cancel"},
	{ 409, "bad-request",             "modify"},
	{ 410, "policy-violation",        "modify"},
	{ 499, "bad-request",             "modify"},
	{ 500, "internal-server-error",   "cancel"},
	{ 501, "feature-not-implemented", "cancel"},
	{ 502, "remote-server-not-found", "cancel"},
	{ 503, "not-acceptable",          "modify"},
	{ 504, "remote-server-timeout",   "wait"  },
	{ 505, "resource-constraint",     "wait"  },
	{ 599, "internal-server-error",   "cancel"},
	{ 600, "internal-server-error",   "cancel"},
};

static void every_status_has_its_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CODES); i++) {
		const struct xa_error *e = xa_error_of_code(CODES[i].code);

		if (!e != !CODES[i].condition)
			fail_msg("%u", CODES[i].code);
		if (!e)
			continue;
		assert_string_equal(e->condition, CODES[i].condition);
		assert_string_equal(e->type, CODES[i].type);
	}
}

static const struct {
	const char *condition;
	unsigned code;
} CONDITIONS[] = {
	{"bad-request",              400},
	{ "conflict",                400},
	{ "feature-not-implemented", 501},
	{ "forbidden",               402},
	{ "gone",		    403},
	{ "internal-server-error",   500},
	{ "item-not-found",          403},
	{ "jid-malformed",           400},
	{ "not-acceptable",          400},
	{ "not-allowed",             402},
	{ "not-authorized",          402},
	{ "policy-violation",        402},
	{ "recipient-unavailable",   408},
	{ "redirect",                403},
	{ "registration-required",   402},
	{ "remote-server-not-found", 502},
	{ "remote-server-timeout",   504},
	{ "resource-constraint",     500},
	{ "service-unavailable",     408},
	{ "subscription-required",   402},
	{ "undefined-condition",     500},
	{ "unexpected-request",      400},
	{ "something-new",           500},
};

static void every_condition_has_its_status(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CONDITIONS); i++)
		assert_int_equal(xa_error_code(CONDITIONS[i].condition),
		    CONDITIONS[i].code);
}

static void a_language_is_letters_then_subtags(void **state)
{
	static const char *const good[] = { "de", "en-GB", "zh-Hant-TW",
		"i-default", "x-klingon", "es-419" };
	static const char *const bad[] = { "", "-", "de-", "-de", "d--e", "4d",
		"de_AT", "verylonglanguage", "de ", "d\"", "de-verylongtag" };

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(good); i++)
		assert_true(xa_text_language_ok(prim_slice_of(good[i])));
	for (size_t i = 0; i < PRIM_COUNT(bad); i++)
		assert_false(xa_text_language_ok(prim_slice_of(bad[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_status_has_its_error),
		cmocka_unit_test(every_condition_has_its_status),
		cmocka_unit_test(a_language_is_letters_then_subtags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
