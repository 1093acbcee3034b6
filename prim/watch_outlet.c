/* SPDX-License-Identifier: ISC */
/* Where watchers are told: outlets, and the feeds that go through them. */

#include <assert.h>

#include "prim/base.h"
#include "prim/command.h"
#include "prim/status.h"
#include "prim/watch_private.h"

/* So that 100,000 subscriptions stay below 300 octets each. */
_Static_assert(sizeof(struct prim_subscription) + sizeof(struct prim_feed) <=
	264,
    "a subscription and its feed have become too large");

/* ---- feeds ---- */

struct prim_source *prim_feed_source(const struct prim_feed *f)
{
	return f->subscription->source;
}

static struct prim_feed_list *list_of(const struct prim_feed *f)
{
	switch (f->place) {
	case PRIM_FEED_ASKED:
		return &f->outlet->asked;
	case PRIM_FEED_WAITING:
		return &f->outlet->waiting;
	case PRIM_FEED_CURRENT:
		break;
	}
	return &f->subscription->source->current;
}

static void feed_leave(struct prim_feed *f)
{
	TAILQ_REMOVE(list_of(f), f, of_place);
	if (f->place == PRIM_FEED_ASKED)
		f->outlet->asked_count--;
}

static void feed_enter(struct prim_feed *f, enum prim_feed_place place)
{
	f->place = place;
	TAILQ_INSERT_TAIL(list_of(f), f, of_place);
	if (place == PRIM_FEED_ASKED)
		f->outlet->asked_count++;
}

static void feed_move(struct prim_feed *f, enum prim_feed_place place)
{
	feed_leave(f);
	feed_enter(f, place);
}

static void feed_told(struct prim_question *q, const struct prim_command *c)
{
	prim_feed_answered(PRIM_CONTAINER(q, struct prim_feed, question),
	    c ? c->code : 0);
}

void prim_feed_new(struct prim_subscription *s, struct prim_outlet *o,
    enum prim_feed_place place)
{
	struct prim_feed *f = prim_new(struct prim_feed);

	f->question.answered = feed_told;
	f->subscription = s;
	f->outlet = o;
	/* Nothing is due here: whoever makes it CURRENT says so. */
	f->version = place == PRIM_FEED_CURRENT ? s->source->version : 0;
	LIST_INSERT_HEAD(&o->feeds, f, of_outlet);
	LIST_INSERT_HEAD(&s->feeds, f, of_subscription);
	feed_enter(f, place);
}

static void forget(struct prim_feed *f)
{
	f->outlet->ops->forget(f->outlet, f);
	f->question.id = 0;
}

void prim_feed_free(struct prim_feed *f)
{
	struct prim_outlet *o = f->outlet;

	if (f->place == PRIM_FEED_ASKED) {
		forget(f);
		/* Maybe its answer was what the others waited for. */
		if (!TAILQ_EMPTY(&o->waiting))
			prim_timer_set(o->fan->wheel, &o->timer, 0);
	}
	feed_leave(f);
	LIST_REMOVE(f, of_outlet);
	LIST_REMOVE(f, of_subscription);
	prim_free(f);
}

/* Sends the NOTIFY of `f`, if there is room; or passes it over, if the outlet
 * cannot show it at all. */
static bool feed_ask(struct prim_feed *f)
{
	struct prim_outlet *o = f->outlet;
	struct prim_wheel *wheel = o->fan->wheel;

	if (!o->ops->notify(o, f))
		return false;
	f->version = prim_feed_source(f)->version;
	f->asked_ms = wheel->now_ms;
	if (f->question.id == 0) {
		feed_move(f, PRIM_FEED_CURRENT);
		return true;
	}
	feed_move(f, PRIM_FEED_ASKED);
	if (!prim_timer_is_set(&o->timer))
		prim_timer_set(wheel, &o->timer,
		    f->asked_ms + PRIM_NOTIFY_WITHIN_MS);
	return true;
}

void prim_feed_push(struct prim_feed *f)
{
	/* Nobody overtakes those who wait. */
	if (!TAILQ_EMPTY(&f->outlet->waiting) || !feed_ask(f))
		feed_move(f, PRIM_FEED_WAITING);
}

