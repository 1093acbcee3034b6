/* SPDX-License-Identifier: ISC */
/* Links: who may be linked to what, and in which order. */

#include "tests/bridge/world_identity.h"

#include <stdio.h>
#include <string.h>

#include "prim/base.h"

#define ANN   "ann@here.example"
#define BOB   "bob@here.example"
#define ZOE   "zoe@here.example" /* has no account */
#define ROMEO "romeo@far.example"
#define CAROL "carol@mail.example"
#define HOUR  3600000

/* ---- asking ---- */

static void a_code_makes_a_link(void **state)
{
	struct world *w = *state;
	char code[BR_CODE_DIGITS + 1];

	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, NULL);
	assert_int_equal(strspn(code, "0123456789"), BR_CODE_DIGITS);
	assert_int_equal(code[BR_CODE_DIGITS], '\0');
	world_expect_links(w, "", ANN " " ROMEO " xmpp asked\n");
	world_expect_owner(w, ROMEO, NULL);
	assert_int_equal(w->changes.len, 0);
	w->now_ms += 1000;
	world_verify(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, NULL);
	world_expect_links(w, "", ANN " " ROMEO " xmpp code\n");
	world_expect_owner(w, ROMEO, ANN);
	t_buf_is("changes", &w->changes, ANN " " ROMEO "\n");
	assert_int_equal(br_identity_of(w->all, prim_slice_of(ROMEO))
			     ->verified_ms,
	    w->now_ms);
	world_restart(w);
	world_expect_links(w, "", ANN " " ROMEO " xmpp code\n");
	world_expect_owner(w, ROMEO, ANN);
	/* A code is good once. */
	world_verify(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, "linked");
}

static void the_other_side_can_ask_too(void **state)
{
	struct world *w = *state;
	char code[BR_CODE_DIGITS + 1];

	world_ask(w, ANN, ROMEO, BR_SIDE_FOREIGN, code, NULL);
	/* The code went to the principal: it must come from the address. */
	world_verify(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code,
	    "the side that asked");
	world_expect_owner(w, ROMEO, NULL);
	world_verify(w, "", ROMEO, BR_SIDE_FOREIGN, code, NULL);
	world_expect_owner(w, ROMEO, ANN);

	world_ask(w, ANN, CAROL, BR_SIDE_PRINCIPAL, code, NULL);
	world_verify(w, ANN, CAROL, BR_SIDE_FOREIGN, code,
	    "the side that asked");
	world_expect_owner(w, CAROL, NULL);
}

static void the_operator_needs_no_code(void **state)
{
	struct world *w = *state;
	const struct br_identity_wish wish = {
		.principal = PRIM_SLICE(ANN),
		.address = PRIM_SLICE(ROMEO),
		.side = BR_SIDE_OPERATOR,
	};
	struct told told = { 0 };
	char code[BR_CODE_DIGITS + 1];

	br_identity_ask(w->all, &wish, NULL, world_told, &told);
	world_expect(w, &told, NULL);
	world_expect_links(w, ANN, ANN " " ROMEO " xmpp operator\n");
	t_buf_is("changes", &w->changes, ANN " " ROMEO "\n");

	world_ask(w, ANN, CAROL, BR_SIDE_PRINCIPAL, NULL, NULL);
	world_verify(w, ANN, CAROL, BR_SIDE_OPERATOR, "", NULL);
	world_ask(w, BOB, "b@far.example", BR_SIDE_FOREIGN, code, NULL);
	world_verify(w, BOB, "b@far.example", BR_SIDE_OPERATOR,
	    world_wrong(code), "4 tries are left");
	world_verify(w, BOB, "b@far.example", BR_SIDE_OPERATOR, code, NULL);
	world_expect_links(w, "",
	    ANN " " CAROL " mail operator\n" ANN " " ROMEO
		" xmpp operator\n" BOB " b@far.example xmpp operator\n");
}

