/* SPDX-License-Identifier: ISC */
/* What watchers get to see: ERR-85, ERR-92, ERR-93, PRIM-184, PRIM-211..216,
 * CPIM-099, CPIM-100, CPIM-108. */

#include "tests/lib/slice.h"

#include "prim/base.h"
#include "prim/compose.h"
#include "prim/multipart.h"
#include "prim/pidf.h"
#include "tests/prim/compose.h"

#define DAY_MS     86400000
#define TUPLES_MAX 80

static struct prim_pidf *pidf;
static struct prim_compose_tuple tuples[TUPLES_MAX];
static struct prim_document *contents[TUPLES_MAX];
static size_t count;

static int begin(void **state)
{
	(void)state;
	pidf = prim_new(struct prim_pidf);
	count = 0;
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (size_t i = 0; i < count; i++)
		prim_document_unref(contents[i]);
	prim_pidf_fini(pidf);
	pidf = prim_free(pidf);
	return 0;
}

/* Published a day after 1970 began, then another, ... */
static void publish(const char *id, const char *type, const char *body)
{
	assert_true(count < TUPLES_MAX);
	contents[count] = prim_document_new(&(struct prim_document_parts){
	    .type = prim_slice_of(type),
	    .body = prim_slice_of(body),
	});
	tuples[count] = (struct prim_compose_tuple){
		.id = prim_slice_of(id),
		.content = contents[count],
		.published_ms = (int64_t)(count + 1) * DAY_MS,
	};
	count++;
}

static struct prim_document *compose(enum prim_form form)
{
	return prim_compose(form, PRIM_SLICE(ALICE), tuples, count);
}

/* Composes as PIDF and reads that: "id=basic@day" each. */
static void assert_pidf(const char *expected)
{
	struct prim_document *d = compose(PRIM_FORM_PIDF);
	struct prim_buf b = { 0 };
	const char *why = "";

	t_slice_is("type", d->type, PIDF_TYPE);
	if (!prim_pidf_parse(pidf, d->body, &why))
		fail_msg("%s: %.*s", why, PRIM_SLICE_ARG(d->body));
	t_slice_is("entity", pidf->entity, ALICE);
	for (unsigned i = 0; i < pidf->tuple_count; i++) {
		const struct prim_pidf_tuple *t = &pidf->tuples[i];

		prim_buf_put(&b, t->id);
		prim_buf_puts(&b,
		    t->basic == PRIM_BASIC_OPEN ? "=open@" : "=closed@");
		prim_buf_put_number(&b, (uint64_t)(t->timestamp_ms / DAY_MS));
		prim_buf_putc(&b, ' ');
	}
	t_buf_is("tuples", &b, expected);
	prim_buf_fini(&b);
	prim_document_unref(d);
}

/* ---- for clients ---- */

static void nobody_there_is_an_empty_document(void **state)
{
	struct prim_document *d = compose(PRIM_FORM_CLIENT);

	(void)state;
	assert_int_equal(d->type.len + d->name.len + d->body.len, 0);
	prim_document_unref(d);
}

static void one_tuple_goes_to_clients_as_it_was_published(void **state)
{
	struct prim_document *d;

	(void)state;
	publish("desk", "multipart/signed; boundary=x", "--x\r\nanything");
	d = compose(PRIM_FORM_CLIENT);
	t_slice_is("type", d->type, "multipart/signed; boundary=x");
	t_slice_is("name", d->name, "desk");
	t_slice_is("body", d->body, "--x\r\nanything");
	prim_document_unref(d);
}

static void what_was_published_without_a_type_gets_one(void **state)
{
	struct prim_document *d;

	(void)state;
	publish("desk", "", NATIVE);
	d = compose(PRIM_FORM_CLIENT);
	t_slice_is("type", d->type, NATIVE_TYPE);
	prim_document_unref(d);
}

