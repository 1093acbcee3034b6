/* SPDX-License-Identifier: ISC */
/* A server that ends and is there again. */

#include "tests/bridge/world_kill.h"

#include <stdio.h>

#include "bridge/metric.h"
#include "bridge/outbox_private.h"
#include "bridge/store_private.h"
#include "tests/bridge/world_audit.h"
#include "tests/bridge/world_fate.h"

#define NAME_MAX_LEN 64
#define DOOM_MAX     12 /* steps that the store hears nothing of */
#define STOP_MAX     6

static const char *const NAMES[BR_STORE_FILES] = {
	[BR_STORE_PRIMD] = "primd.db",
	[BR_STORE_QUEUE] = "queue.db",
};

/* ---- what is in the store ---- */

/* Databases in memory last while somebody has them open. `number` as in struct
 * br_store_place; 0: nobody else's. */
static sqlite3 *memory_open(struct mail *m, unsigned number, const char *name)
{
	char path[NAME_MAX_LEN] = ":memory:";
	sqlite3 *sql = NULL;

	if (number)
		(void)snprintf(path, sizeof(path), "file:/%u-%s?vfs=memdb",
		    number, name);
	mail_expect(m,
	    sqlite3_open_v2(path, &sql,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI,
		NULL) == SQLITE_OK,
	    "a database is not opened");
	return sql;
}

static void copy(struct mail *m, sqlite3 *to, sqlite3 *from)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");

	mail_expect(m, b && sqlite3_backup_step(b, -1) == SQLITE_DONE,
	    "a database is not copied");
	(void)sqlite3_backup_finish(b);
}

struct copies {
	sqlite3 *files[BR_STORE_FILES];
};

/* Of what is committed now. */
static void copies_take(struct mail *m, struct copies *c, unsigned number)
{
	for (unsigned i = 0; i < BR_STORE_FILES; i++) {
		sqlite3 *from = memory_open(m, number, NAMES[i]);

		c->files[i] = memory_open(m, 0, NAMES[i]);
		copy(m, c->files[i], from);
		(void)sqlite3_close(from);
	}
}

/* What the next store will find. */
static void copies_put(struct mail *m, struct copies *c, unsigned number)
{
	for (unsigned i = 0; i < BR_STORE_FILES; i++) {
		sqlite3 *to = memory_open(m, number, NAMES[i]);

		copy(m, to, c->files[i]);
		(void)sqlite3_close(c->files[i]);
		c->files[i] = to;
	}
}

static void copies_close(struct copies *c)
{
	for (unsigned i = 0; i < BR_STORE_FILES; i++)
		(void)sqlite3_close(c->files[i]);
}

/* ---- the end and the beginning ---- */

static int64_t auth_now(void *arg)
{
	return br_server_now(arg);
}

static void begin(struct town *town, int64_t now_ms)
{
	struct mail *m = &town->mail;
	struct br_err err = { 0 };
	const struct br_server_options options = {
		.base = m->world.base,
		.config = m->world.config,
		.data_dir = ":memory:",
		.by_hand_ms = now_ms,
	};

	br_metric_set(BR_METRIC_OUTBOX_QUARANTINED, 0);
	m->world.server = br_server_new(&options, &err);
	mail_expect(m, m->world.server != NULL, err.text);
	br_auth_set_clock(m->world.server->auth, auth_now, m->world.server);
	m->world.server->outbox->random = m->seed | 1;
	m->started_ms = now_ms;
	m->is_broken = false;
}

static void end(struct town *town)
{
	struct mail *m = &town->mail;

	for (unsigned i = 0; i < MAIL_READERS; i++)
		reader_forsaken(m, &town->readers[i]);
	for (unsigned i = 0; i < MAIL_CARRIERS; i++)
		carrier_forsaken(m, &town->carriers[i]);
	m->world.server = br_server_free(m->world.server);
}

/* ---- ways to end ---- */

static void stop(struct town *town)
{
	struct mail *m = &town->mail;

	mail_trace(m, "server stops", 0, PRIM_SLICE_NONE);
	br_server_stop(m->world.server);
	for (unsigned i = mail_below(m, STOP_MAX); i > 0; i--) {
		mail_turn(m);
		audit(m);
		deed_hear_some(town);
	}
}

/* What is said from now on is said by somebody who will not remember. */
static void be_doomed(struct town *town)
{
	struct mail *m = &town->mail;

	mail_trace(m, "server is doomed", 0, PRIM_SLICE_NONE);
	for (unsigned i = mail_below(m, DOOM_MAX); i > 0; i--) {
		deed_small(town);
		mail_nudge(m);
		audit(m);
		deed_hear_some(town);
	}
}

void kill_server(struct town *town)
{
	struct mail *m = &town->mail;
	const int64_t now = mail_now(m);
	unsigned how = mail_below(m, 3), number, epoch = m->epoch;
	sqlite3 *keep[BR_STORE_FILES];
	struct copies copies;

	if (how == 0)
		stop(town); /* hears nothing from now on */
	number = m->world.server->store->place.memory;
	for (unsigned i = 0; i < BR_STORE_FILES; i++)
		keep[i] = memory_open(m, number, NAMES[i]);
	if (how == 1) {
		deed_break(town, false); /* and all it was asked is done */
		epoch = m->epoch;
		copies_take(m, &copies, number);
		be_doomed(town);
	}
	mail_trace(m, "server ends", 0, PRIM_SLICE_NONE);
	end(town);
	fate_unsure(m, m->was_broken ? 0 : epoch);
	if (how != 1)
		copies_take(m, &copies, number);
	for (unsigned i = 0; i < BR_STORE_FILES; i++)
		(void)sqlite3_close(keep[i]);
	copies_put(m, &copies, number + 1);
	begin(town, now);
	copies_close(&copies);
	audit(m);
}
