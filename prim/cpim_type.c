/* SPDX-License-Identifier: ISC */
/* Media types and their parameters. */

#include "prim/cpim.h"

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Content headers may be folded, so line ends are blanks here. */
static struct prim_slice trim(struct prim_slice s)
{
	while (s.len && is_space(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	while (s.len && is_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

bool prim_cpim_type_is(struct prim_slice content_type, const char *type)
{
	struct prim_slice rest = content_type;

	return prim_slice_eq_nocase(trim(prim_slice_cut(&rest, ';')),
	    prim_slice_of(type));
}

/* What stands before the next ';' that is not inside quotes, and off with it.
 */
static struct prim_slice take_parameter(struct prim_slice *rest)
{
	struct prim_slice s = *rest;
	bool is_quoted = false;
	size_t i;

	for (i = 0; i < s.len && (is_quoted || s.ptr[i] != ';'); i++) {
		if (s.ptr[i] == '"')
			is_quoted = !is_quoted;
		else if (is_quoted && s.ptr[i] == '\\')
			i++;
	}
	if (i > s.len)
		i = s.len;
	*rest = prim_slice_from(s, i + 1);
	return prim_slice_make(s.ptr, i);
}

/* Without its quotes; the empty slice if that would take more than cutting. */
static struct prim_slice unquote(struct prim_slice value)
{
	if (value.len == 0 || value.ptr[0] != '"')
		return value;
	if (value.len < 2 || value.ptr[value.len - 1] != '"')
		return PRIM_SLICE_NONE;
	value = prim_slice_make(value.ptr + 1, value.len - 2);
	if (prim_slice_find(value, '\\') >= 0 ||
	    prim_slice_find(value, '"') >= 0)
		return PRIM_SLICE_NONE;
	return value;
}

struct prim_slice prim_cpim_type_parameter(struct prim_slice content_type,
    const char *name)
{
	struct prim_slice rest = content_type;

	prim_slice_cut(&rest, ';');
	while (rest.len) {
		struct prim_slice value = take_parameter(&rest);
		struct prim_slice key = trim(prim_slice_cut(&value, '='));

		if (prim_slice_eq_nocase(key, prim_slice_of(name)))
			return unquote(trim(value));
	}
	return PRIM_SLICE_NONE;
}
