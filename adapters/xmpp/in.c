/* SPDX-License-Identifier: ISC */
/* XMPP to PRIM. */

#include "adapters/xmpp/in.h"

#include <string.h>

#include "adapters/xmpp/content.h"
#include "adapters/xmpp/digest.h"
#include "adapters/xmpp/hops.h"
#include "adapters/xmpp/jid.h"
#include "adapters/xmpp/stanza.h"
#include "adapters/xmpp/text.h"
#include "adapters/xmpp/thread.h"
#include "adapters/xmpp/token.h"
#include "adapters/xmpp/way.h"
#include "prim/base.h"
#include "prim/cpim.h"
#include "prim/date.h"
#include "prim/octet.h"

#define TEXT_TYPE "text/plain; charset=utf-8"
/* An id this long is taken for unique in the world. */
#define UNIQUE_MIN 16
#define UNIQUE_MAX 128

static enum xa_in_result refuse(struct xa_in *in, const struct xa_error *error,
    const char *why)
{
	in->error = error;
	in->why = why;
	return XA_IN_REFUSE;
}

static void reset(struct xa_in *in)
{
	struct prim_buf *const all[] = { &in->from, &in->to, &in->message_id,
		&in->conversation_id, &in->date, &in->body, &in->token,
		&in->text };

	for (size_t i = 0; i < PRIM_COUNT(all); i++)
		prim_buf_reset(all[i]);
	memset(&in->message, 0, sizeof(in->message));
}

/*
 * Addresses.
 */

static bool put_from(struct xa_in *in, const struct xa_in_context *c,
    xmpp_stanza_t *stanza)
{
	const struct xa_way way = {
		.gateway = c->gateway,
		.routes = c->routes,
		.ctx = c->ctx,
	};
	struct xa_jid jid;

	return xa_jid_split(xa_stanza_get(stanza, "from"), &jid) &&
	    xa_way_put_user_uri(&way, &in->from, &jid);
}

static enum xa_in_result put_addresses(struct xa_in *in,
    const struct xa_in_context *c, xmpp_stanza_t *stanza)
{
	struct xa_jid to;

	if (!put_from(in, c, stanza))
		return refuse(in, &xa_error_jid_malformed,
		    "PRIM cannot carry your address");
	if (!xa_jid_split(xa_stanza_get(stanza, "to"), &to))
		return refuse(in, &xa_error_jid_malformed, "malformed address");
	if (to.local.len == 0)
		return refuse(in, &xa_error_service_unavailable,
		    "nobody reads what is sent to the bridge itself");
	if (!prim_slice_eq_nocase(to.domain, c->host))
		return refuse(in, &xa_error_item_not_found, "not our domain");
	if (!xa_way_put_principal_uri(&in->to, &to, c->is_gateway))
		return refuse(in, &xa_error_jid_malformed,
		    "PRIM has no such address");
	return XA_IN_SUBMIT;
}

/*
 * Ids, time, thread.
 */

static bool is_unique(struct prim_slice id)
{
	if (id.len < UNIQUE_MIN || id.len > UNIQUE_MAX)
		return false;
	for (size_t i = 0; i < id.len; i++) {
		char c = id.ptr[i];

		if (!prim_octet_is_alnum(c) && c != '-' && c != '_')
			return false;
	}
	return true;
}

/* A stanza that comes again must get the same id. One with a short id, "7",
 * may as well be a new one of a client that counts from 1 after each log-in:
 * it never counts as the same, nor does one without any. */
static void derive_id(struct xa_in *in, const struct xa_in_context *c,
    xmpp_stanza_t *stanza)
{
	struct prim_slice id = xa_stanza_get(stanza, "id");
	uint64_t once = id.len < UNIQUE_MIN ? c->random : 0;
	struct prim_slice parts[] = {
		xa_stanza_get(stanza, "from"),
		xa_stanza_get(stanza, "to"),
		id,
		prim_buf_slice(&in->text),
		prim_slice_make((const char *)&once, sizeof(once)),
	};

	xa_digest_id(&in->message_id, parts, PRIM_COUNT(parts));
}

static void put_message_id(struct xa_in *in, const struct xa_in_context *c,
    xmpp_stanza_t *stanza)
{
	xmpp_stanza_t *origin = xa_stanza_find(stanza, "origin-id", XA_NS_SID);
	struct prim_slice id = PRIM_SLICE_NONE;

	if (origin)
		id = xa_stanza_get(origin, "id");
	if (is_unique(id))
		prim_buf_put(&in->message_id, id);
	else
		derive_id(in, c, stanza);
}

