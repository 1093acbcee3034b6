/* SPDX-License-Identifier: ISC */
/* The parts of commands, streams of them, and stored heads. */

#include "tests/prim/feed.h"

#include "prim/base.h"

#define SEND_HEAD                                     \
	"\r\nSEND PRIM-IM/1.0 ab1 5\r\n"              \
	"From: im:joe@example.net\r\n"                \
	"tO:im:jane@example.org\r\n"                  \
	"Message-ID: \t a1:im:joe@example.net \t\r\n" \
	"Conversation-ID:\r\n"                        \
	"X-Other: a: b\r\n"                           \
	"\r\n"

static void check_send(void)
{
	const struct prim_header *h = command.headers;

	assert_int_equal(command.method, PRIM_METHOD_SEND);
	t_slice_is("method", command.method_name, "SEND");
	assert_int_equal(command.family, PRIM_FAMILY_PRIM_IM);
	t_slice_is("version", command.version, "PRIM-IM/1.0");
	assert_int_equal(command.major, 1);
	assert_int_equal(command.minor, 0);
	assert_int_equal(command.body_len, 5);
	assert_int_equal(command.code, 0);
	assert_int_equal(command.phrase.len, 0);
	assert_int_equal(command.body.len, 0);
	t_slice_is("head", command.head, SEND_HEAD);
	assert_int_equal(command.header_count, 5);
	assert_int_equal(h[0].id, PRIM_HEADER_FROM);
	assert_int_equal(h[1].id, PRIM_HEADER_TO);
	t_slice_is("name", h[1].name, "tO");
	t_slice_is("line", h[1].line, "tO:im:jane@example.org");
	t_slice_is("trimmed", h[2].value, "a1:im:joe@example.net");
	t_slice_is("untrimmed", h[2].line,
	    "Message-ID: \t a1:im:joe@example.net \t");
	t_slice_is("empty", h[3].value, "");
	assert_true(prim_command_has(&command, PRIM_HEADER_CONVERSATION_ID));
	assert_int_equal(h[4].id, PRIM_HEADER_OTHER);
	t_slice_is("colon in a value", h[4].value, "a: b");
	t_slice_is("get", prim_command_get(&command, PRIM_HEADER_TO),
	    "im:jane@example.org");
	t_slice_is("get nothing", prim_command_get(&command, PRIM_HEADER_DATE),
	    "");
	assert_false(prim_command_has(&command, PRIM_HEADER_DATE));
	assert_int_equal(command.lines.len, strlen(SEND_HEAD) - 2 - 24 - 2);
	assert_true(prim_slice_starts(command.lines, PRIM_SLICE("From: ")));
	assert_true(prim_slice_ends(command.lines, PRIM_SLICE("b\r\n")));
}

static void every_part_of_a_request_is_found(void **state)
{
	size_t len;

	(void)state;
	memset(&command, 0xff, sizeof(command));
	assert_int_equal(feed(PRIM_SLICE(SEND_HEAD "hello")), HEAD);
	check_send();
	memset(&command, 0xff, sizeof(command));
	assert_int_equal(feed_octets(PRIM_SLICE(SEND_HEAD "hello"), &len),
	    HEAD);
	assert_int_equal(len, strlen(SEND_HEAD));
	check_send();
}

static void every_part_of_a_response_is_found(void **state)
{
	(void)state;
	assert_int_equal(feed(PRIM_SLICE("PP/1.9 x9 12 201 Duration Adjusted"
					 "\r\nDuration: 60\r\n\r\n")),
	    HEAD);
	assert_true(command.is_response);
	assert_int_equal(command.family, PRIM_FAMILY_PP);
	assert_int_equal(command.minor, 9);
	assert_int_equal(command.code, 201);
	assert_int_equal(command.body_len, 12);
	assert_int_equal(command.method, PRIM_METHOD_UNKNOWN);
	t_slice_is("method", command.method_name, "");
	t_slice_is("phrase", command.phrase, "Duration Adjusted");
	t_slice_is("lines", command.lines, "Duration: 60\r\n");
}

static void a_head_without_headers_has_no_lines(void **state)
{
	(void)state;
	assert_int_equal(feed(PRIM_SLICE("PING PP/1.0 - 0\r\n\r\n")), HEAD);
	assert_int_equal(command.lines.len, 0);
	assert_int_equal(command.header_count, 0);
	assert_true(command.present == 0);
}

static void huge_versions_saturate(void **state)
{
	(void)state;
	assert_int_equal(feed(PRIM_SLICE("PING PP/4294967295.4294967296 - 0"
					 "\r\n\r\n")),
	    HEAD);
	assert_true(command.major == UINT32_MAX);
	assert_true(command.minor == UINT32_MAX);
	assert_int_equal(
	    feed(PRIM_SLICE(
		"PING PP/00000000000000000002.99999999999999999999 - 0"
		"\r\n\r\n")),
	    HEAD);
	assert_int_equal(command.major, 2);
	assert_true(command.minor == UINT32_MAX);
}

