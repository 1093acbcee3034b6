/* SPDX-License-Identifier: ISC */
/* Presence in every wrapping: what is read can be written and read again, and
 * composing never fails. The first octet chooses the type. */

#include "tests/fuzz/fuzz.h"

#include "prim/base.h"
#include "prim/compose.h"
#include "prim/multipart.h"
#include "prim/pidf.h"

#define ENTITY PRIM_SLICE("pres:alice@prim.example")

static const char *const TYPES[] = {
	"application/pidf+xml",
	"application/cpim-pidf+xml",
	"application/presence",
	"multipart/mixed; boundary=b",
	"multipart/mixed; boundary=\"b c\"",
	"message/cpim",
	"multipart/signed; boundary=b",
	"text/plain",
	"",
};

static struct prim_pidf pidf;
static struct prim_multipart multipart;

static void check_multipart(struct prim_slice type, struct prim_slice body)
{
	const char *why = NULL;

	if (!prim_multipart_parse(type, body, &multipart, &why)) {
		FUZZ_CHECK(why);
		return;
	}
	FUZZ_CHECK(multipart.count > 0);
	for (unsigned i = 0; i < multipart.count; i++) {
		const struct prim_multipart_part *part = &multipart.parts[i];

		FUZZ_CHECK(fuzz_inside(part->lines, body));
		FUZZ_CHECK(fuzz_inside(part->content, body));
		FUZZ_CHECK(fuzz_inside(prim_multipart_header(part, "Tuple-ID"),
		    part->lines));
	}
}

static void check_form(enum prim_form form,
    const struct prim_compose_tuple *tuples, size_t count)
{
	struct prim_document *d = prim_compose(form, ENTITY, tuples, count);

	FUZZ_CHECK(d->type.len > 0);
	if (form == PRIM_FORM_PIDF)
		FUZZ_CHECK(prim_presence_parse(&pidf, d->type, d->body,
		    PRIM_SLICE("x"), NULL));
	else if (count > 1)
		FUZZ_CHECK(prim_multipart_parse(d->type, d->body, &multipart,
			       NULL) &&
		    multipart.count == count);
	prim_document_unref(d);
}

static void check_composed(struct prim_slice type, struct prim_slice body)
{
	struct prim_document *d =
	    prim_document_new(&(struct prim_document_parts){ .type = type,
		.body = body });
	struct prim_compose_tuple tuples[] = {
		{.id = PRIM_SLICE("a"),  .content = d},
		{ .id = PRIM_SLICE("b"), .content = d},
	};

	for (size_t count = 1; count <= PRIM_COUNT(tuples); count++) {
		check_form(PRIM_FORM_CLIENT, tuples, count);
		check_form(PRIM_FORM_PIDF, tuples, count);
	}
	prim_document_unref(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct prim_slice body, type;
	const char *why = NULL;

	if (size == 0)
		return 0;
	body = fuzz_slice(data + 1, size - 1);
	type = prim_slice_of(TYPES[data[0] % PRIM_COUNT(TYPES)]);
	check_multipart(type, body);
	if (!prim_presence_parse(&pidf, type, body, PRIM_SLICE("x"), &why))
		FUZZ_CHECK(why);
	if (prim_compose_check(ENTITY,
		&(struct prim_document_parts){ .type = type, .body = body },
		&why))
		check_composed(type, body);
	return 0;
}
