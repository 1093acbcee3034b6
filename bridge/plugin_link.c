/* SPDX-License-Identifier: ISC */
/* What the core says to an adapter's process. */

#include <event2/event.h>
#include <string.h>

#include "bridge/message.h"
#include "bridge/plugin_private.h"
#include "prim/address.h"
#include "prim/imdn.h"

static void respond(struct bridge *b, const struct prim_command *c,
    unsigned code, struct prim_slice body)
{
	prim_buf_reset(&b->scratch);
	prim_command_put_response(&b->scratch, PRIM_FAMILY_PRIM, c->id, code,
	    body.len);
	if (body.len > 0)
		prim_command_put_header(&b->scratch, PRIM_HEADER_CONTENT_TYPE,
		    PRIM_SLICE("text/plain; charset=UTF-8"));
	br_plugin_send(b, body);
}

/* Requests. Each handler says whether the core kept the rules. */

static bool load(struct bridge *b, struct prim_slice options,
    struct br_err *err)
{
	return br_plugin_load(&b->plugin, b->plugin_name, err) &&
	    br_plugin_load_options(&b->plugin, options, err);
}

static void start(struct bridge *b)
{
	const struct br_adapter *a = b->plugin.adapter;

	if (!br_plugin_sandbox_close(b)) {
		br_plugin_end(b, PLUGIN_EXIT_PLUGIN);
		return;
	}
	b->state = prim_alloc(a->state_size ? a->state_size : 1);
	b->started = true;
	bridge_retry(b, a->retry_s, a->delay_notice_s);
	if (!a->start(b, b->state, b->plugin.options))
		br_plugin_end(b, PLUGIN_EXIT_PLUGIN);
}

static bool hear_config(struct bridge *b, const struct prim_command *c)
{
	struct prim_slice rest = c->body;
	struct br_err err;

	if (b->config_text ||
	    !prim_slice_eq(prim_command_get(c, PRIM_HEADER_NAME),
		prim_slice_of(b->name)) ||
	    !prim_slice_number(prim_command_get(c,
				   PRIM_HEADER_MAX_CONTENT_LENGTH),
		UINT32_MAX, &b->body_max) ||
	    !br_plugin_config_read(b, &rest))
		return false;
	if (load(b, rest, &err)) {
		respond(b, c, PRIM_OK, PRIM_SLICE_NONE);
		start(b);
	} else {
		respond(b, c, PRIM_BAD_REQUEST, prim_slice_of(err.text));
		br_plugin_end(b, PLUGIN_EXIT_PLUGIN);
	}
	return true;
}

static bool hear_ping(struct bridge *b, const struct prim_command *c)
{
	respond(b, c, PRIM_OK, PRIM_SLICE_NONE);
	return true;
}

static bool hear_drain(struct bridge *b, const struct prim_command *c)
{
	(void)c;
	if (!b->started || b->draining)
		return b->started;
	b->draining = true;
	if (b->plugin.adapter->drain)
		b->plugin.adapter->drain(b->state);
	br_plugin_later(b);
	return true;
}

static bool read_number(const struct prim_command *c, enum prim_header_id id,
    unsigned *out_value)
{
	uint64_t value;

	if (!prim_slice_number(prim_command_get(c, id), 1000000, &value))
		return false;
	*out_value = (unsigned)value;
	return true;
}

static bool read_message(const struct prim_command *c,
    struct bridge_message *out)
{
	*out = (struct bridge_message){
		.from = prim_command_get(c, PRIM_HEADER_FROM),
		.to = prim_command_get(c, PRIM_HEADER_TO),
		.message_id = prim_command_get(c, PRIM_HEADER_MESSAGE_ID),
		.conversation_id = prim_command_get(c,
		    PRIM_HEADER_CONVERSATION_ID),
		.date = prim_command_get(c, PRIM_HEADER_DATE),
		.reply_to = prim_command_get(c, PRIM_HEADER_REPLY_TO),
		.content_type = prim_command_get(c, PRIM_HEADER_CONTENT_TYPE),
		.body = c->body,
		.strength = prim_astrength_parse(prim_command_get(c,
		    PRIM_HEADER_ASTRENGTH)),
		.delivery_id = prim_command_get(c, PRIM_HEADER_DELIVERY_ID),
		.original_from = prim_command_get(c,
		    PRIM_HEADER_BRIDGE_ORIGINAL_FROM),
		.original_to = prim_command_get(c,
		    PRIM_HEADER_BRIDGE_ORIGINAL_TO),
		.return_token = prim_command_get(c, PRIM_HEADER_RETURN),
		.command = c,
	};
	return out->from.len > 0 && out->to.len > 0 &&
	    out->message_id.len > 0 && out->conversation_id.len > 0 &&
	    read_number(c, PRIM_HEADER_ATTEMPT, &out->attempt) &&
	    read_number(c, PRIM_HEADER_BRIDGE_HOPS, &out->hops);
}

