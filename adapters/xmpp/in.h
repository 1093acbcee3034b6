/* SPDX-License-Identifier: ISC */
#ifndef XA_IN_H
#define XA_IN_H

/*
 * XMPP to PRIM: a <message/> becomes a SEND whose body is message/cpim. Pure:
 * what it needs to know comes in the context, what it makes borrows from the
 * workspace.
 *
 * In two steps, because who the sender is must be asked in between: the first
 * says whether there is anything to ask for, the second builds.
 */

#include <stdbool.h>
#include <stdint.h>
#include <strophe.h>

#include "adapters/xmpp/errors.h"
#include "bridge/adapter.h"
#include "prim/buf.h"

#define XA_IN_BODY_MAX 65536 /* octets of text */
#define XA_IN_NICK_MAX 255

struct xa_in_context {
	struct prim_slice host;    /* of the component the stanza came to */
	struct prim_slice gateway; /* the gateway's domain, or empty */
	bool is_gateway;           /* it came to the gateway's component */
	int64_t now_ms;            /* wall clock */
	uint64_t random; /* fresh, for ids where there are no good ones */
	/* "im:...": whose account the sender's address is linked to; or empty.
	 * Not for the first step. */
	struct prim_slice principal;
	/* Is a sender of `domain` known to PRIM under its own name? */
	bool (*routes)(void *ctx, struct prim_slice domain);
	void *ctx;
};

enum xa_in_result {
	XA_IN_SUBMIT, /* there is something to send */
	XA_IN_IGNORE, /* nothing in it for PRIM */
	XA_IN_REFUSE, /* `error` and `why` are set */
};

/* Workspace and result. All zero is a fresh one. */
struct xa_in {
	/* After the second step; borrows from the buffers and the context. */
	struct bridge_message message;
	const struct xa_error *error; /* static */
	const char *why;              /* static */
	struct prim_buf from;         /* "im:...": the sender's own address */
	unsigned hops;
	struct prim_buf to, message_id, conversation_id, date, body, token,
	    text;
};

/* SUBMIT: `from` is set, and xa_in_translate() may still refuse. */
enum xa_in_result xa_in_check(struct xa_in *in, const struct xa_in_context *c,
    xmpp_stanza_t *stanza);
/* SUBMIT: `message` is set. */
enum xa_in_result xa_in_translate(struct xa_in *in,
    const struct xa_in_context *c, xmpp_stanza_t *stanza);
void xa_in_fini(struct xa_in *in);

#endif
