/* SPDX-License-Identifier: ISC */
/* Presence, in words. */

#include "contrib/client/state.h"

#include <jansson.h>

#include "contrib/client/show.h"
#include "prim/date.h"
#include "prim/visible.h"

bool cl_state_read(struct prim_pidf *p, const struct prim_command *c,
    const char **why)
{
	return prim_presence_parse(p,
	    prim_command_get(c, PRIM_HEADER_CONTENT_TYPE), c->body,
	    prim_command_get(c, PRIM_HEADER_TUPLE_ID), why);
}

/* ---- the words ---- */

/* Is there no way to reach them? */
static bool is_offline(const struct prim_pidf *p)
{
	for (unsigned i = 0; i < p->tuple_count; i++) {
		if (p->tuples[i].basic != PRIM_BASIC_CLOSED)
			return false;
	}
	return true;
}

static const char *state_of(const struct prim_pidf *p)
{
	const char *state = "unknown";

	if (is_offline(p))
		return "offline";
	for (unsigned i = 0; i < p->tuple_count; i++) {
		if (p->tuples[i].basic == PRIM_BASIC_OPEN)
			state = "open";
	}
	return state;
}

/* The word of XMPP for it; what keeps more from writing wins. */
static const char *word_of(unsigned activities, bool is_idle)
{
	if (activities & PRIM_ACTIVITY_BUSY)
		return "dnd";
	if (activities & PRIM_ACTIVITY_XA)
		return "xa";
	return activities & PRIM_ACTIVITY_AWAY || is_idle ? "away" : "";
}

/* RPID in a tuple wins over that of the person. */
static struct prim_slice show_of(const struct prim_pidf *p,
    const struct prim_pidf_tuple *t)
{
	if (t->show.len > 0)
		return t->show;
	if (t->activities || t->is_idle)
		return prim_slice_of(word_of(t->activities, t->is_idle));
	return prim_slice_of(word_of(p->activities, p->is_idle));
}

/* ---- lines ---- */

static struct prim_slice note_of(const struct prim_pidf *p,
    const struct prim_pidf_tuple *t)
{
	if (t && t->note_count > 0)
		return t->notes[0].text;
	return p->note_count > 0 ? p->notes[0].text : PRIM_SLICE_NONE;
}

static void put_note(struct prim_buf *b, struct prim_slice note)
{
	if (note.len == 0)
		return;
	prim_buf_puts(b, "  \"");
	prim_visible_put(b, note);
	prim_buf_putc(b, '"');
}

static void put_tuple(struct prim_buf *b, const struct prim_pidf *p,
    const struct prim_pidf_tuple *t)
{
	struct prim_slice show = show_of(p, t);

	prim_buf_puts(b, prim_basic_name(t->basic));
	put_note(b, note_of(p, t));
	if (show.len > 0 && t->basic != PRIM_BASIC_CLOSED) {
		prim_buf_puts(b, " (");
		prim_visible_put(b, show);
		prim_buf_putc(b, ')');
	}
	prim_buf_putc(b, '\n');
}

void cl_state_put(struct prim_buf *b, const char *address,
    const struct prim_pidf *p)
{
	if (is_offline(p)) {
		prim_buf_puts(b, address);
		prim_buf_puts(b, " offline");
		put_note(b, note_of(p, p->tuple_count > 0 ? p->tuples : NULL));
		prim_buf_putc(b, '\n');
		return;
	}
	for (unsigned i = 0; i < p->tuple_count; i++) {
		prim_buf_puts(b, address);
		if (p->tuple_count > 1) {
			prim_buf_putc(b, '/');
			prim_visible_put(b, p->tuples[i].id);
		}
		prim_buf_putc(b, ' ');
		put_tuple(b, p, &p->tuples[i]);
	}
}

/* ---- JSON ---- */

static void set_notes(json_t *object, const struct prim_pidf_note *notes,
    unsigned count)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < count; i++) {
		json_t *note = json_object();

		cl_show_set(note, "language", notes[i].language);
		cl_show_set(note, "text", notes[i].text);
		json_array_append_new(list, note);
	}
	if (count > 0)
		json_object_set(object, "notes", list);
	json_decref(list);
}

static json_t *tuple_json(const struct prim_pidf *p,
    const struct prim_pidf_tuple *t)
{
	json_t *object = json_object();
	struct prim_buf date = { 0 };

	cl_show_set(object, "id", t->id);
	cl_show_set(object, "state", prim_slice_of(prim_basic_name(t->basic)));
	cl_show_set(object, "show", show_of(p, t));
	cl_show_set(object, "contact", t->contact);
	if (t->priority != PRIM_PIDF_NO_PRIORITY)
		json_object_set_new(object, "priority",
		    json_real(t->priority / 1000.0));
	if (t->timestamp_ms != PRIM_PIDF_NO_TIME) {
		prim_date_put_3339(&date, t->timestamp_ms);
		cl_show_set(object, "timestamp", prim_buf_slice(&date));
	}
	set_notes(object, t->notes, t->note_count);
	prim_buf_fini(&date);
	return object;
}

void cl_state_set(struct json_t *object, const struct prim_pidf *p)
{
	json_t *tuples = json_array();

	cl_show_set(object, "state", prim_slice_of(state_of(p)));
	set_notes(object, p->notes, p->note_count);
	for (unsigned i = 0; i < p->tuple_count; i++)
		json_array_append_new(tuples, tuple_json(p, &p->tuples[i]));
	if (p->tuple_count > 0)
		json_object_set(object, "tuples", tuples);
	json_decref(tuples);
}
