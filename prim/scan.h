/* SPDX-License-Identifier: ISC */
#ifndef PRIM_SCAN_H
#define PRIM_SCAN_H

/*
 * Lines that end in CRLF, out of octets that may still be arriving. No octet
 * is looked at twice, however small the pieces are.
 */

#include "prim/slice.h"

struct prim_scan {
	struct prim_slice in; /* borrowed */
	size_t at;            /* everything before it is scanned */
	size_t line;          /* where the line at `at` begins */
	bool has_high;        /* an octet above 0x7f may have been seen */
	bool has_control;     /* a control other than HTAB stood in a line */
};

enum prim_scan_status {
	PRIM_SCAN_LINE,   /* `out_line` is set, without its CRLF */
	PRIM_SCAN_MORE,   /* no end of a line yet */
	PRIM_SCAN_BROKEN, /* NUL, a bare CR or a bare LF */
};

void prim_scan_init(struct prim_scan *s, struct prim_slice in);
enum prim_scan_status prim_scan_line(struct prim_scan *s,
    struct prim_slice *out_line);
/* After MORE: what there is of the line, without a CR at its end. */
struct prim_slice prim_scan_partial(const struct prim_scan *s);

#endif
