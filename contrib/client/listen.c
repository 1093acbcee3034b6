/* SPDX-License-Identifier: ISC */
/* prim listen: what comes in, as it comes in. */

#include <stdlib.h>

#include "contrib/client/commands.h"
#include "contrib/client/inbox.h"
#include "prim/base.h"

static bool is_done(const struct cl_inbox *inbox)
{
	return inbox->options->count > 0 &&
	    inbox->shown >= inbox->options->count;
}

static int fail(const char *why)
{
	cl_err_note("%s", why);
	return EXIT_FAILURE;
}

static int time_is_over(const struct cl_options *options)
{
	if (options->count == 0)
		return EXIT_SUCCESS;
	return fail("the time is over and not all messages came");
}

static int listen_on(struct cl_inbox *inbox, int64_t deadline_ms)
{
	struct cl_err err = { .is_final = false };

	if (!cl_inbox_open(inbox, inbox->options, deadline_ms, &err))
		return fail(err.text);
	while (!is_done(inbox)) {
		if (inbox->output_failed)
			return fail("standard output takes nothing more");
		switch (cl_session_next(&inbox->session, -1, deadline_ms,
		    &err)) {
		case CL_SESSION_TIMEOUT:
			return time_is_over(inbox->options);
		case CL_SESSION_LOST:
			if (cl_inbox_reopen(inbox, deadline_ms, &err))
				break;
			if (err.is_final)
				return fail(err.text);
			return time_is_over(inbox->options);
		case CL_SESSION_RESPONSE:
		case CL_SESSION_REQUEST:
		case CL_SESSION_INPUT:
			break;
		}
	}
	return EXIT_SUCCESS;
}

int cl_listen_run(const struct cl_options *options)
{
	struct cl_inbox *inbox = prim_new(struct cl_inbox);
	int64_t deadline_ms = INT64_MAX;
	int code;

	if (options->timeout_ms > 0)
		deadline_ms = cl_link_now_ms() + options->timeout_ms;
	inbox->options = options;
	inbox->session.link.fd = -1;
	code = listen_on(inbox, deadline_ms);
	cl_inbox_close(inbox);
	prim_free(inbox);
	return code;
}
