/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_OUTBOX_PRIVATE_H
#define BRIDGE_OUTBOX_PRIVATE_H

/*
 * What the outbox*.c files know of each other.
 */

#include "bridge/chore.h"
#include "bridge/outbox.h"

struct br_outbox {
	struct br_server *server;  /* borrowed: owns us */
	struct prim_table lanes;   /* owned, by key */
	struct prim_table dests;   /* owned, by name */
	struct br_dest **adapters; /* owned array, borrowed: by index */
	struct br_rows rows;       /* borrowed: the oldest first */
	struct br_pile inboxes;    /* of those, what waits for inboxes */
	struct prim_table by_seq;  /* borrowed: rows */
	size_t row_count;
	unsigned reading;       /* rows that are being read */
	size_t octets;          /* of rows in motion */
	struct br_dests hungry; /* borrowed: wait for those */
	struct br_chore feeding;
	uint32_t random; /* jitter needs no better */

	struct prim_table recalled; /* owned: by Delivery-ID */
	struct prim_table followed; /* borrowed: lanes by principal */

	/* Quotas. */
	struct prim_table senders; /* owned */
	uint64_t charged, charged_octets;
	const char *dir;   /* borrowed: of the store; NULL: in memory */
	int64_t looked_ms; /* at the disk */
	unsigned looks;    /* since then */
	bool is_low;       /* it is nearly full */
};

/* `row` is in a lane; it leaves it. */
void br_pile_add(struct br_row *row);
void br_pile_remove(struct br_row *row);
void br_pile_fini(struct br_pile *pile);

/* `dest` is kicked, and who holds for it gets room, at the end of the turn. */
void br_dest_soon(struct br_dest *dest);

/* Frees `d` when no lane leads there any more; adapters stay. */
void br_dest_release(struct br_outbox *o, struct br_dest *d);
void br_dest_free_sites(struct br_dest *dest);
/* Its turn may come: it has a row to hand over and does not pause. */
void br_lane_ready(struct br_lane *lane);
void br_lane_unready(struct br_lane *lane);
/* A row of a lane that follows `base` is in motion, or no more. */
void br_lane_goes_away(struct br_lane *base);
void br_lane_came_back(struct br_lane *base);
/* Takes `row` out of its lane; which may be released by the caller. */
void br_row_leave_lane(struct br_row *row);
/* Puts it into `lane`, in the order of seq. */
void br_row_enter_lane(struct br_row *row, struct br_lane *lane);
/* The first suspect that may be tried now, or NULL. */
struct br_row *br_dest_next_trial(struct br_dest *dest);
/* Its motion is over; the trial, too, if it was one. */
void br_row_untry(struct br_row *row);
void br_dest_on_acquittal(struct prim_timer *t);
/* The same as br_outbox_charge(), for what is stored already. */
struct br_sender *br_outbox_charge_stored(struct br_outbox *o,
    struct prim_slice sender, uint64_t octets);

#endif
