/* SPDX-License-Identifier: ISC */
/* The adapter of a world that is played at random. */

#include "tests/bridge/world_far.h"

#include <stdio.h>
#include <string.h>

#include "bridge/host_private.h"
#include "prim/base.h"
#include "tests/talk/adapter.h"

#define WHEN "Date: Mon, 29 Oct 2001 12:00:00 +0000\r\nAStrength: medium\r\n"

void far_init(struct far *f, struct play *p)
{
	*f = (struct far){ .conn = &p->world.conns[TALK_ENDS - 1] };
}

static bool host_is_up(const struct br_host *h)
{
	return h->phase != HOST_DYING && h->phase != HOST_STOPPED;
}

bool far_is_up(const struct far *f)
{
	return f->conn->host && host_is_up(f->conn->host) &&
	    !f->conn->host->link.closed;
}

static void say(struct far *f, const struct play *p, struct prim_buf *b)
{
	play_trace(p, "adapter says ", 0, prim_buf_slice(b));
	if (far_is_up(f))
		talk_conn_put(f->conn, prim_buf_slice(b));
	prim_buf_fini(b);
}

/* ---- coming and going ---- */

static void forget(struct far *f)
{
	f->conn->in.len = f->conn->taken = 0;
	f->asked_count = f->number = 0;
	/* What it said counts no more after a while. */
	for (unsigned i = 0; i < FAR_WATCHED; i++)
		f->watched[i].is_told = false;
}

void far_come(struct far *f, struct play *p)
{
	struct prim_buf b = { 0 };

	if (p->world.server->hosts[0]->phase != HOST_STOPPED)
		return;
	forget(f);
	f->conn->host = NULL;
	if (!talk_adapter_open(&p->world, f->conn, PRIM_SLICE("far")))
		return;
	prim_buf_puts(&b,
	    "PRIM/1.0 1 0 200 OK\r\n\r\n"
	    "READY PRIM/1.0 - 0\r\n\r\n"
	    "WINDOW PRIM/1.0 - 0\r\nWindow: 9\r\n\r\n");
	say(f, p, &b);
}

void far_die(struct far *f)
{
	if (f->conn->host)
		talk_adapter_close(f->conn);
	forget(f);
}

/* ---- asking ---- */

static struct far_asked *asked_new(struct far *f, enum prim_method method)
{
	struct far_asked *a = &f->asked[f->asked_count++];

	*a = (struct far_asked){ .number = ++f->number, .method = method };
	return a;
}

void far_ask(struct far *f, struct play *p, enum prim_method method,
    int64_t seconds)
{
	struct prim_buf b = { 0 };
	struct far_asked *a;

	if (!far_is_up(f) || f->asked_count == FAR_ASKED)
		return;
	a = asked_new(f, method);
	a->user = play_below(p, FAR_USERS);
	a->id = play_below(p, FAR_IDS);
	a->target = play_below(p, PLAY_PEOPLE);
	if (method == PRIM_METHOD_SUBSCRIBE)
		f->watchers[a->user][a->id][a->target].is_over = false;
	prim_buf_putf(&b, "%.*s PRIM/1.0 %u 0\r\n",
	    PRIM_SLICE_ARG(prim_method_info(method)->name), a->number);
	prim_buf_putf(&b,
	    "From: pres:x%u@far.example\r\nTo: pres:%s\r\n" WHEN
	    "Subscription-ID: s%u\r\n",
	    a->user, play_address(a->target), a->id);
	if (method == PRIM_METHOD_SUBSCRIBE)
		prim_buf_putf(&b, "Duration: %lld\r\n", (long long)seconds);
	prim_buf_puts(&b, "\r\n");
	say(f, p, &b);
}

unsigned far_tell(struct far *f, struct play *p, unsigned i, bool is_end)
{
	const struct far_watched *w = &f->watched[i];
	struct prim_buf b = { 0 }, body = { 0 };
	struct far_asked *a;

	if (!far_is_up(f) || f->asked_count == FAR_ASKED)
		return 0;
	a = asked_new(f, PRIM_METHOD_NOTIFY);
	a->watched = i;
	a->value = is_end ? 0 : ++p->number;
	if (!is_end)
		play_put_document(&body, w->target, a->value);
	prim_buf_putf(&b, "NOTIFY PRIM/1.0 %u %zu\r\n", a->number, body.len);
	prim_buf_putf(&b,
	    "From: pres:%s\r\nTo: pres:%s\r\n" WHEN "Subscription-ID: %s\r\n",
	    play_address(w->target), play_address(w->who), w->id);
	prim_buf_puts(&b,
	    is_end ? "Duration: 0\r\n\r\n"
		   : "Content-Type: application/pidf+xml\r\n\r\n");
	prim_buf_put(&b, prim_buf_slice(&body));
	prim_buf_fini(&body);
	say(f, p, &b);
	return a->value;
}

unsigned far_find(const struct far *f, struct prim_slice id)
{
	unsigned i = 0;

	while (i < FAR_WATCHED &&
	    !prim_slice_eq(prim_slice_of(f->watched[i].id), id))
		i++;
	return i;
}

struct far_watcher *far_watcher(struct far *f, struct prim_slice address,
    unsigned target, struct prim_slice id)
{
	char name[32];

	for (unsigned user = 0; user < FAR_USERS; user++) {
		(void)snprintf(name, sizeof(name), "pres:x%u@far.example",
		    user);
		if (!prim_slice_eq(address, prim_slice_of(name)))
			continue;
		for (unsigned k = 0; k < FAR_IDS; k++) {
			(void)snprintf(name, sizeof(name), "s%u", k);
			if (prim_slice_eq(id, prim_slice_of(name)))
				return target < PLAY_PEOPLE
				    ? &f->watchers[user][k][target]
				    : NULL;
		}
	}
	return NULL;
}

