/* SPDX-License-Identifier: ISC */
#ifndef XA_TEXT_H
#define XA_TEXT_H

/*
 * What may stand in an XML stream. One octet that may not would make the
 * server close the stream for everybody, so nothing goes out unasked, and what
 * does not pass is refused, never mended (DESIGN 11).
 */

#include <stdbool.h>

#include "prim/slice.h"

/* Octets of an id we send or keep as it is. */
#define XA_TEXT_ID_MAX 255

/* Is `s` UTF-8 made of XML 1.0 characters only? */
bool xa_text_ok(struct prim_slice s);

/* Is `s` 1..max octets of visible ASCII? */
bool xa_text_token_ok(struct prim_slice s, size_t max);

/* Has `s` the form of a language tag (RFC 5646): letters, then subtags of 1 to
 * 8 letters and digits, at most 35 octets? */
bool xa_text_language_ok(struct prim_slice s);

#endif
