/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_TRANSIT_H
#define BRIDGE_TRANSIT_H

/*
 * The road of a message (DESIGN 4): from the SEND that brought it to its end.
 *
 *	live:    start ─> known? ─> recipient ─┬─> offered to listeners ──┬─ final ─> answer
 *	                                      └─> handed to an adapter ──┤
 *	                                          transient, silence ────┴─> commit ─> 101
 *	stored:  row read ──> offered or handed ──┬─ final ─> end of the row
 *	                                          └─ transient ─> back in its lane
 *
 * The sender is answered exactly once. What is heard after that settles the
 * row, never the sender.
 */

#include "bridge/message.h"
#include "bridge/outbox.h"
#include "bridge/peer.h"
#include "prim/inbox.h"
#include "prim/timer.h"

struct br_server;

/* Without a better rule an offline message is kept a week (reliability 4.7). */
#define BR_OFFLINE_KEEP_MS ((int64_t)7 * 24 * 3600 * 1000)

/* The same message again while the first waits: it gets the same answer. */
struct br_joint {
	LIST_ENTRY(br_joint) link;
	struct br_ticket ticket;
	char *id;   /* owned */
	char *echo; /* owned */
};

struct br_transit {
	TAILQ_ENTRY(br_transit) of_server; /* in the order of arrival */
	struct br_server *server;          /* borrowed: outlives us */
	struct br_message *message; /* owned reference; NULL while a row is
	                                  read */
	struct br_ticket ticket;
	LIST_HEAD(, br_joint) joints; /* owned */
	const struct br_route *route; /* borrowed; NULL for a row */
	struct br_dest *dest;         /* borrowed */
	struct br_lane *lane;         /* borrowed; NULL once it left `live` */
	struct br_row *row;           /* borrowed: the message is stored */
	struct br_entity *entity;     /* pinned, or NULL */
	struct br_site *site;         /* borrowed while untaken or holding */
	struct br_sender *sender;     /* charged, until there is a row */
	size_t charged;               /* octets */
	char *target; /* owned: key of the link it goes along; or NULL */
	struct prim_buf tried; /* keys of links that refused it, each with LF */
	struct prim_buf notice_from; /* owned: the store borrows it */
	struct prim_send send;
	struct prim_timer timer;
	TAILQ_ENTRY(br_transit) of_lane;
	TAILQ_ENTRY(br_transit) of_dest; /* handed or holding */
	struct prim_table_node by_key;
	struct prim_table_node by_delivery;
	int64_t answer_by_ms;
	unsigned late_code; /* heard before it was stored, or 0 */
	unsigned deaths;    /* for its row to be: see there */
	bool is_suspect;
	const char *reason; /* static: of the answer, for a client; or NULL */
	bool is_answered;   /* the sender has its answer, or there is none */
	bool is_waiting;    /* for the store or an entity */
	bool is_committing;
	bool is_noting;  /* its attempt is being written */
	bool is_telling; /* that another system has it is being written */
	bool is_handed;
	bool was_handed; /* once at least, while its sender waited */
	bool is_untaken; /* is_handed, and counts in its site */
	bool is_holding;
};

/* What dispatch knows of a SEND that is in order. */
struct br_transit_start {
	struct br_message *message; /* taken */
	struct br_peer *peer;
	enum prim_family family;
	const struct br_route *route; /* of the recipient */
};

/* A SEND begins its way. May answer at once. */
void br_transit_begin(struct br_server *s,
    const struct br_transit_start *start);

/* A message of the bridge's own begins its way: it is stored, then delivered as
 * any other that waits. `m` is taken. What cannot be stored is told in the log. */
void br_transit_post(struct br_server *s, struct br_message *m);

/* The store ended a message (br_store_on_end()); `arg` is the server. */
void br_transit_ended(void *arg, const struct br_store_message *m, bool failed);

/* A row's turn has come. */
void br_transit_redeliver(struct br_server *s, struct br_row *row);
/* Its time ran out in the middle of it: it ends now, or when it is back from who
 * has it. */
void br_transit_overdue(struct br_transit *t);

/* What the adapter host of `dest` says. */
void br_transit_report(struct br_server *s, struct br_dest *dest,
    const struct prim_digest *delivery, unsigned code, struct prim_slice text);
/* The adapter has taken a delivery. */
void br_transit_taken(struct br_server *s, struct br_dest *dest,
    const struct prim_digest *delivery);
void br_transit_host_down(struct br_server *s, struct br_dest *dest);
void br_transit_host_room(struct br_server *s, struct br_dest *dest);

/* The server stops: everything whose sender waits is committed or refused. */
void br_transit_stop_all(struct br_server *s);

/* Releases all that is still on its way, without a word: the process ends, the
 * connections are gone, the store has no more callbacks to make. */
void br_transit_free_all(struct br_server *s);

/* The message of an offer. */
struct br_message *br_transit_message(const struct prim_offer *offer);

#endif