/* ERR-44. */
static void a_message_id_is_one_however_it_is_spelled(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name, *in, *id;
	} CASES[] = {
		{ "usual",
		    "PING PP/1.0 a 0\r\nMessage-ID: abc12:im:a@b\r\n\r\n",
		    "abc12:im:a@b" },
		{ "literal",
		    "PING PP/1.0 a 0\r\nMessage-IDabc12: im:a@b\r\n\r\n",
		    "abc12:im:a@b" },
		{ "none", "PING PP/1.0 a 0\r\n\r\n", "" },
	};
	/* clang-format on */
	struct prim_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		assert_int_equal(feed(prim_slice_of(CASES[i].in)), HEAD);
		prim_buf_reset(&b);
		prim_command_put_message_id(&b, &command);
		t_buf_is(CASES[i].name, &b, CASES[i].id);
	}
	prim_buf_fini(&b);
}

/*
 * Several commands in one stream, in pieces of every size.
 */

static unsigned read_all(struct prim_slice in, size_t piece)
{
	size_t scanned = 0, have = 0, at = 0;
	unsigned heads = 0;

	while (at < in.len) {
		struct prim_slice view = prim_slice_make(in.ptr + at,
		    have - at);

		if (prim_command_head(view, &scanned, &command) == HEAD &&
		    view.len - command.head.len >= command.body_len) {
			at += command.head.len + (size_t)command.body_len;
			scanned = 0;
			heads++;
			continue;
		}
		if (have == in.len)
			break;
		have += piece < in.len - have ? piece : in.len - have;
	}
	return heads;
}

static void a_stream_may_come_in_any_pieces(void **state)
{
	static const char STREAM[] = "PING PP/1.0 - 0\r\n\r\n" SEND_HEAD
				     "a\r\n\r\nPRIM/1.0 ab1 0 200 OK\r\n\r\n"
				     "\r\n\r\nLOGOUT IMP/1.0 - 0\r\n\r\n";
	struct prim_slice in = PRIM_SLICE(STREAM);

	(void)state;
	for (size_t piece = 1; piece <= in.len; piece++)
		t_number_is("heads", read_all(in, piece), 4);
}

/* A caller may ask again for a head it has no body for yet. */
static void asking_again_gives_the_same(void **state)
{
	struct prim_slice all = PRIM_SLICE(SEND_HEAD);
	size_t scanned = 0;

	(void)state;
	assert_int_equal(prim_command_head(prim_slice_make(all.ptr, 9),
			     &scanned, &command),
	    MORE);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(prim_command_head(all, &scanned, &command),
		    HEAD);
		assert_int_equal(command.header_count, 5);
	}
}

/*
 * Stored heads.
 */

static void stored_lines_are_read_like_a_head(void **state)
{
	struct prim_slice lines = PRIM_SLICE("From: im:a@b\r\nX: y\r\n");

	(void)state;
	memset(&command, 0xff, sizeof(command));
	assert_true(prim_command_lines(lines, &command));
	assert_int_equal(command.header_count, 2);
	t_slice_is("From", prim_command_get(&command, PRIM_HEADER_FROM),
	    "im:a@b");
	t_slice_is("lines", command.lines, "From: im:a@b\r\nX: y\r\n");
	assert_true(prim_command_lines(PRIM_SLICE_NONE, &command));
	assert_int_equal(command.header_count, 0);
	assert_true(command.present == 0);
}

static void bad_stored_lines_are_refused(void **state)
{
	static const struct {
		const char *name;
		struct prim_slice lines;
	} CASES[] = {
		{"no CRLF",        T_SLICE("From: x")               },
		{ "a CR",          T_SLICE("From: x\r")             },
		{ "a bare LF",     T_SLICE("From: x\n")             },
		{ "an empty line", T_SLICE("From: x\r\n\r\n")       },
		{ "folded",        T_SLICE("From: x\r\n y\r\n")     },
		{ "NUL",           T_SLICE("From: \0\r\n")          },
		{ "no colon",      T_SLICE("From\r\n")              },
		{ "no UTF-8",      T_SLICE("X: \xff\r\n")           },
		{ "a control",     T_SLICE("X: \x01\r\n")           },
		{ "two From",      T_SLICE("From: x\r\nFrom: y\r\n")},
	};

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		if (prim_command_lines(CASES[i].lines, &command))
			fail_msg("%s: taken", CASES[i].name);
	}
}

/* What is not used of the 128 headers is not touched either. */
static void only_what_is_used_is_written(void **state)
{
	(void)state;
	memset(&command, 0x5a, sizeof(command));
	assert_int_equal(feed(PRIM_SLICE(SEND_HEAD)), HEAD);
	for (unsigned i = 5; i < PRIM_HEADERS_MAX; i++)
		assert_true(command.headers[i].name.len ==
		    (size_t)0x5a5a5a5a5a5a5a5a);
}

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(every_part_of_a_request_is_found),
		cmocka_unit_test(every_part_of_a_response_is_found),
		cmocka_unit_test(a_head_without_headers_has_no_lines),
		cmocka_unit_test(huge_versions_saturate),
		cmocka_unit_test(a_message_id_is_one_however_it_is_spelled),
		cmocka_unit_test(a_stream_may_come_in_any_pieces),
		cmocka_unit_test(asking_again_gives_the_same),
		cmocka_unit_test(stored_lines_are_read_like_a_head),
		cmocka_unit_test(bad_stored_lines_are_refused),
		cmocka_unit_test(only_what_is_used_is_written),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
