/* SPDX-License-Identifier: ISC */
/* Who listens, and what becomes of a message offered to several. */

#include "tests/lib/t.h"

#include "prim/base.h"
#include "prim/inbox.h"
#include "tests/lib/random.h"

#define LISTENERS 4

/* A listener that remembers what it was offered. */
struct ear {
	struct prim_listener listener;
	struct prim_offer *offers[8];
	unsigned count;
	bool refuses; /* cannot take it now */
};

/* A send that remembers its outcome. */
struct letter {
	struct prim_send send;
	unsigned settled_count, settled;
	unsigned late_count, late;
};

static bool ear_offer(struct prim_listener *l, struct prim_offer *offer)
{
	struct ear *e = PRIM_CONTAINER(l, struct ear, listener);

	if (e->refuses)
		return false;
	e->offers[e->count++] = offer;
	return true;
}

static void letter_settled(struct prim_send *send, unsigned code)
{
	struct letter *l = PRIM_CONTAINER(send, struct letter, send);

	l->settled_count++;
	l->settled = code;
}

static void letter_late(struct prim_send *send, unsigned code)
{
	struct letter *l = PRIM_CONTAINER(send, struct letter, send);

	l->late_count++;
	l->late = code;
}

static const struct prim_inbox_ops OPS = {
	.offer = ear_offer,
	.settled = letter_settled,
	.late = letter_late,
};

static struct prim_inbox inbox;
static struct ear ears[LISTENERS];
static struct letter letter;

static int set_up(void **state)
{
	(void)state;
	prim_inbox_init(&inbox);
	for (unsigned i = 0; i < LISTENERS; i++) {
		ears[i] = (struct ear){ .count = 0 };
		prim_listener_init(&ears[i].listener);
	}
	letter = (struct letter){ .settled_count = 0 };
	prim_send_init(&letter.send, &OPS);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	prim_send_fini(&letter.send);
	for (unsigned i = 0; i < LISTENERS; i++)
		prim_listener_fini(&ears[i].listener);
	prim_inbox_fini(&inbox);
	return 0;
}

static void listen(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		prim_listener_start(&ears[i].listener, &inbox);
}

/* `i` answers what it was offered first. */
static void answer(unsigned i, unsigned code)
{
	prim_offer_answer(ears[i].offers[0], code);
}

static void is_settled(unsigned code)
{
	assert_int_equal(letter.settled_count, 1);
	assert_int_equal(letter.settled, code);
}

static void is_open(void)
{
	assert_int_equal(letter.settled_count, 0);
}

static void an_inbox_is_open_while_somebody_listens(void **state)
{
	(void)state;
	assert_false(prim_inbox_is_open(&inbox));
	listen(2);
	assert_true(prim_inbox_is_open(&inbox));
	assert_true(prim_listener_stop(&ears[0].listener));
	assert_true(prim_inbox_is_open(&inbox));
	assert_true(prim_listener_stop(&ears[1].listener));
	assert_false(prim_inbox_is_open(&inbox));
	assert_false(prim_listener_stop(&ears[1].listener));
}

static void listening_twice_is_listening_once(void **state)
{
	(void)state;
	listen(1);
	listen(1);
	assert_int_equal(inbox.listener_count, 1);
	assert_int_equal(prim_send_start(&letter.send, &inbox, false), 1);
	answer(0, 200);
	is_settled(200);
}

static void the_first_200_settles(void **state)
{
	(void)state;
	listen(3);
	assert_int_equal(prim_send_start(&letter.send, &inbox, false), 3);
	answer(0, 408);
	is_open();
	answer(1, 200);
	is_settled(200);
	assert_true(prim_send_is_asked(&letter.send));
	answer(2, 402);
	assert_int_equal(letter.late_count, 1);
	assert_int_equal(letter.late, 402);
	is_settled(200);
	assert_false(prim_send_is_asked(&letter.send));
}

/* In which order answers come plays no part. */
static const struct {
	const char *name;
	unsigned codes[3], best;
} ANSWERS[] = {
	{"101 before refusals",       { 101, 402, 408 }, 101},
	{ "408 last of refusals",     { 408, 410, 408 }, 410},
	{ "refusals before failures", { 500, 408, 500 }, 408},
	{ "all the same",             { 408, 408, 408 }, 408},
	{ "failures",                 { 500, 500, 500 }, 500},
};

