/* SPDX-License-Identifier: ISC */
/* SEND: may it begin its way? */

#include "bridge/dispatch.h"

#include "bridge/errand.h"
#include "bridge/loop.h"
#include "bridge/metric.h"
#include "bridge/rule.h"
#include "bridge/server.h"
#include "bridge/transit.h"
#include "prim/base.h"
#include "prim/cpim.h"
#include "prim/date.h"
#include "prim/seed.h"

#define MESSAGE_ID_MAX 1024 /* octets; also of a Conversation-ID */
/* What we and the next link add to a head that is relayed. */
#define HEADERS_SPARE 8
#define HEAD_SPARE    1024

/* A SEND that is being looked at. */
struct sending {
	struct br_server *server;
	struct br_peer *peer;
	const struct prim_command *c;
	struct prim_address from, to;
	/* Of a linked sender: `from` is his principal, `sender` himself. */
	struct prim_address original;
	struct prim_key sender, recipient, principal;
	bool is_linked;
	const struct br_route *route; /* of the recipient */
	unsigned hops;                /* as it leaves us */
	int64_t expires_ms;           /* as its sender says; INT64_MAX: not */
};

bool br_dispatch_has_bridge_header(const struct prim_command *c)
{
	return prim_command_has(c, PRIM_HEADER_BRIDGE_HOPS) ||
	    prim_command_has(c, PRIM_HEADER_BRIDGE_ORIGINAL_FROM) ||
	    prim_command_has(c, PRIM_HEADER_BRIDGE_ORIGINAL_TO) ||
	    prim_command_has(c, PRIM_HEADER_BRIDGE_OTHER);
}

static bool id_ok(struct prim_slice id)
{
	return id.len > 0 && id.len <= MESSAGE_ID_MAX;
}

/* Whoever gets it reads no more than we do (ERR-25). */
static bool head_ok(const struct prim_command *c)
{
	return c->header_count <= PRIM_HEADERS_MAX - HEADERS_SPARE &&
	    c->head.len <= PRIM_HEAD_MAX - HEAD_SPARE;
}

static bool hops_parse(struct sending *s)
{
	uint64_t hops = 0;

	if (prim_command_has(s->c, PRIM_HEADER_BRIDGE_HOPS) &&
	    !prim_slice_number(prim_command_get(s->c, PRIM_HEADER_BRIDGE_HOPS),
		1000, &hops))
		return false;
	s->hops = (unsigned)hops + !PRIM_SEED(hops_not_counted);
	return true;
}

/* Who an adapter says it really was. */
static bool original_parse(struct sending *s)
{
	struct prim_slice text = prim_command_get(s->c,
	    PRIM_HEADER_BRIDGE_ORIGINAL_FROM);

	s->is_linked = s->peer->kind == BR_PEER_ADAPTER && text.len > 0;
	if (!s->is_linked)
		return true;
	return prim_address_parse(text, &s->original) &&
	    s->original.scheme == PRIM_SCHEME_IM;
}

/* Step 8: syntax, schemes, whose headers. */
static bool expires_parse(struct sending *s)
{
	struct prim_slice text = prim_command_get(s->c, PRIM_HEADER_EXPIRES);

	s->expires_ms = INT64_MAX;
	return !text.len || prim_date_parse_1123(text, &s->expires_ms);
}

static unsigned check_syntax(struct sending *s)
{
	const struct prim_command *c = s->c;
	bool is_client = s->peer->kind == BR_PEER_CLIENT;

	if (!prim_address_parse(prim_command_get(c, PRIM_HEADER_FROM),
		&s->from) ||
	    !prim_address_parse(prim_command_get(c, PRIM_HEADER_TO), &s->to))
		return PRIM_BAD_REQUEST;
	if (s->from.scheme != PRIM_SCHEME_IM || s->to.scheme != PRIM_SCHEME_IM)
		return PRIM_BAD_REQUEST; /* PRIM-053 */
	if (!head_ok(c) ||
	    !id_ok(prim_command_get(c, PRIM_HEADER_MESSAGE_ID)) ||
	    !id_ok(prim_command_get(c, PRIM_HEADER_CONVERSATION_ID)))
		return PRIM_BAD_REQUEST;
	if (is_client && br_dispatch_has_bridge_header(c) &&
	    !PRIM_SEED(bridge_header_heard))
		return PRIM_BAD_REQUEST; /* DESIGN 4 */
	if (!hops_parse(s) || !original_parse(s) || !expires_parse(s))
		return PRIM_BAD_REQUEST;
	prim_address_key(s->is_linked ? &s->original : &s->from, &s->sender);
	prim_address_key(&s->from, &s->principal);
	prim_address_key(&s->to, &s->recipient);
	return 0;
}

