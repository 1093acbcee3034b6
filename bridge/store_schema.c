/* SPDX-License-Identifier: ISC */
/* The schema of both databases, as steps that are never changed once released:
 * a new version appends a step. */

#include "bridge/store_private.h"

#include <stdio.h>
#include <string.h>

#include "prim/base.h"

#define PLAUSIBLE 255 /* no schema will have a higher number */

static const char *const PRIMD_STEPS[] = {
	"CREATE TABLE account ("
	" key TEXT PRIMARY KEY NOT NULL CHECK (length(key) > 0),"
	" address TEXT NOT NULL,"
	" iterations INTEGER NOT NULL,"
	" salt BLOB NOT NULL,"
	" stored_key BLOB NOT NULL,"
	" server_key BLOB NOT NULL,"
	" cram_secret BLOB NOT NULL,"
	" created_ms INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE state ("
	" adapter TEXT NOT NULL,"
	" key BLOB NOT NULL CHECK (length(key) BETWEEN 1 AND 512),"
	" value BLOB NOT NULL CHECK (length(value) <= 65536),"
	" PRIMARY KEY (adapter, key)"
	") STRICT;",

	/* Rows are never used twice: a late renewal meets nobody else's lease.
	 * When a lease ends is apart and narrow, so that a hundred thousand
	 * renewals write a few hundred pages. */
	"CREATE TABLE value ("
	" row INTEGER PRIMARY KEY AUTOINCREMENT,"
	" presentity TEXT NOT NULL CHECK (length(presentity) > 0),"
	" tuple_id TEXT NOT NULL CHECK (length(tuple_id) > 0),"
	" is_lease INTEGER NOT NULL CHECK (is_lease IN (0, 1)),"
	" at_ms INTEGER NOT NULL,"
	" type TEXT NOT NULL,"
	" body BLOB NOT NULL,"
	" UNIQUE (presentity, tuple_id, is_lease)"
	") STRICT;"
	"CREATE TABLE lease ("
	" row INTEGER PRIMARY KEY REFERENCES value (row) ON DELETE CASCADE,"
	" expires_ms INTEGER NOT NULL"
	") STRICT;"
	"CREATE TABLE subscription ("
	" watcher TEXT NOT NULL CHECK (length(watcher) > 0),"
	" presentity TEXT NOT NULL CHECK (length(presentity) > 0),"
	" id TEXT NOT NULL,"
	" watcher_address TEXT NOT NULL,"
	" presentity_address TEXT NOT NULL,"
	" is_outgoing INTEGER NOT NULL CHECK (is_outgoing IN (0, 1)),"
	" expires_ms INTEGER NOT NULL,"
	" PRIMARY KEY (watcher, presentity, id)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX subscription_to"
	" ON subscription (presentity, watcher, id);",

	/* The owner of an address is one row: two cannot be verified. */
	"CREATE TABLE link ("
	" principal TEXT NOT NULL CHECK (length(principal) > 0),"
	" address TEXT NOT NULL CHECK (length(address) > 0),"
	" network TEXT NOT NULL,"
	" made_ms INTEGER NOT NULL,"
	" verified_ms INTEGER NOT NULL,"
	" how TEXT NOT NULL,"
	" code_hash BLOB NOT NULL,"
	" code_salt BLOB NOT NULL,"
	" code_expires_ms INTEGER NOT NULL,"
	" code_tries INTEGER NOT NULL,"
	" is_foreign_asking INTEGER NOT NULL"
	" CHECK (is_foreign_asking IN (0, 1)),"
	" PRIMARY KEY (principal, address)"
	") STRICT, WITHOUT ROWID;"
	"CREATE UNIQUE INDEX link_owner ON link (address)"
	" WHERE verified_ms <> 0;"
	"CREATE TABLE link_order ("
	" principal TEXT PRIMARY KEY NOT NULL CHECK (length(principal) > 0),"
	" words TEXT NOT NULL CHECK (length(words) > 0)"
	") STRICT, WITHOUT ROWID;",
};

