/* SPDX-License-Identifier: ISC */
/* What may be said on a client connection, and when. */

#include "prim/session.h"

#include <stdio.h>
#include <string.h>

#include "prim/base.h"

/* What the answer to a LOGIN repeats, kept while the verdict is due. */
struct prim_login {
	enum prim_family family;
	char *id;   /* owned */
	char *echo; /* owned: From, Auth-State, Max-Content-Length lines */
	char *key;  /* owned: the principal this is about */
	char *mechanisms; /* owned: SASL-Mech as it came */
	char *user_agent; /* owned: User-Agent-ID as it came, maybe empty */
	bool is_silent;   /* id "-" */
};

struct prim_session_state {
	const char *name;
	/* A LOGIN whose headers are in order. */
	const struct prim_session_state *(*on_login)(struct prim_session *s,
	    const struct prim_command *c);
	const struct prim_session_state *(*on_starttls)(struct prim_session *s,
	    const struct prim_command *c);
	bool hears; /* anything at all */
};

/* States name each other. */
static const struct prim_session_state st_open, st_checking, st_exchange,
    st_bound, st_tls, st_closing;

static unsigned service_index(enum prim_service service)
{
	return service == PRIM_SERVICE_IM ? 1 : 0;
}

static void enter(struct prim_session *s, const struct prim_session_state *next)
{
	s->state = next;
}

static struct prim_login *login_free(struct prim_login *l)
{
	if (!l)
		return NULL;
	prim_free(l->id);
	prim_free(l->echo);
	prim_free(l->key);
	prim_free(l->mechanisms);
	prim_free(l->user_agent);
	return prim_free(l);
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
	enter(s, &st_open);
}

void prim_session_fini(struct prim_session *s)
{
	s->login = login_free(s->login);
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
	return s->is_bound[service_index(service)];
}

struct prim_slice prim_session_who(const struct prim_session *s)
{
	return prim_slice_make(s->who, s->who_len);
}

struct prim_slice prim_session_claim(const struct prim_session *s)
{
	return s->login ? prim_slice_of(s->login->key) : PRIM_SLICE_NONE;
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

void prim_session_put_echo(struct prim_buf *b, const struct prim_command *c)
{
	uint64_t echoed = c->method == PRIM_METHOD_UNKNOWN
	    ? 0
	    : prim_method_info(c->method)->echoed & c->present;

	for (unsigned id = 1; echoed; id++) {
		if (!(echoed & PRIM_HEADER_BIT(id)))
			continue;
		echoed &= ~PRIM_HEADER_BIT(id);
		echo_put(b, c, (enum prim_header_id)id);
	}
}

static bool is_silent(const struct prim_command *c)
{
	return prim_slice_eq(c->id, PRIM_SLICE("-"));
}

void prim_session_answer(struct prim_session *s, const struct prim_command *c,
    unsigned code, struct prim_slice extra, struct prim_slice body)
{
	struct prim_buf b = { 0 };

	if (code == PRIM_BAD_REQUEST)
		s->bad_requests++;
	if (is_silent(c))
		return; /* PRIM-037, whatever happens */
	prim_command_put_response(&b, c->family, c->id, code, body.len);
	prim_session_put_echo(&b, c);
	prim_buf_put(&b, extra);
	prim_command_end(&b);
	prim_buf_put(&b, body);
	s->ops->write(s, prim_buf_slice(&b));
	prim_buf_fini(&b);
}

static void refuse(struct prim_session *s, const struct prim_command *c,
    unsigned code)
{
	prim_session_answer(s, c, code, PRIM_SLICE_NONE, PRIM_SLICE_NONE);
}

static void end_with(struct prim_session *s, const char *why, bool finish)
{
	if (s->state == &st_closing)
		return;
	if (s->state == &st_checking || s->state == &st_exchange)
		s->ops->login_cancel(s);
	enter(s, &st_closing);
	s->ops->close(s, why, finish);
}

void prim_session_end(struct prim_session *s)
{
	end_with(s, "stopping", true);
}

void prim_session_broken(struct prim_session *s, const struct prim_command *c)
{
	struct prim_buf b = { 0 };

	s->bad_requests++;
	if (!c->is_response && c->id.len && !is_silent(c)) {
		prim_command_put_response(&b, c->family, c->id,
		    PRIM_BAD_REQUEST, 0);
		prim_command_end(&b);
		s->ops->write(s, prim_buf_slice(&b));
		prim_buf_fini(&b);
	}
	end_with(s, "broken stream", false);
}

/* ---- LOGIN ---- */

static bool has_auth_state(const struct prim_command *c, const char *state)
{
	return prim_slice_eq(prim_command_get(c, PRIM_HEADER_AUTH_STATE),
	    prim_slice_of(state));
}

static void put_line(struct prim_buf *b, const struct prim_command *c,
    enum prim_header_id id)
{
	if (prim_command_has(c, id))
		prim_command_put_header(b, id, prim_command_get(c, id));
}

static void login_remember(struct prim_session *s, const struct prim_command *c,
    struct prim_slice key)
{
	struct prim_login *l = prim_new(struct prim_login);
	struct prim_buf echo = { 0 };

