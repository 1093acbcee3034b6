/* SPDX-License-Identifier: ISC */
/* A chained hash table over borrowed nodes. */

#include "prim/table.h"

#include <assert.h>
#include <string.h>

#include "prim/base.h"

#define SMALLEST 16

void prim_table_init(struct prim_table *t)
{
	memset(t, 0, sizeof(*t));
}

void prim_table_fini(struct prim_table *t)
{
	assert(t->count == 0);
	prim_free(t->slots);
	prim_table_init(t);
}

static struct prim_table_node **slot_of(const struct prim_table *t,
    uint64_t hash)
{
	return &t->slots[hash & (t->slot_count - 1)];
}

static void rehash(struct prim_table *t, size_t slot_count)
{
	struct prim_table grown = { .slot_count = slot_count,
		.count = t->count };

	grown.slots = prim_alloc(slot_count * sizeof(struct prim_table_node *));
	for (size_t i = 0; i < t->slot_count; i++) {
		while (t->slots[i]) {
			struct prim_table_node *n = t->slots[i];
			struct prim_table_node **slot = slot_of(&grown,
			    n->hash);

			t->slots[i] = n->link;
			n->link = *slot;
			*slot = n;
		}
	}
	prim_free(t->slots);
	*t = grown;
}

void prim_table_put(struct prim_table *t, struct prim_table_node *n,
    uint64_t hash)
{
	struct prim_table_node **slot;

	if (t->count >= t->slot_count)
		rehash(t, t->slot_count ? t->slot_count * 2 : SMALLEST);
	slot = slot_of(t, hash);
	n->hash = hash;
	n->link = *slot;
	*slot = n;
	t->count++;
}

void prim_table_drop(struct prim_table *t, struct prim_table_node *n)
{
	struct prim_table_node **at = slot_of(t, n->hash);

	while (*at != n)
		at = &(*at)->link;
	*at = n->link;
	n->link = NULL;
	t->count--;
}

static struct prim_table_node *match(struct prim_table_node *n, uint64_t hash)
{
	while (n && n->hash != hash)
		n = n->link;
	return n;
}

struct prim_table_node *prim_table_first(const struct prim_table *t,
    uint64_t hash)
{
	return t->slot_count ? match(*slot_of(t, hash), hash) : NULL;
}

struct prim_table_node *prim_table_next(const struct prim_table_node *n)
{
	return match(n->link, n->hash);
}

void prim_table_each(struct prim_table *t, prim_table_visit_fn visit, void *arg)
{
	for (size_t i = 0; i < t->slot_count; i++) {
		struct prim_table_node *n = t->slots[i];

		while (n) {
			struct prim_table_node *next = n->link;

			visit(n, arg);
			n = next;
		}
	}
}
