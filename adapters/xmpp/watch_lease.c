/* SPDX-License-Identifier: ISC */
/* The subscriptions of the core at a watch, and the NOTIFYs to them. */

#include "adapters/xmpp/roster_private.h"

#define LEASE_MIN_S 60
#define LEASE_MAX_S 86400
#define FETCH_MS    (60 * XA_SECOND) /* a single look takes no longer */
#define REPEAT_MS   (5 * XA_SECOND)  /* a NOTIFY that the core could not take */

static struct xa_lease *find_id(const struct xa_contact *c,
    struct prim_slice id)
{
	struct xa_lease *l;

	TAILQ_FOREACH(l, &c->watch.leases, link) {
		if (prim_slice_eq(prim_slice_of(l->id), id))
			return l;
	}
	return NULL;
}

/* The one of the same two names; it goes on under another id. */
static struct xa_lease *find_names(const struct xa_contact *c,
    const struct bridge_subscription *s)
{
	struct xa_lease *l;

	TAILQ_FOREACH(l, &c->watch.leases, link) {
		if (!l->is_last &&
		    prim_slice_eq(prim_slice_of(l->watcher), s->watcher) &&
		    prim_slice_eq(prim_slice_of(l->presentity), s->presentity))
			return l;
	}
	return NULL;
}

void xa_lease_free(struct xa_lease *l)
{
	struct xa_contact *c = l->contact;

	TAILQ_REMOVE(&c->watch.leases, l, link);
	c->watch.lease_count--;
	c->roster->lease_count--;
	xa_contact_stop_timer(c, &l->expiry);
	prim_free(l->id);
	prim_free(l->watcher);
	prim_free(l->presentity);
	prim_free(l);
}

static void end(struct xa_lease *l)
{
	struct xa_contact *c = l->contact;

	xa_lease_free(l);
	if (c->watch.lease_count == 0)
		xa_watch_unused(c);
}

static void on_expiry(struct prim_timer *t)
{
	struct xa_lease *l = PRIM_CONTAINER(t, struct xa_lease, expiry);
	struct xa_contact *c = l->contact;

	end(l);
	xa_contact_reap(c);
}

static struct xa_lease *lease_new(struct xa_contact *c,
    const struct bridge_subscription *s)
{
	struct xa_lease *l = prim_new(struct xa_lease);

	l->contact = c;
	l->id = prim_slice_copy(s->id);
	l->watcher = prim_slice_copy(s->watcher);
	l->presentity = prim_slice_copy(s->presentity);
	prim_timer_init(&l->expiry, on_expiry);
	TAILQ_INSERT_TAIL(&c->watch.leases, l, link);
	c->watch.lease_count++;
	c->roster->lease_count++;
	return l;
}

static void make_dirty(struct xa_lease *l)
{
	l->is_owed = false;
	l->is_dirty = true;
	if (!l->is_unanswered)
		xa_contact_ask(l->contact);
}

void xa_watch_tell(struct xa_contact *c, bool owed_only)
{
	struct xa_lease *l;

	TAILQ_FOREACH(l, &c->watch.leases, link) {
		if (l->is_owed || !owed_only)
			make_dirty(l);
	}
}

bool xa_watch_is_behind(const struct xa_contact *c)
{
	const struct xa_lease *l;

	TAILQ_FOREACH(l, &c->watch.leases, link) {
		if (l->is_owed || l->is_dirty || l->is_unanswered)
			return true;
	}
	return false;
}

void xa_watch_end_all(struct xa_contact *c)
{
	struct xa_lease *l;

	TAILQ_FOREACH(l, &c->watch.leases, link) {
		l->is_last = true;
		make_dirty(l);
	}
}

/*
 * What the core says.
 */

/* Duration 0: the end of one we know, or a single look. */
static unsigned look_once(struct xa_contact *c,
    const struct bridge_subscription *s)
{
	struct xa_lease *l = find_id(c, s->id);

	if (l) {
		l->is_last = true;
		make_dirty(l);
		return PRIM_OK;
	}
	if (c->watch.lease_count >= XA_LEASES_MAX)
		return PRIM_TOO_MANY_SUBSCRIPTIONS;
	l = lease_new(c, s);
	l->is_last = true;
	xa_contact_set_timer(c, &l->expiry, xa_contact_now(c) + FETCH_MS);
	xa_watch_wanted(c, l);
	return PRIM_OK;
}

