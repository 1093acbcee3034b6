/* SPDX-License-Identifier: ISC */
#ifndef TESTS_ADAPTERS_XMPP_FAKE_BRIDGE_H
#define TESTS_ADAPTERS_XMPP_FAKE_BRIDGE_H

/*
 * The bridge as the adapter sees it, made of a list of what was said to it and
 * a clock that is turned by hand. To be included by one file of a test program.
 *
 * Questions of LINK are answered from the loop, in their order, unless `mute`.
 */

#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bridge/adapter.h"
#include "prim/base.h"
#include "prim/buf.h"

#define FAKE_LINKS BRIDGE_LINK_MAX

struct fake_question {
	char *address; /* owned */
	uint64_t cookie;
};

struct bridge {
	struct event_base *base;
	int64_t now_ms;
	struct prim_buf said; /* window, report, submit, ready; one a line */
	struct prim_buf log;
	struct prim_buf token; /* of the last submission */
	struct prim_buf body;
	bool full; /* refuse submissions */
	unsigned submissions;
	struct prim_buf
	    presence; /* subscribe, unsubscribe, notify; one a line */
	struct prim_buf document; /* of the last notify */
	struct prim_buf id;       /* of the last subscribe */
	unsigned room;            /* for presence */
	const char *routed;       /* the one domain that is routed; NULL: all */

	void *state;        /* the plugin's, who hears of links */
	const char *linked; /* the address that is linked; NULL: none */
	const char *owner;  /* ... to this principal */
	bool mute;          /* do not answer LINK */
	bool deaf;          /* refuse LINK */
	struct fake_question questions[FAKE_LINKS]; /* unanswered */
	unsigned question_count;
	unsigned asked;           /* ever */
	struct prim_buf original; /* of the last submission */
	unsigned hops;            /* the same */
};

struct event_base *bridge_base(struct bridge *b)
{
	return b->base;
}

const char *bridge_name(const struct bridge *b)
{
	(void)b;
	return "xmpp";
}

bool bridge_routes(const struct bridge *b, struct prim_slice domain)
{
	return !b->routed || prim_slice_eq(domain, prim_slice_of(b->routed));
}

int64_t bridge_now_ms(const struct bridge *b)
{
	return b->now_ms;
}

void bridge_ready(struct bridge *b)
{
	prim_buf_puts(&b->said, "ready\n");
}

void bridge_window(struct bridge *b, unsigned deliveries)
{
	prim_buf_putf(&b->said, "window %u\n", deliveries);
}

void bridge_report(struct bridge *b, struct prim_slice delivery_id,
    unsigned code, const char *text)
{
	prim_buf_putf(&b->said, "report %.*s %u %s\n",
	    PRIM_SLICE_ARG(delivery_id), code, text);
}

bool bridge_submit(struct bridge *b, const struct bridge_message *m)
{
	if (b->full)
		return false;
	b->submissions++;
	prim_buf_putf(&b->said, "submit %.*s %.*s\n", PRIM_SLICE_ARG(m->from),
	    PRIM_SLICE_ARG(m->to));
	prim_buf_reset(&b->token);
	prim_buf_put(&b->token, m->return_token);
	prim_buf_reset(&b->body);
	prim_buf_put(&b->body, m->body);
	prim_buf_reset(&b->original);
	prim_buf_put(&b->original, m->original_from);
	b->hops = m->hops;
	return true;
}

const char *const *bridge_domains(const struct bridge *b, size_t *out_count)
{
	static const char *const DOMAINS[] = { "other.example",
		"prim.example" };

	(void)b;
	*out_count = PRIM_COUNT(DOMAINS);
	return DOMAINS;
}

void bridge_report_late(struct bridge *b, struct prim_slice delivery_id,
    unsigned code, const char *text)
{
	prim_buf_putf(&b->said, "late %.*s %u %s\n",
	    PRIM_SLICE_ARG(delivery_id), code, text);
}

