/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_PRESENCE_H
#define BRIDGE_PRESENCE_H

/*
 * Presence in the daemon (DESIGN 4): requests of clients and adapters, what
 * lasts of them, and NOTIFYs on their way.
 *
 *	who asks    about ours                   about somebody elsewhere
 *	client      presence_subscribe.c,        presence_waiting.c: has the
 *	            presence_publish.c           adapter asked, waits for it
 *	adapter     presence_subscribe.c         (refused: we relay no presence)
 *
 * and what lasts: subscription.c, publication.c, presence_remote.c.
 *
 * What a 200 promises is committed before it leaves.
 */

#include <stdbool.h>

#include "bridge/config.h"
#include "bridge/host.h"
#include "bridge/store.h"
#include "prim/command.h"
#include "prim/watch.h"

struct br_conn;
struct br_entity;
struct br_presence;
struct br_server;

#define BR_LEASE_MAX_S         2592000 /* 30 days; PRIM-217 */
#define BR_LEASE_DEFAULT_S     3600    /* of a PUBLISH without Duration */
#define BR_SUBSCRIPTION_ID_MAX 255     /* octets */
#define BR_WATCHERS_MAX        100000  /* of one presentity (505) */
#define BR_FOREIGN_WATCHES_MAX 1000000 /* by all behind one adapter */

/* The fan-out, the tables; asks the store who has to be resident. */
struct br_presence *br_presence_new(struct br_server *s);
/* Asks the store who has leases and watchers, and loads them. False with a
 * sentence. */
bool br_presence_load(struct br_presence *p, struct br_err *err);
/* The connections are gone and the store calls back no more: ends and frees
 * all. */
void br_presence_cancel(struct br_presence *p);
/* After the entities have gone. NULL is fine. Returns NULL. */
struct br_presence *br_presence_free(struct br_presence *p);

struct prim_fan *br_presence_fan(struct br_presence *p);

/* At the end of every turn of the loop: carries changes on. True: there is
 * more to do at once. */
bool br_presence_turn(struct br_presence *p);

/* What entities tell. */
extern const struct br_entity_ops br_presence_entity_ops;
extern const struct prim_presentity_ops br_presence_presentity_ops;

/* ---- requests ---- */

/* SUBSCRIBE, UNSUBSCRIBE, FETCH, PUBLISH, REMOVE of a logged-in client. */
void br_presence_client(struct br_conn *conn, const struct prim_command *c);
/* SUBSCRIBE, UNSUBSCRIBE, NOTIFY of an adapter. */
void br_presence_adapter(struct br_server *s, struct br_host *host,
    const struct prim_command *c);

/* ---- what happens to others ---- */

/* A client has logged in to the presence service: it is told what its principal
 * watches. */
void br_presence_login(struct br_conn *conn);
/* default_acl has changed: who may not watch any more is cancelled
 * (PRIM-195). */
void br_presence_acl_changed(struct br_presence *p);
/* The adapter with index `adapter` is ready; its process has ended; it has room
 * for questions again. */
void br_presence_host_ready(struct br_presence *p, unsigned adapter);
void br_presence_host_gone(struct br_presence *p, unsigned adapter);
void br_presence_host_room(struct br_presence *p, unsigned adapter);

#endif
