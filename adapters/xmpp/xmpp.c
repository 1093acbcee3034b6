/* SPDX-License-Identifier: ISC */
/* The XMPP adapter: PRIM principals are JIDs of a component. */

#include <event2/event.h>
#include <openssl/rand.h>

#include "adapters/xmpp/answer.h"
#include "adapters/xmpp/in.h"
#include "adapters/xmpp/jid.h"
#include "adapters/xmpp/leg.h"
#include "adapters/xmpp/options.h"
#include "adapters/xmpp/out.h"
#include "adapters/xmpp/stanza.h"
#include "adapters/xmpp/token.h"
#include "bridge/adapter.h"
#include "prim/base.h"
#include "prim/status.h"

#define DESCRIPTORS 16   /* two connections, the resolver's sockets */
#define TELL_S      5    /* how often the operator's numbers are told */
#define WINDOW      1024 /* the most there is */

enum { LEG_MAIN, LEG_GATEWAY, LEG_MAX };

enum count {
	COUNT_IN,
	COUNT_OUT,
	COUNT_RECEIPTS_IN,
	COUNT_RECEIPTS_OUT,
	COUNT_HANDED_OVER,
	COUNT_ERRORS_IN,
	COUNT_ERRORS_OUT,
	COUNT_LINKS_LOST,
	COUNT_MAX,
};

static const char *const COUNT_NAMES[] = {
	[COUNT_IN] = "messages_in",
	[COUNT_OUT] = "messages_out",
	[COUNT_RECEIPTS_IN] = "receipts_in",
	[COUNT_RECEIPTS_OUT] = "receipts_out",
	[COUNT_HANDED_OVER] = "handed_over",
	[COUNT_ERRORS_IN] = "errors_in",
	[COUNT_ERRORS_OUT] = "errors_out",
	[COUNT_LINKS_LOST] = "links_lost",
};

struct adapter {
	struct bridge *bridge;            /* borrowed: outlives us */
	const struct xa_options *options; /* borrowed: outlives us */
	xmpp_ctx_t *xmpp;                 /* owned */
	char *secret;                     /* owned */
	char *hosts[LEG_MAX]; /* owned: our domains; NULL: no gateway */
	unsigned leg_count;
	struct xa_leg legs[LEG_MAX];
	struct xa_in in;
	struct xa_out out;
	struct prim_buf token; /* workspace of `outcome` */
	struct event *teller;  /* owned */
	unsigned unanswered;   /* submissions */
	bool draining;
	int64_t counts[COUNT_MAX];
	int64_t told; /* their sum when they were told */
};

static void count(struct adapter *a, enum count which)
{
	a->counts[which]++;
}

/* Numbers are told now and then, not each time one changes. */
static void tell_counts(struct adapter *a)
{
	int64_t unfenced = 0, dropped = 0, sum = 0;

	for (unsigned i = 0; i < COUNT_MAX; i++)
		sum += a->counts[i];
	if (sum == a->told)
		return;
	a->told = sum;
	for (unsigned i = 0; i < COUNT_MAX; i++)
		bridge_metric(a->bridge, COUNT_NAMES[i], a->counts[i]);
	for (unsigned i = 0; i < a->leg_count; i++) {
		unfenced += (int64_t)a->legs[i].unfenced;
		dropped += (int64_t)a->legs[i].dropped;
	}
	bridge_metric(a->bridge, "unfenced_lost", unfenced);
	bridge_metric(a->bridge, "answers_dropped", dropped);
}

static void on_tell(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	tell_counts(arg);
}

/*
 * XMPP to PRIM.
 */

static struct prim_slice gateway_of(const struct adapter *a)
{
	return prim_slice_of(a->hosts[LEG_GATEWAY]);
}

static bool routes(void *ctx, struct prim_slice domain)
{
	struct adapter *a = ctx;

	return bridge_routes(a->bridge, domain);
}

