/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BENCH_PROCESS_H
#define TESTS_BENCH_PROCESS_H

/*
 * What a process has used, by /proc. Anything that is not there ends the
 * program with a sentence.
 */

#include <stdint.h>
#include <sys/types.h>

/* Processor time of all its threads that are alive, user and system. */
uint64_t bench_process_cpu_ns(pid_t pid);

struct bench_memory {
	long pss_kb;
	long private_kb; /* Private_Dirty */
};

void bench_process_memory(pid_t pid, struct bench_memory *out);

#endif