static const struct {
	const char *principal, *address;
	const char *why; /* NULL: granted */
} WISHES[] = {
	{ANN,			ROMEO,					  NULL                 },
	{ ANN,		       "x@a.very.far.example",                         NULL                 },
	{ ANN,		       "r%20o@far.example",                            NULL                 },
	{ ANN,		       "a%40b.example@gw.example",                     NULL                 },
	{ ZOE,		       CAROL,					  "no account"         },
	{ "ann@also.example",        CAROL,					  "no account"         },
	{ "ann@far.example",         CAROL,					  "has no account here"},
	{ "postmaster@here.example", CAROL,                                          "the bridge itself"  },
	{ "primbridge@also.example", CAROL,                                          "the bridge itself"  },
	{ "echo@here.example",       CAROL,					  "the bridge itself"  },
	{ "",			CAROL,					  "no address"         },
	{ "ann",		     CAROL,					  "no address"         },
	{ ANN,		       BOB,					    "this bridge itself" },
	{ ANN,		       ANN,					    "this bridge itself" },
	{ ANN,		       "nobody@also.example",                          "this bridge itself" },
 /* One of ours, in the clothes of a gateway. */
	{ ANN,		       "bob%40here.example@gw.example",                "this bridge itself" },
	{ ANN,		       "bob%40HERE.example@gw.example",                "no address"         },
	{ ANN,		       "bob%2540here.example%40gw.example@gw.example",
         "this bridge itself"									     },
	{ ANN,		       "postmaster@far.example",                       "not the address of" },
	{ ANN,		       "echo@far.example",                             "not the address of" },
	{ ANN,		       "primbridge@mail.example",                      "not the address of" },
	{ ANN,		       "romeo@nowhere.example",                        "no network"         },
	{ ANN,		       "x@very.far.example",                           "no network"         },
 /* Only what is canonical. */
	{ ANN,		       "Romeo@far.example",                            "no address"         },
	{ ANN,		       "romeo@FAR.example",                            "no address"         },
	{ ANN,		       "im:romeo@far.example",                         "no address"         },
	{ ANN,		       "%72omeo@far.example",                          "no address"         },
	{ ANN,		       "r%2fo@far.example",                            "no address"         },
	{ ANN,		       "romeo@far.example\n",                          "no address"         },
	{ ANN,		       "ro meo@far.example",                           "no address"         },
	{ ANN,		       "romeo%0d%0a@far.example",                      "no address"         },
	{ ANN,		       "@far.example",				 "no address"         },
	{ ANN,		       "far.example",				  "no address"         },
	{ ANN,		       "",					     "no address"         },
	{ ANN,		       "romeo@far.example/phone",                      "no address"         },
	{ ANN,		       "romeo@far..example",                           "no address"         },
	{ ANN,		       "r@r@far.example",                              "no address"         },
	{ ANN,		       "'; DROP TABLE link; --@far.example",           "no address"         },
	{ ANN,		       "a'--@far.example",                             NULL                 },
};

static void only_what_makes_sense_is_granted(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(WISHES); i++) {
		print_message("%s -> %s\n", WISHES[i].principal,
		    WISHES[i].address);
		world_ask(w, WISHES[i].principal, WISHES[i].address,
		    BR_SIDE_OPERATOR, NULL, WISHES[i].why);
	}
	w->now_ms += HOUR;
	for (size_t i = 0; i < PRIM_COUNT(WISHES); i++) {
		if (!WISHES[i].why)
			continue;
		world_ask(w, WISHES[i].principal, WISHES[i].address,
		    BR_SIDE_PRINCIPAL, NULL, WISHES[i].why);
		w->now_ms += HOUR;
	}
	world_expect_links(w, ANN,
	    ANN " a%40b.example@gw.example xmpp operator\n" ANN
		" a'--@far.example xmpp operator\n" ANN
		" r%20o@far.example xmpp operator\n" ANN " " ROMEO
		" xmpp operator\n" ANN " x@a.very.far.example xmpp operator\n");
}

static void an_address_of_great_length_is_one_like_any_other(void **state)
{
	struct world *w = *state;
	char address[PRIM_ADDRESS_MAX];

	memset(address, 'x', PRIM_LOCAL_MAX);
	(void)snprintf(address + PRIM_LOCAL_MAX, 32, "@far.example");
	world_link(w, ANN, address);
	world_restart(w);
	world_expect_owner(w, address, ANN);
	memset(address, 'x', PRIM_LOCAL_MAX + 1);
	(void)snprintf(address + PRIM_LOCAL_MAX + 1, 32, "@far.example");
	world_ask(w, ANN, address, BR_SIDE_PRINCIPAL, NULL, "no address");
}

