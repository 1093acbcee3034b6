/* SPDX-License-Identifier: ISC */
#ifndef XA_STREAM_H
#define XA_STREAM_H

/*
 * The server's half of a component stream (XEP-0114): octets in, finished
 * stanzas out, on expat. No sockets, no clock.
 *
 * Any XMPP user can make the server send us nearly anything that is
 * well-formed, and there is one stream for everybody. So a stanza that is over
 * a cap is skipped to its end and told as `refused`; only what no server sends
 * (a DOCTYPE, a comment, an instruction, broken XML, a tag that does not end)
 * breaks the stream.
 */

#include <stdbool.h>
#include <strophe.h>

#include "prim/slice.h"

#define XA_STREAM_DEPTH_MAX      64     /* elements inside each other */
#define XA_STREAM_NODES_MAX      1024   /* elements and texts of a stanza */
#define XA_STREAM_ATTRIBUTES_MAX 64     /* of one element */
#define XA_STREAM_STANZA_MAX     524288 /* octets of a stanza, as sent */
/* Octets that may wait for the end of their tag. Far above the cap of a
 * stanza: a server writes a user's quote sign as six octets. */
#define XA_STREAM_TAG_MAX 4194304

struct xa_stream_ops {
	/* The stream header, with its id. */
	void (*opened)(void *ctx, struct prim_slice id);
	/* An element of the stream, complete. Borrowed: clone it to keep it. */
	void (*stanza)(void *ctx, xmpp_stanza_t *stanza);
	/* One over a cap: `head` has its name and its from, to, type and id,
	 * as far as they were within bounds. Borrowed. */
	void (*refused)(void *ctx, xmpp_stanza_t *head);
};

enum xa_stream_status {
	XA_STREAM_MORE,   /* all taken, feed more */
	XA_STREAM_PAUSED, /* xa_stream_pause() was called: resume first */
	XA_STREAM_ENDED,  /* the server closed the stream, or it was stopped */
	XA_STREAM_BAD,    /* broken: xa_stream_why() */
};

struct xa_stream;

/* `xmpp`, `ops` and `ctx` are borrowed and outlive the stream. */
struct xa_stream *xa_stream_new(xmpp_ctx_t *xmpp,
    const struct xa_stream_ops *ops, void *ctx);
/* Not from inside one of its ops. NULL is fine; returns NULL. */
struct xa_stream *xa_stream_free(struct xa_stream *s);

/* Takes the next octets. Not while paused, not after ENDED or BAD. */
enum xa_stream_status xa_stream_feed(struct xa_stream *s,
    struct prim_slice octets);

/* From inside an op: no op is called again before xa_stream_resume(). */
void xa_stream_pause(struct xa_stream *s);
enum xa_stream_status xa_stream_resume(struct xa_stream *s);

/* From inside an op: no op is called any more. */
void xa_stream_stop(struct xa_stream *s);

/* After BAD: what was wrong, a static sentence. */
const char *xa_stream_why(const struct xa_stream *s);

#endif
