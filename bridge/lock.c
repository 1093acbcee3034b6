/* SPDX-License-Identifier: ISC */
/* The lock on the data folder. */

#include "bridge/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "prim/base.h"
#include "prim/slice.h"

#define PID_MAX_DIGITS 20

struct br_lock {
	int fd;
};

static bool folder_make(const char *dir, struct br_err *err)
{
	struct stat st;

	if (mkdir(dir, 0700) == 0)
		return true;
	if (errno != EEXIST)
		return br_err_set(err, "cannot make the data folder %s: %s",
		    dir, strerror(errno));
	if (stat(dir, &st) != 0)
		return br_err_set(err, "cannot use the data folder %s: %s", dir,
		    strerror(errno));
	return S_ISDIR(st.st_mode) ||
	    br_err_set(err, "the data folder %s is not a folder", dir);
}

/* Who holds it; 0 when it does not say. */
static uint64_t holder_find(int fd)
{
	char text[PID_MAX_DIGITS];
	ssize_t len = pread(fd, text, sizeof(text), 0);
	struct prim_slice rest = prim_slice_make(text,
	    len > 0 ? (size_t)len : 0);
	uint64_t pid = 0;

	(void)prim_slice_number(prim_slice_cut(&rest, '\n'), INT32_MAX, &pid);
	return pid;
}

static bool held_err(const char *dir, int fd, struct br_err *err)
{
	uint64_t pid = holder_find(fd);

	if (pid == 0)
		return br_err_set(err,
		    "the data folder %s is in use by another process", dir);
	return br_err_set(err,
	    "the data folder %s is in use by process %lu; stop that first", dir,
	    (unsigned long)pid);
}

static bool holder_write(int fd)
{
	char text[PID_MAX_DIGITS];
	int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	return ftruncate(fd, 0) == 0 &&
	    pwrite(fd, text, (size_t)len, 0) == (ssize_t)len;
}

static bool lock_take(int fd, const char *dir, struct br_err *err)
{
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			return held_err(dir, fd, err);
		return br_err_set(err, "cannot lock the data folder %s: %s",
		    dir, strerror(errno));
	}
	/* The number is for people only: a full disk must not keep primctl from
	 * looking what fills it. */
	(void)holder_write(fd);
	return true;
}

/* A symbolic link in its place would lock somebody else's file. */
static int file_open(const char *dir, struct br_err *err)
{
	char path[4096];
	int len = snprintf(path, sizeof(path), "%s/lock", dir);
	int fd;

	if (len < 0 || (size_t)len >= sizeof(path)) {
		br_err_set(err, "the name of the data folder is too long");
		return -1;
	}
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		br_err_set(err, "cannot open %s: %s", path, strerror(errno));
	return fd;
}

struct br_lock *br_lock_open(const char *dir, struct br_err *err)
{
	struct br_lock *lock;
	int fd;

	if (!folder_make(dir, err))
		return NULL;
	fd = file_open(dir, err);
	if (fd < 0)
		return NULL;
	if (!lock_take(fd, dir, err)) {
		close(fd);
		return NULL;
	}
	lock = prim_new(struct br_lock);
	lock->fd = fd;
	return lock;
}

struct br_lock *br_lock_close(struct br_lock *lock)
{
	if (!lock)
		return NULL;
	close(lock->fd);
	return prim_free(lock);
}
