/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_LISTENER_H
#define BRIDGE_LISTENER_H

/*
 * Listening sockets: bound first (while primd may still be root), heard later.
 */

#include <stdbool.h>

#include "bridge/config.h"
#include "bridge/err.h"

struct br_listener;
struct br_server;

/* A bound, listening, non-blocking socket, or -1 with a sentence that says who
 * may be in the way. */
int br_listener_bind(const struct br_endpoint *endpoint, struct br_err *err);

/* Accepts on `fd`, which is its own. The address it really has is logged:
 * "listening address=127.0.0.1:7746 tls=no". */
struct br_listener *br_listener_start(struct br_server *s, int fd, bool is_tls);
/* "127.0.0.1:7746", with the port it really has. Borrowed. */
const char *br_listener_address(const struct br_listener *l);
/* NULL is fine; returns NULL. */
struct br_listener *br_listener_stop(struct br_listener *l);

#endif
