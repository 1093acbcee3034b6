/* SPDX-License-Identifier: ISC */
/* Messages from XMPP to PRIM, and what becomes of them. */

#include <openssl/rand.h>

#include "adapters/xmpp/adapter.h"
#include "adapters/xmpp/answer.h"
#include "adapters/xmpp/jid.h"
#include "adapters/xmpp/stanza.h"
#include "adapters/xmpp/token.h"

struct prim_slice xa_adapter_gateway(const struct xa_adapter *a)
{
	return prim_slice_of(a->hosts[LEG_GATEWAY]);
}

bool xa_adapter_routes(void *ctx, struct prim_slice domain)
{
	struct xa_adapter *a = ctx;

	return bridge_routes(a->bridge, domain);
}

struct xa_leg *xa_adapter_leg(struct xa_adapter *a, struct prim_slice to)
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

void xa_inward_refuse(struct xa_adapter *a, struct xa_leg *leg,
    xmpp_stanza_t *stanza, const struct xa_error *error, const char *text)
{
	xmpp_stanza_t *answer = xa_answer_refused(a->xmpp, stanza, error, text);

	bridge_log(a->bridge, BRIDGE_DEBUG, "%s refused from=%s condition=%s",
	    xmpp_stanza_get_name(stanza),
	    bridge_quote(xa_stanza_get(stanza, "from")), error->condition);
	if (!answer)
		return;
	xa_adapter_count(a, XA_COUNT_ERRORS_OUT);
	xa_leg_take(leg, answer);
}

struct xa_in_context xa_inward_context(struct xa_adapter *a,
    const struct xa_leg *leg)
{
	struct xa_in_context c = {
		.host = leg->setup.host,
		.gateway = xa_adapter_gateway(a),
		.is_gateway = leg == &a->legs[LEG_GATEWAY],
		.now_ms = bridge_now_ms(a->bridge),
		.routes = xa_adapter_routes,
		.ctx = a,
	};

	RAND_bytes((unsigned char *)&c.random, sizeof(c.random));
	return c;
}

/*
 * In: first it is asked who the sender is.
 */

enum xa_inward_asked xa_inward_ask(struct xa_adapter *a,
    enum xa_intake_kind kind, struct xa_leg *leg, xmpp_stanza_t *stanza,
    struct prim_slice address)
{
	struct xa_intake_item *item = xa_intake_put(&a->intake, kind, leg,
	    stanza);

	if (!item)
		return XA_INWARD_FULL;
	if (bridge_link(a->bridge, address, item->cookie))
		return XA_INWARD_ASKED;
	/* We never ask more than may be asked, so it is the address. */
	xa_intake_undo(&a->intake);
	return XA_INWARD_IMPOSSIBLE;
}

/* False: there is no room. */
static bool ask(struct xa_adapter *a, struct xa_leg *leg,
    xmpp_stanza_t *message)
{
	switch (xa_inward_ask(a, XA_INTAKE_MESSAGE, leg, message,
	    prim_buf_slice(&a->in.from))) {
	case XA_INWARD_ASKED:
		return true;
	case XA_INWARD_FULL:
		return false;
	case XA_INWARD_IMPOSSIBLE:
		break;
	}
	xa_inward_refuse(a, leg, message, &xa_error_jid_malformed,
	    "PRIM cannot carry your address");
	return true;
}

bool xa_inward_message(void *ctx, struct xa_leg *leg, xmpp_stanza_t *message)
{
	struct xa_adapter *a = ctx;
	const struct xa_in_context c = xa_inward_context(a, leg);

	xa_herald_sign(&a->herald, leg, message);
	switch (xa_in_check(&a->in, &c, message)) {
	case XA_IN_IGNORE:
		return true;
	case XA_IN_REFUSE:
		xa_inward_refuse(a, leg, message, a->in.error, a->in.why);
		return true;
	case XA_IN_SUBMIT:
		break;
	}
	if (!a->draining)
		return ask(a, leg, message);
	xa_inward_refuse(a, leg, message, &xa_error_wait,
	    "the bridge is stopping");
	return true;
}

/*
 * Then it is built and handed in.
 */

bool xa_inward_submit(struct xa_adapter *a, const struct xa_intake_item *item)
{
	if (bridge_submit(a->bridge, &a->in.message)) {
		a->unanswered++;
		xa_adapter_count(a, XA_COUNT_IN);
		return true;
	}
	/* Without unanswered submissions there is room, so it is the message
	 * that cannot pass. */
	if (a->unanswered)
		return false;
	xa_inward_refuse(a, item->leg, item->stanza, &xa_error_bad_request,
	    "PRIM cannot carry this message");
	return true;
}

/* False: there is no room. */
static bool settle_message(struct xa_adapter *a,
    const struct xa_intake_item *item)
{
	struct xa_in_context c = xa_inward_context(a, item->leg);

	c.principal = prim_slice_of(item->principal);
	if (xa_in_translate(&a->in, &c, item->stanza) == XA_IN_SUBMIT)
		return xa_inward_submit(a, item);
	xa_inward_refuse(a, item->leg, item->stanza, a->in.error, a->in.why);
	return true;
}

static bool settle(struct xa_adapter *a, const struct xa_intake_item *item)
{
	return item->kind == XA_INTAKE_MESSAGE ? settle_message(a, item)
					       : xa_inward_registered(a, item);
}

void xa_inward_room(void *state)
{
	struct xa_adapter *a = state;
	struct xa_intake_item *item;

	while ((item = xa_intake_next(&a->intake)) && settle(a, item))
		xa_intake_drop(&a->intake);
	for (unsigned i = 0; i < a->leg_count; i++)
		xa_leg_go(&a->legs[i]);
}

void xa_inward_linked(void *state, const struct bridge_linked *l)
{
	struct xa_adapter *a = state;

	if (xa_intake_answer(&a->intake, l->cookie, l->principal))
		xa_inward_room(a);
}

void xa_inward_stop(struct xa_adapter *a)
{
	struct xa_intake_item *item;

	while ((item = xa_intake_first(&a->intake))) {
		xa_inward_refuse(a, item->leg, item->stanza, &xa_error_wait,
		    "the bridge is stopping");
		xa_intake_drop(&a->intake);
	}
}

/*
 * What became of it.
 */

static void answer(struct xa_adapter *a, const struct bridge_outcome *o,
    const struct xa_token *t, struct xa_leg *leg)
{
	xmpp_stanza_t *s = xa_answer_outcome(a->xmpp, t, o);

	if (!s)
		return;
	xa_adapter_count(a,
	    o->code == PRIM_OK ? XA_COUNT_RECEIPTS_OUT : XA_COUNT_ERRORS_OUT);
	xa_leg_take(leg, s);
}

void xa_inward_outcome(void *state, const struct bridge_outcome *o)
{
	struct xa_adapter *a = state;
	struct xa_token t;
	struct xa_leg *leg = NULL;

	if (a->unanswered)
		a->unanswered--;
	if (xa_token_parse(o->return_token, &a->token, &t))
		leg = xa_adapter_leg(a, t.to);
	if (!leg)
		bridge_log(a->bridge, BRIDGE_WARN, "outcome without sender");
	else if (t.kind == XA_TOKEN_MESSAGE)
		answer(a, o, &t, leg);
	else
		xa_inward_executed(a, o, &t, leg);
	if (a->unanswered == 0)
		xa_inward_room(a);
}
