/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_AUTH_H
#define BRIDGE_AUTH_H

/*
 * Who is it? The server's half of SASL (libgsasl) for LOGIN: SCRAM-SHA-256,
 * with and without channel binding, PLAIN and CRAM-MD5, in the body forms of
 * the drafts and of the SASL texts. EXTERNAL and ANONYMOUS are known and not
 * offered yet.
 *
 * CRAM-MD5 computes with the password itself. Where it is not listed, none is
 * kept: those that were are forgotten by br_auth_new().
 *
 * Key derivation runs on worker threads with a bounded queue; an unknown user
 * costs as much as a known one and looks the same (PRIM-100).
 *
 * After 5 failures in a minute from one source (an IPv4 address, an IPv6 /64)
 * an attempt from there waits before it is tried, 1 s doubling to 30 s; an
 * account with 20 failures a minute waits 1 s. A source may have 256 exchanges
 * open, all together 1,024.
 */

#include <stdbool.h>
#include <stdint.h>

#include "bridge/config.h"
#include "bridge/store.h"
#include "prim/slice.h"

struct event_base;
struct br_auth;
struct br_auth_exchange;
struct br_worker;

enum br_auth_outcome {
	BR_AUTH_CHALLENGE, /* 100: `data` is the next challenge, or empty */
	BR_AUTH_OK,        /* 200: `data` is the last word (SCRAM), or empty */
	BR_AUTH_FAILED,    /* 406 and close */
	BR_AUTH_NO_MECHANISM, /* 406 and close, listing ours (PRIM-095) */
	BR_AUTH_OVERLOADED,   /* 500: too many at once; may come again */
};

struct br_auth_answer {
	enum br_auth_outcome outcome;
	struct prim_slice mechanism; /* the selected one; static */
	struct prim_slice data;      /* borrowed during the callback */
};

/* Called exactly once for each br_auth_begin() and br_auth_continue(), maybe
 * from inside it. After OK, FAILED, NO_MECHANISM and OVERLOADED the exchange is over
 * and released by then; the caller forgets it. */
typedef void (*br_auth_fn)(void *arg, const struct br_auth_answer *answer);

/* The throttle's clock: monotonic, in ms. */
typedef int64_t (*br_auth_clock_fn)(void *arg);

struct br_auth *br_auth_new(struct event_base *base, struct br_store *store,
    const struct br_config *config);
/* Every exchange has been cancelled or is over, and the store is closed or owes
 * us no callback (a cancelled exchange may still have a look-up there). */
struct br_auth *br_auth_free(struct br_auth *auth);
/* Takes over what a new configuration says; exchanges go on as they began. */
void br_auth_configure(struct br_auth *auth, const struct br_config *config);
/* The workers, for others who derive keys. */
struct br_worker *br_auth_worker(const struct br_auth *auth);
/* NULL restores the system's. */
void br_auth_set_clock(struct br_auth *auth, br_auth_clock_fn clock, void *arg);

/* For tests: what CRAM-MD5 says instead of what nobody can guess; borrowed.
 * NULL ends that. */
void br_auth_set_challenge(struct br_auth *auth, const char *challenge);

/* How a connection is protected. */
enum br_auth_wire {
	BR_AUTH_CLEAR,
	BR_AUTH_TLS,
	BR_AUTH_BOUND, /* TLS, and there is a sound channel binding */
	BR_AUTH_WIRES
};

/* What we offer on a connection, most wanted first, separated by SP; static
 * memory of `auth`. PLAIN and CRAM-MD5 are not among them without TLS unless
 * auth.allow_plaintext. */
struct prim_slice br_auth_offer(const struct br_auth *auth,
    enum br_auth_wire wire);

struct br_auth_start {
	struct prim_slice key;        /* canonical From: who it claims to be */
	struct prim_slice address;    /* From without scheme, as spelled */
	struct prim_slice mechanisms; /* SASL-Mech, as it stands */
	struct prim_slice body;       /* an initial response, or empty */
	struct prim_slice remote;     /* the peer's address, for the throttle */
	bool is_secure;               /* TLS is on */
	const uint8_t *binding;       /* BR_TLS_BINDING_LEN octets (tls.h), or
	                                 NULL: TLS has none that is sound */
};

/* Begins an exchange: selects the first mechanism in the client's order that
 * we offer (PRIM-089); a body with exactly one mechanism named is its initial
 * response (ERR-51). NULL when it ended inside the call. */
struct br_auth_exchange *br_auth_begin(struct br_auth *auth,
    const struct br_auth_start *start, br_auth_fn done, void *arg);

/* The client's next message; `mechanism` must be the selected one, else
 * FAILED. Must not be called while an answer is due. */
void br_auth_continue(struct br_auth_exchange *x, struct prim_slice mechanism,
    struct prim_slice body);

/* Ends an exchange without an answer. NULL is fine; returns NULL. */
struct br_auth_exchange *br_auth_cancel(struct br_auth_exchange *x);

/* Derives the verifier of a new password (SASLprep, 16 random octets of salt,
 * 4,096 iterations or more) into `out`'s iterations, salt, stored_key,
 * server_key. Blocking, about a millisecond: for primctl and the control
 * socket's worker. False: the password is empty, too long (1,024 octets) or
 * not allowed by SASLprep; `err` says which. */
bool br_auth_verifier(struct prim_slice password, struct br_store_account *out,
    struct br_err *err);

#endif
