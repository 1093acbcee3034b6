/* SPDX-License-Identifier: ISC */
/* The history log: its lines, and what becomes of the file. */

#include "tests/lib/t.h"

#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/history.h"
#include "bridge/log.h"
#include "prim/base.h"
#include "prim/buf.h"
#include "prim/utf8.h"
#include "tests/lib/random.h"

#define T 1764000000000

static const struct prim_digest DELIVERY = {
	{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255}
};
#define D "\"delivery\":\"000102030405060708090a0b0c0d0eff\""

static char folder[] = "/tmp/test_history_XXXXXX";
static char file[100];
static struct prim_buf said; /* by the log, each line with its end */

static void hear(void *arg, struct prim_slice line)
{
	(void)arg;
	prim_buf_put(&said, prim_slice_from(line, 25));
	prim_buf_putc(&said, '\n');
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(file, sizeof(file), "%s/history", folder);
	return 0;
}

static int drop_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static int set_up(void **state)
{
	(void)state;
	br_log_set_sink(hear, NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	br_log_set_sink(NULL, NULL);
	prim_buf_fini(&said);
	unlink(file);
	return 0;
}

static void assert_said(const char *text)
{
	prim_buf_putc(&said, '\0');
	assert_string_equal(said.ptr, text);
	prim_buf_reset(&said);
}

static struct br_history *open_history(void)
{
	struct br_err err = { .text = "" };
	struct br_history *h = br_history_open(file, &err);

	if (!h)
		fail_msg("%s", err.text);
	return h;
}

/* What is in `name`; the caller's. */
static char *read_name(const char *name)
{
	FILE *stream = fopen(name, "r");
	struct prim_buf b = { 0 };
	size_t n;

	assert_non_null(stream);
	while ((n = fread(prim_buf_room(&b, 4096), 1, 4096, stream)) > 0)
		prim_buf_grow(&b, n);
	fclose(stream);
	return prim_buf_steal(&b);
}

/* Takes a line off the front of `*at`, and is it one about the file? Its time
 * is that of the system. */
static bool next_is_own(char **at, const char *rest)
{
	char *line = *at, *end = strchr(line, '\n');
	long long t = 0;
	int len = 0;

	if (!end)
		return false;
	*end = '\0';
	*at = end + 1;
	return sscanf(line, "{\"t\":%lld,%n", &t, &len) == 1 && t > T &&
	    strcmp(line + len, rest) == 0;
}

static bool next_is(char **at, const char *expected)
{
	char *line = *at, *end = strchr(line, '\n');

	if (!end)
		return false;
	*end = '\0';
	*at = end + 1;
	return strcmp(line, expected) == 0;
}

static void put_commit(struct br_history *h, int64_t seq)
{
	const struct br_history_line line = {
		.event = BR_HISTORY_COMMIT,
		.delivery = &DELIVERY,
		.seq = seq,
	};

	br_history_put(h, T, &line);
}

#define COMMIT(seq) \
	"{\"t\":1764000000000,\"event\":\"commit\"," D ",\"seq\":" #seq "}"

/* ---- lines ---- */

static const struct prim_slice BODY = { "foobar", 6 };

/* clang-format off: a table of texts needs no columns. */
static const struct {
	struct br_history_line line;
	const char *expected;
} LINES[] = {
	{{ .event = BR_HISTORY_ACCEPT,
	      .delivery = &DELIVERY,
	      .id = { "m1", 2 },
	      .from = { "alice@a", 7 },
	      .to = { "bob@b", 5 },
	      .origin = { "client", 6 },
	      .conversation = { "talk", 4 },
	      .body = &BODY,
	      .hops = 1 },
         "{\"t\":1764000000000,\"event\":\"accept\"," D ",\"id\":\"m1\","
	    "\"from\":\"alice@a\",\"to\":\"bob@b\",\"origin\":\"client\","
	    "\"conversation\":\"talk\",\"hash\":\"85944171f73967e8\","
	    "\"hops\":1}"				    },
	{ { .event = BR_HISTORY_COMMIT,
	      .delivery = &DELIVERY,
	      .seq = 17,
	      .dest = "adapter:xmpp" },
         "{\"t\":1764000000000,\"event\":\"commit\"," D ",\"seq\":17,"
	    "\"dest\":\"adapter:xmpp\"}"                     },
	{ { .event = BR_HISTORY_HAND,
	      .delivery = &DELIVERY,
	      .dest = "adapter:xmpp",
	      .attempt = 2 },
         "{\"t\":1764000000000,\"event\":\"hand\"," D ","
	    "\"dest\":\"adapter:xmpp\",\"attempt\":2}"       },
	{ { .event = BR_HISTORY_REPORT,
	      .delivery = &DELIVERY,
	      .dest = "adapter:xmpp",
	      .code = 504 },
         "{\"t\":1764000000000,\"event\":\"report\"," D ","
	    "\"dest\":\"adapter:xmpp\",\"code\":504}"        },
	{ { .event = BR_HISTORY_ANSWER,
	      .delivery = &DELIVERY,
	      .code = 101,
	      .kind = { "joined", 6 } },
         "{\"t\":1764000000000,\"event\":\"answer\"," D ",\"code\":101,"
	    "\"kind\":\"joined\"}"                           },
	{ { .event = BR_HISTORY_END,
	      .delivery = &DELIVERY,
	      .seq = 17,
	      .code = 408,
	      .reason = { "closed", 6 } },
         "{\"t\":1764000000000,\"event\":\"end\"," D ",\"seq\":17,"
	    "\"code\":408,\"reason\":\"closed\"}"            },
	{ { .event = BR_HISTORY_NOTICE,
	      .delivery = &DELIVERY,
	      .kind = { "failed", 6 },
	      .about = &DELIVERY },
         "{\"t\":1764000000000,\"event\":\"notice\"," D ","
	    "\"kind\":\"failed\","
	    "\"about\":\"000102030405060708090a0b0c0d0eff\"}"},
	{ { .event = BR_HISTORY_END, .delivery = &DELIVERY },
         "{\"t\":1764000000000,\"event\":\"end\"," D "}"     },
};

/* clang-format on */

static void every_event_has_its_line(void **state)
{
	struct br_history *h = open_history();
	char *text, *at;

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(LINES); i++)
		br_history_put(h, T, &LINES[i].line);
	br_history_flush(h);
	at = text = read_name(file);
	assert_true(next_is_own(&at, "\"event\":\"start\"}"));
	for (size_t i = 0; i < PRIM_COUNT(LINES); i++) {
		char *line = at;

		if (!next_is(&at, LINES[i].expected))
			fail_msg("%s\nis not\n%s", line, LINES[i].expected);
	}
	assert_string_equal(at, "");
	prim_free(text);
	br_history_close(h);
	assert_said("");
}

