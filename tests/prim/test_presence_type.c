/* SPDX-License-Identifier: ISC */
/* Presence in whatever it comes wrapped: ERR-92..94, PRIM-018. */

#include "tests/lib/slice.h"

#include "prim/base.h"
#include "prim/pidf.h"

static struct prim_pidf *pidf;

static int make_model(void **state)
{
	(void)state;
	pidf = prim_new(struct prim_pidf);
	return 0;
}

static int free_model(void **state)
{
	(void)state;
	prim_pidf_fini(pidf);
	pidf = prim_free(pidf);
	return 0;
}

#define ALICE "pres:alice@prim.example"
#define PIDF_OF(entity, id, basic)                                         \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>"                       \
	"<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"" entity \
	"\"><tuple id=\"" id "\"><status><basic>" basic                    \
	"</basic></status></tuple><note>" id "</note></presence>"
#define PIDF(id, basic) PIDF_OF(ALICE, id, basic)
#define NATIVE(value)                                            \
	"<presence identifier=\"" ALICE "\"><contact address=\"" \
	"im:alice@prim.example\"><status value=\"" value         \
	"\"/></contact></presence>"
#define CPIM_TO(lines, type)                            \
	"From: <im:alice@prim.example>\r\n"             \
	"To: <im:bob@prim.example>\r\n"                 \
	"DateTime: 2000-12-13T13:40:00-08:00\r\n" lines \
	"\r\nContent-type: " type "\r\n\r\n"
#define CPIM(type) CPIM_TO("", type)
#define PART(type, id) \
	"--b\r\nContent-Type: " type "\r\nTuple-ID: " id "\r\n\r\n"

static void a_content_type_says_what_it_is(void **state)
{
	static const struct {
		const char *text;
		enum prim_presence_type type;
	} CASES[] = {
		{"application/pidf+xml",                            PRIM_PRESENCE_PIDF   },
		{ "Application/PIDF+XML; charset=UTF-8",            PRIM_PRESENCE_PIDF   },
		{ "application/cpim-pidf+xml",                      PRIM_PRESENCE_PIDF   },
		{ "application/presence",                           PRIM_PRESENCE_NATIVE },
		{ "",					       PRIM_PRESENCE_NATIVE },
		{ "multipart/mixed; boundary=b",                    PRIM_PRESENCE_MIXED  },
		{ "message/CPIM",				   PRIM_PRESENCE_CPIM   },
		{ "multipart/signed; boundary=b",                   PRIM_PRESENCE_SECURED},
		{ "multipart/encrypted; boundary=b",                PRIM_PRESENCE_SECURED},
		{ "application/pkcs7-mime; smime-type=signed-data",
                 PRIM_PRESENCE_SECURED						   },
		{ "text/plain",				     PRIM_PRESENCE_OTHER  },
		{ "application/pidf",                               PRIM_PRESENCE_OTHER  },
		{ "application/pidf+xmlx",                          PRIM_PRESENCE_OTHER  },
		{ "multipart/alternative; boundary=b",              PRIM_PRESENCE_OTHER  },
		{ "; application/pidf+xml",                         PRIM_PRESENCE_OTHER  },
	};

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++)
		t_number_is(CASES[i].text,
		    prim_presence_type_of(prim_slice_of(CASES[i].text)),
		    CASES[i].type);
}

/* "entity id=basic ... notes" */
static void assert_model(const char *row, const char *expected)
{
	static const char *const BASICS[] = { "none", "open", "closed" };
	struct prim_buf b = { 0 };

	prim_buf_put(&b, pidf->entity);
	for (unsigned i = 0; i < pidf->tuple_count; i++) {
		prim_buf_putc(&b, ' ');
		prim_buf_put(&b, pidf->tuples[i].id);
		prim_buf_putc(&b, '=');
		prim_buf_puts(&b, BASICS[pidf->tuples[i].basic]);
	}
	for (unsigned i = 0; i < pidf->note_count; i++) {
		prim_buf_putc(&b, ' ');
		prim_buf_put(&b, pidf->notes[i].text);
	}
	t_buf_is(row, &b, expected);
	prim_buf_fini(&b);
}

static bool parse(const char *type, const char *body, const char **why)
{
	*why = NULL;
	return prim_presence_parse(pidf, prim_slice_of(type),
	    prim_slice_of(body), PRIM_SLICE("given"), why);
}

#define MIXED "multipart/mixed; boundary=b"

