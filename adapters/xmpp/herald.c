/* SPDX-License-Identifier: ISC */
/* Carries presence between the legs, the bridge and the roster. */

#include "adapters/xmpp/herald.h"

#include <event2/event.h>
#include <openssl/rand.h>
#include <string.h>

#include "adapters/xmpp/stanza.h"
#include "prim/base.h"
#include "prim/status.h"

/* With more than this unsent presence waits: messages go first. */
#define CLEAR_MAX 65536

static int64_t now(const struct xa_herald *h)
{
	return bridge_now_ms(h->setup.bridge);
}

/*
 * The clock.
 */

static void arm(struct xa_herald *h)
{
	int64_t at = xa_roster_deadline(h->roster), wait;
	struct timeval tv;

	if (at == h->armed_ms)
		return;
	h->armed_ms = at;
	if (at == INT64_MAX) {
		evtimer_del(h->timer);
		return;
	}
	wait = at - now(h);
	if (wait < 0)
		wait = 0;
	tv.tv_sec = wait / 1000;
	tv.tv_usec = wait % 1000 * 1000;
	evtimer_add(h->timer, &tv);
}

void xa_herald_go(struct xa_herald *h)
{
	xa_roster_go(h->roster, now(h));
	arm(h);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct xa_herald *h = arg;

	(void)fd;
	(void)what;
	h->armed_ms = INT64_MAX;
	xa_herald_go(h);
}

/*
 * What the roster wants.
 */

static void roster_say(void *ctx, unsigned leg, const struct xa_word *w)
{
	struct xa_herald *h = ctx;
	const struct xa_envelope envelope = {
		.from = w->from,
		.to = w->to,
		.type = w->type,
		.id = w->id,
	};

	xa_leg_take(&h->setup.legs[leg],
	    w->error ? xa_stanza_error(h->setup.xmpp, "presence", &envelope,
			   w->error, NULL)
		     : xa_stanza_new(h->setup.xmpp, "presence", &envelope));
}

static void roster_show(void *ctx, unsigned leg, const struct xa_presence *p,
    const struct xa_presence_route *route)
{
	struct xa_herald *h = ctx;

	xa_leg_take(&h->setup.legs[leg],
	    xa_presence_stanza(h->setup.xmpp, p, route));
}

static bool roster_is_clear(void *ctx, unsigned leg)
{
	const struct xa_herald *h = ctx;

	return xa_wire_waiting(&h->setup.legs[leg].wire) < CLEAR_MAX;
}

static bool roster_subscribe(void *ctx, const struct bridge_subscription *s)
{
	const struct xa_herald *h = ctx;

	return bridge_subscribe(h->setup.bridge, s);
}

static bool roster_unsubscribe(void *ctx, const struct bridge_subscription *s)
{
	const struct xa_herald *h = ctx;

	return bridge_unsubscribe(h->setup.bridge, s);
}

static bool roster_notify(void *ctx, const struct bridge_notification *n)
{
	const struct xa_herald *h = ctx;

	return bridge_notify(h->setup.bridge, n);
}

static unsigned roster_room(void *ctx)
{
	const struct xa_herald *h = ctx;

	return bridge_presence_room(h->setup.bridge);
}

static void roster_keep(void *ctx, struct prim_slice key,
    struct prim_slice value)
{
	const struct xa_herald *h = ctx;

	bridge_state_put(h->setup.bridge, key, value);
}

static void roster_forget(void *ctx, struct prim_slice key)
{
	const struct xa_herald *h = ctx;

	bridge_state_drop(h->setup.bridge, key);
}

static int roster_leg_of(void *ctx, struct prim_slice ours)
{
	const struct xa_herald *h = ctx;
	struct xa_jid jid;

	if (!xa_jid_split(ours, &jid))
		return -1;
	for (unsigned i = 0; i < h->setup.leg_count; i++) {
		if (prim_slice_eq(jid.domain, h->setup.legs[i].setup.host))
			return (int)i;
	}
	return -1;
}

static uint64_t roster_random(void *ctx)
{
	uint64_t value = 0;

	(void)ctx;
	RAND_bytes((unsigned char *)&value, sizeof(value));
	return value;
}

static void roster_log(void *ctx, enum bridge_level level, const char *what,
    const struct xa_pair *pair)
{
	const struct xa_herald *h = ctx;

	bridge_log(h->setup.bridge, level, "presence: %s principal=%s user=%s",
	    what, bridge_quote(pair->ours), bridge_quote(pair->theirs));
}

static const struct xa_roster_ops ROSTER_OPS = {
	.say = roster_say,
	.show = roster_show,
	.is_clear = roster_is_clear,
	.subscribe = roster_subscribe,
	.unsubscribe = roster_unsubscribe,
	.notify = roster_notify,
	.room = roster_room,
	.keep = roster_keep,
	.forget = roster_forget,
	.leg_of = roster_leg_of,
	.random = roster_random,
	.log = roster_log,
};

/*
 * What the core says.
 */

/* 0, or the status that refuses these addresses. */
static unsigned pair_of(struct xa_herald *h, struct prim_slice principal,
    struct prim_slice user, struct xa_pair *out)
{
	const struct xa_way *way = &h->setup.way;
	bool via_gateway;
	const char *why;
	unsigned code;

