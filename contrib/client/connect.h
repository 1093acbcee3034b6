/* SPDX-License-Identifier: ISC */
#ifndef CLIENT_CONNECT_H
#define CLIENT_CONNECT_H

/*
 * From a name to a connected socket.
 */

#include <stdbool.h>
#include <stdint.h>

#include "contrib/client/err.h"

/* A connected, non-blocking socket, the caller's; tries each address of `host`
 * until the deadline. -1 with a sentence. `out_is_loopback`: the address is of
 * this machine (127.0.0.0/8, ::1). */
int cl_connect_open(const char *host, const char *port, int64_t deadline_ms,
    bool *out_is_loopback, struct cl_err *err);

#endif
