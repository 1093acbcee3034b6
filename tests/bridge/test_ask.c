/* SPDX-License-Identifier: ISC */
#include "tests/lib/t.h"

#include "bridge/ask.h"
#include "prim/base.h"

static struct prim_slice id_of(uint64_t id)
{
	static char text[BR_ASK_ID_MAX];

	return br_ask_id(id, text);
}

static void ids_count_up_and_find_their_request(void **state)
{
	struct br_asks a;
	struct br_ask out;

	(void)state;
	br_asks_init(&a, 4);
	for (unsigned i = 1; i <= 3; i++)
		assert_int_equal(br_asks_put(&a, &(struct br_ask){ .kind = i }),
		    i);
	assert_true(br_asks_take(&a, PRIM_SLICE("2"), &out));
	assert_int_equal(out.kind, 2);
	assert_false(br_asks_take(&a, PRIM_SLICE("2"), &out));
	assert_int_equal(a.count, 2);
	br_asks_fini(&a);
}

static void places_that_are_taken_are_passed_over(void **state)
{
	struct br_asks a;
	struct br_ask out;
	uint64_t last = 0;

	(void)state;
	br_asks_init(&a, 4);
	br_asks_put(&a, &(struct br_ask){ .kind = 7 });
	for (unsigned i = 0; i < 20; i++) {
		uint64_t id = br_asks_put(&a, &(struct br_ask){ .kind = i });

		assert_true(id > last);
		assert_true(br_asks_take(&a, id_of(id), &out));
		assert_int_equal(out.kind, i);
		last = id;
	}
	assert_true(br_asks_take(&a, PRIM_SLICE("1"), &out));
	assert_int_equal(out.kind, 7);
	assert_int_equal(a.count, 0);
	br_asks_fini(&a);
}

static void an_id_has_one_spelling(void **state)
{
	static const char *const BAD[] = { "", "0", "01", "1 ", "+1", "-", "2",
		"5", "18446744073709551617", "x" };
	struct br_asks a;
	struct br_ask out;

	(void)state;
	br_asks_init(&a, 4);
	br_asks_put(&a, &(struct br_ask){ .kind = 1 });
	for (size_t i = 0; i < PRIM_COUNT(BAD); i++)
		assert_false(br_asks_take(&a, prim_slice_of(BAD[i]), &out));
	assert_true(br_asks_take(&a, PRIM_SLICE("1"), &out));
	br_asks_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_count_up_and_find_their_request),
		cmocka_unit_test(places_that_are_taken_are_passed_over),
		cmocka_unit_test(an_id_has_one_spelling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
