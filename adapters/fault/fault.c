/* SPDX-License-Identifier: ISC */
/* An adapter that misbehaves to order, for tests. It keeps nothing. */

#include <event2/event.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "adapters/fault/escape.h"
#include "adapters/fault/misdeed.h"
#include "adapters/fault/order.h"
#include "adapters/fault/presence.h"
#include "bridge/adapter.h"
#include "prim/address.h"
#include "prim/base.h"

#define WINDOW 1024

struct options {
	char *domain;
	char *mode;
	char *listen;    /* primd binds it; see `socket` */
	char *some_file; /* can be read in the sandbox; see `try` */
};

static const cyaml_schema_field_t FIELDS[] = {
	CYAML_FIELD_STRING_PTR("domain", CYAML_FLAG_POINTER, struct options,
	    domain, 1, 253),
	CYAML_FIELD_STRING_PTR("mode", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
	    struct options, mode, 1, 1023),
	CYAML_FIELD_STRING_PTR("listen",
	    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct options, listen, 1,
	    255),
	CYAML_FIELD_STRING_PTR("some_file",
	    CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct options, some_file,
	    1, 4095),
	CYAML_FIELD_END,
};
static const cyaml_schema_value_t OPTIONS = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct options, FIELDS),
};

/* Something to do after a while: report `id`, or open the window. */
struct delay {
	TAILQ_ENTRY(delay) next;
	struct fault *fault;
	struct event *timer; /* owned */
	char *id;            /* owned; NULL: the window */
};

TAILQ_HEAD(delay_list, delay);

struct fault {
	struct fa_presence presence; /* the first: it has members of its own */
	struct bridge *bridge;       /* borrowed: outlives us */
	int listener;                /* owned; -1: none */
	unsigned deliveries;         /* taken by this process */
	struct delay_list delays;
	unsigned flood_left, flood_number;
	struct prim_buf flood_from, flood_to;
	struct prim_buf state_id, state_value; /* of the last FA_STATE */
};

/* Delays. */

static void delay_free(struct delay *d)
{
	TAILQ_REMOVE(&d->fault->delays, d, next);
	event_free(d->timer);
	prim_free(d->id);
	prim_free(d);
}

static void on_delay(evutil_socket_t fd, short what, void *arg)
{
	struct delay *d = arg;
	struct bridge *b = d->fault->bridge;

	(void)fd;
	(void)what;
	if (d->id)
		bridge_report(b, prim_slice_of(d->id), PRIM_OK, "late");
	else
		bridge_window(b, WINDOW);
	delay_free(d);
}

static void delay_new(struct fault *f, unsigned ms, char *id)
{
	const struct timeval time = { .tv_sec = ms / 1000,
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };
	struct delay *d = prim_new(struct delay);

	d->fault = f;
	d->id = id;
	d->timer = evtimer_new(bridge_base(f->bridge), on_delay, d);
	event_add(d->timer, &time);
	TAILQ_INSERT_TAIL(&f->delays, d, next);
}

/* Misdeeds. */

static void flood(struct fault *f)
{
	char id[32];
	struct bridge_message m = {
		.from = prim_buf_slice(&f->flood_from),
		.to = prim_buf_slice(&f->flood_to),
		.conversation_id = PRIM_SLICE("flood"),
		.content_type = PRIM_SLICE("text/plain"),
		.body = PRIM_SLICE("flood"),
	};

	while (f->flood_left > 0) {
		snprintf(id, sizeof(id), "flood%u.%d", f->flood_number,
		    (int)getpid());
		m.message_id = prim_slice_of(id);
		if (!bridge_submit(f->bridge, &m))
			return;
		f->flood_left--;
		f->flood_number++;
	}
}

static void flood_start(struct fault *f, const struct bridge_message *m,
    unsigned count)
{
	prim_buf_reset(&f->flood_from);
	prim_buf_reset(&f->flood_to);
	prim_buf_put(&f->flood_from, m->to);
	prim_buf_put(&f->flood_to, m->from);
	f->flood_left = count;
	flood(f);
}

