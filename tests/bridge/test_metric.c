/* SPDX-License-Identifier: ISC */
/* Metrics: counting, and the text Prometheus reads. */

#include "tests/lib/t.h"

#include <stdio.h>
#include <string.h>

#include "bridge/metric.h"
#include "prim/base.h"

static char *put_all(void)
{
	struct prim_buf b = { 0 };

	br_metric_put_all(&b);
	return prim_buf_steal(&b);
}

static void a_counter_counts_and_a_gauge_is_set(void **state)
{
	(void)state;
	br_metric_add(BR_METRIC_LOGINS, 2);
	br_metric_add(BR_METRIC_LOGINS, 3);
	br_metric_set(BR_METRIC_CONNECTIONS, 7);
	assert_int_equal(br_metric_get(BR_METRIC_LOGINS), 5);
	assert_int_equal(br_metric_get(BR_METRIC_CONNECTIONS), 7);
}

static void every_metric_has_help_type_and_value(void **state)
{
	char *text = put_all();
	size_t lines = 0;

	(void)state;
	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	/* Two kinds of notices share the head of the first. */
	assert_int_equal(lines, 3 * BR_METRIC_COUNT - 2 * 2 + 4);
	assert_null(strstr(text, "(null)"));
	assert_non_null(strstr(text,
	    "# HELP primd_logins_total Logins that succeeded.\n"
	    "# TYPE primd_logins_total counter\n"
	    "primd_logins_total 5\n"));
	assert_non_null(strstr(text,
	    "# TYPE primd_connections gauge\n"
	    "primd_connections 7\n"));
	prim_free(text);
}

static void what_waits_is_told_by_destination(void **state)
{
	char *text;

	(void)state;
	br_metric_destination_set("inbox", 3, 60);
	br_metric_destination_set("adapter:inbox", 1, 2);
	br_metric_destination_set("inbox", 4, 61);
	text = put_all();
	assert_non_null(strstr(text,
	    "# TYPE primd_outbox_destination_messages gauge\n"
	    "primd_outbox_destination_messages{destination=\"inbox\"} 4\n"
	    "primd_outbox_destination_messages{destination=\"adapter:inbox\"} "
	    "1\n"
	    "# HELP "));
	assert_non_null(strstr(text,
	    "# TYPE primd_outbox_destination_oldest_seconds gauge\n"
	    "primd_outbox_destination_oldest_seconds{destination=\"inbox\"} "
	    "61\n"));
	prim_free(text);
}

static void the_kinds_of_notices_are_one_metric_with_a_label(void **state)
{
	char *text;

	(void)state;
	br_metric_add(BR_METRIC_NOTICES_FAILED, 1);
	br_metric_add(BR_METRIC_NOTICES_DELIVERED, 3);
	br_metric_set(BR_METRIC_OUTBOX_OLDEST_S, 61);
	text = put_all();
	assert_non_null(strstr(text,
	    "# TYPE primd_notices_total counter\n"
	    "primd_notices_total{kind=\"failed\"} 1\n"
	    "primd_notices_total{kind=\"delayed\"} 0\n"
	    "primd_notices_total{kind=\"delivered\"} 3\n"
	    "# HELP "));
	assert_non_null(strstr(text,
	    "# TYPE primd_outbox_oldest_seconds gauge\n"
	    "primd_outbox_oldest_seconds 61\n"));
	prim_free(text);
}

static void one_name_of_two_adapters_is_one_group(void **state)
{
	char *text;

	(void)state;
	assert_true(br_metric_adapter_set("xmpp", PRIM_SLICE("up"), 1));
	assert_true(br_metric_adapter_set("xmpp", PRIM_SLICE("in_total"), 5));
	assert_true(br_metric_adapter_set("mail", PRIM_SLICE("up"), 0));
	assert_true(br_metric_adapter_set("xmpp", PRIM_SLICE("up"), -2));
	text = put_all();
	assert_non_null(strstr(text,
	    "# HELP primd_adapter_in_total Told by an adapter.\n"
	    "# TYPE primd_adapter_in_total counter\n"
	    "primd_adapter_in_total{adapter=\"xmpp\"} 5\n"
	    "# HELP primd_adapter_up Told by an adapter.\n"
	    "# TYPE primd_adapter_up gauge\n"
	    "primd_adapter_up{adapter=\"mail\"} 0\n"
	    "primd_adapter_up{adapter=\"xmpp\"} -2\n"));
	prim_free(text);
}

static const struct {
	const char *name;
	const char *adapter;
	const char *metric;
} REFUSED[] = {
	{"no name",             "x",    ""                  },
	{ "upper case",         "x",    "Up"                },
	{ "a digit",            "x",    "a1"                },
	{ "the end of a line",  "x",    "a\n"               },
	{ "49 letters",         "x",
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
	{ "no adapter",         "",     "a"                 },
	{ "a quote in adapter", "x\"y", "a"                 },
};

static void names_that_could_break_the_text_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(REFUSED); i++)
		if (br_metric_adapter_set(REFUSED[i].adapter,
			prim_slice_of(REFUSED[i].metric), 1))
			fail_msg("taken: %s", REFUSED[i].name);
}

static void an_adapter_has_at_most_64(void **state)
{
	char name[4] = "aa";
	int taken = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		name[0] = (char)('a' + i / 26);
		name[1] = (char)('a' + i % 26);
		taken += br_metric_adapter_set("many", prim_slice_of(name), i);
	}
	assert_int_equal(taken, 64);
	assert_true(br_metric_adapter_set("many", PRIM_SLICE("aa"), 9));
	assert_true(br_metric_adapter_set("other", PRIM_SLICE("zz"), 9));
}

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(a_counter_counts_and_a_gauge_is_set),
		cmocka_unit_test(every_metric_has_help_type_and_value),
		cmocka_unit_test(what_waits_is_told_by_destination),
		cmocka_unit_test(
		    the_kinds_of_notices_are_one_metric_with_a_label),
		cmocka_unit_test(one_name_of_two_adapters_is_one_group),
		cmocka_unit_test(names_that_could_break_the_text_are_refused),
		cmocka_unit_test(an_adapter_has_at_most_64),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
