/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BENCH_LATENCY_H
#define TESTS_BENCH_LATENCY_H

/*
 * How long things took: counts in steps of about 3 %, so that any number of
 * them costs the same few kilobytes.
 */

#include <stdint.h>

#define BENCH_LATENCY_STEPS 2048

struct bench_latency {
	uint64_t counts[BENCH_LATENCY_STEPS];
	uint64_t total;
};

void bench_latency_reset(struct bench_latency *l);
void bench_latency_put(struct bench_latency *l, uint64_t ns);
/* `part` (0 to 1) of all took at most this many microseconds. */
double bench_latency_us(const struct bench_latency *l, double part);

#endif
