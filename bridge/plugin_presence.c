/* SPDX-License-Identifier: ISC */
/* Presence, as it crosses between the core and a plugin. */

#include <string.h>

#include "bridge/plugin_private.h"
#include "prim/date.h"

/* ---- what the core says ---- */

/* The names of a subscription, the watcher in `from` or in `to`. */
struct names {
	struct prim_slice from, to, id;
	uint32_t duration_s;
};

static bool id_ok(struct prim_slice id)
{
	static const char ALLOWED[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz"
				      "0123456789-._~";

	if (id.len == 0 || id.len > BRIDGE_SUBSCRIPTION_ID_MAX)
		return false;
	for (size_t i = 0; i < id.len; i++) {
		if (!memchr(ALLOWED, id.ptr[i], sizeof(ALLOWED) - 1))
			return false;
	}
	return true;
}

static bool read_duration(const struct prim_command *c, uint32_t *out_s)
{
	uint64_t value;

	if (!prim_slice_number(prim_command_get(c, PRIM_HEADER_DURATION),
		UINT32_MAX, &value))
		return false;
	*out_s = (uint32_t)value;
	return true;
}

static bool read_names(const struct prim_command *c, struct names *out)
{
	const uint64_t required = prim_method_info(c->method)->required_ss;

	*out = (struct names){
		.from = prim_command_get(c, PRIM_HEADER_FROM),
		.to = prim_command_get(c, PRIM_HEADER_TO),
		.id = prim_command_get(c, PRIM_HEADER_SUBSCRIPTION_ID),
	};
	if ((c->present & required) != required || out->from.len == 0 ||
	    out->to.len == 0 || !id_ok(out->id))
		return false;
	return c->method == PRIM_METHOD_UNSUBSCRIBE ||
	    read_duration(c, &out->duration_s);
}

/* What may be said to a core. */
static unsigned checked(struct bridge *b, unsigned code, const char *member)
{
	if (code == PRIM_OK || (code >= 400 && code <= 599))
		return code;
	bridge_log(b, BRIDGE_ERROR, "%s gave a strange code=%u", member, code);
	return PRIM_INTERNAL_ERROR;
}

static void respond(struct bridge *b, const struct prim_command *c,
    unsigned code, uint32_t granted_s)
{
	prim_buf_reset(&b->scratch);
	prim_command_put_response(&b->scratch, PRIM_FAMILY_PRIM, c->id, code,
	    0);
	if (c->method == PRIM_METHOD_SUBSCRIBE && code < 300)
		br_plugin_put_number(&b->scratch, PRIM_HEADER_DURATION,
		    granted_s);
	br_plugin_send(b, PRIM_SLICE_NONE);
}

static struct bridge_subscription subscription_of(const struct prim_command *c,
    const struct names *names)
{
	return (struct bridge_subscription){
		.watcher = names->from,
		.presentity = names->to,
		.id = names->id,
		.duration_s = names->duration_s,
		.strength = prim_astrength_parse(prim_command_get(c,
		    PRIM_HEADER_ASTRENGTH)),
	};
}

static unsigned subscribe(struct bridge *b, const struct bridge_subscription *s,
    uint32_t *granted_s)
{
	const struct br_adapter *a = b->plugin.adapter;
	unsigned code;

	if (!a->subscribe)
		return PRIM_NOT_IMPLEMENTED;
	if (b->draining)
		return PRIM_INTERNAL_ERROR;
	code = a->subscribe(b->state, s, granted_s);
	if (code != PRIM_DURATION_ADJUSTED)
		*granted_s = s->duration_s;
	return code == PRIM_DURATION_ADJUSTED ? code
					      : checked(b, code, "subscribe");
}

/* What the plugin says from inside the call leaves behind the answer, or the
 * core would hear of a subscription that it does not yet have (PRIM-153). */
static bool hear_subscribe(struct bridge *b, const struct prim_command *c)
{
	struct bridge_subscription s;
	struct prim_buf held = { 0 };
	struct names names;
	uint32_t granted_s;
	unsigned code;

	if (!read_names(c, &names) || c->body.len > 0)
		return false;
	s = subscription_of(c, &names);
	granted_s = s.duration_s;
	b->held = &held;
	code = subscribe(b, &s, &granted_s);
	b->held = NULL;
	respond(b, c, code, granted_s);
	br_link_send(&b->link, prim_buf_slice(&held));
	prim_buf_fini(&held);
	return true;
}

/* Without the member the plugin keeps nothing that could be over. */
static bool hear_unsubscribe(struct bridge *b, const struct prim_command *c)
{
	const struct br_adapter *a = b->plugin.adapter;
	struct bridge_subscription s;
	struct names names;
	unsigned code = PRIM_OK;

	if (!read_names(c, &names) || c->body.len > 0)
		return false;
	s = subscription_of(c, &names);
	if (!a->subscribe)
		code = PRIM_NOT_IMPLEMENTED;
	else if (a->unsubscribe)
		code = checked(b, a->unsubscribe(b->state, &s), "unsubscribe");
	respond(b, c, code, 0);
	return true;
}

static bool hear_notify(struct bridge *b, const struct prim_command *c)
{
	const struct br_adapter *a = b->plugin.adapter;
	struct bridge_notification n;
	struct names names;
	unsigned code = PRIM_NOT_FOUND;

	if (!read_names(c, &names))
		return false;
	n = (struct bridge_notification){
		.watcher = names.to,
		.presentity = names.from,
		.id = names.id,
		.content_type = prim_command_get(c, PRIM_HEADER_CONTENT_TYPE),
		.body = c->body,
		.is_end = names.duration_s == 0,
		.duration_s = names.duration_s,
	};
	if (n.body.len == 0 && !n.is_end)
		return false;
	if (a->notify)
		code = checked(b, a->notify(b->state, &n), "notify");
	respond(b, c, code, 0);
	return true;
}

bool br_plugin_presence_hear(struct bridge *b, const struct prim_command *c)
{
	if (!b->ready)
		return false;
	if (c->method == PRIM_METHOD_SUBSCRIBE)
		return hear_subscribe(b, c);
	if (c->method == PRIM_METHOD_UNSUBSCRIBE)
		return hear_unsubscribe(b, c);
	return hear_notify(b, c);
}

/* ---- what the plugin says ---- */

unsigned bridge_presence_room(const struct bridge *b)
{
	return b->ready ? BRIDGE_PRESENCE_MAX - b->presences : 0;
}

static bool header_ok(struct prim_slice value)
{
	return value.len > 0 && prim_command_value_ok(value);
}

static bool names_ok(const struct bridge_subscription *s)
{
	return header_ok(s->watcher) && header_ok(s->presentity) &&
	    id_ok(s->id);
}

static struct plugin_presence *presence_new(struct bridge *b,
    enum bridge_presence_kind kind, const struct bridge_subscription *s)
{
	struct plugin_presence *p = prim_new(struct plugin_presence);

	p->kind = kind;
	p->duration_s = s->duration_s;
	prim_buf_put(&p->watcher, s->watcher);
	prim_buf_put(&p->presentity, s->presentity);
	prim_buf_put(&p->id, s->id);
	b->presences++;
	return p;
}

struct plugin_presence *br_plugin_presence_free(struct plugin_presence *p)
{
	prim_buf_fini(&p->watcher);
	prim_buf_fini(&p->presentity);
	prim_buf_fini(&p->id);
	return prim_free(p);
}

/* Begins the request, up to the headers that all three have. */
static struct prim_buf *begin(struct bridge *b, struct plugin_presence *p,
    size_t body_len)
{
	static const enum prim_method METHODS[] = {
		[BRIDGE_SUBSCRIBE] = PRIM_METHOD_SUBSCRIBE,
		[BRIDGE_UNSUBSCRIBE] = PRIM_METHOD_UNSUBSCRIBE,
		[BRIDGE_NOTIFY] = PRIM_METHOD_NOTIFY,
	};
	const struct br_ask ask = { .kind = PLUGIN_ASK_PRESENCE, .what = p };
	const bool by_watcher = p->kind != BRIDGE_NOTIFY;
	const struct prim_slice watcher = prim_buf_slice(&p->watcher);
	const struct prim_slice presentity = prim_buf_slice(&p->presentity);
	struct prim_buf *out = br_plugin_request(b, METHODS[p->kind], &ask,
	    body_len);

	prim_command_put_header(out, PRIM_HEADER_FROM,
	    by_watcher ? watcher : presentity);
	prim_command_put_header(out, PRIM_HEADER_TO,
	    by_watcher ? presentity : watcher);
	prim_buf_puts(out, "Date: ");
	prim_date_put_1123(out, bridge_now_ms(b));
	prim_buf_puts(out, "\r\n");
	prim_command_put_header(out, PRIM_HEADER_SUBSCRIPTION_ID,
	    prim_buf_slice(&p->id));
	return out;
}

static bool say(struct bridge *b, enum bridge_presence_kind kind,
    const struct bridge_subscription *s)
{
	struct prim_buf *out;

	if (bridge_presence_room(b) == 0 || !names_ok(s))
		return false;
	out = begin(b, presence_new(b, kind, s), 0);
	prim_command_put_header(out, PRIM_HEADER_ASTRENGTH,
	    prim_astrength_name(s->strength));
	if (kind == BRIDGE_SUBSCRIBE)
		br_plugin_put_number(out, PRIM_HEADER_DURATION, s->duration_s);
	br_plugin_send(b, PRIM_SLICE_NONE);
	return true;
}

bool bridge_subscribe(struct bridge *b, const struct bridge_subscription *s)
{
	return say(b, BRIDGE_SUBSCRIBE, s);
}

bool bridge_unsubscribe(struct bridge *b, const struct bridge_subscription *s)
{
	return say(b, BRIDGE_UNSUBSCRIBE, s);
}

static bool content_ok(const struct bridge_notification *n)
{
	if (n->body.len == 0)
		return n->is_end && n->content_type.len == 0;
	return header_ok(n->content_type);
}

bool bridge_notify(struct bridge *b, const struct bridge_notification *n)
{
	const struct bridge_subscription s = {
		.watcher = n->watcher,
		.presentity = n->presentity,
		.id = n->id,
	};
	struct plugin_presence *p;
	struct prim_buf *out;

	if (bridge_presence_room(b) == 0 || !names_ok(&s) || !content_ok(n))
		return false;
	p = presence_new(b, BRIDGE_NOTIFY, &s);
	if (n->body.len > b->body_max) {
		/* The core would not even read it. */
		p->code = PRIM_BAD_REQUEST;
		STAILQ_INSERT_TAIL(&b->presence_refused, p, next);
		br_plugin_later(b);
		return true;
	}
	out = begin(b, p, n->body.len);
	if (n->is_end)
		br_plugin_put_number(out, PRIM_HEADER_DURATION, 0);
	if (n->body.len > 0)
		prim_command_put_header(out, PRIM_HEADER_CONTENT_TYPE,
		    n->content_type);
	br_plugin_send(b, n->body);
	return true;
}

/* ---- what became of it ---- */

void br_plugin_presence_settle(struct bridge *b, struct plugin_presence *p,
    unsigned code)
{
	const struct br_adapter *a = b->plugin.adapter;
	const bool granted = p->kind == BRIDGE_SUBSCRIBE && code < 300;
	const struct bridge_presence_outcome outcome = {
		.kind = p->kind,
		.watcher = prim_buf_slice(&p->watcher),
		.presentity = prim_buf_slice(&p->presentity),
		.id = prim_buf_slice(&p->id),
		.code = code,
		.duration_s = granted ? p->duration_s : 0,
	};

	b->presences--;
	if (a->presence_outcome)
		a->presence_outcome(b->state, &outcome);
	br_plugin_presence_free(p);
}

/* Without a Duration it is as asked for. */
bool br_plugin_presence_answer(struct bridge *b, struct plugin_presence *p,
    const struct prim_command *c)
{
	bool ok = c->code != PRIM_DURATION_ADJUSTED ||
	    prim_command_has(c, PRIM_HEADER_DURATION);

	if (p->kind == BRIDGE_SUBSCRIBE &&
	    prim_command_has(c, PRIM_HEADER_DURATION))
		ok = read_duration(c, &p->duration_s);
	if (ok)
		br_plugin_presence_settle(b, p, c->code);
	else
		br_plugin_presence_free(p);
	return ok;
}
