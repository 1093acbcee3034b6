/* SPDX-License-Identifier: ISC */
/* Making text from peers harmless in a log line. */

#include <stdio.h>
#include <string.h>

#include "bridge/log.h"
#include "prim/utf8.h"

#define QUOTE_MAX  200
#define BUFFERS    8
#define BUFFER_LEN (QUOTE_MAX * 4 + 8) /* all \xHH, quotes, "...", NUL */
#define MORE       "..."

/* The octets of the printable character at the front of `s`, or 0: not UTF-8,
 * a control, or one of the C1 controls, which a terminal obeys as well. */
static size_t printable_len(struct prim_slice s)
{
	struct prim_slice rest = s;
	uint32_t c;

	if (!prim_utf8_next(&rest, &c) || c < ' ' || (c >= 0x7f && c < 0xa0))
		return 0;
	return s.len - rest.len;
}

static bool is_plain(struct prim_slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		const char c = s.ptr[i];

		if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z') &&
		    (c < '0' || c > '9') && (!c || !strchr("._@:/+-", c)))
			return false;
	}
	return s.len > 0;
}

static char *put_octet(char *to, unsigned char c)
{
	static const char DIGITS[] = "0123456789abcdef";
	static const char NAMED[] = "\"\\\n\r\t", LETTERS[] = "\"\\nrt";
	const char *named = c ? strchr(NAMED, c) : NULL;

	*to++ = '\\';
	if (named) {
		*to++ = LETTERS[named - NAMED];
		return to;
	}
	*to++ = 'x';
	*to++ = DIGITS[c >> 4];
	*to++ = DIGITS[c & 15];
	return to;
}

const char *br_quote(struct prim_slice s)
{
	static char buffers[BUFFERS][BUFFER_LEN];
	static unsigned turn;
	char *const text = buffers[turn++ % BUFFERS];
	char *to = text;
	size_t i = 0, len;

	if (s.len <= QUOTE_MAX && is_plain(s)) {
		memcpy(text, s.ptr, s.len);
		text[s.len] = '\0';
		return text;
	}
	*to++ = '"';
	while (i < s.len && i < QUOTE_MAX) {
		len = printable_len(prim_slice_from(s, i));
		if (i + len > QUOTE_MAX)
			break;
		if (len == 0 || s.ptr[i] == '"' || s.ptr[i] == '\\') {
			to = put_octet(to, (unsigned char)s.ptr[i++]);
			continue;
		}
		memcpy(to, s.ptr + i, len);
		to += len;
		i += len;
	}
	snprintf(to, sizeof(MORE) + 1, "%s\"", i < s.len ? MORE : "");
	return text;
}
