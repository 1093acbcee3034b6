/* SPDX-License-Identifier: ISC */
/* What a watch knows of the user's resources, and what its watchers are told. */

#include "adapters/xmpp/roster_private.h"

#define FIRST_MS  (3 * XA_SECOND)  /* an answer to the first probe */
#define AGAIN_MS  (5 * XA_SECOND)  /* an answer to a later one */
#define GRACE_MS  (30 * XA_SECOND) /* what was told stands without a link */
#define CROWD_MS  100              /* after the first answer, for the others */
#define BUNDLE_MS 250              /* between two changes that are told */
#define RETRY_MS  (60 * XA_SECOND) /* a server that could not be reached */
#define PROBE_MS  (30 * XA_SECOND) /* between two probes nobody answers */

#define SILENCES_MAX 16 /* that are counted */

static const char LINK_DOWN[] = "the link to the XMPP server is down";
static const char SERVER_DOWN[] = "the contact's server cannot be reached";

static void count_one(void *arg, const struct xa_presence *p)
{
	(void)p;
	++*(unsigned *)arg;
}

static bool has_changed(const struct xa_watch *w)
{
	unsigned count = 0;

	if (!w->was_told)
		return true;
	xa_presences_diff(&w->told, &w->known, count_one, &count);
	return count > 0;
}

static void tell_changes(struct xa_contact *c)
{
	struct xa_watch *w = &c->watch;
	bool changed;

	/* A document holds no resource that was closed in one before. */
	if (w->was_told)
		xa_presences_drop_told(&w->known, &w->told);
	else
		xa_presences_prune(&w->known);
	changed = has_changed(w);
	if (changed) {
		xa_presences_copy(&w->told, &w->known);
		xa_presences_prune(&w->known);
		w->told_ms = xa_contact_now(c);
	}
	w->was_told = w->was_told || w->lease_count > 0;
	xa_watch_tell(c, !changed);
}

static void count_silence(struct xa_contact *c)
{
	struct xa_watch *w = &c->watch;

	if (w->silences < SILENCES_MAX)
		w->silences++;
	if (w->silences >= 2)
		xa_watch_ask_again(c);
}

/* What nobody answered is closed, but he need not have gone. */
static void know(struct xa_contact *c)
{
	struct xa_watch *w = &c->watch;

	w->view = XA_VIEW_KNOWN;
	if (w->known.count == 0)
		xa_contact_set_closed(c, &w->known, NULL);
	if (w->is_hurried) {
		w->silences = 0;
		xa_follow_user(c, xa_presences_any(&w->known));
	} else {
		count_silence(c);
	}
	tell_changes(c);
}

static void lose(struct xa_contact *c, const char *why)
{
	struct xa_watch *w = &c->watch;

	xa_contact_log(c, BRIDGE_DEBUG, why);
	w->view = XA_VIEW_LOST;
	xa_contact_set_closed(c, &w->known, why);
	if (xa_contact_is_up(c))
		xa_contact_set_timer(c, &w->settle,
		    xa_contact_now(c) + RETRY_MS);
	tell_changes(c);
}

/* Asks what we do not know. */
void xa_watch_look(struct xa_contact *c)
{
	struct xa_watch *w = &c->watch;

	if (w->view == XA_VIEW_ASKING)
		return;
	if (w->view == XA_VIEW_KNOWN)
		w->view = XA_VIEW_UNKNOWN;
	if (w->view == XA_VIEW_UNKNOWN && !prim_timer_is_set(&w->settle))
		xa_contact_set_timer(c, &w->settle,
		    xa_contact_now(c) + (w->was_told ? GRACE_MS : FIRST_MS));
	xa_contact_say(c, XA_SAY_PROBE);
}

void xa_watch_was_probed(struct xa_contact *c)
{
	struct xa_watch *w = &c->watch;

	if (w->approval != XA_APPROVAL_GRANTED)
		return;
	w->view = XA_VIEW_ASKING;
	w->is_hurried = false;
	w->probed_ms = xa_contact_now(c);
	xa_presences_fini(&w->known);
	xa_contact_set_timer(c, &w->settle,
	    xa_contact_now(c) + (w->was_told ? AGAIN_MS : FIRST_MS));
}

