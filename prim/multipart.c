/* SPDX-License-Identifier: ISC */
/* Several parts in one body, and several out of one. */

#include "prim/multipart.h"

#include <string.h>

#include "prim/command.h"
#include "prim/cpim.h"
#include "prim/hash.h"
#include "prim/scan.h"

#define CRLF     PRIM_SLICE("\r\n")
#define DASHES   PRIM_SLICE("--")
#define CRLF_LEN 2

static bool fail(const char **out_why, const char *why)
{
	if (out_why)
		*out_why = why;
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* ---- the header lines of a part ---- */

/* RFC 822: visible ASCII without the colon. */
static bool name_ok(struct prim_slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] <= ' ' || name.ptr[i] >= 0x7f)
			return false;
	}
	return name.len > 0;
}

static bool line_ok(struct prim_slice line)
{
	struct prim_slice name = line;
	ptrdiff_t colon = prim_slice_find(line, ':');

	if (colon < 0 || line.len > PRIM_MULTIPART_LINE_MAX)
		return false;
	name.len = (size_t)colon;
	return name_ok(name) &&
	    prim_command_value_ok(prim_slice_from(line, name.len + 1));
}

/* The lines are whole, each with its CRLF. */
static struct prim_slice take_line(struct prim_slice *lines)
{
	struct prim_slice line = prim_slice_cut(lines, '\n');

	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	return line;
}

static struct prim_slice find_value(struct prim_slice lines,
    struct prim_slice name)
{
	while (lines.len > 0) {
		struct prim_slice value = take_line(&lines);
		struct prim_slice its_name = prim_slice_cut(&value, ':');

		if (prim_slice_eq_nocase(its_name, name))
			return prim_slice_trim(value);
	}
	return PRIM_SLICE_NONE;
}

struct prim_slice prim_multipart_header(const struct prim_multipart_part *part,
    const char *name)
{
	return find_value(part->lines, prim_slice_of(name));
}

/* Two Content-Types would be two truths. */
static bool names_differ(struct prim_slice lines)
{
	while (lines.len > 0) {
		struct prim_slice line = take_line(&lines);
		struct prim_slice name = prim_slice_cut(&line, ':');
		struct prim_slice rest = lines;

		while (rest.len > 0) {
			struct prim_slice other = take_line(&rest);

			other = prim_slice_cut(&other, ':');
			if (prim_slice_eq_nocase(name, other))
				return false;
		}
	}
	return true;
}

/* What stands between two delimiters: lines, an empty one, content. No content
 * and no empty line is also a part. */
static bool parse_part(struct prim_slice region,
    struct prim_multipart_part *out, const char **out_why)
{
	struct prim_scan scan;
	struct prim_slice line = PRIM_SLICE_NONE;
	size_t end = 0;

	prim_scan_init(&scan, region);
	for (unsigned i = 0; end < region.len; i++) {
		if (prim_scan_line(&scan, &line) != PRIM_SCAN_LINE)
			return fail(out_why, "a part has no empty line");
		if (line.len == 0)
			break;
		if (i == PRIM_MULTIPART_HEADERS_MAX || !line_ok(line))
			return fail(out_why, "a header of a part is malformed");
		end = scan.at;
	}
	out->lines = prim_slice_make(region.ptr, end);
	out->content = prim_slice_from(region, scan.at);
	return names_differ(out->lines) ||
	    fail(out_why, "a part has a header twice");
}

/* ---- delimiters ---- */

struct reader {
	struct prim_slice body;
	struct prim_slice boundary;
	size_t at; /* a line begins here */
};

enum delimiter {
	DELIMITER_NEXT,  /* a part follows */
	DELIMITER_CLOSE, /* the last one */
	DELIMITER_NONE,
	DELIMITER_BAD, /* nobody can say whether it is one */
};

/* Is the line at the reader a delimiter? Then `out_len` is its length with
 * CRLF. */
static enum delimiter look(const struct reader *r, size_t *out_len)
{
	struct prim_slice line = prim_slice_from(r->body, r->at);
	size_t len = DASHES.len + r->boundary.len;
	enum delimiter kind = DELIMITER_NEXT;

	if (!prim_slice_starts(line, DASHES) ||
	    !prim_slice_starts(prim_slice_from(line, DASHES.len), r->boundary))
		return DELIMITER_NONE;
	if (prim_slice_starts(prim_slice_from(line, len), DASHES)) {
		kind = DELIMITER_CLOSE;
		len += DASHES.len;
	}
	while (len < line.len && is_blank(line.ptr[len]))
		len++;
	line = prim_slice_from(line, len);
	if (line.len > 0 && !prim_slice_starts(line, CRLF))
		return DELIMITER_BAD;
	*out_len = len + (line.len > 0 ? CRLF_LEN : 0);
	return kind;
}

/* The next line, or the end. */
static void skip_line(struct reader *r)
{
	do {
		struct prim_slice rest = prim_slice_from(r->body, r->at);
		ptrdiff_t lf = prim_slice_find(rest, '\n');

		r->at = lf < 0 ? r->body.len : r->at + (size_t)lf + 1;
		if (lf > 0 && rest.ptr[lf - 1] == '\r')
			return;
	} while (r->at < r->body.len);
}

