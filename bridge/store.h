/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_STORE_H
#define BRIDGE_STORE_H

/*
 * What lasts. Two SQLite databases in the data folder:
 *	primd.db  accounts, presence, subscriptions, adapter state (later: links,
 *	          ACLs)
 *	queue.db  messages that are not at their end, duplicates, history
 * They are apart because restoring a backup of the first must not send old
 * messages again.
 *
 * Everything is asynchronous. Writes go to the writer thread, which takes all
 * that waits into one transaction (group commit); look-ups go to the reader
 * thread and never wait for an fsync. A callback runs on the loop, after COMMIT
 * returned, in the order of the calls of its kind. It is never called from
 * inside the call that asked. Arguments are copied where a callback comes
 * later, except where "borrowed until done" is said.
 *
 * Lists come in pages, and other look-ups may be answered between two pages.
 *
 * A write that fails (disk full, I/O error) says so in its callback; the other
 * writes of its transaction are tried again one by one. After a failed COMMIT
 * nothing of it is there.
 */

#include <stdbool.h>
#include <stdint.h>

#include "bridge/err.h"
#include "prim/hash.h"
#include "prim/slice.h"

struct event_base;
struct br_store;

enum br_store_outcome {
	BR_STORE_DONE,      /* committed */
	BR_STORE_DUPLICATE, /* messages: the key is there already */
	BR_STORE_EXISTS,    /* accounts: the address is taken */
	BR_STORE_ABSENT,    /* nothing there to change */
	BR_STORE_FAILED,    /* not stored: disk full, I/O error, closing */
};

typedef void (*br_store_done_fn)(void *arg, enum br_store_outcome outcome);

/* Opens or makes both databases in `dir` (":memory:" for tests) and runs the
 * migrations. NULL with a sentence in `err`: a newer schema, a damaged file, a
 * folder that is not ours to write. WAL, synchronous=FULL. `base` is borrowed.
 * The caller holds the lock on `dir` (bridge/lock.h). */
struct br_store *br_store_open(struct event_base *base, const char *dir,
    struct br_err *err);

/* Commits all that waits, runs no more callbacks, releases `s` (NULL is fine).
 * Never from inside a callback of the store. Returns NULL. */
struct br_store *br_store_close(struct br_store *s);

/* Calls that have not called back yet. */
size_t br_store_pending(const struct br_store *s);

/* Waits until nothing is pending while the loop's callbacks run; for tests and
 * for primctl without a server. */
void br_store_settle(struct br_store *s);

/* 32 random octets made when queue.db was made; the key of the identifiers we
 * derive (Delivery-ID, duplicates). Kept as long as the database. */
void br_store_secret(const struct br_store *s, uint8_t out_secret[32]);

/* ---- accounts (primd.db) ---- */

#define BR_SALT_MAX 64
#define BR_HASH_LEN 32

struct br_store_account {
	struct prim_slice key;     /* "local@domain", canonical (address.h) */
	struct prim_slice address; /* "local@domain" as it was given */
	uint32_t iterations;       /* SCRAM-SHA-256 */
	uint8_t salt[BR_SALT_MAX];
	uint8_t salt_len;
	uint8_t stored_key[BR_HASH_LEN];
	uint8_t server_key[BR_HASH_LEN];
	struct prim_slice cram_secret; /* empty unless CRAM-MD5 is listed */
	int64_t created_ms;
};

void br_store_account_put(struct br_store *s,
    const struct br_store_account *account, br_store_done_fn done, void *arg);
/* Replaces the verifier of an account that is there, else ABSENT. */
void br_store_account_passwd(struct br_store *s,
    const struct br_store_account *account, br_store_done_fn done, void *arg);
/* Also ends what is queued for its inbox (403, "account removed"), and drops its
 * presence and every subscription by it or to it. */
void br_store_account_drop(struct br_store *s, struct prim_slice key,
    br_store_done_fn done, void *arg);

/* Forgets every cram_secret. `count`: of how many accounts. */
typedef void (*br_store_purge_fn)(void *arg, enum br_store_outcome outcome,
    unsigned count);
void br_store_account_purge(struct br_store *s, br_store_purge_fn done,
    void *arg);

/* `account` is NULL when there is none; borrowed during the callback.
 * `failed`: the look-up itself failed and nothing is known. */
typedef void (*br_store_account_fn)(void *arg,
    const struct br_store_account *account, bool failed);
void br_store_account_find(struct br_store *s, struct prim_slice key,
    br_store_account_fn found, void *arg);
/* Every account in the order of keys, then once NULL. */
void br_store_account_list(struct br_store *s, br_store_account_fn each,
    void *arg);

/* ---- presence (primd.db) ---- */