/* Does the bridge speak, and no person? Nobody else may have that name. */
static bool is_from_bridge(const struct bridge *b, struct prim_slice from)
{
	struct prim_address address;
	struct prim_key key;
	bool ours = false;

	if (!prim_address_parse(from, &address))
		return false;
	prim_address_key(&address, &key);
	for (size_t i = 0; i < b->config.domain_count; i++)
		ours = ours ||
		    prim_slice_eq(prim_key_domain(&key),
			prim_slice_of(b->config.domains[i]));
	return ours &&
	    prim_slice_eq(prim_key_local(&key), PRIM_SLICE("postmaster"));
}

/* One that is malformed is a message like any other. */
static bool read_notice(const struct bridge *b, const struct bridge_message *m,
    struct prim_buf *room, struct prim_imdn *out)
{
	return (m->return_token.len > 0 || is_from_bridge(b, m->from)) &&
	    prim_imdn_parse_message(m->content_type, m->body, room, out);
}

static unsigned deliver(struct bridge *b, struct bridge_message *m)
{
	struct prim_buf room = { 0 };
	struct prim_imdn notice;
	unsigned code;

	if (read_notice(b, m, &room, &notice))
		m->notice = &notice;
	code = b->plugin.adapter->deliver(b->state, m);
	m->notice = NULL;
	prim_buf_fini(&room);
	return code;
}

static bool hear_send(struct bridge *b, const struct prim_command *c)
{
	struct bridge_message m;
	struct prim_digest id;
	unsigned code;

	if (!b->ready || !read_message(c, &m) ||
	    !br_message_parse_delivery(m.delivery_id, &id))
		return false;
	if (b->window == 0 || b->fences > 0) {
		/* It is the core's again, and the core knows or soon will. */
		respond(b, c, PRIM_GATEWAY_TIMEOUT, PRIM_SLICE_NONE);
		return true;
	}
	/* Before the call: the report may come from inside. */
	br_plugin_delivery_put(b, &id);
	code = deliver(b, &m);
	if (code != 0)
		br_plugin_delivery_drop(b, &id);
	if (code != 0 && (code < 400 || code > 599)) {
		bridge_log(b, BRIDGE_ERROR, "deliver gave a strange code=%u",
		    code);
		code = PRIM_INTERNAL_ERROR;
	}
	respond(b, c, code ? code : PRIM_OK, PRIM_SLICE_NONE);
	return true;
}

static bool hear_request(struct bridge *b, const struct prim_command *c)
{
	const bool asks = c->method != PRIM_METHOD_DRAIN;

	if (asks == prim_slice_eq(c->id, PRIM_SLICE("-")))
		return false;
	if (c->method == PRIM_METHOD_SEND)
		return hear_send(b, c);
	if (c->method == PRIM_METHOD_SUBSCRIBE ||
	    c->method == PRIM_METHOD_UNSUBSCRIBE ||
	    c->method == PRIM_METHOD_NOTIFY)
		return br_plugin_presence_hear(b, c);
	if (c->method == PRIM_METHOD_LINK)
		return br_plugin_identity_hear(b, c);
	if (c->method == PRIM_METHOD_PING)
		return hear_ping(b, c);
	if (c->method == PRIM_METHOD_CONFIG)
		return hear_config(b, c);
	if (c->method == PRIM_METHOD_DRAIN)
		return hear_drain(b, c);
	return false;
}

static bool hear_response(struct bridge *b, const struct prim_command *c)
{
	struct br_ask ask;

	if (!br_asks_take(&b->asks, c->id, &ask))
		return false;
	switch ((enum plugin_ask)ask.kind) {
	case PLUGIN_ASK_SUBMIT:
		br_plugin_submit_settle(b, ask.what, c->code);
		break;
	case PLUGIN_ASK_STATE:
		br_plugin_state_answer(b, c);
		break;
	case PLUGIN_ASK_FENCE:
		b->fences--;
		break;
	case PLUGIN_ASK_PRESENCE:
		return br_plugin_presence_answer(b, ask.what, c);
	case PLUGIN_ASK_LINK:
		return br_plugin_identity_answer(b, c);
	}
	return true;
}

static void link_command(void *ctx, const struct prim_command *c)
{
	struct bridge *b = ctx;

	if (event_base_got_break(b->base))
		return;
	if (!(c->is_response ? hear_response(b, c) : hear_request(b, c)))
		br_plugin_end(b, PLUGIN_EXIT_CORE);
}

static void link_gone(void *ctx, const char *why)
{
	br_plugin_end(ctx, why ? PLUGIN_EXIT_CORE : PLUGIN_EXIT_DONE);
}

const struct br_link_ops br_plugin_link_ops = {
	.command = link_command,
	.gone = link_gone,
};
