/* SPDX-License-Identifier: ISC */
#ifndef TESTS_TALK_SCRIPT_H
#define TESTS_TALK_SCRIPT_H

/*
 * The words of conversations: lines of a file, and macros that stand for
 * several lines.
 */

#include <stdbool.h>

#include "prim/buf.h"

#define TALK_MACROS_MAX 256
#define TALK_PARAMS_MAX 8

struct talk_macro {
	struct prim_slice name;                    /* all borrowed */
	struct prim_slice params[TALK_PARAMS_MAX]; /* the last takes the rest */
	unsigned param_count;
	struct prim_slice body;
};

struct talk_macros {
	struct talk_macro list[TALK_MACROS_MAX];
	unsigned count;
};

/* Reads a whole file. False when that cannot be done. */
bool talk_file_read(const char *path, struct prim_buf *out);

/* Takes a line off the front of `text`, without its LF. False: there is none. */
bool talk_line_next(struct prim_slice *text, struct prim_slice *out_line);

/* Reads "macro NAME PARAM..." and the lines behind each, up to an empty one.
 * Borrows from `text`. False: too many of something. */
bool talk_macros_parse(struct talk_macros *macros, struct prim_slice text);
/* Appends what `line` stands for. False: it is no macro, or too short. */
bool talk_macros_expand(const struct talk_macros *macros,
    struct prim_slice line, struct prim_buf *out);

/* The content-length in the start line of a command. */
bool talk_length_find(struct prim_slice start_line, uint64_t *out_len);

#endif
