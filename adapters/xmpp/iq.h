/* SPDX-License-Identifier: ISC */
#ifndef XA_IQ_H
#define XA_IQ_H

/*
 * What every JID of a component must answer: disco#info, disco#items, ping,
 * version; anything else is service-unavailable. It never tells whether
 * somebody exists.
 */

#include <strophe.h>

#include "prim/slice.h"

/* The answer to an <iq/>, or NULL when there is none to give (results, errors,
 * no id). Release with xmpp_stanza_release(). */
xmpp_stanza_t *xa_iq_answer(xmpp_ctx_t *ctx, xmpp_stanza_t *iq);

#endif
