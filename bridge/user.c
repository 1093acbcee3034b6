/* SPDX-License-Identifier: ISC */
/* Giving up being root. */

#include "bridge/user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
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

bool br_user_become(const struct br_config *config, struct br_err *err)
{
	struct user user = { 0 };

	if (geteuid() != 0)
		return true;
	if (!config->user)
		find_owner(config->data_dir, &user);
	else if (!find_named(config->user, &user, err))
		return false;
	return user.uid == 0 || become(&user, err);
}
