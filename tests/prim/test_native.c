/* SPDX-License-Identifier: ISC */
/* The drafts' own presence format. */

#include "tests/lib/slice.h"

#include "prim/base.h"
#include "prim/pidf.h"
#include "tests/lib/random.h"
#include "tests/prim/pidf.h"

static struct prim_pidf pidf;

#define CONTACT(inner) "<presence><contact>" inner "</contact></presence>"

struct row {
	const char *name;
	const char *xml;
	const char *expected; /* what the model says, or what is wrong */
};

/* clang-format off */
static const struct row TAKEN[] = {
	{ "D1 15.6, D2 14.6: IM",
	    "<presence identifier=\"pres:foo@bar.com\"\n"
	    "          date=\"Thu, 5 Sep 2000 15:45:45 -0500\">\n"
	    "   <presentity>\n"
	    "      <display-name>FOO (^^)v</display-name>\n"
	    "      <note>I'm Hungry.</note>\n"
	    "   </presentity>\n"
	    "   <contact address=\"im:foo@bar.com\">\n"
	    "      <display-name>IM</display-name>\n"
	    "      <status value=\"open\"/>\n"
	    "      <preference value=\"1\"/>\n"
	    "   </contact>\n"
	    "</presence>\n",
	    "entity pres:foo@bar.com\n"
	    "note |I'm Hungry.\n"
	    "tuple id status open at im:foo@bar.com priority 1000"
	    " time 968186745000\n" },
	{ "D1 15.6, D2 14.6: telephone",
	    "<presence identifier=\"pres:foo@bar.com\"\n"
	    "          date=\"Thu, 5 Sep 2000 16:30:28 -0500\">\n"
	    "   <contact address=\"tel:+1-800-IGOTYOU\">\n"
	    "      <display-name>Phone(Office)</display-name>\n"
	    "      <status value=\"open\" detail=\"deferred\"/>\n"
	    "   </contact>\n"
	    "</presence>\n",
	    "entity pres:foo@bar.com\n"
	    "tuple id status open at tel:+1-800-IGOTYOU time 968189428000\n"
	    "note |deferred\n" },
	{ "ERR-109 the spelling of the prose",
	    "<presence address='pres:a@b'><contact>"
	    "<status value='closed' details='x'/></contact></presence>",
	    "entity pres:a@b\ntuple id status closed\nnote |x\n" },
	{ "ERR-109 both: the DTD's",
	    "<presence address='x' identifier='pres:a@b'/>",
	    "entity pres:a@b\n" },
	{ "ERR-109 no contact, nobody", "<presence/>", "\n" },
	{ "ERR-109 several contacts, by rank",
	    "<presence><contact address='a'><preference value='9'/></contact>"
	    "<contact address='b'/>"
	    "<contact address='c'><preference value='0'/></contact>"
	    "<contact address='d'><preference value='9'/></contact>"
	    "</presence>",
	    "\ntuple id at a priority 667\ntuple id-2 at b\n"
	    "tuple id-3 at c priority 1000\ntuple id-4 at d priority 667\n" },
	{ "no status", CONTACT(""), "\ntuple id\n" },
	{ "the last preference", CONTACT("<preference value='4294967295'/>"),
	    "\ntuple id priority 1000\n" },
	{ "no preference", CONTACT("<preference value='4294967296'/>"),
	    "\ntuple id\n" },
	{ "nor this", CONTACT("<preference value='-1'/>"), "\ntuple id\n" },
	{ "nor this either", CONTACT("<preference/>"), "\ntuple id\n" },
	{ "no date", "<presence date='yesterday'><contact/></presence>",
	    "\ntuple id\n" },
	{ "the date of D1 15.5",
	    "<presence date='Thu, 30 Mar 2000 09:59:34 -0500'><contact/>"
	    "</presence>",
	    "\ntuple id time 954428374000\n" },
	{ "notes: the contact's own before the detail",
	    CONTACT("<status value='open' detail='d'/><note>n</note>"
		    "<note/>"),
	    "\ntuple id status open\nnote |n\nnote |d\n" },
	{ "notes: languages",
	    "<presence xml:lang='de'><presentity><note>a</note></presentity>"
	    "<contact xml:lang='en'><status value='open' detail='d'/>"
	    "<note xml:lang='fr'>b</note></contact></presence>",
	    "\nnote de|a\ntuple id status open\nnote fr|b\nnote en|d\n" },
	{ "unknown elements, with all in them",
	    CONTACT("<other-markup><status value='x'/><note>n</note>"
		    "</other-markup><x:note xmlns:x='urn:x'>n</x:note>"),
	    "\ntuple id\n" },
};

