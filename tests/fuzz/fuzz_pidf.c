/* SPDX-License-Identifier: ISC */
/* PIDF: what is read is within its bounds and borrows from the model; what is
 * written of it says the same when it is read again, and is written the same. */

#include "tests/fuzz/fuzz.h"

#include "prim/pidf.h"
#include "tests/prim/pidf.h"

static struct prim_pidf pidf;
static struct prim_buf xml, xml_again, said, said_again;

static const char MADE[] = "made"; /* stands for an id that was no name */

static void check_notes(const struct prim_pidf_note *notes, unsigned count)
{
	struct prim_slice text = prim_buf_slice(&pidf.text);

	FUZZ_CHECK(count <= PRIM_PIDF_NOTES_MAX);
	for (unsigned i = 0; i < count; i++) {
		FUZZ_CHECK(notes[i].text.len > 0);
		FUZZ_CHECK(fuzz_inside(notes[i].text, text));
		FUZZ_CHECK(fuzz_inside(notes[i].language, text));
		FUZZ_CHECK(prim_xml_text_ok(notes[i].text));
		FUZZ_CHECK(prim_xml_text_ok(notes[i].language));
	}
}

static void check_tuple(const struct prim_pidf_tuple *t)
{
	struct prim_slice text = prim_buf_slice(&pidf.text);

	FUZZ_CHECK(t->id.len > 0 && fuzz_inside(t->id, text));
	FUZZ_CHECK(fuzz_inside(t->show, text) && prim_xml_text_ok(t->show));
	FUZZ_CHECK(fuzz_inside(t->contact, text));
	FUZZ_CHECK(prim_xml_text_ok(t->contact));
	FUZZ_CHECK(t->priority >= PRIM_PIDF_NO_PRIORITY && t->priority <= 1000);
	FUZZ_CHECK(t->has_status ||
	    (t->basic == PRIM_BASIC_NONE && t->show.len == 0));
	FUZZ_CHECK(t->is_idle || t->idle_since_ms == PRIM_PIDF_NO_TIME);
	check_notes(t->notes, t->note_count);
}

/* What cannot come back: an id that is no name, and XA, which is written as
 * away. */
static void forget(struct prim_pidf *p)
{
	if (p->activities & PRIM_ACTIVITY_XA)
		p->activities |= PRIM_ACTIVITY_AWAY;
	p->activities &= ~(unsigned)PRIM_ACTIVITY_XA;
	for (unsigned i = 0; i < p->tuple_count; i++) {
		struct prim_pidf_tuple *t = &p->tuples[i];

		if (t->activities & PRIM_ACTIVITY_XA)
			t->activities |= PRIM_ACTIVITY_AWAY;
		t->activities &= ~(unsigned)PRIM_ACTIVITY_XA;
		if (!prim_xml_ncname_ok(t->id))
			t->id = prim_slice_of(MADE);
	}
}

static void check_again(void)
{
	static struct prim_pidf before;

	prim_buf_reset(&xml);
	prim_pidf_put(&xml, &pidf);
	before = pidf;
	forget(&before);
	prim_buf_reset(&said);
	t_pidf_put(&said, &before);
	FUZZ_CHECK(prim_pidf_parse(&pidf, prim_buf_slice(&xml), NULL));
	prim_buf_reset(&xml_again);
	prim_pidf_put(&xml_again, &pidf);
	FUZZ_CHECK(prim_slice_eq(prim_buf_slice(&xml),
	    prim_buf_slice(&xml_again)));
	for (unsigned i = 0; i < pidf.tuple_count; i++) {
		FUZZ_CHECK(prim_xml_ncname_ok(pidf.tuples[i].id));
		if (before.tuples[i].id.ptr == MADE)
			pidf.tuples[i].id = before.tuples[i].id;
	}
	prim_buf_reset(&said_again);
	t_pidf_put(&said_again, &pidf);
	FUZZ_CHECK(prim_slice_eq(prim_buf_slice(&said),
	    prim_buf_slice(&said_again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *why = NULL;

	if (!prim_pidf_parse(&pidf, fuzz_slice(data, size), &why)) {
		FUZZ_CHECK(why && pidf.tuple_count == 0);
		return 0;
	}
	FUZZ_CHECK(pidf.entity.len > 0);
	FUZZ_CHECK(pidf.text.len <= 2 * size);
	FUZZ_CHECK(pidf.tuple_count <= PRIM_PIDF_TUPLES_MAX);
	check_notes(pidf.notes, pidf.note_count);
	for (unsigned i = 0; i < pidf.tuple_count; i++)
		check_tuple(&pidf.tuples[i]);
	check_again();
	return 0;
}
