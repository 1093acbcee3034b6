/* SPDX-License-Identifier: ISC */
/* One component of the XMPP server and all that belongs to it. */

#include "adapters/xmpp/leg_private.h"

#include <event2/event.h>
#include <openssl/rand.h>
#include <string.h>

#include "adapters/xmpp/answer.h"
#include "adapters/xmpp/iq.h"
#include "adapters/xmpp/jid.h"
#include "adapters/xmpp/stanza.h"

int64_t xa_leg_now(const struct xa_leg *leg)
{
	return bridge_now_ms(leg->setup.bridge);
}

/*
 * The clock.
 */

static int64_t deadline(const struct xa_leg *leg)
{
	int64_t at = xa_link_deadline(&leg->link);
	int64_t due = xa_leg_deliver_due(leg);

	return due < at ? due : at;
}

void xa_leg_arm(struct xa_leg *leg)
{
	int64_t at = deadline(leg), wait;
	struct timeval tv;

	if (at == leg->armed_ms)
		return;
	leg->armed_ms = at;
	if (at == INT64_MAX) {
		evtimer_del(leg->timer);
		return;
	}
	wait = at - xa_leg_now(leg);
	if (wait < 0)
		wait = 0;
	tv.tv_sec = wait / 1000;
	tv.tv_usec = wait % 1000 * 1000;
	evtimer_add(leg->timer, &tv);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct xa_leg *leg = arg;

	(void)fd;
	(void)what;
	leg->armed_ms = INT64_MAX;
	xa_link_tick(&leg->link, xa_leg_now(leg));
	xa_leg_deliver_tick(leg);
	xa_leg_arm(leg);
}

/*
 * Stanzas.
 */

bool xa_leg_may_say(const struct xa_leg *leg, xmpp_stanza_t *stanza)
{
	struct xa_jid from;

	return xa_jid_split(xa_stanza_get(stanza, "from"), &from) &&
	    prim_slice_eq(from.domain, leg->setup.host);
}

void xa_leg_take(struct xa_leg *leg, xmpp_stanza_t *stanza)
{
	struct prim_buf xml = { 0 };
	bool ours = xa_leg_may_say(leg, stanza);

	xa_stanza_put(&xml, stanza);
	xmpp_stanza_release(stanza);
	if (!ours)
		leg->dropped++;
	else if (xml.len <= XA_OUT_STANZA_MAX && xa_leg_is_up(leg))
		xa_wire_write(&leg->wire, prim_buf_slice(&xml));
	else if (xml.len <= XA_OUT_STANZA_MAX &&
	    leg->unsent.len + xml.len <= XA_LEG_UNSENT_MAX)
		prim_buf_put(&leg->unsent, prim_buf_slice(&xml));
	else
		leg->dropped++;
	prim_buf_fini(&xml);
}

static void take_message(struct xa_leg *leg, xmpp_stanza_t *message)
{
	xa_leg_deliver_hear(leg, message);
	if (xa_stanza_type_is(message, "error"))
		return;
	if (!leg->setup.ops->message(leg->setup.ctx, leg, message)) {
		leg->parked = xmpp_stanza_clone(message);
		xa_link_hold(&leg->link);
	}
}

static void take_iq(struct xa_leg *leg, xmpp_stanza_t *iq)
{
	xmpp_stanza_t *answer;

	if (leg->setup.ops->iq(leg->setup.ctx, leg, iq))
		return;
	answer = xa_iq_answer(leg->setup.xmpp, iq);
	if (answer)
		xa_leg_take(leg, answer);
}

/* ejabberd hands out what is for one component to any of them, unless it is told
 * not to. We cannot answer in the name of another, and somebody else has ours:
 * only the operator can mend that. */
static bool is_astray(struct xa_leg *leg, xmpp_stanza_t *stanza)
{
	struct prim_slice to = xa_stanza_get(stanza, "to");
	struct xa_jid jid;

	if (!xa_jid_split(to, &jid) ||
	    prim_slice_eq_nocase(jid.domain, leg->setup.host))
		return false;
	if (!leg->astray)
		bridge_log(leg->setup.bridge, BRIDGE_WARN,
		    "the XMPP server sends us what is for another component, "
		    "and ours is lost the same way; ejabberd needs "
		    "global_routes: false host=%.*s to=%s",
		    PRIM_SLICE_ARG(leg->setup.host), bridge_quote(to));
	leg->astray = true;
	return true;
}

/*
 * Link callbacks: what the protocol wants from us.
 */

static void link_connect(void *ctx)
{
	struct xa_leg *leg = ctx;

	xa_wire_connect(&leg->wire);
}

static void link_disconnect(void *ctx)
{
	struct xa_leg *leg = ctx;

	xa_wire_close(&leg->wire);
}

static void link_write(void *ctx, struct prim_slice octets)
{
	struct xa_leg *leg = ctx;

	xa_wire_write(&leg->wire, octets);
}

static void link_hold(void *ctx)
{
	struct xa_leg *leg = ctx;

	xa_wire_hold(&leg->wire);
}

static void link_go(void *ctx)
{
	struct xa_leg *leg = ctx;

	xa_wire_go(&leg->wire);
}

static void link_up(void *ctx)
{
	struct xa_leg *leg = ctx;

	if (leg->unsent.len)
		xa_wire_write(&leg->wire, prim_buf_slice(&leg->unsent));
	prim_buf_reset(&leg->unsent);
	leg->astray = false;
	leg->setup.ops->up(leg->setup.ctx, leg);
}

