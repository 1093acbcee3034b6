/* SPDX-License-Identifier: ISC */
/* The life of one SASL exchange. */

#include "bridge/auth_exchange.h"

#include <event2/event.h>
#include <string.h>

#include "bridge/auth_body.h"
#include "bridge/clock.h"
#include "prim/base.h"

static int64_t now_ms(const struct br_auth *auth)
{
	return auth->clock(auth->clock_arg);
}

struct br_auth_exchange *br_auth_exchange_new(struct br_auth *auth,
    const struct br_auth_mechanism *mechanism,
    const struct br_auth_start *start)
{
	const struct br_auth_attempt attempt =
	    br_auth_throttle_attempt(&auth->throttle, start->remote,
		start->key);
	struct br_auth_exchange *x;

	if (auth->count >= BR_AUTH_EXCHANGES_MAX ||
	    !br_auth_throttle_enter(&auth->throttle, &attempt, now_ms(auth)))
		return NULL;
	x = prim_new(struct br_auth_exchange);
	x->auth = auth;
	x->mechanism = mechanism;
	x->key = prim_slice_copy(start->key);
	x->attempt = attempt;
	TAILQ_INSERT_TAIL(&auth->list, x, link);
	auth->count++;
	return x;
}

static void drop_body(struct br_auth_exchange *x)
{
	if (x->body)
		explicit_bzero(x->body, x->body_len);
	x->body = prim_free(x->body);
	x->body_len = 0;
}

void br_auth_exchange_release(struct br_auth_exchange *x)
{
	TAILQ_REMOVE(&x->auth->list, x, link);
	x->auth->count--;
	br_auth_throttle_leave(&x->auth->throttle, &x->attempt);
	if (x->mechanism->fini)
		x->mechanism->fini(x);
	if (x->timer)
		event_free(x->timer);
	if (x->out_gone)
		*x->out_gone = true;
	drop_body(x);
	if (x->secret)
		explicit_bzero(x->secret, strlen(x->secret));
	prim_free(x->secret);
	prim_free(x->challenge);
	prim_free(x->key);
	explicit_bzero(&x->verifier, sizeof(x->verifier));
	prim_free(x);
}

void br_auth_exchange_receive(struct br_auth_exchange *x,
    struct prim_slice body)
{
	if (body.len > BR_AUTH_BODY_MAX) {
		br_auth_exchange_fail(x);
		return;
	}
	body = br_auth_body_trim(body);
	drop_body(x);
	x->body = prim_slice_copy(body);
	x->body_len = body.len;
	x->mechanism->message(x);
}

struct prim_slice br_auth_exchange_body(const struct br_auth_exchange *x)
{
	return prim_slice_make(x->body, x->body_len);
}

void br_auth_exchange_challenge(struct br_auth_exchange *x,
    struct prim_slice data)
{
	const struct br_auth_answer answer = { .outcome = BR_AUTH_CHALLENGE,
		.mechanism = x->mechanism->name,
		.data = data };

	drop_body(x);
	x->done(x->arg, &answer);
}

void br_auth_exchange_end(struct br_auth_exchange *x,
    enum br_auth_outcome outcome, struct prim_slice data)
{
	const struct br_auth_answer answer = { .outcome = outcome,
		.mechanism = x->mechanism->name,
		.data = data };
	const br_auth_fn done = x->done;
	void *const arg = x->arg;

	br_auth_exchange_release(x);
	done(arg, &answer);
}

static void on_waited(evutil_socket_t fd, short what, void *arg)
{
	struct br_auth_exchange *x = arg;

	(void)fd;
	(void)what;
	event_free(x->timer);
	x->timer = NULL;
	x->next(x);
}

/* The wait stands before the check, not behind it: who hangs up early has then
 * tried nothing. Once an exchange. */
