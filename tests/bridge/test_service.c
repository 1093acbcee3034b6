/* SPDX-License-Identifier: ISC */
/* What people say to the bridge, and what they hear. */

#include "tests/bridge/world_service.h"

#include <string.h>

#include "prim/base.h"

#define ANN     "ann@here.example"
#define BOB     "bob@here.example"
#define ZOE     "zoe@here.example" /* has no account */
#define ROMEO   "romeo@far.example"
#define CAROL   "carol@mail.example"
#define SERVICE "primbridge@here.example"
#define HOUR    3600000

/* One thing that is said, and all that is heard of it. */
struct step {
	const char *from, *says;
	const char *hears;               /* part of it; NULL: nothing */
	const char *other, *other_hears; /* somebody else who hears; or NULL */
};

static void check(struct world *w, const struct step *step)
{
	const struct question q = { .from = step->from, .text = step->says };

	print_message("%s: %s\n", step->from, step->says);
	assert_int_equal(world_say(w, &q), 200);
	if (step->hears)
		world_heard(w, step->from, step->hears);
	else
		world_silence(w, step->from);
	if (step->other)
		world_heard(w, step->other, step->other_hears);
	assert_int_equal(w->letter_count,
	    (step->hears != NULL) + (step->other != NULL));
}

static void play(struct world *w, const struct step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		check(w, &steps[i]);
		br_clock_turn(&w->server->clock, 6000); /* nobody is hasty */
	}
}

#define PLAY(w, steps) play((w), (steps), PRIM_COUNT(steps))

/* ---- dialogues ---- */

static void a_principal_links_an_address(void **state)
{
	static const struct step STEPS[] = {
		{ANN,    "links",                          "You have no links",            NULL,  NULL},
		{ ANN,   "link romeo@far.example",
                 "A code is on its way to romeo@far.example",                              ROMEO,
                 "ann@here.example asks to be linked with this address"                               },
		{ ANN,   "links",                          "(xmpp): waits for its code",   NULL,  NULL},
		{ ROMEO, "links",                          "not linked",                   NULL,  NULL},
		{ ANN,   "verify 00000000",                "4 tries are left",             NULL,  NULL},
		{ ANN,   "verify romeo@far.example $CODE",
                 "romeo@far.example are linked now",                                       NULL,  NULL},
		{ ANN,   "links",
                 "romeo@far.example (xmpp): linked since 2023-11-14",                      NULL,
                 NULL										 },
		{ ROMEO, "links",                          "linked with ann@here.example", NULL,  NULL},
		{ ANN,   "link romeo@far.example",
                 "linked to ann@here.example already",                                     NULL,  NULL},
		{ BOB,   "link romeo@far.example",
                 "linked to another account already",                                      NULL,  NULL},
		{ ROMEO, "link bob@here.example",
                 "linked to another account already",                                      NULL,  NULL},
		{ BOB,   "unlink romeo@far.example",       "are not linked, so nothing",
                 NULL,									    NULL},
		{ ANN,   "unlink romeo@far.example",       "not linked any more",          NULL,
                 NULL										 },
		{ ANN,   "unlink romeo@far.example",       "are not linked, so nothing",
                 NULL,									    NULL},
		{ ROMEO, "links",                          "not linked",                   NULL,  NULL},
	};

	PLAY(*state, STEPS);
}

static void an_address_links_itself(void **state)
{
	static const struct step STEPS[] = {
		{ROMEO,  "link ann@here.example",
                 "If ann@here.example is an account here",                              ANN,
                 "romeo@far.example asks to be linked with your account"                          },
 /* The code must come back from where it was asked for. */
		{ ANN,   "verify $CODE",                     "the side that asked",     NULL, NULL},
		{ CAROL, "verify ann@here.example $CODE",    "no link waits",           NULL,
                 NULL									     },
		{ ROMEO, "verify $CODE",                     "are linked now",          NULL, NULL},
		{ ANN,   "links",                            ROMEO,                     NULL, NULL},
		{ ROMEO, "unlink ann@here.example",          "not linked any more",     NULL,
                 NULL									     },
		{ ANN,   "links",                            "You have no links",       NULL, NULL},
		{ ROMEO, "link ann@here.example",            "a code is on its way",    ANN,
                 "verify ann@here.example "						       },
		{ ROMEO, "verify im:Ann@HERE.example $CODE", "are linked now",
                 NULL,									NULL},
		{ ROMEO, "order prim",                       "Only the account itself", NULL, NULL},
		{ ROMEO, "password secret",                  "Only the account itself", NULL,
                 NULL									     },
	};

	PLAY(*state, STEPS);
}

