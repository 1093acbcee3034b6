/* SPDX-License-Identifier: ISC */
/* The method matrix against the tables of the drafts. */

#include "tests/lib/slice.h"

#include "prim/base.h"
#include "prim/method.h"

#define BIT(id) PRIM_HEADER_BIT(PRIM_HEADER_##id)

static void every_method_is_found_by_its_exact_name(void **state)
{
	(void)state;
	for (unsigned i = PRIM_METHOD_UNKNOWN + 1; i < PRIM_METHOD_COUNT; i++) {
		const struct prim_method_info *info = prim_method_info(i);

		assert_true(info->name.len > 0);
		assert_int_equal(prim_method_find(info->name), i);
	}
}

static void no_other_name_is_a_method(void **state)
{
	static const char *const CASES[] = { "", "send", "Send", "SEN", "SENDX",
		"SENDSEND", "PONG", "UNSUBSCRIB", "STOPWATCHERNOTIF",
		"STARTWATCHERNOTIFYX", "LOGIM" };

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++)
		t_number_is(CASES[i], prim_method_find(prim_slice_of(CASES[i])),
		    PRIM_METHOD_UNKNOWN);
}

/* PRIM-036: exactly three methods of the drafts expect no answer. */
static void only_ping_logout_and_cancelsubscription_are_unanswered(void **state)
{
	(void)state;
	for (unsigned i = PRIM_METHOD_UNKNOWN + 1; i < PRIM_METHOD_CONFIG;
	     i++) {
		bool expected = i != PRIM_METHOD_PING &&
		    i != PRIM_METHOD_LOGOUT &&
		    i != PRIM_METHOD_CANCELSUBSCRIPTION;

		t_number_is(prim_method_info(i)->name.ptr,
		    prim_method_info(i)->answered, expected);
	}
}

static void families_carry_their_service_and_prim_carries_all(void **state)
{
	static const struct {
		enum prim_family family;
		bool general, presence, im, local;
	} CASES[] = {
		{PRIM_FAMILY_PP,       true, true,  false, false},
		{ PRIM_FAMILY_PRIM_PR, true, true,  false, false},
		{ PRIM_FAMILY_IMP,     true, false, true,  false},
		{ PRIM_FAMILY_PRIM_IM, true, false, true,  false},
		{ PRIM_FAMILY_PRIM,    true, true,  true,  true },
		{ PRIM_FAMILY_UNKNOWN, true, false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		enum prim_family f = CASES[i].family;

		assert_int_equal(prim_method_fits(PRIM_METHOD_LOGIN, f),
		    CASES[i].general);
		assert_int_equal(prim_method_fits(PRIM_METHOD_SETACL, f),
		    CASES[i].general);
		assert_int_equal(prim_method_fits(PRIM_METHOD_PUBLISH, f),
		    CASES[i].presence);
		assert_int_equal(prim_method_fits(PRIM_METHOD_SEND, f),
		    CASES[i].im);
		assert_int_equal(prim_method_fits(PRIM_METHOD_REPORT, f),
		    CASES[i].local);
	}
}

static void families_are_found_by_their_exact_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < PRIM_FAMILY_UNKNOWN; i++)
		assert_int_equal(prim_family_find(prim_family_name(i)), i);
	t_slice_is("unknown", prim_family_name(PRIM_FAMILY_UNKNOWN), "PRIM");
	assert_int_equal(prim_family_find(PRIM_SLICE("prim")),
	    PRIM_FAMILY_UNKNOWN);
	assert_int_equal(prim_family_find(PRIM_SLICE("PRIM-")),
	    PRIM_FAMILY_UNKNOWN);
	assert_int_equal(prim_family_find(PRIM_SLICE_NONE),
	    PRIM_FAMILY_UNKNOWN);
	assert_int_equal(prim_family_service(PRIM_FAMILY_PP),
	    PRIM_SERVICE_PRESENCE);
	assert_int_equal(prim_family_service(PRIM_FAMILY_PRIM_IM),
	    PRIM_SERVICE_IM);
	assert_int_equal(prim_family_service(PRIM_FAMILY_PRIM),
	    PRIM_SERVICE_GENERAL);
}

struct row {
	enum prim_method method;
	enum prim_body_rule body_cs, body_ss;
	uint64_t required_cs, required_ss, echoed;
};

#define FROM_TO (BIT(FROM) | BIT(TO))

