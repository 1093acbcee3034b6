/* SPDX-License-Identifier: ISC */
/* Lines and macros of conversations. */

#include "tests/talk/script.h"

#include <ctype.h>
#include <stdio.h>

#include "prim/base.h"

bool talk_file_read(const char *path, struct prim_buf *out)
{
	FILE *file = fopen(path, "re");
	char room[4096];
	size_t len;
	bool ok;

	if (!file)
		return false;
	while ((len = fread(room, 1, sizeof(room), file)) > 0)
		prim_buf_put(out, prim_slice_make(room, len));
	ok = !ferror(file);
	(void)fclose(file);
	return ok;
}

bool talk_line_next(struct prim_slice *text, struct prim_slice *out_line)
{
	if (text->len == 0)
		return false;
	*out_line = prim_slice_cut(text, '\n');
	return true;
}

static bool add_macro(struct talk_macros *macros, struct prim_slice heading)
{
	struct talk_macro *m = &macros->list[macros->count];

	if (macros->count == TALK_MACROS_MAX)
		return false;
	macros->count++;
	(void)prim_slice_cut(&heading, ' ');
	m->name = prim_slice_cut(&heading, ' ');
	while (heading.len > 0 && m->param_count < TALK_PARAMS_MAX)
		m->params[m->param_count++] = prim_slice_cut(&heading, ' ');
	return heading.len == 0;
}

bool talk_macros_parse(struct talk_macros *macros, struct prim_slice text)
{
	struct talk_macro *open = NULL;
	struct prim_slice line;

	while (talk_line_next(&text, &line)) {
		if (prim_slice_starts(line, PRIM_SLICE("macro "))) {
			if (!add_macro(macros, line))
				return false;
			open = &macros->list[macros->count - 1];
			open->body = prim_slice_make(text.ptr, 0);
		} else if (line.len == 0) {
			open = NULL;
		} else if (open) {
			open->body.len += line.len + 1;
		}
	}
	return true;
}

static const struct talk_macro *find(const struct talk_macros *macros,
    struct prim_slice name)
{
	for (unsigned i = 0; i < macros->count; i++) {
		if (prim_slice_eq(macros->list[i].name, name))
			return &macros->list[i];
	}
	return NULL;
}

/* The name behind a '$', off the front of `body`. */
static struct prim_slice take_param(struct prim_slice *body)
{
	struct prim_slice name = { .ptr = body->ptr, .len = 0 };

	while (name.len < body->len &&
	    isupper((unsigned char)name.ptr[name.len]))
		name.len++;
	*body = prim_slice_from(*body, name.len);
	return name;
}

static bool put_arg(const struct talk_macro *m, const struct prim_slice *args,
    struct prim_slice name, struct prim_buf *out)
{
	for (unsigned i = 0; i < m->param_count; i++) {
		if (!prim_slice_eq(m->params[i], name))
			continue;
		prim_buf_put(out, args[i]);
		return true;
	}
	return false;
}

bool talk_macros_expand(const struct talk_macros *macros,
    struct prim_slice line, struct prim_buf *out)
{
	struct prim_slice args[TALK_PARAMS_MAX], body;
	const struct talk_macro *m = find(macros, prim_slice_cut(&line, ' '));

	if (!m)
		return false;
	for (unsigned i = 0; i < m->param_count; i++) {
		if (line.len == 0)
			return false;
		args[i] = i + 1 < m->param_count ? prim_slice_cut(&line, ' ')
						 : line;
	}
	body = m->body;
	while (body.len > 0) {
		char c = body.ptr[0];

		body = prim_slice_from(body, 1);
		if (c != '$')
			prim_buf_putc(out, c);
		else if (!put_arg(m, args, take_param(&body), out))
			return false;
	}
	return true;
}

bool talk_length_find(struct prim_slice start_line, uint64_t *out_len)
{
	struct prim_slice rest = start_line, word = prim_slice_cut(&rest, ' ');
	unsigned skip = 2; /* the version and the id of a request */

	if (prim_slice_find(word, '/') >= 0)
		skip = 1; /* the id of a response */
	while (skip-- > 0)
		(void)prim_slice_cut(&rest, ' ');
	word = prim_slice_cut(&rest, ' ');
	word = prim_slice_cut(&word, '\r');
	return prim_slice_number(word, UINT32_MAX, out_len);
}