static void several_tuples_go_to_clients_as_parts(void **state)
{
	struct prim_multipart m;
	struct prim_document *d, *again;

	(void)state;
	publish("desk", PIDF_TYPE "; charset=UTF-8", PIDF("a"));
	publish("home", "", NATIVE);
	publish("sealed", "application/pkcs7-mime", "\x01\x02\r\n--");
	d = compose(PRIM_FORM_CLIENT);
	assert_int_equal(d->name.len, 0);
	assert_true(prim_multipart_parse(d->type, d->body, &m, NULL));
	assert_int_equal(m.count, 3);
	t_slice_is("type", prim_multipart_header(&m.parts[0], "Content-Type"),
	    PIDF_TYPE "; charset=UTF-8");
	t_slice_is("id", prim_multipart_header(&m.parts[0], "Tuple-ID"),
	    "desk");
	t_slice_is("body", m.parts[0].content, PIDF("a"));
	t_slice_is("type", prim_multipart_header(&m.parts[1], "Content-Type"),
	    NATIVE_TYPE);
	t_slice_is("body", m.parts[1].content, NATIVE);
	t_slice_is("body", m.parts[2].content, "\x01\x02\r\n--");
	again = compose(PRIM_FORM_CLIENT);
	assert_true(prim_document_eq(d, again));
	prim_document_unref(d);
	prim_document_unref(again);
}

static void clients_get_as_many_parts_as_one_body_may_have(void **state)
{
	struct prim_multipart m;
	struct prim_document *d;

	(void)state;
	for (int i = 0; i < PRIM_MULTIPART_PARTS_MAX + 1; i++)
		publish("x", NATIVE_TYPE, NATIVE);
	d = compose(PRIM_FORM_CLIENT);
	assert_true(prim_multipart_parse(d->type, d->body, &m, NULL));
	assert_int_equal(m.count, PRIM_MULTIPART_PARTS_MAX);
	prim_document_unref(d);
}

/* ---- for servers and adapters ---- */

static void nobody_there_is_a_pidf_document_without_tuples(void **state)
{
	(void)state;
	assert_pidf("");
}

static void one_pidf_tuple_goes_unchanged(void **state)
{
	static const char *const BODIES[] = {
		PIDF("a") "<!-- even this -->",
		PIDF_OF("PRES:Alice@PRIM.example", "a", ""),
		PIDF_OF("alice@prim.example", "a", ""),
	};
	struct prim_document *d;

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(BODIES); i++) {
		publish("desk", PIDF_TYPE ";charset=utf-8", BODIES[i]);
		d = prim_compose(PRIM_FORM_PIDF, PRIM_SLICE(ALICE), &tuples[i],
		    1);
		t_slice_is("type", d->type, PIDF_TYPE ";charset=utf-8");
		t_slice_is("body", d->body, BODIES[i]);
		prim_document_unref(d);
	}
}

static void anything_else_that_can_be_read_becomes_pidf(void **state)
{
	static const struct {
		const char *type, *body, *tuples;
	} CASES[] = {
		{NATIVE_TYPE,     NATIVE,                    "desk=open@1 "},
		{ "",             NATIVE,                    "desk=open@1 "},
		{ CPIM_PIDF,      OLD_PIDF("a"),             "a=open@1 "   },
		{ CPIM_PIDF,      PIDF("a"),                 "a=open@1 "   },
		{ "message/cpim", CPIM(PIDF_TYPE) PIDF("a"), "a=open@1 "   },
		{ "message/cpim", CPIM(NATIVE_TYPE) NATIVE,  "desk=open@1 "},
		{ PIDF_TYPE,      PIDF_OF(BOB,               "a",            ""), "a=open@1 " },
		{ "multipart/signed",    "x",                            ""                       },
		{ PIDF_TYPE,             "broken",          ""},
	};

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		count = 0;
		publish("desk", CASES[i].type, CASES[i].body);
		assert_pidf(CASES[i].tuples);
		prim_document_unref(contents[0]);
		count = 0;
	}
}

static void tuples_that_can_be_read_are_put_together(void **state)
{
	(void)state;
	publish("desk", PIDF_TYPE, PIDF("a"));
	publish("sealed", "multipart/encrypted; boundary=x", "x");
	publish("home", NATIVE_TYPE, NATIVE);
	publish("car", CPIM_PIDF, OLD_PIDF("b"));
	assert_pidf("a=open@1 home=open@3 b=open@4 ");
}

