/* SPDX-License-Identifier: ISC */
/* What is a presence document, and what it says, row by row. */

#include "tests/lib/slice.h"

#include "prim/base.h"
#include "prim/pidf.h"
#include "tests/prim/pidf.h"

static struct prim_pidf pidf;

#define NS(name) " xmlns='urn:ietf:params:xml:ns:" name "'"
#define EXTENSIONS                                           \
	" xmlns:p='urn:ietf:params:xml:ns:pidf'"             \
	" xmlns:dm='urn:ietf:params:xml:ns:pidf:data-model'" \
	" xmlns:r='urn:ietf:params:xml:ns:pidf:rpid'"        \
	" xmlns:im='urn:ietf:params:xml:ns:pidf:im'"         \
	" xmlns:x='urn:example:x'"
#define DOCUMENT(inner) \
	"<presence" NS("pidf") EXTENSIONS " entity='e'>" inner "</presence>"
#define TUPLE(inner)  DOCUMENT("<tuple id='t'>" inner "</tuple>")
#define STATUS(inner) TUPLE("<status>" inner "</status>")
#define PERSON(inner) DOCUMENT("<dm:person id='p'>" inner "</dm:person>")
#define FIRST(inner)                                                         \
	"<presence xmlns='urn:ietf:params:cpim-presence:'"                   \
	" xmlns:x='urn:example:x' xmlns:c='urn:ietf:params:cpim-presence:'>" \
	"<presentity id='e'/>" inner "</presence>"

struct row {
	const char *name;
	const char *xml;
	const char *expected; /* what the model says, or what is wrong */
};

