/* SPDX-License-Identifier: ISC */
/* The drafts' presence format: what is read of it can be written in both
 * formats, and says the same when it is read again as far as the drafts' can
 * say it. */

#include "tests/fuzz/fuzz.h"

#include "prim/pidf.h"
#include "tests/prim/pidf.h"

static struct prim_pidf pidf, again;
static struct prim_buf xml, said, said_again;

static const struct prim_slice ID = { .ptr = "id", .len = 2 };

/* What the format has no place for, or says otherwise. */
static void forget(struct prim_pidf_tuple *t)
{
	if (t->basic == PRIM_BASIC_NONE)
		t->basic = t->has_status ? PRIM_BASIC_OPEN : PRIM_BASIC_CLOSED;
	t->has_status = true;
	if (t->priority != PRIM_PIDF_NO_PRIORITY)
		t->priority = 1000;
	if (t->note_count > 1)
		t->note_count = 1;
	t->notes[0].language = PRIM_SLICE_NONE;
	t->id = ID;
}

static void check_tuple(const struct prim_pidf_tuple *t)
{
	static struct prim_pidf_tuple before;

	FUZZ_CHECK(prim_slice_starts(t->id, ID));
	FUZZ_CHECK(t->note_count <= PRIM_PIDF_NOTES_MAX);
	FUZZ_CHECK(t->priority >= PRIM_PIDF_NO_PRIORITY && t->priority <= 1000);
	prim_buf_reset(&xml);
	prim_native_put(&xml, pidf.entity, t);
	before = *t;
	forget(&before);
	prim_buf_reset(&said);
	t_pidf_put_tuple(&said, &before);
	FUZZ_CHECK(prim_native_parse(&again, prim_buf_slice(&xml), ID, NULL));
	FUZZ_CHECK(again.tuple_count == 1);
	FUZZ_CHECK(prim_slice_eq(again.entity, pidf.entity));
	prim_buf_reset(&said_again);
	t_pidf_put_tuple(&said_again, &again.tuples[0]);
	FUZZ_CHECK(prim_slice_eq(prim_buf_slice(&said),
	    prim_buf_slice(&said_again)));
}

/* Everything that is native can be said in PIDF, but for nobody. */
static void check_as_pidf(void)
{
	if (pidf.entity.len == 0)
		return;
	prim_buf_reset(&xml);
	prim_pidf_put(&xml, &pidf);
	prim_buf_reset(&said);
	t_pidf_put(&said, &pidf);
	FUZZ_CHECK(prim_pidf_parse(&again, prim_buf_slice(&xml), NULL));
	prim_buf_reset(&said_again);
	t_pidf_put(&said_again, &again);
	FUZZ_CHECK(prim_slice_eq(prim_buf_slice(&said),
	    prim_buf_slice(&said_again)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *why = NULL;

	if (!prim_native_parse(&pidf, fuzz_slice(data, size), ID, &why)) {
		FUZZ_CHECK(why && pidf.tuple_count == 0);
		return 0;
	}
	FUZZ_CHECK(pidf.tuple_count <= PRIM_PIDF_TUPLES_MAX);
	for (unsigned i = 0; i < pidf.tuple_count; i++)
		check_tuple(&pidf.tuples[i]);
	check_as_pidf();
	return 0;
}
