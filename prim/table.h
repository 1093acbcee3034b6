/* SPDX-License-Identifier: ISC */
#ifndef PRIM_TABLE_H
#define PRIM_TABLE_H

/*
 * A hash table of nodes that live inside their objects. The table never owns
 * and never compares: it hands out the nodes of one hash, and the caller looks
 * which of them it meant.
 *
 *	for (n = prim_table_first(&t, hash); n; n = prim_table_next(n))
 *		if (prim_slice_eq(PRIM_CONTAINER(n, struct thing, node)->name, name))
 *			return ...;
 *
 * Hashes come from prim_hash() with a random key where a peer chooses names.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prim_table_node {
	struct prim_table_node *link; /* borrowed: next in the slot */
	uint64_t hash;
};

struct prim_table {
	struct prim_table_node **slots; /* owned array of borrowed nodes */
	size_t slot_count;              /* a power of two, or 0 */
	size_t count;                   /* nodes in the table */
};

/* In memory the caller has; all zero is a valid empty table. */
void prim_table_init(struct prim_table *t);
/* Asserts that the table is empty. */
void prim_table_fini(struct prim_table *t);

/* Several nodes may have the same hash. `n` must not be in a table. */
void prim_table_put(struct prim_table *t, struct prim_table_node *n,
    uint64_t hash);
/* `n` must be in `t`. */
void prim_table_drop(struct prim_table *t, struct prim_table_node *n);

/* The first node with `hash`, and the next one with the same hash; or NULL. */
struct prim_table_node *prim_table_first(const struct prim_table *t,
    uint64_t hash);
struct prim_table_node *prim_table_next(const struct prim_table_node *n);

/* Calls `visit` for every node. `visit` may drop (and free) the node it got,
 * and nothing else. */
typedef void (*prim_table_visit_fn)(struct prim_table_node *n, void *arg);
void prim_table_each(struct prim_table *t, prim_table_visit_fn visit,
    void *arg);

#endif
