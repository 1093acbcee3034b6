/* SPDX-License-Identifier: ISC */
/* Reading XML: the one file in prim/ that knows expat. */

#include "prim/xml.h"

#include <expat.h>
#include <limits.h>
#include <string.h>

#include "prim/base.h"

#define SEPARATOR '\x1f' /* cannot occur in a namespace: no XML character */

struct reader {
	const struct prim_xml_bounds *bounds; /* borrowed */
	const struct prim_xml_ops *ops;       /* borrowed */
	void *ctx;                            /* borrowed */
	XML_Parser parser;                    /* owned */
	unsigned depth;
	unsigned elements;
	const char *why; /* NULL while nothing is wrong */
};

/* expat may still call after it was told to stop. */
static void settle(struct reader *r, const char *why)
{
	if (!why || r->why)
		return;
	r->why = why;
	XML_StopParser(r->parser, XML_FALSE);
}

/* "namespace SEPARATOR name", or "name" alone. */
static struct prim_slice split(const char *spelled, struct prim_slice *out_name)
{
	struct prim_slice rest = prim_slice_of(spelled);
	struct prim_slice ns = PRIM_SLICE_NONE;

	if (prim_slice_find(rest, SEPARATOR) >= 0)
		ns = prim_slice_cut(&rest, SEPARATOR);
	*out_name = rest;
	return ns;
}

/*
 * What expat found.
 */

static void on_start(void *arg, const char *name, const char **attributes)
{
	struct reader *r = arg;
	struct prim_xml_element e = { .attributes = attributes };

	if (r->why)
		return;
	if (++r->depth > r->bounds->depth)
		settle(r, "elements too deep in each other");
	else if (++r->elements > r->bounds->elements)
		settle(r, "too many elements");
	if (r->why)
		return;
	e.ns = split(name, &e.name);
	settle(r, r->ops->start(r->ctx, &e));
}

static void on_end(void *arg, const char *name)
{
	struct reader *r = arg;

	(void)name;
	if (r->why)
		return;
	r->depth--;
	settle(r, r->ops->end(r->ctx));
}

static void on_text(void *arg, const char *text, int len)
{
	struct reader *r = arg;

	if (!r->why)
		settle(r,
		    r->ops->text(r->ctx, prim_slice_make(text, (size_t)len)));
}

static void on_doctype(void *arg, const char *name, const char *system_id,
    const char *public_id, int has_subset)
{
	(void)name;
	(void)system_id;
	(void)public_id;
	(void)has_subset;
	settle(arg, "a DOCTYPE");
}

static void mem_free(void *ptr)
{
	prim_free(ptr);
}

static const XML_Memory_Handling_Suite MEMORY = {
	.malloc_fcn = prim_alloc,
	.realloc_fcn = prim_resize,
	.free_fcn = mem_free,
};

/*
 * The public face.
 */

/* The document comes in one piece that is also the last, so that nothing is
 * withheld and nothing copied. */
const char *prim_xml_parse(struct prim_slice xml,
    const struct prim_xml_bounds *bounds, const struct prim_xml_ops *ops,
    void *ctx)
{
	const char separator[] = { SEPARATOR, '\0' };
	struct reader r = { .bounds = bounds, .ops = ops, .ctx = ctx };

	if (xml.len > INT_MAX / 2)
		return "too long";
	r.parser = XML_ParserCreate_MM(NULL, &MEMORY, separator);
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetStartDoctypeDeclHandler(r.parser, on_doctype);
	if (XML_Parse(r.parser, xml.len ? xml.ptr : "", (int)xml.len,
		XML_TRUE) != XML_STATUS_OK &&
	    !r.why)
		r.why = XML_ErrorString(XML_GetErrorCode(r.parser));
	XML_ParserFree(r.parser);
	return r.why;
}

bool prim_xml_attribute(const struct prim_xml_element *e, const char *ns,
    const char *name, struct prim_slice *out_value)
{
	struct prim_slice wanted_ns = prim_slice_of(ns);
	struct prim_slice wanted = prim_slice_of(name);

	for (const char **at = e->attributes; at[0]; at += 2) {
		struct prim_slice local;
		struct prim_slice in = split(at[0], &local);

		if (prim_slice_eq(local, wanted) &&
		    prim_slice_eq(in, wanted_ns)) {
			*out_value = prim_slice_of(at[1]);
			return true;
		}
	}
	return false;
}
