/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_STORE_PRIVATE_H
#define BRIDGE_STORE_PRIVATE_H

/*
 * The inside of the store: a job travels from the loop to a thread and back.
 *
 *	loop ── job ──> writer ── batch of jobs, one transaction a file ──> loop
 *	loop ── job ──> reader ── the job with its rows ──────────────────> loop
 *
 * Each thread has connections of its own; nothing but jobs crosses. Only
 * store*.c include this, and only they know SQLite.
 */

#include <sqlite3.h>
#include <sys/queue.h>

#include "bridge/chore.h"
#include "bridge/log.h"
#include "bridge/mailbox.h"
#include "bridge/message.h"
#include "bridge/store.h"
#include "prim/buf.h"

#define BR_STORE_PATH_MAX 4096
#define BR_STORE_FORGET   (48 * 3600000LL) /* ms past an end (DESIGN 5) */

#define BR_STORE_QUEUE_VERSION 2 /* of the schema of queue.db */

enum br_store_file { BR_STORE_PRIMD, BR_STORE_QUEUE, BR_STORE_FILES };

/* ---- connections (store_db.c) ---- */

enum br_store_statement {
	BR_SQL_BEGIN,
	BR_SQL_SNAPSHOT,
	BR_SQL_COMMIT,
	BR_SQL_ROLLBACK,
	BR_SQL_META_FIND,
	BR_SQL_META_EACH,
	BR_SQL_META_PUT,
	BR_SQL_META_DROP,
	BR_SQL_ACCOUNT_PUT,
	BR_SQL_ACCOUNT_PASSWD,
	BR_SQL_ACCOUNT_DROP,
	BR_SQL_ACCOUNT_FIND,
	BR_SQL_ACCOUNT_LIST,
	BR_SQL_ACCOUNT_PURGE,
	BR_SQL_VALUE_PUT,
	BR_SQL_VALUE_DROP,
	BR_SQL_VALUE_PURGE,
	BR_SQL_VALUE_LIST,
	BR_SQL_LEASE_PUT,
	BR_SQL_LEASE_RENEW,
	BR_SQL_LEASE_STEP,
	BR_SQL_LEASE_SWEEP,
	BR_SQL_SUBSCRIPTION_PUT,
	BR_SQL_SUBSCRIPTION_DROP,
	BR_SQL_SUBSCRIPTION_PURGE,
	BR_SQL_SUBSCRIPTION_TO,
	BR_SQL_SUBSCRIPTION_LIST,
	BR_SQL_SUBSCRIPTION_OF,
	BR_SQL_SUBSCRIPTION_OUTGOING,
	BR_SQL_SUBSCRIPTION_STEP,
	BR_SQL_SUBSCRIPTION_SWEEP,
	BR_SQL_RESIDENT_EACH,
	BR_SQL_STATE_PUT,
	BR_SQL_STATE_DROP,
	BR_SQL_STATE_FIND,
	BR_SQL_STATE_LIST,
	BR_SQL_LINK_PUT,
	BR_SQL_LINK_DROP,
	BR_SQL_LINK_PURGE,
	BR_SQL_LINK_EACH,
	BR_SQL_ORDER_PUT,
	BR_SQL_ORDER_FIND,
	BR_SQL_ORDER_DROP,
	BR_SQL_ORDER_EACH,
	BR_SQL_SEQ_LAST,
	BR_SQL_MESSAGE_PUT,
	BR_SQL_MESSAGE_ROW,
	BR_SQL_MESSAGE_GET,
	BR_SQL_MESSAGE_EACH,
	BR_SQL_MESSAGE_PAGE,
	BR_SQL_MESSAGE_ATTEMPTS,
	BR_SQL_MESSAGE_ATTEMPT,
	BR_SQL_MESSAGE_CHANGE,
	BR_SQL_MESSAGE_DROP,
	BR_SQL_MESSAGE_STEP,
	BR_SQL_MESSAGE_TO,
	BR_SQL_MESSAGE_PAST,
	BR_SQL_MESSAGE_UPGRADE,
	BR_SQL_CONTENT_PUT,
	BR_SQL_CONTENT_GET,
	BR_SQL_CONTENT_SUM,
	BR_SQL_CONTENT_DROP,
	BR_SQL_KNOWN_PUT,
	BR_SQL_KNOWN_FIND,
	BR_SQL_KNOWN_DROP,
	BR_SQL_KNOWN_EACH,
	BR_SQL_TRACE_PUT,
	BR_SQL_TRACE_ANSWER,
	BR_SQL_TRACE_PAST,
	BR_SQL_TRACE_DROP,
	BR_SQL_SENT_PUT,
	BR_SQL_SENT_FIND,
	BR_SQL_SENT_DROP,
	BR_SQL_EVENT_PUT,
	BR_SQL_EVENT_FIND,
	BR_SQL_EVENT_DROP,
	BR_SQL_REMOVAL_PUT,
	BR_SQL_REMOVAL_DROP,
	BR_SQL_REMOVAL_EACH,
	BR_SQL_COUNT,
};

