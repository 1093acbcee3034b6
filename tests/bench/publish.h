/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BENCH_PUBLISH_H
#define TESTS_BENCH_PUBLISH_H

/*
 * Publishers, each on a connection of its own with tuples of its own, who always
 * have `window` PUBLISHes under way. Each tuple is leased first; then the leases
 * are renewed, or published anew, in turn. Every one is committed before it is
 * answered.
 */

#include <stdint.h>
#include <sys/types.h>

#include "tests/bench/client.h"
#include "tests/bench/latency.h"

struct bench_publish_options {
	unsigned publishers;
	unsigned tuples; /* of each; 1 to 64 */
	unsigned window;
	unsigned seconds;
	const char *kind; /* PI-Type */
	pid_t pid;        /* the server's */
};

struct bench_publish_result {
	double seconds;
	uint64_t answered;
	uint64_t failed;      /* other answers than 200, also while warming */
	unsigned failed_code; /* the first of those */
	uint64_t cpu_ns;      /* the server's */
	uint64_t own_cpu_ns;
	struct bench_latency latency;
};

/* Logs everybody in, leases the tuples, warms up for a second, measures. */
void bench_publish_run(struct bench_crowd *crowd,
    const struct bench_publish_options *options,
    struct bench_publish_result *out);

#endif
