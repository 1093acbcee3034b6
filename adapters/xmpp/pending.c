/* SPDX-License-Identifier: ISC */
/* Deliveries that have no report yet. */

#include "adapters/xmpp/pending.h"

#include "prim/base.h"
#include "prim/hash.h"

/* The ids are the core's keyed hashes: nobody can choose them to collide, so
 * the key of this table is no secret. */
static uint64_t hash_of(struct prim_slice id)
{
	const struct prim_hash_key key = { 0, 0 };

	return prim_hash(&key, id);
}

void xa_pendings_init(struct xa_pendings *p)
{
	prim_table_init(&p->table);
	TAILQ_INIT(&p->list);
}

void xa_pendings_fini(struct xa_pendings *p)
{
	prim_table_fini(&p->table);
}

void xa_pendings_put(struct xa_pendings *p, const struct xa_pending_new *n,
    int64_t now_ms)
{
	struct xa_pending *pending = prim_new(struct xa_pending);

	pending->id = prim_slice_copy(n->id);
	pending->to = prim_slice_copy(n->to);
	pending->from = prim_slice_copy(n->from);
	pending->batch = n->batch;
	pending->sent_ms = now_ms;
	prim_table_put(&p->table, &pending->node, hash_of(n->id));
	TAILQ_INSERT_TAIL(&p->list, pending, link);
}

struct xa_pending *xa_pendings_find(struct xa_pendings *p, struct prim_slice id)
{
	struct prim_table_node *n;

	for (n = prim_table_first(&p->table, hash_of(id)); n;
	     n = prim_table_next(n)) {
		struct xa_pending *pending = PRIM_CONTAINER(n,
		    struct xa_pending, node);

		if (prim_slice_eq(prim_slice_of(pending->id), id))
			return pending;
	}
	return NULL;
}

void xa_pendings_drop(struct xa_pendings *p, struct xa_pending *pending)
{
	prim_table_drop(&p->table, &pending->node);
	TAILQ_REMOVE(&p->list, pending, link);
	prim_free(pending->id);
	prim_free(pending->to);
	prim_free(pending->from);
	prim_free(pending);
}

struct xa_pending *xa_pendings_first(const struct xa_pendings *p)
{
	return TAILQ_FIRST(&p->list);
}

int64_t xa_pendings_deadline(const struct xa_pendings *p,
    const struct xa_fence *f, int64_t hold_ms)
{
	const struct xa_pending *first = TAILQ_FIRST(&p->list);

	if (!first || !xa_fence_has_passed(f, first->batch))
		return INT64_MAX;
	if (p->table.count > XA_PENDING_CROWD)
		return first->sent_ms;
	return first->sent_ms + hold_ms;
}

bool xa_pendings_is_due(const struct xa_pendings *p, const struct xa_fence *f,
    int64_t hold_ms, int64_t now_ms)
{
	return xa_pendings_deadline(p, f, hold_ms) <= now_ms;
}