static bool put_conversation(struct xa_in *in, xmpp_stanza_t *stanza)
{
	const struct xa_thread_pair pair = {
		.user = prim_buf_slice(&in->from),
		.principal = prim_buf_slice(&in->to),
	};
	xmpp_stanza_t *s = xmpp_stanza_get_children(stanza);
	struct prim_buf thread = { 0 };
	bool ok;

	while (s && !xa_stanza_is_core(s, "thread"))
		s = xmpp_stanza_get_next(s);
	if (s)
		xa_stanza_text(&thread, s);
	ok = xa_thread_put_conversation(&in->conversation_id,
	    prim_buf_slice(&thread), &pair);
	prim_buf_fini(&thread);
	return ok;
}

/* XEP-0203, unless it claims that we ourselves had delayed it. */
static int64_t stamp_of(const struct xa_in_context *c, xmpp_stanza_t *stanza)
{
	xmpp_stanza_t *delay = xa_stanza_find(stanza, "delay", XA_NS_DELAY);
	int64_t ms;

	if (!delay ||
	    prim_slice_eq_nocase(xa_stanza_get(delay, "from"), c->host))
		return c->now_ms;
	if (!prim_date_parse_3339(xa_stanza_get(delay, "stamp"), &ms))
		return c->now_ms;
	return ms < c->now_ms ? ms : c->now_ms;
}

/*
 * The message/cpim.
 */

static bool wants_receipt(xmpp_stanza_t *stanza)
{
	return xa_stanza_get(stanza, "id").len &&
	    !xa_stanza_type_is(stanza, "headline") &&
	    xa_stanza_find(stanza, "request", XA_NS_RECEIPTS);
}

/* Whom PRIM takes for the sender. */
static struct prim_slice sender_of(const struct xa_in *in,
    const struct xa_in_context *c)
{
	return c->principal.len ? c->principal : prim_buf_slice(&in->from);
}

static void put_formal_from(struct xa_in *in, const struct xa_in_context *c,
    xmpp_stanza_t *stanza)
{
	xmpp_stanza_t *nick = xa_stanza_find(stanza, "nick", XA_NS_NICK);
	struct prim_buf name = { 0 };

	if (nick)
		xa_stanza_text(&name, nick);
	if (name.len > XA_IN_NICK_MAX)
		prim_buf_reset(&name);
	prim_cpim_put_mailbox(&in->body, "From", prim_buf_slice(&name),
	    sender_of(in, c));
	prim_buf_fini(&name);
}

static void put_subjects(struct xa_in *in, xmpp_stanza_t *stanza)
{
	struct prim_slice language = xa_stanza_get(stanza, "xml:lang");
	xmpp_stanza_t *s = xmpp_stanza_get_children(stanza);
	struct prim_buf text = { 0 };

	for (; s; s = xmpp_stanza_get_next(s)) {
		struct prim_slice own = xa_stanza_get(s, "xml:lang");

		if (!xa_stanza_is_core(s, "subject"))
			continue;
		prim_buf_reset(&text);
		xa_stanza_text(&text, s);
		prim_cpim_put_text(&in->body, "Subject",
		    own.len ? own : language, prim_buf_slice(&text));
	}
	prim_buf_fini(&text);
}

static void put_imdn(struct xa_in *in, bool wants_receipt)
{
	prim_cpim_put_namespace(&in->body, "imdn", PRIM_CPIM_IMDN);
	prim_cpim_put_text(&in->body, "imdn.Message-ID", PRIM_SLICE_NONE,
	    prim_buf_slice(&in->message_id));
	if (wants_receipt)
		prim_cpim_put_text(&in->body, "imdn.Disposition-Notification",
		    PRIM_SLICE_NONE,
		    PRIM_SLICE("positive-delivery, negative-delivery"));
}

static void put_prim(struct xa_in *in)
{
	prim_cpim_put_namespace(&in->body, "PRIM", PRIM_CPIM_PRIM);
	prim_cpim_put_text(&in->body, "PRIM.Message-ID", PRIM_SLICE_NONE,
	    prim_buf_slice(&in->message_id));
	prim_cpim_put_text(&in->body, "PRIM.Conversation-ID", PRIM_SLICE_NONE,
	    prim_buf_slice(&in->conversation_id));
}

static void put_body(struct xa_in *in, const struct xa_in_context *c,
    xmpp_stanza_t *stanza, struct prim_slice language)
{
	struct prim_buf when = { 0 };

	put_formal_from(in, c, stanza);
	prim_cpim_put_mailbox(&in->body, "To", PRIM_SLICE_NONE,
	    prim_buf_slice(&in->to));
	prim_date_put_3339(&when, stamp_of(c, stanza));
	prim_cpim_put_text(&in->body, "DateTime", PRIM_SLICE_NONE,
	    prim_buf_slice(&when));
	prim_buf_fini(&when);
	put_subjects(in, stanza);
	put_imdn(in, wants_receipt(stanza));
	put_prim(in);
	prim_cpim_put_content(&in->body, PRIM_SLICE(TEXT_TYPE), language);
	prim_buf_put(&in->body, prim_buf_slice(&in->text));
}

