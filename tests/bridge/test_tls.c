/* SPDX-License-Identifier: ISC */
/* TLS connections: how they begin and end. */

#include "tests/bridge/tls_world.h"

/* Reads one octet; what SSL_get_error() says about it. */
static int read_result(struct world *w)
{
	char octet;
	int result;

	ERR_clear_error();
	result = SSL_read(w->client, &octet, 1);
	return result == 1 ? SSL_ERROR_NONE : SSL_get_error(w->client, result);
}

static void octets_go_both_ways_in_each_version(void **state)
{
	static const int VERSIONS[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(VERSIONS); i++) {
		connect_with(w, VERSIONS[i]);
		assert_int_equal(SSL_version(w->client), VERSIONS[i]);
		echo_some(w);
		/* No tickets, no cache: nothing to resume. */
		assert_int_equal(
		    SSL_SESSION_has_ticket(SSL_get_session(w->client)), 0);
		hang_up(w);
	}
}

static void older_versions_are_refused(void **state)
{
	struct world *w = *state;

	call(w, TLS1_1_VERSION);
	SSL_set_min_proto_version(w->client, TLS1_VERSION);
	assert_false(shake_hands(w));
	turn_until(w, BEV_EVENT_ERROR);
	assert_false(br_tls_is_eof(w->server));
	assert_non_null(br_tls_error(w->server));
}

static void both_ends_have_the_same_binding(void **state)
{
	static const int VERSIONS[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct world *w = *state;
	uint8_t ours[BR_TLS_BINDING_LEN], theirs[BR_TLS_BINDING_LEN];

	for (size_t i = 0; i < PRIM_COUNT(VERSIONS); i++) {
		call(w, VERSIONS[i]);
		assert_false(br_tls_binding(w->server, ours));
		assert_true(shake_hands(w));
		assert_true(br_tls_binding(w->server, ours));
		assert_int_equal(SSL_export_keying_material(w->client, theirs,
				     sizeof(theirs), "EXPORTER-Channel-Binding",
				     24, (const unsigned char *)"", 0, 1),
		    1);
		assert_memory_equal(ours, theirs, sizeof(ours));
		hang_up(w);
	}
}

/* The exporter of TLS 1.2 names one connection only where the master secret
 * does (RFC 7627). */
static void there_is_no_binding_without_an_extended_master_secret(void **state)
{
	struct world *w = *state;
	uint8_t ours[BR_TLS_BINDING_LEN];

	call(w, TLS1_2_VERSION);
	SSL_set_options(w->client, SSL_OP_NO_EXTENDED_MASTER_SECRET);
	assert_true(shake_hands(w));
	assert_false(br_tls_binding(w->server, ours));
}

static void the_bye_is_said(void **state)
{
	struct world *w = *state;

	connect_with(w, TLS1_3_VERSION);
	br_tls_bye(w->server);
	bufferevent_free(w->server);
	w->server = NULL;
	turn(w);
	assert_int_equal(read_result(w), SSL_ERROR_ZERO_RETURN);
	hang_up(w);

	connect_with(w, TLS1_3_VERSION);
	bufferevent_free(w->server);
	w->server = NULL;
	turn(w);
	assert_int_equal(read_result(w), SSL_ERROR_SSL);
}

static void a_peer_that_just_closes_is_at_its_end(void **state)
{
	struct world *w = *state;

	connect_with(w, TLS1_3_VERSION);
	close(w->client_fd);
	w->client_fd = -1;
	turn_until(w, BEV_EVENT_ERROR | BEV_EVENT_EOF);
	assert_true(br_tls_is_eof(w->server));
	assert_non_null(br_tls_error(w->server));
	/* Whatever is asked first, and however often. */
	assert_true(br_tls_is_eof(w->server));
	hang_up(w);

	connect_with(w, TLS1_3_VERSION);
	SSL_shutdown(w->client);
	turn_until(w, BEV_EVENT_EOF);
	assert_false(w->events & BEV_EVENT_ERROR);
	assert_false(br_tls_is_eof(w->server));
}

static void garbage_is_an_error_with_a_sentence(void **state)
{
	struct world *w = *state;

	call(w, TLS1_3_VERSION);
	assert_null(br_tls_error(w->server));
	assert_int_equal(write(w->client_fd, "LOGIN PP 1\r\n\r\n", 14), 14);
	turn_until(w, BEV_EVENT_ERROR);
	assert_non_null(br_tls_error(w->server));
	assert_false(br_tls_is_eof(w->server));
	br_tls_bye(w->server);
}

static void a_plain_connection_is_left_alone(void **state)
{
	struct world *w = *state;
	struct bufferevent *plain = bufferevent_socket_new(w->base, -1, 0);
	uint8_t binding[BR_TLS_BINDING_LEN];

	br_tls_bye(plain);
	assert_false(br_tls_is_eof(plain));
	assert_null(br_tls_error(plain));
	assert_false(br_tls_binding(plain, binding));
	bufferevent_free(plain);
}

/* What makes BEV_OPT_DEFER_CALLBACKS unnecessary. */
static void no_callback_comes_from_inside_a_call(void **state)
{
	static const char TEXT[32768];
	struct world *w = *state;

	connect_with(w, TLS1_3_VERSION);
	SSL_write(w->client, "hello", 5);
	close(w->client_fd);
	w->client_fd = -1;
	w->inside = true;
	bufferevent_disable(w->server, EV_READ);
	bufferevent_enable(w->server, EV_READ);
	for (unsigned i = 0; i < 10; i++)
		bufferevent_write(w->server, TEXT, sizeof(TEXT));
	br_tls_bye(w->server);
	w->inside = false;
	assert_false(w->reentered);
	turn_until(w, BEV_EVENT_ERROR | BEV_EVENT_EOF);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(octets_go_both_ways_in_each_version),
		TEST(older_versions_are_refused),
		TEST(both_ends_have_the_same_binding),
		TEST(there_is_no_binding_without_an_extended_master_secret),
		TEST(the_bye_is_said),
		TEST(a_peer_that_just_closes_is_at_its_end),
		TEST(garbage_is_an_error_with_a_sentence),
		TEST(a_plain_connection_is_left_alone),
		TEST(no_callback_comes_from_inside_a_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
