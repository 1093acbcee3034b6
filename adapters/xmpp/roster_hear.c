/* SPDX-License-Identifier: ISC */
/* What the users of XMPP say, and the last words to them. */

#include "adapters/xmpp/roster_private.h"

/* Contacts there may be: those with a permission, and a few that only wait for
 * an answer. */
#define CONTACTS_MAX (2 * (size_t)XA_ROSTER_MAX + 10000)

static void refuse_subscribe(struct xa_roster *r, const struct xa_pair *pair,
    const struct xa_heard *h)
{
	static const struct xa_error FULL = { "resource-constraint", "wait" };
	int leg = r->ops->leg_of(r->ctx, pair->ours);
	char *ours = prim_slice_copy(pair->ours);
	char *theirs = prim_slice_copy(pair->theirs);
	char *id = prim_slice_copy(h->id);
	const struct xa_word w = {
		.type = "error",
		.from = ours,
		.to = theirs,
		.id = h->id.len ? id : NULL,
		.error = &FULL,
	};

	r->ops->log(r->ctx, BRIDGE_WARN, "too many follow somebody", pair);
	if (leg >= 0 && leg < XA_LEGS_MAX && r->is_up[leg])
		r->ops->say(r->ctx, (unsigned)leg, &w);
	prim_free(ours);
	prim_free(theirs);
	prim_free(id);
}

/* Only who wants something from us is worth a new contact. */
static struct xa_contact *contact_for(struct xa_roster *r,
    const struct xa_pair *pair, const struct xa_heard *h)
{
	struct xa_contact *c = xa_contact_find(r, pair);
	const bool is_subscribe = h->kind == XA_HEARD_SUBSCRIBE;
	const bool is_new = is_subscribe &&
	    (!c || c->follow.approval == XA_APPROVAL_NONE);

	if (is_new && r->follow_count >= XA_ROSTER_MAX) {
		refuse_subscribe(r, pair, h);
		return NULL;
	}
	/* Servers repeat it, so what is not heard is not lost. */
	if (is_new && !xa_line_admit(r, pair->theirs))
		return NULL;
	if (c ? !is_subscribe : r->table.count >= CONTACTS_MAX)
		return c;
	if (is_subscribe ||
	    (h->kind == XA_HEARD_PROBE && r->is_whole && xa_line_is_open(r)))
		return xa_contact_find_or_make(r, pair);
	return NULL;
}

/* Does it mean that he is there? */
static bool is_sign(const struct xa_heard *h)
{
	switch (h->kind) {
	case XA_HEARD_PRESENCE:
		return h->presence->is_available;
	case XA_HEARD_SUBSCRIBE:
	case XA_HEARD_SUBSCRIBED:
	case XA_HEARD_PROBE:
		return true;
	case XA_HEARD_UNSUBSCRIBE:
	case XA_HEARD_UNSUBSCRIBED:
	case XA_HEARD_ERROR:
		break;
	}
	return false;
}

bool xa_roster_sign(struct xa_roster *r, const struct xa_pair *pair,
    int64_t now_ms)
{
	struct xa_contact *c = xa_contact_find(r, pair);

	r->now_ms = now_ms;
	if (c && !r->is_draining)
		xa_follow_sign(c);
	return c != NULL;
}

/* Whoever says anything else than an error is there to hear us. */
static void hear(struct xa_contact *c, const struct xa_heard *h)
{
	if (h->kind != XA_HEARD_ERROR)
		c->follow.bounces = 0;
	if (is_sign(h))
		xa_follow_sign(c);
	switch (h->kind) {
	case XA_HEARD_PRESENCE:
		xa_watch_hear_presence(c, h->presence);
		break;
	case XA_HEARD_SUBSCRIBE:
		xa_follow_hear_subscribe(c, h->id);
		break;
	case XA_HEARD_SUBSCRIBED:
		xa_watch_hear_subscribed(c);
		break;
	case XA_HEARD_UNSUBSCRIBE:
		xa_follow_hear_unsubscribe(c);
		break;
	case XA_HEARD_UNSUBSCRIBED:
		xa_watch_hear_unsubscribed(c);
		break;
	case XA_HEARD_PROBE:
		xa_follow_hear_probe(c, h);
		break;
	case XA_HEARD_ERROR:
		xa_watch_hear_error(c, h);
		xa_follow_hear_error(c, h);
		break;
	}
}

void xa_roster_hear(struct xa_roster *r, const struct xa_pair *pair,
    const struct xa_heard *h, int64_t now_ms)
{
	struct xa_contact *c;

	r->now_ms = now_ms;
	c = r->is_draining ? NULL : contact_for(r, pair, h);
	if (c) {
		hear(c, h);
		xa_contact_reap(c);
	}
	if (h->kind == XA_HEARD_PRESENCE)
		xa_presence_fini(h->presence);
}

void xa_roster_drain(struct xa_roster *r, int64_t now_ms)
{
	struct xa_contact *c;
	unsigned count = 0;

	r->now_ms = now_ms;
	TAILQ_FOREACH(c, &r->contacts, link) {
		if (count >= XA_DRAIN_MAX)
			break;
		if (!xa_contact_is_up(c) ||
		    c->follow.approval != XA_APPROVAL_GRANTED)
			continue;
		xa_presences_fini(&c->follow.now);
		count += xa_contact_show(c, false);
	}
	xa_roster_drain_keeping(r);
	r->is_draining = true;
}
