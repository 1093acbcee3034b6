/* SPDX-License-Identifier: ISC */
/* Accounts that go: what was for them ends, all of it, and nothing else. */

#include "tests/bridge/store_world.h"

#define BOB PRIM_SLICE("bob@here.example")

static struct br_store_account bob_make(void)
{
	return (struct br_store_account){ .key = BOB,
		.address = BOB,
		.iterations = 4096 };
}

static void bob_put(struct world *w)
{
	const struct br_store_account bob = bob_make();

	br_store_account_put(w->store, &bob, NULL, NULL);
	br_store_settle(w->store);
}

static void bob_drop(struct world *w, enum br_store_outcome outcome)
{
	struct heard heard = { 0 };

	br_store_account_drop(w->store, BOB, on_done, &heard);
	world_expect(w, &heard, outcome);
}

static void all_that_is_for_it_ends(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message_make(9000, PRIM_SLICE("m"));
	struct history_lines lines;

	bob_put(w);
	store_many(w, 0, 700);
	m.destination = PRIM_SLICE("adapter:xmpp");
	m.target = PRIM_SLICE("bob@there.example");
	(void)message_store(w, &m);
	message_quarantine(w, 5, BR_STORE_DONE);
	w->notices = 0;
	bob_drop(w, BR_STORE_DONE);
	assert_int_equal(w->notices, 700); /* one had been told */
	assert_int_equal(w->ends, 700);
	assert_int_equal(messages(w), 701);
	assert_int_equal(keys(w), 2 * 701);
	history_read(w, PRIM_SLICE("m"), &lines);
	assert_non_null(strstr(lines.text,
	    "\nend code=403 reason=account removed\n"));
	w->notices = 0;
	bob_drop(w, BR_STORE_ABSENT);
	assert_int_equal(w->notices, 0);
}

static void nothing_else_ends(void **state)
{
	struct world *w = *state;
	struct br_store_put_result result;
	struct br_store_message m;

	bob_put(w);
	for (unsigned i = 0; i < 5000; i++) {
		m = message_make(i, PRIM_SLICE("m"));
		m.recipient = PRIM_SLICE("bobby@here.example");
		m.sender = BOB;
		if (i % 1000 == 999)
			m.recipient = BOB;
		br_store_message_put(w->store, &m, on_put, &result);
		if (i % 100 == 99)
			br_store_settle(w->store);
	}
	bob_drop(w, BR_STORE_DONE);
	assert_int_equal(w->notices, 5);
	assert_int_equal(messages(w), 5000);
}

/* It is made again, and written to, while its past is still being ended. */
static void an_account_that_is_made_again_keeps_its_own(void **state)
{
	struct world *w = *state;
	const struct br_store_account bob = bob_make();
	struct br_store_message m = message_make(9000, PRIM_SLICE("new"));
	struct br_store_put_result result = { BR_STORE_FAILED, 0, 0, 0 };
	struct heard dropped = { 0 }, made = { 0 };

	bob_put(w);
	store_many(w, 0, 1000);
	br_store_account_drop(w->store, BOB, on_done, &dropped);
	while (w->notices == 0)
		assert_int_equal(event_base_loop(w->base, EVLOOP_ONCE), 0);
	assert_int_equal(dropped.count, 0);
	br_store_account_put(w->store, &bob, on_done, &made);
	br_store_message_put(w->store, &m, on_put, &result);
	br_store_settle(w->store);
	assert_int_equal(dropped.outcome, BR_STORE_DONE);
	assert_int_equal(dropped.count, 1);
	assert_int_equal(made.outcome, BR_STORE_DONE);
	assert_int_equal(w->notices, 1000);
	assert_true(message_get(w, result.seq, NULL));
	/* That it was removed once is over. */
	world_reopen(w);
	br_store_settle(w->store);
	assert_true(message_get(w, result.seq, NULL));
}

/* Dies between the transactions of a removal. */
static void what_was_cut_short_is_gone_on_with(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message_make(9000, PRIM_SLICE("new"));

	store_many(w, 0, 600);
	world_close(w);
	world_harm(w, "INSERT INTO removal VALUES ('bob@here.example', 600)");
	world_open(w);
	bob_put(w);
	(void)message_store(w, &m);
	assert_int_equal(w->notices, 600);
	assert_int_equal(messages(w), 601);
	assert_int_equal(world_ask(w, "SELECT count(*) FROM removal"), 0);
}

static void what_is_being_removed_is_not_told_at_start(void **state)
{
	struct world *w = *state;
	unsigned count = 0;

	store_many(w, 0, 600);
	world_close(w);
	world_harm(w, "INSERT INTO removal VALUES ('bob@here.example', 500)");
	world_open(w);
	/* Whatever the writer has done by now, of those it is none. */
	assert_true(br_store_message_each(w->store, count_message_told, &count,
	    NULL));
	assert_in_range(count, 100, 600);
	br_store_settle(w->store);
	assert_int_equal(w->notices, 500);
}

static void a_removal_that_never_began_is_void(void **state)
{
	struct world *w = *state;

	bob_put(w);
	store_many(w, 0, 10);
	world_close(w);
	world_harm(w, "INSERT INTO removal VALUES ('bob@here.example', 10)");
	world_open(w);
	assert_int_equal(messages(w), 10);
	assert_int_equal(w->notices, 0);
	assert_int_equal(world_ask(w, "SELECT count(*) FROM removal"), 0);
}

/* Closed in the middle, as SIGTERM does it. */
static void closing_in_the_middle_loses_nothing(void **state)
{
	struct world *w = *state;
	struct heard heard = { 0 };

	bob_put(w);
	store_many(w, 0, 2000);
	br_store_account_drop(w->store, BOB, on_done, &heard);
	while (w->notices == 0)
		assert_int_equal(event_base_loop(w->base, EVLOOP_ONCE), 0);
	assert_in_range(w->notices, 1, 1999);
	world_close(w);
	assert_int_equal(heard.count, 0);
	world_open(w);
	br_store_settle(w->store);
	assert_int_equal(messages(w), 2000);
	assert_int_equal(world_ask(w,
			     "SELECT count(*) FROM message WHERE is_notice"),
	    2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(all_that_is_for_it_ends),
		IN_MEMORY(nothing_else_ends),
		IN_FOLDER(an_account_that_is_made_again_keeps_its_own),
		IN_FOLDER(what_was_cut_short_is_gone_on_with),
		IN_FOLDER(what_is_being_removed_is_not_told_at_start),
		IN_FOLDER(a_removal_that_never_began_is_void),
		IN_FOLDER(closing_in_the_middle_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