/* What nobody could take apart again is not handed in: the subjects have no
 * other bounds than those of a header. */
static bool body_is_sound(const struct xa_in *in)
{
	struct prim_cpim cpim;

	return prim_cpim_parse(prim_buf_slice(&in->body), &cpim, NULL);
}

/*
 * The whole.
 */

static bool put_token(struct xa_in *in, xmpp_stanza_t *stanza)
{
	const struct xa_token t = {
		.id = xa_stanza_get(stanza, "id"),
		.from = xa_stanza_get(stanza, "from"),
		.to = xa_stanza_get(stanza, "to"),
		.is_chat = xa_stanza_type_is(stanza, "chat"),
		.wants_receipt = wants_receipt(stanza),
	};

	return xa_token_put(&in->token, &t);
}

static void fill(struct xa_in *in, const struct xa_in_context *c)
{
	in->message = (struct bridge_message){
		.from = sender_of(in, c),
		.to = prim_buf_slice(&in->to),
		.message_id = prim_buf_slice(&in->message_id),
		.conversation_id = prim_buf_slice(&in->conversation_id),
		.date = prim_buf_slice(&in->date),
		.content_type = PRIM_SLICE("message/cpim"),
		.body = prim_buf_slice(&in->body),
		.strength = PRIM_ASTRENGTH_MEDIUM,
		.hops = in->hops,
		.return_token = prim_buf_slice(&in->token),
	};
	if (c->principal.len)
		in->message.original_from = prim_buf_slice(&in->from);
}

static enum xa_in_result translate_text(struct xa_in *in,
    const struct xa_in_context *c, xmpp_stanza_t *stanza)
{
	struct prim_slice language;

	if (!xa_content_languages_ok(stanza))
		return refuse(in, &xa_error_bad_request,
		    "xml:lang is no language");
	xa_content_text(&in->text, stanza, &language);
	if (in->text.len > XA_IN_BODY_MAX)
		return refuse(in, &xa_error_policy_violation,
		    "a message has at most 65536 octets");
	put_message_id(in, c, stanza);
	if (!put_conversation(in, stanza))
		return refuse(in, &xa_error_policy_violation,
		    "a thread has at most 255 octets");
	if (!put_token(in, stanza))
		return refuse(in, &xa_error_policy_violation,
		    "id and addresses are too long");
	prim_date_put_1123(&in->date, c->now_ms);
	put_body(in, c, stanza, language);
	if (!body_is_sound(in))
		return refuse(in, &xa_error_policy_violation,
		    "the subjects are too long or too many");
	fill(in, c);
	return XA_IN_SUBMIT;
}

static enum xa_in_result check_hops(struct xa_in *in, xmpp_stanza_t *stanza)
{
	if (!xa_hops_read(stanza, &in->hops))
		return refuse(in, &xa_error_bad_request,
		    "its count of bridges is no number");
	if (in->hops >= XA_HOPS_MAX)
		return refuse(in, &xa_error_not_allowed,
		    "it has passed too many bridges: they form a ring");
	return XA_IN_SUBMIT;
}

enum xa_in_result xa_in_check(struct xa_in *in, const struct xa_in_context *c,
    xmpp_stanza_t *stanza)
{
	enum xa_in_result result;

	reset(in);
	if (xa_stanza_type_is(stanza, "error"))
		return XA_IN_IGNORE;
	if (xa_stanza_type_is(stanza, "groupchat"))
		return refuse(in, &xa_error_service_unavailable,
		    "PRIM has no rooms");
	switch (xa_content_kind(stanza)) {
	case XA_CONTENT_NONE:
		return XA_IN_IGNORE;
	case XA_CONTENT_ENCRYPTED:
		return refuse(in, &xa_error_not_acceptable,
		    "encryption ends at this bridge: send it unencrypted");
	case XA_CONTENT_TEXT:
		break;
	}
	result = check_hops(in, stanza);
	return result == XA_IN_SUBMIT ? put_addresses(in, c, stanza) : result;
}

enum xa_in_result xa_in_translate(struct xa_in *in,
    const struct xa_in_context *c, xmpp_stanza_t *stanza)
{
	enum xa_in_result result = xa_in_check(in, c, stanza);

	return result == XA_IN_SUBMIT ? translate_text(in, c, stanza) : result;
}

void xa_in_fini(struct xa_in *in)
{
	struct prim_buf *const all[] = { &in->from, &in->to, &in->message_id,
		&in->conversation_id, &in->date, &in->body, &in->token,
		&in->text };

	for (size_t i = 0; i < PRIM_COUNT(all); i++)
		prim_buf_fini(all[i]);
}
