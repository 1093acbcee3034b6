/* SPDX-License-Identifier: ISC */
/* What a request does. */

#include "bridge/dispatch.h"

#include <string.h>

#include "bridge/conn.h"
#include "bridge/errand.h"
#include "bridge/metric.h"
#include "bridge/outbox.h"
#include "bridge/presence.h"
#include "bridge/server.h"
#include "bridge/transit.h"
#include "prim/base.h"

#define MESSAGE_ID_MAX 1024 /* octets; also of a Conversation-ID */
/* What we and the next link add to a head that is relayed. */
#define HEADERS_SPARE 8
#define HEAD_SPARE    1024

/* ---- whom a peer speaks for ---- */

static bool is_routed_to(const struct br_server *s, const struct br_peer *peer,
    const struct prim_key *who)
{
	const struct br_route *home = br_server_route(s, prim_key_slice(who));

	return home && home->kind == BR_ROUTE_ADAPTER &&
	    br_host_peer(s->hosts[home->adapter]) == peer;
}

bool br_dispatch_may_speak(const struct br_server *s,
    const struct br_peer *peer, const struct prim_key *who)
{
	const struct br_conn *conn;

	if (peer->kind != BR_PEER_CLIENT)
		return is_routed_to(s, peer, who);
	conn = PRIM_CONTAINER(peer, const struct br_conn, peer);
	return prim_slice_eq(prim_session_who(&conn->session),
	    prim_key_slice(who));
}

/* ---- SEND ---- */

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
};

static bool has_bridge_header(const struct prim_command *c)
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
	s->hops = (unsigned)hops + 1;
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
	if (is_client && has_bridge_header(c))
		return PRIM_BAD_REQUEST; /* DESIGN 4 */
	if (!hops_parse(s) || !original_parse(s))
		return PRIM_BAD_REQUEST;
	prim_address_key(s->is_linked ? &s->original : &s->from, &s->sender);
	prim_address_key(&s->from, &s->principal);
	prim_address_key(&s->to, &s->recipient);
	return 0;
}

/* Step 9. */
static unsigned check_sender(const struct sending *s)
{
	const struct br_identity *link;

	if (!br_dispatch_may_speak(s->server, s->peer, &s->sender))
		return PRIM_FORBIDDEN; /* PRIM-109, ERR-113 */
	if (!s->is_linked)
		return 0;
	link = br_identity_of(s->server->identities,
	    prim_key_slice(&s->sender));
	return link &&
		prim_slice_eq(link->principal, prim_key_slice(&s->principal))
	    ? 0
	    : PRIM_FORBIDDEN;
}

