/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BENCH_IDLE_H
#define TESTS_BENCH_IDLE_H

/*
 * Connections that are logged in, listen, and say nothing: what does the server
 * need for one?
 */

#include <sys/types.h>

#include "tests/bench/client.h"

struct bench_idle_result {
	double pss_kb;     /* for a connection */
	double private_kb; /* Private_Dirty, the same */
	double seconds;    /* until all were logged in */
	double cpu_ms;     /* of the server, for a login */
};

/* The first 100 of `count` are not counted: with them comes what is needed only
 * once. */
void bench_idle_run(struct bench_crowd *crowd, unsigned count, pid_t pid,
    struct bench_idle_result *out);

#endif
