/* SPDX-License-Identifier: ISC */
/* A client's connection: socket, session and server, glued. */

#include "bridge/conn.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/address_count.h"
#include "bridge/dispatch.h"
#include "bridge/metric.h"
#include "bridge/transit.h"
#include "prim/base.h"

#define LOGIN_WITHIN_MS 60000  /* PRIM-065, ERR-77 */
#define PROBE_AFTER_MS  120000 /* of silence */
#define LAST_WORDS_MS   5000
#define LINGER_MS       1000   /* for the other end to close too */
#define TCP_DEAD_MS     60000U /* written and not acknowledged */
/* More than this unread by the client: it is closed (PRIM-289). */
#define OUTPUT_MAX (8U << 20)
/* More than this, and it gets no further messages for now. */
#define OFFER_OUTPUT_MAX (2U << 20)
#define OFFERS_MAX       1024U
/* Offers since the oldest that is not answered: more, and it is closed. */
#define OFFERS_SINCE_MAX 65536U
/* Octets read ahead, beyond what is needed: at least a whole head. */
#define INPUT_MARK       (PRIM_HEAD_MAX + 65536U)
#define BY_REFERENCE_MIN 4096U /* smaller bodies are cheaper copied */

static struct br_conn *conn_of_session(struct prim_session *s)
{
	return PRIM_CONTAINER(s, struct br_conn, session);
}

/* ---- writing ---- */

static void doom(struct br_conn *c, const char *why)
{
	if (c->doom || c->is_closing)
		return;
	c->doom = why;
	TAILQ_INSERT_TAIL(&c->server->doomed, c, of_doomed);
}

static void conn_write(struct br_conn *c, struct prim_slice octets)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);

	if (c->doom)
		return;
	if (evbuffer_get_length(out) + octets.len > OUTPUT_MAX)
		doom(c, "it does not read");
	else
		evbuffer_add(out, octets.ptr, octets.len);
}

static void maybe_finish(struct br_conn *c)
{
	if (c->is_finishing && c->peer.ticket_count == 0)
		doom(c, "logout");
}

static void peer_respond(struct br_peer *peer, struct prim_slice response)
{
	struct br_conn *c = PRIM_CONTAINER(peer, struct br_conn, peer);

	if (c->is_closing)
		return;
	conn_write(c, response);
	maybe_finish(c);
}

static const struct br_peer_ops PEER_OPS = { .respond = peer_respond };

static void on_body_sent(const void *octets, size_t len, void *arg)
{
	(void)octets;
	(void)len;
	br_message_unref(arg);
}

static void put_body(struct evbuffer *out, struct br_message *m)
{
	if (m->body.len < BY_REFERENCE_MIN)
		evbuffer_add(out, m->body.ptr, m->body.len);
	else
		evbuffer_add_reference(out, m->body.ptr, m->body.len,
		    on_body_sent, br_message_ref(m));
}

bool br_conn_offer(struct prim_listener *l, struct prim_offer *offer)
{
	static struct prim_buf head; /* the loop's only */
	struct br_conn *c = PRIM_CONTAINER(l, struct br_conn, listener);
	struct br_message *m = br_transit_message(offer);
	struct evbuffer *out;
	char id[24];
	int len;

	if (c->is_closing || c->is_handshaking || c->is_finishing || c->doom)
		return false;
	if (prim_pending_span(&c->session.asked) >= OFFERS_SINCE_MAX) {
		doom(c, "it does not answer");
		return false;
	}
	out = bufferevent_get_output(c->bev);
	if (m->body.len > c->session.max_content || /* PRIM-108 */
	    l->offer_count > OFFERS_MAX ||
	    evbuffer_get_length(out) > OFFER_OUTPUT_MAX)
		return false;
	len = snprintf(id, sizeof(id), "%llu",
	    (unsigned long long)prim_pending_put(&c->session.asked, offer));
	prim_buf_reset(&head);
	prim_command_put_request(&head, PRIM_METHOD_SEND,
	    c->session.families[1], prim_slice_make(id, (size_t)len),
	    m->body.len);
	prim_buf_put(&head, m->lines);
	prim_command_end(&head);
	evbuffer_add(out, head.ptr, head.len);
	put_body(out, m);
	return true;
}

