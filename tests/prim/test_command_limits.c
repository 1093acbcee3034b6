/* SPDX-License-Identifier: ISC */
/* The limits of ERR-25 and ERR-05, at them and one above. */

#include "tests/prim/feed.h"

#include "prim/base.h"

static void fill(struct prim_buf *b, char c, size_t count)
{
	memset(prim_buf_room(b, count), c, count);
	prim_buf_grow(b, count);
}

/* Both ways of feeding, without and with the end of the line. */
static void expect(const char *name, const struct prim_buf *b,
    enum prim_command_status status)
{
	size_t len;

	t_number_is(name, feed(prim_buf_slice(b)), status);
	t_number_is(name, feed_octets(prim_buf_slice(b), &len), status);
}

static void a_start_line_is_bounded(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	prim_buf_puts(&b, "PP/1.0 ab 0 200 ");
	fill(&b, 'x', PRIM_START_LINE_MAX - b.len);
	expect("at the limit, open", &b, MORE);
	prim_buf_putc(&b, '\r');
	expect("at the limit, CR", &b, MORE);
	prim_buf_puts(&b, "\n\r\n");
	expect("at the limit", &b, HEAD);
	b.len = PRIM_START_LINE_MAX;
	prim_buf_putc(&b, 'x');
	expect("above, open", &b, BROKEN);
	t_slice_is("id", command.id, "ab");
	prim_buf_puts(&b, "\r\n\r\n");
	expect("above", &b, BROKEN);
	t_slice_is("id", command.id, "ab");
	prim_buf_fini(&b);
}

static void a_header_line_is_bounded(void **state)
{
	static const char START[] = "PING PP/1.0 ab 0\r\n";
	struct prim_buf b = { 0 };

	(void)state;
	prim_buf_puts(&b, START);
	prim_buf_puts(&b, "X: ");
	fill(&b, 'x', PRIM_HEADER_LINE_MAX - 3);
	expect("at the limit, open", &b, MORE);
	prim_buf_puts(&b, "\r\n\r\n");
	expect("at the limit", &b, HEAD);
	b.len = strlen(START) + PRIM_HEADER_LINE_MAX;
	prim_buf_putc(&b, 'x');
	expect("above, open", &b, BROKEN);
	prim_buf_puts(&b, "\r\n\r\n");
	expect("above", &b, BROKEN);
	t_slice_is("id", command.id, "ab");
	prim_buf_fini(&b);
}

static void headers_are_counted(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	prim_buf_puts(&b, "PING PP/1.0 ab 0\r\n");
	for (unsigned i = 0; i < PRIM_HEADERS_MAX; i++)
		prim_buf_putf(&b, "X-%u: x\r\n", i);
	expect("at the limit, open", &b, MORE);
	prim_buf_puts(&b, "\r\n");
	expect("at the limit", &b, HEAD);
	assert_int_equal(command.header_count, PRIM_HEADERS_MAX);
	b.len -= 2;
	prim_buf_putc(&b, 'F');
	expect("above, open", &b, BROKEN);
	prim_buf_puts(&b, "rom: x\r\n\r\n");
	expect("above", &b, BROKEN);
	t_slice_is("id", command.id, "ab");
	prim_buf_fini(&b);
}

/* The 128th header may be the first of its name: `first` counts from 1. */
static void the_last_header_is_found_too(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	prim_buf_puts(&b, "PING PP/1.0 ab 0\r\n");
	for (unsigned i = 1; i < PRIM_HEADERS_MAX; i++)
		prim_buf_puts(&b, "X: x\r\n");
	prim_buf_puts(&b, "From: last\r\n\r\n");
	expect("whole", &b, HEAD);
	t_slice_is("From", prim_command_get(&command, PRIM_HEADER_FROM),
	    "last");
	prim_buf_fini(&b);
}

static void a_head_is_bounded(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	prim_buf_puts(&b, "PING PP/1.0 ab 0\r\n");
	for (unsigned i = 0; i < 8; i++) {
		prim_buf_puts(&b, "X: ");
		fill(&b, 'x', 16360);
		prim_buf_puts(&b, "\r\n");
	}
	prim_buf_puts(&b, "Y: ");
	fill(&b, 'x', PRIM_HEAD_MAX - 4 - b.len);
	prim_buf_puts(&b, "\r\n\r");
	expect("one short", &b, MORE);
	prim_buf_puts(&b, "\n");
	expect("at the limit", &b, HEAD);
	assert_int_equal(command.head.len, PRIM_HEAD_MAX);
	b.len -= 4;
	prim_buf_puts(&b, "x\r\n\r");
	expect("above, open", &b, BROKEN);
	prim_buf_puts(&b, "\n");
	expect("above", &b, BROKEN);
	t_slice_is("id", command.id, "ab");
	prim_buf_fini(&b);
}

static void an_id_is_bounded(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	prim_buf_puts(&b, "PING PP/1.0 ");
	fill(&b, 'a', PRIM_ID_MAX);
	prim_buf_puts(&b, " 0\r\n\r\n");
	expect("255", &b, HEAD);
	assert_int_equal(command.id.len, PRIM_ID_MAX);
	prim_buf_reset(&b);
	prim_buf_puts(&b, "PING PP/1.0 ");
	fill(&b, 'a', PRIM_ID_MAX + 1);
	prim_buf_puts(&b, " 0\r\n\r\n");
	expect("256", &b, BROKEN);
	assert_int_equal(command.id.len, 0);
	prim_buf_fini(&b);
}

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(a_start_line_is_bounded),
		cmocka_unit_test(a_header_line_is_bounded),
		cmocka_unit_test(headers_are_counted),
		cmocka_unit_test(the_last_header_is_found_too),
		cmocka_unit_test(a_head_is_bounded),
		cmocka_unit_test(an_id_is_bounded),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