/* Where the databases are. */
struct br_store_place {
	char dir[BR_STORE_PATH_MAX];
	unsigned memory; /* not 0: in memory, and this is its name */
};

/* Keys of our own hashes, made from the secret. */
struct br_store_keys {
	struct prim_hash_key checksum;  /* of stored messages */
	struct prim_hash_key id;        /* of Message-IDs in an index */
	struct br_message_keys message; /* of notices */
};

/* One connection. All zero is a closed one. */
struct br_store_db {
	sqlite3 *sql;                           /* owned */
	sqlite3_stmt *statements[BR_SQL_COUNT]; /* owned, made on first use */
	const struct br_store_keys *keys;       /* borrowed: outlives us */
	const char *reason;      /* of the last failure; static text */
	int64_t now_ms;          /* of the job that writes */
	struct prim_buf scratch; /* for one line of text */
	struct prim_buf room;    /* for one notice */
	int64_t seq;             /* the last message's; of queue.db's writer */
	bool has_remains;        /* of transactions that failed, in its log */
	bool is_damaged;         /* found on opening it, or since */
};

/* Opens `file`; with `writes` makes and migrates it. False with a sentence;
 * `db` is closed then. */
bool br_store_db_open(struct br_store_db *db,
    const struct br_store_place *place, enum br_store_file file, bool writes,
    struct br_err *err);
void br_store_db_close(struct br_store_db *db);
bool br_store_db_begin(struct br_store_db *db);
/* Until the commit every look sees the same. For a reader. */
bool br_store_db_snapshot(struct br_store_db *db);
bool br_store_db_commit(struct br_store_db *db);
void br_store_db_rollback(struct br_store_db *db);
/* Empties the write-ahead log into the database, if nobody reads it now. */
void br_store_db_scrub(struct br_store_db *db);

/* Something in it is damaged. Of queue.db the next start wants to know all. */
void br_store_db_suspect(sqlite3 *sql);

/* Brings the schema up to date (store_schema.c). */
bool br_store_schema_run(sqlite3 *sql, enum br_store_file file,
    const char *path, struct br_err *err);
/* Its version; false: not to be read, or newer than we are. */
bool br_store_schema_version(sqlite3 *sql, enum br_store_file file,
    const char *path, int *out_version, struct br_err *err);
/* One that there may be some day? Anything else is damage. */
bool br_store_schema_is_plausible(int version);
/* An empty one of `version`, in memory; sqlite3_close(). NULL: no memory. */
sqlite3 *br_store_schema_model(enum br_store_file file, int version);

/* Are the tables those that we made for `version`, to the letter? One bit in the
 * name of a column shows nowhere else before the first message depends on it.
 * False: the first that is not, for the end of a sentence (store_shape.c). */
#define BR_STORE_WHAT_MAX 256
bool br_store_shape_is_whole(sqlite3 *sql, enum br_store_file file, int version,
    char out_what[BR_STORE_WHAT_MAX]);
/* Is it a primd.db that we can bring up to date? Changes nothing. The first is for
 * what somebody brings us, the second for the one in the data folder. */
bool br_store_shape_is_copy(sqlite3 *sql, const char *path, struct br_err *err);
bool br_store_shape_is_ours(sqlite3 *sql, const char *path, struct br_err *err);

/* The sentence for what `sql` just failed at. False. */
bool br_store_db_err(sqlite3 *sql, const char *path, struct br_err *err);
/* The sentence for a file of ours that is damaged, with what to do. `what` may be
 * several lines of SQLite's, of which the last says most. False. */
bool br_store_db_damaged(const char *path, const char *what,
    struct br_err *err);

/* ---- copies of primd.db (store_copy.c) ---- */

struct br_store_copy {
	const char *from; /* a primd.db, maybe in use */
	bool is_ours; /* it is that of a data folder; else it is not touched */
	const char *to; /* an empty file */
	int fd;         /* of it; borrowed */
};

/* Makes a copy: one file, checked and on disk. False with a sentence; what is in
 * `to` is worth nothing then. */
bool br_store_copy(const struct br_store_copy *copy, struct br_err *err);
/* Removes the copy `path` and what SQLite may have left beside it. */
void br_store_copy_drop(const char *path);
/* Makes durable which files are in the folder of `path`. */
bool br_store_copy_sync_folder(const char *path, struct br_err *err);

/* ---- statements (store_text.c, store_query.c) ---- */

extern const char *const br_store_texts[BR_SQL_COUNT];

/* One run of a statement: put every parameter in order, step, take every
 * column in order. A failure on the way makes the step fail. */
