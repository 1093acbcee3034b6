/* SPDX-License-Identifier: ISC */
/* LINK, in both directions: whose an address is, and what it is in the plugin's
 * network. */

#include "bridge/plugin_private.h"

static bool header_ok(struct prim_slice value)
{
	return value.len > 0 && prim_command_value_ok(value);
}

/* ---- what the plugin asks ---- */

static void question_free(struct plugin_question *q)
{
	prim_buf_fini(&q->address);
	prim_free(q);
}

bool bridge_link(struct bridge *b, struct prim_slice address, uint64_t cookie)
{
	const struct br_ask ask = { .kind = PLUGIN_ASK_LINK };
	struct plugin_question *q;

	if (!b->ready || !b->plugin.adapter->linked || !header_ok(address) ||
	    b->question_count >= BRIDGE_LINK_MAX)
		return false;
	q = prim_new(struct plugin_question);
	prim_buf_put(&q->address, address);
	q->cookie = cookie;
	STAILQ_INSERT_TAIL(&b->questions, q, next);
	b->question_count++;
	prim_command_put_header(br_plugin_request(b, PRIM_METHOD_LINK, &ask, 0),
	    PRIM_HEADER_FROM, address);
	br_plugin_send(b, PRIM_SLICE_NONE);
	return true;
}

/* The core answers each when it reads it, and so in their order. */
bool br_plugin_identity_answer(struct bridge *b, const struct prim_command *c)
{
	struct plugin_question *q = STAILQ_FIRST(&b->questions);
	const struct bridge_linked linked = {
		.address = prim_buf_slice(&q->address),
		.principal = prim_command_get(c, PRIM_HEADER_TO),
		.cookie = q->cookie,
	};
	const bool ok = linked.principal.len > 0 ? c->code == PRIM_OK
						 : c->code == PRIM_NOT_FOUND;

	STAILQ_REMOVE_HEAD(&b->questions, next);
	b->question_count--;
	if (ok)
		b->plugin.adapter->linked(b->state, &linked);
	question_free(q);
	br_plugin_later(b);
	return ok;
}

void br_plugin_identity_fini(struct bridge *b)
{
	struct plugin_question *q;

	while ((q = STAILQ_FIRST(&b->questions))) {
		STAILQ_REMOVE_HEAD(&b->questions, next);
		question_free(q);
	}
}

/* ---- what the core asks ---- */

/* The code of the answer, and with 200 the canonical form in `out`. */
static unsigned find_canonical(struct bridge *b, struct prim_slice address,
    struct prim_buf *out)
{
	const struct br_adapter *a = b->plugin.adapter;

	if (!a->canonical) {
		prim_buf_put(out, address);
		return PRIM_OK;
	}
	if (!a->canonical(b->state, address, out))
		return PRIM_BAD_REQUEST;
	if (header_ok(prim_buf_slice(out)))
		return PRIM_OK;
	bridge_log(b, BRIDGE_ERROR,
	    "canonical gave what is no address for address=%s",
	    bridge_quote(address));
	return PRIM_BAD_REQUEST;
}

bool br_plugin_identity_hear(struct bridge *b, const struct prim_command *c)
{
	const struct prim_slice to = prim_command_get(c, PRIM_HEADER_TO);
	struct prim_buf form = { 0 };
	unsigned code;

	if (!b->ready || to.len == 0 || c->body.len > 0)
		return false;
	code = find_canonical(b, to, &form);
	prim_buf_reset(&b->scratch);
	prim_command_put_response(&b->scratch, PRIM_FAMILY_PRIM, c->id, code,
	    0);
	if (code == PRIM_OK)
		prim_command_put_header(&b->scratch, PRIM_HEADER_TO,
		    prim_buf_slice(&form));
	br_plugin_send(b, PRIM_SLICE_NONE);
	prim_buf_fini(&form);
	return true;
}
