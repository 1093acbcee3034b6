/* SPDX-License-Identifier: ISC */
/* Values of message/cpim headers: escapes, mailboxes, writing them. */

#include <string.h>

#include "prim/cpim.h"
#include "prim/octet.h"
#include "prim/utf8.h"

static bool is_surrogate(uint32_t c)
{
	return c >= 0xd800 && c <= 0xdfff;
}

/*
 * Escapes (CPIM-060..062).
 */

/* Takes "\uxxxx" off the front of `s`. */
static bool take_code(struct prim_slice *s, uint32_t *out_code)
{
	uint32_t code = 0;

	if (s->len < 6 || s->ptr[0] != '\\' || s->ptr[1] != 'u')
		return false;
	for (size_t i = 2; i < 6; i++) {
		int digit = prim_octet_hex(s->ptr[i]);

		if (digit < 0)
			return false;
		code = code << 4 | (uint32_t)digit;
	}
	*s = prim_slice_from(*s, 6);
	*out_code = code;
	return true;
}

/* The escape is of a UCS-2 code point, so that characters above take two. */
static bool unescape_code(struct prim_buf *b, struct prim_slice *s)
{
	uint32_t code, low;

	if (!take_code(s, &code))
		return false;
	if (is_surrogate(code)) {
		if (code >= 0xdc00 || !take_code(s, &low) || low < 0xdc00 ||
		    low > 0xdfff)
			return false;
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	prim_utf8_put(b, code);
	return true;
}

/* The escapes of one letter, and what they stand for. */
static const char LETTERS[] = "btnr\\";
static const char MEANINGS[] = "\b\t\n\r\\";
#define LETTER_COUNT (sizeof(LETTERS) - 1)

/* At a backslash. One that nothing follows stands for nothing. */
static bool unescape_one(struct prim_buf *b, struct prim_slice *s)
{
	const char *letter;

	if (s->len > 1 && s->ptr[1] == 'u')
		return unescape_code(b, s);
	if (s->len > 1) {
		letter = memchr(LETTERS, s->ptr[1], LETTER_COUNT);
		if (letter)
			prim_buf_putc(b, MEANINGS[letter - LETTERS]);
		else
			prim_buf_putc(b, s->ptr[1]);
	}
	*s = prim_slice_from(*s, 2);
	return true;
}

bool prim_cpim_unescape(struct prim_buf *b, struct prim_slice value)
{
	while (value.len) {
		ptrdiff_t at = prim_slice_find(value, '\\');
		size_t len = at < 0 ? value.len : (size_t)at;

		prim_buf_put(b, prim_slice_make(value.ptr, len));
		value = prim_slice_from(value, len);
		if (value.len && !unescape_one(b, &value))
			return false;
	}
	return true;
}

static void put_escaped(struct prim_buf *b, struct prim_slice text, char quote)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		const char *at = memchr(MEANINGS, c, LETTER_COUNT);

		if (at) {
			prim_buf_putc(b, '\\');
			prim_buf_putc(b, LETTERS[at - MEANINGS]);
		} else if (quote && c == (unsigned char)quote) {
			prim_buf_putc(b, '\\');
			prim_buf_putc(b, quote);
		} else if (prim_octet_is_control((char)c)) {
			prim_buf_putf(b, "\\u%04x", c);
		} else {
			prim_buf_putc(b, (char)c);
		}
	}
}

/* No line may end in a blank and no value begin with one (CPIM-052), and an
 * escape is the one way to keep them. */
static void put_value(struct prim_buf *b, struct prim_slice text)
{
	bool ends = false;

	if (text.len && text.ptr[0] == ' ') {
		prim_buf_put(b, PRIM_SLICE("\\u0020"));
		text = prim_slice_from(text, 1);
	}
	if (text.len && text.ptr[text.len - 1] == ' ') {
		ends = true;
		text.len--;
	}
	put_escaped(b, text, '\0');
	if (ends)
		prim_buf_put(b, PRIM_SLICE("\\u0020"));
}

/*
 * Mailboxes.
 */

/* An absolute URI as far as it matters here: a scheme, and no octet that could
 * be mistaken for something around it. */
static bool uri_ok(struct prim_slice uri)
{
	struct prim_slice rest = uri;
	struct prim_slice scheme = prim_slice_cut(&rest, ':');

	if (rest.len == 0 || scheme.len == 0 ||
	    !prim_octet_is_alpha(scheme.ptr[0]))
		return false;
	for (size_t i = 0; i < scheme.len; i++) {
		char c = scheme.ptr[i];

		if (!prim_octet_is_alnum(c) && !(c && strchr("+-.", c)))
			return false;
	}
	for (size_t i = 0; i < rest.len; i++) {
		char c = rest.ptr[i];

		if (c <= ' ' || c > '~' || strchr("<>\"\\", c))
			return false;
	}
	return true;
}

