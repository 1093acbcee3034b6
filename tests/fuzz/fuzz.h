/* SPDX-License-Identifier: ISC */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

/* What fuzz targets have in common. */

#include <stdlib.h>

#include "prim/slice.h"

/* Like assert(), but never compiled out. */
#define FUZZ_CHECK(claim)        \
	do {                     \
		if (!(claim))    \
			abort(); \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Does `part` lie in `whole`? Empty ones lie anywhere. */
static inline bool fuzz_inside(struct prim_slice part, struct prim_slice whole)
{
	return part.len == 0 ||
	    (part.ptr >= whole.ptr &&
		part.ptr + part.len <= whole.ptr + whole.len);
}

static inline struct prim_slice fuzz_slice(const uint8_t *data, size_t size)
{
	return prim_slice_make((const char *)data, size);
}

#endif
