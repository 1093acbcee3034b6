/* SPDX-License-Identifier: ISC */
#ifndef XA_HOPS_H
#define XA_HOPS_H

/*
 * How many bridges a message has passed, told to the next one through XMPP, so
 * that bridges in a ring stop (DESIGN 6).
 */

#include <stdbool.h>
#include <strophe.h>

/* Who has passed so many goes no further. The core stops it, too, but with a
 * status that XMPP takes for a server that is away, which is tried again. */
#define XA_HOPS_MAX 16

void xa_hops_add(xmpp_stanza_t *message, unsigned hops);
/* The most that is said, 0 if nothing is. False: it is no number. */
bool xa_hops_read(xmpp_stanza_t *message, unsigned *out_hops);

#endif
