/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_WORLD_SERVICE_H
#define TESTS_BRIDGE_WORLD_SERVICE_H

/*
 * A server that has just enough for im:primbridge@<domain>, with a clock that is
 * turned by hand. What it says is not sent but kept; adapters are played: they
 * know no "nobody", and fold "name+tag" to "name".
 */

#include "tests/lib/slice.h"
#include "tests/lib/t.h"

#include "bridge/server.h"
#include "bridge/service.h"

#define WORLD_LETTERS_MAX 64

struct letter {
	char from[128], to[128], id[128], conversation[128], text[2048];
	unsigned hops;
};

struct world {
	struct br_server *server; /* owned */
	struct br_config *config; /* owned */
	char dir[256];
	unsigned serial; /* of questions */
	struct letter letters[WORLD_LETTERS_MAX];
	unsigned letter_count;
	char code[BR_CODE_DIGITS + 1]; /* the last that was told */

	/* The adapters. */
	bool is_down;                 /* they do not run */
	bool is_slow;                 /* the answer comes by world_answer() */
	const char *lie;              /* what they say instead; or NULL */
	br_host_canonical_fn waiting; /* or NULL */
	void *waiting_arg;
	char waiting_uri[128];
};

int world_set_up(void **state);
int world_tear_down(void **state);
void world_restart(struct world *w);
void world_account(struct world *w, const char *key);
/* Closes the store as a server that stops does. */
void world_stop(struct world *w);
/* A slow adapter says what it was asked. */
void world_answer(struct world *w);
void world_disk(bool is_full);

/* What somebody writes. */
struct question {
	const char *from;
	const char *to;    /* NULL: primbridge@here.example */
	const char *type;  /* NULL: text/plain */
	const char *text;  /* the body */
	size_t len;        /* of it; 0: to its end */
	const char *lines; /* more header lines, each with CRLF; or NULL */
	const char *original_from; /* "im:..."; or NULL */
	const char *origin;        /* NULL: as the domain says */
	unsigned hops;
	unsigned serial; /* 0: a new one; else the message of that number */
};

/* Says it, waits until it is done, and forgets what was said before. Returns the
 * code; 0: not done yet. "$CODE" in the text is the last code. */
unsigned world_say(struct world *w, const struct question *q);
/* Says it without waiting; `code` is set when it is done. */
void world_start(struct world *w, const struct question *q, unsigned *code);
void world_settle(struct world *w);
/* Forgets what was said. */
void world_forget(struct world *w);

/* The only letter to `to` says `part`. */
void world_heard(const struct world *w, const char *to, const char *part);
/* There is none to `to`. */
void world_silence(const struct world *w, const char *to);
/* The letter to `to`, or NULL. */
const struct letter *world_letter(const struct world *w, const char *to);

#endif