/* clang-format off */
static const struct row TAKEN[] = {
	{ "no tuple", DOCUMENT(""), "entity e\n" },
	{ "CPIM-083 a colon more",
	    "<presence" NS("pidf:") " entity='e'/>", "entity e\n" },
	{ "A.5 -05", "<presence" NS("cpim-pidf") " entity='e'/>",
	    "entity e\n" },
	{ "A.5 -05 with a colon",
	    "<presence" NS("cpim-pidf:") " entity='e'/>", "entity e\n" },
	{ "entity as it is spelled",
	    "<presence" NS("pidf") " entity=' &lt;e&#10;'/>",
	    "entity  <e\n\n" },
	{ "no status", TUPLE(""), "entity e\ntuple t\n" },
	{ "nothing in status", STATUS(""), "entity e\ntuple t\n" },
	{ "only unknown in status", STATUS("<x:y/>"),
	    "entity e\ntuple t status\n" },
	{ "closed", STATUS("<basic>\n closed\t</basic>"),
	    "entity e\ntuple t status closed\n" },
	{ "CDATA", STATUS("<basic><![CDATA[open]]></basic>"),
	    "entity e\ntuple t status open\n" },
	{ "instruction and comment",
	    STATUS("<?x y?><basic>op<!-- x -->en</basic>"),
	    "entity e\ntuple t status open\n" },
	{ "CPIM-095 nothing is seen in what is unknown",
	    DOCUMENT("<x:y><tuple id='t'/><note>n</note></x:y>"
		     "<x:tuple id='t'/><other/>"),
	    "entity e\n" },
	{ "CPIM-095 nor in what is known elsewhere",
	    DOCUMENT("<status><basic>x</basic></status>"
		     "<contact>c</contact>"),
	    "entity e\n" },
	{ "CPIM-095 nor elements of another version",
	    DOCUMENT("<c:tuple xmlns:c='urn:ietf:params:xml:ns:cpim-pidf'"
		     " id='t'/>"),
	    "entity e\n" },
	{ "markup in a note",
	    DOCUMENT("<note>a<x:b>c</x:b>d</note>"), "entity e\nnote |ad\n" },
	{ "no note", DOCUMENT("<note/><note></note>"), "entity e\n" },
	{ "CPIM-092 languages",
	    "<presence" NS("pidf") " entity='e' xml:lang='de'>"
	    "<tuple id='t' xml:lang='fr'><note>1</note>"
	    "<note xml:lang='en'>2</note><note xml:lang=''>3</note></tuple>"
	    "<note>4</note></presence>",
	    "entity e\nnote de|4\ntuple t\nnote fr|1\nnote en|2\nnote |3\n" },
	{ "a contact without an address",
	    TUPLE("<contact priority='0.5'> </contact>"),
	    "entity e\ntuple t priority 500\n" },
	{ "timestamp with a fraction and a zone",
	    TUPLE("<timestamp>\n2001-10-27T16:49:29.5+02:00</timestamp>"),
	    "entity e\ntuple t time 1004194169500\n" },
	{ "no timestamp", TUPLE("<timestamp>now</timestamp>"),
	    "entity e\ntuple t\n" },
	{ "order does not matter",
	    TUPLE("<note>n</note><timestamp>1970-01-01T00:00:00Z</timestamp>"
		  "<contact>c</contact><status><basic>open</basic></status>"),
	    "entity e\ntuple t status open at c time 0\nnote |n\n" },
	{ "show", STATUS("<show xmlns='jabber:client'>xa</show>"),
	    "entity e\ntuple t status show xa\n" },
	{ "show before im",
	    STATUS("<im:im>busy</im:im>"
		   "<show xmlns='jabber:client'>chat</show>"),
	    "entity e\ntuple t status show chat\n" },
	{ "show stays before im",
	    STATUS("<show xmlns='jabber:client'>chat</show>"
		   "<im:im>busy</im:im>"),
	    "entity e\ntuple t status show chat\n" },
	{ "im of -05", "<presence" NS("cpim-pidf") " entity='e'>"
	    "<tuple id='t'><status>"
	    "<im xmlns='urn:ietf:params:xml:ns:cpim-pidf:im'>away</im>"
	    "</status></tuple></presence>",
	    "entity e\ntuple t status show away\n" },
	{ "im says something else", STATUS("<im:im>gone</im:im>"),
	    "entity e\ntuple t status\n" },
	{ "RPID in a tuple",
	    TUPLE("<r:activities><r:note>a</r:note><r:on-the-phone/>"
		  "</r:activities><r:user-input"
		  " last-input='1970-01-01T00:00:01Z'> idle </r:user-input>"
		  "<note>t</note>"),
	    "entity e\ntuple t busy idle since 1000\nnote |t\nnote |a\n" },
	{ "RPID active",
	    PERSON("<r:user-input last-input='1970-01-01T00:00:01Z'>active"
		   "</r:user-input>"),
	    "entity e\n" },
	{ "RPID-005 what has no meaning for us",
	    PERSON("<r:activities><r:working/><r:other>x</r:other>"
		   "<r:looking-for-work/><r:unknown/></r:activities>"),
	    "entity e\n" },
	{ "two persons",
	    DOCUMENT("<dm:person id='p'><r:activities><r:away/>"
		     "</r:activities></dm:person>"
		     "<dm:person id='q'><r:activities><r:busy/>"
		     "</r:activities></dm:person>"),
	    "entity e away busy\n" },
	{ "CPIM-096 void: the one around it",
	    PERSON("<r:activities><r:away/><x:y p:mustUnderstand='1'/>"
		   "</r:activities><r:user-input>idle</r:user-input>"
		   "<dm:note>n</dm:note>"),
	    "entity e idle\nnote |n\n" },
	{ "CPIM-096 void: also what has to be understood around that",
	    PERSON("<r:activities p:mustUnderstand='true'><r:away/>"
		   "<x:y p:mustUnderstand='1'/></r:activities>"
		   "<r:user-input>idle</r:user-input><dm:note>n</dm:note>"),
	    "entity e\n" },
	{ "CPIM-096 void: notes go with it",
	    PERSON("<r:activities><r:note>gone</r:note>"
		   "<x:y p:mustUnderstand='1'/></r:activities>"),
	    "entity e\n" },
	{ "CPIM-096 void: an activity alone",
	    PERSON("<r:activities><r:away><x:y p:mustUnderstand='1'/></r:away>"
		   "<r:busy/></r:activities>"),
	    "entity e busy\n" },
	{ "CPIM-096 void: a show",
	    STATUS("<basic>open</basic><show xmlns='jabber:client'>away"
		   "<x:y p:mustUnderstand='1'/></show>"),
	    "entity e\ntuple t status open\n" },
	{ "CPIM-096 not void: no must",
	    PERSON("<r:activities><r:away/><x:y p:mustUnderstand='0'/>"
		   "<x:y mustUnderstand='1'/></r:activities>"),
	    "entity e away\n" },
	{ "CPIM-096 not void: in something that is passed over",
	    PERSON("<r:activities><r:away/><x:y><x:z p:mustUnderstand='1'/>"
		   "</x:y></r:activities>"),
	    "entity e away\n" },
	{ "CPIM-096 the core is never void",
	    STATUS("<basic>open<x:y p:mustUnderstand='1'/></basic>"
		   "<x:y p:mustUnderstand='1'/>"),
	    "entity e\ntuple t status open\n" },
	{ "CPIM-096 what we understand",
	    PERSON("<r:activities p:mustUnderstand='1'>"
		   "<r:away p:mustUnderstand='1'/></r:activities>"),
	    "entity e away\n" },
	{ "A.5 -01: closed in capitals, a type that is said",
	    FIRST("<tuple id='t'><status><value"
		  " type='urn:ietf:params:cpim-presence:status-type:basic'>"
		  "CLOSED</value></status></tuple>"),
	    "entity e\ntuple t status closed\n" },
	{ "A.5 -01: must be understood, in something that is passed over",
	    FIRST("<x:y><x:z c:mustUnderstand='YES'/></x:y>"), "entity e\n" },
	{ "A.5 -01: priorities",
	    FIRST("<tuple id='a'><contact priority='0'>c</contact></tuple>"
		  "<tuple id='b'><contact priority='255'>c</contact></tuple>"
		  "<tuple id='c'><contact priority='256'>c</contact></tuple>"
		  "<tuple id='d'><contact priority='0.5'>c</contact></tuple>"),
	    "entity e\ntuple a at c priority 1000\ntuple b at c priority 0\n"
	    "tuple c at c\ntuple d at c\n" },
};

