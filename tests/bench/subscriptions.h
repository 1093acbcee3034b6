/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BENCH_SUBSCRIPTIONS_H
#define TESTS_BENCH_SUBSCRIPTIONS_H

/*
 * Subscriptions of watchers behind an adapter to accounts of ours, written
 * straight into the store of a server that does not run; and what they cost the
 * server when they end.
 */

#include <sys/types.h>

#define BENCH_PRESENTITIES 100 /* accounts that are watched, all alike */
#define BENCH_ENDS_A_S     20000

struct bench_subscriptions {
	const char *data_dir;
	const char *domain;  /* of the presentities */
	const char *foreign; /* of the watchers */
	unsigned count;
	unsigned first_s; /* from now, when the first one ends */
};

/* Octets of the strings of one, as the server keeps them, on average. */
double bench_subscriptions_make(const struct bench_subscriptions *s);

/* Waits `first_s` and until `count` have ended: microseconds of the server's
 * processor time for one. */
double bench_subscriptions_end(unsigned count, unsigned first_s, pid_t pid);

#endif
