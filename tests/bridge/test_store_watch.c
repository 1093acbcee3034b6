/* SPDX-License-Identifier: ISC */
/* Who watches whom, who is resident, and what is swept up. */

#include "tests/bridge/presence_world.h"

/* ---- subscriptions ---- */

static void a_subscription_is_made_renewed_and_dropped(void **state)
{
	struct world *w = *state;
	struct br_store_subscription sub = sub_make(BOB, ANN, PRIM_SLICE("s1"));
	struct heard heard = { 0 };
	struct seen seen;

	account_make(w, ANN);
	br_store_subscription_drop(w->store, &sub, on_done, &heard);
	world_expect(w, &heard, BR_STORE_ABSENT);
	sub_store(w, &sub);
	sub.expires_ms = 8000;
	sub.watcher_address = PRIM_SLICE("pres:Bob@far.example");
	sub_store(w, &sub);
	sub.id = PRIM_SLICE("");
	sub_store(w, &sub);
	world_reopen(w);
	look(w, ANN, &seen);
	assert_string_equal(seen.subs,
	    "bob@far.example ann@here.example '' in 8000"
	    " pres:Bob@far.example\n"
	    "bob@far.example ann@here.example 's1' in 8000"
	    " pres:Bob@far.example\n");
	br_store_subscription_drop(w->store, &sub, on_done, &heard);
	world_expect(w, &heard, BR_STORE_DONE);
	br_store_subscription_drop(w->store, &sub, on_done, &heard);
	world_expect(w, &heard, BR_STORE_ABSENT);
	look(w, ANN, &seen);
	assert_int_equal(seen.sub_count, 1);
}

static void who_watches_elsewhere_is_not_who_watches_me(void **state)
{
	struct world *w = *state;
	struct br_store_subscription sub = sub_make(ANN, BOB, PRIM_SLICE("s1"));
	struct seen seen;

	account_make(w, ANN);
	sub.is_outgoing = true;
	sub_store(w, &sub);
	sub = sub_make(BOB, ANN, PRIM_SLICE("s1"));
	sub_store(w, &sub);
	look(w, ANN, &seen);
	assert_int_equal(seen.sub_count, 1);
	look(w, BOB, &seen);
	assert_false(seen.is_there);
	assert_int_equal(seen.sub_count, 0);
}

static void many_are_listed_in_order(void **state)
{
	struct world *w = *state;
	struct listed list = { .is_sorted = true };

	many_subs(w, 701);
	br_store_subscription_list(w->store, on_listed, &list);
	br_store_settle(w->store);
	assert_int_equal(list.count, 701);
	assert_int_equal(list.ends, 1);
	assert_true(list.is_sorted);
}

/* Pages of a few, each behind the last of the one before. */
static unsigned turn_pages(struct world *w, struct prim_slice key, unsigned max,
    struct paged *got)
{
	unsigned pages = 0;

	memset(got, 0, sizeof(*got));
	got->is_sorted = true;
	do {
		struct br_store_subscription after = paged_last(got);
		const struct br_store_subscription_range range = {
			.key = key,
			.after = pages ? &after : NULL,
			.max = max,
		};

		got->in_page = 0;
		br_store_subscription_page(w->store, &range, on_paged, got);
		br_store_settle(w->store);
		pages++;
		assert_int_equal(got->ends, pages);
	} while (got->in_page == max);
	return pages;
}

static void a_list_comes_in_pages(void **state)
{
	struct world *w = *state;
	struct br_store_subscription sub = sub_make(ANN, BOB, PRIM_SLICE("s1"));
	struct paged got;

	assert_int_equal(turn_pages(w, PRIM_SLICE_NONE, 7, &got), 1);
	assert_int_equal(got.count, 0);
	many_subs(w, 100);
	sub.is_outgoing = true;
	sub_store(w, &sub);
	sub = sub_make(ANN, ANN, PRIM_SLICE("self"));
	sub_store(w, &sub);
	sub = sub_make(CARL, BOB, PRIM_SLICE("s1"));
	sub_store(w, &sub);
	assert_int_equal(turn_pages(w, PRIM_SLICE_NONE, 50, &got), 3);
	assert_int_equal(got.count, 103);
	assert_true(got.is_sorted);
	for (unsigned max = 1; max < 8; max++) {
		(void)turn_pages(w, ANN, max, &got);
		assert_int_equal(got.count, 102);
		assert_true(got.is_sorted);
	}
	(void)turn_pages(w, BOB, 1, &got);
	assert_int_equal(got.count, 2);
	(void)turn_pages(w, PRIM_SLICE("none@here.example"), 1, &got);
	assert_int_equal(got.count, 0);
}