/* ---- hearing answers ---- */

static struct far_asked take_asked(struct far *f, struct play *p,
    struct prim_slice id)
{
	struct far_asked a;
	uint64_t number = 0;
	unsigned i = 0;

	(void)prim_slice_number(id, UINT32_MAX, &number);
	while (i < f->asked_count && f->asked[i].number != number)
		i++;
	play_expect(p, i < f->asked_count, "the adapter was answered twice");
	a = f->asked[i];
	f->asked_count--;
	memmove(&f->asked[i], &f->asked[i + 1],
	    (f->asked_count - i) * sizeof(a));
	return a;
}

static bool is_asked(const struct far *f, const struct far_asked *about)
{
	for (unsigned i = 0; i < f->asked_count; i++) {
		const struct far_asked *a = &f->asked[i];

		if (a->method == PRIM_METHOD_SUBSCRIBE &&
		    a->user == about->user && a->id == about->id &&
		    a->target == about->target)
			return true;
	}
	return false;
}

static void on_answer(struct far *f, struct play *p,
    const struct prim_command *cmd)
{
	const struct far_asked a = take_asked(f, p, cmd->id);

	p->answers++;
	if (a.method == PRIM_METHOD_NOTIFY && cmd->code == PRIM_OK) {
		f->watched[a.watched].is_told = a.value != 0;
		f->watched[a.watched].value = a.value;
	}
	if (a.method == PRIM_METHOD_UNSUBSCRIBE && cmd->code == PRIM_OK &&
	    !is_asked(f, &a))
		f->watchers[a.user][a.id][a.target].is_over = true;
}

/* ---- hearing requests ---- */

/* With what lies, refusals and adjustments are answered, too. */
static const char *choose(struct play *p, bool has_duration)
{
	static const char *const LIES[] = { "402 Forbidden",
		"403 Resource Not Found", "404 Subscription Not Found",
		"500 Internal Error", "504 Gateway Timeout", "" };

	if (play_may(p, PLAY_LYING, 3))
		return LIES[play_below(p, PRIM_COUNT(LIES))];
	return has_duration && play_below(p, 4) == 0 ? "201 Duration Adjusted"
						     : "200 OK";
}

static void answer(struct far *f, struct play *p,
    const struct prim_command *cmd, bool has_duration)
{
	const char *what = choose(p, has_duration);
	struct prim_buf b = { 0 };

	if (what[0] == '\0' || prim_slice_eq(cmd->id, PRIM_SLICE("-")))
		return;
	prim_buf_putf(&b, "PRIM/1.0 %.*s 0 %s\r\n", PRIM_SLICE_ARG(cmd->id),
	    what);
	if (prim_slice_starts(prim_slice_of(what), PRIM_SLICE("201")))
		prim_buf_puts(&b, "Duration: 5\r\n");
	prim_buf_puts(&b, "\r\n");
	say(f, p, &b);
}

static void remember(struct far *f, struct play *p,
    const struct prim_command *cmd)
{
	struct prim_slice id = prim_command_get(cmd,
	    PRIM_HEADER_SUBSCRIPTION_ID);
	unsigned who = play_target(prim_command_get(cmd, PRIM_HEADER_FROM));
	unsigned target = play_target(prim_command_get(cmd, PRIM_HEADER_TO));
	struct far_watched *w;

	play_expect(p,
	    who < PLAY_PEOPLE && target >= PLAY_FAR && target < PLAY_NOBODY &&
		id.len < FAR_ID_MAX,
	    "the adapter is asked what is not its business");
	if (far_find(f, id) < FAR_WATCHED)
		return;
	w = &f->watched[f->watched_count++ % FAR_WATCHED];
	*w = (struct far_watched){ .who = who, .target = target };
	memcpy(w->id, id.ptr, id.len);
}

static void on_notify(struct far *f, struct play *p,
    const struct prim_command *cmd)
{
	struct far_watcher *w = far_watcher(f,
	    prim_command_get(cmd, PRIM_HEADER_TO),
	    play_target(prim_command_get(cmd, PRIM_HEADER_FROM)),
	    prim_command_get(cmd, PRIM_HEADER_SUBSCRIPTION_ID));

	p->notifies++;
	play_expect(p, w, "a NOTIFY for nobody");
	play_expect(p, !w->is_over,
	    "a NOTIFY to the adapter after UNSUBSCRIBE was answered");
	w->is_shown = true;
	play_read(p, cmd->body, &w->shown);
}

static void on_request(struct far *f, struct play *p,
    const struct prim_command *cmd)
{
	bool asks = cmd->method == PRIM_METHOD_SUBSCRIBE;

	if (cmd->method == PRIM_METHOD_CONFIG)
		return; /* answered when it came */
	if (asks)
		remember(f, p, cmd);
	if (cmd->method == PRIM_METHOD_NOTIFY)
		on_notify(f, p, cmd);
	answer(f, p, cmd, asks);
}

void far_hear(struct far *f, struct play *p)
{
	static struct prim_command cmd; /* large */

	while (far_is_up(f) && play_next(f->conn, &cmd)) {
		p->heard++;
		play_trace(p, "adapter hears ", 0, cmd.head);
		if (cmd.is_response)
			on_answer(f, p, &cmd);
		else
			on_request(f, p, &cmd);
	}
}
