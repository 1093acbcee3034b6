/* SPDX-License-Identifier: ISC */
/* The subscription that we hold at the core for a user who follows. */

#include <string.h>

#include "adapters/xmpp/roster_private.h"

#define LEASE_S      3600
#define ACT_MS       (30 * XA_SECOND) /* between two SUBSCRIBEs of a pair */
#define BACKOFF_MS   (5 * XA_SECOND)  /* doubled with each failure */
#define BACKOFF_MAX  (600 * XA_SECOND)
#define CROWDED_MS   (600 * XA_SECOND) /* after 505, at least */
#define ABSENT_MS    (60 * XA_SECOND)  /* after 403, at least */
#define FAILURES_MAX 8
#define SIGN_MS      XA_DAY /* so long a sign of life is one */
#define REVIVE_RATE  200    /* SUBSCRIBEs a second, after a link was away */

static void set_live(struct xa_contact *c, bool is_live)
{
	struct xa_follow *f = &c->follow;

	if (f->is_live == is_live)
		return;
	f->is_live = is_live;
	if (is_live)
		c->roster->live_count++;
	else
		c->roster->live_count--;
}

static void make_id(struct xa_contact *c)
{
	struct xa_roster *r = c->roster;
	const uint64_t octets[2] = { r->ops->random(r->ctx),
		r->ops->random(r->ctx) };
	struct prim_buf text = { 0 };

	prim_buf_put_hex(&text, octets, sizeof(octets));
	memcpy(c->follow.id, text.ptr, XA_FOLLOW_ID_LEN);
	c->follow.id[XA_FOLLOW_ID_LEN] = '\0';
	prim_buf_fini(&text);
}

static void begin(struct xa_contact *c)
{
	c->follow.is_wanted = true;
	c->follow.is_unbidden = false;
	xa_contact_ask(c);
}

void xa_follow_want(struct xa_contact *c)
{
	struct xa_follow *f = &c->follow;
	int64_t at = f->acted_ms + ACT_MS;

	if (f->is_wanted || f->is_asked)
		return;
	if (f->acted_ms && xa_contact_now(c) < at)
		xa_contact_set_timer(c, &f->timer, at);
	else
		begin(c);
}

/* Also where the answer is still to come: it may be a yes. */
void xa_follow_release(struct xa_contact *c)
{
	struct xa_follow *f = &c->follow;

	if (f->is_live || f->is_asked) {
		memcpy(f->ending, f->id, sizeof(f->ending));
		xa_contact_ask(c);
	}
	set_live(c, false);
	f->id[0] = '\0';
	f->is_wanted = f->is_asked = false;
	xa_contact_stop_timer(c, &f->timer);
}

/* With jitter, or what was begun together would be renewed together. */
void xa_follow_leased(struct xa_contact *c, uint32_t seconds)
{
	struct xa_roster *r = c->roster;
	struct xa_follow *f = &c->follow;
	int64_t percent = 72 + (int64_t)(r->ops->random(r->ctx) % 17);

	set_live(c, true);
	if (seconds == 0)
		seconds = 1;
	f->is_lapsing = false;
	f->expires_ms = xa_contact_now(c) + seconds * XA_SECOND;
	xa_contact_set_timer(c, &f->timer,
	    xa_contact_now(c) + seconds * XA_SECOND * percent / 100);
}

static void renew_later(struct xa_contact *c)
{
	struct xa_follow *f = &c->follow;
	int64_t left = f->expires_ms - xa_contact_now(c);

	xa_contact_set_timer(c, &f->timer, xa_contact_now(c) + left / 2);
}

static void wake(struct xa_contact *c)
{
	struct xa_follow *f = &c->follow;

	if (f->is_live && f->is_lapsing)
		renew_later(c);
	else if (!f->is_live && !prim_timer_is_set(&f->timer))
		xa_follow_want(c);
	f->is_lapsing = false;
}

void xa_follow_user(struct xa_contact *c, bool is_here)
{
	struct xa_follow *f = &c->follow;

	if (f->approval != XA_APPROVAL_GRANTED || f->is_away == !is_here)
		return;
	xa_contact_log(c, BRIDGE_DEBUG,
	    is_here ? "the follower is there" : "the follower has gone");
	f->is_away = !is_here;
	if (!is_here)
		return;
	wake(c);
	if (f->is_known)
		xa_contact_say(c, XA_SAY_NEWS);
}

