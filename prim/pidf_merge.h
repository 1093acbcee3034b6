/* SPDX-License-Identifier: ISC */
#ifndef PRIM_PIDF_MERGE_H
#define PRIM_PIDF_MERGE_H

/*
 * One presence document out of several of the same presentity.
 */

#include "prim/pidf.h"

/* Adds the tuples of `from` behind those of `into`, copied. An entity that `into`
 * does not have is taken over. What `from` says beside its tuples (notes,
 * activities, idle) goes to those of them that do not say it themselves: one
 * place must not colour another. Without tuples it is said of the person, and a
 * note that is there already is not repeated. A tuple id that is taken
 * gets `name` and "-" in front ("t2-" and so on if that does not help or `name`
 * is empty). False: not all fitted (PRIM_PIDF_TUPLES_MAX, PRIM_PIDF_NOTES_MAX);
 * what is behind was left out. */
bool prim_pidf_merge(struct prim_pidf *into, const struct prim_pidf *from,
    struct prim_slice name);

/* Are `a` and `b` the same principal, with or without pres:? Texts that are no
 * addresses are the same when they are equal. */
bool prim_pidf_same_entity(struct prim_slice a, struct prim_slice b);

#endif