static void refuse(struct adapter *a, struct xa_leg *leg,
    xmpp_stanza_t *message, const struct xa_error *error, const char *text)
{
	xmpp_stanza_t *answer = xa_answer_refused(a->xmpp, message, error,
	    text);

	bridge_log(a->bridge, BRIDGE_DEBUG,
	    "message refused from=%s condition=%s",
	    bridge_quote(xa_stanza_get(message, "from")), error->condition);
	if (!answer)
		return;
	count(a, COUNT_ERRORS_OUT);
	xa_leg_take(leg, answer);
}

static enum xa_in_result translate(struct adapter *a, struct xa_leg *leg,
    xmpp_stanza_t *message)
{
	struct xa_in_context c = {
		.host = leg->setup.host,
		.gateway = gateway_of(a),
		.is_gateway = leg == &a->legs[LEG_GATEWAY],
		.now_ms = bridge_now_ms(a->bridge),
		.routes = routes,
		.ctx = a,
	};

	RAND_bytes((unsigned char *)&c.random, sizeof(c.random));
	return xa_in_translate(&a->in, &c, message);
}

/* Without unanswered submissions there is room, so it is the message that
 * cannot pass. */
static bool submit(struct adapter *a, struct xa_leg *leg,
    xmpp_stanza_t *message)
{
	if (bridge_submit(a->bridge, &a->in.message)) {
		a->unanswered++;
		count(a, COUNT_IN);
		return true;
	}
	if (a->unanswered)
		return false;
	refuse(a, leg, message, &xa_error_bad_request,
	    "PRIM cannot carry this message");
	return true;
}

static bool leg_message(void *ctx, struct xa_leg *leg, xmpp_stanza_t *message)
{
	struct adapter *a = ctx;

	switch (translate(a, leg, message)) {
	case XA_IN_IGNORE:
		return true;
	case XA_IN_REFUSE:
		refuse(a, leg, message, a->in.error, a->in.why);
		return true;
	case XA_IN_SUBMIT:
		break;
	}
	if (!a->draining)
		return submit(a, leg, message);
	refuse(a, leg, message, &xa_error_wait, "the bridge is stopping");
	return true;
}

static struct xa_leg *leg_of(struct adapter *a, struct prim_slice to)
{
	struct xa_jid jid;

	if (!xa_jid_split(to, &jid))
		return NULL;
	for (unsigned i = 0; i < a->leg_count; i++) {
		if (prim_slice_eq_nocase(jid.domain, a->legs[i].setup.host))
			return &a->legs[i];
	}
	return NULL;
}

static void answer(struct adapter *a, const struct bridge_outcome *o,
    const struct xa_token *t, struct xa_leg *leg)
{
	xmpp_stanza_t *s = xa_answer_outcome(a->xmpp, t, o);

	if (!s)
		return;
	count(a, o->code < 300 ? COUNT_RECEIPTS_OUT : COUNT_ERRORS_OUT);
	xa_leg_take(leg, s);
}

static void room(void *state)
{
	struct adapter *a = state;

	for (unsigned i = 0; i < a->leg_count; i++)
		xa_leg_go(&a->legs[i]);
}

static void outcome(void *state, const struct bridge_outcome *o)
{
	struct adapter *a = state;
	struct xa_token t;
	struct xa_leg *leg = NULL;

	if (a->unanswered)
		a->unanswered--;
	if (xa_token_parse(o->return_token, &a->token, &t))
		leg = leg_of(a, t.to);
	if (leg)
		answer(a, o, &t, leg);
	else
		bridge_log(a->bridge, BRIDGE_WARN, "outcome without sender");
	if (a->unanswered == 0)
		room(a);
}

/*
 * PRIM to XMPP.
 */

