/* SPDX-License-Identifier: ISC */
/* Accounts, adapter state, and the order of things. */

#include "tests/bridge/store_world.h"

#include "prim/base.h"

static struct br_store_account account_make(struct prim_slice key)
{
	struct br_store_account a = {
		.key = key,
		.address = PRIM_SLICE("Ann@Here.example"),
		.iterations = 4096,
		.salt = {1,  2, 3 },
		.salt_len = 3,
		.stored_key = { 4},
		.server_key = { 5},
		.created_ms = 77,
	};

	return a;
}

/* What a look-up for accounts gave. */
struct accounts {
	unsigned count, ends;
	bool failed;
	struct br_store_account last; /* without its slices */
	char key[64], address[64], secret[64];
	bool sorted;
};

static void copy(char *to, struct prim_slice s)
{
	assert_true(s.len < 64);
	(void)snprintf(to, 64, "%.*s", PRIM_SLICE_ARG(s));
}

static void on_account(void *arg, const struct br_store_account *a, bool failed)
{
	struct accounts *got = arg;
	char before[64];

	got->failed = failed;
	if (!a) {
		got->ends++;
		return;
	}
	memcpy(before, got->key, sizeof(before));
	copy(got->key, a->key);
	copy(got->address, a->address);
	copy(got->secret, a->cram_secret);
	got->sorted = got->count == 0 ||
	    (got->sorted && strcmp(before, got->key) < 0);
	got->last = *a;
	got->count++;
}

static void find(struct world *w, struct prim_slice key, struct accounts *got)
{
	memset(got, 0, sizeof(*got));
	br_store_account_find(w->store, key, on_account, got);
	br_store_settle(w->store);
	assert_int_equal(got->count + got->ends, 1);
	assert_false(got->failed);
}

static void an_account_is_put_found_and_changed(void **state)
{
	struct world *w = *state;
	struct br_store_account a = account_make(PRIM_SLICE("ann@here"));
	struct accounts got;
	struct heard heard = { 0 };

	find(w, a.key, &got);
	assert_int_equal(got.ends, 1);
	br_store_account_passwd(w->store, &a, on_done, &heard);
	world_expect(w, &heard, BR_STORE_ABSENT);
	br_store_account_put(w->store, &a, on_done, &heard);
	world_expect(w, &heard, BR_STORE_DONE);
	br_store_account_put(w->store, &a, on_done, &heard);
	world_expect(w, &heard, BR_STORE_EXISTS);

	a.iterations = 10000;
	a.salt_len = BR_SALT_MAX;
	a.salt[BR_SALT_MAX - 1] = 9;
	a.stored_key[31] = 6;
	a.server_key[31] = 7;
	a.cram_secret = PRIM_SLICE("secret");
	br_store_account_passwd(w->store, &a, on_done, &heard);
	world_expect(w, &heard, BR_STORE_DONE);
	find(w, a.key, &got);
	assert_string_equal(got.key, "ann@here");
	assert_string_equal(got.address, "Ann@Here.example");
	assert_string_equal(got.secret, "secret");
	assert_int_equal(got.last.iterations, 10000);
	assert_int_equal(got.last.salt_len, BR_SALT_MAX);
	assert_memory_equal(got.last.salt, a.salt, BR_SALT_MAX);
	assert_memory_equal(got.last.stored_key, a.stored_key, BR_HASH_LEN);
	assert_memory_equal(got.last.server_key, a.server_key, BR_HASH_LEN);
	assert_int_equal(got.last.created_ms, 77);
}

struct purged {
	enum br_store_outcome outcome;
	unsigned count;
};

static void on_purged(void *arg, enum br_store_outcome outcome, unsigned count)
{
	*(struct purged *)arg = (struct purged){ .outcome = outcome,
		.count = count };
}

static struct purged purge(struct world *w)
{
	struct purged got = { BR_STORE_FAILED, 99 };

