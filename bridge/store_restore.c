/* SPDX-License-Identifier: ISC */
/* A kept copy takes the place of primd.db. */

#include "bridge/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "prim/base.h"
#include "prim/seed.h"

/* What SQLite may have written beside the old file, and what would be taken for
 * part of the new one. */
static const char *const SIDES[] = { "-wal", "-journal" };

#define KEPT_NAME "primd.db.before-restore"
#define KEPT_MAX  999 /* old ones */

struct names {
	char db[BR_STORE_PATH_MAX];
	char part[BR_STORE_PATH_MAX]; /* the copy, until it is whole */
	char kept[BR_STORE_PATH_MAX]; /* the old one */
	bool is_kept;                 /* there was one */
};

static bool names_format(struct names *n, const char *dir, struct br_err *err)
{
	int len = snprintf(n->kept, sizeof(n->kept), "%s/" KEPT_NAME, dir);

	n->is_kept = false;
	(void)snprintf(n->db, sizeof(n->db), "%s/primd.db", dir);
	(void)snprintf(n->part, sizeof(n->part), "%s/primd.db.restoring", dir);
	return len + 32 < BR_STORE_PATH_MAX ||
	    br_err_set(err,
		"the name of the data folder is longer than %d octets",
		BR_STORE_PATH_MAX - 64);
}

/* A file beside another one. */
static void side(char out_path[BR_STORE_PATH_MAX], const char *path,
    const char *end)
{
	(void)snprintf(out_path, BR_STORE_PATH_MAX, "%.*s%s",
	    BR_STORE_PATH_MAX - 16, path, end);
}

static bool check_source(const struct names *n, const char *from,
    struct br_err *err)
{
	struct stat source, old;

	if (stat(from, &source) != 0)
		return br_err_set(err, "cannot read %s: %s", from,
		    strerror(errno));
	if (!S_ISREG(source.st_mode))
		return br_err_set(err, "%s is not a file", from);
	if (stat(n->db, &old) == 0 && old.st_ino == source.st_ino &&
	    old.st_dev == source.st_dev)
		return br_err_set(err, "%s is the file in use itself", from);
	return true;
}

/* ---- the copy ---- */

/* root may restore what primd, as somebody else, has to open. */
static bool give_to_owner(const struct names *n, int fd, struct br_err *err)
{
	char folder[BR_STORE_PATH_MAX];
	struct stat st;

	if (geteuid() != 0)
		return true;
	(void)snprintf(folder, sizeof(folder), "%.*s",
	    (int)(strlen(n->db) - strlen("/primd.db")), n->db);
	if (stat(n->db, &st) != 0 && stat(*folder ? folder : "/", &st) != 0)
		return true;
	return fchown(fd, st.st_uid, st.st_gid) == 0 ||
	    br_err_set(err, "cannot give %s its owner: %s", n->part,
		strerror(errno));
}

/* The caller holds the lock: what is there is left from one that was killed. */
static bool part_make(const struct names *n, const char *from,
    struct br_err *err)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	struct br_store_copy copy = { .from = from, .to = n->part };
	bool fine;
	int fd;

	br_store_copy_drop(n->part);
	fd = open(n->part, flags, 0600);
	if (fd < 0)
		return br_err_set(err, "cannot make %s: %s", n->part,
		    strerror(errno));
	copy.fd = fd;
	fine = give_to_owner(n, fd, err) && br_store_copy(&copy, err);
	close(fd);
	if (!fine)
		br_store_copy_drop(n->part);
	return fine;
}

/* ---- the old one ---- */

/* Brings what waits in its log of writes into the file itself; the log is gone
 * then. Of a damaged one it stays. */
static void settle_old(const struct names *n)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	sqlite3 *sql = NULL;

	if (sqlite3_open_v2(n->db, &sql, flags, NULL) == SQLITE_OK)
		(void)sqlite3_wal_checkpoint_v2(sql, NULL,
		    SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_close(sql);
}

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Is anything of an old one called so? */
static bool is_taken(const char *kept)
{
	char path[BR_STORE_PATH_MAX];

	for (size_t i = 0; i < PRIM_COUNT(SIDES); i++) {
		side(path, kept, SIDES[i]);
		if (exists(path))
			return true;
	}
	return exists(kept);
}

