/* SPDX-License-Identifier: ISC */
/* Counting what may not be done too often. */

#include "bridge/tally.h"

#include <sys/random.h>

#include "prim/base.h"

struct br_tally_entry {
	struct prim_table_node node;
	TAILQ_ENTRY(br_tally_entry) link;
	int64_t since_ms;
	unsigned count;
};

void br_tally_init(struct br_tally *t, int64_t window_ms)
{
	prim_table_init(&t->table);
	TAILQ_INIT(&t->entries);
	t->window_ms = window_ms;
	while (getrandom(&t->seed, sizeof(t->seed), 0) != sizeof(t->seed))
		continue;
}

static void drop(struct br_tally *t, struct br_tally_entry *e)
{
	TAILQ_REMOVE(&t->entries, e, link);
	prim_table_drop(&t->table, &e->node);
	prim_free(e);
}

void br_tally_fini(struct br_tally *t)
{
	while (!TAILQ_EMPTY(&t->entries))
		drop(t, TAILQ_FIRST(&t->entries));
	prim_table_fini(&t->table);
}

static bool is_over(const struct br_tally *t, const struct br_tally_entry *e,
    int64_t now_ms)
{
	return now_ms - e->since_ms >= t->window_ms;
}

/* The one that counts now, or NULL. */
static struct br_tally_entry *find(const struct br_tally *t, uint64_t hash,
    int64_t now_ms)
{
	struct prim_table_node *n = prim_table_first(&t->table, hash);
	struct br_tally_entry *e;

	if (!n)
		return NULL;
	e = PRIM_CONTAINER(n, struct br_tally_entry, node);
	return is_over(t, e, now_ms) ? NULL : e;
}

unsigned br_tally_count(const struct br_tally *t, struct prim_slice name,
    int64_t now_ms)
{
	const struct br_tally_entry *e = find(t, prim_hash(&t->seed, name),
	    now_ms);

	return e ? e->count : 0;
}

/* They stand in the order in which they will be over. */
static void make_room(struct br_tally *t, int64_t now_ms)
{
	struct br_tally_entry *first;

	while ((first = TAILQ_FIRST(&t->entries)) &&
	    (t->table.count >= BR_TALLY_ENTRIES || is_over(t, first, now_ms)))
		drop(t, first);
}

unsigned br_tally_add(struct br_tally *t, struct prim_slice name,
    int64_t now_ms)
{
	uint64_t hash = prim_hash(&t->seed, name);
	struct br_tally_entry *e = find(t, hash, now_ms);

	if (!e) {
		make_room(t, now_ms);
		e = prim_new(struct br_tally_entry);
		e->since_ms = now_ms;
		prim_table_put(&t->table, &e->node, hash);
		TAILQ_INSERT_TAIL(&t->entries, e, link);
	}
	return ++e->count;
}
