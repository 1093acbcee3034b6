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
#include "bridge/identity.h"
#include "bridge/router.h"
#include "bridge/store.h"
#include "prim/hash.h"
#include "prim/table.h"
#include "prim/timer.h"

struct br_outbox;
struct br_server;
struct br_transit;

#define BR_SITE_WINDOW    64         /* handed to one domain and not taken */
#define BR_DEATHS_MAX     3          /* with one suspect; then: quarantine */
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

/* What one sender has in the outbox. */
struct br_sender {
	struct prim_table_node node;
	uint64_t messages;
	uint64_t octets;
	size_t len;
	char key[];
};

struct br_row {
	TAILQ_ENTRY(br_row) link;
	TAILQ_ENTRY(br_row) of_outbox; /* the oldest first */
	TAILQ_ENTRY(br_row) of_suspects;
	struct prim_table_node by_seq;
	struct br_lane *lane;       /* borrowed */
	struct br_transit *transit; /* borrowed: it is in motion; or NULL */
	struct br_sender *sender;   /* charged for it; NULL: nobody is */
	struct prim_timer timer;    /* its delay is told, then its time is up */
	int64_t seq;
	int64_t accepted_ms;
	int64_t expires_ms;
	int64_t delay_notice_ms; /* 0: nothing more to tell */
	uint64_t prefix;         /* of the duplicate key */
	size_t size;             /* octets stored */
	size_t octets;           /* in memory while it is in motion */
	size_t in_pile;          /* its place there */
	unsigned attempts;       /* hand-offs begun */
	unsigned pauses;    /* since it last went wrong for no reason of ours */
	unsigned last_code; /* heard last; 0: silence, or nothing yet */
	unsigned deaths;    /* its adapter died with it alone */
	unsigned suspicions; /* how often it was among the suspects */
	struct br_recall
	    *recall; /* owned: what it still may be told; or NULL */
	char *tried; /* owned: who refused it, each with LF; or NULL */
	bool is_suspect;
	bool is_notice;
	bool is_overdue; /* its time ran out while it was in motion */
};

TAILQ_HEAD(br_rows, br_row);

TAILQ_HEAD(br_transits, br_transit);

struct br_lane {
	struct prim_table_node node;
	struct prim_digest key;
	struct br_outbox *outbox; /* borrowed: owns us */
	struct br_dest *dest;     /* borrowed: outlives us; NULL while
	                                nothing of it was ever stored */
	struct br_site *site;     /* borrowed: of `dest` */
	TAILQ_ENTRY(br_lane) of_dest;
	TAILQ_ENTRY(br_lane) of_ready;
	struct br_rows rows;     /* owned, in order */
	struct br_row *next;     /* the first that is not in motion */
	struct br_transits live; /* borrowed: not settled, in order */
	unsigned committing;     /* of those, on their way to be rows */
	struct prim_timer retry; /* set: the lane waits */
	int64_t retry_ms;        /* until then */
	bool is_ready;           /* in the list of its site */
	/* Follow-me: what goes to `target` (key) in place of the recipient of
	 * `base` is a lane of its own, and `base` stays closed behind it. */
	struct br_lane *base; /* borrowed: held by us; or NULL */
	char *target;         /* owned; or NULL */
	char *principal;      /* owned: whose link it is; or NULL */
	struct prim_table_node by_principal;
	struct br_lane *follower; /* borrowed: the newest lane we are base of */
	unsigned followers;       /* lanes we are the base of */
	unsigned away;            /* rows of theirs that somebody may have */
};

TAILQ_HEAD(br_lanes, br_lane);

/* What of one destination goes to one domain, so that a domain that is slow or
 * has much to get does not stand in the way of others (DESIGN 7). An inbox has
 * one. */
struct br_site {
	struct prim_table_node node;
	struct br_dest *dest; /* borrowed: outlives us */
	TAILQ_ENTRY(br_site) of_ready, of_holding;
	struct br_lanes ready; /* borrowed: lanes with a row to hand over now */
	struct br_transits
	    holding; /* borrowed: wait for room in the adapter's window */
	unsigned lane_count;
	unsigned untaken; /* handed over, and not yet taken */
	bool is_ready;    /* among the ready of `dest` */
	bool is_holding;  /* among the holding of `dest` */
	size_t len;
	char domain[];
};

TAILQ_HEAD(br_sites, br_site);

/* What waits for an adapter, or for all inboxes: the oldest first, the others in
 * the order of a heap (outbox_age.c). */
struct br_pile {
	struct br_row **rows; /* owned array of borrowed rows */
	size_t count, room;
};

