/* SPDX-License-Identifier: ISC */
#ifndef CLIENT_MESSAGE_H
#define CLIENT_MESSAGE_H

/*
 * Messages: building a SEND, and what a SEND that came says to a person.
 */

#include <stdbool.h>

#include "contrib/client/options.h"
#include "prim/buf.h"
#include "prim/command.h"
#include "prim/imdn.h"

#define CL_MESSAGE_TOKEN_LEN 32 /* hexadecimal digits */

/* The time of day: milliseconds since 1970 UTC. */
int64_t cl_message_wall_ms(void);

/* Appends 128 random bits as hexadecimal digits. */
void cl_message_put_token(struct prim_buf *b);

struct cl_outgoing {
	const char *id;               /* of the request */
	struct prim_slice message_id; /* all borrowed */
	struct prim_slice conversation;
	struct prim_slice text;
	int64_t written_ms; /* the time of day; the same on every attempt */
};

/* A new Message-ID of the user (ERR-44); release with prim_free(). */
char *cl_message_id_new(const struct cl_options *options);
/* --conversation, or a new one; release with prim_free(). */
char *cl_message_conversation_new(const struct cl_options *options);

/* The imdn.Message-ID of --receipt: the Message-ID without its address. */
struct prim_slice cl_message_imdn_id(struct prim_slice message_id);

/* Appends the whole SEND: text/plain, or message/cpim with --subject or
 * --receipt. */
void cl_message_put_send(struct prim_buf *b, const struct cl_options *options,
    const struct cl_outgoing *m);

enum cl_message_kind {
	CL_MESSAGE_TEXT,   /* `content` can be shown */
	CL_MESSAGE_NOTICE, /* what became of a message of ours */
	CL_MESSAGE_OPAQUE, /* of a type that is not text */
	CL_MESSAGE_BROKEN, /* not what its Content-Type says, or it requires
	                       what we do not know */
};

struct cl_incoming {
	enum cl_message_kind kind;
	struct prim_slice from; /* borrowed: without im: */
	struct prim_slice to;   /* borrowed, as are all */
	struct prim_slice message_id;
	struct prim_slice conversation;
	struct prim_slice type;    /* of the innermost content */
	struct prim_slice content; /* its octets */
	struct prim_slice date;    /* of the SEND; may be empty */
	struct prim_buf subject;   /* owned; empty without one */
	struct prim_buf room;      /* owned: what `notice` borrows from */
	struct prim_imdn notice;   /* of a NOTICE */
	bool is_legible;           /* the notice could be read */
};

/* Takes the SEND `c` apart; borrows from it. Release with
 * cl_message_fini(). */
void cl_message_read(const struct prim_command *c, struct cl_incoming *out);
void cl_message_fini(struct cl_incoming *m);

/* An address without im:. */
struct prim_slice cl_message_bare(struct prim_slice address);

/* "delivered", "refused: the inbox is closed (408)", ... Constant. */
const char *cl_message_fate(const struct cl_options *options, unsigned code);
/* Is `code` a promise (200, 101)? */
bool cl_message_is_sent(unsigned code);
/* What the server says of an answer, for a person; empty if nothing. Borrowed. */
struct prim_slice cl_message_reason(const struct prim_command *c);

#endif
