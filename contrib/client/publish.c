/* SPDX-License-Identifier: ISC */
/* prim publish: how the user is, for as long as the program runs. */

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <jansson.h>

#include "contrib/client/commands.h"
#include "contrib/client/message.h"
#include "contrib/client/retry.h"
#include "contrib/client/session.h"
#include "contrib/client/show.h"
#include "prim/base.h"
#include "prim/pidf.h"

#define LEASE_S      300
#define LEASE_MAX    4294967295U
#define RENEW_AT_MS  500 /* of each second granted */
#define RENEW_MIN_MS 1000

struct publish {
	const struct cl_options *options; /* borrowed */
	struct cl_session session;
	struct prim_buf body; /* the document */
	sigset_t leaving;     /* the signals that end us */
	int signals;          /* owned: where they come in, or -1 */
	uint64_t lease_s;     /* as granted */
	int64_t renew_ms;
	int64_t deadline_ms;
	bool is_told; /* "published" was printed */
};

/* ---- the document ---- */

static unsigned activity_of(const char *show)
{
	if (!show || strcmp(show, "chat") == 0)
		return 0;
	if (strcmp(show, "dnd") == 0)
		return PRIM_ACTIVITY_BUSY;
	return strcmp(show, "xa") == 0 ? PRIM_ACTIVITY_XA : PRIM_ACTIVITY_AWAY;
}

static void make_body(struct publish *p)
{
	const struct cl_options *o = p->options;
	struct prim_pidf *pidf = prim_new(struct prim_pidf);
	struct prim_pidf_tuple *t = pidf->tuples;
	struct prim_buf contact = { 0 };

	prim_buf_puts(&contact, "im:");
	prim_buf_puts(&contact, o->user);
	pidf->entity = prim_slice_of(o->from);
	pidf->activities = activity_of(o->show);
	pidf->idle_since_ms = PRIM_PIDF_NO_TIME;
	pidf->tuple_count = 1;
	t->id = prim_slice_of(o->tuple);
	t->basic = o->open ? PRIM_BASIC_OPEN : PRIM_BASIC_CLOSED;
	t->has_status = true;
	t->show = prim_slice_of(o->show);
	t->contact = prim_buf_slice(&contact);
	t->priority = PRIM_PIDF_NO_PRIORITY;
	t->idle_since_ms = PRIM_PIDF_NO_TIME;
	t->timestamp_ms = cl_message_wall_ms();
	if (o->note && *o->note) {
		t->note_count = 1;
		t->notes[0].text = prim_slice_of(o->note);
	}
	prim_pidf_put(&p->body, pidf);
	prim_buf_fini(&contact);
	prim_pidf_fini(pidf);
	prim_free(pidf);
}

/* ---- PUBLISH ---- */

static const struct {
	unsigned code;
	const char *why;
} REFUSALS[] = {
	{PRIM_BAD_REQUEST,         "the server takes no such presence"     },
	{ PRIM_FORBIDDEN,          "you may not publish here"              },
	{ PRIM_NOT_FOUND,          "the server does not know you"          },
	{ PRIM_ASTRENGTH_TOO_WEAK, "it is not sure enough that you are you"},
	{ PRIM_NOT_IMPLEMENTED,    "the server does no presence"           },
};

static bool refused(unsigned code, struct cl_err *err)
{
	for (size_t i = 0; i < PRIM_COUNT(REFUSALS); i++) {
		if (REFUSALS[i].code == code)
			return cl_err_final(err, "not published: %s (%u)",
			    REFUSALS[i].why, code);
	}
	if (code / 100 == 5 || code == PRIM_TIMEOUT)
		return cl_err_set(err, "not published: %s (%u)",
		    prim_status_phrase(code), code);
	return cl_err_final(err, "not published: %s (%u)",
	    prim_status_phrase(code), code);
}

/* ERR-98: a revert may find nothing: another client has taken it back, or it has
 * ended. It is not there, which is all that was wanted. */
static bool is_good(const char *type, unsigned code)
{
	return code / 100 == 2 ||
	    (code == PRIM_NOT_FOUND && strcmp(type, "revert") == 0);
}

/* Publishes `type` and waits for the answer, which is good. */
static bool ask(struct publish *p, const char *type, int64_t deadline_ms,
    struct cl_err *err)
{
	struct cl_session *s = &p->session;
	bool has_body = strcmp(type, "revert") != 0;
	bool ok;
	struct prim_buf b = { 0 };
	char id[CL_SESSION_ID_MAX];

	cl_session_id(s, id);
	prim_command_put_request(&b, PRIM_METHOD_PUBLISH, s->family,
	    prim_slice_of(id), has_body ? p->body.len : 0);
	prim_command_put_header(&b, PRIM_HEADER_FROM,
	    prim_slice_of(p->options->from));
	prim_command_put_header(&b, PRIM_HEADER_PI_TYPE, prim_slice_of(type));
	if (has_body && !p->options->permanent)
		prim_buf_putf(&b, "Duration: %" PRIu64 "\r\n",
		    p->options->lease_s ? p->options->lease_s : LEASE_S);
	prim_command_put_header(&b, PRIM_HEADER_TUPLE_ID,
	    prim_slice_of(p->options->tuple));
	if (has_body)
		prim_command_put_header(&b, PRIM_HEADER_CONTENT_TYPE,
		    PRIM_SLICE("application/pidf+xml"));
	prim_command_end(&b);
	if (has_body)
		prim_buf_put(&b, prim_buf_slice(&p->body));
	ok = cl_session_ask(s, &b, id, deadline_ms, err);
	prim_buf_fini(&b);
	return ok &&
	    (is_good(type, s->command.code) || refused(s->command.code, err));
}

