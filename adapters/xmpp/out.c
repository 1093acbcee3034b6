/* SPDX-License-Identifier: ISC */
/* PRIM to XMPP. */

#include "adapters/xmpp/out.h"

#include "adapters/xmpp/digest.h"
#include "adapters/xmpp/hops.h"
#include "adapters/xmpp/jid.h"
#include "adapters/xmpp/part.h"
#include "adapters/xmpp/stanza.h"
#include "adapters/xmpp/text.h"
#include "adapters/xmpp/thread.h"
#include "adapters/xmpp/way.h"
#include "prim/base.h"
#include "prim/date.h"

static unsigned refuse(struct xa_out *out, unsigned code, const char *why)
{
	out->why = why;
	return code;
}

static void reset(struct xa_out *out)
{
	struct prim_buf *const all[] = { &out->from, &out->to, &out->key,
		&out->xml, &out->text, &out->thread };

	for (size_t i = 0; i < PRIM_COUNT(all); i++)
		prim_buf_reset(all[i]);
	out->why = NULL;
	out->via_gateway = false;
}

/* libstrophe wants strings that end. The NUL is not counted. */
static const char *string(struct prim_buf *b)
{
	prim_buf_putc(b, '\0');
	b->len--;
	return b->ptr;
}

/*
 * Addresses.
 */

static unsigned put_addresses(struct xa_out *out,
    const struct xa_out_context *c, const struct bridge_message *m)
{
	const struct xa_way way = {
		.domain = c->domain,
		.gateway = c->gateway,
	};
	struct xa_jid jid;
	unsigned code = xa_way_put_principal(&way, &out->from, m->from,
	    &out->via_gateway, &out->why);

	if (!code)
		code = xa_way_put_user(&way, &out->to, m->to, &out->why);
	if (!code &&
	    (!xa_jid_split(prim_buf_slice(&out->to), &jid) ||
		!xa_jid_key(&out->key, &jid)))
		code = refuse(out, PRIM_NOT_FOUND,
		    "XMPP cannot carry the recipient's address");
	return code;
}

/*
 * The stanza.
 */

static void add_origin_id(xmpp_stanza_t *s, struct prim_slice message_id)
{
	xmpp_stanza_t *origin = xa_stanza_add(s, "origin-id", XA_NS_SID);
	struct prim_buf id = { 0 };

	if (xa_text_token_ok(message_id, XA_TEXT_ID_MAX)) {
		prim_buf_put(&id, message_id);
	} else {
		prim_buf_puts(&id, "p-");
		xa_digest_id(&id, &message_id, 1);
	}
	xmpp_stanza_set_attribute(origin, "id", string(&id));
	prim_buf_fini(&id);
}

static void add_thread(struct xa_out *out, xmpp_stanza_t *s,
    const struct bridge_message *m)
{
	const struct xa_thread_pair pair = {
		.user = m->to,
		.principal = m->from,
	};

	xa_thread_put(&out->thread, m->conversation_id, &pair);
	if (out->thread.len)
		xa_stanza_add_text(xa_stanza_add(s, "thread", NULL),
		    prim_buf_slice(&out->thread));
}

static void add_delay(xmpp_stanza_t *s, const struct xa_out_context *c,
    const struct xa_part *p, unsigned attempt)
{
	int64_t limit = attempt > 1 ? 0 : XA_OUT_STALE_MS;
	struct prim_buf text = { 0 };
	xmpp_stanza_t *delay;

	if (!p->has_time || c->now_ms - p->time_ms < limit ||
	    p->time_ms - c->now_ms > XA_OUT_AHEAD_MS)
		return;
	delay = xa_stanza_add(s, "delay", XA_NS_DELAY);
	prim_buf_put(&text, c->domain);
	xmpp_stanza_set_attribute(delay, "from", string(&text));
	prim_buf_reset(&text);
	prim_date_put_3339(&text, p->time_ms);
	xmpp_stanza_set_attribute(delay, "stamp", string(&text));
	prim_buf_fini(&text);
}