struct br_dest {
	struct prim_table_node node;
	char *name;               /* owned: "adapter:x" or "inbox:key" */
	struct br_outbox *outbox; /* borrowed: owns us */
	struct br_host *host;     /* borrowed; NULL for an inbox */
	const char *key;          /* of an inbox; inside `name` */
	struct br_lanes lanes;    /* owned */
	struct prim_table sites;  /* owned */
	struct br_sites ready;    /* of those, may hand a row over */
	struct br_sites holding;  /* of those, have somebody who waits */
	struct br_transits
	    handed;              /* borrowed: the adapter has them, in order */
	struct br_rows suspects; /* borrowed: one of them may have killed it */
	struct br_row *trial;    /* borrowed: of those, handed over alone */
	bool is_probed;          /* it was taken, and a PING went behind it */
	unsigned probes;         /* PINGs without answer */
	struct prim_timer acquittal; /* set: of `trial` */
	struct br_pile pile;         /* of an adapter */
	unsigned row_count;
	unsigned committing; /* messages on their way to be rows */
	unsigned in_motion;  /* rows on their way */
	unsigned reading;    /* of those, not yet read */
	size_t octets;       /* of the others */
	/* Its rows are being handed over or taken out: it is not kicked then,
	 * and stays, whatever goes. */
	bool is_busy;
	bool is_hungry; /* waits until others are done */
	TAILQ_ENTRY(br_dest) of_hungry;
};

TAILQ_HEAD(br_dests, br_dest);

struct br_outbox *br_outbox_new(struct br_server *s);
/* Reads the heads of all that is stored. */
bool br_outbox_load(struct br_outbox *o, struct br_err *err);
/* Nothing is in motion. NULL is fine. */
struct br_outbox *br_outbox_free(struct br_outbox *o);

size_t br_outbox_rows(const struct br_outbox *o);
/* When the oldest that waits was accepted, wall clock; 0: nothing waits. */
int64_t br_outbox_oldest_ms(const struct br_outbox *o);

/* How much waits for configured adapter `adapter` (its index), how much for all
 * inboxes, and since when (wall clock; 0: nothing does). */
struct br_outbox_depth {
	size_t messages;
	int64_t oldest_ms;
};

void br_outbox_depth(const struct br_outbox *o, unsigned adapter,
    struct br_outbox_depth *out);
void br_outbox_inbox_depth(const struct br_outbox *o,
    struct br_outbox_depth *out);
/* The row `seq`, or NULL. */
struct br_row *br_outbox_find(const struct br_outbox *o, int64_t seq);

/* The destination that configured adapter `adapter` (its index) is. */
struct br_dest *br_outbox_adapter(struct br_outbox *o, unsigned adapter);
/* The inbox `key`. Made when it is new. */
struct br_dest *br_outbox_inbox(struct br_outbox *o, struct prim_slice key);
/* The inbox `key`, or NULL when nothing is stored for it. */
struct br_dest *br_outbox_inbox_find(struct br_outbox *o,
    struct prim_slice key);

/* The adapter `name`, or NULL when there is none. */
struct br_dest *br_outbox_adapter_named(struct br_outbox *o,
    struct prim_slice name);

/* The lane `key`. Made when it is new. */
struct br_lane *br_outbox_lane(struct br_outbox *o,
    const struct prim_digest *key);
/* The lane of what goes along `link` in place of the recipient of lane `key`;
 * with its destination. NULL: its network has no adapter. */
struct br_lane *br_outbox_lane_to(struct br_outbox *o,
    const struct prim_digest *key, const struct br_identity *link);
/* Where the rows of `lane` go, and the domain they are for. Once; later calls
 * change nothing. */
void br_lane_set_dest(struct br_lane *lane, struct br_dest *dest,
    struct prim_slice domain);
/* Closed to the live path? */
bool br_lane_is_closed(const struct br_lane *lane);
/* Releases `lane` if nothing is in it, and its destination if that was all. */
void br_lane_release(struct br_outbox *o, struct br_lane *lane);

/* A committed message becomes a row of `lane`, which has a destination, in the
 * order of seq; not in motion. `sender` (may be NULL) has been charged. */
struct br_row *br_outbox_append(struct br_lane *lane,
    const struct br_store_message *m, struct br_sender *sender);
/* A stored message that is not in memory yet gets its row and its turn. */
void br_outbox_take(struct br_outbox *o, const struct br_store_message *m);

/* May `sender` (key) have one more message of `octets`? Charged for it then.
 * NULL: yes; else a static sentence. */
#define BR_OUTBOX_SHARE_FULL "too much of this sender waits"
const char *br_outbox_charge(struct br_outbox *o, struct prim_slice sender,
    uint64_t octets, struct br_sender **out_sender);

/* How `sender` (key) stands with that. */
struct br_outbox_quota {
	uint64_t messages, messages_max; /* of the sender */
	uint64_t total, total_max;       /* of all */
};

