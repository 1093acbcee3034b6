/* SPDX-License-Identifier: ISC */
/* Principals: loaded once, kept while they are in use, forgotten in time. */

#include "tests/bridge/store_world.h"

#include "bridge/entity.h"
#include "bridge/store_private.h"
#include "prim/base.h"

#define ASKS_MAX 2000

struct asks {
	unsigned count;
	enum br_entity_outcome outcomes[ASKS_MAX];
	unsigned order[ASKS_MAX];
	struct br_entity *last;
};

struct ask {
	unsigned number;
};

static struct world *w;
static struct br_entities *all;
static int64_t now_ms;
static struct asks asks;
static struct ask numbers[ASKS_MAX];
static bool keeps; /* the callee does not let go */
static struct prim_wheel wheel;
static struct prim_fan fan;
static unsigned loads, absences;

static void on_loaded(void *ctx, struct br_entity *e,
    const struct br_store_principal *p)
{
	assert_ptr_equal(ctx, &loads);
	assert_non_null(p->account);
	assert_true(prim_slice_eq(p->account->key, br_entity_key(e)));
	loads++;
}

static void on_absent(void *ctx, struct br_entity *e)
{
	assert_ptr_equal(ctx, &loads);
	assert_int_equal(e->state, BR_ENTITY_ABSENT);
	absences++;
}

static const struct br_entity_ops OPS = {
	.loaded = on_loaded,
	.absent = on_absent,
};
static const struct prim_presentity_ops NO_OPS = { NULL };

static void make_account(const char *key)
{
	struct br_store_account account = { .iterations = 4096,
		.salt_len = 16 };

	account.key = account.address = prim_slice_of(key);
	br_store_account_put(w->store, &account, NULL, NULL);
	br_store_settle(w->store);
}

static int set_up(void **state)
{
	assert_int_equal(world_set_up_memory(state), 0);
	w = *state;
	now_ms = 1004356800000;
	prim_wheel_init(&wheel, now_ms);
	prim_fan_init(&fan, &wheel);
	loads = absences = 0;
	all = br_entities_new(&(struct br_entities_context){
	    .store = w->store,
	    .now_ms = &now_ms,
	    .fan = &fan,
	    .ops = &OPS,
	    .ctx = &loads,
	    .presentity_ops = &NO_OPS,
	});
	memset(&asks, 0, sizeof(asks));
	keeps = false;
	make_account("alice@prim.example");
	return 0;
}

static int tear_down(void **state)
{
	w->store = br_store_close(w->store);
	br_entities_cancel(all);
	all = br_entities_free(all);
	event_base_free(w->base);
	(void)state;
	return 0;
}

static void on_entity(void *arg, enum br_entity_outcome outcome,
    struct br_entity *e)
{
	const struct ask *ask = arg;

	asks.order[asks.count] = ask->number;
	asks.outcomes[asks.count++] = outcome;
	assert_int_equal(e != NULL, outcome == BR_ENTITY_IS_PRESENT);
	asks.last = e;
	if (e && !keeps)
		br_entity_unpin(all, e);
}

static void ask(const char *key, unsigned number)
{
	numbers[number].number = number;
	br_entity_with(all, prim_slice_of(key), on_entity, &numbers[number]);
}

static void a_principal_is_loaded_once(void **state)
{
	(void)state;
	ask("alice@prim.example", 0);
	assert_int_equal(asks.count, 0); /* it has to be looked up */
	br_store_settle(w->store);
	assert_int_equal(asks.count, 1);
	assert_int_equal(asks.outcomes[0], BR_ENTITY_IS_PRESENT);
	ask("alice@prim.example", 1);
	assert_int_equal(asks.count, 2); /* at once */
	assert_int_equal(br_store_pending(w->store), 0);
}

static void what_was_loaded_is_told_before_anybody_has_it(void **state)
{
	(void)state;
	ask("alice@prim.example", 0);
	assert_int_equal(loads, 0);
	br_store_settle(w->store);
	assert_int_equal(loads, 1);
	ask("bob@prim.example", 1);
	br_store_settle(w->store);
	assert_int_equal(absences, 1);
	br_entity_forget(all, PRIM_SLICE("alice@prim.example"));
	ask("alice@prim.example", 2);
	br_store_settle(w->store);
	assert_int_equal(loads, 2); /* and again, when it was asked again */
}

