/* SPDX-License-Identifier: ISC */
#ifndef PRIM_DOCUMENT_H
#define PRIM_DOCUMENT_H

/*
 * A body with its type, immutable and shared by reference: a published tuple,
 * a view that many watchers get. One allocation.
 */

#include <stdbool.h>

#include "prim/slice.h"

struct prim_document {
	unsigned refs;
	struct prim_slice type; /* a Content-Type; may be empty, then so is
	                           the body */
	struct prim_slice name; /* of the only tuple in it: a Tuple-ID; or
	                           empty */
	struct prim_slice body;
	char octets[];
};

struct prim_document_parts {
	struct prim_slice type;
	struct prim_slice name;
	struct prim_slice body;
};

/* A copy of `parts`, with one reference, the caller's. */
struct prim_document *
prim_document_new(const struct prim_document_parts *parts);
/* One more reference; NULL gives NULL. */
struct prim_document *prim_document_ref(struct prim_document *d);
/* One less; NULL is fine. Returns NULL. */
struct prim_document *prim_document_unref(struct prim_document *d);
/* Type and body equal, octet for octet? NULL equals NULL only. */
bool prim_document_eq(const struct prim_document *a,
    const struct prim_document *b);

#endif