/* The formal name: tokens, each with its SP, or a string. */
static bool take_formal(struct prim_slice *rest, struct prim_slice *out_name)
{
	struct prim_slice s = *rest;
	size_t i;

	if (s.ptr[0] != '"') {
		ptrdiff_t at = prim_slice_find(s, '<');

		if (at < 0)
			return false;
		*out_name = prim_slice_trim(prim_slice_make(s.ptr, (size_t)at));
		*rest = prim_slice_from(s, (size_t)at);
		return prim_slice_find(*out_name, '"') < 0 &&
		    prim_slice_find(*out_name, '>') < 0;
	}
	for (i = 1; i < s.len && s.ptr[i] != '"'; i++)
		i += s.ptr[i] == '\\';
	*out_name = prim_slice_make(s.ptr + 1, i - 1);
	*rest = prim_slice_from(s, i + 1);
	if (rest->len && rest->ptr[0] == ' ')
		*rest = prim_slice_from(*rest, 1);
	return i < s.len;
}

bool prim_cpim_lang_ok(struct prim_slice lang)
{
	size_t run = 0; /* octets since the last hyphen */

	for (size_t i = 0; i < lang.len; i++) {
		if (lang.ptr[i] == '-' && run > 0)
			run = 0;
		else if (prim_octet_is_alnum(lang.ptr[i]) && run < 8)
			run++;
		else
			return false;
	}
	return run > 0;
}

bool prim_cpim_mailbox(struct prim_slice value, struct prim_slice *out_name,
    struct prim_slice *out_uri)
{
	struct prim_slice name, rest = value;

	if (value.len == 0 || !take_formal(&rest, &name))
		return false;
	if (rest.len < 2 || rest.ptr[0] != '<' || rest.ptr[rest.len - 1] != '>')
		return false;
	rest = prim_slice_make(rest.ptr + 1, rest.len - 2);
	if (!uri_ok(rest))
		return false;
	*out_name = name;
	*out_uri = rest;
	return true;
}

/*
 * Writing.
 */

void prim_cpim_put_text(struct prim_buf *b, const char *name,
    struct prim_slice lang, struct prim_slice value)
{
	prim_buf_puts(b, name);
	prim_buf_putc(b, ':');
	if (prim_cpim_lang_ok(lang)) {
		prim_buf_put(b, PRIM_SLICE(";lang="));
		prim_buf_put(b, lang);
	}
	prim_buf_putc(b, ' ');
	put_value(b, value);
	prim_buf_put(b, PRIM_SLICE("\r\n"));
}

/* A string is followed by its "<" with nothing between (CPIM-069). */
void prim_cpim_put_mailbox(struct prim_buf *b, const char *name,
    struct prim_slice formal, struct prim_slice uri)
{
	prim_buf_puts(b, name);
	prim_buf_put(b, PRIM_SLICE(": "));
	if (formal.len) {
		prim_buf_putc(b, '"');
		put_escaped(b, formal, '"');
		prim_buf_putc(b, '"');
	}
	prim_buf_putc(b, '<');
	prim_buf_put(b, uri);
	prim_buf_put(b, PRIM_SLICE(">\r\n"));
}

void prim_cpim_put_namespace(struct prim_buf *b, const char *prefix,
    const char *uri)
{
	prim_buf_put(b, PRIM_SLICE("NS: "));
	if (prefix && *prefix) {
		prim_buf_puts(b, prefix);
		prim_buf_putc(b, ' ');
	}
	prim_buf_putc(b, '<');
	prim_buf_puts(b, uri);
	prim_buf_put(b, PRIM_SLICE(">\r\n"));
}

void prim_cpim_put_content(struct prim_buf *b, struct prim_slice content_type,
    struct prim_slice language)
{
	prim_buf_put(b, PRIM_SLICE("\r\nContent-type: "));
	prim_buf_put(b, content_type);
	prim_buf_put(b, PRIM_SLICE("\r\n"));
	if (prim_cpim_lang_ok(language)) {
		prim_buf_put(b, PRIM_SLICE("Content-Language: "));
		prim_buf_put(b, language);
		prim_buf_put(b, PRIM_SLICE("\r\n"));
	}
	prim_buf_put(b, PRIM_SLICE("\r\n"));
}
