/* SPDX-License-Identifier: ISC */
/* Writing PIDF. */

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "prim/date.h"
#include "prim/hash.h"
#include "prim/pidf.h"
#include "prim/pidf_words.h"

/* Names that we make for what has none that XML takes. */
#define MADE_PREFIX "IDx-"
#define MADE_LEN    (sizeof(MADE_PREFIX) - 1 + 16)
#define PERSON_ID   "person"

struct writer {
	struct prim_buf *b;        /* borrowed */
	const struct prim_pidf *p; /* borrowed */
	unsigned made_count;
	char made[PRIM_PIDF_TUPLES_MAX + 1][MADE_LEN + 1];
	struct prim_slice ids[PRIM_PIDF_TUPLES_MAX]; /* as they are written */
};

/*
 * Ids. xs:ID wants an NCName, and each of them once in the document.
 */

static bool is_taken(const struct writer *w, struct prim_slice id)
{
	for (unsigned i = 0; i < w->p->tuple_count; i++) {
		if (prim_slice_eq(w->p->tuples[i].id, id))
			return true;
	}
	for (unsigned i = 0; i < w->made_count; i++) {
		if (prim_slice_eq(prim_slice_of(w->made[i]), id))
			return true;
	}
	return false;
}

/* The key is no secret: the same id has to become the same name everywhere.
 * Whoever finds two ids of the same hash gains nothing, as the next key is
 * tried. */
static struct prim_slice make_id(struct writer *w, struct prim_slice id)
{
	struct prim_hash_key key = { 0, 0 };
	char made[MADE_LEN + 1];

	do {
		snprintf(made, sizeof(made), MADE_PREFIX "%016llx",
		    (unsigned long long)prim_hash(&key, id));
		key.k0++;
	} while (is_taken(w, prim_slice_of(made)));
	assert(w->made_count <= PRIM_PIDF_TUPLES_MAX);
	memcpy(w->made[w->made_count], made, sizeof(made));
	return prim_slice_make(w->made[w->made_count++], MADE_LEN);
}

static void name_tuples(struct writer *w)
{
	for (unsigned i = 0; i < w->p->tuple_count; i++) {
		struct prim_slice id = w->p->tuples[i].id;

		w->ids[i] = prim_xml_ncname_ok(id) ? id : make_id(w, id);
	}
}

/*
 * What is in tuples and in the person alike.
 */

static bool has_rpid(unsigned activities, bool is_idle)
{
	return activities != 0 || is_idle;
}

static void put_rpid(struct prim_buf *b, unsigned activities, bool is_idle,
    int64_t idle_since_ms)
{
	if (activities) {
		prim_buf_puts(b, "<rpid:activities>");
		if (activities & (PRIM_ACTIVITY_AWAY | PRIM_ACTIVITY_XA))
			prim_buf_puts(b, "<rpid:away/>");
		if (activities & PRIM_ACTIVITY_BUSY)
			prim_buf_puts(b, "<rpid:busy/>");
		prim_buf_puts(b, "</rpid:activities>");
	}
	if (!is_idle)
		return;
	prim_buf_puts(b, "<rpid:user-input");
	if (idle_since_ms != PRIM_PIDF_NO_TIME) {
		prim_buf_puts(b, " last-input=\"");
		prim_date_put_3339(b, idle_since_ms);
		prim_buf_putc(b, '"');
	}
	prim_buf_puts(b, ">idle</rpid:user-input>");
}

static void put_notes(struct prim_buf *b, const struct prim_pidf_note *notes,
    unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		prim_buf_puts(b, "<note");
		if (notes[i].language.len)
			prim_xml_put_attribute(b, "xml:lang",
			    notes[i].language);
		prim_buf_putc(b, '>');
		prim_xml_put_text(b, notes[i].text);
		prim_buf_puts(b, "</note>");
	}
}

/*
 * Tuples.
 */

/* A status has a child at least. What has none that we know had one that we do
 * not: an empty show stands for it, and says as much. */