static void settle(struct xa_contact *c)
{
	struct xa_watch *w = &c->watch;

	if (w->approval != XA_APPROVAL_GRANTED) {
		xa_watch_tell(c, true);
		return;
	}
	switch (w->view) {
	case XA_VIEW_UNKNOWN:
		lose(c, LINK_DOWN);
		break;
	case XA_VIEW_ASKING:
		know(c);
		break;
	case XA_VIEW_KNOWN:
		tell_changes(c);
		break;
	case XA_VIEW_LOST:
		if (w->lease_count)
			xa_watch_look(c);
		break;
	}
}

void xa_watch_on_settle(struct prim_timer *t)
{
	struct xa_watch *w = PRIM_CONTAINER(t, struct xa_watch, settle);
	struct xa_contact *c = PRIM_CONTAINER(w, struct xa_contact, watch);

	settle(c);
	xa_contact_reap(c);
}

/* The user's server answers only that it cannot. */
void xa_watch_unreachable(struct xa_contact *c)
{
	struct xa_watch *w = &c->watch;

	if (w->view == XA_VIEW_ASKING)
		lose(c, SERVER_DOWN);
	else if (w->view == XA_VIEW_KNOWN && w->lease_count)
		xa_watch_look(c);
}

/* He has no presence for us, for whatever reason. */
void xa_watch_answered(struct xa_contact *c)
{
	if (c->watch.view == XA_VIEW_ASKING)
		know(c);
}

void xa_watch_unknow(struct xa_contact *c)
{
	struct xa_watch *w = &c->watch;

	w->view = XA_VIEW_UNKNOWN;
	w->was_told = false;
	w->silences = 0;
	xa_presences_fini(&w->known);
	xa_presences_fini(&w->told);
	xa_contact_stop_timer(c, &w->settle);
	c->say &= ~(unsigned)XA_SAY_PROBE;
}

static void hear_change(struct xa_contact *c)
{
	struct xa_watch *w = &c->watch;
	int64_t at = w->told_ms + BUNDLE_MS;

	if (xa_presences_any(&w->known))
		w->silences = 0;
	else if (w->silences == 0)
		xa_follow_user(c, false);
	if (w->lease_count == 0 || prim_timer_is_set(&w->settle))
		return;
	if (at < xa_contact_now(c))
		at = xa_contact_now(c);
	xa_contact_set_timer(c, &w->settle, at);
}

void xa_watch_hear_presence(struct xa_contact *c, struct xa_presence *p)
{
	struct xa_watch *w = &c->watch;
	bool changed;

	/* Before he approves it the server says `unavailable`, which is only
	 * its receipt (spec/xmpp.md 5.2). */
	if (w->approval != XA_APPROVAL_GRANTED || !xa_watch_is_used(c))
		return;
	if (w->view == XA_VIEW_LOST) {
		if (w->lease_count)
			xa_watch_look(c);
		return;
	}
	changed = xa_presences_take(&w->known, p);
	if (w->view == XA_VIEW_KNOWN && changed)
		hear_change(c);
	if (w->view == XA_VIEW_ASKING && !w->is_hurried) {
		w->is_hurried = true;
		xa_contact_set_timer(c, &w->settle,
		    xa_contact_now(c) + CROWD_MS);
	}
}

/* A new or renewed lease of one that is approved. */
void xa_watch_show(struct xa_contact *c)
{
	struct xa_watch *w = &c->watch;

	if (w->view == XA_VIEW_KNOWN &&
	    (w->silences == 0 || xa_contact_now(c) - w->probed_ms < PROBE_MS)) {
		tell_changes(c);
		return;
	}
	if (w->view == XA_VIEW_LOST)
		xa_watch_tell(c, true);
	xa_watch_look(c);
}

/* What was told stands for a while. */
void xa_watch_doubt(struct xa_contact *c)
{
	struct xa_watch *w = &c->watch;

	xa_contact_stop_timer(c, &w->settle);
	if (w->view == XA_VIEW_LOST)
		return;
	w->view = XA_VIEW_UNKNOWN;
	if (w->lease_count)
		xa_contact_set_timer(c, &w->settle,
		    xa_contact_now(c) + (w->was_told ? GRACE_MS : FIRST_MS));
}
