/* SPDX-License-Identifier: ISC */
/* Presence to order. */

#include "adapters/fault/presence.h"

#include <stdio.h>
#include <unistd.h>

#include "adapters/fault/misdeed.h"
#include "prim/address.h"
#include "prim/base.h"
#include "prim/pidf.h"

static void keep(struct prim_buf *to, struct prim_slice s)
{
	prim_buf_reset(to);
	prim_buf_put(to, s);
}

static void names_fini(struct fa_names *n)
{
	prim_buf_fini(&n->watcher);
	prim_buf_fini(&n->presentity);
	prim_buf_fini(&n->id);
}

void fa_presence_fini(struct fa_presence *p)
{
	fa_order_fini(&p->mode);
	names_fini(&p->watch);
	names_fini(&p->flood);
	prim_buf_fini(&p->unwatch);
}

/* What the local part of `who` says, without its address. */
static struct fa_order order_of(const struct fa_presence *p,
    struct prim_slice who)
{
	struct fa_order order = { 0 };
	struct prim_address address;

	if (!prim_address_parse(who, &address) ||
	    !fa_order_parse(address.local, &order)) {
		fa_order_fini(&order);
		order.verb = p->mode.verb;
		order.number = p->mode.number;
	}
	fa_order_fini(&order);
	return order;
}

/* ---- we are watched ---- */

/* Says that `n->presentity` is open; the rest of `n` stays as it is. */
static bool show(struct fa_presence *p, struct bridge_notification n)
{
	static struct prim_pidf document; /* large */
	struct prim_buf body = { 0 };
	bool sent;

	document = (struct prim_pidf){
		.entity = n.presentity,
		.idle_since_ms = PRIM_PIDF_NO_TIME,
		.tuple_count = 1,
	};
	document.tuples[0] = (struct prim_pidf_tuple){
		.id = PRIM_SLICE("fault"),
		.basic = PRIM_BASIC_OPEN,
		.has_status = true,
		.priority = PRIM_PIDF_NO_PRIORITY,
		.idle_since_ms = PRIM_PIDF_NO_TIME,
		.timestamp_ms = PRIM_PIDF_NO_TIME,
	};
	prim_pidf_put(&body, &document);
	n.content_type = PRIM_SLICE("application/pidf+xml");
	n.body = prim_buf_slice(&body);
	sent = bridge_notify(p->bridge, &n);
	prim_buf_fini(&body);
	return sent;
}

static void flood(struct fa_presence *p)
{
	const struct bridge_notification n = {
		.watcher = prim_buf_slice(&p->flood.watcher),
		.presentity = prim_buf_slice(&p->flood.presentity),
		.id = prim_buf_slice(&p->flood.id),
	};

	while (p->flood_left > 0 && show(p, n))
		p->flood_left--;
}

static void flood_start(struct fa_presence *p,
    const struct bridge_subscription *s, unsigned count)
{
	keep(&p->flood.watcher, s->watcher);
	keep(&p->flood.presentity, s->presentity);
	keep(&p->flood.id, s->id);
	p->flood_left = count;
	flood(p);
}

/* What follows an accepted subscription. */
static void follow(struct fa_presence *p, const struct fa_order *order,
    const struct bridge_subscription *s)
{
	struct bridge_notification n = {
		.watcher = s->watcher,
		.presentity = s->presentity,
		.id = s->id,
		.is_end = s->duration_s == 0,
	};

	if (order->verb == FA_SILENCE)
		return;
	if (order->verb == FA_LIE)
		n.id = PRIM_SLICE("never-heard-of");
	show(p, n);
	if (order->verb == FA_FLOOD)
		flood_start(p, s, order->number);
	n.is_end = true;
	if (order->verb == FA_END)
		bridge_notify(p->bridge, &n);
}

/* What ends badly at once. */
static void misbehave(enum fa_verb verb)
{
	if (verb == FA_HANG)
		fa_hang();
	if (verb == FA_DIE)
		fa_die();
	if (verb == FA_GARBAGE)
		fa_rubbish("HELO garbage\r\n\r\n\001\002\003");
}

unsigned fa_presence_subscribe(void *state, const struct bridge_subscription *s,
    uint32_t *granted_s)
{
	struct fa_presence *p = state;
	const struct fa_order order = order_of(p, s->presentity);

	misbehave(order.verb);
	if (order.verb == FA_REFUSE)
		return order.number;
	if (order.verb == FA_TRANSIENT)
		return PRIM_GATEWAY_TIMEOUT;
	follow(p, &order, s);
	if (order.verb != FA_GRANT || s->duration_s == 0)
		return PRIM_OK;
	*granted_s = order.number;
	return PRIM_DURATION_ADJUSTED;
}

