/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_CONTROL_H
#define BRIDGE_CONTROL_H

/*
 * The operator's commands. A request is one JSON object, so is its answer:
 *
 *	{"command":"account add","address":"a@example.org","password":"..."}
 *	{"ok":true,"result":{...}}
 *	{"ok":false,"error":"what is wrong, and what to do"}
 *
 * br_control_run() executes one, in primd as in primctl when no primd runs.
 * Between the two stands a unix socket `control` in data_dir: one line in, one
 * line out, then it is closed. Only root and the user of primd are heard.
 *
 * Commands: account add|passwd (address, password), account remove (address),
 * account list, presence show (address), subscription list (address, after),
 * status, trace (message_id); link add|remove (address, foreign), link verify
 * (address, foreign, code), link list (address), link order (address, order);
 * outbox list (address, after), outbox show (id, body: "yes" or empty), outbox
 * retry|drop|quarantine (id); route test (from, to). Every member is a string,
 * all are required, others are refused.
 *
 * A long list comes in pages, and the next is made when it is asked for: a page
 * that is not the last has a string "after", which the next request repeats (in
 * the first it is empty, as is an address when all is asked for).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "bridge/err.h"
#include "bridge/host.h"
#include "bridge/identity.h"
#include "bridge/outbox.h"
#include "prim/slice.h"

struct event_base;
struct json_t;
struct br_config;
struct br_control_server;
struct br_control_way;
struct br_log;
struct br_store;
struct br_worker;

#define BR_CONTROL_REQUEST_MAX 65536      /* octets of a line, with its LF */
#define BR_CONTROL_ANSWER_MAX  (64 << 20) /* what primctl reads at most */

/* What only a running server knows. A member that is NULL is not asked. What one
 * adds to the object `into` is optional, every member of it. */
struct br_control_ops {
	/* What time the server goes by, which may be another than the wall
	 * clock's (clock.h): ages and times that are left are seen from there. */
	int64_t (*now_ms)(void *ctx);
	/*	"uptime_s": 12, "listeners": ["127.0.0.1:7746"],
	 *	"connections": 3, "outbox": 12, "oldest_s": 3600,
	 *	"quarantined": 1, "adapters": [{"name": "xmpp", "state": "up",
	 *	"pid": 123, "deaths": 0, "waiting": 11}] */
	void (*status)(void *ctx, struct json_t *into);
	/* The account `key` was added, changed or removed, and that is
	 * committed: whatever is cached of it, its absence too, is void. */
	void (*account_changed)(void *ctx, struct prim_slice key);
	/* The row `seq` of the outbox, whatever it is doing: see
	 * br_outbox_order(). */
	void (*outbox)(void *ctx, int64_t seq, enum br_outbox_verb verb,
	    br_outbox_done_fn done, void *arg);
	/* What is known of row `seq` besides what is stored:
	 *	"under_way": true, "next_try_in_s": 12,
	 * and only if `in_detail`, since a list asks for each of its rows:
	 *	"position": 3, "lane": 7	the third of seven in its lane */
	void (*outbox_state)(void *ctx, int64_t seq, bool in_detail,
	    struct json_t *into);
	/* The canonical form of a foreign address (host.h); `uri` "im:...". */
	void (*canonical)(void *ctx, const char *network, struct prim_slice uri,
	    br_host_canonical_fn fn, void *arg);
	/* What is at the end of one way, for route test:
	 *	"up": true, "state": "up"	the adapter (br_host_is_up())
	 *	"listeners": 2			of the inbox
	 *	"waiting": 17			messages, for that destination
	 *	"queued": 3, "queued_max": 50000	of that sender
	 *	"total": 12, "total_max": 1000000	of all */
	void (*route_state)(void *ctx, const struct br_control_way *way,
	    struct json_t *into);
};

/* Where a message from `from` would be brought. Borrowed. */
struct br_control_way {
	const struct br_config_adapter *adapter; /* NULL: the inbox `to` */
	struct prim_slice from, to;              /* keys */
};

/* Where commands run. All is borrowed and outlives every command. */
struct br_control {
	struct br_store *store; /* NULL will do for status */
	const struct br_config *config;
	const struct br_router *router;   /* for links and route test */
	struct br_identities *identities; /* the same */
	struct br_worker *worker; /* NULL: passwords are derived in the call */
	const struct br_control_ops *ops; /* NULL: no server runs */
	void *ctx;                        /* of ops */
};

/* `answer` is borrowed during the call. */
typedef void (*br_control_done_fn)(void *arg, const struct json_t *answer);

/* Runs `request` (borrowed during the call; anything, it is checked here) and
 * calls `done` exactly once, maybe from inside. */
void br_control_run(const struct br_control *c, const struct json_t *request,
    br_control_done_fn done, void *arg);

/* ---- the socket inside primd ---- */

/* Listens on `control` in data_dir, mode 0600; to be called by the user primd
 * ends up as. What an earlier primd left there is removed: the caller holds the
 * lock on data_dir (bridge/lock.h). `c` is copied. NULL with a sentence. */
struct br_control_server *br_control_open(struct event_base *base,
    const struct br_control *c, const struct br_log *log, struct br_err *err);

/* Closes the connections and removes the socket. A command that is under way
 * ends unanswered, in its own callback: the store and the worker are closed
 * after this. NULL is fine; returns NULL. */
struct br_control_server *br_control_close(struct br_control_server *s);

/* ---- the other end, for primctl ---- */

enum br_control_outcome {
	BR_CONTROL_ANSWERED,  /* `out_answer` is the caller's: json_decref() */
	BR_CONTROL_NO_SERVER, /* nobody listens there */
	BR_CONTROL_FAILED,    /* `err` says what happened */
};

/* Asks the primd of `data_dir`. Blocking, 30 s at most. */
enum br_control_outcome br_control_call(const char *data_dir,
    const struct json_t *request, struct json_t **out_answer,
    struct br_err *err);

/* The same for any number of requests, and without a primd: then the store is
 * opened here, under the lock of the folder, until the asker is closed. */
struct br_control_asker;

/* `config` is borrowed. Without `needs_store` the commands are those that work
 * with neither primd nor store. Nothing is opened yet. */
struct br_control_asker *br_control_asker_open(const struct br_config *config,
    bool needs_store);
/* The answer, the caller's: json_decref(). NULL with a sentence. Blocking. */
struct json_t *br_control_asker_ask(struct br_control_asker *a,
    const struct json_t *request, struct br_err *err);
/* NULL is fine; returns NULL. */
struct br_control_asker *br_control_asker_close(struct br_control_asker *a);

/* Writes the result of `command` for a person. */
void br_control_show(FILE *out, const char *command,
    const struct json_t *result);

#endif
