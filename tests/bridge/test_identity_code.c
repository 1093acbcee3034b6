/* SPDX-License-Identifier: ISC */
/* Links: codes, and what is told to whom. */

#include "tests/bridge/world_identity.h"

#include <stdio.h>
#include <string.h>

#include "prim/base.h"

#define ANN   "ann@here.example"
#define BOB   "bob@here.example"
#define ZOE   "zoe@here.example" /* has no account */
#define ROMEO "romeo@far.example"
#define CAROL "carol@mail.example"
#define HOUR  3600000

/* ---- codes ---- */

static void a_wrong_code_says_how_many_tries_are_left(void **state)
{
	static const char *const SENTENCES[BR_CODE_TRIES] = {
		"4 tries are left", "3 tries are left", "2 tries are left",
		"1 try is left", "the last of 5 tries"
	};
	struct world *w = *state;
	char code[BR_CODE_DIGITS + 1];

	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, NULL);
	for (int i = 0; i < BR_CODE_TRIES; i++) {
		world_verify(w, ANN, ROMEO, BR_SIDE_PRINCIPAL,
		    world_wrong(code), SENTENCES[i]);
		/* Nobody gets new tries by making us start again. */
		world_restart(w);
	}
	world_verify(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, "no link waits");
	world_expect_links(w, "", "");
	world_restart(w);
	world_expect_links(w, "", "");
}

static void the_right_code_after_four_wrong_ones_is_right(void **state)
{
	struct world *w = *state;
	char code[BR_CODE_DIGITS + 1];

	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, NULL);
	for (int i = 0; i < BR_CODE_TRIES - 1; i++)
		world_verify(w, ANN, ROMEO, BR_SIDE_PRINCIPAL,
		    world_wrong(code), "left");
	world_restart(w);
	world_verify(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, NULL);
}

static void what_is_no_code_costs_no_try(void **state)
{
	static const char *const CODES[] = { "", "1234567", "123456789",
		"1234567a", "1234 567", "-1234567", "\331\241\331\24234" };
	struct world *w = *state;
	char code[BR_CODE_DIGITS + 1];

	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, NULL);
	for (size_t i = 0; i < PRIM_COUNT(CODES); i++)
		world_verify(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, CODES[i],
		    "8 digits");
	world_verify(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, world_wrong(code),
	    "4 tries");
}

static void a_code_is_good_for_a_quarter_of_an_hour(void **state)
{
	struct world *w = *state;
	char code[BR_CODE_DIGITS + 1];

	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, NULL);
	w->now_ms += BR_CODE_WITHIN_MS;
	world_expect_links(w, "", "");
	world_verify(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code,
	    "good for 15 minutes");
	world_restart(w);
	world_expect_links(w, "", "");

	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, NULL);
	w->now_ms += BR_CODE_WITHIN_MS - 1;
	world_restart(w);
	world_expect_links(w, "", ANN " " ROMEO " xmpp asked\n");
	world_verify(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, NULL);
}

static void what_expired_meanwhile_is_gone_after_a_start(void **state)
{
	struct world *w = *state;
	char code[BR_CODE_DIGITS + 1];

	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, NULL);
	w->now_ms += BR_CODE_WITHIN_MS;
	world_restart(w);
	w->now_ms -= BR_CODE_WITHIN_MS;
	world_verify(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, "no link waits");
	br_store_settle(w->store);
	world_restart(w);
	world_expect_links(w, "", "");
}