static void set_language(xmpp_stanza_t *s, struct prim_slice language)
{
	char *copy;

	if (language.len == 0)
		return;
	copy = prim_slice_copy(language);
	xmpp_stanza_set_attribute(s, "xml:lang", copy);
	prim_free(copy);
}

static bool add_subject(xmpp_stanza_t *s, const struct prim_cpim_header *h)
{
	struct prim_buf text = { 0 };
	bool ok = prim_cpim_unescape(&text, h->value) &&
	    xa_text_ok(prim_buf_slice(&text)) &&
	    (h->lang.len == 0 || xa_text_language_ok(h->lang));
	xmpp_stanza_t *subject;

	if (ok) {
		subject = xa_stanza_add(s, "subject", NULL);
		set_language(subject, h->lang);
		xa_stanza_add_text(subject, prim_buf_slice(&text));
	}
	prim_buf_fini(&text);
	return ok;
}

static bool add_subjects(xmpp_stanza_t *s, const struct xa_part *p)
{
	const struct prim_cpim *cpim = &p->cpim;

	for (unsigned i = 0; p->is_cpim && i < cpim->header_count; i++) {
		const struct prim_cpim_header *h = &cpim->headers[i];

		if (prim_slice_eq(h->uri, PRIM_SLICE(PRIM_CPIM_CORE)) &&
		    prim_slice_eq(h->name, PRIM_SLICE("Subject")) &&
		    !add_subject(s, h))
			return false;
	}
	return true;
}

static xmpp_stanza_t *make_stanza(struct xa_out *out,
    const struct xa_out_context *c, const struct bridge_message *m)
{
	char *id = prim_slice_copy(m->delivery_id);
	const struct xa_envelope envelope = {
		.from = string(&out->from),
		.to = string(&out->to),
		.type = "chat",
		.id = id,
	};
	xmpp_stanza_t *s = xa_stanza_new(c->xmpp, "message", &envelope);

	prim_free(id);
	return s;
}

static unsigned put_stanza(struct xa_out *out, const struct xa_out_context *c,
    const struct bridge_message *m, const struct xa_part *p)
{
	xmpp_stanza_t *s = make_stanza(out, c, m);
	unsigned code = 0;

	set_language(s, p->language);
	if (!add_subjects(s, p))
		code = refuse(out, PRIM_BAD_REQUEST,
		    "a subject that XML cannot carry");
	xa_stanza_add_text(xa_stanza_add(s, "body", NULL),
	    prim_buf_slice(&out->text));
	add_thread(out, s, m);
	add_origin_id(s, m->message_id);
	xa_stanza_add(s, "request", XA_NS_RECEIPTS);
	/* Or a * and a _ of foreign text would be read as markup. */
	xa_stanza_add(s, "unstyled", XA_NS_STYLING);
	xa_hops_add(s, m->hops);
	add_delay(s, c, p, m->attempt);
	if (!code)
		xa_stanza_put(&out->xml, s);
	xmpp_stanza_release(s);
	if (out->xml.len > XA_OUT_STANZA_MAX)
		code = refuse(out, PRIM_BAD_REQUEST,
		    "longer than an XMPP server takes");
	return code;
}

unsigned xa_out_translate(struct xa_out *out, const struct xa_out_context *c,
    const struct bridge_message *m)
{
	struct xa_part part;
	unsigned code;

	reset(out);
	if (!xa_text_token_ok(m->delivery_id, XA_TEXT_ID_MAX))
		return refuse(out, PRIM_BAD_REQUEST, "a bad Delivery-ID");
	/* Every octet may become six, and we do not build that to measure. */
	if (m->body.len > XA_OUT_STANZA_MAX)
		return refuse(out, PRIM_BAD_REQUEST,
		    "longer than an XMPP server takes");
	code = put_addresses(out, c, m);
	if (!code)
		code = xa_part_read(&part, m, &out->text, &out->why);
	if (!code)
		code = put_stanza(out, c, m, &part);
	return code;
}

void xa_out_fini(struct xa_out *out)
{
	struct prim_buf *const all[] = { &out->from, &out->to, &out->key,
		&out->xml, &out->text, &out->thread };

	for (size_t i = 0; i < PRIM_COUNT(all); i++)
		prim_buf_fini(all[i]);
}
