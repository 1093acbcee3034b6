/* SPDX-License-Identifier: ISC */
#ifndef XA_REGISTER_H
#define XA_REGISTER_H

/*
 * Registration (XEP-0077): an XMPP user links his address to a principal by the
 * form that every client can show. Optional, and without a password of ours:
 *
 *	username                  "link": a code goes to that principal
 *	username, password        "verify": the code came; key says the same
 *	remove                    "unlink"
 *
 * Nothing is kept here. What a form says becomes a line to im:primbridge, whose
 * answers come as messages. Pure.
 */

#include <stdbool.h>
#include <strophe.h>

#include "adapters/xmpp/errors.h"
#include "adapters/xmpp/token.h"
#include "prim/buf.h"

enum xa_register_result {
	XA_REGISTER_SHOW,   /* the form is asked for */
	XA_REGISTER_SAY,    /* `kind` and `words` are set */
	XA_REGISTER_REFUSE, /* `error` and `why` are set */
};

/* Workspace and result. All zero is a fresh one. */
struct xa_register {
	enum xa_token_kind kind;
	struct prim_buf words;        /* for im:primbridge */
	const struct xa_error *error; /* static */
	const char *why;              /* static */
};

/* Is it about registration with the bridge itself, and to be answered? */
bool xa_register_is(xmpp_stanza_t *iq);

/* What `iq`, which is, wants. `principal` is the one its sender is linked to
 * ("im:..."), or empty. */
enum xa_register_result xa_register_read(struct xa_register *r,
    xmpp_stanza_t *iq, struct prim_slice principal);
void xa_register_fini(struct xa_register *r);

/* The form; `domain` has principals. Release with xmpp_stanza_release(). */
xmpp_stanza_t *xa_register_form(xmpp_ctx_t *ctx, xmpp_stanza_t *iq,
    struct prim_slice principal, const char *domain);

/* The message to im:primbridge@`domain` that says `words`, as if the sender of
 * `iq` had written it. */
xmpp_stanza_t *xa_register_message(xmpp_ctx_t *ctx, xmpp_stanza_t *iq,
    struct prim_slice words, const char *domain, uint64_t random);

/* The head of the iq that `t` tells of. */
xmpp_stanza_t *xa_register_restore(xmpp_ctx_t *ctx, const struct xa_token *t);
/* That it is done. */
xmpp_stanza_t *xa_register_done(xmpp_ctx_t *ctx, xmpp_stanza_t *iq);

#endif
