/* SPDX-License-Identifier: ISC */
#include "tests/lib/t.h"

#include "adapters/fault/order.h"
#include "prim/base.h"

static const struct {
	const char *text;
	enum fa_verb verb;
	unsigned number, ms;
	const char *address;
} GOOD[] = {
	{"ok",		       FA_OK,        0,    0,    ""               },
	{ "refuse",                  FA_REFUSE,    402,  0,    ""               },
	{ "refuse-403",              FA_REFUSE,    403,  0,    ""               },
	{ "late-2000",               FA_LATE,      2000, 0,    ""               },
	{ "die-3",		   FA_DIE,       3,    0,    ""               },
	{ "spoof+alice%40localhost", FA_SPOOF,     0,    0,    "alice@localhost"},
	{ "spoof+a-b%40x",           FA_SPOOF,     0,    0,    "a-b@x"          },
	{ "try+read%3A%2Fetc",       FA_TRY,       0,    0,    "read:/etc"      },
	{ "silence",                 FA_SILENCE,   0,    0,    ""               },
	{ "transient",               FA_TRANSIENT, 0,    0,    ""               },
	{ "grant-5",                 FA_GRANT,     5,    0,    ""               },
	{ "watch",		   FA_WATCH,     3600, 0,    ""               },
	{ "forget-0",                FA_FORGET,    0,    0,    ""               },
	{ "bounce",                  FA_BOUNCE,    408,  1000, ""               },
	{ "bounce-200",              FA_BOUNCE,    200,  1000, ""               },
	{ "bounce--20",              FA_BOUNCE,    408,  20,   ""               },
	{ "bounce-403-0",            FA_BOUNCE,    403,  0,    ""               },
	{ "dieafter-30",             FA_DIEAFTER,  30,   0,    ""               },
	{ "dup",		     FA_DUP,       1,    0,    ""               },
	{ "as+a%40x%3Db%40y",        FA_AS,        0,    0,    "a@x=b@y"        },
	{ "link+b%40y",              FA_LINK,      0,    0,    "b@y"            },
};

static void an_order_is_read(void **state)
{
	struct fa_order order;

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(GOOD); i++) {
		assert_true(fa_order_parse(prim_slice_of(GOOD[i].text),
		    &order));
		assert_int_equal(order.verb, GOOD[i].verb);
		assert_int_equal(order.number, GOOD[i].number);
		assert_int_equal(order.ms, GOOD[i].ms);
		assert_true(prim_slice_eq(prim_buf_slice(&order.address),
		    prim_slice_of(GOOD[i].address)));
		fa_order_fini(&order);
	}
}

static void what_is_no_order_is_none(void **state)
{
	static const char *const BAD[] = { "", "bob", "OK", "late-x",
		"late-1000001", "bounce-1-x", "bounce-1-2-3",
		"bounce-408-1000001", "spoof+%4", "ok%20" };
	struct fa_order order;

	(void)state;
	for (unsigned i = 0; i < PRIM_COUNT(BAD); i++) {
		assert_false(fa_order_parse(prim_slice_of(BAD[i]), &order));
		fa_order_fini(&order);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_is_read),
		cmocka_unit_test(what_is_no_order_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
