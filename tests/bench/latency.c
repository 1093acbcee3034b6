/* SPDX-License-Identifier: ISC */
/* A histogram whose steps grow with the value: 32 to each power of two. */

#include "tests/bench/latency.h"

#include <string.h>

#define FINE 5 /* bits */

void bench_latency_reset(struct bench_latency *l)
{
	memset(l, 0, sizeof(*l));
}

static unsigned step_of(uint64_t ns)
{
	unsigned shift = 0;

	while (ns >> shift >= 2U << FINE)
		shift++;
	return (shift << FINE) + (unsigned)(ns >> shift);
}

static uint64_t end_of(unsigned step)
{
	unsigned shift = step >> FINE;

	if (shift < 2)
		return step;
	shift--;
	return (uint64_t)(step - (shift << FINE)) << shift;
}

void bench_latency_put(struct bench_latency *l, uint64_t ns)
{
	l->counts[step_of(ns)]++;
	l->total++;
}

double bench_latency_us(const struct bench_latency *l, double part)
{
	uint64_t seen = 0, want = (uint64_t)(part * (double)l->total);

	for (unsigned i = 0; i < BENCH_LATENCY_STEPS; i++) {
		seen += l->counts[i];
		if (seen > want)
			return (double)end_of(i) / 1000;
	}
	return 0;
}