/* Whoever shows a message/cpim shows its From: an adapter vouches for that, too
 * (DESIGN 11). A client's is his own business, and nobody else's. */
static unsigned check_cpim(const struct sending *s)
{
	static struct prim_cpim cpim; /* large; the loop's only */
	const struct prim_cpim_header *from;
	struct prim_slice name, uri;
	struct prim_address address;
	struct prim_key key;

	if (s->peer->kind == BR_PEER_CLIENT ||
	    !prim_cpim_type_is(prim_command_get(s->c, PRIM_HEADER_CONTENT_TYPE),
		"message/cpim"))
		return 0;
	if (!prim_cpim_parse(s->c->body, &cpim, NULL))
		return PRIM_BAD_REQUEST;
	from = prim_cpim_find(&cpim, PRIM_CPIM_CORE, "From");
	if (!from || !prim_cpim_mailbox(from->value, &name, &uri) ||
	    !prim_address_parse(uri, &address))
		return PRIM_FORBIDDEN;
	prim_address_key(&address, &key);
	return prim_slice_eq(prim_key_slice(&key),
		   prim_key_slice(&s->principal))
	    ? 0
	    : PRIM_FORBIDDEN;
}

/* Step 9. */
static unsigned check_sender(const struct sending *s)
{
	const struct br_identity *link;

	if (!br_dispatch_may_speak(s->server, s->peer, &s->sender))
		return PRIM_FORBIDDEN; /* PRIM-109, ERR-113 */
	if (!s->is_linked || PRIM_SEED(no_link_check))
		return check_cpim(s);
	link = br_identity_of(s->server->identities,
	    prim_key_slice(&s->sender));
	return link &&
		prim_slice_eq(link->principal, prim_key_slice(&s->principal))
	    ? check_cpim(s)
	    : PRIM_FORBIDDEN;
}

static bool is_gateway(const struct br_config *c, struct prim_slice domain)
{
	for (size_t i = 0; i < c->adapter_count; i++) {
		const char *gateway = c->adapters[i].gateway_domain;

		if (gateway && prim_slice_eq(domain, prim_slice_of(gateway)))
			return true;
	}
	return false;
}

/* Is its sender, as a network calls him, somebody whom we brought there? Then it
 * has been here, whatever was taken off it on the way. */
static bool has_been_here(const struct sending *s)
{
	struct prim_slice rest = prim_key_local(&s->sender);

	while (rest.len > 0 && !PRIM_SEED(gateway_name_unseen)) {
		struct prim_slice name;

		(void)prim_slice_cut(&rest, '%');
		if (!prim_slice_starts(rest, PRIM_SLICE("40")))
			continue;
		name = prim_slice_from(rest, 2);
		if (is_gateway(s->server->config, prim_slice_cut(&name, '%')))
			return true;
	}
	return false;
}

/* Between two foreign networks: does it go round? */
static bool goes_round(const struct sending *s)
{
	const struct br_loop_pass pass = {
		.a = prim_key_slice(&s->sender),
		.b = prim_key_slice(&s->recipient),
		.content_type = prim_command_get(s->c,
		    PRIM_HEADER_CONTENT_TYPE),
		.body = s->c->body,
	};

	if ((br_loops_pass(s->server->loops, &pass, br_server_now(s->server)) &&
		!has_been_here(s)) ||
	    PRIM_SEED(no_loop_brake))
		return false;
	br_metric_add(BR_METRIC_LOOPS, 1);
	br_warn(&s->peer->log, "loop stopped from=%s to=%s", br_quote(pass.a),
	    br_quote(pass.b));
	return true;
}

