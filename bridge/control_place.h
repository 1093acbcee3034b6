/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_CONTROL_PLACE_H
#define BRIDGE_CONTROL_PLACE_H

/*
 * The address of the control socket. A unix socket's path has room for 107
 * octets; in a deeper folder it is reached through a descriptor of the folder.
 */

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "bridge/err.h"

#define BR_CONTROL_NAME "control"

struct br_control_place {
	int dir_fd; /* owned: the folder; the address may refer to it */
	struct sockaddr_un address;
};

/* False: there is no such folder (errno is ENOENT then) or it is not ours. */
bool br_control_place_open(const char *dir, struct br_control_place *out_place,
    struct br_err *err);
void br_control_place_close(struct br_control_place *place);

#endif
