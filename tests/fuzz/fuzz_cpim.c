/* SPDX-License-Identifier: ISC */
/* message/cpim: every slice lies in the input, and text that is built into an
 * object comes out of it again. */

#include "tests/fuzz/fuzz.h"

#include "prim/cpim.h"
#include "prim/utf8.h"

static struct prim_cpim cpim;

static const struct prim_cpim_known KNOWN[] = {
	{PRIM_CPIM_CORE,  "Subject"                 },
	{ PRIM_CPIM_IMDN, "Disposition-Notification"},
};

static void check_unescaped(struct prim_slice value)
{
	struct prim_buf b = { 0 };

	if (prim_cpim_unescape(&b, value))
		FUZZ_CHECK(b.len <= value.len);
	if (b.len && prim_utf8_ok(value))
		FUZZ_CHECK(prim_utf8_ok(prim_buf_slice(&b)));
	prim_buf_fini(&b);
}

static void check_object(struct prim_slice in)
{
	struct prim_slice unmet, name, uri;

	for (unsigned i = 0; i < cpim.header_count; i++) {
		const struct prim_cpim_header *h = &cpim.headers[i];

		FUZZ_CHECK(fuzz_inside(h->name, in) && h->name.len > 0);
		FUZZ_CHECK(fuzz_inside(h->value, in));
		FUZZ_CHECK(fuzz_inside(h->lang, in));
		FUZZ_CHECK(fuzz_inside(h->uri, in) ||
		    prim_slice_eq(h->uri, prim_slice_of(PRIM_CPIM_CORE)));
		check_unescaped(h->value);
		if (prim_cpim_mailbox(h->value, &name, &uri)) {
			FUZZ_CHECK(fuzz_inside(name, h->value));
			FUZZ_CHECK(fuzz_inside(uri, h->value));
		}
	}
	for (unsigned i = 0; i < cpim.content_header_count; i++) {
		FUZZ_CHECK(fuzz_inside(cpim.content_headers[i].name, in));
		FUZZ_CHECK(fuzz_inside(cpim.content_headers[i].value, in));
	}
	FUZZ_CHECK(fuzz_inside(cpim.content, in));
	FUZZ_CHECK(prim_cpim_find(&cpim, PRIM_CPIM_CORE, "From"));
	if (!prim_cpim_require_met(&cpim, KNOWN, 2, &unmet))
		FUZZ_CHECK(fuzz_inside(unmet, in));
}

static void check_type(struct prim_slice in)
{
	struct prim_slice value = prim_cpim_type_parameter(in, "a");

	FUZZ_CHECK(fuzz_inside(value, in));
	prim_cpim_type_is(in, "message/cpim");
}

static void check_text(const char *name, struct prim_slice text)
{
	const struct prim_cpim_header *h = prim_cpim_find(&cpim, PRIM_CPIM_CORE,
	    name);
	struct prim_slice value, uri;
	struct prim_buf b = { 0 };

	FUZZ_CHECK(h);
	value = h->value;
	if (name[0] == 'F') {
		FUZZ_CHECK(prim_cpim_mailbox(h->value, &value, &uri));
		FUZZ_CHECK(prim_slice_eq(uri, PRIM_SLICE("im:a@b")));
	}
	FUZZ_CHECK(prim_cpim_unescape(&b, value));
	FUZZ_CHECK(prim_slice_eq(prim_buf_slice(&b), text));
	prim_buf_fini(&b);
}

static void check_built(struct prim_slice text)
{
	struct prim_buf b = { 0 };

	if (!prim_utf8_ok(text) || text.len > 1024)
		return;
	prim_cpim_put_mailbox(&b, "From", text, PRIM_SLICE("im:a@b"));
	prim_cpim_put_mailbox(&b, "To", PRIM_SLICE_NONE, PRIM_SLICE("im:c@d"));
	prim_cpim_put_text(&b, "DateTime", PRIM_SLICE_NONE,
	    PRIM_SLICE("2000-12-13T13:40:00-08:00"));
	prim_cpim_put_namespace(&b, "imdn", PRIM_CPIM_IMDN);
	prim_cpim_put_text(&b, "Subject", text, text);
	prim_cpim_put_content(&b, PRIM_SLICE("text/plain"), text);
	prim_buf_put(&b, text);
	FUZZ_CHECK(prim_cpim_parse(prim_buf_slice(&b), &cpim, NULL));
	FUZZ_CHECK(prim_slice_eq(cpim.content, text));
	check_object(prim_buf_slice(&b));
	check_text("From", text);
	check_text("Subject", text);
	prim_buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct prim_slice in = fuzz_slice(data, size);
	const char *why = NULL;

	if (prim_cpim_parse(in, &cpim, &why))
		check_object(in);
	else
		FUZZ_CHECK(why);
	check_type(in);
	check_built(in);
	return 0;
}