/* ---- Session callbacks: what the protocol wants from us ---- */

static void session_write(struct prim_session *s, struct prim_slice octets)
{
	conn_write(conn_of_session(s), octets);
}

static void set_strength(struct br_conn *c, struct prim_slice mechanism)
{
	/* PRIM-142. */
	if (c->session.is_secure)
		c->peer.strength = PRIM_ASTRENGTH_STRONG;
	else if (prim_slice_eq(mechanism, PRIM_SLICE("PLAIN")))
		c->peer.strength = PRIM_ASTRENGTH_WEAK;
	else
		c->peer.strength = PRIM_ASTRENGTH_MEDIUM;
}

static void login_over(struct br_conn *c, const struct br_auth_answer *answer)
{
	bool is_in = answer->outcome == BR_AUTH_OK;

	c->exchange = NULL;
	br_metric_add(is_in ? BR_METRIC_LOGINS : BR_METRIC_LOGINS_FAILED, 1);
	if (!is_in) {
		br_info(&c->peer.log,
		    "login failed user=%s mechanism=%s address=%s",
		    br_quote(prim_session_claim(&c->session)),
		    br_quote(answer->mechanism), c->address);
		return;
	}
	set_strength(c, answer->mechanism);
	prim_timer_set(&c->server->wheel, &c->timer,
	    br_server_now(c->server) + PROBE_AFTER_MS);
}

static void on_auth(void *arg, const struct br_auth_answer *answer)
{
	struct br_conn *c = arg;
	struct prim_login_answer login = { .mechanisms = answer->mechanism,
		.data = answer->data };

	if (answer->outcome != BR_AUTH_CHALLENGE)
		login_over(c, answer);
	switch (answer->outcome) {
	case BR_AUTH_CHALLENGE:
		login.verdict = PRIM_LOGIN_CHALLENGE;
		break;
	case BR_AUTH_OK:
		login.verdict = PRIM_LOGIN_SUCCESS;
		break;
	case BR_AUTH_FAILED:
		login.verdict = PRIM_LOGIN_FAILURE;
		break;
	case BR_AUTH_NO_MECHANISM:
		login.verdict = PRIM_LOGIN_FAILURE;
		login.mechanisms = br_auth_offer(c->server->auth,
		    c->session.is_secure);
		break;
	case BR_AUTH_OVERLOADED:
		login.verdict = PRIM_LOGIN_BUSY;
		break;
	}
	prim_session_login_done(&c->session, &login);
	if (answer->outcome == BR_AUTH_OK)
		br_info(&c->peer.log, "login user=%s mechanism=%s address=%s",
		    br_quote(prim_session_who(&c->session)),
		    br_quote(answer->mechanism), c->address);
}

static void session_login_begin(struct prim_session *s,
    const struct prim_command *c, const struct prim_address *who)
{
	struct br_conn *conn = conn_of_session(s);
	struct br_auth_start start = {
		.mechanisms = prim_command_get(c, PRIM_HEADER_SASL_MECH),
		.body = c->body,
		.remote = prim_slice_of(conn->address),
		.is_secure = s->is_secure,
	};
	struct prim_key key;

	prim_address_key(who, &key);
	start.key = prim_key_slice(&key);
	/* The address without its scheme, as spelled. */
	start.address = prim_slice_from(who->text,
	    (size_t)(who->local.ptr - who->text.ptr));
	conn->exchange = br_auth_begin(conn->server->auth, &start, on_auth,
	    conn);
}

static void session_login_continue(struct prim_session *s,
    const struct prim_command *c)
{
	br_auth_continue(conn_of_session(s)->exchange,
	    prim_command_get(c, PRIM_HEADER_SASL_MECH), c->body);
}

static void session_login_cancel(struct prim_session *s)
{
	struct br_conn *c = conn_of_session(s);

	c->exchange = br_auth_cancel(c->exchange);
}

static void session_starttls(struct prim_session *s)
{
	struct br_conn *c = conn_of_session(s);

	c->is_handshaking = true;
	bufferevent_disable(c->bev, EV_READ);
	if (evbuffer_get_length(bufferevent_get_output(c->bev)) == 0)
		/* There was no answer that could leave first: id "-". */
		bufferevent_trigger(c->bev, EV_WRITE,
		    BEV_TRIG_IGNORE_WATERMARKS | BEV_TRIG_DEFER_CALLBACKS);
}

