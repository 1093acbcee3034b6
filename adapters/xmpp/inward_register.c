/* SPDX-License-Identifier: ISC */
/* Registration: what the form says goes the way of a message to im:primbridge,
 * and the iq is answered by what became of it. */

#include "adapters/xmpp/adapter.h"
#include "adapters/xmpp/answer.h"
#include "adapters/xmpp/register.h"
#include "adapters/xmpp/stanza.h"
#include "prim/status.h"

const char *xa_adapter_service(const struct xa_adapter *a)
{
	size_t count;
	const char *const *domains = bridge_domains(a->bridge, &count);

	for (size_t i = 0; i < count; i++) {
		if (prim_slice_eq(prim_slice_of(domains[i]),
			prim_slice_of(a->hosts[LEG_MAIN])))
			return domains[i];
	}
	return count ? domains[0] : NULL;
}

/*
 * In.
 */

/* Appends the sender's address. False: he can have no account. */
static bool put_sender(struct xa_adapter *a, struct prim_buf *b,
    xmpp_stanza_t *iq)
{
	const struct xa_way *way = &a->herald.setup.way;
	struct xa_jid jid;

	return xa_jid_split(xa_stanza_get(iq, "from"), &jid) &&
	    xa_way_is_elsewhere(way, jid.bare) &&
	    xa_way_put_user_uri(way, b, &jid);
}

/* NULL, or why it is not even looked at. */
static const struct xa_error *admit(struct xa_adapter *a, struct xa_leg *leg,
    xmpp_stanza_t *iq)
{
	struct prim_buf sender = { 0 };
	const struct xa_error *error = &xa_error_not_allowed;

	if (!put_sender(a, &sender, iq)) {
		prim_buf_fini(&sender);
		return error;
	}
	error = &xa_error_resource_constraint;
	if (xa_bucket_has(&a->registrations, bridge_now_ms(a->bridge))) {
		xa_bucket_take(&a->registrations, 1);
		if (xa_inward_ask(a, XA_INTAKE_REGISTER, leg, iq,
			prim_buf_slice(&sender)) == XA_INWARD_ASKED)
			error = NULL;
	}
	prim_buf_fini(&sender);
	return error;
}

bool xa_inward_iq(void *ctx, struct xa_leg *leg, xmpp_stanza_t *iq)
{
	struct xa_adapter *a = ctx;
	const struct xa_error *error = &xa_error_wait;

	if (!xa_register_is(iq) || !xa_adapter_service(a))
		return false;
	if (!a->draining)
		error = admit(a, leg, iq);
	if (error)
		xa_inward_refuse(a, leg, iq, error, NULL);
	return true;
}

/*
 * The sender is known.
 */

static bool put_token(struct xa_adapter *a, xmpp_stanza_t *iq)
{
	const struct xa_token t = {
		.kind = a->registering.kind,
		.id = xa_stanza_get(iq, "id"),
		.from = xa_stanza_get(iq, "from"),
		.to = xa_stanza_get(iq, "to"),
	};

	prim_buf_reset(&a->in.token);
	if (!xa_token_put(&a->in.token, &t))
		return false;
	a->in.message.return_token = prim_buf_slice(&a->in.token);
	return true;
}

/* Builds the submission. */
static bool put_message(struct xa_adapter *a, const struct xa_intake_item *item)
{
	const char *domain = xa_adapter_service(a);
	struct xa_in_context c = xa_inward_context(a, &a->legs[LEG_MAIN]);
	xmpp_stanza_t *message = xa_register_message(a->xmpp, item->stanza,
	    prim_buf_slice(&a->registering.words), domain, c.random);
	bool ok;

	c.host = prim_slice_of(domain);
	c.principal = prim_slice_of(item->principal);
	ok = xa_in_translate(&a->in, &c, message) == XA_IN_SUBMIT &&
	    put_token(a, item->stanza);
	xmpp_stanza_release(message);
	return ok;
}

/* False: there is no room. */
static bool execute(struct xa_adapter *a, const struct xa_intake_item *item)
{
	switch (xa_register_read(&a->registering, item->stanza,
	    prim_slice_of(item->principal))) {
	case XA_REGISTER_SHOW:
		xa_leg_take(item->leg,
		    xa_register_form(a->xmpp, item->stanza,
			prim_slice_of(item->principal), xa_adapter_service(a)));
		return true;
	case XA_REGISTER_REFUSE:
		xa_inward_refuse(a, item->leg, item->stanza,
		    a->registering.error, a->registering.why);
		return true;
	case XA_REGISTER_SAY:
		break;
	}
	if (put_message(a, item))
		return xa_inward_submit(a, item);
	xa_inward_refuse(a, item->leg, item->stanza, &xa_error_policy_violation,
	    "id and addresses are too long");
	return true;
}

static void say_done(struct xa_adapter *a, struct xa_leg *leg,
    xmpp_stanza_t *iq)
{
	xa_leg_take(leg, xa_register_done(a->xmpp, iq));
}

/* What was asked for is done, or the service has said in a message why not. */
static void check(struct xa_adapter *a, const struct xa_intake_item *item)
{
	bool is_linked = item->principal != NULL;

	if (is_linked == (item->kind == XA_INTAKE_LINKED))
		say_done(a, item->leg, item->stanza);
	else
		xa_inward_refuse(a, item->leg, item->stanza,
		    &xa_error_not_acceptable, "a message says why");
}

bool xa_inward_registered(struct xa_adapter *a,
    const struct xa_intake_item *item)
{
	if (item->kind == XA_INTAKE_REGISTER)
		return execute(a, item);
	check(a, item);
	return true;
}

/*
 * It was executed.
 */

/* The service has taken it. Whether it is as it was asked for, a code or an end
 * of a link, shows in who he is now. */
static void verify(struct xa_adapter *a, struct xa_leg *leg, xmpp_stanza_t *iq,
    enum xa_token_kind kind)
{
	struct prim_buf sender = { 0 };
	bool asked = kind != XA_TOKEN_LINK && put_sender(a, &sender, iq) &&
	    xa_inward_ask(a,
		kind == XA_TOKEN_VERIFY ? XA_INTAKE_LINKED : XA_INTAKE_UNLINKED,
		leg, iq, prim_buf_slice(&sender)) == XA_INWARD_ASKED;

	prim_buf_fini(&sender);
	if (!asked)
		say_done(a, leg, iq);
}

void xa_inward_executed(struct xa_adapter *a, const struct bridge_outcome *o,
    const struct xa_token *t, struct xa_leg *leg)
{
	const struct xa_error *error = xa_error_of_code(o->code);
	xmpp_stanza_t *iq = xa_register_restore(a->xmpp, t);

	if (error)
		xa_inward_refuse(a, leg, iq, error,
		    prim_status_phrase(o->code));
	else
		verify(a, leg, iq, t->kind);
	xmpp_stanza_release(iq);
}
