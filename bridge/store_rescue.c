/* SPDX-License-Identifier: ISC */
/* The rows of a damaged queue.db, as they come off its pages. What they mean
 * together is in store_settle.c. */

#include "bridge/store_rescue.h"

#include <assert.h>
#include <string.h>

#include "prim/base.h"
#include "prim/seed.h"

/* Columns of our tables, by which their rows are known. */
enum { MESSAGE = 31, TRACE = 12, SENT = 11, SCHEMA = 5, CONTENT = 4 };

#define FIVE "?, ?, ?, ?, ?"

static const char *const PUTS[BR_RESCUE_PUTS] = {
	[BR_RESCUE_MESSAGE] = "INSERT OR IGNORE INTO message VALUES (?, " FIVE
			      ", " FIVE ", " FIVE ", " FIVE ", " FIVE ", " FIVE
			      ")",
	[BR_RESCUE_SPOILED] = "INSERT OR IGNORE INTO temp.spoiled VALUES (?, ?,"
			      " " FIVE ", " FIVE ", " FIVE ", " FIVE ", " FIVE
			      ", " FIVE ")",
	[BR_RESCUE_CONTENT] =
	    "INSERT OR IGNORE INTO content VALUES (?, ?, ?, ?)",
	[BR_RESCUE_TRACE] = "INSERT OR IGNORE INTO trace VALUES (?, ?, " FIVE
			    ", " FIVE ")",
	[BR_RESCUE_TRACE_FOUND] = "INSERT OR IGNORE INTO temp.found"
				  " VALUES (?, ?, " FIVE ", " FIVE ")",
	[BR_RESCUE_SENT] = "INSERT OR IGNORE INTO sent VALUES (?, " FIVE
			   ", " FIVE ")",
	[BR_RESCUE_KNOWN] = "INSERT OR IGNORE INTO known VALUES (?, ?, ?, ?)",
	[BR_RESCUE_KNOWN_FOUND] = "INSERT OR IGNORE INTO temp.known_found"
				  " VALUES (?, ?, ?, ?)",
	[BR_RESCUE_EVENT] = "INSERT OR IGNORE INTO event VALUES (?, ?, ?, ?)",
	[BR_RESCUE_REMOVAL] = "INSERT OR IGNORE INTO removal VALUES (?, ?)",
	/* A row of message as br_stored_take() wants it. */
	[BR_RESCUE_LOOK] = "SELECT ?, " FIVE ", " FIVE ", " FIVE ", " FIVE
			   ", " FIVE ", " FIVE,
};

/* What is only likely is kept apart until all has been seen. */
static const char TEMPORARY[] =
    "CREATE TEMP TABLE spoiled AS SELECT 0 AS rank, * FROM message;"
    "CREATE UNIQUE INDEX temp.spoiled_seq ON spoiled (seq, rank);"
    "CREATE TEMP TABLE found AS SELECT * FROM trace;"
    "CREATE UNIQUE INDEX temp.found_seq ON found (seq, key);"
    "CREATE TEMP TABLE known_found AS SELECT * FROM known;"
    "CREATE UNIQUE INDEX temp.known_found_key ON known_found"
    " (id_hash, key, seq)";

/* What each column takes: a number, a text or a blob. One bit makes a text a blob
 * of the same length, and the sums do not see it. */
static const char *const KINDS[BR_RESCUE_PUTS] = {
	[BR_RESCUE_MESSAGE] = "ibbbittttttttbtiiiiiiiiiiiiitii",
	[BR_RESCUE_SPOILED] = "ibbbittttttttbtiiiiiiiiiiiiitii",
	[BR_RESCUE_CONTENT] = "iibb",
	[BR_RESCUE_TRACE] = "ibttttiiitii",
	[BR_RESCUE_TRACE_FOUND] = "ibttttiiitii",
	[BR_RESCUE_SENT] = "ibttbtiibbi",
	[BR_RESCUE_KNOWN] = "ibii",
	[BR_RESCUE_KNOWN_FOUND] = "ibii",
	[BR_RESCUE_EVENT] = "iiit",
	[BR_RESCUE_REMOVAL] = "ti",
	[BR_RESCUE_LOOK] = "ibbbittttttttbtiiiiiiiiiiiiitii",
};

/* Nothing of this file counts until it is whole. */
static const char SETTINGS[] = "PRAGMA journal_mode = OFF;"
			       "PRAGMA synchronous = OFF;"
			       "PRAGMA locking_mode = EXCLUSIVE;"
			       "PRAGMA secure_delete = OFF;"
			       "PRAGMA cache_size = -8192";

