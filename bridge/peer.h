/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_PEER_H
#define BRIDGE_PEER_H

/*
 * Whoever may hand us a request and wants an answer: a client's connection, a
 * PRIM server's, an adapter host. Embedded in each of them.
 *
 * A ticket is a question that has not been answered. Whoever will answer owns
 * it; the peer only knows it, so that a peer may go before its answer comes.
 */

#include <stdint.h>

#include "bridge/log.h"
#include "prim/astrength.h"
#include "prim/base.h"
#include "prim/buf.h"
#include "prim/command.h"

enum br_peer_kind {
	BR_PEER_CLIENT,
	BR_PEER_SERVER,
	BR_PEER_ADAPTER,
};

struct br_peer;

struct br_peer_ops {
	/* Sends one complete response. May be called from inside a request. */
	void (*respond)(struct br_peer *peer, struct prim_slice response);
};

struct br_ticket {
	LIST_ENTRY(br_ticket) of_peer;
	struct br_peer *peer; /* borrowed; NULL once it has gone, or settled */
	enum prim_family family;
	struct prim_slice id;   /* borrowed from the ticket's owner */
	struct prim_slice echo; /* borrowed: header lines, each with CRLF */
	size_t octets;          /* that the peer is charged for it */
};

LIST_HEAD(br_ticket_list, br_ticket);

struct br_peer {
	enum br_peer_kind kind;
	const struct br_peer_ops *ops; /* borrowed: static */
	const char *origin;            /* borrowed: "client", "server" or the
	                                  adapter's name */
	struct br_log log;
	enum prim_astrength strength;  /* of this link */
	struct br_ticket_list tickets; /* borrowed: open questions */
	unsigned ticket_count;
	size_t ticket_octets; /* charged for them */
};

void br_peer_init(struct br_peer *p, enum br_peer_kind kind,
    const struct br_peer_ops *ops, const char *origin);
/* How sure we are of who sent `c` (PRIM-138..141): never more than the link.
 * From a client nothing said means the link, from others none. */
enum prim_astrength br_peer_strength(const struct br_peer *p,
    const struct prim_command *c);
/* The peer goes: its open tickets will be answered to nobody. */
void br_peer_fini(struct br_peer *p);

/* Opens `t` for a request with `id` ("-": nobody is told). `id` and `echo` are
 * borrowed as long as the ticket is open. */
void br_ticket_open(struct br_ticket *t, struct br_peer *p,
    enum prim_family family, struct prim_slice id, struct prim_slice echo);

/* Charges the peer `octets` of memory until the ticket is closed. */
void br_ticket_charge(struct br_ticket *t, size_t octets);

/* Answers: a response with `code`, the echo lines, `extra` lines (each with
 * CRLF), and `body`. Closes the ticket; harmless when it is closed. */
void br_ticket_settle(struct br_ticket *t, unsigned code,
    struct prim_slice extra, struct prim_slice body);

/* Closes without an answer. */
void br_ticket_close(struct br_ticket *t);

#endif
