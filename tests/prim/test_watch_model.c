/* SPDX-License-Identifier: ISC */
/*
 * The fan-out against a model that only remembers what each outlet was shown:
 * random changes, room, answers, silence, comings and goings.
 */

#include "tests/lib/t.h"

#include "prim/base.h"
#include "prim/watch.h"
#include "tests/lib/random.h"

#define SEED          20020517
#define STEPS         200000
#define SOURCES       4
#define WATCHERS      3
#define OUTLETS       3 /* of each watcher */
#define MOUTHS        (WATCHERS * OUTLETS)
#define SUBSCRIPTIONS (SOURCES * WATCHERS)
#define SECOND_MS     1000
#define WATCH_AT_MOST 60000

struct mouth {
	struct prim_outlet outlet;
	unsigned watcher;
	unsigned room;
	uint32_t shown[SOURCES]; /* newest by NOTIFY; 0: none since it opened */
	bool is_asked[SOURCES];
};

struct line {
	struct prim_subscription subscription;
	uint32_t told; /* newest that was answered with 200, or in a response */
};

static struct t_random random_state = { SEED };
static struct prim_wheel wheel;
static struct prim_fan fan;
static struct prim_source sources[SOURCES];
static struct prim_watcher watchers[WATCHERS];
static struct mouth mouths[WATCHERS][OUTLETS];
static struct line lines[WATCHERS][SOURCES];
static uint64_t next_id;
static unsigned long notify_count, late_count, end_count;

static unsigned below(unsigned limit)
{
	return (unsigned)t_random_below(&random_state, limit);
}

static struct prim_document *source_compose(struct prim_source *s,
    enum prim_form form)
{
	(void)form;
	return prim_document_new(&(struct prim_document_parts){
	    .body = prim_slice_make((const char *)&s->version,
		sizeof(s->version)) });
}

static const struct prim_source_ops SOURCE_OPS = { .compose = source_compose };

static unsigned source_of(const struct prim_feed *f)
{
	return (unsigned)(prim_feed_source(f) - sources);
}

static bool mouth_notify(struct prim_outlet *o, struct prim_feed *f)
{
	struct mouth *m = PRIM_CONTAINER(o, struct mouth, outlet);
	unsigned i = source_of(f);
	const struct prim_document *view;

	assert_true(prim_outlet_is_open(o));
	if (m->room == 0)
		return false;
	m->room--;
	assert_false(m->is_asked[i]); /* one unanswered is the most */
	m->is_asked[i] = true;
	f->question.id = ++next_id;
	notify_count++;
	view = prim_source_view(&sources[i], PRIM_FORM_CLIENT);
	/* It is the newest there is, and never an older one. */
	assert_memory_equal(view->body.ptr, &sources[i].version,
	    sizeof(uint32_t));
	assert_true(m->shown[i] <= sources[i].version);
	m->shown[i] = sources[i].version;
	return true;
}

static void mouth_forget(struct prim_outlet *o, struct prim_feed *f)
{
	struct mouth *m = PRIM_CONTAINER(o, struct mouth, outlet);

	assert_true(m->is_asked[source_of(f)]);
	m->is_asked[source_of(f)] = false;
	late_count++;
}

static void forget_shown(unsigned watcher, unsigned source)
{
	for (unsigned i = 0; i < OUTLETS; i++) {
		assert_false(mouths[watcher][i].is_asked[source]);
		mouths[watcher][i].shown[source] = 0;
	}
}

static void line_end(struct line *l)
{
	unsigned at = (unsigned)(l - &lines[0][0]);

	prim_subscription_end(&l->subscription);
	forget_shown(at / SOURCES, at % SOURCES);
	end_count++;
}

static void mouth_unwanted(struct prim_outlet *o, struct prim_subscription *s)
{
	(void)o;
	if (below(2))
		line_end(PRIM_CONTAINER(s, struct line, subscription));
}

static const struct prim_outlet_ops MOUTH_OPS = {
	.notify = mouth_notify,
	.forget = mouth_forget,
	.unwanted = mouth_unwanted,
};

static void on_expiry(struct prim_timer *t)
{
	line_end(PRIM_CONTAINER(t, struct line, subscription.timer));
}

/* ---- what may happen ---- */

static void subscribe(struct line *l, unsigned watcher, unsigned source)
{
	int64_t until_ms = wheel.now_ms + 1 + below(WATCH_AT_MOST);

	if (l->subscription.source) {
		prim_subscription_renew(&l->subscription, until_ms);
	} else {
		l->told = 0;
		prim_subscription_start(&l->subscription, &sources[source],
		    &watchers[watcher], until_ms, on_expiry);
	}
	if (below(2)) {
		prim_subscription_show(&l->subscription);
	} else {
		prim_subscription_saw(&l->subscription);
		l->told = sources[source].version;
	}
}

static void answer(struct mouth *m, unsigned code)
{
	struct prim_feed *f = TAILQ_FIRST(&m->outlet.asked);
	unsigned i;

	if (!f)
		return;
	for (unsigned skip = below(3); skip > 0; skip--)
		if (TAILQ_NEXT(f, of_place))
			f = TAILQ_NEXT(f, of_place);
	i = source_of(f);
	m->is_asked[i] = false;
	if (code == 200 && m->shown[i] > lines[m->watcher][i].told)
		lines[m->watcher][i].told = m->shown[i];
	prim_feed_answered(f, code);
}

