/* SPDX-License-Identifier: ISC */
/* What presence leaves behind: values, leases and subscriptions. */

#include "tests/bridge/presence_world.h"

#include "bridge/metric.h"

/* ---- values ---- */

static void a_value_needs_an_account(void **state)
{
	struct world *w = *state;
	struct br_store_value v = value_make(PRIM_SLICE("t1"), true);
	struct rowed got;
	struct seen seen;

	got = value_store(w, &v);
	assert_int_equal(got.outcome, BR_STORE_ABSENT);
	assert_int_equal(got.row, 0);
	look(w, ANN, &seen);
	assert_false(seen.is_there);
	account_make(w, ANN);
	assert_int_equal(value_store(w, &v).outcome, BR_STORE_DONE);
	look(w, ANN, &seen);
	assert_string_equal(seen.values, "t1 lease 5000 text/plain body\n");
}

static void a_lease_and_what_is_permanent_are_apart(void **state)
{
	struct world *w = *state;
	struct br_store_value v = value_make(PRIM_SLICE("t1"), true);
	struct seen seen;
	int64_t row;

	account_make(w, ANN);
	row = value_store(w, &v).row;
	assert_true(row > 0);
	v.is_lease = false;
	v.at_ms = 500;
	v.body = PRIM_SLICE("for good");
	assert_int_equal(value_store(w, &v).row, 0);
	v.is_lease = true;
	v.at_ms = 2000;
	v.expires_ms = 6000;
	v.body = PRIM_SLICE("newer");
	assert_int_equal(value_store(w, &v).row, row);
	v.tuple_id = PRIM_SLICE("t2");
	v.at_ms = 1500;
	assert_true(value_store(w, &v).row > row);
	look(w, ANN, &seen);
	assert_string_equal(seen.values,
	    "t1 permanent 0 text/plain for good\n"
	    "t2 lease 6000 text/plain newer\n"
	    "t1 lease 6000 text/plain newer\n");
	assert_int_equal(seen.last_row, row);
}

static void a_lease_is_renewed_by_its_row(void **state)
{
	struct world *w = *state;
	struct br_store_value v = value_make(PRIM_SLICE("t1"), true);
	struct heard heard = { 0 };
	struct seen seen;
	int64_t row, other;

	account_make(w, ANN);
	row = value_store(w, &v).row;
	br_store_lease_renew(w->store, row, 9000, on_done, &heard);
	assert_int_equal(br_store_pending(w->store), 1);
	world_expect(w, &heard, BR_STORE_DONE);
	assert_int_equal(br_store_pending(w->store), 0);
	world_reopen(w);
	look(w, ANN, &seen);
	assert_string_equal(seen.values, "t1 lease 9000 text/plain body\n");
	drop(w, PRIM_SLICE("t1"), true, BR_STORE_DONE);
	br_store_lease_renew(w->store, row, 9000, on_done, &heard);
	world_expect(w, &heard, BR_STORE_ABSENT);
	/* Who comes next does not inherit the row. */
	other = value_store(w, &v).row;
	assert_true(other > row);
	br_store_lease_renew(w->store, row, 1, on_done, &heard);
	world_expect(w, &heard, BR_STORE_ABSENT);
}

static void a_permanent_value_has_no_end_to_renew(void **state)
{
	struct world *w = *state;
	struct br_store_value v = value_make(PRIM_SLICE("t1"), false);
	struct heard heard = { 0 };
	struct seen seen;

	account_make(w, ANN);
	assert_int_equal(value_store(w, &v).outcome, BR_STORE_DONE);
	look(w, ANN, &seen);
	br_store_lease_renew(w->store, seen.last_row, 9000, on_done, &heard);
	world_expect(w, &heard, BR_STORE_ABSENT);
}

