/* SPDX-License-Identifier: ISC */
#ifndef PRIM_VISIBLE_H
#define PRIM_VISIBLE_H

/*
 * Foreign text made fit for a terminal: whatever could move the cursor, change
 * the terminal's state or the direction of the text, or pretend to be another
 * line, is written out as an escape. For eyes, not for programs: a backslash
 * stays a backslash.
 */

#include "prim/buf.h"
#include "prim/slice.h"

/* Appends `text` as one line: \n and \r are written out too; HTAB stays.
 * Controls and what is not UTF-8 become \xHH, characters that steer the
 * direction or break the line \u{HHHH}. */
void prim_visible_put(struct prim_buf *b, struct prim_slice text);

/* The same, but a line break (LF or CRLF) stays one and is followed by
 * `indent`, so that no later line looks like the first. */
void prim_visible_put_lines(struct prim_buf *b, struct prim_slice text,
    const char *indent);

#endif
