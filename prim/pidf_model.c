/* SPDX-License-Identifier: ISC */
/* Presence models, whatever they are read from. */

#include <assert.h>
#include <string.h>

#include "prim/pidf_private.h"

const struct prim_xml_bounds prim_pidf_bounds = {
	.depth = PRIM_PIDF_DEPTH_MAX,
	.elements = PRIM_PIDF_ELEMENTS_MAX,
};

void prim_pidf_fini(struct prim_pidf *p)
{
	prim_buf_fini(&p->text);
	p->tuple_count = 0;
	p->note_count = 0;
	p->entity = PRIM_SLICE_NONE;
}

/* The arrays are long, and count only as far as their counts say. */
void prim_pidf_reset(struct prim_pidf *p, size_t len)
{
	prim_buf_reset(&p->text);
	prim_buf_room(&p->text, 2 * len);
	p->entity = PRIM_SLICE_NONE;
	p->activities = 0;
	p->is_idle = false;
	p->idle_since_ms = PRIM_PIDF_NO_TIME;
	p->note_count = 0;
	p->tuple_count = 0;
}

struct prim_slice prim_pidf_keep(struct prim_pidf *p, struct prim_slice s)
{
	struct prim_slice kept = prim_slice_make(p->text.ptr + p->text.len,
	    s.len);

	if (s.len == 0)
		return PRIM_SLICE_NONE;
	assert(p->text.cap - p->text.len >= s.len);
	prim_buf_put(&p->text, s);
	return kept;
}

static bool has_tuple(const struct prim_pidf *p, struct prim_slice id)
{
	for (unsigned i = 0; i < p->tuple_count; i++) {
		if (prim_slice_eq(p->tuples[i].id, id))
			return true;
	}
	return false;
}

const char *prim_pidf_add_tuple(struct prim_pidf *p, struct prim_slice id,
    struct prim_pidf_tuple **out_tuple)
{
	struct prim_pidf_tuple *t;

	if (id.len == 0)
		return "a tuple without an id";
	if (has_tuple(p, id))
		return "two tuples of the same id";
	if (p->tuple_count == PRIM_PIDF_TUPLES_MAX)
		return "too many tuples";
	t = &p->tuples[p->tuple_count++];
	memset(t, 0, sizeof(*t));
	t->id = id;
	t->priority = PRIM_PIDF_NO_PRIORITY;
	t->idle_since_ms = PRIM_PIDF_NO_TIME;
	t->timestamp_ms = PRIM_PIDF_NO_TIME;
	*out_tuple = t;
	return NULL;
}

const char *prim_pidf_add_note(struct prim_pidf_note *notes, unsigned *count,
    unsigned at, struct prim_pidf_note note)
{
	assert(at <= *count);
	if (*count == PRIM_PIDF_NOTES_MAX)
		return "too many notes";
	memmove(notes + at + 1, notes + at, (*count - at) * sizeof(*notes));
	notes[at] = note;
	++*count;
	return NULL;
}
