/* SPDX-License-Identifier: ISC */
/* Heads from the wire: whole and octet by octet give the same, every slice
 * lies in the input, and what is written again reads the same. */

#include "tests/fuzz/fuzz.h"

#include "prim/command.h"

static struct prim_command whole, pieces, again;

static void check_same(const struct prim_command *a,
    const struct prim_command *b)
{
	FUZZ_CHECK(a->is_response == b->is_response);
	FUZZ_CHECK(a->family == b->family);
	FUZZ_CHECK(prim_slice_eq(a->id, b->id));
}

static void check_headers(const struct prim_command *a,
    const struct prim_command *b)
{
	FUZZ_CHECK(a->header_count == b->header_count);
	FUZZ_CHECK(a->present == b->present);
	for (unsigned i = 0; i < a->header_count; i++) {
		FUZZ_CHECK(a->headers[i].id == b->headers[i].id);
		FUZZ_CHECK(prim_slice_eq(a->headers[i].line,
		    b->headers[i].line));
		FUZZ_CHECK(prim_slice_eq(a->headers[i].name,
		    b->headers[i].name));
		FUZZ_CHECK(prim_slice_eq(a->headers[i].value,
		    b->headers[i].value));
	}
}

static void check_head(const struct prim_command *c, struct prim_slice in)
{
	FUZZ_CHECK(fuzz_inside(c->head, in) && c->head.ptr == in.ptr);
	FUZZ_CHECK(fuzz_inside(c->lines, c->head));
	FUZZ_CHECK(fuzz_inside(c->id, c->head) && c->id.len > 0);
	FUZZ_CHECK(fuzz_inside(c->version, c->head));
	FUZZ_CHECK(fuzz_inside(c->method_name, c->head));
	FUZZ_CHECK(fuzz_inside(c->phrase, c->head));
	FUZZ_CHECK(c->header_count <= PRIM_HEADERS_MAX);
	FUZZ_CHECK(c->head.len <= PRIM_HEAD_MAX);
	FUZZ_CHECK(c->body_len <= PRIM_BODY_LEN_MAX);
	for (unsigned i = 0; i < c->header_count; i++) {
		const struct prim_header *h = &c->headers[i];

		FUZZ_CHECK(fuzz_inside(h->line, c->lines));
		FUZZ_CHECK(fuzz_inside(h->name, h->line));
		FUZZ_CHECK(fuzz_inside(h->value, h->line));
		FUZZ_CHECK(h->id == PRIM_HEADER_OTHER ||
		    prim_command_has(c, h->id));
	}
}

static enum prim_command_status feed_octets(struct prim_slice in)
{
	enum prim_command_status status = PRIM_COMMAND_MORE;
	size_t scanned = 0;

	for (size_t len = 0; len <= in.len && status == PRIM_COMMAND_MORE;
	     len++)
		status = prim_command_head(prim_slice_make(in.ptr, len),
		    &scanned, &pieces);
	return status;
}

static void write_start(struct prim_buf *b, const struct prim_command *c)
{
	if (c->is_response)
		prim_command_put_response(b, c->family, c->id, c->code,
		    c->body_len);
	else
		prim_command_put_request(b, c->method, c->family, c->id,
		    c->body_len);
}

static void check_written(const struct prim_command *c)
{
	struct prim_buf b = { 0 };
	size_t scanned = 0;

	if (c->is_malformed || c->family == PRIM_FAMILY_UNKNOWN ||
	    (!c->is_response && c->method == PRIM_METHOD_UNKNOWN))
		return;
	write_start(&b, c);
	for (unsigned i = 0; i < c->header_count; i++)
		prim_command_put_line(&b, c->headers[i].line);
	prim_command_end(&b);
	/* Our start line may be longer than one without a phrase. */
	if (b.len <= PRIM_HEAD_MAX) {
		FUZZ_CHECK(prim_command_head(prim_buf_slice(&b), &scanned,
			       &again) == PRIM_COMMAND_HEAD);
		check_same(c, &again);
		check_headers(c, &again);
		FUZZ_CHECK(again.code == c->code);
		FUZZ_CHECK(again.method == c->method);
		FUZZ_CHECK(again.body_len == c->body_len);
		FUZZ_CHECK(!again.is_malformed);
		FUZZ_CHECK(prim_command_lines(again.lines, &again));
		check_headers(c, &again);
	}
	prim_buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct prim_slice in = fuzz_slice(data, size);
	enum prim_command_status status;
	size_t scanned = 0;

	status = prim_command_head(in, &scanned, &whole);
	FUZZ_CHECK(feed_octets(in) == status);
	if (status == PRIM_COMMAND_MORE)
		return 0;
	check_same(&whole, &pieces);
	if (status == PRIM_COMMAND_BROKEN) {
		FUZZ_CHECK(fuzz_inside(whole.id, in));
		return 0;
	}
	check_head(&whole, in);
	check_head(&pieces, in);
	check_headers(&whole, &pieces);
	FUZZ_CHECK(whole.is_malformed == pieces.is_malformed);
	check_written(&whole);
	return 0;
}
