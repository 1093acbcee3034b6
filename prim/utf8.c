/* SPDX-License-Identifier: ISC */
/* Characters in and out of UTF-8. */

#include "prim/utf8.h"

#include <assert.h>
#include <string.h>

#define ASCII_HIGH 0x8080808080808080U

static unsigned octet(struct prim_slice s, size_t i)
{
	return (unsigned char)s.ptr[i];
}

/* How many octets follow `lead`, and the smallest character that may be
 * written so; -1 for an octet that leads nothing. */
static int followers(unsigned lead, uint32_t *out_least)
{
	if (lead >= 0xc2 && lead <= 0xdf) {
		*out_least = 0x80;
		return 1;
	}
	if (lead >= 0xe0 && lead <= 0xef) {
		*out_least = 0x800;
		return 2;
	}
	if (lead >= 0xf0 && lead <= 0xf4) {
		*out_least = 0x10000;
		return 3;
	}
	*out_least = 0;
	return lead < 0x80 ? 0 : -1;
}

bool prim_utf8_next(struct prim_slice *s, uint32_t *out_char)
{
	uint32_t c, least;
	int more;

	if (s->len == 0)
		return false;
	c = octet(*s, 0);
	more = followers(c, &least);
	if (more < 0 || (size_t)more >= s->len)
		return false;
	if (more)
		c &= 0x3fU >> more;
	for (int i = 1; i <= more; i++) {
		if ((octet(*s, (size_t)i) & 0xc0) != 0x80)
			return false;
		c = c << 6 | (octet(*s, (size_t)i) & 0x3f);
	}
	if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return false;
	s->ptr += more + 1;
	s->len -= (size_t)more + 1;
	*out_char = c;
	return true;
}

static void skip_ascii(struct prim_slice *s)
{
	uint64_t word;

	while (s->len >= sizeof(word)) {
		memcpy(&word, s->ptr, sizeof(word));
		if (word & ASCII_HIGH)
			break;
		s->ptr += sizeof(word);
		s->len -= sizeof(word);
	}
	while (s->len && octet(*s, 0) < 0x80) {
		s->ptr++;
		s->len--;
	}
}

bool prim_utf8_ok(struct prim_slice s)
{
	uint32_t c;

	for (;;) {
		skip_ascii(&s);
		if (s.len == 0)
			return true;
		if (!prim_utf8_next(&s, &c))
			return false;
	}
}

void prim_utf8_put(struct prim_buf *b, uint32_t c)
{
	assert(c <= 0x10ffff && (c < 0xd800 || c > 0xdfff));
	if (c < 0x80) {
		prim_buf_putc(b, (char)c);
		return;
	}
	if (c < 0x800) {
		prim_buf_putc(b, (char)(0xc0 | c >> 6));
	} else if (c < 0x10000) {
		prim_buf_putc(b, (char)(0xe0 | c >> 12));
		prim_buf_putc(b, (char)(0x80 | (c >> 6 & 0x3f)));
	} else {
		prim_buf_putc(b, (char)(0xf0 | c >> 18));
		prim_buf_putc(b, (char)(0x80 | (c >> 12 & 0x3f)));
		prim_buf_putc(b, (char)(0x80 | (c >> 6 & 0x3f)));
	}
	prim_buf_putc(b, (char)(0x80 | (c & 0x3f)));
}
