/* SPDX-License-Identifier: ISC */
/* Where no tag is open. */

#include "adapters/xmpp/edge.h"

#include <stdbool.h>
#include <string.h>

static enum xa_edge_place after_open(char c)
{
	if (c == '!')
		return XA_EDGE_BANG;
	return c == '?' ? XA_EDGE_FOREIGN : XA_EDGE_TAG;
}

static enum xa_edge_place in_tag(char c)
{
	if (c == '>')
		return XA_EDGE_TEXT;
	if (c == '\'')
		return XA_EDGE_SINGLE;
	return c == '"' ? XA_EDGE_DOUBLE : XA_EDGE_TAG;
}

static enum xa_edge_place in_cdata(struct xa_edge *e, char c)
{
	if (c == '>' && e->brackets >= 2) {
		e->brackets = 0;
		return XA_EDGE_TEXT;
	}
	e->brackets = c == ']' ? e->brackets + 1 : 0;
	return XA_EDGE_CDATA;
}

static enum xa_edge_place next(struct xa_edge *e, char c)
{
	switch (e->place) {
	case XA_EDGE_TEXT:
		return c == '<' ? XA_EDGE_OPEN : XA_EDGE_TEXT;
	case XA_EDGE_OPEN:
		return after_open(c);
	case XA_EDGE_TAG:
		return in_tag(c);
	case XA_EDGE_SINGLE:
		return c == '\'' ? XA_EDGE_TAG : XA_EDGE_SINGLE;
	case XA_EDGE_DOUBLE:
		return c == '"' ? XA_EDGE_TAG : XA_EDGE_DOUBLE;
	case XA_EDGE_BANG:
		return c == '[' ? XA_EDGE_CDATA : XA_EDGE_FOREIGN;
	case XA_EDGE_CDATA:
		return in_cdata(e, c);
	case XA_EDGE_FOREIGN:
		/* The XML declaration ends here too; the others end the
		 * stream, so nobody minds where we think they do. */
		return c == '>' ? XA_EDGE_TEXT : XA_EDGE_FOREIGN;
	}
	return e->place;
}

/* How many octets from `at` on change nothing: long runs are the common case
 * of text and of hostile attributes. */
static size_t run(const struct xa_edge *e, struct prim_slice rest)
{
	char end = '\0';
	const char *found;

	if (e->place == XA_EDGE_TEXT)
		end = '<';
	else if (e->place == XA_EDGE_SINGLE)
		end = '\'';
	else if (e->place == XA_EDGE_DOUBLE)
		end = '"';
	else
		return 0;
	found = memchr(rest.ptr, end, rest.len);
	return found ? (size_t)(found - rest.ptr) : rest.len;
}

static bool is_free(enum xa_edge_place place)
{
	return place == XA_EDGE_TEXT || place == XA_EDGE_FOREIGN;
}

size_t xa_edge_scan(struct xa_edge *e, struct prim_slice octets)
{
	size_t edge = 0, i = 0;

	while (i < octets.len) {
		size_t skip = run(e, prim_slice_from(octets, i));

		i += skip;
		if (is_free(e->place))
			edge = i;
		if (i >= octets.len)
			break;
		e->place = next(e, octets.ptr[i++]);
		if (is_free(e->place))
			edge = i;
	}
	return edge;
}