static void the_best_answer_wins(void **state)
{
	static const unsigned ORDERS[][3] = {
		{0,  1, 2},
                { 0, 2, 1},
                { 1, 0, 2},
                { 1, 2, 0},
                { 2, 0, 1},
		{ 2, 1, 0}
	};

	for (size_t i = 0; i < PRIM_COUNT(ANSWERS); i++) {
		for (size_t k = 0; k < PRIM_COUNT(ORDERS); k++) {
			set_up(state);
			listen(3);
			prim_send_start(&letter.send, &inbox, false);
			for (unsigned n = 0; n < 3; n++)
				answer(ORDERS[k][n],
				    ANSWERS[i].codes[ORDERS[k][n]]);
			if (letter.settled != ANSWERS[i].best)
				fail_msg("%s: %u", ANSWERS[i].name,
				    letter.settled);
			assert_int_equal(letter.settled_count, 1);
			tear_down(state);
		}
	}
	set_up(state);
}

static void a_listener_that_goes_is_silent(void **state)
{
	(void)state;
	listen(2);
	prim_send_start(&letter.send, &inbox, false);
	answer(0, 408);
	prim_listener_fini(&ears[1].listener);
	/* It might have taken it: nobody knows. */
	is_settled(0);
}

static void a_positive_answer_makes_up_for_silence(void **state)
{
	(void)state;
	listen(2);
	prim_send_start(&letter.send, &inbox, false);
	prim_listener_fini(&ears[1].listener);
	is_open();
	answer(0, 101);
	is_settled(101);
}

static void when_time_is_up_the_best_so_far_counts(void **state)
{
	(void)state;
	listen(2);
	prim_send_start(&letter.send, &inbox, false);
	answer(0, 101);
	prim_send_expire(&letter.send);
	is_settled(101);
	prim_send_expire(&letter.send);
	is_settled(101);
	answer(1, 200);
	assert_int_equal(letter.late, 200);
	is_settled(101);
}

static void when_time_is_up_a_refusal_by_one_of_two_is_silence(void **state)
{
	(void)state;
	listen(2);
	prim_send_start(&letter.send, &inbox, false);
	answer(0, 408);
	prim_send_expire(&letter.send);
	is_settled(0);
}

static void who_falls_silent_may_still_answer(void **state)
{
	(void)state;
	listen(1);
	prim_send_start(&letter.send, &inbox, false);
	assert_true(prim_listener_stop(&ears[0].listener));
	is_open();
	answer(0, 200);
	is_settled(200);
}

static void who_cannot_take_it_is_not_asked(void **state)
{
	(void)state;
	listen(3);
	ears[0].refuses = true;
	ears[1].refuses = true;
	assert_int_equal(prim_send_start(&letter.send, &inbox, true), 1);
	assert_int_equal(ears[2].count, 1);
	answer(2, 200);
	is_settled(200);
}

static void nobody_takes_it(void **state)
{
	(void)state;
	listen(2);
	ears[0].refuses = true;
	ears[1].refuses = true;
	assert_int_equal(prim_send_start(&letter.send, &inbox, false), 0);
	is_open(); /* starting never settles */
	assert_false(prim_send_is_asked(&letter.send));
}

static void only_the_first_is_asked(void **state)
{
	(void)state;
	listen(3);
	assert_int_equal(prim_send_start(&letter.send, &inbox, true), 1);
	assert_int_equal(ears[0].count, 1);
	assert_int_equal(ears[1].count + ears[2].count, 0);
	answer(0, 200);
	is_settled(200);
}

static void who_owes_an_answer_is_asked_last(void **state)
{
	struct letter other = { .settled_count = 0 };

	(void)state;
	listen(2);
	prim_send_start(&letter.send, &inbox, true);
	prim_send_demote(&letter.send);
	prim_send_init(&other.send, &OPS);
	prim_send_start(&other.send, &inbox, true);
	assert_int_equal(ears[0].count, 1);
	assert_int_equal(ears[1].count, 1);
	prim_send_fini(&other.send);
}

static void the_owner_may_go_first(void **state)
{
	(void)state;
	listen(2);
	prim_send_start(&letter.send, &inbox, false);
	prim_send_fini(&letter.send);
	answer(0, 200);
	prim_listener_fini(&ears[1].listener);
	is_open();
	assert_int_equal(letter.late_count, 0);
}

#define CHECK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHECK(an_inbox_is_open_while_somebody_listens),
		CHECK(listening_twice_is_listening_once),
		CHECK(the_first_200_settles),
		CHECK(the_best_answer_wins),
		CHECK(a_listener_that_goes_is_silent),
		CHECK(a_positive_answer_makes_up_for_silence),
		CHECK(when_time_is_up_the_best_so_far_counts),
		CHECK(when_time_is_up_a_refusal_by_one_of_two_is_silence),
		CHECK(who_falls_silent_may_still_answer),
		CHECK(who_cannot_take_it_is_not_asked),
		CHECK(nobody_takes_it),
		CHECK(only_the_first_is_asked),
		CHECK(who_owes_an_answer_is_asked_last),
		CHECK(the_owner_may_go_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
