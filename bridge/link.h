/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_LINK_H
#define BRIDGE_LINK_H

/*
 * One end of an adapter link: octets in, complete commands out. Both ends use
 * it, the core in host*.c and the adapter's process in plugin*.c.
 *
 * The link speaks strict PRIM/1.0 (DESIGN 7). Here that means: exactly this
 * version, no empty line before a start line, nothing malformed, no body longer
 * than agreed, none without its Content-Type (PRIM-017). Which methods are heard
 * is the user's business. Without a descriptor it is a pure parser.
 */

#include <stdbool.h>
#include <stdint.h>

#include "bridge/chore.h"
#include "prim/buf.h"
#include "prim/command.h"

struct event;
struct event_base;
struct evbuffer;

struct br_link_ops {
	/* A complete command with its body; borrowed during the call. */
	void (*command)(void *ctx, const struct prim_command *c);
	/* Said once, after it nothing is: `why` is a static sentence, or NULL
	 * when the other end has closed. The link is closed already. */
	void (*gone)(void *ctx, const char *why);
};

struct br_link {
	struct br_chores *chores; /* borrowed: outlives us; NULL: it is read
	                             whenever there is something */
	struct br_chore reading;
	const struct br_link_ops *ops; /* borrowed: static */
	void *ctx;                     /* borrowed */
	uint64_t body_max;             /* octets; a longer body is a fault */
	size_t backlog_max;            /* octets that may wait to be sent */
	struct prim_buf in;            /* what is not a complete command yet */
	size_t scanned;                /* of the head in front of it */
	size_t wanted;                 /* octets it takes to go on */
	bool closed;
	bool overfull;          /* backlog_max was passed */
	int fd;                 /* owned; -1: there is none */
	struct event *readable; /* owned */
	struct event *writable; /* owned */
	struct evbuffer *out;   /* owned */
	struct prim_command command;
};

/* Without a descriptor: what is sent only collects in `out`. */
void br_link_init(struct br_link *l, const struct br_link_ops *ops, void *ctx);
/* May not be called from inside an op. */
void br_link_fini(struct br_link *l);

/* Takes `fd`, a stream socket, and begins to read; `chores` is set before. */
void br_link_open(struct br_link *l, struct event_base *base, int fd);
/* Hears and sends nothing more; calls no op. Idempotent. */
void br_link_close(struct br_link *l);

/* Octets came: the ops are called for all that is complete. */
void br_link_feed(struct br_link *l, struct prim_slice octets);
/* Takes what is in the socket now, up to its end. */
void br_link_drain(struct br_link *l);

/* Sends at the end of this turn of the loop; calls no op. A link that is closed
 * swallows it; one that has more than backlog_max waiting is gone soon. */
void br_link_send(struct br_link *l, struct prim_slice octets);
/* Sends what waits now, and waits for it at most `ms`. */
void br_link_flush(struct br_link *l, int ms);
/* Octets that wait to be sent. */
size_t br_link_waiting(const struct br_link *l);

#endif
