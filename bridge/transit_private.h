/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_TRANSIT_PRIVATE_H
#define BRIDGE_TRANSIT_PRIVATE_H

/*
 * What the transit*.c files know of each other. Any function that ends,
 * releases or settles a transit may free it: return after it.
 */

#include "bridge/dedup.h"
#include "bridge/history.h"
#include "bridge/transit.h"
#include "prim/seed.h"
#include "prim/status.h"

/* Digests are keyed hashes already. */
static inline uint64_t br_transit_hash(const struct prim_digest *d)
{
	return br_dedup_prefix(d);
}

/* Does `code` settle it? 0, which is silence, does not. */
static inline bool br_transit_is_final(unsigned code)
{
	return code != 0 && prim_status_is_final(code);
}

/* Is it a final code that says no? Then a message may follow the next link. */
static inline bool br_transit_is_refusal(unsigned code)
{
	return (br_transit_is_final(code) && code != PRIM_OK &&
		   code != PRIM_UNKNOWN_DELIVERY) ||
	    (code == 0 && PRIM_SEED(follow_on_silence));
}

/* ---- life (transit.c) ---- */

/* A new one, among the server's; without message, ticket or lane. */
struct br_transit *br_transit_new(struct br_server *s);
/* Frees it if nothing is expected of it any more; else it stays, without the
 * message if that is of no more use. */
void br_transit_release(struct br_transit *t);
/* Takes it back from the adapter that has it, or out of those that hold for room
 * in the adapter's window. Harmless when it is neither. */
void br_transit_unhand(struct br_transit *t);
/* It holds no more at its site, and counts no more as untaken there. The site may
 * be freed. Harmless when it has none. */
void br_transit_leave_site(struct br_transit *t);
/* Out of those of its lane whose senders wait. The lane may be freed. Harmless
 * when it has none. */
void br_transit_leave_lane(struct br_transit *t);
/* Whoever has it now owes us a word: starts the time for that. */
void br_transit_expect_word(struct br_transit *t);
/* What is heard of it: a final code, a transient one, or 0 for silence; `why`
 * says more, or is empty. */
void br_transit_outcome(struct br_transit *t, unsigned code,
    struct prim_slice why);

/* ---- ends and answers (transit_end.c) ---- */

/* Writes a line of the history log about it, if there is one. `text` is the
 * reason of a REPORT or END, the kind of any other; may be empty. */
void br_transit_history(const struct br_transit *t, enum br_history_event event,
    unsigned code, struct prim_slice text);
/* The one line of its end in the log, and the counter. */
void br_transit_log_end(const struct br_transit *t, unsigned code,
    struct prim_slice why);
/* How a peer of `family` hears `code`; 0, silence, as a time-out. */
unsigned br_transit_code_for(enum prim_family family, unsigned code);
/* It is no longer among those whose senders wait. */
void br_transit_leave_live(struct br_transit *t);
/* Answers its sender, and whoever has sent the same. The first answer counts;
 * others do nothing. It is no end: the transit stays. */
void br_transit_answer(struct br_transit *t, unsigned code);
/* The same with what was answered before to the message of this key; with 400 if
 * its content was another. */
void br_transit_answer_known(struct br_transit *t, unsigned code,
    uint64_t content_hash);
/* The end of one that was never stored: told, remembered, answered, released. */
void br_transit_end(struct br_transit *t, unsigned code, struct prim_slice why);
/* The same for want of such an inbox. */
void br_transit_end_absent(struct br_transit *t);

/* ---- the same again (transit_known.c) ---- */

/* Is the same message on its way, or was it answered? Then this one gets that
 * answer, later or at once. False: it is new, and nothing was done. */
bool br_transit_join(struct br_server *s, const struct br_transit_start *start);
/* Answers all who have sent the same while `t` was on its way. */
void br_transit_settle_joints(struct br_transit *t, unsigned code);

/* ---- into the store (transit_commit.c) ---- */

/* Stores it; when that is committed its sender hears 101 and it is a row. What
 * may not be stored (too late, too much, no such account) ends. Does nothing when
 * it is answered, or on its way to the store. */
void br_transit_commit(struct br_transit *t);
/* The same for it and whatever else of its lane is not settled, in order. */
void br_transit_commit_lane(struct br_transit *t);

/* ---- who is told of it (transit_notice.c) ---- */

/* What is stored of it. `out` borrows from `t`, which stays until the store has
 * called back. */
void br_transit_fill(struct br_transit *t, struct br_store_message *out);
/* Another system has it (101): noted, so that a later failure can be told, then
 * answered. */
void br_transit_tell(struct br_transit *t);

/* ---- stored (transit_row.c) ---- */

/* Is its row's turn still going on: being read or noted, handed over, offered? */
bool br_transit_row_is_moving(const struct br_transit *t);
/* Of an end with `code`, for history and notice. */
struct prim_slice br_transit_reason(unsigned code, struct prim_slice why);
/* The end of its row. */
void br_transit_row_end(struct br_transit *t, unsigned code,
    struct prim_slice why);
/* Its row goes back into its lane: 0, nothing was heard, and it may go again at
 * once; else after a pause. */
void br_transit_row_back(struct br_transit *t, unsigned code,
    struct prim_slice why);
/* The same, after a pause whatever the code. */
void br_transit_row_pause(struct br_transit *t, unsigned code,
    struct prim_slice why);
/* br_transit_outcome() of one that is stored. */
void br_transit_row_outcome(struct br_transit *t, unsigned code,
    struct prim_slice why);
/* The time of br_transit_expect_word() is over. */
void br_transit_row_late(struct br_transit *t);

/* ---- at an adapter (transit_adapter.c) ---- */

/* Hands it to the adapter of t->dest, or lets it hold until there is room. */
void br_transit_to_adapter(struct br_transit *t);
/* The domain it goes to: of its link, else of its recipient. */
struct prim_slice br_transit_domain(const struct br_transit *t);

/* ---- at an inbox of ours (transit_inbox.c) ---- */

extern const struct prim_inbox_ops br_transit_inbox_ops;

/* Looks the recipient up; then it is offered, follows a link, is stored or
 * refused. */
void br_transit_to_inbox(struct br_transit *t);
/* Where no more may be parked: stored at once, or refused. */
void br_transit_to_store(struct br_transit *t);
/* Offers it to whoever listens for t->entity. */
void br_transit_offer(struct br_transit *t);
/* Is `m` stored where nobody listens? */
bool br_transit_is_kept(const struct br_server *s, const struct br_message *m);
/* Is as much parked as may be? */
bool br_transit_is_crowded(const struct br_server *s);

/* ---- along the links of the recipient (transit_follow.c) ---- */

/* While its sender waits: offers it in the next place that the owner named, or
 * stores or refuses it where there is none left. t->entity is the recipient;
 * `code` is what refused it where it was. */
void br_transit_seek(struct br_transit *t, unsigned code);
/* The same for a row that was refused for good where it was: it moves, and the
 * transit is over. False: there is no other place. */
bool br_transit_row_seek(struct br_transit *t);
/* The link that it goes along; NULL: that is no more. */
const struct br_identity *br_transit_link(const struct br_transit *t);
/* Its row moves to the recipient's inbox, for its link is no more. */
void br_transit_row_home(struct br_transit *t);
/* Does somebody listen for the recipient by now? */
bool br_transit_is_awaited(const struct br_transit *t);

#endif
