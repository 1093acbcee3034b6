/* SPDX-License-Identifier: ISC */
/* What may be said on a client connection, and when. */

#include "prim/session.h"

#include <string.h>

#include "prim/base.h"
#include "prim/session_private.h"

void prim_session_enter(struct prim_session *s,
    const struct prim_session_state *next)
{
	s->state = next;
}

void prim_session_init(struct prim_session *s,
    const struct prim_session_ops *ops,
    const struct prim_session_policy *policy)
{
	memset(s, 0, sizeof(*s));
	s->ops = ops;
	s->policy = policy;
	s->max_content = UINT64_MAX;
	prim_pending_init(&s->asked);
	prim_session_enter(s, &prim_session_st_open);
}

void prim_session_fini(struct prim_session *s)
{
	s->login = prim_session_login_free(s->login);
	s->who = prim_free(s->who);
	prim_pending_fini(&s->asked);
}

const char *prim_session_state_name(const struct prim_session *s)
{
	return s->state->name;
}

bool prim_session_is_bound(const struct prim_session *s,
    enum prim_service service)
{
	return s->is_bound[prim_session_service(service)];
}

struct prim_slice prim_session_who(const struct prim_session *s)
{
	return prim_slice_make(s->who, s->who_len);
}

/* ---- answers ---- */

/* As we spell it, but for the Message-ID whose token is in the name (ERR-44):
 * without that it would be another one. */
static void echo_put(struct prim_buf *b, const struct prim_command *c,
    enum prim_header_id id)
{
	const struct prim_header *h = &c->headers[c->first[id] - 1];

	if (id == PRIM_HEADER_MESSAGE_ID &&
	    h->name.len != prim_header_name(id).len) {
		prim_buf_put(b, h->name);
		prim_buf_puts(b, ": ");
		prim_buf_put(b, h->value);
		prim_buf_puts(b, "\r\n");
	} else {
		prim_command_put_header(b, id, h->value);
	}
}

static uint64_t echoed_of(const struct prim_command *c)
{
	return c->method == PRIM_METHOD_UNKNOWN
	    ? 0
	    : prim_method_info(c->method)->echoed & c->present;
}

void prim_session_put_echo(struct prim_buf *b, const struct prim_command *c)
{
	uint64_t echoed = echoed_of(c);

	for (unsigned id = 1; echoed; id++) {
		if (!(echoed & PRIM_HEADER_BIT(id)))
			continue;
		echoed &= ~PRIM_HEADER_BIT(id);
		echo_put(b, c, (enum prim_header_id)id);
	}
}

void prim_session_put_granted(struct prim_buf *b, const struct prim_command *c,
    uint64_t seconds)
{
	uint64_t echoed = echoed_of(c) | PRIM_HEADER_BIT(PRIM_HEADER_DURATION);

	for (unsigned id = 1; echoed; id++) {
		if (!(echoed & PRIM_HEADER_BIT(id)))
			continue;
		echoed &= ~PRIM_HEADER_BIT(id);
		if (id == PRIM_HEADER_DURATION)
			prim_buf_putf(b, "Duration: %llu\r\n",
			    (unsigned long long)seconds);
		else
			echo_put(b, c, (enum prim_header_id)id);
	}
}

bool prim_session_is_silent(const struct prim_command *c)
{
	return prim_slice_eq(c->id, PRIM_SLICE("-"));
}

void prim_session_answer(struct prim_session *s, const struct prim_command *c,
    unsigned code, struct prim_slice extra, struct prim_slice body)
{
	struct prim_buf b = { 0 };

	if (code == PRIM_BAD_REQUEST)
		s->bad_requests++;
	if (prim_session_is_silent(c))
		return; /* PRIM-037, whatever happens */
	prim_command_put_response(&b, c->family, c->id, code, body.len);
	prim_session_put_echo(&b, c);
	prim_buf_put(&b, extra);
	prim_command_end(&b);
	prim_buf_put(&b, body);
	s->ops->write(s, prim_buf_slice(&b));
	prim_buf_fini(&b);
}

void prim_session_refuse(struct prim_session *s, const struct prim_command *c,
    unsigned code)
{
	prim_session_answer(s, c, code, PRIM_SLICE_NONE, PRIM_SLICE_NONE);
}

void prim_session_leave(struct prim_session *s, const char *why, bool finish)
{
	if (s->state == &prim_session_st_closing)
		return;
	if (s->state == &prim_session_st_checking ||
	    s->state == &prim_session_st_exchange)
		s->ops->login_cancel(s);
	prim_session_enter(s, &prim_session_st_closing);
	s->ops->close(s, why, finish);
}

void prim_session_end(struct prim_session *s)
{
	prim_session_leave(s, "stopping", true);
}

