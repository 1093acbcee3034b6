/* SPDX-License-Identifier: ISC */
/* What the rows of a damaged queue.db say together: which messages there were,
 * which of them are at their end, who is to be told, and what is lost. */

#include "bridge/store_rescue.h"

#include <string.h>

#include "bridge/destination.h"
#include "prim/address.h"
#include "prim/base.h"
#include "prim/command.h"

#define MESSAGES                                                            \
	"seq, key, lane, delivery, content_hash, destination, via, target," \
	" tried, origin, sender, recipient, message_id, return_token,"      \
	" notice_from, octets, hops, reports, is_notice, accepted_ms,"      \
	" expires_ms, delay_notice_ms, attempts, next_try_ms, deaths,"      \
	" is_told, quarantine_ms, last_code, last_reason, envelope, state"

#define IS_KNOWN(row)                                                \
	"EXISTS (SELECT 1 FROM known AS k WHERE k.seq = " row ".seq" \
	" AND k.key = " row ".key)"
#define IS_NOWHERE(row)                                                     \
	"NOT EXISTS (SELECT 1 FROM message AS m WHERE m.seq = " row         \
	".seq) AND NOT EXISTS (SELECT 1 FROM trace AS t WHERE t.seq = " row \
	".seq)"

/* ---- what bears out what ---- */

static const char *const FOUND[] = {
	"CREATE INDEX known_seq ON known (seq, key)",
	/* The last seq that was given, of what is there or was. */
	"INSERT OR REPLACE INTO meta (name, value) SELECT 'seq',"
	" CAST(CAST(max(seq) AS TEXT) AS BLOB) FROM ("
	"SELECT coalesce(max(seq), 0) AS seq FROM message"
	" UNION ALL SELECT coalesce(max(seq), 0) FROM trace"
	" UNION ALL SELECT coalesce(max(seq), 0) FROM content"
	" UNION ALL SELECT coalesce(max(seq), 0) FROM known)",
	"DELETE FROM meta WHERE name = 'upgrade'",
	"INSERT OR IGNORE INTO trace SELECT * FROM found AS f"
	" WHERE " IS_KNOWN("f"),
	"INSERT OR IGNORE INTO known SELECT * FROM known_found AS f"
	" WHERE EXISTS (SELECT 1 FROM trace AS t WHERE t.seq = f.seq"
	" AND t.key = f.key)",
};

/* What is at its end is there no more, whatever a page says that was not written
 * in time. */
static const char *const ENDED[] = {
	"DELETE FROM message WHERE EXISTS (SELECT 1 FROM trace AS t"
	" WHERE t.seq = message.seq AND t.key = message.key)",
	"DELETE FROM content WHERE EXISTS (SELECT 1 FROM trace AS t"
	" WHERE t.seq = content.seq) AND NOT EXISTS (SELECT 1 FROM message"
	" AS m WHERE m.seq = content.seq)",
};

static const char *const LOST[] = {
	"DELETE FROM known WHERE " IS_NOWHERE("known"),
	"DELETE FROM event WHERE " IS_NOWHERE("event"),
	"DELETE FROM content WHERE NOT EXISTS (SELECT 1 FROM message AS m"
	" WHERE m.seq = content.seq)",
	"DELETE FROM sent WHERE NOT EXISTS (SELECT 1 FROM trace AS t"
	" WHERE t.seq = sent.seq)",
	"DROP INDEX known_seq",
};

/* What has ended and is not known by its key. */
#define EACH_UNKNOWN                                             \
	"SELECT t.seq FROM trace AS t WHERE t.seq > ?1"          \
	" AND NOT EXISTS (SELECT 1 FROM known AS k"              \
	" WHERE k.seq = t.seq AND k.key = t.key) ORDER BY t.seq" \
	" LIMIT 1"

static bool run(struct br_rescuer *w, const char *text)
{
	return sqlite3_exec(w->db.sql, text, NULL, NULL, NULL) == SQLITE_OK;
}

static bool run_all(struct br_rescuer *w, const char *const *texts, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!run(w, texts[i]))
			return false;
	return true;
}

/* The first number of the first row. */
static bool ask(struct br_rescuer *w, const char *text, int64_t *out_number)
{
	sqlite3_stmt *st = NULL;
	bool fine = sqlite3_prepare_v2(w->db.sql, text, -1, &st, NULL) ==
		SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW;

	if (fine)
		*out_number = sqlite3_column_int64(st, 0);
	return sqlite3_finalize(st) == SQLITE_OK && fine;
}

typedef bool (*seq_fn)(struct br_rescuer *w, int64_t seq);

/* Does `fn` with every seq that `text` finds behind the last one; it may change
 * what is looked through. */
