/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_STORE_H
#define BRIDGE_STORE_H

/*
 * What lasts. Two SQLite databases in the data folder:
 *	primd.db  accounts, links, presence, subscriptions, adapter state (later:
 *	          ACLs)
 *	queue.db  messages that are not at their end, what others took and may
 *	          still give back, duplicates, history
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
 * nothing of it is there; only a process that dies before the disk works again
 * may leave it in the log, whole, for the next one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "bridge/err.h"
#include "prim/buf.h"
#include "prim/hash.h"
#include "prim/slice.h"

struct br_chores;
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
 * migrations. A damaged queue.db is made anew out of what can be read of it, and
 * that is said (store_salvage.h). NULL with a sentence in `err`: a newer schema, a
 * damaged primd.db, a folder that is not ours to write. WAL, synchronous=FULL.
 * `base` is borrowed. The caller holds the lock on `dir` (bridge/lock.h). */
struct br_store *br_store_open(struct event_base *base, const char *dir,
    struct br_err *err);

/* Commits all that waits, runs no more callbacks, releases `s` (NULL is fine).
 * Never from inside a callback of the store. Returns NULL. */
struct br_store *br_store_close(struct br_store *s);

/* What time it is for this store: `*now_ms`, which is read on the loop when a
 * write is asked for. Borrowed; NULL: the wall clock, which may jump. */
void br_store_set_clock(struct br_store *s, const int64_t *now_ms);

/* Callbacks are made little by little (bridge/chore.h); before the first call.
 * Borrowed; NULL: whenever there are some. */
void br_store_set_chores(struct br_store *s, struct br_chores *chores);

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
/* Also ends what is queued for it, wherever it was to go (403, "account
 * removed"; each with its notice), and drops its links, its presence and every
 * subscription by it or to it. Messages end in steps, so that nobody waits for
 * all of them; only those that were stored before, so that an account that is
 * made again at once keeps its own. A removal that a crash cuts short is gone on
 * with when the store is opened. */
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

/* ---- links of identities (primd.db; DESIGN 6) ---- */

/* One principal has one address of a foreign network. Known by its principal
 * and its address; an address has at most one link that is verified. */
struct br_store_link {
	struct prim_slice principal; /* key */
	struct prim_slice network;   /* the name of an adapter */
	struct prim_slice address;   /* key: canonical in its network */
	int64_t made_ms;
	int64_t verified_ms;   /* 0: not yet */
	struct prim_slice how; /* "code", "operator"; empty: not yet */
	/* While it is not verified: */
	uint8_t code_hash[BR_HASH_LEN]; /* of salt and code, keyed with the
	                                   secret of queue.db */
	uint8_t code_salt[16];
	int64_t code_expires_ms;
	unsigned code_tries;    /* wrong ones so far */
	bool is_foreign_asking; /* the code went to the principal, and the
	                           address has to say it; else the other way */
};

/* Makes or replaces one. `link` is copied. EXISTS: the address is verified as
 * somebody else's, and this one is to be verified too. ABSENT: there is no such
 * account. */
void br_store_link_put(struct br_store *s, const struct br_store_link *link,
    br_store_done_fn done, void *arg);
/* The address goes out of its principal's order, too. ABSENT: there is none.
 * `done` may be NULL. */
void br_store_link_drop(struct br_store *s, struct prim_slice principal,
    struct prim_slice address, br_store_done_fn done, void *arg);
/* In which order a principal is looked for: "prim" and addresses (keys), each
 * with LF. Empty: forgets it, and the usual order is back. ABSENT: no account. */
void br_store_order_put(struct br_store *s, struct prim_slice principal,
    struct prim_slice order, br_store_done_fn done, void *arg);

/* Appends what remains of `order` without `address`. */
void br_store_order_without(struct prim_buf *out, struct prim_slice order,
    struct prim_slice address);

/* At start, synchronously: every link, then every order. */
struct br_store_links {
	void (*link)(void *arg, const struct br_store_link *link);
	void (*order)(void *arg, struct prim_slice principal,
	    struct prim_slice order);
	void *arg; /* borrowed */
};

bool br_store_links_each(struct br_store *s, const struct br_store_links *each,
    struct br_err *err);

/* ---- messages (queue.db) ---- */

/* What its sender asked to be told (IMDN-004); bits. */
enum br_report {
	BR_REPORT_POSITIVE = 1, /* positive-delivery */
	BR_REPORT_NEGATIVE = 2, /* negative-delivery */
	BR_REPORT_PROCESSING = 4,
	/* Not asked for failures, and only who asks is told (`notices: asked`). */
	BR_REPORT_QUIET = 8,
};

