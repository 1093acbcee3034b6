/* SPDX-License-Identifier: ISC */
#ifndef TESTS_TALK_TALK_H
#define TESTS_TALK_TALK_H

/*
 * One run of one conversation. A line of it either does something (words.c),
 * is what a client says or hears (speech.c), or stands for other lines
 * (macros.txt).
 */

#include <stdbool.h>

#include "tests/talk/pattern.h"
#include "tests/talk/script.h"
#include "tests/talk/world.h"

/* What is expected of one connection. */
struct talk_hearing {
	bool in_head;         /* between start line and empty line */
	uint64_t body_len;    /* as the start line says, until it came */
	struct prim_buf body; /* the pattern of the body so far */
	bool has_body;
};

struct talk {
	const char *file;
	unsigned line;
	bool has_failed;
	struct talk_macros macros;
	struct talk_world world;
	struct talk_names names;
	struct prim_buf config;
	bool in_config, is_open;
	bool skips_pings; /* those of the server to clients that say nothing */
	/* The lines in front of this one: 'C' or 'S' of a connection, or 0; for
	 * an adapter's, too. */
	char who;
	unsigned conn;
	/* What the client says: before and behind the length, and the body. */
	struct prim_buf before, after, body;
	bool has_hole, has_body;
	bool
	    in_a_hurry; /* nothing happens between saying it and what follows */
	struct talk_hearing hearings[TALK_ENDS];
};

/* Says why, once a run. Returns false. */
bool talk_fail(struct talk *t, const char *why);
/* Shows what was expected and what came instead. Returns false. */
bool talk_differs(struct talk *t, struct prim_slice expected,
    struct prim_slice got);

/* The connection `c`, which is opened if it is new and a client's. */
struct talk_conn *talk_conn(struct talk *t, unsigned c);

/* Between two commands: forgets PINGs that came, if the script wants that. */
void talk_pings(const struct talk *t, struct talk_conn *c);

/* The configuration so far, with `line` in place of what it had under the same
 * key. */
void talk_config_change(struct talk *t, struct prim_slice line);

/* Does what `line` of a script says. */
bool talk_line(struct talk *t, struct prim_slice line);

/* Does `line` begin with a word of words.c? */
bool talk_word_is(struct prim_slice line);
bool talk_word(struct talk *t, struct prim_slice line);

/* Is `line` speech: "C1: ", "S|", "A:" ...? */
bool talk_speech_is(struct prim_slice line);
/* Carries it out, or remembers it for talk_speech_end(). */
bool talk_speech(struct talk *t, struct prim_slice line);
/* Another kind of line comes: says and expects what was collected. */
bool talk_speech_end(struct talk *t);

#endif
