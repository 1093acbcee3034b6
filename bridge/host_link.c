/* SPDX-License-Identifier: ISC */
/* What an adapter may say. */

#include <string.h>

#include "bridge/host_private.h"
#include "bridge/metric.h"
#include "prim/base.h"
#include "prim/utf8.h"

static void respond(struct br_host *h, const struct prim_command *c,
    unsigned code)
{
	prim_buf_reset(&h->scratch);
	prim_command_put_response(&h->scratch, PRIM_FAMILY_PRIM, c->id, code,
	    0);
	prim_command_end(&h->scratch);
	br_link_send(&h->link, prim_buf_slice(&h->scratch));
}

/* Requests. Every handler returns NULL, or what is wrong. */

static const char *on_ready(struct br_host *h, const struct prim_command *c)
{
	const char *why;

	if (h->phase != HOST_STARTING)
		return "READY twice";
	why = br_host_read_schedule(h, c);
	if (!why)
		br_host_enter_ready(h);
	return why;
}

static const char *on_window(struct br_host *h, const struct prim_command *c)
{
	uint64_t window;

	if (!prim_slice_number(prim_command_get(c, PRIM_HEADER_WINDOW),
		HOST_WINDOW_MAX, &window))
		return "a bad Window";
	br_host_window(h, (unsigned)window);
	return NULL;
}

/* 200, 101 or any 4xx or 5xx. */
static bool is_fate(uint64_t code)
{
	return code == PRIM_OK || code == PRIM_UNKNOWN_DELIVERY ||
	    (code >= 400 && code < 600);
}

static const char *on_report(struct br_host *h, const struct prim_command *c)
{
	struct prim_digest delivery;
	uint64_t code;

	if (!br_message_parse_delivery(prim_command_get(c,
					   PRIM_HEADER_DELIVERY_ID),
		&delivery))
		return "a bad Delivery-ID";
	if (!prim_slice_number(prim_command_get(c, PRIM_HEADER_CODE), 599,
		&code) ||
	    !is_fate(code))
		return "a bad Code";
	if (c->body.len > HOST_TEXT_MAX)
		return "a REPORT that is too long";
	h->context.ops->report(h->context.ctx, h, &delivery, (unsigned)code,
	    c->body);
	return NULL;
}

/* Whoever keeps the limits of both kinds keeps this one; it is for the others,
 * who are bounded by it. */
static const char *on_request(struct br_host *h, const struct prim_command *c)
{
	if (h->peer.ticket_count - h->states >=
	    HOST_REQUESTS_MAX + HOST_PRESENCE_MAX)
		return "too many unanswered requests";
	h->context.ops->request(h->context.ctx, h, c);
	return NULL;
}

static const char *on_ping(struct br_host *h, const struct prim_command *c)
{
	respond(h, c, PRIM_OK);
	return NULL;
}

/* Its lines are ours once they are written: only so many a second. */
static bool may_log(struct br_host *h)
{
	const int64_t second = h->context.now_ms(h->context.ctx) / 1000;

	if (second != h->log_second) {
		if (h->log_lines > HOST_LOG_PER_S)
			br_warn(&h->peer.log, "said too much lines_lost=%u",
			    h->log_lines - HOST_LOG_PER_S);
		h->log_second = second;
		h->log_lines = 0;
	}
	return h->log_lines++ < HOST_LOG_PER_S;
}

/* The adapter quotes what its peers say; but it may be theirs by now. */
static bool is_tame(struct prim_slice text)
{
	uint32_t c;

	while (prim_utf8_next(&text, &c)) {
		if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			return false;
	}
	return text.len == 0;
}

static const char *on_log(struct br_host *h, const struct prim_command *c)
{
	struct prim_slice level = prim_command_get(c, PRIM_HEADER_LEVEL);
	char name[8] = { 0 };
	enum br_level found;

	if (level.len == 0 || level.len >= sizeof(name))
		return "a bad Level";
	memcpy(name, level.ptr, level.len);
	if (!br_log_level_find(name, &found))
		return "a bad Level";
	if (c->body.len > HOST_TEXT_MAX)
		return "a LOG that is too long";
	if (!br_log_wants(found) || !may_log(h))
		return NULL;
	if (is_tame(c->body))
		br_log_put(&h->peer.log, found, "%.*s",
		    PRIM_SLICE_ARG(c->body));
	else
		br_log_put(&h->peer.log, found, "%s", br_quote(c->body));
	return NULL;
}