static void set_id(struct xa_lease *l, struct prim_slice id)
{
	if (prim_slice_eq(prim_slice_of(l->id), id))
		return;
	prim_free(l->id);
	l->id = prim_slice_copy(id);
	/* What the old one is answered says nothing about this one. */
	l->is_unanswered = false;
}

/* A refusal has no lease, but may be the occasion to ask again. */
static unsigned refuse(struct xa_contact *c,
    const struct bridge_subscription *s)
{
	struct xa_lease *l = lease_new(c, s);

	l->is_last = true;
	xa_watch_wanted(c, l);
	xa_lease_free(l);
	return c->watch.code ? c->watch.code : PRIM_FORBIDDEN;
}

unsigned xa_watch_subscribe(struct xa_contact *c,
    const struct bridge_subscription *s, uint32_t *granted_s)
{
	struct xa_lease *l;
	uint32_t seconds = s->duration_s;

	if (seconds == 0)
		return look_once(c, s);
	if (c->watch.approval == XA_APPROVAL_DENIED)
		return refuse(c, s);
	l = find_id(c, s->id);
	if (!l)
		l = find_names(c, s);
	if (!l && c->watch.lease_count >= XA_LEASES_MAX)
		return PRIM_TOO_MANY_SUBSCRIPTIONS;
	if (!l)
		l = lease_new(c, s);
	set_id(l, s->id);
	if (seconds < LEASE_MIN_S)
		seconds = LEASE_MIN_S;
	if (seconds > LEASE_MAX_S)
		seconds = LEASE_MAX_S;
	*granted_s = seconds;
	xa_contact_set_timer(c, &l->expiry,
	    xa_contact_now(c) + seconds * XA_SECOND);
	xa_watch_wanted(c, l);
	return seconds == s->duration_s ? PRIM_OK : PRIM_DURATION_ADJUSTED;
}

unsigned xa_watch_unsubscribe(struct xa_contact *c,
    const struct bridge_subscription *s)
{
	struct xa_lease *l = find_id(c, s->id);

	if (!l)
		return PRIM_SUBSCRIPTION_NOT_FOUND;
	end(l);
	return PRIM_OK;
}

void xa_watch_outcome(struct xa_contact *c,
    const struct bridge_presence_outcome *o)
{
	struct xa_lease *l = find_id(c, o->id);

	if (!l || !l->is_unanswered)
		return;
	l->is_unanswered = false;
	if (o->code == PRIM_NOT_FOUND ||
	    o->code == PRIM_SUBSCRIPTION_NOT_FOUND) {
		end(l);
		return;
	}
	if (o->code >= 500) {
		l->is_owed = true;
		if (!prim_timer_is_set(&c->watch.settle))
			xa_contact_set_timer(c, &c->watch.settle,
			    xa_contact_now(c) + REPEAT_MS);
	}
	if (l->is_dirty)
		xa_contact_ask(c);
}

/*
 * What the core is told.
 */

static void put_body(struct xa_lease *l, struct prim_buf *b)
{
	const struct xa_contact *c = l->contact;
	struct prim_slice entity = prim_slice_of(l->presentity);
	struct prim_slice bare = entity;
	struct prim_buf inbox = { 0 };

	prim_slice_cut(&bare, ':');
	prim_buf_puts(&inbox, "im:");
	prim_buf_put(&inbox, bare);
	prim_buf_reset(b);
	xa_presences_put_pidf(b, &c->watch.told, entity, prim_buf_slice(&inbox),
	    xa_contact_now(c));
	prim_buf_fini(&inbox);
}

static void notify(struct xa_lease *l)
{
	struct xa_roster *r = l->contact->roster;
	struct bridge_notification n = {
		.watcher = prim_slice_of(l->watcher),
		.presentity = prim_slice_of(l->presentity),
		.id = prim_slice_of(l->id),
		.content_type = PRIM_SLICE("application/pidf+xml"),
		.is_end = l->is_last,
	};

	put_body(l, &r->body);
	n.body = prim_buf_slice(&r->body);
	l->is_dirty = false;
	/* There was room; so what is refused would always be. */
	l->is_unanswered = r->ops->notify(r->ctx, &n);
	if (l->is_last)
		end(l);
}

bool xa_watch_ask(struct xa_contact *c)
{
	struct xa_roster *r = c->roster;
	struct xa_lease *l, *next;

	PRIM_TAILQ_FOREACH_SAFE(l, &c->watch.leases, link, next) {
		if (!l->is_dirty || l->is_unanswered)
			continue;
		if (r->ops->room(r->ctx) == 0)
			return false;
		notify(l);
	}
	return true;
}
