/* SPDX-License-Identifier: ISC */
/* What the sender of a stanza hears. */

#include "adapters/xmpp/answer.h"

#include "adapters/xmpp/stanza.h"
#include "adapters/xmpp/text.h"
#include "prim/base.h"
#include "prim/status.h"

#define REASON_MAX 1024 /* octets of a reason that is passed on */

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

/* An answer to whoever `t` tells of, from whom he had written to. */
struct back {
	char *from, *to, *id; /* owned */
};

static struct back back_of(const struct xa_token *t)
{
	return (struct back){
		.from = prim_slice_copy(t->to),
		.to = prim_slice_copy(t->from),
		.id = t->id.len ? prim_slice_copy(t->id) : NULL,
	};
}

static struct xa_envelope envelope_of(const struct back *b)
{
	return (struct xa_envelope){
		.from = b->from,
		.to = b->to,
		.id = b->id,
	};
}

static void back_fini(struct back *b)
{
	prim_free(b->from);
	prim_free(b->to);
	prim_free(b->id);
}

static xmpp_stanza_t *make_receipt(xmpp_ctx_t *ctx, const struct xa_token *t,
    struct prim_slice message_id)
{
	struct back b = back_of(t);
	struct xa_envelope envelope = envelope_of(&b);
	struct prim_buf id = { 0 };
	xmpp_stanza_t *s;

	prim_buf_puts(&id, "r-");
	prim_buf_put(&id, message_id);
	prim_buf_putc(&id, '\0');
	envelope.id = id.ptr;
	envelope.type = t->is_chat ? "chat" : NULL;
	s = xa_stanza_new(ctx, "message", &envelope);
	xmpp_stanza_set_id(xa_stanza_add(s, "received", XA_NS_RECEIPTS), b.id);
	xa_stanza_add(s, "store", XA_NS_HINTS);
	prim_buf_fini(&id);
	back_fini(&b);
	return s;
}

/* "PRIM 408 Inbox Is Closed: the reason". */
static void put_text(struct prim_buf *b, unsigned code,
    struct prim_slice reason)
{
	prim_buf_putf(b, "PRIM %u %s", code, prim_status_phrase(code));
	if (reason.len && reason.len <= REASON_MAX && xa_text_ok(reason)) {
		prim_buf_puts(b, ": ");
		prim_buf_put(b, reason);
	}
	prim_buf_putc(b, '\0');
}

static xmpp_stanza_t *make_error(xmpp_ctx_t *ctx, const struct xa_token *t,
    unsigned code, struct prim_slice reason)
{
	const struct xa_error *error = xa_error_of_code(code);
	struct back b = back_of(t);
	struct xa_envelope envelope = envelope_of(&b);
	struct prim_buf text = { 0 };
	xmpp_stanza_t *s;

	put_text(&text, code, reason);
	s = xa_stanza_error(ctx, "message", &envelope, error, text.ptr);
	prim_buf_fini(&text);
	back_fini(&b);
	return s;
}

xmpp_stanza_t *xa_answer_outcome(xmpp_ctx_t *ctx, const struct xa_token *t,
    const struct bridge_outcome *o)
{
	if (xa_error_of_code(o->code))
		return make_error(ctx, t, o->code, PRIM_SLICE_NONE);
	/* 101 is no receipt: nobody has it yet. */
	if (o->code == PRIM_OK && t->wants_receipt)
		return make_receipt(ctx, t, o->message_id);
	return NULL;
}

/* A notice without a code, or with one that is no failure, says as much as
 * 408: it will not be delivered, and not why. */
static unsigned failure_code(const struct prim_imdn *n)
{
	return xa_error_of_code(n->code) ? n->code : PRIM_INBOX_CLOSED;
}

xmpp_stanza_t *xa_answer_notice(xmpp_ctx_t *ctx, const struct xa_token *t,
    const struct prim_imdn *n)
{
	/* Who registers was answered when it was asked. */
	if (t->kind != XA_TOKEN_MESSAGE)
		return NULL;
	switch (n->status) {
	case PRIM_IMDN_DELIVERED:
		return t->wants_receipt ? make_receipt(ctx, t, n->message_id)
					: NULL;
	case PRIM_IMDN_FAILED:
	case PRIM_IMDN_ERROR:
		return make_error(ctx, t, failure_code(n), n->reason);
	case PRIM_IMDN_STORED:
	case PRIM_IMDN_PROCESSED:
	case PRIM_IMDN_DISPLAYED:
	case PRIM_IMDN_FORBIDDEN:
		break;
	}
	return NULL;
}
