/* SPDX-License-Identifier: ISC */
#ifndef CLIENT_CONTACT_H
#define CLIENT_CONTACT_H

/*
 * One of those who are watched: the subscription, and what the user was told
 * last.
 */

#include "contrib/client/session.h"
#include "contrib/client/state.h"

#define CL_CONTACT_NEVER INT64_MAX

struct cl_contact {
	const char *to;      /* borrowed: "pres:bob@example.org" */
	const char *address; /* borrowed: the same without pres: */
	char *key;           /* owned: as addresses compare */
	char *told;          /* owned: the lines that were printed, or NULL */
	char id[CL_SESSION_ID_MAX]; /* of the SUBSCRIBE under way, or "" */
	int64_t due_ms;      /* when to ask, again, or to give the answer up */
	unsigned complained; /* the code that the user was told of, or 0 */
	bool is_renewal;     /* the state is known and kept up to date */
	bool is_refused;     /* for good */
};

void cl_contact_init(struct cl_contact *c, const char *to);
void cl_contact_fini(struct cl_contact *c);

/* Is `address`, a From or To, that of `c`? */
bool cl_contact_is(const struct cl_contact *c, struct prim_slice address);

/* After a new login: to be asked for at once. */
void cl_contact_restart(struct cl_contact *c);

/* Sends the SUBSCRIBE that is due. */
bool cl_contact_ask(struct cl_contact *c, struct cl_session *s,
    struct cl_err *err);

/* Takes the code and Duration of the answer in s->command. True: granted, and
 * the state is in it, if not empty or `c` is new. Else the user was told. */
bool cl_contact_answer(struct cl_contact *c, const struct cl_session *s);

/* Prints the state where it differs from what was printed last: true, and false
 * in `*out_ok` when standard output took it not. */
bool cl_contact_show(struct cl_contact *c, const struct cl_options *options,
    const struct prim_pidf *p, bool *out_ok);
/* The presentity ended it. False: standard output took it not. */
bool cl_contact_cancel(struct cl_contact *c, const struct cl_options *options);

#endif
