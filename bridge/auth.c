/* SPDX-License-Identifier: ISC */
/* The server's half of SASL: choosing a mechanism, and PLAIN. */

#include "bridge/auth.h"

#include <assert.h>
#include <gsasl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "bridge/auth_body.h"
#include "bridge/auth_mechanism.h"
#include "bridge/clock.h"
#include "prim/base.h"

/* ---- PLAIN ---- */

/* The password of a body that is right in all else, or NULL. Ends in NUL, as
 * x->body does. */
static const char *plain_password(const struct br_auth_exchange *x)
{
	const struct prim_slice key = prim_slice_of(x->key);
	struct br_auth_plain plain;

	if (!br_auth_body_plain(br_auth_exchange_body(x), &plain) ||
	    plain.password.len == 0 ||
	    plain.password.len > BR_AUTH_PASSWORD_MAX ||
	    !br_auth_body_names(plain.user, key) ||
	    (plain.authzid.len > 0 && !br_auth_body_names(plain.authzid, key)))
		return NULL;
	return plain.password.ptr;
}

/* On a worker. */
static void plain_run(void *arg)
{
	struct br_auth_exchange *x = arg;

	x->is_right = br_auth_verifier_check(&x->verifier, plain_password(x));
}

static void plain_done(struct br_auth_exchange *x)
{
	if (x->is_right)
		br_auth_exchange_end(x, BR_AUTH_OK, PRIM_SLICE_NONE);
	else
		br_auth_exchange_fail(x);
}

static void plain_found(struct br_auth_exchange *x)
{
	br_auth_exchange_work(x, plain_run, plain_done);
}

static void plain_message(struct br_auth_exchange *x)
{
	br_auth_exchange_pace(x, br_auth_exchange_look_up);
}

/* ---- choosing a mechanism ---- */

/* The most wanted first. */
static const struct br_auth_mechanism MECHANISMS[] = {
	{.name = { "SCRAM-SHA-256-PLUS", sizeof("SCRAM-SHA-256-PLUS") - 1 },
         .bit = BR_MECH_SCRAM_SHA_256_PLUS,
         .binds = true,
         .message = br_auth_scram_message,
         .found = br_auth_scram_found,
         .fini = br_auth_scram_fini },
	{ .name = { "SCRAM-SHA-256", sizeof("SCRAM-SHA-256") - 1 },
         .bit = BR_MECH_SCRAM_SHA_256,
         .message = br_auth_scram_message,
         .found = br_auth_scram_found,
         .fini = br_auth_scram_fini},
	{ .name = { "CRAM-MD5", sizeof("CRAM-MD5") - 1 },
         .bit = BR_MECH_CRAM_MD5,
         .is_weak = true,
         .wants_secret = true,
         .begin = br_auth_cram_begin,
         .message = br_auth_cram_message,
         .found = br_auth_cram_found },
	{ .name = { "PLAIN", sizeof("PLAIN") - 1 },
         .bit = BR_MECH_PLAIN,
         .is_weak = true,
         .message = plain_message,
         .found = plain_found        },
};

/* ERR-67: no password in the clear unless the operator wants it so, nor what
 * it can be guessed from offline. */
static bool is_offered(const struct br_auth *auth,
    const struct br_auth_mechanism *m, enum br_auth_wire wire)
{
	return (auth->mechanisms & m->bit) &&
	    (!m->is_weak || wire != BR_AUTH_CLEAR || auth->allow_plaintext) &&
	    (!m->binds || wire == BR_AUTH_BOUND);
}

static const struct br_auth_mechanism *find(const struct br_auth *auth,
    struct prim_slice name, enum br_auth_wire wire)
{
	for (size_t i = 0; i < PRIM_COUNT(MECHANISMS); i++)
		if (prim_slice_eq_nocase(MECHANISMS[i].name, name))
			return is_offered(auth, &MECHANISMS[i], wire)
			    ? &MECHANISMS[i]
			    : NULL;
	return NULL;
}

static enum br_auth_wire wire_of(const struct br_auth_start *start)
{
	if (!start->is_secure)
		return BR_AUTH_CLEAR;
	return start->binding ? BR_AUTH_BOUND : BR_AUTH_TLS;
}

/* PRIM-089. `out_single`: exactly one was named, whatever it is. */
static const struct br_auth_mechanism *choose(const struct br_auth *auth,
    const struct br_auth_start *start, bool *out_single)
{
	const struct br_auth_mechanism *chosen = NULL;
	struct prim_slice rest = start->mechanisms, name;
	size_t count = 0;

	for (; br_auth_body_mechanism(&rest, &name); count++)
		if (!chosen)
			chosen = find(auth, name, wire_of(start));
	*out_single = count == 1;
	return chosen;
}

static void fill_offer(struct br_auth *auth, enum br_auth_wire wire)
{
	char *offer = auth->offer[wire];
	size_t len = 0;

	offer[0] = '\0';
	for (size_t i = 0; i < PRIM_COUNT(MECHANISMS); i++)
		if (is_offered(auth, &MECHANISMS[i], wire))
			len += (size_t)snprintf(offer + len,
			    BR_AUTH_OFFER_MAX - len, "%s%s", len ? " " : "",
			    MECHANISMS[i].name.ptr);
}

/* ---- the public face ---- */

