/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_ERRAND_H
#define BRIDGE_ERRAND_H

/*
 * A request whose answer has to wait, for the store, an entity or an adapter.
 * First member of a struct that says what for. Its peer may go before it.
 */

#include "bridge/peer.h"

struct br_server;

struct br_errand {
	struct br_server *server; /* borrowed: outlives us */
	struct br_ticket ticket;
	enum prim_family family; /* of the request */
	char *id;                /* owned */
	char *echo;              /* owned */
};

/* Repeats the request's Duration as it came. */
#define BR_ERRAND_AS_ASKED INT64_MIN

/* A zeroed errand of `size` octets for request `c`. Its answer repeats the
 * headers of `c`, with `granted_s` as Duration. */
void *br_errand_new(struct br_server *s, struct br_peer *peer,
    const struct prim_command *c, size_t size, int64_t granted_s);
/* Does anybody still wait for the answer? */
bool br_errand_is_open(const struct br_errand *e);
/* Answers. `extra`: header lines, each with CRLF. Harmless the second time. */
void br_errand_answer(struct br_errand *e, unsigned code,
    struct prim_slice extra, struct prim_slice body);
/* Frees it, whatever its size; answered or not. Returns NULL. */
void *br_errand_free(struct br_errand *e);
/* Answers with a bare code and frees. */
void br_errand_end(struct br_errand *e, unsigned code);

/* Answers `c` at once, with the headers it repeats. */
void br_errand_refuse(struct br_peer *peer, const struct prim_command *c,
    unsigned code);

#endif
