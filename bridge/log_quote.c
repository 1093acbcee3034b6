/* SPDX-License-Identifier: ISC */
/* Making text from peers harmless in a log line. */

#include <string.h>

#include "bridge/log.h"
#include "prim/base.h"

#define QUOTE_MAX  200
#define BUFFERS    8
#define BUFFER_LEN (QUOTE_MAX * 4 + 8) /* all \xHH, quotes, "...", NUL */
#define MORE       "..."

/* The octets of the UTF-8 character at `at`, or 0 when it is none: not
 * shortest, a surrogate, past U+10FFFF, or one of the C1 controls, which a
 * terminal obeys as well as the others. */
static size_t char_len(const unsigned char *at, size_t room)
{
	const unsigned char first = at[0];
	const unsigned char second = room > 1 ? at[1] : 0;
	size_t len;

	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		len = 2;
	else if (first >= 0xe0 && first <= 0xef)
		len = 3;
	else if (first >= 0xf0 && first <= 0xf4)
		len = 4;
	else
		return 0;
	if (len > room || (first == 0xc2 && second < 0xa0) ||
	    (first == 0xe0 && second < 0xa0) ||
	    (first == 0xed && second > 0x9f) ||
	    (first == 0xf0 && second < 0x90) ||
	    (first == 0xf4 && second > 0x8f))
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	return len;
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

static bool must_escape(unsigned char c)
{
	return c < ' ' || c == 0x7f || c == '"' || c == '\\';
}

const char *br_quote(struct prim_slice s)
{
	static char buffers[BUFFERS][BUFFER_LEN];
	static unsigned turn;
	char *const text = buffers[turn++ % BUFFERS];
	const unsigned char *at = (const unsigned char *)s.ptr;
	char *to = text;
	size_t i = 0, len;

	if (s.len <= QUOTE_MAX && is_plain(s)) {
		memcpy(text, s.ptr, s.len);
		text[s.len] = '\0';
		return text;
	}
	*to++ = '"';
	while (i < s.len && i < QUOTE_MAX) {
		len = char_len(at + i, s.len - i);
		if (i + len > QUOTE_MAX)
			break;
		if (len == 0 || must_escape(at[i])) {
			to = put_octet(to, at[i++]);
			continue;
		}
		memcpy(to, at + i, len);
		to += len;
		i += len;
	}
	memcpy(to, i < s.len ? MORE : "", i < s.len ? sizeof(MORE) : 1);
	to += strlen(to);
	memcpy(to, "\"", 2);
	return text;
}
