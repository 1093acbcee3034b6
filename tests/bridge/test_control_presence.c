/* SPDX-License-Identifier: ISC */
/* presence show and subscription list. */
#include "tests/bridge/control_world.h"

#include "bridge/clock.h"

#define ANN  PRIM_SLICE("ann@example.org")
#define PIDF PRIM_SLICE("application/pidf+xml")
#define HOUR 3600000

#define SHOW(address) \
	"{\"command\":\"presence show\",\"address\":\"" address "\"}"
#define LIST(address, after)                                        \
	"{\"command\":\"subscription list\",\"address\":\"" address \
	"\",\"after\":\"" after "\"}"

#define DOCUMENT                                                       \
	"<?xml version='1.0'?>"                                        \
	"<presence xmlns='urn:ietf:params:xml:ns:pidf'"                \
	" entity='pres:ann@example.org'>"                              \
	"<tuple id='a'><status><basic>open</basic></status>"           \
	"<note>In a \xe2\x80\xae meeting</note></tuple>"               \
	"<tuple id='b'><status><basic>closed</basic></status></tuple>" \
	"<note>Back soon</note></presence>"

/* ---- what is in the store ---- */

static void add_account(struct world *w)
{
	const struct br_store_account a = {
		.key = ANN,
		.address = PRIM_SLICE("Ann@example.org"),
		.iterations = 4096,
	};

	br_store_account_put(w->control.store, &a, NULL, NULL);
	br_store_settle(w->control.store);
}

static void on_row(void *arg, enum br_store_outcome outcome, int64_t row)
{
	(void)row;
	assert_int_equal(outcome, BR_STORE_DONE);
	++*(unsigned *)arg;
}

static void put(struct world *w, const struct br_store_value *v)
{
	unsigned count = 0;

	br_store_value_put(w->control.store, v, on_row, &count);
	br_store_settle(w->control.store);
	assert_int_equal(count, 1);
}

static void publish(struct world *w)
{
	int64_t now = br_clock_wall_ms();
	struct br_store_value v = {
		.presentity = ANN,
		.tuple_id = PRIM_SLICE("phone"),
		.type = PIDF,
		.body = PRIM_SLICE(DOCUMENT),
		.is_lease = true,
		.at_ms = now - 1000,
		.expires_ms = now + 250 * 1000 + 999,
	};

	put(w, &v);
	v.is_lease = false;
	v.at_ms = now;
	v.body = PRIM_SLICE_NONE;
	put(w, &v);
	v.tuple_id = PRIM_SLICE("de\xffsk");
	v.type = PRIM_SLICE("image/png");
	v.body = PRIM_SLICE("\x89PNG");
	v.is_lease = true;
	v.at_ms = now + 1;
	v.expires_ms = now - 2 * HOUR;
	put(w, &v);
}

static void add_watcher(struct world *w, const char *key, bool is_outgoing)
{
	const struct br_store_subscription sub = {
		.watcher = is_outgoing ? ANN : prim_slice_of(key),
		.presentity = is_outgoing ? prim_slice_of(key) : ANN,
		.watcher_address = PRIM_SLICE("pres:w@far.example"),
		.presentity_address = PRIM_SLICE("pres:p@far.example"),
		.id = PRIM_SLICE("id 7% \x1b"),
		.is_outgoing = is_outgoing,
		.expires_ms = br_clock_wall_ms() + 2 * HOUR + 500,
	};

	br_store_subscription_put(w->control.store, &sub, NULL, NULL);
	br_store_settle(w->control.store); /* looks do not wait for writes */
}

/* ---- presence show ---- */

static void every_tuple_is_shown(void **state)
{
	struct world *w = *state;
	const json_t *tuple;
	const json_t *leased;
	const json_t *open;

	add_account(w);
	publish(w);
	add_watcher(w, "w@far.example", false);
	ask(w, SHOW("pres:Ann@example.org"));
	assert_int_equal(json_array_size(result(w, "tuples")), 2);
	assert_int_equal(json_integer_value(result(w, "watchers")), 1);
	tuple = json_array_get(result(w, "tuples"), 0);
	assert_string_equal(json_string_value(json_object_get(tuple, "id")),
	    "phone");
	leased = json_object_get(tuple, "leased");
	assert_int_equal(json_array_size(json_object_get(leased, "states")), 2);
	open = json_array_get(json_object_get(leased, "states"), 0);
	assert_string_equal(json_string_value(json_object_get(open, "basic")),
	    "open");
	assert_in_range(json_integer_value(json_object_get(leased,
			    "ends_in_s")),
	    240, 251);
	assert_null(json_object_get(json_object_get(tuple, "permanent"),
	    "ends"));
}

static void a_person_sees_state_notes_and_times(void **state)
{
	struct world *w = *state;

	add_account(w);
	publish(w);
	ask(w, SHOW("ann@example.org"));
	assert_shown(w, "presence show", "ann@example.org is watched by 0.\n");
	assert_shown(w, "presence show", "tuple phone\n  leased     open");
	assert_shown(w, "presence show", "\"In a \\u{202E} meeting\"; closed");
	assert_shown(w, "presence show", "\"Back soon\"");
	assert_shown(w, "presence show", "Z (in 4m");
	assert_shown(w, "presence show", "\n  permanent  no state\n");
	assert_shown(w, "presence show",
	    "application/pidf+xml, 0 octets, published 2");
	assert_shown(w, "presence show", "tuple de\\xFF");
	assert_shown(w, "presence show", "  leased     unreadable: ");
	assert_shown(w, "presence show", "image/png, 4 octets");
	assert_shown(w, "presence show", "Z (2h0m ago)");
}