static const char *on_metric(struct br_host *h, const struct prim_command *c)
{
	struct prim_slice name = prim_command_get(c, PRIM_HEADER_NAME);
	struct prim_slice value = prim_command_get(c, PRIM_HEADER_VALUE);
	const bool negative = value.len > 0 && value.ptr[0] == '-';
	uint64_t number;

	if (!prim_slice_number(prim_slice_from(value, negative), INT64_MAX,
		&number))
		return "a bad Value";
	/* Too many names are a mistake, and no attack. */
	if (!br_metric_adapter_set(h->adapter->name, name,
		negative ? -(int64_t)number : (int64_t)number) &&
	    may_log(h))
		br_warn(&h->peer.log, "metric refused name=%s", br_quote(name));
	return NULL;
}

enum { ASKS = 1, AFTER_CONFIG = 2, AFTER_READY = 4 };

/* Everything an adapter may ask or tell. */
static const struct rule {
	enum prim_method method;
	unsigned flags;
	const char *(*handle)(struct br_host *h, const struct prim_command *c);
} RULES[] = {
	{PRIM_METHOD_REPORT,       AFTER_READY,         on_report            },
	{ PRIM_METHOD_SEND,        ASKS | AFTER_READY,  on_request           },
	{ PRIM_METHOD_NOTIFY,      ASKS | AFTER_READY,  on_request           },
	{ PRIM_METHOD_SUBSCRIBE,   ASKS | AFTER_READY,  on_request           },
	{ PRIM_METHOD_UNSUBSCRIBE, ASKS | AFTER_READY,  on_request           },
	{ PRIM_METHOD_WINDOW,      AFTER_READY,         on_window            },
	{ PRIM_METHOD_READY,       AFTER_CONFIG,        on_ready             },
	{ PRIM_METHOD_STATE,       ASKS | AFTER_CONFIG, br_host_state_request},
	{ PRIM_METHOD_LINK,        ASKS | AFTER_CONFIG, br_host_link_request },
	{ PRIM_METHOD_METRIC,      AFTER_CONFIG,        on_metric            },
	{ PRIM_METHOD_PING,        ASKS | AFTER_CONFIG, on_ping              },
	{ PRIM_METHOD_LOG,         0,                   on_log               },
};

static const struct rule *find_rule(enum prim_method method)
{
	for (size_t i = 0; i < PRIM_COUNT(RULES); i++) {
		if (RULES[i].method == method)
			return &RULES[i];
	}
	return NULL;
}

/* What writes otherwise is not our runtime any more. */
bool br_host_headers_ok(const struct prim_command *c)
{
	uint64_t seen = 0;

	for (unsigned i = 0; i < c->header_count; i++) {
		const struct prim_header *header = &c->headers[i];
		uint64_t bit = PRIM_HEADER_BIT(header->id);

		if (header->id == PRIM_HEADER_OTHER)
			continue;
		if ((seen & bit) ||
		    !prim_slice_eq(header->name, prim_header_name(header->id)))
			return false;
		seen |= bit;
	}
	return true;
}

/* Questions have ids that count up, statements have none. */
static bool id_ok(struct br_host *h, const struct prim_command *c,
    bool answered)
{
	uint64_t id;

	if (!answered)
		return prim_slice_eq(c->id, PRIM_SLICE("-"));
	if (!prim_slice_number(c->id, INT64_MAX, &id) || c->id.ptr[0] == '0' ||
	    id <= h->last_request)
		return false;
	h->last_request = id;
	return true;
}

