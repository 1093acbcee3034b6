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

/* 0: silence, which is not final. */
static inline bool br_transit_is_final(unsigned code)
{
	return code != 0 && prim_status_is_final(code);
}

static inline bool br_transit_is_refusal(unsigned code)
{
	return (br_transit_is_final(code) && code != PRIM_OK &&
		   code != PRIM_UNKNOWN_DELIVERY) ||
	    (code == 0 && PRIM_SEED(follow_on_silence));
}

/* ---- the history log (transit_end.c) ---- */

void br_transit_history(const struct br_transit *t, enum br_history_event event,
    unsigned code, struct prim_slice kind);

/* ---- life (transit.c) ---- */

struct br_transit *br_transit_new(struct br_server *s);
/* Frees it when nothing is expected of it any more. */
void br_transit_release(struct br_transit *t);
/* It is neither with an adapter nor waiting to be. */
void br_transit_unhand(struct br_transit *t);
/* It counts no more in its site. */
void br_transit_leave_site(struct br_transit *t);
void br_transit_leave_lane(struct br_transit *t);
void br_transit_expect_word(struct br_transit *t);
/* What is heard of it: a final code, a transient one, or 0 for silence. */
void br_transit_outcome(struct br_transit *t, unsigned code,
    struct prim_slice why);

/* ---- ends and answers (transit_end.c) ---- */

void br_transit_log_end(const struct br_transit *t, unsigned code,
    struct prim_slice why);
unsigned br_transit_code_for(enum prim_family family, unsigned code);
/* It is no longer among those whose senders wait. */
void br_transit_leave_live(struct br_transit *t);
void br_transit_answer(struct br_transit *t, unsigned code);
/* The same with what was answered before to the message of this key; with 400 if
 * its content was another. */
void br_transit_answer_known(struct br_transit *t, unsigned code,
    uint64_t content_hash);
void br_transit_end(struct br_transit *t, unsigned code, struct prim_slice why);
/* There is no such inbox. */
void br_transit_end_absent(struct br_transit *t);

/* ---- the same again (transit_known.c) ---- */

/* True: it is answered, or will be with the first one. */
bool br_transit_is_known(struct br_server *s,
    const struct br_transit_start *start);
void br_transit_settle_joints(struct br_transit *t, unsigned code);

/* ---- into the store (transit_commit.c) ---- */

void br_transit_commit(struct br_transit *t);
/* Another system has it (101): noted, so that a later failure can be told, then
 * answered. */
void br_transit_tell(struct br_transit *t, struct prim_slice why);
/* What is stored of it. `out` borrows from `t`, which stays until the store has
 * called back. */
void br_transit_fill(struct br_transit *t, struct br_store_message *out);
/* May its sender be told what becomes of it? */
bool br_transit_has_notices(const struct br_server *s,
    const struct br_message *m, unsigned *out_reports);
void br_transit_commit_lane(struct br_transit *t);

/* ---- stored (transit_row.c) ---- */

bool br_transit_row_is_moving(const struct br_transit *t);
/* Of an end with `code`, for history and notice. */
struct prim_slice br_transit_reason(unsigned code, struct prim_slice why);
void br_transit_row_end(struct br_transit *t, unsigned code,
    struct prim_slice why);
/* Back into its lane. 0: nothing was heard, and it may go again at once. */
void br_transit_row_back(struct br_transit *t, unsigned code,
    struct prim_slice why);
/* The same, after a pause. */
void br_transit_row_pause(struct br_transit *t, unsigned code,
    struct prim_slice why);
void br_transit_row_outcome(struct br_transit *t, unsigned code,
    struct prim_slice why);
void br_transit_row_is_late(struct br_transit *t);

/* ---- where it goes (transit_adapter.c, transit_inbox.c) ---- */

extern const struct prim_inbox_ops br_transit_inbox_ops;

void br_transit_to_adapter(struct br_transit *t);
/* The domain it goes to. */
struct prim_slice br_transit_domain(const struct br_transit *t);
/* Where nobody listens, or a link refused it: the next place the owner named; at
 * last the store. The recipient is looked up already. `code` refused it. */
void br_transit_seek(struct br_transit *t, unsigned code);
/* Somebody listens for the recipient by now, and it was not taken elsewhere. */
bool br_transit_is_awaited(const struct br_transit *t);
/* It was refused for good where it was: is there another place? False: no. The
 * row moves there, and the transit is over. */
bool br_transit_row_seek(struct br_transit *t);
/* The link that it goes along; NULL: it is no more. */
const struct br_identity *br_transit_link(const struct br_transit *t);
/* Its link is no more: to the inbox. */
void br_transit_row_home(struct br_transit *t);
/* It is kept where nobody listens. */
bool br_transit_is_kept(const struct br_server *s, const struct br_message *m);
/* Looks the recipient up; then it is offered, stored or refused. */
void br_transit_to_inbox(struct br_transit *t);
void br_transit_to_store(struct br_transit *t);
void br_transit_offer(struct br_transit *t);
/* As much is parked as may be. */
bool br_transit_is_crowded(const struct br_server *s);

#endif
