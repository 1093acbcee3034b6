/* SPDX-License-Identifier: ISC */
#ifndef PRIM_SESSION_H
#define PRIM_SESSION_H

/*
 * The rules of one client connection: what may be said when (spec C.0 steps 2
 * to 8, C.3, C.7, C.8, C.10). Knows no sockets; commands come in parsed,
 * responses go out through the ops.
 *
 *	           STARTTLS 200            LOGIN init            verdict due
 *	  ┌─ tls <──────────────┐   ┌──────────────────────┐
 *	  └─────(handshake)──> open ──> checking ──100──> exchange ──> checking
 *	                        ▲ │         │ 200                        │
 *	                        │ └────<────┴──> bound <──── 200 ────────┘
 *	                        │                  │
 *	    406, LOGOUT, a broken stream ──────> closing
 *
 * `open` is before the first success, `bound` after it; a LOGIN for the other
 * service goes the same way again (PRIM-098). Requests of a service that is not
 * bound are 401. A PING with a real id is answered 200 in every state.
 */

#include <stdbool.h>

#include "prim/address.h"
#include "prim/buf.h"
#include "prim/command.h"
#include "prim/pending.h"

struct prim_session;

enum prim_login_verdict {
	PRIM_LOGIN_CHALLENGE, /* 100 */
	PRIM_LOGIN_SUCCESS,   /* 200 */
	PRIM_LOGIN_FAILURE,   /* 406, close */
	PRIM_LOGIN_BUSY,      /* 500; the exchange is over */
};

struct prim_login_answer {
	enum prim_login_verdict verdict;
	struct prim_slice
	    mechanisms;         /* SASL-Mech of the answer; may be empty */
	struct prim_slice data; /* its body; may be empty */
};

struct prim_session_ops {
	/* Sends octets that are complete commands. */
	void (*write)(struct prim_session *s, struct prim_slice octets);
	/* A LOGIN that is in order, `init` or `continue`. The owner answers with
	 * prim_session_login_done(), at once or later. For `init`, `who` is the
	 * parsed From. */
	void (*login_begin)(struct prim_session *s,
	    const struct prim_command *c, const struct prim_address *who);
	void (*login_continue)(struct prim_session *s,
	    const struct prim_command *c);
	/* Give an exchange up; no verdict is wanted any more. */
	void (*login_cancel)(struct prim_session *s);
	/* 200 to STARTTLS was written: start the handshake, throw away what was
	 * read beyond it (PRIM-076, PRIM-079). */
	void (*starttls)(struct prim_session *s);
	/* A request that passed every check that needs no knowledge of ours.
	 * The owner answers it, unless its id is "-". */
	void (*request)(struct prim_session *s, const struct prim_command *c);
	/* The response to what `thing` asked (prim_session_ask()). */
	void (*response)(struct prim_session *s, void *thing,
	    const struct prim_command *c);
	/* Nothing more will be read. What is owed is answered first when
	 * `finish` (LOGOUT), otherwise only what is written leaves. */
	void (*close)(struct prim_session *s, const char *why, bool finish);
};

/* What we provide; a method of a service that is off is 501 (PRIM-024). */
struct prim_session_policy {
	bool has_tls; /* STARTTLS is possible */
	bool has_presence;
	uint64_t body_max;      /* octets of a body, after LOGIN */
	uint64_t body_skip_max; /* above it a body is not even skipped */
	/* Is `domain` ours? */
	bool (*serves)(void *ctx, struct prim_slice domain);
	void *ctx;
};

#define PRIM_LOGIN_BODY_MAX 4096 /* octets; before LOGIN nothing is larger */

struct prim_session_state;

struct prim_session {
	const struct prim_session_ops *ops;       /* borrowed: static */
	const struct prim_session_policy *policy; /* borrowed: outlives us */
	const struct prim_session_state *state;
	uint64_t serial;              /* unique while the server runs; the
	                                   owner's to set */
	bool is_secure;               /* TLS is on */
	bool is_bound[2];             /* for presence, for im */
	enum prim_family families[2]; /* the client's for each service */
	/* The principal, canonical; NULL before the first LOGIN. owned */
	char *who;
	size_t who_len;
	uint64_t max_content;  /* of the client; UINT64_MAX: none was said */
	unsigned bad_requests; /* answered 400 here; the owner may reset it */
	/* The LOGIN under way: what its answer repeats. owned */
	struct prim_login *login;
	struct prim_pending asked; /* our own requests */
};

void prim_session_init(struct prim_session *s,
    const struct prim_session_ops *ops,
    const struct prim_session_policy *policy);
/* What was asked is forgotten without a word: take it out before. */
void prim_session_fini(struct prim_session *s);

const char *prim_session_state_name(const struct prim_session *s);
/* Bound to a principal for the im service? */
bool prim_session_is_bound(const struct prim_session *s,
    enum prim_service service);
/* Whose login is being checked: a key, or empty. */
struct prim_slice prim_session_claim(const struct prim_session *s);
/* The bound principal's key, or empty. */
struct prim_slice prim_session_who(const struct prim_session *s);

enum prim_session_verdict {
	PRIM_SESSION_TAKE, /* wait for the body, then prim_session_command() */
	PRIM_SESSION_SKIP, /* refused and answered: skip the body */
	PRIM_SESSION_END,  /* the session closes; read nothing more */
};

/* A head whose body has not arrived: is it worth waiting for? */
enum prim_session_verdict prim_session_screen(struct prim_session *s,
    const struct prim_command *c);

/* A complete command. */
void prim_session_command(struct prim_session *s, const struct prim_command *c);

/* prim_command_head() said BROKEN: answers 400 where it can, closes. */
void prim_session_broken(struct prim_session *s, const struct prim_command *c);

void prim_session_login_done(struct prim_session *s,
    const struct prim_login_answer *answer);

/* The TLS handshake is done: everything before it is void (ERR-72). */
void prim_session_secured(struct prim_session *s);

/* The server goes: nothing new is heard. */
void prim_session_end(struct prim_session *s);

/* Answers request `c` with `code`: echo headers, then `extra` lines (each with
 * CRLF), then `body`. Nothing for an id of "-". */
void prim_session_answer(struct prim_session *s, const struct prim_command *c,
    unsigned code, struct prim_slice extra, struct prim_slice body);

/* Appends the header lines that the answer to `c` repeats (PRIM-041). */
void prim_session_put_echo(struct prim_buf *b, const struct prim_command *c);
/* The same with `seconds` as the Duration: what was granted (PRIM-151,
 * ERR-95). */
void prim_session_put_granted(struct prim_buf *b, const struct prim_command *c,
    uint64_t seconds);

#endif