/* ---- into the new file ---- */

/* One bit also makes the number 0 an empty blob, or nothing. */
static int value_bind(sqlite3_stmt *st, int at, const struct br_value *v,
    char kind)
{
	if (v->kind == BR_VALUE_NUMBER || (kind == 'i' && !v->octets.len))
		return sqlite3_bind_int64(st, at, v->number);
	if (kind == 't')
		return sqlite3_bind_text64(st, at,
		    v->octets.len ? v->octets.ptr : "", v->octets.len,
		    SQLITE_STATIC, SQLITE_UTF8);
	return sqlite3_bind_blob64(st, at, v->octets.len ? v->octets.ptr : "",
	    v->octets.len, SQLITE_STATIC);
}

/* The key of a table is not among its columns. */
static int record_bind(sqlite3_stmt *st, int at, const struct br_record *r,
    const char *kinds)
{
	int code = SQLITE_OK;

	assert(strlen(kinds) == r->count);
	for (unsigned i = 0; i < r->count && code == SQLITE_OK; i++) {
		if (i == 0 && r->is_row)
			code = sqlite3_bind_int64(st, at++, r->rowid);
		else
			code = value_bind(st, at++, &r->values[i], kinds[i]);
	}
	return code;
}

static void fail(struct br_rescuer *w)
{
	w->has_failed = true;
}

/* False: no table takes it. With a rank that goes in first. */
static bool put(struct br_rescuer *w, enum br_rescue_put which,
    const struct br_record *r, enum br_rescue_rank rank)
{
	sqlite3_stmt *st = w->puts[which];
	bool ranked = which == BR_RESCUE_SPOILED;
	int code = ranked ? sqlite3_bind_int(st, 1, rank) : SQLITE_OK;

	if (code == SQLITE_OK)
		code = record_bind(st, ranked ? 2 : 1, r, KINDS[which]);
	if (code == SQLITE_OK)
		code = sqlite3_step(st);
	(void)sqlite3_reset(st);
	(void)sqlite3_clear_bindings(st);
	if (code != SQLITE_DONE && (code & 0xff) != SQLITE_CONSTRAINT)
		fail(w);
	return code == SQLITE_DONE;
}

/* ---- each kind of row ---- */

/* Has it been stored as it stands there? `out_q` is to be ended. */
static bool stored_look(struct br_rescuer *w, const struct br_record *r,
    struct br_store_query *out_q, struct br_stored *out_st)
{
	sqlite3_stmt *st = w->puts[BR_RESCUE_LOOK];
	bool fine = record_bind(st, 1, r, KINDS[BR_RESCUE_LOOK]) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW;

	*out_q = (struct br_store_query){ .db = &w->db, .st = st };
	if (fine)
		br_stored_take(out_q, out_st);
	else
		fail(w);
	return fine;
}

/* What was found without a pointer to it, or where nothing may be, may be the
 * image of a message that is gone: it counts only if `known` has it, too. */
static bool is_sure(const struct br_record *r)
{
	return !r->is_searched && !r->is_doubtful;
}

static bool message_take(struct br_rescuer *w, const struct br_record *r)
{
	struct br_stored st;
	struct br_store_query q;
	enum br_rescue_rank rank;

	if (r->rowid <= 0 || !stored_look(w, r, &q, &st))
		return false;
	br_store_query_end(&q);
	if (st.has_envelope && st.has_state && is_sure(r))
		return put(w, BR_RESCUE_MESSAGE, r, BR_RANK_MAYBE_OLD);
	if (st.has_envelope && st.has_state)
		rank = BR_RANK_MAYBE_OLD;
	else if (st.has_envelope)
		rank = is_sure(r) ? BR_RANK_STATE : BR_RANK_STATE_MAYBE_OLD;
	else if (is_sure(r))
		rank = BR_RANK_ENVELOPE;
	else
		return false;
	(void)put(w, BR_RESCUE_SPOILED, r, rank);
	return rank == BR_RANK_MAYBE_OLD;
}

static bool content_take(struct br_rescuer *w, const struct br_record *r)
{
	const struct br_store_message m = { .seq = r->rowid,
		.head = r->values[2].octets,
		.body = r->values[3].octets };

	return r->values[1].kind == BR_VALUE_NUMBER &&
	    br_store_sum_content(&w->db, &m) == r->values[1].number &&
	    put(w, BR_RESCUE_CONTENT, r, BR_RANK_MAYBE_OLD);
}

