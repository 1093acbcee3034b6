/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_ASK_H
#define BRIDGE_ASK_H

/*
 * The requests that one end of an adapter link has sent and that are not
 * answered. Their ids count up; each is found in a ring by its id, in O(1).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "prim/slice.h"

#define BR_ASK_ID_MAX 20 /* digits */

struct br_ask {
	uint64_t id;   /* 0: the place is free */
	unsigned kind; /* the user's business, like the next two */
	size_t octets;
	void *what; /* borrowed */
};

struct br_asks {
	struct br_ask *ring; /* owned */
	size_t size;         /* a power of two */
	size_t count;        /* open */
	uint64_t last;       /* the newest id */
};

/* `size`, a power of two, should be twice what can be open at once or more. */
void br_asks_init(struct br_asks *a, size_t size);
/* Whatever is open is forgotten. */
void br_asks_fini(struct br_asks *a);

/* Opens a copy of `ask` under a new id, which is returned. One place at least
 * is free. */
uint64_t br_asks_put(struct br_asks *a, const struct br_ask *ask);

/* Ends the request with `id`. False when there is none. */
bool br_asks_take(struct br_asks *a, struct prim_slice id,
    struct br_ask *out_ask);

/* The open request with `id`; it may be changed, but not its id. NULL when
 * there is none. */
struct br_ask *br_asks_find(struct br_asks *a, uint64_t id);

/* Every open request; they may be changed, but not their ids. */
typedef void (*br_ask_visit_fn)(struct br_ask *ask, void *arg);
void br_asks_each(struct br_asks *a, br_ask_visit_fn visit, void *arg);

/* `id` as it stands on the wire, in `text`. */
struct prim_slice br_ask_id(uint64_t id, char text[BR_ASK_ID_MAX]);

#endif
