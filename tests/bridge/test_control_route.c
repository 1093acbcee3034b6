/* SPDX-License-Identifier: ISC */
/* route test: every step, and the answer. */
#include "tests/bridge/control_world.h"

#include "bridge/identity.h"

#define ANN   "ann@example.org"
#define BOB   "bob@example.org"
#define ROMEO "romeo@jabber.example"

/* What the server knows, in a case. */
enum state {
	NO_SERVER,
	IDLE,     /* the adapters are up, nobody listens */
	LISTENED, /* somebody does */
	DOWN,     /* the adapters are not up */
	FULL,     /* and the sender has as much as he may */
	CROWDED,  /* three wait in the inbox */
};

static void server_route_state(void *ctx, const struct br_control_way *way,
    json_t *into)
{
	const enum state *state = ctx;
	bool up = *state != DOWN && *state != FULL;

	json_object_set_new(into, "waiting",
	    json_integer(*state == CROWDED ? 3 : 0));
	json_object_set_new(into, "queued",
	    json_integer(*state == FULL ? 50 : 3));
	json_object_set_new(into, "queued_max", json_integer(50));
	json_object_set_new(into, "total", json_integer(60));
	json_object_set_new(into, "total_max", json_integer(1000));
	if (way->adapter) {
		json_object_set_new(into, "up", json_boolean(up));
		json_object_set_new(into, "state",
		    json_string(up ? "up" : "stopped"));
	} else {
		json_object_set_new(into, "listeners",
		    json_integer(*state == LISTENED ? 2 : 0));
	}
}

static const struct br_control_ops SERVER = {
	.route_state = server_route_state,
};

static void test_way(struct world *w, enum state *state, const char *from,
    const char *to)
{
	w->control.ops = *state == NO_SERVER ? NULL : &SERVER;
	w->control.ctx = state;
	ask_json(w,
	    json_pack("{s:s, s:s, s:s}", "command", "route test", "from", from,
		"to", to));
	assert_true(is_ok(w));
}

static const json_t *answer(const struct world *w)
{
	const json_t *steps = result(w, "steps");

	return json_array_get(steps, json_array_size(steps) - 1);
}

static void make_link(struct world *w, const char *address, const char *foreign)
{
	ask_json(w,
	    json_pack("{s:s, s:s, s:s}", "command", "link add", "address",
		address, "foreign", foreign));
	assert_true(is_ok(w));
}

static void people(struct world *w)
{
	make_account(w, ANN);
	make_account(w, BOB);
	make_account(w, "carl@second.example");
	make_link(w, "carl@second.example", "carl@jabber.example");
	make_link(w, "carl@second.example", "carl@friend.example");
}

/* ---- the answer ---- */

/* clang-format off */
static const struct {
	const char *name;
	enum state state;
	const char *from, *to;
	unsigned code;    /* 0: it depends on what others say */
	const char *part; /* of all the steps */
} CASES[] = {
	{ "nobody's name", IDLE, "zoe@example.org", BOB, 406,
	    "zoe@example.org has no account here" },
	{ "of no network", IDLE, "zoe@nowhere.example", BOB, 402,
	    "no route leads to its domain" },
	{ "no route", IDLE, ANN, "zoe@nowhere.example", 403,
	    "no exact link; no route leads to nowhere.example" },
	{ "a configured route", IDLE, ANN, ROMEO, 0,
	    "route jabber.example -> xmpp, of the configuration" },
	{ "a suffix", IDLE, ANN, "x@a.deep.example", 0,
	    "route .deep.example -> xmpp, of the configuration" },
	{ "an implied route", IDLE, ANN, "x@o.example", 0,
	    "its domain is one of adapter other" },
	{ "exact link", IDLE, ANN, "carl@jabber.example", 0,
	    "exact link: it is carl@second.example in adapter xmpp" },
	{ "handed over", IDLE, ANN, ROMEO, 0,
	    "it would be handed over now; its word is the answer; 101 if" },
	{ "a route without a queue", IDLE, ANN, "x@a.deep.example", 0,
	    "nothing is stored for this route" },
	{ "the adapter is down", DOWN, ANN, ROMEO, 101, "xmpp is stopped" },
	{ "down and no queue", DOWN, ANN, "x@a.deep.example", 407,
	    "the route does not queue" },
	{ "down, no queue, of a network", DOWN, "x@friend.example",
	    "y@a.deep.example", 402, "neither end is ours" },
	{ "a full share", FULL, ANN, ROMEO, 500,
	    "of this sender 50 of at most 50 messages wait" },
	{ "no open relay", IDLE, "x@o.example", ROMEO, 402,
	    "neither end is ours" },
	{ "an allowed relay", IDLE, "x@friend.example", ROMEO, 0,
	    "the route allows the sender's domain to relay" },
	{ "back to oneself", IDLE, ROMEO, ROMEO, 402,
	    "nothing goes back to where it came from" },
	{ "a linked sender", IDLE, "carl@jabber.example", ROMEO, 0,
	    "it is linked, and appears as carl@second.example" },
	{ "a linked sender relays", IDLE, "carl@jabber.example", "x@o.example",
	    0, "the sender is ours: it may use it" },
	{ "the bridge itself", IDLE, ANN, "primbridge@example.org", 200,
	    "the bridge itself reads it" },
	{ "no inbox", IDLE, ANN, "zoe@example.org", 403,
	    "there is no such account" },
	{ "somebody listens", LISTENED, ANN, BOB, 0, "2 listen: they get it" },
	{ "nobody listens", IDLE, ANN, BOB, 101,
	    "nobody is there: it is stored" },
	{ "a full inbox", CROWDED, ANN, BOB, 500,
	    "3 of at most 3 messages wait there" },
	{ "a full share, inside", FULL, ANN, BOB, 500,
	    "there is no room to store it" },
	{ "follow me", IDLE, ANN, "carl@second.example", 0,
	    "follow     to carl@jabber.example, by adapter xmpp, which is up\n"
	    },
	{ "and then", IDLE, ANN, "carl@second.example", 0,
	    "follow     if that refuses it: to carl@friend.example, by "
	    "adapter other" },
	{ "follow me to who is down", DOWN, ANN, "carl@second.example", 101,
	    "the adapter it follows to is not up: it is stored" },
	{ "never to the sender", IDLE, "carl@jabber.example",
	    "carl@second.example", 0,
	    "not to carl@jabber.example: it comes from there" },
	{ "no following where one listens", LISTENED, ANN,
	    "carl@second.example", 0, "the word of who listens, the best" },
	{ "without a server", NO_SERVER, ANN, ROMEO, 0,
	    "whether xmpp is up is not known without a running primd" },
	{ "an inbox without a server", NO_SERVER, ANN, BOB, 0,
	    "the word of who listens; 101 if nobody does" },
	{ "following without a server", NO_SERVER, ANN, "carl@second.example",
	    0, "if nobody does, that of the adapter it follows to" },
	{ "no right without a server", NO_SERVER, ANN, "zoe@example.org", 403,
	    "there is no such account" },
};

