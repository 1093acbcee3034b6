/* SPDX-License-Identifier: ISC */
/* What a request does. */

#include "bridge/dispatch.h"

#include "bridge/conn.h"
#include "bridge/errand.h"
#include "bridge/metric.h"
#include "bridge/outbox.h"
#include "bridge/presence.h"
#include "bridge/server.h"
#include "prim/base.h"
#include "prim/seed.h"

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
		return is_routed_to(s, peer, who) || PRIM_SEED(no_realm_check);
	conn = PRIM_CONTAINER(peer, const struct br_conn, peer);
	return prim_slice_eq(prim_session_who(&conn->session),
	    prim_key_slice(who));
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
	br_outbox_home(s->outbox, br_entity_key(entity));
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
		br_dispatch_send(conn->server, &conn->peer, c);
	else if (c->method == PRIM_METHOD_LISTEN)
		dispatch_listen(conn, c);
	else if (c->method == PRIM_METHOD_SILENCE)
		dispatch_silence(conn, c);
	else if (!is_presence(c->method))
		br_errand_refuse(&conn->peer, c, PRIM_NOT_IMPLEMENTED);
	else if (br_dispatch_has_bridge_header(c))
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
		br_dispatch_send(s, peer, c);
}
