/* SPDX-License-Identifier: ISC */
#ifndef ECHO_CONTENT_H
#define ECHO_CONTENT_H

/*
 * What of a message comes back: its content, under new names where the content
 * itself says whom it is from. And what a watcher sees. Pure.
 */

#include "bridge/adapter.h"
#include "prim/buf.h"

/* Appends the body of the echo of `m`. False: `m` has none. It is a notice, or
 * from somebody who only sends such, and an automaton that answers automata
 * talks for ever; or it is no message/cpim though it says so. */
bool ea_content_put(struct prim_buf *out, const struct bridge_message *m);

/* Appends the presence of `presentity`, which is always open, as
 * application/pidf+xml. */
void ea_content_put_open(struct prim_buf *out, struct prim_slice presentity);

#endif