static const struct row REFUSED[] = {
	{ "nothing", "", "no element found" },
	{ "text", "open", "syntax error" },
	{ "not closed", "<presence" NS("pidf") " entity='e'>",
	    "no element found" },
	{ "two roots", DOCUMENT("") "<x/>", "junk after document element" },
	{ "another root", "<presense" NS("pidf") " entity='e'/>",
	    "not a presence document" },
	{ "no namespace", "<presence entity='e'/>", "not a presence document" },
	{ "another namespace", "<presence xmlns='urn:x' entity='e'/>",
	    "not a presence document" },
	{ "no entity", "<presence" NS("pidf") "/>", "no entity" },
	{ "empty entity", "<presence" NS("pidf") " entity=''/>", "no entity" },
	{ "entity in a namespace",
	    "<p:presence xmlns:p='urn:ietf:params:xml:ns:pidf'"
	    " p:entity='e'/>", "no entity" },
	{ "-01 without presentity",
	    "<presence xmlns='urn:ietf:params:cpim-presence:' entity='e'/>",
	    "no entity" },
	{ "-01 with two", FIRST("<presentity id='f'/>"),
	    "an element twice that may be there once" },
	{ "-01 must be understood", FIRST("<x:y c:mustUnderstand='YES'/>"),
	    "something unknown that must be understood" },
	{ "no id", DOCUMENT("<tuple/>"), "a tuple without an id" },
	{ "empty id", DOCUMENT("<tuple id=''/>"), "a tuple without an id" },
	{ "CPIM-086 the same id twice",
	    DOCUMENT("<tuple id='t'/><tuple id='u'/><tuple id='t'/>"),
	    "two tuples of the same id" },
	{ "CPIM-089 capitals", STATUS("<basic>OPEN</basic>"),
	    "a basic status that is neither open nor closed" },
	{ "away is no basic status", STATUS("<basic>away</basic>"),
	    "a basic status that is neither open nor closed" },
	{ "empty basic", STATUS("<basic/>"),
	    "a basic status that is neither open nor closed" },
	{ "two basic", STATUS("<basic>open</basic><basic>closed</basic>"),
	    "an element twice that may be there once" },
	{ "two status", TUPLE("<status/><status/>"),
	    "an element twice that may be there once" },
	{ "two contacts", TUPLE("<contact/><contact/>"),
	    "an element twice that may be there once" },
	{ "two timestamps", TUPLE("<timestamp/><timestamp/>"),
	    "an element twice that may be there once" },
	{ "PRIM-271 a DOCTYPE", "<!DOCTYPE presence>" DOCUMENT(""),
	    "a DOCTYPE" },
	{ "PRIM-271 one of others",
	    "<!DOCTYPE presence SYSTEM 'file:///etc/passwd'>" DOCUMENT(""),
	    "a DOCTYPE" },
	{ "PRIM-271 an entity",
	    "<!DOCTYPE presence [<!ENTITY a 'b'>]>"
	    DOCUMENT("<note>&a;</note>"),
	    "a DOCTYPE" },
	{ "an entity from nowhere", DOCUMENT("<note>&a;</note>"),
	    "undefined entity" },
	{ "a control", DOCUMENT("<note>\x01</note>"),
	    "not well-formed (invalid token)" },
	{ "a control, spelled", DOCUMENT("<note>&#1;</note>"),
	    "reference to invalid character number" },
	{ "no UTF-8", DOCUMENT("<note>\xff</note>"),
	    "not well-formed (invalid token)" },
	{ "a surrogate", DOCUMENT("<note>\xed\xa0\x80</note>"),
	    "not well-formed (invalid token)" },
	{ "a prefix from nowhere", DOCUMENT("<q:note/>"), "unbound prefix" },
	{ "an attribute twice", "<presence" NS("pidf") " entity='e' entity='e'/>",
	    "duplicate attribute" },
	{ "an unknown encoding",
	    "<?xml version='1.0' encoding='KOI8-R'?>" DOCUMENT(""),
	    "unknown encoding" },
};

