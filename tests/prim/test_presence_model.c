/* SPDX-License-Identifier: ISC */
/*
 * Publications at random against a model of a few lines, with a clock that is
 * turned by hand: what is seen, and when watchers are told.
 */

#include "tests/lib/t.h"

#include <stdio.h>

#include "prim/base.h"
#include "prim/presence.h"
#include "tests/lib/random.h"

#define SEED     3863
#define STEPS    100000
#define TUPLES   6
#define START_MS 1000000

/* A tuple as the drafts describe it; 0: there is no such value. */
struct model {
	unsigned permanent, leased;
	int64_t due_ms; /* of the lease */
};

static struct t_random random_state = { SEED };
static struct prim_wheel wheel;
static struct prim_fan fan;
static struct prim_presentity presentity;
static struct prim_watcher watcher;
static struct prim_outlet outlet;
static struct prim_subscription subscription;
static struct model models[TUPLES];
static unsigned next_value; /* every publication has another one */
static unsigned triggers;   /* of PRIM-181, in this step */
static unsigned notifies;   /* in this step */
static unsigned long trigger_count, notify_count, expiry_count;

static unsigned below(unsigned limit)
{
	return (unsigned)t_random_below(&random_state, limit);
}

/* Ticks of the wheel, so that the model knows to the millisecond. */
static int64_t some_ms(unsigned ticks)
{
	return (int64_t)(1 + below(ticks)) * PRIM_TIMER_TICK_MS;
}

static struct prim_slice id_of(size_t i)
{
	static const char *const IDS[TUPLES] = { "phone", "Phone", "im",
		"a very long one with spaces", "im2", "x" };

	return prim_slice_of(IDS[i]);
}

/* ---- the presentity's owner, and somebody who watches ---- */

static size_t index_of(const struct prim_tuple *t)
{
	size_t i = 0;

	while (!prim_slice_eq(prim_tuple_id(t), id_of(i)))
		assert_true(++i < TUPLES);
	return i;
}

/* Storing the end of a lease takes a while, now and then. */
static void owner_lease_due(struct prim_presentity *p, struct prim_tuple *t)
{
	struct model *m = &models[index_of(t)];

	(void)p;
	assert_int_not_equal(m->leased, 0);
	assert_true(m->due_ms == wheel.tick * PRIM_TIMER_TICK_MS);
	if (below(4) == 0) {
		m->due_ms += some_ms(100);
		prim_tuple_wait(t, m->due_ms);
		return;
	}
	m->leased = 0;
	triggers++;
	expiry_count++;
	prim_tuple_expire(t);
}

static const struct prim_presentity_ops OWNER_OPS = {
	.lease_due = owner_lease_due,
};

static bool outlet_notify(struct prim_outlet *o, struct prim_feed *f)
{
	(void)o;
	assert_ptr_equal(prim_feed_source(f), &presentity.source);
	f->question.id = 1;
	notifies++;
	return true;
}

static void outlet_forget(struct prim_outlet *o, struct prim_feed *f)
{
	(void)o;
	(void)f;
}

static void outlet_unwanted(struct prim_outlet *o, struct prim_subscription *s)
{
	(void)o;
	(void)s;
	fail();
}

static const struct prim_outlet_ops OUTLET_OPS = {
	.notify = outlet_notify,
	.forget = outlet_forget,
	.unwanted = outlet_unwanted,
};

static void never(struct prim_timer *t)
{
	(void)t;
	fail();
}

static void start_all(void)
{
	prim_wheel_init(&wheel, START_MS);
	prim_fan_init(&fan, &wheel);
	prim_presentity_init(&presentity, &OWNER_OPS, &fan,
	    PRIM_SLICE("pres:ann@example.com"));
	prim_watcher_init(&watcher);
	prim_outlet_init(&outlet, &OUTLET_OPS, &fan);
	prim_outlet_open(&outlet, &watcher);
	prim_subscription_start(&subscription, &presentity.source, &watcher,
	    INT64_MAX / 2, never);
}

static void end_all(void)
{
	prim_subscription_end(&subscription);
	prim_outlet_close(&outlet);
	prim_watcher_fini(&watcher);
	prim_presentity_fini(&presentity);
	prim_fan_fini(&fan);
	assert_true(prim_wheel_next(&wheel) == INT64_MAX);
}

/* ---- the model ---- */

static unsigned model_lease(struct model *m, const struct prim_publication *p,
    unsigned value)
{
	m->leased = value;
	m->due_ms = wheel.now_ms + p->duration_ms;
	triggers++;
	return 200;
}

