/* SPDX-License-Identifier: ISC */
/* Lines out of a stream, eight octets at a time. */

#include "prim/scan.h"

#include <endian.h>
#include <string.h>

#include "prim/octet.h"

#define EACH(octet) (0x0101010101010101U * (octet))

void prim_scan_init(struct prim_scan *s, struct prim_slice in)
{
	*s = (struct prim_scan){ .in = in };
}

/* The top bit of every octet below 0x20 or equal to 0x7f. Above the first one
 * the subtraction may have borrowed, so only the lowest bit is to be trusted.
 */
static uint64_t controls(uint64_t word)
{
	uint64_t del = word ^ EACH(0x7f);
	uint64_t low = (word - EACH(0x20)) & ~word;

	return (low | ((del - EACH(1)) & ~del)) & EACH(0x80);
}

/* Index of the first control octet from `at` on, or the end. */
static size_t skip_text(struct prim_scan *s, size_t at)
{
	const char *ptr = s->in.ptr;
	uint64_t word, high = 0;

	for (; s->in.len - at >= sizeof(word); at += sizeof(word)) {
		uint64_t found;

		memcpy(&word, ptr + at, sizeof(word));
		high |= word;
		found = controls(le64toh(word));
		if (found) {
			s->has_high |= (high & EACH(0x80)) != 0;
			return at + (size_t)__builtin_ctzll(found) / 8;
		}
	}
	for (; at < s->in.len && !prim_octet_is_control(ptr[at]); at++)
		high |= (unsigned char)ptr[at];
	s->has_high |= (high & EACH(0x80)) != 0;
	return at;
}

static enum prim_scan_status end_line(struct prim_scan *s,
    struct prim_slice *out_line)
{
	if (s->in.len - s->at < 2)
		return PRIM_SCAN_MORE;
	if (s->in.ptr[s->at + 1] != '\n')
		return PRIM_SCAN_BROKEN;
	*out_line = prim_slice_make(s->in.ptr + s->line, s->at - s->line);
	s->at += 2;
	s->line = s->at;
	return PRIM_SCAN_LINE;
}

enum prim_scan_status prim_scan_line(struct prim_scan *s,
    struct prim_slice *out_line)
{
	for (;;) {
		s->at = skip_text(s, s->at);
		if (s->at == s->in.len)
			return PRIM_SCAN_MORE;
		switch (s->in.ptr[s->at]) {
		case '\r':
			return end_line(s, out_line);
		case '\n':
		case '\0':
			return PRIM_SCAN_BROKEN;
		case '\t':
			break;
		default:
			s->has_control = true;
			break;
		}
		s->at++;
	}
}

struct prim_slice prim_scan_partial(const struct prim_scan *s)
{
	return prim_slice_make(s->in.ptr + s->line, s->at - s->line);
}
