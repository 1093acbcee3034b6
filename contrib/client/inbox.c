/* SPDX-License-Identifier: ISC */
/* Receiving, and not giving up. */

#include "contrib/client/inbox.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>

#include "contrib/client/message.h"
#include "contrib/client/show.h"

#define PAUSE_MIN_MS 1000
#define PAUSE_MAX_MS 30000

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
	if (!cl_show_incoming(o, m)) {
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

/* One try, with its own deadline inside the whole's. */
static bool connect_once(struct cl_inbox *inbox, int64_t deadline_ms,
    struct cl_err *err)
{
	int64_t until_ms = cl_link_now_ms() + CL_SESSION_ANSWER_MS;

	if (until_ms > deadline_ms)
		until_ms = deadline_ms;
	if (cl_session_open(&inbox->session, inbox->options, until_ms, err) &&
	    listen_now(inbox, until_ms, err))
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
	if (!connect_once(inbox, deadline_ms, err))
		return false;
	remark(inbox);
	return true;
}

/* Between 3/4 and 5/4 of it, so that not everybody comes back at once. */
static int64_t jitter(int64_t ms)
{
	uint32_t random = 0;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		abort();
	return ms * 3 / 4 + random % (ms / 2);
}

static void pause_until(int64_t until_ms)
{
	int64_t left;

	while ((left = until_ms - cl_link_now_ms()) > 0)
		poll(NULL, 0, (int)left);
}

bool cl_inbox_reopen(struct cl_inbox *inbox, int64_t deadline_ms,
    struct cl_err *err)
{
	int64_t pause_ms = PAUSE_MIN_MS;

	while (!err->is_final) {
		int64_t until_ms = cl_link_now_ms() + jitter(pause_ms);

		if (until_ms >= deadline_ms)
			return false;
		if (!inbox->options->quiet)
			cl_err_note("%s; trying again", err->text);
		pause_until(until_ms);
		if (connect_once(inbox, deadline_ms, err)) {
			remark(inbox);
			return true;
		}
		pause_ms *= 2;
		if (pause_ms > PAUSE_MAX_MS)
			pause_ms = PAUSE_MAX_MS;
	}
	return false;
}

void cl_inbox_close(struct cl_inbox *inbox)
{
	cl_session_close(&inbox->session);
}
