/* SPDX-License-Identifier: ISC */
#ifndef XA_IDNA_H
#define XA_IDNA_H

/*
 * Domain names: A-labels on the PRIM side (DESIGN 11), U-labels on the XMPP
 * side. Address literals are no domains here.
 */

#include <stdbool.h>

#include "prim/buf.h"
#include "prim/slice.h"

/* Appends `domain` in lower-case A-labels, without a trailing dot. False, and
 * nothing appended, when it is not a domain name. */
bool xa_idna_to_ascii(struct prim_buf *b, struct prim_slice domain);

/* Appends `domain`, given in A-labels, in U-labels. */
bool xa_idna_to_unicode(struct prim_buf *b, struct prim_slice domain);

#endif
