/* SPDX-License-Identifier: ISC */
/* A client's connection: socket, session and server, glued. */

#include "bridge/conn_private.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/address_count.h"
#include "bridge/metric.h"
#include "bridge/presence_private.h"
#include "bridge/server.h"
#include "prim/base.h"

#define LOGIN_WITHIN_MS 60000  /* PRIM-065, ERR-77 */
#define LINGER_MS       1000   /* for the other end to close too */
#define TCP_DEAD_MS     60000U /* written and not acknowledged */

/* ---- Loop callbacks: what the world tells us ---- */

static void on_read(struct bufferevent *bev, void *arg)
{
	struct br_conn *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);

	br_server_wake(c->server);
	br_chores_stand_back(&c->server->chores);
	c->heard_ms = br_server_now(c->server);
	while (!c->is_closing && !c->is_finishing && !c->is_handshaking &&
	    !c->doom && br_conn_read_step(c, in))
		continue;
	if (c->is_lingering)
		evbuffer_drain(in, evbuffer_get_length(in));
}

static void on_event(struct bufferevent *bev, short what, void *arg);

static void upgrade(struct br_conn *c)
{
	int fd = (int)bufferevent_getfd(c->bev);
	struct bufferevent *tls;

	/* The descriptor goes over to TLS; the old bufferevent lets go of it
	 * first, so that it does not close it. */
	bufferevent_setfd(c->bev, -1);
	tls = br_tls_accept(c->server->tls, c->server->base, fd);
	if (!tls) {
		close(fd);
		c->is_drained = true;
		br_conn_close(c, "no TLS now");
		return;
	}
	bufferevent_free(c->bev);
	c->bev = tls;
}

static void on_write(struct bufferevent *bev, void *arg);

static void watch(struct br_conn *c)
{
	bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
	br_conn_set_mark(c);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

/* The output is empty. */
static void on_write(struct bufferevent *bev, void *arg)
{
	struct br_conn *c = arg;

	(void)bev;
	if (c->is_closing) {
		c->is_drained = true;
	} else if (prim_outlet_is_open(&c->outlet) && !c->is_finishing) {
		prim_outlet_go(&c->outlet);
	} else if (c->is_handshaking && !c->session.is_secure &&
	    !c->is_tls_started) {
		c->is_tls_started = true;
		upgrade(c);
		if (!c->is_closing)
			watch(c);
	}
}

/* It says nothing more, and may still want its answers: a LOGOUT. */
static bool may_listen_on(const struct br_conn *c)
{
	return !c->is_closing && !c->is_finishing && !c->is_handshaking &&
	    !c->session.is_secure &&
	    (c->peer.ticket_count > 0 ||
		evbuffer_get_length(bufferevent_get_output(c->bev)) > 0);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct br_conn *c = arg;
	const char *why = br_tls_error(bev);

	br_server_wake(c->server);
	if (what & BEV_EVENT_CONNECTED) {
		c->is_handshaking = false;
		prim_session_secured(&c->session);
		return;
	}
	if ((what & BEV_EVENT_EOF) && may_listen_on(c)) {
		prim_session_end(&c->session);
		return;
	}
	c->is_left = true;
	c->is_drained = true; /* nobody reads what we might still say */
	if ((what & BEV_EVENT_EOF) || br_tls_is_eof(bev))
		br_conn_close(c, "closed by the client");
	else
		br_conn_close(c, why ? why : "connection lost");
}

/* ---- life ---- */

/* In the client's own words (ERR-01). */
static void send_probe(struct br_conn *c)
{
	struct prim_buf b = { 0 };

	prim_command_put_request(&b, PRIM_METHOD_PING,
	    c->session.families[c->session.is_bound[1] ? 1 : 0],
	    PRIM_SLICE("-"), 0);
	prim_command_end(&b);
	br_conn_write(c, prim_buf_slice(&b));
	prim_buf_fini(&b);
}

static void on_timer(struct prim_timer *t)
{
	struct br_conn *c = PRIM_CONTAINER(t, struct br_conn, timer);
	struct br_server *s = c->server;
	int64_t probe = c->heard_ms + BR_CONN_PROBE_AFTER_MS;

	if (c->is_closing) {
		c->is_drained = true;
	} else if (c->is_finishing) {
		br_conn_close(c, "logout");
	} else if (!c->session.is_bound[0] && !c->session.is_bound[1]) {
		br_conn_close(c, "no login in time");
	} else if (br_server_now(s) < probe) {
		prim_timer_set(&s->wheel, t, probe);
	} else {
		/* A connection that is dead will fail to take this. */
		send_probe(c);
		prim_timer_set(&s->wheel, t,
		    br_server_now(s) + BR_CONN_PROBE_AFTER_MS);
	}
}

struct br_conn *br_conn_open(struct br_server *s, struct bufferevent *bev,
    const char *address)
{
	struct br_conn *c = prim_new(struct br_conn);
	char name[32];

	c->server = s;
	c->bev = bev;
	snprintf(c->address, sizeof(c->address), "%s", address);
	snprintf(name, sizeof(name), "c%llu",
	    (unsigned long long)++s->conn_serial);
	br_peer_init(&c->peer, BR_PEER_CLIENT, &br_conn_peer_ops, "client");
	br_log_init(&c->peer.log, &s->log, name);
	prim_session_init(&c->session, &br_conn_session_ops, &s->policy);
	c->session.serial = s->conn_serial;
	prim_listener_init(&c->listener);
	prim_outlet_init(&c->outlet, &br_conn_outlet_ops, &s->presence->fan);
	prim_timer_init(&c->timer, on_timer);
	c->heard_ms = br_server_now(s);
	prim_timer_set(&s->wheel, &c->timer, c->heard_ms + LOGIN_WITHIN_MS);
	TAILQ_INSERT_TAIL(&s->conns, c, link);
	s->conn_count++;
	br_metric_set(BR_METRIC_CONNECTIONS, s->conn_count);
	br_metric_add(BR_METRIC_CONNECTIONS_TOTAL, 1);
	watch(c);
	return c;
}

static bool is_welcome(struct br_server *s, const char *address)
{
	const struct br_config *config = s->config;

	if (s->stopping || s->conn_count >= config->limit_connections)
		return false;
	return br_address_count_add(s, address,
	    config->limit_connections_per_address);
}

static void tune(int fd)
{
	int one = 1;
	unsigned dead = TCP_DEAD_MS;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &dead, sizeof(dead));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
}