	put_line(&echo, c, PRIM_HEADER_FROM);
	put_line(&echo, c, PRIM_HEADER_AUTH_STATE);
	put_line(&echo, c, PRIM_HEADER_MAX_CONTENT_LENGTH);
	l->echo = prim_buf_steal(&echo);
	l->family = c->family;
	l->id = prim_slice_copy(c->id);
	l->is_silent = is_silent(c);
	l->key = prim_slice_copy(key);
	l->mechanisms = prim_slice_copy(prim_command_get(c,
	    PRIM_HEADER_SASL_MECH));
	l->user_agent = prim_slice_copy(prim_command_get(c,
	    PRIM_HEADER_USER_AGENT_ID));
	login_free(s->login);
	s->login = l;
}

static void put_user_agent(struct prim_buf *b, const struct prim_session *s,
    const struct prim_login *l)
{
	char serial[24];

	/* PRIM-092: unique for the inbox or presentity; the client's own is
	 * given back unchanged. Only in the texts of March 2001. */
	if (l->family != PRIM_FAMILY_PP && l->family != PRIM_FAMILY_IMP)
		return;
	snprintf(serial, sizeof(serial), "ua%llu",
	    (unsigned long long)s->serial);
	prim_command_put_header(b, PRIM_HEADER_USER_AGENT_ID,
	    prim_slice_of(l->user_agent[0] ? l->user_agent : serial));
}

static void login_answer(struct prim_session *s, unsigned code,
    const struct prim_login_answer *answer)
{
	struct prim_login *l = s->login;
	struct prim_buf b = { 0 };

	if (l->is_silent)
		return;
	prim_command_put_response(&b, l->family, prim_slice_of(l->id), code,
	    answer->data.len);
	prim_buf_puts(&b, l->echo);
	prim_command_put_header(&b, PRIM_HEADER_SASL_MECH,
	    answer->mechanisms.len ? answer->mechanisms
				   : prim_slice_of(l->mechanisms));
	if (code == PRIM_OK)
		put_user_agent(&b, s, l);
	if (answer->data.len && code != PRIM_AUTHENTICATION_CONTINUED)
		prim_command_put_header(&b, PRIM_HEADER_CONTENT_TYPE,
		    PRIM_SLICE("application/octet-stream"));
	prim_command_end(&b);
	prim_buf_put(&b, answer->data);
	s->ops->write(s, prim_buf_slice(&b));
	prim_buf_fini(&b);
}

static void bind_principal(struct prim_session *s)
{
	unsigned i = service_index(prim_family_service(s->login->family));

	s->is_bound[i] = true;
	s->families[i] = s->login->family;
	if (!s->who) {
		s->who = s->login->key;
		s->who_len = strlen(s->who);
		s->login->key = NULL;
	}
}

static const struct prim_session_state *rest_state(const struct prim_session *s)
{
	return s->is_bound[0] || s->is_bound[1] ? &st_bound : &st_open;
}

void prim_session_login_done(struct prim_session *s,
    const struct prim_login_answer *answer)
{
	if (s->state != &st_checking)
		return;
	switch (answer->verdict) {
	case PRIM_LOGIN_CHALLENGE:
		enter(s, &st_exchange);
		login_answer(s, PRIM_AUTHENTICATION_CONTINUED, answer);
		return;
	case PRIM_LOGIN_SUCCESS:
		bind_principal(s);
		enter(s, &st_bound);
		login_answer(s, PRIM_OK, answer);
		break;
	case PRIM_LOGIN_BUSY:
		enter(s, rest_state(s));
		login_answer(s, PRIM_INTERNAL_ERROR, answer);
		break;
	case PRIM_LOGIN_FAILURE:
		/* PRIM-093: nothing more is processed. */
		enter(s, &st_open);
		login_answer(s, PRIM_AUTHENTICATION_FAILED, answer);
		end_with(s, "authentication failed", false);
		break;
	}
	s->login = login_free(s->login);
}

static const struct prim_session_state *login_fail(struct prim_session *s,
    const struct prim_command *c, const char *why)
{
	refuse(s, c, PRIM_AUTHENTICATION_FAILED);
	end_with(s, why, false);
	return &st_closing;
}

static bool wants_who(const struct prim_session *s,
    const struct prim_address *who, struct prim_slice key)
{
	/* One connection, one principal: the other service is logged in to by
	 * the same one (PRIM-052, ERR-60). */
	return s->policy->serves(s->policy->ctx, who->domain) &&
	    (!s->who || prim_slice_eq(prim_session_who(s), key));
}

/* PRIM-053, ERR-40: pres: with presence tokens, im: with im tokens. */
static bool scheme_fits(enum prim_scheme scheme, enum prim_family family)
{
	return prim_family_service(family) == PRIM_SERVICE_IM
	    ? scheme == PRIM_SCHEME_IM
	    : scheme == PRIM_SCHEME_PRES;
}

static const struct prim_session_state *login_init(struct prim_session *s,
    const struct prim_command *c)
{
	struct prim_slice limit = prim_command_get(c,
	    PRIM_HEADER_MAX_CONTENT_LENGTH);
	struct prim_address who;
	struct prim_key key;
	uint64_t max = UINT64_MAX;

	if (!prim_address_parse(prim_command_get(c, PRIM_HEADER_FROM), &who) ||
	    !scheme_fits(who.scheme, c->family) ||
	    (prim_command_has(c, PRIM_HEADER_MAX_CONTENT_LENGTH) &&
		!prim_slice_number(limit, UINT64_MAX / 2, &max))) {
		refuse(s, c, PRIM_BAD_REQUEST);
		return s->state;
	}
	prim_address_key(&who, &key);
	if (!wants_who(s, &who, prim_key_slice(&key)))
		return login_fail(s, c, "not one of ours");
	s->max_content = max;
	login_remember(s, c, prim_key_slice(&key));
	enter(s, &st_checking);
	s->ops->login_begin(s, c, &who);
	return s->state; /* the verdict may have come inside */
}

static const struct prim_session_state *open_login(struct prim_session *s,
    const struct prim_command *c)
{
	if (has_auth_state(c, "init"))
		return login_init(s, c);
	if (has_auth_state(c, "abort"))
		return login_fail(s, c, "aborted");
	refuse(s, c, PRIM_BAD_REQUEST); /* ERR-56, PRIM-086 */
	return s->state;
}

static const struct prim_session_state *bound_login(struct prim_session *s,
    const struct prim_command *c)
{
	if (prim_session_is_bound(s, prim_family_service(c->family))) {
		refuse(s, c, PRIM_ALREADY_AUTHENTICATED); /* PRIM-097 */
		return s->state;
	}
	return open_login(s, c);
}

static const struct prim_session_state *exchange_login(struct prim_session *s,
    const struct prim_command *c)
{
	char *key;

	if (!has_auth_state(c, "continue") || c->family != s->login->family)
		return login_fail(s, c, "login out of order"); /* ERR-55, 57 */
	key = s->login->key;
	s->login->key = NULL;
	login_remember(s, c, prim_slice_of(key));
	prim_free(key);
	enter(s, &st_checking);
	s->ops->login_continue(s, c);
	return s->state;
}

static const struct prim_session_state *checking_login(struct prim_session *s,
    const struct prim_command *c)
{
	return login_fail(s, c, "login out of order");
}

/* ---- STARTTLS ---- */

static const struct prim_session_state *open_starttls(struct prim_session *s,
    const struct prim_command *c)
{
	if (s->is_secure) {
		refuse(s, c, PRIM_BAD_REQUEST); /* PRIM-078 */
		return s->state;
	}
	if (!s->policy->has_tls) {
		refuse(s, c, PRIM_NOT_IMPLEMENTED); /* PRIM-077 */
		return s->state;
	}
	refuse(s, c, PRIM_OK);
	enter(s, &st_tls);
	s->ops->starttls(s);
	return s->state;
}

static const struct prim_session_state *login_starttls(struct prim_session *s,
    const struct prim_command *c)
{
	refuse(s, c, PRIM_UNAUTHORIZED); /* ERR-70 */
	return s->state;
}

static const struct prim_session_state *bound_starttls(struct prim_session *s,
    const struct prim_command *c)
{
	refuse(s, c, PRIM_BAD_REQUEST); /* PRIM-075, PRIM-078 */
	return s->state;
}

void prim_session_secured(struct prim_session *s)
{
	s->is_secure = true;
	if (s->state == &st_tls)
		enter(s, &st_open);
}

static const struct prim_session_state st_open = { "open", open_login,
	open_starttls, true };
static const struct prim_session_state st_checking = { "checking",
	checking_login, login_starttls, true };
static const struct prim_session_state st_exchange = { "exchange",
	exchange_login, login_starttls, true };
static const struct prim_session_state st_bound = { "bound", bound_login,
	bound_starttls, true };
static const struct prim_session_state st_tls = { "tls", NULL, NULL, false };
static const struct prim_session_state st_closing = { "closing", NULL, NULL,
	false };

/* ---- the order of checks, spec C.0 ---- */

static bool is_login_method(enum prim_method method)
{
	return method == PRIM_METHOD_LOGIN || method == PRIM_METHOD_STARTTLS ||
	    method == PRIM_METHOD_VERIFYSERVER || method == PRIM_METHOD_PING ||
	    method == PRIM_METHOD_LOGOUT;
}

static bool is_provided(const struct prim_session *s,
    const struct prim_method_info *info)
{
	return info->service == PRIM_SERVICE_IM ||
	    info->service == PRIM_SERVICE_GENERAL || s->policy->has_presence;
}

/* Steps 3, 4, 6 and 7. */
static unsigned check_method(const struct prim_session *s,
    const struct prim_command *c)
{
	bool is_any_bound = s->is_bound[0] || s->is_bound[1];
	const struct prim_method_info *info;

	/* DESIGN 11: before LOGIN everything else is 401, known or not. */
	if (!is_any_bound && !is_login_method(c->method))
		return PRIM_UNAUTHORIZED;
	if (c->method == PRIM_METHOD_UNKNOWN)
		return PRIM_NOT_IMPLEMENTED;
	info = prim_method_info(c->method);
	if (info->service == PRIM_SERVICE_LOCAL)
		return PRIM_NOT_IMPLEMENTED; /* not for this kind of peer */
	if (!prim_method_fits(c->method, c->family))
		return PRIM_BAD_REQUEST;
	if (!is_provided(s, info))
		return PRIM_NOT_IMPLEMENTED;
	if (prim_command_has(c, PRIM_HEADER_CONTENT_TRANSFER_ENCODING))
		return PRIM_BAD_REQUEST; /* step 5, PRIM-015 */
	if (info->service != PRIM_SERVICE_GENERAL &&
	    (c->family == PRIM_FAMILY_PRIM ||
		!prim_session_is_bound(s, info->service)))
		return PRIM_UNAUTHORIZED; /* PRIM/1.0 is for servers */
	if (c->method == PRIM_METHOD_VERIFYSERVER && is_any_bound)
		return PRIM_FORBIDDEN; /* ERR-22 */
	if (!(info->client_server & PRIM_CLIENT_TO_SERVER) &&
	    c->method != PRIM_METHOD_VERIFYSERVER)
		return PRIM_FORBIDDEN;
	return 0;
}

/* Step 8: headers and body, as far as no identifier is looked at. */
static unsigned check_form(const struct prim_command *c)
{
	const struct prim_method_info *info = prim_method_info(c->method);

	if (c->is_malformed)
		return PRIM_BAD_REQUEST;
	if ((c->present & info->required_cs) != info->required_cs)
		return PRIM_BAD_REQUEST;
	if (info->body_cs == PRIM_BODY_NONE && c->body_len)
		return PRIM_BAD_REQUEST; /* PRIM-014 */
	if (info->body_cs == PRIM_BODY_REQUIRED && !c->body_len)
		return PRIM_BAD_REQUEST;
	if (c->method != PRIM_METHOD_LOGIN)
		return 0;
	/* PRIM-112: From makes it a client. PRIM/1.0 is for servers, whose LOGIN
	 * carries Domain (DESIGN 11). */
	if (prim_command_has(c, PRIM_HEADER_FROM) ==
	    prim_command_has(c, PRIM_HEADER_DOMAIN))
		return PRIM_BAD_REQUEST;
	if (prim_command_has(c, PRIM_HEADER_FROM) ==
	    (c->family == PRIM_FAMILY_PRIM))
		return PRIM_BAD_REQUEST;
	return 0;
}

static uint64_t body_max(const struct prim_session *s)
{
	return s->is_bound[0] || s->is_bound[1] ? s->policy->body_max
						: PRIM_LOGIN_BODY_MAX;
}

/* 0 when `c` may be acted upon. */
static unsigned check(const struct prim_session *s,
    const struct prim_command *c)
{
	unsigned code;

	if (c->family == PRIM_FAMILY_UNKNOWN || c->major != 1)
		return PRIM_VERSION_NOT_SUPPORTED;
	code = check_method(s, c);
	if (!code)
		code = check_form(c);
	if (!code && c->body_len > body_max(s))
		code = PRIM_BAD_REQUEST; /* PRIM-020 */
	return code;
}

enum prim_session_verdict prim_session_screen(struct prim_session *s,
    const struct prim_command *c)
{
	unsigned code;

	if (!s->state->hears)
		return PRIM_SESSION_END;
	if (c->is_response) /* responses to us have no bodies to wait for */
		code = c->body_len > s->policy->body_max ? PRIM_BAD_REQUEST : 0;
	else
		code = check(s, c);
	if (!code)
		return PRIM_SESSION_TAKE;
	if (!c->is_response)
		refuse(s, c, code);
	if (c->body_len <= s->policy->body_skip_max)
		return PRIM_SESSION_SKIP;
	end_with(s, "body too large", false);
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
		login_fail(s, c, "server login");
		return;
	}
	enter(s, s->state->on_login(s, c));
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
	code = check(s, c);
	if (code) {
		refuse(s, c, code);
	} else if (c->method == PRIM_METHOD_LOGIN) {
		on_login(s, c);
	} else if (c->method == PRIM_METHOD_STARTTLS) {
		enter(s, s->state->on_starttls(s, c));
	} else if (c->method == PRIM_METHOD_PING) {
		refuse(s, c, PRIM_OK); /* PRIM-040; silent for "-" */
	} else if (c->method == PRIM_METHOD_LOGOUT) {
		end_with(s, "logout", true);
	} else if (!is_silent(c) || !prim_method_info(c->method)->read_only) {
		s->ops->request(s, c); /* ERR-06 drops the others */
	}
}
