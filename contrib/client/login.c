/* SPDX-License-Identifier: ISC */
/* Proving who we are, and asking the server for the same. */

#include "contrib/client/login.h"

#include <gsasl.h>
#include <string.h>

#include "prim/base.h"

#define SCRAM "SCRAM-SHA-256"
#define PLAIN "PLAIN"

/* RFC 7677 asks for 4096; the upper end is about a second of computing. */
#define ITERATIONS_MIN 4096
#define ITERATIONS_MAX 2000000

struct login {
	struct cl_session *s;
	const char *mechanism;
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

	if (theirs.len == 0 || lists(theirs, l->mechanism)) {
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

/* One step of SCRAM: what the server said in, what we say out. */
static bool step(const struct login *l, Gsasl_session *sasl,
    struct prim_slice in, struct prim_buf *out)
{
	char *said = NULL;
	size_t len = 0;
	int result = gsasl_step(sasl, in.ptr, in.len, &said, &len);

	if (result == GSASL_OK || result == GSASL_NEEDS_MORE) {
		prim_buf_reset(out);
		prim_buf_put(out, prim_slice_make(said, len));
	}
	gsasl_free(said);
	if (result == GSASL_OK || result == GSASL_NEEDS_MORE)
		return true;
	if (result == GSASL_SASLPREP_ERROR)
		return cl_err_final(l->err,
		    "the password has characters that passwords may not have");
	return cl_err_final(l->err,
	    "%s could not prove that it knows the account; it is not the "
	    "server it should be, or broken",
	    l->s->options->host);
}

/* "r=...,s=...,i=4096": how much work we are asked for. */
static bool iterations_ok(struct prim_slice challenge, struct cl_err *err)
{
	uint64_t count = 0;

	while (challenge.len > 0) {
		struct prim_slice part = prim_slice_cut(&challenge, ',');

		if (prim_slice_starts(part, PRIM_SLICE("i=")) &&
		    !prim_slice_number(prim_slice_from(part, 2), ITERATIONS_MAX,
			&count))
			break;
	}
	return count >= ITERATIONS_MIN ||
	    cl_err_final(err,
		"the server asks for a login that is too weak or too costly");
}

static enum cl_login_outcome converse(const struct login *l,
    Gsasl_session *sasl, struct prim_buf *out)
{
	const struct prim_command *c = &l->s->command;

	if (!step(l, sasl, PRIM_SLICE_NONE, out) ||
	    !ask(l, "init", prim_buf_slice(out)))
		return CL_LOGIN_FAILED;
	if (c->code != PRIM_AUTHENTICATION_CONTINUED)
		return explain(l);
	if (!iterations_ok(c->body, l->err) || !step(l, sasl, c->body, out) ||
	    !ask(l, "continue", prim_buf_slice(out)))
		return CL_LOGIN_FAILED;
	if (c->code != PRIM_OK)
		return explain(l);
	return step(l, sasl, c->body, out) ? logged_in(l) : CL_LOGIN_FAILED;
}

static enum cl_login_outcome login_scram(const struct login *l)
{
	const struct cl_options *o = l->s->options;
	enum cl_login_outcome outcome = CL_LOGIN_FAILED;
	struct prim_buf out = { 0 };
	Gsasl *gsasl = NULL;
	Gsasl_session *sasl = NULL;

	if (gsasl_init(&gsasl) != GSASL_OK ||
	    gsasl_client_start(gsasl, SCRAM, &sasl) != GSASL_OK ||
	    gsasl_property_set(sasl, GSASL_AUTHID, o->user) != GSASL_OK ||
	    gsasl_property_set(sasl, GSASL_PASSWORD, o->password) != GSASL_OK)
		cl_err_final(l->err, "this libgsasl cannot do " SCRAM);
	else
		outcome = converse(l, sasl, &out);
	if (sasl)
		gsasl_finish(sasl);
	if (gsasl)
		gsasl_done(gsasl);
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
