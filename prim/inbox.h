/* SPDX-License-Identifier: ISC */
#ifndef PRIM_INBOX_H
#define PRIM_INBOX_H

/*
 * The inbox service: who listens to an inbox, and what becomes of a message
 * that was offered to several listeners (PRIM-237..251).
 *
 *	send ── offer ──> listener 1 ── answer ──┐
 *	     └─ offer ──> listener 2 ── answer ──┴─> the best one settles the send
 *
 * A send is settled once: at the first 200, or when every listener has
 * answered or gone, or when its owner says that time is up. Answers that come
 * later are told as late.
 *
 * Everything is embedded in the caller's objects or lent by it; the two sides
 * know each other and either may go first.
 */

#include <stdbool.h>
#include <sys/queue.h>

#include "prim/pending.h"
#include "prim/status.h"

struct prim_send;
struct prim_listener;

struct prim_inbox {
	TAILQ_HEAD(prim_listeners, prim_listener) listeners; /* borrowed */
	unsigned listener_count;
};

/* One copy of a message on its way to one listener. */
struct prim_offer {
	struct prim_question question; /* the owner's of the listener */
	struct prim_send *send; /* borrowed; NULL: nobody cares any more */
	struct prim_listener *listener; /* borrowed; NULL once it has gone */
	TAILQ_ENTRY(prim_offer) of_send;
	TAILQ_ENTRY(prim_offer) of_listener;
};

TAILQ_HEAD(prim_offers, prim_offer);

struct prim_inbox_ops {
	/* Writes the message of `send` to `listener` and returns true, or
	 * returns false when it cannot take it now (it is closing, its window
	 * is full) or at all (its Max-Content-Length). Must not settle. */
	bool (*offer)(struct prim_listener *listener, struct prim_offer *offer);
	/* The outcome: a code, or 0 when nobody gave an answer. Once a send. */
	void (*settled)(struct prim_send *send, unsigned code);
	/* An answer to a send that was settled before. */
	void (*late)(struct prim_send *send, unsigned code);
};

struct prim_listener {
	TAILQ_ENTRY(prim_listener) link;
	struct prim_inbox *inbox;  /* borrowed; NULL: listens to nothing */
	struct prim_offers offers; /* owned: asked and not answered */
	unsigned offer_count;
};

struct prim_send {
	const struct prim_inbox_ops *ops; /* borrowed: static */
	struct prim_offers offers;        /* owned: not answered yet */
	unsigned best;                    /* the best answer so far, or 0 */
	bool is_silent; /* a listener went without an answer */
	bool is_settled;
};

void prim_inbox_init(struct prim_inbox *inbox);
/* Asserts that nobody listens. */
void prim_inbox_fini(struct prim_inbox *inbox);
/* Does anybody listen (PRIM-239)? */
bool prim_inbox_is_open(const struct prim_inbox *inbox);

void prim_listener_init(struct prim_listener *l);
/* LISTEN. Doing it again changes nothing (PRIM-238). */
void prim_listener_start(struct prim_listener *l, struct prim_inbox *inbox);
/* SILENCE, or the connection's end. What it was asked stays asked while the
 * connection lives; false: it did not listen. */
bool prim_listener_stop(struct prim_listener *l);
/* The connection has gone: stops, and every unanswered offer counts as
 * silence. Sends may settle in here. */
void prim_listener_fini(struct prim_listener *l);

void prim_send_init(struct prim_send *s, const struct prim_inbox_ops *ops);
/* Offers to every listener of `inbox`, or only to its first one. Returns how
 * many took it. Never settles. */
unsigned prim_send_start(struct prim_send *s, struct prim_inbox *inbox,
    bool first_only);
/* Time is up: settles with the best answer so far, or 0 (DESIGN 11: silence).
 * Offers stay open for a late answer. Nothing happens if it is settled. */
void prim_send_expire(struct prim_send *s);
/* Does anybody still owe an answer? */
bool prim_send_is_asked(const struct prim_send *s);
/* Who owes an answer is asked after the others from now on. */
void prim_send_demote(struct prim_send *s);
/* The owner goes. Answers to its offers are dropped from here on. */
void prim_send_fini(struct prim_send *s);

/* The listener's connection got the response `code` to `offer`, which is
 * released. May settle its send, or tell it late. */
void prim_offer_answer(struct prim_offer *offer, unsigned code);

#endif