static void put_status(struct prim_buf *b, const struct prim_pidf_tuple *t)
{
	bool is_other = t->has_status && t->basic == PRIM_BASIC_NONE;

	prim_buf_puts(b, "<status>");
	if (t->basic != PRIM_BASIC_NONE)
		prim_xml_put_element(b, "basic",
		    t->basic == PRIM_BASIC_OPEN ? PRIM_SLICE("open")
						: PRIM_SLICE("closed"));
	if (t->show.len || is_other) {
		prim_buf_puts(b, "<show");
		prim_xml_put_attribute(b, "xmlns",
		    PRIM_SLICE(PRIM_PIDF_NS_SHOW));
		prim_buf_putc(b, '>');
		prim_xml_put_text(b, t->show);
		prim_buf_puts(b, "</show>");
	}
	prim_buf_puts(b, "</status>");
}

static void put_contact(struct prim_buf *b, const struct prim_pidf_tuple *t)
{
	if (t->contact.len == 0 && t->priority == PRIM_PIDF_NO_PRIORITY)
		return;
	prim_buf_puts(b, "<contact");
	if (t->priority != PRIM_PIDF_NO_PRIORITY)
		prim_buf_putf(b, " priority=\"%d.%03d\"", t->priority / 1000,
		    t->priority % 1000);
	prim_buf_putc(b, '>');
	prim_xml_put_text(b, t->contact);
	prim_buf_puts(b, "</contact>");
}

static void put_tuple(struct prim_buf *b, struct prim_slice id,
    const struct prim_pidf_tuple *t)
{
	prim_buf_puts(b, "<tuple");
	prim_xml_put_attribute(b, "id", id);
	prim_buf_putc(b, '>');
	put_status(b, t);
	put_rpid(b, t->activities, t->is_idle, t->idle_since_ms);
	put_contact(b, t);
	put_notes(b, t->notes, t->note_count);
	if (t->timestamp_ms != PRIM_PIDF_NO_TIME) {
		prim_buf_puts(b, "<timestamp>");
		prim_date_put_3339(b, t->timestamp_ms);
		prim_buf_puts(b, "</timestamp>");
	}
	prim_buf_puts(b, "</tuple>");
}

/*
 * The document.
 */

static bool uses_rpid(const struct prim_pidf *p)
{
	for (unsigned i = 0; i < p->tuple_count; i++) {
		if (has_rpid(p->tuples[i].activities, p->tuples[i].is_idle))
			return true;
	}
	return has_rpid(p->activities, p->is_idle);
}

static void put_person(struct writer *w)
{
	const struct prim_pidf *p = w->p;
	struct prim_slice id = PRIM_SLICE(PERSON_ID);

	if (!has_rpid(p->activities, p->is_idle))
		return;
	if (is_taken(w, id))
		id = make_id(w, id);
	prim_buf_puts(w->b, "<dm:person");
	prim_xml_put_attribute(w->b, "id", id);
	prim_buf_putc(w->b, '>');
	put_rpid(w->b, p->activities, p->is_idle, p->idle_since_ms);
	prim_buf_puts(w->b, "</dm:person>");
}

void prim_pidf_put(struct prim_buf *b, const struct prim_pidf *p)
{
	struct writer w;

	w.b = b;
	w.p = p;
	w.made_count = 0;
	name_tuples(&w);
	prim_buf_puts(b,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<presence");
	prim_xml_put_attribute(b, "xmlns", PRIM_SLICE(PRIM_PIDF_NS));
	if (uses_rpid(p))
		prim_xml_put_attribute(b, "xmlns:rpid",
		    PRIM_SLICE(PRIM_PIDF_NS_RPID));
	if (has_rpid(p->activities, p->is_idle))
		prim_xml_put_attribute(b, "xmlns:dm",
		    PRIM_SLICE(PRIM_PIDF_NS_MODEL));
	prim_xml_put_attribute(b, "entity", p->entity);
	prim_buf_putc(b, '>');
	for (unsigned i = 0; i < p->tuple_count; i++)
		put_tuple(b, w.ids[i], &p->tuples[i]);
	put_notes(b, p->notes, p->note_count);
	put_person(&w);
	prim_buf_puts(b, "</presence>");
}
