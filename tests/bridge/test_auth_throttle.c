/* SPDX-License-Identifier: ISC */
/* Slowing down those who guess. */

#include "tests/lib/t.h"

#include <stdio.h>

#include "bridge/auth_throttle.h"
#include "prim/base.h"

#define MINUTE INT64_C(60000)
#define ANN    PRIM_SLICE("ann@here.example")

static int set_up(void **state)
{
	static struct br_auth_throttle t;
	const struct prim_hash_key secret = { 1, 2 };

	br_auth_throttle_init(&t, &secret);
	*state = &t;
	return 0;
}

static int tear_down(void **state)
{
	br_auth_throttle_fini(*state);
	return 0;
}

static void the_delay_grows_with_the_failures(void **state)
{
	static const struct {
		const char *name;
		unsigned source, account;
		int64_t delay_ms;
	} CASES[] = {
		{"none",                    0,       0,       0    },
		{ "four",                   4,       0,       0    },
		{ "five",                   5,       5,       1000 },
		{ "six",                    6,       6,       2000 },
		{ "seven",                  7,       7,       4000 },
		{ "eight",                  8,       8,       8000 },
		{ "nine",                   9,       9,       16000},
		{ "ten is the most",        10,      10,      30000},
		{ "so are a million",       1000000, 1000000, 30000},
		{ "an account has 20 free", 0,       19,      0    },
		{ "then a second",          0,       20,      1000 },
		{ "and never more",         0,       1000000, 1000 },
		{ "the longer of both",     7,       20,      4000 },
	};

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		const int64_t delay_ms =
		    br_auth_throttle_delay_ms(CASES[i].source,
			CASES[i].account);

		if (delay_ms != CASES[i].delay_ms)
			fail_msg("%s: %d", CASES[i].name, (int)delay_ms);
	}
}

static void a_source_is_an_ipv4_address_or_an_ipv6_network(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name, *a, *b;
		bool same;
	} CASES[] = {
		{ "one address", "192.0.2.1", "192.0.2.1", true },
		{ "two addresses", "192.0.2.1", "192.0.2.2", false },
		{ "one /64", "2001:db8::1", "2001:db8::ffff:2", true },
		{ "two spellings", "2001:db8:0:0::1", "2001:DB8::1", true },
		{ "two networks", "2001:db8:0:1::1", "2001:db8:0:2::1", false },
		{ "a mapped IPv4", "::ffff:192.0.2.1", "192.0.2.1", true },
		{ "two mapped IPv4", "::ffff:192.0.2.1", "::ffff:192.0.2.2",
		    false },
		{ "other names", "socket", "other", false },
		{ "nothing", "", "", true },
		{ "too long for an address",
		    "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff:0000:1111",
		    "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff:0000:2222", false },
	};
	/* clang-format on */
	struct br_auth_throttle *t = *state;

	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		const struct br_auth_attempt a = br_auth_throttle_attempt(t,
		    prim_slice_of(CASES[i].a), ANN);
		const struct br_auth_attempt b = br_auth_throttle_attempt(t,
		    prim_slice_of(CASES[i].b), ANN);

		if ((a.source == b.source) != CASES[i].same)
			fail_msg("%s", CASES[i].name);
		assert_int_equal(a.account, b.account);
		assert_int_not_equal(a.source, a.account);
	}
}

