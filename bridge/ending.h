/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_ENDING_H
#define BRIDGE_ENDING_H

/*
 * Ends of stored messages on their way to the store. One that cannot be written
 * (the disk is full) is tried again until it is: otherwise the message would
 * come back from the dead with the next start.
 */

#include <stdbool.h>
#include <stdint.h>

#include "prim/slice.h"

struct br_server;
struct br_ending;
struct br_store_message;
struct br_store_report;

/* Message `seq` ended with `code`; `reason` is copied. */
void br_ending_start(struct br_server *s, int64_t seq, unsigned code,
    struct prim_slice reason);

/* The same for a message that nobody had in his hands: the line of its end is
 * written here, from what is stored. */
void br_ending_start_unheld(struct br_server *s, int64_t seq, unsigned code,
    struct prim_slice reason);

/* Out of circulation instead; the line of its end is written here, too, and when
 * it is done the log warns of it. */
void br_ending_quarantine(struct br_server *s, int64_t seq, unsigned code,
    struct prim_slice reason);
/* The same where that line is written already. */
void br_ending_quarantine_told(struct br_server *s, int64_t seq, unsigned code,
    struct prim_slice reason);

/* Is the end of `seq` on its way to the store? */
bool br_ending_is_near(const struct br_server *s, int64_t seq);

/* Later word of a message that ended with 101 (bridge/store.h); copied. When too
 * many are under way it is dropped, and the log says so. */
void br_ending_report(struct br_server *s,
    const struct br_store_report *report);

/* The line of the end of `m`, in the log and in the history. */
void br_ending_tell(struct br_server *s, const struct br_store_message *m,
    unsigned code, struct prim_slice reason);

/* Forgets what is not written yet; the store makes no more callbacks. */
void br_ending_free_all(struct br_server *s);

#endif
