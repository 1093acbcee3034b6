/* SPDX-License-Identifier: ISC */
/* CRAM-MD5 in LOGIN, and what becomes of the secrets it needs. */

#include "tests/bridge/auth_world.h"

#include "bridge/auth_mechanism.h"
#include "prim/buf.h"

#define CRAM      "CRAM-MD5"
#define PAT       "pat@here.example"
#define CHALLENGE "<20010226095208.1018677043.foo1.bar.fujitsu.com>"

static int set_up(void **state)
{
	struct auth_world *w;

	auth_set_up(state);
	w = *state;
	br_store_settle(w->in.store); /* what a start without CRAM-MD5 does */
	w->config.mechanisms |= BR_MECH_CRAM_MD5;
	br_auth_configure(w->auth, &w->config);
	add_account_with(w, PAT, "hi there!");
	return 0;
}

/* Asks, and answers with "USER, separator, the digest of `password`". */
static enum br_auth_outcome login(struct auth_world *w, const char *key,
    const char *user, const char *password)
{
	char digest[BR_AUTH_CRAM_LEN + 1];
	struct prim_buf body = { 0 };
	Gsasl *gsasl = NULL;

	begin(w, key, CRAM, PRIM_SLICE_NONE);
	expect(w, BR_AUTH_CHALLENGE);
	assert_int_equal(gsasl_init(&gsasl), GSASL_OK);
	assert_true(br_auth_cram_digest(gsasl, data_of(w), password, digest));
	gsasl_done(gsasl);
	prim_buf_putf(&body, "%s\r\n%s", user, digest);
	go_on(w, CRAM, prim_buf_slice(&body));
	await(w);
	prim_buf_fini(&body);
	return w->outcome;
}

static void digests_are_those_of_the_texts(void **state)
{
	static const struct {
		const char *challenge, *password, *digest;
	} CASES[] = {
		{CHALLENGE,				     "hi there!", "106d12b16fc323dc2f3d19b587f8d0ff"},
		{ "<1896.697170952@postoffice.reston.mci.net>",
                 "tanstaaftanstaaf",					 "b913a602c7eda7a495b4e6e7334d3890"},
	};

	Gsasl *gsasl = NULL;
	char digest[BR_AUTH_CRAM_LEN + 1];

	(void)state;
	assert_int_equal(gsasl_init(&gsasl), GSASL_OK);
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		assert_true(br_auth_cram_digest(gsasl,
		    prim_slice_of(CASES[i].challenge), CASES[i].password,
		    digest));
		assert_string_equal(digest, CASES[i].digest);
	}
	gsasl_done(gsasl);
}

static void a_client_logs_in(void **state)
{
	struct auth_world *w = *state;

	assert_int_equal(login(w, PAT, PAT, "hi there!"), BR_AUTH_OK);
	assert_string_equal(w->mechanism, CRAM);
	assert_int_equal(w->data_len, 0);
	assert_null(w->x);
	assert_int_equal(login(w, PAT, "%50at@HERE.example", "hi there!"),
	    BR_AUTH_OK);
}

/* PRIM-100: all of them after the same steps. */
static void all_that_is_wrong_fails_alike(void **state)
{
	static const struct {
		const char *name, *key, *user, *password;
	} CASES[] = {
		{"wrong password",       PAT,    PAT,       "hi there" },
		{ "another's name",      PAT,    ANN,       "hi there!"},
		{ "with a scheme",       PAT,    "im:" PAT, "hi there!"},
		{ "no name",             PAT,    "",        "hi there!"},
		{ "a name of two lines", PAT,    PAT "\r",  "hi there!"},
		{ "no secret is kept",   ANN,    ANN,       SESAME     },
		{ "what stands for it",  ANN,    ANN,       "nobody's" },
		{ "not here",            NOBODY, NOBODY,    "hi there!"},
		{ "not here, stand-in",  NOBODY, NOBODY,    "nobody's" },
	};
	struct auth_world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		if (login(w, CASES[i].key, CASES[i].user, CASES[i].password) !=
		    BR_AUTH_FAILED)
			fail_msg("%s: %d", CASES[i].name, w->outcome);
		if (w->x || w->data_len || strcmp(w->mechanism, CRAM) != 0)
			fail_msg("%s: answer", CASES[i].name);
		w->now_ms += 60000;
	}
}

