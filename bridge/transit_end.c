/* SPDX-License-Identifier: ISC */
/* How a message ends, and what its sender hears. */

#include "bridge/transit_private.h"

#include "bridge/metric.h"
#include "bridge/server.h"

/* ---- telling the end ---- */

static const char *via(const struct br_transit *t)
{
	return t->dest && t->dest->host ? br_host_name(t->dest->host) : "inbox";
}

static enum br_metric metric_of(unsigned code)
{
	if (code == PRIM_OK)
		return BR_METRIC_MESSAGES_DELIVERED;
	if (code == PRIM_UNKNOWN_DELIVERY)
		return BR_METRIC_MESSAGES_ACCEPTED;
	return prim_status_is_final(code) ? BR_METRIC_MESSAGES_REFUSED
					  : BR_METRIC_MESSAGES_ERROR;
}

/* The one line of a message's end. */
void br_transit_log_end(const struct br_transit *t, unsigned code,
    struct prim_slice why)
{
	const struct br_message *m = t->message;
	const struct br_server *s = t->server;

	br_metric_add(metric_of(code), 1);
	if (!br_log_wants(BR_LOG_INFO) || !m)
		return;
	br_info(&s->log,
	    "message end code=%u id=%s from=%s to=%s via=%s delay_ms=%lld%s%s",
	    code, br_quote(m->message_id), br_quote(m->sender),
	    br_quote(m->recipient), via(t),
	    (long long)(br_server_now(s) - m->accepted_ms),
	    why.len ? " why=" : "", why.len ? br_quote(why) : "");
}

void br_transit_history(const struct br_transit *t, enum br_history_event event,
    unsigned code, struct prim_slice kind)
{
	const struct br_message *m = t->message;
	struct br_history_line line = { .event = event, .code = code };

	if (!t->server->history || !m)
		return;
	line.delivery = &m->delivery;
	line.seq = t->row ? t->row->seq : 0;
	line.dest = t->dest ? t->dest->name : NULL;
	if (event == BR_HISTORY_ACCEPT) {
		line.id = m->message_id;
		line.from = m->sender;
		line.to = m->recipient;
		line.origin = m->origin;
		line.conversation = m->conversation_id;
		line.body = &m->body;
		line.hops = m->hops;
	} else if (event == BR_HISTORY_HAND) {
		line.attempt = t->row ? t->row->attempts : 1;
	}
	if (event == BR_HISTORY_END || event == BR_HISTORY_REPORT)
		line.reason = kind;
	else
		line.kind = kind;
	br_history_put(t->server->history, br_server_now(t->server), &line);
}

/* ---- the sender's answer ---- */

/* PRIM-276, PRIM-277, ERR-125: time-outs and bad upstreams by dialect. */
unsigned br_transit_code_for(enum prim_family family, unsigned code)
{
	bool is_server = family == PRIM_FAMILY_PRIM;

	if (code == PRIM_GATEWAY_TIMEOUT || code == PRIM_TIMEOUT || code == 0)
		return is_server ? PRIM_GATEWAY_TIMEOUT : PRIM_TIMEOUT;
	if (code == PRIM_BAD_GATEWAY || code == PRIM_VERSION_NOT_SUPPORTED ||
	    code == PRIM_TOO_MANY_SUBSCRIPTIONS)
		return is_server ? PRIM_BAD_GATEWAY : PRIM_INTERNAL_ERROR;
	return code;
}

void br_transit_leave_live(struct br_transit *t)
{
	struct br_server *s = t->server;

	prim_table_drop(&s->live, &t->by_key);
	s->parked_octets -= br_message_size(t->message);
	br_metric_set(BR_METRIC_PARKED, (int64_t)s->live.count);
	br_metric_set(BR_METRIC_PARKED_BYTES, (int64_t)s->parked_octets);
}

/* A sentence for people, where it is about what this sender did himself; of
 * others and of us it tells nothing. PRIM has no place for it, and who does not
 * know the header passes it over. */
static struct prim_slice reason_of(const struct br_transit *t,
    struct prim_buf *room)
{
	const struct br_peer *peer = t->ticket.peer;

	if (t->reason && peer && peer->kind == BR_PEER_CLIENT)
		prim_buf_putf(room, "Bridge-Reason: %s\r\n", t->reason);
	return prim_buf_slice(room);
}

/* Answers the sender, once. The caller says how the message ended, or that it
 * did not. */
static void answer(struct br_transit *t, unsigned code, struct prim_slice kind)
{
	struct prim_buf reason = { 0 };

	if (t->is_answered)
		return;
	t->is_answered = true;
	prim_timer_stop(&t->server->wheel, &t->timer);
	code = br_transit_code_for(t->ticket.family, code);
	br_transit_history(t, BR_HISTORY_ANSWER, code, kind);
	br_transit_leave_live(t);
	br_ticket_settle(&t->ticket, code, reason_of(t, &reason),
	    PRIM_SLICE_NONE);
	prim_buf_fini(&reason);
	br_transit_settle_joints(t, code);
}

void br_transit_answer(struct br_transit *t, unsigned code)
{
	answer(t, code, PRIM_SLICE_NONE);
}

void br_transit_answer_known(struct br_transit *t, unsigned code,
    uint64_t content_hash)
{
	if (content_hash == t->message->content_hash ||
	    content_hash == BR_STORE_ANY_CONTENT)
		answer(t, code, PRIM_SLICE("known"));
	else
		answer(t, PRIM_BAD_REQUEST, PRIM_SLICE("conflict"));
}

/* The end of a message that was never stored. What an adapter still says about
 * it is of no use to anybody. */
void br_transit_end(struct br_transit *t, unsigned code, struct prim_slice why)
{
	struct br_server *s = t->server;
	struct br_dedup_answer remembered = { .code = code,
		.content_hash = t->message->content_hash };

	br_transit_unhand(t);
	br_transit_log_end(t, code, why);
	br_transit_history(t, BR_HISTORY_END, code, why);
	if (code == PRIM_OK || code == PRIM_UNKNOWN_DELIVERY)
		br_dedup_put(s->dedup, &t->message->key, &remembered,
		    br_server_now(s));
	br_transit_answer(t, code);
	br_transit_leave_lane(t);
	br_transit_release(t);
}

void br_transit_end_absent(struct br_transit *t)
{
	bool hide = t->server->config->disclosure_hide;

	br_transit_end(t, hide ? PRIM_INBOX_CLOSED : PRIM_NOT_FOUND,
	    PRIM_SLICE("no such inbox"));
}
