/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_DISPATCH_H
#define BRIDGE_DISPATCH_H

/*
 * What a request does: check, then do (spec C.0 from step 8 on). One place for
 * every kind of peer; they differ in whom they may speak for.
 */

#include "prim/command.h"

struct br_conn;
struct br_host;
struct br_server;

/* A request of a logged-in client that passed prim/session.h. */
void br_dispatch_client(struct br_conn *conn, const struct prim_command *c);

/* A request of an adapter. */
void br_dispatch_adapter(struct br_server *s, struct br_host *host,
    const struct prim_command *c);

#endif