/* clang-format on */

static void what_is_taken_says_what_it_should(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(TAKEN); i++) {
		const char *why = "";

		if (!prim_pidf_parse(&pidf, prim_slice_of(TAKEN[i].xml), &why))
			fail_msg("%s: %s", TAKEN[i].name, why);
		prim_buf_reset(&b);
		t_pidf_put(&b, &pidf);
		t_buf_is(TAKEN[i].name, &b, TAKEN[i].expected);
	}
	prim_buf_fini(&b);
	prim_pidf_fini(&pidf);
}

static void what_is_refused_has_a_reason_and_leaves_nothing(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(REFUSED); i++) {
		struct prim_slice xml = prim_slice_of(REFUSED[i].xml);
		const char *why = "taken";

		prim_pidf_parse(&pidf, xml, &why);
		t_slice_is(REFUSED[i].name, prim_slice_of(why),
		    REFUSED[i].expected);
		assert_false(prim_pidf_parse(&pidf, xml, NULL));
		prim_buf_reset(&b);
		t_pidf_put(&b, &pidf);
		t_buf_is(REFUSED[i].name, &b, "\n");
	}
	prim_buf_fini(&b);
	prim_pidf_fini(&pidf);
}

static const struct {
	const char *value;
	int priority;
} PRIORITIES[] = {
	{"0",       0		    },
	{ "0.",     0		    },
	{ "0.0",    0		    },
	{ "0.021",  21                   },
	{ "0.5",    500                  },
	{ "0.8",    800                  },
	{ "0.65",   650                  },
	{ "0.725",  725                  },
	{ "0.999",  999                  },
	{ "1",      1000                 },
	{ "1.",     1000                 },
	{ "1.0",    1000                 },
	{ "1.00",   1000                 },
	{ "1.000",  1000                 },
	{ " 0.5\n", 500                  },
	{ "09",     PRIM_PIDF_NO_PRIORITY},
	{ "0x5",    PRIM_PIDF_NO_PRIORITY},
	{ "1.001",  PRIM_PIDF_NO_PRIORITY},
	{ "1.0000", PRIM_PIDF_NO_PRIORITY},
	{ "0.0001", PRIM_PIDF_NO_PRIORITY},
	{ "2",      PRIM_PIDF_NO_PRIORITY},
	{ "10",     PRIM_PIDF_NO_PRIORITY},
	{ "00",     PRIM_PIDF_NO_PRIORITY},
	{ "00.5",   PRIM_PIDF_NO_PRIORITY},
	{ ".5",     PRIM_PIDF_NO_PRIORITY},
	{ "0,5",    PRIM_PIDF_NO_PRIORITY},
	{ "-0.5",   PRIM_PIDF_NO_PRIORITY},
	{ "+0.5",   PRIM_PIDF_NO_PRIORITY},
	{ "0.5e0",  PRIM_PIDF_NO_PRIORITY},
	{ "",       PRIM_PIDF_NO_PRIORITY},
	{ "high",   PRIM_PIDF_NO_PRIORITY},
};

