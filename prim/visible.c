/* SPDX-License-Identifier: ISC */
/* Text for a terminal that did not ask for surprises. */

#include "prim/visible.h"

#include <stdbool.h>

#include "prim/base.h"
#include "prim/utf8.h"

/* What steers the eye: C1 controls, line and paragraph separators, the
 * directional marks, embeddings and isolates, the byte order mark. */
static const struct {
	uint32_t first, last;
} STEERING[] = {
	{0x80,    0x9F  }, /* controls */
	{ 0x61C,  0x61C }, /* Arabic letter mark */
	{ 0x200E, 0x200F}, /* left-to-right, right-to-left mark */
	{ 0x2028, 0x202E}, /* separators, embeddings, overrides */
	{ 0x2066, 0x2069}, /* isolates */
	{ 0xFEFF, 0xFEFF}, /* byte order mark */
	{ 0xFFF9, 0xFFFB}, /* interlinear annotation */
};

static bool is_steering(uint32_t c)
{
	for (size_t i = 0; i < PRIM_COUNT(STEERING); i++) {
		if (c >= STEERING[i].first && c <= STEERING[i].last)
			return true;
	}
	return false;
}

static void put_octet(struct prim_buf *b, char octet)
{
	if (octet == '\n')
		prim_buf_puts(b, "\\n");
	else if (octet == '\r')
		prim_buf_puts(b, "\\r");
	else
		prim_buf_putf(b, "\\x%02X", (unsigned)(unsigned char)octet);
}

static void put_char(struct prim_buf *b, uint32_t c)
{
	if (c == '\t' || (c >= ' ' && c != 0x7F && !is_steering(c)))
		prim_utf8_put(b, c);
	else if (c < ' ' || c == 0x7F)
		put_octet(b, (char)c);
	else
		prim_buf_putf(b, "\\u{%04X}", (unsigned)c);
}

void prim_visible_put(struct prim_buf *b, struct prim_slice text)
{
	uint32_t c;

	while (text.len > 0) {
		if (prim_utf8_next(&text, &c)) {
			put_char(b, c);
		} else {
			put_octet(b, text.ptr[0]);
			text = prim_slice_from(text, 1);
		}
	}
}

void prim_visible_put_lines(struct prim_buf *b, struct prim_slice text,
    const char *indent)
{
	while (prim_slice_find(text, '\n') >= 0) {
		struct prim_slice line = prim_slice_cut(&text, '\n');

		if (prim_slice_ends(line, PRIM_SLICE("\r")))
			line.len--;
		prim_visible_put(b, line);
		prim_buf_putc(b, '\n');
		prim_buf_puts(b, indent);
	}
	prim_visible_put(b, text);
}