/* Goes on to the next delimiter and behind it; `out_end` is where it began. */
static enum delimiter find_delimiter(struct reader *r, size_t *out_end)
{
	size_t len = 0;

	while (r->at < r->body.len) {
		enum delimiter kind = look(r, &len);

		*out_end = r->at;
		if (kind != DELIMITER_NONE) {
			r->at += len;
			return kind;
		}
		skip_line(r);
	}
	*out_end = r->body.len;
	return DELIMITER_NONE;
}

/* The drafts' example ends with a delimiter that announces one more part. */
static bool is_empty_from(struct prim_slice body, size_t at)
{
	for (; at < body.len; at++) {
		if (!is_blank(body.ptr[at]) && body.ptr[at] != '\r' &&
		    body.ptr[at] != '\n')
			return false;
	}
	return true;
}

static bool take_part(struct prim_multipart *m, const struct reader *r,
    size_t start, size_t end, const char **out_why)
{
	if (m->count == PRIM_MULTIPART_PARTS_MAX)
		return fail(out_why, "there are too many parts");
	if (end < start)
		return fail(out_why, "a part has no empty line");
	return parse_part(prim_slice_make(r->body.ptr + start, end - start),
	    &m->parts[m->count++], out_why);
}

static bool parse_parts(struct reader *r, struct prim_multipart *m,
    const char **out_why)
{
	size_t end = 0;
	enum delimiter kind = find_delimiter(r, &end);

	while (kind == DELIMITER_NEXT && !is_empty_from(r->body, r->at)) {
		size_t start = r->at;

		kind = find_delimiter(r, &end);
		/* The CRLF before a delimiter is the delimiter's. */
		if (kind != DELIMITER_NONE)
			end -= CRLF_LEN;
		if (!take_part(m, r, start, end, out_why))
			return false;
	}
	if (kind == DELIMITER_BAD)
		return fail(out_why,
		    "a line begins like a delimiter and is none");
	return m->count > 0 || fail(out_why, "there is no part");
}

bool prim_multipart_parse(struct prim_slice content_type,
    struct prim_slice body, struct prim_multipart *out, const char **out_why)
{
	struct reader r = {
		.body = body,
		.boundary = prim_cpim_type_parameter(content_type, "boundary"),
	};

	out->count = 0;
	if (r.boundary.len == 0 ||
	    r.boundary.len > PRIM_MULTIPART_BOUNDARY_MAX ||
	    !prim_command_value_ok(r.boundary) ||
	    is_blank(r.boundary.ptr[r.boundary.len - 1]))
		return fail(out_why, "there is no proper boundary");
	return parse_parts(&r, out, out_why);
}

/* ---- writing ---- */

static bool occurs_in(struct prim_slice s, struct prim_slice what)
{
	for (;;) {
		ptrdiff_t i = prim_slice_find(s, what.ptr[0]);

		if (i < 0)
			return false;
		s = prim_slice_from(s, (size_t)i);
		if (prim_slice_starts(s, what))
			return true;
		s = prim_slice_from(s, 1);
	}
}

static bool occurs(struct prim_slice boundary,
    const struct prim_multipart_part *parts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (occurs_in(parts[i].content, boundary) ||
		    occurs_in(parts[i].lines, boundary))
			return true;
	}
	return false;
}

static struct prim_digest digest_of(const struct prim_multipart_part *parts,
    size_t count, uint64_t attempt)
{
	static const struct prim_hash_key KEY = { 0, 0 };
	struct prim_hasher h;

	prim_hasher_init(&h, &KEY);
	prim_hasher_feed(&h,
	    prim_slice_make((const char *)&attempt, sizeof(attempt)));
	for (size_t i = 0; i < count; i++) {
		prim_hasher_feed_field(&h, parts[i].lines);
		prim_hasher_feed_field(&h, parts[i].content);
	}
	return prim_hasher_digest(&h);
}

void prim_multipart_put_boundary(struct prim_buf *b,
    const struct prim_multipart_part *parts, size_t count)
{
	size_t start = b->len;

	for (uint64_t attempt = 0;; attempt++) {
		struct prim_digest d = digest_of(parts, count, attempt);

		b->len = start;
		prim_buf_puts(b, "prim");
		prim_buf_put_hex(b, d.octets, sizeof(d.octets));
		if (!occurs(prim_slice_from(prim_buf_slice(b), start), parts,
			count))
			return;
	}
}

void prim_multipart_put(struct prim_buf *b, struct prim_slice boundary,
    const struct prim_multipart_part *parts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		prim_buf_put(b, DASHES);
		prim_buf_put(b, boundary);
		prim_buf_put(b, CRLF);
		prim_buf_put(b, parts[i].lines);
		prim_buf_put(b, CRLF);
		prim_buf_put(b, parts[i].content);
		prim_buf_put(b, CRLF);
	}
	prim_buf_put(b, DASHES);
	prim_buf_put(b, boundary);
	prim_buf_put(b, DASHES);
	prim_buf_put(b, CRLF);
}
