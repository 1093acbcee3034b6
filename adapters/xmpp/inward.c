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

static void refuse(struct xa_adapter *a, struct xa_leg *leg,
    xmpp_stanza_t *message, const struct xa_error *error, const char *text)
{
	xmpp_stanza_t *answer = xa_answer_refused(a->xmpp, message, error,
	    text);

	bridge_log(a->bridge, BRIDGE_DEBUG,
	    "message refused from=%s condition=%s",
	    bridge_quote(xa_stanza_get(message, "from")), error->condition);
	if (!answer)
		return;
	xa_adapter_count(a, XA_COUNT_ERRORS_OUT);
	xa_leg_take(leg, answer);
}

static enum xa_in_result translate(struct xa_adapter *a, struct xa_leg *leg,
    xmpp_stanza_t *message)
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
	return xa_in_translate(&a->in, &c, message);
}

/* Without unanswered submissions there is room, so it is the message that
 * cannot pass. */
static bool submit(struct xa_adapter *a, struct xa_leg *leg,
    xmpp_stanza_t *message)
{
	if (bridge_submit(a->bridge, &a->in.message)) {
		a->unanswered++;
		xa_adapter_count(a, XA_COUNT_IN);
		return true;
	}
	if (a->unanswered)
		return false;
	refuse(a, leg, message, &xa_error_bad_request,
	    "PRIM cannot carry this message");
	return true;
}

bool xa_inward_message(void *ctx, struct xa_leg *leg, xmpp_stanza_t *message)
{
	struct xa_adapter *a = ctx;

	xa_herald_sign(&a->herald, leg, message);
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

static struct xa_leg *leg_of(struct xa_adapter *a, struct prim_slice to)
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

static void answer(struct xa_adapter *a, const struct bridge_outcome *o,
    const struct xa_token *t, struct xa_leg *leg)
{
	xmpp_stanza_t *s = xa_answer_outcome(a->xmpp, t, o);

	if (!s)
		return;
	xa_adapter_count(a,
	    o->code < 300 ? XA_COUNT_RECEIPTS_OUT : XA_COUNT_ERRORS_OUT);
	xa_leg_take(leg, s);
}

void xa_inward_room(void *state)
{
	struct xa_adapter *a = state;

	for (unsigned i = 0; i < a->leg_count; i++)
		xa_leg_go(&a->legs[i]);
}

void xa_inward_outcome(void *state, const struct bridge_outcome *o)
{
	struct xa_adapter *a = state;
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
		xa_inward_room(a);
}
