/* SPDX-License-Identifier: ISC */
/* The XMPP adapter: PRIM principals are JIDs of a component. */

#include <event2/event.h>

#include "adapters/xmpp/adapter.h"
#include "adapters/xmpp/stanza.h"
#include "prim/base.h"
#include "prim/status.h"

#define DESCRIPTORS 16   /* two connections, the resolver's sockets */
#define TELL_S      5    /* how often the operator's numbers are told */
#define WINDOW      1024 /* the most there is */
/* Registrations: so many a second, and so many at once. */
#define REGISTER_RATE  10
#define REGISTER_BURST 50

/* Numbers are told now and then, not each time one changes. */
static void on_tell(evutil_socket_t fd, short what, void *arg)
{
	struct xa_adapter *a = arg;

	(void)fd;
	(void)what;
	a->counts.values[XA_COUNT_UNFENCED] = 0;
	a->counts.values[XA_COUNT_DROPPED] = 0;
	a->counts.values[XA_COUNT_LATE_DROPPED] = 0;
	for (unsigned i = 0; i < a->leg_count; i++) {
		a->counts.values[XA_COUNT_UNFENCED] +=
		    (int64_t)a->legs[i].unfenced;
		a->counts.values[XA_COUNT_DROPPED] +=
		    (int64_t)a->legs[i].dropped;
		a->counts.values[XA_COUNT_LATE_DROPPED] +=
		    (int64_t)a->legs[i].late_dropped;
	}
	xa_herald_count(&a->herald, &a->counts);
	xa_counts_tell(&a->counts, a->bridge);
}

/*
 * The legs.
 */

static void leg_up(void *ctx, struct xa_leg *leg)
{
	struct xa_adapter *a = ctx;

	if (leg == &a->legs[LEG_MAIN] && !a->draining)
		bridge_window(a->bridge, WINDOW);
	xa_herald_up(&a->herald, leg);
}

/* With the main leg goes the window, and with the window everything that has
 * no report; it comes again with the same ids. The gateway's leg takes only
 * its own along. */
static void leg_down(void *ctx, struct xa_leg *leg)
{
	struct xa_adapter *a = ctx;

	xa_adapter_count(a, XA_COUNT_LINKS_LOST);
	if (a->herald.roster)
		xa_herald_down(&a->herald, leg);
	if (leg != &a->legs[LEG_MAIN]) {
		xa_leg_fail(leg, PRIM_BAD_GATEWAY,
		    "the gateway's link was lost");
		return;
	}
	bridge_window(a->bridge, 0);
	for (unsigned i = 0; i < a->leg_count; i++)
		xa_leg_forget(&a->legs[i]);
}

static void leg_presence(void *ctx, struct xa_leg *leg, xmpp_stanza_t *presence)
{
	struct xa_adapter *a = ctx;

	xa_herald_hear(&a->herald, leg, presence);
}

static const struct xa_leg_ops LEG_OPS = {
	.up = leg_up,
	.down = leg_down,
	.message = xa_inward_message,
	.iq = xa_inward_iq,
	.presence = leg_presence,
	.report = xa_outward_report,
	.told = xa_outward_told,
	.late = xa_outward_late,
};

/*
 * Presence.
 */

static unsigned subscribe(void *state, const struct bridge_subscription *s,
    uint32_t *granted_s)
{
	struct xa_adapter *a = state;

	return xa_herald_subscribe(&a->herald, s, granted_s);
}

static unsigned unsubscribe(void *state, const struct bridge_subscription *s)
{
	struct xa_adapter *a = state;

	return xa_herald_unsubscribe(&a->herald, s);
}

static unsigned notify(void *state, const struct bridge_notification *n)
{
	struct xa_adapter *a = state;

	return xa_herald_notify(&a->herald, n);
}

static void presence_outcome(void *state,
    const struct bridge_presence_outcome *o)
{
	struct xa_adapter *a = state;

	xa_herald_outcome(&a->herald, o);
}

/*
 * Life and death.
 */

static void add_leg(struct xa_adapter *a, const char *domain)
{
	char *host = xa_options_host(domain);
	const struct xa_leg_setup setup = {
		.bridge = a->bridge,
		.xmpp = a->xmpp,
		.ops = &LEG_OPS,
		.ctx = a,
		.server = prim_slice_of(a->options->server),
		.host = prim_slice_of(host),
		.secret = prim_slice_of(a->secret),
	};

	a->hosts[a->leg_count] = host;
	xa_leg_init(&a->legs[a->leg_count++], &setup);
}

