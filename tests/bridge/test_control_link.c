/* SPDX-License-Identifier: ISC */
/* link add, list, order, remove and verify. */
#include "tests/bridge/control_world.h"

#include "bridge/identity.h"

#define ANN   "ann@example.org"
#define ROMEO "romeo@jabber.example"

/* ---- asking ---- */

static void ask_link(struct world *w, const char *command, const char *address,
    const char *foreign)
{
	ask_json(w,
	    json_pack("{s:s, s:s, s:s}", "command", command, "address", address,
		"foreign", foreign));
}

static void ask_verify(struct world *w, const char *foreign, const char *code)
{
	ask_json(w,
	    json_pack("{s:s, s:s, s:s, s:s}", "command", "link verify",
		"address", ANN, "foreign", foreign, "code", code));
}

static void ask_list(struct world *w, const char *address)
{
	ask_json(w,
	    json_pack("{s:s, s:s}", "command", "link list", "address",
		address));
}

static void ask_order(struct world *w, const char *order)
{
	ask_json(w,
	    json_pack("{s:s, s:s, s:s}", "command", "link order", "address",
		ANN, "order", order));
}

static size_t link_count(struct world *w, const char *address)
{
	ask_list(w, address);
	return json_array_size(result(w, "links"));
}

static void on_asked(void *arg, const char *why)
{
	assert_null(why);
	*(bool *)arg = true;
}

/* Ann asks for it herself; the code is for the other side. */
static void want(struct world *w, const char *address, char *code)
{
	const struct br_identity_wish wish = {
		.principal = PRIM_SLICE(ANN),
		.address = prim_slice_of(address),
		.side = BR_SIDE_PRINCIPAL,
	};
	bool done = false;

	br_identity_ask(w->identities, &wish, code, on_asked, &done);
	br_store_settle(w->control.store);
	assert_true(done);
}

/* ---- add, list, remove ---- */

static void a_link_is_made_shown_and_ended(void **state)
{
	struct world *w = *state;

	make_account(w, ANN);
	ask_link(w, "link add", "im:Ann@example.org", "Romeo@jabber.example");
	assert_shown(w, "link add", ROMEO " is linked to " ANN ".\n");
	assert_not_shown(w, "link add", "The order of");
	assert_int_equal(link_count(w, ""), 1);
	make_account(w, "bob@example.org");
	assert_int_equal(link_count(w, "bob@example.org"), 0);
	assert_shown(w, "link list", "bob@example.org has no links; 'primctl");
	assert_int_equal(link_count(w, ANN), 1);
	assert_shown(w, "link list", ANN);
	assert_shown(w, "link list", " xmpp       verified  20");
	assert_shown(w, "link list", " by operator\n");
	assert_shown(w, "link list", "Looked for at prim, then " ROMEO ".\n");
	ask_link(w, "link remove", ANN, ROMEO);
	assert_shown(w, "link remove",
	    ROMEO " is not linked to " ANN " any more.\n");
	assert_int_equal(link_count(w, ANN), 0);
	assert_int_equal(link_count(w, ""), 0);
	assert_shown(w, "link list", "There are no links; 'primctl link add");
}

static void links_of_nobody_are_refused(void **state)
{
	struct world *w = *state;

	ask_list(w, "nobody@example.org");
	assert_error(w, "there is no account nobody@example.org; 'primctl");
	/* Names of the bridge itself, and of others, need none. */
	assert_int_equal(link_count(w, "postmaster@example.org"), 0);
	assert_int_equal(link_count(w, ROMEO), 0);
}

static void a_link_that_was_asked_for_is_confirmed(void **state)
{
	struct world *w = *state;
	char code[BR_CODE_DIGITS + 1];

	make_account(w, ANN);
	want(w, ROMEO, code);
	want(w, "r@friend.example", (char[BR_CODE_DIGITS + 1]){ 0 });
	assert_int_equal(link_count(w, ANN), 2);
	assert_shown(w, "link list", " asked ");
	assert_shown(w, "link list", "Looked for at prim.\n");
	ask_verify(w, ROMEO, "123");
	assert_error(w, "8 digits");
	ask_verify(w, ROMEO, code);
	assert_shown(w, "link verify", ROMEO " is linked to " ANN ".\n");
	ask_verify(w, "r@friend.example", "");
	assert_true(is_ok(w));
	ask_list(w, ANN);
	assert_not_shown(w, "link list", " asked ");
	ask_verify(w, "nobody@jabber.example", "");
	assert_false(is_ok(w));
}