/* What was kept before stays: the oldest may be the one that is wanted back. */
static bool kept_name(struct names *n, struct br_err *err)
{
	const size_t len = strlen(n->kept);

	for (int i = 2; is_taken(n->kept); i++) {
		if (i > KEPT_MAX)
			return br_err_set(err,
			    "there are %d old files beside %s already; move "
			    "those away that nobody needs any more",
			    KEPT_MAX, n->db);
		(void)snprintf(n->kept + len, sizeof(n->kept) - len, ".%d", i);
	}
	return true;
}

static bool keep_file(const char *path, const char *kept, struct br_err *err)
{
	return link(path, kept) == 0 || errno == ENOENT ||
	    br_err_set(err, "cannot keep %s as %s: %s", path, kept,
		strerror(errno));
}

/* Under a second name, so that it stays where it is until the new one takes its
 * place. */
static bool keep_old(struct names *n, struct br_err *err)
{
	char path[BR_STORE_PATH_MAX], kept[BR_STORE_PATH_MAX];

	if (!kept_name(n, err) || !keep_file(n->db, n->kept, err))
		return false;
	n->is_kept = exists(n->kept);
	if (!n->is_kept)
		return true; /* there was none */
	for (size_t i = 0; i < PRIM_COUNT(SIDES); i++) {
		side(path, n->db, SIDES[i]);
		side(kept, n->kept, SIDES[i]);
		if (!keep_file(path, kept, err))
			return false;
	}
	return br_store_copy_sync_folder(n->db, err);
}

/* Nothing of the old one may be found by whoever opens the new one. */
static bool strip_old(const struct names *n, struct br_err *err)
{
	char path[BR_STORE_PATH_MAX];

	side(path, n->db, "-shm");
	(void)unlink(path);
	for (size_t i = 0; i < PRIM_COUNT(SIDES); i++) {
		side(path, n->db, SIDES[i]);
		if (unlink(path) != 0 && errno != ENOENT)
			return br_err_set(err, "cannot remove %s: %s", path,
			    strerror(errno));
	}
	return br_store_copy_sync_folder(n->db, err);
}

/* The new one did not come: the old one gets back what was taken from it, and
 * its second names are of no use. */
static void dress_old(const struct names *n)
{
	char path[BR_STORE_PATH_MAX], kept[BR_STORE_PATH_MAX];

	if (!n->is_kept)
		return;
	for (size_t i = 0; i < PRIM_COUNT(SIDES); i++) {
		side(path, n->db, SIDES[i]);
		side(kept, n->kept, SIDES[i]);
		if (link(kept, path) != 0 && errno != ENOENT && errno != EEXIST)
			return; /* it is only there now */
	}
	br_store_copy_drop(n->kept);
}

static bool take_place(const struct names *n, struct br_err *err)
{
	if (PRIM_SEED(restore_forgets_queue)) {
		char queue[BR_STORE_PATH_MAX];

		(void)snprintf(queue, sizeof(queue), "%.*squeue.db",
		    (int)(strlen(n->db) - strlen("primd.db")), n->db);
		br_store_copy_drop(queue);
	}
	if (rename(n->part, n->db) != 0)
		return br_err_set(err, "cannot replace %s: %s", n->db,
		    strerror(errno));
	(void)br_store_copy_sync_folder(n->db, NULL);
	return true;
}

/*
 * Whenever we are stopped, what is called primd.db is whole: first the old one,
 * from which nothing is missing that is not in it or kept beside it, then the
 * new one.
 */
bool br_store_restore(const char *dir, const char *from,
    char out_kept[BR_STORE_KEPT_MAX], struct br_err *err)
{
	struct names n;

	if (!names_format(&n, dir, err) || !check_source(&n, from, err) ||
	    !part_make(&n, from, err))
		return false;
	settle_old(&n);
	if (keep_old(&n, err) && strip_old(&n, err) && take_place(&n, err)) {
		(void)snprintf(out_kept, BR_STORE_KEPT_MAX, "%s",
		    n.is_kept ? strrchr(n.kept, '/') + 1 : "");
		return true;
	}
	dress_old(&n);
	br_store_copy_drop(n.part);
	return false;
}
