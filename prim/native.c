/* SPDX-License-Identifier: ISC */
/* The drafts' own format (D1 15, D2 14), read and written. */

#include <string.h>

#include "prim/base.h"
#include "prim/date.h"
#include "prim/pidf_private.h"

#define PREFERENCE_MAX 4294967295U
#define NO_PREFERENCE  UINT64_MAX
#define PRIORITY_BEST  1000
/* As spelled for one more contact in a document; the DTD knows of one only. */
#define ANOTHER         "-%u"
#define ANOTHER_LEN_MAX 4

enum kind {
	KIND_IGNORED,
	KIND_DOCUMENT,
	KIND_PRESENTITY,
	KIND_CONTACT,
	KIND_STATUS,
	KIND_PREFERENCE,
	KIND_NOTE,
};

static const struct rule {
	enum kind parent;
	const char *name;
	enum kind kind;
} RULES[] = {
	{KIND_DOCUMENT,    "presentity", KIND_PRESENTITY},
	{ KIND_DOCUMENT,   "contact",    KIND_CONTACT   },
	{ KIND_PRESENTITY, "note",       KIND_NOTE      },
	{ KIND_CONTACT,    "status",     KIND_STATUS    },
	{ KIND_CONTACT,    "preference", KIND_PREFERENCE},
	{ KIND_CONTACT,    "note",       KIND_NOTE      },
};

struct frame {
	enum kind kind;
	struct prim_slice language;
	size_t text_at; /* where its text begins */
};

struct reader {
	struct prim_pidf *p;           /* borrowed */
	struct prim_slice tuple_id;    /* borrowed */
	struct prim_pidf_tuple *tuple; /* borrowed; the open one, or NULL */
	int64_t date_ms;
	unsigned first; /* notes of the contact, before the detail */
	uint64_t preferences[PRIM_PIDF_TUPLES_MAX];
	size_t depth;
	struct frame frames[PRIM_PIDF_DEPTH_MAX];
};

static struct frame *top(struct reader *r)
{
	return &r->frames[r->depth - 1];
}

/* The drafts' prose and their DTD spell some names differently (ERR-109). */
static struct prim_slice attribute(const struct prim_xml_element *e,
    const char *name, const char *other)
{
	struct prim_slice value = PRIM_SLICE_NONE;

	if (!prim_xml_attribute(e, NULL, name, &value) && other)
		prim_xml_attribute(e, NULL, other, &value);
	return value;
}

/*
 * What opens.
 */

static const char *open_root(struct reader *r, const struct prim_xml_element *e)
{
	if (e->ns.len || !prim_slice_eq(e->name, PRIM_SLICE("presence")))
		return "not a presence document";
	r->p->entity = prim_pidf_keep(r->p,
	    attribute(e, "identifier", "address"));
	prim_date_parse_1123(prim_xml_trim(attribute(e, "date", NULL)),
	    &r->date_ms);
	return NULL;
}

static struct prim_slice name_tuple(struct reader *r)
{
	struct prim_buf *kept = &r->p->text;
	size_t at = kept->len;

	prim_buf_put(kept, r->tuple_id);
	if (r->p->tuple_count)
		prim_buf_putf(kept, ANOTHER, r->p->tuple_count + 1);
	return prim_slice_make(kept->ptr + at, kept->len - at);
}

static const char *open_contact(struct reader *r,
    const struct prim_xml_element *e)
{
	const char *why;

	if (r->p->tuple_count == PRIM_PIDF_TUPLES_MAX)
		return "too many contacts";
	r->preferences[r->p->tuple_count] = NO_PREFERENCE;
	why = prim_pidf_add_tuple(r->p, name_tuple(r), &r->tuple);
	if (why)
		return why;
	r->first = 0;
	r->tuple->timestamp_ms = r->date_ms;
	r->tuple->contact = prim_pidf_keep(r->p,
	    prim_xml_trim(attribute(e, "address", NULL)));
	return NULL;
}

