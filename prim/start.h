/* SPDX-License-Identifier: ISC */
#ifndef PRIM_START_H
#define PRIM_START_H

/*
 * Start lines (PRIM-003, PRIM-004). For command.c; everybody else asks there.
 */

#include "prim/command.h"

/* Reads a start line without its CRLF. Sets is_response, family, major, minor,
 * version, method, method_name, id, body_len, code, phrase. */
bool prim_start_parse(struct prim_slice line, struct prim_command *out);

/* What can be known of a broken command, of which `in` is the beginning:
 * is_response, family, and the id if it had come whole. Looks no further than
 * the first octet that breaks the line, so that it doesn't matter how much had
 * arrived behind it. */
void prim_start_salvage(struct prim_slice in, struct prim_command *out);

#endif
