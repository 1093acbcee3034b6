/* SPDX-License-Identifier: ISC */
/* Connections an address. */

#include "bridge/address_count.h"

#include <string.h>

#include "bridge/server.h"
#include "prim/base.h"

struct address_count {
	struct prim_table_node node;
	unsigned count;
	char *address; /* owned */
};

static uint64_t hash_of(const struct br_server *s, const char *address)
{
	return prim_hash(&s->seed, prim_slice_of(address));
}

static struct address_count *find(const struct br_server *s,
    const char *address)
{
	struct prim_table_node *n = prim_table_first(&s->addresses,
	    hash_of(s, address));

	for (; n; n = prim_table_next(n)) {
		struct address_count *a = PRIM_CONTAINER(n,
		    struct address_count, node);

		if (strcmp(a->address, address) == 0)
			return a;
	}
	return NULL;
}

bool br_address_count_add(struct br_server *s, const char *address,
    unsigned max)
{
	struct address_count *a = find(s, address);

	if (!a) {
		a = prim_new(struct address_count);
		a->address = prim_slice_copy(prim_slice_of(address));
		prim_table_put(&s->addresses, &a->node, hash_of(s, address));
	}
	if (a->count >= max)
		return false;
	a->count++;
	return true;
}

void br_address_count_drop(struct br_server *s, const char *address)
{
	struct address_count *a = find(s, address);

	if (!a || --a->count > 0)
		return;
	prim_table_drop(&s->addresses, &a->node);
	prim_free(a->address);
	prim_free(a);
}