/* ---- at start ---- */

static void residents_are_told_once_each(void **state)
{
	struct world *w = *state;
	struct br_store_value v = value_make(PRIM_SLICE("t1"), true);
	struct br_store_subscription sub = sub_make(BOB, ANN, PRIM_SLICE("s1"));
	struct residents got;

	account_make(w, ANN);
	account_make(w, CARL);
	residents(w, &got);
	assert_string_equal(got.text, "");
	(void)value_store(w, &v);
	v.tuple_id = PRIM_SLICE("t2");
	(void)value_store(w, &v);
	sub_store(w, &sub);
	v.presentity = CARL;
	v.is_lease = false;
	(void)value_store(w, &v);
	residents(w, &got);
	assert_string_equal(got.text, "+ann@here.example");
	sub.presentity = CARL;
	sub_store(w, &sub);
	sub = sub_make(ANN, BOB, PRIM_SLICE("out"));
	sub.is_outgoing = true;
	sub_store(w, &sub);
	world_reopen(w);
	residents(w, &got);
	assert_string_equal(got.text,
	    "+ann@here.example+carl@here.example>out");
}

/* ---- the sweep ---- */

static void what_nobody_ended_is_swept_up_an_hour_later(void **state)
{
	struct world *w = *state;
	struct br_store_value v = value_make(PRIM_SLICE("old"), true);
	struct br_store_subscription sub = sub_make(BOB, ANN, PRIM_SLICE("s1"));
	struct seen seen;

	account_make(w, ANN);
	v.expires_ms = 1000;
	(void)value_store(w, &v);
	v.is_lease = false;
	(void)value_store(w, &v);
	sub.expires_ms = 1000;
	sub_store(w, &sub);
	br_store_expire(w->store, 3600000 + 1000);
	br_store_settle(w->store);
	look(w, ANN, &seen);
	assert_int_equal(seen.value_count, 2);
	assert_int_equal(seen.sub_count, 1);
	br_store_expire(w->store, 3600000 + 1001);
	br_store_settle(w->store);
	look(w, ANN, &seen);
	assert_string_equal(seen.values, "old permanent 0 text/plain body\n");
	assert_int_equal(seen.sub_count, 0);
}

static void a_long_sweep_goes_in_steps(void **state)
{
	struct world *w = *state;
	struct listed list = { 0 };
	struct residents got;
	unsigned live = 0;

	account_make(w, ANN);
	for (unsigned i = 0; i < 2000; i++) {
		char name[16];
		int len = snprintf(name, sizeof(name), "n%u@x", i);
		struct prim_slice text = prim_slice_make(name, (size_t)len);
		struct br_store_value v = value_make(text, true);
		struct br_store_subscription sub = sub_make(text, ANN,
		    PRIM_SLICE(""));

		v.expires_ms = sub.expires_ms = i % 3 ? 1000 : INT64_MAX;
		live += i % 3 == 0;
		assert_int_equal(value_store(w, &v).outcome, BR_STORE_DONE);
		br_store_subscription_put(w->store, &sub, NULL, NULL);
	}
	br_store_expire(w->store, 3600000 * 2);
	br_store_expire(w->store, INT64_MAX); /* one is under way */
	br_store_settle(w->store);
	br_store_subscription_list(w->store, on_listed, &list);
	br_store_settle(w->store);
	assert_int_equal(list.count, live);
	assert_int_equal(leases(w), live);
	residents(w, &got);
	assert_string_equal(got.text, "+ann@here.example");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(a_subscription_is_made_renewed_and_dropped),
		IN_MEMORY(who_watches_elsewhere_is_not_who_watches_me),
		IN_FOLDER(many_are_listed_in_order),
		IN_MEMORY(a_list_comes_in_pages),
		IN_FOLDER(residents_are_told_once_each),
		IN_MEMORY(what_nobody_ended_is_swept_up_an_hour_later),
		IN_MEMORY(a_long_sweep_goes_in_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
