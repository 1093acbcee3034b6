/* SPDX-License-Identifier: ISC */
/* The server's half of a component stream. */

#include "adapters/xmpp/stream.h"

#include <assert.h>
#include <expat.h>
#include <string.h>

#include "adapters/xmpp/build.h"
#include "adapters/xmpp/edge.h"
#include "prim/base.h"
#include "prim/buf.h"

#define SEPARATOR '\x1f' /* cannot occur in a namespace: no XML character */

struct xa_stream {
	const struct xa_stream_ops *ops; /* borrowed: outlives us */
	void *ctx;                       /* borrowed: outlives us */
	XML_Parser parser;               /* owned */
	struct xa_build build;           /* the stanza that is coming in */
	struct xa_edge edge;
	struct prim_buf held; /* an open tag, not yet shown to expat */
	size_t depth;         /* open elements, the stream's own included */
	bool feeding;
	bool ended;
	const char *why; /* NULL while nothing is wrong */
};

static void fail(struct xa_stream *s, const char *why)
{
	if (!s->why)
		s->why = why;
	XML_StopParser(s->parser, XML_FALSE);
}

/* "namespace SEPARATOR name", or "name" alone. */
static struct xa_build_name split_name(const char *name)
{
	struct prim_slice rest = prim_slice_of(name);
	struct prim_slice ns = PRIM_SLICE_NONE;

	if (prim_slice_find(rest, SEPARATOR) >= 0)
		ns = prim_slice_cut(&rest, SEPARATOR);
	return (struct xa_build_name){ .ns = ns, .name = rest };
}

/*
 * Parser callbacks: what expat found.
 */

static void open_stream(struct xa_stream *s, const char *name,
    const char **attributes)
{
	struct xa_build_name root = split_name(name);
	struct prim_slice id = PRIM_SLICE_NONE;

	if (!prim_slice_eq(root.ns, PRIM_SLICE(XMPP_NS_STREAMS)) ||
	    !prim_slice_eq(root.name, PRIM_SLICE("stream"))) {
		fail(s, "not an XMPP stream");
		return;
	}
	for (; attributes[0]; attributes += 2) {
		if (strcmp(attributes[0], "id") == 0)
			id = prim_slice_of(attributes[1]);
	}
	s->ops->opened(s->ctx, id);
}

static void on_start(void *arg, const char *name, const char **attributes)
{
	struct xa_stream *s = arg;
	int64_t at = XML_GetCurrentByteIndex(s->parser);

	if (s->why || s->ended)
		return;
	s->depth++;
	if (s->depth == 1)
		open_stream(s, name, attributes);
	else
		xa_build_start(&s->build, split_name(name), attributes, at);
}

static void finish(struct xa_stream *s)
{
	xmpp_stanza_t *stanza;
	bool is_whole = xa_build_take(&s->build, &stanza);

	if (is_whole)
		s->ops->stanza(s->ctx, stanza);
	else
		s->ops->refused(s->ctx, stanza);
	xmpp_stanza_release(stanza);
}

static void on_end(void *arg, const char *name)
{
	struct xa_stream *s = arg;

	(void)name;
	if (s->why || s->ended)
		return;
	s->depth--;
	if (s->depth == 0) {
		s->ended = true;
		return;
	}
	xa_build_end(&s->build, XML_GetCurrentByteIndex(s->parser));
	if (s->depth == 1)
		finish(s);
}

static void on_text(void *arg, const char *text, int len)
{
	struct xa_stream *s = arg;

	/* Between stanzas it is a keep-alive. */
	if (s->why || s->ended || s->depth < 2)
		return;
	xa_build_text(&s->build, prim_slice_make(text, (size_t)len),
	    XML_GetCurrentByteIndex(s->parser));
}

static void on_doctype(void *arg, const char *name, const char *system_id,
    const char *public_id, int has_subset)
{
	(void)name;
	(void)system_id;
	(void)public_id;
	(void)has_subset;
	fail(arg, "a DOCTYPE in the stream");
}

static void on_instruction(void *arg, const char *target, const char *data)
{
	(void)target;
	(void)data;
	fail(arg, "a processing instruction in the stream");
}

static void on_comment(void *arg, const char *text)
{
	(void)text;
	fail(arg, "a comment in the stream");
}

static void mem_free(void *ptr)
{
	prim_free(ptr);
}

