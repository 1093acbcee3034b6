/* SPDX-License-Identifier: ISC */
#ifndef PRIM_ASTRENGTH_H
#define PRIM_ASTRENGTH_H

/*
 * AStrength: how sure the servers on the way are of who speaks
 * (PRIM-137..142). Never more than the weakest link.
 */

#include "prim/slice.h"

enum prim_astrength {
	PRIM_ASTRENGTH_NONE,
	PRIM_ASTRENGTH_WEAK,
	PRIM_ASTRENGTH_MEDIUM,
	PRIM_ASTRENGTH_STRONG,
};

/* In any case of letters; an unknown value is NONE (ERR-13). */
enum prim_astrength prim_astrength_parse(struct prim_slice value);
/* "none", "weak", "medium", "strong". */
struct prim_slice prim_astrength_name(enum prim_astrength a);
enum prim_astrength prim_astrength_weaker(enum prim_astrength a,
    enum prim_astrength b);

#endif