static const struct {
	struct prim_slice body;
	const char *hash;
} HASHES[] = {
	{{ "", 0 },        "cbf29ce484222325"},
	{ { "a", 1 },      "af63dc4c8601ec8c"},
	{ { "\xff\0", 2 }, "0a99a607b6f60bea"},
};

static void the_hash_of_a_body_is_fnv_1a(void **state)
{
	struct br_history *h = open_history();
	char *text;

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(HASHES); i++) {
		const struct br_history_line line = {
			.event = BR_HISTORY_ACCEPT,
			.delivery = &DELIVERY,
			.body = &HASHES[i].body,
		};

		br_history_put(h, T, &line);
	}
	br_history_flush(h);
	text = read_name(file);
	for (size_t i = 0; i < PRIM_COUNT(HASHES); i++)
		if (!strstr(text, HASHES[i].hash))
			fail_msg("no %s in %s", HASHES[i].hash, text);
	prim_free(text);
	br_history_close(h);
}

/* Puts `id` into a line and reads it back with jansson; the caller's. */
static json_t *back_from(struct br_history *h, struct prim_slice id)
{
	const struct br_history_line line = {
		.event = BR_HISTORY_ACCEPT,
		.delivery = &DELIVERY,
		.id = id,
	};
	json_error_t why;
	json_t *json;
	char *text, *begin;
	size_t len;

	assert_int_equal(truncate(file, 0), 0);
	br_history_put(h, T, &line);
	br_history_flush(h);
	begin = text = read_name(file);
	len = strlen(begin);
	for (size_t i = 0; i + 1 < len; i++)
		assert_in_range(begin[i], 0x20, 0x7e);
	json = json_loadb(begin, len, JSON_ALLOW_NUL, &why);
	if (!json)
		fail_msg("%s: %s", why.text, text);
	prim_free(text);
	return json;
}

