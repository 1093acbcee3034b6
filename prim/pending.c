/* SPDX-License-Identifier: ISC */
/* Unanswered requests in a ring indexed by their number. */

#include "prim/pending.h"

#include <string.h>

#include "prim/base.h"

#define SMALLEST 8

void prim_pending_init(struct prim_pending *p)
{
	memset(p, 0, sizeof(*p));
	p->first = p->next = 1;
}

void prim_pending_fini(struct prim_pending *p)
{
	prim_free(p->slots);
	prim_pending_init(p);
}

unsigned prim_pending_span(const struct prim_pending *p)
{
	return (unsigned)(p->next - p->first);
}

static void **slot_of(const struct prim_pending *p, uint64_t id)
{
	return &p->slots[id & (p->size - 1)];
}

static void enlarge(struct prim_pending *p)
{
	struct prim_pending grown = { .size = p->size ? p->size * 2 : SMALLEST,
		.first = p->first,
		.next = p->next };

	grown.slots = prim_alloc(grown.size * sizeof(void *));
	for (uint64_t id = p->first; id < p->next; id++)
		*slot_of(&grown, id) = *slot_of(p, id);
	prim_free(p->slots);
	*p = grown;
}

uint64_t prim_pending_put(struct prim_pending *p, void *thing)
{
	if (prim_pending_span(p) >= p->size)
		enlarge(p);
	*slot_of(p, p->next) = thing;
	return p->next++;
}

void *prim_pending_take(struct prim_pending *p, uint64_t id)
{
	void *thing;

	if (id < p->first || id >= p->next)
		return NULL;
	thing = *slot_of(p, id);
	*slot_of(p, id) = NULL;
	while (p->first < p->next && !*slot_of(p, p->first))
		p->first++;
	return thing;
}

void *prim_pending_take_text(struct prim_pending *p, struct prim_slice id)
{
	uint64_t number;

	/* "007" is not an id of ours. */
	if (id.len == 0 || id.ptr[0] == '0' ||
	    !prim_slice_number(id, UINT64_MAX / 2, &number))
		return NULL;
	return prim_pending_take(p, number);
}

void *prim_pending_take_first(struct prim_pending *p)
{
	return prim_pending_take(p, p->first);
}