struct br_store_query {
	struct br_store_db *db; /* borrowed */
	sqlite3_stmt *st;       /* borrowed; NULL: could not be prepared */
	int at;                 /* the next parameter or column */
};

struct br_store_query br_store_query(struct br_store_db *db,
    enum br_store_statement statement);
void br_store_put_number(struct br_store_query *q, int64_t value);
/* Slices are borrowed until the query ends. */
void br_store_put_text(struct br_store_query *q, struct prim_slice text);
void br_store_put_blob(struct br_store_query *q, struct prim_slice octets);
void br_store_put_octets(struct br_store_query *q, const void *octets,
    size_t len);
/* SQLITE_ROW, SQLITE_DONE, or anything else: failed, and the query has ended
 * with its reason in `db`. */
int br_store_query_step(struct br_store_query *q);
void br_store_query_end(struct br_store_query *q);
/* Steps to the end and ends; false: failed. */
bool br_store_query_run(struct br_store_query *q);
/* The number of rows the last query changed. */
int br_store_query_changes(const struct br_store_query *q);
int64_t br_store_take_number(struct br_store_query *q);
/* Valid until the next step. */
struct prim_slice br_store_take_slice(struct br_store_query *q);
/* False when the column has not exactly `len` octets. */
bool br_store_take_octets(struct br_store_query *q, void *to, size_t len);

/* ---- jobs (store.c, store_thread.c) ---- */

struct br_store_job;

/* What a job does, and where. */
struct br_store_work {
	/* Writer: the part in each file, in a transaction. Sets the outcome
	 * when it worked, since it may run twice; false: failed in SQL. */
	bool (*write[BR_STORE_FILES])(struct br_store_db *db,
	    struct br_store_job *job);
	/* Reader: `dbs` is the array of files. False: failed in SQL. */
	bool (*look)(struct br_store_db *dbs, struct br_store_job *job);
	/* Writer: what it overwrote must not stay in the log file either. */
	bool scrubs;
	/* Loop: calls back. NULL: nobody waits. */
	void (*finish)(struct br_store *s, struct br_store_job *job);
	/* Loop: frees what the job holds besides itself and its rows. */
	void (*release)(struct br_store_job *job);
};

/* A row on its way to the loop; its struct and octets stand behind it. */
struct br_store_row {
	STAILQ_ENTRY(br_store_row) link;
};

STAILQ_HEAD(br_store_rows, br_store_row);

struct br_store_job {
	struct br_mail mail;
	const struct br_store_work *work; /* borrowed: static */
	/* owned; what a look-up found, the notices that a write made */
	struct br_store_rows rows;
	size_t weight;  /* octets it brings */
	int64_t now_ms; /* when it was handed over */
	enum br_store_outcome outcome;
	const char *reason; /* something failed or is damaged; static text */
	const char *remark; /* said in the log when it is done; static text */
	bool more;          /* not at its end: finish, then run again */
};

/* A write with the usual callback; the first member of its job. */
struct br_store_write {
	struct br_store_job job;
	br_store_done_fn done; /* may be NULL */
	void *arg;             /* borrowed */
};

struct br_store_renewals;

struct br_store {
	struct event_base *base; /* borrowed: outlives us */
	struct br_log log;
	struct br_store_place place;
	struct br_store_keys keys;
	struct br_store_db write[BR_STORE_FILES]; /* the writer's alone */
	struct br_store_db read[BR_STORE_FILES];  /* the reader's alone */
	const int64_t *clock;              /* borrowed; NULL: the wall's */
	struct br_mailbox writes, looks;   /* to the threads */
	struct br_mailbox written, looked; /* back to the loop */
	struct br_mail_queue done, found; /* owned; jobs that came from there */
	struct br_chore tell_done, tell_found;
	pthread_t writer, reader;
	br_store_message_fn on_notice; /* may be NULL */
	void *on_notice_arg;           /* borrowed */
	br_store_message_fn on_end;    /* the same */
	void *on_end_arg;
	size_t pending;
	struct br_store_renewals *renewals; /* owned; collecting, or NULL */
	struct event *renew;                /* owned; hands them out */
	bool expiring, sweeping;
	bool write_fails; /* the last transaction failed, and we said so */
	bool read_fails;  /* so did the last look-up */
	bool in_callback; /* then nobody may close us */
	uint8_t secret[32];
};

/* What the writer hands back: the jobs of one transaction, in order. */
struct br_store_batch {
	struct br_mail mail;
	struct br_mail_queue jobs; /* owned */
	unsigned commits;          /* transactions that were committed */
	unsigned rows;             /* jobs in them */
	const char *reason;        /* a transaction failed; static text */
};

