/* SPDX-License-Identifier: ISC */
/* prim watch: how others are, as it changes. */

#include <stdlib.h>

#include "contrib/client/commands.h"
#include "contrib/client/contact.h"
#include "contrib/client/retry.h"
#include "prim/base.h"

#define WINDOW 32 /* SUBSCRIBEs under way */

struct watch {
	const struct cl_options *options; /* borrowed */
	struct cl_session session;
	struct cl_contact *contacts; /* owned */
	size_t count;
	struct prim_pidf *pidf; /* owned: the one that is looked at */
	uint64_t shown;         /* changes printed */
	bool output_failed;
	int64_t deadline_ms;
};

static struct cl_contact *find(struct watch *w, struct prim_slice address)
{
	for (size_t i = 0; i < w->count; i++) {
		if (cl_contact_is(&w->contacts[i], address))
			return &w->contacts[i];
	}
	return NULL;
}

/* ---- what comes in ---- */

static void show(struct watch *w, struct cl_contact *c)
{
	bool ok;

	if (cl_contact_show(c, w->options, w->pidf, &ok))
		w->shown++;
	if (!ok)
		w->output_failed = true;
}

/* PRIM-189: what cannot be read is told, and what is no presence document at
 * all is the sender's fault. */
static unsigned take_state(struct watch *w, struct cl_contact *c,
    const struct prim_command *command)
{
	struct prim_slice type = prim_command_get(command,
	    PRIM_HEADER_CONTENT_TYPE);
	const char *why = "";

	if (cl_state_read(w->pidf, command, &why)) {
		show(w, c);
		return PRIM_OK;
	}
	cl_err_note("the presence of %s cannot be shown: %s", c->address, why);
	switch (prim_presence_type_of(type)) {
	case PRIM_PRESENCE_OTHER:
	case PRIM_PRESENCE_SECURED:
		return PRIM_OK;
	case PRIM_PRESENCE_PIDF:
	case PRIM_PRESENCE_NATIVE:
	case PRIM_PRESENCE_MIXED:
	case PRIM_PRESENCE_CPIM:
		break;
	}
	return PRIM_BAD_REQUEST;
}

/* Who was not asked for here may have been asked for by another client of the
 * user, which a 403 would cost the subscription (ERR-89). */
static unsigned on_request(void *arg, const struct prim_command *command)
{
	struct watch *w = arg;
	struct cl_contact *c = find(w,
	    prim_command_get(command, PRIM_HEADER_FROM));

	if (!c || c->is_refused)
		return PRIM_OK;
	if (w->output_failed)
		return PRIM_INTERNAL_ERROR;
	if (command->method == PRIM_METHOD_NOTIFY)
		return take_state(w, c, command);
	if (!cl_contact_cancel(c, w->options))
		w->output_failed = true;
	w->shown++;
	return PRIM_OK;
}

static void take_answer(struct watch *w)
{
	const struct prim_command *command = &w->session.command;

	for (size_t i = 0; i < w->count; i++) {
		struct cl_contact *c = &w->contacts[i];

		if (!c->id[0] ||
		    !prim_slice_eq(command->id, prim_slice_of(c->id)))
			continue;
		if (cl_contact_answer(c, &w->session))
			take_state(w, c, command);
		return;
	}
}

/* ---- what is to be done ---- */

static bool subscribe(struct watch *w, struct cl_err *err)
{
	int64_t now_ms = cl_link_now_ms();
	unsigned waiting = 0;

	for (size_t i = 0; i < w->count; i++) {
		/* Who gave no answer is asked again. */
		if (w->contacts[i].due_ms <= now_ms)
			w->contacts[i].id[0] = '\0';
		waiting += w->contacts[i].id[0] != '\0';
	}
	for (size_t i = 0; i < w->count && waiting < WINDOW; i++) {
		if (w->contacts[i].due_ms > now_ms)
			continue;
		if (!cl_contact_ask(&w->contacts[i], &w->session, err))
			return false;
		waiting++;
	}
	return true;
}

