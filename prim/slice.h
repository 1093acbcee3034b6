/* SPDX-License-Identifier: ISC */
#ifndef PRIM_SLICE_H
#define PRIM_SLICE_H

/*
 * Slices: a borrowed run of octets. A slice never owns and never ends in NUL;
 * to keep the octets, copy them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct prim_slice {
	const char *ptr; /* borrowed; may be NULL when len is 0 */
	size_t len;      /* octets */
};

/* A slice of a string literal. */
#define PRIM_SLICE(text) \
	((struct prim_slice){ .ptr = (text), .len = sizeof(text) - 1 })
#define PRIM_SLICE_NONE ((struct prim_slice){ .ptr = NULL, .len = 0 })

/* For printf: printf("%.*s", PRIM_SLICE_ARG(s)). */
#define PRIM_SLICE_ARG(slice) (int)(slice).len, (slice).ptr ? (slice).ptr : ""

/* A slice of a NUL-terminated string; NULL gives the empty slice. */
struct prim_slice prim_slice_of(const char *text);
struct prim_slice prim_slice_make(const char *ptr, size_t len);

bool prim_slice_eq(struct prim_slice a, struct prim_slice b);
/* ASCII letters compare without case; all other octets exactly. */
bool prim_slice_eq_nocase(struct prim_slice a, struct prim_slice b);
bool prim_slice_starts(struct prim_slice s, struct prim_slice prefix);
bool prim_slice_ends(struct prim_slice s, struct prim_slice suffix);

/* Index of the first / last `c`, or -1. */
ptrdiff_t prim_slice_find(struct prim_slice s, char c);
ptrdiff_t prim_slice_find_last(struct prim_slice s, char c);

/* The part of `s` from `from` to its end; empty if `from` is behind it. */
struct prim_slice prim_slice_from(struct prim_slice s, size_t from);

/* Takes what stands before the first `sep` off the front of `rest`, and the
 * `sep` with it. Without a `sep` takes everything; `rest` is then empty. */
struct prim_slice prim_slice_cut(struct prim_slice *rest, char sep);

/* `s` without SP and HTAB at both ends. */
struct prim_slice prim_slice_trim(struct prim_slice s);

/* The value of a decimal number of 1 to 19 digits that is at most `max`, and
 * nothing else in `s`. False otherwise; `out_value` is then untouched. */
bool prim_slice_number(struct prim_slice s, uint64_t max, uint64_t *out_value);

/* Copies `s` to `*room`, moves `*room` behind it, and returns the copy. */
struct prim_slice prim_slice_keep(char **room, struct prim_slice s);

/* A NUL-terminated copy; release with prim_free(). */
char *prim_slice_copy(struct prim_slice s);

#endif
