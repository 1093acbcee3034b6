/* SPDX-License-Identifier: ISC */
/* Attempts, ends, duplicates and history: what is remembered, and how long. */

#include "tests/bridge/store_world.h"

#include "prim/base.h"

/* What the store knows of a message that is there. */
struct got {
	bool there;
	unsigned attempts;
	int64_t next_try_ms;
};

static void on_message(void *arg, const struct br_store_message *m, bool failed)
{
	struct got *got = arg;

	assert_false(failed);
	got->there = m;
	if (!m)
		return;
	got->attempts = m->attempts;
	got->next_try_ms = m->next_try_ms;
}

static void get(struct world *w, int64_t seq, struct got *got)
{
	memset(got, 0, sizeof(*got));
	br_store_message_get(w->store, seq, on_message, got);
	br_store_settle(w->store);
}

static void the_end_decides_what_a_duplicate_hears(void **state)
{
	static const struct {
		unsigned code, answer;
	} CASES[] = {
		{200,  200},
                { 101, 101},
                { 408, 101}
	};
	struct world *w = *state;

	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++) {
		struct br_store_message m = message_make(i, PRIM_SLICE("m"));
		struct br_store_put_result first = message_store(w, &m), again;
		struct heard heard = { 0 };
		struct got got;

		br_store_message_end(w->store, first.seq,
		    &(struct br_store_end){ CASES[i].code, PRIM_SLICE("reason"),
			5000 },
		    on_done, &heard);
		world_expect(w, &heard, BR_STORE_DONE);
		get(w, first.seq, &got);
		assert_false(got.there);
		again = message_store(w, &m);
		assert_int_equal(again.outcome, BR_STORE_DUPLICATE);
		assert_int_equal(again.answer, CASES[i].answer);
		assert_int_equal(answer(w, &m), CASES[i].answer);
		br_store_message_end(w->store, first.seq,
		    &(struct br_store_end){ 200, PRIM_SLICE("again"), 5000 },
		    on_done, &heard);
		world_expect(w, &heard, BR_STORE_ABSENT);
	}
}

static void history_tells_the_whole_story(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message_make(1, PRIM_SLICE("Story"));
	struct br_store_message other = message_make(2, PRIM_SLICE("story"));
	struct br_store_put_result result = message_store(w, &m);
	struct heard heard = { 0 };
	struct history_lines lines;
	struct got got;

	(void)message_store(w, &other);
	br_store_message_attempt(w->store,
	    &(struct br_store_attempt){ .seq = result.seq,
		.attempts = 1,
		.next_try_ms = 50 },
	    on_done, &heard);
	world_expect(w, &heard, BR_STORE_DONE);
	br_store_message_attempt(w->store,
	    &(struct br_store_attempt){ .seq = result.seq,
		.attempts = 1,
		.next_try_ms = 60 },
	    NULL, NULL);
	br_store_message_attempt(w->store,
	    &(struct br_store_attempt){ .seq = result.seq,
		.attempts = 2,
		.next_try_ms = 70 },
	    NULL, NULL);
	br_store_settle(w->store);
	get(w, result.seq, &got);
	assert_int_equal(got.attempts, 2);
	assert_int_equal(got.next_try_ms, 70);
	br_store_message_end(w->store, result.seq,
	    &(struct br_store_end){ 200, PRIM_SLICE("delivered"), 5000 }, NULL,
	    NULL);
	br_store_settle(w->store);
	br_store_message_attempt(w->store,
	    &(struct br_store_attempt){ .seq = result.seq,
		.attempts = 3,
		.next_try_ms = 0 },
	    on_done, &heard);
	world_expect(w, &heard, BR_STORE_ABSENT);

	history_read(w, PRIM_SLICE("Story"), &lines);
	assert_string_equal(lines.text,
	    "accepted from=ann@here.example to=bob@here.example"
	    " via=inbox:bob@here.example\n"
	    "attempt n=1\n"
	    "attempt n=2\n"
	    "end code=200 reason=delivered\n");
	history_read(w, PRIM_SLICE("none"), &lines);
	assert_int_equal(lines.count, 0);
}

static void history_stops_at_a_thousand_lines(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message_make(1, PRIM_SLICE("long"));
	struct br_store_put_result result = message_store(w, &m);
	struct history_lines lines;

	for (unsigned i = 1; i <= 1100; i++)
		br_store_message_attempt(w->store,
		    &(struct br_store_attempt){ .seq = result.seq,
			.attempts = i,
			.next_try_ms = 0 },
		    NULL, NULL);
	br_store_settle(w->store);
	history_read(w, PRIM_SLICE("long"), &lines);
	assert_int_equal(lines.count, 1000);
}

static void dropping_an_account_ends_many_and_leaves_the_others(void **state)
{
	struct world *w = *state;
	struct br_store_message other = message_make(9999, PRIM_SLICE("o"));
	struct heard heard = { 0 };
	struct got got;

	other.recipient = PRIM_SLICE("bobby@here.example");
	store_many(w, 0, 700);
	(void)message_store(w, &other);
	br_store_account_drop(w->store, PRIM_SLICE("bob@here.example"), on_done,
	    &heard);
	world_expect(w, &heard, BR_STORE_ABSENT); /* the account */
	get(w, 700, &got);
	assert_false(got.there);
	get(w, 701, &got);
	assert_true(got.there);
}

static void the_past_is_forgotten_in_steps(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message_make(0, PRIM_SLICE("m"));
	struct history_lines lines;

	store_many(w, 0, 400);
	for (int64_t seq = 1; seq <= 300; seq++)
		br_store_message_end(w->store, seq,
		    &(struct br_store_end){ 200, PRIM_SLICE("d"),
			seq <= 200 ? 5000 : 6000 },
		    NULL, NULL);
	br_store_settle(w->store);
	br_store_expire(w->store, 4999);
	br_store_settle(w->store);
	assert_int_equal(keys(w), 400);
	br_store_expire(w->store, 5000);
	br_store_expire(w->store, 9000);
	br_store_settle(w->store);
	assert_int_equal(keys(w), 200);
	assert_int_equal(answer(w, &m), 0);
	br_store_expire(w->store, 9000);
	br_store_settle(w->store);
	assert_int_equal(keys(w), 100);
	history_read(w, PRIM_SLICE("many"), &lines);
	assert_int_equal(lines.count, 100);
	assert_int_equal(message_store(w, &m).outcome, BR_STORE_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(the_end_decides_what_a_duplicate_hears),
		IN_FOLDER(history_tells_the_whole_story),
		IN_MEMORY(history_stops_at_a_thousand_lines),
		IN_FOLDER(dropping_an_account_ends_many_and_leaves_the_others),
		IN_MEMORY(the_past_is_forgotten_in_steps),
		IN_FOLDER(the_past_is_forgotten_in_steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