/* Frees `job` and what it holds. */
void br_store_job_free(struct br_store_job *job);
/* Where it waits for its thread. */
struct br_mailbox *br_store_box(struct br_store *s,
    const struct br_store_job *job);

/* What comes back from the threads (store_deliver.c). */
void br_store_deliver_init(struct br_store *s);
/* The threads have ended: frees what came, without calling back. */
void br_store_deliver_drop(struct br_store *s);

/* The job is the store's now. */
void br_store_take_write(struct br_store *s, struct br_store_job *job,
    const struct br_store_work *work);
void br_store_take_look(struct br_store *s, struct br_store_job *job,
    const struct br_store_work *work);
/* A `finish` for every struct br_store_write. */
void br_store_write_finish(struct br_store *s, struct br_store_job *job);

/* Reads the secret, or makes it, and derives the keys. */
bool br_store_secret_load(struct br_store *s, struct br_err *err);

/* The copies of the secret in one queue.db, as far as they are found. */
#define BR_SECRET_LEN 32
#define BR_SECRETS    3

struct br_store_secrets {
	bool is_there[BR_SECRETS]; /* and as long as it must be */
	uint8_t octets[BR_SECRETS][BR_SECRET_LEN];
	unsigned count;
	bool is_any; /* or one was there, and is damaged */
};

/* A row of meta: notes it if it is one of them. */
void br_store_secret_take(struct br_store_secrets *c, struct prim_slice name,
    struct prim_slice octets);
/* What they agree on. False: not enough of them. */
bool br_store_secret_vote(const struct br_store_secrets *c,
    uint8_t out_secret[BR_SECRET_LEN]);
/* Makes all of them alike. */
bool br_store_secret_write(struct br_store_db *db,
    const struct br_store_secrets *c, const uint8_t secret[BR_SECRET_LEN]);
void br_store_keys_init(struct br_store_keys *keys,
    const uint8_t secret[BR_SECRET_LEN]);
/* One more copy, in a file beside queue.db. False: there is none. */
bool br_store_key_read(const char *path, uint8_t out_secret[BR_SECRET_LEN]);

/* Of a queue.db that an older primd made: fills in what its schema step could
 * not, once. */
bool br_store_upgrade(struct br_store *s, struct br_err *err);

bool br_store_threads_start(struct br_store *s, struct br_err *err);
void br_store_threads_stop(struct br_store *s);

/* A look at every row that a statement finds, at once and on a connection of
 * its own. */
struct br_store_scan {
	enum br_store_file file;
	enum br_store_statement statement;
	/* False: the row is damaged and passed over. */
	bool (*row)(struct br_store_query *q, void *arg);
	void *arg;       /* borrowed */
	const char *one; /* static: what a row is, in a sentence */
	const char *all; /* static: what all of them are */
};

bool br_store_scan(struct br_store *s, const struct br_store_scan *scan,
    struct br_err *err);

/* Counts and logs a damaged row that is passed over. Loop. */
void br_store_note_damage(struct br_store *s, const char *what);

/* Copies `slice` to `*room`, lets it borrow the copy and moves on. */
void br_store_keep(char **room, struct prim_slice *slice);
/* Sets the outcome by whether `q`, which ran, changed a row. True. */
bool br_store_changed(const struct br_store_query *q, struct br_store_job *job);

void br_store_rows_free(struct br_store_rows *rows);

/* Fills `out_account` from a row of accounts; valid until the next step. False:
 * not what we stored. */
bool br_store_account_take(struct br_store_query *q,
    struct br_store_account *out_account);

/* ---- presence (store_presence.c, store_watch.c) ---- */

/* Renewals of leases are collected while the loop turns and go to the writer
 * as one job: before any other write, so that the order stays. */
void br_store_renewals_open(struct br_store *s);
void br_store_renewals_flush(struct br_store *s);
void br_store_renewals_close(struct br_store *s);

/* Drops what `key` published, and who watches it and whom it watches, in the
 * transaction that runs. */
bool br_store_presence_purge(struct br_store_db *db, struct prim_slice key);
/* Fills `out_sub` from a row of subscriptions; valid until the next step.
 * False: not what we stored. */
bool br_store_subscription_take(struct br_store_query *q,
    struct br_store_subscription *out_sub);
size_t br_store_subscription_size(const struct br_store_subscription *sub);
/* Copies its slices to `*room` and moves on. */
void br_store_subscription_keep(char **room, struct br_store_subscription *sub);
/* Could `key` be that of a principal? */
bool br_store_key_ok(struct prim_slice key);
/* Drops leases and subscriptions long past their time, step by step. */
void br_store_sweep(struct br_store *s, int64_t now_ms);

/* ---- links (store_link.c) ---- */

/* Drops the links of the principal `key`, and their order, in the transaction
 * that runs. */
bool br_store_links_purge(struct br_store_db *db, struct prim_slice key);

#endif