static bool body_ok(const struct prim_command *c, enum prim_body_rule rule)
{
	return rule == PRIM_BODY_ALLOWED ||
	    (rule == PRIM_BODY_REQUIRED) == (c->body.len > 0);
}

static const char *hear_request(struct br_host *h, const struct prim_command *c)
{
	const struct rule *rule = find_rule(c->method);
	const struct prim_method_info *info;

	if (!rule)
		return "a method that adapters may not use";
	info = prim_method_info(c->method);
	if (!br_host_headers_ok(c))
		return "a header that is misspelled or repeated";
	if ((c->present & info->required_ss) != info->required_ss)
		return "a required header is missing";
	if (!body_ok(c, info->body_ss))
		return "a body that is missing or out of place";
	if (!id_ok(h, c, rule->flags & ASKS))
		return "a bad id";
	if ((rule->flags & AFTER_CONFIG && !h->configured) ||
	    (rule->flags & AFTER_READY &&
		(!h->configured || h->phase == HOST_STARTING)))
		return "it speaks too early";
	return rule->handle(h, c);
}

/* Responses. */

/* To SEND: taken, or refused at once. */
static const char *hear_taken(struct br_host *h, const struct br_ask *ask,
    const struct prim_command *c)
{
	struct br_message *m = ask->what;

	h->untaken--;
	h->untaken_octets -= ask->octets;
	if (c->code != PRIM_OK && (c->code < 400 || c->code > 599)) {
		br_message_unref(m);
		return "a bad answer to SEND";
	}
	/* NULL: it was given back before the adapter knew. */
	if (m && c->code == PRIM_OK)
		h->context.ops->taken(h->context.ctx, h, &m->delivery);
	else if (m)
		h->context.ops->report(h->context.ctx, h, &m->delivery, c->code,
		    c->body);
	br_message_unref(m);
	br_host_check_room(h);
	return NULL;
}

static const char *hear_configured(struct br_host *h,
    const struct prim_command *c)
{
	if (c->code != PRIM_OK) {
		br_error(&h->peer.log, "cannot start: %s", br_quote(c->body));
		return "it refused its configuration";
	}
	h->configured = true;
	h->silent_ms = 0;
	return NULL;
}

/* A probe says nothing about the regular PING, whose time goes on. */
static const char *hear_pinged(struct br_host *h, const struct br_ask *ask,
    const struct prim_command *c)
{
	const bool is_probe = ask->kind == HOST_ASK_PROBE;

	if (!is_probe) {
		h->pinging = false;
		h->silent_ms = 0;
	}
	if (br_host_has_questions_before(h, ask->id))
		return "a question is not answered";
	if (c->code != PRIM_OK)
		return "a bad answer to PING";
	if (is_probe)
		br_host_probe_answer(h);
	return NULL;
}

static const char *hear_response(struct br_host *h,
    const struct prim_command *c)
{
	struct br_ask ask;

	if (c->body.len > HOST_TEXT_MAX)
		return "an answer that is too long";
	if (!br_asks_take(&h->asks, c->id, &ask))
		return "a response to nothing";
	switch ((enum host_ask)ask.kind) {
	case HOST_ASK_SEND:
		return hear_taken(h, &ask, c);
	case HOST_ASK_CONFIG:
		return hear_configured(h, c);
	case HOST_ASK_QUESTION:
		return br_host_answer(h, &ask, c);
	case HOST_ASK_CANONICAL:
		return br_host_canonical_answer(h, &ask, c);
	case HOST_ASK_PING:
	case HOST_ASK_PROBE:
		break;
	}
	return hear_pinged(h, &ask, c);
}

static void link_command(void *ctx, const struct prim_command *c)
{
	struct br_host *h = ctx;
	const char *why = c->is_response ? hear_response(h, c)
					 : hear_request(h, c);

	if (why)
		br_host_fault(h, why);
}

static void link_gone(void *ctx, const char *why)
{
	struct br_host *h = ctx;

	if (why)
		br_host_fault(h, why);
	else
		br_host_end_of_link(h);
}

const struct br_link_ops br_host_link_ops = {
	.command = link_command,
	.gone = link_gone,
};
