/* SPDX-License-Identifier: ISC */
/* Names of answers, who is who, and trouble on the way. */

#include "tests/bridge/world_service.h"

#include <stdio.h>
#include <string.h>

#include "bridge/auth_verifier.h"
#include "prim/base.h"

#define ANN     "ann@here.example"
#define BOB     "bob@here.example"
#define CYD     "cyd@here.example"
#define DAN     "dan@here.example"
#define ROMEO   "romeo@far.example"
#define SERVICE "primbridge@here.example"

static void the_service_has_a_name_in_every_domain(void **state)
{
	static const struct {
		const char *key;
		bool is_it;
	} CASES[] = {
		{SERVICE,                    true },
		{ "primbridge@also.example", true },
		{ "primbridge@far.example",  false},
		{ "primbridg@here.example",  false},
		{ "primbridge",              false},
		{ "ann@here.example",        false},
		{ "",			false},
	};
	const struct world *w = *state;

	for (size_t i = 0; i < PRIM_COUNT(CASES); i++)
		assert_int_equal(br_service_is(w->server,
				     prim_slice_of(CASES[i].key)),
		    CASES[i].is_it);
}

/* ---- names ---- */

static void an_answer_belongs_to_its_question(void **state)
{
	struct world *w = *state;
	struct question q = { .from = ANN, .text = "help" };
	char first[128];

	assert_int_equal(world_say(w, &q), 200);
	assert_string_equal(w->letters[0].from, "im:" SERVICE);
	assert_string_equal(w->letters[0].conversation, "talk-1");
	assert_non_null(strstr(w->letters[0].id, ":im:" SERVICE));
	(void)snprintf(first, sizeof(first), "%s", w->letters[0].id);
	q.serial = 1; /* the same again */
	assert_int_equal(world_say(w, &q), 200);
	assert_string_equal(w->letters[0].id, first);
	assert_string_equal(w->letters[0].conversation, "talk-1");
	q.serial = 0;
	assert_int_equal(world_say(w, &q), 200);
	assert_string_not_equal(w->letters[0].id, first);
	assert_string_equal(w->letters[0].conversation, "talk-2");
	q.to = "primbridge@also.example";
	assert_int_equal(world_say(w, &q), 200);
	assert_string_equal(w->letters[0].from, "im:primbridge@also.example");
}

/* Or the newer code, the only one that is good, would be taken for the older
 * one come again. */
static void each_code_is_a_message_of_its_own(void **state)
{
	struct world *w = *state;
	struct question q = { .from = ANN,
		.text = "link romeo@far.example",
		.serial = 7 };
	struct letter first[2];

	assert_int_equal(world_say(w, &q), 200);
	first[0] = *world_letter(w, ANN);
	first[1] = *world_letter(w, ROMEO);
	assert_string_not_equal(first[0].conversation, first[1].conversation);
	world_restart(w);
	assert_int_equal(world_say(w, &q), 200);
	assert_string_equal(world_letter(w, ANN)->id, first[0].id);
	assert_string_equal(world_letter(w, ANN)->text, first[0].text);
	assert_string_not_equal(world_letter(w, ROMEO)->id, first[1].id);
}

/* ---- who is who ---- */

static void link_them(struct world *w)
{
	struct question q = { .from = ANN, .text = "link romeo@far.example" };

	assert_int_equal(world_say(w, &q), 200);
	q.text = "verify $CODE";
	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "linked now");
}

/* Else a thief of the address could give away the account. */
static void a_linked_address_is_not_its_principal(void **state)
{
	static const struct {
		const char *says, *hears;
	} CASES[] = {
		{"links",                    "linked with " ANN       },
		{ "order romeo@far.example", "Only the account itself"},
		{ "password mine",           "Only the account itself"},
		{ "link carol@mail.example", "has no account here"    },
		{ "link bob@here.example",   "another account"        },
		{ "help",                    "link NAME@here.example" },
		{ "unlink ann@here.example", "not linked any more"    },
	};
	struct world *w = *state;
	struct question q = { .from = ANN, .original_from = "im:" ROMEO };

	link_them(w);
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		q.text = CASES[i].says;
		assert_int_equal(world_say(w, &q), 200);
		world_heard(w, ROMEO, CASES[i].hears);
		world_silence(w, ANN);
	}
	assert_null(br_identity_of(w->server->identities, PRIM_SLICE(ROMEO)));
}

struct verdict {
	bool is_there, old_is_right, new_is_right;
};