static const struct row REFUSED[] = {
	{ "nothing", "", "no element found" },
	{ "a DOCTYPE", "<!DOCTYPE presence SYSTEM 'presence.dtd'><presence/>",
	    "a DOCTYPE" },
	{ "PIDF", "<presence xmlns='urn:ietf:params:xml:ns:pidf'/>",
	    "not a presence document" },
	{ "another root", "<contact/>", "not a presence document" },
	{ "another status", CONTACT("<status value='away'/>"),
	    "a status that is neither open nor closed" },
	{ "capitals", CONTACT("<status value='OPEN'/>"),
	    "a status that is neither open nor closed" },
	{ "no value", CONTACT("<status/>"),
	    "a status that is neither open nor closed" },
	{ "two statuses",
	    CONTACT("<status value='open'/><status value='open'/>"),
	    "an element twice that may be there once" },
	{ "two preferences",
	    CONTACT("<preference value='1'/><preference value='1'/>"),
	    "an element twice that may be there once" },
};

/* clang-format on */

static void documents_of_the_drafts_are_read(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(TAKEN); i++) {
		const char *why = "";

		if (!prim_native_parse(&pidf, prim_slice_of(TAKEN[i].xml),
			PRIM_SLICE("id"), &why))
			fail_msg("%s: %s", TAKEN[i].name, why);
		prim_buf_reset(&b);
		t_pidf_put(&b, &pidf);
		t_buf_is(TAKEN[i].name, &b, TAKEN[i].expected);
	}
	prim_buf_fini(&b);
	prim_pidf_fini(&pidf);
}

static void what_is_none_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(REFUSED); i++) {
		const char *why = "taken";

		prim_native_parse(&pidf, prim_slice_of(REFUSED[i].xml),
		    PRIM_SLICE("id"), &why);
		t_slice_is(REFUSED[i].name, prim_slice_of(why),
		    REFUSED[i].expected);
		t_number_is(REFUSED[i].name, pidf.tuple_count, 0);
	}
	prim_pidf_fini(&pidf);
}

static void contacts_are_bounded_and_need_a_name(void **state)
{
	struct prim_buf b = { 0 };
	const char *why = NULL;

	(void)state;
	prim_buf_puts(&b, "<presence>");
	for (int i = 0; i < PRIM_PIDF_TUPLES_MAX; i++)
		prim_buf_puts(&b, "<contact/>");
	prim_buf_puts(&b, "</presence>");
	assert_true(prim_native_parse(&pidf, prim_buf_slice(&b),
	    PRIM_SLICE("a rather long name for one"), NULL));
	t_slice_is("last", pidf.tuples[PRIM_PIDF_TUPLES_MAX - 1].id,
	    "a rather long name for one-64");
	assert_false(prim_native_parse(&pidf, prim_buf_slice(&b),
	    PRIM_SLICE_NONE, &why));
	t_slice_is("no name", prim_slice_of(why), "a tuple without an id");
	b.len -= sizeof("</presence>") - 1;
	prim_buf_puts(&b, "<contact/></presence>");
	assert_false(prim_native_parse(&pidf, prim_buf_slice(&b),
	    PRIM_SLICE("id"), &why));
	t_slice_is("one more", prim_slice_of(why), "too many contacts");
	prim_buf_fini(&b);
	prim_pidf_fini(&pidf);
}

