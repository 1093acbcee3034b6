/* SPDX-License-Identifier: ISC */
/* What a plugin hands in from its network. */

#include "bridge/plugin_private.h"
#include "prim/date.h"

static bool header_ok(struct prim_slice value)
{
	return value.len > 0 && prim_command_value_ok(value);
}

static bool token_ok(struct prim_slice token)
{
	if (token.len > BRIDGE_RETURN_MAX)
		return false;
	for (size_t i = 0; i < token.len; i++) {
		if (token.ptr[i] <= ' ' || token.ptr[i] > '~')
			return false;
	}
	return true;
}

static bool fields_ok(const struct bridge_message *m)
{
	return header_ok(m->from) && header_ok(m->to) &&
	    header_ok(m->message_id) && header_ok(m->conversation_id) &&
	    header_ok(m->content_type) && prim_command_value_ok(m->date) &&
	    prim_command_value_ok(m->reply_to) &&
	    prim_command_value_ok(m->original_from) &&
	    token_ok(m->return_token) && m->body.len > 0;
}

static void put_headers(struct bridge *b, struct prim_buf *out,
    const struct bridge_message *m)
{
	prim_command_put_header(out, PRIM_HEADER_FROM, m->from);
	prim_command_put_header(out, PRIM_HEADER_TO, m->to);
	if (m->date.len > 0) {
		prim_command_put_header(out, PRIM_HEADER_DATE, m->date);
	} else {
		prim_buf_puts(out, "Date: ");
		prim_date_put_1123(out, bridge_now_ms(b));
		prim_buf_puts(out, "\r\n");
	}
	prim_command_put_header(out, PRIM_HEADER_ASTRENGTH,
	    prim_astrength_name(m->strength));
	prim_command_put_header(out, PRIM_HEADER_MESSAGE_ID, m->message_id);
	prim_command_put_header(out, PRIM_HEADER_CONVERSATION_ID,
	    m->conversation_id);
	if (m->reply_to.len > 0)
		prim_command_put_header(out, PRIM_HEADER_REPLY_TO, m->reply_to);
	prim_command_put_header(out, PRIM_HEADER_CONTENT_TYPE, m->content_type);
	if (m->original_from.len > 0)
		prim_command_put_header(out, PRIM_HEADER_BRIDGE_ORIGINAL_FROM,
		    m->original_from);
	if (m->hops > 0)
		br_plugin_put_number(out, PRIM_HEADER_BRIDGE_HOPS, m->hops);
	if (m->return_token.len > 0)
		prim_command_put_header(out, PRIM_HEADER_RETURN,
		    m->return_token);
}

bool bridge_submit(struct bridge *b, const struct bridge_message *m)
{
	struct br_ask ask = { .kind = PLUGIN_ASK_SUBMIT };
	struct plugin_submission *s;

	if (!b->ready || !fields_ok(m))
		return false;
	if (b->submissions >= BRIDGE_SUBMIT_MAX) {
		b->room_owed = true;
		return false;
	}
	s = prim_new(struct plugin_submission);
	prim_buf_put(&s->token, m->return_token);
	prim_buf_put(&s->message_id, m->message_id);
	b->submissions++;
	if (m->body.len > b->body_max) {
		/* The core would not even read it. */
		s->code = PRIM_BAD_REQUEST;
		STAILQ_INSERT_TAIL(&b->refused, s, next);
		br_plugin_later(b);
		return true;
	}
	ask.what = s;
	put_headers(b,
	    br_plugin_request(b, PRIM_METHOD_SEND, &ask, m->body.len), m);
	br_plugin_send(b, m->body);
	return true;
}

struct plugin_submission *br_plugin_submission_free(struct plugin_submission *s)
{
	prim_buf_fini(&s->token);
	prim_buf_fini(&s->message_id);
	return prim_free(s);
}

void br_plugin_submit_settle(struct bridge *b, struct plugin_submission *s,
    unsigned code)
{
	const struct br_adapter *a = b->plugin.adapter;
	const struct bridge_outcome outcome = {
		.return_token = prim_buf_slice(&s->token),
		.message_id = prim_buf_slice(&s->message_id),
		.code = code,
	};

	b->submissions--;
	if (a->outcome)
		a->outcome(b->state, &outcome);
	br_plugin_submission_free(s);
	if (b->room_owed) {
		b->room_owed = false;
		if (a->room)
			a->room(b->state);
	}
	br_plugin_later(b);
}
