/* SPDX-License-Identifier: ISC */
/* Links and orders, as they are stored. */

#include "tests/bridge/store_world.h"

#include <sqlite3.h>

#include "prim/base.h"
#include "tests/lib/slice.h"

#define ANN   PRIM_SLICE("ann@here.example")
#define BOB   PRIM_SLICE("bob@here.example")
#define ROMEO PRIM_SLICE("romeo@far.example")
#define CAROL PRIM_SLICE("carol@mail.example")

static void account_put(struct world *w, struct prim_slice key)
{
	const struct br_store_account account = { .key = key,
		.address = key,
		.iterations = 4096,
		.salt_len = 1 };
	struct heard heard = { 0 };

	br_store_account_put(w->store, &account, on_done, &heard);
	world_expect(w, &heard, BR_STORE_DONE);
}

static int set_up(void **state)
{
	world_set_up(state);
	account_put(*state, ANN);
	account_put(*state, BOB);
	return 0;
}

static struct br_store_link link_make(struct prim_slice principal,
    struct prim_slice address, int64_t verified_ms)
{
	struct br_store_link link = { .principal = principal,
		.network = PRIM_SLICE("xmpp"),
		.address = address,
		.made_ms = 1000,
		.verified_ms = verified_ms,
		.code_expires_ms = 2000,
		.code_tries = 3,
		.is_foreign_asking = true };

	if (verified_ms)
		link.how = PRIM_SLICE("code");
	for (size_t i = 0; i < sizeof(link.code_hash); i++)
		link.code_hash[i] = (uint8_t)(i + 1);
	for (size_t i = 0; i < sizeof(link.code_salt); i++)
		link.code_salt[i] = (uint8_t)(200 + i);
	return link;
}

static void put(struct world *w, const struct br_store_link *link,
    enum br_store_outcome outcome)
{
	struct heard heard = { 0 };

	br_store_link_put(w->store, link, on_done, &heard);
	world_expect(w, &heard, outcome);
}

static void put_pair(struct world *w, struct prim_slice principal,
    struct prim_slice address, int64_t verified_ms,
    enum br_store_outcome outcome)
{
	const struct br_store_link link = link_make(principal, address,
	    verified_ms);

	put(w, &link, outcome);
}

static void drop(struct world *w, struct prim_slice principal,
    struct prim_slice address, enum br_store_outcome outcome)
{
	struct heard heard = { 0 };

	br_store_link_drop(w->store, principal, address, on_done, &heard);
	world_expect(w, &heard, outcome);
}

static void order(struct world *w, struct prim_slice principal,
    struct prim_slice words, enum br_store_outcome outcome)
{
	struct heard heard = { 0 };

	br_store_order_put(w->store, principal, words, on_done, &heard);
	world_expect(w, &heard, outcome);
}

static void tell_link(void *arg, const struct br_store_link *link)
{
	prim_buf_putf(arg, "%.*s %.*s %d\n", PRIM_SLICE_ARG(link->principal),
	    PRIM_SLICE_ARG(link->address), link->verified_ms != 0);
}

static void tell_order(void *arg, struct prim_slice principal,
    struct prim_slice words)
{
	struct prim_buf *b = arg;

	prim_buf_putf(b, "%.*s:", PRIM_SLICE_ARG(principal));
	for (size_t i = 0; i < words.len; i++)
		prim_buf_putc(b, words.ptr[i] == '\n' ? ',' : words.ptr[i]);
	prim_buf_putc(b, '\n');
}

/* All there is: links as "PRINCIPAL ADDRESS IS-VERIFIED", then orders. */
static void expect_all(struct world *w, const char *expected)
{
	struct prim_buf told = { 0 };
	const struct br_store_links each = { .link = tell_link,
		.order = tell_order,
		.arg = &told };

	assert_true(br_store_links_each(w->store, &each, NULL));
	t_buf_is("all", &told, expected);
	prim_buf_fini(&told);
}

