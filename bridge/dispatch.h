/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_DISPATCH_H
#define BRIDGE_DISPATCH_H

/*
 * What a request does: check, then do (spec C.0 from step 8 on). One place for
 * every kind of peer; they differ in whom they may speak for.
 */

#include <stdbool.h>

#include "prim/address.h"
#include "prim/command.h"

struct br_conn;
struct br_host;
struct br_peer;
struct br_server;

/* Step 9: may `peer` speak for `who` (DESIGN 6, realm)? A client for its
 * principal; an adapter for what would be routed to it. */
bool br_dispatch_may_speak(const struct br_server *s,
    const struct br_peer *peer, const struct prim_key *who);

/* A request of a logged-in client that passed prim/session.h. */
void br_dispatch_client(struct br_conn *conn, const struct prim_command *c);

/* A request of an adapter. */
void br_dispatch_adapter(struct br_server *s, struct br_host *host,
    const struct prim_command *c);

/* A SEND. `c` is borrowed during the call; the answer may come later. */
void br_dispatch_send(struct br_server *server, struct br_peer *peer,
    const struct prim_command *c);
/* Has it a header that only the bridge may set? */
bool br_dispatch_has_bridge_header(const struct prim_command *c);

#endif
