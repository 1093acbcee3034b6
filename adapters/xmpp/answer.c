/* SPDX-License-Identifier: ISC */
/* What the sender of a stanza hears. */

#include "adapters/xmpp/answer.h"

#include <stdio.h>

#include "adapters/xmpp/stanza.h"
#include "prim/base.h"
#include "prim/status.h"

static bool wants_answer(xmpp_stanza_t *stanza)
{
	if (xa_stanza_is_core(stanza, "iq"))
		return xa_stanza_type_is(stanza, "get") ||
		    xa_stanza_type_is(stanza, "set");
	return xa_stanza_is_core(stanza, "message") &&
	    !xa_stanza_type_is(stanza, "error");
}

xmpp_stanza_t *xa_answer_refused(xmpp_ctx_t *ctx, xmpp_stanza_t *stanza,
    const struct xa_error *error, const char *text)
{
	const struct xa_envelope back = {
		.from = xmpp_stanza_get_to(stanza),
		.to = xmpp_stanza_get_from(stanza),
		.id = xmpp_stanza_get_id(stanza),
	};

	if (!wants_answer(stanza) || !back.from || !back.to)
		return NULL;
	return xa_stanza_error(ctx, xmpp_stanza_get_name(stanza), &back, error,
	    text);
}

static xmpp_stanza_t *make_receipt(xmpp_ctx_t *ctx,
    const struct xa_envelope *back, const struct xa_token *t,
    const struct bridge_outcome *o)
{
	struct xa_envelope envelope = *back;
	struct prim_buf id = { 0 };
	xmpp_stanza_t *s;

	prim_buf_puts(&id, "r-");
	prim_buf_put(&id, o->message_id);
	prim_buf_putc(&id, '\0');
	envelope.id = id.ptr;
	envelope.type = t->is_chat ? "chat" : NULL;
	s = xa_stanza_new(ctx, "message", &envelope);
	xmpp_stanza_set_id(xa_stanza_add(s, "received", XA_NS_RECEIPTS),
	    back->id);
	xa_stanza_add(s, "store", XA_NS_HINTS);
	prim_buf_fini(&id);
	return s;
}

xmpp_stanza_t *xa_answer_outcome(xmpp_ctx_t *ctx, const struct xa_token *t,
    const struct bridge_outcome *o)
{
	const struct xa_error *error = xa_error_of_code(o->code);
	char *from = prim_slice_copy(t->to);
	char *to = prim_slice_copy(t->from);
	char *id = prim_slice_copy(t->id);
	const struct xa_envelope back = {
		.from = from,
		.to = to,
		.id = t->id.len ? id : NULL,
	};
	xmpp_stanza_t *s = NULL;
	char text[96];

	snprintf(text, sizeof(text), "PRIM %u %s", o->code,
	    prim_status_phrase(o->code));
	if (error)
		s = xa_stanza_error(ctx, "message", &back, error, text);
	else if (t->wants_receipt)
		s = make_receipt(ctx, &back, t, o);
	prim_free(from);
	prim_free(to);
	prim_free(id);
	return s;
}
