/* SPDX-License-Identifier: ISC */
/* Dates: RFC 1123 as ERR-110 and ERR-111 read it, and RFC 3339. */

#include "tests/lib/slice.h"

#include "prim/base.h"
#include "prim/date.h"

struct row {
	const char *text;
	int64_t ms; /* -1: refused */
};

#define DRAFT_MS 954428374000 /* 2000-03-30 14:59:34 UTC */

static const struct row DATES_1123[] = {
	{"Thu, 30 Mar 2000 09:59:34 -0500",                DRAFT_MS       },
	{ "Thu, 30 Mar 2000 14:59:34 +0000",               DRAFT_MS       },
	{ "Thu, 30 Mar 2000 14:59:34 GMT",                 DRAFT_MS       },
	{ "Thu, 30 Mar 2000 14:59:34 UT",                  DRAFT_MS       },
	{ "Thu, 30 Mar 2000 14:59:34 UTC",                 DRAFT_MS       },
	{ "Thu, 30 Mar 2000 14:59:34 Z",                   DRAFT_MS       },
	{ "Thu, 30 Mar 2000 14:59:34 -0000",               DRAFT_MS       },
	{ "30 Mar 2000 14:59:34 GMT",                      DRAFT_MS       },
	{ "  Thu ,  30   Mar  2000  14 : 59 : 34   GMT  ", DRAFT_MS       },
	{ "Thu,30Mar2000 14:59:34GMT",                     DRAFT_MS       },
	{ "thu, 30 mar 2000 14:59:34 gmt",                 DRAFT_MS       },
 /* ERR-110: it was a Tuesday. */
	{ "Thu, 5 Sep 2000 10:00:00 GMT",                  968148000000   },
	{ "Tue, 05 Sep 2000 10:00:00 GMT",                 968148000000   },
	{ "Tue, 05 Sep 2000 10:00 GMT",                    968148000000   },
	{ "1 Jan 1970 00:00:00 GMT",                       0              },
	{ "31 Dec 9999 23:59:59 GMT",                      253402300799000},
	{ "29 Feb 2000 00:00:00 GMT",                      951782400000   },
	{ "29 Feb 2024 12:30:00 +0530",                    1709190000000  },
	{ "31 Dec 2016 23:59:60 GMT",                      1483228800000  },
	{ "",					      -1             },
	{ "Thu",					   -1             },
	{ "Thu 30 Mar 2000 14:59:34 GMT",                  -1             },
	{ "Thu, 30 Mar 00 14:59:34 GMT",                   -1             },
	{ "Thu, 30 Mar 2000 14:59:34",                     -1             },
	{ "Thu, 30 Mar 2000 14:59:34 EST",                 -1             },
	{ "Thu, 30 Mar 2000 14:59:34 +00",                 -1             },
	{ "Thu, 30 Mar 2000 14:59:34 +00:00",              -1             },
	{ "Thu, 30 Mar 2000 14:59:34 +2400",               -1             },
	{ "Thu, 30 Mar 2000 14:59:34 +0060",               -1             },
	{ "Thu, 30 Mar 2000 14:59:34 GMT x",               -1             },
	{ "Thu, 30 Mar 2000 24:00:00 GMT",                 -1             },
	{ "Thu, 30 Mar 2000 14:60:00 GMT",                 -1             },
	{ "Thu, 30 Mar 2000 14:59:61 GMT",                 -1             },
	{ "Thu, 30 Mar 2000 4:59:34 GMT",                  -1             },
	{ "Thu, 30 Mrz 2000 14:59:34 GMT",                 -1             },
	{ "Thu, 0 Mar 2000 14:59:34 GMT",                  -1             },
	{ "Thu, 32 Mar 2000 14:59:34 GMT",                 -1             },
	{ "29 Feb 2001 00:00:00 GMT",                      -1             },
	{ "29 Feb 2100 00:00:00 GMT",                      -1             },
	{ "31 Apr 2000 00:00:00 GMT",                      -1             },
	{ "31 Dec 1969 23:59:59 GMT",                      -1             },
	{ "1 Jan 1970 00:00:00 +0100",                     -1             },
	{ "31 Dec 9999 23:59:59 -0100",                    -1             },
	{ "30 Mar 20000 14:59:34 GMT",                     -1             },
	{ "Thu,\t30 Mar 2000 14:59:34 GMT",                -1             },
};

