/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_STORE_RESCUE_H
#define BRIDGE_STORE_RESCUE_H

/*
 * The inside of a salvage: rows come off the pages (store_rescue.c), and when all
 * are there, what they say together is settled (store_settle.c).
 *
 * Messages and contents have sums. A row of `known` and one of `trace` bear each
 * other out: both have the key of a message and its seq.
 */

#include "bridge/store_salvage.h"
#include "bridge/stored.h"

enum br_rescue_put {
	BR_RESCUE_MESSAGE,
	BR_RESCUE_SPOILED, /* it is damaged itself */
	BR_RESCUE_CONTENT,
	BR_RESCUE_TRACE,
	BR_RESCUE_TRACE_FOUND, /* by a search: it may be old */
	BR_RESCUE_SENT,
	BR_RESCUE_KNOWN,
	BR_RESCUE_KNOWN_FOUND,
	BR_RESCUE_EVENT,
	BR_RESCUE_REMOVAL,
	BR_RESCUE_LOOK,
	BR_RESCUE_PUTS,
};

/* Of what is spoiled: from the one that is missed least. */
enum br_rescue_rank {
	BR_RANK_ENVELOPE,        /* who it is from and for is damaged */
	BR_RANK_STATE_MAYBE_OLD, /* as the next, and as the last */
	BR_RANK_STATE,           /* where it goes and who was told is damaged */
	BR_RANK_MAYBE_OLD,       /* nothing is, but it may be gone since */
};

struct br_rescuer {
	struct br_rescue *r; /* borrowed */
	struct br_pages pages;
	struct br_store_db db; /* the new file */
	struct br_store_keys keys;
	uint8_t secret[BR_SECRET_LEN];
	sqlite3_stmt *puts[BR_RESCUE_PUTS]; /* owned */
	bool has_failed;                    /* to write */
};

/* Makes one whole of what was found, and counts. False: failed. */
bool br_rescue_settle(struct br_rescuer *w);

#endif
