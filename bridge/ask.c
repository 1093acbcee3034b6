/* SPDX-License-Identifier: ISC */
/* Requests that wait for their answers. */

#include "bridge/ask.h"

#include <assert.h>

#include "prim/base.h"

void br_asks_init(struct br_asks *a, size_t size)
{
	assert(size > 0 && (size & (size - 1)) == 0);
	*a = (struct br_asks){
		.ring = prim_alloc(size * sizeof(struct br_ask)),
		.size = size,
	};
}

void br_asks_fini(struct br_asks *a)
{
	a->ring = prim_free(a->ring);
	*a = (struct br_asks){ 0 };
}

/* Ids whose place is taken are passed over. With half of the ring free that is
 * on average less than one a request. */
uint64_t br_asks_put(struct br_asks *a, const struct br_ask *ask)
{
	struct br_ask *place;

	assert(a->count < a->size);
	do
		place = &a->ring[++a->last & (a->size - 1)];
	while (place->id);
	*place = *ask;
	place->id = a->last;
	a->count++;
	return place->id;
}

struct br_ask *br_asks_find(struct br_asks *a, uint64_t id)
{
	struct br_ask *place = &a->ring[id & (a->size - 1)];

	return id != 0 && place->id == id ? place : NULL;
}

bool br_asks_take(struct br_asks *a, struct prim_slice id,
    struct br_ask *out_ask)
{
	struct br_ask *place;
	uint64_t number;

	/* One spelling only: what we sent. */
	if (!prim_slice_number(id, INT64_MAX, &number) || number == 0 ||
	    id.ptr[0] == '0')
		return false;
	place = br_asks_find(a, number);
	if (!place)
		return false;
	*out_ask = *place;
	*place = (struct br_ask){ 0 };
	a->count--;
	return true;
}

void br_asks_each(struct br_asks *a, br_ask_visit_fn visit, void *arg)
{
	for (size_t i = 0; a->count > 0 && i < a->size; i++)
		if (a->ring[i].id)
			visit(&a->ring[i], arg);
}

struct prim_slice br_ask_id(uint64_t id, char text[BR_ASK_ID_MAX])
{
	size_t at = BR_ASK_ID_MAX;

	do {
		text[--at] = (char)('0' + id % 10);
		id /= 10;
	} while (id);
	return prim_slice_make(text + at, BR_ASK_ID_MAX - at);
}
