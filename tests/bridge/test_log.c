/* SPDX-License-Identifier: ISC */
/* The log: what a line looks like, where it goes, what is remembered. */

#include "tests/lib/t.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bridge/log.h"
#include "bridge/metric.h"
#include "prim/base.h"
#include "prim/buf.h"

static struct prim_buf seen; /* lines, each with its end */
static int64_t now;

static int64_t test_now(void)
{
	return now;
}

static void see(void *arg, struct prim_slice line)
{
	(void)arg;
	prim_buf_put(&seen, line);
	prim_buf_putc(&seen, '\n');
}

static void assert_seen(const char *expected)
{
	struct prim_buf copy = seen;
	char *text;

	prim_buf_init(&seen);
	text = prim_buf_steal(&copy);
	assert_string_equal(text, expected);
	prim_free(text);
}

static int set_up(void **state)
{
	(void)state;
	now = 1795333068123; /* 2026-11-22T07:37:48.123Z */
	br_log_set_clock(test_now);
	br_log_set_sink(see, NULL);
	br_log_set_level(BR_LOG_INFO);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	prim_buf_fini(&seen);
	br_log_set_sink(NULL, NULL);
	br_log_set_clock(NULL);
	return 0;
}

static void a_line_names_time_level_and_the_chain_of_makers(void **state)
{
	struct br_log root, xmpp, alice;

	(void)state;
	br_log_init(&root, NULL, "");
	br_log_init(&xmpp, &root, "xmpp");
	br_log_init(&alice, &xmpp, "alice");
	br_info(&alice, "gone reason=%s", "idle");
	now += 1;
	br_warn(&root, "slow");
	now += 1000;
	br_error(NULL, "nobody");
	assert_seen("2026-11-22T07:37:48.123Z info xmpp/alice: gone "
		    "reason=idle\n"
		    "2026-11-22T07:37:48.124Z warn slow\n"
		    "2026-11-22T07:37:49.124Z error nobody\n");
}

static void debug_lines_are_only_there_when_wanted(void **state)
{
	struct br_log root;

	(void)state;
	br_log_init(&root, NULL, "a");
	br_debug(&root, "one");
	br_log_set_level(BR_LOG_DEBUG);
	br_debug(&root, "two");
	br_log_set_level(BR_LOG_ERROR);
	br_warn(&root, "three");
	assert_seen("2026-11-22T07:37:48.123Z debug a: two\n");
}

static void a_level_has_a_name(void **state)
{
	enum br_level level = BR_LOG_ERROR;

	(void)state;
	assert_true(br_log_level_find("debug", &level));
	assert_int_equal(level, BR_LOG_DEBUG);
	assert_string_equal(br_log_level_name(BR_LOG_WARN), "warn");
	assert_false(br_log_level_find("loud", &level));
}

static void nothing_can_write_a_second_line(void **state)
{
	struct br_log root;

	(void)state;
	br_log_init(&root, NULL, "a b\nc");
	br_info(&root, "x=%s", "1\r\n2026 error forged\x1b[2J");
	assert_seen("2026-11-22T07:37:48.123Z info a?b?c: "
		    "x=1??2026 error forged?[2J\n");
}

static void a_long_name_is_cut(void **state)
{
	struct br_log root;
	char name[100];

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	br_log_init(&root, NULL, name);
	assert_int_equal(strlen(root.name), BR_LOG_NAME_MAX - 1);
}

static void a_long_line_is_cut_and_says_so(void **state)
{
	static char text[10000];
	struct br_log root;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	br_log_init(&root, NULL, "a");
	br_info(&root, "%s", text);
	assert_int_equal(seen.len, 4097);
	assert_memory_equal(seen.ptr + 4090, "xxx...\n", 7);
	prim_buf_reset(&seen);
}

#define A50  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A199 A50 A50 A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *name;
	struct prim_slice in;
	const char *out;
} QUOTES[] = {
	{"a plain word",         { "im:a-b@c.d/+1_", 14 }, "im:a-b@c.d/+1_"  },
	{ "nothing",             { "", 0 },                "\"\""            },
	{ "a space",             { "a b", 3 },             "\"a b\""         },
	{ "a NUL",               { "a\0b", 3 },            "\"a\\x00b\""     },
	{ "an equals sign",      { "a=b", 3 },             "\"a=b\""         },
	{ "quotes, backslashes", { "\"\\", 2 },            "\"\\\"\\\\\""    },
	{ "line ends and a tab", { "\r\n\t", 3 },          "\"\\r\\n\\t\""   },
	{ "escape and delete",   { "\x1b\x7f", 2 },        "\"\\x1b\\x7f\""  },
	{ "UTF-8",               { "\xc3\xbc", 2 },        "\"\xc3\xbc\""    },
	{ "not UTF-8",           { "\xc0\xaf", 2 },        "\"\\xc0\\xaf\""  },
	{ "a cut character",     { "\xe2\x82", 2 },        "\"\\xe2\\x82\""  },
	{ "a C1 control",        { "\xc2\x9b", 2 },        "\"\\xc2\\x9b\""  },
	{ "200 octets",          { A199 "b", 200 },        A199 "b"          },
	{ "201 octets",          { A199 "bc", 201 },       "\"" A199 "b...\""},
	{ "no half a character", { A199 "\xc3\xbc", 201 }, "\"" A199 "...\"" },
};