	br_store_account_purge(w->store, on_purged, &got);
	br_store_settle(w->store);
	assert_int_equal(got.outcome, BR_STORE_DONE);
	return got;
}

static void secrets_can_be_forgotten_and_nothing_else(void **state)
{
	static const char *const NAMES[] = { "ann@here", "bob@here",
		"eve@here" };
	struct world *w = *state;
	struct accounts got;

	for (size_t i = 0; i < PRIM_COUNT(NAMES); i++) {
		struct br_store_account a =
		    account_make(prim_slice_of(NAMES[i]));

		if (i > 0)
			a.cram_secret = PRIM_SLICE("secret");
		br_store_account_put(w->store, &a, NULL, NULL);
	}
	assert_int_equal(purge(w).count, 2);
	for (size_t i = 0; i < PRIM_COUNT(NAMES); i++) {
		find(w, prim_slice_of(NAMES[i]), &got);
		assert_string_equal(got.secret, "");
		assert_int_equal(got.last.iterations, 4096);
	}
	assert_int_equal(purge(w).count, 0);
}

static void dropping_an_account_ends_what_waits_for_it(void **state)
{
	struct world *w = *state;
	struct br_store_account a = account_make(PRIM_SLICE("ann@here"));
	struct br_store_message m = message_make(1, PRIM_SLICE("m1"));
	struct heard heard = { 0 };
	struct br_store_put_result stored;

	br_store_account_put(w->store, &a, NULL, NULL);
	m.destination = PRIM_SLICE("adapter:mail");
	m.recipient = PRIM_SLICE("ann@here");
	stored = message_store(w, &m);
	br_store_account_drop(w->store, a.key, on_done, &heard);
	world_expect(w, &heard, BR_STORE_DONE);
	br_store_message_attempt(w->store,
	    &(struct br_store_attempt){ .seq = stored.seq,
		.attempts = 1,
		.next_try_ms = 0 },
	    on_done, &heard);
	world_expect(w, &heard, BR_STORE_ABSENT);
	br_store_account_drop(w->store, a.key, on_done, &heard);
	world_expect(w, &heard, BR_STORE_ABSENT);
}

static void many_accounts_are_listed_in_order(void **state)
{
	struct world *w = *state;
	struct accounts got = { 0 };
	char key[32];

	for (unsigned i = 0; i < 600; i++) {
		struct br_store_account a;
		int len = snprintf(key, sizeof(key), "u%u@here", i * 7 % 600);

		a = account_make(prim_slice_make(key, (size_t)len));
		br_store_account_put(w->store, &a, NULL, NULL);
	}
	br_store_settle(w->store);
	br_store_account_list(w->store, on_account, &got);
	br_store_settle(w->store);
	assert_int_equal(got.count, 600);
	assert_int_equal(got.ends, 1);
	assert_true(got.sorted);
}

struct states {
	unsigned count, ends;
	bool failed, absent, more;
	char last[64];
	char value[64];
};

static void on_state(void *arg, const struct prim_slice *key,
    const struct prim_slice *value, bool failed)
{
	struct states *got = arg;

	got->failed = failed;
	if (!key) {
		got->ends++;
		got->more = value != NULL;
		return;
	}
	got->count++;
	copy(got->last, *key);
	got->absent = !value;
	if (value && value->len < sizeof(got->value))
		copy(got->value, *value);
}