static void session_request(struct prim_session *s,
    const struct prim_command *c)
{
	br_dispatch_client(conn_of_session(s), c);
}

/* ERR-26: a code we don't know means what its first digit says. */
static unsigned code_of_response(unsigned code)
{
	if (code < 200)
		return PRIM_UNKNOWN_DELIVERY;
	if (code < 300)
		return PRIM_OK;
	if (code < 400)
		return PRIM_INTERNAL_ERROR; /* nothing to redirect here */
	if (code > PRIM_TOO_MANY_SUBSCRIPTIONS)
		return PRIM_INTERNAL_ERROR;
	if (code > PRIM_ASTRENGTH_TOO_WEAK && code < 500)
		return PRIM_BAD_REQUEST;
	return code;
}

static void session_response(struct prim_session *s, void *thing,
    const struct prim_command *c)
{
	(void)s;
	prim_offer_answer(thing, code_of_response(c->code));
}

static void session_close(struct prim_session *s, const char *why, bool finish)
{
	struct br_conn *c = conn_of_session(s);

	if (!finish || c->is_closing) {
		br_conn_close(c, why);
		return;
	}
	/* PRIM-126: what is asked already is answered first. */
	c->is_finishing = true;
	bufferevent_disable(c->bev, EV_READ);
	prim_listener_fini(&c->listener);
	prim_timer_set(&c->server->wheel, &c->timer,
	    br_server_now(c->server) + c->server->config->answer_within_ms +
		LAST_WORDS_MS);
	maybe_finish(c);
}

static const struct prim_session_ops SESSION_OPS = {
	.write = session_write,
	.login_begin = session_login_begin,
	.login_continue = session_login_continue,
	.login_cancel = session_login_cancel,
	.starttls = session_starttls,
	.request = session_request,
	.response = session_response,
	.close = session_close,
};

/* ---- reading ---- */

static void set_mark(struct br_conn *c)
{
	bufferevent_setwatermark(c->bev, EV_READ, 0,
	    (size_t)c->need + INPUT_MARK);
}

static void wait_for(struct br_conn *c, uint64_t octets)
{
	bool is_far = octets > INPUT_MARK || c->need > INPUT_MARK;

	c->need = octets;
	if (is_far)
		set_mark(c);
}

static void skip_body(struct br_conn *c, struct evbuffer *in)
{
	size_t there = evbuffer_get_length(in);
	size_t now = c->skip < there ? (size_t)c->skip : there;

	evbuffer_drain(in, now);
	c->skip -= now;
}

static void consume(struct br_conn *c, struct evbuffer *in, size_t len)
{
	c->scanned = 0;
	evbuffer_drain(in, len);
	wait_for(c, 0);
	if (c->is_handshaking && evbuffer_get_length(in) > 0)
		br_conn_close(c, "octets after STARTTLS"); /* PRIM-079 */
}

/* A head whose body is not all there. False: stop reading for now. */
static bool head_only(struct br_conn *c, struct evbuffer *in,
    const struct prim_command *cmd)
{
	switch (prim_session_screen(&c->session, cmd)) {
	case PRIM_SESSION_TAKE:
		c->scanned = 0;
		wait_for(c, cmd->head.len + cmd->body_len);
		return false;
	case PRIM_SESSION_SKIP:
		c->skip = cmd->body_len;
		consume(c, in, cmd->head.len);
		return true;
	case PRIM_SESSION_END:
		return false;
	}
	return false;
}

/* As much as lies together, or all of it up to what a head can be. */
static struct prim_slice look(struct evbuffer *in, bool is_split)
{
	size_t len = evbuffer_get_length(in);
	size_t together = evbuffer_get_contiguous_space(in);

	if (!is_split)
		len = together;
	else if (len > PRIM_HEAD_MAX + 1 && together <= PRIM_HEAD_MAX + 1)
		len = PRIM_HEAD_MAX + 1;
	return prim_slice_make((const char *)evbuffer_pullup(in,
				   (ptrdiff_t)len),
	    len);
}

