/* SPDX-License-Identifier: ISC */
/* Our own requests and their answers, against an array that is looked through. */

#include "tests/lib/t.h"

#include "prim/pending.h"
#include "tests/lib/random.h"

#define STEPS 20000

static int things[STEPS + 1];
static uint64_t ids[STEPS]; /* of those that are out; any order */
static unsigned out_count;

static void an_answer_finds_its_request(void **state)
{
	struct prim_pending p;
	uint64_t a, b;

	(void)state;
	prim_pending_init(&p);
	a = prim_pending_put(&p, &things[1]);
	b = prim_pending_put(&p, &things[2]);
	assert_int_not_equal(a, b);
	assert_ptr_equal(prim_pending_take(&p, b), &things[2]);
	assert_ptr_equal(prim_pending_take(&p, a), &things[1]);
	assert_int_equal(prim_pending_span(&p), 0);
	prim_pending_fini(&p);
}

static void a_second_answer_finds_nothing(void **state)
{
	struct prim_pending p;
	uint64_t a, b;

	(void)state;
	prim_pending_init(&p);
	a = prim_pending_put(&p, &things[1]);
	b = prim_pending_put(&p, &things[2]);
	assert_non_null(prim_pending_take(&p, b));
	assert_null(prim_pending_take(&p, b));
	assert_non_null(prim_pending_take(&p, a));
	assert_null(prim_pending_take(&p, a));
	assert_null(prim_pending_take(&p, b + 1));
	assert_null(prim_pending_take(&p, 0));
	assert_null(prim_pending_take(&p, UINT64_MAX));
	assert_null(prim_pending_take_first(&p));
	prim_pending_fini(&p);
}

static void texts_that_are_no_id_of_ours_find_nothing(void **state)
{
	static const char *const CASES[] = { "", "0", "01", "-", "1 ", " 1",
		"+1", "x1", "1x", "2", "18446744073709551617",
		"99999999999999999999",
		"340282366920938463463374607431768211457" };
	struct prim_pending p;

	(void)state;
	prim_pending_init(&p);
	assert_int_equal(prim_pending_put(&p, &things[1]), 1);
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		if (prim_pending_take_text(&p, prim_slice_of(CASES[i])))
			fail_msg("\"%s\" found something", CASES[i]);
	}
	assert_ptr_equal(prim_pending_take_text(&p, PRIM_SLICE("1")),
	    &things[1]);
	prim_pending_fini(&p);
}

static void the_oldest_comes_first(void **state)
{
	struct prim_pending p;

	(void)state;
	prim_pending_init(&p);
	for (unsigned i = 1; i <= 100; i++)
		(void)prim_pending_put(&p, &things[i]);
	(void)prim_pending_take(&p, 1);
	(void)prim_pending_take(&p, 3);
	assert_ptr_equal(prim_pending_take_first(&p), &things[2]);
	assert_ptr_equal(prim_pending_take_first(&p), &things[4]);
	for (unsigned i = 5; i <= 100; i++)
		assert_ptr_equal(prim_pending_take_first(&p), &things[i]);
	assert_null(prim_pending_take_first(&p));
	prim_pending_fini(&p);
}

static void put_one(struct prim_pending *p)
{
	uint64_t id = prim_pending_put(p, &things[p->next]);

	ids[out_count++] = id;
}

static void take_one(struct prim_pending *p, struct t_random *chance)
{
	unsigned at = (unsigned)t_random_below(chance, out_count);
	uint64_t id = ids[at];

	ids[at] = ids[--out_count];
	assert_ptr_equal(prim_pending_take(p, id), &things[id]);
	assert_null(prim_pending_take(p, id));
}

static void random_puts_and_takes_agree_with_the_array(void **state)
{
	struct t_random chance = { 3 };
	struct prim_pending p;

	(void)state;
	prim_pending_init(&p);
	out_count = 0;
	for (unsigned i = 0; i < STEPS; i++) {
		if (out_count == 0 || t_random_below(&chance, 100) < 52)
			put_one(&p);
		else
			take_one(&p, &chance);
		assert_true(prim_pending_span(&p) >= out_count);
	}
	while (out_count > 0)
		take_one(&p, &chance);
	assert_int_equal(prim_pending_span(&p), 0);
	prim_pending_fini(&p);
}

static void an_id_is_never_used_again(void **state)
{
	struct prim_pending p;
	uint64_t last = 0;

	(void)state;
	prim_pending_init(&p);
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t id = prim_pending_put(&p, &things[1]);

		assert_true(id > last);
		last = id;
		(void)prim_pending_take(&p, id);
	}
	assert_true(p.size <= 8); /* and the ring did not grow for it */
	prim_pending_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_finds_its_request),
		cmocka_unit_test(a_second_answer_finds_nothing),
		cmocka_unit_test(texts_that_are_no_id_of_ours_find_nothing),
		cmocka_unit_test(the_oldest_comes_first),
		cmocka_unit_test(random_puts_and_takes_agree_with_the_array),
		cmocka_unit_test(an_id_is_never_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