void prim_feed_answered(struct prim_feed *f, unsigned code)
{
	struct prim_outlet *o = f->outlet;
	struct prim_subscription *s = f->subscription;
	bool is_newest = f->version == s->source->version;

	assert(f->place == PRIM_FEED_ASKED);
	f->question.id = 0;
	if (is_newest && code == PRIM_OK)
		s->seen = f->version;
	feed_move(f, is_newest ? PRIM_FEED_CURRENT : PRIM_FEED_WAITING);
	/* ERR-89. `s` may end in there, and `f` with it. */
	if (code == PRIM_NOT_FOUND || code == PRIM_SUBSCRIPTION_NOT_FOUND)
		o->ops->unwanted(o, s);
	prim_outlet_go(o);
}

/* ---- watchers ---- */

void prim_watcher_init(struct prim_watcher *w)
{
	LIST_INIT(&w->outlets);
	w->outlet_count = 0;
	LIST_INIT(&w->subscriptions);
	w->subscription_count = 0;
}

void prim_watcher_fini(struct prim_watcher *w)
{
	assert(LIST_EMPTY(&w->outlets) && w->outlet_count == 0);
	assert(LIST_EMPTY(&w->subscriptions) && w->subscription_count == 0);
	(void)w;
}

/* ---- outlets ---- */

static bool is_overdue(const struct prim_outlet *o, const struct prim_feed *f)
{
	return f->asked_ms + PRIM_NOTIFY_WITHIN_MS <= o->fan->wheel->now_ms;
}

/* The timer is set when a NOTIFY is sent and no timer runs, and looks when it
 * fires who is the oldest by then: answers needn't touch it. */
static void on_due(struct prim_timer *t)
{
	struct prim_outlet *o = PRIM_CONTAINER(t, struct prim_outlet, timer);
	struct prim_feed *f;

	/* What is asked again in here is not overdue. */
	while ((f = TAILQ_FIRST(&o->asked)) && is_overdue(o, f)) {
		forget(f);
		prim_feed_answered(f, 0);
	}
	prim_outlet_go(o);
	if ((f = TAILQ_FIRST(&o->asked)))
		prim_timer_set(o->fan->wheel, t,
		    f->asked_ms + PRIM_NOTIFY_WITHIN_MS);
}

void prim_outlet_init(struct prim_outlet *o, const struct prim_outlet_ops *ops,
    struct prim_fan *fan)
{
	o->ops = ops;
	o->watcher = NULL;
	o->fan = fan;
	LIST_INIT(&o->feeds);
	TAILQ_INIT(&o->asked);
	TAILQ_INIT(&o->waiting);
	o->asked_count = 0;
	prim_timer_init(&o->timer, on_due);
}

bool prim_outlet_is_open(const struct prim_outlet *o)
{
	return o->watcher != NULL;
}

void prim_outlet_open(struct prim_outlet *o, struct prim_watcher *w)
{
	struct prim_subscription *s;

	assert(!prim_outlet_is_open(o));
	o->watcher = w;
	LIST_INSERT_HEAD(&w->outlets, o, of_watcher);
	w->outlet_count++;
	LIST_FOREACH(s, &w->subscriptions, of_watcher)
		prim_feed_new(s, o,
		    s->seen == s->source->version ? PRIM_FEED_CURRENT
						  : PRIM_FEED_WAITING);
}

void prim_outlet_close(struct prim_outlet *o)
{
	struct prim_feed *f;

	if (!prim_outlet_is_open(o))
		return;
	LIST_REMOVE(o, of_watcher);
	o->watcher->outlet_count--;
	o->watcher = NULL;
	while ((f = LIST_FIRST(&o->feeds)))
		prim_feed_free(f);
	prim_timer_stop(o->fan->wheel, &o->timer);
}

void prim_outlet_go(struct prim_outlet *o)
{
	struct prim_feed *f;

	while ((f = TAILQ_FIRST(&o->waiting)))
		if (!feed_ask(f))
			return;
}
