/* SPDX-License-Identifier: ISC */
/* A core for adapter hosts to live in. */

#include "tests/bridge/world_host.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "prim/base.h"
#include "tests/lib/t.h"

#define PATIENCE_MS   10000
#define NO_RESTART_MS 1000000 /* longer than any test */

/* The store: one value, the world's. Answers come from the loop's top. */

static struct prim_buf stored_key, stored_value;
static struct world *the_world;

struct answer {
	br_store_done_fn done;
	br_store_state_fn state;
	void *arg;
	bool list, failed;
	unsigned after; /* entries of the list that are known */
};

/* Entries "1", "2"... that all have the value, the world's key being none of
 * them. */
static void answer_page(const struct answer *a)
{
	const struct prim_slice value = prim_buf_slice(&stored_value);
	const struct prim_slice none = PRIM_SLICE_NONE;
	const unsigned end = a->after + BR_STATE_PAGE / 64;
	unsigned i = a->after;
	struct prim_slice key;
	char text[16];

	for (; i < the_world->entries && i < end; i++) {
		snprintf(text, sizeof(text), "%u", i + 1);
		key = prim_slice_of(text);
		a->state(a->arg, &key, &value, false);
	}
	the_world->pages++;
	a->state(a->arg, NULL, i < the_world->entries ? &none : NULL, false);
}

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
	struct answer *a = arg;
	const struct prim_slice key = prim_buf_slice(&stored_key);
	const struct prim_slice value = prim_buf_slice(&stored_value);
	const bool there = key.len > 0 && !a->failed;

	(void)fd;
	(void)what;
	if (a->list && the_world->entries && !a->failed) {
		answer_page(a);
		prim_free(a);
		return;
	}
	if (a->done)
		a->done(a->arg, a->failed ? BR_STORE_FAILED : BR_STORE_DONE);
	else if (there)
		a->state(a->arg, &key, &value, false);
	if (a->state && (!there || a->list))
		a->state(a->arg, NULL, NULL, a->failed);
	prim_free(a);
}

static void answer(const struct answer *a)
{
	const struct timeval pause = { .tv_usec = the_world->store_us };
	struct answer *copy = prim_new(struct answer);

	*copy = *a;
	copy->failed = the_world->store_fails;
	the_world->store_fails = false;
	event_base_once(the_world->base, -1, EV_TIMEOUT, on_answer, copy,
	    &pause);
}

void br_store_state_put(struct br_store *s, struct prim_slice adapter,
    struct prim_slice key, struct prim_slice value, br_store_done_fn done,
    void *arg)
{
	(void)s;
	(void)adapter;
	if (!the_world->store_fails) {
		prim_buf_reset(&stored_key);
		prim_buf_put(&stored_key, key);
		prim_buf_reset(&stored_value);
		prim_buf_put(&stored_value, value);
	}
	answer(&(struct answer){ .done = done, .arg = arg });
}

void br_store_state_drop(struct br_store *s, struct prim_slice adapter,
    struct prim_slice key, br_store_done_fn done, void *arg)
{
	(void)s;
	(void)adapter;
	(void)key;
	prim_buf_reset(&stored_key);
	answer(&(struct answer){ .done = done, .arg = arg });
}

void br_store_state_find(struct br_store *s, struct prim_slice adapter,
    struct prim_slice key, br_store_state_fn found, void *arg)
{
	(void)s;
	(void)adapter;
	(void)key;
	answer(&(struct answer){ .state = found, .arg = arg });
}

void br_store_state_page(struct br_store *s, struct prim_slice adapter,
    struct prim_slice after, br_store_state_fn each, void *arg)
{
	uint64_t known = 0;

	(void)s;
	(void)adapter;
	assert_true(after.len == 0 || prim_slice_number(after, 100000, &known));
	answer(&(struct answer){ .state = each,
	    .arg = arg,
	    .list = true,
	    .after = (unsigned)known });
}

/* The core. */

static void world_up(void *ctx, struct br_host *h)
{
	struct world *w = ctx;

	assert_true(br_host_is_up(h));
	w->ups++;
}

static void world_down(void *ctx, struct br_host *h, bool died)
{
	struct world *w = ctx;

	assert_false(br_host_is_up(h));
	w->downs++;
	w->deaths += died;
}

static void world_taken(void *ctx, struct br_host *h,
    const struct prim_digest *delivery)
{
	struct world *w = ctx;

	assert_true(br_host_is_ready(h) || !h->wanted);
	w->last_taken = *delivery;
	w->takens++;
}

static void world_alive(void *ctx, struct br_host *h)
{
	struct world *w = ctx;

	assert_true(br_host_is_ready(h) || !h->wanted);
	w->alives++;
}

