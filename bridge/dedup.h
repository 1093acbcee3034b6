/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_DEDUP_H
#define BRIDGE_DEDUP_H

/*
 * Answers that are remembered, so that the same message sent again gets the
 * same answer and is not delivered twice (DESIGN 5, PRIM-253).
 *
 * Live answers are kept here, in memory, for ten minutes, at most
 * BR_DEDUP_MAX of them, the oldest going first. Durable ones are in the store;
 * of them only a prefix is here, so that a message that is new (nearly every
 * one) never waits for a look-up.
 */

#include <stdbool.h>
#include <stdint.h>

#include "prim/hash.h"

#define BR_DEDUP_MAX     1048576
#define BR_DEDUP_KEEP_MS (10 * 60 * 1000)
/* How long after a stored message's end its duplicates are recognised. */
#define BR_REMEMBER_MS ((int64_t)48 * 3600 * 1000)

struct br_dedup;

struct br_dedup *br_dedup_new(void);
struct br_dedup *br_dedup_free(struct br_dedup *d);

struct br_dedup_answer {
	unsigned code;
	uint64_t content_hash;
};

/* Remembers a live answer. */
void br_dedup_put(struct br_dedup *d, const struct prim_digest *key,
    const struct br_dedup_answer *answer, int64_t now_ms);
/* False: not among the live ones. */
bool br_dedup_find(struct br_dedup *d, const struct prim_digest *key,
    int64_t now_ms, struct br_dedup_answer *out_answer);

/* The store remembers `key` (by its first 8 octets); known from here on for
 * BR_REMEMBER_MS or longer. */
void br_dedup_note_durable(struct br_dedup *d, uint64_t prefix);
/* Forgets what was noted long ago, when it is time for that. True: it did, and
 * what is still stored has to be noted anew. */
bool br_dedup_forget_durable(struct br_dedup *d, int64_t now_ms);
/* May the store remember `key`? False is certain. */
bool br_dedup_may_be_durable(const struct br_dedup *d,
    const struct prim_digest *key);

uint64_t br_dedup_prefix(const struct prim_digest *key);

#endif
