/* SPDX-License-Identifier: ISC */
/* Links: many changes at once, and trouble on the way. */

#include "tests/bridge/world_identity.h"

#include <stdio.h>
#include <string.h>

#include "prim/base.h"

#define ANN   "ann@here.example"
#define BOB   "bob@here.example"
#define ROMEO "romeo@far.example"
#define CAROL "carol@mail.example"

/* ---- at once ---- */

#define CROWD 40

static void changes_are_answered_in_their_order(void **state)
{
	struct world *w = *state;
	struct br_identity_wish wish = {
		.principal = PRIM_SLICE(ANN),
		.address = PRIM_SLICE(ROMEO),
		.side = BR_SIDE_OPERATOR,
	};
	struct told told[6] = { 0 };

	br_identity_ask(w->all, &wish, NULL, world_told, &told[0]);
	/* Not before it is committed. */
	assert_int_equal(told[0].count, 0);
	world_expect_owner(w, ROMEO, NULL);
	br_identity_ask(w->all, &wish, NULL, world_told, &told[1]);
	br_identity_order_set(w->all, wish.principal, PRIM_SLICE(ROMEO),
	    world_told, &told[2]);
	br_identity_remove(w->all, wish.principal, wish.address, world_told,
	    &told[3]);
	br_identity_remove(w->all, wish.principal, wish.address, world_told,
	    &told[4]);
	wish.principal = PRIM_SLICE(BOB);
	br_identity_ask(w->all, &wish, NULL, world_told, &told[5]);
	br_store_settle(w->store);
	world_expect(w, &told[0], NULL);
	world_expect(w, &told[1], "already");
	world_expect(w, &told[2], NULL);
	world_expect(w, &told[3], NULL);
	world_expect(w, &told[4], "not linked");
	world_expect(w, &told[5], NULL);
	world_expect_links(w, "", BOB " " ROMEO " xmpp operator\n");
	world_expect_order(w, ANN, "prim ");
}

static void of_many_at_once_one_gets_the_address(void **state)
{
	struct world *w = *state;
	struct told told[CROWD] = { 0 };
	char names[CROWD][32];
	unsigned granted = 0;

	for (int i = 0; i < CROWD; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "a%d@here.example",
		    i);
		world_account(w, names[i]);
	}
	for (int i = 0; i < CROWD; i++) {
		const struct br_identity_wish wish = {
			.principal = prim_slice_of(names[i]),
			.address = PRIM_SLICE(ROMEO),
			.side = BR_SIDE_OPERATOR,
		};

		br_identity_ask(w->all, &wish, NULL, world_told, &told[i]);
	}
	br_store_settle(w->store);
	for (int i = 0; i < CROWD; i++) {
		assert_int_equal(told[i].count, 1);
		granted += told[i].is_granted;
	}
	assert_int_equal(granted, 1);
	world_expect_owner(w, ROMEO, "a0@here.example");
}

/* Two guesses sent together are two tries. */
static void guesses_at_once_are_counted(void **state)
{
	struct world *w = *state;
	struct told told[CROWD] = { 0 };
	char code[BR_CODE_DIGITS + 1];
	unsigned guessed = 0;
	struct br_identity_answer answer = {
		.principal = PRIM_SLICE(ANN),
		.address = PRIM_SLICE(ROMEO),
		.side = BR_SIDE_PRINCIPAL,
	};

	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, NULL);
	for (int i = 0; i < CROWD; i++) {
		answer.code = prim_slice_of(i < CROWD - 1 ? world_wrong(code)
							  : code);
		br_identity_verify(w->all, &answer, world_told, &told[i]);
	}
	br_store_settle(w->store);
	for (int i = 0; i < CROWD; i++) {
		assert_int_equal(told[i].count, 1);
		assert_false(told[i].is_granted);
		guessed += strstr(told[i].why, "not the code") != NULL;
	}
	assert_int_equal(guessed, BR_CODE_TRIES);
	world_expect_owner(w, ROMEO, NULL);
}

struct chain {
	struct world *w;
	struct told told;
	unsigned left;
};

static void on_chain(void *arg, const char *why)
{
	struct chain *chain = arg;

	world_told(&chain->told, why);
	if (!chain->left--)
		return;
	br_identity_remove(chain->w->all, PRIM_SLICE(ANN), PRIM_SLICE(ROMEO),
	    on_chain, chain);
}

static void who_is_told_may_ask_again_from_inside(void **state)
{
	struct chain chain = { .w = *state, .left = 1000 };

	br_identity_remove(chain.w->all, PRIM_SLICE(ANN), PRIM_SLICE(ROMEO),
	    on_chain, &chain);
	br_store_settle(chain.w->store);
	assert_int_equal(chain.told.count, 1001);
}

/* ---- trouble ---- */