/* PRIM-217: the lease may be shorter than asked for. */
static void take_lease(struct publish *p)
{
	int64_t wait_ms;

	p->lease_s = p->options->lease_s ? p->options->lease_s : LEASE_S;
	prim_slice_number(prim_command_get(&p->session.command,
			      PRIM_HEADER_DURATION),
	    LEASE_MAX, &p->lease_s);
	wait_ms = (int64_t)p->lease_s * RENEW_AT_MS;
	if (wait_ms < RENEW_MIN_MS)
		wait_ms = RENEW_MIN_MS;
	p->renew_ms = cl_link_now_ms() + wait_ms;
}

static bool tell(struct publish *p, struct cl_err *err)
{
	bool ok;

	if (p->is_told) {
		if (!p->options->quiet)
			cl_err_note("published again");
		return true;
	}
	p->is_told = true;
	if (p->options->json) {
		ok = cl_show_json(json_pack("{s:s, s:i}", "event", "published",
		    "code", (int)p->session.command.code));
	} else {
		puts("published");
		ok = cl_show_flush();
	}
	return ok || cl_err_final(err, "standard output takes nothing more");
}

/* ---- while it lasts ---- */

/* Only while there is a lease to take back do signals wait for us. */
static void hold_signals(struct publish *p, bool hold)
{
	if (p->signals >= 0)
		sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &p->leaving, NULL);
}

static bool connect_once(void *arg, int64_t deadline_ms, struct cl_err *err)
{
	struct publish *p = arg;
	const char *type = p->options->permanent ? "permanent" : "leased";

	if (cl_session_open(&p->session, p->options, deadline_ms, err)) {
		hold_signals(p, true);
		if (ask(p, type, deadline_ms, err)) {
			take_lease(p);
			if (tell(p, err))
				return true;
		}
	}
	cl_session_close(&p->session);
	hold_signals(p, false);
	return false;
}

static bool reconnect(struct publish *p, struct cl_err *err)
{
	struct cl_retry retry = {
		.once = connect_once,
		.arg = p,
		.is_quiet = p->options->quiet,
		.deadline_ms = p->deadline_ms,
	};

	hold_signals(p, false);
	return cl_retry_again(&retry, err);
}

/* ERR-97: with its document a renewal is good for a lease that ended, too. */
static bool renew(struct publish *p, struct cl_err *err)
{
	int64_t until_ms = cl_link_now_ms() + CL_SESSION_ANSWER_MS;

	if (ask(p, "renew", until_ms, err)) {
		take_lease(p);
		return true;
	}
	cl_session_close(&p->session);
	return reconnect(p, err);
}

/* Takes the lease back, so that leaving shows at once. */
static bool leave(struct publish *p, struct cl_err *err)
{
	int64_t until_ms = cl_link_now_ms() + CL_SESSION_ANSWER_MS;

	if (ask(p, "revert", until_ms, err)) {
		if (!p->options->quiet)
			cl_err_note(p->session.command.code == PRIM_NOT_FOUND
				? "nothing was left to take back"
				: "taken back");
		return true;
	}
	cl_err_note("%s", err->text);
	return cl_err_final(err,
	    "what was published ends by itself within %" PRIu64 " seconds",
	    p->lease_s);
}

/* Until a signal or the deadline. */
static bool stay(struct publish *p, struct cl_err *err)
{
	for (;;) {
		int64_t due_ms = p->renew_ms < p->deadline_ms ? p->renew_ms
							      : p->deadline_ms;

		switch (cl_session_next(&p->session, p->signals, due_ms, err)) {
		case CL_SESSION_INPUT:
			return leave(p, err);
		case CL_SESSION_TIMEOUT:
			if (cl_link_now_ms() >= p->deadline_ms)
				return leave(p, err);
			if (!renew(p, err))
				return false;
			break;
		case CL_SESSION_LOST:
			if (!reconnect(p, err))
				return false;
			break;
		case CL_SESSION_RESPONSE:
		case CL_SESSION_REQUEST:
			break;
		}
	}
}

static bool watch_signals(struct publish *p, struct cl_err *err)
{
	sigemptyset(&p->leaving);
	sigaddset(&p->leaving, SIGINT);
	sigaddset(&p->leaving, SIGTERM);
	sigaddset(&p->leaving, SIGHUP);
	p->signals = signalfd(-1, &p->leaving, SFD_CLOEXEC | SFD_NONBLOCK);
	return p->signals >= 0 ||
	    cl_err_final(err, "no signals here: %s", strerror(errno));
}

static bool publish(struct publish *p, struct cl_err *err)
{
	make_body(p);
	if (p->options->permanent)
		return cl_retry_first(connect_once, p, p->deadline_ms, err);
	return watch_signals(p, err) &&
	    cl_retry_first(connect_once, p, p->deadline_ms, err) &&
	    stay(p, err);
}

int cl_publish_run(const struct cl_options *options)
{
	struct publish *p = prim_new(struct publish);
	struct cl_err err = { .is_final = false };
	bool ok;

	p->options = options;
	p->session.link.fd = -1;
	p->signals = -1;
	p->deadline_ms = INT64_MAX;
	if (options->timeout_ms > 0)
		p->deadline_ms = cl_link_now_ms() + options->timeout_ms;
	ok = publish(p, &err);
	if (!ok)
		cl_err_note("%s", err.text);
	cl_session_close(&p->session);
	if (p->signals >= 0)
		close(p->signals);
	prim_buf_fini(&p->body);
	prim_free(p);
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