static void what_peers_wrote_is_quoted(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(QUOTES); i++) {
		const char *out = br_quote(QUOTES[i].in);

		if (strcmp(out, QUOTES[i].out) != 0)
			fail_msg("%s: %s", QUOTES[i].name, out);
	}
}

static void a_quote_lives_until_the_eighth_next(void **state)
{
	const char *first = br_quote(PRIM_SLICE("first"));

	(void)state;
	for (int i = 0; i < 7; i++)
		br_quote(PRIM_SLICE("other"));
	assert_string_equal(first, "first");
	br_quote(PRIM_SLICE("other"));
	assert_string_equal(first, "other");
}

static void the_ring_finds_what_was_logged_oldest_first(void **state)
{
	struct br_log root;

	(void)state;
	br_log_init(&root, NULL, "ring");
	br_info(&root, "id=needle-1 first");
	br_debug(&root, "id=needle-1 unseen");
	br_info(&root, "id=other");
	br_warn(&root, "id=needle-1 second");
	prim_buf_reset(&seen);
	br_log_search(PRIM_SLICE("needle-1"), see, NULL);
	assert_seen("2026-11-22T07:37:48.123Z info ring: id=needle-1 first\n"
		    "2026-11-22T07:37:48.123Z warn ring: id=needle-1 second\n");
}

static void count(void *arg, struct prim_slice line)
{
	size_t *len = arg;

	assert_true(prim_slice_starts(line, PRIM_SLICE("2026-")));
	*len += line.len + 1;
}

static void the_ring_forgets_the_oldest_whole_lines(void **state)
{
	static char text[3001];
	struct br_log root;
	size_t len = 0;

	(void)state;
	memset(text, 'y', sizeof(text) - 1);
	br_log_init(&root, NULL, "full");
	br_info(&root, "the oldest");
	for (int i = 0; i < 3000; i++)
		br_info(&root, "%s", text);
	br_log_search(PRIM_SLICE("the oldest"), see, NULL);
	prim_buf_reset(&seen);
	br_log_search(PRIM_SLICE(""), count, &len);
	assert_in_range(len, 4 * 1024 * 1024 - 4096, 4 * 1024 * 1024);
}

/* Reads what is in the pipe behind standard error. */
static size_t take(int fd, char *text, size_t size)
{
	const ssize_t n = read(fd, text, size - 1);

	text[n > 0 ? n : 0] = '\0';
	return n > 0 ? (size_t)n : 0;
}

static void lines_wait_for_a_flush_but_errors_do_not(void **state)
{
	const int64_t lines = br_metric_get(BR_METRIC_LOG_LINES);
	const int keep = dup(STDERR_FILENO);
	char text[1000];
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	br_log_set_sink(NULL, NULL);
	br_info(NULL, "waits");
	br_error(NULL, "now");
	take(ends[0], text, sizeof(text));
	br_info(NULL, "later");
	br_log_flush();
	dup2(keep, STDERR_FILENO);
	assert_string_equal(text,
	    "2026-11-22T07:37:48.123Z info waits\n"
	    "2026-11-22T07:37:48.123Z error now\n");
	take(ends[0], text, sizeof(text));
	assert_string_equal(text, "2026-11-22T07:37:48.123Z info later\n");
	assert_int_equal(br_metric_get(BR_METRIC_LOG_LINES), lines + 3);
	close(ends[0]);
	close(ends[1]);
	close(keep);
}

static void a_log_that_nobody_reads_stops_nothing(void **state)
{
	const int keep = dup(STDERR_FILENO);
	char line[2000];
	int ends[2];

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	br_log_set_sink(NULL, NULL);
	alarm(10);
	for (int i = 0; i < 200; i++) /* much more than a pipe takes */
		br_info(NULL, "%s", line);
	br_error(NULL, "now");
	br_log_flush();
	alarm(0);
	dup2(keep, STDERR_FILENO);
	close(ends[0]);
	close(ends[1]);
	close(keep);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		TEST(a_line_names_time_level_and_the_chain_of_makers),
		TEST(debug_lines_are_only_there_when_wanted),
		TEST(a_level_has_a_name),
		TEST(nothing_can_write_a_second_line),
		TEST(a_long_name_is_cut),
		TEST(a_long_line_is_cut_and_says_so),
		TEST(what_peers_wrote_is_quoted),
		TEST(a_quote_lives_until_the_eighth_next),
		TEST(the_ring_finds_what_was_logged_oldest_first),
		TEST(the_ring_forgets_the_oldest_whole_lines),
		TEST(lines_wait_for_a_flush_but_errors_do_not),
		TEST(a_log_that_nobody_reads_stops_nothing),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
