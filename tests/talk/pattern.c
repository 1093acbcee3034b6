/* SPDX-License-Identifier: ISC */
/* Escapes and places that are not known, in the lines of a conversation. */

#include "tests/talk/pattern.h"

#include <string.h>

#include "prim/base.h"

void talk_names_fini(struct talk_names *names)
{
	for (unsigned i = 0; i < names->count; i++) {
		prim_free(names->list[i].name);
		prim_free(names->list[i].value);
	}
	memset(names, 0, sizeof(*names));
}

static struct talk_name *find(const struct talk_names *names,
    struct prim_slice name)
{
	for (unsigned i = 0; i < names->count; i++) {
		const struct talk_name *n = &names->list[i];

		if (prim_slice_eq(prim_slice_of(n->name), name))
			return (struct talk_name *)(uintptr_t)n;
	}
	return NULL;
}

bool talk_names_put(struct talk_names *names, struct prim_slice name,
    struct prim_slice value)
{
	struct talk_name *n = find(names, name);

	if (!n && names->count == TALK_NAMES_MAX)
		return false;
	if (!n) {
		n = &names->list[names->count++];
		n->name = prim_slice_copy(name);
		n->value = NULL;
	}
	prim_free(n->value);
	n->value = prim_slice_copy(value);
	n->len = value.len;
	return true;
}

bool talk_names_find(const struct talk_names *names, struct prim_slice name,
    struct prim_slice *out_value)
{
	const struct talk_name *n = find(names, name);

	if (n)
		*out_value = prim_slice_make(n->value, n->len);
	return n != NULL;
}

static int hex(char c)
{
	static const char DIGITS[] = "0123456789abcdef";
	const char *at = c ? strchr(DIGITS, c) : NULL;

	return at ? (int)(at - DIGITS) : -1;
}

/* `text` begins behind the backslash. */
static bool take_escape(struct prim_slice *text, struct prim_buf *out)
{
	static const char NAMES[] = "rnt0\\{", OCTETS[] = "\r\n\t\0\\{";
	const char *at;
	size_t len = 1;

	if (text->len == 0)
		return false;
	at = memchr(NAMES, text->ptr[0], sizeof(NAMES) - 1);
	if (at) {
		prim_buf_putc(out, OCTETS[at - NAMES]);
	} else {
		if (text->ptr[0] != 'x' || text->len < 3 ||
		    hex(text->ptr[1]) < 0 || hex(text->ptr[2]) < 0)
			return false;
		prim_buf_putc(out,
		    (char)(hex(text->ptr[1]) * 16 + hex(text->ptr[2])));
		len = 3;
	}
	*text = prim_slice_from(*text, len);
	return true;
}

/* One octet, or what an escape stands for. */
static bool take_octet(struct prim_slice *text, struct prim_buf *out)
{
	char c = text->ptr[0];

	*text = prim_slice_from(*text, 1);
	if (c == '\\')
		return take_escape(text, out);
	prim_buf_putc(out, c);
	return true;
}

/* "20*text", or "20*=name". */
static bool repeat(const struct talk_names *names, struct prim_slice braces,
    struct prim_buf *out)
{
	struct prim_slice number = prim_slice_cut(&braces, '*'), value;
	struct prim_buf once = { 0 };
	uint64_t times;
	bool ok = prim_slice_number(number, 1U << 24, &times);

	if (prim_slice_starts(braces, PRIM_SLICE("="))) {
		ok = ok &&
		    talk_names_find(names, prim_slice_from(braces, 1), &value);
		if (ok)
			prim_buf_put(&once, value);
		braces.len = 0;
	}
	while (ok && braces.len > 0)
		ok = take_octet(&braces, &once);
	for (uint64_t i = 0; ok && i < times; i++)
		prim_buf_put(out, prim_buf_slice(&once));
	prim_buf_fini(&once);
	return ok;
}

/* What is between the braces that `text` begins with; `text` is behind them
 * afterwards. */