static void an_order_is_said_and_shown(void **state)
{
	static const struct step STEPS[] = {
		{ANN,  "order",                              "order:\n  1. prim, your inbox here",      NULL,
                 NULL												},
		{ ANN, "link romeo@far.example",             "A code",                                  ROMEO, "code"},
		{ ANN, "verify $CODE",                       "are linked now",                          NULL,  NULL  },
		{ ANN, "order",                              "  1. prim, your inbox here\n  2. " ROMEO, NULL,
                 NULL												},
		{ ANN, "ORDER Romeo@Far.example, PRIM",
                 "  1. " ROMEO "\n  2. prim",							   NULL,  NULL  },
		{ ANN, "order xmpp:romeo@far.example/phone",
                 "order:\n  1. " ROMEO,								 NULL,  NULL  },
		{ ANN, "order carol@mail.example",
                 "'carol@mail.example' is neither 'prim'",                                              NULL,  NULL  },
		{ ANN, "order prim prim",                    "named twice",                             NULL,  NULL  },
		{ ANN, "link carol@mail.example",            "A code",                                  CAROL, "code"},
		{ ANN, "verify $CODE",                       "Your order does not name it",             NULL,
                 NULL												},
		{ ANN, "order",                              "order:\n  1. " ROMEO,                     NULL,  NULL  },
		{ ANN, "order usual",
                 "1. prim, your inbox here\n  2. " ROMEO "\n  3. " CAROL,
                 NULL,											 NULL  },
	};

	PLAY(*state, STEPS);
}

static void commands_are_understood_however_they_are_written(void **state)
{
	static const struct step STEPS[] = {
		{ANN,    "help",						   "link ADDRESS",                 NULL, NULL},
		{ ANN,   "HELP",						   "password NEW",                 NULL, NULL},
		{ ANN,   "/help",						  "link ADDRESS",                 NULL, NULL},
		{ ANN,   "Help!",						  "link ADDRESS",                 NULL, NULL},
		{ ANN,   "  \r\n\t help \r\n-- \r\nlink x@far.example",
                 "link ADDRESS",										   NULL, NULL},
		{ ANN,   "",						       "link ADDRESS",                 NULL, NULL},
		{ ANN,   " \n ",						   "link ADDRESS",                 NULL, NULL},
		{ ANN,   "?",						      "link ADDRESS",                 NULL, NULL},
		{ ROMEO, "help",						   "link NAME@here.example",       NULL, NULL},
		{ ANN,   "hello there",					    "I do not know 'hello'",        NULL, NULL},
		{ ANN,   "hell\303\266",					   "I do not know 'hell\303\266'", NULL,
                 NULL													},
		{ ANN,   "\033[2J",						"I do not know '\\x1B[2J'",     NULL, NULL},
		{ ANN,   "a-word-of-more-than-forty-octets-which-is-not-repeated",
                 "I do not know that",									     NULL, NULL},
		{ ANN,   "link",						   "Which address?",               NULL, NULL},
		{ ROMEO, "link",						   "link romeo@here.example",      NULL, NULL},
		{ ANN,   "link me",						"no address",                   NULL, NULL},
		{ ANN,   "link @far.example",                                      "no address",                   NULL, NULL},
		{ ANN,   "link r@f@far.example",                                   "no address",                   NULL, NULL},
		{ ANN,   "link r%zz@far.example",                                  "no address",                   NULL, NULL},
		{ ANN,   "unlink",						 "Which address?",               NULL, NULL},
		{ ANN,   "verify",						 "Which code?",                  NULL, NULL},
		{ ANN,   "verify romeo@far.example",                               "Which code?",                  NULL, NULL},
		{ ANN,   "verify r@f.example c@m.example 12345678",
                 "I do not understand",									    NULL, NULL},
		{ ANN,   "verify @ 12345678",                                      "I do not understand",          NULL, NULL},
		{ ANN,   "verify 12345678",                                        "no link waits",                NULL, NULL},
		{ ANN,   "link bob@here.example",                                  "of this bridge itself",        NULL,
                 NULL													},
		{ ANN,   "link bob%40here.example@gw.example",
                 "of this bridge itself",									  NULL, NULL},
		{ ANN,   "link x@nowhere.example",                                 "no network",                   NULL, NULL},
		{ ANN,   "link postmaster@far.example",
                 "not the address of a person",								    NULL, NULL},
		{ ROMEO, "link x@nowhere.example",                                 "has no account here",          NULL,
                 NULL													},
		{ ROMEO, "link primbridge@here.example",
                 "belongs to the bridge",									  NULL, NULL},
	};

	PLAY(*state, STEPS);
}

/* Each leads to the same address. */
static void addresses_are_understood_however_they_are_written(void **state)
{
	static const char *const WRITTEN[] = {
		"link romeo@far.example",
		"link Romeo@FAR.example",
		"link im:romeo@far.example",
		"link pres:romeo@far.example",
		"link xmpp:romeo@far.example",
		"link XMPP:romeo@far.example/phone?message",
		"link romeo@far.example/phone",
		"link <romeo@far.example>",
		"link mailto:romeo@far.example?subject=hello",
		"link %72omeo@far.example",
		"link romeo+tag@far.example",
		"link romeo@far.example, please",
	};
	struct world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(WRITTEN); i++) {
		const struct step step = { ANN, WRITTEN[i],
			"on its way to romeo@far.example.", ROMEO, "code" };

		check(w, &step);
		br_clock_turn(&w->server->clock, HOUR);
	}
}