/* clang-format on */

static void every_way_ends_with_its_answer(void **state)
{
	struct world *w = *state;

	people(w);
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		enum state known = CASES[i].state;

		print_message("%s\n", CASES[i].name);
		test_way(w, &known, CASES[i].from, CASES[i].to);
		assert_shown(w, "route test", CASES[i].part);
		assert_string_equal(json_string_value(json_object_get(answer(w),
					"step")),
		    "answer");
		assert_int_equal(json_integer_value(json_object_get(answer(w),
				     "code")),
		    CASES[i].code);
	}
}

static void the_order_of_its_owner_is_followed(void **state)
{
	struct world *w = *state;
	enum state known = LISTENED;

	people(w);
	ask_json(w,
	    json_pack("{s:s, s:s, s:s}", "command", "link order", "address",
		"carl@second.example", "order", "carl@friend.example prim"));
	assert_true(is_ok(w));
	test_way(w, &known, ANN, "carl@second.example");
	assert_shown(w, "route test",
	    "follow     to carl@friend.example, by adapter other, which is "
	    "up\ninbox      if that refuses it: 2 listen: they get it\n");
	assert_shown(w, "route test", "the word of the adapter it follows to");
	assert_not_shown(w, "route test", "carl@jabber.example");
}

/* ---- other configurations ---- */

static int setup_hiding(void **state)
{
	return setup_with(state,
	    WORLD_CONFIG "disclosure: hide\n"
			 "default_acl: { own_domain: [send], everyone: [] }\n"
			 "delivery: { offline_store: false }\n");
}

static void who_hides_answers_408(void **state)
{
	struct world *w = *state;
	enum state known = IDLE;

	make_account(w, ANN);
	make_account(w, BOB);
	test_way(w, &known, ANN, "zoe@example.org");
	assert_int_equal(json_integer_value(json_object_get(answer(w), "code")),
	    408);
	test_way(w, &known, ROMEO, ANN);
	assert_shown(w, "route test",
	    "rights     default_acl does not let the sender send\n"
	    "answer     408, ");
	test_way(w, &known, BOB, ANN);
	assert_shown(w, "route test", "nothing is kept ('offline_store: no')");
	assert_shown(w, "route test", "answer     408, ");
}

static void no_address_is_refused(void **state)
{
	struct world *w = *state;

	ask(w,
	    "{\"command\":\"route test\",\"from\":\"ann\",\"to\":\"b@c.example\"}");
	assert_error(w, "'ann' is not an address");
	ask(w,
	    "{\"command\":\"route test\",\"from\":\"b@c.example\",\"to\":\"\"}");
	assert_error(w, "'' is not an address");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_way_ends_with_its_answer),
		TEST(the_order_of_its_owner_is_followed),
		cmocka_unit_test_setup_teardown(who_hides_answers_408,
		    setup_hiding, teardown),
		TEST(no_address_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
