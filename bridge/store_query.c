/* SPDX-License-Identifier: ISC */
/* Every statement, and one run of it. */

#include "bridge/store_private.h"

#include <string.h>

#define MESSAGE_COLUMNS                                                  \
	"m.seq, m.key, m.lane, m.content_hash, m.destination, m.origin," \
	" m.sender, m.recipient, m.message_id, m.return_token, m.hops,"  \
	" m.accepted_ms, m.expires_ms, m.attempts, m.next_try_ms"

#define ACCOUNT_COLUMNS                                           \
	"key, address, iterations, salt, stored_key, server_key," \
	" cram_secret, created_ms"

static const char *const TEXTS[BR_SQL_COUNT] = {
	[BR_SQL_BEGIN] = "BEGIN IMMEDIATE",
	[BR_SQL_COMMIT] = "COMMIT",
	[BR_SQL_ROLLBACK] = "ROLLBACK",

	[BR_SQL_META_FIND] = "SELECT value FROM meta WHERE name = ?1",
	[BR_SQL_META_PUT] = "INSERT INTO meta (name, value) VALUES (?1, ?2)",

	[BR_SQL_ACCOUNT_PUT] = "INSERT INTO account (" ACCOUNT_COLUMNS ")"
			       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
			       " ON CONFLICT (key) DO NOTHING",
	[BR_SQL_ACCOUNT_PASSWD] =
	    "UPDATE account SET iterations = ?2, salt = ?3, stored_key = ?4,"
	    " server_key = ?5, cram_secret = ?6 WHERE key = ?1",
	[BR_SQL_ACCOUNT_DROP] = "DELETE FROM account WHERE key = ?1",
	[BR_SQL_ACCOUNT_FIND] = "SELECT " ACCOUNT_COLUMNS
				" FROM account WHERE key = ?1",
	[BR_SQL_ACCOUNT_LIST] = "SELECT " ACCOUNT_COLUMNS
				" FROM account WHERE key > ?1"
				" ORDER BY key LIMIT ?2",
	[BR_SQL_ACCOUNT_PURGE] =
	    "UPDATE account SET cram_secret = x'' WHERE cram_secret <> x''",

	[BR_SQL_STATE_PUT] =
	    "INSERT INTO state (adapter, key, value) VALUES (?1, ?2, ?3)"
	    " ON CONFLICT (adapter, key) DO UPDATE SET value = excluded.value",
	[BR_SQL_STATE_DROP] =
	    "DELETE FROM state WHERE adapter = ?1 AND key = ?2",
	[BR_SQL_STATE_FIND] =
	    "SELECT key, value FROM state WHERE adapter = ?1 AND key = ?2",
	[BR_SQL_STATE_LIST] =
	    "SELECT key, value FROM state WHERE adapter = ?1 AND key > ?2"
	    " ORDER BY key LIMIT ?3",

	[BR_SQL_MESSAGE_PUT] =
	    "INSERT INTO message (key, lane, content_hash, destination, origin,"
	    " sender, recipient, message_id, return_token, hops, accepted_ms,"
	    " expires_ms, attempts, next_try_ms) VALUES (?1, ?2, ?3, ?4, ?5,"
	    " ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
	[BR_SQL_MESSAGE_GET] =
	    "SELECT " MESSAGE_COLUMNS ", c.checksum, c.head, c.body"
	    " FROM message AS m LEFT JOIN content AS c ON c.seq = m.seq"
	    " WHERE m.seq = ?1",
	[BR_SQL_MESSAGE_EACH] = "SELECT " MESSAGE_COLUMNS
				" FROM message AS m ORDER BY m.seq",
	[BR_SQL_MESSAGE_ATTEMPTS] =
	    "SELECT attempts FROM message WHERE seq = ?1",
	[BR_SQL_MESSAGE_ATTEMPT] =
	    "UPDATE message SET attempts = ?2, next_try_ms = ?3 WHERE seq = ?1",
	[BR_SQL_MESSAGE_DROP] =
	    "DELETE FROM message WHERE seq = ?1 RETURNING key",
	[BR_SQL_MESSAGE_FOR] =
	    "SELECT seq FROM message WHERE destination = ?1 AND seq > ?2"
	    " ORDER BY seq LIMIT ?3",
	[BR_SQL_CONTENT_PUT] = "INSERT INTO content (seq, checksum, head, body)"
			       " VALUES (?1, ?2, ?3, ?4)",
	[BR_SQL_CONTENT_DROP] = "DELETE FROM content WHERE seq = ?1",

	[BR_SQL_DUPLICATE_PUT] =
	    "INSERT INTO duplicate (key, content_hash, answer)"
	    " VALUES (?1, ?2, ?3) ON CONFLICT (key) DO NOTHING",
	[BR_SQL_DUPLICATE_FIND] =
	    "SELECT content_hash, answer FROM duplicate WHERE key = ?1",
	[BR_SQL_DUPLICATE_ANSWER] =
	    "UPDATE duplicate SET answer = ?2 WHERE key = ?1",
	[BR_SQL_DUPLICATE_DROP] = "DELETE FROM duplicate WHERE key = ?1",
	[BR_SQL_DUPLICATE_EACH] = "SELECT key FROM duplicate",

	[BR_SQL_TRACE_PUT] = "INSERT INTO trace (seq, key, id_hash, message_id)"
			     " VALUES (?1, ?2, ?3, ?4)",
	[BR_SQL_TRACE_END] = "UPDATE trace SET forget_ms = ?2 WHERE seq = ?1",
	[BR_SQL_TRACE_PAST] = "SELECT seq, key FROM trace WHERE forget_ms <= ?1"
			      " ORDER BY forget_ms LIMIT ?2",
	[BR_SQL_TRACE_DROP] = "DELETE FROM trace WHERE seq = ?1",
	[BR_SQL_EVENT_PUT] =
	    "INSERT INTO event (seq, n, at_ms, text)"
	    " SELECT ?1, coalesce(max(n), 0) + 1, ?2, ?3 FROM event"
	    " WHERE seq = ?1",
	[BR_SQL_EVENT_FIND] =
	    "SELECT e.at_ms, e.text FROM trace AS t JOIN event AS e"
	    " ON e.seq = t.seq WHERE t.id_hash = ?1 AND t.message_id = ?2"
	    " ORDER BY e.at_ms, e.seq, e.n LIMIT ?3",
	[BR_SQL_EVENT_DROP] = "DELETE FROM event WHERE seq = ?1",
};

