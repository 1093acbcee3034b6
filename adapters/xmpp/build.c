/* SPDX-License-Identifier: ISC */
/* One stanza, put together from what expat finds. */

#include "adapters/xmpp/build.h"

#include <assert.h>
#include <string.h>

#include "prim/base.h"

#define XML_LANG "http://www.w3.org/XML/1998/namespace\x1flang"

void xa_build_init(struct xa_build *b, xmpp_ctx_t *xmpp)
{
	memset(b, 0, sizeof(*b));
	b->xmpp = xmpp;
}

static void drop(xmpp_stanza_t **s)
{
	if (*s)
		xmpp_stanza_release(*s);
	*s = NULL;
}

void xa_build_fini(struct xa_build *b)
{
	drop(&b->open[0]);
	drop(&b->head);
	prim_buf_fini(&b->text);
}

static void set_name(xmpp_stanza_t *s, struct xa_build_name name)
{
	char *copy = prim_slice_copy(name.name);

	xmpp_stanza_set_name(s, copy);
	prim_free(copy);
	copy = prim_slice_copy(name.ns);
	xmpp_stanza_set_ns(s, copy);
	prim_free(copy);
}

/* Attributes of a namespace are dropped but for xml:lang: nothing we know has
 * one, and libstrophe would mix them up with those of the same name. */
static void set_attribute(xmpp_stanza_t *s, const char *name, const char *value)
{
	if (strcmp(name, XML_LANG) == 0)
		xmpp_stanza_set_attribute(s, "xml:lang", value);
	else if (!strchr(name, '\x1f'))
		xmpp_stanza_set_attribute(s, name, value);
}

static bool is_address(const char *name)
{
	return strcmp(name, "from") == 0 || strcmp(name, "to") == 0 ||
	    strcmp(name, "id") == 0 || strcmp(name, "type") == 0;
}

/* The head of a stanza whose own start tag is over a cap. */
static void make_head(struct xa_build *b, struct xa_build_name name,
    const char **attributes)
{
	b->head = xmpp_stanza_new(b->xmpp);
	set_name(b->head, name);
	for (; attributes[0]; attributes += 2) {
		if (is_address(attributes[0]) &&
		    strlen(attributes[1]) <= XA_STREAM_STANZA_MAX / 64)
			set_attribute(b->head, attributes[0], attributes[1]);
	}
}

/* What the head of a stanza keeps. */
static const char *const KEPT[] = { "from", "to", "id", "type", "xmlns" };

/* Gives up the stanza that is being built but for its head. */
static void overflow(struct xa_build *b)
{
	const char *value;

	b->head = xmpp_stanza_new(b->xmpp);
	xmpp_stanza_set_name(b->head, xmpp_stanza_get_name(b->open[0]));
	for (size_t i = 0; i < PRIM_COUNT(KEPT); i++) {
		value = xmpp_stanza_get_attribute(b->open[0], KEPT[i]);
		if (value)
			xmpp_stanza_set_attribute(b->head, KEPT[i], value);
	}
	drop(&b->open[0]);
	prim_buf_reset(&b->text);
}

static size_t count(const char **attributes)
{
	size_t n = 0;

	while (attributes[2 * n])
		n++;
	return n;
}

static bool is_over(const struct xa_build *b, int64_t at)
{
	return at - b->begin > XA_STREAM_STANZA_MAX ||
	    b->nodes > XA_STREAM_NODES_MAX;
}

static void flush_text(struct xa_build *b)
{
	xmpp_stanza_t *s;

	if (b->text.len == 0)
		return;
	b->nodes++;
	s = xmpp_stanza_new(b->xmpp);
	xmpp_stanza_set_text_with_size(s, b->text.ptr, b->text.len);
	xmpp_stanza_add_child_ex(b->open[b->depth - 1], s, 0);
	prim_buf_reset(&b->text);
}

static void push(struct xa_build *b, struct xa_build_name name,
    const char **attributes)
{
	xmpp_stanza_t *s = xmpp_stanza_new(b->xmpp);

	set_name(s, name);
	for (; attributes[0]; attributes += 2)
		set_attribute(s, attributes[0], attributes[1]);
	if (b->depth)
		xmpp_stanza_add_child_ex(b->open[b->depth - 1], s, 0);
	b->open[b->depth++] = s;
}

static bool attributes_over(const char **attributes)
{
	size_t octets = 0;

	if (count(attributes) > XA_STREAM_ATTRIBUTES_MAX)
		return true;
	for (; attributes[0]; attributes += 2)
		octets += strlen(attributes[0]) + strlen(attributes[1]);
	return octets > XA_STREAM_STANZA_MAX;
}

void xa_build_start(struct xa_build *b, struct xa_build_name name,
    const char **attributes, int64_t at)
{
	if (b->depth == 0) {
		b->begin = at;
		b->nodes = 0;
	}
	if (b->head) {
		b->depth++;
		return;
	}
	if (b->depth)
		flush_text(b);
	b->nodes++;
	if (b->depth < XA_STREAM_DEPTH_MAX && !is_over(b, at) &&
	    !attributes_over(attributes)) {
		push(b, name, attributes);
		return;
	}
	if (b->depth == 0)
		make_head(b, name, attributes);
	else
		overflow(b);
	b->depth++;
}

void xa_build_text(struct xa_build *b, struct prim_slice text, int64_t at)
{
	if (b->head)
		return;
	if (is_over(b, at + (int64_t)text.len))
		overflow(b);
	else
		prim_buf_put(&b->text, text);
}

void xa_build_end(struct xa_build *b, int64_t at)
{
	assert(b->depth > 0);
	if (!b->head) {
		flush_text(b);
		if (is_over(b, at))
			overflow(b);
	}
	b->depth--;
}

bool xa_build_take(struct xa_build *b, xmpp_stanza_t **out_stanza)
{
	bool is_whole = !b->head;

	assert(b->depth == 0);
	*out_stanza = is_whole ? b->open[0] : b->head;
	b->open[0] = NULL;
	b->head = NULL;
	return is_whole;
}
