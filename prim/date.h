/* SPDX-License-Identifier: ISC */
#ifndef PRIM_DATE_H
#define PRIM_DATE_H

/*
 * The two spellings of an instant: RFC 1123 in command headers (ERR-110,
 * ERR-111) and RFC 3339 in message/cpim, PIDF and XMPP. Instants are
 * milliseconds since 1970 UTC; no function here reads a clock.
 */

#include "prim/buf.h"
#include "prim/slice.h"

/* "Thu, 30 Mar 2000 09:59:34 -0500". Any amount of SP, seconds optional, GMT,
 * UT, UTC or Z for +0000, the weekday optional and ignored; years 1970..9999
 * with four digits. */
bool prim_date_parse_1123(struct prim_slice s, int64_t *out_ms);
/* Appends "Thu, 30 Mar 2000 14:59:34 +0000". */
void prim_date_put_1123(struct prim_buf *b, int64_t ms);

/* "2000-03-30T09:59:34.25-05:00"; T and Z in either case; a leap second 60 is
 * read as the second after 59. Fractions beyond milliseconds are cut. */
bool prim_date_parse_3339(struct prim_slice s, int64_t *out_ms);
/* Appends "2000-03-30T14:59:34Z", with ".250" when ms are not 0. */
void prim_date_put_3339(struct prim_buf *b, int64_t ms);

#endif