static const struct {
	const char *name;
	struct prim_slice id;
	struct prim_slice expected;
} TEXTS[] = {
	{"a quote and a backslash", { "\"a\\", 3 },            { "\"a\\", 3 }           },
	{ "the ends of lines",      { "a\r\nb\t", 5 },         { "a\r\nb\t", 5 }        },
	{ "a NUL",                  { "a\0b", 3 },             { "a\0b", 3 }            },
	{ "DEL and ESC",            { "\x7f\x1b[m", 4 },       { "\x7f\x1b[m", 4 }      },
	{ "a C1 control",           { "\xc2\x9b", 2 },         { "\xc2\x9b", 2 }        },
	{ "two octets",             { "\xc3\xbc", 2 },         { "\xc3\xbc", 2 }        },
	{ "a line separator",       { "\xe2\x80\xa8", 3 },     { "\xe2\x80\xa8", 3 }    },
	{ "beyond 16 bits",         { "\xf0\x9f\x98\x80", 4 },
         { "\xf0\x9f\x98\x80", 4 }						      },
	{ "the last character",     { "\xf4\x8f\xbf\xbf", 4 },
         { "\xf4\x8f\xbf\xbf", 4 }						      },
	{ "a lone octet",           { "a\xff", 2 },            { "a\\xFF", 5 }          },
	{ "overlong",               { "\xc0\xaf", 2 },         { "\\xC0\\xAF", 8 }      },
	{ "a surrogate",            { "\xed\xa0\x80", 3 },     { "\\xED\\xA0\\x80", 12 }},
	{ "cut off",                { "\xe2\x82", 2 },         { "\\xE2\\x82", 8 }      },
	{ "a false member",         { "\",\"code\":\"1", 12 },
         { "\",\"code\":\"1", 12 }						      },
};

static void hostile_text_is_one_string(void **state)
{
	struct br_history *h = open_history();

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(TEXTS); i++) {
		json_t *json = back_from(h, TEXTS[i].id);
		const json_t *id = json_object_get(json, "id");
		const struct prim_slice got =
		    prim_slice_make(json_string_value(id),
			json_string_length(id));

		if (json_object_size(json) != 4 ||
		    !prim_slice_eq(got, TEXTS[i].expected))
			fail_msg("%s: %.*s", TEXTS[i].name,
			    PRIM_SLICE_ARG(got));
		json_decref(json);
	}
	br_history_close(h);
}

/* What a text should read as: character by character, the others as \xHH. */
static void put_expected(struct prim_buf *b, struct prim_slice text)
{
	struct prim_slice rest;
	uint32_t c;

	for (; text.len > 0; text = rest) {
		rest = text;
		if (prim_utf8_next(&rest, &c)) {
			prim_utf8_put(b, c);
			continue;
		}
		prim_buf_putf(b, "\\x%02X", (unsigned char)text.ptr[0]);
		rest = prim_slice_from(text, 1);
	}
}

static void any_octets_come_back(void **state)
{
	struct br_history *h = open_history();
	struct t_random random = { 4 };
	struct prim_buf expected = { 0 };
	char octets[24];

	(void)state;
	for (int round = 0; round < 2000; round++) {
		const size_t len = 1 + t_random_below(&random, sizeof(octets));
		const uint64_t top = round % 2 ? 256 : 128;
		const json_t *id;
		json_t *json;

		for (size_t i = 0; i < len; i++)
			octets[i] = (char)t_random_below(&random, top);
		prim_buf_reset(&expected);
		put_expected(&expected, prim_slice_make(octets, len));
		json = back_from(h, prim_slice_make(octets, len));
		id = json_object_get(json, "id");
		assert_int_equal(json_string_length(id), expected.len);
		assert_memory_equal(json_string_value(id), expected.ptr,
		    expected.len);
		json_decref(json);
	}
	prim_buf_fini(&expected);
	br_history_close(h);
}

/* ---- the file ---- */

static void a_new_file_is_nobody_elses(void **state)
{
	const mode_t before = umask(0);
	struct br_history *h = open_history();
	struct stat about;

	(void)state;
	umask(before);
	assert_int_equal(stat(file, &about), 0);
	assert_int_equal(about.st_mode & 07777, 0600);
	br_history_close(h);
}

