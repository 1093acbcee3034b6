/* SPDX-License-Identifier: ISC */
/* Who is told what becomes of a message, and what is kept so that it can be. */

#include "bridge/transit_private.h"

#include "bridge/notice.h"
#include "bridge/server.h"
#include "prim/base.h"
#include "prim/imdn.h"

static unsigned reports_of(unsigned wishes)
{
	return (wishes & PRIM_IMDN_POSITIVE ? BR_REPORT_POSITIVE : 0) |
	    (wishes & PRIM_IMDN_NEGATIVE ? BR_REPORT_NEGATIVE : 0) |
	    (wishes & PRIM_IMDN_PROCESSING ? BR_REPORT_PROCESSING : 0);
}

static struct prim_slice content_type_of(const struct br_message *m)
{
	struct prim_slice rest = m->lines;

	while (rest.len > 0) {
		struct prim_slice value = prim_slice_cut(&rest, '\n');
		struct prim_slice name = prim_slice_cut(&value, ':');

		if (prim_header_find(name) == PRIM_HEADER_CONTENT_TYPE)
			return prim_slice_trim(value);
	}
	return PRIM_SLICE_NONE;
}

/* May the sender be told what becomes of `m`, and of what? Ourselves we tell
 * nothing, and nobody is told what became of a notice (IMDN-007). */
static bool may_be_told(const struct br_server *s, const struct br_message *m,
    unsigned *out_reports)
{
	struct prim_imdn_request asked;

	*out_reports = 0;
	if (prim_slice_eq(m->origin, PRIM_SLICE(BR_ORIGIN_SELF)))
		return false;
	prim_imdn_request_read(content_type_of(m), m->body, &asked);
	if (asked.is_notice && !PRIM_SEED(notice_for_notice))
		return false;
	*out_reports = reports_of(asked.wishes);
	if (s->config->notices_always)
		return true;
	if (!(*out_reports & BR_REPORT_NEGATIVE))
		*out_reports |= BR_REPORT_QUIET;
	return *out_reports != BR_REPORT_QUIET;
}

/* Whose postmaster writes: the recipient's, if that is one of ours. */
static struct prim_slice postmaster_domain(const struct br_server *s,
    const struct br_message *m)
{
	struct prim_slice domain = br_key_domain(m->recipient);

	if (br_config_serves(s->config, domain))
		return domain;
	domain = br_key_domain(m->sender);
	if (br_config_serves(s->config, domain))
		return domain;
	return prim_slice_of(s->config->domains[0]);
}

static int64_t delay_notice_at(const struct br_transit *t,
    const struct br_store_message *m)
{
	bool wanted = t->server->config->notices_always ||
	    (m->reports & BR_REPORT_PROCESSING);

	if (!m->notice_from.len || !t->dest->host || !wanted)
		return 0;
	return m->accepted_ms +
	    (int64_t)br_host_schedule(t->dest->host)->delay_notice_s * 1000;
}

/* Of its own: many are on their way to the store at a time. */
static void set_notice_from(struct br_transit *t)
{
	prim_buf_reset(&t->notice_from);
	prim_buf_puts(&t->notice_from, "im:" BR_POSTMASTER "@");
	prim_buf_put(&t->notice_from, postmaster_domain(t->server, t->message));
}

void br_transit_fill(struct br_transit *t, struct br_store_message *out)
{
	const struct br_message *m = t->message;

	*out = (struct br_store_message){
		.key = m->key,
		.lane = m->lane,
		.delivery = m->delivery,
		.content_hash = m->content_hash,
		.destination = prim_slice_of(t->dest->name),
		.target = prim_slice_of(t->target ? t->target : ""),
		.tried = prim_buf_slice(&t->tried),
		.origin = m->origin,
		.sender = m->sender,
		.recipient = m->recipient,
		.message_id = m->message_id,
		.return_token = m->return_token,
		.head = m->lines,
		.body = m->body,
		.octets = m->lines.len + m->body.len,
		.hops = m->hops,
		.accepted_ms = m->accepted_ms,
		.expires_ms = m->expires_ms,
		.deaths = t->deaths,
		.attempts = t->was_handed,
		.last_code = t->late_code,
	};
	if (!may_be_told(t->server, m, &out->reports))
		return;
	set_notice_from(t);
	out->notice_from = prim_buf_slice(&t->notice_from);
	out->delay_notice_ms = delay_notice_at(t, out);
}

/* ---- another system has it ---- */

static void end_told(struct br_transit *t, unsigned code)
{
	br_transit_end(t, code,
	    code == PRIM_UNKNOWN_DELIVERY ? PRIM_SLICE("accepted")
					  : PRIM_SLICE("not noted"));
}

static void on_told(void *arg, const struct br_store_put_result *result)
{
	struct br_transit *t = arg;

	t->is_telling = false;
	if (t->is_answered) {
		br_transit_release(t);
	} else if (result->outcome == BR_STORE_DONE) {
		br_dedup_note_durable(t->server->dedup,
		    br_dedup_prefix(&t->message->key));
		end_told(t, PRIM_UNKNOWN_DELIVERY);
	} else if (result->outcome == BR_STORE_DUPLICATE) {
		end_told(t,
		    result->content_hash == t->message->content_hash
			? result->answer
			: PRIM_BAD_REQUEST);
	} else {
		/* It is on its way, but we could not tell if it failed. */
		end_told(t, br_transit_code_for(t->ticket.family, 0));
	}
}

void br_transit_tell(struct br_transit *t)
{
	struct br_store_message sent;

	br_transit_unhand(t);
	prim_timer_stop(&t->server->wheel, &t->timer);
	br_transit_fill(t, &sent);
	if (!sent.notice_from.len || PRIM_SEED(sent_not_noted)) {
		end_told(t, PRIM_UNKNOWN_DELIVERY);
		return;
	}
	t->is_telling = true;
	br_store_sent_put(t->server->store, &sent, on_told, t);
}