static void one_that_is_held_can_be_had_before_it_is_known(void **state)
{
	struct br_entity *e = br_entity_hold(all,
	    PRIM_SLICE("alice@prim.example"));

	(void)state;
	assert_int_equal(e->state, BR_ENTITY_LOADING);
	assert_true(prim_slice_eq(br_entity_uri(e),
	    PRIM_SLICE("pres:alice@prim.example")));
	br_store_settle(w->store);
	assert_int_equal(e->state, BR_ENTITY_PRESENT);
	assert_ptr_equal(br_entity_find(all, PRIM_SLICE("alice@prim.example")),
	    e);
	assert_int_equal(loads, 1);
	br_entity_unpin(all, e);
}

static void an_absent_one_is_remembered_as_absent_for_a_while(void **state)
{
	(void)state;
	ask("bob@prim.example", 0);
	br_store_settle(w->store);
	assert_int_equal(asks.outcomes[0], BR_ENTITY_IS_ABSENT);
	ask("bob@prim.example", 1);
	assert_int_equal(asks.count, 2);
	make_account("bob@prim.example");
	now_ms += BR_ENTITY_ABSENT_MS;
	ask("bob@prim.example", 2);
	assert_int_equal(asks.outcomes[2], BR_ENTITY_IS_ABSENT);
	now_ms += 1000;
	ask("bob@prim.example", 3);
	br_store_settle(w->store);
	assert_int_equal(asks.outcomes[3], BR_ENTITY_IS_PRESENT);
}

static void whoever_asks_is_told_in_order(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 100; i++)
		ask("alice@prim.example", i);
	br_store_settle(w->store);
	assert_int_equal(asks.count, 100);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(asks.order[i], i);
		assert_int_equal(asks.outcomes[i], BR_ENTITY_IS_PRESENT);
	}
}

static void too_many_who_wait_are_told_so(void **state)
{
	(void)state;
	for (unsigned i = 0; i < BR_ENTITY_WAITS_MAX + 5; i++)
		ask("alice@prim.example", i);
	assert_int_equal(asks.count, 5);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(asks.outcomes[i], BR_ENTITY_UNKNOWN);
	br_store_settle(w->store);
	assert_int_equal(asks.count, BR_ENTITY_WAITS_MAX + 5);
}

static void a_removed_account_is_looked_up_again(void **state)
{
	struct prim_slice key = PRIM_SLICE("alice@prim.example");

	(void)state;
	ask("alice@prim.example", 0);
	br_store_settle(w->store);
	assert_non_null(br_entity_find(all, key));
	br_store_account_drop(w->store, key, NULL, NULL);
	br_store_settle(w->store);
	br_entity_forget(all, key);
	assert_null(br_entity_find(all, key));
	ask("alice@prim.example", 1);
	br_store_settle(w->store);
	assert_int_equal(asks.outcomes[1], BR_ENTITY_IS_ABSENT);
}

static void one_that_is_held_keeps_its_inbox_when_it_is_forgotten(void **state)
{
	struct prim_slice key = PRIM_SLICE("alice@prim.example");
	struct prim_listener listener;
	struct br_entity *held;

	(void)state;
	keeps = true;
	ask("alice@prim.example", 0);
	br_store_settle(w->store);
	held = asks.last;
	prim_listener_init(&listener);
	prim_listener_start(&listener, &held->inbox);
	br_entity_forget(all, key); /* a new password, say */
	br_store_settle(w->store);
	keeps = false;
	ask("alice@prim.example", 1);
	br_store_settle(w->store);
	assert_int_equal(asks.outcomes[1], BR_ENTITY_IS_PRESENT);
	assert_ptr_equal(asks.last, held);
	assert_true(prim_inbox_is_open(&asks.last->inbox));
	prim_listener_fini(&listener);
	br_entity_unpin(all, held);
}

static void one_that_is_held_and_removed_is_absent(void **state)
{
	struct prim_slice key = PRIM_SLICE("alice@prim.example");
	struct br_entity *held;

	(void)state;
	keeps = true;
	ask("alice@prim.example", 0);
	br_store_settle(w->store);
	held = asks.last;
	br_store_account_drop(w->store, key, NULL, NULL);
	br_store_settle(w->store);
	br_entity_forget(all, key);
	ask("alice@prim.example", 1);
	br_store_settle(w->store);
	assert_int_equal(asks.outcomes[1], BR_ENTITY_IS_ABSENT);
	assert_null(br_entity_find(all, key));
	br_entity_unpin(all, held);
}

