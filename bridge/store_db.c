/* SPDX-License-Identifier: ISC */
/* Connections: how a database is opened, checked and held in a transaction. */

#include "bridge/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "prim/seed.h"

#define BUSY_MS   5000
#define CHECK_MAX (64LL << 20) /* larger files are not checked at start */

static const char *const NAMES[BR_STORE_FILES] = {
	[BR_STORE_PRIMD] = "primd.db",
	[BR_STORE_QUEUE] = "queue.db",
};

/* Only what is ours may be in the schema, and a commit is durable when it
 * returns. The WAL stays small enough that a checkpoint holds up few. */
static const char SETTINGS_WRITE[] = "PRAGMA synchronous = FULL;"
				     "PRAGMA foreign_keys = ON;"
				     "PRAGMA trusted_schema = OFF;"
				     "PRAGMA temp_store = MEMORY;"
				     "PRAGMA cache_size = -8192;"
				     "PRAGMA wal_autocheckpoint = 1000;"
				     "PRAGMA journal_size_limit = 67108864;";

static const char SETTINGS_READ[] = "PRAGMA query_only = ON;"
				    "PRAGMA trusted_schema = OFF;"
				    "PRAGMA temp_store = MEMORY;";

/* What waits is in no backup, and whoever moves it away has to know that. */
bool br_store_db_damaged(const char *path, const char *what, struct br_err *err)
{
	const char *line = strrchr(what, '\n');
	const char *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	return br_err_set(err, "%s is damaged: %s; %s", path,
	    line ? line + 1 : what,
	    strcmp(name, NAMES[BR_STORE_QUEUE]) == 0
		? "move it away to go on; what waits in it is lost then, and "
		  "no backup has it"
		: "go back to a backup ('primctl restore DIR'), or move it "
		  "away and begin anew");
}

bool br_store_db_err(sqlite3 *sql, const char *path, struct br_err *err)
{
	int code = sqlite3_errcode(sql) & 0xff;

	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		return br_store_db_damaged(path, sqlite3_errmsg(sql), err);
	return br_err_set(err, "cannot use %s: %s", path, sqlite3_errmsg(sql));
}

static bool path_format(const struct br_store_place *place,
    enum br_store_file file, char out_path[BR_STORE_PATH_MAX])
{
	int len;

	if (place->memory)
		len = snprintf(out_path, BR_STORE_PATH_MAX,
		    "file:/%u-%s?vfs=memdb", place->memory, NAMES[file]);
	else
		len = snprintf(out_path, BR_STORE_PATH_MAX, "%s/%s", place->dir,
		    NAMES[file]);
	return len > 0 && len < BR_STORE_PATH_MAX;
}

/* A new file is durable only when its folder is. There are file systems that
 * cannot say so of a folder, and need not. */
static bool folder_sync(const char *dir, struct br_err *err)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fault = 0;

	if (fd < 0)
		return br_err_set(err, "cannot open %s: %s", dir,
		    strerror(errno));
	if (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP)
		fault = errno;
	close(fd);
	return fault == 0 ||
	    br_err_set(err, "cannot make %s durable: %s", dir, strerror(fault));
}

/* We make the file, not SQLite: at no moment can somebody else read it. */
static bool file_make(const char *path, struct br_err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return br_err_set(err, "cannot open %s: %s", path,
		    strerror(errno));
	if (fchmod(fd, 0600) != 0) {
		br_err_set(err,
		    "cannot make %s private: %s; it must belong "
		    "to the user that primd runs as",
		    path, strerror(errno));
		close(fd);
		return false;
	}
	close(fd);
	return true;
}