static bool each_seq(struct br_rescuer *w, const char *text, seq_fn fn)
{
	sqlite3_stmt *st = NULL;
	bool fine = sqlite3_prepare_v2(w->db.sql, text, -1, &st, NULL) ==
	    SQLITE_OK;
	int64_t seq = 0;

	while (fine) {
		int code;

		(void)sqlite3_bind_int64(st, 1, seq);
		code = sqlite3_step(st);
		if (code == SQLITE_ROW)
			seq = sqlite3_column_int64(st, 0);
		(void)sqlite3_reset(st);
		if (code == SQLITE_DONE)
			break;
		fine = code == SQLITE_ROW && fn(w, seq);
	}
	sqlite3_finalize(st);
	return fine;
}

/* ---- a message of which only the content is left ---- */

struct remains {
	struct br_stored st;
	struct prim_command head; /* borrows from the content */
	struct prim_key sender, recipient;
	struct prim_buf texts; /* owned: its Message-ID and more */
};

static bool address_take(const struct prim_command *c, enum prim_header_id id,
    struct prim_key *out_key)
{
	struct prim_address address;

	if (!prim_address_parse(prim_command_get(c, id), &address))
		return false;
	prim_address_key(&address, out_key);
	return true;
}

/* Appends `start` and `end`, for which there is room. */
static struct prim_slice join(struct prim_buf *b, const char *start,
    struct prim_slice end)
{
	size_t at = b->len;

	prim_buf_puts(b, start);
	prim_buf_put(b, end);
	return prim_slice_make(b->ptr + at, b->len - at);
}

/* As it would be if a client had sent it: he says himself who it is from. */
static bool remains_read(struct br_rescuer *w, struct remains *x)
{
	struct br_message names = { .refs = 0 };
	struct br_store_message *m = &x->st.m;
	struct prim_buf *b = &x->texts;

	if (!prim_command_lines(m->head, &x->head) ||
	    !address_take(&x->head, PRIM_HEADER_FROM, &x->sender) ||
	    !address_take(&x->head, PRIM_HEADER_TO, &x->recipient))
		return false;
	m->origin = PRIM_SLICE(BR_ORIGIN_CLIENT);
	m->sender = prim_key_slice(&x->sender);
	m->recipient = prim_key_slice(&x->recipient);
	(void)prim_buf_room(b,
	    m->head.len + m->sender.len + m->recipient.len + 64);
	prim_command_put_message_id(b, &x->head);
	m->message_id = prim_buf_slice(b);
	m->destination = join(b, BR_DESTINATION_INBOX, m->recipient);
	m->notice_from = join(b, "im:" BR_POSTMASTER "@",
	    prim_key_domain(&x->sender));
	names.origin = m->origin;
	names.sender = m->sender;
	names.recipient = m->recipient;
	names.message_id = m->message_id;
	names.conversation_id = prim_command_get(&x->head,
	    PRIM_HEADER_CONVERSATION_ID);
	br_message_derive(&names, PRIM_SLICE_NONE, &w->keys.message);
	m->key = names.key;
	m->delivery = names.delivery;
	m->lane = names.lane;
	return true;
}

/* `known` tells that it was so: its key is made of all of this. */
static bool is_borne_out(struct br_rescuer *w, struct br_store_message *m,
    bool *out_so)
{
	static const char TEXT[] =
	    "SELECT content_hash FROM known WHERE seq = ?1 AND key = ?2";
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(w->db.sql, TEXT, -1, &st, NULL);

	if (code == SQLITE_OK) {
		(void)sqlite3_bind_int64(st, 1, m->seq);
		(void)sqlite3_bind_blob(st, 2, m->key.octets, PRIM_DIGEST_LEN,
		    SQLITE_STATIC);
		code = sqlite3_step(st);
	}
	*out_so = code == SQLITE_ROW;
	if (*out_so)
		m->content_hash = (uint64_t)sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return code == SQLITE_ROW || code == SQLITE_DONE;
}

/* Its state is made wrong: so it is put aside at once, and its sender told. */
static bool spoil_state(struct br_rescuer *w, int64_t seq)
{
	char text[96];

	(void)sqlite3_snprintf(sizeof(text), text,
	    "UPDATE message SET state = ~state WHERE seq = %lld",
	    (long long)seq);
	return run(w, text);
}

static bool remains_put(struct br_rescuer *w, struct remains *x)
{
	struct br_store_message *m = &x->st.m;
	bool is_so = false;

	if (!remains_read(w, x))
		return true;
	if (!is_borne_out(w, m, &is_so))
		return false;
	m->octets = m->head.len + m->body.len;
	m->hops = 1;
	m->accepted_ms = w->r->now_ms;
	m->expires_ms = w->r->now_ms;
	return !is_so ||
	    (br_stored_put_row(&w->db, &x->st) && spoil_state(w, m->seq));
}

static bool content_settle(struct br_rescuer *w, int64_t seq)
{
	struct remains *x = prim_new(struct remains);
	struct br_store_query q;
	bool is_whole, fine;

	x->st.m.seq = seq;
	fine = br_stored_read_content(&w->db, &x->st, &q, &is_whole) &&
	    (!is_whole || remains_put(w, x));
	br_store_query_end(&q);
	prim_buf_fini(&x->texts);
	prim_free(x);
	return fine;
}

