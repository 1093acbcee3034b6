/* SPDX-License-Identifier: ISC */
/* A changed configuration: what is taken over, and what is only told. */

#include "tests/lib/t.h"

#include <stdio.h>
#include <string.h>

#include "bridge/reload.h"
#include "prim/base.h"
#include "prim/buf.h"

static struct prim_buf said;

static void hear(void *arg, struct prim_slice line)
{
	(void)arg;
	prim_buf_put(&said, prim_slice_from(line, 25));
	prim_buf_putc(&said, '\n');
}

static struct br_config *parse(const char *text)
{
	struct br_err err = { .text = "" };
	struct prim_buf b = { 0 };
	struct br_config *c;

	prim_buf_putf(&b, "domains: [a.example]\n%s", text);
	c = br_config_parse("t.yaml", prim_buf_slice(&b), NULL, &err);
	prim_buf_fini(&b);
	if (!c)
		fail_msg("%s", err.text);
	return c;
}

/* Adopts `fresh` into what `old` says; the result is the caller's. What was
 * said about it must be `expected`. */
static struct br_config *adopt(const char *old, const char *fresh,
    const char *expected)
{
	struct br_config *live = parse(old), *config = parse(fresh);
	struct br_log log;
	char *text;

	br_log_init(&log, NULL, "t");
	br_log_set_sink(hear, NULL);
	br_reload_adopt(live, config, &log);
	br_log_set_sink(NULL, NULL);
	br_config_free(config);
	text = prim_buf_steal(&said);
	assert_string_equal(text, expected);
	prim_free(text);
	return live;
}

static void limits_and_delivery_change_at_once(void **state)
{
	struct br_config *c = adopt("",
	    "limits: { presence: 32KiB, connections: 7, offline_messages: 3,\n"
	    "  connections_per_address: 2, queue_messages: 40, queue: 1MiB }\n"
	    "delivery: { answer_within: 1s, give_up_after: 1h,\n"
	    "  notices: asked }\n"
	    "disclosure: hide\n"
	    "default_acl: { own_domain: [send], everyone: [] }\n",
	    "");

	(void)state;
	assert_int_equal(c->limit_presence, 32 * 1024);
	assert_int_equal(c->limit_connections, 7);
	assert_int_equal(c->limit_connections_per_address, 2);
	assert_int_equal(c->limit_offline_messages, 3);
	assert_int_equal(c->limit_queue_messages, 40);
	assert_int_equal(c->limit_queue, 1024 * 1024);
	assert_int_equal(c->answer_within_ms, 1000);
	assert_int_equal(c->give_up_after_ms, 3600000);
	assert_false(c->notices_always);
	assert_true(c->disclosure_hide);
	assert_int_equal(c->acl_own_domain, BR_RIGHT_SEND);
	assert_int_equal(c->acl_everyone, 0);
	br_config_free(c);
}

static void a_route_that_is_the_same_gets_its_new_pauses(void **state)
{
	struct br_config *c = adopt(
	    "routes:\n"
	    "  - { domain: b, via: echo, retry: [1s, 2s], give_up_after: 2h }\n"
	    "  - { domain: c, via: echo }\n",
	    "routes:\n"
	    "  - { domain: b, via: echo }\n"
	    "  - { domain: c, via: echo, retry: [7s], give_up_after: 3h }\n",
	    "");

	(void)state;
	assert_int_equal(c->routes[0].retry_count, 0);
	assert_int_equal(c->routes[0].give_up_after_ms, 0);
	assert_int_equal(c->routes[1].retry_count, 1);
	assert_int_equal(c->routes[1].retry_s[0], 7);
	assert_int_equal(c->routes[1].give_up_after_ms, 3 * 3600000);
	br_config_free(c);
}

/* Routes that are not the same stay as they are, with all that is theirs. */
static void other_routes_wait_for_the_next_start(void **state)
{
	struct br_config *c =
	    adopt("routes: [{ domain: b, via: echo, retry: [1s] }]\n",
		"routes: [{ domain: c, via: echo, retry: [9s] }]\n",
		"warn t: changed, but needs a restart key=routes\n");

	(void)state;
	assert_string_equal(c->routes[0].domain, "b");
	assert_int_equal(c->routes[0].retry_s[0], 1);
	br_config_free(c);
	c = adopt("routes: [{ domain: b, via: echo, retry: [1s] }]\n", "",
	    "warn t: changed, but needs a restart key=routes\n");
	assert_int_equal(c->route_count, 1);
	assert_int_equal(c->routes[0].retry_s[0], 1);
	br_config_free(c);
}

/* clang-format off: a table of texts needs no columns. */
static const struct {
	const char *key;
	const char *old, *fresh;
} RESTARTS[] = {
	{"data_dir",                "data_dir: a\n", "data_dir: b\n"                                    },
	{ "user",		   "",              "user: b\n"					},
	{ "listen",                 "",              "listen: [{ address: 127.0.0.1:1 }]\n"             },
	{ "adapters",               "",              "adapters: [{ name: x, plugin: x }]\n"             },
	{ "auth",		   "",              "auth: { mechanisms: [PLAIN] }\n"                  },
	{ "admin",                  "",              "admin: { listen: 127.0.0.1:1 }\n"                 },
	{ "tls",		    "",              "tls: { certificate: /dev/null, key: /dev/null }\n"},
	{ "delivery.offline_store", "",
         "delivery: { offline_store: false }\n"							 },
	{ "limits.body",            "",              "limits: { body: 2MiB }\n"                         },
	{ "history",                "",              "history: h\n"                                     },
	{ "history",                "history: h\n",  ""						 },
	{ "history",                "history: h\n",  "history: i\n"                                     },
};

/* clang-format on */

static void what_needs_a_restart_is_told_by_its_key(void **state)
{
	char expected[100];

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(RESTARTS); i++) {
		snprintf(expected, sizeof(expected),
		    "warn t: changed, but needs a restart key=%s\n",
		    RESTARTS[i].key);
		br_config_free(adopt(RESTARTS[i].old, RESTARTS[i].fresh,
		    expected));
	}
}

static void what_is_the_same_is_not_told(void **state)
{
	const char *text = "history: h\n"
			   "routes: [{ domain: b, via: echo, retry: [1s] }]\n"
			   "limits: { body: 2MiB }\n";

	(void)state;
	br_config_free(adopt(text, text, ""));
}

int main(void)
{
	static const struct CMUnitTest TESTS[] = {
		cmocka_unit_test(limits_and_delivery_change_at_once),
		cmocka_unit_test(a_route_that_is_the_same_gets_its_new_pauses),
		cmocka_unit_test(other_routes_wait_for_the_next_start),
		cmocka_unit_test(what_needs_a_restart_is_told_by_its_key),
		cmocka_unit_test(what_is_the_same_is_not_told),
	};

	return cmocka_run_group_tests(TESTS, NULL, NULL);
}