/* One value of a tuple: the permanent one, or the leased one. */
struct br_store_value {
	struct prim_slice presentity; /* key */
	struct prim_slice tuple_id;
	struct prim_slice type; /* Content-Type */
	struct prim_slice body;
	bool is_lease;
	int64_t at_ms;      /* when it was published */
	int64_t expires_ms; /* of a lease */
	int64_t row; /* as found: the lease's, for br_store_lease_renew() */
};

/* `row` is the lease's when it is DONE, else 0. */
typedef void (*br_store_row_fn)(void *arg, enum br_store_outcome outcome,
    int64_t row);

/* Sets a value, in the place of an earlier one of the same tuple and kind.
 * ABSENT: there is no such account. The slices of `v` are borrowed until done. */
void br_store_value_put(struct br_store *s, const struct br_store_value *v,
    br_store_row_fn done, void *arg);
/* Sets when a lease ends. Cheap: a hundred thousand a second. */
void br_store_lease_renew(struct br_store *s, int64_t row, int64_t expires_ms,
    br_store_done_fn done, void *arg);
/* Drops the leased value of a tuple, or the whole tuple. `done` may be NULL. */
void br_store_value_drop(struct br_store *s, struct prim_slice presentity,
    struct prim_slice tuple_id, bool only_lease, br_store_done_fn done,
    void *arg);

/* Somebody watches somebody. Known by (watcher, presentity, id). */
struct br_store_subscription {
	struct prim_slice watcher;            /* key */
	struct prim_slice presentity;         /* key */
	struct prim_slice watcher_address;    /* "pres:..." as spelled */
	struct prim_slice presentity_address; /* "pres:..." as spelled */
	struct prim_slice id; /* Subscription-ID; empty for a client's own */
	bool is_outgoing;     /* ours: the presentity lives elsewhere */
	int64_t expires_ms;
};

/* Makes or renews one. `sub` is copied. */
void br_store_subscription_put(struct br_store *s,
    const struct br_store_subscription *sub, br_store_done_fn done, void *arg);
/* The one with these three names; `done` may be NULL. */
void br_store_subscription_drop(struct br_store *s,
    const struct br_store_subscription *sub, br_store_done_fn done, void *arg);
/* Every subscription, in the order of watcher and presentity, then once
 * NULL. */
typedef void (*br_store_subscription_fn)(void *arg,
    const struct br_store_subscription *sub);
void br_store_subscription_list(struct br_store *s,
    br_store_subscription_fn each, void *arg);

/* A page of them, in the same order: only those by `key` or to it (empty: all),
 * from behind the three names of `after` (NULL: from the first). */
struct br_store_subscription_range {
	struct prim_slice key;
	const struct br_store_subscription *after;
	unsigned max; /* > 0 */
};

/* At most `max`, then once NULL; fewer: there are no more. `range` is copied.
 * `failed`: the look-up failed and the page is not whole. */
typedef void (*br_store_subscription_page_fn)(void *arg,
    const struct br_store_subscription *sub, bool failed);
void br_store_subscription_page(struct br_store *s,
    const struct br_store_subscription_range *range,
    br_store_subscription_page_fn each, void *arg);

/* All that makes a principal resident. */
struct br_store_principal {
	const struct br_store_account *account; /* NULL: there is none; then
	                                           the rest is empty */
	const struct br_store_value *values; /* in the order of publication */
	size_t value_count;
	/* Who watches it: not the outgoing ones. */
	const struct br_store_subscription *subscriptions;
	size_t subscription_count;
};

/* `p` is borrowed during the callback. What is past its time may still be in
 * it. `failed`: nothing is known and `p` is NULL. */
typedef void (*br_store_principal_fn)(void *arg,
    const struct br_store_principal *p, bool failed);
void br_store_principal_find(struct br_store *s, struct prim_slice key,
    br_store_principal_fn found, void *arg);

/* At start, synchronously: the key of every principal with a lease or a
 * subscription to it, once each, and every outgoing subscription. */
struct br_store_resident {
	void (*principal)(void *arg, struct prim_slice key);
	void (*outgoing)(void *arg, const struct br_store_subscription *sub);
	void *arg; /* borrowed */
};

bool br_store_resident_each(struct br_store *s,
    const struct br_store_resident *each, struct br_err *err);

/* ---- messages (queue.db) ---- */

/* One message that we took responsibility for. */
struct br_store_message {
	int64_t seq;             /* set by the store; grows; order in a lane */
	struct prim_digest key;  /* of duplicates (DESIGN 5) */
	struct prim_digest lane; /* sender, recipient, Conversation-ID */
	uint64_t content_hash;   /* of what must be equal in a duplicate */
	struct prim_slice destination; /* "inbox:<key>" or "adapter:<name>" */
	struct prim_slice origin;      /* "client" or an adapter's name */
	struct prim_slice sender;      /* key, as authenticated */
	struct prim_slice recipient;   /* key */
	struct prim_slice message_id;  /* as spelled */
	struct prim_slice return_token;
	struct prim_slice head; /* the header lines to relay, each with CRLF */
	struct prim_slice body;
	unsigned hops;
	int64_t accepted_ms;
	int64_t expires_ms;
	unsigned attempts; /* hand-offs begun */
	int64_t next_try_ms;
};