/*
 * A message's content is a row apart, so that noting an attempt does not write
 * a megabyte again. The trace is what remains of a message: it holds how long
 * its key and its events are remembered; forget_ms is NULL while the message
 * is there.
 */
static const char *const QUEUE_STEPS[] = {
	"CREATE TABLE meta ("
	" name TEXT PRIMARY KEY NOT NULL,"
	" value BLOB NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE message ("
	" seq INTEGER PRIMARY KEY AUTOINCREMENT,"
	" key BLOB NOT NULL,"
	" lane BLOB NOT NULL,"
	" content_hash INTEGER NOT NULL,"
	" destination TEXT NOT NULL,"
	" origin TEXT NOT NULL,"
	" sender TEXT NOT NULL,"
	" recipient TEXT NOT NULL,"
	" message_id TEXT NOT NULL,"
	" return_token BLOB NOT NULL,"
	" hops INTEGER NOT NULL,"
	" accepted_ms INTEGER NOT NULL,"
	" expires_ms INTEGER NOT NULL,"
	" attempts INTEGER NOT NULL,"
	" next_try_ms INTEGER NOT NULL"
	") STRICT;"
	"CREATE TABLE content ("
	" seq INTEGER PRIMARY KEY,"
	" checksum INTEGER NOT NULL,"
	" head BLOB NOT NULL,"
	" body BLOB NOT NULL"
	") STRICT;"
	"CREATE TABLE duplicate ("
	" key BLOB PRIMARY KEY NOT NULL,"
	" content_hash INTEGER NOT NULL,"
	" answer INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE trace ("
	" seq INTEGER PRIMARY KEY,"
	" key BLOB NOT NULL,"
	" id_hash INTEGER NOT NULL,"
	" message_id TEXT NOT NULL,"
	" forget_ms INTEGER"
	") STRICT;"
	"CREATE INDEX trace_id ON trace (id_hash);"
	"CREATE INDEX trace_forget ON trace (forget_ms)"
	" WHERE forget_ms IS NOT NULL;"
	"CREATE TABLE event ("
	" seq INTEGER NOT NULL,"
	" n INTEGER NOT NULL,"
	" at_ms INTEGER NOT NULL,"
	" text TEXT NOT NULL,"
	" PRIMARY KEY (seq, n)"
	") STRICT, WITHOUT ROWID;",

	/*
	 * Speed is the number of pages a message dirties. So there is one
	 * tree in the order of hashes, not two: `known` is looked up by key
	 * (whose Message-ID is known, too) and by Message-ID alone. And a
	 * message that waits is its own trace: `trace` gets its row at the end.
	 *
	 * What must not change is under `envelope`, where it goes and who was
	 * told under `state`, the rest under the checksum of the content
	 * (store_sum.c). The sums are made anew by store_upgrade.c, to which
	 * the row "upgrade" in meta says that it has to.
	 *
	 * `sent` has the seq of its trace, and goes with it. `removal` holds
	 * accounts whose messages up to a seq are being ended.
	 */
	"CREATE TABLE known ("
	" id_hash INTEGER NOT NULL,"
	" key BLOB NOT NULL,"
	" seq INTEGER NOT NULL,"
	" content_hash INTEGER NOT NULL,"
	" PRIMARY KEY (id_hash, key)"
	") STRICT, WITHOUT ROWID;"
	"INSERT OR IGNORE INTO known (id_hash, key, seq, content_hash)"
	" SELECT t.id_hash, d.key, t.seq, d.content_hash FROM trace AS t"
	" JOIN duplicate AS d ON d.key = t.key ORDER BY t.id_hash, d.key;"

	"ALTER TABLE message RENAME TO message_1;"
	"CREATE TABLE message ("
	" seq INTEGER PRIMARY KEY,"
	" key BLOB NOT NULL,"
	" lane BLOB NOT NULL,"
	" delivery BLOB NOT NULL,"
	" content_hash INTEGER NOT NULL,"
	" destination TEXT NOT NULL,"
	" via TEXT NOT NULL,"
	" target TEXT NOT NULL,"
	" tried TEXT NOT NULL,"
	" origin TEXT NOT NULL,"
	" sender TEXT NOT NULL,"
	" recipient TEXT NOT NULL,"
	" message_id TEXT NOT NULL,"
	" return_token BLOB NOT NULL,"
	" notice_from TEXT NOT NULL,"
	" octets INTEGER NOT NULL,"
	" hops INTEGER NOT NULL,"
	" reports INTEGER NOT NULL,"
	" is_notice INTEGER NOT NULL,"
	" accepted_ms INTEGER NOT NULL,"
	" expires_ms INTEGER NOT NULL,"
	" delay_notice_ms INTEGER NOT NULL,"
	" attempts INTEGER NOT NULL,"
	" next_try_ms INTEGER NOT NULL,"
	" deaths INTEGER NOT NULL,"
	" is_told INTEGER NOT NULL,"
	" quarantine_ms INTEGER NOT NULL,"
	" last_code INTEGER NOT NULL,"
	" last_reason TEXT NOT NULL,"
	" envelope INTEGER NOT NULL,"
	" state INTEGER NOT NULL"
	") STRICT;"
	"INSERT INTO message SELECT m.seq, m.key, m.lane, x'',"
	" m.content_hash, m.destination, '', '', '', m.origin, m.sender,"
	" m.recipient, m.message_id, m.return_token, '',"
	" coalesce(length(c.head) + length(c.body), 0), m.hops, 0, 0,"
	" m.accepted_ms, m.expires_ms, 0, m.attempts, m.next_try_ms, 0, 0, 0,"
	" 0, '', 0, 0"
	" FROM message_1 AS m LEFT JOIN content AS c ON c.seq = m.seq"
	" ORDER BY m.seq;"
	"INSERT INTO meta (name, value)"
	" SELECT 'seq', CAST(CAST(seq AS TEXT) AS BLOB) FROM sqlite_sequence"
	" WHERE name = 'message_1';"
	"DROP TABLE message_1;"
	"CREATE INDEX message_quarantine ON message (quarantine_ms)"
	" WHERE quarantine_ms <> 0;"

	"DROP INDEX trace_id;"
	"DROP INDEX trace_forget;"
	"ALTER TABLE trace RENAME TO trace_1;"
	"CREATE TABLE trace ("
	" seq INTEGER PRIMARY KEY,"
	" key BLOB NOT NULL,"
	" message_id TEXT NOT NULL,"
	" sender TEXT NOT NULL,"
	" recipient TEXT NOT NULL,"
	" via TEXT NOT NULL,"
	" accepted_ms INTEGER NOT NULL,"
	" end_ms INTEGER NOT NULL,"
	" code INTEGER NOT NULL,"
	" reason TEXT NOT NULL,"
	" answer INTEGER NOT NULL,"
	" forget_ms INTEGER NOT NULL"
	") STRICT;"
	"INSERT INTO trace SELECT t.seq, t.key, t.message_id, '', '', '', 0,"
	" 0, 0, '', coalesce(d.answer, 101), t.forget_ms FROM trace_1 AS t"
	" LEFT JOIN duplicate AS d ON d.key = t.key"
	" WHERE t.forget_ms IS NOT NULL ORDER BY t.seq;"
	"DROP TABLE trace_1;"
	"DROP TABLE duplicate;"
	"CREATE INDEX trace_forget ON trace (forget_ms);"
	"DELETE FROM event WHERE n = 1"
	" AND seq IN (SELECT seq FROM message);"

	"CREATE TABLE sent ("
	" seq INTEGER PRIMARY KEY,"
	" delivery BLOB NOT NULL UNIQUE,"
	" destination TEXT NOT NULL,"
	" origin TEXT NOT NULL,"
	" return_token BLOB NOT NULL,"
	" notice_from TEXT NOT NULL,"
	" reports INTEGER NOT NULL,"
	" is_notice INTEGER NOT NULL,"
	" head BLOB NOT NULL,"
	" body BLOB NOT NULL,"
	" checksum INTEGER NOT NULL"
	") STRICT;"
	"CREATE TABLE removal ("
	" key TEXT PRIMARY KEY NOT NULL,"
	" upto INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"INSERT INTO meta (name, value) VALUES ('upgrade', x'01');",
};

