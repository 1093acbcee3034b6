/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_AUTH_EXCHANGE_H
#define BRIDGE_AUTH_EXCHANGE_H

/*
 * The life of one SASL exchange, whatever its mechanism; for auth.c only.
 *
 *	message -> (wait) -> look-up -> (worker) -> answer
 *
 * What is asked elsewhere comes back to the exchange, so a cancelled one with a
 * question open stays, dead, until that was answered.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "bridge/auth.h"
#include "bridge/auth_throttle.h"
#include "bridge/auth_verifier.h"
#include "bridge/log.h"
#include "bridge/tls.h"
#include "bridge/worker.h"

#define BR_AUTH_BODY_MAX      4096
#define BR_AUTH_EXCHANGES_MAX 1024
#define BR_AUTH_OFFER_MAX     64

struct Gsasl;
struct Gsasl_session;
struct event;
TAILQ_HEAD(br_auth_list, br_auth_exchange);

struct br_auth {
	struct br_log log;
	struct event_base *base;  /* borrowed: outlives us */
	struct br_store *store;   /* borrowed; br_auth_free() leaves it alone */
	struct br_worker *worker; /* owned */
	struct Gsasl *sasl;       /* owned */
	struct br_auth_list list; /* borrowed: every exchange, dead ones too */
	size_t count;             /* in `list` */
	struct br_auth_throttle throttle;
	uint8_t secret[32];  /* of the salts of those who are not here */
	unsigned mechanisms; /* enum br_mechanism */
	bool allow_plaintext;
	char offer[BR_AUTH_WIRES][BR_AUTH_OFFER_MAX];
	const char *challenge; /* borrowed; of a test, or NULL */
	br_auth_clock_fn clock;
	void *clock_arg; /* borrowed */
};

/* A step may end the exchange. */
typedef void (*br_auth_step_fn)(struct br_auth_exchange *x);

struct br_auth_mechanism {
	struct prim_slice name;
	enum br_mechanism bit;
	bool is_weak; /* shows the wire the password, or what to guess by */
	bool binds;   /* to the TLS connection */
	bool wants_secret;       /* x->secret, where there is one */
	br_auth_step_fn begin;   /* says what comes first; NULL: nothing does */
	br_auth_step_fn message; /* the client has said x->body */
	br_auth_step_fn found;   /* x->verifier is set */
	br_auth_step_fn fini;    /* NULL: nothing of its own to release */
};

struct br_auth_exchange {
	TAILQ_ENTRY(br_auth_exchange) link;
	struct br_auth *auth;                      /* borrowed: outlives us */
	const struct br_auth_mechanism *mechanism; /* borrowed: static */
	br_auth_fn done;
	void *arg;  /* borrowed: the caller's */
	char *key;  /* owned: who it claims to be */
	char *body; /* owned: the message at work, with a NUL behind it */
	size_t body_len;
	struct br_auth_attempt attempt;
	struct br_auth_verifier verifier;
	struct Gsasl_session *sasl; /* owned by the mechanism */
	bool can_bind;              /* -PLUS is offered on this connection */
	uint8_t binding[BR_TLS_BINDING_LEN];
	char *challenge;      /* owned: of CRAM-MD5 */
	char *secret;         /* owned: the account's cram_secret, or NULL */
	struct event *timer;  /* owned: while it waits */
	br_auth_step_fn next; /* after the wait */
	struct br_worker_job job;
	bool is_right; /* the worker's verdict */
	bool has_waited;
	bool is_away;   /* a look-up or a job will come back to us */
	bool is_dead;   /* cancelled meanwhile */
	bool *out_gone; /* borrowed: told when it is released; or NULL */
};

/* NULL when there are too many, in all or from that source. */
struct br_auth_exchange *br_auth_exchange_new(struct br_auth *auth,
    const struct br_auth_mechanism *mechanism,
    const struct br_auth_start *start);
void br_auth_exchange_release(struct br_auth_exchange *x);

/* Hands a message of the client to the mechanism. FAILED when it is too long. */
void br_auth_exchange_receive(struct br_auth_exchange *x,
    struct prim_slice body);
struct prim_slice br_auth_exchange_body(const struct br_auth_exchange *x);

/* Answers. The exchange may be gone after the first, and is after the others;
 * `data` must not be part of it. */
void br_auth_exchange_challenge(struct br_auth_exchange *x,
    struct prim_slice data);
void br_auth_exchange_end(struct br_auth_exchange *x,
    enum br_auth_outcome outcome, struct prim_slice data);
/* FAILED, counted, as soon as the throttle lets it. */
void br_auth_exchange_fail(struct br_auth_exchange *x);

/* Takes `step` when the throttle lets it. */
void br_auth_exchange_pace(struct br_auth_exchange *x, br_auth_step_fn step);

/* Finds the verifier (a made-up one for who is not here), then `found`. */
void br_auth_exchange_look_up(struct br_auth_exchange *x);

/* Runs `run` on a worker, then `done` on the loop unless the exchange died; or
 * ends it as OVERLOADED. */
void br_auth_exchange_work(struct br_auth_exchange *x, br_worker_fn run,
    br_auth_step_fn done);

#endif