static void a_code_needs_no_address_where_one_link_waits(void **state)
{
	struct world *w = *state;
	char code[BR_CODE_DIGITS + 1], other[BR_CODE_DIGITS + 1];

	world_verify(w, ANN, "", BR_SIDE_PRINCIPAL, "12345678",
	    "no link waits");
	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, NULL);
	/* The other way round: not for this code. */
	world_ask(w, ANN, "x@far.example", BR_SIDE_FOREIGN, NULL, NULL);
	world_verify(w, ANN, "", BR_SIDE_PRINCIPAL, code, NULL);
	world_expect_owner(w, ROMEO, ANN);
	world_ask(w, ANN, CAROL, BR_SIDE_PRINCIPAL, code, NULL);
	world_ask(w, ANN, "y@far.example", BR_SIDE_PRINCIPAL, other, NULL);
	world_verify(w, ANN, "", BR_SIDE_PRINCIPAL, code, "say which");
	world_verify(w, ANN, CAROL, BR_SIDE_PRINCIPAL, code, NULL);
	world_verify(w, ANN, "", BR_SIDE_PRINCIPAL, other, NULL);

	world_ask(w, ANN, "z@far.example", BR_SIDE_FOREIGN, code, NULL);
	world_ask(w, BOB, "z@far.example", BR_SIDE_FOREIGN, other, NULL);
	world_verify(w, "", "z@far.example", BR_SIDE_FOREIGN, other,
	    "say which");
	world_verify(w, BOB, "z@far.example", BR_SIDE_FOREIGN, other, NULL);
	world_expect_owner(w, "z@far.example", BOB);
}

static void a_code_is_good_for_its_pair_only(void **state)
{
	struct world *w = *state;
	char code[BR_CODE_DIGITS + 1], other[BR_CODE_DIGITS + 1];

	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, NULL);
	world_ask(w, BOB, CAROL, BR_SIDE_PRINCIPAL, other, NULL);
	world_verify(w, ANN, CAROL, BR_SIDE_PRINCIPAL, other, "no link waits");
	world_verify(w, BOB, CAROL, BR_SIDE_PRINCIPAL, code, "not the code");
	world_verify(w, BOB, ROMEO, BR_SIDE_PRINCIPAL, code, "no link waits");
}

static void codes_are_throttled_by_who_asks(void **state)
{
	struct world *w = *state;
	char address[32];

	for (int i = 0; i < BR_CODES_PER_HOUR; i++) {
		(void)snprintf(address, sizeof(address), "r%d@far.example", i);
		world_ask(w, ANN, address, BR_SIDE_PRINCIPAL, NULL, NULL);
	}
	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, NULL,
	    "has asked for 5 codes");
	world_ask(w, BOB, ROMEO, BR_SIDE_PRINCIPAL, NULL, NULL);
	/* To be asked is another matter, and the operator's word too. */
	world_ask(w, ANN, CAROL, BR_SIDE_FOREIGN, NULL, NULL);
	world_ask(w, ANN, CAROL, BR_SIDE_OPERATOR, NULL, NULL);
	w->now_ms += HOUR - 1;
	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, NULL, "within an hour");
	w->now_ms += 1;
	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, NULL, NULL);
}

static void codes_are_throttled_by_who_gets_them(void **state)
{
	struct world *w = *state;
	char name[32];

	for (int i = 0; i < BR_CODES_PER_HOUR; i++) {
		(void)snprintf(name, sizeof(name), "a%d@here.example", i);
		world_account(w, name);
		world_ask(w, name, ROMEO, BR_SIDE_PRINCIPAL, NULL, NULL);
	}
	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, NULL,
	    "has been sent 5 codes");
	for (int i = 0; i < BR_CODES_PER_HOUR; i++) {
		(void)snprintf(name, sizeof(name), "x%d@far.example", i);
		world_ask(w, ANN, name, BR_SIDE_FOREIGN, NULL, NULL);
	}
	world_ask(w, ANN, CAROL, BR_SIDE_FOREIGN, NULL,
	    "has been sent 5 codes");
	/* What was refused was not counted for who asked. */
	world_ask(w, ANN, CAROL, BR_SIDE_PRINCIPAL, NULL, NULL);
	w->now_ms += HOUR;
	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, NULL, NULL);
	world_ask(w, ANN, CAROL, BR_SIDE_FOREIGN, NULL, NULL);
}

