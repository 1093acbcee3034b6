/* SPDX-License-Identifier: ISC */
#ifndef PRIM_UTF8_H
#define PRIM_UTF8_H

/*
 * UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above
 * U+10FFFF.
 */

#include "prim/buf.h"
#include "prim/slice.h"

/* Is all of `s` UTF-8? Eight octets at a time while it is ASCII. */
bool prim_utf8_ok(struct prim_slice s);

/* Takes one character off the front of `s`. False when `s` is empty or does
 * not begin with one; `s` is then untouched. */
bool prim_utf8_next(struct prim_slice *s, uint32_t *out_char);

/* Appends a character: at most U+10FFFF and no surrogate. */
void prim_utf8_put(struct prim_buf *b, uint32_t c);

#endif
