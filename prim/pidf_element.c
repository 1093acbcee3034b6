/* SPDX-License-Identifier: ISC */
/* What the elements of PIDF and RPID mean. */

#include <string.h>

#include "prim/date.h"
#include "prim/pidf_reader.h"

/* Where an element's parent keeps what extensions say. */
struct target {
	unsigned *activities;
	bool *is_idle;
	int64_t *idle_since_ms;
	struct prim_pidf_note *notes;
	unsigned *note_count;
};

/* Only one of the kind in a tuple; of presentity, in the document. */
static const char *once(struct prim_pidf_reader *r, enum prim_pidf_kind kind)
{
	unsigned bit = 1U << kind;

	if (r->seen & bit)
		return "an element twice that may be there once";
	r->seen |= bit;
	return NULL;
}

/*
 * What opens.
 */

static const char *open_presentity(struct prim_pidf_reader *r,
    const struct prim_xml_element *e)
{
	struct prim_slice id;

	if (prim_xml_attribute(e, NULL, "id", &id))
		r->p->entity = prim_pidf_keep(r->p, id);
	return once(r, PRIM_PIDF_PRESENTITY);
}

static const char *open_tuple(struct prim_pidf_reader *r,
    const struct prim_xml_element *e)
{
	struct prim_slice id = PRIM_SLICE_NONE;

	prim_xml_attribute(e, NULL, "id", &id);
	r->seen &= 1U << PRIM_PIDF_PRESENTITY;
	r->has_show = false;
	r->tuple_first = 0;
	return prim_pidf_add_tuple(r->p, prim_pidf_keep(r->p, id), &r->tuple);
}

static const char *open_once(struct prim_pidf_reader *r,
    const struct prim_xml_element *e)
{
	(void)e;
	return once(r, prim_pidf_top(r)->kind);
}

static const char *open_contact(struct prim_pidf_reader *r,
    const struct prim_xml_element *e)
{
	struct prim_slice value = PRIM_SLICE_NONE;

	prim_xml_attribute(e, NULL, "priority", &value);
	prim_pidf_top(r)->priority = prim_pidf_priority(r->space, value);
	return once(r, PRIM_PIDF_CONTACT);
}

static const char *open_stage(struct prim_pidf_reader *r,
    const struct prim_xml_element *e)
{
	struct prim_pidf_stage *s = prim_pidf_top(r)->kind == PRIM_PIDF_PERSON
	    ? &r->person
	    : &r->activities;

	(void)e;
	memset(s, 0, offsetof(struct prim_pidf_stage, notes));
	s->idle_since_ms = PRIM_PIDF_NO_TIME;
	return NULL;
}

static const char *open_activity(struct prim_pidf_reader *r,
    const struct prim_xml_element *e)
{
	prim_rpid_activity(e->name, &prim_pidf_top(r)->activities);
	return NULL;
}

static const char *open_user_input(struct prim_pidf_reader *r,
    const struct prim_xml_element *e)
{
	struct prim_slice value = PRIM_SLICE_NONE;

	prim_pidf_top(r)->when = PRIM_PIDF_NO_TIME;
	prim_xml_attribute(e, NULL, "last-input", &value);
	prim_date_parse_3339(prim_xml_trim(value), &prim_pidf_top(r)->when);
	return NULL;
}

/*
 * What closes.
 */

static struct target target_of(struct prim_pidf_reader *r)
{
	struct prim_pidf_tuple *t = r->tuple;
	struct prim_pidf *p = r->p;
	struct prim_pidf_stage *s = prim_pidf_top(r)->kind == PRIM_PIDF_PERSON
	    ? &r->person
	    : &r->activities;

	if (prim_pidf_top(r)->kind >= PRIM_PIDF_PERSON)
		return (struct target){ &s->activities, &s->is_idle,
			&s->idle_since_ms, s->notes, &s->note_count };
	if (t)
		return (struct target){ &t->activities, &t->is_idle,
			&t->idle_since_ms, t->notes, &t->note_count };
	return (struct target){ &p->activities, &p->is_idle, &p->idle_since_ms,
		p->notes, &p->note_count };
}

static const char *close_document(struct prim_pidf_reader *r,
    const struct prim_pidf_frame *f, struct prim_slice text)
{
	(void)f;
	(void)text;
	return r->p->entity.len ? NULL : "no entity";
}

static const char *close_tuple(struct prim_pidf_reader *r,
    const struct prim_pidf_frame *f, struct prim_slice text)
{
	(void)f;
	(void)text;
	r->tuple = NULL;
	return NULL;
}

static const char *close_basic(struct prim_pidf_reader *r,
    const struct prim_pidf_frame *f, struct prim_slice text)
{
	(void)f;
	r->tuple->basic = prim_pidf_basic(r->space, text);
	if (r->tuple->basic == PRIM_BASIC_NONE)
		return "a basic status that is neither open nor closed";
	return NULL;
}

