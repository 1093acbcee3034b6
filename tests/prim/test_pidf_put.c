/* SPDX-License-Identifier: ISC */
/* Models into PIDF, and out of it again. */

#include "tests/lib/slice.h"

#include <stdio.h>

#include "prim/base.h"
#include "prim/pidf.h"
#include "tests/lib/random.h"
#include "tests/prim/pidf.h"

#define ROUNDS 2000

static struct prim_pidf pidf, again;

static void a_small_model_is_written_so(void **state)
{
	struct prim_pidf_tuple *t = &pidf.tuples[0];
	struct prim_buf b = { 0 };

	(void)state;
	pidf.entity = PRIM_SLICE("pres:a@b");
	pidf.idle_since_ms = PRIM_PIDF_NO_TIME;
	pidf.activities = PRIM_ACTIVITY_XA;
	pidf.note_count = 1;
	pidf.notes[0].text = PRIM_SLICE("a<b>&\r\n\"'");
	pidf.tuple_count = 1;
	t->id = PRIM_SLICE("ID-home");
	t->basic = PRIM_BASIC_OPEN;
	t->show = PRIM_SLICE("away");
	t->contact = PRIM_SLICE("im:a@b");
	t->priority = 102;
	t->activities = PRIM_ACTIVITY_BUSY | PRIM_ACTIVITY_AWAY;
	t->is_idle = true;
	t->idle_since_ms = 1500;
	t->timestamp_ms = 0;
	t->note_count = 1;
	t->notes[0].language = PRIM_SLICE("e\"n");
	t->notes[0].text = PRIM_SLICE("x");
	prim_pidf_put(&b, &pidf);
	t_buf_is("document", &b,
	    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	    "<presence xmlns=\"urn:ietf:params:xml:ns:pidf\""
	    " xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\""
	    " xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\""
	    " entity=\"pres:a@b\">"
	    "<tuple id=\"ID-home\">"
	    "<status><basic>open</basic>"
	    "<show xmlns=\"jabber:client\">away</show></status>"
	    "<rpid:activities><rpid:away/><rpid:busy/></rpid:activities>"
	    "<rpid:user-input last-input=\"1970-01-01T00:00:01.500Z\">idle"
	    "</rpid:user-input>"
	    "<contact priority=\"0.102\">im:a@b</contact>"
	    "<note xml:lang=\"e&quot;n\">x</note>"
	    "<timestamp>1970-01-01T00:00:00Z</timestamp>"
	    "</tuple>"
	    "<note>a&lt;b&gt;&amp;&#13;\n\"'</note>"
	    "<dm:person id=\"person\"><rpid:activities><rpid:away/>"
	    "</rpid:activities></dm:person>"
	    "</presence>");
	prim_buf_fini(&b);
}

/*
 * Ids.
 */

/* The document of tuples of these ids, which end with NULL. */
static void put_ids(struct prim_buf *b, const char *const *ids)
{
	memset(&pidf, 0, sizeof(pidf));
	pidf.entity = PRIM_SLICE("e");
	for (; ids[pidf.tuple_count]; pidf.tuple_count++) {
		struct prim_pidf_tuple *t = &pidf.tuples[pidf.tuple_count];

		t->id = prim_slice_of(ids[pidf.tuple_count]);
		t->priority = PRIM_PIDF_NO_PRIORITY;
		t->timestamp_ms = PRIM_PIDF_NO_TIME;
	}
	pidf.activities = PRIM_ACTIVITY_AWAY;
	prim_buf_reset(b);
	prim_pidf_put(b, &pidf);
	assert_true(prim_pidf_parse(&again, prim_buf_slice(b), NULL));
	assert_int_equal(again.tuple_count, pidf.tuple_count);
}

static void a_name_stays_as_it_is(void **state)
{
	static const char *const NAMES[] = { "a", "_", "ID-home", "IDx-0",
		"\xc3\xa4.b-1", "IDx-0123456789abcdef", NULL };
	struct prim_buf b = { 0 };

	(void)state;
	put_ids(&b, NAMES);
	for (size_t i = 0; NAMES[i]; i++)
		t_slice_is("id", again.tuples[i].id, NAMES[i]);
	prim_buf_fini(&b);
	prim_pidf_fini(&again);
}

static void what_is_no_name_becomes_one_always_the_same(void **state)
{
	static const char *const ONE[] = { "im:foo@bar.com", NULL };
	static const char *const MANY[] = { "1", "im:foo@bar.com", "a b", "-a",
		"<", "\xc2\xb7", "person", NULL };
	struct prim_buf b = { 0 };
	char made[32];

	(void)state;
	put_ids(&b, ONE);
	snprintf(made, sizeof(made), "%.*s",
	    PRIM_SLICE_ARG(again.tuples[0].id));
	assert_int_equal(strlen(made), 20);
	assert_true(prim_xml_ncname_ok(prim_slice_of(made)));
	put_ids(&b, MANY);
	t_slice_is("the same", again.tuples[1].id, made);
	for (size_t i = 0; MANY[i]; i++)
		assert_true(prim_xml_ncname_ok(again.tuples[i].id));
	t_slice_is("a name", again.tuples[6].id, "person");
	prim_buf_fini(&b);
	prim_pidf_fini(&again);
}

