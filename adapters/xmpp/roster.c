/* SPDX-License-Identifier: ISC */
/* Who sees whom: the public face of the roster. */

#include "adapters/xmpp/roster.h"

#include "adapters/xmpp/roster_private.h"

struct xa_roster *xa_roster_new(const struct xa_roster_ops *ops, void *ctx,
    int64_t now_ms)
{
	struct xa_roster *r = prim_new(struct xa_roster);

	r->ops = ops;
	r->ctx = ctx;
	r->now_ms = now_ms;
	r->key.k0 = ops->random(ctx);
	r->key.k1 = ops->random(ctx);
	r->requests = ops->random(ctx) >> 32;
	prim_table_init(&r->table);
	TAILQ_INIT(&r->contacts);
	xa_line_init(r);
	TAILQ_INIT(&r->ask_queue);
	TAILQ_INIT(&r->keep_queue);
	prim_wheel_init(&r->wheel, now_ms);
	xa_bucket_init(&r->bucket, XA_PACE_RATE, XA_PACE_BURST, now_ms);
	xa_bucket_init(&r->keep_bucket, XA_KEEP_RATE, XA_KEEP_BURST, now_ms);
	r->pidf = prim_new(struct prim_pidf);
	return r;
}

struct xa_roster *xa_roster_free(struct xa_roster *r)
{
	struct xa_contact *c;

	if (!r)
		return NULL;
	while ((c = TAILQ_FIRST(&r->contacts)))
		xa_contact_free(c);
	prim_table_fini(&r->table);
	prim_pidf_fini(r->pidf);
	prim_free(r->pidf);
	prim_buf_fini(&r->body);
	return prim_free(r);
}

bool xa_roster_restore(struct xa_roster *r, struct prim_slice key,
    struct prim_slice value)
{
	return xa_contact_restore(r, key, value);
}

void xa_roster_restored(struct xa_roster *r, bool is_whole, int64_t now_ms)
{
	struct xa_contact *c, *next;

	r->now_ms = now_ms;
	r->is_whole = is_whole;
	PRIM_TAILQ_FOREACH_SAFE(c, &r->contacts, link, next) {
		xa_watch_restored(c);
		xa_follow_restored(c);
		xa_contact_reap(c);
	}
}

static void on_leg(struct xa_roster *r, unsigned leg,
    void (*watch)(struct xa_contact *c), void (*follow)(struct xa_contact *c))
{
	struct xa_contact *c, *next;

	PRIM_TAILQ_FOREACH_SAFE(c, &r->contacts, link, next) {
		if (c->leg != leg)
			continue;
		watch(c);
		follow(c);
		xa_contact_say(c, 0);
		xa_contact_reap(c);
	}
}

void xa_roster_up(struct xa_roster *r, unsigned leg, int64_t now_ms)
{
	r->now_ms = now_ms;
	if (r->is_up[leg])
		return;
	r->is_up[leg] = true;
	on_leg(r, leg, xa_watch_up, xa_follow_up);
}

void xa_roster_down(struct xa_roster *r, unsigned leg, int64_t now_ms)
{
	r->now_ms = now_ms;
	if (!r->is_up[leg])
		return;
	r->is_up[leg] = false;
	on_leg(r, leg, xa_watch_down, xa_follow_down);
}

unsigned xa_roster_subscribe(struct xa_roster *r, const struct xa_pair *pair,
    const struct bridge_subscription *s, uint32_t *granted_s, int64_t now_ms)
{
	struct xa_contact *c;
	unsigned code;

	r->now_ms = now_ms;
	c = xa_contact_find_or_make(r, pair);
	if (!c)
		return PRIM_NOT_FOUND;
	if (c->watch.approval == XA_APPROVAL_NONE &&
	    r->watch_count >= XA_ROSTER_MAX)
		code = PRIM_TOO_MANY_SUBSCRIPTIONS;
	else
		code = xa_watch_subscribe(c, s, granted_s);
	xa_contact_reap(c);
	return code;
}

unsigned xa_roster_unsubscribe(struct xa_roster *r, const struct xa_pair *pair,
    const struct bridge_subscription *s, int64_t now_ms)
{
	struct xa_contact *c = xa_contact_find(r, pair);
	unsigned code;

	r->now_ms = now_ms;
	if (!c)
		return PRIM_SUBSCRIPTION_NOT_FOUND;
	code = xa_watch_unsubscribe(c, s);
	xa_contact_reap(c);
	return code;
}

unsigned xa_roster_notify(struct xa_roster *r, const struct xa_pair *pair,
    const struct bridge_notification *n, int64_t now_ms)
{
	struct xa_contact *c = xa_contact_find(r, pair);
	unsigned code;

	r->now_ms = now_ms;
	if (!c)
		return PRIM_NOT_FOUND;
	code = xa_follow_notify(c, n);
	xa_contact_reap(c);
	return code;
}

void xa_roster_outcome(struct xa_roster *r, const struct xa_pair *pair,
    const struct bridge_presence_outcome *o, int64_t now_ms)
{
	struct xa_contact *c = xa_contact_find(r, pair);

	r->now_ms = now_ms;
	if (!c)
		return;
	if (o->kind == BRIDGE_NOTIFY)
		xa_watch_outcome(c, o);
	else if (o->kind == BRIDGE_SUBSCRIBE)
		xa_follow_outcome(c, o);
	xa_contact_reap(c);
}

void xa_roster_go(struct xa_roster *r, int64_t now_ms)
{
	r->now_ms = now_ms;
	if (r->is_draining)
		return;
	prim_wheel_advance(&r->wheel, now_ms);
	xa_roster_turn(r);
}

int64_t xa_roster_deadline(const struct xa_roster *r)
{
	int64_t at = prim_wheel_next(&r->wheel);
	const int64_t others[] = { xa_roster_turn_deadline(r),
		xa_roster_keep_deadline(r) };

	if (r->is_draining)
		return INT64_MAX;
	for (size_t i = 0; i < PRIM_COUNT(others); i++)
		at = others[i] < at ? others[i] : at;
	return at;
}

void xa_roster_count(const struct xa_roster *r, struct xa_roster_counts *out)
{
	*out = (struct xa_roster_counts){
		.contacts = r->table.count,
		.watches = r->lease_count,
		.follows = r->live_count,
		.words = r->words,
		.probes = r->probes,
	};
}