static void a_priority_has_three_decimals_and_is_no_pattern(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(PRIORITIES); i++) {
		prim_buf_reset(&b);
		prim_buf_puts(&b,
		    "<presence" NS(
			"pidf") " entity='e'><tuple id='t'><contact priority='");
		prim_buf_puts(&b, PRIORITIES[i].value);
		prim_buf_puts(&b, "'>c</contact></tuple></presence>");
		assert_true(prim_pidf_parse(&pidf, prim_buf_slice(&b), NULL));
		t_number_is(PRIORITIES[i].value, pidf.tuples[0].priority,
		    PRIORITIES[i].priority);
	}
	prim_buf_fini(&b);
	prim_pidf_fini(&pidf);
}

/* NULL when `count` times `piece` in `before` and `after` is taken, else why. */
static const char *repeated(const char *before, const char *piece,
    unsigned count, const char *after)
{
	struct prim_buf b = { 0 };
	const char *why = NULL;

	prim_buf_puts(&b, "<presence" NS("pidf") " entity='e'>");
	prim_buf_puts(&b, before);
	for (unsigned i = 0; i < count; i++) {
		const char *number = strchr(piece, '#');

		if (!number) {
			prim_buf_puts(&b, piece);
			continue;
		}
		prim_buf_put(&b,
		    prim_slice_make(piece, (size_t)(number - piece)));
		prim_buf_put_number(&b, i);
		prim_buf_puts(&b, number + 1);
	}
	prim_buf_puts(&b, after);
	prim_buf_puts(&b, "</presence>");
	prim_pidf_parse(&pidf, prim_buf_slice(&b), &why);
	prim_buf_fini(&b);
	return why;
}

/* clang-format off */
static const struct {
	const char *name;
	const char *before, *piece, *after;
	unsigned max;
	const char *why;
} BOUNDS[] = {
	{ "tuples", "", "<tuple id='t#'/>", "", PRIM_PIDF_TUPLES_MAX,
	    "too many tuples" },
	{ "notes", "", "<note>n</note>", "", PRIM_PIDF_NOTES_MAX,
	    "too many notes" },
	{ "notes in a tuple", "<tuple id='t'>", "<note>n</note>", "</tuple>",
	    PRIM_PIDF_NOTES_MAX, "too many notes" },
	{ "notes in activities",
	    "<p:person xmlns:p='urn:ietf:params:xml:ns:pidf:data-model'>"
	    "<activities xmlns='urn:ietf:params:xml:ns:pidf:rpid'>",
	    "<note>n</note>", "</activities></p:person>", PRIM_PIDF_NOTES_MAX,
	    "too many notes" },
	{ "elements", "", "<x/>", "", PRIM_PIDF_ELEMENTS_MAX - 1,
	    "too many elements" },
};