static void a_made_name_that_is_taken_becomes_another(void **state)
{
	const char *ids[] = { "a b", NULL, NULL };
	struct prim_buf b = { 0 };
	char made[32];

	(void)state;
	put_ids(&b, ids);
	snprintf(made, sizeof(made), "%.*s",
	    PRIM_SLICE_ARG(again.tuples[0].id));
	ids[1] = made;
	put_ids(&b, ids);
	t_slice_is("the name", again.tuples[1].id, made);
	assert_false(prim_slice_eq(again.tuples[0].id, again.tuples[1].id));
	prim_buf_fini(&b);
	prim_pidf_fini(&again);
}

/*
 * Any model.
 */

static struct t_random chance;

static unsigned below(unsigned limit)
{
	return (unsigned)t_random_below(&chance, limit);
}

static struct prim_slice pick_text(void)
{
	static const struct prim_slice TEXTS[] = { T_SLICE("x"),
		T_SLICE("<&>\"'"), T_SLICE(" two\n lines\t "), T_SLICE("]]>"),
		T_SLICE("\r\n"), T_SLICE("\xc3\xa4\xe2\x82\xac"),
		T_SLICE("\xf0\x9f\x98\x80"), T_SLICE("&amp;&#13;"),
		T_SLICE("\x7f\xc2\x85\xe2\x80\xa8"), T_SLICE("<!--x--><?y?>") };

	return TEXTS[below(PRIM_COUNT(TEXTS))];
}

static int64_t pick_time(void)
{
	if (below(3) == 0)
		return PRIM_PIDF_NO_TIME;
	return (int64_t)t_random_below(&chance, 253402300800000U);
}

static unsigned pick_notes(struct prim_pidf_note *notes)
{
	unsigned count = below(4) ? below(3) : below(PRIM_PIDF_NOTES_MAX + 1);

	for (unsigned i = 0; i < count; i++) {
		notes[i].text = pick_text();
		notes[i].language = below(2) ? pick_text() : PRIM_SLICE_NONE;
	}
	return count;
}

/* What is written of XA is read as AWAY. */
static unsigned pick_activities(void)
{
	return below(2) ? 0
			: below(8) & (PRIM_ACTIVITY_AWAY | PRIM_ACTIVITY_BUSY);
}

static void pick_tuple(struct prim_pidf_tuple *t)
{
	static const struct prim_slice SHOWS[] = { T_SLICE("away"),
		T_SLICE("dnd"), T_SLICE("&<") };

	t->basic = (enum prim_basic)below(3);
	t->show = below(2) ? SHOWS[below(3)] : PRIM_SLICE_NONE;
	t->has_status = t->basic != PRIM_BASIC_NONE || t->show.len || below(2);
	t->contact = below(3) ? prim_xml_trim(pick_text()) : PRIM_SLICE_NONE;
	t->priority = below(3) ? (int)below(1001) : PRIM_PIDF_NO_PRIORITY;
	t->activities = pick_activities();
	t->is_idle = below(3) == 0;
	t->idle_since_ms = t->is_idle ? pick_time() : PRIM_PIDF_NO_TIME;
	t->timestamp_ms = pick_time();
	t->note_count = pick_notes(t->notes);
}

static void pick_model(char names[][16])
{
	pidf.entity = pick_text();
	pidf.activities = pick_activities();
	pidf.is_idle = below(4) == 0;
	pidf.idle_since_ms = pidf.is_idle ? pick_time() : PRIM_PIDF_NO_TIME;
	pidf.note_count = pick_notes(pidf.notes);
	pidf.tuple_count = below(20) ? below(4)
				     : below(PRIM_PIDF_TUPLES_MAX + 1);
	for (unsigned i = 0; i < pidf.tuple_count; i++) {
		pick_tuple(&pidf.tuples[i]);
		snprintf(names[i], sizeof(names[i]), "ID-%u", i);
		pidf.tuples[i].id = prim_slice_of(names[i]);
	}
}

static void any_model_comes_back_as_it_was(void **state)
{
	static char names[PRIM_PIDF_TUPLES_MAX][16];
	struct prim_buf xml = { 0 }, before = { 0 }, after = { 0 };
	const char *why = "";

	(void)state;
	for (uint64_t seed = 0; seed < ROUNDS; seed++) {
		chance.state = seed;
		pick_model(names);
		prim_buf_reset(&xml);
		prim_pidf_put(&xml, &pidf);
		if (!prim_pidf_parse(&again, prim_buf_slice(&xml), &why))
			fail_msg("seed %u: %s", (unsigned)seed, why);
		prim_buf_reset(&before);
		t_pidf_put(&before, &pidf);
		prim_buf_reset(&after);
		t_pidf_put(&after, &again);
		if (!prim_slice_eq(prim_buf_slice(&before),
			prim_buf_slice(&after)))
			fail_msg("seed %u: %.*s", (unsigned)seed,
			    PRIM_SLICE_ARG(prim_buf_slice(&xml)));
	}
	prim_buf_fini(&xml);
	prim_buf_fini(&before);
	prim_buf_fini(&after);
	prim_pidf_fini(&again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_model_is_written_so),
		cmocka_unit_test(a_name_stays_as_it_is),
		cmocka_unit_test(what_is_no_name_becomes_one_always_the_same),
		cmocka_unit_test(a_made_name_that_is_taken_becomes_another),
		cmocka_unit_test(any_model_comes_back_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
