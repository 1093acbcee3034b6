/* SPDX-License-Identifier: ISC */
/* Presence, from a stanza. */

#include "adapters/xmpp/jid.h"
#include "adapters/xmpp/presence_private.h"
#include "adapters/xmpp/stanza.h"
#include "prim/date.h"
#include "prim/xml.h"

/* The text of the only child `name`, or none. False: there are two. */
static bool only_text(xmpp_stanza_t *stanza, const char *name,
    struct prim_buf *out_text)
{
	xmpp_stanza_t *s = xmpp_stanza_get_children(stanza);
	bool has_one = false;

	prim_buf_reset(out_text);
	for (; s; s = xmpp_stanza_get_next(s)) {
		if (!xa_stanza_is_core(s, name))
			continue;
		if (has_one)
			return false;
		has_one = true;
		xa_stanza_text(out_text, s);
	}
	return true;
}

/* An xs:byte; an empty one counts as missing. */
static bool parse_priority(struct prim_slice s, int *out_priority)
{
	bool is_negative;
	uint64_t value;

	s = prim_xml_trim(s);
	if (s.len == 0)
		return true;
	is_negative = s.ptr[0] == '-';
	if (is_negative || s.ptr[0] == '+')
		s = prim_slice_from(s, 1);
	if (!prim_slice_number(s, is_negative ? 128 : 127, &value))
		return false;
	*out_priority = is_negative ? -(int)value : (int)value;
	return true;
}

static bool read_state(struct xa_presence *p, xmpp_stanza_t *stanza)
{
	struct prim_buf text = { 0 };
	bool ok;

	ok = only_text(stanza, "show", &text) &&
	    xa_presence_map_show(prim_buf_slice(&text), &p->show) &&
	    only_text(stanza, "priority", &text) &&
	    parse_priority(prim_buf_slice(&text), &p->priority);
	prim_buf_fini(&text);
	return ok;
}

static void read_idle(struct xa_presence *p, xmpp_stanza_t *stanza)
{
	xmpp_stanza_t *idle = xa_stanza_find(stanza, "idle", XA_NS_IDLE);

	if (idle)
		prim_date_parse_3339(xa_stanza_get(idle, "since"),
		    &p->idle_since_ms);
}

/* What claims to be of the future is of now. */
static void read_delay(struct xa_presence *p, xmpp_stanza_t *stanza)
{
	xmpp_stanza_t *delay = xa_stanza_find(stanza, "delay", XA_NS_DELAY);
	int64_t stamp_ms;

	if (delay &&
	    prim_date_parse_3339(xa_stanza_get(delay, "stamp"), &stamp_ms) &&
	    stamp_ms < p->stamp_ms)
		p->stamp_ms = stamp_ms;
}

static void read_statuses(struct xa_presence *p, xmpp_stanza_t *stanza)
{
	struct prim_slice inherited = xa_stanza_get(stanza, "xml:lang"), own;
	xmpp_stanza_t *s = xmpp_stanza_get_children(stanza);
	struct prim_buf text = { 0 };

	for (; s; s = xmpp_stanza_get_next(s)) {
		if (!xa_stanza_is_core(s, "status"))
			continue;
		own = xa_stanza_get(s, "xml:lang");
		prim_buf_reset(&text);
		xa_stanza_text(&text, s);
		xa_presence_add_status(p, own.len ? own : inherited,
		    prim_buf_slice(&text));
	}
	prim_buf_fini(&text);
}

bool xa_presence_read(struct xa_presence *out, xmpp_stanza_t *stanza,
    int64_t now_ms)
{
	struct xa_presence p = {
		.idle_since_ms = XA_NO_TIME,
		.stamp_ms = now_ms,
	};
	struct xa_jid from;

	p.is_available = !xmpp_stanza_get_type(stanza);
	if (!p.is_available && !xa_stanza_type_is(stanza, "unavailable"))
		return false;
	if (!xa_jid_split(xa_stanza_get(stanza, "from"), &from))
		return false;
	/* Of one that goes nothing else counts: refusing it over a show that
	 * it should not have would leave a ghost. */
	if (p.is_available) {
		if (!read_state(&p, stanza))
			return false;
		read_idle(&p, stanza);
	}
	read_delay(&p, stanza);
	read_statuses(&p, stanza);
	if (from.resource.len)
		p.resource = prim_slice_copy(from.resource);
	*out = p;
	return true;
}
