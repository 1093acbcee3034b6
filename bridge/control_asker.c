/* SPDX-License-Identifier: ISC */
/* Asks the primd of a folder, or opens the store itself when none runs. */

#include <event2/event.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

#include "bridge/clock.h"
#include "bridge/config.h"
#include "bridge/control.h"
#include "bridge/control_copy.h"
#include "bridge/lock.h"
#include "bridge/router.h"
#include "bridge/store.h"
#include "prim/base.h"

#define LOCK_TRIES   20 /* a primd that starts or stops has the lock only */
#define LOCK_WAIT_MS 100

struct br_control_asker {
	const struct br_config *config; /* borrowed */
	bool needs_store;
	struct event_base *base;  /* owned; NULL until something runs here */
	struct br_lock *lock;     /* owned; NULL: the store is not ours */
	struct br_store *store;   /* owned; NULL: not open */
	struct br_router *router; /* owned; with the store */
	struct br_identities *identities; /* owned; with the store */
};

static void on_answer(void *arg, const json_t *answer)
{
	json_t **out_answer = arg;

	*out_answer = json_deep_copy(answer);
}

static bool base_open(struct br_control_asker *a, struct br_err *err)
{
	if (!a->base)
		a->base = event_base_new();
	return a->base || br_err_set(err, "no event loop");
}

/* No primd runs: with the store open, or the command needs none. */
static json_t *ask_here(struct br_control_asker *a, const json_t *request,
    struct br_err *err)
{
	struct br_control control = { .config = a->config,
		.store = a->store,
		.router = a->router,
		.identities = a->identities };
	json_t *answer = NULL;

	if (!base_open(a, err))
		return NULL;
	br_control_run(&control, request, on_answer, &answer);
	if (a->store)
		br_store_settle(a->store);
	if (!answer)
		br_err_set(err, "the command had no end");
	return answer;
}

static int64_t now_ms(void *ctx)
{
	(void)ctx;
	return br_clock_wall_ms();
}

static void store_close(struct br_control_asker *a)
{
	a->store = br_store_close(a->store);
	a->identities = br_identities_free(a->identities);
	a->router = br_router_free(a->router);
	a->lock = br_lock_close(a->lock);
}

static bool identities_open(struct br_control_asker *a, struct br_err *err)
{
	struct br_identities_context context = {
		.store = a->store,
		.config = a->config,
		.now_ms = now_ms,
	};

	a->router = br_router_new(a->config);
	context.router = a->router;
	a->identities = br_identities_new(&context, err);
	return a->identities;
}

static bool store_open(struct br_control_asker *a, struct br_err *err)
{
	if (!base_open(a, err))
		return false;
	a->store = br_store_open(a->base, a->config->data_dir, err);
	if (a->store && identities_open(a, err))
		return true;
	store_close(a);
	return false;
}

static void pause_ms(long ms)
{
	struct timespec t = { .tv_nsec = ms * 1000000 };

	nanosleep(&t, NULL);
}

struct br_control_asker *br_control_asker_open(const struct br_config *config,
    bool needs_store)
{
	struct br_control_asker *a = prim_new(struct br_control_asker);

	a->config = config;
	a->needs_store = needs_store;
	return a;
}

/* The first account of all is made before there is anything. */
static bool makes_data(const json_t *request)
{
	const char *command = json_string_value(json_object_get(request,
	    "command"));

	return command && strcmp(command, "account add") == 0;
}

/* The socket first; without one the lock. Who has the lock and no socket is
 * about to start or to end: look again. */
struct json_t *br_control_asker_ask(struct br_control_asker *a,
    const struct json_t *request, struct br_err *err)
{
	json_t *answer = NULL;

	for (int tries = 0; tries < LOCK_TRIES && !a->store; tries++) {
		switch (br_control_call(a->config->data_dir, request, &answer,
		    err)) {
		case BR_CONTROL_ANSWERED:
			return answer;
		case BR_CONTROL_FAILED:
			return NULL;
		case BR_CONTROL_NO_SERVER:
			break;
		}
		/* Asking again and again must not keep a primd from starting. */
		if (!a->needs_store)
			return ask_here(a, request, err);
		if (!makes_data(request) &&
		    !br_control_has_data(a->config, err))
			return NULL;
		a->lock = br_lock_open(a->config->data_dir, err);
		if (a->lock && !store_open(a, err))
			return NULL;
		if (!a->lock)
			pause_ms(LOCK_WAIT_MS);
	}
	return a->store ? ask_here(a, request, err) : NULL;
}

struct br_control_asker *br_control_asker_close(struct br_control_asker *a)
{
	if (!a)
		return NULL;
	store_close(a);
	if (a->base)
		event_base_free(a->base);
	return prim_free(a);
}
