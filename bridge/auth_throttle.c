/* SPDX-License-Identifier: ISC */
/* Slowing down those who guess. */

#include "bridge/auth_throttle.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include "prim/base.h"

#define FREE_SOURCE_FAILURES  5
#define FREE_ACCOUNT_FAILURES 20
#define FIRST_DELAY_MS        1000
#define LAST_DELAY_MS         30000
#define ACCOUNT_DELAY_MS      1000
#define WINDOW_MS             (BR_AUTH_THROTTLE_WINDOW_S * INT64_C(1000))
#define PREFIX_LEN            8 /* a /64 is one customer, or one machine */

struct br_auth_throttle_entry {
	struct prim_table_node node;
	TAILQ_ENTRY(br_auth_throttle_entry) link;
	int64_t since_ms;  /* of the first of `failures` */
	unsigned failures; /* in the window that began then */
	unsigned open;     /* exchanges; keeps the entry in the table */
};

int64_t br_auth_throttle_delay_ms(unsigned source_failures,
    unsigned account_failures)
{
	int64_t delay = FIRST_DELAY_MS;

	if (source_failures < FREE_SOURCE_FAILURES)
		return account_failures < FREE_ACCOUNT_FAILURES
		    ? 0
		    : ACCOUNT_DELAY_MS;
	for (unsigned n = FREE_SOURCE_FAILURES; n < source_failures; n++) {
		delay *= 2;
		if (delay >= LAST_DELAY_MS)
			return LAST_DELAY_MS;
	}
	return delay;
}

void br_auth_throttle_init(struct br_auth_throttle *t,
    const struct prim_hash_key *secret)
{
	prim_table_init(&t->table);
	TAILQ_INIT(&t->used);
	t->secret = *secret;
}

static void drop(struct br_auth_throttle *t, struct br_auth_throttle_entry *e)
{
	TAILQ_REMOVE(&t->used, e, link);
	prim_table_drop(&t->table, &e->node);
	prim_free(e);
}

void br_auth_throttle_fini(struct br_auth_throttle *t)
{
	while (!TAILQ_EMPTY(&t->used))
		drop(t, TAILQ_FIRST(&t->used));
	prim_table_fini(&t->table);
}

static uint64_t hash_field(const struct br_auth_throttle *t,
    struct prim_slice label, struct prim_slice value)
{
	struct prim_hasher h;
	struct prim_digest digest;
	uint64_t hash;

	prim_hasher_init(&h, &t->secret);
	prim_hasher_feed_field(&h, label);
	prim_hasher_feed_field(&h, value);
	digest = prim_hasher_digest(&h);
	memcpy(&hash, digest.octets, sizeof(hash));
	return hash;
}

/* The part of an address that stands for one party, in `buffer`. */
static struct prim_slice source_of(struct prim_slice remote,
    char buffer[INET6_ADDRSTRLEN])
{
	struct in6_addr v6;

	if (remote.len == 0 || remote.len >= INET6_ADDRSTRLEN)
		return remote;
	memcpy(buffer, remote.ptr, remote.len);
	buffer[remote.len] = '\0';
	if (inet_pton(AF_INET6, buffer, &v6) != 1)
		return remote;
	if (IN6_IS_ADDR_V4MAPPED(&v6)) {
		inet_ntop(AF_INET, &v6.s6_addr[12], buffer, INET6_ADDRSTRLEN);
		return prim_slice_of(buffer);
	}
	memcpy(buffer, v6.s6_addr, PREFIX_LEN);
	return prim_slice_make(buffer, PREFIX_LEN);
}

struct br_auth_attempt
br_auth_throttle_attempt(const struct br_auth_throttle *t,
    struct prim_slice remote, struct prim_slice key)
{
	char buffer[INET6_ADDRSTRLEN];

	return (struct br_auth_attempt){
		.source = hash_field(t, PRIM_SLICE("source"),
		    source_of(remote, buffer)),
		.account = hash_field(t, PRIM_SLICE("account"), key),
	};
}

/* 64 bits of a keyed hash are the identity: whoever finds two alike has only
 * found somebody to be slow with. */
static struct br_auth_throttle_entry *find(const struct br_auth_throttle *t,
    uint64_t hash)
{
	struct prim_table_node *n = prim_table_first(&t->table, hash);

	return n ? PRIM_CONTAINER(n, struct br_auth_throttle_entry, node)
		 : NULL;
}

/* Drops what has run out from the old end of the list, and when the table is
 * full the oldest that nothing is open for, run out or not. */
static void make_room(struct br_auth_throttle *t, int64_t now_ms)
{
	struct br_auth_throttle_entry *e, *next;

	PRIM_TAILQ_FOREACH_SAFE(e, &t->used, link, next) {
		const bool full = t->table.count >= BR_AUTH_THROTTLE_ENTRIES;

		if (!full && now_ms - e->since_ms < WINDOW_MS)
			return;
		if (!e->open)
			drop(t, e);
	}
}

/* The entry of `hash`, made if it is not there, now the last used. */
static struct br_auth_throttle_entry *use(struct br_auth_throttle *t,
    uint64_t hash, int64_t now_ms)
{
	struct br_auth_throttle_entry *e = find(t, hash);

	if (e) {
		TAILQ_REMOVE(&t->used, e, link);
	} else {
		make_room(t, now_ms);
		e = prim_new(struct br_auth_throttle_entry);
		prim_table_put(&t->table, &e->node, hash);
	}
	TAILQ_INSERT_TAIL(&t->used, e, link);
	if (now_ms - e->since_ms >= WINDOW_MS || e->failures == 0) {
		e->failures = 0;
		e->since_ms = now_ms;
	}
	return e;
}

bool br_auth_throttle_enter(struct br_auth_throttle *t,
    const struct br_auth_attempt *a, int64_t now_ms)
{
	struct br_auth_throttle_entry *e = use(t, a->source, now_ms);

	if (e->open >= BR_AUTH_THROTTLE_OPEN)
		return false;
	e->open++;
	return true;
}

void br_auth_throttle_leave(struct br_auth_throttle *t,
    const struct br_auth_attempt *a)
{
	struct br_auth_throttle_entry *e = find(t, a->source);

	assert(e && e->open > 0);
	e->open--;
	if (!e->open && !e->failures)
		drop(t, e);
}

void br_auth_throttle_fail(struct br_auth_throttle *t,
    const struct br_auth_attempt *a, int64_t now_ms)
{
	use(t, a->source, now_ms)->failures++;
	use(t, a->account, now_ms)->failures++;
}

static unsigned failures_of(const struct br_auth_throttle *t, uint64_t hash,
    int64_t now_ms)
{
	const struct br_auth_throttle_entry *e = find(t, hash);

	return e && now_ms - e->since_ms < WINDOW_MS ? e->failures : 0;
}

int64_t br_auth_throttle_wait_ms(const struct br_auth_throttle *t,
    const struct br_auth_attempt *a, int64_t now_ms)
{
	return br_auth_throttle_delay_ms(failures_of(t, a->source, now_ms),
	    failures_of(t, a->account, now_ms));
}
