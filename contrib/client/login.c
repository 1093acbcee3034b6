/* SPDX-License-Identifier: ISC */
/* Proving who we are, and asking the server for the same. */

#include "contrib/client/login.h"

#include <string.h>

#include "contrib/client/scram.h"
#include "prim/base.h"

#define PLUS  "SCRAM-SHA-256-PLUS"
#define SCRAM "SCRAM-SHA-256"
#define PLAIN "PLAIN"

struct login {
	struct cl_session *s;
	const char *mechanism; /* or several, before one is selected */
	int64_t deadline_ms;
	struct cl_err *err;
};

static bool ask(const struct login *l, const char *state,
    struct prim_slice body)
{
	struct cl_session *s = l->s;
	struct prim_buf b = { 0 };
	char id[CL_SESSION_ID_MAX];
	bool ok;

	cl_session_id(s, id);
	prim_command_put_request(&b, PRIM_METHOD_LOGIN, s->family,
	    prim_slice_of(id), body.len);
	prim_command_put_header(&b, PRIM_HEADER_FROM,
	    prim_slice_of(s->options->from));
	prim_command_put_header(&b, PRIM_HEADER_AUTH_STATE,
	    prim_slice_of(state));
	prim_command_put_header(&b, PRIM_HEADER_SASL_MECH,
	    prim_slice_of(l->mechanism));
	prim_buf_putf(&b, "Max-Content-Length: %d\r\n", CL_SESSION_BODY_MAX);
	if (body.len > 0)
		prim_command_put_header(&b, PRIM_HEADER_CONTENT_TYPE,
		    PRIM_SLICE("application/octet-stream"));
	prim_command_end(&b);
	prim_buf_put(&b, body);
	ok = cl_session_ask(s, &b, id, l->deadline_ms, l->err);
	explicit_bzero(b.ptr, b.len);
	prim_buf_fini(&b);
	return ok;
}

/* Is `name` among the mechanisms of a SASL-Mech value (ERR-50)? */
static bool lists(struct prim_slice value, const char *name)
{
	size_t start = 0;

	for (size_t i = 0; i <= value.len; i++) {
		struct prim_slice word;

		if (i < value.len && !strchr(" \t,", value.ptr[i]))
			continue;
		word = prim_slice_make(value.ptr + start, i - start);
		if (prim_slice_eq_nocase(word, prim_slice_of(name)))
			return true;
		start = i + 1;
	}
	return false;
}

/* A 406 that names mechanisms, ours not among them (ERR-58). */
static enum cl_login_outcome refused(const struct login *l)
{
	const struct cl_session *s = l->s;
	struct prim_slice theirs = prim_command_get(&s->command,
	    PRIM_HEADER_SASL_MECH);

	if (theirs.len == 0 || lists(theirs, l->mechanism) ||
	    lists(theirs, SCRAM)) {
		cl_err_final(l->err,
		    "%s does not let %s in: wrong address or password (406)",
		    s->options->host, s->options->user);
		return CL_LOGIN_FAILED;
	}
	if (!lists(theirs, PLAIN)) {
		cl_err_final(l->err,
		    "%s offers no way to log in that prim knows (it offers "
		    "%.*s)",
		    s->options->host, PRIM_SLICE_ARG(theirs));
		return CL_LOGIN_FAILED;
	}
	cl_err_final(l->err,
	    "%s wants the password itself, which prim sends only to a server "
	    "whose certificate is verified (--ca or --pin)",
	    s->options->host);
	return s->link.is_verified ? CL_LOGIN_WANTS_PLAIN : CL_LOGIN_FAILED;
}

/* What a LOGIN answer that was not hoped for means. */
static enum cl_login_outcome explain(const struct login *l)
{
	const struct cl_session *s = l->s;
	struct prim_slice other;

	switch (s->command.code) {
	case PRIM_AUTHENTICATION_FAILED:
		return refused(l);
	case PRIM_REDIRECT:
		other = prim_command_get(&s->command, PRIM_HEADER_REDIRECT);
		cl_err_final(l->err, "%s says to use another server: %.*s",
		    s->options->host, PRIM_SLICE_ARG(other));
		break;
	case PRIM_INTERNAL_ERROR:
		cl_err_set(l->err, "%s is too busy for a login (500)",
		    s->options->host);
		break;
	default:
		cl_err_final(l->err, "%s refuses the login: %u %s",
		    s->options->host, s->command.code,
		    prim_status_phrase(s->command.code));
		break;
	}
	return CL_LOGIN_FAILED;
}

static enum cl_login_outcome logged_in(const struct login *l)
{
	struct cl_session *s = l->s;

