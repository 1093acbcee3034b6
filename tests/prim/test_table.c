/* SPDX-License-Identifier: ISC */
/* The table against an array of flags. */

#include "tests/lib/t.h"

#include "prim/base.h"
#include "prim/table.h"
#include "tests/lib/random.h"

#define THINGS 500
#define STEPS  20000

struct thing {
	struct prim_table_node node;
	bool is_in;
	unsigned seen;
};

static struct thing things[THINGS];

/* Few hashes, so that several things share one; and slots do, too. */
static uint64_t hash_of(unsigned i)
{
	return (i % 60) * 16;
}

static bool is_found(const struct prim_table *t, unsigned i)
{
	struct prim_table_node *n = prim_table_first(t, hash_of(i));

	while (n && PRIM_CONTAINER(n, struct thing, node) != &things[i])
		n = prim_table_next(n);
	return n != NULL;
}

static void toggle(struct prim_table *t, unsigned i)
{
	if (things[i].is_in)
		prim_table_drop(t, &things[i].node);
	else
		prim_table_put(t, &things[i].node, hash_of(i));
	things[i].is_in = !things[i].is_in;
}

static void drop_each(struct prim_table_node *n, void *arg)
{
	prim_table_drop(arg, n);
	PRIM_CONTAINER(n, struct thing, node)->is_in = false;
}

static void random_puts_and_drops_agree_with_the_array(void **state)
{
	struct prim_table t = { 0 };
	struct t_random chance = { 5 };
	size_t count = 0;

	(void)state;
	for (unsigned i = 0; i < STEPS; i++) {
		unsigned at = (unsigned)t_random_below(&chance, THINGS);

		count = things[at].is_in ? count - 1 : count + 1;
		toggle(&t, at);
		assert_int_equal(t.count, count);
		at = (unsigned)t_random_below(&chance, THINGS);
		assert_int_equal(is_found(&t, at), things[at].is_in);
	}
	prim_table_each(&t, drop_each, &t);
	assert_int_equal(t.count, 0);
	prim_table_fini(&t);
}

static void see(struct prim_table_node *n, void *arg)
{
	(void)arg;
	PRIM_CONTAINER(n, struct thing, node)->seen++;
}

static void each_visits_every_node_once(void **state)
{
	struct prim_table t = { 0 };

	(void)state;
	for (unsigned i = 0; i < THINGS; i++)
		toggle(&t, i);
	prim_table_each(&t, see, NULL);
	for (unsigned i = 0; i < THINGS; i++)
		assert_int_equal(things[i].seen, 1);
	prim_table_each(&t, drop_each, &t);
	prim_table_fini(&t);
}

static void an_empty_table_finds_nothing(void **state)
{
	struct prim_table t;

	(void)state;
	prim_table_init(&t);
	assert_null(prim_table_first(&t, 0));
	prim_table_each(&t, see, NULL);
	prim_table_fini(&t);
}

static void a_hash_finds_only_its_own_nodes(void **state)
{
	struct prim_table t = { 0 };
	struct thing a = { 0 }, b = { 0 }, c = { 0 };
	struct prim_table_node *n;

	(void)state;
	prim_table_put(&t, &a.node, 1);
	prim_table_put(&t, &b.node, 1 + 16); /* the same slot */
	prim_table_put(&t, &c.node, 1);
	n = prim_table_first(&t, 1 + 16);
	assert_ptr_equal(n, &b.node);
	assert_null(prim_table_next(n));
	n = prim_table_first(&t, 1);
	assert_non_null(n);
	assert_non_null(prim_table_next(n));
	assert_null(prim_table_next(prim_table_next(n)));
	prim_table_drop(&t, &a.node);
	prim_table_drop(&t, &b.node);
	prim_table_drop(&t, &c.node);
	prim_table_fini(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_puts_and_drops_agree_with_the_array),
		cmocka_unit_test(each_visits_every_node_once),
		cmocka_unit_test(an_empty_table_finds_nothing),
		cmocka_unit_test(a_hash_finds_only_its_own_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
