/* SPDX-License-Identifier: ISC */
/* Octets from an adapter, as the core reads them. The first octet chooses what
 * went before and in how large pieces they come; the rest is said. */

#include <event2/buffer.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/host_private.h"
#include "prim/base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CONFIGURED "PRIM/1.0 1 0 200 OK\r\n\r\n"
#define UP                                      \
	CONFIGURED "READY PRIM/1.0 - 0\r\n\r\n" \
		   "WINDOW PRIM/1.0 - 0\r\nWindow: 9\r\n\r\n"

/* The store: it answers when the input is over, so that some who asked are
 * gone by then. */

struct answer {
	STAILQ_ENTRY(answer) next;
	br_store_done_fn done;
	br_store_state_fn state;
	void *arg;
};

static STAILQ_HEAD(answer_list,
    answer) answers = STAILQ_HEAD_INITIALIZER(answers);

static void ask(br_store_done_fn done, br_store_state_fn state, void *arg)
{
	struct answer *a = prim_new(struct answer);

	a->done = done;
	a->state = state;
	a->arg = arg;
	STAILQ_INSERT_TAIL(&answers, a, next);
}

static void answer_all(void)
{
	struct answer *a;

	while ((a = STAILQ_FIRST(&answers))) {
		STAILQ_REMOVE_HEAD(&answers, next);
		if (a->done)
			a->done(a->arg, BR_STORE_DONE);
		else
			a->state(a->arg, NULL, NULL, false);
		prim_free(a);
	}
}

void br_store_state_put(struct br_store *s, struct prim_slice adapter,
    struct prim_slice key, struct prim_slice value, br_store_done_fn done,
    void *arg)
{
	(void)s;
	(void)adapter;
	if (key.len == 0 || key.len > BR_STATE_KEY_MAX ||
	    value.len > BR_STATE_VALUE_MAX)
		abort();
	ask(done, NULL, arg);
}

void br_store_state_drop(struct br_store *s, struct prim_slice adapter,
    struct prim_slice key, br_store_done_fn done, void *arg)
{
	br_store_state_put(s, adapter, key, PRIM_SLICE_NONE, done, arg);
}

void br_store_state_find(struct br_store *s, struct prim_slice adapter,
    struct prim_slice key, br_store_state_fn found, void *arg)
{
	(void)s;
	(void)adapter;
	(void)key;
	ask(NULL, found, arg);
}

void br_store_state_page(struct br_store *s, struct prim_slice adapter,
    struct prim_slice after, br_store_state_fn each, void *arg)
{
	(void)s;
	(void)adapter;
	if (after.len > BR_STATE_KEY_MAX)
		abort();
	ask(NULL, each, arg);
}

/* The core. Every second submission stays unanswered. */

static struct br_ticket tickets[HOST_REQUESTS_MAX];
static unsigned requests;

static void nothing_down(void *ctx, struct br_host *h, bool died)
{
	(void)ctx;
	(void)h;
	(void)died;
}

static void nothing(void *ctx, struct br_host *h)
{
	(void)ctx;
	(void)h;
}

static unsigned probes;

static void on_alive(void *ctx, struct br_host *h)
{
	(void)ctx;
	(void)h;
	if (probes-- == 0)
		abort();
}

static void on_taken(void *ctx, struct br_host *h,
    const struct prim_digest *delivery)
{
	(void)ctx;
	(void)h;
	(void)delivery;
}

/* Every second address is linked. */
static bool on_linked(void *ctx, struct br_host *h, struct prim_slice address,
    struct prim_buf *out)
{
	struct prim_address parsed;

	(void)ctx;
	(void)h;
	if (!prim_address_parse(address, &parsed) ||
	    parsed.scheme != PRIM_SCHEME_IM)
		abort();
	prim_buf_puts(out, "im:a@localhost");
	return address.len % 2;
}

static void on_report(void *ctx, struct br_host *h,
    const struct prim_digest *delivery, unsigned code, struct prim_slice text)
{
	(void)ctx;
	(void)h;
	(void)delivery;
	if (code < 101 || code > 599 || text.len > HOST_TEXT_MAX)
		abort();
}

static bool is_presence(const struct prim_command *c)
{
	if (c->method == PRIM_METHOD_UNSUBSCRIBE)
		return true;
	return (c->method == PRIM_METHOD_SUBSCRIBE ||
		   c->method == PRIM_METHOD_NOTIFY) &&
	    prim_command_has(c, PRIM_HEADER_SUBSCRIPTION_ID);
}

static void on_request(void *ctx, struct br_host *h,
    const struct prim_command *c)
{
	const unsigned number = requests++;
	struct br_ticket ticket, *t = &ticket;

	(void)ctx;
	if (c->method == PRIM_METHOD_SEND ? c->body.len == 0 : !is_presence(c))
		abort();
	if (number % 2 && number < PRIM_COUNT(tickets))
		t = &tickets[number];
	br_ticket_open(t, br_host_peer(h), c->family, PRIM_SLICE("1"),
	    PRIM_SLICE_NONE);
	if (t == &ticket)
		br_ticket_settle(t, PRIM_OK, PRIM_SLICE_NONE, PRIM_SLICE_NONE);
}

