/* SPDX-License-Identifier: ISC */
/*
 * What lasts about contacts is written to STATE. Each record is a transaction of
 * the core's, so there is a pace, and who waits for it waits with the newest: of
 * a stranger who comes and is refused meanwhile nothing is written at all.
 */

#include "adapters/xmpp/roster_private.h"

#define COST_OCTETS 512 /* of a record, for one token */
#define DRAIN_MAX   5000

/* Who has not yet been told that he may follow would not be told after a death
 * either, if it was written down that he may. */
static enum xa_approval follow_of(const struct xa_contact *c)
{
	return c->say & XA_SAY_SUBSCRIBED ? XA_APPROVAL_PENDING
					  : c->follow.approval;
}

static void fill_record(const struct xa_contact *c, struct xa_record *out)
{
	const struct xa_presences *told = &c->follow.told;

	*out = (struct xa_record){
		.ours = prim_slice_of(c->ours),
		.theirs = prim_slice_of(c->theirs),
		.principal = prim_slice_of(c->principal),
		.user = prim_slice_of(c->user),
		.watch = c->watch.approval,
		.watch_code = c->watch.code,
		.watch_ms = c->watch.since_ms,
		.asked_ms = c->watch.asked_ms,
		.used_ms = c->watch.used_ms,
		.follow = follow_of(c),
		.follow_ms = c->follow.since_ms,
	};
	for (unsigned i = 0;
	     i < told->count && out->told_count < XA_RESOURCES_MAX; i++) {
		if (told->items[i].is_available)
			out->told[out->told_count++] =
			    prim_slice_of(told->items[i].resource);
	}
}

/* What somebody was shown lasts until he was told that it is over. */
static bool lasts(const struct xa_contact *c)
{
	return c->watch.approval != XA_APPROVAL_NONE ||
	    c->follow.approval != XA_APPROVAL_NONE ||
	    xa_presences_any(&c->follow.told);
}

static void put_record(struct xa_contact *c, struct prim_slice key)
{
	struct xa_roster *r = c->roster;
	struct prim_buf value = { 0 };
	struct xa_record record;
	uint64_t hash;

	fill_record(c, &record);
	xa_record_put(&value, &record);
	hash = prim_hash(&r->key, prim_buf_slice(&value));
	if (!c->is_kept || hash != c->kept_hash) {
		xa_bucket_take(&r->keep_bucket,
		    1 + (unsigned)(value.len / COST_OCTETS));
		r->ops->keep(r->ctx, key, prim_buf_slice(&value));
	}
	c->is_kept = true;
	c->kept_hash = hash;
	prim_buf_fini(&value);
}

static void drop_record(struct xa_contact *c, struct prim_slice key)
{
	struct xa_roster *r = c->roster;

	xa_bucket_take(&r->keep_bucket, 1);
	r->ops->forget(r->ctx, key);
	c->is_kept = false;
}

static void store(struct xa_contact *c)
{
	struct prim_buf key = { 0 };

	if (!lasts(c) && !c->is_kept)
		return;
	xa_record_put_key(&key, prim_slice_of(c->ours),
	    prim_slice_of(c->theirs));
	if (lasts(c))
		put_record(c, prim_buf_slice(&key));
	else
		drop_record(c, prim_buf_slice(&key));
	prim_buf_fini(&key);
}

void xa_contact_keep(struct xa_contact *c)
{
	struct xa_roster *r = c->roster;

	if (c->is_keeping)
		return;
	if (xa_bucket_has(&r->keep_bucket, r->now_ms)) {
		store(c);
		return;
	}
	c->is_keeping = true;
	TAILQ_INSERT_TAIL(&r->keep_queue, c, keep_turn);
}

void xa_contact_leave_keeping(struct xa_contact *c)
{
	if (c->is_keeping)
		TAILQ_REMOVE(&c->roster->keep_queue, c, keep_turn);
	c->is_keeping = false;
}

static void write_first(struct xa_roster *r)
{
	struct xa_contact *c = TAILQ_FIRST(&r->keep_queue);

	xa_contact_leave_keeping(c);
	store(c);
	xa_contact_reap(c);
}

void xa_roster_turn_keeping(struct xa_roster *r)
{
	while (!TAILQ_EMPTY(&r->keep_queue) &&
	    xa_bucket_has(&r->keep_bucket, r->now_ms))
		write_first(r);
}

void xa_roster_drain_keeping(struct xa_roster *r)
{
	for (unsigned i = 0; i < DRAIN_MAX && !TAILQ_EMPTY(&r->keep_queue); i++)
		write_first(r);
}

int64_t xa_roster_keep_deadline(const struct xa_roster *r)
{
	return TAILQ_EMPTY(&r->keep_queue)
	    ? INT64_MAX
	    : xa_bucket_next(&r->keep_bucket, r->now_ms);
}