static void on_made(void *arg, enum br_store_outcome outcome)
{
	(void)arg;
	assert_int_equal(outcome, BR_STORE_DONE);
	br_entity_forget(all, PRIM_SLICE("bob@prim.example"));
}

static void a_change_while_it_is_loaded_counts(void **state)
{
	struct br_store_account account = { .iterations = 4096,
		.salt_len = 16 };

	(void)state;
	account.key = account.address = PRIM_SLICE("bob@prim.example");
	br_store_account_put(w->store, &account, on_made, NULL);
	ask("bob@prim.example", 0); /* may be read before or after */
	br_store_settle(w->store);
	ask("bob@prim.example", 1);
	br_store_settle(w->store);
	assert_int_equal(asks.count, 2);
	assert_int_equal(asks.outcomes[1], BR_ENTITY_IS_PRESENT);
}

static void when_the_store_goes_whoever_waits_is_told(void **state)
{
	(void)state;
	ask("alice@prim.example", 0);
	ask("alice@prim.example", 1);
	w->store = br_store_close(w->store);
	br_entities_cancel(all);
	assert_int_equal(asks.count, 2);
	assert_int_equal(asks.outcomes[0], BR_ENTITY_UNKNOWN);
	assert_int_equal(asks.outcomes[1], BR_ENTITY_UNKNOWN);
}

/* While it is away, every look-up of an account fails. */
static void put_table_away(bool away)
{
	sqlite3 *sql = w->store->write[BR_STORE_PRIMD].sql;

	assert_int_equal(sqlite3_exec(sql,
			     away ? "ALTER TABLE account RENAME TO away"
				  : "ALTER TABLE away RENAME TO account",
			     NULL, NULL, NULL),
	    SQLITE_OK);
}

static void what_cannot_be_looked_up_is_looked_up_again(void **state)
{
	(void)state;
	put_table_away(true);
	ask("alice@prim.example", 0);
	br_store_settle(w->store);
	assert_int_equal(asks.outcomes[0], BR_ENTITY_UNKNOWN);
	put_table_away(false);
	ask("alice@prim.example", 1);
	br_store_settle(w->store);
	assert_int_equal(asks.outcomes[1], BR_ENTITY_IS_PRESENT);
}

static void one_that_is_held_keeps_its_name_when_the_store_fails(void **state)
{
	struct br_entity *held;

	(void)state;
	put_table_away(true);
	held = br_entity_hold(all, PRIM_SLICE("alice@prim.example"));
	br_store_settle(w->store);
	put_table_away(false);
	ask("alice@prim.example", 0);
	br_store_settle(w->store);
	assert_int_equal(asks.outcomes[0], BR_ENTITY_IS_PRESENT);
	assert_ptr_equal(asks.last, held);
	br_entity_unpin(all, held);
}

static void who_watches_stays_when_the_store_fails(void **state)
{
	struct prim_slice key = PRIM_SLICE("alice@prim.example");
	struct br_entity *held = br_entity_hold(all, key);

	(void)state;
	br_store_settle(w->store);
	held->has_presence = true;
	put_table_away(true);
	br_entity_forget(all, key);
	br_store_settle(w->store);
	put_table_away(false);
	assert_ptr_equal(br_entity_find(all, key), held);
	br_entity_unpin(all, held);
}

#define CHECK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHECK(a_principal_is_loaded_once),
		CHECK(what_was_loaded_is_told_before_anybody_has_it),
		CHECK(one_that_is_held_can_be_had_before_it_is_known),
		CHECK(an_absent_one_is_remembered_as_absent_for_a_while),
		CHECK(whoever_asks_is_told_in_order),
		CHECK(too_many_who_wait_are_told_so),
		CHECK(a_removed_account_is_looked_up_again),
		CHECK(one_that_is_held_keeps_its_inbox_when_it_is_forgotten),
		CHECK(one_that_is_held_and_removed_is_absent),
		CHECK(a_change_while_it_is_loaded_counts),
		CHECK(what_cannot_be_looked_up_is_looked_up_again),
		CHECK(one_that_is_held_keeps_its_name_when_the_store_fails),
		CHECK(who_watches_stays_when_the_store_fails),
		CHECK(when_the_store_goes_whoever_waits_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
