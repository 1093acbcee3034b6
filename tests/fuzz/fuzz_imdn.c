/* SPDX-License-Identifier: ISC */
/* Delivery notifications: what is read of a message lies in it; what is read of
 * a document can be written, and says the same when it is read again; and any
 * octets at all can be written so that they are read again. */

#include "tests/fuzz/fuzz.h"

#include "prim/imdn.h"
#include "prim/xml.h"

static struct prim_buf room, again_room, xml;

static void check_text(struct prim_slice text)
{
	FUZZ_CHECK(fuzz_inside(text, prim_buf_slice(&room)));
	FUZZ_CHECK(prim_xml_text_ok(text));
}

static void check_same(struct prim_slice a, struct prim_slice b)
{
	FUZZ_CHECK(prim_slice_eq(a, b));
}

/* Without recipients or with both (IMDN-018). */
static struct prim_slice either(struct prim_slice a, struct prim_slice b)
{
	return a.len ? a : b;
}

static void check_again(const struct prim_imdn *imdn)
{
	struct prim_imdn again;

	prim_buf_reset(&xml);
	prim_imdn_put(&xml, imdn);
	if (xml.len > PRIM_IMDN_MAX)
		return;
	FUZZ_CHECK(prim_imdn_parse(prim_buf_slice(&xml), &again_room, &again));
	FUZZ_CHECK(again.status == imdn->status);
	FUZZ_CHECK(again.code == imdn->code);
	check_same(again.message_id, imdn->message_id);
	check_same(again.date, imdn->date);
	check_same(again.reason, imdn->reason);
	check_same(again.recipient,
	    either(imdn->recipient, imdn->original_recipient));
	check_same(again.original_recipient,
	    either(imdn->original_recipient, imdn->recipient));
}

static void check_document(struct prim_slice in)
{
	struct prim_imdn imdn;

	if (!prim_imdn_parse(in, &room, &imdn))
		return;
	FUZZ_CHECK(in.len <= PRIM_IMDN_MAX && room.len <= 2 * in.len);
	FUZZ_CHECK(imdn.message_id.len > 0);
	FUZZ_CHECK(imdn.code <= 999);
	check_text(imdn.message_id);
	check_text(imdn.date);
	check_text(imdn.recipient);
	check_text(imdn.original_recipient);
	check_text(imdn.reason);
	check_again(&imdn);
}

static void check_message(struct prim_slice in)
{
	struct prim_slice type = PRIM_SLICE("message/cpim");
	struct prim_imdn_request request;
	struct prim_imdn imdn;

	prim_imdn_request_read(type, in, &request);
	FUZZ_CHECK(fuzz_inside(request.message_id, in));
	FUZZ_CHECK(fuzz_inside(request.date, in));
	FUZZ_CHECK(fuzz_inside(request.original_to, in));
	FUZZ_CHECK(!request.is_notice || request.wishes == 0);
	if (prim_imdn_parse_message(type, in, &room, &imdn))
		FUZZ_CHECK(request.is_notice);
	prim_imdn_request_read(in, in, &request);
	prim_imdn_parse_message(in, in, &room, &imdn);
}

/* Whatever it is, what is written is XML. The "x" is there so that the id is
 * not only blanks. */
static void check_any(struct prim_slice in)
{
	struct prim_buf id = { 0 };
	struct prim_imdn again,
	    imdn = {
		    .status = PRIM_IMDN_FAILED,
		    .date = in,
		    .reason = in,
	    };

	prim_buf_putc(&id, 'x');
	prim_buf_put(&id, in);
	imdn.message_id = prim_buf_slice(&id);
	prim_buf_reset(&xml);
	prim_imdn_put(&xml, &imdn);
	if (xml.len <= PRIM_IMDN_MAX)
		FUZZ_CHECK(prim_imdn_parse(prim_buf_slice(&xml), &room,
		    &again));
	prim_buf_fini(&id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_document(fuzz_slice(data, size));
	check_message(fuzz_slice(data, size));
	check_any(fuzz_slice(data, size));
	return 0;
}