/* clang-format on */

static void what_is_over_a_bound_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(BOUNDS); i++) {
		t_slice_is(BOUNDS[i].name,
		    prim_slice_of(repeated(BOUNDS[i].before, BOUNDS[i].piece,
			BOUNDS[i].max, BOUNDS[i].after)),
		    "");
		t_slice_is(BOUNDS[i].name,
		    prim_slice_of(repeated(BOUNDS[i].before, BOUNDS[i].piece,
			BOUNDS[i].max + 1, BOUNDS[i].after)),
		    BOUNDS[i].why);
	}
	prim_pidf_fini(&pidf);
}

/* A language that everything inherits is kept once, however many notes it is
 * the language of. */
static void a_document_costs_no_more_than_its_length(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	prim_buf_puts(&b, "<presence" NS("pidf") " entity='e' xml:lang='");
	for (int i = 0; i < 10000; i++)
		prim_buf_putc(&b, 'x');
	prim_buf_puts(&b, "'>");
	for (int i = 0; i < PRIM_PIDF_NOTES_MAX; i++)
		prim_buf_puts(&b, "<note>n</note>");
	prim_buf_puts(&b, "</presence>");
	assert_true(prim_pidf_parse(&pidf, prim_buf_slice(&b), NULL));
	assert_int_equal(pidf.notes[0].language.len, 10000);
	assert_ptr_equal(pidf.notes[0].language.ptr,
	    pidf.notes[PRIM_PIDF_NOTES_MAX - 1].language.ptr);
	assert_in_range(pidf.text.len, 10000, b.len);
	prim_buf_fini(&b);
	prim_pidf_fini(&pidf);
}

static void other_encodings_come_out_as_utf8(void **state)
{
	static const char LATIN1[] =
	    "<?xml version='1.0' encoding='ISO-8859-1'?>"
	    "<presence" NS("pidf") " entity='\xe4\xe4\xe4\xe4'>"
				   "<note>\xe4\xf6\xfc</note></presence>";
	static const char ASCII[] = "<presence" NS("pidf") " entity='e'>"
							   "<note>x</note>"
							   "</presence>";
	char utf16[2 * sizeof(ASCII)] = { '\xff', '\xfe' };

	(void)state;
	assert_true(prim_pidf_parse(&pidf, prim_slice_of(LATIN1), NULL));
	t_slice_is("entity", pidf.entity, "ääää");
	t_slice_is("note", pidf.notes[0].text, "äöü");
	for (size_t i = 0; i < sizeof(ASCII) - 1; i++)
		utf16[2 + 2 * i] = ASCII[i];
	assert_true(prim_pidf_parse(&pidf,
	    prim_slice_make(utf16, sizeof(utf16)), NULL));
	t_slice_is("note", pidf.notes[0].text, "x");
	assert_true(prim_pidf_parse(&pidf,
	    prim_slice_of("\xef\xbb\xbf" DOCUMENT("<note>\U0001f600</note>")),
	    NULL));
	t_slice_is("note", pidf.notes[0].text, "\U0001f600");
	prim_pidf_fini(&pidf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_taken_says_what_it_should),
		cmocka_unit_test(
		    what_is_refused_has_a_reason_and_leaves_nothing),
		cmocka_unit_test(
		    a_priority_has_three_decimals_and_is_no_pattern),
		cmocka_unit_test(what_is_over_a_bound_is_refused),
		cmocka_unit_test(a_document_costs_no_more_than_its_length),
		cmocka_unit_test(other_encodings_come_out_as_utf8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
