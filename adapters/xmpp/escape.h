/* SPDX-License-Identifier: ISC */
#ifndef XA_ESCAPE_H
#define XA_ESCAPE_H

/*
 * XEP-0106: the characters a localpart cannot hold, written as \20 \22 \26 \27
 * \2f \3a \3c \3e \40, and \5c where a backslash would read as one of these.
 */

#include <stdbool.h>

#include "prim/buf.h"
#include "prim/slice.h"

void xa_escape_put(struct prim_buf *b, struct prim_slice plain);
void xa_escape_undo(struct prim_buf *b, struct prim_slice escaped);

/* A localpart neither begins nor ends with \20. */
bool xa_escape_edges_ok(struct prim_slice escaped);

#endif
