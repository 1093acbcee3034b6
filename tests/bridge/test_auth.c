/* SPDX-License-Identifier: ISC */
/* LOGIN's mechanisms, from choosing one to the last word. */

#include "tests/bridge/auth_world.h"

#include "prim/buf.h"

#define LONG_BODY 4097

/* clang-format off */
#define BODY(text) { (text), sizeof(text) - 1 }

/* clang-format on */

/* ---- choosing ---- */

static void what_is_offered_depends_on_tls_and_configuration(void **state)
{
	static const unsigned ALL = BR_MECH_SCRAM_SHA_256_PLUS |
	    BR_MECH_SCRAM_SHA_256 | BR_MECH_PLAIN | BR_MECH_EXTERNAL |
	    BR_MECH_CRAM_MD5 | BR_MECH_ANONYMOUS;

	/* clang-format off */
	const struct {
		const char *name;
		unsigned mechanisms;
		bool allow_plaintext;
		enum br_auth_wire wire;
		const char *offer;
	} CASES[] = {
		{ "all, bound", ALL, false, BR_AUTH_BOUND,
		    "SCRAM-SHA-256-PLUS SCRAM-SHA-256 CRAM-MD5 PLAIN" },
		{ "all, with TLS", ALL, false, BR_AUTH_TLS,
		    "SCRAM-SHA-256 CRAM-MD5 PLAIN" },
		{ "all, in the clear", ALL, false, BR_AUTH_CLEAR,
		    "SCRAM-SHA-256" },
		{ "all, in the clear and allowed", ALL, true, BR_AUTH_CLEAR,
		    "SCRAM-SHA-256 CRAM-MD5 PLAIN" },
		{ "what is not listed",
		    BR_MECH_SCRAM_SHA_256 | BR_MECH_PLAIN, false,
		    BR_AUTH_BOUND, "SCRAM-SHA-256 PLAIN" },
		{ "PLAIN in the clear", BR_MECH_PLAIN, false, BR_AUTH_CLEAR,
		    "" },
		{ "PLUS without a binding", BR_MECH_SCRAM_SHA_256_PLUS, true,
		    BR_AUTH_TLS, "" },
		{ "those that come later",
		    BR_MECH_EXTERNAL | BR_MECH_ANONYMOUS, true, BR_AUTH_BOUND,
		    "" },
	};
	/* clang-format on */
	struct auth_world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		const struct br_config config = {
			.mechanisms = CASES[i].mechanisms,
			.allow_plaintext = CASES[i].allow_plaintext
		};

		br_auth_configure(w->auth, &config);
		if (!prim_slice_eq(br_auth_offer(w->auth, CASES[i].wire),
			prim_slice_of(CASES[i].offer)))
			fail_msg("%s", CASES[i].name);
	}
}

static void the_first_that_we_offer_is_selected(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name, *list;
		bool is_secure;
		const char *selected; /* NULL: none */
	} CASES[] = {
		{ "one", "PLAIN", true, "PLAIN" },
		{ "lower case", "plain", true, "PLAIN" },
		{ "the client's order", "PLAIN SCRAM-SHA-256", true, "PLAIN" },
		{ "the other order", "SCRAM-SHA-256,PLAIN", true,
		    "SCRAM-SHA-256" },
		{ "PLUS without a binding", "SCRAM-SHA-256-PLUS SCRAM-SHA-256", true,
		    "SCRAM-SHA-256" },
		{ "unknown ones first", "CRAM-MD5, X-FOO\tPLAIN", true,
		    "PLAIN" },
		{ "PLAIN in the clear", "PLAIN SCRAM-SHA-256", false,
		    "SCRAM-SHA-256" },
		{ "only that", "PLAIN", false, NULL },
		{ "none in common", "CRAM-MD5 EXTERNAL", true, NULL },
		{ "nothing", "", true, NULL },
		{ "a longer name", "PLAINER", true, NULL },
	};
	/* clang-format on */
	struct auth_world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		struct br_auth_start start = start_of(ANN, CASES[i].list,
		    PRIM_SLICE_NONE);
		const char *selected = CASES[i].selected ? CASES[i].selected
							 : "";

		start.is_secure = CASES[i].is_secure;
		begin_with(w, &start);
		expect(w,
		    CASES[i].selected ? BR_AUTH_CHALLENGE
				      : BR_AUTH_NO_MECHANISM);
		if (strcmp(w->mechanism, selected) != 0 || w->data_len != 0)
			fail_msg("%s: %s", CASES[i].name, w->mechanism);
		if (!w->x != !CASES[i].selected)
			fail_msg("%s: exchange", CASES[i].name);
		w->x = br_auth_cancel(w->x);
	}
}

