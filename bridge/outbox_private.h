/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_OUTBOX_PRIVATE_H
#define BRIDGE_OUTBOX_PRIVATE_H

/*
 * What the outbox*.c files know of each other.
 */

#include "bridge/outbox.h"

struct br_outbox {
	struct br_server *server;  /* borrowed: owns us */
	struct prim_table lanes;   /* owned, by key */
	struct prim_table dests;   /* owned, by name */
	struct br_dest **adapters; /* owned array, borrowed: by index */
	size_t row_count;
	unsigned reading;       /* rows that are being read */
	size_t octets;          /* of rows in motion */
	struct br_dests hungry; /* borrowed: wait for those */
	struct prim_timer meal; /* set: they are looked after soon */
	uint32_t random;        /* jitter needs no better */
};

/* Less is in motion: those who wait are kicked, from the top of the loop. */
void br_outbox_feed(struct br_outbox *o);

/* Frees `d` when no lane leads there any more; adapters stay. */
void br_dest_release(struct br_outbox *o, struct br_dest *d);
/* Its turn may come: it has a row to hand over and does not pause. */
void br_lane_ready(struct br_lane *lane);
void br_lane_unready(struct br_lane *lane);
/* Forgets a row whose end is under way, and its lane if that was the last. */
void br_row_drop(struct br_outbox *o, struct br_row *row);

#endif
