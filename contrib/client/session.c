/* SPDX-License-Identifier: ISC */
/* Commands in and out of a connection. */

#include "contrib/client/session.h"

#include <stdio.h>
#include <string.h>

#include "contrib/client/login.h"

#define SILENCE_MS 60000 /* then we ask whether the server is there */
#define PING_ID    "ping"

void cl_session_id(struct cl_session *s, char out_id[CL_SESSION_ID_MAX])
{
	snprintf(out_id, CL_SESSION_ID_MAX, "%llu",
	    (unsigned long long)++s->last_id);
}

static void session_fini(struct cl_session *s)
{
	cl_link_close(&s->link);
	prim_buf_fini(&s->in);
	s->used = s->scanned = s->wanted = 0;
}

static enum cl_session_event lost(struct cl_session *s, struct cl_err *err,
    const char *why)
{
	session_fini(s);
	cl_err_set(err, "the connection to %s is lost: %s", s->options->host,
	    why);
	return CL_SESSION_LOST;
}

bool cl_session_write(struct cl_session *s, const struct prim_buf *b,
    struct cl_err *err)
{
	int64_t deadline_ms = cl_link_now_ms() + CL_SESSION_ANSWER_MS;

	if (cl_link_write(&s->link, prim_buf_slice(b), deadline_ms))
		return true;
	lost(s, err, "it takes nothing more");
	return false;
}

/* ---- taking commands out of the stream ---- */

static size_t unread(const struct cl_session *s)
{
	return s->in.len - s->used;
}

/* Moves what is unread to the front when it is worth it. */
static void compact(struct cl_session *s)
{
	if (s->used == 0)
		return;
	memmove(s->in.ptr, s->in.ptr + s->used, unread(s));
	s->in.len -= s->used;
	s->used = 0;
}

/* READY: s->command is complete. TIMEOUT: more octets are needed. CLOSED: what
 * comes is no PRIM. */
static enum cl_link_outcome take_command(struct cl_session *s)
{
	struct prim_command *c = &s->command;
	struct prim_slice in;

	if (unread(s) < s->wanted || unread(s) == 0)
		return CL_LINK_TIMEOUT;
	in = prim_slice_make(s->in.ptr + s->used, unread(s));
	switch (prim_command_head(in, &s->scanned, c)) {
	case PRIM_COMMAND_MORE:
		return CL_LINK_TIMEOUT;
	case PRIM_COMMAND_BROKEN:
		return CL_LINK_CLOSED;
	case PRIM_COMMAND_HEAD:
		break;
	}
	if (c->body_len > CL_SESSION_BODY_MAX)
		return CL_LINK_CLOSED;
	s->wanted = c->head.len + (size_t)c->body_len;
	if (in.len < s->wanted)
		return CL_LINK_TIMEOUT;
	c->body = prim_slice_make(in.ptr + c->head.len, (size_t)c->body_len);
	s->used += s->wanted;
	s->wanted = s->scanned = 0;
	return CL_LINK_READY;
}

/* ---- what the server asks ---- */

static bool respond(struct cl_session *s, unsigned code, struct cl_err *err)
{
	const struct prim_command *c = &s->command;
	uint64_t echoed = 0;
	struct prim_buf b = { 0 };
	bool ok;

	if (prim_slice_eq(c->id, PRIM_SLICE("-")))
		return true;
	if (c->method != PRIM_METHOD_UNKNOWN)
		echoed = prim_method_info(c->method)->echoed;
	prim_command_put_response(&b, c->family, c->id, code, 0);
	for (unsigned i = 0; i < c->header_count; i++) {
		if (c->headers[i].id != PRIM_HEADER_OTHER &&
		    echoed & PRIM_HEADER_BIT(c->headers[i].id))
			prim_command_put_line(&b, c->headers[i].line);
	}
	prim_command_end(&b);
	ok = cl_session_write(s, &b, err);
	prim_buf_fini(&b);
	return ok;
}