/* ERR-51. */
static void a_body_with_several_mechanisms_is_ignored(void **state)
{
	struct auth_world *w = *state;

	begin(w, ANN, "PLAIN CRAM-MD5", PRIM_SLICE(ANN "\r\nwrong"));
	expect(w, BR_AUTH_CHALLENGE);
	go_on(w, "PLAIN", PRIM_SLICE(ANN "\r\n" SESAME));
	expect(w, BR_AUTH_OK);
}

/* ---- PLAIN ---- */

static void plain_takes_what_is_right_and_nothing_else(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name, *key;
		struct prim_slice body;
		bool ok;
	} CASES[] = {
		{ "lines", ANN, BODY(ANN "\r\n" SESAME), true },
		{ "lines and CRLF", ANN, BODY(ANN "\r\n" SESAME "\r\n"), true },
		{ "NUL", ANN, BODY("\0" ANN "\0" SESAME), true },
		{ "NUL and CRLF", ANN, BODY("\0" ANN "\0" SESAME "\r\n"),
		    true },
		{ "NUL, authzid", ANN, BODY(ANN "\0" ANN "\0" SESAME), true },
		{ "NUL, short", ANN, BODY(ANN "\0" SESAME), true },
		{ "another spelling", ANN,
		    BODY("%41NN@HERE.example\r\n" SESAME), true },
		{ "SASLprep: a space is a space", ANN,
		    BODY(ANN "\r\nopen\xc2\xa0s\xc3\xa9same"), true },
		{ "SASLprep: composed", ANN,
		    BODY(ANN "\r\nopen se\xcc\x81same"), true },
		{ "two CRLFs", ANN, BODY(ANN "\r\n" SESAME "\r\n\r\n"), false },
		{ "LF behind", ANN, BODY(ANN "\r\n" SESAME "\n"), false },
		{ "wrong password", ANN, BODY(ANN "\r\nsesame"), false },
		{ "more than the password", ANN, BODY(ANN "\r\n" SESAME "x"),
		    false },
		{ "no password", ANN, BODY(ANN "\r\n"), false },
		{ "no password, twice", ANN, BODY(ANN "\r\n\r\n"), false },
		{ "no password, NUL", ANN, BODY("\0" ANN "\0"), false },
		{ "no separator", ANN, BODY(ANN " " SESAME), false },
		{ "with a scheme", ANN, BODY("im:" ANN "\r\n" SESAME), false },
		{ "another's name", ANN, BODY(ODD "\r\n" SESAME), false },
		{ "another's name in From", ODD, BODY(ANN "\r\n" SESAME),
		    false },
		{ "another's authzid", ANN, BODY(ODD "\0" ANN "\0" SESAME),
		    false },
		{ "the empty name", ANN, BODY("\r\n" SESAME), false },
		{ "three NULs", ANN, BODY("\0" ANN "\0" SESAME "\0"), false },
		{ "no UTF-8", ANN, BODY(ANN "\r\nopen \xff"), false },
		{ "a control", ANN, BODY(ANN "\r\n" SESAME "\x07"), false },
		{ "nothing but a soft hyphen", ANN, BODY(ANN "\r\n\xc2\xad"),
		    false },
		{ "unknown user", NOBODY, BODY(NOBODY "\r\n" SESAME), false },
		{ "unknown user, odd password", NOBODY, BODY(NOBODY "\r\nx"),
		    false },
	};
	/* clang-format on */
	struct auth_world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		begin(w, CASES[i].key, "PLAIN", CASES[i].body);
		await(w);
		if (w->outcome != (CASES[i].ok ? BR_AUTH_OK : BR_AUTH_FAILED))
			fail_msg("%s: %d", CASES[i].name, w->outcome);
		if (w->x || w->data_len || strcmp(w->mechanism, "PLAIN") != 0)
			fail_msg("%s: answer", CASES[i].name);
		w->now_ms += 60000; /* the throttle forgets */
	}
}