/* Step 11, and the rules of DESIGN 6 on relaying and loops. */
static unsigned check_route(struct sending *s)
{
	bool is_client = s->peer->kind == BR_PEER_CLIENT;

	s->route = br_server_route(s->server, prim_key_slice(&s->recipient));
	if (!s->route)
		return PRIM_NOT_FOUND;
	if (s->hops > BR_HOPS_MAX)
		return is_client ? PRIM_INTERNAL_ERROR : PRIM_BAD_GATEWAY;
	if (is_client || s->route->kind == BR_ROUTE_LOCAL)
		return 0;
	if (s->is_linked) /* on behalf of a principal of ours */
		return prim_slice_eq(prim_key_slice(&s->sender),
			   prim_key_slice(&s->recipient))
		    ? PRIM_FORBIDDEN
		    : 0;
	if (prim_slice_eq(prim_key_slice(&s->sender),
		prim_key_slice(&s->recipient)))
		return PRIM_FORBIDDEN; /* never back to where it came from */
	return br_route_relays(s->route, prim_key_domain(&s->sender))
	    ? 0
	    : PRIM_FORBIDDEN; /* we are no open relay */
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

static int64_t give_up_after(const struct sending *s)
{
	const struct br_config_route *from = s->route->from;

	return (int64_t)(from && from->give_up_after_ms
		? from->give_up_after_ms
		: s->server->config->give_up_after_ms);
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
		.expires_ms = br_server_now(server) + give_up_after(s),
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

static void dispatch_send(struct br_server *server, struct br_peer *peer,
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

/* ---- LISTEN, SILENCE ---- */

/* A client that waits for its principal to be loaded. */
struct listening {
	struct br_errand errand;
	struct br_conn *conn; /* borrowed while the errand is open */
};

static struct listening *listening_new(struct br_conn *conn,
    const struct prim_command *c)
{
	struct listening *l = br_errand_new(conn->server, &conn->peer, c,
	    sizeof(*l), BR_ERRAND_AS_ASKED);

	l->conn = conn;
	return l;
}

static void listen_start(struct br_conn *conn, struct br_entity *entity)
{
	br_conn_keep(conn, entity);
	prim_listener_start(&conn->listener, &entity->inbox);
}

static void listen_drain(struct br_server *s, struct br_entity *entity)
{
	struct br_dest *dest = br_outbox_inbox_find(s->outbox,
	    br_entity_key(entity));

	if (dest)
		br_dest_wake(s->outbox, dest);
}

static void on_listen(void *arg, enum br_entity_outcome known,
    struct br_entity *entity)
{
	struct listening *l = arg;
	struct br_server *s = l->errand.server;
	unsigned code = PRIM_INTERNAL_ERROR;

	if (known == BR_ENTITY_IS_ABSENT)
		code = PRIM_NOT_FOUND;
	/* The connection may be gone by now, or about to go. */
	if (entity && br_errand_is_open(&l->errand) && !l->conn->is_finishing) {
		listen_start(l->conn, entity);
		code = PRIM_OK;
	}
	br_errand_end(&l->errand,
	    code); /* the answer leaves before what was waiting */
	if (!entity)
		return;
	if (code == PRIM_OK)
		listen_drain(s, entity);
	br_entity_unpin(s->entities, entity);
}

/* Somebody else's inbox: is there one at all (PRIM-237, PRIM-240)? */
static void on_stranger(void *arg, enum br_entity_outcome known,
    struct br_entity *entity)
{
	struct br_errand *e = arg;
	unsigned code = PRIM_FORBIDDEN;

	if (known == BR_ENTITY_IS_PRESENT)
		br_entity_unpin(e->server->entities, entity);
	else if (known == BR_ENTITY_UNKNOWN)
		code = PRIM_INTERNAL_ERROR;
	else if (!e->server->config->disclosure_hide)
		code = PRIM_NOT_FOUND;
	br_errand_end(e, code);
}

/* Does `c` concern the inbox of its principal? If not it is answered: only
 * one's own, until owners can allow others (ACLs). */
static bool check_owner(struct br_conn *conn, const struct prim_command *c)
{
	struct br_server *s = conn->server;
	struct prim_address from;
	struct prim_key key;

	if (!prim_address_parse(prim_command_get(c, PRIM_HEADER_FROM), &from) ||
	    from.scheme != PRIM_SCHEME_IM) {
		br_errand_refuse(&conn->peer, c, PRIM_BAD_REQUEST);
		return false;
	}
	if (conn->peer.ticket_count >= BR_PARKED_MAX) { /* PRIM-289 */
		br_errand_refuse(&conn->peer, c, PRIM_INTERNAL_ERROR);
		return false;
	}
	prim_address_key(&from, &key);
	if (prim_slice_eq(prim_session_who(&conn->session),
		prim_key_slice(&key)))
		return true;
	if (br_config_serves(s->config, prim_key_domain(&key)))
		br_entity_with(s->entities, prim_key_slice(&key), on_stranger,
		    listening_new(conn, c));
	else
		br_errand_refuse(&conn->peer, c, PRIM_NOT_FOUND);
	return false;
}

static void dispatch_listen(struct br_conn *conn, const struct prim_command *c)
{
	if (check_owner(conn, c))
		br_entity_with(conn->server->entities,
		    prim_session_who(&conn->session), on_listen,
		    listening_new(conn, c));
}

static void dispatch_silence(struct br_conn *conn, const struct prim_command *c)
{
	if (check_owner(conn, c))
		br_errand_refuse(&conn->peer, c,
		    prim_listener_stop(&conn->listener)
			? PRIM_OK
			: PRIM_INBOX_CLOSED); /* PRIM-240 */
}

/* ---- by method ---- */

/* Class tables, ACLs and watcher information are not there yet. */
static bool is_presence(enum prim_method method)
{
	return method == PRIM_METHOD_SUBSCRIBE ||
	    method == PRIM_METHOD_UNSUBSCRIBE || method == PRIM_METHOD_FETCH ||
	    method == PRIM_METHOD_NOTIFY || method == PRIM_METHOD_PUBLISH ||
	    method == PRIM_METHOD_REMOVE;
}

void br_dispatch_client(struct br_conn *conn, const struct prim_command *c)
{
	if (c->method == PRIM_METHOD_SEND)
		dispatch_send(conn->server, &conn->peer, c);
	else if (c->method == PRIM_METHOD_LISTEN)
		dispatch_listen(conn, c);
	else if (c->method == PRIM_METHOD_SILENCE)
		dispatch_silence(conn, c);
	else if (!is_presence(c->method))
		br_errand_refuse(&conn->peer, c, PRIM_NOT_IMPLEMENTED);
	else if (has_bridge_header(c))
		br_errand_refuse(&conn->peer, c, PRIM_BAD_REQUEST);
	else
		br_presence_client(conn, c);
}

static bool form_ok(const struct prim_command *c)
{
	const struct prim_method_info *info = prim_method_info(c->method);

	return !c->is_malformed &&
	    (c->present & info->required_ss) == info->required_ss &&
	    (info->body_ss != PRIM_BODY_REQUIRED || c->body_len > 0);
}

void br_dispatch_adapter(struct br_server *s, struct br_host *host,
    const struct prim_command *c)
{
	struct br_peer *peer = br_host_peer(host);

	br_metric_add(BR_METRIC_REQUESTS, 1);
	if (c->method != PRIM_METHOD_SEND && !is_presence(c->method))
		br_errand_refuse(peer, c, PRIM_NOT_IMPLEMENTED);
	else if (!form_ok(c))
		br_errand_refuse(peer, c, PRIM_BAD_REQUEST);
	else if (is_presence(c->method))
		br_presence_adapter(s, host, c);
	else
		dispatch_send(s, peer, c);
}
