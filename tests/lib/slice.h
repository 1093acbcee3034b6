/* SPDX-License-Identifier: ISC */
#ifndef TESTS_LIB_SLICE_H
#define TESTS_LIB_SLICE_H

/* Comparing slices and buffers with text, and saying which row it was. */

#include "tests/lib/t.h"

#include <string.h>

#include "prim/buf.h"
#include "prim/slice.h"

/* A literal with NULs in it. */
#define T_SLICE(text)                                  \
	{                                              \
		.ptr = (text), .len = sizeof(text) - 1 \
	}

static inline void t_slice_is(const char *row, struct prim_slice s,
    const char *expected)
{
	if (!prim_slice_eq(s, prim_slice_of(expected)))
		fail_msg("%s: \"%.*s\", not \"%s\"", row, PRIM_SLICE_ARG(s),
		    expected);
}

static inline void t_buf_is(const char *row, const struct prim_buf *b,
    const char *expected)
{
	t_slice_is(row, prim_buf_slice(b), expected);
}

static inline void t_number_is(const char *row, long long got,
    long long expected)
{
	if (got != expected)
		fail_msg("%s: %lld, not %lld", row, got, expected);
}

#endif
