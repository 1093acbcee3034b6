/* SPDX-License-Identifier: ISC */
/* Writing commands, and reading what was written. */

#include "tests/lib/slice.h"

#include "prim/base.h"
#include "prim/command.h"

static void a_request_is_written_as_the_drafts_say(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	prim_command_put_request(&b, PRIM_METHOD_SEND, PRIM_FAMILY_PRIM_IM,
	    PRIM_SLICE("ab1"), 5);
	prim_command_put_header(&b, PRIM_HEADER_FROM, PRIM_SLICE("im:a@b"));
	prim_command_put_line(&b, PRIM_SLICE("x-relayed :as  it came\t"));
	prim_command_put_header(&b, PRIM_HEADER_ASTRENGTH,
	    PRIM_SLICE("medium"));
	prim_command_end(&b);
	t_buf_is("request", &b,
	    "SEND PRIM-IM/1.0 ab1 5\r\n"
	    "From: im:a@b\r\n"
	    "x-relayed :as  it came\t\r\n"
	    "AStrength: medium\r\n"
	    "\r\n");
	prim_buf_fini(&b);
}

static void a_response_has_the_phrase_of_its_code(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	prim_command_put_response(&b, PRIM_FAMILY_PP, PRIM_SLICE("7"), 201,
	    1234567890123U);
	prim_command_end(&b);
	t_buf_is("known", &b,
	    "PP/1.0 7 1234567890123 201 Duration Adjusted\r\n\r\n");
	prim_buf_reset(&b);
	prim_command_put_response(&b, PRIM_FAMILY_UNKNOWN, PRIM_SLICE("7"), 503,
	    0);
	prim_command_end(&b);
	t_buf_is("PRIM-030 unknown family", &b,
	    "PRIM/1.0 7 0 503 Version Not Supported\r\n\r\n");
	prim_buf_fini(&b);
}

static void every_method_and_family_is_read_back(void **state)
{
	static struct prim_command c;
	struct prim_buf b = { 0 };

	(void)state;
	for (unsigned m = 1; m < PRIM_METHOD_COUNT; m++) {
		for (unsigned f = 0; f < PRIM_FAMILY_UNKNOWN; f++) {
			size_t scanned = 0;

			prim_buf_reset(&b);
			prim_command_put_request(&b, m, f, PRIM_SLICE("x"),
			    PRIM_BODY_LEN_MAX);
			prim_command_end(&b);
			assert_int_equal(prim_command_head(prim_buf_slice(&b),
					     &scanned, &c),
			    PRIM_COMMAND_HEAD);
			assert_int_equal(c.method, m);
			assert_int_equal(c.family, f);
			assert_true(c.body_len == PRIM_BODY_LEN_MAX);
		}
	}
	prim_buf_fini(&b);
}

static void foreign_text_is_asked_before_it_becomes_a_value(void **state)
{
	static const struct {
		const char *name;
		struct prim_slice value;
		bool is_ok;
	} CASES[] = {
		{"empty",    T_SLICE(""),                          true },
		{ "text",    T_SLICE("text/plain; charset=UTF-8"), true },
		{ "UTF-8",   T_SLICE("\xc3\xa4"),                  true },
		{ "HTAB",    T_SLICE("a\tb"),                      true },
		{ "CR",      T_SLICE("a\rb"),                      false},
		{ "LF",      T_SLICE("a\nb"),                      false},
		{ "CRLF",    T_SLICE("a\r\nFrom: im:root@b"),      false},
		{ "NUL",     T_SLICE("a\0b"),                      false},
		{ "ESC",     T_SLICE("\x1b"),                      false},
		{ "DEL",     T_SLICE("\x7f"),                      false},
		{ "Latin-1", T_SLICE("\xe4"),                      false},
	};
	struct prim_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++)
		t_number_is(CASES[i].name,
		    prim_command_value_ok(CASES[i].value), CASES[i].is_ok);
	memset(prim_buf_room(&b, PRIM_HEADER_LINE_MAX), 'x',
	    PRIM_HEADER_LINE_MAX);
	prim_buf_grow(&b, PRIM_HEADER_LINE_MAX - 64);
	assert_true(prim_command_value_ok(prim_buf_slice(&b)));
	prim_buf_grow(&b, 1);
	assert_false(prim_command_value_ok(prim_buf_slice(&b)));
	prim_buf_fini(&b);
}

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(a_request_is_written_as_the_drafts_say),
		cmocka_unit_test(a_response_has_the_phrase_of_its_code),
		cmocka_unit_test(every_method_and_family_is_read_back),
		cmocka_unit_test(
		    foreign_text_is_asked_before_it_becomes_a_value),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
