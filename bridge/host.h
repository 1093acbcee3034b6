/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_HOST_H
#define BRIDGE_HOST_H

/*
 * One adapter, seen from the core: its process, kept alive, and the strict
 * PRIM/1.0 link to it (DESIGN 2, 7).
 *
 *	stopped -> starting (CONFIG sent) -> ready (READY came) -> stopped ...
 *	                                      up / down by WINDOW
 *
 * Death, a hang (a PING unanswered for 5 s) or a bad frame costs that process
 * only: it is killed by its id and started again after 100 ms, doubling to
 * 30 s, reset once it has been ready for a minute.
 */

#include <stdbool.h>

#include "bridge/config.h"
#include "bridge/message.h"
#include "bridge/peer.h"
#include "bridge/store.h"
#include "prim/address.h"
#include "prim/pending.h"

struct event_base;
struct br_host;

struct br_host_ops {
	/* The window opened: the queue may run. */
	void (*up)(void *ctx, struct br_host *h);
	/* WINDOW 0, death or hang: of all that was handed over and not
	 * reported nothing more will be heard. `died`: the process ended by
	 * itself, hung or broke a rule, and what it had is suspect. */
	void (*down)(void *ctx, struct br_host *h, bool died);
	/* A delivery was taken (the response to SEND; an immediate refusal
	 * comes as report). The adapter lived through it so far. Its report may
	 * have come before. Not said of what was the core's again by then. */
	void (*taken)(void *ctx, struct br_host *h,
	    const struct prim_digest *delivery);
	/* The PING that br_host_probe() asked for is answered. */
	void (*alive)(void *ctx, struct br_host *h);
	/* LINK: the principal ("im:...") that `address` ("im:...") is linked
	 * to, into `out`; false: it is not linked. */
	bool (*linked)(void *ctx, struct br_host *h, struct prim_slice address,
	    struct prim_buf *out);
	/* br_host_has_room() was false and is true again. */
	void (*room)(void *ctx, struct br_host *h);
	/* A delivery's fate, also for an immediate refusal. `text` is borrowed.
	 * Unknown or repeated ids are possible: the adapter may lie. */
	void (*report)(void *ctx, struct br_host *h,
	    const struct prim_digest *delivery, unsigned code,
	    struct prim_slice text);
	/* READY came: it hears presence from now on. */
	void (*ready)(void *ctx, struct br_host *h);
	/* The process that was ready has ended, and with it what it was asked:
	 * all who asked know. Once after each `ready`. */
	void (*gone)(void *ctx, struct br_host *h);
	/* br_host_ask() said no to a ready one, and there is room again for the
	 * most urgent that it refused. */
	void (*ask_room)(void *ctx, struct br_host *h);
	/* A request for the core: SEND, SUBSCRIBE, UNSUBSCRIBE, NOTIFY. The
	 * answer goes through a ticket on br_host_peer(). `c` is borrowed
	 * during the call. */
	void (*request)(void *ctx, struct br_host *h,
	    const struct prim_command *c);
};

struct br_host_context {
	struct event_base *base;        /* borrowed */
	struct br_chores *chores;       /* borrowed; NULL: see link.h */
	struct br_store *store;         /* borrowed: for STATE */
	const struct br_config *config; /* borrowed: the domains */
	const struct br_log *log;       /* borrowed: the parent */
	const struct br_host_ops *ops;  /* borrowed: static */
	void *ctx;                      /* borrowed */
	uint64_t body_max;              /* octets of a body we accept */
	int64_t (*now_ms)(void *ctx);   /* wall clock, never decreasing */
};

/* Starts nothing yet. `adapter` is borrowed; `sockets` (bound and listening,
 * adapter->listen_count of them) are the host's own and closed with it. */
struct br_host *br_host_new(const struct br_host_context *context,
    const struct br_config_adapter *adapter, const int *sockets);
