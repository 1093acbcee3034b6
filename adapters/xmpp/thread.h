/* SPDX-License-Identifier: ISC */
#ifndef XA_THREAD_H
#define XA_THREAD_H

/*
 * <thread/> and Conversation-ID. PRIM requires one on every message and its
 * values have the grammar of addresses, so a thread travels percent-escaped.
 * Where a stanza has none, the pair of addresses makes one, always the same,
 * and an XMPP user never sees it: it was not chosen by anybody.
 */

#include <stdbool.h>

#include "prim/buf.h"
#include "prim/slice.h"

#define XA_THREAD_MAX 255 /* octets of a thread */

/* The two ends, as "im:" addresses. */
struct xa_thread_pair {
	struct prim_slice user;      /* on the XMPP side */
	struct prim_slice principal; /* on the PRIM side */
};

/* Appends the Conversation-ID for `thread`, which may be empty. False if it is
 * too long. */
bool xa_thread_put_conversation(struct prim_buf *b, struct prim_slice thread,
    const struct xa_thread_pair *pair);

/* Appends the thread for a Conversation-ID, or nothing if there is none to
 * show. */
void xa_thread_put(struct prim_buf *b, struct prim_slice conversation,
    const struct xa_thread_pair *pair);

#endif