static void a_lease_is_dropped_alone_or_with_its_tuple(void **state)
{
	struct world *w = *state;
	struct br_store_value lease = value_make(PRIM_SLICE("t1"), true);
	struct br_store_value permanent = value_make(PRIM_SLICE("t1"), false);
	struct br_store_value other = value_make(PRIM_SLICE("t2"), true);
	struct seen seen;

	account_make(w, ANN);
	(void)value_store(w, &lease);
	(void)value_store(w, &permanent);
	(void)value_store(w, &other);
	drop(w, PRIM_SLICE("t1"), true, BR_STORE_DONE);
	drop(w, PRIM_SLICE("t1"), true, BR_STORE_ABSENT);
	look(w, ANN, &seen);
	assert_string_equal(seen.values,
	    "t1 permanent 0 text/plain body\n"
	    "t2 lease 5000 text/plain body\n");
	(void)value_store(w, &lease);
	br_store_value_drop(w->store, ANN, PRIM_SLICE("t1"), false, NULL, NULL);
	br_store_settle(w->store);
	drop(w, PRIM_SLICE("t1"), false, BR_STORE_ABSENT);
	look(w, ANN, &seen);
	assert_string_equal(seen.values, "t2 lease 5000 text/plain body\n");
}

static void a_big_value_comes_back_whole(void **state)
{
	struct world *w = *state;
	struct br_store_value v = value_make(PRIM_SLICE("big"), true);
	char *body = prim_alloc(BIG);
	struct seen seen;

	for (size_t i = 0; i < BIG; i++)
		body[i] = (char)(i * 7);
	account_make(w, ANN);
	v.body = prim_slice_make(body, BIG);
	assert_int_equal(value_store(w, &v).outcome, BR_STORE_DONE);
	world_reopen(w);
	look(w, ANN, &seen);
	assert_int_equal(seen.last_body, BIG);
	assert_int_equal(seen.last_sum, octet_sum(v.body));
	prim_free(body);
}

/* ---- order ---- */

struct order {
	unsigned at;
};

struct turn {
	struct order *order;
	unsigned number;
};

static void on_turn(void *arg, enum br_store_outcome outcome)
{
	struct turn *turn = arg;

	assert_int_equal(outcome, BR_STORE_DONE);
	assert_int_equal(turn->order->at++, turn->number);
}

static void on_turn_row(void *arg, enum br_store_outcome outcome, int64_t row)
{
	(void)row;
	on_turn(arg, outcome);
}

#define TURNS 5000

/* Renewals are collected, and still nothing overtakes another. */
static void callbacks_come_later_and_in_order(void **state)
{
	static struct turn turns[TURNS];
	struct world *w = *state;
	struct br_store_value v = value_make(PRIM_SLICE("t1"), true);
	struct order order = { 0 };
	struct seen seen;
	int64_t row;

	account_make(w, ANN);
	row = value_store(w, &v).row;
	for (unsigned i = 0; i < TURNS; i++) {
		turns[i] = (struct turn){ &order, i };
		if (i % 1500 == 0)
			br_store_value_put(w->store, &v, on_turn_row,
			    &turns[i]);
		else
			br_store_lease_renew(w->store, row, 6000 + i, on_turn,
			    &turns[i]);
	}
	assert_int_equal(order.at, 0);
	assert_int_equal(br_store_pending(w->store), TURNS);
	br_store_settle(w->store);
	assert_int_equal(order.at, TURNS);
	assert_int_equal(br_store_pending(w->store), 0);
	look(w, ANN, &seen);
	assert_string_equal(seen.values, "t1 lease 10999 text/plain body\n");
}

static void closing_commits_what_waits_and_calls_nobody(void **state)
{
	struct world *w = *state;
	struct br_store_value v = value_make(PRIM_SLICE("t1"), true);
	struct heard heard = { 0 };
	struct seen seen;
	int64_t row;

	account_make(w, ANN);
	row = value_store(w, &v).row;
	br_store_lease_renew(w->store, row, 7000, on_done, &heard);
	world_reopen(w);
	assert_int_equal(heard.count, 0);
	look(w, ANN, &seen);
	assert_string_equal(seen.values, "t1 lease 7000 text/plain body\n");
}