unsigned fa_presence_unsubscribe(void *state,
    const struct bridge_subscription *s)
{
	struct fa_presence *p = state;

	bridge_log(p->bridge, BRIDGE_INFO, "unsubscribed watcher=%s to=%s",
	    bridge_quote(s->watcher), bridge_quote(s->presentity));
	p->flood_left = 0;
	return PRIM_OK;
}

/* ---- we watch ---- */

/* "im:a@b" as "pres:a@b". */
static void keep_watcher(struct prim_buf *to, struct prim_slice address)
{
	prim_slice_cut(&address, ':');
	keep(to, PRIM_SLICE("pres:"));
	prim_buf_put(to, address);
}

static struct bridge_subscription watched(const struct fa_presence *p)
{
	return (struct bridge_subscription){
		.watcher = prim_buf_slice(&p->watch.watcher),
		.presentity = prim_buf_slice(&p->watch.presentity),
		.id = prim_buf_slice(&p->watch.id),
		.strength = PRIM_ASTRENGTH_MEDIUM,
	};
}

unsigned fa_presence_watch(struct fa_presence *p,
    const struct bridge_message *m, unsigned seconds)
{
	struct bridge_subscription s;

	keep_watcher(&p->watch.watcher, m->to);
	keep_watcher(&p->watch.presentity, m->from);
	keep(&p->watch.id, m->delivery_id);
	s = watched(p);
	s.duration_s = seconds;
	return bridge_subscribe(p->bridge, &s) ? 0 : PRIM_INTERNAL_ERROR;
}

unsigned fa_presence_unwatch(struct fa_presence *p,
    const struct bridge_message *m)
{
	const struct bridge_subscription s = watched(p);

	keep(&p->unwatch, m->delivery_id);
	return bridge_unsubscribe(p->bridge, &s) ? 0 : PRIM_INTERNAL_ERROR;
}

/* What the watcher is to see goes to the one who is watched, as a message. */
static void tell(struct fa_presence *p, const struct bridge_notification *n)
{
	struct prim_buf from = { 0 }, to = { 0 }, body = { 0 }, id = { 0 };
	struct prim_slice watcher = n->watcher, presentity = n->presentity;

	prim_slice_cut(&watcher, ':');
	prim_slice_cut(&presentity, ':');
	prim_buf_putf(&from, "im:%.*s", PRIM_SLICE_ARG(watcher));
	prim_buf_putf(&to, "im:%.*s", PRIM_SLICE_ARG(presentity));
	prim_buf_putf(&id, "shown%u.%d", p->shown++, (int)getpid());
	prim_buf_putf(&body, "notify %u\r\n", n->is_end ? 0 : n->duration_s);
	prim_buf_put(&body, n->body);
	bridge_submit(p->bridge,
	    &(struct bridge_message){
		.from = prim_buf_slice(&from),
		.to = prim_buf_slice(&to),
		.message_id = prim_buf_slice(&id),
		.conversation_id = n->id,
		.content_type = PRIM_SLICE("text/plain; charset=UTF-8"),
		.body = prim_buf_slice(&body),
	    });
	prim_buf_fini(&from);
	prim_buf_fini(&to);
	prim_buf_fini(&id);
	prim_buf_fini(&body);
}

unsigned fa_presence_notify(void *state, const struct bridge_notification *n)
{
	struct fa_presence *p = state;
	const struct fa_order order = order_of(p, n->watcher);

	if (order.verb == FA_FORGET)
		return PRIM_NOT_FOUND;
	if (order.verb != FA_SILENCE)
		tell(p, n);
	return PRIM_OK;
}

/* Ours have the Delivery-ID of what ordered them as their id. */
void fa_presence_outcome(void *state, const struct bridge_presence_outcome *o)
{
	struct fa_presence *p = state;
	const unsigned code = o->code < 300 ? PRIM_OK : o->code;

	if (o->kind == BRIDGE_SUBSCRIBE)
		bridge_report(p->bridge, o->id, code, "subscribed");
	else if (o->kind == BRIDGE_UNSUBSCRIBE)
		bridge_report(p->bridge, prim_buf_slice(&p->unwatch), code,
		    "unsubscribed");
	else
		flood(p);
}
