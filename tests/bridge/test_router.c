/* SPDX-License-Identifier: ISC */
/* Which way a domain goes. */

#include "tests/lib/slice.h"

#include "bridge/router.h"
#include "prim/base.h"

/* No comma may stand in front of a domain that is only a suffix: ".x" is
 * everything below x, not x. */
static const char CONFIG[] =
    "domains: [prim.example, other.example]\n"
    "adapters:\n"
    "  - { name: xmpp, plugin: xmpp,\n"
    "      options: { domain: prim.example, gateway_domain: gw.example } }\n"
    "  - { name: hooks, plugin: webhook, options: { domain: hooks.example } }\n"
    "  - { name: mail, plugin: smtp }\n"
    "routes:\n"
    "  - { domain: jabber.example, via: xmpp, relay: [friend.example,\n"
    "      .friends.example] }\n"
    "  - { domain: .example.org, via: mail, queue: false }\n"
    "  - { domain: deep.example.org, via: xmpp }\n"
    "  - { domain: .very.deep.example.org, via: hooks }\n"
    "  - { domain: hooks.example, via: mail }\n";

static struct br_config *config;
static struct br_router *router;

static int set_up(void **state)
{
	struct br_err err = { "" };

	(void)state;
	config = br_config_parse("test", prim_slice_of(CONFIG), NULL, &err);
	assert_string_equal(err.text, "");
	router = br_router_new(config);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	router = br_router_free(router);
	config = br_config_free(config);
	return 0;
}

static const struct {
	const char *name, *domain;
	const char *via; /* "" is local, NULL leads nowhere */
	bool queues;
} CASES[] = {
	{"ours",				"prim.example",              "",      true },
	{ "ours, the second",                   "other.example",             "",      true },
	{ "below ours",			 "sub.prim.example",          NULL,    false},
	{ "configured",			 "jabber.example",            "xmpp",  true },
	{ "below what is configured exactly",   "a.jabber.example",          NULL,    false},
	{ "suffix",			     "a.example.org",             "mail",  false},
	{ "suffix, further down",               "a.b.c.example.org",         "mail",  false},
	{ "a suffix is not what it is of",      "example.org",               NULL,    false},
	{ "half a label",                       "notexample.org",            NULL,    false},
	{ "exact wins over suffix",             "deep.example.org",          "xmpp",  true },
	{ "below the exact one",                "a.deep.example.org",        "mail",  false},
	{ "the longest suffix",                 "a.very.deep.example.org",   "hooks", true },
	{ "below that",			 "a.b.very.deep.example.org", "hooks", true },
	{ "the longest suffix without its own", "very.deep.example.org",     "mail",
         false									     },
	{ "implied by gateway_domain",          "gw.example",                "xmpp",  true },
	{ "configured wins over implied",       "hooks.example",             "mail",  true },
	{ "nowhere",			    "elsewhere.example",         NULL,    false},
	{ "empty",			      "",			  NULL,    false},
	{ "only dots",			  "...",                       NULL,    false},
	{ "a leading dot",                      ".example.org",              "mail",  false},
};

static void domains_lead_where_they_should(void **state)
{
	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		const struct br_route *route = br_router_find(router,
		    prim_slice_of(CASES[i].domain));
		const char *via = NULL;

		if (route)
			via = route->kind == BR_ROUTE_LOCAL
			    ? ""
			    : config->adapters[route->adapter].name;
		if (!via != !CASES[i].via ||
		    (via && strcmp(via, CASES[i].via) != 0))
			fail_msg("%s: %s", CASES[i].name,
			    via ? via : "nowhere");
		if (route)
			t_number_is(CASES[i].name, route->queues,
			    CASES[i].queues);
	}
}

static void relaying_is_for_whom_the_route_names(void **state)
{
	static const struct {
		const char *domain;
		bool ok;
	} SENDERS[] = {
		{"friend.example",       true },
		{ "a.friend.example",    false},
		{ "a.friends.example",   true },
		{ "a.b.friends.example", true },
		{ "friends.example",     false},
		{ "notfriends.example",  false},
		{ "stranger.example",    false},
		{ "",                    false},
	};
	const struct br_route *route = br_router_find(router,
	    PRIM_SLICE("jabber.example"));
	const struct br_route *closed = br_router_find(router,
	    PRIM_SLICE("deep.example.org"));
	const struct br_route *implied = br_router_find(router,
	    PRIM_SLICE("gw.example"));

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(SENDERS); i++) {
		struct prim_slice domain = prim_slice_of(SENDERS[i].domain);

		t_number_is(SENDERS[i].domain, br_route_relays(route, domain),
		    SENDERS[i].ok);
		assert_false(br_route_relays(closed, domain));
		assert_false(br_route_relays(implied, domain));
	}
}

static void an_inbox_that_stores_nothing_does_not_queue(void **state)
{
	static const char TEXT[] = "domains: [prim.example]\n"
				   "delivery: { offline_store: false }\n";
	struct br_config *closed = br_config_parse("test", prim_slice_of(TEXT),
	    NULL, NULL);
	struct br_router *r = br_router_new(closed);
	const struct br_route *route = br_router_find(r,
	    PRIM_SLICE("prim.example"));

	(void)state;
	assert_int_equal(route->kind, BR_ROUTE_LOCAL);
	assert_false(route->queues);
	br_router_free(r);
	br_config_free(closed);
}

#define CHECK(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHECK(domains_lead_where_they_should),
		CHECK(relaying_is_for_whom_the_route_names),
		CHECK(an_inbox_that_stores_nothing_does_not_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