static int64_t monotonic_ms(void *arg)
{
	(void)arg;
	return br_clock_steady_ms();
}

static void random_octets(void *out, size_t len)
{
	if (getrandom(out, len, 0) != (ssize_t)len)
		abort();
}

static void on_purged(void *arg, enum br_store_outcome outcome, unsigned count)
{
	const struct br_auth *auth = arg;

	if (outcome == BR_STORE_DONE && count > 0)
		br_info(&auth->log,
		    "secrets purged mechanism=CRAM-MD5 "
		    "accounts=%u reason=%s",
		    count,
		    br_quote(PRIM_SLICE("not listed in auth.mechanisms")));
}

struct br_auth *br_auth_new(struct event_base *base, struct br_store *store,
    const struct br_config *config)
{
	struct br_auth *auth = prim_new(struct br_auth);
	uint8_t random[PRIM_HASH_KEY_LEN];
	struct prim_hash_key key;

	br_log_init(&auth->log, NULL, "auth");
	auth->base = base;
	auth->store = store;
	if (gsasl_init(&auth->sasl) != GSASL_OK)
		abort();
	auth->worker = br_worker_open(base, BR_WORKER_THREADS, BR_WORKER_JOBS);
	TAILQ_INIT(&auth->list);
	random_octets(random, sizeof(random));
	key = prim_hash_key_from(random);
	br_auth_throttle_init(&auth->throttle, &key);
	br_store_secret(store, auth->secret);
	br_auth_set_clock(auth, NULL, NULL);
	br_auth_configure(auth, config);
	if (!(config->mechanisms & BR_MECH_CRAM_MD5))
		br_store_account_purge(store, on_purged, auth);
	return auth;
}

struct br_auth *br_auth_free(struct br_auth *auth)
{
	if (!auth)
		return NULL;
	auth->worker = br_worker_close(auth->worker);
	/* What is left has died, and waits for a store that is closed. */
	while (!TAILQ_EMPTY(&auth->list))
		br_auth_exchange_release(TAILQ_FIRST(&auth->list));
	br_auth_throttle_fini(&auth->throttle);
	gsasl_done(auth->sasl);
	explicit_bzero(auth->secret, sizeof(auth->secret));
	return prim_free(auth);
}

void br_auth_configure(struct br_auth *auth, const struct br_config *config)
{
	auth->mechanisms = config->mechanisms;
	auth->allow_plaintext = config->allow_plaintext;
	for (int wire = 0; wire < BR_AUTH_WIRES; wire++)
		fill_offer(auth, (enum br_auth_wire)wire);
}

void br_auth_set_clock(struct br_auth *auth, br_auth_clock_fn clock, void *arg)
{
	auth->clock = clock ? clock : monotonic_ms;
	auth->clock_arg = arg;
}

struct br_worker *br_auth_worker(const struct br_auth *auth)
{
	return auth->worker;
}

void br_auth_set_challenge(struct br_auth *auth, const char *challenge)
{
	auth->challenge = challenge;
}

struct prim_slice br_auth_offer(const struct br_auth *auth,
    enum br_auth_wire wire)
{
	return prim_slice_of(auth->offer[wire]);
}

/* Who offers to bind must notice when somebody on the way hides that from the
 * client, in the mechanisms without binding too (RFC 5802, 6). */
static void bind_to(struct br_auth_exchange *x,
    const struct br_auth_start *start)
{
	x->can_bind = (x->auth->mechanisms & BR_MECH_SCRAM_SHA_256_PLUS) &&
	    wire_of(start) == BR_AUTH_BOUND;
	if (x->can_bind)
		memcpy(x->binding, start->binding, BR_TLS_BINDING_LEN);
}

struct br_auth_exchange *br_auth_begin(struct br_auth *auth,
    const struct br_auth_start *start, br_auth_fn done, void *arg)
{
	struct br_auth_answer refusal = { .outcome = BR_AUTH_NO_MECHANISM };
	struct br_auth_exchange *x = NULL;
	const struct br_auth_mechanism *m;
	bool is_single, is_gone = false;

	m = choose(auth, start, &is_single);
	if (m) {
		refusal.outcome = BR_AUTH_OVERLOADED;
		refusal.mechanism = m->name;
		x = br_auth_exchange_new(auth, m, start);
	}
	if (!x) {
		done(arg, &refusal);
		return NULL;
	}
	x->done = done;
	x->arg = arg;
	x->out_gone = &is_gone;
	bind_to(x, start);
	if (is_single && start->body.len > 0)
		br_auth_exchange_receive(x, start->body);
	else if (m->begin)
		m->begin(x);
	else
		br_auth_exchange_challenge(x, PRIM_SLICE_NONE);
	if (is_gone)
		return NULL;
	x->out_gone = NULL;
	return x;
}

void br_auth_continue(struct br_auth_exchange *x, struct prim_slice mechanism,
    struct prim_slice body)
{
	assert(!x->is_away && !x->timer);
	if (prim_slice_eq_nocase(prim_slice_trim(mechanism),
		x->mechanism->name))
		br_auth_exchange_receive(x, body);
	else
		br_auth_exchange_fail(x);
}

struct br_auth_exchange *br_auth_cancel(struct br_auth_exchange *x)
{
	if (x && x->is_away)
		x->is_dead = true;
	else if (x)
		br_auth_exchange_release(x);
	return NULL;
}
