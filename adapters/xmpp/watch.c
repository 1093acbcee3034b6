/* SPDX-License-Identifier: ISC */
/* A principal watches a user of XMPP: may he (spec/xmpp.md 5.2)? */

#include <string.h>

#include "adapters/xmpp/roster_private.h"

#define ASK_MS    XA_DAY            /* between two `subscribe` */
#define SORRY_MS  (600 * XA_SECOND) /* the same, after a passing error */
#define REASK_MS  (60 * XA_SECOND)  /* the same, after silence; doubled */
#define DENIED_MS (7 * XA_DAY)
#define LINGER_MS (30 * XA_DAY)

bool xa_watch_is_used(const struct xa_contact *c)
{
	return c->watch.lease_count > 0 ||
	    c->follow.approval == XA_APPROVAL_GRANTED;
}

bool xa_watch_is_there(const struct xa_contact *c)
{
	const struct xa_watch *w = &c->watch;

	return w->approval == XA_APPROVAL_GRANTED && w->view == XA_VIEW_KNOWN &&
	    xa_presences_any(&w->known);
}

bool xa_watch_is_idle(const struct xa_contact *c)
{
	return c->watch.approval == XA_APPROVAL_NONE &&
	    c->watch.lease_count == 0;
}

/*
 * Permission.
 */

/* Begins the time that the permission is kept unused; at least until
 * `least_ms`. */
static void linger(struct xa_contact *c, int64_t from_ms, int64_t least_ms)
{
	struct xa_watch *w = &c->watch;
	const bool is_denied = w->approval == XA_APPROVAL_DENIED;
	int64_t at = from_ms + (is_denied ? DENIED_MS : LINGER_MS);

	if (w->approval == XA_APPROVAL_NONE)
		xa_contact_stop_timer(c, &w->linger);
	else
		xa_contact_set_timer(c, &w->linger,
		    at > least_ms ? at : least_ms);
}

/* Nobody has watched for long: the permission is given back. */
static void on_linger(struct prim_timer *t)
{
	struct xa_watch *w = PRIM_CONTAINER(t, struct xa_watch, linger);
	struct xa_contact *c = PRIM_CONTAINER(w, struct xa_contact, watch);

	if (w->lease_count > 0)
		return;
	xa_contact_log(c, BRIDGE_INFO, "nobody watches any more");
	if (w->approval != XA_APPROVAL_DENIED)
		xa_contact_say(c, XA_SAY_UNSUBSCRIBE);
	xa_watch_unknow(c);
	xa_contact_set_watch(c, XA_APPROVAL_NONE);
	xa_contact_keep(c);
	xa_contact_reap(c);
}

static bool may_ask(const struct xa_contact *c, int64_t after_ms)
{
	return c->watch.asked_ms == 0 ||
	    xa_contact_now(c) - c->watch.asked_ms >= after_ms;
}

void xa_watch_ask_again(struct xa_contact *c)
{
	int64_t wait = REASK_MS << (c->watch.silences - 2);

	if (may_ask(c, wait < ASK_MS ? wait : ASK_MS))
		xa_contact_say(c, XA_SAY_SUBSCRIBE);
}

static void request(struct xa_contact *c)
{
	xa_contact_log(c, BRIDGE_INFO, "asks to watch");
	xa_contact_set_watch(c, XA_APPROVAL_PENDING);
	c->watch.asked_ms = 0;
	xa_contact_stop_timer(c, &c->watch.linger);
	xa_contact_keep(c);
	xa_contact_say(c, XA_SAY_SUBSCRIBE);
}

void xa_watch_was_asked(struct xa_contact *c)
{
	c->watch.asked_ms = xa_contact_now(c);
	c->watch.is_heard = true;
	xa_contact_keep(c);
}