/* Each digit at each place about as often as any other. */
static void codes_are_fair(void **state)
{
	struct world *w = *state;
	unsigned seen[BR_CODE_DIGITS][10] = { 0 };
	const struct br_identity_wish wish = {
		.principal = PRIM_SLICE(ANN),
		.address = PRIM_SLICE("no address"),
		.side = BR_SIDE_PRINCIPAL,
	};

	for (int i = 0; i < 20000; i++) {
		/* Refused at once; what it would have been is not told. */
		char code[BR_CODE_DIGITS + 1] = "";
		struct told told = { 0 };

		br_identity_ask(w->all, &wish, code, world_told, &told);
		assert_int_equal(told.count, 1);
		assert_string_equal(code, "");
	}
	for (int i = 0; i < 400; i++) {
		char code[BR_CODE_DIGITS + 1];

		world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, NULL);
		for (int at = 0; at < BR_CODE_DIGITS; at++)
			seen[at][code[at] - '0']++;
		w->now_ms += HOUR;
	}
	/* 40 on average, with a deviation of 6. */
	for (int at = 0; at < BR_CODE_DIGITS; at++)
		for (int digit = 0; digit < 10; digit++)
			assert_in_range(seen[at][digit], 4, 76);
}

/* ---- who may know what ---- */

/* From elsewhere an account that is there and one that is not sound alike, to
 * the last try. */
static void a_foreign_side_does_not_learn_who_exists(void **state)
{
	struct world *w = *state;
	char code[BR_CODE_DIGITS + 1];
	struct told told[2] = { 0 };

	world_ask(w, ZOE, ROMEO, BR_SIDE_FOREIGN, code, NULL);
	assert_string_equal(code, "");
	world_ask(w, ANN, ROMEO, BR_SIDE_FOREIGN, code, NULL);
	for (int i = 0; i < BR_CODE_TRIES + 1; i++) {
		struct br_identity_answer answer = {
			.principal = PRIM_SLICE(ZOE),
			.address = PRIM_SLICE(ROMEO),
			.code = prim_slice_of(world_wrong(code)),
			.side = BR_SIDE_FOREIGN,
		};
		char *at;

		memset(told, 0, sizeof(told));
		br_identity_verify(w->all, &answer, world_told, &told[0]);
		br_store_settle(w->store);
		answer.principal = PRIM_SLICE(ANN);
		br_identity_verify(w->all, &answer, world_told, &told[1]);
		br_store_settle(w->store);
		at = strstr(told[0].why, "zoe@");
		if (at)
			memcpy(at, "ann@", 4);
		assert_string_equal(told[0].why, told[1].why);
	}
	/* Nothing of it is real. */
	world_ask(w, ZOE, ROMEO, BR_SIDE_FOREIGN, NULL, NULL);
	world_expect_links(w, "", "");
	world_expect_owner(w, ROMEO, NULL);
	world_verify(w, ZOE, ROMEO, BR_SIDE_OPERATOR, "", "no link waits");
	world_verify(w, ZOE, "", BR_SIDE_PRINCIPAL, "12345678",
	    "no link waits");
	world_remove(w, ZOE, ROMEO, NULL);
	world_remove(w, ZOE, ROMEO, "not linked");
	world_restart(w);
	world_expect_links(w, "", "");
}

static void who_comes_into_being_can_be_linked_then(void **state)
{
	struct world *w = *state;
	char code[BR_CODE_DIGITS + 1];

	world_ask(w, ZOE, ROMEO, BR_SIDE_FOREIGN, code, NULL);
	assert_string_equal(code, "");
	world_account(w, ZOE);
	world_ask(w, ZOE, ROMEO, BR_SIDE_FOREIGN, code, NULL);
	world_verify(w, ZOE, ROMEO, BR_SIDE_FOREIGN, code, NULL);
	world_expect_links(w, "", ZOE " " ROMEO " xmpp code\n");
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_wrong_code_says_how_many_tries_are_left),
		TEST(the_right_code_after_four_wrong_ones_is_right),
		TEST(what_is_no_code_costs_no_try),
		TEST(a_code_is_good_for_a_quarter_of_an_hour),
		TEST(what_expired_meanwhile_is_gone_after_a_start),
		TEST(a_code_needs_no_address_where_one_link_waits),
		TEST(a_code_is_good_for_its_pair_only),
		TEST(codes_are_throttled_by_who_asks),
		TEST(codes_are_throttled_by_who_gets_them),
		TEST(codes_are_fair),
		TEST(a_foreign_side_does_not_learn_who_exists),
		TEST(who_comes_into_being_can_be_linked_then),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