/* What is for the user. */
static bool is_ours(const struct cl_session *s, enum prim_method method)
{
	if (s->options->is_presence)
		return method == PRIM_METHOD_NOTIFY ||
		    method == PRIM_METHOD_CANCELSUBSCRIPTION;
	return method == PRIM_METHOD_SEND;
}

static enum cl_session_event take_request(struct cl_session *s,
    struct cl_err *err)
{
	const struct prim_command *c = &s->command;
	unsigned code = PRIM_NOT_IMPLEMENTED;

	if (c->method == PRIM_METHOD_LOGOUT)
		return lost(s, err, "the server ended it");
	if (c->is_malformed)
		code = PRIM_BAD_REQUEST;
	else if (c->method == PRIM_METHOD_PING)
		code = PRIM_OK;
	else if (is_ours(s, c->method) && s->on_request)
		code = s->on_request(s->arg, c);
	return respond(s, code, err) ? CL_SESSION_REQUEST : CL_SESSION_LOST;
}

static enum cl_session_event take_any(struct cl_session *s, struct cl_err *err)
{
	if (!s->command.is_response)
		return take_request(s, err);
	if (prim_slice_eq(s->command.id, PRIM_SLICE(PING_ID)))
		return CL_SESSION_REQUEST;
	return CL_SESSION_RESPONSE;
}

/* ---- waiting ---- */

static bool probe(struct cl_session *s, struct cl_err *err)
{
	struct prim_buf b = { 0 };
	bool ok;

	s->is_probing = true;
	prim_command_put_request(&b, PRIM_METHOD_PING, s->family,
	    PRIM_SLICE(PING_ID), 0);
	prim_command_end(&b);
	ok = cl_session_write(s, &b, err);
	prim_buf_fini(&b);
	return ok;
}

static int64_t silence_deadline(const struct cl_session *s)
{
	return s->heard_ms + SILENCE_MS +
	    (s->is_probing ? CL_SESSION_ANSWER_MS : 0);
}

static bool read_more(struct cl_session *s)
{
	size_t before;

	compact(s);
	before = s->in.len;
	if (cl_link_read(&s->link, &s->in) == CL_LINK_CLOSED)
		return false;
	if (s->in.len > before) {
		s->heard_ms = cl_link_now_ms();
		s->is_probing = false;
	}
	return true;
}

/* One wait. CL_SESSION_REQUEST: look again. */
static enum cl_session_event wait_once(struct cl_session *s, int other,
    int64_t deadline_ms, struct cl_err *err)
{
	int64_t silence_ms = silence_deadline(s);
	int64_t until_ms = deadline_ms < silence_ms ? deadline_ms : silence_ms;

	switch (cl_link_wait(&s->link, other, until_ms)) {
	case CL_LINK_READY:
		if (!read_more(s))
			return lost(s, err, "the server closed it");
		return CL_SESSION_REQUEST;
	case CL_LINK_OTHER:
		return CL_SESSION_INPUT;
	case CL_LINK_TIMEOUT:
		if (until_ms == deadline_ms)
			return CL_SESSION_TIMEOUT;
		if (s->is_probing)
			return lost(s, err, "the server does not answer");
		return probe(s, err) ? CL_SESSION_REQUEST : CL_SESSION_LOST;
	case CL_LINK_CLOSED:
		break;
	}
	return lost(s, err, "it is broken");
}

enum cl_session_event cl_session_next(struct cl_session *s, int other,
    int64_t deadline_ms, struct cl_err *err)
{
	for (;;) {
		enum cl_session_event event;

		switch (take_command(s)) {
		case CL_LINK_READY:
			return take_any(s, err);
		case CL_LINK_CLOSED:
			return lost(s, err, "what it says is not PRIM");
		case CL_LINK_TIMEOUT:
		case CL_LINK_OTHER:
			break;
		}
		event = wait_once(s, other, deadline_ms, err);
		if (event != CL_SESSION_REQUEST)
			return event;
	}
}

