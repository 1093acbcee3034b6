/* SPDX-License-Identifier: ISC */
#ifndef TESTS_LIB_RANDOM_H
#define TESTS_LIB_RANDOM_H

/*
 * Numbers that look random and are the same in every run (splitmix64). A test
 * that fails with a seed fails with it again.
 */

#include <stdint.h>

struct t_random {
	uint64_t state;
};

static inline uint64_t t_random_next(struct t_random *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15U;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

/* 0 ... limit - 1 */
static inline uint64_t t_random_below(struct t_random *r, uint64_t limit)
{
	return t_random_next(r) % limit;
}

#endif
