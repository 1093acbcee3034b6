/* SPDX-License-Identifier: ISC */
/* Bodies that are shared. */

#include "prim/document.h"

#include <assert.h>

#include "prim/base.h"

struct prim_document *prim_document_new(const struct prim_document_parts *parts)
{
	struct prim_document *d = prim_alloc(sizeof(*d) + parts->type.len +
	    parts->name.len + parts->body.len);
	char *room = d->octets;

	d->refs = 1;
	d->type = prim_slice_keep(&room, parts->type);
	d->name = prim_slice_keep(&room, parts->name);
	d->body = prim_slice_keep(&room, parts->body);
	return d;
}

struct prim_document *prim_document_ref(struct prim_document *d)
{
	if (d)
		d->refs++;
	return d;
}

struct prim_document *prim_document_unref(struct prim_document *d)
{
	if (!d)
		return NULL;
	assert(d->refs > 0);
	if (--d->refs == 0)
		prim_free(d);
	return NULL;
}

bool prim_document_eq(const struct prim_document *a,
    const struct prim_document *b)
{
	if (!a || !b)
		return a == b;
	return prim_slice_eq(a->type, b->type) &&
	    prim_slice_eq(a->body, b->body);
}
