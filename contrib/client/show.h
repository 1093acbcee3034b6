/* SPDX-License-Identifier: ISC */
#ifndef CLIENT_SHOW_H
#define CLIENT_SHOW_H

/*
 * Standard output: for eyes, or as lines of JSON.
 */

#include <stdbool.h>

#include "contrib/client/message.h"

struct json_t;

/* What is told about a message of ours. */
struct cl_sent {
	struct prim_slice message_id;
	struct prim_slice conversation;
	struct prim_slice text; /* to remind of; may be empty */
	unsigned code;
	struct prim_slice reason; /* what the server said of it, or empty */
};

/* Prints a message that came; false when standard output took it not. With
 * JSON any message can be shown, else only CL_MESSAGE_TEXT. */
bool cl_show_incoming(const struct cl_options *options,
    const struct cl_incoming *m);

/* Prints what became of one message: `send`. */
bool cl_show_fate(const struct cl_options *options, const struct cl_sent *m);

/* The same within a chat: delivered messages are not mentioned. */
bool cl_show_chat_fate(const struct cl_options *options,
    const struct cl_sent *m);

/* Prints an object as one line, and releases it. */
bool cl_show_json(struct json_t *line);
/* Sets a member to a text; an empty one is left out. */
void cl_show_set(struct json_t *object, const char *name, struct prim_slice s);
/* False when standard output took it not. */
bool cl_show_flush(void);

#endif
