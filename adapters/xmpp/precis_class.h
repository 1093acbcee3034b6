/* SPDX-License-Identifier: ISC */
#ifndef XA_PRECIS_CLASS_H
#define XA_PRECIS_CLASS_H

/*
 * Which characters a PRECIS identifier may hold, and in which company:
 * IdentifierClass (RFC 8264 4.2, 8, 9; contextual rules of RFC 5892 A) and the
 * Bidi rule (RFC 5893 2).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Stricter in one place: a joiner is allowed only behind a virama. */
bool xa_precis_identifier_ok(const uint32_t *chars, size_t count);

bool xa_precis_bidi_ok(const uint32_t *chars, size_t count);

#endif