static void nothing_published_is_said(void **state)
{
	struct world *w = *state;

	add_account(w);
	ask(w, SHOW("ann@example.org"));
	assert_shown(w, "presence show",
	    "ann@example.org is watched by 0 and has published nothing.\n");
}

/* No time in the database makes us fall. */
static void times_beyond_all_bounds_are_shown(void **state)
{
	struct world *w = *state;
	struct br_store_value v = {
		.presentity = ANN,
		.tuple_id = PRIM_SLICE("t"),
		.type = PIDF,
		.is_lease = true,
		.at_ms = INT64_MIN,
		.expires_ms = INT64_MAX,
	};

	add_account(w);
	put(w, &v);
	ask(w, SHOW("ann@example.org"));
	assert_shown(w, "presence show", "tuple t\n");
	v.at_ms = INT64_MAX;
	v.expires_ms = INT64_MIN;
	put(w, &v);
	ask(w, SHOW("ann@example.org"));
	assert_shown(w, "presence show", " ago)");
}

static const struct {
	const char *name;
	const char *command;
	const char *address;
	const char *after; /* NULL: there is none in the request */
	const char *error; /* part of it */
} REFUSED[] = {
	{"no account",               "presence show",     "bob@example.org", NULL,
         "there is no account bob@"									  },
	{ "no address",              "presence show",     "bob",             NULL,        "is not an address"},
	{ "nothing",                 "presence show",     "",                NULL,        "is not an address"},
	{ "a list for no address",   "subscription list", "bob",             "",
         "is not an address"										 },
	{ "a list without a mark",   "subscription list", "",                NULL,
         "needs the string"										  },
	{ "one word as a mark",      "subscription list", "",                "x",
         "what the page before said"									 },
	{ "a broken mark",           "subscription list", "",                "a@b %zz c",
         "what the page before said"									 },
	{ "an empty name in a mark", "subscription list", "",                " a@b c",
         "what the page before said"									 },
};

static void a_wrong_request_is_told_what_is_wrong(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(REFUSED); i++) {
		json_t *request = json_pack("{s:s, s:s}", "command",
		    REFUSED[i].command, "address", REFUSED[i].address);

		print_message("%s\n", REFUSED[i].name);
		if (REFUSED[i].after)
			json_object_set_new(request, "after",
			    json_string(REFUSED[i].after));
		ask_json(w, request);
		assert_error(w, REFUSED[i].error);
	}
}

/* ---- subscription list ---- */

static void subscriptions_are_shown(void **state)
{
	struct world *w = *state;
	const json_t *sub;

	add_watcher(w, "w@far.example", false);
	add_watcher(w, "p@far.example", true);
	ask(w, LIST("", ""));
	assert_int_equal(json_array_size(result(w, "subscriptions")), 2);
	assert_null(result(w, "after"));
	sub = json_array_get(result(w, "subscriptions"), 0);
	assert_string_equal(json_string_value(json_object_get(sub,
				"direction")),
	    "outgoing");
	assert_shown(w, "subscription list",
	    "pres:w@far.example watches pres:p@far.example  incoming  "
	    "id id 7% \\x1B  ends 2");
	assert_shown(w, "subscription list", "Z (in 2h0m)\n");
	ask(w, LIST("w@far.example", ""));
	assert_int_equal(json_array_size(result(w, "subscriptions")), 1);
	ask(w, LIST("nobody@far.example", ""));
	assert_shown(w, "subscription list", "There are no subscriptions.\n");
	ask(w, LIST("nobody@example.org", ""));
	assert_error(w, "there is no account nobody@example.org; 'primctl");
}

/* Every page asks for the next, as primctl does. */
static unsigned turn_pages(struct world *w, const char *address,
    unsigned *out_pages)
{
	json_t *after = json_string("");
	unsigned count = 0;

	for (*out_pages = 0; after; ++*out_pages) {
		ask_json(w,
		    json_pack("{s:s, s:s, s:o}", "command", "subscription list",
			"address", address, "after", after));
		assert_int_equal(json_is_true(result(w, "first")),
		    *out_pages == 0);
		count += (unsigned)json_array_size(result(w, "subscriptions"));
		after = json_incref(json_object_get(json_object_get(w->answer,
							"result"),
		    "after"));
	}
	return count;
}

static void a_long_list_comes_in_pages(void **state)
{
	static const struct {
		unsigned count, pages;
	} CASES[] = {
		{499,   1},
		{ 500,  1},
		{ 501,  2},
		{ 1600, 4},
	};
	struct world *w = *state;
	unsigned made = 0, pages;
	char key[32];

	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		for (; made < CASES[i].count; made++) {
			(void)snprintf(key, sizeof(key), "w%u%%20@far.example",
			    made);
			add_watcher(w, key, made % 3 == 0);
		}
		br_store_settle(w->control.store);
		assert_int_equal(turn_pages(w, "", &pages), CASES[i].count);
		assert_int_equal(pages, CASES[i].pages);
		assert_int_equal(turn_pages(w, "ann@example.org", &pages),
		    CASES[i].count);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_tuple_is_shown),
		TEST(a_person_sees_state_notes_and_times),
		TEST(nothing_published_is_said),
		TEST(times_beyond_all_bounds_are_shown),
		TEST(a_wrong_request_is_told_what_is_wrong),
		TEST(subscriptions_are_shown),
		TEST(a_long_list_comes_in_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
