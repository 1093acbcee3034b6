/* SPDX-License-Identifier: ISC */
/* UTF-8 as RFC 3629 has it. */

#include "tests/lib/slice.h"

#include "prim/base.h"
#include "prim/utf8.h"

struct row {
	const char *name;
	struct prim_slice text;
	bool is_good;
};

/* clang-format off */
static const struct row ROWS[] = {
	{ "empty", T_SLICE(""), true },
	{ "ASCII", T_SLICE("plain text, longer than one word"), true },
	{ "NUL", T_SLICE("a\0b"), true },
	{ "two octets",
	    T_SLICE("gr\xc3\xbc\xc3\x9f"
		    "e"),
	    true },
	{ "U+0080", T_SLICE("\xc2\x80"), true },
	{ "U+07FF", T_SLICE("\xdf\xbf"), true },
	{ "U+0800", T_SLICE("\xe0\xa0\x80"), true },
	{ "U+D7FF", T_SLICE("\xed\x9f\xbf"), true },
	{ "U+E000", T_SLICE("\xee\x80\x80"), true },
	{ "U+FFFF", T_SLICE("\xef\xbf\xbf"), true },
	{ "U+10000", T_SLICE("\xf0\x90\x80\x80"), true },
	{ "U+10FFFF", T_SLICE("\xf4\x8f\xbf\xbf"), true },
	{ "behind seven ASCII",
	    T_SLICE("1234567\xc3\xbc"
		    "89"),
	    true },
	{ "U+110000", T_SLICE("\xf4\x90\x80\x80"), false },
	{ "lead F5", T_SLICE("\xf5\x80\x80\x80"), false },
	{ "lead FF", T_SLICE("\xff"), false },
	{ "overlong two", T_SLICE("\xc0\x80"), false },
	{ "overlong slash", T_SLICE("\xc1\xaf"), false },
	{ "overlong three", T_SLICE("\xe0\x9f\xbf"), false },
	{ "overlong four", T_SLICE("\xf0\x8f\xbf\xbf"), false },
	{ "surrogate D800", T_SLICE("\xed\xa0\x80"), false },
	{ "surrogate DFFF", T_SLICE("\xed\xbf\xbf"), false },
	{ "follower alone", T_SLICE("\x80"), false },
	{ "cut short after one", T_SLICE("\xc3"), false },
	{ "cut short after three", T_SLICE("\xf0\x9f\x98"), false },
	{ "ASCII inside",
	    T_SLICE("\xe2"
		    "a\x82"),
	    false },
	{ "lead inside", T_SLICE("\xe2\x82\xe2"), false },
	{ "bad behind eight ASCII",
	    T_SLICE("12345678\xfe"
		    "9"),
	    false },
};

/* clang-format on */

static void only_utf8_is_utf8(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(ROWS); i++)
		t_number_is(ROWS[i].name, prim_utf8_ok(ROWS[i].text),
		    ROWS[i].is_good);
}

static void every_character_comes_back(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	for (uint32_t c = 0; c <= 0x10ffff; c += c < 0x900 ? 1 : 0x67) {
		struct prim_slice s;
		uint32_t back;

		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		prim_buf_reset(&b);
		prim_utf8_put(&b, c);
		s = prim_buf_slice(&b);
		assert_true(prim_utf8_ok(s));
		assert_true(prim_utf8_next(&s, &back));
		assert_int_equal(back, c);
		assert_int_equal(s.len, 0);
	}
	prim_buf_fini(&b);
}

static void a_character_that_is_none_is_left_where_it_is(void **state)
{
	struct prim_slice s = PRIM_SLICE("\xc3");
	uint32_t c = 7;

	(void)state;
	assert_false(prim_utf8_next(&s, &c));
	assert_int_equal(s.len, 1);
	s = PRIM_SLICE_NONE;
	assert_false(prim_utf8_next(&s, &c));
	assert_int_equal(c, 7);
}

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(only_utf8_is_utf8),
		cmocka_unit_test(every_character_comes_back),
		cmocka_unit_test(a_character_that_is_none_is_left_where_it_is),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
