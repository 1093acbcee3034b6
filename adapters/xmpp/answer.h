/* SPDX-License-Identifier: ISC */
#ifndef XA_ANSWER_H
#define XA_ANSWER_H

/*
 * What the sender of a stanza hears: an error, or a receipt. Errors and
 * results are never answered. Each gives a stanza to release, or NULL when
 * there is nothing to say.
 */

#include <strophe.h>

#include "adapters/xmpp/errors.h"
#include "adapters/xmpp/token.h"
#include "bridge/adapter.h"
#include "prim/imdn.h"

/* That a message or iq is refused; `text` is for whoever looks into it. */
xmpp_stanza_t *xa_answer_refused(xmpp_ctx_t *ctx, xmpp_stanza_t *stanza,
    const struct xa_error *error, const char *text);

/* What became of a message: 101 is nothing to tell, a notice may follow. */
xmpp_stanza_t *xa_answer_outcome(xmpp_ctx_t *ctx, const struct xa_token *t,
    const struct bridge_outcome *o);

/* What became, later, of one that was answered 101: it failed, or it was
 * delivered and its sender had asked for that. */
xmpp_stanza_t *xa_answer_notice(xmpp_ctx_t *ctx, const struct xa_token *t,
    const struct prim_imdn *n);

#endif
