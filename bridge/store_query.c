/* SPDX-License-Identifier: ISC */
/* One run of a statement. */

#include "bridge/store_private.h"

#include <errno.h>
#include <string.h>

#include "prim/seed.h"

static void note(struct br_store_db *db)
{
	db->reason = sqlite3_errstr(sqlite3_extended_errcode(db->sql));
}

struct br_store_query br_store_query(struct br_store_db *db,
    enum br_store_statement statement)
{
	sqlite3_stmt **st = &db->statements[statement];

	if (!*st &&
	    sqlite3_prepare_v3(db->sql, br_store_texts[statement], -1,
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

/* SQLite calls a page damaged that the disk did not give it now. */
static bool is_unread(int code)
{
	return (code & 0xff) == SQLITE_CORRUPT &&
	    (errno == EIO || errno == ENXIO || errno == ERANGE) &&
	    !PRIM_SEED(unread_is_damaged);
}

/* The next start looks at the whole file, however large it is. */
static void note_suspicion(struct br_store_db *db)
{
	if (db->is_damaged)
		return;
	db->is_damaged = true;
	br_store_db_suspect(db->sql);
}

int br_store_query_step(struct br_store_query *q)
{
	int code;

	if (!q->st)
		return SQLITE_ERROR;
	q->at = 0;
	errno = 0;
	code = sqlite3_step(q->st);
	if (code == SQLITE_ROW || code == SQLITE_DONE)
		return code;
	note(q->db);
	if (is_unread(code)) {
		code = SQLITE_IOERR;
		q->db->reason = sqlite3_errstr(code);
	} else if ((code & 0xff) == SQLITE_CORRUPT) {
		note_suspicion(q->db);
	}
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
