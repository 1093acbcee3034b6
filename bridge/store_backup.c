/* SPDX-License-Identifier: ISC */
/* A copy of primd.db to keep. */

#include "bridge/store_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static bool refuse_taken(const char *to, struct br_err *err)
{
	return br_err_set(err, "%s exists, and nothing is overwritten", to);
}

/* A name of its own, so that two at once don't meet. Nobody else can read it. */
static int part_open(char *part, struct br_err *err)
{
	int fd = mkstemp(part);

	if (fd < 0)
		br_err_set(err, "cannot make %s: %s", part, strerror(errno));
	else
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

/* It is there whole or not at all, and takes nobody's place. Some file systems
 * have no second names; there a look before has to do. */
static bool part_publish(const char *part, const char *to, struct br_err *err)
{
	if (link(part, to) == 0) {
		(void)unlink(part);
		return true;
	}
	if (errno == EEXIST)
		return refuse_taken(to, err);
	if ((errno == EPERM || errno == EOPNOTSUPP) && !exists(to) &&
	    rename(part, to) == 0)
		return true;
	return br_err_set(err, "cannot make %s: %s", to, strerror(errno));
}

static bool make(const struct br_store_copy *copy, const char *to,
    struct br_err *err)
{
	if (!br_store_copy(copy, err) || !part_publish(copy->to, to, err)) {
		br_store_copy_drop(copy->to);
		return false;
	}
	if (br_store_copy_sync_folder(to, err))
		return true;
	(void)unlink(to);
	return false;
}

bool br_store_backup(const char *dir, const char *to, struct br_err *err)
{
	char from[BR_STORE_PATH_MAX], part[BR_STORE_PATH_MAX];
	struct br_store_copy copy = { .from = from,
		.is_ours = true,
		.to = part };
	int from_len = snprintf(from, sizeof(from), "%s/primd.db", dir);
	int part_len = snprintf(part, sizeof(part), "%s.XXXXXX", to);
	bool fine;

	if (from_len >= BR_STORE_PATH_MAX || part_len >= BR_STORE_PATH_MAX)
		return br_err_set(err, "a name is longer than %d octets",
		    BR_STORE_PATH_MAX - 16);
	if (exists(to))
		return refuse_taken(to, err);
	copy.fd = part_open(part, err);
	if (copy.fd < 0)
		return false;
	fine = make(&copy, to, err);
	close(copy.fd);
	return fine;
}
