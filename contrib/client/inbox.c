/* SPDX-License-Identifier: ISC */
/* Receiving, and not giving up. */

#include "contrib/client/inbox.h"

#include "contrib/client/message.h"
#include "contrib/client/notice.h"
#include "contrib/client/retry.h"
#include "contrib/client/show.h"

/* A message we have not printed yet. */
static unsigned take_new(struct cl_inbox *inbox, const struct prim_command *c,
    const struct cl_incoming *m)
{
	const struct cl_options *o = inbox->options;

	if (m->kind == CL_MESSAGE_BROKEN) {
		cl_err_note("a message from %.*s is damaged; refused (400)",
		    PRIM_SLICE_ARG(m->from));
		return PRIM_BAD_REQUEST;
	}
	if (m->kind == CL_MESSAGE_OPAQUE && !o->json) {
		cl_err_note("a message from %.*s is no text but %.*s and "
			    "cannot be shown; refused (501)",
		    PRIM_SLICE_ARG(m->from), PRIM_SLICE_ARG(m->type));
		return PRIM_NOT_IMPLEMENTED;
	}
	if (m->kind == CL_MESSAGE_NOTICE ? !cl_notice_show(o, m)
					 : !cl_show_incoming(o, m)) {
		inbox->output_failed = true;
		return PRIM_INTERNAL_ERROR;
	}
	cl_seen_put(&inbox->seen, c);
	inbox->shown++;
	return PRIM_OK;
}

static unsigned on_request(void *arg, const struct prim_command *c)
{
	struct cl_inbox *inbox = arg;
	struct cl_incoming m;
	unsigned code;

	if (cl_seen_find(&inbox->seen, c))
		return PRIM_OK;
	/* It may come again to somebody who can print it. */
	if (inbox->output_failed)
		return PRIM_INTERNAL_ERROR;
	cl_message_read(c, &m);
	code = take_new(inbox, c, &m);
	cl_message_fini(&m);
	return code;
}

static bool listen_now(struct cl_inbox *inbox, int64_t deadline_ms,
    struct cl_err *err)
{
	struct cl_session *s = &inbox->session;
	struct prim_buf b = { 0 };
	char id[CL_SESSION_ID_MAX];
	bool ok;

	cl_session_id(s, id);
	prim_command_put_request(&b, PRIM_METHOD_LISTEN, PRIM_FAMILY_PRIM_IM,
	    prim_slice_of(id), 0);
	prim_command_put_header(&b, PRIM_HEADER_FROM,
	    prim_slice_of(inbox->options->from));
	prim_command_end(&b);
	ok = cl_session_ask(s, &b, id, deadline_ms, err);
	prim_buf_fini(&b);
	if (!ok)
		return false;
	if (s->command.code == PRIM_OK)
		return true;
	return cl_err_final(err, "%s does not let %s listen: %u %s",
	    inbox->options->host, inbox->options->user, s->command.code,
	    prim_status_phrase(s->command.code));
}

static bool connect_once(void *arg, int64_t deadline_ms, struct cl_err *err)
{
	struct cl_inbox *inbox = arg;

	if (cl_session_open(&inbox->session, inbox->options, deadline_ms,
		err) &&
	    listen_now(inbox, deadline_ms, err))
		return true;
	cl_session_close(&inbox->session);
	return false;
}

static void remark(const struct cl_inbox *inbox)
{
	if (!inbox->options->quiet)
		cl_err_note("listening as %s", inbox->options->user);
}

bool cl_inbox_open(struct cl_inbox *inbox, const struct cl_options *options,
    int64_t deadline_ms, struct cl_err *err)
{
	inbox->options = options;
	cl_seen_init(&inbox->seen);
	inbox->session.on_request = on_request;
	inbox->session.arg = inbox;
	if (!cl_retry_first(connect_once, inbox, deadline_ms, err))
		return false;
	remark(inbox);
	return true;
}

bool cl_inbox_reopen(struct cl_inbox *inbox, int64_t deadline_ms,
    struct cl_err *err)
{
	struct cl_retry retry = {
		.once = connect_once,
		.arg = inbox,
		.is_quiet = inbox->options->quiet,
		.deadline_ms = deadline_ms,
	};

	if (!cl_retry_again(&retry, err))
		return false;
	remark(inbox);
	return true;
}

void cl_inbox_close(struct cl_inbox *inbox)
{
	cl_session_close(&inbox->session);
}
