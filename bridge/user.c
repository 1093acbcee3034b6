/* SPDX-License-Identifier: ISC */
/* Giving up being root. */

#include "bridge/user.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridge/config.h"

struct user {
	uid_t uid;
	gid_t gid;
	const char *name; /* borrowed until the next getpw call; or NULL */
};

static bool find_named(const char *name, struct user *out, struct br_err *err)
{
	const struct passwd *entry = getpwnam(name);

	if (!entry)
		return br_err_set(err,
		    "there is no user '%s' on this system; make it or change "
		    "'user' in the configuration",
		    name);
	*out = (struct user){ entry->pw_uid, entry->pw_gid, entry->pw_name };
	return true;
}

/* The owner may be a number without a name. */
static void find_owner(const char *dir, struct user *out)
{
	struct stat st;
	const struct passwd *entry;

	if (stat(dir, &st) != 0)
		return;
	entry = getpwuid(st.st_uid);
	*out = (struct user){ st.st_uid, st.st_gid, NULL };
	if (entry)
		*out = (struct user){ st.st_uid, entry->pw_gid,
			entry->pw_name };
}

/* Hands `fd` over if it is root's. A file of another name that is linked here
 * stays what it is. */
static void hand_over(int fd, mode_t type, const struct user *user)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || st.st_uid != 0 ||
	    (st.st_mode & S_IFMT) != type ||
	    (type == S_IFREG && st.st_nlink != 1))
		return;
	/* If it fails the next to open it says so. */
	(void)!fchown(fd, user->uid, user->gid);
}

/* Nothing but the lock is in it: it was made just now. */
static bool is_fresh(const char *dir)
{
	DIR *stream = opendir(dir);
	const struct dirent *entry;
	bool fresh = stream != NULL;

	while (fresh && (entry = readdir(stream)))
		fresh = strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0 ||
		    strcmp(entry->d_name, "lock") == 0;
	if (stream)
		closedir(stream);
	return fresh;
}

static void hand_over_folder(const char *dir, const struct user *user)
{
	int dir_fd, lock;

	/* Where it is to be, `user` may not be allowed to make it. */
	(void)!mkdir(dir, 0700);
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		return;
	lock = openat(dir_fd, "lock",
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (lock >= 0) {
		hand_over(lock, S_IFREG, user);
		close(lock);
	}
	if (is_fresh(dir))
		hand_over(dir_fd, S_IFDIR, user);
	close(dir_fd);
}

static bool become(const struct user *user, struct br_err *err)
{
	int groups = user->name ? initgroups(user->name, user->gid)
				: setgroups(1, &user->gid);

	if (groups != 0 || setgid(user->gid) != 0 || setuid(user->uid) != 0)
		return br_err_set(err, "cannot become user %s (%u): %s",
		    user->name ? user->name : "without a name",
		    (unsigned)user->uid, strerror(errno));
	return setuid(0) != 0 || br_err_set(err, "root could not be given up");
}

/* Whom we are to be; uid 0: nobody else. */
static bool find(const struct br_config *config, struct user *out,
    struct br_err *err)
{
	if (config->user)
		return find_named(config->user, out, err);
	find_owner(config->data_dir, out);
	return true;
}

bool br_user_become(const struct br_config *config, struct br_err *err)
{
	struct user user = { 0 };

	if (geteuid() != 0)
		return true;
	if (!find(config, &user, err))
		return false;
	if (user.uid == 0)
		return true;
	hand_over_folder(config->data_dir, &user);
	return become(&user, err);
}

/* Whoever has become somebody else cannot remove what root made. Returns in the
 * child. */
static void part(const char *dir)
{
	pid_t child = fork();
	int status = 0;

	if (child <= 0)
		return; /* without a child the folder stays, at worst */
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		(void)rmdir(dir);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

bool br_user_make_folder(const struct br_config *config, const char *dir,
    struct br_err *err)
{
	struct user user = { 0 };
	int fd;

	if (geteuid() != 0)
		return true;
	if (!find(config, &user, err))
		return false;
	if (mkdir(dir, 0700) != 0)
		return errno == EEXIST ||
		    br_err_set(err, "cannot make the folder %s: %s", dir,
			strerror(errno));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0) {
		hand_over(fd, S_IFDIR, &user);
		close(fd);
	}
	part(dir);
	return true;
}
