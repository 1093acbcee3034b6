/* SPDX-License-Identifier: ISC */
/* One copy of a primd.db, whoever works with it meanwhile. */

#include "bridge/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "prim/base.h"

#define WAIT_MS  5000 /* for others who hold the file for a moment */
#define PAUSE_MS 25

/* What goes to disk is put there by fsync, at the end and once. */
static const char SETTINGS[] = "PRAGMA synchronous = OFF;"
			       "PRAGMA journal_mode = OFF;";

struct copy {
	const struct br_store_copy *c;
	sqlite3 *source, *target; /* owned */
};

/* What stands between the copy and the disk, in its own words. */
static bool fail_target(const struct copy *c, struct br_err *err)
{
	int fault = sqlite3_system_errno(c->target);

	return br_err_set(err, "cannot write %s: %s%s%s", c->c->to,
	    sqlite3_errmsg(c->target), fault ? ", " : "",
	    fault ? strerror(fault) : "");
}

/* SQLite leaves files beside whatever it only reads, unless it is told that
 * nobody changes it. So it is, where no log of writes is beside it. */
static bool has_log(const char *path)
{
	char log[BR_STORE_PATH_MAX + 16];

	(void)snprintf(log, sizeof(log), "%s-wal", path);
	return access(log, F_OK) == 0;
}

/* Release with prim_free(). */
static char *uri_make(const char *path, bool is_fixed)
{
	struct prim_buf b = { 0 };

	/* "//" would begin the name of a host. */
	while (path[0] == '/' && path[1] == '/')
		path++;
	prim_buf_puts(&b, "file:");
	for (; *path; path++) {
		if (strchr("%?#", *path))
			prim_buf_putf(&b, "%%%02X", (unsigned char)*path);
		else
			prim_buf_putc(&b, *path);
	}
	if (is_fixed)
		prim_buf_puts(&b, "?immutable=1");
	return prim_buf_steal(&b);
}

/* Of what is ours the log is cleared away in the end, if nobody else is there. */
static bool open_source(struct copy *c, struct br_err *err)
{
	const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI |
	    (c->c->is_ours ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
	char *uri = uri_make(c->c->from,
	    !c->c->is_ours && !has_log(c->c->from));
	bool fine = sqlite3_open_v2(uri, &c->source, flags, NULL) ==
		SQLITE_OK &&
	    sqlite3_busy_timeout(c->source, WAIT_MS) == SQLITE_OK;

	prim_free(uri);
	if (!fine)
		return br_err_set(err, "cannot read %s: %s", c->c->from,
		    sqlite3_errmsg(c->source));
	return c->c->is_ours
	    ? br_store_shape_is_ours(c->source, c->c->from, err)
	    : br_store_shape_is_copy(c->source, c->c->from, err);
}

static bool open_target(struct copy *c, struct br_err *err)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;

	if (sqlite3_open_v2(c->c->to, &c->target, flags, NULL) != SQLITE_OK ||
	    sqlite3_exec(c->target, SETTINGS, NULL, NULL, NULL) != SQLITE_OK)
		return fail_target(c, err);
	return true;
}

/* All pages in one step, and so out of one snapshot: with more of them every
 * commit of a writer would make us begin again. */
static bool copy_pages(const struct copy *c, struct br_err *err)
{
	sqlite3_backup *b = sqlite3_backup_init(c->target, "main", c->source,
	    "main");
	int waited = 0, code;

	if (!b)
		return fail_target(c, err);
	while (((code = sqlite3_backup_step(b, -1)) == SQLITE_BUSY ||
		   code == SQLITE_LOCKED) &&
	    waited < WAIT_MS)
		waited += sqlite3_sleep(PAUSE_MS);
	(void)sqlite3_backup_finish(b);
	if (code == SQLITE_DONE)
		return true;
	if (sqlite3_errcode(c->target) != SQLITE_OK)
		return fail_target(c, err);
	return br_err_set(err, "cannot copy %s: %s", c->c->from,
	    sqlite3_errstr(code));
}

/* The first column of the only row of `text`. */
static bool ask_target(const struct copy *c, const char *text, char *out_answer,
    size_t max)
{
	sqlite3_stmt *st = NULL;
	bool fine = sqlite3_prepare_v2(c->target, text, -1, &st, NULL) ==
		SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW;

	if (fine)
		(void)snprintf(out_answer, max, "%s",
		    (const char *)sqlite3_column_text(st, 0));
	return sqlite3_finalize(st) == SQLITE_OK && fine;
}

/* Without a log of writes beside it it can be carried anywhere. */
static bool check(const struct copy *c, struct br_err *err)
{
	const char *line;
	char answer[256];

	if (!ask_target(c, "PRAGMA journal_mode = DELETE", answer,
		sizeof(answer)) ||
	    strcmp(answer, "delete") != 0)
		return fail_target(c, err);
	if (!ask_target(c, "PRAGMA integrity_check(1)", answer, sizeof(answer)))
		return fail_target(c, err);
	if (strcmp(answer, "ok") == 0)
		return true;
	if (c->c->is_ours)
		return br_store_db_damaged(c->c->from, answer, err);
	line = strrchr(answer, '\n');
	return br_err_set(err, "%s is damaged: %s; use another copy",
	    c->c->from, line ? line + 1 : answer);
}

static void close_both(struct copy *c)
{
	sqlite3_close(c->source);
	sqlite3_close(c->target);
}

bool br_store_copy(const struct br_store_copy *copy, struct br_err *err)
{
	struct copy c = { .c = copy };
	bool fine = open_source(&c, err) && open_target(&c, err) &&
	    copy_pages(&c, err) && check(&c, err);

	close_both(&c);
	if (fine && fsync(copy->fd) != 0)
		return br_err_set(err, "cannot write %s: %s", copy->to,
		    strerror(errno));
	return fine;
}

void br_store_copy_drop(const char *path)
{
	static const char *const ENDS[] = { "", "-journal", "-wal", "-shm" };
	char name[BR_STORE_PATH_MAX + 16];

	for (size_t i = 0; i < sizeof(ENDS) / sizeof(ENDS[0]); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", path, ENDS[i]);
		(void)unlink(name);
	}
}

/* Not every file system can do it for folders (EINVAL). */
bool br_store_copy_sync_folder(const char *path, struct br_err *err)
{
	char folder[BR_STORE_PATH_MAX];
	const char *slash = strrchr(path, '/');
	int fault = 0, fd;

	(void)snprintf(folder, sizeof(folder), "%.*s",
	    slash ? (int)(slash - path) : 1, slash ? path : ".");
	fd = open(*folder ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL))
		fault = errno;
	if (fd >= 0)
		close(fd);
	return !fault ||
	    br_err_set(err, "cannot write the folder of %s: %s", path,
		strerror(fault));
}
