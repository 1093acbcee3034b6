/* SPDX-License-Identifier: ISC */
#ifndef TESTS_PRIM_WINDOW_H
#define TESTS_PRIM_WINDOW_H

/*
 * One source, one watcher, two outlets with room for so many NOTIFYs that
 * remember what they did; the first is open, and a subscription is current.
 */

#include "tests/lib/t.h"

#include <stdio.h>

#include "prim/base.h"
#include "prim/command.h"
#include "prim/watch.h"

#define START_MS 1000000

/* An outlet with room for so many NOTIFYs, that remembers what it did. */
struct window {
	struct prim_outlet outlet;
	unsigned room;
	unsigned notify_count, forget_count, unwanted_count;
	uint32_t shown;           /* version of the last NOTIFY */
	struct prim_source *last; /* source of the last NOTIFY */
	bool is_narrow;           /* can show nothing at all */
	bool ends_unwanted;
};

static struct prim_wheel wheel;
static struct prim_fan fan;
static struct prim_source source;
static unsigned compose_count;
static struct prim_watcher watcher;
static struct window window, other_window;
static struct prim_subscription subscription;

static inline struct prim_document *source_compose(struct prim_source *s,
    enum prim_form form)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "version %u", s->version);

	(void)form;
	compose_count++;
	return prim_document_new(&(struct prim_document_parts){
	    .body = prim_slice_make(text, (size_t)len) });
}

static const struct prim_source_ops SOURCE_OPS = { .compose = source_compose };

static inline bool window_notify(struct prim_outlet *o, struct prim_feed *f)
{
	struct window *w = PRIM_CONTAINER(o, struct window, outlet);

	if (w->is_narrow)
		return true;
	if (w->room == 0)
		return false;
	assert_int_equal(f->question.id, 0);
	w->room--;
	f->question.id = ++w->notify_count;
	w->last = prim_feed_source(f);
	w->shown = w->last->version;
	assert_non_null(prim_source_view(w->last, PRIM_FORM_CLIENT));
	return true;
}

static inline void window_forget(struct prim_outlet *o, struct prim_feed *f)
{
	struct window *w = PRIM_CONTAINER(o, struct window, outlet);

	assert_int_not_equal(f->question.id, 0);
	w->forget_count++;
}

static inline void window_unwanted(struct prim_outlet *o,
    struct prim_subscription *s)
{
	struct window *w = PRIM_CONTAINER(o, struct window, outlet);

	w->unwanted_count++;
	if (w->ends_unwanted)
		prim_subscription_end(s);
}

static const struct prim_outlet_ops WINDOW_OPS = {
	.notify = window_notify,
	.forget = window_forget,
	.unwanted = window_unwanted,
};

static inline void on_end(struct prim_timer *t)
{
	prim_subscription_end(PRIM_CONTAINER(t, struct prim_subscription,
	    timer));
}

static inline void window_init(struct window *w, unsigned room)
{
	*w = (struct window){ .room = room };
	prim_outlet_init(&w->outlet, &WINDOW_OPS, &fan);
}

static inline void watch(struct prim_subscription *s, struct prim_source *what)
{
	prim_subscription_start(s, what, &watcher, START_MS + 3600000, on_end);
	prim_subscription_saw(s);
}

static inline int set_up(void **state)
{
	(void)state;
	prim_wheel_init(&wheel, START_MS);
	prim_fan_init(&fan, &wheel);
	prim_source_init(&source, &SOURCE_OPS, &fan);
	compose_count = 0;
	prim_watcher_init(&watcher);
	window_init(&window, 100);
	window_init(&other_window, 100);
	prim_outlet_open(&window.outlet, &watcher);
	watch(&subscription, &source);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	prim_subscription_end(&subscription);
	prim_outlet_close(&window.outlet);
	prim_outlet_close(&other_window.outlet);
	prim_watcher_fini(&watcher);
	prim_source_fini(&source);
	prim_fan_fini(&fan);
	assert_true(prim_wheel_next(&wheel) == INT64_MAX);
	return 0;
}

static inline void change(void)
{
	prim_source_change(&source);
	while (prim_fan_run(&fan, 10))
		;
}

static inline struct prim_feed *feed_at(struct window *w)
{
	return LIST_FIRST(&w->outlet.feeds);
}

/* The answer to the oldest NOTIFY, as a connection would tell it. */
static inline void answer(struct window *w, unsigned code)
{
	const struct prim_command c = { .code = code };
	struct prim_question *q = &TAILQ_FIRST(&w->outlet.asked)->question;

	q->answered(q, code ? &c : NULL);
}

static inline void wait_ms(int64_t ms)
{
	prim_wheel_advance(&wheel, wheel.now_ms + ms);
}

enum to { TO_CURRENT, TO_ASKED, TO_WAITING, TO_NOWHERE };

static inline void is_at(enum to to)
{
	const struct prim_feed *f = feed_at(&window);

	if (to == TO_NOWHERE) {
		assert_null(f);
		assert_true(LIST_EMPTY(&subscription.feeds));
		assert_true(TAILQ_EMPTY(&source.current));
		assert_true(TAILQ_EMPTY(&window.outlet.waiting));
	} else {
		assert_non_null(f);
		assert_int_equal(f->place,
		    to == TO_CURRENT     ? PRIM_FEED_CURRENT
			: to == TO_ASKED ? PRIM_FEED_ASKED
					 : PRIM_FEED_WAITING);
	}
	assert_int_equal(window.outlet.asked_count, to == TO_ASKED ? 1 : 0);
	assert_int_equal(TAILQ_EMPTY(&window.outlet.asked), to != TO_ASKED);
}

#endif