/* PRIM-147, PRIM-242, PRIM-129 and the table A.3. */
static void bodies_and_headers_are_those_of_the_tables(void **state)
{
	/* clang-format off */
	static const struct row ROWS[] = {
		{ PRIM_METHOD_SEND, PRIM_BODY_REQUIRED, PRIM_BODY_REQUIRED,
		    FROM_TO | BIT(MESSAGE_ID) | BIT(CONVERSATION_ID),
		    FROM_TO | BIT(MESSAGE_ID) | BIT(CONVERSATION_ID) |
			BIT(DATE) | BIT(CONTENT_TYPE),
		    FROM_TO | BIT(MESSAGE_ID) | BIT(CONVERSATION_ID) },
		{ PRIM_METHOD_SUBSCRIBE, PRIM_BODY_NONE, PRIM_BODY_ALLOWED,
		    FROM_TO | BIT(DURATION),
		    FROM_TO | BIT(DURATION) | BIT(SUBSCRIPTION_ID) | BIT(DATE),
		    FROM_TO | BIT(DURATION) | BIT(SUBSCRIPTION_ID) },
		{ PRIM_METHOD_LOGIN, PRIM_BODY_ALLOWED, PRIM_BODY_ALLOWED,
		    BIT(AUTH_STATE) | BIT(SASL_MECH),
		    BIT(AUTH_STATE) | BIT(SASL_MECH),
		    BIT(FROM) | BIT(DOMAIN) | BIT(AUTH_STATE) | BIT(SASL_MECH) |
			BIT(MAX_CONTENT_LENGTH) },
		{ PRIM_METHOD_PING, PRIM_BODY_NONE, PRIM_BODY_NONE, 0, 0, 0 },
		{ PRIM_METHOD_VERIFYSERVER, PRIM_BODY_NONE, PRIM_BODY_NONE,
		    BIT(SERVER_ADDRESS), BIT(SERVER_ADDRESS),
		    BIT(SERVER_ADDRESS) },
		{ PRIM_METHOD_REPORT, PRIM_BODY_ALLOWED, PRIM_BODY_ALLOWED,
		    BIT(DELIVERY_ID) | BIT(CODE), BIT(DELIVERY_ID) | BIT(CODE),
		    0 },
		{ PRIM_METHOD_LINK, PRIM_BODY_NONE, PRIM_BODY_NONE, 0, 0, 0 },
		{ PRIM_METHOD_METRIC, PRIM_BODY_NONE, PRIM_BODY_NONE,
		    BIT(NAME) | BIT(VALUE), BIT(NAME) | BIT(VALUE), 0 },
		{ PRIM_METHOD_PUBLISH, PRIM_BODY_ALLOWED, PRIM_BODY_ALLOWED,
		    BIT(FROM) | BIT(PI_TYPE) | BIT(TUPLE_ID),
		    BIT(FROM) | BIT(PI_TYPE) | BIT(TUPLE_ID),
		    BIT(FROM) | BIT(PI_TYPE) | BIT(DURATION) | BIT(TUPLE_ID) |
			BIT(CLASS) },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(ROWS); i++) {
		const struct prim_method_info *info =
		    prim_method_info(ROWS[i].method);

		assert_int_equal(info->body_cs, ROWS[i].body_cs);
		assert_int_equal(info->body_ss, ROWS[i].body_ss);
		assert_int_equal(info->required_cs, ROWS[i].required_cs);
		assert_int_equal(info->required_ss, ROWS[i].required_ss);
		assert_int_equal(info->echoed, ROWS[i].echoed);
	}
}

static void directions_are_those_of_the_tables(void **state)
{
	/* clang-format off */
	static const struct {
		enum prim_method method;
		unsigned client_server, server_server;
	} ROWS[] = {
		{ PRIM_METHOD_SEND, 7, PRIM_SERVER_TO_SERVER },
		{ PRIM_METHOD_PING, 7, PRIM_SERVER_TO_SERVER },
		{ PRIM_METHOD_LISTEN, PRIM_CLIENT_TO_SERVER, 0 },
		{ PRIM_METHOD_SETACL, PRIM_CLIENT_TO_SERVER, 0 },
		{ PRIM_METHOD_WATCHERNOTIFY, PRIM_SERVER_TO_CLIENT, 0 },
		{ PRIM_METHOD_NOTIFY,
		    PRIM_SERVER_TO_CLIENT | PRIM_SERVER_TO_SERVER,
		    PRIM_SERVER_TO_SERVER },
		{ PRIM_METHOD_CANCELSUBSCRIPTION,
		    PRIM_SERVER_TO_CLIENT | PRIM_SERVER_TO_SERVER, 0 },
		{ PRIM_METHOD_VERIFYSERVER, PRIM_SERVER_TO_SERVER,
		    PRIM_SERVER_TO_SERVER },
		{ PRIM_METHOD_CONFIG, 0, PRIM_SERVER_TO_SERVER },
	};

	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(ROWS); i++) {
		const struct prim_method_info *info =
		    prim_method_info(ROWS[i].method);

		assert_int_equal(info->client_server, ROWS[i].client_server);
		assert_int_equal(info->server_server, ROWS[i].server_server);
	}
}

/* ERR-06. */
static void four_methods_only_read(void **state)
{
	(void)state;
	for (unsigned i = PRIM_METHOD_UNKNOWN + 1; i < PRIM_METHOD_COUNT; i++)
		assert_int_equal(prim_method_info(i)->read_only,
		    i == PRIM_METHOD_FETCH || i == PRIM_METHOD_GETACL ||
			i == PRIM_METHOD_GETCLASSTABLE ||
			i == PRIM_METHOD_STARTWATCHERNOTIFY);
}

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(every_method_is_found_by_its_exact_name),
		cmocka_unit_test(no_other_name_is_a_method),
		cmocka_unit_test(
		    only_ping_logout_and_cancelsubscription_are_unanswered),
		cmocka_unit_test(
		    families_carry_their_service_and_prim_carries_all),
		cmocka_unit_test(families_are_found_by_their_exact_name),
		cmocka_unit_test(bodies_and_headers_are_those_of_the_tables),
		cmocka_unit_test(directions_are_those_of_the_tables),
		cmocka_unit_test(four_methods_only_read),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
