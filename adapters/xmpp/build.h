/* SPDX-License-Identifier: ISC */
#ifndef XA_BUILD_H
#define XA_BUILD_H

/*
 * One stanza, put together from what expat finds, within the caps of stream.h.
 * Text is collected here and handed to libstrophe once: its own appending
 * costs the square of the length.
 */

#include <stdbool.h>
#include <stdint.h>
#include <strophe.h>

#include "adapters/xmpp/stream.h"
#include "prim/buf.h"
#include "prim/slice.h"

struct xa_build_name {
	struct prim_slice ns;
	struct prim_slice name;
};

struct xa_build {
	xmpp_ctx_t *xmpp; /* borrowed: outlives us */
	/* The open elements; [0] is owned, the others are its descendants. */
	xmpp_stanza_t *open[XA_STREAM_DEPTH_MAX];
	xmpp_stanza_t *head; /* owned: of a stanza over a cap */
	size_t depth;        /* open elements, also those not in `open` */
	size_t nodes;
	int64_t begin; /* where in the stream it began */
	struct prim_buf text;
};

void xa_build_init(struct xa_build *b, xmpp_ctx_t *xmpp);
void xa_build_fini(struct xa_build *b);

/* `attributes` as expat gives them; `at` is the place in the stream. */
void xa_build_start(struct xa_build *b, struct xa_build_name name,
    const char **attributes, int64_t at);
void xa_build_text(struct xa_build *b, struct prim_slice text, int64_t at);
void xa_build_end(struct xa_build *b, int64_t at);

/* After the end of the outermost element: true gives the stanza, false the
 * head of one that was over a cap. The caller's now; xmpp_stanza_release(). */
bool xa_build_take(struct xa_build *b, xmpp_stanza_t **out_stanza);

#endif
