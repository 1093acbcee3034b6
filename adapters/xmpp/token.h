/* SPDX-License-Identifier: ISC */
#ifndef XA_TOKEN_H
#define XA_TOKEN_H

/*
 * The return token: what it takes to answer an XMPP sender, sent along with
 * the message, so that no table of messages is kept (DESIGN 7).
 */

#include <stdbool.h>

#include "prim/buf.h"
#include "prim/slice.h"

/* What the XMPP side said. */
enum xa_token_kind {
	XA_TOKEN_MESSAGE,
	/* An iq of registration, see register.h. */
	XA_TOKEN_LINK,
	XA_TOKEN_VERIFY,
	XA_TOKEN_UNLINK,
};

struct xa_token {
	enum xa_token_kind kind;
	bool wants_receipt;
	bool is_chat;
	struct prim_slice id;   /* of the stanza; may be empty */
	struct prim_slice from; /* the sender's full JID, as it came */
	struct prim_slice to;   /* whom the sender wrote to, as it came */
};

/* Appends `t`. False, and nothing appended, when it is longer than
 * BRIDGE_RETURN_MAX. */
bool xa_token_put(struct prim_buf *b, const struct xa_token *t);

/* Reads one back; `out` borrows from `store`, which is reset. False if it is
 * none of ours. */
bool xa_token_parse(struct prim_slice text, struct prim_buf *store,
    struct xa_token *out);

#endif