/* Stores the message and the duplicate key with answer 101, in one
 * transaction. `m` is copied; its slices are borrowed until done. The callback
 * gets the seq. DUPLICATE: the key is there; nothing is stored, and `answer` and
 * `content_hash` are those of the first. */
struct br_store_put_result {
	enum br_store_outcome outcome;
	int64_t seq;
	unsigned answer;
	uint64_t content_hash;
};

typedef void (*br_store_put_fn)(void *arg,
    const struct br_store_put_result *result);
void br_store_message_put(struct br_store *s, const struct br_store_message *m,
    br_store_put_fn done, void *arg);

/* The message `seq`; NULL when it is gone or damaged (`failed` tells which is
 * not known). Borrowed during the callback. Reader thread. */
typedef void (*br_store_message_fn)(void *arg, const struct br_store_message *m,
    bool failed);
void br_store_message_get(struct br_store *s, int64_t seq,
    br_store_message_fn found, void *arg);

/* At start, synchronously: every stored message in the order of seq, without
 * head and body. False when the database cannot be read. */
bool br_store_message_each(struct br_store *s, br_store_message_fn each,
    void *arg, struct br_err *err);

struct br_store_attempt {
	int64_t seq;
	unsigned attempts; /* hand-offs begun */
	int64_t next_try_ms;
};

/* Remembers that a hand-off begins or when the next one may. */
void br_store_message_attempt(struct br_store *s,
    const struct br_store_attempt *attempt, br_store_done_fn done, void *arg);

struct br_store_end {
	unsigned code;
	struct prim_slice reason; /* for the history: "delivered", "expired" */
	int64_t forget_ms;        /* until then its duplicate key stays */
};

/* The end of a message: the row goes, its duplicate key stays, a line of
 * history is written, all in one transaction. `end` is copied; `done` may be
 * NULL. */
void br_store_message_end(struct br_store *s, int64_t seq,
    const struct br_store_end *end, br_store_done_fn done, void *arg);

/* ---- duplicates (queue.db) ---- */

struct br_store_duplicate {
	unsigned answer; /* 101, or 200 once the end was delivered */
	uint64_t content_hash;
};

typedef void (*br_store_duplicate_fn)(void *arg,
    const struct br_store_duplicate *d, bool failed);
void br_store_duplicate_find(struct br_store *s, const struct prim_digest *key,
    br_store_duplicate_fn found, void *arg);
/* At start, synchronously: the first 8 octets (as uint64_t, native) of every
 * key that is remembered. */
typedef void (*br_store_key_fn)(void *arg, uint64_t prefix);
bool br_store_duplicate_each(struct br_store *s, br_store_key_fn each,
    void *arg, struct br_err *err);
/* Forgets keys and history that are past their time, and leases and
 * subscriptions that are so for more than an hour: those of a principal nobody
 * has loaded. Runs in small steps so that no commit waits long; does nothing
 * while an earlier one still runs. */
void br_store_expire(struct br_store *s, int64_t now_ms);

/* ---- history (queue.db), for `primctl trace` ---- */

struct br_store_event {
	int64_t at_ms;
	struct prim_slice text; /* "accepted from=... to=...", "attempt n=2" */
};

/* What happened to stored messages with this Message-ID, oldest first, at most
 * 1,000, then once NULL. */
typedef void (*br_store_event_fn)(void *arg, const struct br_store_event *e);
void br_store_history_find(struct br_store *s, struct prim_slice message_id,
    br_store_event_fn each, void *arg);

/* ---- adapter state (primd.db) ---- */

#define BR_STATE_KEY_MAX   512
#define BR_STATE_VALUE_MAX 65536
#define BR_STATE_PAGE      ((size_t)256 * 1024)

void br_store_state_put(struct br_store *s, struct prim_slice adapter,
    struct prim_slice key, struct prim_slice value, br_store_done_fn done,
    void *arg);
void br_store_state_drop(struct br_store *s, struct prim_slice adapter,
    struct prim_slice key, br_store_done_fn done, void *arg);
/* `value` is NULL when absent. A page ends with `key` NULL once; `value` is NULL
 * then too if nothing is behind it, else empty. */
typedef void (*br_store_state_fn)(void *arg, const struct prim_slice *key,
    const struct prim_slice *value, bool failed);
void br_store_state_find(struct br_store *s, struct prim_slice adapter,
    struct prim_slice key, br_store_state_fn found, void *arg);
/* A page: what is behind the key `after` (empty: from the first), in the order
 * of keys, until it has BR_STATE_PAGE octets or a little more. */
void br_store_state_page(struct br_store *s, struct prim_slice adapter,
    struct prim_slice after, br_store_state_fn each, void *arg);

#endif
