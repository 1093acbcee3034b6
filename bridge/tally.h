/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_TALLY_H
#define BRIDGE_TALLY_H

/*
 * How often somebody did something within a time, in a table of bounded size.
 * The time begins with the first, and the next begins after it is over. Nothing
 * here waits or reads a clock.
 *
 * 64 bits of a keyed hash stand for a name: whoever finds two alike has only
 * found somebody to share a limit with.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "prim/hash.h"
#include "prim/slice.h"
#include "prim/table.h"

#define BR_TALLY_ENTRIES 65536 /* more: the one that began first is forgotten */

struct br_tally_entry;

struct br_tally {
	struct prim_table table; /* owns its entries */
	TAILQ_HEAD(,
	    br_tally_entry) entries; /* the one that began first, first */
	struct prim_hash_key seed;   /* peers choose the names */
	int64_t window_ms;
};

/* In memory the caller has. */
void br_tally_init(struct br_tally *t, int64_t window_ms);
void br_tally_fini(struct br_tally *t);

/* How often since the time that runs now began. */
unsigned br_tally_count(const struct br_tally *t, struct prim_slice name,
    int64_t now_ms);
/* Once more. Returns how often it is now. */
unsigned br_tally_add(struct br_tally *t, struct prim_slice name,
    int64_t now_ms);

#endif
