/* SPDX-License-Identifier: ISC */
/* Places in a YAML text: complaining about one, cutting one out. */

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bridge/yaml.h"
#include "prim/base.h"
#include "prim/buf.h"

#define SHOW_MAX 60
#define SHOWN    4

const char *br_yaml_show(const char *text)
{
	static char shown[SHOWN][SHOW_MAX + sizeof("...")];
	static unsigned turn;
	char *const out = shown[turn++ % SHOWN];
	size_t len = strlen(text), i;

	if (len > SHOW_MAX)
		for (len = SHOW_MAX; len && (text[len] & 0xc0) == 0x80; len--)
			;
	for (i = 0; i < len; i++) {
		out[i] = text[i];
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			out[i] = '?';
	}
	snprintf(out + len, sizeof("..."), "%s", text[len] ? "..." : "");
	return out;
}

bool br_yaml_complain(const struct br_yaml_source *source,
    const struct br_yaml *at, const char *format, ...)
{
	char what[900];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return br_err_set(source->err, "%s%s%d:%d: %s", source->name,
	    source->name[0] ? ":" : "", at ? at->line : 1, at ? at->column : 1,
	    what);
}

/* Octets of the line break at the front of `s`, as libyaml counts lines: also
 * NEL, LS and PS. 0: there is none. */
static size_t break_len(struct prim_slice s)
{
	if (prim_slice_starts(s, PRIM_SLICE("\r\n")))
		return 2;
	if (s.len && (s.ptr[0] == '\n' || s.ptr[0] == '\r'))
		return 1;
	if (prim_slice_starts(s, PRIM_SLICE("\xc2\x85")))
		return 2;
	if (prim_slice_starts(s, PRIM_SLICE("\xe2\x80\xa8")) ||
	    prim_slice_starts(s, PRIM_SLICE("\xe2\x80\xa9")))
		return 3;
	return 0;
}

/* The octet where a place that libyaml told begins. */
static size_t find_octet(struct prim_slice text, int line, int column)
{
	size_t at = 0, len;

	while (line > 1 && at < text.len) {
		len = break_len(prim_slice_from(text, at));
		line -= len > 0;
		at += len ? len : 1;
	}
	while (column > 1 && at < text.len) {
		at++;
		column -= at == text.len || (text.ptr[at] & 0xc0) != 0x80;
	}
	return at;
}

bool br_yaml_complain_octet(const struct br_yaml_source *source, size_t octet,
    const char *what)
{
	struct br_yaml at = { .line = 1, .column = 1 };
	size_t i = 0, len;

	while (i < octet && i < source->text.len) {
		len = break_len(prim_slice_from(source->text, i));
		if (len) {
			at.line++;
			at.column = 1;
		} else {
			at.column += (source->text.ptr[i] & 0xc0) != 0x80;
		}
		i += len ? len : 1;
	}
	return br_yaml_complain(source, &at, "%s", what);
}

char *br_yaml_cut(const struct br_yaml_source *source,
    const struct br_yaml *node)
{
	const struct prim_slice text = source->text;
	const size_t from = find_octet(text, node->line, node->column);
	const size_t to = find_octet(text, node->end_line, node->end_column);
	struct prim_buf b = { 0 };

	assert(from <= to);
	for (int line = 1; line < node->line; line++)
		prim_buf_putc(&b, '\n');
	for (int column = 1; column < node->column; column++)
		prim_buf_putc(&b, ' ');
	prim_buf_put(&b, prim_slice_make(text.ptr + from, to - from));
	return prim_buf_steal(&b);
}
