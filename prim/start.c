/* SPDX-License-Identifier: ISC */
/* Start lines of requests and responses. */

#include "prim/start.h"

#include <limits.h>

#include "prim/octet.h"

/* 1*DIGIT; what is too large for anybody is just very large. */
static bool parse_version_number(struct prim_slice s, unsigned *out_number)
{
	unsigned number = 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned)(s.ptr[i] - '0');

		if (!prim_octet_is_digit(s.ptr[i]))
			return false;
		if (number > (UINT_MAX - digit) / 10)
			number = UINT_MAX;
		else
			number = number * 10 + digit;
	}
	*out_number = number;
	return s.len > 0;
}

static bool parse_version(struct prim_slice s, struct prim_command *out)
{
	struct prim_slice rest = s;
	struct prim_slice name = prim_slice_cut(&rest, '/');
	struct prim_slice major = prim_slice_cut(&rest, '.');

	if (name.len == 0)
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if (!prim_octet_is_alnum(name.ptr[i]) && name.ptr[i] != '-')
			return false;
	}
	if (!parse_version_number(major, &out->major) ||
	    !parse_version_number(rest, &out->minor))
		return false;
	out->version = s;
	out->family = prim_family_find(name);
	return true;
}

static bool id_ok(struct prim_slice id)
{
	if (id.len == 1 && id.ptr[0] == '-')
		return true;
	for (size_t i = 0; i < id.len; i++) {
		if (!prim_octet_is_alnum(id.ptr[i]))
			return false;
	}
	return id.len > 0 && id.len <= PRIM_ID_MAX;
}

static bool parse_method(struct prim_slice s, struct prim_command *out)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] < '!' || s.ptr[i] > '~')
			return false;
	}
	out->method_name = s;
	out->method = prim_method_find(s);
	return s.len > 0;
}

/* What both kinds of line begin with: up to the id. PRIM-005: a '/' in the
 * first token makes it a response. Sets the id last, so that it is empty when
 * the line was not good that far. */
static bool parse_front(struct prim_slice *rest, struct prim_command *out)
{
	struct prim_slice first = prim_slice_cut(rest, ' ');
	struct prim_slice id;

	out->family = PRIM_FAMILY_UNKNOWN;
	out->method = PRIM_METHOD_UNKNOWN;
	out->method_name = PRIM_SLICE_NONE;
	out->id = PRIM_SLICE_NONE;
	out->is_response = prim_slice_find(first, '/') >= 0;
	if (!out->is_response) {
		if (!parse_method(first, out))
			return false;
		first = prim_slice_cut(rest, ' ');
	}
	if (!parse_version(first, out))
		return false;
	id = prim_slice_cut(rest, ' ');
	if (!id_ok(id))
		return false;
	out->id = id;
	return true;
}

static bool parse_body_len(struct prim_slice s, struct prim_command *out)
{
	return s.len <= 18 &&
	    prim_slice_number(s, PRIM_BODY_LEN_MAX, &out->body_len);
}

/* Three digits, and the phrase if there is one (ERR-26). */
static bool parse_code(struct prim_slice rest, struct prim_command *out)
{
	struct prim_slice code = prim_slice_cut(&rest, ' ');
	uint64_t number;

	if (code.len != 3 || !prim_slice_number(code, 999, &number) ||
	    number < 100)
		return false;
	out->code = (unsigned)number;
	out->phrase = rest;
	return true;
}

bool prim_start_parse(struct prim_slice line, struct prim_command *out)
{
	struct prim_slice rest = line;
	ptrdiff_t space;

	if (!parse_front(&rest, out))
		return false;
	out->code = 0;
	out->phrase = PRIM_SLICE_NONE;
	if (!out->is_response)
		return parse_body_len(rest, out);
	space = prim_slice_find(rest, ' ');
	if (space < 0 || prim_slice_eq(out->id, PRIM_SLICE("-")))
		return false;
	return parse_body_len(prim_slice_cut(&rest, ' '), out) &&
	    parse_code(rest, out);
}

void prim_start_salvage(struct prim_slice in, struct prim_command *out)
{
	struct prim_slice rest;
	size_t len = 0;
	bool is_ended;

	for (unsigned i = 0; i < PRIM_EMPTY_LINES_MAX &&
	     prim_slice_starts(in, PRIM_SLICE("\r\n"));
	     i++)
		in = prim_slice_from(in, 2);
	if (in.len > PRIM_START_LINE_MAX)
		in.len = PRIM_START_LINE_MAX;
	while (len < in.len && (unsigned char)in.ptr[len] >= ' ')
		len++;
	is_ended = len < in.len;
	in.len = len;
	rest = in;
	/* An id that touches the end of what came may go on behind it. */
	if (parse_front(&rest, out) && !is_ended &&
	    out->id.ptr + out->id.len == in.ptr + in.len)
		out->id = PRIM_SLICE_NONE;
}
