/* SPDX-License-Identifier: ISC */
/* The four grades of authentication strength. */

#include "prim/astrength.h"

#include "prim/base.h"

static const char *const NAMES[] = { "none", "weak", "medium", "strong" };

enum prim_astrength prim_astrength_parse(struct prim_slice value)
{
	for (size_t i = 0; i < PRIM_COUNT(NAMES); i++) {
		if (prim_slice_eq_nocase(value, prim_slice_of(NAMES[i])))
			return (enum prim_astrength)i;
	}
	return PRIM_ASTRENGTH_NONE;
}

struct prim_slice prim_astrength_name(enum prim_astrength a)
{
	return prim_slice_of(NAMES[a]);
}

enum prim_astrength prim_astrength_weaker(enum prim_astrength a,
    enum prim_astrength b)
{
	return a < b ? a : b;
}