void br_host_start(struct br_host *h);
/* DRAIN, then 3 s, then SIGKILL. `br_host_is_stopped` tells when it is over. */
void br_host_stop(struct br_host *h);
bool br_host_is_stopped(const struct br_host *h);
/* Kills the process if it lives; calls no op, but open questions are told.
 * Returns NULL; NULL is fine. */
struct br_host *br_host_free(struct br_host *h);

const char *br_host_name(const struct br_host *h);
struct br_peer *br_host_peer(struct br_host *h);
/* "stopped", "starting", "ready", "up", "draining": for status. */
const char *br_host_state(const struct br_host *h);
/* The process, or 0. */
int br_host_pid(const struct br_host *h);
unsigned br_host_deaths(const struct br_host *h);

/* Is the link up and its window (1,024 deliveries, 4 MiB, what the adapter
 * said) not full? O(1). */
bool br_host_is_up(const struct br_host *h);
bool br_host_has_room(const struct br_host *h);
/* Is there room for a delivery of `octets`? One that is larger than the window
 * goes alone. After a no `room` is said when there is more. */
bool br_host_fits(struct br_host *h, size_t octets);

/* How a delivery is handed over. */
struct br_host_handover {
	unsigned attempt; /* 1 for the first */
	/* "im:...": it goes there; To becomes Bridge-Original-To. Or empty. */
	struct prim_slice target;
	bool is_notice; /* its Return token goes with it */
};

/* Hands `m` over as SEND with its Delivery-ID, Attempt and Bridge-* headers;
 * the host takes a reference until the adapter has taken it. Only while
 * br_host_has_room(). */
void br_host_deliver(struct br_host *h, struct br_message *m,
    const struct br_host_handover *how);

/* A PING now, besides the regular ones: `alive` is called when it is answered.
 * Everything the adapter was given before, it has lived through then. Nothing
 * is said when it is not ready, or ends first. */
void br_host_probe(struct br_host *h);

/* Retries and delay notices, as the newest READY said, or the usual ones before
 * the first. */
struct br_schedule {
	unsigned pause_s[16]; /* the last is repeated */
	unsigned count;       /* > 0 */
	unsigned delay_notice_s;
};

const struct br_schedule *br_host_schedule(const struct br_host *h);

/* Asks for the canonical form of `uri` ("im:...") in its network. `fn`, once,
 * maybe from inside: the key, or NULL with a sentence for a person: it is no
 * address there, or the adapter does not run now. */
typedef void (*br_host_canonical_fn)(void *arg, const struct prim_key *key,
    const char *why);
void br_host_canonical(struct br_host *h, struct prim_slice uri,
    br_host_canonical_fn fn, void *arg);

/* ---- presence ---- */

#define BR_HOST_QUESTIONS_MAX 512

/* A request besides SEND. */
struct br_host_request {
	enum prim_method method; /* SUBSCRIBE, UNSUBSCRIBE, NOTIFY */
	struct prim_slice lines; /* header lines, each with CRLF */
	struct prim_slice body;
};

/* Is it ready (also while its foreign network is down)? */
bool br_host_is_ready(const struct br_host *h);
/* Would br_host_ask() with nothing reserved succeed now? */
bool br_host_may_ask(const struct br_host *h);
/* Sends `r`. `q` hears the answer, and NULL when the process ends first; it is
 * borrowed until then, or until br_host_forget(). `q` may be NULL: nobody wants
 * to know. False: it is not ready, or BR_HOST_QUESTIONS_MAX are unanswered, of
 * which `reserved` (0 for the most urgent) are for others, or they are 4 MiB
 * together (less with `reserved`); nothing was sent. */
bool br_host_ask(struct br_host *h, const struct br_host_request *r,
    unsigned reserved, struct prim_question *q);
/* `q` is not wanted any more. Harmless when it is not open. */
void br_host_forget(struct br_host *h, struct prim_question *q);

#endif
