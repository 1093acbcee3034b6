/* SPDX-License-Identifier: ISC */
#ifndef XA_SETTLE_H
#define XA_SETTLE_H

/*
 * Which delivery a <message/> from the XMPP side speaks about, and what it says
 * of it. Only the recipient's own word counts: from its address (or its
 * server's), to the sender. Of a delivery that is no longer known here whoever
 * knows its id is believed: nobody else was given it.
 */

#include <strophe.h>

#include "adapters/xmpp/pending.h"

/* The status that `message` gives to a delivery that waits: 200 for a receipt,
 * the code of an error; 0 when it speaks about none. */
unsigned xa_settle_find(struct xa_pendings *p, xmpp_stanza_t *message,
    struct xa_pending **out_pending);

/* The status that `message` gives to a delivery that was handed over before and
 * does not wait any more, maybe never did: 200, or a 4xx: it is over, for no
 * server says an error and goes on trying. 0: it speaks about none. `out_id`
 * lives as long as the stanza. */
unsigned xa_settle_late(struct xa_pendings *p, xmpp_stanza_t *message,
    struct prim_slice *out_id);

/* For the operator: "receipt", or the condition of the error. Lives as long as
 * the stanza. */
const char *xa_settle_text(xmpp_stanza_t *message);

#endif