/* One message that we took responsibility for. */
struct br_store_message {
	int64_t seq;             /* set by the store; grows; order in a lane */
	struct prim_digest key;  /* of duplicates (DESIGN 5) */
	struct prim_digest lane; /* sender, recipient, Conversation-ID */
	struct prim_digest delivery; /* its Delivery-ID */
	uint64_t content_hash;       /* of what must be equal in a duplicate */
	struct prim_slice destination; /* "inbox:<key>" or "adapter:<name>" */
	/* Follow-me (DESIGN 6): key of the linked address it goes to in place of
	 * its recipient, or empty; and those that refused it, each with LF. */
	struct prim_slice target, tried;
	struct prim_slice origin;     /* "client", "primbridge" or an adapter */
	struct prim_slice sender;     /* key, as authenticated */
	struct prim_slice recipient;  /* key */
	struct prim_slice message_id; /* as spelled */
	struct prim_slice return_token;
	struct prim_slice head; /* the header lines to relay, each with CRLF */
	struct prim_slice body;
	size_t octets; /* of both; known also where they are not */
	unsigned hops;
	int64_t accepted_ms;
	int64_t expires_ms;
	/* Notices: who writes them ("im:postmaster@<domain>"; empty: nobody may,
	 * for it is a notice itself or its sender cannot be told), what was
	 * asked for, when a delay is told (0: never, or it was). */
	struct prim_slice notice_from;
	unsigned reports; /* enum br_report */
	int64_t delay_notice_ms;
	bool is_notice;
	/* Of a notice, only where br_store_on_notice() tells of it: the
	 * Delivery-ID of what it is about, when that was accepted, and enum
	 * br_notice_kind. */
	struct prim_digest about;
	int64_t about_accepted_ms;
	unsigned notice_kind;

	/* How it fares. */
	unsigned attempts; /* hand-offs begun */
	int64_t next_try_ms;
	unsigned deaths; /* of its adapter while it was the only suspect */
	bool is_quarantined;
	bool is_told;                  /* its sender has a failure notice */
	unsigned last_code;            /* what was heard last, 0: nothing */
	struct prim_slice last_reason; /* at most BR_REASON_MAX octets */
};

#define BR_REASON_MAX 200

/* A message without head and body; NULL at the end of a list. `failed` tells a
 * read that failed (see each call). Borrowed during the callback. */
typedef void (*br_store_message_fn)(void *arg, const struct br_store_message *m,
    bool failed);

/* Whoever ends a message below may have to tell its sender: the notice is made
 * (bridge/notice.h) and stored as a message like any other in the transaction of
 * the end. `fn` is called on the loop for each notice that was committed, without
 * head and body, before the callback of what caused it, so that the outbox learns
 * of it. A notice that is there already (its key is known) is not told again. Set
 * it before br_store_message_each(). */
void br_store_on_notice(struct br_store *s, br_store_message_fn fn, void *arg);
/* The same for each message that ended with the account it was for: last_code and
 * last_reason say how. Before the notice about it. */
void br_store_on_end(struct br_store *s, br_store_message_fn fn, void *arg);

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

/* The same for one that another system has taken already (101) and that is not
 * kept: only the key of duplicates and what a later report needs (see
 * br_store_report()), until BR_BOUNCE_MS from now. `seq` of the result is 0. */
#define BR_BOUNCE_MS ((int64_t)6 * 24 * 3600 * 1000)
void br_store_sent_put(struct br_store *s, const struct br_store_message *m,
    br_store_put_fn done, void *arg);

/* The message `seq` with head and body; NULL when it is gone or damaged (with
 * `failed` not even that is known). Which of the two does not matter: whoever
 * quarantines it then does nothing to one that is gone. Reader thread. */
void br_store_message_get(struct br_store *s, int64_t seq,
    br_store_message_fn found, void *arg);

/* At start, synchronously: every stored message in the order of seq, without
 * head and body; also those in quarantine. Not those that are found damaged:
 * they go into quarantine (500, "damaged") by themselves, nor those whose account
 * is being removed. False when the database cannot be read. */
bool br_store_message_each(struct br_store *s, br_store_message_fn each,
    void *arg, struct br_err *err);

/* At most `max` (> 0) messages behind `after` in the order of seq, without head
 * and body, then once NULL; fewer: there are no more. `failed`: the page is not
 * whole. Reader thread. */
void br_store_message_page(struct br_store *s, int64_t after, unsigned max,
    br_store_message_fn each, void *arg);

struct br_store_attempt {
	int64_t seq;
	unsigned attempts; /* hand-offs begun */
	int64_t next_try_ms;
	unsigned deaths;
	unsigned last_code;
	struct prim_slice last_reason; /* cut to BR_REASON_MAX */
};

/* Remembers that a hand-off begins, how it went, when the next one may. Copied.
 * A hand-off more than before is a line of history. ABSENT: it is gone. */
void br_store_message_attempt(struct br_store *s,
    const struct br_store_attempt *attempt, br_store_done_fn done, void *arg);

/* Follow-me: it goes to `destination` and `target` from now on. All is copied. */
struct br_store_move {
	int64_t seq;
	struct prim_slice destination, target, tried;
};

