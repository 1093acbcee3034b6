/* SPDX-License-Identifier: ISC */
#ifndef XA_CONTENT_H
#define XA_CONTENT_H

/*
 * What a <message/> says: its text in the language that fits, and the reasons
 * not to take it.
 */

#include <stdbool.h>
#include <strophe.h>

#include "prim/buf.h"
#include "prim/slice.h"

/* What of a message is meant for the recipient's eyes. */
enum xa_content_kind {
	XA_CONTENT_NONE, /* a receipt, a chat state, something unknown */
	XA_CONTENT_TEXT,
	XA_CONTENT_ENCRYPTED, /* its text is but an excuse */
};

enum xa_content_kind xa_content_kind(xmpp_stanza_t *message);

/* Appends the text of a XA_CONTENT_TEXT message, and gives its language: the
 * body in the language of the stanza, else the first; else the address of what
 * it links to. A correction is marked as one. `out_language` borrows from the
 * stanza and may be empty. */
void xa_content_text(struct prim_buf *b, xmpp_stanza_t *message,
    struct prim_slice *out_language);

/* Are the languages of the stanza, its bodies and subjects well-formed? */
bool xa_content_languages_ok(xmpp_stanza_t *message);

#endif