static void plain_without_a_body_is_asked_for_one(void **state)
{
	struct auth_world *w = *state;

	begin(w, ANN, "PLAIN", PRIM_SLICE_NONE);
	expect(w, BR_AUTH_CHALLENGE);
	assert_int_equal(w->data_len, 0);
	go_on(w, " plain ", PRIM_SLICE(ANN "\r\n" SESAME "\r\n"));
	expect(w, BR_AUTH_OK);
	assert_null(w->x);

	begin(w, ANN, "PLAIN", PRIM_SLICE_NONE);
	expect(w, BR_AUTH_CHALLENGE);
	go_on(w, "PLAIN", PRIM_SLICE_NONE);
	expect(w, BR_AUTH_FAILED);
}

/* PRIM-094. */
static void another_mechanism_than_the_selected_fails(void **state)
{
	static const char *const NAMES[] = { "SCRAM-SHA-256",
		"PLAIN SCRAM-SHA-256", "", "PLAI" };
	struct auth_world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(NAMES); i++) {
		begin(w, ANN, "PLAIN", PRIM_SLICE_NONE);
		expect(w, BR_AUTH_CHALLENGE);
		go_on(w, NAMES[i], PRIM_SLICE(ANN "\r\n" SESAME));
		expect(w, BR_AUTH_FAILED);
	}
}

static void a_body_that_is_too_long_fails(void **state)
{
	struct auth_world *w = *state;
	struct prim_buf body = { 0 };

	prim_buf_puts(&body, "n,,n=" ANN ",r=");
	while (body.len < LONG_BODY - 1)
		prim_buf_putc(&body, 'x');
	begin(w, ANN, "SCRAM-SHA-256", prim_buf_slice(&body));
	expect(w, BR_AUTH_CHALLENGE);
	w->x = br_auth_cancel(w->x);

	prim_buf_putc(&body, 'x');
	begin(w, ANN, "SCRAM-SHA-256", prim_buf_slice(&body));
	assert_null(w->x);
	expect(w, BR_AUTH_FAILED);
	begin(w, ANN, "SCRAM-SHA-256", PRIM_SLICE_NONE);
	expect(w, BR_AUTH_CHALLENGE);
	go_on(w, "SCRAM-SHA-256", prim_buf_slice(&body));
	expect(w, BR_AUTH_FAILED);
	prim_buf_fini(&body);
}

/* ---- new passwords ---- */

static void a_verifier_is_salted_and_needs_a_decent_password(void **state)
{
	static char longest[1025];
	struct br_store_account a = { .iterations = 0 }, b = a;
	struct br_err err = { "" };

	(void)state;
	memset(longest, 'x', sizeof(longest));
	assert_true(br_auth_verifier(PRIM_SLICE("pw"), &a, &err));
	assert_true(br_auth_verifier(PRIM_SLICE("pw"), &b, &err));
	assert_int_equal(a.salt_len, 16);
	assert_true(a.iterations >= 4096);
	assert_memory_not_equal(a.salt, b.salt, a.salt_len);
	assert_memory_not_equal(a.stored_key, b.stored_key, BR_HASH_LEN);
	assert_true(br_auth_verifier(prim_slice_make(longest, 1024), &a, NULL));

	assert_false(br_auth_verifier(PRIM_SLICE(""), &a, &err));
	assert_non_null(strstr(err.text, "empty"));
	assert_false(br_auth_verifier(prim_slice_make(longest, 1025), &a,
	    &err));
	assert_non_null(strstr(err.text, "longer"));
	assert_false(br_auth_verifier(PRIM_SLICE("a\nb"), &a, &err));
	assert_non_null(strstr(err.text, "SASLprep"));
	assert_false(br_auth_verifier(PRIM_SLICE("a\0b"), &a, &err));
	assert_false(br_auth_verifier(PRIM_SLICE("\xff"), &a, &err));
	assert_false(br_auth_verifier(PRIM_SLICE("\xc2\xad"), &a, &err));
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, auth_set_up, auth_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_offered_depends_on_tls_and_configuration),
		TEST(the_first_that_we_offer_is_selected),
		TEST(a_body_with_several_mechanisms_is_ignored),
		TEST(plain_takes_what_is_right_and_nothing_else),
		TEST(plain_without_a_body_is_asked_for_one),
		TEST(another_mechanism_than_the_selected_fails),
		TEST(a_body_that_is_too_long_fails),
		cmocka_unit_test(
		    a_verifier_is_salted_and_needs_a_decent_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
