/* SPDX-License-Identifier: ISC */
#ifndef TESTS_TALK_WORLD_H
#define TESTS_TALK_WORLD_H

/*
 * A server in this process, its store in memory, its clock turned by hand, and
 * the far ends of its connections. Nothing happens but in a call, and a call
 * returns when nothing more would happen without another one.
 */

#include <openssl/ssl.h>
#include <stdbool.h>

#include "bridge/server.h"
#include "prim/buf.h"

#define TALK_CONNS    10
#define TALK_ENDS     (TALK_CONNS + 2) /* with those of adapters */
#define TALK_START_MS 1004356800000    /* Mon, 29 Oct 2001 12:00:00 +0000 */

struct talk_conn {
	int fd;               /* -1: not open on our side */
	struct br_host *host; /* borrowed: of an adapter's end, or NULL */
	SSL *ssl;             /* owned; NULL: in clear */
	struct prim_buf in;   /* all that came */
	size_t taken;         /* of it, by what was expected */
	struct prim_buf out;  /* not written yet */
	size_t waiting; /* octets the server had not read when we looked */
	bool was_opened;
	bool is_ended; /* by the server */
	bool is_deaf;  /* does not read */
};

struct talk_world {
	struct event_base *base;  /* owned */
	struct br_config *config; /* owned */
	struct br_server *server; /* owned */
	SSL_CTX *ssl_context;     /* owned; of our ends */
	char *challenge;          /* owned: of CRAM-MD5; NULL: the server's */
	char dir[64];             /* of the certificate; empty: none */
	bool by_octets;           /* what clients say comes in small pieces */
	struct talk_conn conns[TALK_ENDS];
};

/* Starts a server with this configuration and accounts alice, bob and carol,
 * whose passwords are "NAME secret". */
bool talk_world_open(struct talk_world *w, struct prim_slice config,
    struct br_err *err);
void talk_world_close(struct talk_world *w);

/* Makes the account NAME@prim.example. An empty password means "NAME secret". */
bool talk_world_account(struct talk_world *w, struct prim_slice name,
    struct prim_slice password);
/* Removes it, as the operator does. */
void talk_world_remove(struct talk_world *w, struct prim_slice name);

/* Links "ADDRESS" to NAME@prim.example, ends that, or sets where NAME is looked
 * for, as the operator does. False: refused. */
bool talk_world_link(struct talk_world *w, struct prim_slice name,
    struct prim_slice address);
bool talk_world_unlink(struct talk_world *w, struct prim_slice name,
    struct prim_slice address);
bool talk_world_order(struct talk_world *w, struct prim_slice name,
    struct prim_slice words);

/* Does what SIGHUP does, with this configuration. */
bool talk_world_reload(struct talk_world *w, struct prim_slice config,
    struct br_err *err);

/* Gives the server a certificate. */
bool talk_world_certify(struct talk_world *w, struct br_err *err);

/* Turns everything until it stands still. */
void talk_world_turn(struct talk_world *w);
/* Turns everything once, but what the store was asked stays unanswered. */
void talk_world_nudge(struct talk_world *w);
/* Turns the clock, timer by timer. */
void talk_world_advance(struct talk_world *w, int64_t ms);

/* Opens connection `c` from `address` (a number). */
void talk_conn_open(struct talk_world *w, struct talk_conn *c,
    const char *address);
/* The client goes; `half`: it only says that nothing more will come. */
void talk_conn_close(struct talk_world *w, struct talk_conn *c, bool half);
/* The client's half of the TLS handshake. */
bool talk_conn_secure(struct talk_world *w, struct talk_conn *c);
void talk_conn_say(struct talk_world *w, struct talk_conn *c,
    struct prim_slice octets);
/* The same, but nothing is turned. */
void talk_conn_put(struct talk_conn *c, struct prim_slice octets);
/* What came and was not taken. */
struct prim_slice talk_conn_unread(const struct talk_conn *c);

#endif