/* When something is to be done again, while there is room in the window. */
static int64_t next_due(const struct watch *w)
{
	int64_t due_ms = w->deadline_ms;
	int64_t now_ms = cl_link_now_ms();

	for (size_t i = 0; i < w->count; i++) {
		int64_t its_ms = w->contacts[i].due_ms;

		if (its_ms > now_ms && its_ms < due_ms)
			due_ms = its_ms;
	}
	return due_ms;
}

static bool is_hopeless(const struct watch *w)
{
	for (size_t i = 0; i < w->count; i++) {
		if (!w->contacts[i].is_refused)
			return false;
	}
	return true;
}

static bool is_done(const struct watch *w)
{
	return w->options->count > 0 && w->shown >= w->options->count;
}

/* ---- the whole ---- */

static bool connect_once(void *arg, int64_t deadline_ms, struct cl_err *err)
{
	struct watch *w = arg;

	if (!cl_session_open(&w->session, w->options, deadline_ms, err))
		return false;
	for (size_t i = 0; i < w->count; i++)
		cl_contact_restart(&w->contacts[i]);
	if (!w->options->quiet)
		cl_err_note("watching as %s", w->options->user);
	return true;
}

static bool reconnect(struct watch *w, struct cl_err *err)
{
	struct cl_retry retry = {
		.once = connect_once,
		.arg = w,
		.is_quiet = w->options->quiet,
		.deadline_ms = w->deadline_ms,
	};

	return cl_retry_again(&retry, err);
}

/* One event. False: the end; `err` says why unless the time is over. */
static bool turn(struct watch *w, struct cl_err *err)
{
	if (!subscribe(w, err))
		return reconnect(w, err);
	switch (cl_session_next(&w->session, -1, next_due(w), err)) {
	case CL_SESSION_RESPONSE:
		take_answer(w);
		break;
	case CL_SESSION_LOST:
		return reconnect(w, err);
	case CL_SESSION_TIMEOUT:
		return cl_link_now_ms() < w->deadline_ms;
	case CL_SESSION_REQUEST:
	case CL_SESSION_INPUT:
		break;
	}
	if (w->output_failed)
		return cl_err_final(err, "standard output takes nothing more");
	return !is_hopeless(w) ||
	    cl_err_final(err, "nobody is left to be watched");
}

static int watch_all(struct watch *w)
{
	struct cl_err err = { .is_final = false };
	bool ok = cl_retry_first(connect_once, w, w->deadline_ms, &err);

	if (!ok)
		err.is_final = true;
	while (ok && !is_done(w))
		ok = turn(w, &err);
	if (err.is_final) {
		cl_err_note("%s", err.text);
		return EXIT_FAILURE;
	}
	if (ok || w->options->count == 0)
		return EXIT_SUCCESS;
	cl_err_note("the time is over and not all changes came");
	return EXIT_FAILURE;
}

int cl_watch_run(const struct cl_options *options)
{
	struct watch *w = prim_new(struct watch);
	int code;

	w->options = options;
	w->count = options->watched_count;
	w->contacts = prim_alloc(w->count * sizeof(*w->contacts));
	w->pidf = prim_new(struct prim_pidf);
	w->deadline_ms = INT64_MAX;
	if (options->timeout_ms > 0)
		w->deadline_ms = cl_link_now_ms() + options->timeout_ms;
	for (size_t i = 0; i < w->count; i++)
		cl_contact_init(&w->contacts[i], options->watched[i]);
	w->session.link.fd = -1;
	w->session.on_request = on_request;
	w->session.arg = w;
	code = watch_all(w);
	cl_session_close(&w->session);
	for (size_t i = 0; i < w->count; i++)
		cl_contact_fini(&w->contacts[i]);
	prim_free(w->contacts);
	prim_pidf_fini(w->pidf);
	prim_free(w->pidf);
	prim_free(w);
	return code;
}
