/* SPDX-License-Identifier: ISC */
/* A damaged queue.db: the files, and in which order they change. */

#include "bridge/store_salvage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "bridge/clock.h"
#include "bridge/metric.h"
#include "prim/base.h"
#include "prim/seed.h"

#define SPARE (1LL << 20) /* octets that have to be free besides */
#define TRIES 100         /* names for what is kept */
#define SAID  "salvage"   /* the row of meta that says what was done */

/* What SQLite may have written beside a database. */
static const char *const SIDES[] = { "-wal", "-journal" };

struct names {
	char db[BR_STORE_PATH_MAX];
	char part[BR_STORE_PATH_MAX]; /* the new one, while it is made */
	char done[BR_STORE_PATH_MAX]; /* and when it is whole */
	char kept[BR_STORE_PATH_MAX]; /* the old one */
	char key[BR_STORE_PATH_MAX];
};

/* br_store_db_open() has found out that the names are not too long. */
static void name(char out_path[BR_STORE_PATH_MAX], const char *dir,
    const char *end)
{
	(void)snprintf(out_path, BR_STORE_PATH_MAX, "%.*s/queue.%s",
	    BR_STORE_PATH_MAX - 96, dir, end);
}

static void side(char out_path[BR_STORE_PATH_MAX], const char *path,
    const char *end)
{
	(void)snprintf(out_path, BR_STORE_PATH_MAX, "%.*s%s",
	    BR_STORE_PATH_MAX - 16, path, end);
}

static void names_format(struct names *n, const char *dir)
{
	name(n->db, dir, "db");
	name(n->part, dir, "db.salvage");
	name(n->done, dir, "db.salvaged");
	name(n->key, dir, "key");
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* ---- may it be done? ---- */

/* A newer primd may store what we would not bring over. A number that no schema
 * will have is damage. */
static bool check_version(const struct names *n, struct br_err *err)
{
	uint8_t head[100];
	uint32_t version;
	int fd = open(n->db, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t len = fd < 0 ? -1 : pread(fd, head, sizeof(head), 0);

	if (fd >= 0)
		close(fd);
	if (len < 0)
		return br_err_set(err, "cannot read it: %s", strerror(errno));
	if (len < (ssize_t)sizeof(head) ||
	    memcmp(head, "SQLite format 3", 16) != 0)
		return true;
	version = br_page_number(head + 60);
	return version == 0 || version == BR_STORE_QUEUE_VERSION ||
	    !br_store_schema_is_plausible((int)version) ||
	    br_err_set(err, "its schema has the number %u, ours %d", version,
		BR_STORE_QUEUE_VERSION);
}

static int64_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (int64_t)st.st_size : 0;
}

static bool check_room(const struct names *n, struct br_err *err)
{
	char log[BR_STORE_PATH_MAX], dir[BR_STORE_PATH_MAX];
	struct statvfs fs;
	int64_t needed;

	side(log, n->db, "-wal");
	(void)snprintf(dir, sizeof(dir), "%.*s", (int)(base_of(n->db) - n->db),
	    n->db);
	needed = size_of(n->db) + size_of(log) + SPARE;
	if (statvfs(dir, &fs) != 0)
		return br_err_set(err, "%s", strerror(errno));
	return (int64_t)(fs.f_bavail * fs.f_frsize) >= needed ||
	    br_err_set(err, "that needs %lld MiB of free disk",
		(long long)(needed >> 20));
}

/* ---- the new one ---- */

/* root may do it for a primd that runs as somebody else. */
static bool part_make(const struct names *n, struct br_err *err)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	struct stat old;
	bool fine;
	int fd;

	br_store_copy_drop(n->part);
	fd = open(n->part, flags, 0600);
	if (fd < 0)
		return br_err_set(err, "cannot make %s: %s", n->part,
		    strerror(errno));
	fine = geteuid() != 0 || stat(n->db, &old) != 0 ||
	    fchown(fd, old.st_uid, old.st_gid) == 0;
	close(fd);
	return fine ||
	    br_err_set(err, "cannot give %s its owner: %s", n->part,
		strerror(errno));
}

static void put_count(struct prim_buf *b, int64_t count, const char *what)
{
	prim_buf_putf(b, "%lld %s%s", (long long)count,
	    count == 1 ? "message" : "messages", what);
}

/* Stays in the new file, for whoever asks later. */
static bool part_say(const struct names *n, const struct br_rescue *r,
    struct br_err *err)
{
	static const char TEXT[] =
	    "INSERT OR REPLACE INTO meta (name, value) VALUES ('" SAID "', ?1)";
	struct prim_buf b = { 0 };
	sqlite3 *sql = NULL;
	sqlite3_stmt *st = NULL;
	bool fine;

