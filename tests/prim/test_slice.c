/* SPDX-License-Identifier: ISC */

#include "tests/lib/slice.h"

#include "prim/base.h"

static const struct {
	const char *name;
	struct prim_slice a, b;
	bool equal, equal_nocase, starts, ends;
} PAIRS[] = {
	{"both empty",                T_SLICE(""),            T_SLICE(""),         true,  true,  true,  true },
	{ "empty and not",            T_SLICE(""),            T_SLICE("a"),        false, false, false,
         false											       },
	{ "not and empty",            T_SLICE("a"),           T_SLICE(""),         false, false, true,
         true												},
	{ "equal",		    T_SLICE("From"),        T_SLICE("From"),     true,  true,  true,  true },
	{ "case",		     T_SLICE("From"),        T_SLICE("fROM"),     false, true,  false, false},
	{ "prefix",                   T_SLICE("Bridge-Hops"), T_SLICE("Bridge-"),  false, false,
         true,											  false},
	{ "suffix",                   T_SLICE("a.b.example"), T_SLICE(".example"), false, false,
         false,											 true },
	{ "longer than the whole",    T_SLICE("ab"),          T_SLICE("abab"),     false, false,
         false,											 false},
	{ "NUL is an octet",          T_SLICE("a\0b"),        T_SLICE("a\0c"),     false, false,
         false,											 false},
	{ "equal with NUL",           T_SLICE("a\0b"),        T_SLICE("a\0B"),     false, true,
         false,											 false},
	{ "only letters have a case", T_SLICE("[\\]^"),       T_SLICE("{|}~"),     false,
         false,										  false, false},
	{ "only those of ASCII",      T_SLICE("\xc3\x84"),    T_SLICE("\xc3\xa4"),
         false,									   false, false, false},
	{ "@ is not `",               T_SLICE("@"),           T_SLICE("`"),        false, false, false,
         false											       },
};

static void slices_compare(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(PAIRS); i++) {
		struct prim_slice a = PAIRS[i].a, b = PAIRS[i].b;
		const char *name = PAIRS[i].name;

		t_number_is(name, prim_slice_eq(a, b), PAIRS[i].equal);
		t_number_is(name, prim_slice_eq_nocase(a, b),
		    PAIRS[i].equal_nocase);
		t_number_is(name, prim_slice_starts(a, b), PAIRS[i].starts);
		t_number_is(name, prim_slice_ends(a, b), PAIRS[i].ends);
	}
}

static const struct {
	const char *name, *text;
	uint64_t max;
	bool ok;
	uint64_t value;
} NUMBERS[] = {
	{"zero",             "0",                    10,         true,  0 },
	{ "leading zeros",   "007",                  10,         true,  7 },
	{ "the most",        "10",                   10,         true,  10},
	{ "one more",        "11",                   10,         false, 0 },
	{ "empty",           "",                     10,         false, 0 },
	{ "sign",            "+1",                   10,         false, 0 },
	{ "minus",           "-1",                   10,         false, 0 },
	{ "blank before",    " 1",                   10,         false, 0 },
	{ "blank behind",    "1 ",                   10,         false, 0 },
	{ "hexadecimal",     "0x1",                  10,         false, 0 },
	{ "fraction",        "1.0",                  10,         false, 0 },
	{ "nineteen digits", "9999999999999999999",  UINT64_MAX, true,
         9999999999999999999U					     },
	{ "twenty digits",   "10000000000000000000", UINT64_MAX, false, 0 },
	{ "2^64 + 1",        "18446744073709551617", UINT64_MAX, false, 0 },
	{ "twenty zeros",    "00000000000000000000", UINT64_MAX, false, 0 },
};

static void numbers_are_decimal_and_bounded(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(NUMBERS); i++) {
		uint64_t value = 77;

		t_number_is(NUMBERS[i].name,
		    prim_slice_number(prim_slice_of(NUMBERS[i].text),
			NUMBERS[i].max, &value),
		    NUMBERS[i].ok);
		t_number_is(NUMBERS[i].name, (long long)value,
		    NUMBERS[i].ok ? (long long)NUMBERS[i].value : 77);
	}
}

static void cut_takes_what_is_before_the_separator(void **state)
{
	struct prim_slice rest = PRIM_SLICE("a bc  d");

	(void)state;
	t_slice_is("1", prim_slice_cut(&rest, ' '), "a");
	t_slice_is("2", prim_slice_cut(&rest, ' '), "bc");
	t_slice_is("3", prim_slice_cut(&rest, ' '), "");
	t_slice_is("4", prim_slice_cut(&rest, ' '), "d");
	t_slice_is("rest", rest, "");
	t_slice_is("5", prim_slice_cut(&rest, ' '), "");
	rest = PRIM_SLICE("a ");
	t_slice_is("6", prim_slice_cut(&rest, ' '), "a");
	t_slice_is("nothing behind the last", rest, "");
}

static void find_tells_the_index_or_that_there_is_none(void **state)
{
	struct prim_slice s = PRIM_SLICE("user@host@x");

	(void)state;
	assert_int_equal(prim_slice_find(s, '@'), 4);
	assert_int_equal(prim_slice_find_last(s, '@'), 9);
	assert_int_equal(prim_slice_find(s, 'u'), 0);
	assert_int_equal(prim_slice_find_last(s, 'x'), 10);
	assert_int_equal(prim_slice_find(s, '!'), -1);
	assert_int_equal(prim_slice_find_last(s, '!'), -1);
	assert_int_equal(prim_slice_find(PRIM_SLICE_NONE, 'a'), -1);
	assert_int_equal(prim_slice_find_last(PRIM_SLICE_NONE, 'a'), -1);
}

static void from_never_goes_beyond_the_end(void **state)
{
	struct prim_slice s = PRIM_SLICE("abc");

	(void)state;
	t_slice_is("0", prim_slice_from(s, 0), "abc");
	t_slice_is("2", prim_slice_from(s, 2), "c");
	t_slice_is("3", prim_slice_from(s, 3), "");
	t_slice_is("4", prim_slice_from(s, 4), "");
	t_slice_is("none", prim_slice_from(PRIM_SLICE_NONE, 0), "");
}

static void trim_takes_blanks_and_tabs_only(void **state)
{
	(void)state;
	t_slice_is("both", prim_slice_trim(PRIM_SLICE(" \t a b\t ")), "a b");
	t_slice_is("only blanks", prim_slice_trim(PRIM_SLICE(" \t ")), "");
	t_slice_is("line ends", prim_slice_trim(PRIM_SLICE("\r\na\n")),
	    "\r\na\n");
	t_slice_is("none", prim_slice_trim(PRIM_SLICE_NONE), "");
}

static void a_copy_ends_in_nul(void **state)
{
	char *copy = prim_slice_copy(prim_slice_make("abcdef", 3));

	(void)state;
	assert_string_equal(copy, "abc");
	prim_free(copy);
	copy = prim_slice_copy(PRIM_SLICE_NONE);
	assert_string_equal(copy, "");
	prim_free(copy);
	assert_int_equal(prim_slice_of(NULL).len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slices_compare),
		cmocka_unit_test(numbers_are_decimal_and_bounded),
		cmocka_unit_test(cut_takes_what_is_before_the_separator),
		cmocka_unit_test(find_tells_the_index_or_that_there_is_none),
		cmocka_unit_test(from_never_goes_beyond_the_end),
		cmocka_unit_test(trim_takes_blanks_and_tabs_only),
		cmocka_unit_test(a_copy_ends_in_nul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