	prim_buf_reset(&h->ours);
	prim_buf_reset(&h->theirs);
	code = xa_way_put_principal(way, &h->ours, principal, &via_gateway,
	    &why);
	if (!code)
		code = xa_way_put_user(way, &h->theirs, user, &why);
	*out = (struct xa_pair){
		.ours = prim_buf_slice(&h->ours),
		.theirs = prim_buf_slice(&h->theirs),
		.principal = principal,
		.user = user,
	};
	return code;
}

unsigned xa_herald_subscribe(struct xa_herald *h,
    const struct bridge_subscription *s, uint32_t *granted_s)
{
	struct xa_pair pair;
	unsigned code = pair_of(h, s->watcher, s->presentity, &pair);

	if (code)
		return code;
	code = xa_roster_subscribe(h->roster, &pair, s, granted_s, now(h));
	xa_herald_go(h);
	return code;
}

unsigned xa_herald_unsubscribe(struct xa_herald *h,
    const struct bridge_subscription *s)
{
	struct xa_pair pair;

	if (pair_of(h, s->watcher, s->presentity, &pair))
		return PRIM_SUBSCRIPTION_NOT_FOUND;
	if (xa_roster_unsubscribe(h->roster, &pair, s, now(h)) != PRIM_OK)
		return PRIM_SUBSCRIPTION_NOT_FOUND;
	xa_herald_go(h);
	return PRIM_OK;
}

unsigned xa_herald_notify(struct xa_herald *h,
    const struct bridge_notification *n)
{
	struct xa_pair pair;
	unsigned code;

	if (pair_of(h, n->presentity, n->watcher, &pair))
		return PRIM_NOT_FOUND;
	code = xa_roster_notify(h->roster, &pair, n, now(h));
	xa_herald_go(h);
	return code;
}

void xa_herald_outcome(struct xa_herald *h,
    const struct bridge_presence_outcome *o)
{
	const bool is_notify = o->kind == BRIDGE_NOTIFY;
	struct xa_pair pair;

	if (!pair_of(h, is_notify ? o->watcher : o->presentity,
		is_notify ? o->presentity : o->watcher, &pair))
		xa_roster_outcome(h->roster, &pair, o, now(h));
	xa_herald_go(h);
}

/*
 * The public face.
 */

void xa_herald_init(struct xa_herald *h, const struct xa_herald_setup *setup)
{
	memset(h, 0, sizeof(*h));
	h->setup = *setup;
	h->armed_ms = INT64_MAX;
	h->timer = evtimer_new(bridge_base(setup->bridge), on_timer, h);
	h->roster = xa_roster_new(&ROSTER_OPS, h, now(h));
}

void xa_herald_fini(struct xa_herald *h)
{
	if (h->timer)
		event_free(h->timer);
	h->timer = NULL;
	h->roster = xa_roster_free(h->roster);
	prim_buf_fini(&h->ours);
	prim_buf_fini(&h->theirs);
	prim_buf_fini(&h->principal);
	prim_buf_fini(&h->user);
}

void xa_herald_start(struct xa_herald *h)
{
	bridge_state_list(h->setup.bridge);
}

/* With a record that we cannot read the roster is not known to be complete, and
 * who is unknown is not taken for absent. */
bool xa_herald_state(struct xa_herald *h, const struct prim_slice *key,
    const struct prim_slice *value)
{
	if (key) {
		if (!prim_slice_starts(*key, PRIM_SLICE(XA_ROSTER_PREFIX)))
			return false;
		if (xa_roster_restore(h->roster, *key, *value))
			h->restored++;
		else
			h->unread++;
		return false;
	}
	if (h->unread)
		bridge_log(h->setup.bridge, BRIDGE_WARN,
		    "presence: records that cannot be read are left alone "
		    "count=%zu",
		    h->unread);
	if (h->restored)
		bridge_log(h->setup.bridge, BRIDGE_INFO,
		    "presence: restored contacts=%zu", h->restored);
	xa_roster_restored(h->roster, h->unread == 0, now(h));
	xa_herald_go(h);
	return true;
}

void xa_herald_up(struct xa_herald *h, const struct xa_leg *leg)
{
	xa_roster_up(h->roster, (unsigned)(leg - h->setup.legs), now(h));
	xa_herald_go(h);
}

void xa_herald_down(struct xa_herald *h, const struct xa_leg *leg)
{
	xa_roster_down(h->roster, (unsigned)(leg - h->setup.legs), now(h));
	arm(h);
}

void xa_herald_drain(struct xa_herald *h)
{
	xa_roster_drain(h->roster, now(h));
	arm(h);
}

void xa_herald_count(const struct xa_herald *h, struct xa_counts *out)
{
	struct xa_roster_counts counts;

	xa_roster_count(h->roster, &counts);
	out->values[XA_COUNT_PRESENCE_IN] = (int64_t)h->heard;
	out->values[XA_COUNT_PRESENCE_OUT] = (int64_t)counts.words;
	out->values[XA_COUNT_PROBES] = (int64_t)counts.probes;
	out->values[XA_COUNT_CONTACTS] = (int64_t)counts.contacts;
	out->values[XA_COUNT_WATCHES] = (int64_t)counts.watches;
	out->values[XA_COUNT_FOLLOWS] = (int64_t)counts.follows;
}
