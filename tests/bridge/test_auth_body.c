/* SPDX-License-Identifier: ISC */
/* Reading LOGIN's mechanisms and bodies. */

#include "tests/lib/t.h"

#include "bridge/auth_body.h"
#include "prim/base.h"
#include "prim/buf.h"

#define S PRIM_SLICE

static void mechanisms_are_separated_by_any_run(void **state)
{
	static const struct {
		const char *name;
		const char *list, *joined;
	} CASES[] = {
		{"nothing",          "",                ""               },
		{ "only separators", " ,\t, ",          ""               },
		{ "one",             "PLAIN",           "PLAIN;"         },
		{ "spaces",          "CRAM-MD5 PLAIN",  "CRAM-MD5;PLAIN;"},
		{ "commas",          "CRAM-MD5,PLAIN",  "CRAM-MD5;PLAIN;"},
		{ "tabs",            "CRAM-MD5\tPLAIN", "CRAM-MD5;PLAIN;"},
		{ "all of them",     ", A \t, B,C ,",   "A;B;C;"         },
	};

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		struct prim_slice rest = prim_slice_of(CASES[i].list), name;
		struct prim_buf joined = { 0 };

		while (br_auth_body_mechanism(&rest, &name)) {
			prim_buf_put(&joined, name);
			prim_buf_putc(&joined, ';');
		}
		if (!prim_slice_eq(prim_buf_slice(&joined),
			prim_slice_of(CASES[i].joined)))
			fail_msg("%s", CASES[i].name);
		prim_buf_fini(&joined);
	}
}

static void one_crlf_at_the_end_does_not_count(void **state)
{
	(void)state;
	assert_true(prim_slice_eq(br_auth_body_trim(S("a\r\n")), S("a")));
	assert_true(prim_slice_eq(br_auth_body_trim(S("a\r\n\r\n")),
	    S("a\r\n")));
	assert_true(prim_slice_eq(br_auth_body_trim(S("a\n")), S("a\n")));
	assert_true(prim_slice_eq(br_auth_body_trim(S("")), S("")));
}

static void plain_has_two_forms(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		struct prim_slice body;
		bool ok;
		struct prim_slice authzid, user, password;
	} CASES[] = {
		{ "lines", { "a@b\r\npw", 7 }, true, { "", 0 }, { "a@b", 3 },
		    { "pw", 2 } },
		{ "CRLF in the password", { "a@b\r\np\r\nw", 9 }, true,
		    { "", 0 }, { "a@b", 3 }, { "p\r\nw", 4 } },
		{ "no password", { "a@b\r\n", 5 }, true, { "", 0 },
		    { "a@b", 3 }, { "", 0 } },
		{ "NUL, without authzid", { "\0a@b\0pw", 7 }, true, { "", 0 },
		    { "a@b", 3 }, { "pw", 2 } },
		{ "NUL, with authzid", { "z@b\0a@b\0pw", 10 }, true,
		    { "z@b", 3 }, { "a@b", 3 }, { "pw", 2 } },
		{ "NUL, authzid left out", { "a@b\0pw", 6 }, true, { "", 0 },
		    { "a@b", 3 }, { "pw", 2 } },
		{ "NUL, CRLF in the password", { "\0a@b\0p\r\nw", 9 }, true,
		    { "", 0 }, { "a@b", 3 }, { "p\r\nw", 4 } },
		{ "nothing", { "", 0 }, false, { "", 0 }, { "", 0 },
		    { "", 0 } },
		{ "no separator", { "a@b", 3 }, false, { "", 0 }, { "", 0 },
		    { "", 0 } },
		{ "LF only", { "a@b\npw", 6 }, false, { "", 0 }, { "", 0 },
		    { "", 0 } },
		{ "CR only", { "a@b\rpw", 6 }, false, { "", 0 }, { "", 0 },
		    { "", 0 } },
		{ "a bare CR first", { "a\rb\r\npw", 7 }, false, { "", 0 },
		    { "", 0 }, { "", 0 } },
		{ "three NULs", { "\0a@b\0p\0w", 8 }, false, { "", 0 },
		    { "", 0 }, { "", 0 } },
	};

	/* clang-format on */

	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		struct br_auth_plain plain;
		const bool ok = br_auth_body_plain(CASES[i].body, &plain);

		if (ok != CASES[i].ok)
			fail_msg("%s", CASES[i].name);
		if (!ok)
			continue;
		if (!prim_slice_eq(plain.authzid, CASES[i].authzid) ||
		    !prim_slice_eq(plain.user, CASES[i].user) ||
		    !prim_slice_eq(plain.password, CASES[i].password))
			fail_msg("%s: parts", CASES[i].name);
	}
}

