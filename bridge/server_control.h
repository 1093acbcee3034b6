/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_SERVER_CONTROL_H
#define BRIDGE_SERVER_CONTROL_H

/*
 * What a running server tells and does for the operator: the members of struct
 * br_control_ops (control.h), each with the server in place of the context.
 */

#include <jansson.h>

#include "bridge/control.h"

struct br_server;

/* All but "listeners", which are the daemon's. */
void br_server_status(struct br_server *s, json_t *into);
/* Sets the gauges that nobody keeps up to date. */
void br_server_gauges(struct br_server *s);
void br_server_outbox_state(struct br_server *s, int64_t seq, bool in_detail,
    json_t *into);
void br_server_canonical(struct br_server *s, const char *network,
    struct prim_slice uri, br_host_canonical_fn fn, void *arg);
void br_server_route_state(struct br_server *s,
    const struct br_control_way *way, json_t *into);

#endif
