/* SPDX-License-Identifier: ISC */
/* Remembered answers, against the simplest memory there is. */

#include "tests/lib/t.h"

#include <string.h>

#include "bridge/dedup.h"
#include "tests/lib/random.h"

#define START_MS 1004356800000
#define KEYS     5000
#define STEPS    40000

static struct br_dedup *dedup;

static int set_up(void **state)
{
	(void)state;
	dedup = br_dedup_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	dedup = br_dedup_free(dedup);
	return 0;
}

/* A key as good as random, the same for the same number. */
static struct prim_digest key_of(uint64_t number)
{
	struct t_random r = { number * 1000003 };
	struct prim_digest key;
	uint64_t halves[2] = { t_random_next(&r), t_random_next(&r) };

	memcpy(key.octets, halves, sizeof(key.octets));
	return key;
}

static void put(uint64_t number, unsigned code, int64_t now_ms)
{
	struct prim_digest key = key_of(number);
	struct br_dedup_answer answer = { .code = code,
		.content_hash = number };

	br_dedup_put(dedup, &key, &answer, now_ms);
}

/* The code remembered, or 0. */
static unsigned get(uint64_t number, int64_t now_ms)
{
	struct prim_digest key = key_of(number);
	struct br_dedup_answer answer = { .code = 77 };

	if (!br_dedup_find(dedup, &key, now_ms, &answer))
		return 0;
	assert_int_equal(answer.content_hash, number);
	return answer.code;
}

static void an_answer_is_remembered_for_ten_minutes(void **state)
{
	(void)state;
	put(1, 200, START_MS);
	assert_int_equal(get(1, START_MS), 200);
	assert_int_equal(get(2, START_MS), 0);
	assert_int_equal(get(1, START_MS + BR_DEDUP_KEEP_MS), 200);
	assert_int_equal(get(1, START_MS + BR_DEDUP_KEEP_MS + 2000), 0);
}

static void a_later_answer_replaces_and_lives_longer(void **state)
{
	(void)state;
	put(1, 101, START_MS);
	put(1, 200, START_MS + BR_DEDUP_KEEP_MS / 2);
	assert_int_equal(get(1, START_MS + BR_DEDUP_KEEP_MS / 2), 200);
	/* The first one going must not take the second with it. */
	assert_int_equal(get(1, START_MS + BR_DEDUP_KEEP_MS + 2000), 200);
	assert_int_equal(get(1, START_MS + 2 * BR_DEDUP_KEEP_MS), 0);
}

static int64_t put_at[KEYS];

static void check_one(unsigned i, int64_t now_ms)
{
	int64_t age = now_ms - put_at[i];
	unsigned code = get(i, now_ms);

	if (put_at[i] == 0 || age > BR_DEDUP_KEEP_MS + 1000)
		assert_int_equal(code, 0);
	else if (age <= BR_DEDUP_KEEP_MS - 1000)
		assert_int_equal(code, 200);
}

static void random_answers_agree_with_the_model(void **state)
{
	struct t_random chance = { 11 };
	int64_t now_ms = START_MS;

	(void)state;
	memset(put_at, 0, sizeof(put_at));
	for (unsigned i = 0; i < STEPS; i++) {
		unsigned at = (unsigned)t_random_below(&chance, KEYS);

		now_ms += (int64_t)t_random_below(&chance, 300);
		check_one(at, now_ms);
		put(at, 200, now_ms);
		put_at[at] = now_ms;
		check_one((unsigned)t_random_below(&chance, KEYS), now_ms);
	}
	for (unsigned i = 0; i < KEYS; i++)
		check_one(i, now_ms);
}

static void the_oldest_goes_when_there_are_too_many(void **state)
{
	(void)state;
	for (unsigned i = 0; i < BR_DEDUP_MAX + 3; i++)
		put(i, 200, START_MS);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(get(i, START_MS), 0);
	assert_int_equal(get(3, START_MS), 200);
	assert_int_equal(get(BR_DEDUP_MAX + 2, START_MS), 200);
}

static void what_was_not_stored_is_known_not_to_be(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		struct prim_digest key = key_of(i);

		br_dedup_note_durable(dedup, br_dedup_prefix(&key));
		br_dedup_note_durable(dedup, br_dedup_prefix(&key));
	}
	for (unsigned i = 0; i < 20000; i++) {
		struct prim_digest key = key_of(i), other = key_of(i + 20000);

		assert_true(br_dedup_may_be_durable(dedup, &key));
		wrong += br_dedup_may_be_durable(dedup, &other);
	}
	assert_int_equal(wrong, 0); /* of 2^64 prefixes */
}

static void stored_keys_are_forgotten_in_their_time(void **state)
{
	const int64_t turn = BR_REMEMBER_MS + BR_DEDUP_KEEP_MS;
	struct prim_digest first = key_of(1), second = key_of(2);

	(void)state;
	assert_false(br_dedup_forget_durable(dedup, START_MS));
	br_dedup_note_durable(dedup, br_dedup_prefix(&first));
	assert_false(br_dedup_forget_durable(dedup, START_MS + turn - 1));
	assert_true(br_dedup_forget_durable(dedup, START_MS + turn));
	assert_true(br_dedup_may_be_durable(dedup, &first));
	br_dedup_note_durable(dedup, br_dedup_prefix(&second));
	assert_true(br_dedup_forget_durable(dedup, START_MS + 2 * turn));
	assert_false(br_dedup_may_be_durable(dedup, &first));
	assert_true(br_dedup_may_be_durable(dedup, &second));
}

static void a_key_of_zeros_is_a_key(void **state)
{
	struct prim_digest zeros = { { 0 } };
	struct br_dedup_answer answer = { .code = 200, .content_hash = 5 };

	(void)state;
	assert_false(br_dedup_may_be_durable(dedup, &zeros));
	br_dedup_note_durable(dedup, br_dedup_prefix(&zeros));
	assert_true(br_dedup_may_be_durable(dedup, &zeros));
	assert_false(br_dedup_find(dedup, &zeros, START_MS, &answer));
	br_dedup_put(dedup, &zeros, &answer, START_MS);
	assert_true(br_dedup_find(dedup, &zeros, START_MS, &answer));
	assert_int_equal(answer.content_hash, 5);
}

#define CHECK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHECK(an_answer_is_remembered_for_ten_minutes),
		CHECK(a_later_answer_replaces_and_lives_longer),
		CHECK(random_answers_agree_with_the_model),
		CHECK(the_oldest_goes_when_there_are_too_many),
		CHECK(what_was_not_stored_is_known_not_to_be),
		CHECK(stored_keys_are_forgotten_in_their_time),
		CHECK(a_key_of_zeros_is_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
