/* SPDX-License-Identifier: ISC */
#ifndef TESTS_ADAPTERS_XMPP_PRESENCE_TEXT_H
#define TESTS_ADAPTERS_XMPP_PRESENCE_TEXT_H

/*
 * Presence as a line of text, so that tables can say what they want:
 *
 *	home+ dnd 5 idle=2026-10-26T08:00:00Z en"busy" "x"; work-
 *
 * A + is available, a - is not; nothing before it is the bare JID.
 */

#include "tests/lib/t.h"

#include <string.h>

#include "adapters/xmpp/presence.h"
#include "adapters/xmpp/stanza.h"
#include "adapters/xmpp/stream.h"
#include "prim/base.h"
#include "prim/date.h"

#define NOW INT64_C(1793004800000) /* 2026-10-26T08:53:20Z */

#define STREAM                                                            \
	"<stream:stream xmlns:stream='http://etherx.jabber.org/streams' " \
	"xmlns='jabber:component:accept' id='1'>"

static inline void text_put(struct prim_buf *b, const struct xa_presence *p)
{
	static const char *const shows[] = { "", " chat", " away", " xa",
		" dnd" };

	prim_buf_putf(b, "%s%c%s", p->resource ? p->resource : "",
	    p->is_available ? '+' : '-', shows[p->show]);
	if (p->priority)
		prim_buf_putf(b, " %d", p->priority);
	if (p->is_available && p->idle_since_ms != XA_NO_TIME) {
		prim_buf_puts(b, " idle=");
		prim_date_put_3339(b, p->idle_since_ms);
	}
	for (unsigned i = 0; i < p->status_count; i++)
		prim_buf_putf(b, " %s\"%s\"", p->statuses[i].language,
		    p->statuses[i].text);
}

/* The caller's; prim_free() it. */
static inline char *text_of(const struct xa_presences *all)
{
	struct prim_buf b = { 0 };

	for (unsigned i = 0; i < all->count; i++) {
		if (i)
			prim_buf_puts(&b, "; ");
		text_put(&b, &all->items[i]);
	}
	return prim_buf_steal(&b);
}

static inline void assert_text(const char *name, const struct xa_presences *all,
    const char *want)
{
	char *got = text_of(all);

	if (strcmp(got, want) != 0)
		fail_msg("%s: %s, not %s", name, got, want);
	prim_free(got);
}

struct text_reading {
	struct xa_presence *out;
	bool ok;
	unsigned count;
};

static inline void text_opened(void *ctx, struct prim_slice id)
{
	(void)ctx;
	(void)id;
}

static inline void text_stanza(void *ctx, xmpp_stanza_t *stanza)
{
	struct text_reading *r = ctx;

	r->count++;
	r->ok = xa_presence_read(r->out, stanza, NOW);
}

/* Reads what a server sends. */
static inline bool text_read(struct xa_presence *out, const char *xml)
{
	static const struct xa_stream_ops ops = {
		.opened = text_opened,
		.stanza = text_stanza,
		.refused = text_stanza,
	};
	struct text_reading r = { .out = out };
	xmpp_ctx_t *xmpp = xa_stanza_context();
	struct xa_stream *s = xa_stream_new(xmpp, &ops, &r);

	assert_int_equal(xa_stream_feed(s, PRIM_SLICE(STREAM)), XA_STREAM_MORE);
	assert_int_equal(xa_stream_feed(s, prim_slice_of(xml)), XA_STREAM_MORE);
	assert_int_equal(r.count, 1);
	xa_stream_free(s);
	xmpp_ctx_free(xmpp);
	return r.ok;
}

/* Takes a <presence/> with these attributes and children. */
#define PRESENCE(attributes, inside) \
	"<presence to='romeo@prim.example' " attributes ">" inside "</presence>"
#define FROM(resource) "from='juliet@jabber.example/" resource "' "

static inline bool text_take(struct xa_presences *all, const char *xml)
{
	struct xa_presence p = { 0 };

	assert_true(text_read(&p, xml));
	return xa_presences_take(all, &p);
}

/*
 * Documents.
 */

#define ENTITY  PRIM_SLICE("pres:juliet@jabber.example")
#define CONTACT PRIM_SLICE("im:juliet@jabber.example")

static inline struct prim_pidf *text_parse(struct prim_slice xml)
{
	struct prim_pidf *p = prim_new(struct prim_pidf);
	const char *why = NULL;

	if (!prim_pidf_parse(p, xml, &why))
		fail_msg("%s: %.*s", why, PRIM_SLICE_ARG(xml));
	return p;
}

static inline struct prim_pidf *text_document(const struct xa_presences *all)
{
	struct prim_buf b = { 0 };
	struct prim_pidf *p;

	xa_presences_put_pidf(&b, all, ENTITY, CONTACT, NOW);
	p = text_parse(prim_buf_slice(&b));
	assert_true(prim_slice_eq(p->entity, ENTITY));
	prim_buf_fini(&b);
	return p;
}

static inline void text_free(struct prim_pidf *p)
{
	prim_pidf_fini(p);
	prim_free(p);
}

#endif
