/* SPDX-License-Identifier: ISC */
#ifndef PRIM_MULTIPART_H
#define PRIM_MULTIPART_H

/*
 * Bodies of several parts (RFC 2046 5.1), as presence has them (D1 15.6, D2
 * 14.6). Nothing here knows what a part means.
 *
 * Reading borrows from the octets it is given. Strict, because two readers of
 * one body must see the same parts: lines end in CRLF, header lines are not
 * folded, a line that begins like a delimiter is one. The one exception is the
 * end: the drafts' own example has no closing delimiter.
 */

#include "prim/buf.h"
#include "prim/slice.h"

#define PRIM_MULTIPART_PARTS_MAX    64
#define PRIM_MULTIPART_HEADERS_MAX  16    /* of a part */
#define PRIM_MULTIPART_LINE_MAX     16384 /* octets of a header line */
#define PRIM_MULTIPART_BOUNDARY_MAX 70

struct prim_multipart_part {
	struct prim_slice lines;   /* borrowed: header lines, each with CRLF */
	struct prim_slice content; /* borrowed */
};

struct prim_multipart {
	unsigned count; /* at least 1 */
	struct prim_multipart_part parts[PRIM_MULTIPART_PARTS_MAX];
};

/* Takes `body` apart by the boundary parameter of `content_type`, quoted or
 * not. What stands before the first part and behind the last is passed over. A
 * body that ends without a closing delimiter ends its last part. False with a
 * static sentence in `*out_why` (may be NULL): no boundary, no part, over a
 * bound, a part without the empty line, a malformed header line, two header
 * lines of one name. */
bool prim_multipart_parse(struct prim_slice content_type,
    struct prim_slice body, struct prim_multipart *out, const char **out_why);

/* The value of the part's header `name` (ASCII case-insensitive), or the empty
 * slice. */
struct prim_slice prim_multipart_header(const struct prim_multipart_part *part,
    const char *name);

/* Appends a boundary that occurs in none of the parts: 1 to
 * PRIM_MULTIPART_BOUNDARY_MAX octets that need no quotes. The same parts give
 * the same boundary. */
void prim_multipart_put_boundary(struct prim_buf *b,
    const struct prim_multipart_part *parts, size_t count);

/* Appends the body: all parts between delimiters, the last one closed. */
void prim_multipart_put(struct prim_buf *b, struct prim_slice boundary,
    const struct prim_multipart_part *parts, size_t count);

#endif