bool cl_session_ask(struct cl_session *s, const struct prim_buf *b,
    const char *id, int64_t deadline_ms, struct cl_err *err)
{
	if (!cl_session_write(s, b, err))
		return false;
	for (;;) {
		switch (cl_session_next(s, -1, deadline_ms, err)) {
		case CL_SESSION_RESPONSE:
			if (prim_slice_eq(s->command.id, prim_slice_of(id)))
				return true;
			break;
		case CL_SESSION_TIMEOUT:
			return cl_err_set(err,
			    "the server did not answer in time");
		case CL_SESSION_LOST:
			return false;
		case CL_SESSION_REQUEST:
		case CL_SESSION_INPUT:
			break;
		}
	}
}

/* ---- opening ---- */

/* PRIM-076, PRIM-077. True with TLS on, or where it may be off. */
static bool start_tls(struct cl_session *s, int64_t deadline_ms,
    struct cl_err *err)
{
	struct prim_buf b = { 0 };
	char id[CL_SESSION_ID_MAX];
	bool ok;

	cl_session_id(s, id);
	prim_command_put_request(&b, PRIM_METHOD_STARTTLS, s->family,
	    prim_slice_of(id), 0);
	prim_command_end(&b);
	ok = cl_session_ask(s, &b, id, deadline_ms, err);
	prim_buf_fini(&b);
	if (!ok)
		return false;
	if (s->command.code == PRIM_NOT_IMPLEMENTED && s->link.is_loopback)
		return true;
	if (s->command.code == PRIM_NOT_IMPLEMENTED)
		return cl_err_final(err,
		    "%s offers no TLS, so anybody on the way could read "
		    "along; that is only done on one's own machine",
		    s->options->host);
	if (s->command.code != PRIM_OK)
		return cl_err_set(err, "%s refuses TLS with %u",
		    s->options->host, s->command.code);
	/* What was said before TLS is not from whom we think. */
	if (unread(s) > 0)
		return cl_err_final(err,
		    "octets in clear text came after STARTTLS; somebody "
		    "tampers with the connection");
	return cl_link_secure(&s->link, s->options, deadline_ms, err);
}

static bool connect_securely(struct cl_session *s, int64_t deadline_ms,
    struct cl_err *err)
{
	const struct cl_options *o = s->options;

	if (!cl_link_open(&s->link, o, deadline_ms, err))
		return false;
	s->heard_ms = cl_link_now_ms();
	s->is_probing = false;
	if (o->plain && !s->link.is_loopback)
		return cl_err_final(err,
		    "--plain is only for a server on this machine, and %s is "
		    "not",
		    o->host);
	if (o->plain)
		return true;
	if (o->tls)
		return cl_link_secure(&s->link, o, deadline_ms, err);
	return start_tls(s, deadline_ms, err);
}

bool cl_session_open(struct cl_session *s, const struct cl_options *options,
    int64_t deadline_ms, struct cl_err *err)
{
	s->options = options;
	s->family = options->is_presence ? PRIM_FAMILY_PRIM_PR
					 : PRIM_FAMILY_PRIM_IM;
	s->link.fd = -1;
	if (connect_securely(s, deadline_ms, err)) {
		switch (cl_login(s, CL_LOGIN_SCRAM, deadline_ms, err)) {
		case CL_LOGIN_OK:
			return true;
		case CL_LOGIN_FAILED:
			break;
		case CL_LOGIN_WANTS_PLAIN:
			session_fini(s); /* PRIM-093: it is closed anyway */
			if (connect_securely(s, deadline_ms, err) &&
			    cl_login(s, CL_LOGIN_PLAIN, deadline_ms, err) ==
				CL_LOGIN_OK)
				return true;
			break;
		}
	}
	session_fini(s);
	return false;
}

void cl_session_close(struct cl_session *s)
{
	struct prim_buf b = { 0 };

	if (s->link.fd < 0)
		return;
	prim_command_put_request(&b, PRIM_METHOD_LOGOUT, s->family,
	    PRIM_SLICE("-"), 0);
	prim_command_end(&b);
	cl_link_write(&s->link, prim_buf_slice(&b), cl_link_now_ms() + 1000);
	prim_buf_fini(&b);
	session_fini(s);
}
