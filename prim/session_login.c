/* SPDX-License-Identifier: ISC */
/* LOGIN: from the first word to the verdict (spec C.8). */

#include <stdio.h>
#include <string.h>

#include "prim/base.h"
#include "prim/session_private.h"

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

struct prim_login *prim_session_login_free(struct prim_login *l)
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

struct prim_slice prim_session_claim(const struct prim_session *s)
{
	return s->login ? prim_slice_of(s->login->key) : PRIM_SLICE_NONE;
}

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
	l->is_silent = prim_session_is_silent(c);
	l->key = prim_slice_copy(key);
	l->mechanisms = prim_slice_copy(prim_command_get(c,
	    PRIM_HEADER_SASL_MECH));
	l->user_agent = prim_slice_copy(prim_command_get(c,
	    PRIM_HEADER_USER_AGENT_ID));
	prim_session_login_free(s->login);
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
	unsigned i =
	    prim_session_service(prim_family_service(s->login->family));

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
	return s->is_bound[0] || s->is_bound[1] ? &prim_session_st_bound
						: &prim_session_st_open;
}

void prim_session_login_done(struct prim_session *s,
    const struct prim_login_answer *answer)
{
	if (s->state != &prim_session_st_checking)
		return;
	switch (answer->verdict) {
	case PRIM_LOGIN_CHALLENGE:
		prim_session_enter(s, &prim_session_st_exchange);
		login_answer(s, PRIM_AUTHENTICATION_CONTINUED, answer);
		return;
	case PRIM_LOGIN_SUCCESS:
		bind_principal(s);
		prim_session_enter(s, &prim_session_st_bound);
		login_answer(s, PRIM_OK, answer);
		break;
	case PRIM_LOGIN_BUSY:
		prim_session_enter(s, rest_state(s));
		login_answer(s, PRIM_INTERNAL_ERROR, answer);
		break;
	case PRIM_LOGIN_FAILURE:
		/* PRIM-093: nothing more is processed. */
		prim_session_enter(s, &prim_session_st_open);
		login_answer(s, PRIM_AUTHENTICATION_FAILED, answer);
		prim_session_leave(s, "authentication failed", false);
		break;
	}
	s->login = prim_session_login_free(s->login);
}

const struct prim_session_state *prim_session_login_fail(struct prim_session *s,
    const struct prim_command *c, const char *why)
{
	prim_session_refuse(s, c, PRIM_AUTHENTICATION_FAILED);
	prim_session_leave(s, why, false);
	return &prim_session_st_closing;
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
		prim_session_refuse(s, c, PRIM_BAD_REQUEST);
		return s->state;
	}
	prim_address_key(&who, &key);
	if (!wants_who(s, &who, prim_key_slice(&key)))
		return prim_session_login_fail(s, c, "not one of ours");
	s->max_content = max;
	login_remember(s, c, prim_key_slice(&key));
	prim_session_enter(s, &prim_session_st_checking);
	s->ops->login_begin(s, c, &who);
	return s->state; /* the verdict may have come inside */
}

const struct prim_session_state *prim_session_open_login(struct prim_session *s,
    const struct prim_command *c)
{
	if (has_auth_state(c, "init"))
		return login_init(s, c);
	if (has_auth_state(c, "abort"))
		return prim_session_login_fail(s, c, "aborted");
	prim_session_refuse(s, c, PRIM_BAD_REQUEST); /* ERR-56, PRIM-086 */
	return s->state;
}

const struct prim_session_state *
prim_session_bound_login(struct prim_session *s, const struct prim_command *c)
{
	if (prim_session_is_bound(s, prim_family_service(c->family))) {
		prim_session_refuse(s, c,
		    PRIM_ALREADY_AUTHENTICATED); /* PRIM-097 */
		return s->state;
	}
	return prim_session_open_login(s, c);
}

const struct prim_session_state *
prim_session_exchange_login(struct prim_session *s,
    const struct prim_command *c)
{
	char *key;

	if (!has_auth_state(c, "continue") || c->family != s->login->family)
		return prim_session_login_fail(s, c,
		    "login out of order"); /* ERR-55, 57 */
	key = s->login->key;
	s->login->key = NULL;
	login_remember(s, c, prim_slice_of(key));
	prim_free(key);
	prim_session_enter(s, &prim_session_st_checking);
	s->ops->login_continue(s, c);
	return s->state;
}

const struct prim_session_state *
prim_session_checking_login(struct prim_session *s,
    const struct prim_command *c)
{
	return prim_session_login_fail(s, c, "login out of order");
}
