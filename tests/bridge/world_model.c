/* SPDX-License-Identifier: ISC */
/* What must be true in a world that is played at random. */

#include "tests/bridge/world_model.h"

#define LEASE_MAX_S 2592000 /* nothing longer is granted */
#define SLACK_MS    1000    /* so late may something end */
#define JUMPS_MS    60000   /* the same, while the clock jumps */

/* ---- publications ---- */

static int64_t slack(const struct play *p)
{
	return (p->temper & PLAY_JUMPS) && !p->is_ending ? JUMPS_MS : SLACK_MS;
}

enum leased { LEASE_NONE, LEASE_THERE, LEASE_DOUBTFUL };

static enum leased leased(const struct play *p, const struct play_tuple *t)
{
	if (!t->leased || play_now(p) > t->due_max_ms + slack(p))
		return LEASE_NONE;
	return play_now(p) < t->due_min_ms ? LEASE_THERE : LEASE_DOUBTFUL;
}

static void lease(struct play_tuple *t, const struct play_asked *a,
    int64_t now_ms)
{
	t->due_min_ms = a->at_ms + a->seconds * 1000;
	t->due_max_ms = now_ms + a->seconds * 1000;
}

/* When it was asked the lease may have been there still. */
static void renew(const struct play *p, struct play_tuple *t,
    const struct play_asked *a)
{
	enum leased before = leased(p, t);

	if (before == LEASE_DOUBTFUL ||
	    (before == LEASE_NONE && t->leased &&
		a->at_ms <= t->due_max_ms + slack(p)))
		t->is_doubtful = true;
	else if (before == LEASE_NONE)
		t->leased = a->value;
	lease(t, a, play_now(p));
}

static void apply(const struct play *p, struct play_tuple *t,
    const struct play_asked *a)
{
	switch (a->kind) {
	case PRIM_PUBLISH_LEASED:
		t->leased = a->value;
		t->is_doubtful = false;
		lease(t, a, play_now(p));
		break;
	case PRIM_PUBLISH_PERMANENT:
		t->permanent = a->value;
		break;
	case PRIM_PUBLISH_RENEW:
		renew(p, t, a);
		break;
	case PRIM_PUBLISH_REVERT:
		t->leased = 0;
		t->is_doubtful = false;
		break;
	case PRIM_PUBLISH_REMOVE:
		*t = (struct play_tuple){ .permanent = 0 };
		break;
	}
}

/* Only what is not there can be refused like this. */
static bool may_be_absent(const struct play *p, const struct play_tuple *t,
    const struct play_asked *a)
{
	bool takes_away = a->kind == PRIM_PUBLISH_REVERT ||
	    a->kind == PRIM_PUBLISH_REMOVE;

	return takes_away && !t->permanent && leased(p, t) != LEASE_THERE;
}

static bool may_be_there(const struct play *p, const struct play_tuple *t,
    const struct play_asked *a)
{
	bool takes_away = a->kind == PRIM_PUBLISH_REVERT ||
	    a->kind == PRIM_PUBLISH_REMOVE;

	return !takes_away || t->permanent || leased(p, t) != LEASE_NONE ||
	    (t->leased && a->at_ms <= t->due_max_ms + slack(p));
}

void play_published(struct play *p, unsigned who, const struct play_asked *a,
    unsigned code)
{
	struct play_person *person = &p->people[who];
	struct play_tuple *t = &person->tuples[a->tuple];

	if (person->is_unknown || !person->has_account)
		return;
	if (code == PRIM_OK || code == PRIM_DURATION_ADJUSTED) {
		play_expect(p, may_be_there(p, t, a),
		    "what is not there was taken away");
		apply(p, t, a);
	} else if (code == PRIM_NOT_FOUND) {
		play_expect(p,
		    may_be_absent(p, t, a) || (p->temper & PLAY_REMOVED),
		    "what is there was not found");
	} else {
		play_expect(p, code == PRIM_INTERNAL_ERROR,
		    "a publication was refused");
	}
}

static void expect_tuple(struct play *p, const struct play_tuple *t,
    const struct play_view *seen)
{
	enum leased is_leased = leased(p, t);
	bool has_leased = t->leased && play_view_has(seen, t->leased);
	bool has_permanent = t->permanent && play_view_has(seen, t->permanent);

	if (t->is_doubtful || is_leased == LEASE_DOUBTFUL)
		return;
	play_expect(p, has_leased == (is_leased == LEASE_THERE),
	    "a lease is not as it was published");
	play_expect(p,
	    has_permanent == (t->permanent && is_leased == LEASE_NONE),
	    "a permanent value is not as it was published");
}