	if (!prim_slice_number(prim_command_get(&s->command,
				   PRIM_HEADER_MAX_CONTENT_LENGTH),
		PRIM_BODY_LEN_MAX, &s->body_max))
		s->body_max = 0;
	return CL_LOGIN_OK;
}

static enum cl_login_outcome login_plain(const struct login *l)
{
	const struct cl_options *o = l->s->options;
	struct prim_buf body = { 0 };
	bool ok;

	/* The second connection may have led elsewhere than the first. */
	if (!l->s->link.is_verified) {
		cl_err_final(l->err, "the certificate of %s is not verified",
		    o->host);
		return CL_LOGIN_FAILED;
	}
	/* ERR-61. */
	prim_buf_puts(&body, o->user);
	prim_buf_puts(&body, "\r\n");
	prim_buf_puts(&body, o->password);
	ok = ask(l, "init", prim_buf_slice(&body));
	explicit_bzero(body.ptr, body.len);
	prim_buf_fini(&body);
	if (!ok)
		return CL_LOGIN_FAILED;
	return l->s->command.code == PRIM_OK ? logged_in(l) : explain(l);
}

/* The server selects out of both mechanisms. It takes the first that it has, so
 * when it takes the second, it has no PLUS, or somebody hides that; we say that
 * we could have used it, and a server that has it then ends this. */
static bool select_scram(struct login *l, enum cl_scram_kind *out_kind)
{
	const struct prim_command *c = &l->s->command;
	struct prim_slice selected;

	l->mechanism = PLUS " " SCRAM;
	if (!ask(l, "init", PRIM_SLICE_NONE))
		return false;
	if (c->code != PRIM_AUTHENTICATION_CONTINUED)
		return true;
	selected = prim_slice_trim(prim_command_get(c, PRIM_HEADER_SASL_MECH));
	if (prim_slice_eq_nocase(selected, PRIM_SLICE(PLUS))) {
		l->mechanism = PLUS;
		*out_kind = CL_SCRAM_BOUND;
	} else if (prim_slice_eq_nocase(selected, PRIM_SLICE(SCRAM))) {
		l->mechanism = SCRAM;
		*out_kind = CL_SCRAM_HIDDEN;
	} else {
		return cl_err_final(l->err,
		    "%s selects a way to log in that was not asked for",
		    l->s->options->host);
	}
	return true;
}

static enum cl_login_outcome converse(const struct login *l,
    struct cl_scram *scram, struct prim_buf *out)
{
	const struct prim_command *c = &l->s->command;
	const struct cl_options *o = l->s->options;

	cl_scram_first(scram, o->user, out);
	if (!ask(l, scram->kind == CL_SCRAM_UNBOUND ? "init" : "continue",
		prim_buf_slice(out)))
		return CL_LOGIN_FAILED;
	if (c->code != PRIM_AUTHENTICATION_CONTINUED)
		return explain(l);
	prim_buf_reset(out);
	if (!cl_scram_prove(scram, c->body, out, l->err) ||
	    !ask(l, "continue", prim_buf_slice(out)))
		return CL_LOGIN_FAILED;
	if (c->code != PRIM_OK)
		return explain(l);
	if (cl_scram_check(scram, c->body))
		return logged_in(l);
	cl_err_final(l->err,
	    "%s could not prove that it knows the account; it is not the "
	    "server it should be, or broken",
	    o->host);
	return CL_LOGIN_FAILED;
}

static enum cl_login_outcome login_scram(struct login *l)
{
	enum cl_scram_kind kind = CL_SCRAM_UNBOUND;
	enum cl_login_outcome outcome;
	uint8_t binding[CL_LINK_BINDING];
	struct prim_buf out = { 0 };
	struct cl_scram scram;

	if (cl_link_binding(&l->s->link, binding)) {
		if (!select_scram(l, &kind))
			return CL_LOGIN_FAILED;
		if (kind == CL_SCRAM_UNBOUND)
			return explain(l);
	}
	cl_scram_init(&scram, kind, l->s->options->password);
	if (kind == CL_SCRAM_BOUND)
		memcpy(scram.binding, binding, sizeof(binding));
	outcome = converse(l, &scram, &out);
	cl_scram_fini(&scram);
	prim_buf_fini(&out);
	return outcome;
}

enum cl_login_outcome cl_login(struct cl_session *s,
    enum cl_login_mechanism mechanism, int64_t deadline_ms, struct cl_err *err)
{
	struct login l = { .s = s, .deadline_ms = deadline_ms, .err = err };

	switch (mechanism) {
	case CL_LOGIN_PLAIN:
		l.mechanism = PLAIN;
		return login_plain(&l);
	case CL_LOGIN_SCRAM:
		break;
	}
	l.mechanism = SCRAM;
	return login_scram(&l);
}
