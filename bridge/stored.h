/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_STORED_H
#define BRIDGE_STORED_H

/*
 * A stored message, as the files of the store see it. Everything here works in
 * the transaction that runs, and says false when SQL failed.
 *
 *	message  one row for each that waits; content  its head and body
 *	known    by what it is recognised, from the first day to the last
 *	trace    what remains after its end; event  its history
 *	sent     what a late report needs; seq is that of its trace
 *
 * Three sums tell what damage spoiled. The envelope: all that must not change,
 * without which nobody can be told. The state: where it goes and who was told.
 * The content. Only with all three right is a message handed out.
 */

#include "bridge/notice.h"
#include "bridge/store_private.h"

#define BR_STORE_KEPT 101                /* the answer once it is stored */
#define BR_STORED_END 1000000            /* lines of history from its end on */
#define BR_SENT_BODY  ((size_t)4 * 1024) /* kept of a body for a notice */

/* A row as it was read; its slices are valid while its query is open. */
struct br_stored {
	struct br_store_message m;
	struct prim_slice via; /* where it was to go at first; or empty */
	int64_t quarantine_ms; /* kept until then for the operator; or 0 */
	int64_t lines_from;    /* BR_STORED_END while it ends; or 0 */
	int64_t envelope;      /* the sum as it was stored */
	bool has_envelope;     /* and it is right */
	bool has_state;
};

/* ---- sums (store_sum.c) ---- */

int64_t br_store_sum_envelope(const struct br_store_db *db,
    const struct br_store_message *m);
int64_t br_store_sum_state(const struct br_store_db *db,
    const struct br_stored *st);
int64_t br_store_sum_content(const struct br_store_db *db,
    const struct br_store_message *m);
/* Of a row of `sent` with the trace that belongs to it. */
int64_t br_store_sum_sent(const struct br_store_db *db,
    const struct br_store_message *m);

/* ---- rows (stored.c) ---- */

/* Takes a row without content off `q`. */
void br_stored_take(struct br_store_query *q, struct br_stored *out_st);
/* Does `fn` with the row `seq`, with DONE for the outcome of `job`; ABSENT when
 * it is not there. */
typedef bool (*br_stored_fn)(struct br_store_db *db, struct br_store_job *job,
    struct br_stored *st);
bool br_stored_with(struct br_store_db *db, struct br_store_job *job,
    int64_t seq, br_stored_fn fn);
/* Takes the content that follows off `q`, into `m`. False: it is damaged. */
bool br_stored_take_content(struct br_store_query *q,
    struct br_store_message *m);
/* Reads the content of `st`, which is valid until br_store_query_end(q). Damage,
 * also of the page, makes `*out_whole` false and is no failure. */
bool br_stored_read_content(struct br_store_db *db, struct br_stored *st,
    struct br_store_query *q, bool *out_whole);
/* Writes what can change: state, expiry, deaths, what was heard last. A damaged
 * envelope stays damaged; the state is what `st` says from now on. */
bool br_stored_change(struct br_store_db *db, struct br_stored *st);
bool br_stored_drop(struct br_store_db *db, int64_t seq);
/* Stores a new one. `*out_seq` is 0 when its key is known already. */
bool br_stored_put(struct br_store_db *db, const struct br_store_message *m,
    int64_t *out_seq);
/* Only the row of one that was never told of, nor set aside, with its sums. */
bool br_stored_put_row(struct br_store_db *db, const struct br_stored *st);
/* Runs `statement` with one number. */
bool br_stored_run(struct br_store_db *db, enum br_store_statement statement,
    int64_t number);
/* `text` without what is behind BR_REASON_MAX octets. */
struct prim_slice br_stored_cut(struct prim_slice text);

/* A message on its way to the loop. */
struct br_stored_row {
	struct br_store_row row;
	struct br_store_message m;
	bool is_end; /* it ended with an account; else: found, or a notice */
	char octets[];
};

/* Borrowed: of the job. */
struct br_stored_row *br_stored_row_add(struct br_store_job *job,
    const struct br_store_message *m);

/* ---- what is remembered (store_history.c) ---- */

/* False in `*out_new`: the key is known. */
bool br_store_known_put(struct br_store_db *db,
    const struct br_store_message *m, int64_t seq, bool *out_new);
/* Fills `result` by what is known of the key of `m`. */
bool br_store_known_read(struct br_store_db *db,
    const struct br_store_message *m, struct br_store_put_result *result);
bool br_store_known_drop(struct br_store_db *db, struct prim_slice message_id,
    const struct prim_digest *key);
/* What remains of `st`, which ends. */
bool br_store_trace_put(struct br_store_db *db, const struct br_stored *st,
    const struct br_store_end *end);
/* Appends a line to the history of `seq`; from its end on `from` is
 * BR_STORED_END, else 0. */
bool br_store_event_put(struct br_store_db *db, int64_t seq, int64_t from,
    struct prim_slice text);

/* ---- ends and notices (store_end.c, store_notice.c, store_sent.c) ---- */

/* Ends `st` and tells its sender. */
bool br_store_end_one(struct br_store_db *db, struct br_store_job *job,
    struct br_stored *st, const struct br_store_end *end);

/* Tells the sender of `st`, if he is to be told. `*out_told`: he was, now or by
 * the same notice before. */
bool br_store_notice_row(struct br_store_db *db, struct br_store_job *job,
    struct br_stored *st, const struct br_notice_cause *cause, bool *out_told);
/* The same for a message with its content; without a head, one is made up.
 * `from` as for its line of history. */
bool br_store_notice_put(struct br_store_db *db, struct br_store_job *job,
    const struct br_store_message *m, const struct br_notice_cause *cause,
    int64_t from);

/* Keeps of `st`, which ends with 101, what a late report needs. */
bool br_store_sent_keep(struct br_store_db *db, struct br_store_job *job,
    struct br_stored *st);

/* ---- accounts that go (store_removal.c) ---- */

/* The messages for an account that is removed, step by step. */
struct br_store_removal {
	struct prim_slice key; /* borrowed */
	unsigned round;        /* transactions so far that were committed */
	int64_t after, upto;   /* what is still to be looked through */
	int64_t next;          /* `after` once this transaction is committed */
};

/* In round 0 notes that it begins, later ends some; job->more until all are
 * ended. */
bool br_store_removal_step(struct br_store_db *db, struct br_store_job *job,
    struct br_store_removal *r);
/* Loop: the transaction of a step is over. */
void br_store_removal_next(struct br_store_removal *r);
/* Takes up what was cut short. Before the threads begin. */
bool br_store_removals_resume(struct br_store *s, struct br_err *err);

#endif