static void answers_are_taken_in_their_forms_only(void **state)
{
#define RIGHT "106d12b16fc323dc2f3d19b587f8d0ff"

	static const struct {
		const char *name, *body;
		bool ok;
	} CASES[] = {
		{"CRLF",              PAT "\r\n" RIGHT,                           true },
		{ "LF",               PAT "\n" RIGHT,                             true },
		{ "SP",               PAT " " RIGHT,                              true },
		{ "a CRLF behind",    PAT "\r\n" RIGHT "\r\n",                    true },
		{ "capitals",         PAT "\r\n106D12B16FC323DC2F3D19B587F8D0FF",
                 true								  },
		{ "two CRLFs behind", PAT "\r\n" RIGHT "\r\n\r\n",                false},
		{ "the last digit",   PAT "\r\n106d12b16fc323dc2f3d19b587f8d0fe",
                 false								 },
		{ "the first digit",  PAT "\r\n006d12b16fc323dc2f3d19b587f8d0ff",
                 false								 },
		{ "no separator",     PAT RIGHT,                                  false},
		{ "two separators",   PAT " \r\n" RIGHT,                          false},
		{ "only a digest",    RIGHT,                                      false},
		{ "nothing",          "",					 false},
		{ "PLAIN's",          PAT "\r\nhi there!",                        false},
	};
	struct auth_world *w = *state;

	br_auth_set_challenge(w->auth, CHALLENGE);
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		begin(w, PAT, CRAM, PRIM_SLICE_NONE);
		expect(w, BR_AUTH_CHALLENGE);
		assert_string_equal(w->data, CHALLENGE);
		go_on(w, CRAM, prim_slice_of(CASES[i].body));
		await(w);
		if (w->outcome != (CASES[i].ok ? BR_AUTH_OK : BR_AUTH_FAILED))
			fail_msg("%s: %d", CASES[i].name, w->outcome);
		w->now_ms += 60000;
	}
}

static void an_answer_before_the_challenge_fails(void **state)
{
	struct auth_world *w = *state;

	begin(w, PAT, CRAM, PRIM_SLICE(PAT "\r\n" RIGHT));
	expect(w, BR_AUTH_FAILED);
	/* ERR-51: it was none. */
	begin(w, PAT, CRAM " PLAIN", PRIM_SLICE(PAT "\r\n" RIGHT));
	expect(w, BR_AUTH_CHALLENGE);
	assert_string_equal(w->mechanism, CRAM);
	assert_true(w->data_len > 0);
}

/* PRIM-105. */
static void challenges_are_never_the_same(void **state)
{
	struct auth_world *w = *state;
	char before[sizeof(w->data)] = "";

	for (unsigned i = 0; i < 4; i++) {
		unsigned long long a, b;
		char host[32];

		begin(w, PAT, CRAM, PRIM_SLICE_NONE);
		expect(w, BR_AUTH_CHALLENGE);
		assert_int_equal(sscanf(w->data, "<%20llu.%20llu@%31[^>]>", &a,
				     &b, host),
		    3);
		assert_string_equal(host, "here.example");
		assert_int_equal(w->data[w->data_len - 1], '>');
		assert_string_not_equal(w->data, before);
		(void)snprintf(before, sizeof(before), "%s", w->data);
		w->x = br_auth_cancel(w->x);
	}
}

static void it_is_slowed_down_like_the_others(void **state)
{
	struct auth_world *w = *state;

	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(login(w, PAT, PAT, "wrong"), BR_AUTH_FAILED);
	begin(w, PAT, CRAM, PRIM_SLICE_NONE);
	expect(w, BR_AUTH_CHALLENGE);
	go_on(w, CRAM, PRIM_SLICE(PAT " " RIGHT));
	br_store_settle(w->in.store);
	turn(w);
	assert_int_equal(w->answers, 0);
	w->x = br_auth_cancel(w->x);
}

/* ---- secrets ---- */

static struct prim_buf lines;

static void on_line(void *arg, struct prim_slice line)
{
	(void)arg;
	prim_buf_put(&lines, prim_slice_from(line, 25)); /* the time */
	prim_buf_putc(&lines, '\n');
}

static void start_again(struct auth_world *w)
{
	struct br_auth *old = w->auth;

	prim_buf_reset(&lines);
	br_log_set_sink(on_line, NULL);
	w->auth = br_auth_new(w->in.base, w->in.store, &w->config);
	br_auth_set_clock(w->auth, auth_clock, w);
	br_store_settle(w->in.store);
	br_log_set_sink(world_hush, NULL);
	br_auth_free(old);
}

static void secrets_are_forgotten_where_it_is_not_listed(void **state)
{
	struct auth_world *w = *state;

	start_again(w);
	assert_int_equal(lines.len, 0);
	assert_int_equal(login(w, PAT, PAT, "hi there!"), BR_AUTH_OK);

	w->config.mechanisms &= ~(unsigned)BR_MECH_CRAM_MD5;
	start_again(w);
	prim_buf_putc(&lines, '\0');
	assert_string_equal(lines.ptr,
	    "info auth: secrets purged mechanism=CRAM-MD5 accounts=1 "
	    "reason=\"not listed in auth.mechanisms\"\n");
	begin(w, PAT, CRAM, PRIM_SLICE_NONE);
	expect(w, BR_AUTH_NO_MECHANISM);
	start_again(w);
	assert_int_equal(lines.len, 0);

	w->config.mechanisms |= BR_MECH_CRAM_MD5;
	start_again(w);
	assert_int_equal(login(w, PAT, PAT, "hi there!"), BR_AUTH_FAILED);
	begin(w, PAT, "PLAIN", PRIM_SLICE(PAT "\r\n" SESAME));
	expect(w, BR_AUTH_OK);
	prim_buf_fini(&lines);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, auth_tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digests_are_those_of_the_texts),
		TEST(a_client_logs_in),
		TEST(all_that_is_wrong_fails_alike),
		TEST(answers_are_taken_in_their_forms_only),
		TEST(an_answer_before_the_challenge_fails),
		TEST(challenges_are_never_the_same),
		TEST(it_is_slowed_down_like_the_others),
		TEST(secrets_are_forgotten_where_it_is_not_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