static void note(struct br_store_db *db)
{
	db->reason = sqlite3_errstr(sqlite3_extended_errcode(db->sql));
}

struct br_store_query br_store_query(struct br_store_db *db,
    enum br_store_statement statement)
{
	sqlite3_stmt **st = &db->statements[statement];

	if (!*st &&
	    sqlite3_prepare_v3(db->sql, TEXTS[statement], -1,
		SQLITE_PREPARE_PERSISTENT, st, NULL) != SQLITE_OK)
		note(db);
	return (struct br_store_query){ .db = db, .st = *st };
}

void br_store_put_number(struct br_store_query *q, int64_t value)
{
	(void)sqlite3_bind_int64(q->st, ++q->at, value);
}

/* A slice without a pointer is empty, not NULL. What SQLite refuses to bind
 * stays NULL, and no column takes that. */
void br_store_put_text(struct br_store_query *q, struct prim_slice text)
{
	(void)sqlite3_bind_text64(q->st, ++q->at, text.ptr ? text.ptr : "",
	    text.len, SQLITE_STATIC, SQLITE_UTF8);
}

void br_store_put_blob(struct br_store_query *q, struct prim_slice octets)
{
	(void)sqlite3_bind_blob64(q->st, ++q->at, octets.ptr ? octets.ptr : "",
	    octets.len, SQLITE_STATIC);
}

void br_store_put_octets(struct br_store_query *q, const void *octets,
    size_t len)
{
	br_store_put_blob(q, prim_slice_make(octets, len));
}

int br_store_query_step(struct br_store_query *q)
{
	int code;

	if (!q->st)
		return SQLITE_ERROR;
	q->at = 0;
	code = sqlite3_step(q->st);
	if (code == SQLITE_ROW || code == SQLITE_DONE)
		return code;
	note(q->db);
	br_store_query_end(q);
	return code;
}

void br_store_query_end(struct br_store_query *q)
{
	(void)sqlite3_reset(q->st);
	(void)sqlite3_clear_bindings(q->st);
}

bool br_store_query_run(struct br_store_query *q)
{
	int code;

	do
		code = br_store_query_step(q);
	while (code == SQLITE_ROW);
	if (code != SQLITE_DONE)
		return false;
	br_store_query_end(q);
	return true;
}

int br_store_query_changes(const struct br_store_query *q)
{
	return sqlite3_changes(q->db->sql);
}

int64_t br_store_take_number(struct br_store_query *q)
{
	return sqlite3_column_int64(q->st, q->at++);
}

struct prim_slice br_store_take_slice(struct br_store_query *q)
{
	const char *ptr = sqlite3_column_blob(q->st, q->at);
	int len = sqlite3_column_bytes(q->st, q->at++);

	return prim_slice_make(ptr, len > 0 ? (size_t)len : 0);
}

bool br_store_take_octets(struct br_store_query *q, void *to, size_t len)
{
	struct prim_slice octets = br_store_take_slice(q);

	if (octets.len != len)
		return false;
	memcpy(to, octets.ptr, len);
	return true;
}
