/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_USER_H
#define BRIDGE_USER_H

/*
 * Whom we run as (DESIGN 2): started by root, primd becomes `user:` before it
 * parses an octet of a peer, and primctl before it touches a file that primd
 * must be able to read.
 */

#include <stdbool.h>

#include "bridge/err.h"

struct br_config;

/* As root: becomes `user:`, else the owner of data_dir, with its groups, for
 * ever. Stays root when that is root, or when neither is there. The data_dir of
 * a `user:` is made when it is missing. The lock file in it, and the folder
 * while nothing else is there, are that user's afterwards if they were root's:
 * whoever took the lock (bridge/lock.h) as root made them. Not as root: does nothing. False with a sentence: no such user, or
 * not possible. */
bool br_user_become(const struct br_config *config, struct br_err *err);

/* As root, before that: makes the folder `dir`, for whom we are about to become.
 * Not as root, or when it is there: does nothing. False with a sentence.
 *
 * When it made one, the caller goes on in a child, and root waits for it, to take
 * back a folder with nothing in it if the child fails. */
bool br_user_make_folder(const struct br_config *config, const char *dir,
    struct br_err *err);

#endif
