/* SPDX-License-Identifier: ISC */
#ifndef XA_LEG_PRIVATE_H
#define XA_LEG_PRIVATE_H

/* What leg.c (the link, its clock, what comes in) and leg_deliver.c (what goes
 * out and what becomes of it) share. */

#include "adapters/xmpp/leg.h"

int64_t xa_leg_now(const struct xa_leg *leg);
/* Sets the clock to whatever is due next. */
void xa_leg_arm(struct xa_leg *leg);

/* ---- leg_deliver.c ---- */

/* When there is something to do here; INT64_MAX: nothing. */
int64_t xa_leg_deliver_due(const struct xa_leg *leg);
/* Does what is due: raises the fence, reports what it has let pass. */
void xa_leg_deliver_tick(struct xa_leg *leg);
/* Of all that was sent the server may have read nothing. */
void xa_leg_deliver_lost(struct xa_leg *leg);
/* What `message` says about a delivery, now or of one that was handed over
 * before. */
void xa_leg_deliver_hear(struct xa_leg *leg, xmpp_stanza_t *message);

#endif