static void a_tuple_is_written_so(void **state)
{
	static struct prim_pidf_tuple t;
	struct prim_buf b = { 0 };

	(void)state;
	t.id = PRIM_SLICE("tel:1");
	t.priority = PRIM_PIDF_NO_PRIORITY;
	t.timestamp_ms = PRIM_PIDF_NO_TIME;
	prim_native_put(&b, PRIM_SLICE("pres:a@b"), &t);
	t_buf_is("the least", &b,
	    "<presence identifier=\"pres:a@b\"><contact address=\"\">"
	    "<display-name>tel:1</display-name><status value=\"closed\"/>"
	    "</contact></presence>");
	t.basic = PRIM_BASIC_OPEN;
	t.has_status = true;
	t.contact = PRIM_SLICE("im:a&\"b");
	t.priority = 1000;
	t.timestamp_ms = 954428374000;
	t.note_count = 2;
	t.notes[0].text = PRIM_SLICE("<n>");
	t.notes[1].text = PRIM_SLICE("m");
	prim_buf_reset(&b);
	prim_native_put(&b, PRIM_SLICE("pres:a@b"), &t);
	t_buf_is("all", &b,
	    "<presence identifier=\"pres:a@b\""
	    " date=\"Thu, 30 Mar 2000 14:59:34 +0000\">"
	    "<contact address=\"im:a&amp;&quot;b\">"
	    "<display-name>im:a&amp;\"b</display-name>"
	    "<status value=\"open\"/><preference value=\"1\"/>"
	    "<note>&lt;n&gt;</note></contact></presence>");
	t.basic = PRIM_BASIC_NONE;
	t.priority = 0;
	prim_buf_reset(&b);
	prim_native_put(&b, PRIM_SLICE_NONE, &t);
	t_buf_is("a status that is none of ours, the last priority", &b,
	    "<presence identifier=\"\""
	    " date=\"Thu, 30 Mar 2000 14:59:34 +0000\">"
	    "<contact address=\"im:a&amp;&quot;b\">"
	    "<display-name>im:a&amp;\"b</display-name>"
	    "<status value=\"open\"/><preference value=\"1001\"/>"
	    "<note>&lt;n&gt;</note></contact></presence>");
	prim_buf_fini(&b);
}

/* What the format has a place for: a status, a contact, whether there is a
 * preference, the first note, seconds. */
static void what_the_format_can_say_comes_back(void **state)
{
	static const struct prim_slice TEXTS[] = { T_SLICE("x"),
		T_SLICE("<&>\"'\r\n\t"), T_SLICE("\xf0\x9f\x98\x80") };
	static struct prim_pidf_tuple t;
	struct t_random chance = { 1 };
	struct prim_buf xml = { 0 }, before = { 0 }, after = { 0 };

	(void)state;
	for (int i = 0; i < 500; i++) {
		t.id = TEXTS[t_random_below(&chance, 3)];
		t.has_status = true;
		t.basic = t_random_below(&chance, 2) ? PRIM_BASIC_OPEN
						     : PRIM_BASIC_CLOSED;
		t.contact = prim_xml_trim(TEXTS[t_random_below(&chance, 3)]);
		t.priority = t_random_below(&chance, 2) ? 1000
							: PRIM_PIDF_NO_PRIORITY;
		t.idle_since_ms = PRIM_PIDF_NO_TIME;
		t.timestamp_ms =
		    (int64_t)t_random_below(&chance, 253402300800U) * 1000;
		t.note_count = (unsigned)t_random_below(&chance, 2);
		t.notes[0].text = TEXTS[t_random_below(&chance, 3)];
		prim_buf_reset(&xml);
		prim_native_put(&xml, PRIM_SLICE("e"), &t);
		assert_true(prim_native_parse(&pidf, prim_buf_slice(&xml), t.id,
		    NULL));
		prim_buf_reset(&before);
		t_pidf_put_tuple(&before, &t);
		prim_buf_reset(&after);
		t_pidf_put_tuple(&after, &pidf.tuples[0]);
		if (!prim_slice_eq(prim_buf_slice(&before),
			prim_buf_slice(&after)))
			fail_msg("%.*s", PRIM_SLICE_ARG(prim_buf_slice(&xml)));
	}
	prim_buf_fini(&xml);
	prim_buf_fini(&before);
	prim_buf_fini(&after);
	prim_pidf_fini(&pidf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_of_the_drafts_are_read),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(contacts_are_bounded_and_need_a_name),
		cmocka_unit_test(a_tuple_is_written_so),
		cmocka_unit_test(what_the_format_can_say_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