static bool take_braces(struct prim_slice *text, struct prim_slice *out)
{
	ptrdiff_t end = prim_slice_find(*text, '}');

	if (end < 0)
		return false;
	*out = prim_slice_make(text->ptr + 1, (size_t)end - 1);
	*text = prim_slice_from(*text, (size_t)end + 1);
	return true;
}

static bool expand_braces(const struct talk_names *names,
    struct prim_slice braces, struct prim_buf *out)
{
	struct prim_slice value;

	if (!prim_slice_starts(braces, PRIM_SLICE("=")))
		return repeat(names, braces, out);
	if (!talk_names_find(names, prim_slice_from(braces, 1), &value))
		return false;
	prim_buf_put(out, value);
	return true;
}

bool talk_expand(const struct talk_names *names, struct prim_slice text,
    struct prim_buf *out)
{
	struct prim_slice braces;
	bool ok = true;

	while (ok && text.len > 0) {
		if (text.ptr[0] != '{')
			ok = take_octet(&text, out);
		else
			ok = take_braces(&text, &braces) &&
			    expand_braces(names, braces, out);
	}
	return ok;
}

/* {*}, {name} or {8#name}, not {=name} or {20*text}. */
static bool is_unknown(struct prim_slice braces)
{
	return prim_slice_eq(braces, PRIM_SLICE("*")) ||
	    (prim_slice_find(braces, '*') < 0 &&
		!prim_slice_starts(braces, PRIM_SLICE("=")));
}

/* Takes what is known off the front of `pattern`, up to the next unknown. */
static bool take_known(const struct talk_names *names,
    struct prim_slice *pattern, struct prim_buf *out)
{
	struct prim_slice rest, braces;
	bool ok = true;

	while (ok && pattern->len > 0) {
		rest = *pattern;
		if (rest.ptr[0] != '{') {
			ok = take_octet(pattern, out);
			continue;
		}
		if (!take_braces(&rest, &braces))
			return false;
		if (is_unknown(braces))
			return true;
		ok = expand_braces(names, braces, out);
		*pattern = rest;
	}
	return ok;
}

static size_t count_digits(struct prim_slice text)
{
	size_t count = 0;

	while (count < text.len && text.ptr[count] >= '0' &&
	    text.ptr[count] <= '9')
		count++;
	return count;
}

/* "8#name": no digit more stands behind them. */
static bool match_digits(struct talk_names *names, struct prim_slice braces,
    struct prim_slice pattern, struct prim_slice got)
{
	struct prim_slice number = prim_slice_cut(&braces, '#');
	uint64_t count;

	return prim_slice_number(number, 64, &count) &&
	    count_digits(got) == count &&
	    talk_match(names, pattern, prim_slice_from(got, count)) &&
	    talk_names_put(names, braces, prim_slice_make(got.ptr, count));
}

static bool match_unknown(struct talk_names *names, struct prim_slice pattern,
    struct prim_slice got)
{
	struct prim_slice braces;
	bool is_any, ok = take_braces(&pattern, &braces);

	if (ok && prim_slice_find(braces, '#') >= 0)
		return match_digits(names, braces, pattern, got);
	is_any = prim_slice_eq(braces, PRIM_SLICE("*"));
	for (size_t len = is_any ? 0 : 1; ok && len <= got.len; len++) {
		if (!is_any && got.ptr[len - 1] == ' ')
			return false;
		if (!talk_match(names, pattern, prim_slice_from(got, len)))
			continue;
		return is_any ||
		    talk_names_put(names, braces,
			prim_slice_make(got.ptr, len));
	}
	return false;
}

bool talk_match(struct talk_names *names, struct prim_slice pattern,
    struct prim_slice got)
{
	struct prim_buf known = { 0 };
	bool ok = take_known(names, &pattern, &known) &&
	    prim_slice_starts(got, prim_buf_slice(&known));

	got = prim_slice_from(got, known.len);
	prim_buf_fini(&known);
	if (ok && pattern.len > 0)
		return match_unknown(names, pattern, got);
	return ok && got.len == 0;
}
