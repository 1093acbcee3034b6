/* SPDX-License-Identifier: ISC */
/* What the users of XMPP say about presence, for the roster. */

#include "adapters/xmpp/herald.h"
#include "adapters/xmpp/stanza.h"
#include "prim/base.h"

static bool kind_of(xmpp_stanza_t *s, enum xa_heard_kind *out)
{
	static const struct {
		const char *type;
		enum xa_heard_kind kind;
	} KINDS[] = {
		{"unavailable",   XA_HEARD_PRESENCE    },
		{ "subscribe",    XA_HEARD_SUBSCRIBE   },
		{ "subscribed",   XA_HEARD_SUBSCRIBED  },
		{ "unsubscribe",  XA_HEARD_UNSUBSCRIBE },
		{ "unsubscribed", XA_HEARD_UNSUBSCRIBED},
		{ "probe",        XA_HEARD_PROBE       },
		{ "error",        XA_HEARD_ERROR       },
	};

	*out = XA_HEARD_PRESENCE;
	if (!xmpp_stanza_get_type(s))
		return true;
	for (size_t i = 0; i < PRIM_COUNT(KINDS); i++) {
		*out = KINDS[i].kind;
		if (xa_stanza_type_is(s, KINDS[i].type))
			return true;
	}
	return false;
}

/* Turns the stanza round. */
static void answer(struct xa_herald *h, struct xa_leg *leg, xmpp_stanza_t *s,
    const struct xa_error *error)
{
	const struct xa_envelope envelope = {
		.from = xmpp_stanza_get_to(s),
		.to = xmpp_stanza_get_from(s),
		.id = xmpp_stanza_get_id(s),
		.type = "unsubscribed",
	};

	xa_leg_take(leg,
	    error ? xa_stanza_error(h->setup.xmpp, "presence", &envelope, error,
			NULL)
		  : xa_stanza_new(h->setup.xmpp, "presence", &envelope));
}

static struct prim_slice pres_of(struct prim_buf *b, struct prim_slice im)
{
	prim_buf_reset(b);
	prim_buf_puts(b, "pres:");
	prim_slice_cut(&im, ':');
	prim_buf_put(b, im);
	return prim_buf_slice(b);
}

/* The "pres:" addresses of both. False: PRIM cannot carry one of them. */
static bool put_addresses(struct xa_herald *h, const struct xa_leg *leg,
    const struct xa_jid *from, const struct xa_jid *to)
{
	const bool is_gateway = prim_slice_eq(leg->setup.host,
	    h->setup.way.gateway);
	struct prim_buf uri = { 0 };
	bool ok = xa_way_put_principal_uri(&uri, to, is_gateway);

	if (ok) {
		pres_of(&h->principal, prim_buf_slice(&uri));
		prim_buf_reset(&uri);
		ok = xa_way_put_user_uri(&h->setup.way, &uri, from);
	}
	if (ok)
		pres_of(&h->user, prim_buf_slice(&uri));
	prim_buf_fini(&uri);
	return ok;
}

static bool put_pair(struct xa_herald *h, const struct xa_leg *leg,
    const struct xa_jid *from, const struct xa_jid *to)
{
	prim_buf_reset(&h->ours);
	prim_buf_reset(&h->theirs);
	prim_buf_reset(&h->principal);
	prim_buf_reset(&h->user);
	return prim_slice_eq_nocase(to->domain, leg->setup.host) &&
	    xa_way_is_elsewhere(&h->setup.way, from->bare) &&
	    xa_jid_key(&h->ours, to) && xa_way_put_bare(&h->theirs, from);
}

static void hear(struct xa_herald *h, xmpp_stanza_t *s,
    const struct xa_heard *head)
{
	const struct xa_pair pair = {
		.ours = prim_buf_slice(&h->ours),
		.theirs = prim_buf_slice(&h->theirs),
		.principal = prim_buf_slice(&h->principal),
		.user = prim_buf_slice(&h->user),
	};
	const int64_t now_ms = bridge_now_ms(h->setup.bridge);
	struct xa_heard heard = *head;
	struct xa_presence p = { 0 };

	if (heard.kind == XA_HEARD_PRESENCE) {
		if (!xa_presence_read(&p, s, now_ms))
			return;
		heard.presence = &p;
	}
	if (heard.kind == XA_HEARD_ERROR)
		heard.condition = xa_stanza_condition(s);
	xa_roster_hear(h->roster, &pair, &heard, now_ms);
	xa_herald_go(h);
}

void xa_herald_hear(struct xa_herald *h, struct xa_leg *leg,
    xmpp_stanza_t *presence)
{
	struct xa_heard heard = {
		.from = xa_stanza_get(presence, "from"),
		.id = xa_stanza_get(presence, "id"),
	};
	bool is_subscribe, ok;
	struct xa_jid from, to;

	h->heard++;
	if (!kind_of(presence, &heard.kind) ||
	    !xa_jid_split(heard.from, &from) ||
	    !xa_jid_split(xa_stanza_get(presence, "to"), &to))
		return;
	is_subscribe = heard.kind == XA_HEARD_SUBSCRIBE;
	if (to.local.len == 0) {
		/* The bridge itself has no presence. */
		if (is_subscribe)
			answer(h, leg, presence, NULL);
		return;
	}
	heard.asked = to.resource;
	ok = put_pair(h, leg, &from, &to);
	if (ok && is_subscribe)
		ok = put_addresses(h, leg, &from, &to);
	if (ok)
		hear(h, presence, &heard);
	else if (is_subscribe)
		answer(h, leg, presence, &xa_error_jid_malformed);
}

void xa_herald_sign(struct xa_herald *h, const struct xa_leg *leg,
    xmpp_stanza_t *message)
{
	struct xa_jid from, to;

	if (!xa_jid_split(xa_stanza_get(message, "from"), &from) ||
	    !xa_jid_split(xa_stanza_get(message, "to"), &to) ||
	    !put_pair(h, leg, &from, &to))
		return;
	if (xa_roster_sign(h->roster,
		&(struct xa_pair){
		    .ours = prim_buf_slice(&h->ours),
		    .theirs = prim_buf_slice(&h->theirs),
		},
		bridge_now_ms(h->setup.bridge)))
		xa_herald_go(h);
}
