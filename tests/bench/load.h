/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BENCH_LOAD_H
#define TESTS_BENCH_LOAD_H

/*
 * Senders that always have `window` messages under way, each answered before
 * the next one takes its place; or with a rate, which goes on whatever the
 * server does: how long a message took counts from when it was to be sent.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/bench/client.h"
#include "tests/bench/latency.h"

struct bench_load_options {
	unsigned senders;
	unsigned window;
	unsigned
	    rate; /* messages a second of each; 0: as fast as answers come */
	unsigned seconds;
	unsigned text_octets;
	/* To whom: NULL means that each sender has a listener of its own, the
	 * next account; else the address of somebody. */
	const char *to;
	unsigned expected; /* the answer that counts, 200 or 101 */
	pid_t pid;         /* the server's */
};

struct bench_load_result {
	double seconds;
	uint64_t answered;
	uint64_t failed; /* another answer than expected, also while warming */
	unsigned failed_code; /* the first of those */
	uint64_t cpu_ns;      /* the server's */
	uint64_t own_cpu_ns;
	struct bench_latency latency;
};

/* Logs everybody in, warms up for a second, measures. */
void bench_load_run(struct bench_crowd *crowd,
    const struct bench_load_options *options, struct bench_load_result *out);

#endif
