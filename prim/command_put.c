/* SPDX-License-Identifier: ISC */
/* Writing commands. */

#include "prim/command.h"
#include "prim/octet.h"
#include "prim/utf8.h"

void prim_command_put_request(struct prim_buf *b, enum prim_method method,
    enum prim_family family, struct prim_slice id, uint64_t body_len)
{
	prim_buf_put(b, prim_method_info(method)->name);
	prim_buf_putc(b, ' ');
	prim_buf_put(b, prim_family_name(family));
	prim_buf_put(b, PRIM_SLICE("/1.0 "));
	prim_buf_put(b, id);
	prim_buf_putc(b, ' ');
	prim_buf_put_number(b, body_len);
	prim_buf_put(b, PRIM_SLICE("\r\n"));
}

void prim_command_put_response(struct prim_buf *b, enum prim_family family,
    struct prim_slice id, unsigned code, uint64_t body_len)
{
	prim_buf_put(b, prim_family_name(family));
	prim_buf_put(b, PRIM_SLICE("/1.0 "));
	prim_buf_put(b, id);
	prim_buf_putc(b, ' ');
	prim_buf_put_number(b, body_len);
	prim_buf_putc(b, ' ');
	prim_buf_put_number(b, code);
	prim_buf_putc(b, ' ');
	prim_buf_puts(b, prim_status_phrase(code));
	prim_buf_put(b, PRIM_SLICE("\r\n"));
}

/* PRIM-010. */
void prim_command_put_header(struct prim_buf *b, enum prim_header_id id,
    struct prim_slice value)
{
	struct prim_slice name = prim_header_name(id);

	prim_buf_room(b, name.len + value.len + 4);
	prim_buf_put(b, name);
	prim_buf_put(b, PRIM_SLICE(": "));
	prim_buf_put(b, value);
	prim_buf_put(b, PRIM_SLICE("\r\n"));
}

void prim_command_put_line(struct prim_buf *b, struct prim_slice line)
{
	prim_buf_put(b, line);
	prim_buf_put(b, PRIM_SLICE("\r\n"));
}

void prim_command_end(struct prim_buf *b)
{
	prim_buf_put(b, PRIM_SLICE("\r\n"));
}

bool prim_command_value_ok(struct prim_slice value)
{
	if (value.len > PRIM_HEADER_LINE_MAX - 64)
		return false;
	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];

		if (prim_octet_is_control(c) && c != '\t')
			return false;
	}
	return prim_utf8_ok(value);
}

void prim_command_put_message_id(struct prim_buf *b,
    const struct prim_command *c)
{
	size_t len = prim_header_name(PRIM_HEADER_MESSAGE_ID).len;
	const struct prim_header *h;

	if (!prim_command_has(c, PRIM_HEADER_MESSAGE_ID))
		return;
	h = &c->headers[c->first[PRIM_HEADER_MESSAGE_ID] - 1];
	if (h->name.len > len) {
		prim_buf_put(b, prim_slice_from(h->name, len));
		prim_buf_putc(b, ':');
	}
	prim_buf_put(b, h->value);
}
