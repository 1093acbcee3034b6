/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_SERVER_H
#define BRIDGE_SERVER_H

/*
 * The core: what its parts share. One loop, one thread. Each part is a file of
 * its own and sees the others through their headers; this struct is where they
 * find each other.
 */

#include <stdbool.h>
#include <stdint.h>

#include "bridge/auth.h"
#include "bridge/chore.h"
#include "bridge/clock.h"
#include "bridge/config.h"
#include "bridge/dedup.h"
#include "bridge/entity.h"
#include "bridge/err.h"
#include "bridge/history.h"
#include "bridge/host.h"
#include "bridge/identity.h"
#include "bridge/log.h"
#include "bridge/message.h"
#include "bridge/router.h"
#include "bridge/store.h"
#include "bridge/tls.h"
#include "prim/session.h"
#include "prim/timer.h"

struct br_conn;
struct br_ending;
struct br_loops;
struct br_outbox;
struct br_presence;
struct br_service;
struct br_told;
struct br_transit;
struct event;
struct event_base;

/* DESIGN 4: parked SENDs. */
#define BR_PARKED_MAX        1024 /* a peer */
#define BR_PARKED_OCTETS_MAX (4U << 20)
#define BR_PARKED_TOTAL_MAX  (256U << 20)

#define BR_LISTENER_WITHIN_MS 5000 /* a listener's or adapter's answer */

struct br_server {
	struct event_base *base;        /* borrowed */
	const struct br_config *config; /* borrowed: outlives us */
	struct br_log log;
	struct br_clock clock;
	struct prim_wheel wheel;
	struct br_chores chores;
	struct br_chores *paced;          /* those; NULL while the clock is
	                                     turned by hand: nothing waits */
	struct event *wheel_event;        /* owned */
	int64_t wheel_due_ms;             /* what it is set to */
	struct br_store *store;           /* owned */
	struct br_auth *auth;             /* owned */
	struct br_tls *tls;               /* owned */
	struct br_router *router;         /* owned */
	struct br_presence *presence;     /* owned */
	struct br_entities *entities;     /* owned */
	struct br_dedup *dedup;           /* owned */
	struct br_outbox *outbox;         /* owned */
	struct br_loops *loops;           /* owned */
	struct br_identities *identities; /* owned */
	struct br_service *service;       /* owned */
	struct br_history *history;       /* owned; NULL: there is none */
	const char
	    *data_dir; /* borrowed: where the store is; NULL: in memory */
	struct br_host **hosts; /* owned: one a configured adapter */
	struct br_message_keys keys;
	struct prim_session_policy policy;

	/* Messages whose sender waits: by duplicate key, and how many. */
	struct prim_table live;
	size_t parked_octets;
	TAILQ_HEAD(, br_transit) transits; /* owned: all on their way */
	LIST_HEAD(, br_ending) endings;    /* owned: not written yet */
	unsigned late_reports;             /* of those */
	LIST_HEAD(,
	    br_told) told; /* owned: notices whose reader is looked up */
	/* Messages an adapter has: by Delivery-ID. */
	struct prim_table handed;

	TAILQ_HEAD(, br_conn) conns;  /* owned */
	TAILQ_HEAD(, br_conn) dying;  /* owned: freed at the top of the loop */
	TAILQ_HEAD(, br_conn) doomed; /* of conns: to be closed there */
	unsigned conn_count;
	uint64_t conn_serial;
	struct prim_table addresses; /* owned: connections an address */
	struct prim_hash_key seed;   /* of tables a peer can name keys in */
	struct prim_timer expire;    /* of old duplicate keys */
	struct prim_timer checkup;
	int64_t store_errors_seen; /* at the last checkup */
	bool is_ill;               /* there were new ones then */
	int64_t started_ms;
	int64_t stop_by_ms;
	bool stopping;
};

struct br_server_options {
	struct event_base *base;
	const struct br_config *config;
	const char *data_dir; /* ":memory:" for tests */
	int64_t by_hand_ms;   /* not 0: the clock is turned by hand */
	/* Bound and listening sockets of every adapter, listen_count each, one
	 * after the other; NULL when no adapter listens. Taken. */
	const int *adapter_sockets;
};

/* Opens the store, makes every part, loads the outbox. NULL with a sentence. */
struct br_server *br_server_new(const struct br_server_options *options,
    struct br_err *err);

/* Starts the adapters. */
void br_server_start(struct br_server *s);

/* SIGTERM: hears nothing new, commits what is parked and answers it, drains
 * the adapters. br_server_is_stopped() tells when it is over; at the latest
 * after 4 s it is, whatever is left. */
void br_server_stop(struct br_server *s);
bool br_server_is_stopped(const struct br_server *s);

struct br_server *br_server_free(struct br_server *s);

/* After every turn of the loop: timers, the dead, the log. */
void br_server_turn(struct br_server *s);
/* The loop woke: reads the clock. Whoever hears the world says so first; the
 * loop may have slept for long, and deadlines count from now. */
void br_server_wake(struct br_server *s);

/* Reads the certificates again. */
bool br_server_reload(struct br_server *s, struct br_err *err);

/* The configuration has been changed in place: what follows from it is done. */
void br_server_adopted(struct br_server *s);

/* The account `key` was made, changed or removed. Of one that is gone the
 * connections end, and what waits in its inbox. */
void br_server_account_changed(struct br_server *s, struct prim_slice key);

/* Which way `key` goes (DESIGN 6): along its link if it has one, else as its
 * domain does. NULL: nowhere. */
const struct br_route *br_server_route(const struct br_server *s,
    struct prim_slice key);

/* NULL, or a static sentence that says what is wrong. */
const char *br_server_health(const struct br_server *s);

static inline int64_t br_server_now(const struct br_server *s)
{
	return s->clock.now_ms;
}

#endif