static bool trace_take(struct br_rescuer *w, const struct br_record *r)
{
	return put(w, r->is_searched ? BR_RESCUE_TRACE_FOUND : BR_RESCUE_TRACE,
	    r, BR_RANK_MAYBE_OLD);
}

/* Those of `sent` are compared with their sum when something comes of them. */
static bool row_take(struct br_rescuer *w, const struct br_record *r)
{
	switch (r->count) {
	case MESSAGE:
		return message_take(w, r);
	case TRACE:
		return r->rowid > 0 && trace_take(w, r);
	case SENT:
		return r->rowid > 0 &&
		    put(w, BR_RESCUE_SENT, r, BR_RANK_MAYBE_OLD);
	case CONTENT:
		return content_take(w, r);
	default:
		return r->count == SCHEMA;
	}
}

static bool is_kind(const struct br_record *r, unsigned at,
    enum br_value_kind kind)
{
	return r->values[at].kind == kind;
}

static bool known_take(struct br_rescuer *w, const struct br_record *r)
{
	return r->values[1].octets.len == PRIM_DIGEST_LEN &&
	    put(w, r->is_searched ? BR_RESCUE_KNOWN_FOUND : BR_RESCUE_KNOWN, r,
		BR_RANK_MAYBE_OLD);
}

/* Entries of an index have two columns, too; they are made anew. */
static bool pair_take(struct br_rescuer *w, const struct br_record *r)
{
	if (!is_kind(r, 0, BR_VALUE_TEXT))
		return is_kind(r, 1, BR_VALUE_NUMBER);
	if (is_kind(r, 1, BR_VALUE_BLOB))
		return true; /* of meta: it was read before */
	return is_kind(r, 1, BR_VALUE_NUMBER) &&
	    (r->is_searched || put(w, BR_RESCUE_REMOVAL, r, BR_RANK_MAYBE_OLD));
}

static bool entry_take(struct br_rescuer *w, const struct br_record *r)
{
	if (r->count == 2)
		return pair_take(w, r);
	if (!is_kind(r, 0, BR_VALUE_NUMBER) || !is_kind(r, 2, BR_VALUE_NUMBER))
		return false;
	if (is_kind(r, 1, BR_VALUE_BLOB) && is_kind(r, 3, BR_VALUE_NUMBER))
		return known_take(w, r);
	if (is_kind(r, 1, BR_VALUE_NUMBER) && is_kind(r, 3, BR_VALUE_TEXT))
		return r->is_searched ||
		    put(w, BR_RESCUE_EVENT, r, BR_RANK_MAYBE_OLD);
	return false;
}

static bool record_take(void *arg, const struct br_record *r)
{
	struct br_rescuer *w = arg;

	return r->is_row ? row_take(w, r) : entry_take(w, r);
}

/* ---- the secret ---- */

struct secrets {
	struct br_store_secrets copies;
	bool is_first; /* made by the first version, whose sums are others */
};

static bool secret_take(void *arg, const struct br_record *r)
{
	struct secrets *s = arg;

	if (r->is_row || r->is_searched || r->count != 2 ||
	    !is_kind(r, 0, BR_VALUE_TEXT) || !is_kind(r, 1, BR_VALUE_BLOB))
		return true; /* it is not looked for octet by octet */
	br_store_secret_take(&s->copies, r->values[0].octets,
	    r->values[1].octets);
	if (prim_slice_eq(r->values[0].octets, PRIM_SLICE("upgrade")))
		s->is_first = true;
	return true;
}

struct trial {
	struct br_store_db db; /* it has only keys */
	struct br_store_keys keys;
	unsigned tables; /* of ours, by their names */
	bool has_content, fits;
};

static bool is_ours(const struct br_record *r)
{
	static const char *const NAMES[] = { "message", "content", "known",
		"trace", "event", "removal" };

	for (size_t i = 0; i < PRIM_COUNT(NAMES); i++)
		if (prim_slice_eq(r->values[1].octets, prim_slice_of(NAMES[i])))
			return true;
	return false;
}

static bool row_try(void *arg, const struct br_record *r)
{
	struct trial *t = arg;
	const struct br_store_message m = { .seq = r->rowid,
		.head = r->values[2].octets,
		.body = r->values[3].octets };

	if (r->is_row && r->count == SCHEMA)
		t->tables += is_ours(r);
	if (!r->is_row || r->count != CONTENT || t->fits)
		return true;
	t->has_content = true;
	t->fits = br_store_sum_content(&t->db, &m) == r->values[1].number;
	return true;
}

