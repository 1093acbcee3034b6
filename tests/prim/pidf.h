/* SPDX-License-Identifier: ISC */
#ifndef TESTS_PRIM_PIDF_H
#define TESTS_PRIM_PIDF_H

/* Presence models as lines of text, so that they can be compared and shown. */

#include "prim/pidf.h"

static inline void t_pidf_put_field(struct prim_buf *b, const char *name,
    struct prim_slice value)
{
	if (value.len == 0)
		return;
	prim_buf_puts(b, name);
	prim_buf_put(b, value);
}

static inline void t_pidf_put_number(struct prim_buf *b, const char *name,
    int64_t value, int64_t nothing)
{
	if (value != nothing)
		prim_buf_putf(b, "%s%lld", name, (long long)value);
}

static inline void t_pidf_put_rpid(struct prim_buf *b, unsigned activities,
    bool is_idle, int64_t idle_since_ms)
{
	if (activities & PRIM_ACTIVITY_AWAY)
		prim_buf_puts(b, " away");
	if (activities & PRIM_ACTIVITY_XA)
		prim_buf_puts(b, " xa");
	if (activities & PRIM_ACTIVITY_BUSY)
		prim_buf_puts(b, " busy");
	if (is_idle)
		prim_buf_puts(b, " idle");
	t_pidf_put_number(b, " since ", idle_since_ms, PRIM_PIDF_NO_TIME);
	prim_buf_putc(b, '\n');
}

static inline void t_pidf_put_notes(struct prim_buf *b,
    const struct prim_pidf_note *notes, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		prim_buf_puts(b, "note ");
		prim_buf_put(b, notes[i].language);
		prim_buf_putc(b, '|');
		prim_buf_put(b, notes[i].text);
		prim_buf_putc(b, '\n');
	}
}

static inline void t_pidf_put_tuple(struct prim_buf *b,
    const struct prim_pidf_tuple *t)
{
	prim_buf_puts(b, "tuple ");
	prim_buf_put(b, t->id);
	if (t->has_status)
		prim_buf_puts(b, " status");
	if (t->basic != PRIM_BASIC_NONE)
		prim_buf_puts(b,
		    t->basic == PRIM_BASIC_OPEN ? " open" : " closed");
	t_pidf_put_field(b, " show ", t->show);
	t_pidf_put_field(b, " at ", t->contact);
	t_pidf_put_number(b, " priority ", t->priority, PRIM_PIDF_NO_PRIORITY);
	t_pidf_put_number(b, " time ", t->timestamp_ms, PRIM_PIDF_NO_TIME);
	t_pidf_put_rpid(b, t->activities, t->is_idle, t->idle_since_ms);
	t_pidf_put_notes(b, t->notes, t->note_count);
}

/* Appends all that `p` says: the document and its notes, then each tuple and
 * its notes, one to a line. */
static inline void t_pidf_put(struct prim_buf *b, const struct prim_pidf *p)
{
	t_pidf_put_field(b, "entity ", p->entity);
	t_pidf_put_rpid(b, p->activities, p->is_idle, p->idle_since_ms);
	t_pidf_put_notes(b, p->notes, p->note_count);
	for (unsigned i = 0; i < p->tuple_count; i++)
		t_pidf_put_tuple(b, &p->tuples[i]);
}

#endif