static void a_user_name_is_compared_as_an_address(void **state)
{
	static const struct {
		const char *user, *key;
		bool same;
	} CASES[] = {
		{"ann@here.example",     "ann@here.example", true },
		{ "Ann@HERE.example",    "ann@here.example", true },
		{ "%61nn@here.example",  "ann@here.example", true },
		{ "im:ann@here.example", "ann@here.example", false},
		{ "ann",                 "ann@here.example", false},
		{ "ann@here.example ",   "ann@here.example", false},
		{ "bob@here.example",    "ann@here.example", false},
		{ "",                    "",                 false},
	};

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++)
		if (br_auth_body_names(prim_slice_of(CASES[i].user),
			prim_slice_of(CASES[i].key)) != CASES[i].same)
			fail_msg("%s", CASES[i].user);
}

static void scram_is_printable_and_binds_where_it_should(void **state)
{
	(void)state;
	assert_true(br_auth_body_scram_first(S("n,,n=a,r=b"), false));
	assert_true(br_auth_body_scram_first(S("y,,n=a,r=b"), false));
	assert_false(br_auth_body_scram_first(S("p=tls-exporter,,n=a,r=b"),
	    false));
	assert_false(br_auth_body_scram_first(S("n,,n=a\n,r=b"), false));
	assert_true(br_auth_body_scram_first(S("p=tls-exporter,,n=a,r=b"),
	    true));
	assert_false(br_auth_body_scram_first(S("p=tls-unique,,n=a,r=b"),
	    true));
	assert_false(br_auth_body_scram_first(S("n,,n=a,r=b"), true));
	assert_false(br_auth_body_scram_first(S("y,,n=a,r=b"), true));
	assert_false(br_auth_body_scram_first(S(""), false));
	assert_true(br_auth_body_scram(S("c=biws,r=b,p=YQ==")));
	assert_false(br_auth_body_scram(S("c=biws,r=b,p=YQ==\0")));
	assert_false(br_auth_body_scram(S("c=biws\x7f")));
	assert_false(br_auth_body_scram(S("")));
}

/* ERR-62. */
static void cram_ends_in_a_digest(void **state)
{
#define DIGEST "106d12b16fc323dc2f3d19b587f8d0ff"

	/* clang-format off */
	static const struct {
		const char *name;
		struct prim_slice body;
		const char *user; /* NULL: not one of its forms */
	} CASES[] = {
		{ "CRLF", { "a@b\r\n" DIGEST, 37 }, "a@b" },
		{ "LF", { "a@b\n" DIGEST, 36 }, "a@b" },
		{ "SP", { "a@b " DIGEST, 36 }, "a@b" },
		{ "capitals", { "a@b\r\n106D12B16FC323DC2F3D19B587F8D0FF", 37 },
		    "a@b" },
		{ "two separators", { "a@b \r\n" DIGEST, 38 }, "a@b " },
		{ "no user", { "\r\n" DIGEST, 34 }, "" },
		{ "CR", { "a@b\r" DIGEST, 36 }, NULL },
		{ "HTAB", { "a@b\t" DIGEST, 36 }, NULL },
		{ "no separator", { "a@b" DIGEST, 35 }, NULL },
		{ "a digest too long", { "a@b " DIGEST "0", 37 }, NULL },
		{ "only a digest", { DIGEST, 32 }, NULL },
		{ "a digest too short", { "a@b " DIGEST, 35 }, NULL },
		{ "no hexadecimal",
		    { "a@b g06d12b16fc323dc2f3d19b587f8d0ff", 36 }, NULL },
		{ "a NUL in it",
		    { "a@b 106d12b16fc323dc2f3d19b587f8d0f\0", 36 }, NULL },
		{ "nothing", { "", 0 }, NULL },
	};

	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		struct br_auth_cram out;
		const char *user = CASES[i].user;

		if (br_auth_body_cram(CASES[i].body, &out) != (user != NULL))
			fail_msg("%s", CASES[i].name);
		if (!user)
			continue;
		if (!prim_slice_eq(out.user, prim_slice_of(user)))
			fail_msg("%s: user", CASES[i].name);
		assert_string_equal(out.digest, DIGEST);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mechanisms_are_separated_by_any_run),
		cmocka_unit_test(one_crlf_at_the_end_does_not_count),
		cmocka_unit_test(plain_has_two_forms),
		cmocka_unit_test(a_user_name_is_compared_as_an_address),
		cmocka_unit_test(scram_is_printable_and_binds_where_it_should),
		cmocka_unit_test(cram_ends_in_a_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
