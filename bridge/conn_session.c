/* SPDX-License-Identifier: ISC */
/* Session callbacks: what the protocol wants from a client's connection. */

#include "bridge/conn_private.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "bridge/dispatch.h"
#include "bridge/metric.h"
#include "bridge/presence.h"
#include "bridge/server.h"
#include "bridge/tls.h"
#include "prim/base.h"

static struct br_conn *conn_of_session(struct prim_session *s)
{
	return PRIM_CONTAINER(s, struct br_conn, session);
}

static void session_write(struct prim_session *s, struct prim_slice octets)
{
	br_conn_write(conn_of_session(s), octets);
}

/* ---- logging in ---- */

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
	    br_server_now(c->server) + BR_CONN_PROBE_AFTER_MS);
}

/* `out_binding` is set when the connection is BOUND. */
static enum br_auth_wire wire_of(const struct br_conn *c,
    uint8_t out_binding[BR_TLS_BINDING_LEN])
{
	if (!c->session.is_secure)
		return BR_AUTH_CLEAR;
	return br_tls_binding(c->bev, out_binding) ? BR_AUTH_BOUND
						   : BR_AUTH_TLS;
}

static void on_auth(void *arg, const struct br_auth_answer *answer)
{
	struct br_conn *c = arg;
	uint8_t binding[BR_TLS_BINDING_LEN];
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
		    wire_of(c, binding));
		break;
	case BR_AUTH_OVERLOADED:
		login.verdict = PRIM_LOGIN_BUSY;
		break;
	}
	prim_session_login_done(&c->session, &login);
	/* Who failed for the other service has just been closed. */
	if (answer->outcome == BR_AUTH_OK && !c->is_closing &&
	    !c->is_finishing &&
	    prim_session_is_bound(&c->session, PRIM_SERVICE_PRESENCE))
		br_presence_login(c);
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
	uint8_t binding[BR_TLS_BINDING_LEN];
	struct prim_key key;

	if (wire_of(conn, binding) == BR_AUTH_BOUND)
		start.binding = binding;
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

/* ---- the rest ---- */

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
unsigned br_conn_code(unsigned code)
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
	struct prim_question *q = thing;

	(void)s;
	q->answered(q, c);
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
	prim_outlet_close(&c->outlet);
	prim_timer_set(&c->server->wheel, &c->timer,
	    br_server_now(c->server) + c->server->config->answer_within_ms +
		BR_CONN_LAST_WORDS_MS);
	br_conn_maybe_finish(c);
}

const struct prim_session_ops br_conn_session_ops = {
	.write = session_write,
	.login_begin = session_login_begin,
	.login_continue = session_login_continue,
	.login_cancel = session_login_cancel,
	.starttls = session_starttls,
	.request = session_request,
	.response = session_response,
	.close = session_close,
};
