/* SPDX-License-Identifier: ISC */
#ifndef PRIM_SESSION_PRIVATE_H
#define PRIM_SESSION_PRIVATE_H

/*
 * What the session*.c files know of each other: session.c (life, answers,
 * states), session_login.c (LOGIN), session_check.c (the order of checks).
 */

#include "prim/session.h"

struct prim_session_state {
	const char *name;
	/* A LOGIN whose headers are in order. */
	const struct prim_session_state *(*on_login)(struct prim_session *s,
	    const struct prim_command *c);
	const struct prim_session_state *(*on_starttls)(struct prim_session *s,
	    const struct prim_command *c);
	bool hears; /* anything at all */
};

extern const struct prim_session_state prim_session_st_open,
    prim_session_st_checking, prim_session_st_exchange, prim_session_st_bound,
    prim_session_st_tls, prim_session_st_closing;

static inline unsigned prim_session_service(enum prim_service service)
{
	return service == PRIM_SERVICE_IM ? 1 : 0;
}

/* The only way to another state. */
void prim_session_enter(struct prim_session *s,
    const struct prim_session_state *next);
/* Reads nothing more and says so; cancels a LOGIN under way. */
void prim_session_leave(struct prim_session *s, const char *why, bool finish);

/* Nobody wants an answer to `c` (PRIM-036). */
bool prim_session_is_silent(const struct prim_command *c);
void prim_session_refuse(struct prim_session *s, const struct prim_command *c,
    unsigned code);

/* Steps 2 to 8 of spec C.0: 0 when `c` may be acted upon, else the answer. */
unsigned prim_session_check(const struct prim_session *s,
    const struct prim_command *c);

/* NULL is fine; returns NULL. */
struct prim_login *prim_session_login_free(struct prim_login *l);
/* What a LOGIN does, by state. */
const struct prim_session_state *prim_session_open_login(struct prim_session *s,
    const struct prim_command *c);
const struct prim_session_state *
prim_session_checking_login(struct prim_session *s,
    const struct prim_command *c);
const struct prim_session_state *
prim_session_exchange_login(struct prim_session *s,
    const struct prim_command *c);
const struct prim_session_state *
prim_session_bound_login(struct prim_session *s, const struct prim_command *c);
/* A LOGIN that is refused for good: 406, and the end. */
const struct prim_session_state *prim_session_login_fail(struct prim_session *s,
    const struct prim_command *c, const char *why);

#endif