static bool each_page(struct br_pages *p, br_record_fn each, void *arg)
{
	for (uint32_t i = 1; i <= p->count; i++) {
		if (br_pages_is_free(p, i) && !PRIM_SEED(salvage_undeletes))
			continue;
		if (!br_pages_records(p, i, each, arg))
			return false;
	}
	return true;
}

/* Is anything here under this secret? Or nothing here that could be? */
static bool secret_fits(struct br_pages *p, const uint8_t secret[BR_SECRET_LEN])
{
	struct trial t = { .fits = false };

	t.db.keys = &t.keys;
	br_store_keys_init(&t.keys, secret);
	return each_page(p, row_try, &t) &&
	    (t.fits || (!t.has_content && t.tables >= 3));
}

/* By it a file is ours, or it is not. What is found without a pointer may stand in
 * a message, and be what its sender wants to be our secret. */
static bool secret_find(struct br_rescuer *w, struct br_err *err)
{
	struct secrets s = { .is_first = false };
	uint8_t kept[BR_SECRET_LEN];
	bool is_there, is_kept = br_store_key_read(w->r->key, kept);

	if (!each_page(&w->pages, secret_take, &s))
		return false;
	if (s.is_first)
		return br_err_set(err, "it is one of an older primd");
	is_there = br_store_secret_vote(&s.copies, w->secret);
	if (is_kept && (!is_there || memcmp(kept, w->secret, sizeof(kept))) &&
	    secret_fits(&w->pages, kept)) {
		memcpy(w->secret, kept, sizeof(kept));
		is_there = true;
	}
	explicit_bzero(kept, sizeof(kept));
	explicit_bzero(&s, sizeof(s));
	return is_there ||
	    br_err_set(err, "nothing in it shows that it is one of ours");
}

/* ---- the new file ---- */

static bool open_target(struct br_rescuer *w, struct br_err *err)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	bool fine = sqlite3_open_v2(w->r->to, &w->db.sql, flags, NULL) ==
		SQLITE_OK &&
	    sqlite3_exec(w->db.sql, SETTINGS, NULL, NULL, NULL) == SQLITE_OK;

	w->db.keys = &w->keys;
	if (!fine)
		return br_store_db_err(w->db.sql, w->r->to, err);
	if (!br_store_schema_run(w->db.sql, BR_STORE_QUEUE, w->r->to, err))
		return false;
	fine = sqlite3_exec(w->db.sql, TEMPORARY, NULL, NULL, NULL) ==
	    SQLITE_OK;
	for (int i = 0; i < BR_RESCUE_PUTS && fine; i++)
		fine = sqlite3_prepare_v2(w->db.sql, PUTS[i], -1, &w->puts[i],
			   NULL) == SQLITE_OK;
	return fine || br_store_db_err(w->db.sql, w->r->to, err);
}

static bool close_target(struct br_rescuer *w)
{
	for (int i = 0; i < BR_RESCUE_PUTS; i++)
		sqlite3_finalize(w->puts[i]);
	br_store_db_close(&w->db);
	explicit_bzero(w->secret, sizeof(w->secret));
	explicit_bzero(&w->keys, sizeof(w->keys));
	return true;
}

/* Why it did not work; damage is no reason. */
static bool why(const struct br_rescuer *w, struct br_err *err)
{
	if (w->pages.fault)
		return br_err_set(err, "cannot read it: %s",
		    strerror(w->pages.fault));
	return br_err_set(err, "cannot write %s: %s", w->r->to,
	    sqlite3_errmsg(w->db.sql));
}

static bool fill(struct br_rescuer *w, struct br_err *err)
{
	bool fine;

	br_pages_survey(&w->pages);
	if (w->pages.fault)
		return why(w, err);
	if (!secret_find(w, err))
		return w->pages.fault ? why(w, err) : false;
	br_store_keys_init(&w->keys, w->secret);
	w->db.now_ms = w->r->now_ms;
	fine = br_store_db_begin(&w->db) &&
	    each_page(&w->pages, record_take, w) && !w->has_failed &&
	    br_rescue_settle(w) && br_store_db_commit(&w->db);
	return fine || why(w, err);
}

bool br_rescue_run(struct br_rescue *r, struct br_err *err)
{
	struct br_rescuer w = { .r = r };
	bool fine = br_pages_open(&w.pages, r->from, err) &&
	    open_target(&w, err) && fill(&w, err);

	return close_target(&w) && (br_pages_close(&w.pages), fine);
}
