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
 * ever. Stays root when that is root, or when neither is there. Not as root:
 * does nothing. False with a sentence: no such user, or not possible. */
bool br_user_become(const struct br_config *config, struct br_err *err);

#endif