static void unpark(struct xa_leg *leg)
{
	if (leg->parked)
		xmpp_stanza_release(leg->parked);
	leg->parked = NULL;
}

static void link_down(void *ctx)
{
	struct xa_leg *leg = ctx;

	unpark(leg);
	xa_leg_deliver_lost(leg);
}

static void link_stanza(void *ctx, xmpp_stanza_t *stanza)
{
	struct xa_leg *leg = ctx;

	if (is_astray(leg, stanza))
		return;
	if (xa_stanza_is_core(stanza, "message"))
		take_message(leg, stanza);
	else if (xa_stanza_is_core(stanza, "presence"))
		leg->setup.ops->presence(leg->setup.ctx, leg, stanza);
	else if (xa_stanza_is_core(stanza, "iq"))
		take_iq(leg, stanza);
}

static void link_refused(void *ctx, xmpp_stanza_t *head)
{
	struct xa_leg *leg = ctx;
	xmpp_stanza_t *answer = xa_answer_refused(leg->setup.xmpp, head,
	    &xa_error_policy_violation, "the stanza is too big or too deep");

	bridge_log(leg->setup.bridge, BRIDGE_DEBUG, "stanza too big from=%s",
	    bridge_quote(xa_stanza_get(head, "from")));
	if (answer)
		xa_leg_take(leg, answer);
}

static void link_passed(void *ctx, uint64_t mark)
{
	struct xa_leg *leg = ctx;

	xa_fence_pass(&leg->fence, mark);
	xa_leg_deliver_tick(leg);
}

static uint64_t link_random(void *ctx)
{
	uint64_t value = 0;

	(void)ctx;
	RAND_bytes((unsigned char *)&value, sizeof(value));
	return value;
}

static void link_log(void *ctx, enum bridge_level level, const char *text)
{
	struct xa_leg *leg = ctx;

	bridge_log(leg->setup.bridge, level, "%s", text);
}

static const struct xa_link_ops LINK_OPS = {
	.connect = link_connect,
	.disconnect = link_disconnect,
	.write = link_write,
	.hold = link_hold,
	.go = link_go,
	.up = link_up,
	.down = link_down,
	.stanza = link_stanza,
	.refused = link_refused,
	.passed = link_passed,
	.random = link_random,
	.log = link_log,
};

/*
 * Wire callbacks: what the world tells us.
 */

static void wire_connected(void *ctx)
{
	struct xa_leg *leg = ctx;

	xa_link_connected(&leg->link, xa_leg_now(leg));
	xa_leg_arm(leg);
}

static void wire_octets(void *ctx, struct prim_slice octets)
{
	struct xa_leg *leg = ctx;

	xa_link_feed(&leg->link, octets, xa_leg_now(leg));
	xa_leg_arm(leg);
}

static void wire_lost(void *ctx, const char *why)
{
	struct xa_leg *leg = ctx;

	xa_link_lost(&leg->link, why, xa_leg_now(leg));
	xa_leg_arm(leg);
}

static const struct xa_wire_ops WIRE_OPS = {
	.connected = wire_connected,
	.octets = wire_octets,
	.lost = wire_lost,
};

/*
 * The public face.
 */

void xa_leg_init(struct xa_leg *leg, const struct xa_leg_setup *setup)
{
	struct event_base *base = bridge_base(setup->bridge);

	memset(leg, 0, sizeof(*leg));
	leg->setup = *setup;
	leg->hold_ms = XA_PENDING_HOLD_MS;
	leg->armed_ms = INT64_MAX;
	leg->timer = evtimer_new(base, on_timer, leg);
	xa_fence_init(&leg->fence);
	xa_pendings_init(&leg->pendings);
	xa_pendings_init(&leg->notices);
	xa_bucket_init(&leg->late, XA_LEG_LATE_RATE, XA_LEG_LATE_BURST,
	    xa_leg_now(leg));
	xa_wire_init(&leg->wire, base, &WIRE_OPS, leg);
	xa_wire_set_server(&leg->wire, setup->server);
	xa_link_init(&leg->link, &LINK_OPS, leg, setup->xmpp);
	leg->link.host = setup->host;
	leg->link.secret = setup->secret;
}

void xa_leg_fini(struct xa_leg *leg)
{
	xa_leg_stop(leg);
	xa_leg_forget(leg);
	xa_link_fini(&leg->link);
	xa_wire_fini(&leg->wire);
	xa_pendings_fini(&leg->pendings);
	xa_pendings_fini(&leg->notices);
	prim_buf_fini(&leg->unsent);
	event_free(leg->timer);
	leg->timer = NULL;
}

void xa_leg_start(struct xa_leg *leg)
{
	xa_link_start(&leg->link, xa_leg_now(leg));
	xa_leg_arm(leg);
}

void xa_leg_stop(struct xa_leg *leg)
{
	xa_link_stop(&leg->link);
	xa_leg_arm(leg);
}

bool xa_leg_is_up(const struct xa_leg *leg)
{
	return xa_link_is_up(&leg->link);
}

void xa_leg_go(struct xa_leg *leg)
{
	if (!leg->parked ||
	    !leg->setup.ops->message(leg->setup.ctx, leg, leg->parked))
		return;
	unpark(leg);
	xa_link_go(&leg->link, xa_leg_now(leg));
	xa_leg_arm(leg);
}
