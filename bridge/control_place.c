/* SPDX-License-Identifier: ISC */
/* Where the control socket is. */

#include "bridge/control_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool br_control_place_open(const char *dir, struct br_control_place *out_place,
    struct br_err *err)
{
	struct br_control_place place = { .dir_fd = -1 };
	int len;
	int error;

	place.dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place.dir_fd < 0) {
		error = errno;
		br_err_set(err, "cannot open the data folder %s: %s", dir,
		    strerror(error));
		errno = error;
		return false;
	}
	place.address.sun_family = AF_UNIX;
	len = snprintf(place.address.sun_path, sizeof(place.address.sun_path),
	    "%s/" BR_CONTROL_NAME, dir);
	if (len < 0 || (size_t)len >= sizeof(place.address.sun_path))
		snprintf(place.address.sun_path, sizeof(place.address.sun_path),
		    "/proc/self/fd/%d/" BR_CONTROL_NAME, place.dir_fd);
	*out_place = place;
	return true;
}

void br_control_place_close(struct br_control_place *place)
{
	if (place->dir_fd >= 0)
		close(place->dir_fd);
	place->dir_fd = -1;
}