void xa_follow_sign(struct xa_contact *c)
{
	struct xa_follow *f = &c->follow;

	f->sign_ms = xa_contact_now(c);
	xa_follow_user(c, true);
	if (f->approval != XA_APPROVAL_NONE)
		wake(c);
}

void xa_follow_revive(struct xa_contact *c)
{
	struct xa_roster *r = c->roster;
	struct xa_follow *f = &c->follow;
	uint64_t spread = 1 + r->follow_count * 1000 / REVIVE_RATE;

	f->sign_ms = xa_contact_now(c);
	f->is_away = false;
	if (f->is_live && f->is_lapsing)
		renew_later(c);
	else if (!f->is_live && !f->is_wanted && !f->is_asked &&
	    !prim_timer_is_set(&f->timer))
		xa_contact_set_timer(c, &f->timer,
		    xa_contact_now(c) +
			(int64_t)(r->ops->random(r->ctx) % spread));
	f->is_lapsing = false;
}

/* Is he there, for all we know? That one has gone is not always said. */
static bool is_worth_it(const struct xa_contact *c)
{
	const struct xa_follow *f = &c->follow;

	return !f->is_away &&
	    (xa_contact_now(c) - f->sign_ms < SIGN_MS || xa_watch_is_there(c));
}

/* Nobody is there to be shown anything. */
static void let_go(struct xa_contact *c)
{
	struct xa_follow *f = &c->follow;

	f->is_lapsing = f->is_live && xa_contact_now(c) < f->expires_ms;
	if (f->is_lapsing) {
		xa_contact_set_timer(c, &f->timer, f->expires_ms);
		return;
	}
	set_live(c, false);
	f->id[0] = '\0';
	if (f->approval == XA_APPROVAL_GRANTED)
		xa_follow_unknow(c);
}

void xa_follow_on_timer(struct prim_timer *t)
{
	struct xa_follow *f = PRIM_CONTAINER(t, struct xa_follow, timer);
	struct xa_contact *c = PRIM_CONTAINER(f, struct xa_contact, follow);

	if (!is_worth_it(c)) {
		let_go(c);
		return;
	}
	if (f->is_live && xa_contact_now(c) >= f->expires_ms) {
		set_live(c, false);
		xa_follow_unknow(c);
	}
	if (!f->is_wanted && !f->is_asked)
		begin(c);
}

void xa_follow_lost(struct xa_contact *c)
{
	struct xa_follow *f = &c->follow;

	xa_contact_log(c, BRIDGE_DEBUG, "the subscription was ended");
	set_live(c, false);
	f->id[0] = '\0';
	f->is_known = f->is_asked = false;
	xa_follow_want(c);
	f->is_unbidden = f->is_wanted;
	/* What must wait is not known meanwhile. */
	if (!f->is_wanted)
		xa_follow_unknow(c);
}

/*
 * Answers.
 */

static void back_off(struct xa_contact *c, int64_t least_ms)
{
	struct xa_roster *r = c->roster;
	struct xa_follow *f = &c->follow;
	int64_t wait = BACKOFF_MS << f->failures;

	if (f->failures < FAILURES_MAX)
		f->failures++;
	if (wait > BACKOFF_MAX)
		wait = BACKOFF_MAX;
	if (wait < least_ms)
		wait = least_ms;
	wait += (int64_t)(r->ops->random(r->ctx) % (uint64_t)(wait / 5 + 1));
	if (f->is_live && f->expires_ms < xa_contact_now(c) + wait)
		wait = f->expires_ms - xa_contact_now(c);
	xa_contact_set_timer(c, &f->timer, xa_contact_now(c) + wait);
	if (!f->is_live && f->approval == XA_APPROVAL_GRANTED)
		xa_follow_unknow(c);
}

static void refuse(struct xa_contact *c, unsigned code, unsigned say)
{
	struct xa_follow *f = &c->follow;

	f->error = xa_error_of_code(code);
	if (f->approval == XA_APPROVAL_PENDING)
		say |= XA_SAY_REFUSED;
	xa_follow_end(c, say, code);
}

/* Nobody there. Who was there before may only be missing for a moment: it is
 * asked again, and at once when the user wants to know, who did not yet. */