static void failures_count_for_a_minute_where_they_were_made(void **state)
{
	struct br_auth_throttle *t = *state;
	const struct br_auth_attempt bad = br_auth_throttle_attempt(t,
	    PRIM_SLICE("192.0.2.1"), ANN);
	const struct br_auth_attempt elsewhere = br_auth_throttle_attempt(t,
	    PRIM_SLICE("192.0.2.2"), ANN);
	const struct br_auth_attempt neighbour = br_auth_throttle_attempt(t,
	    PRIM_SLICE("192.0.2.1"), PRIM_SLICE("bob@here.example"));

	for (int64_t now = 0; now < 5; now++) {
		assert_int_equal(br_auth_throttle_wait_ms(t, &bad, now), 0);
		br_auth_throttle_fail(t, &bad, now);
	}
	assert_int_equal(br_auth_throttle_wait_ms(t, &bad, 5), 1000);
	assert_int_equal(br_auth_throttle_wait_ms(t, &neighbour, 5), 1000);
	assert_int_equal(br_auth_throttle_wait_ms(t, &elsewhere, 5), 0);
	assert_int_equal(br_auth_throttle_wait_ms(t, &bad, MINUTE - 1), 1000);
	assert_int_equal(br_auth_throttle_wait_ms(t, &bad, MINUTE), 0);
	br_auth_throttle_fail(t, &bad, MINUTE);
	assert_int_equal(br_auth_throttle_wait_ms(t, &bad, MINUTE), 0);
}

static void guessing_from_everywhere_costs_the_owner_a_second(void **state)
{
	struct br_auth_throttle *t = *state;
	const struct br_auth_attempt owner = br_auth_throttle_attempt(t,
	    PRIM_SLICE("2001:db8::1"), ANN);

	for (unsigned i = 0; i < 500; i++) {
		char remote[32];
		struct br_auth_attempt a;

		(void)snprintf(remote, sizeof(remote), "192.0.2.%u", i % 250);
		a = br_auth_throttle_attempt(t, prim_slice_of(remote), ANN);
		br_auth_throttle_fail(t, &a, 0);
	}
	assert_int_equal(br_auth_throttle_wait_ms(t, &owner, 1), 1000);
	assert_int_equal(br_auth_throttle_wait_ms(t, &owner, MINUTE), 0);
}

static struct br_auth_attempt from_network(const struct br_auth_throttle *t,
    unsigned number)
{
	char remote[48];

	(void)snprintf(remote, sizeof(remote), "2001:db8:%x:%x::1",
	    number >> 16, number & 0xffff);
	return br_auth_throttle_attempt(t, prim_slice_of(remote), ANN);
}

static void the_table_is_bounded(void **state)
{
	struct br_auth_throttle *t = *state;
	struct br_auth_attempt a = from_network(t, 0);

	assert_true(br_auth_throttle_enter(t, &a, 0));
	for (unsigned i = 0; i < BR_AUTH_THROTTLE_ENTRIES + 1000; i++) {
		a = from_network(t, i);
		br_auth_throttle_fail(t, &a, 0);
	}
	assert_int_equal(t->table.count, BR_AUTH_THROTTLE_ENTRIES);
	/* What has an exchange open stays, and can be left. */
	a = from_network(t, 0);
	br_auth_throttle_leave(t, &a);
	/* What has run out goes. */
	a = from_network(t, 0x12345678);
	br_auth_throttle_fail(t, &a, MINUTE);
	assert_in_range(t->table.count, 1, 3);
}

static void a_source_has_a_bounded_number_of_exchanges(void **state)
{
	struct br_auth_throttle *t = *state;
	const struct br_auth_attempt a = from_network(t, 1);
	const struct br_auth_attempt other = from_network(t, 2);

	for (unsigned i = 0; i < BR_AUTH_THROTTLE_OPEN; i++)
		assert_true(br_auth_throttle_enter(t, &a, 0));
	assert_false(br_auth_throttle_enter(t, &a, 0));
	assert_true(br_auth_throttle_enter(t, &other, 0));
	br_auth_throttle_leave(t, &a);
	assert_true(br_auth_throttle_enter(t, &a, 0));
	for (unsigned i = 0; i < BR_AUTH_THROTTLE_OPEN; i++)
		br_auth_throttle_leave(t, &a);
	br_auth_throttle_leave(t, &other);
	assert_int_equal(t->table.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_delay_grows_with_the_failures),
		cmocka_unit_test_setup_teardown(
		    a_source_is_an_ipv4_address_or_an_ipv6_network, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    failures_count_for_a_minute_where_they_were_made, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    guessing_from_everywhere_costs_the_owner_a_second, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(the_table_is_bounded, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    a_source_has_a_bounded_number_of_exchanges, set_up,
		    tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