static void no_child_inherits_it(void **state)
{
	struct br_history *h = open_history();
	char link[64], target[200];
	int found = 0;

	(void)state;
	for (int fd = 3; fd < 64; fd++) {
		ssize_t n;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = readlink(link, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		if (strcmp(target, file) != 0)
			continue;
		found++;
		assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		assert_true(fcntl(fd, F_GETFL) & O_APPEND);
	}
	assert_int_equal(found, 1);
	br_history_close(h);
}

static void what_cannot_be_taken_back_is_written_before(void **state)
{
	static const enum br_history_event URGENT[] = { BR_HISTORY_ACCEPT,
		BR_HISTORY_HAND, BR_HISTORY_ANSWER, BR_HISTORY_END };

	char *text, *at;

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(URGENT); i++) {
		struct br_history *h = open_history();
		const struct br_history_line line = {
			.event = URGENT[i],
			.delivery = &DELIVERY,
		};

		put_commit(h, 1);
		br_history_put(h, T, &line);
		at = text = read_name(file);
		assert_true(next_is_own(&at, "\"event\":\"start\"}"));
		assert_true(next_is(&at, COMMIT(1)));
		assert_non_null(strstr(at, D));
		prim_free(text);
		br_history_close(h);
		unlink(file);
	}
}

static void a_line_waits_for_the_end_of_the_turn(void **state)
{
	struct br_history *h = open_history();
	char *text;

	(void)state;
	put_commit(h, 1);
	text = read_name(file);
	assert_null(strstr(text, "commit"));
	prim_free(text);
	br_history_flush(h);
	text = read_name(file);
	assert_non_null(strstr(text, COMMIT(1)));
	prim_free(text);
	br_history_close(h);
}

static void a_busy_turn_is_written_before_its_end(void **state)
{
	struct br_history *h = open_history();
	struct stat about;

	(void)state;
	for (int i = 0; i < 10000; i++)
		put_commit(h, i + 1);
	assert_int_equal(stat(file, &about), 0);
	assert_true(about.st_size > 512 * 1024);
	br_history_close(h);
}

static void a_process_begins_and_ends_with_a_line_of_its_own(void **state)
{
	char *text, *at;

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct br_history *h = open_history();

		put_commit(h, 1);
		br_history_close(h);
	}
	at = text = read_name(file);
	for (int i = 0; i < 2; i++) {
		assert_true(next_is_own(&at, "\"event\":\"start\"}"));
		assert_true(next_is(&at, COMMIT(1)));
		assert_true(next_is_own(&at, "\"event\":\"stop\"}"));
	}
	assert_string_equal(at, "");
	prim_free(text);
}

static void half_a_line_of_one_who_was_killed_gets_its_end(void **state)
{
	FILE *stream = fopen(file, "w");
	struct br_history *h;
	char *text, *at;

	(void)state;
	assert_non_null(stream);
	fputs("{\"t\":1}\n{\"t\":2,\"ev", stream);
	fclose(stream);
	h = open_history();
	at = text = read_name(file);
	assert_true(next_is(&at, "{\"t\":1}"));
	assert_true(next_is(&at, "{\"t\":2,\"ev"));
	assert_true(next_is_own(&at, "\"event\":\"start\"}"));
	assert_string_equal(at, "");
	prim_free(text);
	br_history_close(h);
}

static void after_a_rotation_it_goes_on_in_a_new_file(void **state)
{
	struct br_history *h = open_history();
	char old[120];
	char *text, *at;
	struct br_err err;

	(void)state;
	snprintf(old, sizeof(old), "%s.1", file);
	put_commit(h, 1);
	assert_int_equal(rename(file, old), 0);
	assert_true(br_history_reopen(h, &err));
	put_commit(h, 2);
	br_history_flush(h);
	at = text = read_name(old);
	assert_true(next_is_own(&at, "\"event\":\"start\"}"));
	assert_true(next_is(&at, COMMIT(1)));
	assert_string_equal(at, "");
	prim_free(text);
	text = read_name(file);
	assert_string_equal(text, COMMIT(2) "\n");
	prim_free(text);
	br_history_close(h);
	unlink(old);
	assert_said("");
}