static void a_tuple_keeps_the_time_it_says(void **state)
{
	(void)state;
	publish("desk", PIDF_TYPE, TIMED);
	publish("home", NATIVE_TYPE, NATIVE);
	assert_pidf("t=closed@11356 home=open@2 ");
}

static void ids_that_clash_are_told_apart(void **state)
{
	(void)state;
	publish("desk", PIDF_TYPE, PIDF("prim"));
	publish("home", PIDF_TYPE, PIDF("prim"));
	publish("prim", NATIVE_TYPE, NATIVE);
	publish("home", PIDF_TYPE, PIDF("prim"));
	assert_pidf("prim=open@1 home-prim=open@2 prim-prim=open@3 "
		    "t2-prim=open@4 ");
}

/* What a place says of the person holds for its own tuples. */
static void one_place_does_not_colour_another(void **state)
{
	(void)state;
	publish("desk", PIDF_TYPE,
	    PIDF_OF(ALICE, "a", "<note>in</note>" PERSON("busy")));
	publish("home", PIDF_TYPE,
	    PIDF_OF(ALICE, "b", "<note xml:lang='de'>da</note>"));
	assert_pidf("a=open@1 b=open@2 ");
	assert_int_equal(pidf->activities, 0);
	assert_int_equal(pidf->note_count, 0);
	assert_int_equal(pidf->tuples[0].activities, PRIM_ACTIVITY_BUSY);
	assert_int_equal(pidf->tuples[0].note_count, 1);
	t_slice_is("first", pidf->tuples[0].notes[0].text, "in");
	assert_int_equal(pidf->tuples[1].activities, 0);
	assert_int_equal(pidf->tuples[1].note_count, 1);
	t_slice_is("second", pidf->tuples[1].notes[0].text, "da");
	t_slice_is("its language", pidf->tuples[1].notes[0].language, "de");
}

static void what_is_too_much_is_left_out_at_the_end(void **state)
{
	struct prim_document *d;

	(void)state;
	for (int i = 0; i < PRIM_PIDF_TUPLES_MAX + 2; i++)
		publish("x", PIDF_TYPE,
		    PIDF_OF(ALICE, "a", "<note>one</note><note>two</note>"));
	d = compose(PRIM_FORM_PIDF);
	assert_true(prim_pidf_parse(pidf, d->body, NULL));
	assert_int_equal(pidf->tuple_count, PRIM_PIDF_TUPLES_MAX);
	assert_int_equal(pidf->tuples[1].note_count, 2);
	t_slice_is("first", pidf->tuples[0].id, "a");
	t_slice_is("second", pidf->tuples[1].id, "x-a");
	t_slice_is("third", pidf->tuples[2].id, "t2-a");
	prim_document_unref(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    nobody_there_is_an_empty_document, begin, end),
		cmocka_unit_test_setup_teardown(
		    one_tuple_goes_to_clients_as_it_was_published, begin, end),
		cmocka_unit_test_setup_teardown(
		    what_was_published_without_a_type_gets_one, begin, end),
		cmocka_unit_test_setup_teardown(
		    several_tuples_go_to_clients_as_parts, begin, end),
		cmocka_unit_test_setup_teardown(
		    clients_get_as_many_parts_as_one_body_may_have, begin, end),
		cmocka_unit_test_setup_teardown(
		    nobody_there_is_a_pidf_document_without_tuples, begin, end),
		cmocka_unit_test_setup_teardown(one_pidf_tuple_goes_unchanged,
		    begin, end),
		cmocka_unit_test_setup_teardown(
		    anything_else_that_can_be_read_becomes_pidf, begin, end),
		cmocka_unit_test_setup_teardown(
		    tuples_that_can_be_read_are_put_together, begin, end),
		cmocka_unit_test_setup_teardown(a_tuple_keeps_the_time_it_says,
		    begin, end),
		cmocka_unit_test_setup_teardown(ids_that_clash_are_told_apart,
		    begin, end),
		cmocka_unit_test_setup_teardown(
		    one_place_does_not_colour_another, begin, end),
		cmocka_unit_test_setup_teardown(
		    what_is_too_much_is_left_out_at_the_end, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
