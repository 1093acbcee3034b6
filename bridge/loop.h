/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_LOOP_H
#define BRIDGE_LOOP_H

/*
 * A brake for echoes whose hop count somebody strips on the way: two automata
 * on foreign networks that answer each other through us. The same content
 * between the same two, in either direction, passes BR_HOPS_MAX times a minute
 * and no more. Only what we relay between two networks is looked at; what a
 * client sends or gets never is.
 */

#include <stdbool.h>
#include <stdint.h>

#include "prim/hash.h"
#include "prim/slice.h"

struct br_loops;

struct br_loops *br_loops_new(const struct prim_hash_key *seed);
struct br_loops *br_loops_free(struct br_loops *l);

/* What passes; all borrowed. `a` and `b` are the keys of its ends. */
struct br_loop_pass {
	struct prim_slice a, b;
	struct prim_slice content_type, body;
};

/* Counts it. False: it has passed too often. */
bool br_loops_pass(struct br_loops *l, const struct br_loop_pass *p,
    int64_t now_ms);

#endif
