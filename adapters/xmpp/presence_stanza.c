/* SPDX-License-Identifier: ISC */
/* Presence, as a stanza. */

#include <string.h>

#include "adapters/xmpp/presence_private.h"
#include "adapters/xmpp/stanza.h"
#include "adapters/xmpp/text.h"
#include "prim/base.h"
#include "prim/date.h"

#define DELAY_MS 60000 /* what is older is marked as such */

/* Octets of all texts, escaped: the rest of a stanza is below 16 KiB, and all
 * of it has to be below 64. */
#define TEXTS_MAX 40960
/* Octets of <status xml:lang='...'></status>. */
#define STATUS_OVERHEAD 72
/* The most that escaping makes of one octet. */
#define ESCAPED_MAX 6

static size_t cost_of(const struct xa_status *s)
{
	size_t cost = STATUS_OVERHEAD;

	for (const char *c = s->text; *c; c++)
		cost += strchr("&<>\"'", *c) ? ESCAPED_MAX : 1;
	return cost;
}

/* libstrophe wants strings that end. The NUL is not counted. */
static const char *string(struct prim_buf *b)
{
	prim_buf_putc(b, '\0');
	b->len--;
	return b->ptr;
}

static void add_show(xmpp_stanza_t *s, const struct xa_presence *p)
{
	if (p->show != XA_SHOW_NONE)
		xa_stanza_add_text(xa_stanza_add(s, "show", NULL),
		    prim_slice_of(xa_presence_map_word(p->show)));
}

/* One octet that XML does not have would end the stream for everybody. */
static bool status_ok(const struct xa_status *s)
{
	struct prim_slice language = prim_slice_of(s->language);

	return xa_text_ok(prim_slice_of(s->text)) &&
	    (language.len == 0 || xa_text_language_ok(language));
}

static void add_statuses(xmpp_stanza_t *s, const struct xa_presence *p)
{
	size_t left = TEXTS_MAX;
	xmpp_stanza_t *status;

	for (unsigned i = 0; i < p->status_count; i++) {
		size_t cost = cost_of(&p->statuses[i]);

		if (cost > left || !status_ok(&p->statuses[i]))
			continue;
		left -= cost;
		status = xa_stanza_add(s, "status", NULL);
		if (*p->statuses[i].language)
			xmpp_stanza_set_attribute(status, "xml:lang",
			    p->statuses[i].language);
		xa_stanza_add_text(status, prim_slice_of(p->statuses[i].text));
	}
}

static void add_priority(xmpp_stanza_t *s, const struct xa_presence *p)
{
	struct prim_buf text = { 0 };

	if (p->priority == 0)
		return;
	prim_buf_putf(&text, "%d", p->priority);
	xa_stanza_add_text(xa_stanza_add(s, "priority", NULL),
	    prim_buf_slice(&text));
	prim_buf_fini(&text);
}

static void set_time(xmpp_stanza_t *s, const char *name, int64_t ms)
{
	struct prim_buf text = { 0 };

	prim_date_put_3339(&text, ms);
	xmpp_stanza_set_attribute(s, name, string(&text));
	prim_buf_fini(&text);
}

static void add_idle(xmpp_stanza_t *s, const struct xa_presence *p)
{
	if (p->idle_since_ms != XA_NO_TIME)
		set_time(xa_stanza_add(s, "idle", XA_NS_IDLE), "since",
		    p->idle_since_ms);
}

/* Delayed by the component: the domain of the sender. */
static void add_delay(xmpp_stanza_t *s, const struct xa_presence *p,
    const struct xa_presence_route *route)
{
	const char *at = strchr(route->from, '@');
	xmpp_stanza_t *delay;

	/* A stamp of 0 is that of an empty struct. */
	if (p->stamp_ms <= 0 || route->now_ms - p->stamp_ms <= DELAY_MS)
		return;
	delay = xa_stanza_add(s, "delay", XA_NS_DELAY);
	xmpp_stanza_set_from(delay, at ? at + 1 : route->from);
	set_time(delay, "stamp", p->stamp_ms);
}

xmpp_stanza_t *xa_presence_stanza(xmpp_ctx_t *xmpp, const struct xa_presence *p,
    const struct xa_presence_route *route)
{
	struct prim_buf from = { 0 };
	struct xa_envelope envelope = {
		.to = route->to,
		.type = p->is_available ? NULL : "unavailable",
		.id = route->id,
	};
	xmpp_stanza_t *s;

	prim_buf_puts(&from, route->from);
	if (xa_presence_name(p).len) {
		prim_buf_putc(&from, '/');
		xa_presence_map_put_resource(&from, xa_presence_name(p));
	}
	envelope.from = string(&from);
	s = xa_stanza_new(xmpp, "presence", &envelope);
	prim_buf_fini(&from);
	if (p->is_available)
		add_show(s, p);
	add_statuses(s, p);
	if (p->is_available) {
		add_priority(s, p);
		add_idle(s, p);
	}
	add_delay(s, p, route);
	return s;
}