static unsigned model_renew(struct model *m, const struct prim_publication *p,
    unsigned value)
{
	if (!m->leased)
		return value ? model_lease(m, p, value) : 403;
	m->due_ms = wheel.now_ms + p->duration_ms;
	return 200;
}

static unsigned model_permanent(struct model *m, unsigned value)
{
	m->permanent = value;
	triggers += m->leased == 0;
	return 200;
}

static unsigned model_revert(struct model *m)
{
	if (!m->permanent && !m->leased)
		return 403;
	triggers += m->leased != 0;
	m->leased = 0;
	return 200;
}

static unsigned model_remove(struct model *m)
{
	if (!m->permanent && !m->leased)
		return 403;
	m->permanent = m->leased = 0;
	triggers++;
	return 200;
}

/* Does it in the model and says what the answer must be. `value` 0: there is
 * no body. */
static unsigned model_publish(struct model *m, const struct prim_publication *p,
    unsigned value)
{
	switch (p->kind) {
	case PRIM_PUBLISH_LEASED:
		return value ? model_lease(m, p, value) : 400;
	case PRIM_PUBLISH_PERMANENT:
		return value ? model_permanent(m, value) : 400;
	case PRIM_PUBLISH_RENEW:
		return model_renew(m, p, value);
	case PRIM_PUBLISH_REVERT:
		return model_revert(m);
	case PRIM_PUBLISH_REMOVE:
		return model_remove(m);
	}
	return 0;
}

/* ---- steps ---- */

static void publish(void)
{
	size_t i = below(TUPLES);
	unsigned value = below(3) ? ++next_value : 0;
	char text[32];
	int len = snprintf(text, sizeof(text), "%u", value);
	struct prim_publication p = {
		.kind = (enum prim_publication_kind)below(5),
		.tuple_id = id_of(i),
		.duration_ms = some_ms(500),
	};
	struct prim_change c;
	unsigned code;

	if (value) {
		p.content.type = PRIM_SLICE("application/presence");
		p.content.body = prim_slice_make(text, (size_t)len);
	}
	code = prim_presentity_plan(&presentity, &p, wheel.now_ms, &c);
	assert_int_equal(code, model_publish(&models[i], &p, value));
	if (code != 200)
		return;
	prim_presentity_apply(&presentity, &c);
	prim_change_fini(&c);
}

static void turn_clock(void)
{
	int64_t now_ms = wheel.now_ms + some_ms(50);

	prim_wheel_advance(&wheel, now_ms);
	for (size_t i = 0; i < TUPLES; i++)
		assert_true(!models[i].leased || models[i].due_ms > now_ms);
}

static void answer_all(void)
{
	struct prim_feed *f;

	while (prim_fan_run(&fan, 1))
		;
	while ((f = TAILQ_FIRST(&outlet.asked)))
		prim_feed_answered(f, 200);
}

static void tuple_is_as_modelled(size_t i)
{
	const struct prim_tuple *t = prim_presentity_find(&presentity,
	    id_of(i));
	const struct model *m = &models[i];
	unsigned value = m->leased ? m->leased : m->permanent;
	uint64_t seen;

	if (!value) {
		assert_null(t);
		return;
	}
	assert_non_null(t);
	assert_true(prim_slice_number(prim_tuple_value(t)->body, UINT32_MAX,
	    &seen));
	assert_int_equal(seen, value);
	assert_int_equal(prim_timer_is_set(&t->timer), m->leased != 0);
}

static void all_is_as_modelled(uint32_t version_before)
{
	unsigned tuples = 0, leases = 0;

	for (size_t i = 0; i < TUPLES; i++) {
		tuple_is_as_modelled(i);
		tuples += models[i].permanent || models[i].leased;
		leases += models[i].leased != 0;
	}
	assert_int_equal(presentity.tuple_count, tuples);
	assert_int_equal(presentity.lease_count, leases);
	assert_int_equal(presentity.source.version - version_before, triggers);
	assert_int_equal(notifies, triggers > 0);
	trigger_count += triggers;
	notify_count += notifies;
}

static void what_is_seen_is_what_was_published(void **state)
{
	(void)state;
	print_message("seed %d\n", SEED);
	start_all();
	for (unsigned step = 0; step < STEPS; step++) {
		uint32_t version = presentity.source.version;

		triggers = notifies = 0;
		if (below(3))
			publish();
		else
			turn_clock();
		answer_all();
		all_is_as_modelled(version);
	}
	print_message("%lu triggers, %lu NOTIFYs, %lu leases expired\n",
	    trigger_count, notify_count, expiry_count);
	end_all();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_seen_is_what_was_published),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