/* ---- order ---- */

static void an_order_is_set_shown_and_forgotten(void **state)
{
	struct world *w = *state;

	make_account(w, ANN);
	ask_link(w, "link add", ANN, ROMEO);
	ask_link(w, "link add", ANN, "r@friend.example");
	ask_order(w, "");
	assert_shown(w, "link order",
	    ANN " is looked for at prim, then " ROMEO
		", then r@friend.example.\n");
	ask_order(w, "prim");
	ask_link(w, "link add", ANN, "tybalt@jabber.example");
	assert_shown(w, "link add",
	    "The order of " ANN " does not name it, so");
	ask_link(w, "link remove", ANN, "tybalt@jabber.example");
	ask_order(w, "r@friend.example PRIM");
	assert_shown(w, "link order",
	    ANN " is looked for at r@friend.example, then prim.\n");
	ask_order(w, " ");
	assert_int_equal(json_array_size(result(w, "order")), 2);
	ask_order(w, "prim bob@example.org");
	assert_error(w, "neither 'prim' nor a linked address");
	ask_order(w, "prim prim");
	assert_error(w, "twice");
	ask_order(w, "prim usual");
	assert_error(w, "'usual' stands alone");
	ask_order(w, "usual  prim");
	assert_error(w, "'usual' stands alone");
	ask_order(w, "usual");
	assert_int_equal(json_array_size(result(w, "order")), 3);
}

/* ---- what is wrong ---- */

/* clang-format off */
static const struct {
	const char *name;
	const char *command;
	const char *address, *foreign;
	const char *error; /* part of it */
} REFUSED[] = {
	{ "no address", "link add", "ann", ROMEO, "'ann' is not an address" },
	{ "no foreign address", "link add", ANN, "romeo",
	    "'romeo' is not an address" },
	{ "a full JID", "link add", ANN, "im:" ROMEO "/phone",
	    "the address is im:" ROMEO ", without the resource" },
	{ "a resource with everything in it", "link add", ANN, ROMEO "/a@b/c d",
	    "the address is " ROMEO ", without the resource" },
	{ "a resource of no address", "link add", ANN, "a b@c.example/d",
	    "'a b@c.example/d' is not an address" },
	{ "no account", "link add", "bob@example.org", ROMEO,
	    "no account bob@example.org" },
	{ "not of ours", "link add", "bob@jabber.example", ROMEO,
	    "has no account here" },
	{ "an address of ours", "link add", ANN, "bob@example.org",
	    "is an address of this bridge itself" },
	{ "of no network", "link add", ANN, "bob@nowhere.example",
	    "no network that this bridge speaks to" },
	{ "reserved", "link add", ANN, "postmaster@jabber.example",
	    "not the address of a person" },
	{ "linked already", "link add", ANN, "taken@jabber.example",
	    "is linked to ann@example.org already" },
	{ "somebody else's", "link add", "bea@example.org",
	    "taken@jabber.example", "is linked to another account" },
	{ "spelled as only the adapter knows", "link add", ANN,
	    "BA%cc%88r@jabber.example", "start primd and try again" },
	{ "no link", "link remove", ANN, ROMEO, "are not linked" },
};

/* clang-format on */

static void a_link_that_cannot_be_is_refused(void **state)
{
	struct world *w = *state;

	make_account(w, ANN);
	make_account(w, "bea@example.org");
	ask_link(w, "link add", ANN, "taken@jabber.example");
	assert_true(is_ok(w));
	for (size_t i = 0; i < PRIM_COUNT(REFUSED); i++) {
		print_message("%s\n", REFUSED[i].name);
		ask_link(w, REFUSED[i].command, REFUSED[i].address,
		    REFUSED[i].foreign);
		assert_error(w, REFUSED[i].error);
	}
	assert_int_equal(link_count(w, ""), 1);
	ask_json(w,
	    json_pack("{s:s, s:s, s:s}", "command", "link order", "address",
		"bob@example.org", "order", ""));
	assert_error(w, "there is no account bob@example.org");
}