static const struct row DATES_3339[] = {
	{"2000-03-30T09:59:34-05:00",                    DRAFT_MS       },
	{ "2000-03-30T14:59:34Z",                        DRAFT_MS       },
	{ "2000-03-30t14:59:34z",                        DRAFT_MS       },
	{ "2000-03-30T09:59:34.25-05:00",                DRAFT_MS + 250 },
	{ "2000-03-30T14:59:34.1Z",                      DRAFT_MS + 100 },
	{ "2000-03-30T14:59:34.001Z",                    DRAFT_MS + 1   },
	{ "2000-03-30T14:59:34.0019999999999999999999Z", DRAFT_MS + 1   },
	{ "2001-02-02T10:48:54-05:00",                   981128934000   },
	{ "2000-12-13T13:40:00-08:00",                   976743600000   },
	{ "1990-12-31T23:59:60Z",                        662688000000   },
	{ "1970-01-01T00:00:00Z",                        0              },
	{ "9999-12-31T23:59:59.999Z",                    253402300799999},
	{ "",					    -1             },
	{ "2000-03-30",				  -1             },
	{ "2000-03-30T14:59:34",                         -1             },
	{ "2000-03-30 14:59:34Z",                        -1             },
	{ "2000-03-30T14:59Z",                           -1             },
	{ "2000-03-30T14:59:34.Z",                       -1             },
	{ "2000-03-30T14:59:34,5Z",                      -1             },
	{ "2000-03-30T14:59:34+0000",                    -1             },
	{ "2000-03-30T14:59:34+24:00",                   -1             },
	{ "2000-03-30T14:59:34Zx",                       -1             },
	{ " 2000-03-30T14:59:34Z",                       -1             },
	{ "2000-3-30T14:59:34Z",                         -1             },
	{ "2000-00-30T14:59:34Z",                        -1             },
	{ "2000-13-30T14:59:34Z",                        -1             },
	{ "2000-02-30T14:59:34Z",                        -1             },
	{ "1900-01-01T00:00:00Z",                        -1             },
	{ "1969-12-31T23:59:59Z",                        -1             },
	{ "20000-03-30T14:59:34Z",                       -1             },
};

typedef bool (*parse_fn)(struct prim_slice s, int64_t *out_ms);

static void check(const struct row *rows, size_t count, parse_fn parse)
{
	for (size_t i = 0; i < count; i++) {
		int64_t ms = -1;

		t_number_is(rows[i].text,
		    parse(prim_slice_of(rows[i].text), &ms), rows[i].ms >= 0);
		t_number_is(rows[i].text, ms, rows[i].ms);
	}
}

static void rfc_1123_dates_are_read(void **state)
{
	(void)state;
	check(DATES_1123, PRIM_COUNT(DATES_1123), prim_date_parse_1123);
}

static void rfc_3339_dates_are_read(void **state)
{
	(void)state;
	check(DATES_3339, PRIM_COUNT(DATES_3339), prim_date_parse_3339);
}

static void dates_are_written_in_utc(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	prim_date_put_1123(&b, DRAFT_MS + 999);
	t_buf_is("1123", &b, "Thu, 30 Mar 2000 14:59:34 +0000");
	prim_buf_reset(&b);
	prim_date_put_3339(&b, DRAFT_MS);
	t_buf_is("3339", &b, "2000-03-30T14:59:34Z");
	prim_buf_reset(&b);
	prim_date_put_3339(&b, DRAFT_MS + 250);
	t_buf_is("3339 with a fraction", &b, "2000-03-30T14:59:34.250Z");
	prim_buf_reset(&b);
	prim_date_put_1123(&b, 968148000000);
	t_buf_is("the right weekday", &b, "Tue, 05 Sep 2000 10:00:00 +0000");
	prim_buf_fini(&b);
}

static void instants_nobody_can_write_become_the_nearest(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	prim_date_put_3339(&b, INT64_MIN);
	t_buf_is("past", &b, "1970-01-01T00:00:00Z");
	prim_buf_reset(&b);
	prim_date_put_3339(&b, INT64_MAX);
	t_buf_is("future", &b, "9999-12-31T23:59:59.999Z");
	prim_buf_fini(&b);
}

/* Every day of four centuries and more, and odd times on it. */
static void what_is_written_is_read_back(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	for (int64_t ms = 0; ms < 16000000000000; ms += 86400000 + 7777) {
		int64_t back;

		prim_buf_reset(&b);
		prim_date_put_3339(&b, ms);
		assert_true(prim_date_parse_3339(prim_buf_slice(&b), &back));
		assert_true(back == ms);
		prim_buf_reset(&b);
		prim_date_put_1123(&b, ms);
		assert_true(prim_date_parse_1123(prim_buf_slice(&b), &back));
		assert_true(back == ms / 1000 * 1000);
	}
	prim_buf_fini(&b);
}

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(rfc_1123_dates_are_read),
		cmocka_unit_test(rfc_3339_dates_are_read),
		cmocka_unit_test(dates_are_written_in_utc),
		cmocka_unit_test(instants_nobody_can_write_become_the_nearest),
		cmocka_unit_test(what_is_written_is_read_back),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
