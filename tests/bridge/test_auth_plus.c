/* SPDX-License-Identifier: ISC */
/* SCRAM-SHA-256-PLUS, and what is done against hiding it. */

#include "tests/bridge/auth_world.h"

#include "bridge/tls.h"

#define PLUS  "SCRAM-SHA-256-PLUS"
#define SCRAM "SCRAM-SHA-256"

static const uint8_t BINDING[BR_TLS_BINDING_LEN] = { 1, 2, 0, 255, 4 };
static const uint8_t OTHER[BR_TLS_BINDING_LEN] = { 1, 2, 0, 255, 5 };

/* On a connection whose binding is BINDING, unless it is in clear text. */
static void begin_bound(struct auth_world *w, const char *mechanisms,
    struct prim_slice body)
{
	struct br_auth_start start = start_of(ANN, mechanisms, body);

	start.binding = BINDING;
	begin_with(w, &start);
}

static void bind_client(struct scram *s, const uint8_t *binding)
{
	char *text = NULL;

	assert_int_equal(gsasl_base64_to((const char *)binding,
			     BR_TLS_BINDING_LEN, &text, NULL),
	    GSASL_OK);
	gsasl_property_set(s->session, GSASL_CB_TLS_EXPORTER, text);
	gsasl_free(text);
}

/* A whole login; `binding` is what the client sees, or NULL. */
static enum br_auth_outcome login(struct auth_world *w, const char *mechanism,
    const uint8_t *binding, const char *password)
{
	struct scram s;

	scram_open_as(&s, mechanism, ANN, password);
	if (binding)
		bind_client(&s, binding);
	begin_bound(w, mechanism, scram_step(&s, PRIM_SLICE_NONE));
	await(w);
	if (w->outcome == BR_AUTH_CHALLENGE) {
		go_on(w, mechanism, scram_step(&s, data_of(w)));
		await(w);
	}
	if (w->outcome == BR_AUTH_OK) {
		(void)scram_step(&s, data_of(w));
		assert_int_equal(s.result, GSASL_OK);
	}
	scram_close(&s);
	return w->outcome;
}

static void who_sees_the_same_connection_logs_in(void **state)
{
	struct auth_world *w = *state;

	assert_int_equal(login(w, PLUS, BINDING, SESAME), BR_AUTH_OK);
	assert_string_equal(w->mechanism, PLUS);
	assert_null(w->x);
}

static void another_connection_or_password_fails_at_the_end(void **state)
{
	struct auth_world *w = *state;

	assert_int_equal(login(w, PLUS, OTHER, SESAME), BR_AUTH_FAILED);
	assert_int_equal(w->data_len, 0);
	assert_int_equal(login(w, PLUS, BINDING, "wrong"), BR_AUTH_FAILED);
	assert_int_equal(w->data_len, 0);
}

/* A client who can bind says "y" when he was told that we cannot. (libgsasl's
 * client never does.) */
static void hiding_the_binding_from_the_client_is_noticed(void **state)
{
	struct prim_slice could = PRIM_SLICE("y,,n=" ANN ",r=abc");
	struct auth_world *w = *state;
	struct br_config config = w->config;

	begin_bound(w, SCRAM, could);
	expect(w, BR_AUTH_FAILED);
	begin_bound(w, SCRAM " PLAIN", PRIM_SLICE_NONE);
	expect(w, BR_AUTH_CHALLENGE);
	go_on(w, SCRAM, could);
	expect(w, BR_AUTH_FAILED);
	/* Who cannot bind is welcome. */
	assert_int_equal(login(w, SCRAM, NULL, SESAME), BR_AUTH_OK);
	/* So is who can, where we do not. */
	config.mechanisms &= ~(unsigned)BR_MECH_SCRAM_SHA_256_PLUS;
	br_auth_configure(w->auth, &config);
	begin_bound(w, SCRAM, could);
	expect(w, BR_AUTH_CHALLENGE);
}

static void first_messages_of_both_kinds(void **state)
{
	static const struct {
		const char *name, *mechanism, *body;
		bool ok;
	} CASES[] = {
		{"bound",                     PLUS,  "p=tls-exporter,,n=" ANN ",r=abc", true },
		{ "bound, authzid",           PLUS,
                 "p=tls-exporter,a=" ANN ",n=" ANN ",r=abc",                            true },
		{ "bound, another's authzid", PLUS,
                 "p=tls-exporter,a=" ODD ",n=" ANN ",r=abc",                            false},
		{ "bound, another's name",    PLUS,
                 "p=tls-exporter,,n=bob@here.example,r=abc",                            false},
		{ "bound by unique",          PLUS,  "p=tls-unique,,n=" ANN ",r=abc",
                 false								       },
		{ "bound by end point",       PLUS,
                 "p=tls-server-end-point,,n=" ANN ",r=abc",                             false},
		{ "PLUS, not bound",          PLUS,  "n,,n=" ANN ",r=abc",              false},
		{ "PLUS, could bind",         PLUS,  "y,,n=" ANN ",r=abc",              false},
		{ "not bound",                SCRAM, "n,,n=" ANN ",r=abc",              true },
		{ "could bind",               SCRAM, "y,,n=" ANN ",r=abc",              false},
		{ "bound without PLUS",       SCRAM,
                 "p=tls-exporter,,n=" ANN ",r=abc",                                     false},
	};
	struct auth_world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		begin_bound(w, CASES[i].mechanism,
		    prim_slice_of(CASES[i].body));
		await(w);
		if (w->outcome !=
		    (CASES[i].ok ? BR_AUTH_CHALLENGE : BR_AUTH_FAILED))
			fail_msg("%s: %d", CASES[i].name, w->outcome);
		w->x = br_auth_cancel(w->x);
		w->now_ms += 60000;
	}
}

static void it_is_chosen_where_there_is_a_binding(void **state)
{
	struct auth_world *w = *state;

	begin_bound(w, PLUS " " SCRAM, PRIM_SLICE_NONE);
	expect(w, BR_AUTH_CHALLENGE);
	assert_string_equal(w->mechanism, PLUS);
	w->x = br_auth_cancel(w->x);
	begin(w, ANN, PLUS " " SCRAM, PRIM_SLICE_NONE);
	expect(w, BR_AUTH_CHALLENGE);
	assert_string_equal(w->mechanism, SCRAM);
	w->x = br_auth_cancel(w->x);
	begin(w, ANN, PLUS, PRIM_SLICE_NONE);
	expect(w, BR_AUTH_NO_MECHANISM);
}

/* PRIM-100. */
static void who_is_not_here_fails_as_late(void **state)
{
	struct auth_world *w = *state;
	struct br_auth_start start = start_of(NOBODY, PLUS, PRIM_SLICE_NONE);
	struct scram s;

	scram_open_as(&s, PLUS, NOBODY, SESAME);
	bind_client(&s, BINDING);
	start.binding = BINDING;
	start.body = scram_step(&s, PRIM_SLICE_NONE);
	begin_with(w, &start);
	expect(w, BR_AUTH_CHALLENGE);
	go_on(w, PLUS, scram_step(&s, data_of(w)));
	expect(w, BR_AUTH_FAILED);
	assert_string_equal(w->mechanism, PLUS);
	scram_close(&s);
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, auth_set_up, auth_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(who_sees_the_same_connection_logs_in),
		TEST(another_connection_or_password_fails_at_the_end),
		TEST(hiding_the_binding_from_the_client_is_noticed),
		TEST(first_messages_of_both_kinds),
		TEST(it_is_chosen_where_there_is_a_binding),
		TEST(who_is_not_here_fails_as_late),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
