/* SPDX-License-Identifier: ISC */
/* Lines out of a stream. */

#include "tests/lib/slice.h"

#include "prim/base.h"
#include "prim/scan.h"

static void lines_come_one_by_one(void **state)
{
	struct prim_scan s;
	struct prim_slice line;

	(void)state;
	prim_scan_init(&s,
	    PRIM_SLICE("one\r\n\r\nthree is longer than a word"
		       "\r\nfo\r"));
	assert_int_equal(prim_scan_line(&s, &line), PRIM_SCAN_LINE);
	t_slice_is("first", line, "one");
	assert_int_equal(prim_scan_line(&s, &line), PRIM_SCAN_LINE);
	t_slice_is("second", line, "");
	assert_int_equal(prim_scan_line(&s, &line), PRIM_SCAN_LINE);
	t_slice_is("third", line, "three is longer than a word");
	assert_int_equal(prim_scan_line(&s, &line), PRIM_SCAN_MORE);
	t_slice_is("rest", prim_scan_partial(&s), "fo");
	assert_int_equal(prim_scan_line(&s, &line), PRIM_SCAN_MORE);
	assert_false(s.has_high);
	assert_false(s.has_control);
}

/* Each octet at each place of a word, so that no lane of eight is special. */
static void every_octet_is_told_wherever_it_stands(void **state)
{
	char text[26];

	(void)state;
	for (unsigned octet = 0; octet < 256; octet++) {
		for (size_t at = 0; at < 24; at++) {
			enum prim_scan_status expected = PRIM_SCAN_LINE;
			struct prim_scan s;
			struct prim_slice line;

			memset(text, 'a', 24);
			memcpy(text + 24, "\r\n", 2);
			text[at] = (char)octet;
			if (octet == '\0' || octet == '\n')
				expected = PRIM_SCAN_BROKEN;
			if (octet == '\r')
				expected = PRIM_SCAN_BROKEN;
			prim_scan_init(&s, prim_slice_make(text, sizeof(text)));
			assert_int_equal(prim_scan_line(&s, &line), expected);
			if (expected != PRIM_SCAN_LINE)
				continue;
			assert_int_equal(line.len, 24);
			assert_int_equal(s.has_high, octet > 0x7f);
			assert_int_equal(s.has_control,
			    (octet < 0x20 && octet != '\t') || octet == 0x7f);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(lines_come_one_by_one),
		cmocka_unit_test(every_octet_is_told_wherever_it_stands),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
