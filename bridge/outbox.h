/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_OUTBOX_H
#define BRIDGE_OUTBOX_H

/*
 * The outbox: messages we took responsibility for, in lanes.
 *
 * A lane is FIFO: one sender, one recipient, one Conversation-ID. While it has
 * rows it is closed to the live path, and new messages are appended. A
 * destination (an adapter, an inbox) has lanes and takes rows from those that
 * are ready in turn, as far as its window goes.
 *
 *	row:  waiting ──> in motion ──final──> ended
 *	         ^            │
 *	         └──back──────┘  (transient: its lane waits before the next try)
 *
 * Memory holds heads only; the message itself is read when its turn comes.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "bridge/err.h"
#include "bridge/host.h"
#include "bridge/router.h"
#include "prim/hash.h"
#include "prim/table.h"
#include "prim/timer.h"

struct br_outbox;
struct br_server;
struct br_transit;

#define BR_INBOX_WINDOW   16         /* rows on their way to one inbox */
#define BR_ADAPTER_WINDOW 1024       /* rows on their way to one adapter */
#define BR_MOTION_OCTETS  (4U << 20) /* of rows on their way to one of them */
#define BR_READS_MAX      16         /* rows that are being read for one */
/* The same for an inbox, read one by one: less than what a listener's output
 * holds, or a drain would stumble over itself. */
#define BR_INBOX_OCTETS (1U << 20)
/* The same for all of them together: when everybody comes back at once, they
 * wait for each other instead of for memory. */
#define BR_OUTBOX_OCTETS (256U << 20)
#define BR_OUTBOX_READS  128

struct br_row {
	TAILQ_ENTRY(br_row) link;
	struct br_lane *lane;       /* borrowed */
	struct br_transit *transit; /* borrowed: it is in motion; or NULL */
	struct prim_timer expiry;
	bool is_overdue; /* its time ran out while it was in motion */
	int64_t seq;
	uint64_t prefix; /* of the duplicate key */
	unsigned attempts;
	size_t octets; /* in memory while it is in motion */
};

TAILQ_HEAD(br_rows, br_row);

TAILQ_HEAD(br_transits, br_transit);

struct br_lane {
	struct prim_table_node node;
	struct prim_digest key;
	struct br_outbox *outbox; /* borrowed: owns us */
	struct br_dest *dest;     /* borrowed: outlives us; NULL while
	                                nothing of it was ever stored */
	TAILQ_ENTRY(br_lane) of_dest;
	TAILQ_ENTRY(br_lane) of_ready;
	struct br_rows rows;     /* owned, in order */
	struct br_row *next;     /* the first that is not in motion */
	struct br_transits live; /* borrowed: not settled, in order */
	unsigned committing;     /* of those, on their way to be rows */
	struct prim_timer retry; /* set: the lane waits */
	bool is_ready;           /* in the list of its destination */
};

TAILQ_HEAD(br_lanes, br_lane);

struct br_dest {
	struct prim_table_node node;
	char *name;            /* owned: "adapter:x" or "inbox:key" */
	struct br_host *host;  /* borrowed; NULL for an inbox */
	const char *key;       /* of an inbox; inside `name` */
	struct br_lanes lanes; /* owned */
	struct br_lanes ready; /* of those, with a row to hand over now */
	struct br_transits
	    handed; /* borrowed: the adapter has them, in order */
	struct br_transits holding; /* borrowed: wait for room in its window */
	unsigned row_count;
	unsigned committing; /* messages on their way to be rows */
	unsigned in_motion;  /* rows on their way */
	unsigned reading;    /* of those, not yet read */
	size_t octets;       /* of the others */
	bool is_kicked;      /* in br_dest_kick() */
	bool is_hungry;      /* waits until others are done */
	TAILQ_ENTRY(br_dest) of_hungry;
};

TAILQ_HEAD(br_dests, br_dest);

struct br_outbox *br_outbox_new(struct br_server *s);
/* Reads the heads of all that is stored. */
bool br_outbox_load(struct br_outbox *o, struct br_err *err);
/* Nothing is in motion. NULL is fine. */
struct br_outbox *br_outbox_free(struct br_outbox *o);

size_t br_outbox_rows(const struct br_outbox *o);

/* The destination that configured adapter `adapter` (its index) is. */
struct br_dest *br_outbox_adapter(struct br_outbox *o, unsigned adapter);
/* The inbox `key`. Made when it is new. */
struct br_dest *br_outbox_inbox(struct br_outbox *o, struct prim_slice key);
/* The inbox `key`, or NULL when nothing is stored for it. */
struct br_dest *br_outbox_inbox_find(struct br_outbox *o,
    struct prim_slice key);

/* The lane `key`. Made when it is new. */
struct br_lane *br_outbox_lane(struct br_outbox *o,
    const struct prim_digest *key);
/* Where the rows of `lane` go. Once; later calls change nothing. */
void br_lane_set_dest(struct br_lane *lane, struct br_dest *dest);
/* Closed to the live path? */
bool br_lane_is_closed(const struct br_lane *lane);
/* Releases `lane` if nothing is in it, and its destination if that was all. */
void br_lane_release(struct br_outbox *o, struct br_lane *lane);

/* A committed message becomes the last row of `lane`, which has a destination;
 * not in motion. `prefix` is that of its duplicate key. */
struct br_row *br_outbox_append(struct br_lane *lane, int64_t seq,
    int64_t expires_ms, uint64_t prefix);
/* Notes the duplicate keys of all rows anew (br_dedup_forget_durable()). */
void br_outbox_note_keys(struct br_outbox *o);

/* The row's transit began or ended; keeps the windows right. */
void br_row_set_transit(struct br_row *row, struct br_transit *t);
/* A row in motion is being read; it was, and costs `octets` (0: it could not
 * be). Once a motion. */
void br_row_read_begin(struct br_row *row);
void br_row_read_done(struct br_row *row, size_t octets);
/* A row that is in motion with its message in memory from the start. */
void br_row_set_octets(struct br_row *row, size_t octets);
/* Not delivered this time: back to its place in the lane, which waits for the
 * next try after `attempts` failures, or not at all if `now`. */
void br_row_back(struct br_outbox *o, struct br_row *row, bool now);
/* Its end: gone from memory and from the store. Frees the row. `reason` is
 * static. */
void br_row_end(struct br_outbox *o, struct br_row *row, unsigned code,
    const char *reason);

/* Hands over what can be handed over. */
void br_dest_kick(struct br_outbox *o, struct br_dest *dest);
/* The same after the link came up or somebody listens: no lane waits longer. */
void br_dest_wake(struct br_outbox *o, struct br_dest *dest);

/* The inbox `key` went with its account: all that is queued for it ends. */
void br_outbox_drop_inbox(struct br_outbox *o, struct prim_slice key);

/* ---- the operator ---- */

enum br_outbox_verb {
	BR_OUTBOX_RETRY,      /* at once; a quarantined one: back in its lane */
	BR_OUTBOX_DROP,       /* its end, with a notice */
	BR_OUTBOX_QUARANTINE, /* out of circulation, with a notice */
};

/* `why` is NULL when it is done and committed, else a sentence. */
typedef void (*br_outbox_done_fn)(void *arg, const char *why);

/* Does `verb` to the stored message `seq`. `done`, once, maybe from inside. */
void br_outbox_order(struct br_outbox *o, int64_t seq, enum br_outbox_verb verb,
    br_outbox_done_fn done, void *arg);

#endif
