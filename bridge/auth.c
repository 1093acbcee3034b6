/* SPDX-License-Identifier: ISC */
/* The server's half of SASL: mechanisms by libgsasl. */

#include "bridge/auth.h"

#include <assert.h>
#include <gsasl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "bridge/auth_body.h"
#include "bridge/auth_exchange.h"
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

/* ---- SCRAM-SHA-256 ---- */

static void scram_put(Gsasl_session *sasl, Gsasl_property property,
    const uint8_t *octets, size_t len)
{
	char *text = NULL;

	if (gsasl_base64_to((const char *)octets, len, &text, NULL) != GSASL_OK)
		abort();
	gsasl_property_set(sasl, property, text);
	gsasl_free(text);
}

/* Whatever libgsasl will ask for is there before it asks: no callback. */
static void scram_open(struct br_auth_exchange *x)
{
	const struct br_auth_verifier *v = &x->verifier;
	char iterations[16];

	if (gsasl_server_start(x->auth->sasl, "SCRAM-SHA-256", &x->sasl) !=
	    GSASL_OK)
		abort();
	snprintf(iterations, sizeof(iterations), "%u", v->iterations);
	gsasl_property_set(x->sasl, GSASL_SCRAM_ITER, iterations);
	scram_put(x->sasl, GSASL_SCRAM_SALT, v->salt, v->salt_len);
	/* In base64, whatever gsasl.h says. */
	scram_put(x->sasl, GSASL_SCRAM_STOREDKEY, v->stored_key, BR_HASH_LEN);
	scram_put(x->sasl, GSASL_SCRAM_SERVERKEY, v->server_key, BR_HASH_LEN);
}

static void scram_fini(struct br_auth_exchange *x)
{
	if (x->sasl)
		gsasl_finish(x->sasl);
	x->sasl = NULL;
}

/* ERR-64, PRIM-107. libgsasl has undone =2C and =3D. */
static bool scram_names_us(const struct br_auth_exchange *x)
{
	const char *user = gsasl_property_fast(x->sasl, GSASL_AUTHID);
	const char *authzid = gsasl_property_fast(x->sasl, GSASL_AUTHZID);
	const struct prim_slice key = prim_slice_of(x->key);

	return br_auth_body_names(prim_slice_of(user), key) &&
	    (!authzid || br_auth_body_names(prim_slice_of(authzid), key));
}

static void scram_found(struct br_auth_exchange *x)
{
	char *out = NULL;
	size_t len = 0;
	int result;

	scram_open(x);
	result = gsasl_step(x->sasl, x->body, x->body_len, &out, &len);
	if (result == GSASL_NEEDS_MORE && scram_names_us(x))
		br_auth_exchange_challenge(x, prim_slice_make(out, len));
	else
		br_auth_exchange_fail(x);
	gsasl_free(out);
}

static void scram_last(struct br_auth_exchange *x)
{
	char *out = NULL;
	size_t len = 0;
	const int result = gsasl_step(x->sasl, x->body, x->body_len, &out,
	    &len);

	if (result == GSASL_OK && x->verifier.is_real)
		br_auth_exchange_end(x, BR_AUTH_OK, prim_slice_make(out, len));
	else
		br_auth_exchange_fail(x);
	gsasl_free(out);
}

static void scram_message(struct br_auth_exchange *x)
{
	const struct prim_slice body = br_auth_exchange_body(x);

	if (!x->sasl && br_auth_body_scram_first(body))
		br_auth_exchange_look_up(x);
	else if (x->sasl && br_auth_body_scram(body))
		br_auth_exchange_pace(x, scram_last);
	else
		br_auth_exchange_fail(x);
}

/* ---- choosing a mechanism ---- */

/* The most wanted first. */
static const struct br_auth_mechanism MECHANISMS[] = {
	{.name = { "SCRAM-SHA-256", sizeof("SCRAM-SHA-256") - 1 },
         .bit = BR_MECH_SCRAM_SHA_256,
         .message = scram_message,
         .found = scram_found,
         .fini = scram_fini  },
	{ .name = { "PLAIN", sizeof("PLAIN") - 1 },
         .bit = BR_MECH_PLAIN,
         .is_clear = true,
         .message = plain_message,
         .found = plain_found},
};

/* ERR-67: no password in the clear unless the operator wants it so. */
static bool is_offered(const struct br_auth *auth,
    const struct br_auth_mechanism *m, bool is_secure)
{
	return (auth->mechanisms & m->bit) &&
	    (is_secure || !m->is_clear || auth->allow_plaintext);
}

static const struct br_auth_mechanism *find(const struct br_auth *auth,
    struct prim_slice name, bool is_secure)
{
	for (size_t i = 0; i < PRIM_COUNT(MECHANISMS); i++)
		if (prim_slice_eq_nocase(MECHANISMS[i].name, name))
			return is_offered(auth, &MECHANISMS[i], is_secure)
			    ? &MECHANISMS[i]
			    : NULL;
	return NULL;
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
			chosen = find(auth, name, start->is_secure);
	*out_single = count == 1;
	return chosen;
}

static void fill_offer(struct br_auth *auth, bool is_secure)
{
	char *offer = auth->offer[is_secure];
	size_t len = 0;

	offer[0] = '\0';
	for (size_t i = 0; i < PRIM_COUNT(MECHANISMS); i++)
		if (is_offered(auth, &MECHANISMS[i], is_secure))
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

struct br_auth *br_auth_new(struct event_base *base, struct br_store *store,
    const struct br_config *config)
{
	struct br_auth *auth = prim_new(struct br_auth);
	uint8_t random[PRIM_HASH_KEY_LEN];
	struct prim_hash_key key;

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
	fill_offer(auth, false);
	fill_offer(auth, true);
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

struct prim_slice br_auth_offer(const struct br_auth *auth, bool is_secure)
{
	return prim_slice_of(auth->offer[is_secure]);
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
	if (is_single && start->body.len > 0)
		br_auth_exchange_receive(x, start->body);
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
