/* SPDX-License-Identifier: ISC */
/* Only in builds with -DSEEDS=ON. */

#include "prim/seed.h"

#include <stdlib.h>
#include <string.h>

static const char *chosen; /* borrowed: from the environment */

/* Before there are threads that could ask. */
__attribute__((constructor)) static void choose(void)
{
	chosen = getenv("PRIM_SEED");
}

bool prim_seed_is(const char *name)
{
	return chosen && strcmp(chosen, name) == 0;
}