static void an_owned_address_is_not_given_away(void **state)
{
	struct world *w = *state;
	char code[BR_CODE_DIGITS + 1], other[BR_CODE_DIGITS + 1];
	const struct br_identity_wish wish = {
		.principal = PRIM_SLICE(BOB),
		.address = PRIM_SLICE(ROMEO),
		.side = BR_SIDE_PRINCIPAL,
	};
	struct told told = { 0 };

	/* Both asked before one of them had it. */
	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, NULL);
	world_ask(w, BOB, ROMEO, BR_SIDE_PRINCIPAL, other, NULL);
	world_verify(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, NULL);
	world_verify(w, BOB, ROMEO, BR_SIDE_PRINCIPAL, other,
	    "another account");
	world_verify(w, BOB, ROMEO, BR_SIDE_PRINCIPAL, other, "no link waits");
	world_expect_links(w, BOB, "");
	world_expect_owner(w, ROMEO, ANN);

	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, NULL, "already");
	world_ask(w, ANN, ROMEO, BR_SIDE_OPERATOR, NULL, "already");
	br_identity_ask(w->all, &wish, code, world_told, &told);
	assert_null(strstr(told.why, "ann"));
	world_expect(w, &told, "another account");
	assert_string_equal(code, "");
	world_ask(w, BOB, ROMEO, BR_SIDE_OPERATOR, NULL, "another account");
	world_ask(w, BOB, ROMEO, BR_SIDE_FOREIGN, NULL, "another account");
	world_remove(w, ANN, ROMEO, NULL);
	world_link(w, BOB, ROMEO);
	world_expect_owner(w, ROMEO, BOB);
}

static void who_asks_again_gets_another_code(void **state)
{
	struct world *w = *state;
	char first[BR_CODE_DIGITS + 1], second[BR_CODE_DIGITS + 1];

	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, first, NULL);
	world_verify(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, world_wrong(first),
	    "4 tries");
	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, second, NULL);
	assert_string_not_equal(first, second);
	world_verify(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, first, "4 tries");
	world_verify(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, second, NULL);
}

static void nobody_has_too_many_links(void **state)
{
	struct world *w = *state;
	char address[32], code[BR_CODE_DIGITS + 1];

	for (int i = 0; i < BR_LINKS_MAX; i++) {
		(void)snprintf(address, sizeof(address), "r%d@far.example", i);
		world_ask(w, ANN, address, BR_SIDE_OPERATOR, NULL, NULL);
	}
	world_ask(w, ANN, ROMEO, BR_SIDE_OPERATOR, NULL, "has 32 links");
	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, NULL, "has 32 links");
	/* Elsewhere it does not show. */
	world_ask(w, ANN, ROMEO, BR_SIDE_FOREIGN, code, NULL);
	assert_string_equal(code, "");
	world_remove(w, ANN, "r0@far.example", NULL);
	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, NULL, NULL);
	/* Asked ones count, but not twice. */
	world_ask(w, ANN, "r0@far.example", BR_SIDE_OPERATOR, NULL, "has 32");
	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, NULL, NULL);
	w->now_ms += BR_CODE_WITHIN_MS;
	world_ask(w, ANN, "r0@far.example", BR_SIDE_OPERATOR, NULL, NULL);
}

/* ---- order ---- */

static bool first_only(void *arg, const struct br_identity *link)
{
	(void)link;
	++*(unsigned *)arg;
	return false;
}

static void people_are_looked_for_as_they_want(void **state)
{
	struct world *w = *state;
	unsigned count = 0;

	world_expect_order(w, ANN, "prim ");
	world_link(w, ANN, ROMEO);
	w->now_ms++;
	world_link(w, ANN, CAROL);
	w->now_ms++;
	world_link(w, ANN, "a@far.example");
	world_ask(w, ANN, "asked@far.example", BR_SIDE_PRINCIPAL, NULL, NULL);
	world_expect_order(w, ANN, "prim " ROMEO " " CAROL " a@far.example ");
	world_restart(w);
	world_expect_order(w, ANN, "prim " ROMEO " " CAROL " a@far.example ");
	br_identities_order(w->all, PRIM_SLICE(ANN), first_only, &count);
	assert_int_equal(count, 1);

	world_order(w, ANN, " im:Carol@Mail.Example,PRIM ,  " ROMEO "\n", NULL);
	world_expect_order(w, ANN, CAROL " prim " ROMEO " ");
	world_restart(w);
	world_expect_order(w, ANN, CAROL " prim " ROMEO " ");
	br_identities_order(w->all, PRIM_SLICE(ANN), first_only, &count);
	assert_int_equal(count, 2);
	world_order(w, ANN, ROMEO, NULL);
	world_expect_order(w, ANN, ROMEO " ");
	world_order(w, ANN, " ,\t", NULL);
	world_expect_order(w, ANN, "prim " ROMEO " " CAROL " a@far.example ");
	world_restart(w);
	world_expect_order(w, ANN, "prim " ROMEO " " CAROL " a@far.example ");
}