/* The outcome becomes the fate of the delivery that ordered it. */
static bool spoof(struct fault *f, const struct bridge_message *m,
    struct prim_slice from)
{
	struct bridge_message lie = *m;
	struct prim_buf address = { 0 };
	bool ok;

	prim_buf_puts(&address, "im:");
	prim_buf_put(&address, from);
	lie.from = prim_buf_slice(&address);
	lie.to = m->from;
	lie.message_id = m->delivery_id;
	lie.return_token = m->delivery_id;
	lie.strength = PRIM_ASTRENGTH_STRONG;
	ok = bridge_submit(f->bridge, &lie);
	prim_buf_fini(&address);
	return ok;
}

static void keep_state(struct fault *f, const struct bridge_message *m)
{
	prim_buf_reset(&f->state_id);
	prim_buf_put(&f->state_id, m->delivery_id);
	prim_buf_reset(&f->state_value);
	prim_buf_put(&f->state_value, m->body);
	bridge_state_put(f->bridge, m->to, m->body);
	bridge_state_get(f->bridge, m->to);
	bridge_state_list(f->bridge);
}

static unsigned escape(struct fault *f, struct prim_slice what)
{
	const int error = fa_escape(what);

	bridge_log(f->bridge, BRIDGE_INFO, "tried what=%s errno=%d",
	    bridge_quote(what), error);
	return error ? PRIM_NOT_FOUND : PRIM_OK;
}

static bool is_listening(int fd)
{
	int yes = 0;
	socklen_t len = sizeof(yes);

	return fd >= 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &len) == 0 && yes;
}

/* What the bridge calls. */

static bool fault_start(struct bridge *b, void *state, const void *options)
{
	const struct options *o = options;
	struct fault *f = state;

	f->bridge = f->presence.bridge = b;
	f->listener = bridge_socket(b, 0);
	TAILQ_INIT(&f->delays);
	if (o->mode &&
	    !fa_order_parse(prim_slice_of(o->mode), &f->presence.mode))
		return false;
	bridge_ready(b);
	bridge_window(b, WINDOW);
	return true;
}

static void fault_stop(void *state)
{
	struct fault *f = state;

	while (!TAILQ_EMPTY(&f->delays))
		delay_free(TAILQ_FIRST(&f->delays));
	if (f->listener >= 0)
		close(f->listener);
	fa_presence_fini(&f->presence);
	prim_buf_fini(&f->flood_from);
	prim_buf_fini(&f->flood_to);
	prim_buf_fini(&f->state_id);
	prim_buf_fini(&f->state_value);
}

static bool fault_check(const void *options, char *why, size_t size)
{
	const struct options *o = options;
	struct fa_order order;
	bool ok = true;

	if (o->mode) {
		ok = fa_order_parse(prim_slice_of(o->mode), &order);
		fa_order_fini(&order);
	}
	if (!ok)
		snprintf(why, size, "mode: there is no such misdeed");
	return ok;
}

/* The code that an order reports at once; 0: none. */
static unsigned report_of(struct fault *f, const struct fa_order *order)
{
	switch (order->verb) {
	case FA_OK:
	case FA_FLOOD:
	case FA_DIE:
	case FA_GRANT:
	case FA_END:
		return PRIM_OK;
	case FA_REPORT:
		return order->number;
	case FA_TRANSIENT:
		return PRIM_GATEWAY_TIMEOUT;
	case FA_SOCKET:
		return is_listening(f->listener) ? PRIM_OK : PRIM_NOT_FOUND;
	case FA_TRY:
		return escape(f, prim_buf_slice(&order->address));
	case FA_REFUSE:
	case FA_SILENCE:
	case FA_LATE:
	case FA_HANG:
	case FA_GARBAGE:
	case FA_LIE:
	case FA_SPOOF:
	case FA_DOWN:
	case FA_STATE:
	case FA_WATCH:
	case FA_FORGET:
	case FA_UNWATCH:
	case FA_VERBS:
		break;
	}
	return 0;
}