static unsigned deliver(void *state, const struct bridge_message *m)
{
	struct adapter *a = state;
	const struct xa_out_context c = {
		.xmpp = a->xmpp,
		.domain = prim_slice_of(a->hosts[LEG_MAIN]),
		.gateway = gateway_of(a),
		.now_ms = bridge_now_ms(a->bridge),
	};
	unsigned code = xa_out_translate(&a->out, &c, m);
	struct xa_leg *leg;

	if (code) {
		bridge_log(a->bridge, BRIDGE_INFO,
		    "delivery refused id=%s code=%u reason=%s",
		    bridge_quote(m->delivery_id), code,
		    bridge_quote(prim_slice_of(a->out.why)));
		return code;
	}
	leg = &a->legs[a->out.via_gateway ? LEG_GATEWAY : LEG_MAIN];
	if (!xa_leg_is_up(leg))
		return PRIM_BAD_GATEWAY;
	if (!xa_leg_has_room(leg))
		return PRIM_INTERNAL_ERROR; /* it is tried again */
	count(a, COUNT_OUT);
	xa_leg_deliver(leg, &a->out, m->delivery_id);
	return 0;
}

static void leg_report(void *ctx, struct prim_slice delivery_id, unsigned code,
    const char *text)
{
	struct adapter *a = ctx;

	if (code == PRIM_OK)
		count(a, COUNT_RECEIPTS_IN);
	else if (code == PRIM_UNKNOWN_DELIVERY)
		count(a, COUNT_HANDED_OVER);
	else
		count(a, COUNT_ERRORS_IN);
	bridge_report(a->bridge, delivery_id, code, text);
}

static void leg_up(void *ctx, struct xa_leg *leg)
{
	struct adapter *a = ctx;

	if (leg == &a->legs[LEG_MAIN] && !a->draining)
		bridge_window(a->bridge, WINDOW);
}

/* With the main leg goes the window, and with the window everything that has
 * no report; it comes again with the same ids. The gateway's leg takes only
 * its own along. */
static void leg_down(void *ctx, struct xa_leg *leg)
{
	struct adapter *a = ctx;

	count(a, COUNT_LINKS_LOST);
	if (leg != &a->legs[LEG_MAIN]) {
		xa_leg_fail(leg, PRIM_BAD_GATEWAY,
		    "the gateway's link was lost");
		return;
	}
	bridge_window(a->bridge, 0);
	for (unsigned i = 0; i < a->leg_count; i++)
		xa_leg_forget(&a->legs[i]);
}

static const struct xa_leg_ops LEG_OPS = {
	.up = leg_up,
	.down = leg_down,
	.message = leg_message,
	.report = leg_report,
};

/*
 * Life and death.
 */

static void add_leg(struct adapter *a, const char *domain)
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

static void start_teller(struct adapter *a)
{
	const struct timeval often = { TELL_S, 0 };

	a->teller = event_new(bridge_base(a->bridge), -1, EV_PERSIST, on_tell,
	    a);
	event_add(a->teller, &often);
}

static bool start(struct bridge *b, void *state, const void *options)
{
	struct adapter *a = state;
	char why[256];

	a->bridge = b;
	a->options = options;
	a->secret = xa_options_secret(a->options, why, sizeof(why));
	if (!a->secret) {
		bridge_log(b, BRIDGE_ERROR, "%s", why);
		return false;
	}
	a->xmpp = xa_stanza_context();
	add_leg(a, a->options->domain);
	if (a->options->gateway_domain)
		add_leg(a, a->options->gateway_domain);
	start_teller(a);
	bridge_ready(b);
	for (unsigned i = 0; i < a->leg_count; i++)
		xa_leg_start(&a->legs[i]);
	return true;
}

static void drain(void *state)
{
	struct adapter *a = state;

	a->draining = true;
	for (unsigned i = 0; i < a->leg_count; i++)
		xa_leg_hurry(&a->legs[i]);
}

static void stop(void *state)
{
	struct adapter *a = state;

	for (unsigned i = 0; i < a->leg_count; i++) {
		xa_leg_fini(&a->legs[i]);
		a->hosts[i] = prim_free(a->hosts[i]);
	}
	a->leg_count = 0;
	if (a->teller)
		event_free(a->teller);
	a->teller = NULL;
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
	.state_size = sizeof(struct adapter),
	.descriptors = DESCRIPTORS,
	.start = start,
	.stop = stop,
	.deliver = deliver,
	.outcome = outcome,
	.room = room,
	.drain = drain,
};
