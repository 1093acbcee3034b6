/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_WORLD_COPY_H
#define TESTS_BRIDGE_WORLD_COPY_H

/* A store in a folder, a second folder, and a third one for copies. */

#include "tests/bridge/store_world.h"

#include "prim/slice.h"

struct copy_world {
	struct world w;    /* the data folder; its store is open or closed */
	struct world away; /* another one, closed */
	char copies[256];
};

int copy_set_up(void **state);
int copy_tear_down(void **state);

/* "NAME" in the data folder, or in that of the copies. Up to eight at a time. */
const char *in_data(const struct copy_world *c, const char *name);
const char *in_copies(const struct copy_world *c, const char *name);

void account_put(struct world *w, const char *key);
/* The keys of all accounts, each with a blank. */
void expect_accounts(struct world *w, const char *expected);
/* Opens the store in `dir`, and closes it again. */
void expect_accounts_in(const char *dir, const char *expected);

void backup(const struct copy_world *c, const char *to);
/* `part` of the sentence. */
void backup_refused(const struct copy_world *c, const char *to,
    const char *part);
void restore(const struct copy_world *c, const char *from);
/* And primd.db is as it was. */
void restore_refused(const struct copy_world *c, const char *from,
    const char *part);

/* How many files the folder has. */
unsigned files_in(const char *dir);
bool exists(const char *path);
void exec(const char *path, const char *sql);
int ask(const char *path, const char *sql);
void write_file(const char *path, const char *text);

#endif