void prim_session_broken(struct prim_session *s, const struct prim_command *c)
{
	struct prim_buf b = { 0 };

	s->bad_requests++;
	if (!c->is_response && c->id.len && !prim_session_is_silent(c)) {
		prim_command_put_response(&b, c->family, c->id,
		    PRIM_BAD_REQUEST, 0);
		prim_command_end(&b);
		s->ops->write(s, prim_buf_slice(&b));
		prim_buf_fini(&b);
	}
	prim_session_leave(s, "broken stream", false);
}

/* ---- STARTTLS ---- */

static const struct prim_session_state *open_starttls(struct prim_session *s,
    const struct prim_command *c)
{
	if (s->is_secure) {
		prim_session_refuse(s, c, PRIM_BAD_REQUEST); /* PRIM-078 */
		return s->state;
	}
	if (!s->policy->has_tls) {
		prim_session_refuse(s, c, PRIM_NOT_IMPLEMENTED); /* PRIM-077 */
		return s->state;
	}
	prim_session_refuse(s, c, PRIM_OK);
	prim_session_enter(s, &prim_session_st_tls);
	s->ops->starttls(s);
	return s->state;
}

static const struct prim_session_state *login_starttls(struct prim_session *s,
    const struct prim_command *c)
{
	prim_session_refuse(s, c, PRIM_UNAUTHORIZED); /* ERR-70 */
	return s->state;
}

static const struct prim_session_state *bound_starttls(struct prim_session *s,
    const struct prim_command *c)
{
	prim_session_refuse(s, c, PRIM_BAD_REQUEST); /* PRIM-075, PRIM-078 */
	return s->state;
}

void prim_session_secured(struct prim_session *s)
{
	s->is_secure = true;
	if (s->state == &prim_session_st_tls)
		prim_session_enter(s, &prim_session_st_open);
}

const struct prim_session_state prim_session_st_open = { "open",
	prim_session_open_login, open_starttls, true };
const struct prim_session_state prim_session_st_checking = { "checking",
	prim_session_checking_login, login_starttls, true };
const struct prim_session_state prim_session_st_exchange = { "exchange",
	prim_session_exchange_login, login_starttls, true };
const struct prim_session_state prim_session_st_bound = { "bound",
	prim_session_bound_login, bound_starttls, true };
const struct prim_session_state prim_session_st_tls = { "tls", NULL, NULL,
	false };
const struct prim_session_state prim_session_st_closing = { "closing", NULL,
	NULL, false };

enum prim_session_verdict prim_session_screen(struct prim_session *s,
    const struct prim_command *c)
{
	unsigned code;

	if (!s->state->hears)
		return PRIM_SESSION_END;
	if (c->is_response) /* responses to us have no bodies to wait for */
		code = c->body_len > s->policy->body_max ? PRIM_BAD_REQUEST : 0;
	else
		code = prim_session_check(s, c);
	if (!code)
		return PRIM_SESSION_TAKE;
	if (!c->is_response)
		prim_session_refuse(s, c, code);
	if (c->body_len <= s->policy->body_skip_max)
		return PRIM_SESSION_SKIP;
	prim_session_leave(s, "body too large", false);
	return PRIM_SESSION_END;
}

static void on_response(struct prim_session *s, const struct prim_command *c)
{
	void *thing = prim_pending_take_text(&s->asked, c->id);

	if (thing) /* PRIM-044: others are ignored */
		s->ops->response(s, thing, c);
}

static void on_login(struct prim_session *s, const struct prim_command *c)
{
	if (prim_command_has(c, PRIM_HEADER_DOMAIN)) {
		/* Server-server logins come with federation. */
		prim_session_login_fail(s, c, "server login");
		return;
	}
	prim_session_enter(s, s->state->on_login(s, c));
}

void prim_session_command(struct prim_session *s, const struct prim_command *c)
{
	unsigned code;

	if (!s->state->hears)
		return;
	if (c->is_response) {
		on_response(s, c);
		return;
	}
	code = prim_session_check(s, c);
	if (code) {
		prim_session_refuse(s, c, code);
	} else if (c->method == PRIM_METHOD_LOGIN) {
		on_login(s, c);
	} else if (c->method == PRIM_METHOD_STARTTLS) {
		prim_session_enter(s, s->state->on_starttls(s, c));
	} else if (c->method == PRIM_METHOD_PING) {
		prim_session_refuse(s, c,
		    PRIM_OK); /* PRIM-040; silent for "-" */
	} else if (c->method == PRIM_METHOD_LOGOUT) {
		prim_session_leave(s, "logout", true);
	} else if (!prim_session_is_silent(c) ||
	    !prim_method_info(c->method)->read_only) {
		s->ops->request(s, c); /* ERR-06 drops the others */
	}
}