static int exec(const struct world *w, const char *sql)
{
	char path[300];
	sqlite3 *db = NULL;
	int code;

	(void)snprintf(path, sizeof(path), "%s/primd.db", w->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	code = sqlite3_exec(db, sql, NULL, NULL, NULL);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return code;
}

static void compare(void *arg, const struct br_store_link *link)
{
	const struct br_store_link *expected = arg;

	t_slice_is("principal", link->principal, "ann@here.example");
	t_slice_is("address", link->address, "romeo@far.example");
	t_slice_is("network", link->network, "xmpp");
	assert_true(prim_slice_eq(link->how, expected->how));
	assert_int_equal(link->made_ms, expected->made_ms);
	assert_int_equal(link->verified_ms, expected->verified_ms);
	assert_int_equal(link->code_expires_ms, expected->code_expires_ms);
	assert_int_equal(link->code_tries, expected->code_tries);
	assert_int_equal(link->is_foreign_asking, expected->is_foreign_asking);
	assert_memory_equal(link->code_hash, expected->code_hash, BR_HASH_LEN);
	assert_memory_equal(link->code_salt, expected->code_salt, 16);
}

static void expect_same(struct world *w, struct br_store_link *link)
{
	const struct br_store_links each = { .link = compare,
		.order = tell_order,
		.arg = link };

	assert_true(br_store_links_each(w->store, &each, NULL));
}

static void a_link_comes_back_as_it_was_put(void **state)
{
	struct world *w = *state;
	struct br_store_link link = link_make(ANN, ROMEO, 0);

	put(w, &link, BR_STORE_DONE);
	world_reopen(w);
	expect_same(w, &link);
	link = link_make(ANN, ROMEO, 5000);
	link.is_foreign_asking = false;
	link.code_tries = 0;
	put(w, &link, BR_STORE_DONE);
	world_reopen(w);
	expect_same(w, &link);
	expect_all(w, "ann@here.example romeo@far.example 1\n");
}

static void an_address_has_one_owner(void **state)
{
	struct world *w = *state;

	put_pair(w, ANN, ROMEO, 5000, BR_STORE_DONE);
	put_pair(w, BOB, ROMEO, 6000, BR_STORE_EXISTS);
	expect_all(w, "ann@here.example romeo@far.example 1\n");
	/* Asking is no owning. */
	put_pair(w, BOB, ROMEO, 0, BR_STORE_DONE);
	put_pair(w, BOB, ROMEO, 6000, BR_STORE_EXISTS);
	expect_all(w,
	    "ann@here.example romeo@far.example 1\n"
	    "bob@here.example romeo@far.example 0\n");
	drop(w, ANN, ROMEO, BR_STORE_DONE);
	put_pair(w, BOB, ROMEO, 6000, BR_STORE_DONE);
	expect_all(w, "bob@here.example romeo@far.example 1\n");
}

/* Whatever the statements say. */
static void the_database_itself_holds_one_owner(void **state)
{
	static const char SECOND[] =
	    "INSERT INTO link SELECT 'bob@here.example', address, network,"
	    " made_ms, verified_ms, how, code_hash, code_salt,"
	    " code_expires_ms, code_tries, is_foreign_asking FROM link";
	struct world *w = *state;

	put_pair(w, ANN, ROMEO, 5000, BR_STORE_DONE);
	assert_int_equal(exec(w, SECOND), SQLITE_CONSTRAINT);
	put_pair(w, ANN, ROMEO, 0, BR_STORE_DONE);
	assert_int_equal(exec(w, SECOND), SQLITE_OK);
}

/* Both are in one transaction, and the first of them wins. */
static void two_at_once_are_told_apart(void **state)
{
	struct world *w = *state;
	const struct br_store_link first = link_make(ANN, ROMEO, 5000);
	const struct br_store_link second = link_make(BOB, ROMEO, 5000);
	struct heard heard[2] = { 0 };

	br_store_link_put(w->store, &first, on_done, &heard[0]);
	br_store_link_put(w->store, &second, on_done, &heard[1]);
	br_store_settle(w->store);
	assert_int_equal(heard[0].outcome, BR_STORE_DONE);
	assert_int_equal(heard[1].outcome, BR_STORE_EXISTS);
}

static void who_has_no_account_has_no_links(void **state)
{
	struct world *w = *state;

	put_pair(w, PRIM_SLICE("zoe@here.example"), ROMEO, 0, BR_STORE_ABSENT);
	put_pair(w, PRIM_SLICE("zoe@here.example"), ROMEO, 1, BR_STORE_ABSENT);
	order(w, PRIM_SLICE("zoe@here.example"), PRIM_SLICE("prim\n"),
	    BR_STORE_ABSENT);
	order(w, PRIM_SLICE("zoe@here.example"), PRIM_SLICE_NONE,
	    BR_STORE_ABSENT);
	drop(w, PRIM_SLICE("zoe@here.example"), ROMEO, BR_STORE_ABSENT);
	expect_all(w, "");
}

static void an_order_is_put_replaced_and_forgotten(void **state)
{
	struct world *w = *state;

	order(w, ANN, PRIM_SLICE("prim\nromeo@far.example\n"), BR_STORE_DONE);
	order(w, BOB, PRIM_SLICE("prim\n"), BR_STORE_DONE);
	order(w, ANN, PRIM_SLICE("romeo@far.example\n"), BR_STORE_DONE);
	world_reopen(w);
	expect_all(w,
	    "ann@here.example:romeo@far.example,\n"
	    "bob@here.example:prim,\n");
	order(w, ANN, PRIM_SLICE_NONE, BR_STORE_DONE);
	order(w, ANN, PRIM_SLICE_NONE, BR_STORE_DONE);
	expect_all(w, "bob@here.example:prim,\n");
}

static void who_is_unlinked_is_in_no_order(void **state)
{
	struct world *w = *state;

	put_pair(w, ANN, ROMEO, 5000, BR_STORE_DONE);
	put_pair(w, ANN, CAROL, 6000, BR_STORE_DONE);
	order(w, ANN,
	    PRIM_SLICE("romeo@far.example\nprim\ncarol@mail.example\n"),
	    BR_STORE_DONE);
	order(w, BOB, PRIM_SLICE("romeo@far.example\n"), BR_STORE_DONE);
	drop(w, ANN, ROMEO, BR_STORE_DONE);
	drop(w, ANN, ROMEO, BR_STORE_ABSENT);
	expect_all(w,
	    "ann@here.example carol@mail.example 1\n"
	    "ann@here.example:prim,carol@mail.example,\n"
	    "bob@here.example:romeo@far.example,\n");
	/* Nothing left: the usual one. */
	order(w, ANN, PRIM_SLICE("carol@mail.example\n"), BR_STORE_DONE);
	drop(w, ANN, CAROL, BR_STORE_DONE);
	expect_all(w, "bob@here.example:romeo@far.example,\n");
}

static void an_account_takes_its_links_along(void **state)
{
	struct world *w = *state;
	struct heard heard = { 0 };

	put_pair(w, ANN, ROMEO, 5000, BR_STORE_DONE);
	put_pair(w, ANN, CAROL, 0, BR_STORE_DONE);
	put_pair(w, BOB, CAROL, 5000, BR_STORE_DONE);
	order(w, ANN, PRIM_SLICE("romeo@far.example\n"), BR_STORE_DONE);
	order(w, BOB, PRIM_SLICE("prim\n"), BR_STORE_DONE);
	br_store_account_drop(w->store, ANN, on_done, &heard);
	world_expect(w, &heard, BR_STORE_DONE);
	expect_all(w,
	    "bob@here.example carol@mail.example 1\n"
	    "bob@here.example:prim,\n");
}

static void what_is_damaged_is_passed_over(void **state)
{
	static const char *const DAMAGES[] = {
		"UPDATE link SET code_hash = x'00' WHERE principal LIKE 'ann%'",
		"UPDATE link SET code_salt = x'00' WHERE principal LIKE 'ann%'",
		"UPDATE link SET network = '' WHERE principal LIKE 'ann%'",
		"UPDATE link SET principal = 'ann' WHERE principal LIKE 'ann%'",
		"UPDATE link SET address = 'x' WHERE principal LIKE 'ann%'",
	};
	struct world *w = *state;

	put_pair(w, BOB, CAROL, 5000, BR_STORE_DONE);
	order(w, BOB, PRIM_SLICE("prim\n"), BR_STORE_DONE);
	for (size_t i = 0; i < PRIM_COUNT(DAMAGES); i++) {
		put_pair(w, ANN, ROMEO, 5000, BR_STORE_DONE);
		order(w, ANN, PRIM_SLICE("prim\n"), BR_STORE_DONE);
		assert_int_equal(exec(w, DAMAGES[i]), SQLITE_OK);
		assert_int_equal(exec(w,
				     "UPDATE link_order SET words = 'prim'"
				     " WHERE principal LIKE 'ann%'"),
		    SQLITE_OK);
		expect_all(w,
		    "bob@here.example carol@mail.example 1\n"
		    "bob@here.example:prim,\n");
		assert_int_equal(exec(w,
				     "DELETE FROM link"
				     " WHERE principal LIKE 'ann%'"),
		    SQLITE_OK);
	}
}

/* As the version before left it. */
static void who_had_no_links_gets_room_for_them(void **state)
{
	struct world *w = *state;

	world_close(w);
	assert_int_equal(exec(w,
			     "DROP TABLE link; DROP TABLE link_order;"
			     "PRAGMA user_version = 2"),
	    SQLITE_OK);
	world_open(w);
	put_pair(w, ANN, ROMEO, 5000, BR_STORE_DONE);
	world_reopen(w);
	expect_all(w, "ann@here.example romeo@far.example 1\n");
}

static void a_full_disk_leaves_all_as_it_was(void **state)
{
	struct world *w = *state;
	bool is_refused = false;

	put_pair(w, ANN, ROMEO, 0, BR_STORE_DONE);
	world_limit(0);
	for (int i = 0; i < 3; i++) {
		const struct br_store_link link = link_make(ANN, ROMEO, 5000);
		struct heard heard = { 0 };

		br_store_link_put(w->store, &link, on_done, &heard);
		br_store_settle(w->store);
		is_refused = is_refused || heard.outcome == BR_STORE_FAILED;
	}
	assert_true(is_refused);
	expect_all(w, "ann@here.example romeo@far.example 0\n");
	world_limit(RLIM_INFINITY);
	put_pair(w, ANN, ROMEO, 5000, BR_STORE_DONE);
	expect_all(w, "ann@here.example romeo@far.example 1\n");
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, world_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_link_comes_back_as_it_was_put),
		TEST(an_address_has_one_owner),
		TEST(the_database_itself_holds_one_owner),
		TEST(two_at_once_are_told_apart),
		TEST(who_has_no_account_has_no_links),
		TEST(an_order_is_put_replaced_and_forgotten),
		TEST(who_is_unlinked_is_in_no_order),
		TEST(an_account_takes_its_links_along),
		TEST(what_is_damaged_is_passed_over),
		TEST(who_had_no_links_gets_room_for_them),
		TEST(a_full_disk_leaves_all_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
