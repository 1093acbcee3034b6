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

#define SUBSCRIPTION_COLUMNS                    \
	"watcher, presentity, watcher_address," \
	" presentity_address, id, is_outgoing, expires_ms"

#define LINK_COLUMNS                                              \
	"principal, address, network, made_ms, verified_ms, how," \
	" code_hash, code_salt, code_expires_ms, code_tries,"     \
	" is_foreign_asking"

static const char *const TEXTS[BR_SQL_COUNT] = {
	[BR_SQL_BEGIN] = "BEGIN IMMEDIATE",
	[BR_SQL_SNAPSHOT] = "BEGIN",
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

	[BR_SQL_VALUE_PUT] =
	    "INSERT INTO value (presentity, tuple_id, is_lease, at_ms, type,"
	    " body) SELECT ?1, ?2, ?3, ?4, ?5, ?6"
	    " WHERE EXISTS (SELECT 1 FROM account WHERE key = ?1)"
	    " ON CONFLICT (presentity, tuple_id, is_lease) DO UPDATE SET"
	    " at_ms = excluded.at_ms, type = excluded.type,"
	    " body = excluded.body RETURNING row",
	[BR_SQL_VALUE_DROP] =
	    "DELETE FROM value WHERE presentity = ?1 AND tuple_id = ?2"
	    " AND is_lease >= ?3",
	[BR_SQL_VALUE_PURGE] = "DELETE FROM value WHERE presentity = ?1",
	[BR_SQL_VALUE_LIST] =
	    "SELECT v.tuple_id, v.type, v.body, v.is_lease, v.at_ms,"
	    " coalesce(l.expires_ms, 0), v.row, l.row IS NOT NULL"
	    " FROM value AS v LEFT JOIN lease AS l ON l.row = v.row"
	    " WHERE v.presentity = ?1 ORDER BY v.at_ms, v.row",
	[BR_SQL_LEASE_PUT] =
	    "INSERT INTO lease (row, expires_ms) VALUES (?1, ?2)"
	    " ON CONFLICT (row) DO UPDATE SET expires_ms = excluded.expires_ms",
	[BR_SQL_LEASE_RENEW] =
	    "UPDATE lease SET expires_ms = ?2 WHERE row = ?1",
	[BR_SQL_LEASE_STEP] = "SELECT row FROM lease WHERE row > ?1"
			      " ORDER BY row LIMIT 1 OFFSET ?2",
	[BR_SQL_LEASE_SWEEP] =
	    "DELETE FROM value WHERE row IN (SELECT row FROM lease"
	    " WHERE row > ?1 AND row <= ?2 AND expires_ms < ?3)",

	[BR_SQL_SUBSCRIPTION_PUT] =
	    "INSERT INTO subscription (" SUBSCRIPTION_COLUMNS ")"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
	    " ON CONFLICT (watcher, presentity, id) DO UPDATE SET"
	    " watcher_address = excluded.watcher_address,"
	    " presentity_address = excluded.presentity_address,"
	    " is_outgoing = excluded.is_outgoing,"
	    " expires_ms = excluded.expires_ms",
	[BR_SQL_SUBSCRIPTION_DROP] =
	    "DELETE FROM subscription WHERE watcher = ?1 AND presentity = ?2"
	    " AND id = ?3",
	[BR_SQL_SUBSCRIPTION_PURGE] =
	    "DELETE FROM subscription WHERE watcher = ?1 OR presentity = ?1",
	[BR_SQL_SUBSCRIPTION_TO] = "SELECT " SUBSCRIPTION_COLUMNS
				   " FROM subscription"
				   " WHERE presentity = ?1 AND is_outgoing = 0"
				   " ORDER BY watcher, id",
	[BR_SQL_SUBSCRIPTION_LIST] =
	    "SELECT " SUBSCRIPTION_COLUMNS " FROM subscription"
	    " WHERE (watcher, presentity, id) > (?1, ?2, ?3)"
	    " ORDER BY watcher, presentity, id",
	/* Two halves that are each in order already, so that a page costs what
	 * is in it. In the second the presentity is fixed. */
	[BR_SQL_SUBSCRIPTION_OF] =
	    "SELECT " SUBSCRIPTION_COLUMNS " FROM subscription"
	    " WHERE watcher = ?4"
	    " AND (watcher, presentity, id) > (?1, ?2, ?3)"
	    " UNION ALL SELECT " SUBSCRIPTION_COLUMNS " FROM subscription"
	    " WHERE presentity = ?4 AND watcher <> ?4"
	    " AND (watcher, id) > (?1, ?3)"
	    " ORDER BY watcher, presentity, id",
	[BR_SQL_SUBSCRIPTION_OUTGOING] = "SELECT " SUBSCRIPTION_COLUMNS
					 " FROM subscription"
					 " WHERE is_outgoing = 1",
	[BR_SQL_SUBSCRIPTION_STEP] =
	    "SELECT watcher, presentity, id FROM subscription"
	    " WHERE (watcher, presentity, id) > (?1, ?2, ?3)"
	    " ORDER BY watcher, presentity, id LIMIT 1 OFFSET ?4",
	[BR_SQL_SUBSCRIPTION_SWEEP] =
	    "DELETE FROM subscription"
	    " WHERE (watcher, presentity, id) > (?1, ?2, ?3)"
	    " AND (watcher, presentity, id) <= (?4, ?5, ?6)"
	    " AND expires_ms < ?7",
	[BR_SQL_RESIDENT_EACH] =
	    "SELECT presentity FROM value WHERE is_lease = 1"
	    " UNION SELECT presentity FROM subscription WHERE is_outgoing = 0",

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

	/* Nothing for an absent account, nor where the address is somebody
	 * else's and would be this one's too. */
	[BR_SQL_LINK_PUT] =
	    "INSERT INTO link (" LINK_COLUMNS ")"
	    " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11"
	    " WHERE EXISTS (SELECT 1 FROM account WHERE key = ?1)"
	    " AND (?5 = 0 OR NOT EXISTS (SELECT 1 FROM link"
	    " WHERE address = ?2 AND verified_ms <> 0 AND principal <> ?1))"
	    " ON CONFLICT (principal, address) DO UPDATE SET"
	    " network = excluded.network, made_ms = excluded.made_ms,"
	    " verified_ms = excluded.verified_ms, how = excluded.how,"
	    " code_hash = excluded.code_hash, code_salt = excluded.code_salt,"
	    " code_expires_ms = excluded.code_expires_ms,"
	    " code_tries = excluded.code_tries,"
	    " is_foreign_asking = excluded.is_foreign_asking",
	[BR_SQL_LINK_DROP] =
	    "DELETE FROM link WHERE principal = ?1 AND address = ?2",
	[BR_SQL_LINK_PURGE] = "DELETE FROM link WHERE principal = ?1",
	[BR_SQL_LINK_EACH] = "SELECT " LINK_COLUMNS
			     " FROM link ORDER BY principal, address",
	[BR_SQL_ORDER_PUT] =
	    "INSERT INTO link_order (principal, words) SELECT ?1, ?2"
	    " WHERE EXISTS (SELECT 1 FROM account WHERE key = ?1)"
	    " ON CONFLICT (principal) DO UPDATE SET words = excluded.words",
	[BR_SQL_ORDER_FIND] =
	    "SELECT words FROM link_order WHERE principal = ?1",
	[BR_SQL_ORDER_DROP] = "DELETE FROM link_order WHERE principal = ?1",
	[BR_SQL_ORDER_EACH] =
	    "SELECT principal, words FROM link_order ORDER BY principal",

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