static bool world_linked(void *ctx, struct br_host *h,
    struct prim_slice address, struct prim_buf *out)
{
	struct world *w = ctx;

	(void)h;
	assert_true(prim_slice_starts(address, PRIM_SLICE("im:")));
	w->links++;
	if (!w->principal)
		return false;
	prim_buf_puts(out, w->principal);
	return true;
}

static void world_room(void *ctx, struct br_host *h)
{
	struct world *w = ctx;

	assert_true(br_host_has_room(h));
	w->rooms++;
}

static void world_ready(void *ctx, struct br_host *h)
{
	struct world *w = ctx;

	assert_true(br_host_is_ready(h));
	assert_int_equal(w->readies, w->gones);
	w->readies++;
}

static void world_gone(void *ctx, struct br_host *h)
{
	struct world *w = ctx;

	assert_false(br_host_is_ready(h));
	w->gones++;
	assert_int_equal(w->readies, w->gones);
}

static void world_ask_room(void *ctx, struct br_host *h)
{
	struct world *w = ctx;

	assert_true(br_host_is_ready(h));
	w->ask_rooms++;
}

static void world_report(void *ctx, struct br_host *h,
    const struct prim_digest *delivery, unsigned code, struct prim_slice text)
{
	struct world *w = ctx;
	struct world_report *r =
	    &w->reports[w->report_count % WORLD_REPORTS_MAX];

	(void)h;
	(void)text;
	r->delivery = *delivery;
	r->code = code;
	w->report_count++;
}

static void world_request(void *ctx, struct br_host *h,
    const struct prim_command *c)
{
	struct br_peer *peer = br_host_peer(h);
	struct br_ticket ticket;
	struct world *w = ctx;

	w->requests++;
	w->last_method = c->method;
	prim_buf_reset(&w->last_from);
	prim_buf_put(&w->last_from, prim_command_get(c, PRIM_HEADER_FROM));
	prim_buf_reset(&w->last_original);
	prim_buf_put(&w->last_original,
	    prim_command_get(c, PRIM_HEADER_BRIDGE_ORIGINAL_FROM));
	if (!w->answer)
		return;
	br_ticket_open(&ticket, peer, c->family, c->id, PRIM_SLICE_NONE);
	if (peer->ticket_count > w->open_max)
		w->open_max = peer->ticket_count;
	br_ticket_settle(&ticket, w->answer, PRIM_SLICE_NONE, PRIM_SLICE_NONE);
}

static const struct br_host_ops OPS = {
	.up = world_up,
	.down = world_down,
	.taken = world_taken,
	.alive = world_alive,
	.linked = world_linked,
	.room = world_room,
	.report = world_report,
	.ready = world_ready,
	.gone = world_gone,
	.ask_room = world_ask_room,
	.request = world_request,
};

