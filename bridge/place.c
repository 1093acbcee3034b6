/* SPDX-License-Identifier: ISC */
/* Finding our own programs and plugins from where the running program is. */

#include "bridge/place.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static char folder[BR_PLACE_MAX];

/* Asked once: a sandbox may close /proc later, and an upgrade may put another
 * file in our place, but not another folder. */
static bool find_folder(void)
{
	char path[BR_PLACE_MAX];
	ssize_t len;
	char *slash;

	if (folder[0])
		return true;
	len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (len <= 0 || (size_t)len >= sizeof(path) - 1)
		return false;
	path[len] = '\0';
	slash = strrchr(path, '/');
	if (!slash)
		return false;
	*slash = '\0';
	snprintf(folder, sizeof(folder), "%s", path);
	return true;
}

static bool join(const char *middle, const char *name, const char *suffix,
    char out_path[BR_PLACE_MAX])
{
	int len;

	if (strchr(name, '/') || !find_folder())
		return false;
	len = snprintf(out_path, BR_PLACE_MAX, "%s/%s%s%s", folder, middle,
	    name, suffix);
	return len > 0 && len < BR_PLACE_MAX;
}

bool br_place_program(const char *name, char out_path[BR_PLACE_MAX])
{
	return join("", name, "", out_path);
}

bool br_place_plugin(const char *name, char out_path[BR_PLACE_MAX])
{
	return join("../lib/primd/adapters/", name, ".so", out_path);
}