/* ---- as the network spells it ---- */

static void server_canonical(void *ctx, const char *network,
    struct prim_slice uri, br_host_canonical_fn fn, void *arg)
{
	struct prim_address address;
	struct prim_key key;

	(void)ctx;
	assert_string_equal(network, "xmpp");
	assert_true(prim_slice_starts(uri, PRIM_SLICE("im:")));
	if (prim_slice_eq(uri, PRIM_SLICE("im:down@jabber.example"))) {
		fn(arg, NULL, "the adapter xmpp does not run now");
		return;
	}
	if (prim_slice_eq(uri, PRIM_SLICE("im:none@jabber.example"))) {
		fn(arg, NULL, "the adapter xmpp has no such address");
		return;
	}
	assert_true(prim_address_parse(PRIM_SLICE("im:" ROMEO), &address));
	prim_address_key(&address, &key);
	fn(arg, &key, NULL);
}

static void server_route_state(void *ctx, const struct br_control_way *way,
    json_t *into)
{
	(void)ctx;
	assert_string_equal(way->adapter->name, "xmpp");
	json_object_set_new(into, "up",
	    json_boolean(!prim_slice_eq(way->to,
		PRIM_SLICE("down@jabber.example"))));
}

static const struct br_control_ops SERVER = {
	.route_state = server_route_state,
	.canonical = server_canonical,
};

static void a_server_asks_the_network_for_its_spelling(void **state)
{
	struct world *w = *state;

	make_account(w, ANN);
	w->control.ops = &SERVER;
	ask_link(w, "link add", ANN, "r%C3%B6meo@jabber.example");
	assert_shown(w, "link add", ROMEO " is linked to " ANN ".\n");
	ask_link(w, "link add", ANN, "down@jabber.example");
	assert_error(w,
	    "does not run now; nothing was changed; try again when 'primctl "
	    "status' shows it up");
	ask_link(w, "link add", ANN, "none@jabber.example");
	assert_error(w, "has no such address; nothing was changed");
	assert_int_equal(link_count(w, ANN), 1);
	ask_link(w, "link remove", ANN, "r%C3%B6meo@jabber.example");
	assert_true(is_ok(w));
	assert_int_equal(link_count(w, ANN), 0);
}

/* What is known can be ended although its adapter is gone. */
static void a_known_link_needs_no_network(void **state)
{
	struct world *w = *state;

	make_account(w, ANN);
	ask_link(w, "link add", ANN, "down@jabber.example");
	assert_true(is_ok(w));
	w->control.ops = &SERVER;
	ask_link(w, "link remove", ANN, "down@jabber.example");
	assert_true(is_ok(w));
	assert_int_equal(link_count(w, ANN), 0);
}

/* Whoever gets the name next has none of them. */
static void an_account_that_goes_has_no_links_any_more(void **state)
{
	struct world *w = *state;

	make_account(w, ANN);
	ask_link(w, "link add", ANN, ROMEO);
	ask_json(w,
	    json_pack("{s:s, s:s}", "command", "account remove", "address",
		ANN));
	assert_true(is_ok(w));
	assert_null(br_identity_of(w->identities, PRIM_SLICE(ROMEO)));
	make_account(w, ANN);
	assert_int_equal(link_count(w, ANN), 0);
	ask_link(w, "link add", ANN, ROMEO);
	assert_true(is_ok(w));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_link_is_made_shown_and_ended),
		TEST(links_of_nobody_are_refused),
		TEST(a_link_that_was_asked_for_is_confirmed),
		TEST(an_order_is_set_shown_and_forgotten),
		TEST(a_link_that_cannot_be_is_refused),
		TEST(a_server_asks_the_network_for_its_spelling),
		TEST(a_known_link_needs_no_network),
		TEST(an_account_that_goes_has_no_links_any_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