/* Answers the oldest question. */
static inline void fake_link_answer(struct bridge *b)
{
	struct fake_question q = b->questions[0];
	struct bridge_linked l = {
		.address = prim_slice_of(q.address),
		.cookie = q.cookie,
	};

	memmove(b->questions, b->questions + 1,
	    --b->question_count * sizeof(b->questions[0]));
	if (b->linked && strcmp(q.address, b->linked) == 0)
		l.principal = prim_slice_of(b->owner);
	br_adapter_plugin.linked(b->state, &l);
	prim_free(q.address);
}

static inline void fake_on_link(evutil_socket_t fd, short what, void *arg)
{
	struct bridge *b = arg;

	(void)fd;
	(void)what;
	if (!b->mute && b->question_count)
		fake_link_answer(b);
}

bool bridge_link(struct bridge *b, struct prim_slice address, uint64_t cookie)
{
	const struct timeval soon = { 0, 0 };
	struct fake_question *q = &b->questions[b->question_count];

	if (b->deaf || b->question_count == FAKE_LINKS)
		return false;
	b->asked++;
	b->question_count++;
	q->address = prim_slice_copy(address);
	q->cookie = cookie;
	event_base_once(b->base, -1, EV_TIMEOUT, fake_on_link, b, &soon);
	return true;
}

void bridge_log(struct bridge *b, enum bridge_level level, const char *format,
    ...)
{
	char text[1024];
	va_list args;

	(void)level;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	prim_buf_putf(&b->log, "%s\n", text);
}

const char *bridge_quote(struct prim_slice s)
{
	static char text[8][256];
	static unsigned next;
	char *to = text[next++ % 8];

	snprintf(to, sizeof(text[0]), "%.*s", PRIM_SLICE_ARG(s));
	return to;
}

void bridge_metric(struct bridge *b, const char *name, int64_t value)
{
	(void)b;
	(void)name;
	(void)value;
}

bool bridge_subscribe(struct bridge *b, const struct bridge_subscription *s)
{
	prim_buf_putf(&b->presence, "subscribe %.*s %.*s %u\n",
	    PRIM_SLICE_ARG(s->watcher), PRIM_SLICE_ARG(s->presentity),
	    s->duration_s);
	prim_buf_reset(&b->id);
	prim_buf_put(&b->id, s->id);
	return true;
}

bool bridge_unsubscribe(struct bridge *b, const struct bridge_subscription *s)
{
	prim_buf_putf(&b->presence, "unsubscribe %.*s %.*s\n",
	    PRIM_SLICE_ARG(s->watcher), PRIM_SLICE_ARG(s->presentity));
	return true;
}

bool bridge_notify(struct bridge *b, const struct bridge_notification *n)
{
	prim_buf_putf(&b->presence, "notify %.*s %.*s %.*s%s\n",
	    PRIM_SLICE_ARG(n->watcher), PRIM_SLICE_ARG(n->presentity),
	    PRIM_SLICE_ARG(n->id), n->is_end ? " end" : "");
	prim_buf_reset(&b->document);
	prim_buf_put(&b->document, n->body);
	return true;
}

unsigned bridge_presence_room(const struct bridge *b)
{
	return b->room;
}

void bridge_state_put(struct bridge *b, struct prim_slice key,
    struct prim_slice value)
{
	(void)value;
	prim_buf_putf(&b->presence, "put %.*s\n", PRIM_SLICE_ARG(key));
}

void bridge_state_drop(struct bridge *b, struct prim_slice key)
{
	prim_buf_putf(&b->presence, "drop %.*s\n", PRIM_SLICE_ARG(key));
}

void bridge_state_list(struct bridge *b)
{
	prim_buf_puts(&b->said, "list\n");
}

static inline const char *fake_text(struct prim_buf *b)
{
	prim_buf_putc(b, '\0');
	b->len--;
	return b->ptr;
}

static inline void fake_fini(struct bridge *b)
{
	while (b->question_count)
		prim_free(b->questions[--b->question_count].address);
	prim_buf_fini(&b->original);
	prim_buf_fini(&b->said);
	prim_buf_fini(&b->log);
	prim_buf_fini(&b->token);
	prim_buf_fini(&b->body);
	prim_buf_fini(&b->presence);
	prim_buf_fini(&b->document);
	prim_buf_fini(&b->id);
}

#endif
