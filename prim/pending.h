/* SPDX-License-Identifier: ISC */
#ifndef PRIM_PENDING_H
#define PRIM_PENDING_H

/*
 * Our own requests on one connection that have no response yet (PRIM-033..035).
 * Identifiers are a counter, so that finding the request of a response is one
 * look into a ring.
 */

#include <stdbool.h>
#include <stdint.h>

#include "prim/slice.h"

struct prim_command;

/* A request of ours, embedded in whatever wants the answer: what is put into a
 * struct prim_pending, or asked of an adapter. */
struct prim_question {
	/* The response; NULL: there will be none. The question is open no more. */
	void (*answered)(struct prim_question *q, const struct prim_command *c);
	uint64_t id; /* 0: not asked */
};

struct prim_pending {
	void **slots;   /* owned ring of borrowed things; NULL: forgotten */
	unsigned size;  /* a power of two, or 0 */
	uint64_t first; /* the oldest id that may be in the ring */
	uint64_t next;  /* the id the next request gets */
};

void prim_pending_init(struct prim_pending *p);
void prim_pending_fini(struct prim_pending *p);

/* How many ids are between the oldest unanswered one and the newest. */
unsigned prim_pending_span(const struct prim_pending *p);

/* Remembers `thing` (not NULL) and returns the id of its request. */
uint64_t prim_pending_put(struct prim_pending *p, void *thing);
/* Takes what belongs to `id`; NULL when nothing does (any more). */
void *prim_pending_take(struct prim_pending *p, uint64_t id);
/* The same for the text of an id. */
void *prim_pending_take_text(struct prim_pending *p, struct prim_slice id);
/* Takes the oldest thing; NULL when there is none. */
void *prim_pending_take_first(struct prim_pending *p);

#endif