/* The first column of the first row of `text` as a string. */
static bool ask(sqlite3 *sql, const char *text, char *out_answer, size_t max)
{
	sqlite3_stmt *st = NULL;
	bool fine = sqlite3_prepare_v2(sql, text, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW;

	if (fine)
		(void)snprintf(out_answer, max, "%s",
		    (const char *)sqlite3_column_text(st, 0));
	return sqlite3_finalize(st) == SQLITE_OK && fine;
}

static bool journal_set(sqlite3 *sql, const char *path, struct br_err *err)
{
	char answer[32];

	if (!ask(sql, "PRAGMA journal_mode = WAL", answer, sizeof(answer)))
		return br_store_db_err(sql, path, err);
	if (strcmp(answer, "wal") != 0)
		return br_err_set(err,
		    "cannot use %s: its file system offers no write-ahead log",
		    path);
	return true;
}

static int octets_rewrite(sqlite3_file *file)
{
	const sqlite3_io_methods *can = file->pMethods;
	char octets[1 << 15];
	sqlite3_int64 size = 0;
	int code = can ? can->xFileSize(file, &size) : SQLITE_OK;

	for (sqlite3_int64 at = 0; code == SQLITE_OK && at < size;
	     at += (sqlite3_int64)sizeof(octets)) {
		const int len = size - at < (sqlite3_int64)sizeof(octets)
		    ? (int)(size - at)
		    : (int)sizeof(octets);

		code = can->xRead(file, octets, len, at);
		if (code == SQLITE_OK)
			code = can->xWrite(file, octets, len, at);
	}
	if (code == SQLITE_OK && size > 0)
		code = can->xSync(file, SQLITE_SYNC_NORMAL);
	return code;
}

/*
 * Who died may have left in the log what was never synced, or what a sync failed
 * at: the kernel shows it to us, will not write it by itself, and says of the next
 * sync that all is well. We would build on that, and a power cut take it away
 * with all that stands behind it. So all of it is written once more. While a
 * process lives there is nothing to do: SQLite writes its next transaction over
 * one whose sync failed, and copies pages anew when that of the database did.
 */
static bool wal_make_durable(sqlite3 *sql, const char *path, struct br_err *err)
{
	sqlite3_file *wal = NULL;
	int code = SQLITE_OK;

	if (PRIM_SEED(log_stays_in_cache))
		return true;
	if (sqlite3_exec(sql, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return br_store_db_err(sql, path, err);
	(void)sqlite3_file_control(sql, "main", SQLITE_FCNTL_JOURNAL_POINTER,
	    &wal);
	if (wal)
		code = octets_rewrite(wal);
	(void)sqlite3_exec(sql, "ROLLBACK", NULL, NULL, NULL);
	return code == SQLITE_OK ||
	    br_err_set(err, "cannot make the log of %s durable: %s", path,
		sqlite3_errstr(code));
}

/* A file beside queue.db says that it is to be checked. */
static void suspicion_format(char out_path[BR_STORE_PATH_MAX + 16],
    const char *path)
{
	(void)snprintf(out_path, BR_STORE_PATH_MAX + 16, "%s.suspect", path);
}

void br_store_db_suspect(sqlite3 *sql)
{
	const char *path = sqlite3_db_filename(sql, "main");
	const char *base = path ? strrchr(path, '/') : NULL;
	char mark[BR_STORE_PATH_MAX + 16];
	int fd;

	if (!base || strcmp(base + 1, NAMES[BR_STORE_QUEUE]) != 0)
		return;
	suspicion_format(mark, path);
	fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0)
		close(fd);
}

/* A damaged file is found before the first message depends on it. That takes as
 * long as it is large, so a large one is read as a whole only when something was
 * found in it; then its indexes are compared, too. */
static bool check(struct br_store_db *db, const char *path, struct br_err *err)
{
	char answer[256], mark[BR_STORE_PATH_MAX + 16];
	bool is_suspect;
	struct stat st;

	/* We opened it for writing: its head says that nobody may. */
	db->is_damaged = sqlite3_db_readonly(db->sql, "main") == 1;
	if (db->is_damaged)
		return br_store_db_damaged(path, "it cannot be written", err);
	suspicion_format(mark, path);
	is_suspect = stat(mark, &st) == 0;
	if (!is_suspect && (stat(path, &st) != 0 || st.st_size > CHECK_MAX))
		return true;
	if (!ask(db->sql,
		is_suspect ? "PRAGMA integrity_check(1)"
			   : "PRAGMA quick_check(1)",
		answer, sizeof(answer)))
		return br_store_db_err(db->sql, path, err);
	db->is_damaged = strcmp(answer, "ok") != 0;
	if (db->is_damaged)
		return br_store_db_damaged(path, answer, err);
	(void)unlink(mark);
	return true;
}

static bool set_up(sqlite3 *sql, const char *settings)
{
	sqlite3_extended_result_codes(sql, 1);
	sqlite3_busy_timeout(sql, BUSY_MS);
	sqlite3_db_config(sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	return sqlite3_exec(sql, settings, NULL, NULL, NULL) == SQLITE_OK;
}

static bool open_read(struct br_store_db *db, const char *path, bool memory,
    struct br_err *err)
{
	const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX |
	    (memory ? SQLITE_OPEN_URI : 0);

	if (sqlite3_open_v2(path, &db->sql, flags, NULL) != SQLITE_OK ||
	    !set_up(db->sql, SETTINGS_READ))
		return br_store_db_err(db->sql, path, err);
	return true;
}

/* A version that there will never be is damage, too. */
static bool schema_bring(struct br_store_db *db, const char *path,
    enum br_store_file file, struct br_err *err)
{
	char what[BR_STORE_WHAT_MAX];
	int version = 0;

	if (!br_store_schema_version(db->sql, file, path, &version, err)) {
		db->is_damaged = !br_store_schema_is_plausible(version);
		return false;
	}
	if (!br_store_schema_run(db->sql, file, path, err))
		return false;
	db->is_damaged = br_store_schema_version(db->sql, file, path, &version,
			     err) &&
	    !br_store_shape_is_whole(db->sql, file, version, what);
	return !db->is_damaged || br_store_db_damaged(path, what, err);
}

/* Deleted messages need no overwriting of whole freed pages; deleted secrets
 * do, and Debian's SQLite does that by itself. */
static bool open_write(struct br_store_db *db, const char *path,
    enum br_store_file file, bool memory, struct br_err *err)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
	    SQLITE_OPEN_NOMUTEX | (memory ? SQLITE_OPEN_URI : 0);
	char answer[32];

	if (sqlite3_open_v2(path, &db->sql, flags, NULL) != SQLITE_OK ||
	    !set_up(db->sql, SETTINGS_WRITE))
		return br_store_db_err(db->sql, path, err);
	if (PRIM_SEED(synchronous_normal))
		(void)sqlite3_exec(db->sql, "PRAGMA synchronous = NORMAL", NULL,
		    NULL, NULL);
	if (file == BR_STORE_QUEUE &&
	    !ask(db->sql, "PRAGMA secure_delete = FAST", answer,
		sizeof(answer)))
		return br_store_db_err(db->sql, path, err);
	if (!memory &&
	    (!journal_set(db->sql, path, err) || !check(db, path, err) ||
		!wal_make_durable(db->sql, path, err)))
		return false;
	return schema_bring(db, path, file, err);
}

/* Of a damaged file nothing may change by being closed: its log is part of it. */
static void note_damage(struct br_store_db *db)
{
	int code = sqlite3_errcode(db->sql) & 0xff;

	/* SQLITE_ERROR: a number in its head that SQLite does not know, or a
	 * table that is there and should not be. */
	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB ||
	    code == SQLITE_ERROR)
		db->is_damaged = true;
	if (db->is_damaged && db->sql)
		sqlite3_db_config(db->sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
		    NULL);
}

bool br_store_db_open(struct br_store_db *db,
    const struct br_store_place *place, enum br_store_file file, bool writes,
    struct br_err *err)
{
	char path[BR_STORE_PATH_MAX];
	bool memory = place->memory != 0, fine;

	db->is_damaged = false;
	if (!path_format(place, file, path))
		return br_err_set(err,
		    "the name of the data folder is longer "
		    "than %d octets",
		    BR_STORE_PATH_MAX - 16);
	if (writes && !memory && !file_make(path, err))
		return false;
	if (writes)
		fine = open_write(db, path, file, memory, err) &&
		    (memory || folder_sync(place->dir, err));
	else
		fine = open_read(db, path, memory, err);
	if (!fine) {
		note_damage(db);
		br_store_db_close(db);
	}
	return fine;
}

void br_store_db_close(struct br_store_db *db)
{
	for (size_t i = 0; i < BR_SQL_COUNT; i++) {
		sqlite3_finalize(db->statements[i]);
		db->statements[i] = NULL;
	}
	sqlite3_close(db->sql);
	db->sql = NULL;
	prim_buf_fini(&db->scratch);
	prim_buf_fini(&db->room);
}

/* Empties the write-ahead log into the database. */
static bool log_empty(struct br_store_db *db)
{
	return sqlite3_wal_checkpoint_v2(db->sql, NULL,
		   SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) == SQLITE_OK;
}

/*
 * What a COMMIT wrote whose sync failed stays in the log behind its end, whole
 * and with good sums. The next transactions write over it, but not over all of
 * it if they are shorter; and of two such ends the second looks like commits that
 * damage hides (store_page.c). So the log is begun anew, as soon as the disk lets
 * us. Not on a full disk: there no COMMIT is written to its end, and the room that
 * the log has is all there is.
 */
static void log_forget(struct br_store_db *db)
{
	if (db->has_remains && log_empty(db))
		db->has_remains = false;
}

bool br_store_db_begin(struct br_store_db *db)
{
	struct br_store_query q = br_store_query(db, BR_SQL_BEGIN);

	log_forget(db);
	return br_store_query_run(&q);
}

bool br_store_db_snapshot(struct br_store_db *db)
{
	struct br_store_query q = br_store_query(db, BR_SQL_SNAPSHOT);

	return br_store_query_run(&q);
}

bool br_store_db_commit(struct br_store_db *db)
{
	struct br_store_query q = br_store_query(db, BR_SQL_COMMIT);

	if (br_store_query_run(&q))
		return true;
	if (sqlite3_extended_errcode(db->sql) == SQLITE_IOERR_FSYNC)
		db->has_remains = true;
	return false;
}

/* SQLite rolls back by itself after some errors. The reason of the failure
 * before stays. */
void br_store_db_rollback(struct br_store_db *db)
{
	const char *reason = db->reason;
	struct br_store_query q;

	if (sqlite3_get_autocommit(db->sql))
		return;
	q = br_store_query(db, BR_SQL_ROLLBACK);
	(void)br_store_query_run(&q);
	db->reason = reason;
}

void br_store_db_scrub(struct br_store_db *db)
{
	(void)log_empty(db);
}
