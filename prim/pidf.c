/* SPDX-License-Identifier: ISC */
/* Reading PIDF and its drafts: following the document. */

#include "prim/pidf.h"

#include "prim/pidf_reader.h"

/* CPIM-096: what had to be understood makes the extension around it void, and
 * that the one around it if it had to be understood itself. The drafts gave up
 * the whole document. */
static const char *not_understood(struct prim_pidf_reader *r)
{
	struct prim_pidf_frame *f;

	if (r->space->dialect != PRIM_PIDF_RFC)
		return "something unknown that must be understood";
	for (size_t i = r->depth; i-- > 0;) {
		f = &r->frames[i];
		if (f->kind < PRIM_PIDF_PERSON)
			break;
		f->is_void = true;
		if (!f->must)
			break;
	}
	return NULL;
}

/* Puts a frame of that kind on the stack, which the reader of XML keeps from
 * growing too deep. */
static const char *push(struct prim_pidf_reader *r, enum prim_pidf_kind kind,
    const struct prim_xml_element *e)
{
	struct prim_pidf_frame f = { .kind = kind };
	struct prim_slice value;

	if (kind != PRIM_PIDF_IGNORED) {
		f.must = prim_pidf_must(r->space, e);
		if (r->depth)
			f.language = prim_pidf_top(r)->language;
		if (prim_xml_attribute(e, PRIM_XML_NS, "lang", &value))
			f.language = prim_pidf_keep(r->p, value);
	}
	r->frames[r->depth++] = f;
	if (prim_pidf_elements[kind].open) {
		const char *why = prim_pidf_elements[kind].open(r, e);

		if (why)
			return why;
	}
	prim_pidf_top(r)->text_at = r->p->text.len;
	return NULL;
}

static const char *open_root(struct prim_pidf_reader *r,
    const struct prim_xml_element *e)
{
	struct prim_slice entity;

	r->space = prim_pidf_space_of(e);
	if (!r->space)
		return "not a presence document";
	if (r->space->dialect != PRIM_PIDF_FIRST &&
	    prim_xml_attribute(e, NULL, "entity", &entity))
		r->p->entity = prim_pidf_keep(r->p, entity);
	return push(r, PRIM_PIDF_DOCUMENT, e);
}

static const char *on_start(void *ctx, const struct prim_xml_element *e)
{
	struct prim_pidf_reader *r = ctx;
	enum prim_pidf_kind parent, kind;
	const char *why;

	if (r->depth == 0)
		return open_root(r, e);
	parent = prim_pidf_top(r)->kind;
	if (parent == PRIM_PIDF_IGNORED)
		return push(r, PRIM_PIDF_IGNORED, e);
	if (parent == PRIM_PIDF_STATUS)
		r->tuple->has_status = true;
	kind = prim_pidf_kind_of(r->space, parent, e);
	if (kind == PRIM_PIDF_IGNORED && prim_pidf_must(r->space, e)) {
		why = not_understood(r);
		if (why)
			return why;
	}
	return push(r, kind, e);
}

static const char *on_text(void *ctx, struct prim_slice text)
{
	struct prim_pidf_reader *r = ctx;

	if (prim_pidf_elements[prim_pidf_top(r)->kind].has_text)
		prim_pidf_keep(r->p, text);
	return NULL;
}

static const char *on_end(void *ctx)
{
	struct prim_pidf_reader *r = ctx;
	struct prim_pidf_frame f = *prim_pidf_top(r);
	const struct prim_pidf_element *element = &prim_pidf_elements[f.kind];
	struct prim_buf *kept = &r->p->text;
	struct prim_slice text = PRIM_SLICE_NONE;

	r->depth--;
	if (element->has_text)
		text = prim_slice_make(kept->ptr + f.text_at,
		    kept->len - f.text_at);
	if (element->has_text && (f.is_void || !element->keeps_text))
		kept->len = f.text_at;
	if (f.is_void || !element->close)
		return NULL;
	return element->close(r, &f, text);
}

static const struct prim_xml_ops OPS = {
	.start = on_start,
	.text = on_text,
	.end = on_end,
};

bool prim_pidf_parse(struct prim_pidf *p, struct prim_slice xml,
    const char **why)
{
	struct prim_pidf_reader r;
	const char *wrong;

	r.p = p;
	r.space = NULL;
	r.tuple = NULL;
	r.seen = 0;
	r.document_first = 0;
	r.depth = 0;
	prim_pidf_reset(p, xml.len);
	wrong = prim_xml_parse(xml, &prim_pidf_bounds, &OPS, &r);
	if (!wrong)
		return true;
	prim_pidf_reset(p, 0);
	if (why)
		*why = wrong;
	return false;
}
