/* SPDX-License-Identifier: ISC */
/* Deliveries that were taken back from an adapter, for it was silent, its link to
 * its network was lost, or it died: what it says of them still counts. */

#include "bridge/outbox_private.h"

#include "bridge/dedup.h"
#include "prim/base.h"

struct br_recall {
	struct prim_table_node node;
	struct prim_digest delivery;
	struct br_row *row; /* borrowed: owns us */
	unsigned code;      /* heard while its next turn had begun, or 0 */
};

void br_row_recall(struct br_row *row, const struct prim_digest *delivery)
{
	struct br_recall *r;

	if (row->recall)
		return;
	r = prim_new(struct br_recall);
	r->delivery = *delivery;
	r->row = row;
	row->recall = r;
	/* A keyed hash already. */
	prim_table_put(&row->lane->outbox->recalled, &r->node,
	    br_dedup_prefix(delivery));
}

void br_row_recall_end(struct br_row *row)
{
	if (!row->recall)
		return;
	prim_table_drop(&row->lane->outbox->recalled, &row->recall->node);
	row->recall = prim_free(row->recall);
}

struct br_row *br_dest_recalled(const struct br_dest *dest,
    const struct prim_digest *delivery)
{
	struct prim_table_node *n = prim_table_first(&dest->outbox->recalled,
	    br_dedup_prefix(delivery));

	for (; n; n = prim_table_next(n)) {
		const struct br_recall *r = PRIM_CONTAINER(n, struct br_recall,
		    node);

		if (prim_digest_eq(&r->delivery, delivery) &&
		    r->row->lane->dest == dest)
			return r->row;
	}
	return NULL;
}

void br_row_note_recalled(struct br_row *row, unsigned code)
{
	if (!row->recall->code)
		row->recall->code = code;
}

unsigned br_row_recalled_code(const struct br_row *row)
{
	return row->recall ? row->recall->code : 0;
}
