/* SPDX-License-Identifier: ISC */
#ifndef CLIENT_STATE_H
#define CLIENT_STATE_H

/*
 * What somebody's presence says to a person at a terminal.
 */

#include "prim/buf.h"
#include "prim/command.h"
#include "prim/pidf.h"

struct json_t;

/* Reads the presence that `c` carries, a NOTIFY or an answer to SUBSCRIBE.
 * False with a static sentence in `*why`. */
bool cl_state_read(struct prim_pidf *p, const struct prim_command *c,
    const char **why);

/* Appends a line, or one for each tuple when there are several and one of them
 * is open: address, state, a note in quotes, what more there is in brackets.
 * Foreign text is made harmless. */
void cl_state_put(struct prim_buf *b, const char *address,
    const struct prim_pidf *p);

/* Sets "state" and, when there are any, "notes" and "tuples" of `object`. */
void cl_state_set(struct json_t *object, const struct prim_pidf *p);

#endif
