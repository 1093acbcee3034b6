/* SPDX-License-Identifier: ISC */
/* A growing run of octets. */

#include "prim/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "prim/base.h"

#define SMALLEST 64

void prim_buf_init(struct prim_buf *b)
{
	memset(b, 0, sizeof(*b));
}

void prim_buf_fini(struct prim_buf *b)
{
	prim_free(b->ptr);
	prim_buf_init(b);
}

void prim_buf_reset(struct prim_buf *b)
{
	b->len = 0;
}

char *prim_buf_room(struct prim_buf *b, size_t len)
{
	size_t cap = b->cap ? b->cap : SMALLEST;

	if (b->cap - b->len >= len && b->ptr)
		return b->ptr + b->len;
	while (cap - b->len < len)
		cap *= 2;
	b->ptr = prim_resize(b->ptr, cap);
	b->cap = cap;
	return b->ptr + b->len;
}

void prim_buf_grow(struct prim_buf *b, size_t len)
{
	b->len += len;
}

void prim_buf_put(struct prim_buf *b, struct prim_slice s)
{
	if (s.len == 0)
		return;
	memcpy(prim_buf_room(b, s.len), s.ptr, s.len);
	b->len += s.len;
}

void prim_buf_putc(struct prim_buf *b, char c)
{
	*prim_buf_room(b, 1) = c;
	b->len++;
}

void prim_buf_puts(struct prim_buf *b, const char *text)
{
	prim_buf_put(b, prim_slice_of(text));
}

void prim_buf_putf(struct prim_buf *b, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len <= 0)
		return;
	prim_buf_room(b, (size_t)len + 1);
	va_start(args, format);
	vsnprintf(b->ptr + b->len, (size_t)len + 1, format, args);
	va_end(args);
	b->len += (size_t)len;
}

void prim_buf_put_number(struct prim_buf *b, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	prim_buf_put(b, prim_slice_make(digits + at, sizeof(digits) - at));
}

void prim_buf_put_hex(struct prim_buf *b, const void *octets, size_t len)
{
	static const char DIGITS[] = "0123456789abcdef";
	const unsigned char *from = octets;
	char *to = prim_buf_room(b, len * 2);

	for (size_t i = 0; i < len; i++) {
		to[2 * i] = DIGITS[from[i] >> 4];
		to[2 * i + 1] = DIGITS[from[i] & 15];
	}
	b->len += len * 2;
}

struct prim_slice prim_buf_slice(const struct prim_buf *b)
{
	return prim_slice_make(b->ptr, b->len);
}

char *prim_buf_steal(struct prim_buf *b)
{
	char *text;

	prim_buf_putc(b, '\0');
	text = b->ptr;
	prim_buf_init(b);
	return text;
}
