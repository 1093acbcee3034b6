/* SPDX-License-Identifier: ISC */
/* Looking at runs of octets somebody else owns. */

#include "prim/slice.h"

#include <string.h>
#include <strings.h>

#include "prim/base.h"

struct prim_slice prim_slice_make(const char *ptr, size_t len)
{
	return (struct prim_slice){ .ptr = ptr, .len = len };
}

struct prim_slice prim_slice_of(const char *text)
{
	return prim_slice_make(text, text ? strlen(text) : 0);
}

bool prim_slice_eq(struct prim_slice a, struct prim_slice b)
{
	if (a.len != b.len)
		return false;
	return a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0;
}

static unsigned char lower(char c)
{
	unsigned char u = (unsigned char)c;

	return u >= 'A' && u <= 'Z' ? (unsigned char)(u + ('a' - 'A')) : u;
}

bool prim_slice_eq_nocase(struct prim_slice a, struct prim_slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (lower(a.ptr[i]) != lower(b.ptr[i]))
			return false;
	}
	return true;
}

bool prim_slice_starts(struct prim_slice s, struct prim_slice prefix)
{
	return s.len >= prefix.len &&
	    prim_slice_eq(prim_slice_make(s.ptr, prefix.len), prefix);
}

bool prim_slice_ends(struct prim_slice s, struct prim_slice suffix)
{
	return s.len >= suffix.len &&
	    prim_slice_eq(prim_slice_from(s, s.len - suffix.len), suffix);
}

ptrdiff_t prim_slice_find(struct prim_slice s, char c)
{
	const char *at = s.len ? memchr(s.ptr, c, s.len) : NULL;

	return at ? at - s.ptr : -1;
}

ptrdiff_t prim_slice_find_last(struct prim_slice s, char c)
{
	for (size_t i = s.len; i > 0; i--) {
		if (s.ptr[i - 1] == c)
			return (ptrdiff_t)(i - 1);
	}
	return -1;
}

struct prim_slice prim_slice_from(struct prim_slice s, size_t from)
{
	if (from >= s.len)
		return PRIM_SLICE_NONE;
	return prim_slice_make(s.ptr + from, s.len - from);
}

struct prim_slice prim_slice_cut(struct prim_slice *rest, char sep)
{
	struct prim_slice head = *rest;
	ptrdiff_t at = prim_slice_find(*rest, sep);

	if (at < 0) {
		*rest = PRIM_SLICE_NONE;
		return head;
	}
	head.len = (size_t)at;
	*rest = prim_slice_from(*rest, (size_t)at + 1);
	return head;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct prim_slice prim_slice_trim(struct prim_slice s)
{
	while (s.len && is_blank(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len && is_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

bool prim_slice_number(struct prim_slice s, uint64_t max, uint64_t *out_value)
{
	uint64_t value = 0;

	if (s.len == 0 || s.len > 19)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(s.ptr[i] - '0');
	}
	if (value > max)
		return false;
	*out_value = value;
	return true;
}

char *prim_slice_copy(struct prim_slice s)
{
	return prim_copy(s.ptr, s.len);
}

struct prim_slice prim_slice_keep(char **room, struct prim_slice s)
{
	char *at = *room;

	if (s.len > 0)
		memcpy(at, s.ptr, s.len);
	*room += s.len;
	return prim_slice_make(at, s.len);
}