static int64_t world_now_ms(void *ctx)
{
	const struct world *w = ctx;
	struct timespec now;

	if (w->now_ms)
		return w->now_ms;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void on_line(void *arg, struct prim_slice line)
{
	struct world *w = arg;

	prim_buf_put(&w->logged, line);
	prim_buf_putc(&w->logged, '\n');
}

void world_init_sockets(struct world *w, const char *options,
    const int *sockets, size_t count)
{
	static char *domains[] = { NULL };
	static char folder[] = "/";
	const char *name = w->adapter.name;
	struct br_host_context context = {
		.base = event_base_new(),
		.config = &w->config,
		.log = &w->log,
		.ops = &OPS,
		.ctx = w,
		.body_max = 100000,
		.now_ms = world_now_ms,
	};

	the_world = w;
	domains[0] = prim_copy("localhost", 9);
	w->base = context.base;
	w->config.domains = domains;
	w->config.domain_count = 1;
	w->config.folder = folder;
	w->adapter.name = prim_slice_copy(prim_slice_of(name));
	w->adapter.plugin = prim_slice_copy(prim_slice_of(name));
	w->adapter.options = prim_slice_copy(prim_slice_of(options));
	w->adapter.listen_count = count;
	w->answer = PRIM_OK;
	br_log_init(&w->log, NULL, "");
	br_log_set_level(BR_LOG_DEBUG);
	br_log_set_sink(on_line, w);
	w->host = br_host_new(&context, &w->adapter, sockets);
	w->host->times = (struct host_times){
		.ping = 50,
		.hang = 1000,
		.config = 8000,
		.restart_min = 20,
		.restart_max = 100,
		.steady = 60000,
		.drain = 2000,
	};
	w->host->pause_ms = w->host->times.restart_min;
}

void world_init(struct world *w, const char *plugin, const char *options)
{
	static char name[40];

	memset(w, 0, sizeof(*w));
	snprintf(name, sizeof(name), "%s", plugin);
	w->adapter.name = name;
	world_init_sockets(w, options, NULL, 0);
}

void world_fini(struct world *w)
{
	w->host = br_host_free(w->host);
	br_log_set_sink(NULL, NULL);
	prim_free(w->config.domains[0]);
	prim_free(w->adapter.name);
	prim_free(w->adapter.plugin);
	prim_free(w->adapter.options);
	prim_buf_fini(&w->last_from);
	prim_buf_fini(&w->last_original);
	prim_buf_fini(&w->logged);
	prim_buf_fini(&stored_key);
	prim_buf_fini(&stored_value);
	event_base_free(w->base);
}

static int64_t monotonic_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void turn_once(struct world *w)
{
	const struct timeval limit = { .tv_usec = 20000 };

	event_base_loopexit(w->base, &limit);
	event_base_loop(w->base, EVLOOP_ONCE);
}

void world_begin(struct world *w)
{
	world_init(w, "fault", "{}");
	w->host->times.restart_min = w->host->pause_ms = NO_RESTART_MS;
	br_host_start_bare(w->host);
}

void world_begin_saying(struct world *w, const char *octets)
{
	world_begin(w);
	world_say(w, octets);
	prim_free(world_heard(w));
}

void world_say(struct world *w, const char *octets)
{
	br_link_feed(&w->host->link, prim_slice_of(octets));
}

char *world_heard(struct world *w)
{
	struct evbuffer *out = w->host->link.out;
	const size_t len = evbuffer_get_length(out);
	char *text = prim_alloc(len + 1);

	evbuffer_remove(out, text, len);
	return text;
}

void world_expect_heard(struct world *w, const char *row, const char *text)
{
	char *all = world_heard(w);

	if (strcmp(all, text) != 0)
		fail_msg("%s: \"%s\", not \"%s\"", row ? row : "it said", all,
		    text);
	prim_free(all);
}

bool world_wait(struct world *w, const unsigned *counter, unsigned wanted)
{
	const int64_t end = monotonic_ms() + PATIENCE_MS;

	while (*counter < wanted && monotonic_ms() < end)
		turn_once(w);
	return *counter >= wanted;
}

bool world_wait_stopped(struct world *w)
{
	const int64_t end = monotonic_ms() + PATIENCE_MS;

	while (!br_host_is_stopped(w->host) && monotonic_ms() < end)
		turn_once(w);
	return br_host_is_stopped(w->host);
}

void world_turn(struct world *w, unsigned ms)
{
	const int64_t end = monotonic_ms() + ms;

	while (monotonic_ms() < end)
		turn_once(w);
}

bool world_logged(const struct world *w, const char *text)
{
	char *lines = prim_slice_copy(prim_buf_slice(&w->logged));
	const bool found = strstr(lines, text) != NULL;

	prim_free(lines);
	return found;
}

struct br_message *world_message(const char *to, const char *body,
    uint8_t number)
{
	const struct br_message_keys keys = { 0 };
	struct prim_buf text = { 0 };
	struct br_message_source source = {
		.sender = PRIM_SLICE("alice@localhost"),
		.recipient = prim_slice_of(to),
		.origin = PRIM_SLICE("client"),
		.date = PRIM_SLICE("Thu, 01 Jan 2026 00:00:00 +0000"),
		.hops = 1,
	};
	struct prim_command *c = prim_new(struct prim_command);
	struct br_message *m;
	size_t scanned = 0;

	prim_buf_putf(&text,
	    "SEND PRIM-IM/1.0 7 %zu\r\nFrom: im:alice@localhost\r\nTo: im:%s\r\n"
	    "Message-ID: m%u\r\nConversation-ID: c\r\n"
	    "Content-Type: text/plain\r\n\r\n",
	    strlen(body), to, number);
	assert_int_equal(prim_command_head(prim_buf_slice(&text), &scanned, c),
	    PRIM_COMMAND_HEAD);
	c->body = prim_slice_of(body);
	source.command = c;
	m = br_message_new(&source, &keys);
	memset(&m->delivery, number, sizeof(m->delivery));
	prim_buf_fini(&text);
	prim_free(c);
	return m;
}

void world_deliver(struct world *w, const char *to, uint8_t number)
{
	struct br_message *m = world_message(to, "hello", number);

	br_host_deliver(w->host, m, &(struct br_host_handover){ .attempt = 1 });
	br_message_unref(m);
}

unsigned world_reported(const struct world *w, uint8_t number)
{
	struct prim_digest wanted;

	memset(&wanted, number, sizeof(wanted));
	for (unsigned i = 0; i < w->report_count && i < WORLD_REPORTS_MAX;
	     i++) {
		if (prim_digest_eq(&w->reports[i].delivery, &wanted))
			return w->reports[i].code;
	}
	return 0;
}
