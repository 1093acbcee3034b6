/* SPDX-License-Identifier: ISC */
/*
 * Who stands in line to say something to XMPP. Each leg has lines of its own:
 * those we have to do with, strangers, who come last and are not many, and those
 * to whose user too much was said of late.
 */

#include "adapters/xmpp/roster_private.h"

#define BLOCKED_MS    50    /* how long a busy leg is left alone */
#define LATE_MS       250   /* how often those who are late are looked at */
#define STRANGERS_MAX 10000 /* who wait for an answer */
#define REQUEST_COST  2     /* stanzas: what a `subscribe` may lead to */

/* He has no permission, and was shown nothing that must be taken back. */
static bool is_stranger(const struct xa_contact *c)
{
	return c->watch.approval == XA_APPROVAL_NONE &&
	    c->follow.approval == XA_APPROVAL_NONE &&
	    c->watch.lease_count == 0 && !xa_presences_any(&c->follow.told);
}

static void join(struct xa_contact *c, enum xa_line line)
{
	struct xa_roster *r = c->roster;

	c->is_saying = true;
	c->line = line;
	TAILQ_INSERT_TAIL(&r->lines[c->leg][line], c, say_turn);
	if (line == XA_LINE_STRANGERS)
		r->stranger_count++;
}

void xa_line_leave(struct xa_contact *c)
{
	struct xa_roster *r = c->roster;

	if (!c->is_saying)
		return;
	c->is_saying = false;
	TAILQ_REMOVE(&r->lines[c->leg][c->line], c, say_turn);
	if (c->line == XA_LINE_STRANGERS)
		r->stranger_count--;
}

bool xa_line_is_open(const struct xa_roster *r)
{
	return r->stranger_count < STRANGERS_MAX;
}

void xa_contact_say(struct xa_contact *c, unsigned what)
{
	struct xa_roster *r = c->roster;
	const bool stranger = is_stranger(c);

	c->say |= what;
	if (!c->say || !xa_contact_is_up(c))
		return;
	if (c->is_saying && c->line == XA_LINE_STRANGERS && !stranger)
		xa_line_leave(c);
	if (c->is_saying)
		return;
	if (!stranger)
		join(c, XA_LINE_MAIN);
	else if (xa_line_is_open(r))
		join(c, XA_LINE_STRANGERS);
	else
		c->say = 0;
}

/* So many users share a bucket by chance that nobody can tell who. */
static struct xa_bucket *bucket_of_user(struct xa_roster *r,
    struct prim_slice theirs)
{
	return &r->users[prim_hash(&r->key, theirs) % XA_USER_BUCKETS];
}

static struct xa_bucket *bucket_of(const struct xa_contact *c)
{
	return bucket_of_user(c->roster, prim_slice_of(c->theirs));
}

bool xa_line_admit(struct xa_roster *r, struct prim_slice theirs)
{
	struct xa_bucket *b = bucket_of_user(r, theirs);
	bool ok = xa_bucket_has(b, r->now_ms);

	if (ok)
		xa_bucket_take(b, REQUEST_COST);
	return ok;
}

struct xa_contact *xa_line_first(const struct xa_roster *r, unsigned leg)
{
	struct xa_contact *c = NULL;

	if (r->now_ms >= r->blocked_ms[leg])
		c = TAILQ_FIRST(&r->lines[leg][XA_LINE_MAIN]);
	if (!c && r->now_ms >= r->blocked_ms[leg])
		c = TAILQ_FIRST(&r->lines[leg][XA_LINE_STRANGERS]);
	return c;
}

bool xa_line_may(struct xa_contact *c)
{
	struct xa_roster *r = c->roster;

	if (!r->ops->is_clear(r->ctx, c->leg)) {
		r->blocked_ms[c->leg] = r->now_ms + BLOCKED_MS;
		return false;
	}
	if (xa_bucket_has(bucket_of(c), r->now_ms))
		return true;
	xa_line_leave(c);
	join(c, XA_LINE_LATE);
	if (r->late_ms <= r->now_ms)
		r->late_ms = r->now_ms + LATE_MS;
	return false;
}

void xa_line_said(const struct xa_contact *c, unsigned count)
{
	xa_bucket_take(bucket_of(c), count);
}

void xa_line_wake(struct xa_roster *r)
{
	struct xa_contact *c, *next;

	if (r->now_ms < r->late_ms)
		return;
	for (unsigned leg = 0; leg < XA_LEGS_MAX; leg++) {
		PRIM_TAILQ_FOREACH_SAFE(c, &r->lines[leg][XA_LINE_LATE],
		    say_turn, next) {
			if (!xa_bucket_has(bucket_of(c), r->now_ms))
				continue;
			xa_line_leave(c);
			join(c, XA_LINE_MAIN);
		}
		if (!TAILQ_EMPTY(&r->lines[leg][XA_LINE_LATE]))
			r->late_ms = r->now_ms + LATE_MS;
	}
}

/* The core's room comes with an answer, which calls us again. */
int64_t xa_roster_turn_deadline(const struct xa_roster *r)
{
	int64_t spare = xa_bucket_next(&r->bucket, r->now_ms);
	int64_t first = INT64_MAX, at;

	for (unsigned leg = 0; leg < XA_LEGS_MAX; leg++) {
		const struct xa_contact_list *lines = r->lines[leg];

		at = spare > r->blocked_ms[leg] ? spare : r->blocked_ms[leg];
		if ((!TAILQ_EMPTY(&lines[XA_LINE_MAIN]) ||
			!TAILQ_EMPTY(&lines[XA_LINE_STRANGERS])) &&
		    at < first)
			first = at;
		if (!TAILQ_EMPTY(&lines[XA_LINE_LATE]) && r->late_ms < first)
			first = r->late_ms;
	}
	return first;
}

void xa_line_init(struct xa_roster *r)
{
	for (unsigned leg = 0; leg < XA_LEGS_MAX; leg++) {
		for (unsigned line = 0; line < XA_LINES_MAX; line++)
			TAILQ_INIT(&r->lines[leg][line]);
	}
	for (unsigned i = 0; i < XA_USER_BUCKETS; i++)
		xa_bucket_init(&r->users[i], XA_USER_RATE, XA_USER_BURST,
		    r->now_ms);
}
