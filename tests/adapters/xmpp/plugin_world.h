/* SPDX-License-Identifier: ISC */
#ifndef TESTS_ADAPTERS_XMPP_PLUGIN_WORLD_H
#define TESTS_ADAPTERS_XMPP_PLUGIN_WORLD_H

/*
 * The whole adapter between a fake bridge and a fake server. To be included by
 * one file of a test program, after tests/lib/t.h.
 */

#include "adapters/xmpp/options.h"
#include "bridge/adapter.h"
#include "tests/adapters/xmpp/fake_bridge.h"
#include "tests/adapters/xmpp/fake_server.h"

#define ID      "00112233445566778899aabbccddeeff"
#define GUARD_S 5

struct world {
	struct bridge bridge;
	struct server server;
	struct xa_options options;
	FILE *secret;
	char secret_path[64];
	char domain[32];
	char gateway[32];
	void *state;
	bool started;
};

/* Turns the loop until `text` is in `b`. */
static inline void await(struct world *w, struct prim_buf *b, const char *text)
{
	time_t begin = time(NULL);

	while (!strstr(fake_text(b), text)) {
		if (time(NULL) - begin > GUARD_S)
			fail_msg("no %s in %s", text, b->ptr);
		event_base_loop(w->bridge.base, EVLOOP_ONCE);
	}
}

static inline void await_said(struct world *w, const char *text)
{
	await(w, &w->bridge.said, text);
}

static inline void await_heard(struct world *w, unsigned link, const char *text)
{
	time_t begin = time(NULL);

	while (w->server.link_count <= link) {
		assert_true(time(NULL) - begin <= GUARD_S);
		event_base_loop(w->bridge.base, EVLOOP_ONCE);
	}
	await(w, &w->server.links[link].heard, text);
}

static inline void say(struct world *w, const char *xml)
{
	server_say(&w->server.links[0], xml);
}

static inline bool was_said(struct world *w, const char *text)
{
	return strstr(fake_text(&w->bridge.said), text) != NULL;
}

static int on_tick_ms = 20;

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	((struct bridge *)arg)->now_ms += on_tick_ms;
}

/* The fake clock runs along with the loop, so that timers come true. */
static struct event *start_clock(struct bridge *b)
{
	const struct timeval tick = { 0, 20000 };
	struct event *e = event_new(b->base, -1, EV_PERSIST, on_tick, b);

	event_add(e, &tick);
	return e;
}

static struct event *ticker;

static int setup(void **state)
{
	struct world *w = prim_new(struct world);

	w->bridge.base = event_base_new();
	w->bridge.now_ms = INT64_C(1793004800000);
	w->bridge.room = 256;
	ticker = start_clock(&w->bridge);
	server_open(&w->server, w->bridge.base);
	w->server.echo = true;
	w->secret = tmpfile();
	fputs("test\n", w->secret);
	fflush(w->secret);
	snprintf(w->secret_path, sizeof(w->secret_path), "/proc/self/fd/%d",
	    fileno(w->secret));
	snprintf(w->domain, sizeof(w->domain), "prim.example");
	snprintf(w->gateway, sizeof(w->gateway), "gw.prim.example");
	w->options.server = w->server.address;
	w->options.domain = w->domain;
	w->options.secret_file = w->secret_path;
	w->state = prim_alloc(br_adapter_plugin.state_size);
	w->bridge.state = w->state;
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	if (w->started)
		br_adapter_plugin.stop(w->state);
	prim_free(w->state);
	server_close(&w->server);
	event_free(ticker);
	event_base_free(w->bridge.base);
	fake_fini(&w->bridge);
	fclose(w->secret);
	prim_free(w);
	return 0;
}

/* STATE is empty. */
static inline void begin(struct world *w)
{
	assert_true(br_adapter_plugin.start(&w->bridge, w->state, &w->options));
	w->started = true;
	br_adapter_plugin.state_value(w->state, NULL, NULL);
}

static inline void start(struct world *w)
{
	begin(w);
	await_said(w, "window 1024\n");
	prim_buf_reset(&w->bridge.said);
}

static inline unsigned deliver_as(struct world *w, const char *id,
    const char *from)
{
	const struct bridge_message m = {
		.from = prim_slice_of(from),
		.to = PRIM_SLICE("im:juliet@jabber.example"),
		.message_id = PRIM_SLICE("m1"),
		.conversation_id = PRIM_SLICE("c1"),
		.content_type = PRIM_SLICE("text/plain"),
		.body = PRIM_SLICE("hello"),
		.delivery_id = prim_slice_of(id),
		.attempt = 1,
	};

	return br_adapter_plugin.deliver(w->state, &m);
}

static inline unsigned deliver(struct world *w, const char *id)
{
	return deliver_as(w, id, "im:romeo@prim.example");
}

static inline void outcome(struct world *w, unsigned code)
{
	const struct bridge_outcome o = {
		.return_token = prim_buf_slice(&w->bridge.token),
		.message_id = PRIM_SLICE("m7"),
		.code = code,
	};

	br_adapter_plugin.outcome(w->state, &o);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, setup, teardown)

#endif
