/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_CONTROL_WORLD_H
#define TESTS_BRIDGE_CONTROL_WORLD_H

/* The operator's commands, on a store in memory, and what is said of them. */

#include "tests/lib/t.h"

#include <event2/event.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/clock.h"
#include "bridge/config.h"
#include "bridge/control.h"
#include "bridge/log.h"
#include "bridge/store.h"
#include "bridge/worker.h"
#include "prim/base.h"

#define WORLD_CONFIG                                                           \
	"domains: [example.org, second.example]\n"                             \
	"limits: { offline_messages: 3 }\n"                                    \
	"routes:\n"                                                            \
	"  - { domain: jabber.example, via: xmpp, relay: [friend.example] }\n" \
	"  - { domain: .deep.example, via: xmpp, queue: false }\n"             \
	"  - { domain: friend.example, via: other }\n"                         \
	"adapters:\n"                                                          \
	"  - { name: xmpp, plugin: xmpp }\n"                                   \
	"  - { name: other, plugin: echo, options: { domain: o.example } }\n"

struct world {
	struct event_base *base;
	struct br_config *config;
	struct br_router *router;
	struct br_identities *identities;
	struct br_control control;
	json_t *answer; /* of the last command */
	unsigned answers;
	char changed[64]; /* the last key that the server was told of */
	unsigned changes;
};

static inline void swallow(void *arg, struct prim_slice line)
{
	(void)arg;
	(void)line;
}

static inline int64_t world_now(void *ctx)
{
	(void)ctx;
	return br_clock_wall_ms();
}

static inline void open_identities(struct world *w)
{
	struct br_identities_context context = {
		.store = w->control.store,
		.config = w->config,
		.router = w->router,
		.now_ms = world_now,
	};
	struct br_err err = { "" };

	w->identities = br_identities_new(&context, &err);
	assert_string_equal(err.text, "");
	w->control.identities = w->identities;
}

static inline int setup_with(void **state, const char *config)
{
	struct world *w = prim_new(struct world);
	struct br_err err = { "" };

	br_log_set_sink(swallow, NULL);
	w->base = event_base_new();
	w->config = br_config_parse("test.yaml", prim_slice_of(config), NULL,
	    &err);
	assert_string_equal(err.text, "");
	w->router = br_router_new(w->config);
	w->control.config = w->config;
	w->control.router = w->router;
	w->control.store = br_store_open(w->base, ":memory:", &err);
	assert_non_null(w->control.store);
	open_identities(w);
	*state = w;
	return 0;
}

static inline int setup(void **state)
{
	return setup_with(state, WORLD_CONFIG);
}

static inline int teardown(void **state)
{
	struct world *w = *state;

	json_decref(w->answer);
	br_worker_close(w->control.worker);
	br_store_close(w->control.store);
	br_identities_free(w->identities);
	br_router_free(w->router);
	br_config_free(w->config);
	event_base_free(w->base);
	prim_free(w);
	br_log_set_sink(NULL, NULL);
	return 0;
}

static inline void on_answer(void *arg, const json_t *answer)
{
	struct world *w = arg;

	json_decref(w->answer);
	w->answer = json_deep_copy(answer);
	w->answers++;
}

/* `request` is taken. */
static inline void ask_json(struct world *w, json_t *request)
{
	unsigned before = w->answers;

	assert_non_null(request);
	br_control_run(&w->control, request, on_answer, w);
	json_decref(request);
	while (w->control.worker && br_worker_pending(w->control.worker) > 0)
		event_base_loop(w->base, EVLOOP_ONCE);
	br_store_settle(w->control.store);
	assert_int_equal(w->answers, before + 1);
}

static inline void make_account(struct world *w, const char *key)
{
	const struct br_store_account a = {
		.key = prim_slice_of(key),
		.address = prim_slice_of(key),
		.iterations = 4096,
	};

	br_store_account_put(w->control.store, &a, NULL, NULL);
	br_store_settle(w->control.store);
}

static inline void ask(struct world *w, const char *request)
{
	ask_json(w, json_loads(request, JSON_DECODE_ANY, NULL));
}

static inline bool is_ok(const struct world *w)
{
	return json_is_true(json_object_get(w->answer, "ok"));
}

/* A member of what came of the last command, which went well. */
static inline const json_t *result(const struct world *w, const char *name)
{
	assert_true(is_ok(w));
	return json_object_get(json_object_get(w->answer, "result"), name);
}

static inline void assert_error(const struct world *w, const char *part)
{
	const char *error = json_string_value(json_object_get(w->answer,
	    "error"));

	assert_true(json_is_false(json_object_get(w->answer, "ok")));
	assert_non_null(error);
	if (!strstr(error, part))
		fail_msg("'%s' does not say '%s'", error, part);
}

/* What a person sees of the last result; release with free(). */
static inline char *shown(const struct world *w, const char *command)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	br_control_show(out, command, json_object_get(w->answer, "result"));
	fclose(out);
	return text;
}

static inline void assert_not_shown(const struct world *w, const char *command,
    const char *part)
{
	char *text = shown(w, command);

	if (strstr(text, part))
		fail_msg("'%s' shows '%s'", text, part);
	free(text);
}

static inline void assert_shown(const struct world *w, const char *command,
    const char *part)
{
	char *text = shown(w, command);

	if (!strstr(text, part))
		fail_msg("'%s' does not show '%s'", text, part);
	free(text);
}

#endif