static void start_herald(struct xa_adapter *a)
{
	const struct xa_herald_setup setup = {
		.bridge = a->bridge,
		.xmpp = a->xmpp,
		.legs = a->legs,
		.leg_count = a->leg_count,
		.way = {
			.domain = prim_slice_of(a->hosts[LEG_MAIN]),
			.gateway = xa_adapter_gateway(a),
			.routes = xa_adapter_routes,
			.ctx = a,
		},
	};

	xa_herald_init(&a->herald, &setup);
	xa_herald_start(&a->herald);
}

static void start_teller(struct xa_adapter *a)
{
	const struct timeval often = { TELL_S, 0 };

	a->teller = event_new(bridge_base(a->bridge), -1, EV_PERSIST, on_tell,
	    a);
	event_add(a->teller, &often);
}

static bool start(struct bridge *b, void *state, const void *options)
{
	struct xa_adapter *a = state;
	char why[256];

	a->bridge = b;
	a->options = options;
	a->secret = xa_options_secret(a->options, why, sizeof(why));
	if (!a->secret) {
		bridge_log(b, BRIDGE_ERROR, "%s", why);
		return false;
	}
	a->xmpp = xa_stanza_context();
	xa_intake_init(&a->intake);
	xa_bucket_init(&a->registrations, REGISTER_RATE, REGISTER_BURST,
	    bridge_now_ms(b));
	add_leg(a, a->options->domain);
	if (a->options->gateway_domain)
		add_leg(a, a->options->gateway_domain);
	start_herald(a);
	start_teller(a);
	return true;
}

/* Who does not know what was permitted before cannot answer anybody. */
static void state_value(void *state, const struct prim_slice *key,
    const struct prim_slice *value)
{
	struct xa_adapter *a = state;

	if (!xa_herald_state(&a->herald, key, value))
		return;
	bridge_ready(a->bridge);
	for (unsigned i = 0; i < a->leg_count; i++)
		xa_leg_start(&a->legs[i]);
}

static void drain(void *state)
{
	struct xa_adapter *a = state;

	a->draining = true;
	xa_herald_drain(&a->herald);
	for (unsigned i = 0; i < a->leg_count; i++)
		xa_leg_hurry(&a->legs[i]);
}

static bool canonical(void *state, struct prim_slice address,
    struct prim_buf *out)
{
	struct xa_adapter *a = state;

	return xa_way_put_canonical(&a->herald.setup.way, out, address);
}

static void stop(void *state)
{
	struct xa_adapter *a = state;

	xa_inward_stop(a);
	for (unsigned i = 0; i < a->leg_count; i++) {
		xa_leg_fini(&a->legs[i]);
		a->hosts[i] = prim_free(a->hosts[i]);
	}
	a->leg_count = 0;
	xa_herald_fini(&a->herald);
	if (a->teller)
		event_free(a->teller);
	a->teller = NULL;
	xa_intake_fini(&a->intake);
	xa_register_fini(&a->registering);
	xa_in_fini(&a->in);
	xa_out_fini(&a->out);
	prim_buf_fini(&a->token);
	if (a->xmpp)
		xmpp_ctx_free(a->xmpp);
	a->xmpp = NULL;
	a->secret = xa_options_free_secret(a->secret);
}

const struct br_adapter br_adapter_plugin = {
	.abi = BR_ADAPTER_ABI,
	.name = "xmpp",
	.options = &xa_options_schema,
	.check = xa_options_check,
	.state_size = sizeof(struct xa_adapter),
	.descriptors = DESCRIPTORS,
	.start = start,
	.stop = stop,
	.deliver = xa_outward_deliver,
	.retry_s = {5, 10, 20, 40, 80, 160, 300},
	.delay_notice_s = 900,
	.canonical = canonical,
	.linked = xa_inward_linked,
	.outcome = xa_inward_outcome,
	.state_value = state_value,
	.room = xa_inward_room,
	.drain = drain,
	.subscribe = subscribe,
	.unsubscribe = unsubscribe,
	.notify = notify,
	.presence_outcome = presence_outcome,
};
