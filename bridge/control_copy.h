/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_CONTROL_COPY_H
#define BRIDGE_CONTROL_COPY_H

/*
 * Copies of what primd knows, in folders: DIR/primd.db. Messages that wait are
 * not part of them (store.h). primctl does this itself: a copy may take long, and
 * a primd that answers others meanwhile need not know of it.
 *
 * Both are blocking, and return what br_control_show() shows for the commands
 * "backup" and "restore", the caller's: json_decref(). NULL with a sentence.
 */

#include "bridge/err.h"

struct json_t;
struct br_config;

/* Is there a primd.db in data_dir? False with a sentence: nothing to look at, or
 * to copy, which must not be made by looking. */
bool br_control_has_data(const struct br_config *config, struct br_err *err);

/* Makes `dir` if it is not there. Refused: it has a primd.db. */
struct json_t *br_control_backup(const struct br_config *config,
    const char *dir, struct br_err *err);

/* Takes the lock on data_dir. */
struct json_t *br_control_restore(const struct br_config *config,
    const char *dir, struct br_err *err);

#endif
