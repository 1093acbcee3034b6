/* SPDX-License-Identifier: ISC */
/* One contact: its place in the table, and what lasts about it. */

#include "adapters/xmpp/roster_private.h"

/*
 * The table.
 */

static uint64_t hash_of(const struct xa_roster *r, struct prim_slice ours,
    struct prim_slice theirs)
{
	return prim_hash(&r->key, ours) * 31 + prim_hash(&r->key, theirs);
}

struct xa_contact *xa_contact_find(const struct xa_roster *r,
    const struct xa_pair *pair)
{
	struct prim_table_node *n = prim_table_first(&r->table,
	    hash_of(r, pair->ours, pair->theirs));

	for (; n; n = prim_table_next(n)) {
		struct xa_contact *c = PRIM_CONTAINER(n, struct xa_contact,
		    node);

		if (prim_slice_eq(prim_slice_of(c->ours), pair->ours) &&
		    prim_slice_eq(prim_slice_of(c->theirs), pair->theirs))
			return c;
	}
	return NULL;
}

/* NULL: no leg speaks for the principal. */
static struct xa_contact *make(struct xa_roster *r, const struct xa_pair *pair)
{
	int leg = r->ops->leg_of(r->ctx, pair->ours);
	struct xa_contact *c;

	if (leg < 0 || leg >= XA_LEGS_MAX)
		return NULL;
	c = prim_new(struct xa_contact);
	c->roster = r;
	c->leg = (unsigned)leg;
	c->ours = prim_slice_copy(pair->ours);
	c->theirs = prim_slice_copy(pair->theirs);
	c->principal = prim_slice_copy(pair->principal);
	c->user = prim_slice_copy(pair->user);
	xa_watch_init(c);
	xa_follow_init(c);
	prim_table_put(&r->table, &c->node,
	    hash_of(r, pair->ours, pair->theirs));
	TAILQ_INSERT_TAIL(&r->contacts, c, link);
	return c;
}

struct xa_contact *xa_contact_find_or_make(struct xa_roster *r,
    const struct xa_pair *pair)
{
	struct xa_contact *c = xa_contact_find(r, pair);

	if (!c)
		return make(r, pair);
	/* A stranger's probe did not tell them. */
	if (!c->principal[0] || !c->user[0]) {
		prim_free(c->principal);
		prim_free(c->user);
		c->principal = prim_slice_copy(pair->principal);
		c->user = prim_slice_copy(pair->user);
	}
	return c;
}

void xa_contact_free(struct xa_contact *c)
{
	struct xa_roster *r = c->roster;

	xa_watch_fini(c);
	xa_follow_fini(c);
	xa_contact_leave(c);
	xa_contact_leave_keeping(c);
	xa_contact_set_watch(c, XA_APPROVAL_NONE);
	xa_contact_set_follow(c, XA_APPROVAL_NONE);
	prim_table_drop(&r->table, &c->node);
	TAILQ_REMOVE(&r->contacts, c, link);
	prim_free(c->ours);
	prim_free(c->theirs);
	prim_free(c->principal);
	prim_free(c->user);
	prim_free(c);
}

void xa_contact_reap(struct xa_contact *c)
{
	if (!c->say && !c->is_asking && !c->is_keeping && xa_watch_is_idle(c) &&
	    xa_follow_is_idle(c))
		xa_contact_free(c);
}

void xa_contact_set_timer(struct xa_contact *c, struct prim_timer *t,
    int64_t at_ms)
{
	prim_timer_set(&c->roster->wheel, t, at_ms);
}

void xa_contact_stop_timer(struct xa_contact *c, struct prim_timer *t)
{
	prim_timer_stop(&c->roster->wheel, t);
}

bool xa_contact_is_up(const struct xa_contact *c)
{
	return c->roster->is_up[c->leg];
}

void xa_contact_log(const struct xa_contact *c, enum bridge_level level,
    const char *what)
{
	const struct xa_pair pair = {
		.ours = prim_slice_of(c->ours),
		.theirs = prim_slice_of(c->theirs),
		.principal = prim_slice_of(c->principal),
		.user = prim_slice_of(c->user),
	};

	c->roster->ops->log(c->roster->ctx, level, what, &pair);
}

void xa_contact_set_closed(const struct xa_contact *c, struct xa_presences *all,
    const char *why)
{
	struct xa_presence p = {
		.idle_since_ms = XA_NO_TIME,
		.stamp_ms = xa_contact_now(c),
	};

	if (why) {
		p.status_count = 1;
		p.statuses[0].language = prim_slice_copy(PRIM_SLICE("en"));
		p.statuses[0].text = prim_slice_copy(prim_slice_of(why));
	}
	xa_presences_fini(all);
	xa_presences_take(all, &p);
}

static void set_approval(enum xa_approval *what, enum xa_approval approval,
    size_t *count)
{
	if (*what != XA_APPROVAL_NONE)
		(*count)--;
	if (approval != XA_APPROVAL_NONE)
		(*count)++;
	*what = approval;
}

void xa_contact_set_watch(struct xa_contact *c, enum xa_approval approval)
{
	c->watch.since_ms = c->roster->now_ms;
	set_approval(&c->watch.approval, approval, &c->roster->watch_count);
}

void xa_contact_set_follow(struct xa_contact *c, enum xa_approval approval)
{
	c->follow.since_ms = c->roster->now_ms;
	set_approval(&c->follow.approval, approval, &c->roster->follow_count);
}

/*
 * Coming back.
 */

static void restore_told(struct xa_contact *c, const struct xa_record *record)
{
	for (unsigned i = 0; i < record->told_count; i++) {
		struct xa_presence p = {
			.resource = prim_slice_copy(record->told[i]),
			.is_available = true,
			.idle_since_ms = XA_NO_TIME,
			.stamp_ms = XA_NO_TIME,
		};

		xa_presences_take(&c->follow.told, &p);
	}
}

static void restore(struct xa_contact *c, const struct xa_record *record)
{
	xa_contact_set_watch(c, record->watch);
	c->watch.since_ms = record->watch_ms;
	c->watch.code = record->watch_code;
	c->watch.asked_ms = record->asked_ms;
	c->watch.used_ms = record->used_ms;
	if (record->follow != XA_APPROVAL_DENIED)
		xa_contact_set_follow(c, record->follow);
	c->follow.since_ms = record->follow_ms;
	restore_told(c, record);
	c->is_kept = true;
}

bool xa_contact_restore(struct xa_roster *r, struct prim_slice key,
    struct prim_slice value)
{
	struct prim_buf own = { 0 };
	struct xa_record record;
	struct xa_contact *c = NULL;
	struct xa_pair pair;
	bool ok = xa_record_parse(value, &record);

	if (!ok)
		return false;
	xa_record_put_key(&own, record.ours, record.theirs);
	ok = prim_slice_eq(prim_buf_slice(&own), key);
	prim_buf_fini(&own);
	pair = (struct xa_pair){ record.ours, record.theirs, record.principal,
		record.user };
	if (ok && !xa_contact_find(r, &pair))
		c = make(r, &pair);
	if (c)
		restore(c, &record);
	return ok;
}
