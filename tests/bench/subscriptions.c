/* SPDX-License-Identifier: ISC */
/* Subscriptions that were made before, and their end. */

#include "tests/bench/subscriptions.h"

#include <err.h>
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "bridge/lock.h"
#include "bridge/store.h"
#include "tests/bench/accounts.h"
#include "tests/bench/process.h"

#define NAME_MAX_LEN 256
#define PAGE         500 /* in one commit */
#define BEFORE_S     2   /* the seconds of two programs need not agree */
#define AFTER_S      3   /* until what the last end has caused is done, too */

struct names {
	char presentity[NAME_MAX_LEN], presentity_address[NAME_MAX_LEN];
	char watcher[NAME_MAX_LEN], watcher_address[NAME_MAX_LEN];
	char id[32];
};

static void on_put(void *arg, enum br_store_outcome outcome)
{
	unsigned *failed = arg;

	if (outcome != BR_STORE_DONE)
		(*failed)++;
}

/* As an adapter would have it: an id of 16 digits. */
static void name_all(struct names *n, const struct bench_subscriptions *s,
    unsigned number)
{
	bench_account_name(n->presentity, NAME_MAX_LEN - 8,
	    number % BENCH_PRESENTITIES, s->domain);
	snprintf(n->presentity_address, NAME_MAX_LEN, "pres:%.200s",
	    n->presentity);
	snprintf(n->watcher, NAME_MAX_LEN, "watcher%06u@%.200s", number,
	    s->foreign);
	snprintf(n->watcher_address, NAME_MAX_LEN, "pres:watcher%06u@%.200s",
	    number, s->foreign);
	snprintf(n->id, sizeof(n->id), "%016x", number);
}

static int64_t first_end_ms(const struct bench_subscriptions *s)
{
	return ((int64_t)time(NULL) + s->first_s) * 1000;
}

/* Octets of strings in all. */
static uint64_t put_all(struct br_store *store,
    const struct bench_subscriptions *s)
{
	int64_t first_ms = first_end_ms(s);
	uint64_t octets = 0;
	unsigned failed = 0;
	struct names n;

	for (unsigned i = 0; i < s->count; i++) {
		struct br_store_subscription sub;

		name_all(&n, s, i);
		sub = (struct br_store_subscription){
			.watcher = prim_slice_of(n.watcher),
			.presentity = prim_slice_of(n.presentity),
			.watcher_address = prim_slice_of(n.watcher_address),
			.presentity_address =
			    prim_slice_of(n.presentity_address),
			.id = prim_slice_of(n.id),
			.expires_ms = first_ms +
			    (int64_t)i * 1000 / BENCH_ENDS_A_S,
		};
		octets += sub.watcher.len + sub.watcher_address.len +
		    sub.id.len;
		br_store_subscription_put(store, &sub, on_put, &failed);
		if (i % PAGE == PAGE - 1)
			br_store_settle(store);
	}
	br_store_settle(store);
	if (failed)
		errx(1, "%u subscriptions could not be stored", failed);
	return octets;
}

double bench_subscriptions_make(const struct bench_subscriptions *s)
{
	struct event_base *base = event_base_new();
	struct br_lock *lock;
	struct br_store *store = NULL;
	struct br_err error;
	uint64_t octets;

	lock = br_lock_open(s->data_dir, &error);
	if (lock)
		store = br_store_open(base, s->data_dir, &error);
	if (!store)
		errx(1, "%s", error.text);
	octets = put_all(store, s);
	br_store_close(store);
	br_lock_close(lock);
	event_base_free(base);
	return (double)octets / s->count;
}

double bench_subscriptions_end(unsigned count, unsigned first_s, pid_t pid)
{
	uint64_t before;

	sleep(first_s > BEFORE_S ? first_s - BEFORE_S : 0);
	before = bench_process_cpu_ns(pid);
	sleep(BEFORE_S + count / BENCH_ENDS_A_S + AFTER_S);
	return (double)(bench_process_cpu_ns(pid) - before) / 1e3 / count;
}
