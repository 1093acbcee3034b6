/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BENCH_FANOUT_H
#define TESTS_BENCH_FANOUT_H

/*
 * One principal who changes, and many who watch it on connections of their own:
 * the next change follows when everybody has seen the last one.
 */

#include <stdint.h>
#include <sys/types.h>

#include "tests/bench/client.h"
#include "tests/bench/latency.h"

struct bench_fanout_options {
	unsigned watchers;
	unsigned seconds;
	unsigned runs; /* measured, one after the other */
	pid_t pid;     /* the server's */
};

struct bench_fanout_result {
	double seconds;
	uint64_t changes;
	uint64_t notifies;
	uint64_t wrong;  /* NOTIFYs that did not show the newest state, or came
	                   twice */
	uint64_t cpu_ns; /* the server's */
	uint64_t own_cpu_ns;
	/* From the PUBLISH until the last watcher has it. */
	struct bench_latency latency;
};

/* Logs everybody in, has them SUBSCRIBE, warms up for a second, measures; `tell`
 * is called after every run. */
void bench_fanout_run(struct bench_crowd *crowd,
    const struct bench_fanout_options *options,
    void (*tell)(const struct bench_fanout_options *options,
	const struct bench_fanout_result *result));

#endif