static void without_a_new_file_it_goes_on_in_the_old_one(void **state)
{
	struct br_history *h = open_history();
	char old[120], expected[300];
	struct br_err err = { .text = "" };
	char *text;

	(void)state;
	snprintf(old, sizeof(old), "%s.1", file);
	assert_int_equal(rename(file, old), 0);
	assert_int_equal(mkdir(file, 0700), 0);
	assert_false(br_history_reopen(h, &err));
	snprintf(expected, sizeof(expected),
	    "cannot open the history `%s`: Is a directory", file);
	assert_string_equal(err.text, expected);
	rmdir(file);
	put_commit(h, 1);
	br_history_close(h);
	text = read_name(old);
	assert_non_null(strstr(text, COMMIT(1)));
	prim_free(text);
	unlink(old);
}

static void a_file_that_cannot_be_opened_is_told(void **state)
{
	struct br_err err;

	(void)state;
	assert_null(br_history_open("/nonexistent/history", &err));
	assert_string_equal(err.text,
	    "cannot open the history `/nonexistent/history`: "
	    "No such file or directory");
}

static void nothing_is_written_without_one(void **state)
{
	(void)state;
	put_commit(NULL, 1);
	br_history_flush(NULL);
	assert_null(br_history_close(NULL));
}

/* ---- no room ---- */

#define TOLD "error history: cannot write the history, lines are lost: "

static void a_full_disk_is_told_once(void **state)
{
	struct br_history *h;

	(void)state;
	h = br_history_open("/dev/full", NULL);
	assert_non_null(h);
	for (int i = 0; i < 3; i++) {
		put_commit(h, 1);
		br_history_flush(h);
	}
	br_history_close(h);
	assert_said(TOLD "No space left on device\n");
}

static void limit_file(rlim_t octets)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = octets;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The disk is full in the middle of a line; when there is room again, only this
 * one cannot be read, and the number of those that are missing is right. */
static void what_is_missing_is_told_when_there_is_room_again(void **state)
{
	struct br_history *h;
	struct stat about;
	char *text, *at;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	h = open_history();
	assert_int_equal(stat(file, &about), 0);
	limit_file((rlim_t)about.st_size + sizeof(COMMIT(1)) + 20);
	put_commit(h, 1);
	put_commit(h, 2);
	put_commit(h, 3);
	br_history_flush(h);
	put_commit(h, 4);
	br_history_flush(h);
	limit_file(RLIM_INFINITY);
	assert_said(TOLD "File too large\n");
	put_commit(h, 5);
	br_history_flush(h);
	assert_said("warn history: history is written again lost_lines=3\n");
	at = text = read_name(file);
	assert_true(next_is_own(&at, "\"event\":\"start\"}"));
	assert_true(next_is(&at, COMMIT(1)));
	assert_true(next_is(&at, "{\"t\":1764000000000,\""));
	assert_true(next_is_own(&at, "\"event\":\"lost\",\"lines\":3}"));
	assert_true(next_is(&at, COMMIT(5)));
	assert_string_equal(at, "");
	prim_free(text);
	br_history_close(h);
}

static void a_pipe_that_nobody_reads_stops_nothing(void **state)
{
	struct br_history *h;

	(void)state;
	assert_int_equal(mkfifo(file, 0600), 0);
	h = open_history();
	for (int i = 0; i < 10000; i++)
		put_commit(h, 1);
	br_history_close(h);
	assert_said(TOLD "Resource temporarily unavailable\n");
}

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test_setup_teardown(every_event_has_its_line,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_hash_of_a_body_is_fnv_1a,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(hostile_text_is_one_string,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(any_octets_come_back, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(a_new_file_is_nobody_elses,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_child_inherits_it, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    what_cannot_be_taken_back_is_written_before, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    a_line_waits_for_the_end_of_the_turn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_busy_turn_is_written_before_its_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_process_begins_and_ends_with_a_line_of_its_own, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    half_a_line_of_one_who_was_killed_gets_its_end, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    after_a_rotation_it_goes_on_in_a_new_file, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    without_a_new_file_it_goes_on_in_the_old_one, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    a_file_that_cannot_be_opened_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_is_written_without_one,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_full_disk_is_told_once,
		    set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    what_is_missing_is_told_when_there_is_room_again, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    a_pipe_that_nobody_reads_stops_nothing, set_up, tear_down),
	};

	return cmocka_run_group_tests(TESTS, make_folder, drop_folder);
}