void xa_watch_wanted(struct xa_contact *c, struct xa_lease *l)
{
	struct xa_watch *w = &c->watch;

	/* What everybody was told is closed need not be told again. */
	if (!xa_watch_is_behind(c))
		xa_presences_prune(&w->told);
	l->is_owed = true;
	switch (w->approval) {
	case XA_APPROVAL_NONE:
		if (!l->is_last)
			request(c);
		xa_watch_tell(c, true);
		break;
	case XA_APPROVAL_PENDING:
		if (!w->is_heard || may_ask(c, ASK_MS))
			xa_contact_say(c, XA_SAY_SUBSCRIBE);
		xa_watch_tell(c, true);
		break;
	case XA_APPROVAL_GRANTED:
		xa_watch_show(c);
		break;
	case XA_APPROVAL_DENIED:
		/* What was refused is asked again now and then, in case that
		 * the user thinks better of it. */
		if (may_ask(c, DENIED_MS) &&
		    xa_contact_now(c) - w->since_ms >= DENIED_MS)
			xa_contact_say(c, XA_SAY_SUBSCRIBE);
		xa_watch_tell(c, true);
		break;
	}
}

/* Ours to the user is the bare `unavailable`: it would also take back what he
 * is shown of the principal, if he follows. */
void xa_watch_unused(struct xa_contact *c)
{
	struct xa_watch *w = &c->watch;

	if (w->approval == XA_APPROVAL_NONE)
		return;
	/* Not worth a record each time that somebody looks once. */
	if (xa_contact_now(c) - w->used_ms >= XA_HOUR)
		w->used_ms = xa_contact_now(c);
	if (w->approval == XA_APPROVAL_PENDING && w->asked_ms == 0) {
		c->say &= ~(unsigned)XA_SAY_SUBSCRIBE;
		xa_contact_set_watch(c, XA_APPROVAL_NONE);
	}
	if (w->approval == XA_APPROVAL_GRANTED && !xa_watch_is_used(c))
		xa_contact_say(c, XA_SAY_LEFT);
	if (!xa_watch_is_used(c))
		xa_watch_unknow(c);
	w->was_told = false;
	linger(c, xa_contact_now(c), 0);
	xa_contact_keep(c);
}

/* It is refused, taken back, or (NONE) was never there. */
static void deny(struct xa_contact *c, enum xa_approval approval, unsigned code)
{
	struct xa_watch *w = &c->watch;

	xa_watch_unknow(c);
	c->say &= ~(unsigned)XA_SAY_SUBSCRIBE;
	xa_contact_set_watch(c, approval);
	w->code = code;
	linger(c, xa_contact_now(c), 0);
	xa_contact_keep(c);
	xa_watch_end_all(c);
}

/*
 * What the user says.
 */

void xa_watch_hear_subscribed(struct xa_contact *c)
{
	struct xa_watch *w = &c->watch;

	if (w->approval == XA_APPROVAL_GRANTED && w->silences &&
	    w->lease_count) {
		w->silences = 0;
		xa_watch_look(c);
	}
	if (w->approval != XA_APPROVAL_PENDING &&
	    w->approval != XA_APPROVAL_DENIED)
		return;
	xa_contact_log(c, BRIDGE_INFO, "approved");
	c->say &= ~(unsigned)XA_SAY_SUBSCRIBE;
	xa_contact_set_watch(c, XA_APPROVAL_GRANTED);
	w->code = 0;
	w->view = XA_VIEW_UNKNOWN;
	w->was_told = w->lease_count > 0;
	linger(c, xa_contact_now(c), 0);
	xa_contact_keep(c);
	if (w->lease_count)
		xa_watch_look(c);
}

/* In answer to a probe it says that our table is wrong: nobody was asked. */
void xa_watch_hear_unsubscribed(struct xa_contact *c)
{
	struct xa_watch *w = &c->watch;
	const bool was_wrong = w->view == XA_VIEW_ASKING;

	if (w->approval != XA_APPROVAL_PENDING &&
	    w->approval != XA_APPROVAL_GRANTED)
		return;
	xa_contact_log(c, BRIDGE_INFO,
	    was_wrong ? "is not approved" : "denied");
	deny(c, was_wrong ? XA_APPROVAL_NONE : XA_APPROVAL_DENIED,
	    PRIM_FORBIDDEN);
}

/* What a SUBSCRIBE is answered after this error; 0: it is none that lasts
 * (spec/xmpp.md 6.2). */