static const char *open_status(struct reader *r,
    const struct prim_xml_element *e)
{
	struct prim_slice value = attribute(e, "value", NULL);
	struct prim_pidf_tuple *t = r->tuple;
	struct prim_pidf_note note = {
		.language = top(r)->language,
		.text = attribute(e, "detail", "details"),
	};

	if (t->has_status)
		return "an element twice that may be there once";
	t->has_status = true;
	if (prim_slice_eq(value, PRIM_SLICE("open")))
		t->basic = PRIM_BASIC_OPEN;
	else if (prim_slice_eq(value, PRIM_SLICE("closed")))
		t->basic = PRIM_BASIC_CLOSED;
	else
		return "a status that is neither open nor closed";
	if (note.text.len == 0)
		return NULL;
	note.text = prim_pidf_keep(r->p, note.text);
	return prim_pidf_add_note(t->notes, &t->note_count, t->note_count,
	    note);
}

static const char *open_preference(struct reader *r,
    const struct prim_xml_element *e)
{
	uint64_t *preference = &r->preferences[r->p->tuple_count - 1];

	if (*preference != NO_PREFERENCE)
		return "an element twice that may be there once";
	prim_slice_number(prim_xml_trim(attribute(e, "value", NULL)),
	    PREFERENCE_MAX, preference);
	return NULL;
}

static const char *open_kind(struct reader *r, const struct prim_xml_element *e)
{
	switch (top(r)->kind) {
	case KIND_DOCUMENT:
		return open_root(r, e);
	case KIND_CONTACT:
		return open_contact(r, e);
	case KIND_STATUS:
		return open_status(r, e);
	case KIND_PREFERENCE:
		return open_preference(r, e);
	case KIND_IGNORED:
	case KIND_PRESENTITY:
	case KIND_NOTE:
		break;
	}
	return NULL;
}

/*
 * Following the document.
 */

static enum kind kind_of(const struct reader *r,
    const struct prim_xml_element *e)
{
	if (r->depth == 0)
		return KIND_DOCUMENT;
	for (size_t i = 0; i < PRIM_COUNT(RULES); i++) {
		if (RULES[i].parent == r->frames[r->depth - 1].kind &&
		    e->ns.len == 0 &&
		    prim_slice_eq(e->name, prim_slice_of(RULES[i].name)))
			return RULES[i].kind;
	}
	return KIND_IGNORED;
}

static const char *on_start(void *ctx, const struct prim_xml_element *e)
{
	struct reader *r = ctx;
	struct frame f = { .kind = kind_of(r, e) };
	struct prim_slice value;
	const char *why;

	if (r->depth)
		f.language = top(r)->language;
	if (f.kind != KIND_IGNORED &&
	    prim_xml_attribute(e, PRIM_XML_NS, "lang", &value))
		f.language = prim_pidf_keep(r->p, value);
	r->frames[r->depth++] = f;
	why = open_kind(r, e);
	top(r)->text_at = r->p->text.len;
	return why;
}

static const char *on_text(void *ctx, struct prim_slice text)
{
	struct reader *r = ctx;

	if (top(r)->kind == KIND_NOTE)
		prim_pidf_keep(r->p, text);
	return NULL;
}

/* A contact's own note says more than the detail of its status. */
static const char *close_note(struct reader *r, const struct frame *f)
{
	struct prim_pidf *p = r->p;
	struct prim_pidf_note note = {
		.language = f->language,
		.text = prim_slice_make(p->text.ptr + f->text_at,
		    p->text.len - f->text_at),
	};

	if (note.text.len == 0)
		return NULL;
	if (!r->tuple)
		return prim_pidf_add_note(p->notes, &p->note_count,
		    p->note_count, note);
	return prim_pidf_add_note(r->tuple->notes, &r->tuple->note_count,
	    r->first++, note);
}