static void open_or_close(struct mouth *m)
{
	if (prim_outlet_is_open(&m->outlet)) {
		prim_outlet_close(&m->outlet);
		for (unsigned i = 0; i < SOURCES; i++) {
			assert_false(m->is_asked[i]);
			m->shown[i] = 0;
		}
		return;
	}
	prim_outlet_open(&m->outlet, &watchers[m->watcher]);
	if (below(2))
		prim_outlet_go(&m->outlet);
}

static void step(void)
{
	static const unsigned CODES[] = { 200, 200, 200, 400, 403, 404, 0 };
	unsigned watcher = below(WATCHERS), source = below(SOURCES);
	struct mouth *m = &mouths[watcher][below(OUTLETS)];
	struct line *l = &lines[watcher][source];

	switch (below(16)) {
	case 0:
	case 1:
	case 2:
		prim_source_change(&sources[source]);
		break;
	case 3:
	case 4:
		prim_fan_run(&fan, 1 + below(4));
		break;
	case 5:
	case 6:
		m->room = below(4);
		prim_outlet_go(&m->outlet);
		break;
	case 7:
		open_or_close(m);
		break;
	case 8:
	case 9:
		subscribe(l, watcher, source);
		break;
	case 10:
		if (l->subscription.source && below(3) == 0)
			line_end(l);
		break;
	case 11:
		prim_wheel_advance(&wheel, wheel.now_ms + below(SECOND_MS));
		break;
	default:
		answer(m, CODES[below(PRIM_COUNT(CODES))]);
		break;
	}
}

/* ---- what must be ---- */

static struct mouth *mouth_at(unsigned i)
{
	return &mouths[i / OUTLETS][i % OUTLETS];
}

static void mouth_is_sound(const struct mouth *m)
{
	const struct prim_feed *f;
	unsigned asked = 0, feeds = 0;

	for (unsigned i = 0; i < SOURCES; i++)
		asked += m->is_asked[i];
	assert_int_equal(asked, m->outlet.asked_count);
	TAILQ_FOREACH(f, &m->outlet.asked, of_place)
		assert_true(wheel.now_ms - f->asked_ms <
		    PRIM_NOTIFY_WITHIN_MS + PRIM_TIMER_TICK_MS);
	LIST_FOREACH(f, &m->outlet.feeds, of_outlet)
		feeds++;
	assert_int_equal(feeds,
	    prim_outlet_is_open(&m->outlet)
		? watchers[m->watcher].subscription_count
		: 0);
}

static void each_mouth(void (*check)(const struct mouth *m))
{
	for (unsigned i = 0; i < MOUTHS; i++)
		check(mouth_at(i));
}

/* Everybody has room and answers, until there is nothing more to say. */
static void calm_down(void)
{
	bool is_busy = true;

	while (is_busy) {
		is_busy = prim_fan_run(&fan, 10);
		for (unsigned i = 0; i < MOUTHS; i++) {
			struct mouth *m = mouth_at(i);

			m->room = 100;
			prim_outlet_go(&m->outlet);
			is_busy |= m->outlet.asked_count > 0;
			answer(m, 200);
		}
	}
}

static void mouth_is_up_to_date(const struct mouth *m)
{
	const struct prim_feed *f;

	LIST_FOREACH(f, &m->outlet.feeds, of_outlet) {
		unsigned i = source_of(f);

		assert_int_equal(f->place, PRIM_FEED_CURRENT);
		assert_true(m->shown[i] == sources[i].version ||
		    lines[m->watcher][i].told == sources[i].version);
	}
}

static void start_all(void)
{
	prim_wheel_init(&wheel, 1000000);
	prim_fan_init(&fan, &wheel);
	for (unsigned i = 0; i < SOURCES; i++)
		prim_source_init(&sources[i], &SOURCE_OPS, &fan);
	for (unsigned w = 0; w < WATCHERS; w++) {
		prim_watcher_init(&watchers[w]);
		for (unsigned i = 0; i < OUTLETS; i++) {
			mouths[w][i].watcher = w;
			prim_outlet_init(&mouths[w][i].outlet, &MOUTH_OPS,
			    &fan);
		}
	}
}

static void end_all(void)
{
	for (unsigned i = 0; i < MOUTHS; i++)
		prim_outlet_close(&mouth_at(i)->outlet);
	for (unsigned i = 0; i < SUBSCRIPTIONS; i++)
		prim_subscription_end(&lines[i / SOURCES][i % SOURCES]
					   .subscription);
	for (unsigned w = 0; w < WATCHERS; w++)
		prim_watcher_fini(&watchers[w]);
	for (unsigned i = 0; i < SOURCES; i++)
		prim_source_fini(&sources[i]);
	prim_fan_fini(&fan);
	assert_true(prim_wheel_next(&wheel) == INT64_MAX);
}

static void whoever_watches_ends_with_the_newest_state(void **state)
{
	(void)state;
	print_message("seed %d\n", SEED);
	start_all();
	for (unsigned i = 1; i <= STEPS; i++) {
		step();
		each_mouth(mouth_is_sound);
		if (i % 50 == 0) {
			calm_down();
			each_mouth(mouth_is_up_to_date);
		}
	}
	print_message("%lu NOTIFYs, %lu forgotten, %lu ends\n", notify_count,
	    late_count, end_count);
	end_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_watches_ends_with_the_newest_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