static void an_order_names_only_what_is_linked(void **state)
{
	static const struct {
		const char *words, *why;
	} CASES[] = {
		{"prim prim",           "'prim' is named twice"     },
		{ "prim Prim",          "named twice"               },
		{ ROMEO " prim " ROMEO, "named twice"               },
		{ "prim x@far.example", "'x@far.example' is neither"},
		{ "asked@far.example",  "neither"                   },
		{ CAROL,                "neither"                   },
		{ "nonsense",           "'nonsense' is neither"     },
		{ "prim;" ROMEO,        "neither"                   },
		{ "\x1b[2J",            "'\\x1B[2J' is neither"     },
		{ ROMEO "/phone",       "neither"                   },
	};
	struct world *w = *state;

	world_link(w, ANN, ROMEO);
	world_link(w, BOB, CAROL);
	world_ask(w, ANN, "asked@far.example", BR_SIDE_PRINCIPAL, NULL, NULL);
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++)
		world_order(w, ANN, CASES[i].words, CASES[i].why);
	world_expect_order(w, ANN, "prim " ROMEO " ");
	world_order(w, ZOE, "prim", "no account");
	world_order(w, "x@far.example", "prim", "has no account here");
}

static void who_is_unlinked_is_looked_for_no_longer(void **state)
{
	struct world *w = *state;

	world_link(w, ANN, ROMEO);
	w->now_ms++;
	world_link(w, ANN, CAROL);
	world_order(w, ANN, ROMEO " " CAROL, NULL);
	prim_buf_reset(&w->changes);
	world_remove(w, ANN, ROMEO, NULL);
	t_buf_is("changes", &w->changes, ANN " " ROMEO "\n");
	world_expect_order(w, ANN, CAROL " ");
	world_expect_owner(w, ROMEO, NULL);
	world_restart(w);
	world_expect_order(w, ANN, CAROL " ");
	/* Linked again, it is not where it was. */
	world_link(w, ANN, ROMEO);
	world_expect_order(w, ANN, CAROL " ");
	world_remove(w, ANN, CAROL, NULL);
	world_expect_order(w, ANN, "prim " ROMEO " ");
	world_remove(w, BOB, ROMEO, "not linked");
	world_remove(w, ANN, "", "not linked");
	world_expect_owner(w, ROMEO, ANN);
}

static void an_asked_link_can_be_withdrawn(void **state)
{
	struct world *w = *state;
	char code[BR_CODE_DIGITS + 1];

	world_ask(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, NULL);
	world_remove(w, ANN, ROMEO, NULL);
	assert_int_equal(w->changes.len, 0);
	world_verify(w, ANN, ROMEO, BR_SIDE_PRINCIPAL, code, "no link waits");
}

static void lists_are_in_the_order_of_names(void **state)
{
	struct world *w = *state;

	world_link(w, BOB, "z@far.example");
	world_link(w, BOB, "a@far.example");
	world_link(w, ANN, "m@far.example");
	world_ask(w, ANN, "b@far.example", BR_SIDE_PRINCIPAL, NULL, NULL);
	world_expect_links(w, "",
	    ANN " b@far.example xmpp asked\n" ANN
		" m@far.example xmpp code\n" BOB
		" a@far.example xmpp code\n" BOB " z@far.example xmpp code\n");
	world_expect_links(w, BOB,
	    BOB " a@far.example xmpp code\n" BOB " z@far.example xmpp code\n");
	world_expect_links(w, ZOE, "");
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_code_makes_a_link),
		TEST(the_other_side_can_ask_too),
		TEST(the_operator_needs_no_code),
		TEST(only_what_makes_sense_is_granted),
		TEST(an_address_of_great_length_is_one_like_any_other),
		TEST(an_owned_address_is_not_given_away),
		TEST(who_asks_again_gets_another_code),
		TEST(nobody_has_too_many_links),
		TEST(people_are_looked_for_as_they_want),
		TEST(an_order_names_only_what_is_linked),
		TEST(who_is_unlinked_is_looked_for_no_longer),
		TEST(an_asked_link_can_be_withdrawn),
		TEST(lists_are_in_the_order_of_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