static void answer_absent(struct xa_contact *c)
{
	struct xa_follow *f = &c->follow;

	if (f->is_unbidden)
		f->acted_ms = 0;
	if (f->approval == XA_APPROVAL_PENDING) {
		refuse(c, PRIM_NOT_FOUND, 0);
		return;
	}
	if (f->absent_ms && xa_contact_now(c) - f->absent_ms >= XA_HOUR) {
		refuse(c, PRIM_NOT_FOUND, XA_SAY_UNSUBSCRIBED);
		return;
	}
	if (!f->absent_ms)
		f->absent_ms = xa_contact_now(c);
	set_live(c, false);
	back_off(c, ABSENT_MS);
}

static void answer_crowded(struct xa_contact *c)
{
	struct xa_follow *f = &c->follow;

	if (f->approval == XA_APPROVAL_PENDING && f->failures == 0) {
		f->error = xa_error_of_code(PRIM_TOO_MANY_SUBSCRIPTIONS);
		xa_contact_say(c, XA_SAY_REFUSED);
	}
	back_off(c, CROWDED_MS);
}

/* The core has lost it: another one, at once, unless that happens again. */
static void answer_lost(struct xa_contact *c)
{
	struct xa_follow *f = &c->follow;

	set_live(c, false);
	f->id[0] = '\0';
	if (f->failures) {
		back_off(c, 0);
		return;
	}
	f->failures++;
	begin(c);
}

static void answer_granted(struct xa_contact *c, uint32_t seconds)
{
	struct xa_follow *f = &c->follow;

	f->failures = 0;
	f->absent_ms = 0;
	xa_follow_leased(c, seconds);
	xa_follow_grant(c);
}

void xa_follow_outcome(struct xa_contact *c,
    const struct bridge_presence_outcome *o)
{
	struct xa_follow *f = &c->follow;

	if (!f->is_asked || !prim_slice_eq(prim_slice_of(f->id), o->id))
		return;
	f->is_asked = false;
	switch (o->code) {
	case PRIM_OK:
	case PRIM_DURATION_ADJUSTED:
		answer_granted(c, o->duration_s);
		break;
	case PRIM_FORBIDDEN:
		set_live(c, false);
		refuse(c, o->code, XA_SAY_UNSUBSCRIBED);
		break;
	case PRIM_NOT_FOUND:
		answer_absent(c);
		break;
	case PRIM_SUBSCRIPTION_NOT_FOUND:
		answer_lost(c);
		break;
	case PRIM_NOT_IMPLEMENTED:
		set_live(c, false);
		refuse(c, o->code, XA_SAY_UNSUBSCRIBED);
		break;
	case PRIM_TOO_MANY_SUBSCRIPTIONS:
		answer_crowded(c);
		break;
	default:
		back_off(c, 0);
		break;
	}
}

/*
 * Questions.
 */

static void fill(const struct xa_contact *c, const char *id,
    struct bridge_subscription *out)
{
	*out = (struct bridge_subscription){
		.watcher = prim_slice_of(c->user),
		.presentity = prim_slice_of(c->principal),
		.id = prim_slice_of(id),
		.duration_s = LEASE_S,
		.strength = PRIM_ASTRENGTH_MEDIUM,
	};
}

static void subscribe(struct xa_contact *c)
{
	struct xa_roster *r = c->roster;
	struct xa_follow *f = &c->follow;
	struct bridge_subscription s;

	f->is_wanted = false;
	f->acted_ms = xa_contact_now(c);
	if (!f->is_live || !f->id[0])
		make_id(c);
	fill(c, f->id, &s);
	f->is_asked = r->ops->subscribe(r->ctx, &s);
	/* There was room; so what is refused would always be. */
	if (!f->is_asked)
		refuse(c, PRIM_BAD_REQUEST, XA_SAY_UNSUBSCRIBED);
}

bool xa_follow_ask(struct xa_contact *c)
{
	struct xa_roster *r = c->roster;
	struct xa_follow *f = &c->follow;
	struct bridge_subscription s;

	if (f->ending[0]) {
		if (r->ops->room(r->ctx) == 0)
			return false;
		fill(c, f->ending, &s);
		r->ops->unsubscribe(r->ctx, &s);
		f->ending[0] = '\0';
	}
	if (f->is_wanted) {
		if (r->ops->room(r->ctx) == 0)
			return false;
		subscribe(c);
	}
	return true;
}
