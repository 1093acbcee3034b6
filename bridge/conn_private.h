/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_CONN_PRIVATE_H
#define BRIDGE_CONN_PRIVATE_H

/*
 * What the conn*.c files know of each other.
 */

#include "bridge/conn.h"

struct evbuffer;

#define BR_CONN_PROBE_AFTER_MS 120000 /* of silence */
#define BR_CONN_LAST_WORDS_MS  5000

extern const struct br_peer_ops br_conn_peer_ops;         /* conn_write.c */
extern const struct prim_session_ops br_conn_session_ops; /* conn_session.c */

/* ---- writing (conn_write.c) ---- */

/* Closes it when the loop is back at the top; until then nothing is written to
 * it. `why` is static. */
void br_conn_doom(struct br_conn *c, const char *why);
void br_conn_write(struct br_conn *c, struct prim_slice octets);
/* After a LOGOUT: the end, if all is answered. */
void br_conn_maybe_finish(struct br_conn *c);

/* What a client's response means to us. */
unsigned br_conn_code(unsigned code);

/* ---- reading (conn_read.c) ---- */

/* How far the socket may be read ahead of what is needed. */
void br_conn_set_mark(struct br_conn *c);
/* Takes one command, or a part, off the input. False: wait for more, or for
 * ever. May close `c`. */
bool br_conn_read_step(struct br_conn *c, struct evbuffer *in);

#endif
