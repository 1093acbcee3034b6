/* SPDX-License-Identifier: ISC */
#ifndef CLIENT_SESSION_H
#define CLIENT_SESSION_H

/*
 * A logged-in connection: commands of one service out, commands in. PINGs are
 * answered here, and sent when the server has been silent for a minute, so that
 * a dead connection shows.
 */

#include <stdbool.h>
#include <stdint.h>

#include "contrib/client/err.h"
#include "contrib/client/link.h"
#include "contrib/client/options.h"
#include "prim/buf.h"
#include "prim/command.h"

#define CL_SESSION_BODY_MAX  (8 << 20) /* octets of a body we take */
#define CL_SESSION_ANSWER_MS 20000     /* how long we wait for the server */
#define CL_SESSION_ID_MAX    24

enum cl_session_event {
	CL_SESSION_RESPONSE, /* s->command, until the next call */
	CL_SESSION_REQUEST,  /* one came and was answered */
	CL_SESSION_INPUT,    /* the other descriptor is readable */
	CL_SESSION_TIMEOUT,
	CL_SESSION_LOST, /* `err` says why; the session is closed */
};

/* Takes a SEND, or for presence a NOTIFY or CANCELSUBSCRIPTION, and gives the
 * code of its answer. `c` is borrowed during the call. */
typedef unsigned (*cl_session_request_fn)(void *arg,
    const struct prim_command *c);

struct cl_session {
	const struct cl_options *options; /* borrowed */
	enum prim_family family; /* of the service, options->is_presence */
	struct cl_link link;
	struct prim_buf in;
	size_t used;    /* octets of `in` that were handed out */
	size_t scanned; /* for prim_command_head() */
	size_t wanted;  /* octets behind `used` before it is worth looking */
	uint64_t last_id;
	uint64_t body_max; /* what the server takes; 0: it did not say */
	int64_t heard_ms;  /* when the server last said something */
	bool is_probing;   /* a PING waits for its answer */
	cl_session_request_fn on_request; /* NULL: requests get a 501 */
	void *arg;
	struct prim_command command;
};

/* Connects, begins TLS, logs in. `s` is then open, or closed and `err` says
 * why. */
bool cl_session_open(struct cl_session *s, const struct cl_options *options,
    int64_t deadline_ms, struct cl_err *err);

/* Says LOGOUT if it can, closes. Harmless when closed. */
void cl_session_close(struct cl_session *s);

/* Waits for the next event. */
enum cl_session_event cl_session_next(struct cl_session *s, int other,
    int64_t deadline_ms, struct cl_err *err);

/* A request identifier that was not used before. */
void cl_session_id(struct cl_session *s, char out_id[CL_SESSION_ID_MAX]);

bool cl_session_write(struct cl_session *s, const struct prim_buf *b,
    struct cl_err *err);

/* Writes the request `b`, whose id is `id`, and waits for its answer, which is
 * then in s->command. */
bool cl_session_ask(struct cl_session *s, const struct prim_buf *b,
    const char *id, int64_t deadline_ms, struct cl_err *err);

#endif
