/* SPDX-License-Identifier: ISC */
/* XEP-0106. */

#include "adapters/xmpp/escape.h"

#include "prim/base.h"

#define ESCAPE_LEN 3

static const struct {
	char c;
	const char *text;
} ESCAPES[] = {
	{' ',   "\\20"},
	{ '"',  "\\22"},
	{ '&',  "\\26"},
	{ '\'', "\\27"},
	{ '/',  "\\2f"},
	{ ':',  "\\3a"},
	{ '<',  "\\3c"},
	{ '>',  "\\3e"},
	{ '@',  "\\40"},
	{ '\\', "\\5c"},
};

static const char *escape_of(char c)
{
	for (size_t i = 0; i < PRIM_COUNT(ESCAPES); i++) {
		if (ESCAPES[i].c == c)
			return ESCAPES[i].text;
	}
	return NULL;
}

/* The character that an escape at the front of `s` stands for, or 0. */
static char escaped_at(struct prim_slice s)
{
	for (size_t i = 0; i < PRIM_COUNT(ESCAPES); i++) {
		if (prim_slice_starts(s, prim_slice_of(ESCAPES[i].text)))
			return ESCAPES[i].c;
	}
	return '\0';
}

void xa_escape_put(struct prim_buf *b, struct prim_slice plain)
{
	for (; plain.len; plain = prim_slice_from(plain, 1)) {
		const char *text = escape_of(plain.ptr[0]);

		if (!text || (plain.ptr[0] == '\\' && !escaped_at(plain)))
			prim_buf_putc(b, plain.ptr[0]);
		else
			prim_buf_puts(b, text);
	}
}

void xa_escape_undo(struct prim_buf *b, struct prim_slice escaped)
{
	while (escaped.len) {
		char c = escaped_at(escaped);

		if (c)
			prim_buf_putc(b, c);
		else
			prim_buf_putc(b, escaped.ptr[0]);
		escaped = prim_slice_from(escaped, c ? ESCAPE_LEN : 1);
	}
}

bool xa_escape_edges_ok(struct prim_slice escaped)
{
	return !prim_slice_starts(escaped, PRIM_SLICE("\\20")) &&
	    !prim_slice_ends(escaped, PRIM_SLICE("\\20"));
}
