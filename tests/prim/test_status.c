/* SPDX-License-Identifier: ISC */
/* Status codes: phrases, rank, finality. */

#include "tests/lib/slice.h"

#include "prim/base.h"
#include "prim/status.h"

static void every_assigned_code_has_the_phrase_of_the_drafts(void **state)
{
	static const struct {
		unsigned code;
		const char *phrase;
	} CASES[] = {
		{100,  "Authentication Continued"},
		{ 101, "Unknown Delivery Status" },
		{ 200, "OK"                      },
		{ 201, "Duration Adjusted"       },
		{ 300, "Redirect"                },
		{ 400, "Bad Request"             },
		{ 401, "Unauthorized"            },
		{ 402, "Forbidden"               },
		{ 403, "Resource Not Found"      },
		{ 404, "Subscription Not Found"  },
		{ 406, "Authentication Failed"   },
		{ 407, "Timeout"                 },
		{ 408, "Inbox Is Closed"         },
		{ 409, "Already Authenticated"   },
		{ 410, "AStrength Too Weak"      },
		{ 500, "Internal Server Error"   },
		{ 501, "Not Implemented"         },
		{ 502, "Bad Gateway"             },
		{ 503, "Version Not Supported"   },
		{ 504, "Gateway Timeout"         },
		{ 505, "Too Many Subscriptions"  },
	};

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++)
		assert_string_equal(prim_status_phrase(CASES[i].code),
		    CASES[i].phrase);
}

static void an_unassigned_code_has_the_phrase_of_its_class(void **state)
{
	static const unsigned CASES[] = { 0, 99, 199, 299, 399, 405, 499, 599,
		600, 999, 4294967295U };

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++)
		assert_true(strlen(prim_status_phrase(CASES[i])) > 0);
	assert_string_equal(prim_status_phrase(405), prim_status_phrase(499));
	assert_string_not_equal(prim_status_phrase(299),
	    prim_status_phrase(499));
}

/* ERR-122, and a redirect and the unassigned in the places left. */
static void the_most_positive_answer_wins(void **state)
{
	/* Best first; what is in one row is equal. */
	static const unsigned RANKS[][4] = {
		{200,  201, 299, 200},
		{ 101, 100, 199, 101},
		{ 400, 402, 403, 407},
		{ 408, 408, 408, 408},
		{ 300, 399, 300, 300},
		{ 500, 501, 505, 599},
		{ 600, 999, 600, 0  },
	};

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(RANKS) * 4; i++) {
		for (size_t j = 0; j < PRIM_COUNT(RANKS) * 4; j++) {
			unsigned a = RANKS[i / 4][i % 4];
			unsigned b = RANKS[j / 4][j % 4];

			if (prim_status_better(a, b) != (i / 4 < j / 4))
				fail_msg("%u against %u", a, b);
		}
	}
}

static void only_what_may_still_succeed_is_not_final(void **state)
{
	static const unsigned FINAL[] = { 200, 101, 400, 401, 402, 403, 404,
		405, 408, 410, 501 };
	static const unsigned OPEN[] = { 407, 300, 500, 502, 503, 504, 505,
		599 };

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(FINAL); i++)
		assert_true(prim_status_is_final(FINAL[i]));
	for (size_t i = 0; i < PRIM_COUNT(OPEN); i++)
		assert_false(prim_status_is_final(OPEN[i]));
}

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(
		    every_assigned_code_has_the_phrase_of_the_drafts),
		cmocka_unit_test(
		    an_unassigned_code_has_the_phrase_of_its_class),
		cmocka_unit_test(the_most_positive_answer_wins),
		cmocka_unit_test(only_what_may_still_succeed_is_not_final),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
