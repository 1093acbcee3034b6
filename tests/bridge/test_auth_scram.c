/* SPDX-License-Identifier: ISC */
/* SCRAM-SHA-256 in LOGIN, with libgsasl as the client. */

#include "tests/bridge/auth_world.h"

#include "prim/buf.h"

#define SCRAM "SCRAM-SHA-256"

/* clang-format off */
#define BODY(text) { (text), sizeof(text) - 1 }

/* clang-format on */

/* Up to the server's first message. */
static void say_first(struct auth_world *w, struct scram *s, const char *key)
{
	begin(w, key, SCRAM, scram_step(s, PRIM_SLICE_NONE));
	expect(w, BR_AUTH_CHALLENGE);
}

static enum br_auth_outcome login(struct auth_world *w, const char *user,
    const char *password)
{
	struct scram s;

	scram_open(&s, user, password);
	say_first(w, &s, user);
	go_on(w, SCRAM, scram_step(&s, data_of(w)));
	await(w);
	scram_close(&s);
	return w->outcome;
}

static void a_client_logs_in_and_knows_us(void **state)
{
	struct auth_world *w = *state;
	struct scram s;

	scram_open(&s, ANN, SESAME);
	say_first(w, &s, ANN);
	assert_string_equal(w->mechanism, SCRAM);
	go_on(w, SCRAM, scram_step(&s, data_of(w)));
	expect(w, BR_AUTH_OK);
	assert_null(w->x);
	assert_true(prim_slice_starts(data_of(w), PRIM_SLICE("v=")));
	(void)scram_step(&s, data_of(w));
	assert_int_equal(s.result, GSASL_OK);
	scram_close(&s);
}

static void a_first_message_may_come_when_asked_for(void **state)
{
	struct auth_world *w = *state;
	struct scram s;

	scram_open(&s, ANN, SESAME);
	begin(w, ANN, SCRAM " PLAIN", PRIM_SLICE_NONE);
	expect(w, BR_AUTH_CHALLENGE);
	assert_int_equal(w->data_len, 0);
	go_on(w, SCRAM, scram_step(&s, PRIM_SLICE_NONE));
	expect(w, BR_AUTH_CHALLENGE);
	go_on(w, SCRAM, scram_step(&s, data_of(w)));
	expect(w, BR_AUTH_OK);
	scram_close(&s);
}

/* ERR-63. */
static void a_crlf_behind_each_message_does_not_matter(void **state)
{
	struct auth_world *w = *state;
	struct prim_buf body = { 0 };
	struct scram s;

	scram_open(&s, ANN, SESAME);
	prim_buf_put(&body, scram_step(&s, PRIM_SLICE_NONE));
	prim_buf_puts(&body, "\r\n");
	begin(w, ANN, SCRAM, prim_buf_slice(&body));
	expect(w, BR_AUTH_CHALLENGE);
	prim_buf_reset(&body);
	prim_buf_put(&body, scram_step(&s, data_of(w)));
	prim_buf_puts(&body, "\r\n");
	go_on(w, SCRAM, prim_buf_slice(&body));
	expect(w, BR_AUTH_OK);
	prim_buf_fini(&body);
	scram_close(&s);
}

static void names_are_compared_as_addresses(void **state)
{
	struct auth_world *w = *state;
	struct scram s;

	assert_int_equal(login(w, ODD, SESAME), BR_AUTH_OK);
	scram_open(&s, "ANN@Here.example", SESAME);
	gsasl_property_set(s.session, GSASL_AUTHZID, "%61nn@here.example");
	say_first(w, &s, ANN);
	go_on(w, SCRAM, scram_step(&s, data_of(w)));
	expect(w, BR_AUTH_OK);
	scram_close(&s);
}

static void first_messages_that_fail_at_once(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		struct prim_slice body;
		bool ok;
	} CASES[] = {
		{ "right", BODY("n,,n=" ANN ",r=abc"), true },
		{ "could bind, if we could", BODY("y,,n=" ANN ",r=abc"), true },
		{ "authzid", BODY("n,a=" ANN ",n=" ANN ",r=abc"), true },
		{ "an extension", BODY("n,,n=" ANN ",r=abc,x=y"), true },
		{ "wants binding", BODY("p=tls-exporter,,n=" ANN ",r=abc"),
		    false },
		{ "wants unique", BODY("p=tls-unique,,n=" ANN ",r=abc"),
		    false },
		{ "another's name", BODY("n,,n=bob@here.example,r=abc"),
		    false },
		{ "another's authzid",
		    BODY("n,a=bob@here.example,n=" ANN ",r=abc"), false },
		{ "with a scheme", BODY("n,,n=im:" ANN ",r=abc"), false },
		{ "a bad escape", BODY("n,,n==41nn@here.example,r=abc"),
		    false },
		{ "no name", BODY("n,,r=abc"), false },
		{ "the empty name", BODY("n,,n=,r=abc"), false },
		{ "no nonce", BODY("n,,n=" ANN), false },
		{ "the empty nonce", BODY("n,,n=" ANN ",r="), false },
		{ "what must be understood", BODY("n,,m=x,n=" ANN ",r=abc"),
		    false },
		{ "a NUL", BODY("n,,n=" ANN "\0,r=abc"), false },
		{ "a NUL behind", BODY("n,,n=" ANN ",r=abc\0"), false },
		{ "an LF", BODY("n,,n=" ANN ",r=a\nbc"), false },
		{ "only CRLF", BODY("\r\n"), false },
		{ "another language", BODY("hello"), false },
		{ "PLAIN's", BODY(ANN "\r\n" SESAME), false },
	};
	/* clang-format on */
	struct auth_world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		begin(w, ANN, SCRAM, CASES[i].body);
		await(w);
		if (w->outcome !=
		    (CASES[i].ok ? BR_AUTH_CHALLENGE : BR_AUTH_FAILED))
			fail_msg("%s: %d", CASES[i].name, w->outcome);
		if (!CASES[i].ok && (w->x || w->data_len))
			fail_msg("%s: said something", CASES[i].name);
		w->x = br_auth_cancel(w->x);
		w->now_ms += 60000;
	}
}