static void adapter_state_is_put_replaced_and_dropped(void **state)
{
	struct world *w = *state;
	const struct prim_slice xmpp = PRIM_SLICE("xmpp");
	const struct prim_slice key = prim_slice_make("k\0\xff", 3);
	struct heard heard = { 0 };
	struct states got = { 0 };

	br_store_state_drop(w->store, xmpp, key, on_done, &heard);
	world_expect(w, &heard, BR_STORE_ABSENT);
	br_store_state_put(w->store, xmpp, key, PRIM_SLICE("one"), NULL, NULL);
	br_store_state_put(w->store, xmpp, key, PRIM_SLICE("two"), on_done,
	    &heard);
	world_expect(w, &heard, BR_STORE_DONE);
	br_store_state_find(w->store, xmpp, key, on_state, &got);
	br_store_settle(w->store);
	assert_string_equal(got.value, "two");
	br_store_state_find(w->store, PRIM_SLICE("mail"), key, on_state, &got);
	br_store_settle(w->store);
	assert_true(got.absent);
	br_store_state_put(w->store, xmpp, key, PRIM_SLICE_NONE, NULL, NULL);
	br_store_settle(w->store);
	br_store_state_find(w->store, xmpp, key, on_state, &got);
	br_store_settle(w->store);
	assert_false(got.absent);
	assert_string_equal(got.value, "");
	br_store_state_drop(w->store, xmpp, key, on_done, &heard);
	world_expect(w, &heard, BR_STORE_DONE);
	assert_int_equal(got.count, 3);
}

static void state_is_listed_for_its_adapter(void **state)
{
	struct world *w = *state;
	struct states got = { 0 };

	for (unsigned i = 0; i < 200; i++) {
		const unsigned key[2] = { i, i };

		br_store_state_put(w->store, PRIM_SLICE("xmpp"),
		    prim_slice_make((const char *)key, sizeof(key)),
		    PRIM_SLICE("v"), NULL, NULL);
	}
	br_store_state_put(w->store, PRIM_SLICE("mail"), PRIM_SLICE("k"),
	    PRIM_SLICE("v"), NULL, NULL);
	br_store_settle(w->store);
	br_store_state_page(w->store, PRIM_SLICE("xmpp"), PRIM_SLICE_NONE,
	    on_state, &got);
	br_store_settle(w->store);
	assert_int_equal(got.count, 200);
	assert_int_equal(got.ends, 1);
	assert_false(got.failed);
	assert_false(got.more);
}

/* Pages of 256 KiB: five values of 60,000 octets each, and the rest. */
static void much_state_is_listed_in_pages(void **state)
{
	static char value[60000];
	struct world *w = *state;
	struct states got = { 0 };
	char key[8], after[64] = "";

	for (unsigned i = 0; i < 13; i++) {
		snprintf(key, sizeof(key), "k%02u", i);
		br_store_state_put(w->store, PRIM_SLICE("xmpp"),
		    prim_slice_of(key), prim_slice_make(value, sizeof(value)),
		    NULL, NULL);
	}
	br_store_settle(w->store);
	for (unsigned page = 1; page <= 3; page++) {
		br_store_state_page(w->store, PRIM_SLICE("xmpp"),
		    prim_slice_of(after), on_state, &got);
		br_store_settle(w->store);
		assert_int_equal(got.ends, page);
		assert_false(got.failed);
		assert_int_equal(got.more, page < 3);
		assert_int_equal(got.count, page < 3 ? page * 5 : 13);
		memcpy(after, got.last, sizeof(after));
	}
	assert_string_equal(after, "k12");
	br_store_state_page(w->store, PRIM_SLICE("xmpp"), PRIM_SLICE("k12"),
	    on_state, &got);
	br_store_settle(w->store);
	assert_int_equal(got.count, 13);
	assert_false(got.more);
}

static void a_write_that_fails_does_not_take_others_along(void **state)
{
	static char big[BR_STATE_VALUE_MAX + 1];
	struct world *w = *state;
	struct heard heard[3] = { 0 };
	const size_t lens[3] = { BR_STATE_VALUE_MAX, sizeof(big), 1 };

	for (unsigned i = 0; i < 3; i++)
		br_store_state_put(w->store, PRIM_SLICE("xmpp"),
		    prim_slice_make((const char *)&i, sizeof(i)),
		    prim_slice_make(big, lens[i]), on_done, &heard[i]);
	br_store_settle(w->store);
	assert_int_equal(heard[0].outcome, BR_STORE_DONE);
	assert_int_equal(heard[1].outcome, BR_STORE_FAILED);
	assert_int_equal(heard[2].outcome, BR_STORE_DONE);
}

