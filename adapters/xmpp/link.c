/* SPDX-License-Identifier: ISC */
/* One component link. */

#include "adapters/xmpp/link.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "adapters/xmpp/diagnosis.h"
#include "adapters/xmpp/digest.h"
#include "adapters/xmpp/stanza.h"
#include "prim/base.h"

#define FAILURES_MAX 6 /* 1 s doubled six times is more than the most */

struct xa_link_state {
	const char *name;
	int64_t limit_ms; /* how long it may last; 0: for ever */
	/* Is there a connection underneath? */
	bool is_open;
	const struct xa_link_state *(*on_connected)(struct xa_link *l);
	const struct xa_link_state *(*on_header)(struct xa_link *l,
	    struct prim_slice id);
	const struct xa_link_state *(*on_stanza)(struct xa_link *l,
	    xmpp_stanza_t *stanza);
	const struct xa_link_state *(*on_expired)(struct xa_link *l);
};

static const struct xa_link_state st_idle, st_waiting, st_connecting,
    st_greeting, st_proving, st_up;

static void say(struct xa_link *l, enum bridge_level level, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

static void say(struct xa_link *l, enum bridge_level level, const char *format,
    ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it is set */
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	l->ops->log(l->ctx, level, text);
}

static void write_buf(struct xa_link *l, struct prim_buf *b)
{
	l->ops->write(l->ctx, prim_buf_slice(b));
	prim_buf_fini(b);
}

/*
 * States.
 */

/* Between half and the whole of what doubles with every failure; but within a
 * minute a server that comes back is not to be missed for long. */
static int64_t wait_ms(struct xa_link *l)
{
	int64_t most = (int64_t)XA_LINK_WAIT_MS << l->failures;

	if (l->failures == 0)
		l->failing_ms = l->now_ms;
	if (l->failures < FAILURES_MAX)
		l->failures++;
	if (l->now_ms - l->failing_ms < XA_LINK_EAGER_MS)
		most = most < XA_LINK_WAIT_EAGER ? most : XA_LINK_WAIT_EAGER;
	if (most > XA_LINK_WAIT_MAX)
		most = XA_LINK_WAIT_MAX;
	return most / 2 +
	    (int64_t)(l->ops->random(l->ctx) % (uint64_t)(most / 2 + 1));
}

/* A link that was up for a while begins its waits anew. */
static void forgive(struct xa_link *l)
{
	if (l->now_ms - l->up_ms >= XA_LINK_STEADY_MS)
		l->failures = 0;
}

static void leave_up(struct xa_link *l)
{
	l->holding = false;
	say(l, BRIDGE_INFO, "down after_s=%lld",
	    (long long)((l->now_ms - l->up_ms) / 1000));
	l->ops->down(l->ctx);
}

/* The only assignment to `state`. */
static void enter(struct xa_link *l, const struct xa_link_state *next)
{
	const struct xa_link_state *was = l->state;

	if (next == was)
		return;
	l->state = next;
	say(l, BRIDGE_DEBUG, "%s -> %s", was->name, next->name);
	l->deadline_ms = next->limit_ms ? l->now_ms + next->limit_ms
					: INT64_MAX;
	if (was == &st_up)
		forgive(l);
	if (next == &st_waiting)
		l->deadline_ms = l->now_ms + wait_ms(l);
	if (was->is_open && !next->is_open) {
		if (l->stream)
			xa_stream_stop(l->stream);
		l->ops->disconnect(l->ctx);
	}
	if (was == &st_up)
		leave_up(l);
	if (next == &st_connecting)
		l->ops->connect(l->ctx);
	if (next == &st_up)
		l->ops->up(l->ctx);
}

static const struct xa_link_state *connecting_connected(struct xa_link *l)
{
	struct prim_buf b = { 0 };

	prim_buf_putf(&b,
	    "<?xml version='1.0'?><stream:stream xmlns='%s' "
	    "xmlns:stream='%s' to='%.*s'>",
	    XMPP_NS_COMPONENT, XMPP_NS_STREAMS, PRIM_SLICE_ARG(l->host));
	write_buf(l, &b);
	return &st_greeting;
}

static const struct xa_link_state *greeting_header(struct xa_link *l,
    struct prim_slice id)
{
	struct prim_buf b = { 0 };

	prim_buf_puts(&b, "<handshake>");
	xa_digest_handshake(&b, id, l->secret);
	prim_buf_puts(&b, "</handshake>");
	write_buf(l, &b);
	return &st_proving;
}

static const struct xa_link_state *stream_error(struct xa_link *l,
    xmpp_stanza_t *error)
{
	struct prim_buf b = { 0 };
	enum bridge_level level = xa_diagnosis_put(&b, error, l->host);

	say(l, level, "%.*s", PRIM_SLICE_ARG(prim_buf_slice(&b)));
	prim_buf_fini(&b);
	return &st_waiting;
}

static const struct xa_link_state *setup_stanza(struct xa_link *l,
    xmpp_stanza_t *stanza)
{
	return xa_diagnosis_is_error(stanza) ? stream_error(l, stanza)
					     : l->state;
}

static const struct xa_link_state *proving_stanza(struct xa_link *l,
    xmpp_stanza_t *stanza)
{
	if (!xa_stanza_is_core(stanza, "handshake"))
		return setup_stanza(l, stanza);
	l->up_ms = l->pinged_ms = l->now_ms;
	say(l, BRIDGE_INFO, "up host=%.*s", PRIM_SLICE_ARG(l->host));
	return &st_up;
}

static const struct xa_link_state *setup_expired(struct xa_link *l)
{
	say(l, BRIDGE_WARN, "the XMPP server does not answer state=%s",
	    l->state->name);
	return &st_waiting;
}

static const struct xa_link_state *waiting_expired(struct xa_link *l)
{
	(void)l;
	return &st_connecting;
}

/* An answer to one of our pings: from ourselves, or from nobody. */
static bool is_answer(struct xa_link *l, xmpp_stanza_t *s, uint64_t *out_mark)
{
	struct prim_slice from = xa_stanza_get(s, "from");

	if (!xa_stanza_is_core(s, "iq"))
		return false;
	if (from.len && !prim_slice_eq_nocase(from, l->host))
		return false;
	return xa_pings_take(&l->pings, xa_stanza_get(s, "id"), out_mark);
}

static const struct xa_link_state *up_stanza(struct xa_link *l,
    xmpp_stanza_t *stanza)
{
	uint64_t mark;

	if (xa_diagnosis_is_error(stanza))
		return stream_error(l, stanza);
	if (is_answer(l, stanza, &mark)) {
		if (mark)
			l->ops->passed(l->ctx, mark);
	} else {
		l->ops->stanza(l->ctx, stanza);
	}
	return l->state;
}

static const struct xa_link_state st_idle = {
	.name = "idle",
};

static const struct xa_link_state st_waiting = {
	.name = "waiting",
	.on_expired = waiting_expired,
};

static const struct xa_link_state st_connecting = {
	.name = "connecting",
	.limit_ms = XA_LINK_SETUP_MS,
	.is_open = true,
	.on_connected = connecting_connected,
	.on_expired = setup_expired,
};

static const struct xa_link_state st_greeting = {
	.name = "greeting",
	.limit_ms = XA_LINK_SETUP_MS,
	.is_open = true,
	.on_header = greeting_header,
	.on_stanza = setup_stanza,
	.on_expired = setup_expired,
};

static const struct xa_link_state st_proving = {
	.name = "proving",
	.limit_ms = XA_LINK_SETUP_MS,
	.is_open = true,
	.on_stanza = proving_stanza,
	.on_expired = setup_expired,
};

static const struct xa_link_state st_up = {
	.name = "up",
	.is_open = true,
	.on_stanza = up_stanza,
};

/*
 * Stream callbacks: what the server says.
 */

static void on_opened(void *arg, struct prim_slice id)
{
	struct xa_link *l = arg;

	if (l->state->on_header)
		enter(l, l->state->on_header(l, id));
}

static void on_stanza(void *arg, xmpp_stanza_t *stanza)
{
	struct xa_link *l = arg;

	if (l->state->on_stanza)
		enter(l, l->state->on_stanza(l, stanza));
}

static void on_refused(void *arg, xmpp_stanza_t *head)
{
	struct xa_link *l = arg;

	if (l->state == &st_up)
		l->ops->refused(l->ctx, head);
}

static const struct xa_stream_ops STREAM_OPS = {
	.opened = on_opened,
	.stanza = on_stanza,
	.refused = on_refused,
};

/*
 * The public face.
 */

void xa_link_init(struct xa_link *l, const struct xa_link_ops *ops, void *ctx,
    xmpp_ctx_t *xmpp)
{
	memset(l, 0, sizeof(*l));
	l->ops = ops;
	l->ctx = ctx;
	l->xmpp = xmpp;
	l->state = &st_idle;
	l->deadline_ms = INT64_MAX;
}

void xa_link_fini(struct xa_link *l)
{
	l->stream = xa_stream_free(l->stream);
}

void xa_link_start(struct xa_link *l, int64_t now_ms)
{
	l->now_ms = now_ms;
	if (l->state == &st_idle)
		enter(l, &st_connecting);
}

void xa_link_stop(struct xa_link *l)
{
	if (l->state->is_open && l->state != &st_connecting)
		l->ops->write(l->ctx, PRIM_SLICE("</stream:stream>"));
	enter(l, &st_idle);
}

void xa_link_connected(struct xa_link *l, int64_t now_ms)
{
	l->now_ms = now_ms;
	if (!l->state->on_connected)
		return;
	xa_stream_free(l->stream);
	l->stream = xa_stream_new(l->xmpp, &STREAM_OPS, l);
	xa_pings_init(&l->pings, l->ops->random(l->ctx));
	enter(l, l->state->on_connected(l));
}

static void settle(struct xa_link *l, enum xa_stream_status status)
{
	switch (status) {
	case XA_STREAM_MORE:
	case XA_STREAM_PAUSED:
		break;
	case XA_STREAM_ENDED:
		xa_link_lost(l, "the XMPP server closed the stream", l->now_ms);
		break;
	case XA_STREAM_BAD:
		xa_link_lost(l, xa_stream_why(l->stream), l->now_ms);
		break;
	}
}

void xa_link_feed(struct xa_link *l, struct prim_slice octets, int64_t now_ms)
{
	l->now_ms = now_ms;
	assert(!l->holding);
	if (l->state->is_open && l->stream)
		settle(l, xa_stream_feed(l->stream, octets));
}

void xa_link_lost(struct xa_link *l, const char *why, int64_t now_ms)
{
	l->now_ms = now_ms;
	if (!l->state->is_open)
		return;
	say(l, BRIDGE_WARN, "lost reason=%s state=%s",
	    bridge_quote(prim_slice_of(why)), l->state->name);
	enter(l, &st_waiting);
}

static void tick_up(struct xa_link *l)
{
	int64_t oldest = xa_pings_oldest(&l->pings);

	if (l->holding)
		return;
	if (oldest != INT64_MAX && l->now_ms - oldest >= XA_LINK_ANSWER_MS)
		xa_link_lost(l, "no answer to a ping", l->now_ms);
	else if (l->now_ms - l->pinged_ms >= XA_LINK_PING_MS)
		xa_link_ping(l, 0, l->now_ms);
}

void xa_link_tick(struct xa_link *l, int64_t now_ms)
{
	l->now_ms = now_ms;
	if (l->state == &st_up)
		tick_up(l);
	else if (now_ms >= l->deadline_ms && l->state->on_expired)
		enter(l, l->state->on_expired(l));
}

int64_t xa_link_deadline(const struct xa_link *l)
{
	int64_t oldest, ping;

	if (l->state != &st_up)
		return l->deadline_ms;
	if (l->holding)
		return INT64_MAX;
	oldest = xa_pings_oldest(&l->pings);
	ping = l->pinged_ms + XA_LINK_PING_MS;
	if (oldest != INT64_MAX && oldest + XA_LINK_ANSWER_MS < ping)
		return oldest + XA_LINK_ANSWER_MS;
	return ping;
}

bool xa_link_is_up(const struct xa_link *l)
{
	return l->state == &st_up;
}

bool xa_link_ping(struct xa_link *l, uint64_t mark, int64_t now_ms)
{
	struct prim_buf b = { 0 };

	if (l->state != &st_up || !xa_pings_has_room(&l->pings))
		return false;
	l->now_ms = l->pinged_ms = now_ms;
	prim_buf_puts(&b, "<iq type='get' id='");
	xa_pings_put(&l->pings, &b, mark, now_ms);
	prim_buf_putf(&b, "' from='%.*s' to='%.*s'><ping xmlns='%s'/></iq>",
	    PRIM_SLICE_ARG(l->host), PRIM_SLICE_ARG(l->host), XA_NS_PING);
	write_buf(l, &b);
	return true;
}

void xa_link_hold(struct xa_link *l)
{
	if (l->holding || l->state != &st_up)
		return;
	l->holding = true;
	xa_stream_pause(l->stream);
	l->ops->hold(l->ctx);
}

void xa_link_go(struct xa_link *l, int64_t now_ms)
{
	l->now_ms = now_ms;
	if (!l->holding)
		return;
	l->holding = false;
	xa_pings_renew(&l->pings, now_ms);
	settle(l, xa_stream_resume(l->stream));
	if (!l->holding && l->state == &st_up)
		l->ops->go(l->ctx);
}

const char *xa_link_state_name(const struct xa_link *l)
{
	return l->state->name;
}