static const char *on_end(void *ctx)
{
	struct reader *r = ctx;
	struct frame f = *top(r);

	r->depth--;
	if (f.kind == KIND_CONTACT)
		r->tuple = NULL;
	return f.kind == KIND_NOTE ? close_note(r, &f) : NULL;
}

static const struct prim_xml_ops OPS = {
	.start = on_start,
	.text = on_text,
	.end = on_end,
};

/* CPIM-107: by rank among those that have a preference, and the lowest is the
 * best. */
static void rank_tuples(const struct reader *r)
{
	unsigned count = r->p->tuple_count;
	unsigned ranked = 0;

	for (unsigned i = 0; i < count; i++)
		ranked += r->preferences[i] != NO_PREFERENCE;
	for (unsigned i = 0; i < count; i++) {
		unsigned better = 0;

		if (r->preferences[i] == NO_PREFERENCE)
			continue;
		for (unsigned k = 0; k < count; k++)
			better += r->preferences[k] < r->preferences[i];
		r->p->tuples[i].priority = (int)(PRIORITY_BEST -
		    PRIORITY_BEST * better / ranked);
	}
}

/* How many contacts there can be at most, each with its name. */
static size_t contacts_max(struct prim_slice xml)
{
	size_t count = xml.len / (sizeof("<contact/>") - 1);

	return count < PRIM_PIDF_TUPLES_MAX ? count : PRIM_PIDF_TUPLES_MAX;
}

/*
 * The public face.
 */

bool prim_native_parse(struct prim_pidf *p, struct prim_slice xml,
    struct prim_slice tuple_id, const char **why)
{
	struct reader r;
	const char *wrong;

	r.p = p;
	r.tuple_id = tuple_id;
	r.tuple = NULL;
	r.date_ms = PRIM_PIDF_NO_TIME;
	r.first = 0;
	r.depth = 0;
	prim_pidf_reset(p,
	    xml.len + contacts_max(xml) * (tuple_id.len + ANOTHER_LEN_MAX));
	wrong = prim_xml_parse(xml, &prim_pidf_bounds, &OPS, &r);
	if (!wrong) {
		rank_tuples(&r);
		return true;
	}
	prim_pidf_reset(p, 0);
	if (why)
		*why = wrong;
	return false;
}

static void put_status(struct prim_buf *b, const struct prim_pidf_tuple *t)
{
	bool is_open = t->basic == PRIM_BASIC_OPEN ||
	    (t->basic == PRIM_BASIC_NONE && t->has_status);

	prim_buf_puts(b, "<status");
	prim_xml_put_attribute(b, "value",
	    is_open ? PRIM_SLICE("open") : PRIM_SLICE("closed"));
	prim_buf_puts(b, "/>");
}

/* The order of the DTD, which wants a name to show: the address serves. The one
 * note it has room for is the first. */
void prim_native_put(struct prim_buf *b, struct prim_slice entity,
    const struct prim_pidf_tuple *t)
{
	prim_buf_puts(b, "<presence");
	prim_xml_put_attribute(b, "identifier", entity);
	if (t->timestamp_ms != PRIM_PIDF_NO_TIME) {
		prim_buf_puts(b, " date=\"");
		prim_date_put_1123(b, t->timestamp_ms);
		prim_buf_putc(b, '"');
	}
	prim_buf_puts(b, "><contact");
	prim_xml_put_attribute(b, "address", t->contact);
	prim_buf_putc(b, '>');
	prim_xml_put_element(b, "display-name",
	    t->contact.len ? t->contact : t->id);
	put_status(b, t);
	if (t->priority != PRIM_PIDF_NO_PRIORITY)
		prim_buf_putf(b, "<preference value=\"%d\"/>",
		    PRIORITY_BEST + 1 - t->priority);
	if (t->note_count)
		prim_xml_put_element(b, "note", t->notes[0].text);
	prim_buf_puts(b, "</contact></presence>");
}