static void on_account(void *arg, const struct br_store_account *a, bool failed)
{
	struct verdict *verdict = arg;
	struct br_auth_verifier v = { .is_real = true };

	assert_false(failed);
	assert_non_null(a);
	v.iterations = a->iterations;
	memcpy(v.salt, a->salt, sizeof(v.salt));
	v.salt_len = a->salt_len;
	memcpy(v.stored_key, a->stored_key, BR_HASH_LEN);
	memcpy(v.server_key, a->server_key, BR_HASH_LEN);
	verdict->is_there = true;
	verdict->old_is_right = br_auth_verifier_check(&v, "the old one");
	verdict->new_is_right = br_auth_verifier_check(&v, "a new one");
	assert_int_equal(a->cram_secret.len, 0);
}

static void expect_password(struct world *w, bool is_old, bool is_new)
{
	struct verdict verdict = { 0 };

	br_store_account_find(w->server->store, PRIM_SLICE(ANN), on_account,
	    &verdict);
	world_settle(w);
	assert_true(verdict.is_there);
	assert_int_equal(verdict.old_is_right, is_old);
	assert_int_equal(verdict.new_is_right, is_new);
}

static void a_password_counts_from_the_next_login_on(void **state)
{
	struct world *w = *state;
	struct question q = { .from = ANN, .text = "password the old one " };

	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "is changed");
	expect_password(w, true, false);
	q.text = "Password\ta new one\r\nBye";
	q.origin = "xmpp"; /* nobody of ours comes that way */
	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "Only the account itself");
	q.origin = NULL;
	world_disk(true);
	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "the same as before");
	world_disk(false);
	expect_password(w, true, false);
	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "is changed");
	expect_password(w, false, true);
}

/* ---- adapters ---- */

static void an_adapter_says_how_an_address_is_spelled(void **state)
{
	struct world *w = *state;
	struct question q = { .from = ANN, .text = "link nobody@far.example" };

	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "the adapter xmpp has no such address");
	w->is_down = true;
	q.text = "link romeo@far.example";
	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "does not run now");
	w->is_down = false;
	w->lie = "im:carol@mail.example";
	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "no such address");
	w->lie = "im:bob@here.example";
	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "no such address");
	w->lie = "im:x@nowhere.example";
	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "no such address");
	assert_int_equal(w->letter_count, 1);
}

static void what_is_linked_needs_no_adapter(void **state)
{
	struct world *w = *state;
	struct question q = { .from = ANN, .text = "link romeo@far.example" };

	assert_int_equal(world_say(w, &q), 200);
	w->is_down = true;
	q.text = "verify romeo@far.example $CODE";
	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "linked now");
	q.text = "unlink x@far.example";
	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "does not run now");
	q.text = "unlink romeo@far.example";
	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "not linked any more");
	w->is_down = false;
	link_them(w);
	q.text = "unlink Romeo+x@far.example";
	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "not linked any more");
}

static void a_slow_adapter_holds_up_nobody_else(void **state)
{
	struct world *w = *state;
	const struct question slow = { .from = ANN,
		.text = "link romeo@far.example" };
	const struct question quick = { .from = BOB, .text = "help" };
	unsigned code, other;

	w->is_slow = true;
	world_start(w, &slow, &code);
	assert_int_equal(code, 0);
	world_start(w, &quick, &other);
	assert_int_equal(other, 200);
	world_heard(w, BOB, "link ADDRESS");
	world_answer(w);
	assert_int_equal(code, 0);
	world_settle(w);
	assert_int_equal(code, 200);
	world_heard(w, ROMEO, "verify");
}

/* ---- trouble ---- */

static void what_cannot_be_stored_is_said(void **state)
{
	struct world *w = *state;
	struct question q = { .from = ANN, .text = "link romeo@far.example" };

	world_disk(true);
	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "could not be stored");
	world_silence(w, ROMEO);
	world_disk(false);
	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ROMEO, "code");
}

/* In each place where it may wait. */
static void who_waits_when_we_stop_is_not_called(void **state)
{
	static const struct {
		const char *from, *text;
	} SAID[] = {
		{ANN,  "password a new one"     },
		{ BOB, "link romeo@far.example" },
		{ CYD, "order usual"            },
		{ DAN, "link carol@mail.example"},
		{ DAN, "help"                   },
	};

	static unsigned codes[PRIM_COUNT(SAID)];
	struct world *w = *state;

	world_account(w, CYD);
	world_account(w, DAN);
	for (size_t i = 0; i < PRIM_COUNT(SAID); i++) {
		const struct question q = { .from = SAID[i].from,
			.text = SAID[i].text };

		w->is_slow = strcmp(q.from, DAN) == 0;
		world_start(w, &q, &codes[i]);
	}
	world_stop(w);
	world_restart(w);
	for (size_t i = 0; i < PRIM_COUNT(codes); i++)
		assert_int_equal(codes[i], 0);
}

