/* SPDX-License-Identifier: ISC */

#include "tests/lib/slice.h"

#include "prim/base.h"

static void a_buffer_of_zeros_is_empty(void **state)
{
	struct prim_buf b = { 0 };
	char *text;

	(void)state;
	t_buf_is("empty", &b, "");
	prim_buf_put(&b, PRIM_SLICE_NONE);
	t_buf_is("nothing", &b, "");
	text = prim_buf_steal(&b);
	assert_string_equal(text, "");
	prim_free(text);
	prim_buf_fini(&b);
	prim_buf_fini(&b);
}

static void everything_is_appended(void **state)
{
	struct prim_buf b;

	(void)state;
	prim_buf_init(&b);
	prim_buf_puts(&b, "a");
	prim_buf_putc(&b, '\0');
	prim_buf_put(&b, PRIM_SLICE("bc"));
	prim_buf_put_number(&b, 0);
	prim_buf_put_number(&b, UINT64_MAX);
	prim_buf_put_hex(&b, "\x00\x7f\xff", 3);
	prim_buf_putf(&b, " %s-%03d", "x", 7);
	assert_int_equal(b.len, 4 + 1 + 20 + 6 + 6);
	assert_memory_equal(b.ptr, "a\0bc018446744073709551615007fff x-007",
	    b.len);
	prim_buf_fini(&b);
}

static void long_formats_fit(void **state)
{
	struct prim_buf b = { 0 };
	static char text[5000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	prim_buf_puts(&b, "<");
	prim_buf_putf(&b, "%s", text);
	prim_buf_puts(&b, ">");
	assert_int_equal(b.len, sizeof(text) + 1);
	assert_int_equal(b.ptr[b.len - 1], '>');
	prim_buf_fini(&b);
}

static void a_buffer_grows_octet_by_octet(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	for (unsigned i = 0; i < 100000; i++)
		prim_buf_putc(&b, (char)(i % 251));
	assert_int_equal(b.len, 100000);
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal((unsigned char)b.ptr[i], i % 251);
	prim_buf_fini(&b);
}

static void room_counts_once_it_is_taken(void **state)
{
	struct prim_buf b = { 0 };
	char *room;

	(void)state;
	prim_buf_puts(&b, "ab");
	room = prim_buf_room(&b, 1000);
	memcpy(room, "cdef", 4);
	t_buf_is("not yet", &b, "ab");
	prim_buf_grow(&b, 3);
	t_buf_is("taken", &b, "abcde");
	prim_buf_fini(&b);
}

static void reset_keeps_the_memory(void **state)
{
	struct prim_buf b = { 0 };
	size_t cap;

	(void)state;
	prim_buf_puts(&b, "something that is a little longer");
	cap = b.cap;
	prim_buf_reset(&b);
	t_buf_is("empty", &b, "");
	assert_int_equal(b.cap, cap);
	prim_buf_puts(&b, "new");
	t_buf_is("new", &b, "new");
	prim_buf_fini(&b);
}

static void steal_leaves_it_empty(void **state)
{
	struct prim_buf b = { 0 };
	char *text;

	(void)state;
	prim_buf_puts(&b, "abc");
	text = prim_buf_steal(&b);
	assert_string_equal(text, "abc");
	prim_free(text);
	t_buf_is("empty", &b, "");
	prim_buf_puts(&b, "d");
	t_buf_is("of use again", &b, "d");
	prim_buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buffer_of_zeros_is_empty),
		cmocka_unit_test(everything_is_appended),
		cmocka_unit_test(long_formats_fit),
		cmocka_unit_test(a_buffer_grows_octet_by_octet),
		cmocka_unit_test(room_counts_once_it_is_taken),
		cmocka_unit_test(reset_keeps_the_memory),
		cmocka_unit_test(steal_leaves_it_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