/* The next head; `cmd` borrows from `in`. */
static enum prim_command_status next_head(struct br_conn *c,
    struct evbuffer *in, struct prim_command *cmd)
{
	struct prim_slice seen = look(in, false);
	enum prim_command_status status = prim_command_head(seen, &c->scanned,
	    cmd);

	if (status == PRIM_COMMAND_MORE && seen.len < evbuffer_get_length(in))
		status = prim_command_head(look(in, true), &c->scanned, cmd);
	return status;
}

static void complete(struct br_conn *c, struct evbuffer *in,
    struct prim_command *cmd)
{
	size_t len = cmd->head.len + (size_t)cmd->body_len;
	size_t head_len = cmd->head.len;

	if (evbuffer_get_contiguous_space(in) < len) {
		/* Moved together, so the head has to be read again. */
		const char *all = (const char *)evbuffer_pullup(in,
		    (ptrdiff_t)len);

		c->scanned = 0;
		prim_command_head(prim_slice_make(all, len), &c->scanned, cmd);
	}
	cmd->body = prim_slice_make(cmd->head.ptr + head_len,
	    (size_t)cmd->body_len);
	prim_session_command(&c->session, cmd);
	consume(c, in, len);
}

/* One step of reading. False: wait for more, or for ever. */
static bool read_step(struct br_conn *c, struct evbuffer *in)
{
	static struct prim_command cmd; /* large; the loop's only */
	size_t there;

	if (c->skip)
		skip_body(c, in);
	there = evbuffer_get_length(in);
	if (c->skip || there == 0 || there < c->need)
		return false;
	switch (next_head(c, in, &cmd)) {
	case PRIM_COMMAND_MORE:
		return false;
	case PRIM_COMMAND_BROKEN:
		br_metric_add(BR_METRIC_BAD_REQUESTS, 1);
		prim_session_broken(&c->session, &cmd);
		return false;
	case PRIM_COMMAND_HEAD:
		break;
	}
	if (there - cmd.head.len < cmd.body_len)
		return head_only(c, in, &cmd);
	complete(c, in, &cmd);
	return true;
}

/* ---- Loop callbacks: what the world tells us ---- */

static void on_read(struct bufferevent *bev, void *arg)
{
	struct br_conn *c = arg;
	struct evbuffer *in = bufferevent_get_input(bev);

	br_server_wake(c->server);
	c->heard_ms = br_server_now(c->server);
	while (!c->is_closing && !c->is_finishing && !c->is_handshaking &&
	    !c->doom && read_step(c, in))
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
	set_mark(c);
	bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

/* The output is empty. */
static void on_write(struct bufferevent *bev, void *arg)
{
	struct br_conn *c = arg;

	(void)bev;
	if (c->is_closing) {
		c->is_drained = true;
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

static void on_timer(struct prim_timer *t)
{
	struct br_conn *c = PRIM_CONTAINER(t, struct br_conn, timer);
	struct br_server *s = c->server;
	int64_t probe = c->heard_ms + PROBE_AFTER_MS;

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
		conn_write(c,
		    c->session.is_bound[1] &&
			    c->session.families[1] == PRIM_FAMILY_PRIM_IM
			? PRIM_SLICE("PING PRIM-IM/1.0 - 0\r\n\r\n")
			: PRIM_SLICE("PING IMP/1.0 - 0\r\n\r\n"));
		prim_timer_set(&s->wheel, t, br_server_now(s) + PROBE_AFTER_MS);
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
	br_peer_init(&c->peer, BR_PEER_CLIENT, &PEER_OPS, "client");
	br_log_init(&c->peer.log, &s->log, name);
	prim_session_init(&c->session, &SESSION_OPS, &s->policy);
	c->session.serial = s->conn_serial;
	prim_listener_init(&c->listener);
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
	prim_timer_set(&s->wheel, &c->timer, br_server_now(s) + LAST_WORDS_MS);
	prim_listener_fini(&c->listener);
	if (c->entity)
		br_entity_unpin(s->entities, c->entity);
	c->entity = NULL;
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
	PRIM_TAILQ_FOREACH_SAFE(c, &s->dying, link, next)
	{
		if (!c->is_drained)
			continue;
		if (c->is_lingering || c->is_left || c->is_handshaking ||
		    s->stopping)
			conn_free(c);
		else
			linger(c);
	}
}