void br_conn_accept(struct br_server *s, int fd, const char *address,
    bool is_tls)
{
	struct bufferevent *bev;
	struct br_conn *c;

	if (!is_welcome(s, address)) {
		br_metric_add(BR_METRIC_CONNECTIONS_REFUSED, 1);
		close(fd);
		return;
	}
	tune(fd);
	bev = is_tls
	    ? br_tls_accept(s->tls, s->base, fd)
	    : bufferevent_socket_new(s->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!bev) {
		br_address_count_drop(s, address);
		close(fd);
		return;
	}
	c = br_conn_open(s, bev, address);
	c->is_counted = true;
	c->is_handshaking = is_tls;
	c->is_tls_started = is_tls;
}

void br_conn_close(struct br_conn *c, const char *why)
{
	struct br_server *s = c->server;
	bool has_words;

	if (c->is_closing)
		return;
	c->is_closing = true;
	if (c->doom)
		TAILQ_REMOVE(&s->doomed, c, of_doomed);
	br_debug(&c->peer.log, "gone reason=\"%s\"", why);
	if (prim_session_is_bound(&c->session, PRIM_SERVICE_IM) ||
	    prim_session_is_bound(&c->session, PRIM_SERVICE_PRESENCE))
		br_info(&c->peer.log, "gone user=%s reason=\"%s\"",
		    br_quote(prim_session_who(&c->session)), why);
	bufferevent_disable(c->bev, EV_READ);
	c->exchange = br_auth_cancel(c->exchange);
	br_peer_fini(&c->peer);
	has_words = evbuffer_get_length(bufferevent_get_output(c->bev)) > 0;
	c->is_drained = c->is_drained || !has_words;
	TAILQ_REMOVE(&s->conns, c, link);
	TAILQ_INSERT_TAIL(&s->dying, c, link);
	prim_timer_set(&s->wheel, &c->timer,
	    br_server_now(s) + BR_CONN_LAST_WORDS_MS);
	prim_listener_fini(&c->listener);
	prim_outlet_close(&c->outlet);
	if (c->entity)
		br_entity_unpin(s->entities, c->entity);
	c->entity = NULL;
}

void br_conn_keep(struct br_conn *c, struct br_entity *e)
{
	if (c->entity)
		return;
	br_entity_pin(c->server->entities, e);
	c->entity = e;
}

static void conn_free(struct br_conn *c)
{
	struct br_server *s = c->server;

	TAILQ_REMOVE(&s->dying, c, link);
	s->conn_count--;
	br_metric_set(BR_METRIC_CONNECTIONS, s->conn_count);
	if (c->is_counted)
		br_address_count_drop(s, c->address);
	prim_timer_stop(&s->wheel, &c->timer);
	prim_session_fini(&c->session);
	br_tls_bye(c->bev);
	bufferevent_free(c->bev);
	prim_free(c);
}

/* Closing a socket with something unread in it would take our last words back
 * (ERR-75): half of it first, the rest when the other end closes. */
static void linger(struct br_conn *c)
{
	struct br_server *s = c->server;
	struct evbuffer *in = bufferevent_get_input(c->bev);

	c->is_lingering = true;
	c->is_drained = false;
	evbuffer_drain(in, evbuffer_get_length(in));
	br_tls_bye(c->bev);
	shutdown((int)bufferevent_getfd(c->bev), SHUT_WR);
	bufferevent_enable(c->bev, EV_READ);
	prim_timer_set(&s->wheel, &c->timer, br_server_now(s) + LINGER_MS);
}

void br_conn_reap(struct br_server *s)
{
	struct br_conn *c, *next;

	while ((c = TAILQ_FIRST(&s->doomed)))
		br_conn_close(c, c->doom);
	PRIM_TAILQ_FOREACH_SAFE(c, &s->dying, link, next) {
		if (!c->is_drained)
			continue;
		if (c->is_lingering || c->is_left || c->is_handshaking ||
		    s->stopping)
			conn_free(c);
		else
			linger(c);
	}
}