void br_outbox_quota(const struct br_outbox *o, struct prim_slice sender,
    struct br_outbox_quota *out);
/* `sender` may be NULL; it may be gone after this. */
void br_outbox_uncharge(struct br_outbox *o, struct br_sender *sender,
    uint64_t octets);

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
 * next try as its schedule says, or not at all if `now`. `why` for the operator.
 * What has killed its adapter often enough is quarantined, and the row freed. */
struct br_row_setback {
	unsigned code; /* heard, or 0 */
	struct prim_slice why;
	bool now;
};

void br_row_back(struct br_outbox *o, struct br_row *row,
    const struct br_row_setback *setback);
/* Its end: gone from memory and from the store. Frees the row. */
void br_row_end(struct br_outbox *o, struct br_row *row, unsigned code,
    struct prim_slice reason);
/* Gone from memory; somebody else ends what is stored. Frees the row. */
void br_row_drop(struct br_outbox *o, struct br_row *row);
/* Out of circulation. Frees the row. */
void br_row_quarantine(struct br_outbox *o, struct br_row *row, unsigned code,
    struct prim_slice reason);
/* Follow-me: refused where it was; it goes on in `lane` (which has a
 * destination). `tried`: who refused it, each with LF. */
void br_row_move(struct br_outbox *o, struct br_row *row, struct br_lane *lane,
    struct prim_slice tried);
/* A hand-off begins; committed before `done` is called. */
void br_row_note_attempt(struct br_outbox *o, struct br_row *row,
    br_store_done_fn done, void *arg);

/* ---- taken back (outbox_recall.c) ---- */

/* `row` was handed over under `delivery` and is taken back. Its adapter may still
 * say what became of it, also one that closed its window or was started anew. */
void br_row_recall(struct br_row *row, const struct prim_digest *delivery);
/* It is handed over again, or over. */
void br_row_recall_end(struct br_row *row);
/* The row that `dest` had under `delivery`, and that waits now, or is on its way
 * there again; or NULL. */
struct br_row *br_dest_recalled(const struct br_dest *dest,
    const struct prim_digest *delivery);
/* What was heard of it, to be looked at before it is handed over again; the first
 * word counts. */
void br_row_note_recalled(struct br_row *row, unsigned code);
/* 0: nothing. */
unsigned br_row_recalled_code(const struct br_row *row);

/* ---- fair shares (outbox_site.c) ---- */

/* The site of `domain` in `dest`. Made when it is new; release it. */
struct br_site *br_dest_site(struct br_dest *dest, struct prim_slice domain);
/* Frees `site` if nothing is in it. */
void br_site_release(struct br_site *site);
/* Something of it changed: is it ready, is it holding? */
void br_site_update(struct br_site *site);
/* It has had its turn: it goes behind the others that are ready, or holding. */
void br_site_rotate(struct br_site *site);
/* Is its share of the window not used up? */
bool br_site_has_room(const struct br_site *site);

/* ---- suspects (outbox_suspect.c; DESIGN 7, poison) ---- */

/* Must everything but the trial wait? */
bool br_dest_is_careful(const struct br_dest *dest);
/* The adapter died with what is in `handed`. Before that is taken back. */
void br_dest_died(struct br_dest *dest);
/* `row`, just stored or loaded, is one. */
void br_row_suspect(struct br_row *row);
/* Its adapter outlived it. */
void br_row_acquit(struct br_row *row);
/* Its adapter spoke of it: whoever dies of it later, it begins anew. */
void br_row_absolve(struct br_row *row);
/* The trial was taken; the adapter lives behind it. */
void br_dest_taken(struct br_dest *dest, const struct br_row *row);
void br_dest_alive(struct br_dest *dest);

/* Once a turn of the loop, last: whoever waited for others gets his turn. */
void br_outbox_turn(struct br_outbox *o);
/* Hands over what can be handed over. */
void br_dest_kick(struct br_outbox *o, struct br_dest *dest);
/* The same after the link came up or somebody listens: no lane waits longer. */
void br_dest_wake(struct br_outbox *o, struct br_dest *dest);

/* The inbox `key` went with its account: all that is queued for it ends. */
void br_outbox_drop_inbox(struct br_outbox *o, struct prim_slice key);
/* `principal` (key) listens: what follows his links and was not taken there comes
 * home. What somebody may have does not (DESIGN 6: never on silence). */
void br_outbox_home(struct br_outbox *o, struct prim_slice principal);
/* `address` (key) is no link of `principal` any more: what waits for it there
 * goes elsewhere. */
void br_outbox_unlinked(struct br_outbox *o, struct prim_slice principal,
    struct prim_slice address);

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
