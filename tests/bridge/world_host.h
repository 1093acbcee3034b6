/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_WORLD_HOST_H
#define TESTS_BRIDGE_WORLD_HOST_H

/*
 * A core for adapter hosts to live in: it notes what it hears, answers
 * submissions with a code, and keeps STATE in memory.
 */

#include "bridge/host_private.h"

#define WORLD_REPORTS_MAX 64

struct world_report {
	struct prim_digest delivery;
	unsigned code;
};

struct world {
	struct event_base *base; /* owned */
	struct br_config config;
	struct br_config_adapter adapter;
	struct br_log log;
	struct br_host *host; /* owned */
	int64_t now_ms;       /* 0: the real time */
	unsigned ups, downs, rooms;
	unsigned deaths; /* downs that say it died */
	unsigned takens, alives, links;
	struct prim_digest last_taken;
	unsigned readies, gones, ask_rooms;
	unsigned report_count;
	struct world_report reports[WORLD_REPORTS_MAX];
	unsigned requests, open_max;
	unsigned answer; /* to submissions; 0: none is given */
	struct prim_buf last_from, last_original;
	const char *principal; /* whom every address is linked to; or NULL */
	enum prim_method last_method;
	struct prim_buf logged; /* every line, each with LF */
	bool store_fails;       /* the next call to the store fails */
	int store_us;           /* how long it takes */
	unsigned entries;       /* a list has so many, all with the value */
	unsigned pages;         /* of it that were asked for */
};

/* A host for `plugin` with `options` (YAML), not started. Intervals are short.
 * `sockets` are the host's then, `count` of them. */
void world_init(struct world *w, const char *plugin, const char *options);
void world_init_sockets(struct world *w, const char *options,
    const int *sockets, size_t count);
void world_fini(struct world *w);

/* ---- without a process: the test is the adapter ---- */

/* A host of plugin "fault" that has begun, and just said CONFIG. */
void world_begin(struct world *w);
/* The same, and then the adapter says `octets`. What the core said until then is
 * not heard. */
void world_begin_saying(struct world *w, const char *octets);
void world_say(struct world *w, const char *octets);
/* All that the core said and was not heard yet; release with prim_free(). */
char *world_heard(struct world *w);
/* Hears exactly `text`, or fails; `row` says of which case, or is NULL. */
void world_expect_heard(struct world *w, const char *row, const char *text);

/* ---- with a process ---- */

/* Turns the loop until *counter is `wanted` or more; false after 10 s. */
bool world_wait(struct world *w, const unsigned *counter, unsigned wanted);
bool world_wait_stopped(struct world *w);
/* Turns the loop for so long. */
void world_turn(struct world *w, unsigned ms);
/* Was a line with `text` logged? */
bool world_logged(const struct world *w, const char *text);

/* ---- messages ---- */

/* A message from im:alice@localhost with `body`; its Delivery-ID is all
 * `number`. */
struct br_message *world_message(const char *to, const char *body,
    uint8_t number);
/* Hands one over, and lets go of it. */
void world_deliver(struct world *w, const char *to, uint8_t number);
/* The code reported for `number`, 0: none yet. */
unsigned world_reported(const struct world *w, uint8_t number);

#endif