_Static_assert(PRIM_COUNT(QUEUE_STEPS) == BR_STORE_QUEUE_VERSION,
    "store_rescue.c has to know the new tables, too");

static const struct {
	const char *const *steps;
	int count;
} SCHEMAS[BR_STORE_FILES] = {
	[BR_STORE_PRIMD] = {PRIMD_STEPS,  PRIM_COUNT(PRIMD_STEPS)},
	[BR_STORE_QUEUE] = { QUEUE_STEPS, PRIM_COUNT(QUEUE_STEPS)},
};

static bool version_find(sqlite3 *sql, int *out_version)
{
	sqlite3_stmt *st = NULL;
	bool fine = sqlite3_prepare_v2(sql, "PRAGMA user_version", -1, &st,
			NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW;

	if (fine)
		*out_version = sqlite3_column_int(st, 0);
	return sqlite3_finalize(st) == SQLITE_OK && fine;
}

/* The number of the step changes in its transaction: it is there whole or not
 * at all. */
static bool step_run(sqlite3 *sql, const char *step, int version)
{
	char number[64];

	(void)snprintf(number, sizeof(number), "PRAGMA user_version = %d",
	    version);
	return sqlite3_exec(sql, "BEGIN IMMEDIATE", NULL, NULL, NULL) ==
	    SQLITE_OK &&
	    sqlite3_exec(sql, step, NULL, NULL, NULL) == SQLITE_OK &&
	    sqlite3_exec(sql, number, NULL, NULL, NULL) == SQLITE_OK &&
	    sqlite3_exec(sql, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
}

static bool too_new(enum br_store_file file, const char *path, int version,
    struct br_err *err)
{
	return br_err_set(err,
	    "%s has schema %d, and this primd knows only up to %d: it "
	    "was made by a newer version; run that one, or %s",
	    path, version, (int)SCHEMAS[file].count,
	    file == BR_STORE_QUEUE
		? "move the file away, with the messages that wait in it"
		: "go back to a backup from before ('primctl restore DIR')");
}

sqlite3 *br_store_schema_model(enum br_store_file file, int version)
{
	sqlite3 *sql = NULL;
	bool fine = sqlite3_open(":memory:", &sql) == SQLITE_OK;

	for (int i = 0; fine && i < version && i < SCHEMAS[file].count; i++)
		fine = step_run(sql, SCHEMAS[file].steps[i], i + 1);
	if (fine)
		return sql;
	sqlite3_close(sql);
	return NULL;
}

bool br_store_schema_is_plausible(int version)
{
	return version >= 0 && version <= PLAUSIBLE;
}

bool br_store_schema_version(sqlite3 *sql, enum br_store_file file,
    const char *path, int *out_version, struct br_err *err)
{
	if (!version_find(sql, out_version))
		return br_store_db_err(sql, path, err);
	if (!br_store_schema_is_plausible(*out_version))
		return br_store_db_damaged(path, "it has no version", err);
	return *out_version <= SCHEMAS[file].count ||
	    too_new(file, path, *out_version, err);
}

bool br_store_schema_run(sqlite3 *sql, enum br_store_file file,
    const char *path, struct br_err *err)
{
	int count = SCHEMAS[file].count;
	int version = 0;

	if (!br_store_schema_version(sql, file, path, &version, err))
		return false;
	for (; version < count; version++)
		if (!step_run(sql, SCHEMAS[file].steps[version], version + 1))
			return br_store_db_err(sql, path, err);
	return true;
}