void br_auth_exchange_pace(struct br_auth_exchange *x, br_auth_step_fn step)
{
	const struct br_auth *auth = x->auth;
	struct timeval wait;
	int64_t ms = 0;

	if (!x->has_waited)
		ms = br_auth_throttle_wait_ms(&auth->throttle, &x->attempt,
		    now_ms(auth));
	x->has_waited = true;
	if (ms == 0) {
		step(x);
		return;
	}
	wait = br_clock_timeval(ms);
	x->next = step;
	x->timer = evtimer_new(auth->base, on_waited, x);
	evtimer_add(x->timer, &wait);
}

static void fail_now(struct br_auth_exchange *x)
{
	br_auth_throttle_fail(&x->auth->throttle, &x->attempt, now_ms(x->auth));
	br_auth_exchange_end(x, BR_AUTH_FAILED, PRIM_SLICE_NONE);
}

void br_auth_exchange_fail(struct br_auth_exchange *x)
{
	br_auth_exchange_pace(x, fail_now);
}

/* A salt that stays the same for a name as long as the database does, so that
 * a stranger cannot tell who is here (PRIM-100). */
static void make_salt(const struct br_auth *auth, const char *key,
    uint8_t out_salt[BR_AUTH_SALT_LEN])
{
	const struct prim_hash_key secret = prim_hash_key_from(auth->secret);
	struct prim_hasher h;
	struct prim_digest digest;

	prim_hasher_init(&h, &secret);
	prim_hasher_feed_field(&h, PRIM_SLICE("auth salt"));
	prim_hasher_feed_field(&h,
	    prim_slice_make((const char *)auth->secret + PRIM_HASH_KEY_LEN,
		sizeof(auth->secret) - PRIM_HASH_KEY_LEN));
	prim_hasher_feed_field(&h, prim_slice_of(key));
	digest = prim_hasher_digest(&h);
	memcpy(out_salt, digest.octets, BR_AUTH_SALT_LEN);
}

static void set_verifier(struct br_auth_exchange *x,
    const struct br_store_account *account)
{
	struct br_auth_verifier *v = &x->verifier;

	v->is_real = account != NULL;
	if (!account) {
		v->iterations = BR_AUTH_ITERATIONS;
		v->salt_len = BR_AUTH_SALT_LEN;
		make_salt(x->auth, x->key, v->salt);
		return;
	}
	if (x->mechanism->wants_secret && account->cram_secret.len > 0)
		x->secret = prim_slice_copy(account->cram_secret);
	v->iterations = account->iterations;
	v->salt_len = account->salt_len;
	memcpy(v->salt, account->salt, v->salt_len);
	memcpy(v->stored_key, account->stored_key, BR_HASH_LEN);
	memcpy(v->server_key, account->server_key, BR_HASH_LEN);
}

static void on_account(void *arg, const struct br_store_account *account,
    bool failed)
{
	struct br_auth_exchange *x = arg;

	x->is_away = false;
	if (x->is_dead) {
		br_auth_exchange_release(x);
	} else if (failed) {
		br_auth_exchange_end(x, BR_AUTH_OVERLOADED, PRIM_SLICE_NONE);
	} else {
		set_verifier(x, account);
		x->mechanism->found(x);
	}
}

void br_auth_exchange_look_up(struct br_auth_exchange *x)
{
	x->is_away = true;
	br_store_account_find(x->auth->store, prim_slice_of(x->key), on_account,
	    x);
}

static void on_worked(void *arg)
{
	struct br_auth_exchange *x = arg;

	x->is_away = false;
	if (x->is_dead)
		br_auth_exchange_release(x);
	else
		x->next(x);
}

void br_auth_exchange_work(struct br_auth_exchange *x, br_worker_fn run,
    br_auth_step_fn done)
{
	x->next = done;
	x->job =
	    (struct br_worker_job){ .run = run, .done = on_worked, .arg = x };
	x->is_away = br_worker_submit(x->auth->worker, &x->job);
	if (!x->is_away)
		br_auth_exchange_end(x, BR_AUTH_OVERLOADED, PRIM_SLICE_NONE);
}