/* ---- messages that are damaged ---- */

/* One at a time: what does not fit into the table is passed over. */
static bool spoiled_put(struct br_rescuer *w, int64_t seq, const char *which)
{
	char *text =
	    sqlite3_mprintf("INSERT OR IGNORE INTO message SELECT " MESSAGES
			    " FROM spoiled AS s WHERE seq = %lld AND %s",
		(long long)seq, which);
	int code = sqlite3_exec(w->db.sql, text, NULL, NULL, NULL);

	sqlite3_free(text);
	return code == SQLITE_OK || (code & 0xff) == SQLITE_CONSTRAINT;
}

static bool state_settle(struct br_rescuer *w, int64_t seq)
{
	return spoiled_put(w, seq, "rank = 3 AND " IS_KNOWN("s")) &&
	    spoiled_put(w, seq, "rank = 2") &&
	    spoiled_put(w, seq, "rank = 1 AND " IS_KNOWN("s"));
}

static bool envelope_settle(struct br_rescuer *w, int64_t seq)
{
	return spoiled_put(w, seq, "rank = 0 AND " IS_NOWHERE("s"));
}

#define EACH_SPOILED \
	"SELECT seq FROM spoiled WHERE seq > ?1 ORDER BY seq LIMIT 1"

/* ---- what has ended ---- */

/* Its key is in its trace, too; what it said is not. */
static bool trace_settle(struct br_rescuer *w, int64_t seq)
{
	static const char TEXT[] =
	    "SELECT key, message_id FROM trace WHERE seq = ?1";
	struct br_store_query q = { .db = &w->db };
	struct br_store_message m = { .content_hash = BR_STORE_ANY_CONTENT };
	bool is_new,
	    fine = sqlite3_prepare_v2(w->db.sql, TEXT, -1, &q.st, NULL) ==
	    SQLITE_OK;

	br_store_put_number(&q, seq);
	fine = fine && br_store_query_step(&q) == SQLITE_ROW;
	if (fine && br_store_take_octets(&q, m.key.octets, PRIM_DIGEST_LEN)) {
		m.message_id = br_store_take_slice(&q);
		fine = br_store_known_put(&w->db, &m, seq, &is_new);
	}
	sqlite3_finalize(q.st);
	return fine;
}

/* ---- in the end ---- */

/* Whoever waits is known; and how he fares is counted. */
static bool message_settle(struct br_rescuer *w, struct br_store_query *q)
{
	struct br_stored st;
	bool is_new;

	br_stored_take(q, &st);
	if (!st.has_envelope)
		w->r->untold++;
	else if (!st.has_state)
		w->r->told++;
	else
		w->r->whole++;
	return !st.has_envelope ||
	    (br_store_known_drop(&w->db, st.m.message_id, &st.m.key) &&
		br_store_known_put(&w->db, &st.m, st.m.seq, &is_new));
}

static bool messages_settle(struct br_rescuer *w)
{
	struct br_store_query q = br_store_query(&w->db, BR_SQL_MESSAGE_PAGE);
	bool fine = true;
	int code;

	br_store_put_number(&q, 0);
	br_store_put_number(&q, -1);
	while (fine && (code = br_store_query_step(&q)) == SQLITE_ROW)
		fine = message_settle(w, &q);
	br_store_query_end(&q);
	return fine && code == SQLITE_DONE;
}

/* Its content is gone: that is told now, not when somebody asks for it. */
static const char NO_CONTENT[] =
    "UPDATE message SET state = ~state WHERE quarantine_ms = 0"
    " AND is_told = 0 AND NOT EXISTS (SELECT 1 FROM content AS c"
    " WHERE c.seq = message.seq)";

static const char COUNT_LOST[] =
    "SELECT count(*) FROM (SELECT seq FROM known UNION SELECT seq FROM event)"
    " AS e WHERE " IS_NOWHERE("e");

bool br_rescue_settle(struct br_rescuer *w)
{
	const struct br_store_secrets none = { .count = 0 };

	return run_all(w, FOUND, PRIM_COUNT(FOUND)) &&
	    each_seq(w, EACH_SPOILED, state_settle) &&
	    run_all(w, ENDED, PRIM_COUNT(ENDED)) &&
	    each_seq(w,
		"SELECT c.seq FROM content AS c WHERE c.seq > ?1"
		" AND NOT EXISTS (SELECT 1 FROM message AS m"
		" WHERE m.seq = c.seq) ORDER BY c.seq LIMIT 1",
		content_settle) &&
	    each_seq(w, EACH_SPOILED, envelope_settle) && run(w, NO_CONTENT) &&
	    messages_settle(w) && each_seq(w, EACH_UNKNOWN, trace_settle) &&
	    ask(w, COUNT_LOST, &w->r->lost) &&
	    run_all(w, LOST, PRIM_COUNT(LOST)) &&
	    br_store_secret_write(&w->db, &none, w->secret);
}