static void what_has_to_be_escaped_is(void **state)
{
	static const struct step STEPS[] = {
		{ANN,  "link ren\303\251@far.example",
                 "on its way to ren%C3%A9@far.example",		     "ren%C3%A9@far.example", "code"},
		{ ANN, "link o\"neil@far.example",
                 "on its way to o%22neil@far.example",		      "o%22neil@far.example",  "code"},
		{ ANN, "link ren\303\251@fa\303\251.example", "no address",
                 NULL,									       NULL  },
	};

	PLAY(*state, STEPS);
}

static void a_code_may_be_written_in_groups(void **state)
{
	static const struct step STEPS[] = {
		{ANN,  "link romeo@far.example",                              "A code",              ROMEO, "code"},
		{ ANN, "verify 1234567",                                      "a code has 8 digits", NULL,  NULL  },
		{ ANN, "verify -",					    "a code has 8 digits", NULL,  NULL  },
		{ ANN, "verify please",                                       "a code has 8 digits", NULL,  NULL  },
		{ ANN, "verify 1234 5678 9012 3456 7890 1234 5678 9012 3456",
                 "a code has 8 digits",							      NULL,  NULL  },
		{ ANN, "verify 0000-0000",                                    "4 tries",             NULL,  NULL  },
		{ ANN, "verify 0000 0000 romeo@far.example",                  "3 tries",             NULL,
                 NULL											     },
		{ ANN, "verify xmpp:romeo@far.example/x $CODE",
                 "are linked now",								   NULL,  NULL  },
	};

	PLAY(*state, STEPS);
}

static void who_is_not_here_sounds_like_who_is(void **state)
{
	static const struct step STEPS[] = {
		{ROMEO,  "link ann@here.example",
                 "account here, a code is on its way",                              ANN,  "code"},
		{ ROMEO, "link zoe@here.example",
                 "account here, a code is on its way",                              NULL, NULL  },
		{ ROMEO, "verify ann@here.example 00000000", "4 tries are left",
                 NULL,								    NULL  },
		{ ROMEO, "verify zoe@here.example 00000000", "4 tries are left",
                 NULL,								    NULL  },
		{ ROMEO, "verify 00000000",                  "say which",           NULL, NULL  },
		{ ROMEO, "unlink ann@here.example",          "not linked any more", NULL,
                 NULL									   },
		{ ROMEO, "unlink zoe@here.example",          "not linked any more", NULL,
                 NULL									   },
		{ ROMEO, "verify ann@here.example 00000000", "no link waits",
                 NULL,								    NULL  },
		{ ROMEO, "verify zoe@here.example 00000000", "no link waits",
                 NULL,								    NULL  },
	};

	PLAY(*state, STEPS);
}

static void who_is_flooded_gets_no_more_codes(void **state)
{
	static const struct step STEPS[] = {
		{"a@far.example",  "link ann@here.example",  "a code", ANN,
                 "code"							     },
		{ "b@far.example", "link ann@here.example",  "a code", ANN,
                 "code"							     },
		{ "c@far.example", "link ann@here.example",  "a code", ANN,
                 "code"							     },
		{ "d@far.example", "link ann@here.example",  "a code", ANN,
                 "code"							     },
		{ "e@far.example", "link ann@here.example",  "a code", ANN,
                 "code"							     },
		{ "f@far.example", "link ann@here.example",
                 "has been sent 5 codes",                              NULL,  NULL  },
		{ ANN,             "link romeo@far.example", "A code", ROMEO, "code"},
	};

	PLAY(*state, STEPS);
}

static void a_password_is_changed_by_its_owner(void **state)
{
	static const struct step STEPS[] = {
		{ANN,  "password",                     "Which password?",   NULL, NULL},
		{ ANN, "password a long new password", "is changed",        NULL,
                 NULL								 },
		{ ANN, "password \302\255",            "That did not work", NULL, NULL},
	};

	PLAY(*state, STEPS);
}

int main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_principal_links_an_address),
		TEST(an_address_links_itself),
		TEST(an_order_is_said_and_shown),
		TEST(commands_are_understood_however_they_are_written),
		TEST(addresses_are_understood_however_they_are_written),
		TEST(what_has_to_be_escaped_is),
		TEST(a_code_may_be_written_in_groups),
		TEST(who_is_not_here_sounds_like_who_is),
		TEST(who_is_flooded_gets_no_more_codes),
		TEST(a_password_is_changed_by_its_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