static void a_failed_commit_changes_nothing(void **state)
{
	struct world *w = *state;
	char code[BR_CODE_DIGITS + 1], used[BR_CODE_DIGITS + 1];

	world_link(w, ANN, CAROL);
	world_order(w, ANN, CAROL, NULL);
	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, NULL);
	prim_buf_reset(&w->changes);
	world_disk(true);
	/* Right or wrong: nobody can guess on a full disk. */
	world_verify(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code,
	    "could not be stored");
	for (int i = 0; i < 2 * BR_CODE_TRIES; i++)
		world_verify(w, ANN, ROMEO, BR_SIDE_PRINCIPAL,
		    world_wrong(code), "could not be stored");
	world_ask(w, BOB, "b@far.example", BR_SIDE_PRINCIPAL, used,
	    "could not be stored");
	assert_string_equal(used, "");
	world_ask(w, BOB, "c@far.example", BR_SIDE_OPERATOR, NULL,
	    "could not be stored");
	world_remove(w, ANN, CAROL, "could not be stored");
	world_order(w, ANN, "prim", "could not be stored");
	world_expect_links(w, "",
	    ANN " " CAROL " mail code\n" ANN " " ROMEO " xmpp asked\n");
	world_expect_order(w, ANN, CAROL " ");
	assert_int_equal(w->changes.len, 0);
	world_disk(false);
	world_verify(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, world_wrong(code),
	    "4 tries");
	world_verify(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, NULL);
	world_remove(w, ANN, CAROL, NULL);
}

static void an_account_that_goes_takes_its_links_along(void **state)
{
	struct world *w = *state;
	struct told told[3] = { 0 };
	const struct br_identity_wish wish = {
		.principal = PRIM_SLICE(ANN),
		.address = PRIM_SLICE("late@far.example"),
		.side = BR_SIDE_OPERATOR,
	};

	world_link(w, ANN, ROMEO);
	world_link(w, BOB, CAROL);
	world_ask(w, ANN, "x@far.example", BR_SIDE_PRINCIPAL, NULL, NULL);
	world_order(w, ANN, ROMEO, NULL);
	prim_buf_reset(&w->changes);
	world_account_drop(w, ANN);
	/* On their way while nobody had been told yet. */
	br_identity_ask(w->all, &wish, NULL, world_told, &told[0]);
	br_identity_remove(w->all, wish.principal, PRIM_SLICE(ROMEO),
	    world_told, &told[1]);
	br_identity_order_set(w->all, wish.principal, PRIM_SLICE("prim"),
	    world_told, &told[2]);
	br_identities_forget(w->all,
	    br_identity_of(w->all, PRIM_SLICE(ROMEO))->principal);
	t_buf_is("changes", &w->changes, ANN " " ROMEO "\n");
	world_expect_links(w, "", BOB " " CAROL " mail code\n");
	world_expect_owner(w, ROMEO, NULL);
	world_expect_order(w, ANN, "prim ");
	br_store_settle(w->store);
	world_expect(w, &told[0], "no account");
	world_expect(w, &told[1], "not linked");
	world_expect(w, &told[2], "no account");
	world_expect_links(w, "", BOB " " CAROL " mail code\n");
	world_restart(w);
	world_expect_links(w, "", BOB " " CAROL " mail code\n");
}

static void who_has_gone_is_not_verified(void **state)
{
	struct world *w = *state;
	char code[BR_CODE_DIGITS + 1];

	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, NULL);
	world_account_drop(w, ANN);
	world_verify(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, "no account");
	world_expect_owner(w, ROMEO, NULL);
	world_account(w, ANN);
	br_identities_forget(w->all, PRIM_SLICE(ANN));
	world_verify(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, "no link waits");
}

static void what_waits_when_we_stop_is_released(void **state)
{
	struct world *w = *state;
	static struct told told[3];
	const struct br_identity_wish wish = {
		.principal = PRIM_SLICE(ANN),
		.address = PRIM_SLICE(ROMEO),
		.side = BR_SIDE_OPERATOR,
	};

	memset(told, 0, sizeof(told));
	br_identity_ask(w->all, &wish, NULL, world_told, &told[0]);
	br_identity_ask(w->all, &wish, NULL, world_told, &told[1]);
	br_identity_order_set(w->all, wish.principal, PRIM_SLICE("prim"),
	    world_told, &told[2]);
	world_restart(w);
	for (int i = 0; i < 3; i++)
		assert_int_equal(told[i].count, 0);
	/* What was on its way to the store has arrived there. */
	world_expect_owner(w, ROMEO, ANN);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(changes_are_answered_in_their_order),
		TEST(of_many_at_once_one_gets_the_address),
		TEST(guesses_at_once_are_counted),
		TEST(who_is_told_may_ask_again_from_inside),
		TEST(a_failed_commit_changes_nothing),
		TEST(an_account_that_goes_takes_its_links_along),
		TEST(who_has_gone_is_not_verified),
		TEST(what_waits_when_we_stop_is_released),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
