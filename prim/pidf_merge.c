/* SPDX-License-Identifier: ISC */
/* Several presence documents into one. */

#include "prim/pidf_merge.h"

#include "prim/address.h"

/* ---- text that moves ---- */

/* From where to where the text of a document moved. */
struct move {
	uintptr_t from;
	size_t len;
	const char *to;
};

static void move_slice(const struct move *m, struct prim_slice *s)
{
	uintptr_t at = (uintptr_t)s->ptr;

	/* A slice may also be of a constant. */
	if (s->len > 0 && at >= m->from && at - m->from < m->len)
		s->ptr = m->to + (at - m->from);
}

static void move_notes(const struct move *m, struct prim_pidf_note *notes,
    unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		move_slice(m, &notes[i].language);
		move_slice(m, &notes[i].text);
	}
}

static void move_tuple(const struct move *m, struct prim_pidf_tuple *t)
{
	move_slice(m, &t->id);
	move_slice(m, &t->show);
	move_slice(m, &t->contact);
	move_notes(m, t->notes, t->note_count);
}

/* Room for `len` more octets of text, and everything points there. */
static void reserve(struct prim_pidf *p, size_t len)
{
	struct move m = { .from = (uintptr_t)p->text.ptr, .len = p->text.len };

	prim_buf_room(&p->text, len);
	m.to = p->text.ptr;
	if (m.from == (uintptr_t)m.to)
		return;
	move_slice(&m, &p->entity);
	move_notes(&m, p->notes, p->note_count);
	for (unsigned i = 0; i < p->tuple_count; i++)
		move_tuple(&m, &p->tuples[i]);
}

/* Copies into room that was reserved. */
static struct prim_slice keep(struct prim_pidf *p, struct prim_slice s)
{
	size_t start = p->text.len;

	if (s.len == 0)
		return PRIM_SLICE_NONE;
	prim_buf_put(&p->text, s);
	return prim_slice_make(p->text.ptr + start, s.len);
}

/* ---- notes ---- */

static bool has_note(const struct prim_pidf *p,
    const struct prim_pidf_note *note)
{
	for (unsigned i = 0; i < p->note_count; i++) {
		if (prim_slice_eq(p->notes[i].text, note->text) &&
		    prim_slice_eq(p->notes[i].language, note->language))
			return true;
	}
	return false;
}

static bool add_notes(struct prim_pidf *into, const struct prim_pidf *from)
{
	for (unsigned i = 0; i < from->note_count; i++) {
		struct prim_pidf_note note = from->notes[i];

		if (has_note(into, &note))
			continue;
		if (into->note_count == PRIM_PIDF_NOTES_MAX)
			return false;
		reserve(into, note.language.len + note.text.len);
		note.language = keep(into, note.language);
		note.text = keep(into, note.text);
		into->notes[into->note_count++] = note;
	}
	return true;
}

/* ---- tuples ---- */

static bool has_id(const struct prim_pidf *p, struct prim_slice id)
{
	for (unsigned i = 0; i < p->tuple_count; i++) {
		if (prim_slice_eq(p->tuples[i].id, id))
			return true;
	}
	return false;
}

/* `id`, or what stands for it where it is taken already. */
static void put_free_id(struct prim_buf *b, const struct prim_pidf *p,
    struct prim_slice id, struct prim_slice name)
{
	unsigned number = 2;

	prim_buf_put(b, id);
	if (name.len > 0 && has_id(p, prim_buf_slice(b))) {
		prim_buf_reset(b);
		prim_buf_put(b, name);
		prim_buf_putc(b, '-');
		prim_buf_put(b, id);
	}
	for (; has_id(p, prim_buf_slice(b)); number++) {
		prim_buf_reset(b);
		prim_buf_putf(b, "t%u-", number);
		prim_buf_put(b, id);
	}
}

static size_t text_len(const struct prim_pidf_tuple *t)
{
	size_t len = t->show.len + t->contact.len;

	for (unsigned i = 0; i < t->note_count; i++)
		len += t->notes[i].language.len + t->notes[i].text.len;
	return len;
}

/* What a document says of the person it says of each of its tuples that does
 * not say it itself; but not of those of other documents, from elsewhere. */
static void inherit(struct prim_pidf_tuple *t, const struct prim_pidf *from)
{
	if (t->show.len == 0 && t->activities == 0)
		t->activities = from->activities;
	if (!t->is_idle && from->is_idle) {
		t->is_idle = true;
		t->idle_since_ms = from->idle_since_ms;
	}
	if (t->note_count > 0)
		return;
	for (unsigned i = 0; i < from->note_count; i++)
		t->notes[t->note_count++] = from->notes[i];
}

static void add_tuple(struct prim_pidf *into, const struct prim_pidf_tuple *t,
    struct prim_slice id)
{
	struct prim_pidf_tuple *mine = &into->tuples[into->tuple_count];

	reserve(into, id.len + text_len(t));
	*mine = *t;
	mine->id = keep(into, id);
	mine->show = keep(into, t->show);
	mine->contact = keep(into, t->contact);
	for (unsigned i = 0; i < t->note_count; i++) {
		mine->notes[i].language = keep(into, t->notes[i].language);
		mine->notes[i].text = keep(into, t->notes[i].text);
	}
	into->tuple_count++;
}

static bool add_tuples(struct prim_pidf *into, const struct prim_pidf *from,
    struct prim_slice name)
{
	struct prim_buf id = { 0 };
	unsigned i;

	for (i = 0; i < from->tuple_count; i++) {
		struct prim_pidf_tuple t = from->tuples[i];

		if (into->tuple_count == PRIM_PIDF_TUPLES_MAX)
			break;
		inherit(&t, from);
		prim_buf_reset(&id);
		put_free_id(&id, into, t.id, name);
		add_tuple(into, &t, prim_buf_slice(&id));
	}
	prim_buf_fini(&id);
	return i == from->tuple_count;
}

bool prim_pidf_merge(struct prim_pidf *into, const struct prim_pidf *from,
    struct prim_slice name)
{
	if (into->entity.len == 0) {
		reserve(into, from->entity.len);
		into->entity = keep(into, from->entity);
	}
	if (from->tuple_count > 0)
		return add_tuples(into, from, name);
	/* Only the person is there to say it of. */
	into->activities |= from->activities;
	if (from->is_idle && from->idle_since_ms > into->idle_since_ms)
		into->idle_since_ms = from->idle_since_ms;
	into->is_idle |= from->is_idle;
	return add_notes(into, from);
}

/* ---- of whom it is ---- */

static bool parse_entity(struct prim_slice text, struct prim_key *out)
{
	struct prim_address a;

	if (!prim_address_parse_bare(text, &a) &&
	    !(prim_address_parse(text, &a) && a.scheme == PRIM_SCHEME_PRES))
		return false;
	prim_address_key(&a, out);
	return true;
}

bool prim_pidf_same_entity(struct prim_slice a, struct prim_slice b)
{
	struct prim_key key_a, key_b;

	if (prim_slice_eq(a, b))
		return true;
	return parse_entity(a, &key_a) && parse_entity(b, &key_b) &&
	    prim_slice_eq(prim_key_slice(&key_a), prim_key_slice(&key_b));
}
