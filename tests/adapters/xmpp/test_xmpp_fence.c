/* SPDX-License-Identifier: ISC */
/* The fence, the pings behind it, and the deliveries before it. */

#include "tests/lib/t.h"

#include <stdio.h>

#include "adapters/xmpp/fence.h"
#include "adapters/xmpp/pending.h"
#include "adapters/xmpp/pings.h"
#include "prim/base.h"

static void a_batch_wants_its_ping_after_64_stanzas_or_50_ms(void **state)
{
	struct xa_fence f;

	(void)state;
	xa_fence_init(&f);
	assert_true(xa_fence_due(&f) == INT64_MAX);
	xa_fence_add(&f, 1000);
	assert_int_equal(xa_fence_due(&f), 1050);
	for (int i = 1; i < 63; i++)
		xa_fence_add(&f, 1010);
	assert_int_equal(xa_fence_due(&f), 1050);
	xa_fence_add(&f, 1011);
	assert_true(xa_fence_due(&f) <= 1011);
	xa_fence_close(&f);
	assert_true(xa_fence_due(&f) == INT64_MAX);
}

static void an_answer_passes_its_batch_and_those_before(void **state)
{
	struct xa_fence f;
	uint64_t first, second, third, mark;

	(void)state;
	xa_fence_init(&f);
	first = xa_fence_add(&f, 0);
	xa_fence_close(&f);
	second = xa_fence_add(&f, 1);
	mark = xa_fence_close(&f);
	third = xa_fence_add(&f, 2);
	assert_false(xa_fence_has_passed(&f, first));
	xa_fence_pass(&f, mark);
	assert_true(xa_fence_has_passed(&f, first));
	assert_true(xa_fence_has_passed(&f, second));
	assert_false(xa_fence_has_passed(&f, third));
	/* Nothing passes whose ping was never sent, and nothing goes back. */
	xa_fence_pass(&f, third);
	xa_fence_pass(&f, UINT64_MAX);
	xa_fence_pass(&f, first);
	assert_false(xa_fence_has_passed(&f, third));
	assert_true(xa_fence_has_passed(&f, second));
}

static void only_our_own_ids_are_answers(void **state)
{
	struct prim_buf first = { 0 }, second = { 0 };
	struct xa_pings p;
	uint64_t mark = 7;

	(void)state;
	xa_pings_init(&p, 0x1234);
	xa_pings_put(&p, &first, 11, 100);
	xa_pings_put(&p, &second, 12, 200);
	assert_int_equal(xa_pings_oldest(&p), 100);
	assert_false(xa_pings_take(&p, PRIM_SLICE(""), &mark));
	assert_false(xa_pings_take(&p, PRIM_SLICE("ping-1"), &mark));
	assert_false(xa_pings_take(&p, PRIM_SLICE("ping-0000000000001234-3"),
	    &mark));
	assert_false(xa_pings_take(&p, PRIM_SLICE("ping-0000000000001234-0"),
	    &mark));
	assert_false(xa_pings_take(&p, PRIM_SLICE("ping-0000000000001235-1"),
	    &mark));
	assert_false(xa_pings_take(&p, PRIM_SLICE("ping-0000000000001234-1x"),
	    &mark));
	assert_int_equal(mark, 7);
	assert_true(xa_pings_take(&p, prim_buf_slice(&second), &mark));
	assert_int_equal(mark, 12);
	assert_false(xa_pings_take(&p, prim_buf_slice(&first), &mark));
	assert_true(xa_pings_oldest(&p) == INT64_MAX);
	prim_buf_fini(&first);
	prim_buf_fini(&second);
}

static void sixteen_pings_may_wait(void **state)
{
	struct prim_buf id = { 0 };
	struct xa_pings p;
	uint64_t mark;

	(void)state;
	xa_pings_init(&p, 1);
	for (uint64_t i = 1; i <= XA_PINGS_MAX; i++) {
		assert_true(xa_pings_has_room(&p));
		prim_buf_reset(&id);
		xa_pings_put(&p, &id, i, (int64_t)i);
	}
	assert_false(xa_pings_has_room(&p));
	assert_true(xa_pings_take(&p, prim_buf_slice(&id), &mark));
	assert_int_equal(mark, XA_PINGS_MAX);
	assert_true(xa_pings_has_room(&p));
	prim_buf_fini(&id);
}

static void put(struct xa_pendings *p, struct xa_fence *f, const char *id,
    int64_t now_ms)
{
	const struct xa_pending_new n = {
		.id = prim_slice_of(id),
		.to = PRIM_SLICE("a@b"),
		.from = PRIM_SLICE("c@d"),
		.batch = xa_fence_add(f, now_ms),
	};

	xa_pendings_put(p, &n, now_ms);
}

static void nothing_is_handed_over_before_the_fence(void **state)
{
	struct xa_pendings p;
	struct xa_fence f;
	uint64_t mark;

	(void)state;
	xa_pendings_init(&p);
	xa_fence_init(&f);
	put(&p, &f, "1", 0);
	mark = xa_fence_close(&f);
	put(&p, &f, "2", 10);
	assert_false(xa_pendings_is_due(&p, &f, 3000, 1000000));
	assert_true(xa_pendings_deadline(&p, &f, 3000) == INT64_MAX);
	xa_fence_pass(&f, mark);
	assert_int_equal(xa_pendings_deadline(&p, &f, 3000), 3000);
	assert_false(xa_pendings_is_due(&p, &f, 3000, 2999));
	assert_true(xa_pendings_is_due(&p, &f, 3000, 3000));
	assert_true(xa_pendings_is_due(&p, &f, 0, 1));
	xa_pendings_drop(&p, xa_pendings_first(&p));
	assert_false(xa_pendings_is_due(&p, &f, 3000, 1000000));
	assert_null(xa_pendings_find(&p, PRIM_SLICE("1")));
	xa_pendings_drop(&p, xa_pendings_find(&p, PRIM_SLICE("2")));
	xa_pendings_fini(&p);
}

static void a_crowd_is_not_held(void **state)
{
	struct xa_pendings p;
	struct xa_fence f;

	(void)state;
	xa_pendings_init(&p);
	xa_fence_init(&f);
	for (int i = 0; i <= XA_PENDING_CROWD; i++) {
		char id[16];

		snprintf(id, sizeof(id), "%d", i);
		put(&p, &f, id, 0);
	}
	assert_false(xa_pendings_is_due(&p, &f, 3000, 0));
	xa_fence_pass(&f, xa_fence_close(&f));
	assert_true(xa_pendings_is_due(&p, &f, 3000, 0));
	xa_pendings_drop(&p, xa_pendings_first(&p));
	assert_false(xa_pendings_is_due(&p, &f, 3000, 0));
	while (xa_pendings_first(&p))
		xa_pendings_drop(&p, xa_pendings_first(&p));
	xa_pendings_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_batch_wants_its_ping_after_64_stanzas_or_50_ms),
		cmocka_unit_test(an_answer_passes_its_batch_and_those_before),
		cmocka_unit_test(only_our_own_ids_are_answers),
		cmocka_unit_test(sixteen_pings_may_wait),
		cmocka_unit_test(nothing_is_handed_over_before_the_fence),
		cmocka_unit_test(a_crowd_is_not_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
