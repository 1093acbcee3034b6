/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_LOCK_H
#define BRIDGE_LOCK_H

/*
 * The lock on the data folder: whoever opens the store holds it, so that a
 * server and an operator's tool, or two servers, never work on it at once. The
 * kernel drops it when the process ends, however it ends.
 */

#include "bridge/err.h"

struct br_lock;

/* Makes the folder `dir` (mode 0700; its parent must be there) if it is absent
 * and locks it; never waits. NULL with a sentence in `err`, which names the
 * process that holds it. */
struct br_lock *br_lock_open(const char *dir, struct br_err *err);
/* Takes NULL, returns NULL. */
struct br_lock *br_lock_close(struct br_lock *lock);

#endif
