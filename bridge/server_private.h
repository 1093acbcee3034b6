/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_SERVER_PRIVATE_H
#define BRIDGE_SERVER_PRIVATE_H

/*
 * What server.c (the parts, their life), server_hosts.c (the adapters),
 * server_account.c (accounts) and server_notice.c (notices) know of each other.
 */

#include "bridge/server.h"

/* Makes the adapter hosts; `sockets` as in struct br_server_options. */
void br_server_hosts_make(struct br_server *s, const int *sockets);
void br_server_hosts_stop(struct br_server *s);
bool br_server_hosts_are_stopped(const struct br_server *s);
void br_server_hosts_free(struct br_server *s);

/* A notice was stored (br_store_on_notice()). */
void br_server_notice(void *arg, const struct br_store_message *m, bool failed);
/* Those that are not in the outbox yet; the store makes no more callbacks. */
void br_server_notices_free(struct br_server *s);

#endif
