/* SPDX-License-Identifier: ISC */
/* Octets from the core, as an adapter's process reads them: the other end of
 * fuzz_link.c. The first octet chooses what the plugin has asked before and in
 * how large pieces they come. */

#include <event2/buffer.h>
#include <event2/event.h>

#include "bridge/plugin_private.h"
#include "prim/base.h"
#include "prim/imdn.h"
#include "tests/fuzz/fuzz.h"

#define WINDOW 5

static struct bridge *b;
static unsigned links, submissions, presences;
static uint64_t next_cookie;

/* The plugin. It takes what is well, and asks back. */

static volatile unsigned sum; /* so that looking is not left out */

static void look_at(struct prim_slice s)
{
	for (size_t i = 0; i < s.len; i++)
		sum += (unsigned char)s.ptr[i];
}

static unsigned on_deliver(void *state, const struct bridge_message *m)
{
	(void)state;
	FUZZ_CHECK(b->window > 0 && m->from.len > 0 && m->to.len > 0 &&
	    m->delivery_id.len == 32);
	if (m->notice) {
		look_at(m->notice->message_id);
		look_at(m->notice->date);
		look_at(m->notice->recipient);
		look_at(m->notice->original_recipient);
		look_at(m->notice->reason);
	}
	look_at(m->return_token);
	if (m->body.len % 3 == 0)
		bridge_report(b, m->delivery_id, PRIM_OK, NULL);
	links += bridge_link(b, m->from, next_cookie + links);
	return m->body.len % 3 == 1 ? PRIM_FORBIDDEN : 0;
}

static void on_linked(void *state, const struct bridge_linked *l)
{
	(void)state;
	FUZZ_CHECK(links > 0 && l->cookie == next_cookie);
	look_at(l->address);
	look_at(l->principal);
	next_cookie++;
	links--;
}

static bool on_canonical(void *state, struct prim_slice address,
    struct prim_buf *out)
{
	(void)state;
	prim_buf_put(out, address);
	return address.len % 2;
}

static void on_outcome(void *state, const struct bridge_outcome *o)
{
	(void)state;
	look_at(o->return_token);
	FUZZ_CHECK(submissions-- > 0);
}

static void on_presence_outcome(void *state,
    const struct bridge_presence_outcome *o)
{
	(void)state;
	look_at(o->id);
	FUZZ_CHECK(presences-- > 0);
}

static unsigned on_subscribe(void *state, const struct bridge_subscription *s,
    uint32_t *granted_s)
{
	(void)state;
	*granted_s = s->duration_s / 2;
	look_at(s->id);
	return s->duration_s % 2 ? PRIM_DURATION_ADJUSTED : PRIM_OK;
}

static unsigned on_unsubscribe(void *state, const struct bridge_subscription *s)
{
	(void)state;
	look_at(s->watcher);
	return PRIM_OK;
}

static unsigned on_notify(void *state, const struct bridge_notification *n)
{
	(void)state;
	look_at(n->body);
	return PRIM_OK;
}

static void on_state(void *state, const struct prim_slice *key,
    const struct prim_slice *value)
{
	(void)state;
	if (key)
		look_at(*key);
	if (value)
		look_at(*value);
}

static const struct br_adapter ADAPTER = {
	.deliver = on_deliver,
	.linked = on_linked,
	.canonical = on_canonical,
	.outcome = on_outcome,
	.presence_outcome = on_presence_outcome,
	.subscribe = on_subscribe,
	.unsubscribe = on_unsubscribe,
	.notify = on_notify,
	.state_value = on_state,
};

/* Ids 1 to 6: what the input may answer. */
static void ask_some(void)
{
	const struct bridge_message m = {
		.from = PRIM_SLICE("im:b@far.example"),
		.to = PRIM_SLICE("im:a@localhost"),
		.message_id = PRIM_SLICE("m"),
		.conversation_id = PRIM_SLICE("c"),
		.content_type = PRIM_SLICE("text/plain"),
		.body = PRIM_SLICE("hi"),
		.return_token = PRIM_SLICE("x"),
	};
	const struct bridge_subscription s = {
		.watcher = PRIM_SLICE("pres:b@far.example"),
		.presentity = PRIM_SLICE("pres:a@localhost"),
		.id = PRIM_SLICE("s"),
		.duration_s = 60,
	};

	submissions += bridge_submit(b, &m);
	presences += bridge_subscribe(b, &s);
	links += bridge_link(b, m.from, next_cookie + links);
	links += bridge_link(b, m.from, next_cookie + links);
	bridge_state_list(b);
	bridge_window(b, 0);
	bridge_window(b, WINDOW);
}

static void on_later(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static void make(void)
{
	static char domain[] = "localhost";
	static char *domains[] = { domain };

	b = prim_new(struct bridge);
	b->base = event_base_new();
	b->later = event_new(b->base, -1, 0, on_later, b);
	b->plugin.adapter = &ADAPTER;
	b->body_max = 1000;
	b->started = b->ready = true;
	b->window = WINDOW;
	b->config_text = prim_copy("", 0); /* CONFIG has come */
	b->config.domains = domains;
	b->config.domain_count = 1;
	STAILQ_INIT(&b->refused);
	STAILQ_INIT(&b->presence_refused);
	STAILQ_INIT(&b->questions);
	br_plugin_state_init(b);
	br_asks_init(&b->asks, 4096);
	br_link_init(&b->link, &br_plugin_link_ops, b);
	b->link.body_max = 100000;
	links = submissions = presences = 0;
}

static void release(struct br_ask *ask, void *arg)
{
	(void)arg;
	if (ask->kind == PLUGIN_ASK_SUBMIT)
		br_plugin_submission_free(ask->what);
	else if (ask->kind == PLUGIN_ASK_PRESENCE)
		br_plugin_presence_free(ask->what);
}

static void drop(void)
{
	br_asks_each(&b->asks, release, NULL);
	br_asks_fini(&b->asks);
	br_plugin_delivery_drop_all(b);
	prim_table_fini(&b->deliveries);
	br_plugin_identity_fini(b);
	br_plugin_state_fini(b);
	br_link_fini(&b->link);
	prim_buf_fini(&b->scratch);
	prim_free(b->config_text);
	event_free(b->later);
	event_base_free(b->base);
	b = prim_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct prim_slice in = fuzz_slice(data, size);
	size_t piece;

	if (size == 0)
		return 0;
	make();
	if (data[0] & 1)
		ask_some();
	piece = (size_t)(data[0] >> 1) + 1;
	for (in = prim_slice_from(in, 1); in.len > 0;
	     in = prim_slice_from(in, piece))
		br_link_feed(&b->link,
		    prim_slice_make(in.ptr, in.len < piece ? in.len : piece));
	/* A core that breaks the rules is told nothing more. */
	FUZZ_CHECK(event_base_got_break(b->base) ||
	    (b->question_count == links && b->submissions == submissions));
	drop();
	return 0;
}