static const char *close_contact(struct prim_pidf_reader *r,
    const struct prim_pidf_frame *f, struct prim_slice text)
{
	r->tuple->contact = prim_xml_trim(text);
	r->tuple->priority = f->priority;
	return NULL;
}

/* Those of a tuple before what its activities note; those of the document
 * after what the person's do (spec/xmpp.md 4.2). */
static const char *close_note(struct prim_pidf_reader *r,
    const struct prim_pidf_frame *f, struct prim_slice text)
{
	struct target to = target_of(r);
	struct prim_pidf_note note = { .language = f->language, .text = text };
	unsigned at = *to.note_count;

	if (text.len == 0)
		return NULL;
	if (f->kind == PRIM_PIDF_NOTE && r->tuple)
		at = r->tuple_first++;
	else if (f->kind == PRIM_PIDF_ACTIVITIES_NOTE)
		r->activities.first++;
	return prim_pidf_add_note(to.notes, to.note_count, at, note);
}

static const char *close_timestamp(struct prim_pidf_reader *r,
    const struct prim_pidf_frame *f, struct prim_slice text)
{
	(void)f;
	prim_date_parse_3339(prim_xml_trim(text), &r->tuple->timestamp_ms);
	return NULL;
}

static const char *close_show(struct prim_pidf_reader *r,
    const struct prim_pidf_frame *f, struct prim_slice text)
{
	(void)f;
	text = prim_xml_trim(text);
	if (text.len && !r->has_show) {
		r->has_show = true;
		r->tuple->show = text;
	}
	return NULL;
}

static const char *close_im(struct prim_pidf_reader *r,
    const struct prim_pidf_frame *f, struct prim_slice text)
{
	(void)f;
	text = prim_pidf_im(text);
	if (!r->has_show && text.len)
		r->tuple->show = prim_pidf_keep(r->p, text);
	return NULL;
}

static const char *close_activity(struct prim_pidf_reader *r,
    const struct prim_pidf_frame *f, struct prim_slice text)
{
	(void)text;
	r->activities.activities |= f->activities;
	return NULL;
}

static const char *close_user_input(struct prim_pidf_reader *r,
    const struct prim_pidf_frame *f, struct prim_slice text)
{
	struct target to = target_of(r);

	if (!prim_slice_eq(prim_xml_trim(text), PRIM_SLICE("idle")))
		return NULL;
	*to.is_idle = true;
	*to.idle_since_ms = f->when;
	return NULL;
}

/* What was said in <person/> or <activities/> counts now. */
static const char *close_stage(struct prim_pidf_reader *r,
    const struct prim_pidf_frame *f, struct prim_slice text)
{
	const struct prim_pidf_stage *s = f->kind == PRIM_PIDF_PERSON
	    ? &r->person
	    : &r->activities;
	struct target to = target_of(r);
	unsigned *first = prim_pidf_top(r)->kind == PRIM_PIDF_PERSON
	    ? &r->person.first
	    : &r->document_first;
	const char *why = NULL;

	(void)text;
	*to.activities |= s->activities;
	if (s->is_idle) {
		*to.is_idle = true;
		*to.idle_since_ms = s->idle_since_ms;
	}
	for (unsigned i = 0; i < s->note_count && !why; i++) {
		unsigned at = *to.note_count;

		if (i < s->first && !r->tuple)
			at = (*first)++;
		why = prim_pidf_add_note(to.notes, to.note_count, at,
		    s->notes[i]);
	}
	return why;
}

/* clang-format off */
const struct prim_pidf_element prim_pidf_elements[PRIM_PIDF_KIND_COUNT] = {
	[PRIM_PIDF_DOCUMENT] = { NULL, close_document, false, false },
	[PRIM_PIDF_PRESENTITY] = { open_presentity, NULL, false, false },
	[PRIM_PIDF_TUPLE] = { open_tuple, close_tuple, false, false },
	[PRIM_PIDF_STATUS] = { open_once, NULL, false, false },
	[PRIM_PIDF_BASIC] = { open_once, close_basic, true, false },
	[PRIM_PIDF_CONTACT] = { open_contact, close_contact, true, true },
	[PRIM_PIDF_NOTE] = { NULL, close_note, true, true },
	[PRIM_PIDF_TIMESTAMP] = { open_once, close_timestamp, true, false },
	[PRIM_PIDF_PERSON] = { open_stage, close_stage, false, false },
	[PRIM_PIDF_PERSON_NOTE] = { NULL, close_note, true, true },
	[PRIM_PIDF_ACTIVITIES] = { open_stage, close_stage, false, false },
	[PRIM_PIDF_ACTIVITIES_NOTE] = { NULL, close_note, true, true },
	[PRIM_PIDF_ACTIVITY] = { open_activity, close_activity, false, false },
	[PRIM_PIDF_USER_INPUT] = { open_user_input, close_user_input, true,
	    false },
	[PRIM_PIDF_SHOW] = { NULL, close_show, true, true },
	[PRIM_PIDF_IM] = { NULL, close_im, true, false },
};
/* clang-format on */
