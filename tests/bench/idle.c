/* SPDX-License-Identifier: ISC */
/* Many who are just there. */

#include "tests/bench/idle.h"

#include <err.h>

#include "prim/base.h"
#include "tests/bench/process.h"

#define FIRST          100
#define LOGINS_AT_ONCE 16
#define SETTLE_MS      2000

static void settle(struct bench_crowd *crowd)
{
	uint64_t end = bench_now_ns() + SETTLE_MS * (uint64_t)1000000;

	while (bench_now_ns() < end)
		bench_crowd_turn(crowd, SETTLE_MS / 10);
}

static void log_in(struct bench_crowd *crowd, struct bench_client *clients,
    unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		bench_client_init(&clients[i], crowd, i);
		bench_client_begin(&clients[i]);
		bench_crowd_wait_ready(crowd, LOGINS_AT_ONCE);
	}
	bench_crowd_wait_ready(crowd, 0);
}

void bench_idle_run(struct bench_crowd *crowd, unsigned count, pid_t pid,
    struct bench_idle_result *out)
{
	struct bench_client *clients = prim_alloc(count * sizeof(*clients));
	struct bench_memory before, after;
	unsigned counted = count - FIRST;
	uint64_t begun, cpu_ns;

	if (count <= FIRST)
		errx(1, "at least %d connections are needed", FIRST + 1);
	log_in(crowd, clients, 0, FIRST);
	settle(crowd);
	bench_process_memory(pid, &before);
	cpu_ns = bench_process_cpu_ns(pid);
	begun = bench_now_ns();
	log_in(crowd, clients, FIRST, count);
	out->seconds = (double)(bench_now_ns() - begun) / 1e9;
	cpu_ns = bench_process_cpu_ns(pid) - cpu_ns;
	out->cpu_ms = (double)cpu_ns / 1e6 / counted;
	settle(crowd);
	bench_process_memory(pid, &after);
	out->pss_kb = (double)(after.pss_kb - before.pss_kb) / counted;
	out->private_kb = (double)(after.private_kb - before.private_kb) /
	    counted;
	/* The process ends now, and with it everything of theirs. */
}
