/* SPDX-License-Identifier: ISC */
#ifndef XA_CHARSET_H
#define XA_CHARSET_H

/* Text in another character set, made UTF-8. */

#include "prim/buf.h"
#include "prim/slice.h"

enum xa_charset_status {
	XA_CHARSET_OK,
	XA_CHARSET_UNKNOWN, /* no set we convert */
	XA_CHARSET_BAD,     /* the octets are not of that set */
};

/* Appends `octets` as UTF-8. An empty name is UTF-8. Known are also us-ascii,
 * iso-8859-1 and windows-1250 to -1258. */
enum xa_charset_status xa_charset_put(struct prim_buf *b,
    struct prim_slice name, struct prim_slice octets);

#endif