void play_expect_published(struct play *p, unsigned who,
    const struct play_view *seen)
{
	struct play_person *person = &p->people[who];
	unsigned most = 0, least = 0;

	if (person->is_unknown)
		return;
	for (unsigned i = 0; i < PLAY_TUPLES; i++) {
		const struct play_tuple *t = &person->tuples[i];
		enum leased is_leased = leased(p, t);

		expect_tuple(p, t, seen);
		most += t->permanent || is_leased != LEASE_NONE;
		least += t->permanent || is_leased == LEASE_THERE;
	}
	play_expect(p, seen->count >= least && seen->count <= most,
	    "there are more or less tuples than were published");
}

/* ---- subscriptions ---- */

unsigned play_still_asked(const struct play *p, unsigned who, unsigned target)
{
	unsigned count = 0;

	for (unsigned i = 0; i < PLAY_CLIENTS; i++) {
		const struct play_client *c = &p->clients[i];

		for (unsigned k = 0; c->who == who && k < c->asked_count; k++)
			count += c->asked[k].target == target &&
			    (c->asked[k].method == PRIM_METHOD_SUBSCRIBE ||
				c->asked[k].method == PRIM_METHOD_UNSUBSCRIBE);
	}
	return count;
}

static void watches(struct play *p, struct play_pair *pair,
    const struct play_asked *a)
{
	int64_t s = a->seconds < LEASE_MAX_S ? a->seconds : LEASE_MAX_S;

	pair->until_min_ms = a->at_ms + s * 1000;
	pair->until_max_ms = play_now(p) + s * 1000;
}

void play_subscribed(struct play *p, unsigned who, const struct play_asked *a,
    unsigned code)
{
	struct play_pair *pair = &p->pairs[who][a->target];
	bool is_taken = code == PRIM_OK || code == PRIM_DURATION_ADJUSTED;
	bool is_last = play_still_asked(p, who, a->target) == 0;
	bool is_gone = a->seconds == 0 &&
	    (is_taken || code == PRIM_SUBSCRIPTION_NOT_FOUND);

	pair->is_known = is_last && !pair->is_crossed && (is_taken || is_gone);
	if (is_last)
		pair->is_crossed = false;
	if (is_gone)
		pair->until_min_ms = pair->until_max_ms = 0;
	else if (is_taken)
		watches(p, pair, a);
}

void play_unsure(struct play *p, unsigned who, unsigned target)
{
	struct play_pair *pair = &p->pairs[who][target];

	pair->is_known = false;
	/* Nor do answers tell that were given before, and not read. */
	if (play_still_asked(p, who, target))
		pair->is_crossed = true;
}

void play_lost(struct play *p, unsigned who, const struct play_asked *a)
{
	struct play_pair *pair = &p->pairs[who][a->target];

	if (a->method == PRIM_METHOD_PUBLISH || a->method == PRIM_METHOD_REMOVE)
		p->people[who].is_unknown = true;
	if (a->method != PRIM_METHOD_SUBSCRIBE &&
	    a->method != PRIM_METHOD_UNSUBSCRIBE)
		return;
	pair->is_known = false;
	if (a->method == PRIM_METHOD_SUBSCRIBE)
		pair->is_missed = pair->is_haunted = true;
}

void play_removed(struct play *p, unsigned who)
{
	struct play_person *person = &p->people[who];

	*person = (struct play_person){
		.is_unknown = person->is_unknown,
		.gone = ++p->number,
	};
	for (unsigned i = 0; i < PLAY_PEOPLE; i++) {
		play_unsure(p, who, i);
		play_unsure(p, i, who);
	}
}

void play_expect_watched(struct play *p, unsigned who, unsigned target,
    bool is_there)
{
	const struct play_pair *pair = &p->pairs[who][target];

	if (!pair->is_known || target >= PLAY_PEOPLE)
		return;
	if (play_now(p) < pair->until_min_ms)
		play_expect(p, is_there, "a subscription is missing");
	if (play_now(p) > pair->until_max_ms + slack(p))
		play_expect(p, !is_there, "a subscription is left");
}
