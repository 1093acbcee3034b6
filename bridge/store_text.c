/* SPDX-License-Identifier: ISC */
/* The text of every statement. */

#include "bridge/store_private.h"

/* As br_stored_take() takes them. */
#define MESSAGE_COLUMNS                                                       \
	"m.seq, m.key, m.lane, m.delivery, m.content_hash, m.destination,"    \
	" m.via, m.target, m.tried, m.origin, m.sender, m.recipient,"         \
	" m.message_id, m.return_token, m.notice_from, m.octets, m.hops,"     \
	" m.reports, m.is_notice, m.accepted_ms, m.expires_ms,"               \
	" m.delay_notice_ms, m.attempts, m.next_try_ms, m.deaths, m.is_told," \
	" m.quarantine_ms, m.last_code, m.last_reason, m.envelope, m.state"

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

const char *const br_store_texts[BR_SQL_COUNT] = {
	[BR_SQL_BEGIN] = "BEGIN IMMEDIATE",
	[BR_SQL_SNAPSHOT] = "BEGIN",
	[BR_SQL_COMMIT] = "COMMIT",
	[BR_SQL_ROLLBACK] = "ROLLBACK",

	[BR_SQL_META_FIND] = "SELECT value FROM meta WHERE name = ?1",
	[BR_SQL_META_EACH] = "SELECT name, value FROM meta",
	[BR_SQL_META_PUT] =
	    "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)",
	[BR_SQL_META_DROP] = "DELETE FROM meta WHERE name = ?1",

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

	[BR_SQL_SEQ_LAST] =
	    "SELECT max(coalesce((SELECT max(seq) FROM message), 0),"
	    " coalesce((SELECT max(seq) FROM trace), 0),"
	    " coalesce((SELECT CAST(CAST(value AS TEXT) AS INTEGER) FROM meta"
	    " WHERE name = 'seq'), 0))",
	[BR_SQL_MESSAGE_PUT] =
	    "INSERT INTO message (seq, key, lane, delivery, content_hash,"
	    " destination, target, tried, origin, sender, recipient,"
	    " message_id, return_token, notice_from, octets, hops, reports,"
	    " is_notice, accepted_ms, expires_ms, delay_notice_ms, attempts,"
	    " next_try_ms, deaths, last_code, last_reason, envelope, state,"
	    " via, is_told, quarantine_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
	    " ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,"
	    " ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, '', 0, 0)",
	[BR_SQL_MESSAGE_ROW] = "SELECT " MESSAGE_COLUMNS
			       " FROM message AS m WHERE m.seq = ?1",
	[BR_SQL_MESSAGE_GET] =
	    "SELECT " MESSAGE_COLUMNS ", c.checksum, c.head, c.body"
	    " FROM message AS m LEFT JOIN content AS c ON c.seq = m.seq"
	    " WHERE m.seq = ?1",
	/* What is being ended with its account is not there any more. */
	[BR_SQL_MESSAGE_EACH] =
	    "SELECT " MESSAGE_COLUMNS " FROM message AS m"
	    " WHERE NOT EXISTS (SELECT 1 FROM removal AS r"
	    " WHERE r.key = m.recipient AND m.seq <= r.upto) ORDER BY m.seq",
	[BR_SQL_MESSAGE_PAGE] = "SELECT " MESSAGE_COLUMNS
				" FROM message AS m WHERE m.seq > ?1"
				" ORDER BY m.seq LIMIT ?2",
	[BR_SQL_MESSAGE_ATTEMPTS] =
	    "SELECT attempts FROM message WHERE seq = ?1",
	[BR_SQL_MESSAGE_ATTEMPT] =
	    "UPDATE message SET attempts = ?2, next_try_ms = ?3, deaths = ?4,"
	    " last_code = ?5, last_reason = ?6 WHERE seq = ?1",
	[BR_SQL_MESSAGE_CHANGE] =
	    "UPDATE message SET destination = ?2, via = ?3, target = ?4,"
	    " tried = ?5, expires_ms = ?6, delay_notice_ms = ?7,"
	    " next_try_ms = ?8, deaths = ?9, is_told = ?10,"
	    " quarantine_ms = ?11, last_code = ?12, last_reason = ?13,"
	    " envelope = ?14, state = ?15 WHERE seq = ?1",
	[BR_SQL_MESSAGE_DROP] = "DELETE FROM message WHERE seq = ?1",
	[BR_SQL_MESSAGE_STEP] = "SELECT seq FROM message WHERE seq > ?1"
				" ORDER BY seq LIMIT 1 OFFSET ?2",
	[BR_SQL_MESSAGE_TO] =
	    "SELECT seq FROM message WHERE seq > ?1 AND seq <= ?2"
	    " AND recipient = ?3 ORDER BY seq LIMIT ?4",
	[BR_SQL_MESSAGE_PAST] =
	    "SELECT seq FROM message WHERE quarantine_ms <> 0"
	    " AND quarantine_ms <= ?1 ORDER BY quarantine_ms LIMIT ?2",
	[BR_SQL_MESSAGE_UPGRADE] =
	    "UPDATE message SET delivery = ?2, notice_from = ?3, envelope = ?4,"
	    " state = ?5 WHERE seq = ?1",
	[BR_SQL_CONTENT_PUT] =
	    "INSERT OR REPLACE INTO content (seq, checksum, head, body)"
	    " VALUES (?1, ?2, ?3, ?4)",
	[BR_SQL_CONTENT_GET] =
	    "SELECT checksum, head, body FROM content WHERE seq = ?1",
	[BR_SQL_CONTENT_SUM] =
	    "UPDATE content SET checksum = ?2 WHERE seq = ?1",
	[BR_SQL_CONTENT_DROP] = "DELETE FROM content WHERE seq = ?1",

	[BR_SQL_KNOWN_PUT] =
	    "INSERT INTO known (id_hash, key, seq, content_hash)"
	    " VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id_hash, key) DO NOTHING",
	[BR_SQL_KNOWN_FIND] =
	    "SELECT content_hash, coalesce((SELECT answer FROM trace"
	    " WHERE trace.seq = known.seq), ?3) FROM known"
	    " WHERE id_hash = ?1 AND key = ?2",
	[BR_SQL_KNOWN_DROP] =
	    "DELETE FROM known WHERE id_hash = ?1 AND key = ?2",
	[BR_SQL_KNOWN_EACH] = "SELECT key FROM known",

	[BR_SQL_TRACE_PUT] =
	    "INSERT OR REPLACE INTO trace (seq, key, message_id, sender,"
	    " recipient, via, accepted_ms, end_ms, code, reason, answer,"
	    " forget_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,"
	    " ?11, ?12)",
	[BR_SQL_TRACE_ANSWER] = "UPDATE trace SET answer = ?2 WHERE seq = ?1",
	[BR_SQL_TRACE_PAST] =
	    "SELECT seq, message_id, key FROM trace WHERE forget_ms <= ?1"
	    " ORDER BY forget_ms LIMIT ?2",
	[BR_SQL_TRACE_DROP] = "DELETE FROM trace WHERE seq = ?1",
	[BR_SQL_SENT_PUT] =
	    "INSERT OR REPLACE INTO sent (seq, delivery, destination, origin,"
	    " return_token, notice_from, reports, is_notice, head, body,"
	    " checksum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
	[BR_SQL_SENT_FIND] =
	    "SELECT s.seq, s.origin, s.return_token, s.notice_from, s.reports,"
	    " s.is_notice, s.head, s.body, s.checksum, t.key, t.sender,"
	    " t.recipient, t.message_id, t.accepted_ms FROM sent AS s"
	    " LEFT JOIN trace AS t ON t.seq = s.seq"
	    " WHERE s.delivery = ?1 AND s.destination = ?2",
	[BR_SQL_SENT_DROP] = "DELETE FROM sent WHERE seq = ?1",
	[BR_SQL_EVENT_PUT] =
	    "INSERT INTO event (seq, n, at_ms, text)"
	    " SELECT ?1, max(coalesce(max(n), 0), ?4) + 1, ?2, ?3 FROM event"
	    " WHERE seq = ?1",
	/* The first line and that of the end are in the rows themselves. */
	[BR_SQL_EVENT_FIND] =
	    "SELECT m.accepted_ms AS at_ms, 'accepted from=' || m.sender"
	    " || ' to=' || m.recipient || ' via='"
	    " || iif(m.via = '', m.destination, m.via), m.seq AS seq, 0 AS n"
	    " FROM known AS k JOIN message AS m ON m.seq = k.seq"
	    " WHERE k.id_hash = ?1 AND m.message_id = ?2"
	    " UNION ALL SELECT t.accepted_ms, 'accepted from=' || t.sender"
	    " || ' to=' || t.recipient || ' via=' || t.via, t.seq, 0"
	    " FROM known AS k JOIN trace AS t ON t.seq = k.seq"
	    " WHERE k.id_hash = ?1 AND t.message_id = ?2 AND t.code <> 0"
	    " UNION ALL SELECT t.end_ms, 'end code=' || t.code || ' reason='"
	    " || t.reason, t.seq, ?4"
	    " FROM known AS k JOIN trace AS t ON t.seq = k.seq"
	    " WHERE k.id_hash = ?1 AND t.message_id = ?2 AND t.code <> 0"
	    " UNION ALL SELECT e.at_ms, e.text, e.seq, e.n"
	    " FROM known AS k JOIN event AS e ON e.seq = k.seq"
	    " WHERE k.id_hash = ?1"
	    " ORDER BY at_ms, seq, n LIMIT ?3",
	[BR_SQL_EVENT_DROP] = "DELETE FROM event WHERE seq = ?1",
	[BR_SQL_REMOVAL_PUT] =
	    "INSERT OR REPLACE INTO removal (key, upto) VALUES (?1, ?2)",
	[BR_SQL_REMOVAL_DROP] = "DELETE FROM removal WHERE key = ?1",
	[BR_SQL_REMOVAL_EACH] = "SELECT key, upto FROM removal",
};