static void presence_is_read_whatever_it_is_wrapped_in(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name, *type, *body, *model;
	} CASES[] = {
		{ "nothing", "", "", "" },
		{ "nothing of any type", "text/plain", "", "" },
		{ "PIDF", "application/pidf+xml", PIDF("a", "open"),
		    ALICE " a=open a" },
		{ "PIDF in UTF-8", "application/pidf+xml; charset=\"utf-8\"",
		    PIDF("a", "open"), ALICE " a=open a" },
		{ "native", "application/presence", NATIVE("closed"),
		    ALICE " given=closed" },
		{ "native by default", "", NATIVE("open"),
		    ALICE " given=open" },
		{ "PIDF in message/cpim", "message/cpim",
		    CPIM("application/pidf+xml") PIDF("a", "open"),
		    ALICE " a=open a" },
		{ "native in message/cpim", "message/cpim",
		    CPIM("application/presence") NATIVE("open"),
		    ALICE " given=open" },
		{ "two native parts", MIXED,
		    PART("application/presence", "home") NATIVE("open") "\r\n"
		    PART("application/presence", "desk") NATIVE("closed")
		    "\r\n--b--", ALICE " home=open desk=closed" },
		{ "two native parts, not closed (D1 15.6)", MIXED,
		    PART("application/presence", "home") NATIVE("open") "\r\n"
		    PART("application/presence", "desk") NATIVE("closed")
		    "\r\n--b\r\n", ALICE " home=open desk=closed" },
		{ "PIDF beside native", MIXED,
		    PART("application/pidf+xml", "x") PIDF("a", "open") "\r\n"
		    PART("application/presence", "b") NATIVE("closed")
		    "\r\n--b--", ALICE " a=open b=closed" },
		{ "equal ids in two parts", MIXED,
		    PART("application/pidf+xml", "x") PIDF("a", "open") "\r\n"
		    PART("application/pidf+xml", "y") PIDF("a", "closed")
		    "\r\n--b--", ALICE " a=open y-a=closed" },
		{ "message/cpim in a part", MIXED,
		    PART("message/cpim", "x") CPIM("application/pidf+xml")
		    PIDF("a", "open") "\r\n--b--", ALICE " a=open" },
		{ "parts in message/cpim", "message/cpim",
		    CPIM(MIXED) PART("application/presence", "x")
		    NATIVE("open") "\r\n--b--", ALICE " x=open" },
		{ "one spelled without the scheme", MIXED,
		    PART("application/pidf+xml", "x") PIDF("a", "open") "\r\n"
		    PART("application/pidf+xml", "y")
		    PIDF_OF("ALICE@prim.example", "b", "open") "\r\n--b--",
		    ALICE " a=open b=open" },
	};

	/* clang-format on */
	const char *why;

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		if (!parse(CASES[i].type, CASES[i].body, &why))
			fail_msg("%s: %s", CASES[i].name, why);
		assert_model(CASES[i].name, CASES[i].model);
	}
}

static void what_is_no_presence_is_refused(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name, *type, *body;
	} CASES[] = {
		{ "text", "text/plain", "open" },
		{ "no XML", "application/pidf+xml", "open" },
		{ "native that says it is PIDF", "application/pidf+xml",
		    NATIVE("open") },
		{ "signed", "multipart/signed; boundary=b", "--b--" },
		{ "another charset", "application/pidf+xml; charset=utf-7",
		    PIDF("a", "open") },
		{ "no message/cpim", "message/cpim", PIDF("a", "open") },
		{ "text in message/cpim", "message/cpim",
		    CPIM("text/plain") "open" },
		{ "something that has to be known", "message/cpim",
		    CPIM_TO("NS: X <urn:x>\r\nRequire: X.Y\r\nX.Y: z\r\n",
			"application/pidf+xml") PIDF("a", "open") },
		{ "packed", "message/cpim",
		    CPIM("application/pidf+xml\r\n"
			"Content-Transfer-Encoding: base64")
		    PIDF("a", "open") },
		{ "packed in a part", MIXED,
		    "--b\r\nContent-Type: application/presence\r\n"
		    "Content-Transfer-Encoding: base64\r\n\r\n"
		    NATIVE("open") "\r\n--b--" },
		{ "no parts", MIXED, NATIVE("open") },
		{ "text in a part", MIXED,
		    PART("application/presence", "x") NATIVE("open") "\r\n"
		    PART("text/plain", "y") "open\r\n--b--" },
		{ "an empty part", MIXED,
		    PART("application/presence", "x") "\r\n--b--" },
		{ "parts about two", MIXED,
		    PART("application/pidf+xml", "x") PIDF("a", "open") "\r\n"
		    PART("application/pidf+xml", "y")
		    PIDF_OF("pres:bob@prim.example", "b", "open") "\r\n--b--" },
		{ "message/cpim around itself, thrice", "message/cpim",
		    CPIM("message/cpim") CPIM("message/cpim")
		    CPIM("application/pidf+xml") PIDF("a", "open") },
	};

	/* clang-format on */
	const char *why;

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		if (parse(CASES[i].type, CASES[i].body, &why) || !why)
			fail_msg("%s: accepted", CASES[i].name);
	}
}

/* One part with `count` tuples, named from `first` on. */
static void put_part(struct prim_buf *b, unsigned first, unsigned count)
{
	prim_buf_puts(b, PART("application/pidf+xml", "x"));
	prim_buf_puts(b,
	    "<presence xmlns='urn:ietf:params:xml:ns:pidf' "
	    "entity='" ALICE "'>");
	for (unsigned i = 0; i < count; i++)
		prim_buf_putf(b,
		    "<tuple id='t%u'><status><basic>open</basic>"
		    "</status></tuple>",
		    first + i);
	prim_buf_puts(b, "</presence>\r\n");
}

static void tuples_of_all_parts_are_bounded_together(void **state)
{
	struct prim_buf b = { 0 };

	(void)state;
	put_part(&b, 0, PRIM_PIDF_TUPLES_MAX / 2);
	put_part(&b, PRIM_PIDF_TUPLES_MAX / 2, PRIM_PIDF_TUPLES_MAX / 2);
	assert_true(prim_presence_parse(pidf, PRIM_SLICE(MIXED),
	    prim_buf_slice(&b), PRIM_SLICE("x"), NULL));
	assert_int_equal(pidf->tuple_count, PRIM_PIDF_TUPLES_MAX);
	t_slice_is("the first", pidf->tuples[0].id, "t0");
	put_part(&b, PRIM_PIDF_TUPLES_MAX, 1);
	assert_false(prim_presence_parse(pidf, PRIM_SLICE(MIXED),
	    prim_buf_slice(&b), PRIM_SLICE("x"), NULL));
	prim_buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_content_type_says_what_it_is),
		cmocka_unit_test(presence_is_read_whatever_it_is_wrapped_in),
		cmocka_unit_test(what_is_no_presence_is_refused),
		cmocka_unit_test(tuples_of_all_parts_are_bounded_together),
	};

	return cmocka_run_group_tests(tests, make_model, free_model);
}