/* Callbacks that notice their order and the pending count. */
struct order {
	struct world *w;
	unsigned at;
	struct accounts seen;
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

static void callbacks_come_later_and_in_order(void **state)
{
	struct world *w = *state;
	struct order order = { .w = w };
	struct turn turns[100];
	struct br_store_message m = message_make(1, PRIM_SLICE("m"));
	struct br_store_put_result result;

	assert_int_equal(br_store_pending(w->store), 0);
	for (unsigned i = 0; i < 100; i++) {
		turns[i] = (struct turn){ &order, i };
		br_store_state_put(w->store, PRIM_SLICE("a"),
		    prim_slice_make((const char *)&i, sizeof(i)),
		    PRIM_SLICE("v"), on_turn, &turns[i]);
		if (i == 50)
			br_store_message_put(w->store, &m, on_put, &result);
	}
	assert_int_equal(order.at, 0);
	assert_int_equal(br_store_pending(w->store), 101);
	br_store_settle(w->store);
	assert_int_equal(order.at, 100);
	assert_int_equal(br_store_pending(w->store), 0);
}

static void on_committed(void *arg, enum br_store_outcome outcome)
{
	struct order *order = arg;

	assert_int_equal(outcome, BR_STORE_DONE);
	br_store_account_find(order->w->store, PRIM_SLICE("ann@here"),
	    on_account, &order->seen);
}

static void a_look_up_after_the_callback_sees_the_write(void **state)
{
	struct world *w = *state;
	struct br_store_account a = account_make(PRIM_SLICE("ann@here"));
	struct order order = { .w = w };

	br_store_account_put(w->store, &a, on_committed, &order);
	br_store_settle(w->store);
	assert_int_equal(order.seen.count, 1);
}

static void closing_commits_what_waits_and_calls_nobody(void **state)
{
	struct world *w = *state;
	struct br_store_account a = account_make(PRIM_SLICE("ann@here"));
	struct heard heard = { 0 };
	struct accounts got = { 0 };

	br_store_account_put(w->store, &a, on_done, &heard);
	br_store_account_list(w->store, on_account, &got);
	world_reopen(w);
	assert_int_equal(heard.count, 0);
	assert_int_equal(got.count + got.ends, 0);
	find(w, a.key, &got);
	assert_int_equal(got.count, 1);
}

static void stores_in_memory_are_apart(void **state)
{
	struct world *w = *state, other = { .dir = ":memory:" };
	struct br_store_account a = account_make(PRIM_SLICE("ann@here"));
	struct accounts got;

	world_open(&other);
	br_store_account_put(w->store, &a, NULL, NULL);
	br_store_settle(w->store);
	find(w, a.key, &got);
	assert_int_equal(got.count, 1);
	find(&other, a.key, &got);
	assert_int_equal(got.count, 0);
	world_close(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(an_account_is_put_found_and_changed),
		IN_MEMORY(an_account_is_put_found_and_changed),
		IN_FOLDER(secrets_can_be_forgotten_and_nothing_else),
		IN_MEMORY(dropping_an_account_ends_what_waits_for_it),
		IN_FOLDER(many_accounts_are_listed_in_order),
		IN_MEMORY(adapter_state_is_put_replaced_and_dropped),
		IN_FOLDER(state_is_listed_for_its_adapter),
		IN_FOLDER(much_state_is_listed_in_pages),
		IN_FOLDER(a_write_that_fails_does_not_take_others_along),
		IN_MEMORY(callbacks_come_later_and_in_order),
		IN_FOLDER(callbacks_come_later_and_in_order),
		IN_FOLDER(a_look_up_after_the_callback_sees_the_write),
		IN_MEMORY(a_look_up_after_the_callback_sees_the_write),
		IN_FOLDER(closing_commits_what_waits_and_calls_nobody),
		IN_MEMORY(stores_in_memory_are_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
