/* SPDX-License-Identifier: ISC */
/* Stanzas as libstrophe models them. */

#include "adapters/xmpp/stanza.h"

#include <assert.h>
#include <string.h>

#include "prim/base.h"

/* An element or a text that libstrophe keeps, with what malloc adds. */
#define NODE_SIZE 128
/* Of an element: what a stream lets in, and its namespace. */
#define ATTRIBUTES_MAX 65

static void *mem_alloc(size_t size, void *userdata)
{
	(void)userdata;
	return prim_alloc(size);
}

static void mem_free(void *ptr, void *userdata)
{
	(void)userdata;
	prim_free(ptr);
}

static void *mem_resize(void *ptr, size_t size, void *userdata)
{
	(void)userdata;
	return prim_resize(ptr, size);
}

static const xmpp_mem_t MEMORY = {
	.alloc = mem_alloc,
	.free = mem_free,
	.realloc = mem_resize,
};

xmpp_ctx_t *xa_stanza_context(void)
{
	return xmpp_ctx_new(&MEMORY, NULL);
}

xmpp_stanza_t *xa_stanza_new(xmpp_ctx_t *ctx, const char *name,
    const struct xa_envelope *envelope)
{
	xmpp_stanza_t *s = xmpp_stanza_new(ctx);

	xmpp_stanza_set_name(s, name);
	if (envelope->from)
		xmpp_stanza_set_from(s, envelope->from);
	if (envelope->to)
		xmpp_stanza_set_to(s, envelope->to);
	if (envelope->type)
		xmpp_stanza_set_type(s, envelope->type);
	if (envelope->id)
		xmpp_stanza_set_id(s, envelope->id);
	return s;
}

xmpp_stanza_t *xa_stanza_add(xmpp_stanza_t *parent, const char *name,
    const char *ns)
{
	xmpp_stanza_t *s = xmpp_stanza_new(xmpp_stanza_get_context(parent));

	xmpp_stanza_set_name(s, name);
	if (ns)
		xmpp_stanza_set_ns(s, ns);
	/* The parent takes our reference and lives longer than we look. */
	xmpp_stanza_add_child_ex(parent, s, 0);
	return s;
}

void xa_stanza_add_text(xmpp_stanza_t *parent, struct prim_slice text)
{
	xmpp_stanza_t *s;

	if (text.len == 0)
		return;
	s = xmpp_stanza_new(xmpp_stanza_get_context(parent));
	xmpp_stanza_set_text_with_size(s, text.ptr, text.len);
	xmpp_stanza_add_child_ex(parent, s, 0);
}

xmpp_stanza_t *xa_stanza_error(xmpp_ctx_t *ctx, const char *name,
    const struct xa_envelope *envelope, const struct xa_error *error,
    const char *text)
{
	struct xa_envelope back = *envelope;
	xmpp_stanza_t *s, *e, *t;
	const char *host;

	back.type = "error";
	s = xa_stanza_new(ctx, name, &back);
	e = xa_stanza_add(s, "error", NULL);
	host = back.from ? strchr(back.from, '@') : NULL;
	if (host && !strchr(host, '/'))
		xmpp_stanza_set_attribute(e, "by", host + 1);
	xmpp_stanza_set_type(e, error->type);
	xa_stanza_add(e, error->condition, XMPP_NS_STANZAS_IETF);
	if (text) {
		t = xa_stanza_add(e, "text", XMPP_NS_STANZAS_IETF);
		xmpp_stanza_set_attribute(t, "xml:lang", "en");
		xa_stanza_add_text(t, prim_slice_of(text));
	}
	return s;
}

struct prim_slice xa_stanza_get(xmpp_stanza_t *s, const char *attribute)
{
	return prim_slice_of(xmpp_stanza_get_attribute(s, attribute));
}

bool xa_stanza_has_name(xmpp_stanza_t *s, const char *name)
{
	const char *own = xmpp_stanza_get_name(s);

	return own && strcmp(own, name) == 0;
}

bool xa_stanza_type_is(xmpp_stanza_t *s, const char *type)
{
	const char *own = xmpp_stanza_get_type(s);

	return own && strcmp(own, type) == 0;
}

bool xa_stanza_is_core(xmpp_stanza_t *s, const char *name)
{
	const char *ns = xmpp_stanza_is_tag(s) ? xmpp_stanza_get_ns(s) : NULL;

	return ns && xa_stanza_has_name(s, name) &&
	    (strcmp(ns, XMPP_NS_COMPONENT) == 0 ||
		strcmp(ns, XMPP_NS_CLIENT) == 0);
}

xmpp_stanza_t *xa_stanza_find(xmpp_stanza_t *s, const char *name,
    const char *ns)
{
	return xmpp_stanza_get_child_by_name_and_ns(s, name, ns);
}

void xa_stanza_text(struct prim_buf *b, xmpp_stanza_t *s)
{
	xmpp_stanza_t *c;

	for (c = xmpp_stanza_get_children(s); c; c = xmpp_stanza_get_next(c)) {
		if (xmpp_stanza_is_text(c))
			prim_buf_puts(b, xmpp_stanza_get_text_ptr(c));
	}
}

const char *xa_stanza_condition(xmpp_stanza_t *s)
{
	xmpp_stanza_t *c = xmpp_stanza_get_children(s);
	const char *ns;

	while (c && !xa_stanza_is_core(c, "error"))
		c = xmpp_stanza_get_next(c);
	for (c = c ? xmpp_stanza_get_children(c) : NULL; c;
	     c = xmpp_stanza_get_next(c)) {
		ns = xmpp_stanza_is_tag(c) ? xmpp_stanza_get_ns(c) : NULL;
		if (ns && strcmp(ns, XMPP_NS_STANZAS_IETF) == 0 &&
		    !xa_stanza_has_name(c, "text"))
			return xmpp_stanza_get_name(c);
	}
	return "undefined-condition";
}

static size_t attributes_size(xmpp_stanza_t *s)
{
	const char *texts[2 * ATTRIBUTES_MAX];
	int count = xmpp_stanza_get_attributes(s, texts, PRIM_COUNT(texts));
	size_t size = 0;

	for (int i = 0; i < count; i++)
		size += NODE_SIZE / 2 + strlen(texts[i]);
	return size;
}

size_t xa_stanza_size(xmpp_stanza_t *s)
{
	xmpp_stanza_t *c = xmpp_stanza_get_children(s);
	size_t size = NODE_SIZE;

	if (xmpp_stanza_is_text(s))
		return size + strlen(xmpp_stanza_get_text_ptr(s));
	size += attributes_size(s);
	for (; c; c = xmpp_stanza_get_next(c))
		size += xa_stanza_size(c);
	return size;
}

void xa_stanza_put(struct prim_buf *b, xmpp_stanza_t *s)
{
	char *text = NULL;
	size_t len = 0;
	int status = xmpp_stanza_to_text(s, &text, &len);

	/* It fails only for stanzas without a name, which we never build. */
	assert(status == XMPP_EOK);
	(void)status;
	prim_buf_put(b, prim_slice_make(text, len));
	xmpp_free(xmpp_stanza_get_context(s), text);
}
