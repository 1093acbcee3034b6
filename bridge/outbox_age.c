/* SPDX-License-Identifier: ISC */
/* How old what waits is: of each adapter, and of all inboxes together. */

#include "bridge/outbox_private.h"

#include "prim/base.h"

/* A heap: none is older than the one at (i - 1) / 2. Rows nearly always come as
 * the newest, and where there are a million of them none is looked at twice. */

static struct br_pile *pile_of(struct br_dest *dest)
{
	return dest->host ? &dest->pile : &dest->outbox->inboxes;
}

static void put(struct br_pile *pile, size_t at, struct br_row *row)
{
	pile->rows[at] = row;
	row->in_pile = at;
}

static void rise(struct br_pile *pile, struct br_row *row)
{
	size_t at = row->in_pile;

	while (at > 0 &&
	    row->accepted_ms < pile->rows[(at - 1) / 2]->accepted_ms) {
		put(pile, at, pile->rows[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	put(pile, at, row);
}

static void sink(struct br_pile *pile, struct br_row *row)
{
	size_t at = row->in_pile, child;

	for (; (child = 2 * at + 1) < pile->count; at = child) {
		if (child + 1 < pile->count &&
		    pile->rows[child + 1]->accepted_ms <
			pile->rows[child]->accepted_ms)
			child++;
		if (row->accepted_ms <= pile->rows[child]->accepted_ms)
			break;
		put(pile, at, pile->rows[child]);
	}
	put(pile, at, row);
}

void br_pile_add(struct br_row *row)
{
	struct br_pile *pile = pile_of(row->lane->dest);

	if (pile->count == pile->room) {
		pile->room = pile->room ? 2 * pile->room : 16;
		pile->rows = prim_resize(pile->rows,
		    pile->room * sizeof(struct br_row *));
	}
	put(pile, pile->count++, row);
	rise(pile, row);
}

void br_pile_remove(struct br_row *row)
{
	struct br_pile *pile = pile_of(row->lane->dest);
	struct br_row *last = pile->rows[--pile->count];

	if (last != row) {
		put(pile, row->in_pile, last);
		rise(pile, last);
		sink(pile, last);
	}
	if (pile->count == 0)
		br_pile_fini(pile);
}

void br_pile_fini(struct br_pile *pile)
{
	prim_free(pile->rows);
	*pile = (struct br_pile){ .count = 0 };
}

static void measure(const struct br_pile *pile, struct br_outbox_depth *out)
{
	out->messages = pile->count;
	out->oldest_ms = pile->count ? pile->rows[0]->accepted_ms : 0;
}

void br_outbox_depth(const struct br_outbox *o, unsigned adapter,
    struct br_outbox_depth *out)
{
	measure(&o->adapters[adapter]->pile, out);
}

void br_outbox_inbox_depth(const struct br_outbox *o,
    struct br_outbox_depth *out)
{
	measure(&o->inboxes, out);
}