static unsigned lasting_code(const char *condition)
{
	unsigned code = xa_error_code(condition);

	if (strcmp(condition, "jid-malformed") == 0)
		return PRIM_NOT_FOUND;
	if (strcmp(condition, "conflict") == 0 || code == PRIM_INBOX_CLOSED)
		return 0;
	return code < 500 || code == PRIM_NOT_IMPLEMENTED ? code : 0;
}

static bool is_unreachable(const char *condition)
{
	unsigned code = xa_error_code(condition);

	return code == PRIM_BAD_GATEWAY || code == PRIM_GATEWAY_TIMEOUT;
}

/* Errors mirror the id. One without any may answer only what we said to him,
 * and that is nothing else as long as he does not follow. */
static bool is_answer(const struct xa_contact *c, const struct xa_heard *h,
    const char *prefix)
{
	if (h->id.len == 0)
		return c->follow.approval != XA_APPROVAL_GRANTED;
	return prim_slice_starts(h->id, prim_slice_of(prefix));
}

/* A `subscribe` comes back. True: it is refused for good. */
static bool hear_refusal(struct xa_contact *c, const struct xa_heard *h)
{
	struct xa_watch *w = &c->watch;
	unsigned code = lasting_code(h->condition);

	if (!is_answer(c, h, XA_ID_SUBSCRIBE))
		return false;
	if (code) {
		xa_contact_log(c, BRIDGE_INFO, "refused by an error");
		deny(c, XA_APPROVAL_DENIED, code);
	} else if (is_unreachable(h->condition) &&
	    w->approval == XA_APPROVAL_PENDING) {
		w->asked_ms = xa_contact_now(c) - ASK_MS + SORRY_MS;
	}
	return code != 0;
}

void xa_watch_hear_error(struct xa_contact *c, const struct xa_heard *h)
{
	struct xa_watch *w = &c->watch;

	if (w->approval == XA_APPROVAL_PENDING) {
		hear_refusal(c, h);
		return;
	}
	if (w->approval != XA_APPROVAL_GRANTED)
		return;
	/* Without an id it is taken for that of a probe. */
	if (h->id.len && hear_refusal(c, h))
		return;
	if (is_unreachable(h->condition))
		xa_watch_unreachable(c);
	else if (is_answer(c, h, XA_ID_PROBE))
		xa_watch_answered(c);
}

/*
 * The leg.
 */

/* Who approved while the link was away was not heard: asked once more, the
 * server says so. One that still waits for the user does not ask him twice. */
void xa_watch_up(struct xa_contact *c)
{
	struct xa_watch *w = &c->watch;

	if (w->lease_count == 0)
		return;
	if (w->approval == XA_APPROVAL_GRANTED)
		xa_watch_look(c);
	else if (w->approval == XA_APPROVAL_PENDING && !w->is_heard)
		xa_contact_say(c, XA_SAY_SUBSCRIBE);
}

void xa_watch_down(struct xa_contact *c)
{
	struct xa_watch *w = &c->watch;

	c->say &= ~(unsigned)(XA_SAY_PROBE | XA_SAY_LEFT);
	w->is_heard = false;
	if (w->approval == XA_APPROVAL_GRANTED)
		xa_watch_doubt(c);
}

/*
 * Life.
 */

void xa_watch_init(struct xa_contact *c)
{
	TAILQ_INIT(&c->watch.leases);
	prim_timer_init(&c->watch.settle, xa_watch_on_settle);
	prim_timer_init(&c->watch.linger, on_linger);
}

void xa_watch_fini(struct xa_contact *c)
{
	struct xa_watch *w = &c->watch;
	struct xa_lease *l;

	while ((l = TAILQ_FIRST(&w->leases)))
		xa_lease_free(l);
	xa_contact_stop_timer(c, &w->settle);
	xa_contact_stop_timer(c, &w->linger);
	xa_presences_fini(&w->known);
	xa_presences_fini(&w->told);
}

/* A lease that lives comes again within moments, whenever it was last
 * written down that there was none. */
void xa_watch_restored(struct xa_contact *c)
{
	struct xa_watch *w = &c->watch;
	int64_t used_ms = w->used_ms > w->since_ms ? w->used_ms : w->since_ms;

	if (w->approval == XA_APPROVAL_NONE)
		return;
	linger(c, used_ms, xa_contact_now(c) + XA_DAY);
}