static void dropping_an_account_drops_its_presence(void **state)
{
	struct world *w = *state;
	struct br_store_subscription subs[] = {
		sub_make(BOB, ANN, PRIM_SLICE("s1")),
		sub_make(ANN, BOB, PRIM_SLICE("s2")),
		sub_make(BOB, CARL, PRIM_SLICE("s3")),
	};
	struct br_store_value v = value_make(PRIM_SLICE("t1"), true);
	struct heard heard = { 0 };
	struct listed list = { 0 };
	struct seen seen;
	int64_t row;

	account_make(w, ANN);
	account_make(w, CARL);
	row = value_store(w, &v).row;
	v.is_lease = false;
	(void)value_store(w, &v);
	v.presentity = CARL;
	(void)value_store(w, &v);
	for (unsigned i = 0; i < PRIM_COUNT(subs); i++)
		sub_store(w, &subs[i]);
	br_store_account_drop(w->store, ANN, on_done, &heard);
	world_expect(w, &heard, BR_STORE_DONE);
	br_store_lease_renew(w->store, row, 1, on_done, &heard);
	world_expect(w, &heard, BR_STORE_ABSENT);
	br_store_subscription_list(w->store, on_listed, &list);
	br_store_settle(w->store);
	assert_string_equal(list.ids, "s3.");
	account_make(w, ANN);
	look(w, ANN, &seen);
	assert_string_equal(seen.values, "");
	assert_int_equal(seen.sub_count, 0);
	look(w, CARL, &seen);
	assert_string_equal(seen.values, "t1 permanent 0 text/plain body\n");
}

/* ---- damage ---- */

static void what_is_damaged_is_passed_over_and_counted(void **state)
{
	struct world *w = *state;
	struct br_store_value v = value_make(PRIM_SLICE("bad"), true);
	struct br_store_subscription sub = sub_make(BOB, ANN, PRIM_SLICE("s1"));
	struct listed list = { 0 };
	struct residents got;
	struct seen seen;
	int64_t errors;

	account_make(w, ANN);
	(void)value_store(w, &v);
	v.tuple_id = PRIM_SLICE("good");
	(void)value_store(w, &v);
	sub_store(w, &sub);
	sub.watcher = CARL;
	sub_store(w, &sub);
	sub.presentity = PRIM_SLICE("far@far.example");
	sub.is_outgoing = true;
	sub_store(w, &sub);
	harm(w,
	    "DELETE FROM lease WHERE row = (SELECT row FROM value"
	    " WHERE tuple_id = 'bad');"
	    "UPDATE subscription SET watcher = 'broken'"
	    " WHERE watcher = 'bob@far.example';"
	    "UPDATE subscription SET watcher_address = ''"
	    " WHERE is_outgoing = 1");
	errors = br_metric_get(BR_METRIC_STORE_ERRORS);
	look(w, ANN, &seen);
	assert_string_equal(seen.values, "good lease 5000 text/plain body\n");
	assert_int_equal(seen.sub_count, 1);
	assert_true(br_metric_get(BR_METRIC_STORE_ERRORS) > errors);
	br_store_subscription_list(w->store, on_listed, &list);
	br_store_settle(w->store);
	assert_int_equal(list.count, 1);
	errors = br_metric_get(BR_METRIC_STORE_ERRORS);
	residents(w, &got);
	assert_string_equal(got.text, "+ann@here.example");
	assert_true(br_metric_get(BR_METRIC_STORE_ERRORS) > errors);
}

static void a_damaged_account_is_a_failure(void **state)
{
	struct world *w = *state;
	struct failing got = { 0 };

	account_make(w, ANN);
	harm(w, "UPDATE account SET stored_key = x'00'");
	br_store_principal_find(w->store, ANN, on_failing, &got);
	br_store_settle(w->store);
	assert_int_equal(got.failures, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_MEMORY(a_value_needs_an_account),
		IN_FOLDER(a_lease_and_what_is_permanent_are_apart),
		IN_FOLDER(a_lease_is_renewed_by_its_row),
		IN_MEMORY(a_permanent_value_has_no_end_to_renew),
		IN_MEMORY(a_lease_is_dropped_alone_or_with_its_tuple),
		IN_FOLDER(a_big_value_comes_back_whole),
		IN_MEMORY(callbacks_come_later_and_in_order),
		IN_FOLDER(callbacks_come_later_and_in_order),
		IN_FOLDER(closing_commits_what_waits_and_calls_nobody),
		IN_MEMORY(dropping_an_account_drops_its_presence),
		IN_FOLDER(what_is_damaged_is_passed_over_and_counted),
		IN_FOLDER(a_damaged_account_is_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