void br_store_message_move(struct br_store *s, const struct br_store_move *move,
    br_store_done_fn done, void *arg);

struct br_store_end {
	unsigned code;
	struct prim_slice reason; /* for history and notice: "delivered",
	                             "expired"; cut to BR_REASON_MAX */
	int64_t forget_ms;        /* until then its duplicate key stays */
};

/* The end of a message: the row goes, its duplicate key stays, a line of history
 * is written and its sender told, all in one transaction. Who is told what:
 *	101	nobody; it is kept for br_store_report(), and so is its key
 *	200	"delivered", if BR_REPORT_POSITIVE was asked for
 *	else	"failed", unless its sender has been told already
 * `end` is copied; `done` may be NULL. */
void br_store_message_end(struct br_store *s, int64_t seq,
    const struct br_store_end *end, br_store_done_fn done, void *arg);

/* Takes it out of circulation: the row stays for the operator, marked, until
 * BR_QUARANTINE_MS from now (forget_ms of `end` is not used), and its sender is
 * told that it failed, in one transaction. A second time changes nothing. Damage
 * does not keep it from going: when only its content or where it goes is
 * damaged, its sender is told; when the envelope is (addresses, ids, times), he
 * cannot be, and the log says so. */
#define BR_QUARANTINE_MS ((int64_t)30 * 24 * 3600 * 1000)
void br_store_message_quarantine(struct br_store *s, int64_t seq,
    const struct br_store_end *end, br_store_done_fn done, void *arg);
/* Back into circulation until `expires_ms`, with no deaths. ABSENT: it is not
 * quarantined, or it is damaged and would only come back. Its sender is not told
 * again, however it ends. */
void br_store_message_release(struct br_store *s, int64_t seq,
    int64_t expires_ms, br_store_done_fn done, void *arg);
/* Tells its sender that it is late, once, in the transaction that notes it; a
 * second time changes nothing. */
void br_store_message_delayed(struct br_store *s, int64_t seq,
    br_store_done_fn done, void *arg);

/* Later word of a message that ended with 101: 200, 4xx or 501 end it once more
 * (see br_store_message_end()); 407, 101 and other 5xx say nothing final and
 * change nothing. Only `destination` is heard. Copied. ABSENT: nothing is known
 * of it, or it had its end. */
struct br_store_report {
	struct prim_digest delivery;
	struct prim_slice destination; /* "adapter:<name>" */
	unsigned code;
	struct prim_slice reason;
};

void br_store_report(struct br_store *s, const struct br_store_report *report,
    br_store_done_fn done, void *arg);

/* ---- duplicates (queue.db) ---- */

struct br_store_duplicate {
	unsigned answer;       /* 101, or 200 once the end was delivered */
	uint64_t content_hash; /* or BR_STORE_ANY_CONTENT */
};

/* Damage took it: whatever comes under that key is the same. */
#define BR_STORE_ANY_CONTENT 0

typedef void (*br_store_duplicate_fn)(void *arg,
    const struct br_store_duplicate *d, bool failed);
/* `key` is that of a message with this Message-ID, which is copied. */
void br_store_duplicate_find(struct br_store *s, const struct prim_digest *key,
    struct prim_slice message_id, br_store_duplicate_fn found, void *arg);
/* At start, synchronously: the first 8 octets (as uint64_t, native) of every
 * key that is remembered. */
typedef void (*br_store_key_fn)(void *arg, uint64_t prefix);
bool br_store_duplicate_each(struct br_store *s, br_store_key_fn each,
    void *arg, struct br_err *err);
/* Forgets keys, history, quarantined messages and what was sent that are past
 * their time, and leases and subscriptions that are so for more than an hour:
 * those of a principal nobody has loaded. Runs in small steps so that no commit waits long; does nothing
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

/* ---- copies (primd.db only) ---- */

/* Writes a consistent copy of primd.db in `dir` to the new file `to`, also while
 * a primd works with it; it is on disk when this returns, and nobody else can read
 * it. Messages that wait (queue.db) are not part of it: a restored copy must not
 * send them again. Blocking. False with a sentence; then `to` is not there. Whoever
 * is killed meanwhile leaves a file TO.xxxxxx behind. */
bool br_store_backup(const char *dir, const char *to, struct br_err *err);
/* Puts the copy `from` in the place of primd.db in `dir`, after a check that it
 * is whole and not of a newer version; `from` stays as it is. The old file is
 * kept beside it; `out_kept` is its name there, primd.db.before-restore or, where
 * that is taken, the same with .2, .3 behind it; empty: there was none. Whenever
 * this is stopped, primd.db is one of the two. The caller holds the lock on `dir`.
 * Blocking. False with a sentence; then nothing was changed. */
#define BR_STORE_KEPT_MAX 32
bool br_store_restore(const char *dir, const char *from,
    char out_kept[BR_STORE_KEPT_MAX], struct br_err *err);

#endif
