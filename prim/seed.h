/* SPDX-License-Identifier: ISC */
#ifndef PRIM_SEED_H
#define PRIM_SEED_H

/*
 * Seeded faults: deliberate breakages of our own code, each of which has to be
 * caught by a test (tests/fault/seeds.txt lists them all). A build with -DSEEDS=ON
 * has them, and the environment variable PRIM_SEED names the one that is on. In
 * any other build PRIM_SEED(name) is 0 and leaves no trace.
 */

#ifdef PRIM_SEEDS
#include <stdbool.h>

/* Is it the one that the environment names? */
bool prim_seed_is(const char *name);

#define PRIM_SEED(name) prim_seed_is(#name)
#else
#define PRIM_SEED(name) 0
#endif

#endif
