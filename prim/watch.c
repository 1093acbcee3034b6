/* SPDX-License-Identifier: ISC */
/* What is watched, by whom, and the fan-out of its changes. */

#include "prim/watch.h"

#include <assert.h>

#include "prim/base.h"
#include "prim/watch_private.h"

/* Feeds of one source before another one has its turn: somebody whom 100,000
 * watch must not keep the rest waiting. */
#define SLICE 64

/* ---- the fan ---- */

void prim_fan_init(struct prim_fan *fan, struct prim_wheel *wheel)
{
	fan->wheel = wheel;
	TAILQ_INIT(&fan->changed);
}

void prim_fan_fini(struct prim_fan *fan)
{
	assert(TAILQ_EMPTY(&fan->changed));
	(void)fan;
}

/* Is a change not pushed yet? A change makes all that is current stale, and
 * what becomes current after it is not, and stands behind. */
static bool has_stale(const struct prim_source *s)
{
	const struct prim_feed *f = TAILQ_FIRST(&s->current);

	return f && f->version != s->version;
}

static unsigned push_some(struct prim_source *s, unsigned max)
{
	unsigned count = 0;

	for (; count < max && has_stale(s); count++)
		prim_feed_push(TAILQ_FIRST(&s->current));
	return count;
}

bool prim_fan_run(struct prim_fan *fan, unsigned max)
{
	struct prim_source *s;

	while (max > 0 && (s = TAILQ_FIRST(&fan->changed))) {
		unsigned count = push_some(s, max < SLICE ? max : SLICE);

		TAILQ_REMOVE(&fan->changed, s, of_fan);
		s->is_changed = has_stale(s);
		if (s->is_changed)
			TAILQ_INSERT_TAIL(&fan->changed, s, of_fan);
		max -= count ? count : 1;
	}
	return !TAILQ_EMPTY(&fan->changed);
}

/* ---- sources ---- */

void prim_source_init(struct prim_source *s, const struct prim_source_ops *ops,
    struct prim_fan *fan)
{
	s->ops = ops;
	s->fan = fan;
	s->version = 1;
	s->is_changed = false;
	TAILQ_INIT(&s->current);
	for (int form = 0; form < PRIM_FORM_COUNT; form++)
		s->views[form] = NULL;
	LIST_INIT(&s->subscriptions);
	s->subscription_count = 0;
}

static void drop_views(struct prim_source *s)
{
	for (int form = 0; form < PRIM_FORM_COUNT; form++)
		s->views[form] = prim_document_unref(s->views[form]);
}

void prim_source_fini(struct prim_source *s)
{
	assert(LIST_EMPTY(&s->subscriptions) && TAILQ_EMPTY(&s->current));
	if (s->is_changed)
		TAILQ_REMOVE(&s->fan->changed, s, of_fan);
	s->is_changed = false;
	drop_views(s);
}

void prim_source_change(struct prim_source *s)
{
	if (++s->version == 0)
		s->version = 1;
	drop_views(s);
	if (s->is_changed || TAILQ_EMPTY(&s->current))
		return;
	s->is_changed = true;
	TAILQ_INSERT_TAIL(&s->fan->changed, s, of_fan);
}

struct prim_document *prim_source_view(struct prim_source *s,
    enum prim_form form)
{
	if (!s->views[form])
		s->views[form] = s->ops->compose(s, form);
	return s->views[form];
}

/* ---- subscriptions ---- */

void prim_subscription_start(struct prim_subscription *s,
    struct prim_source *source, struct prim_watcher *w, int64_t expires_ms,
    prim_timer_fn on_expiry)
{
	struct prim_outlet *o;

	s->source = source;
	s->watcher = w;
	s->seen = 0;
	LIST_INIT(&s->feeds);
	LIST_INSERT_HEAD(&source->subscriptions, s, of_source);
	source->subscription_count++;
	LIST_INSERT_HEAD(&w->subscriptions, s, of_watcher);
	w->subscription_count++;
	prim_timer_init(&s->timer, on_expiry);
	prim_subscription_renew(s, expires_ms);
	LIST_FOREACH(o, &w->outlets, of_watcher)
		prim_feed_new(s, o, PRIM_FEED_CURRENT);
}

void prim_subscription_renew(struct prim_subscription *s, int64_t expires_ms)
{
	s->expires_ms = expires_ms;
	prim_timer_set(s->source->fan->wheel, &s->timer, expires_ms);
}

void prim_subscription_end(struct prim_subscription *s)
{
	struct prim_feed *f;

	if (!s->source)
		return;
	while ((f = LIST_FIRST(&s->feeds)))
		prim_feed_free(f);
	prim_timer_stop(s->source->fan->wheel, &s->timer);
	LIST_REMOVE(s, of_source);
	s->source->subscription_count--;
	LIST_REMOVE(s, of_watcher);
	s->watcher->subscription_count--;
	s->source = NULL;
	s->watcher = NULL;
}

void prim_subscription_saw(struct prim_subscription *s)
{
	s->seen = s->source->version;
}

void prim_subscription_show(struct prim_subscription *s)
{
	struct prim_feed *f;

	LIST_FOREACH(f, &s->feeds, of_subscription) {
		if (f->place == PRIM_FEED_CURRENT)
			prim_feed_push(f);
		else
			f->version = 0;
	}
}