/* `%s` becomes the nonce of the server. */
static void last_messages_that_fail(void **state)
{
	static const char PROOF[] =
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

	static const struct {
		const char *name, *before, *behind;
	} CASES[] = {
		{"nothing",         NULL,         NULL     },
		{ "no proof",       "c=biws,r=",  ""       },
		{ "an empty proof", "c=biws,r=",  ",p="    },
		{ "a short proof",  "c=biws,r=",  ",p=YQ=="},
		{ "no base64",      "c=biws,r=",  ",p=!"   },
		{ "a wrong proof",  "c=biws,r=",  ",p=P"   },
		{ "another nonce",  "c=biws,r=x", ",p=P"   },
		{ "another header", "c=eSws,r=",  ",p=P"   },
		{ "no header",      "r=",         ",p=P"   },
		{ "an LF",          "c=biws,r=",  "\n,p=P" },
	};
	struct auth_world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		char text[512] = "";
		const char *comma;

		begin(w, ANN, SCRAM, PRIM_SLICE("n,,n=" ANN ",r=abc"));
		expect(w, BR_AUTH_CHALLENGE);
		comma = strchr(w->data, ',');
		if (CASES[i].before)
			(void)snprintf(text, sizeof(text), "%s%.*s%s%s",
			    CASES[i].before, (int)(comma - w->data - 2),
			    w->data + 2, CASES[i].behind,
			    strstr(CASES[i].behind, "=P") ? PROOF : "");
		go_on(w, SCRAM, prim_slice_of(text));
		await(w);
		if (w->outcome != BR_AUTH_FAILED || w->data_len || w->x)
			fail_msg("%s: %d", CASES[i].name, w->outcome);
		w->now_ms += 60000;
	}
}

static void a_wrong_password_fails_at_the_end(void **state)
{
	struct auth_world *w = *state;

	assert_int_equal(login(w, ANN, "wrong"), BR_AUTH_FAILED);
	assert_int_equal(w->data_len, 0);
	assert_int_equal(login(w, ANN, SESAME), BR_AUTH_OK);
}

static void a_last_message_cannot_be_used_again(void **state)
{
	struct auth_world *w = *state;
	struct prim_buf last = { 0 };
	struct scram s;

	scram_open(&s, ANN, SESAME);
	say_first(w, &s, ANN);
	prim_buf_put(&last, scram_step(&s, data_of(w)));
	go_on(w, SCRAM, prim_buf_slice(&last));
	expect(w, BR_AUTH_OK);
	begin(w, ANN, SCRAM, PRIM_SLICE("n,,n=" ANN ",r=abc"));
	expect(w, BR_AUTH_CHALLENGE);
	go_on(w, SCRAM, prim_buf_slice(&last));
	expect(w, BR_AUTH_FAILED);
	prim_buf_fini(&last);
	scram_close(&s);
}

/* What stands behind the nonce: ",s=SALT,i=COUNT". */
static void salt_of(struct auth_world *w, const char *user, char out[128])
{
	struct prim_buf body = { 0 };

	prim_buf_putf(&body, "n,,n=%s,r=abc", user);
	begin(w, user, SCRAM, prim_buf_slice(&body));
	expect(w, BR_AUTH_CHALLENGE);
	(void)snprintf(out, 128, "%s", strchr(w->data, ','));
	w->x = br_auth_cancel(w->x);
	prim_buf_fini(&body);
}

/* PRIM-100. */
static void who_is_not_here_looks_like_who_is(void **state)
{
	struct auth_world *w = *state;
	char ann[128], zoe[128], again[128], max[128];
	unsigned iterations;

	salt_of(w, ANN, ann);
	salt_of(w, NOBODY, zoe);
	salt_of(w, NOBODY, again);
	salt_of(w, "max@here.example", max);
	assert_string_equal(zoe, again);
	assert_string_not_equal(zoe, max);
	assert_int_equal(strlen(zoe), strlen(ann));
	assert_int_equal(sscanf(zoe, ",s=%*24c,i=%u", &iterations), 1);
	assert_string_equal(strstr(zoe, ",i="), strstr(ann, ",i="));
	assert_int_equal(login(w, NOBODY, SESAME), BR_AUTH_FAILED);
	assert_int_equal(w->data_len, 0);
	assert_string_equal(w->mechanism, SCRAM);
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, auth_set_up, auth_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_client_logs_in_and_knows_us),
		TEST(a_first_message_may_come_when_asked_for),
		TEST(a_crlf_behind_each_message_does_not_matter),
		TEST(names_are_compared_as_addresses),
		TEST(first_messages_that_fail_at_once),
		TEST(last_messages_that_fail),
		TEST(a_wrong_password_fails_at_the_end),
		TEST(a_last_message_cannot_be_used_again),
		TEST(who_is_not_here_looks_like_who_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