/* ---- one after the other ---- */

static void what_is_said_later_is_answered_later(void **state)
{
	static const char *const SAID[] = { "verify $CODE", "links",
		"order romeo@far.example prim", "order", "nonsense" };
	static const char *const HEARD[] = { "are linked now",
		"romeo@far.example (xmpp): linked since",
		"1. romeo@far.example", "1. romeo@far.example",
		"I do not know 'nonsense'" };
	struct world *w = *state;
	struct question q = { .from = ANN, .text = "link romeo@far.example" };
	unsigned codes[PRIM_COUNT(SAID)];

	assert_int_equal(world_say(w, &q), 200);
	world_forget(w);
	for (size_t i = 0; i < PRIM_COUNT(SAID); i++) {
		q.text = SAID[i];
		world_start(w, &q, &codes[i]);
		assert_int_equal(codes[i], 0);
	}
	world_settle(w);
	assert_int_equal(w->letter_count, PRIM_COUNT(SAID));
	for (size_t i = 0; i < PRIM_COUNT(SAID); i++) {
		assert_int_equal(codes[i], 200);
		if (!strstr(w->letters[i].text, HEARD[i]))
			fail_msg("'%s' is not '%s'", w->letters[i].text,
			    HEARD[i]);
	}
}

static void who_writes_several_commands_at_once_is_told(void **state)
{
	struct world *w = *state;
	struct question q = { .from = ANN,
		.text = "\n links\r\n\r\n  /Help!\r\n" };

	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "You have no links");
	world_heard(w, ANN, "Send each command by itself");
	q.text = "links\n-- \nAnn, who has links\n";
	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "You have no links");
	assert_null(strstr(w->letters[0].text, "by itself"));
	q.type = "message/cpim";
	q.text = "From: <im:" ANN ">\r\nTo: <im:" SERVICE ">\r\n"
		 "DateTime: 2006-04-04T12:16:49Z\r\n\r\n"
		 "Content-Type: text/plain\r\n\r\nlinks\r\nhelp";
	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "Send each command by itself");
}

static void usual_stands_alone(void **state)
{
	struct world *w = *state;
	struct question q = { .from = ANN, .text = "order prim, Usual" };

	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "'usual' stands alone");
	q.text = "order Usual";
	assert_int_equal(world_say(w, &q), 200);
	world_heard(w, ANN, "1. prim");
}

/* Even where each of them is answered at once. */
static void many_are_answered_in_order_when_the_first_is_slow(void **state)
{
	struct world *w = *state;
	struct question q = { .from = ANN, .text = "link romeo@far.example" };
	unsigned codes[20], other;
	char text[16];

	w->is_slow = true;
	world_start(w, &q, &codes[0]);
	for (unsigned i = 1; i < 20; i++) {
		(void)snprintf(text, sizeof(text), "nonsense%u", i);
		q.text = text;
		world_start(w, &q, &codes[i]);
		assert_int_equal(codes[i], 0);
	}
	br_clock_turn(&w->server->clock, 61000); /* he may speak again */
	q.text = "help";
	world_start(w, &q, &other);
	assert_int_equal(other, 500);
	world_answer(w);
	world_settle(w);
	assert_int_equal(w->letter_count, 21); /* and the code */
	for (unsigned i = 1; i < 20; i++) {
		assert_int_equal(codes[i], 200);
		(void)snprintf(text, sizeof(text), "nonsense%u'", i);
		if (!strstr(w->letters[i + 1].text, text))
			fail_msg("no %s in '%s'", text, w->letters[i + 1].text);
	}
	w->is_slow = false;
	assert_int_equal(world_say(w, &q), 200);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_service_has_a_name_in_every_domain),
		TEST(an_answer_belongs_to_its_question),
		TEST(each_code_is_a_message_of_its_own),
		TEST(a_linked_address_is_not_its_principal),
		TEST(a_password_counts_from_the_next_login_on),
		TEST(an_adapter_says_how_an_address_is_spelled),
		TEST(what_is_linked_needs_no_adapter),
		TEST(a_slow_adapter_holds_up_nobody_else),
		TEST(what_cannot_be_stored_is_said),
		TEST(who_waits_when_we_stop_is_not_called),
		TEST(what_is_said_later_is_answered_later),
		TEST(who_writes_several_commands_at_once_is_told),
		TEST(usual_stands_alone),
		TEST(many_are_answered_in_order_when_the_first_is_slow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