	put_count(&b, r->whole, " brought over whole; ");
	put_count(&b, r->told,
	    " damaged and put into quarantine, their senders are told; ");
	put_count(&b, r->untold,
	    " damaged so that nobody can be told, in quarantine; ");
	put_count(&b, r->lost, " lost. Kept: ");
	prim_buf_puts(&b, base_of(n->kept));
	fine = sqlite3_open_v2(n->part, &sql, SQLITE_OPEN_READWRITE, NULL) ==
		SQLITE_OK &&
	    sqlite3_exec(sql, "PRAGMA journal_mode = OFF", NULL, NULL, NULL) ==
		SQLITE_OK &&
	    sqlite3_prepare_v2(sql, TEXT, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_bind_blob(st, 1, b.ptr, (int)b.len, SQLITE_STATIC) ==
		SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_DONE;
	sqlite3_finalize(st);
	if (!fine)
		br_err_set(err, "cannot write %s: %s", n->part,
		    sqlite3_errmsg(sql));
	sqlite3_close(sql);
	prim_buf_fini(&b);
	return fine;
}

static bool sync_file(const char *path, struct br_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool fine = fd >= 0 && fsync(fd) == 0;

	if (!fine)
		br_err_set(err, "cannot write %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return fine;
}

/* ---- the old one ---- */

/* Named by its last change, so that whoever does this again after he was stopped
 * uses the same name; -2 and so on where that is another file. */
static bool keep_name(struct names *n, unsigned number)
{
	char end[64], when[32];
	struct stat old, kept;
	struct tm tm;

	if (stat(n->db, &old) != 0 || !gmtime_r(&old.st_mtime, &tm))
		return false;
	(void)strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
	(void)snprintf(end, sizeof(end), "db.damaged-%s", when);
	if (number > 1)
		(void)snprintf(end, sizeof(end), "db.damaged-%s-%u", when,
		    number);
	(void)snprintf(n->kept, sizeof(n->kept), "%.*s%s",
	    (int)(base_of(n->db) - n->db) + (int)strlen("queue."), n->db, end);
	return lstat(n->kept, &kept) != 0 ||
	    (kept.st_ino == old.st_ino && kept.st_dev == old.st_dev);
}

static bool keep_find(struct names *n, struct br_err *err)
{
	for (unsigned i = 1; i <= TRIES; i++)
		if (keep_name(n, i))
			return true;
	return br_err_set(err, "there are %d damaged ones already", TRIES);
}

/* Under a second name: it stays where it is until the new one takes its place. */
static bool keep_file(const char *path, const char *kept, struct br_err *err)
{
	bool is_kept = link(path, kept) == 0 || errno == EEXIST;

	return (!is_kept && errno == ENOENT) ||
	    (is_kept && chmod(kept, 0600) == 0) ||
	    br_err_set(err, "cannot keep it as %s: %s", kept, strerror(errno));
}

static bool keep_old(const struct names *n, struct br_err *err)
{
	char path[BR_STORE_PATH_MAX], kept[BR_STORE_PATH_MAX];

	for (size_t i = 0; i < PRIM_COUNT(SIDES); i++) {
		side(path, n->db, SIDES[i]);
		side(kept, n->kept, SIDES[i]);
		if (size_of(path) > 0 && !keep_file(path, kept, err))
			return false;
	}
	return keep_file(n->db, n->kept, err) &&
	    br_store_copy_sync_folder(n->db, err);
}

/* ---- one after the other ---- */

/* Nothing of the old one may be found by whoever opens the new one: first it
 * loses its log, of which the kept one has a name; then its place. */
static bool take_place(const struct names *n, struct br_err *err)
{
	char path[BR_STORE_PATH_MAX];

	side(path, n->db, "-shm");
	(void)unlink(path);
	side(path, n->db, ".suspect");
	(void)unlink(path);
	for (size_t i = 0; i < PRIM_COUNT(SIDES); i++) {
		side(path, n->db, SIDES[i]);
		if (unlink(path) != 0 && errno != ENOENT)
			return br_err_set(err, "cannot remove %s: %s", path,
			    strerror(errno));
	}
	if (!br_store_copy_sync_folder(n->db, err))
		return false;
	if (rename(n->done, n->db) != 0)
		return br_err_set(err, "cannot replace %s: %s", n->db,
		    strerror(errno));
	return br_store_copy_sync_folder(n->db, err);
}

/* It is whole, and the old one has its second name: from now on there is only
 * forward. */
static bool part_finish(const struct names *n, struct br_err *err)
{
	if (rename(n->part, n->done) != 0)
		return br_err_set(err, "cannot rename %s: %s", n->part,
		    strerror(errno));
	return br_store_copy_sync_folder(n->db, err);
}

static bool make(struct br_store *s, struct names *n, struct br_err *err)
{
	struct br_rescue r = { .from = n->db,
		.to = n->part,
		.key = n->key,
		.now_ms = br_clock_wall_ms() };

	return check_version(n, err) && check_room(n, err) &&
	    keep_find(n, err) && part_make(n, err) && br_rescue_run(&r, err) &&
	    part_say(n, &r, err) && sync_file(n->part, err) &&
	    (PRIM_SEED(salvage_keeps_nothing) || keep_old(n, err)) &&
	    part_finish(n, err) &&
	    (br_metric_add(BR_METRIC_STORE_ERRORS, 1), s);
}

/* `err` has what is wrong with the file, and what to do if this cannot. */
static bool salvage(struct br_store *s, struct names *n, struct br_err *err)
{
	struct br_err why = { "" }, first = *err;
	const char *advice;

	/* What to do is done now. */
	advice = strstr(first.text, "; move it away");
	br_error(&s->log,
	    "%.*s; it is made anew from what can be read, which may take a "
	    "while",
	    advice ? (int)(advice - first.text) : (int)strlen(first.text),
	    first.text);
	if (make(s, n, &why))
		return take_place(n, err);
	br_store_copy_drop(n->part);
	return br_err_set(err, "%.500s; it cannot be salvaged either: %.400s",
	    first.text, why.text);
}

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* root may do it for a primd that runs as somebody else. */
static bool make_empty(const struct names *n, struct br_err *err)
{
	const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
	int fd = open(n->db, flags, 0600);
	char log[BR_STORE_PATH_MAX];
	bool fine = fd >= 0;
	struct stat st;

	side(log, n->db, "-wal");
	if (fine && geteuid() == 0 && stat(log, &st) == 0)
		fine = fchown(fd, st.st_uid, st.st_gid) == 0;
	if (!fine)
		br_err_set(err, "cannot make %s: %s", n->db, strerror(errno));
	if (fd >= 0)
		close(fd);
	return fine;
}

/* The log without its file: what SQLite would begin anew, and delete the log. */
static bool check_file(const struct names *n, struct br_store_db *db,
    struct br_err *err)
{
	db->is_damaged = false;
	if (!is_there(n->key) || !br_pages_is_log_alone(n->db))
		return true;
	if (!make_empty(n, err))
		return false;
	db->is_damaged = true;
	return br_store_db_damaged(n->db,
	    "it is empty, and its log of writes is not", err);
}

/* What SQLite does not say: it would go on without what is behind the damage. */
static bool check_log(const struct names *n, struct br_store_db *db,
    struct br_err *err)
{
	db->is_damaged = br_pages_log_is_damaged(n->db);
	return !db->is_damaged ||
	    br_store_db_damaged(n->db, "its log of writes", err);
}

/* An empty file is a new one for SQLite. Where there was one, it is a loss. */
static void note_loss(struct br_store *s, const struct names *n)
{
	char log[BR_STORE_PATH_MAX];

	side(log, n->db, "-wal");
	if (!is_there(n->key) || size_of(n->db) > 0 || size_of(log) > 0)
		return;
	br_metric_add(BR_METRIC_STORE_ERRORS, 1);
	br_error(&s->log,
	    "%s is gone, and begun anew: what waited in it is lost", n->db);
}

bool br_store_queue_open(struct br_store *s, struct br_err *err)
{
	struct br_store_db *db = &s->write[BR_STORE_QUEUE];
	struct br_err why = { "" };
	struct names n;

	if (s->place.memory)
		return br_store_db_open(db, &s->place, BR_STORE_QUEUE, true,
		    err);
	names_format(&n, s->place.dir);
	if (is_there(n.done) && !take_place(&n, err))
		return false;
	note_loss(s, &n);
	if (check_file(&n, db, &why) && check_log(&n, db, &why) &&
	    br_store_db_open(db, &s->place, BR_STORE_QUEUE, true, &why))
		return true;
	if (db->is_damaged && salvage(s, &n, &why))
		return br_store_db_open(db, &s->place, BR_STORE_QUEUE, true,
		    err);
	return br_err_set(err, "%s", why.text);
}

bool br_store_queue_is_suspect(const struct br_store *s)
{
	char path[BR_STORE_PATH_MAX];

	name(path, s->place.dir, "db.suspect");
	return !s->place.memory && is_there(path);
}

/* ---- what was done ---- */

/* As long as the old one is there: whoever removes it has seen this. */
static bool tell(struct br_store *s, struct prim_slice said)
{
	char path[BR_STORE_PATH_MAX];
	const struct prim_slice kept = prim_slice_from(said,
	    (size_t)(prim_slice_find_last(said, ' ') + 1));

	(void)snprintf(path, sizeof(path), "%.*s/%.*s", BR_STORE_PATH_MAX - 300,
	    s->place.dir, kept.len < 256 ? (int)kept.len : 0, kept.ptr);
	if (!is_there(path))
		return false;
	br_metric_set(BR_METRIC_STORE_SALVAGED, 1);
	br_error(&s->log,
	    "queue.db was damaged, and has been made anew from what could be "
	    "read of it: %.*s; remove that when nobody needs it any more",
	    PRIM_SLICE_ARG(said));
	return true;
}

void br_store_salvage_tell(struct br_store *s)
{
	struct br_store_db *db = &s->write[BR_STORE_QUEUE];
	struct br_store_query q = br_store_query(db, BR_SQL_META_FIND);
	bool is_over;

	br_store_put_text(&q, PRIM_SLICE(SAID));
	if (br_store_query_step(&q) != SQLITE_ROW)
		return;
	is_over = !tell(s, br_store_take_slice(&q));
	br_store_query_end(&q);
	if (!is_over)
		return;
	q = br_store_query(db, BR_SQL_META_DROP);
	br_store_put_text(&q, PRIM_SLICE(SAID));
	(void)br_store_query_run(&q);
}