static enum br_rule_peer rule_peer(const struct sending *s)
{
	if (s->peer->kind == BR_PEER_CLIENT)
		return BR_RULE_CLIENT;
	return s->is_linked ? BR_RULE_LINKED : BR_RULE_FOREIGN;
}

/* Step 11, and the rules of DESIGN 6 on relaying and loops. */
static unsigned check_route(struct sending *s)
{
	enum br_rule_peer peer = rule_peer(s);
	struct br_rule_pass pass = { .config = s->server->config,
		.identities = s->server->identities,
		.peer = peer,
		.sender = prim_key_slice(&s->sender),
		.recipient = prim_key_slice(&s->recipient) };

	s->route = br_server_route(s->server, prim_key_slice(&s->recipient));
	if (!s->route)
		return PRIM_NOT_FOUND;
	pass.route = s->route;
	if (s->hops > BR_HOPS_MAX && !PRIM_SEED(no_hop_limit))
		return peer == BR_RULE_CLIENT ? PRIM_INTERNAL_ERROR
					      : PRIM_BAD_GATEWAY;
	if (!br_rule_may_pass(&pass))
		return PRIM_FORBIDDEN;
	if (peer != BR_RULE_FOREIGN || s->route->kind == BR_ROUTE_LOCAL)
		return 0;
	return goes_round(s) ? PRIM_FORBIDDEN : 0; /* for good: no retry */
}

static unsigned check_room(const struct sending *s)
{
	const struct br_peer *peer = s->peer;

	if (s->server->stopping)
		return PRIM_INTERNAL_ERROR;
	if (peer->ticket_count >= BR_PARKED_MAX ||
	    peer->ticket_octets + s->c->body_len > BR_PARKED_OCTETS_MAX)
		return PRIM_INTERNAL_ERROR;
	return 0;
}

static unsigned check_send(struct sending *s)
{
	unsigned code = check_syntax(s);

	if (!code)
		code = check_sender(s);
	if (!code)
		code = check_route(s);
	if (!code)
		code = check_room(s);
	return code;
}

/* Its sender may shorten its time, never lengthen it (reliability 4.7). */
static int64_t expires_at(const struct sending *s)
{
	const struct br_config_route *from = s->route->from;
	uint64_t after = from && from->give_up_after_ms
	    ? from->give_up_after_ms
	    : s->server->config->give_up_after_ms;
	int64_t at = br_server_now(s->server) +
	    (s->route->kind == BR_ROUTE_LOCAL ? BR_OFFLINE_KEEP_MS
					      : (int64_t)after);

	return s->expires_ms < at ? s->expires_ms : at;
}

static void send_begin(struct sending *s)
{
	struct br_server *server = s->server;
	struct br_message_source source = {
		.command = s->c,
		.sender = prim_key_slice(&s->sender),
		.recipient = prim_key_slice(&s->recipient),
		.origin = prim_slice_of(s->peer->origin),
		.date = br_clock_date(&server->clock),
		.id = s->c->id,
		.strength = br_peer_strength(s->peer, s->c),
		.hops = s->hops,
		.accepted_ms = br_server_now(server),
		.expires_ms = expires_at(s),
	};
	struct br_transit_start start = {
		.message = br_message_new(&source, &server->keys),
		.peer = s->peer,
		.family = s->c->family,
		.route = s->route,
	};

	br_transit_begin(server, &start);
}

/* The line of its end, for one that did not begin. Most often somebody speaks
 * for another, which an operator wants to know. */
static void log_refused(const struct sending *s, unsigned code)
{
	const struct prim_command *c = s->c;

	br_info(&s->peer->log,
	    "message end code=%u id=%s from=%s to=%s via=none", code,
	    br_quote(prim_command_get(c, PRIM_HEADER_MESSAGE_ID)),
	    br_quote(prim_command_get(c, PRIM_HEADER_FROM)),
	    br_quote(prim_command_get(c, PRIM_HEADER_TO)));
}

void br_dispatch_send(struct br_server *server, struct br_peer *peer,
    const struct prim_command *c)
{
	static struct sending s; /* large; the loop's only */
	unsigned code;

	s.server = server;
	s.peer = peer;
	s.c = c;
	code = check_send(&s);
	if (code) {
		log_refused(&s, code);
		br_errand_refuse(peer, c, code);
	} else {
		send_begin(&s);
	}
}
