/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_AUTH_WORLD_H
#define TESTS_BRIDGE_AUTH_WORLD_H

/* Authentication over a store in memory with two accounts, and a client who
 * remembers the last answer. */

#include "tests/bridge/store_world.h"

#include <gsasl.h>

#include "bridge/auth.h"
#include "bridge/worker.h"
#include "prim/base.h"

#define ANN      "ann@here.example"
#define SESAME   "open s\xc3\xa9same"
#define ODD      "a=b@here.example" /* SCRAM escapes the '=' */
#define NOBODY   "zoe@here.example"
#define ANYWHERE "192.0.2.1"

struct auth_world {
	struct world in; /* the loop and the store */
	struct br_config config;
	struct br_auth *auth;
	int64_t now_ms;
	struct br_auth_exchange *x;
	unsigned answers; /* to the last call */
	enum br_auth_outcome outcome;
	char mechanism[32];
	char data[8192];
	size_t data_len;
};

static inline int64_t auth_clock(void *arg)
{
	return ((const struct auth_world *)arg)->now_ms;
}

/* `secret`: what is kept for CRAM-MD5. */
static inline void add_account_with(struct auth_world *w, const char *address,
    const char *secret)
{
	struct br_store_account account = {
		.key = prim_slice_of(address),
		.address = prim_slice_of(address),
		.cram_secret = prim_slice_of(secret),
	};
	struct br_err err = { "" };
	struct heard heard = { 0 };

	assert_true(br_auth_verifier(PRIM_SLICE(SESAME), &account, &err));
	br_store_account_put(w->in.store, &account, on_done, &heard);
	world_expect(&w->in, &heard, BR_STORE_DONE);
}

static inline void add_account(struct auth_world *w, const char *address)
{
	add_account_with(w, address, "");
}

static inline int auth_set_up(void **state)
{
	static struct auth_world w;

	br_log_set_sink(world_hush, NULL);
	memset(&w, 0, sizeof(w));
	(void)snprintf(w.in.dir, sizeof(w.in.dir), ":memory:");
	world_open(&w.in);
	add_account(&w, ANN);
	add_account(&w, ODD);
	w.config.mechanisms = BR_MECH_SCRAM_SHA_256_PLUS |
	    BR_MECH_SCRAM_SHA_256 | BR_MECH_PLAIN | BR_MECH_EXTERNAL;
	w.auth = br_auth_new(w.in.base, w.in.store, &w.config);
	br_auth_set_clock(w.auth, auth_clock, &w);
	*state = &w;
	return 0;
}

/* In the order that br_auth_free() asks for. */
static inline int auth_tear_down(void **state)
{
	struct auth_world *w = *state;

	w->x = br_auth_cancel(w->x);
	w->in.store = br_store_close(w->in.store);
	w->auth = br_auth_free(w->auth);
	event_base_free(w->in.base);
	return 0;
}

static inline bool is_final(const struct auth_world *w)
{
	return w->answers > 0 && w->outcome != BR_AUTH_CHALLENGE;
}

static inline void on_answer(void *arg, const struct br_auth_answer *answer)
{
	struct auth_world *w = arg;

	w->answers++;
	w->outcome = answer->outcome;
	(void)snprintf(w->mechanism, sizeof(w->mechanism), "%.*s",
	    PRIM_SLICE_ARG(answer->mechanism));
	assert_true(answer->data.len < sizeof(w->data));
	w->data_len = answer->data.len;
	if (answer->data.len > 0)
		memcpy(w->data, answer->data.ptr, answer->data.len);
	w->data[answer->data.len] = '\0';
	if (is_final(w))
		w->x = NULL;
}

static inline void turn(struct auth_world *w)
{
	event_base_loop(w->in.base, EVLOOP_NONBLOCK);
}

static inline void await(struct auth_world *w)
{
	while (w->answers == 0)
		event_base_loop(w->in.base, EVLOOP_ONCE);
	assert_int_equal(w->answers, 1);
}

static inline struct br_auth_start start_of(const char *key,
    const char *mechanisms, struct prim_slice body)
{
	return (struct br_auth_start){ .key = prim_slice_of(key),
		.address = prim_slice_of(key),
		.mechanisms = prim_slice_of(mechanisms),
		.body = body,
		.remote = PRIM_SLICE(ANYWHERE),
		.is_secure = true };
}

static inline void begin_with(struct auth_world *w,
    const struct br_auth_start *start)
{
	w->answers = 0;
	w->x = br_auth_begin(w->auth, start, on_answer, w);
}

static inline void begin(struct auth_world *w, const char *key,
    const char *mechanisms, struct prim_slice body)
{
	const struct br_auth_start start = start_of(key, mechanisms, body);

	begin_with(w, &start);
}

static inline void go_on(struct auth_world *w, const char *mechanism,
    struct prim_slice body)
{
	assert_non_null(w->x);
	w->answers = 0;
	br_auth_continue(w->x, prim_slice_of(mechanism), body);
}

static inline void expect(struct auth_world *w, enum br_auth_outcome outcome)
{
	await(w);
	assert_int_equal(w->outcome, outcome);
}

static inline struct prim_slice data_of(const struct auth_world *w)
{
	return prim_slice_make(w->data, w->data_len);
}

/* Fails so often that the next attempt has to wait a second. */
static inline void be_slowed_down(struct auth_world *w)
{
	for (unsigned i = 0; i < 5; i++) {
		begin(w, ANN, "PLAIN", PRIM_SLICE("nonsense"));
		expect(w, BR_AUTH_FAILED);
	}
}

/* ---- a client of libgsasl's own ---- */

struct scram {
	Gsasl *gsasl;
	Gsasl_session *session;
	char *out; /* the last message */
	size_t len;
	int result;
};

static inline void scram_open_as(struct scram *s, const char *mechanism,
    const char *user, const char *password)
{
	memset(s, 0, sizeof(*s));
	assert_int_equal(gsasl_init(&s->gsasl), GSASL_OK);
	assert_int_equal(gsasl_client_start(s->gsasl, mechanism, &s->session),
	    GSASL_OK);
	gsasl_property_set(s->session, GSASL_AUTHID, user);
	gsasl_property_set(s->session, GSASL_PASSWORD, password);
}

static inline void scram_open(struct scram *s, const char *user,
    const char *password)
{
	scram_open_as(s, "SCRAM-SHA-256", user, password);
}

static inline void scram_close(struct scram *s)
{
	gsasl_free(s->out);
	gsasl_finish(s->session);
	gsasl_done(s->gsasl);
}

static inline struct prim_slice scram_step(struct scram *s,
    struct prim_slice in)
{
	gsasl_free(s->out);
	s->out = NULL;
	s->result = gsasl_step(s->session, in.ptr, in.len, &s->out, &s->len);
	return prim_slice_make(s->out, s->len);
}

#endif