/* What an order does. Returns 0, or the code to refuse with. */
static unsigned misbehave(struct fault *f, const struct fa_order *order,
    const struct bridge_message *m)
{
	switch (order->verb) {
	case FA_REFUSE:
		return order->number;
	case FA_LATE:
		delay_new(f, order->number, prim_slice_copy(m->delivery_id));
		break;
	case FA_HANG:
		fa_hang();
		break;
	case FA_DIE:
		if (f->deliveries >= order->number)
			fa_die();
		break;
	case FA_GARBAGE:
		fa_rubbish("HELO garbage\r\n\r\n\001\002\003");
		break;
	case FA_LIE:
		fa_rubbish("PRIM/1.0 999999 0 200 OK\r\n\r\n");
		break;
	case FA_FLOOD:
		flood_start(f, m, order->number);
		break;
	case FA_SPOOF:
		if (!spoof(f, m, prim_buf_slice(&order->address)))
			return PRIM_BAD_REQUEST;
		break;
	case FA_DOWN:
		bridge_window(f->bridge, 0);
		delay_new(f, order->number, NULL);
		break;
	case FA_STATE:
		keep_state(f, m);
		break;
	case FA_WATCH:
	case FA_FORGET:
		return fa_presence_watch(&f->presence, m, order->number);
	case FA_UNWATCH:
		return fa_presence_unwatch(&f->presence, m);
	case FA_OK:
	case FA_REPORT:
	case FA_TRANSIENT:
	case FA_SILENCE:
	case FA_SOCKET:
	case FA_TRY:
	case FA_GRANT:
	case FA_END:
	case FA_VERBS:
		break;
	}
	return 0;
}

static unsigned obey(struct fault *f, const struct fa_order *order,
    const struct bridge_message *m)
{
	const unsigned refused = misbehave(f, order, m);
	const unsigned report = report_of(f, order);

	if (!refused && report)
		bridge_report(f->bridge, m->delivery_id, report, "as ordered");
	return refused;
}

static unsigned fault_deliver(void *state, const struct bridge_message *m)
{
	struct fault *f = state;
	struct prim_address to;
	struct fa_order order = { 0 };
	unsigned code;

	f->deliveries++;
	if (prim_address_parse(m->to, &to) && fa_order_parse(to.local, &order))
		code = obey(f, &order, m);
	else
		code = obey(f, &f->presence.mode, m);
	fa_order_fini(&order);
	return code;
}

/* Only a spoofed message has a return token. */
static void fault_outcome(void *state, const struct bridge_outcome *o)
{
	struct fault *f = state;

	if (o->return_token.len > 0)
		bridge_report(f->bridge, o->return_token, o->code,
		    "what became of the spoofed message");
}

static void fault_state_value(void *state, const struct prim_slice *key,
    const struct prim_slice *value)
{
	struct fault *f = state;
	const struct prim_slice wanted = prim_buf_slice(&f->state_value);
	const bool equal = value && prim_slice_eq(*value, wanted);

	/* The list ends it; whatever was not equal before has its report. */
	if (key && equal)
		return;
	if (f->state_id.len > 0)
		bridge_report(f->bridge, prim_buf_slice(&f->state_id),
		    key ? PRIM_BAD_REQUEST : PRIM_OK, "state");
	prim_buf_reset(&f->state_id);
}

static void fault_room(void *state)
{
	flood(state);
}

const struct br_adapter br_adapter_plugin = {
	.abi = BR_ADAPTER_ABI,
	.name = "fault",
	.options = &OPTIONS,
	.check = fault_check,
	.state_size = sizeof(struct fault),
	.descriptors = 6,
	.start = fault_start,
	.stop = fault_stop,
	.deliver = fault_deliver,
	.outcome = fault_outcome,
	.state_value = fault_state_value,
	.room = fault_room,
	.subscribe = fa_presence_subscribe,
	.unsubscribe = fa_presence_unsubscribe,
	.notify = fa_presence_notify,
	.presence_outcome = fa_presence_outcome,
};
