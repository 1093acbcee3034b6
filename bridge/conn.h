/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_CONN_H
#define BRIDGE_CONN_H

/*
 * A client's connection: the glue between a socket, a session (prim/session.h)
 * and the server. Thin: what is allowed is decided in prim/, what is done in
 * dispatch.h.
 *
 * It dies in three steps: br_conn_close() stops reading and says goodbye to all
 * who know it; what is written leaves, and the other end closes too (or short
 * timers give up); it is freed when the loop is back at the top
 * (br_conn_reap()). Whoever writes to it is in the midst of something, so a
 * write that ends it only dooms it: the rest happens at the top of the loop.
 */

#include "bridge/peer.h"
#include "bridge/server.h"
#include "prim/inbox.h"
#include "prim/session.h"
#include "prim/timer.h"
#include "prim/watch.h"

struct bufferevent;

#define BR_CONN_ADDRESS_MAX 48

struct br_conn {
	TAILQ_ENTRY(br_conn) link;
	TAILQ_ENTRY(br_conn) of_doomed;
	struct br_server *server; /* borrowed: owns us */
	struct br_peer peer;
	struct prim_session session;
	struct bufferevent *bev;           /* owned */
	struct br_auth_exchange *exchange; /* owned by the authentication */
	struct br_entity *entity; /* pinned: the principal, once it is known */
	struct prim_listener listener;
	struct prim_outlet outlet; /* open while it is logged in to presence */
	struct prim_timer timer;   /* login deadline, idle probe, last words */
	size_t scanned;            /* of the head that is not complete */
	uint64_t need;             /* octets to wait for before looking again */
	uint64_t skip;             /* octets of a refused body still to come */
	int64_t heard_ms;          /* when something came last */
	const char *doom; /* static: why it is closed soon; nothing is written
	                     to it any more; or NULL */
	char address[BR_CONN_ADDRESS_MAX]; /* of the other end */
	bool is_finishing; /* LOGOUT: closes when all is answered */
	bool is_closing;
	bool is_handshaking;
	bool is_tls_started;
	bool is_drained; /* its last words are out */
	bool is_left;    /* the other end closed, or is lost */
	bool is_lingering;
	bool is_counted; /* among the connections of its address */
};

/* A new connection on `fd`, which is its own. `address` is the other end's, for
 * log and limits. Closes `fd` when a limit refuses it. */
void br_conn_accept(struct br_server *s, int fd, const char *address,
    bool is_tls);
/* The same on a bufferevent of a test. */
struct br_conn *br_conn_open(struct br_server *s, struct bufferevent *bev,
    const char *address);

/* Begins its death. Idempotent. `why` is for the log. */
void br_conn_close(struct br_conn *c, const char *why);
/* Closes those that are doomed, frees those that are dead. */
void br_conn_reap(struct br_server *s);

/* Its principal is `e`, which stays while it does. */
void br_conn_keep(struct br_conn *c, struct br_entity *e);

/* prim_inbox_ops.offer: writes a SEND to the listener's connection. */
bool br_conn_offer(struct prim_listener *l, struct prim_offer *offer);

#endif