static const XML_Memory_Handling_Suite MEMORY = {
	.malloc_fcn = prim_alloc,
	.realloc_fcn = prim_resize,
	.free_fcn = mem_free,
};

static void make_parser(struct xa_stream *s)
{
	const char separator[] = { SEPARATOR, '\0' };

	s->parser = XML_ParserCreate_MM("UTF-8", &MEMORY, separator);
	XML_SetUserData(s->parser, s);
	XML_SetElementHandler(s->parser, on_start, on_end);
	XML_SetCharacterDataHandler(s->parser, on_text);
	XML_SetStartDoctypeDeclHandler(s->parser, on_doctype);
	XML_SetProcessingInstructionHandler(s->parser, on_instruction);
	XML_SetCommentHandler(s->parser, on_comment);
#ifdef XA_HAVE_REPARSE_DEFERRAL
	/* It would withhold a complete stanza until more octets come. What it
	 * guards against, edge.c does. */
	XML_SetReparseDeferralEnabled(s->parser, XML_FALSE);
#endif
}

struct xa_stream *xa_stream_new(xmpp_ctx_t *xmpp,
    const struct xa_stream_ops *ops, void *ctx)
{
	struct xa_stream *s = prim_new(struct xa_stream);

	s->ops = ops;
	s->ctx = ctx;
	xa_build_init(&s->build, xmpp);
	make_parser(s);
	return s;
}

struct xa_stream *xa_stream_free(struct xa_stream *s)
{
	if (!s)
		return NULL;
	assert(!s->feeding);
	XML_ParserFree(s->parser);
	xa_build_fini(&s->build);
	prim_buf_fini(&s->held);
	return prim_free(s);
}

static enum xa_stream_status settle(struct xa_stream *s, enum XML_Status status)
{
	s->feeding = false;
	if (s->why)
		return XA_STREAM_BAD;
	if (s->ended)
		return XA_STREAM_ENDED;
	if (status == XML_STATUS_SUSPENDED)
		return XA_STREAM_PAUSED;
	if (status == XML_STATUS_OK)
		return XA_STREAM_MORE;
	s->why = XML_ErrorString(XML_GetErrorCode(s->parser));
	return XA_STREAM_BAD;
}

static enum xa_stream_status parse(struct xa_stream *s,
    struct prim_slice octets)
{
	s->feeding = true;
	return settle(s,
	    XML_Parse(s->parser, octets.ptr, (int)octets.len, XML_FALSE));
}

/* Shows expat what stands before the open tag, and keeps the rest. */
static enum xa_stream_status feed_edge(struct xa_stream *s,
    struct prim_slice octets, size_t edge)
{
	enum xa_stream_status status;

	if (s->held.len == 0) {
		status = parse(s, prim_slice_make(octets.ptr, edge));
		prim_buf_put(&s->held, prim_slice_from(octets, edge));
		return status;
	}
	prim_buf_put(&s->held, prim_slice_make(octets.ptr, edge));
	status = parse(s, prim_buf_slice(&s->held));
	prim_buf_reset(&s->held);
	prim_buf_put(&s->held, prim_slice_from(octets, edge));
	return status;
}

enum xa_stream_status xa_stream_feed(struct xa_stream *s,
    struct prim_slice octets)
{
	enum xa_stream_status status = XA_STREAM_MORE;
	size_t edge = xa_edge_scan(&s->edge, octets);

	assert(!s->feeding);
	if (edge)
		status = feed_edge(s, octets, edge);
	else
		prim_buf_put(&s->held, octets);
	if (s->held.len > XA_STREAM_TAG_MAX && !s->why) {
		s->why = "a tag without end in the stream";
		return XA_STREAM_BAD;
	}
	return status;
}

void xa_stream_pause(struct xa_stream *s)
{
	XML_StopParser(s->parser, XML_TRUE);
}

enum xa_stream_status xa_stream_resume(struct xa_stream *s)
{
	assert(!s->feeding);
	s->feeding = true;
	return settle(s, XML_ResumeParser(s->parser));
}

void xa_stream_stop(struct xa_stream *s)
{
	s->ended = true;
	XML_StopParser(s->parser, XML_FALSE);
}

const char *xa_stream_why(const struct xa_stream *s)
{
	return s->why ? s->why : "nothing";
}
