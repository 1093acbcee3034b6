/* SPDX-License-Identifier: ISC */
/* Filling the store of a server that does not run. */

#include "tests/bench/accounts.h"

#include <err.h>
#include <event2/event.h>
#include <stdlib.h>

#include "bridge/auth.h"
#include "bridge/lock.h"
#include "bridge/store.h"

#define NAME_MAX_LEN 128
#define PAGE         500 /* accounts in one commit */

static void on_put(void *arg, enum br_store_outcome outcome)
{
	unsigned *failed = arg;

	if (outcome != BR_STORE_DONE && outcome != BR_STORE_EXISTS)
		(*failed)++;
}

static void put_all(struct br_store *store, struct br_store_account *account,
    const char *domain, unsigned count)
{
	char name[NAME_MAX_LEN];
	unsigned failed = 0;

	for (unsigned i = 0; i < count; i++) {
		bench_account_name(name, sizeof(name), i, domain);
		account->key = prim_slice_of(name);
		account->address = account->key;
		br_store_account_put(store, account, on_put, &failed);
		if (i % PAGE == PAGE - 1)
			br_store_settle(store);
	}
	br_store_settle(store);
	if (failed)
		errx(1, "%u accounts could not be stored", failed);
}

void bench_accounts_make(const char *data_dir, const char *domain,
    unsigned count)
{
	struct br_store_account account = { .created_ms = 1 };
	struct event_base *base = event_base_new();
	struct br_lock *lock;
	struct br_store *store = NULL;
	struct br_err error;

	lock = br_lock_open(data_dir, &error);
	if (lock)
		store = br_store_open(base, data_dir, &error);
	if (!store ||
	    !br_auth_verifier(PRIM_SLICE(BENCH_PASSWORD), &account, &error))
		errx(1, "%s", error.text);
	put_all(store, &account, domain, count);
	br_store_close(store);
	br_lock_close(lock);
	event_base_free(base);
}
