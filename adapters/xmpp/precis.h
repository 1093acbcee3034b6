/* SPDX-License-Identifier: ISC */
#ifndef XA_PRECIS_H
#define XA_PRECIS_H

/*
 * The localpart of a JID: PRECIS UsernameCaseMapped (RFC 8265 3.3) with what
 * RFC 7622 3.3 takes away. The character tables are ICU's.
 */

#include <stdbool.h>

#include "prim/buf.h"
#include "prim/slice.h"

/* Octets of a localpart, and of what may be mapped. */
#define XA_LOCAL_MAX      1023
#define XA_PRECIS_MAP_MAX 2048

/* Appends `text` with the mappings done: wide and narrow forms, lower case,
 * NFC. False if it is over-long or not UTF-8; nothing was appended then. */
bool xa_precis_map(struct prim_buf *b, struct prim_slice text);

/* Is `local`, mapped and escaped, a localpart? */
bool xa_precis_local_ok(struct prim_slice local);

#endif
