/* SPDX-License-Identifier: ISC */
/* Messages and notices from PRIM to XMPP. */

#include "adapters/xmpp/adapter.h"
#include "adapters/xmpp/answer.h"
#include "adapters/xmpp/token.h"
#include "prim/status.h"

static unsigned refuse(struct xa_adapter *a, const struct bridge_message *m,
    unsigned code, const char *why)
{
	bridge_log(a->bridge, BRIDGE_INFO,
	    "delivery refused id=%s code=%u reason=%s",
	    bridge_quote(m->delivery_id), code,
	    bridge_quote(prim_slice_of(why)));
	return code;
}

/* 0, or what keeps anything from going out through `leg` now. */
static unsigned check_leg(const struct xa_leg *leg)
{
	if (!xa_leg_is_up(leg))
		return PRIM_BAD_GATEWAY;
	/* It is tried again. */
	return xa_leg_has_room(leg) ? 0 : PRIM_INTERNAL_ERROR;
}

/*
 * Notices.
 */

static void tell(struct xa_adapter *a, struct xa_leg *leg,
    const struct bridge_message *m, xmpp_stanza_t *stanza)
{
	xa_adapter_count(a, XA_COUNT_NOTICES);
	xa_adapter_count(a,
	    m->notice->status == PRIM_IMDN_DELIVERED ? XA_COUNT_RECEIPTS_OUT
						     : XA_COUNT_ERRORS_OUT);
	xa_leg_tell(leg, stanza, m->delivery_id);
}

static unsigned deliver_notice(struct xa_adapter *a,
    const struct bridge_message *m)
{
	struct xa_leg *leg = NULL;
	xmpp_stanza_t *stanza;
	struct xa_token t;
	unsigned code;

	if (xa_token_parse(m->return_token, &a->token, &t))
		leg = xa_adapter_leg(a, t.to);
	if (!leg)
		return refuse(a, m, PRIM_NOT_FOUND, "a notice for nobody");
	stanza = xa_answer_notice(a->xmpp, &t, m->notice);
	if (!stanza) {
		bridge_report(a->bridge, m->delivery_id, PRIM_OK,
		    "XMPP has no word for it");
		return 0;
	}
	code = xa_leg_may_say(leg, stanza)
	    ? check_leg(leg)
	    : refuse(a, m, PRIM_NOT_FOUND, "a notice from nobody");
	if (code)
		xmpp_stanza_release(stanza);
	else
		tell(a, leg, m, stanza);
	return code;
}

/*
 * Messages.
 */

static unsigned deliver_message(struct xa_adapter *a,
    const struct bridge_message *m)
{
	const struct xa_out_context c = {
		.xmpp = a->xmpp,
		.domain = prim_slice_of(a->hosts[LEG_MAIN]),
		.gateway = xa_adapter_gateway(a),
		.now_ms = bridge_now_ms(a->bridge),
	};
	unsigned code = xa_out_translate(&a->out, &c, m);
	struct xa_leg *leg;

	if (code)
		return refuse(a, m, code, a->out.why);
	leg = &a->legs[a->out.via_gateway ? LEG_GATEWAY : LEG_MAIN];
	code = check_leg(leg);
	if (code)
		return code;
	xa_adapter_count(a, XA_COUNT_OUT);
	xa_leg_deliver(leg, &a->out, m->delivery_id);
	return 0;
}

unsigned xa_outward_deliver(void *state, const struct bridge_message *m)
{
	struct xa_adapter *a = state;

	return m->notice ? deliver_notice(a, m) : deliver_message(a, m);
}

/*
 * What the legs hear of them.
 */

void xa_outward_report(void *ctx, struct prim_slice delivery_id, unsigned code,
    const char *text)
{
	struct xa_adapter *a = ctx;

	if (code == PRIM_OK)
		xa_adapter_count(a, XA_COUNT_RECEIPTS_IN);
	else if (code == PRIM_UNKNOWN_DELIVERY)
		xa_adapter_count(a, XA_COUNT_HANDED_OVER);
	else
		xa_adapter_count(a, XA_COUNT_ERRORS_IN);
	bridge_report(a->bridge, delivery_id, code, text);
}

void xa_outward_told(void *ctx, struct prim_slice delivery_id, unsigned code,
    const char *text)
{
	struct xa_adapter *a = ctx;

	bridge_report(a->bridge, delivery_id, code, text);
}

void xa_outward_late(void *ctx, struct prim_slice delivery_id, unsigned code,
    const char *text)
{
	struct xa_adapter *a = ctx;

	xa_adapter_count(a, XA_COUNT_LATE);
	bridge_report_late(a->bridge, delivery_id, code, text);
}