static const struct br_host_ops OPS = {
	.up = nothing,
	.down = nothing_down,
	.taken = on_taken,
	.alive = on_alive,
	.linked = on_linked,
	.room = nothing,
	.report = on_report,
	.ready = nothing,
	.gone = nothing,
	.ask_room = nothing,
	.request = on_request,
};

static int64_t now_ms(void *ctx)
{
	(void)ctx;
	return 1000;
}

static void swallow(void *arg, struct prim_slice line)
{
	(void)arg;
	(void)line;
}

static struct br_host *make_host(void)
{
	static char domain[] = "localhost", name[] = "fuzz", options[] = "{}";
	static char *domains[] = { domain };
	static struct br_config config = { .domains = domains,
		.domain_count = 1 };
	static struct br_config_adapter adapter = { .name = name,
		.plugin = name,
		.options = options };
	static struct br_log log;
	const struct br_host_context context = {
		.base = event_base_new(),
		.config = &config,
		.log = &log,
		.ops = &OPS,
		.body_max = 100000,
		.now_ms = now_ms,
	};

	br_log_set_sink(swallow, NULL);
	return br_host_new(&context, &adapter, NULL);
}

/* Presence: every question is answered once, also when the adapter goes. */

static struct prim_question questions[4];
static unsigned open_questions;

static void on_answered(struct prim_question *q, const struct prim_command *c)
{
	if (q->id != 0 || open_questions == 0 || (c && c->code > 599))
		abort();
	open_questions--;
}

static void ask_some(struct br_host *h)
{
	const struct br_host_request request = {
		.method = PRIM_METHOD_UNSUBSCRIBE,
		.lines = PRIM_SLICE("From: pres:a@localhost\r\n"),
	};

	for (unsigned i = 0; i < PRIM_COUNT(questions); i++) {
		questions[i].answered = on_answered;
		open_questions += br_host_ask(h, &request, 0, &questions[i]);
	}
	if (br_host_is_ready(h)) {
		br_host_forget(h, &questions[0]);
		open_questions--;
	}
}

/* Canonical forms: the same. */

static unsigned open_canonicals;

static void on_canonical(void *arg, const struct prim_key *key, const char *why)
{
	struct prim_address address;

	(void)arg;
	if (open_canonicals == 0 || (key == NULL) == (why == NULL))
		abort();
	if (key && !prim_address_parse_bare(prim_key_slice(key), &address))
		abort();
	open_canonicals--;
}

static void ask_canonicals(struct br_host *h)
{
	for (unsigned i = 0; i < 3; i++) {
		open_canonicals++;
		br_host_canonical(h, PRIM_SLICE("im:b@far.example"),
		    on_canonical, NULL);
		br_host_probe(h);
		probes += br_host_is_ready(h);
	}
}

static void check_schedule(const struct br_host *h)
{
	const struct br_schedule *s = br_host_schedule(h);

	if (s->count == 0 || s->count > PRIM_COUNT(s->pause_s) ||
	    s->delay_notice_s == 0 || s->delay_notice_s > HOST_PAUSE_MAX)
		abort();
	for (unsigned i = 0; i < s->count; i++) {
		if (s->pause_s[i] == 0 || s->pause_s[i] > HOST_PAUSE_MAX)
			abort();
	}
}

static struct br_message *make_message(void)
{
	static const char LINES[] =
	    "From: im:a@localhost\r\nTo: im:b@far.example\r\n";
	static struct br_message *m;

	if (m)
		return m;
	m = prim_new(struct br_message);
	m->refs = 1;
	m->lines = PRIM_SLICE(LINES);
	m->to = PRIM_SLICE("im:b@far.example");
	m->return_token = PRIM_SLICE("x/y");
	m->body = PRIM_SLICE("hello");
	return m;
}

/* Every third goes elsewhere than it was for. */
static void deliver_some(struct br_host *h)
{
	for (unsigned i = 0; i < 3 && br_host_has_room(h); i++)
		br_host_deliver(h, make_message(),
		    &(struct br_host_handover){
			.attempt = 1,
			.target = i == 1 ? PRIM_SLICE("im:c@far.example")
					 : PRIM_SLICE_NONE,
			.is_notice = i == 2,
		    });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct br_host *h;
	struct prim_slice in = prim_slice_make((const char *)data, size);
	size_t piece;

	if (!h)
		h = make_host();
	if (size == 0)
		return 0;
	requests = 0;
	br_host_start_bare(h);
	if (data[0] & 1)
		br_link_feed(&h->link, PRIM_SLICE(UP));
	probes = 0;
	deliver_some(h);
	ask_some(h);
	ask_canonicals(h);
	piece = (size_t)(data[0] >> 1) + 1;
	for (in = prim_slice_from(in, 1); in.len > 0;
	     in = prim_slice_from(in, piece))
		br_link_feed(&h->link,
		    prim_slice_make(in.ptr, in.len < piece ? in.len : piece));
	if (h->untaken > HOST_WINDOW_MAX || h->states > HOST_STATES_MAX)
		abort();
	check_schedule(h);
	if (data[0] & 2)
		answer_all();
	br_host_fault(h, "the input is over");
	answer_all();
	if (open_questions > 0 || open_canonicals > 0 ||
	    make_message()->refs != 1)
		abort();
	return 0;
}
