/* SPDX-License-Identifier: ISC */
/* Copies that take the place of primd.db. */

#include "tests/bridge/world_copy.h"

#include <sqlite3.h>
#include <sys/wait.h>
#include <time.h>

#include "prim/base.h"
#include "tests/lib/random.h"

#define ANN "ann@here.example"
#define BOB "bob@here.example"

/* Ann is in the copy "one.db", Ann and Bob are in the data folder, and nobody
 * works there. */
static int set_up(void **state)
{
	struct copy_world *c;

	copy_set_up(state);
	c = *state;
	account_put(&c->w, ANN);
	backup(c, in_copies(c, "one.db"));
	account_put(&c->w, BOB);
	world_close(&c->w);
	return 0;
}

static void a_copy_takes_the_place_of_what_there_is(void **state)
{
	struct copy_world *c = *state;
	struct stat st;

	restore(c, in_copies(c, "one.db"));
	assert_int_equal(stat(in_data(c, "primd.db"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 1);
	expect_accounts_in(c->w.dir, ANN " ");
	/* The copy is where it was, still good, and alone. */
	assert_int_equal(files_in(c->copies), 1);
	expect_accounts_in(c->w.dir, ANN " ");
	restore(c, in_copies(c, "one.db"));
	expect_accounts_in(c->w.dir, ANN " ");
}

static void what_was_there_is_kept(void **state)
{
	struct copy_world *c = *state;
	const char *kept = in_data(c, "primd.db.before-restore");

	restore(c, in_copies(c, "one.db"));
	assert_int_equal(ask(kept, "SELECT count(*) FROM account"), 2);
	/* And can be had back. */
	restore(c, kept);
	expect_accounts_in(c->w.dir, ANN " " BOB " ");
	assert_int_equal(ask(in_data(c, "primd.db.before-restore.2"),
			     "SELECT count(*) FROM account"),
	    1);
	assert_false(exists(in_data(c, "primd.db.restoring")));
}

static void what_was_kept_before_stays(void **state)
{
	static const char *const NAMES[] = { "primd.db.before-restore",
		"primd.db.before-restore.2", "primd.db.before-restore.3" };
	struct copy_world *c = *state;
	struct br_err err = { "" };
	char kept[BR_STORE_KEPT_MAX];

	for (int i = 0; i < 3; i++) {
		assert_true(br_store_restore(c->w.dir, in_copies(c, "one.db"),
		    kept, &err));
		assert_string_equal(kept, NAMES[i]);
		exec(in_data(c, "primd.db"),
		    i ? "DELETE FROM account"
		      : "UPDATE account SET key = 'zoe@here.example'");
	}
	assert_int_equal(ask(in_data(c, NAMES[0]),
			     "SELECT count(*) FROM account WHERE key LIKE "
			     "'bob@%'"),
	    1);
	assert_int_equal(ask(in_data(c, NAMES[1]),
			     "SELECT count(*) FROM account WHERE key LIKE "
			     "'zoe@%'"),
	    1);
	assert_int_equal(ask(in_data(c, NAMES[2]),
			     "SELECT count(*) FROM account"),
	    0);
}

static void there_is_an_end_to_what_is_kept(void **state)
{
	struct copy_world *c = *state;
	char name[BR_STORE_KEPT_MAX];

	write_file(in_data(c, "primd.db.before-restore"), "");
	for (int i = 2; i < 1000; i++) {
		(void)snprintf(name, sizeof(name), "primd.db.before-restore.%d",
		    i);
		write_file(in_data(c, name), "");
	}
	restore_refused(c, in_copies(c, "one.db"), "move those away");
	assert_int_equal(unlink(in_data(c, "primd.db.before-restore.7")), 0);
	restore(c, in_copies(c, "one.db"));
	assert_int_equal(ask(in_data(c, "primd.db.before-restore.7"),
			     "SELECT count(*) FROM account"),
	    2);
}

static void a_new_folder_gets_its_accounts_from_a_copy(void **state)
{
	struct copy_world *c = *state;
	struct br_err err = { "" };
	char kept[BR_STORE_KEPT_MAX];

	assert_true(br_store_restore(c->away.dir, in_copies(c, "one.db"), kept,
	    &err));
	assert_string_equal(kept, "");
	assert_int_equal(files_in(c->away.dir), 1);
	expect_accounts_in(c->away.dir, ANN " ");
}

static void names_may_be_strange(void **state)
{
	static const char *const NAMES[] = { "a b", "100%", "%41", "a?mode=ro",
		"a#b", "file:x", ":memory:", "-", "\303\244", "a\nb" };
	struct copy_world *c = *state;
	char twice[600];

	for (size_t i = 0; i < PRIM_COUNT(NAMES); i++) {
		const char *copy = in_copies(c, NAMES[i]);

		backup(c, copy);
		assert_int_equal(files_in(c->copies), 2);
		restore(c, copy);
		assert_int_equal(unlink(copy), 0);
	}
	(void)snprintf(twice, sizeof(twice), "/%s", in_copies(c, "one.db"));
	restore(c, twice);
	expect_accounts_in(c->w.dir, ANN " ");
}

/* What was sent stays sent, and what waits waits. */
static void messages_are_not_touched(void **state)
{
	struct copy_world *c = *state;
	struct br_store_message first = message_make(1, PRIM_SLICE("first"));
	struct br_store_message second = message_make(2, PRIM_SLICE("second"));
	const struct br_store_end end = { .code = 200,
		.reason = PRIM_SLICE("delivered"),
		.forget_ms = INT64_MAX };
	struct heard heard = { 0 };
	int64_t seq;

	world_open(&c->w);
	seq = message_store(&c->w, &first).seq;
	backup(c, in_copies(c, "two.db"));
	br_store_message_end(c->w.store, seq, &end, on_done, &heard);
	world_expect(&c->w, &heard, BR_STORE_DONE);
	message_store(&c->w, &second);
	world_close(&c->w);
	restore(c, in_copies(c, "two.db"));
	assert_int_equal(ask(in_data(c, "queue.db"),
			     "SELECT count(*) FROM message"),
	    1);
	world_open(&c->w);
	assert_int_equal(message_store(&c->w, &first).outcome,
	    BR_STORE_DUPLICATE);
}

static void an_older_copy_is_brought_up_to_date(void **state)
{
	struct copy_world *c = *state;

	exec(in_copies(c, "one.db"),
	    "DROP TABLE link; DROP TABLE link_order;"
	    "PRAGMA user_version = 2");
	restore(c, in_copies(c, "one.db"));
	assert_int_equal(ask(in_data(c, "primd.db"), "PRAGMA user_version"), 2);
	expect_accounts_in(c->w.dir, ANN " ");
	assert_int_equal(ask(in_data(c, "primd.db"),
			     "SELECT count(*) FROM link"),
	    0);
}

/* Copied by hand, with a log of writes beside it. */
static void a_log_beside_the_copy_is_part_of_it(void **state)
{
	struct copy_world *c = *state;
	const char *copy = in_copies(c, "one.db");
	pid_t pid = fork();

	if (pid == 0) {
		sqlite3 *db = NULL;

		sqlite3_open(copy, &db);
		sqlite3_exec(db,
		    "PRAGMA journal_mode = WAL;"
		    "UPDATE account SET key = 'zoe@here.example'",
		    NULL, NULL, NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(exists(in_copies(c, "one.db-wal")));
	restore(c, copy);
	expect_accounts_in(c->w.dir, "zoe@here.example ");
}

/* ---- what is no copy ---- */

static void what_is_no_copy_is_refused(void **state)
{
	struct copy_world *c = *state;
	const char *bad = in_copies(c, "bad");

	write_file(bad, "garbage");
	restore_refused(c, bad, "is no copy of a primd.db");
	write_file(bad, "");
	restore_refused(c, bad, "is no copy of a primd.db");
	assert_int_equal(unlink(bad), 0);
	exec(bad, "CREATE TABLE other (x); PRAGMA user_version = 1");
	restore_refused(c, bad, "is no copy of a primd.db");
	restore_refused(c, in_data(c, "queue.db"), "is no copy of a primd.db");
	restore_refused(c, in_copies(c, "none"), "No such file");
	restore_refused(c, c->copies, "is not a file");
	restore_refused(c, in_data(c, "primd.db"), "the file in use itself");
	assert_int_equal(symlink(in_data(c, "primd.db"), in_copies(c, "link")),
	    0);
	restore_refused(c, in_copies(c, "link"), "the file in use itself");
	exec(in_copies(c, "one.db"), "PRAGMA user_version = 99");
	restore_refused(c, in_copies(c, "one.db"), "has schema 99");
	assert_false(exists(in_data(c, "primd.db.before-restore")));
	expect_accounts_in(c->w.dir, ANN " " BOB " ");
}

/* primd would find it out at its start, when the old one is not in its place any
 * more. */
static void a_copy_with_other_tables_is_refused(void **state)
{
	static const struct {
		const char *text, *sentence;
	} ROWS[] = {
		{"DROP TABLE link",
                 "one.db is damaged: its table link is missing; use "
		    "another copy"							},
		{ "CREATE TABLE link (x)",
                 "its table link is not as primd made it"                                 },
		{ "DROP TABLE link; CREATE TABLE \"a\nb\" (x)",
                 "its table \"a\\nb\" is none of primd's"                                 },
		{ "DROP TABLE account",                         "is no copy of a primd.db"},
	};
	struct copy_world *c = *state;

	for (size_t i = 0; i < PRIM_COUNT(ROWS); i++) {
		exec(in_copies(c, "one.db"), ROWS[i].text);
		restore_refused(c, in_copies(c, "one.db"), ROWS[i].sentence);
	}
	expect_accounts_in(c->w.dir, ANN " " BOB " ");
}

static void scribble(const char *path, long at)
{
	FILE *file = fopen(path, "r+");

	assert_non_null(file);
	assert_int_equal(fseek(file, at, SEEK_SET), 0);
	assert_true(fputs("not the head of a page", file) >= 0);
	fclose(file);
}

/* Wherever the damage is: refused, or it is no damage. */
static void a_damaged_copy_is_refused(void **state)
{
	struct copy_world *c = *state;
	struct stat st;
	off_t size;

	assert_int_equal(stat(in_copies(c, "one.db"), &st), 0);
	size = st.st_size;
	for (long at = 4096; at < size; at += 4096) {
		const char *bad = in_copies(c, "bad.db");

		backup(c, bad);
		scribble(bad, at);
		restore_refused(c, bad, "is damaged");
		assert_int_equal(unlink(bad), 0);
	}
	assert_int_equal(truncate(in_copies(c, "one.db"), size - 4096), 0);
	restore_refused(c, in_copies(c, "one.db"), "");
	expect_accounts_in(c->w.dir, ANN " " BOB " ");
}

/* ---- what is there is in a bad state ---- */

/* As a crash leaves it: the newest is in the log only. */
static void the_log_of_the_old_one_does_not_get_into_the_new_one(void **state)
{
	struct copy_world *c = *state;
	pid_t pid = fork();

	if (pid == 0) {
		world_open(&c->w);
		account_put(&c->w, "zoe@here.example");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(world_size(&c->w, "primd.db-wal") > 0);
	restore(c, in_copies(c, "one.db"));
	assert_false(exists(in_data(c, "primd.db-wal")));
	assert_false(exists(in_data(c, "primd.db-shm")));
	expect_accounts_in(c->w.dir, ANN " ");
	/* It is in what was kept. */
	assert_int_equal(ask(in_data(c, "primd.db.before-restore"),
			     "SELECT count(*) FROM account"),
	    3);
}

/* Why one restores. */
static void a_damaged_old_one_is_no_hindrance(void **state)
{
	static const char *const LEFT[] = { "primd.db", "primd.db-wal",
		"primd.db-shm", "primd.db-journal", "primd.db.restoring",
		"primd.db.restoring-journal", "primd.db.before-restore-wal",
		"primd.db.before-restore.3" };
	struct copy_world *c = *state;
	struct stat st;

	for (size_t i = 0; i < PRIM_COUNT(LEFT); i++)
		write_file(in_data(c, LEFT[i]), "rubbish rubbish rubbish");
	restore(c, in_copies(c, "one.db"));
	assert_false(exists(in_data(c, "primd.db-wal")));
	assert_false(exists(in_data(c, "primd.db-shm")));
	assert_false(exists(in_data(c, "primd.db-journal")));
	assert_false(exists(in_data(c, "primd.db.restoring-journal")));
	expect_accounts_in(c->w.dir, ANN " ");
	assert_int_equal(stat(in_data(c, "primd.db.before-restore.2"), &st), 0);
	assert_int_equal(st.st_size, 23);
}

static void root_leaves_the_file_to_its_owner(void **state)
{
	struct copy_world *c = *state;
	struct br_err err = { "" };
	char kept[BR_STORE_KEPT_MAX];
	struct stat st;

	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(in_data(c, "primd.db"), 65534, 65533), 0);
	restore(c, in_copies(c, "one.db"));
	assert_int_equal(stat(in_data(c, "primd.db"), &st), 0);
	assert_int_equal(st.st_uid, 65534);
	assert_int_equal(st.st_gid, 65533);
	assert_int_equal(chown(c->away.dir, 65532, 65531), 0);
	assert_true(br_store_restore(c->away.dir, in_copies(c, "one.db"), kept,
	    &err));
	(void)snprintf(err.text, sizeof(err.text), "%s/primd.db", c->away.dir);
	assert_int_equal(stat(err.text, &st), 0);
	assert_int_equal(st.st_uid, 65532);
	assert_int_equal(st.st_gid, 65531);
}

static void a_full_disk_changes_nothing(void **state)
{
	struct copy_world *c = *state;

	for (rlim_t size = 0; size < 5 * 4096; size += 4096) {
		world_limit(size);
		restore_refused(c, in_copies(c, "one.db"), "cannot write");
		world_limit(RLIM_INFINITY);
	}
	expect_accounts_in(c->w.dir, ANN " " BOB " ");
	restore(c, in_copies(c, "one.db"));
	expect_accounts_in(c->w.dir, ANN " ");
}

/* ---- killed ---- */

#define ROUNDS 30

static void nap(int64_t us)
{
	const struct timespec time = { .tv_sec = us / 1000000,
		.tv_nsec = us % 1000000 * 1000 };

	(void)nanosleep(&time, NULL);
}

static int64_t steady_us(void)
{
	struct timespec time;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &time), 0);
	return time.tv_sec * INT64_C(1000000) + time.tv_nsec / 1000;
}

/* Who works there when it happens: a crash leaves a log. */
static void leave_a_log(struct copy_world *c)
{
	pid_t pid = fork();

	if (pid == 0) {
		world_open(&c->w);
		account_put(&c->w, BOB);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* The accounts are those of before or those of the copy, never a mixture and
 * never none. */
static void who_is_killed_leaves_one_of_the_two(void **state)
{
	struct copy_world *c = *state;
	struct t_random random = { 5 };
	int64_t lasts_us = steady_us();
	unsigned restored = 0;

	restore(c, in_copies(c, "one.db"));
	lasts_us = steady_us() - lasts_us;
	for (int round = 0; round < ROUNDS; round++) {
		pid_t pid;
		int count;

		leave_a_log(c);
		pid = fork();
		if (pid == 0) {
			char kept[BR_STORE_KEPT_MAX];
			struct br_err err;

			_exit(br_store_restore(c->w.dir, in_copies(c, "one.db"),
				  kept, &err)
				? 0
				: 1);
		}
		nap((int64_t)t_random_below(&random, 2 * (uint64_t)lasts_us));
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_true(exists(in_data(c, "primd.db")));
		count = ask(in_data(c, "primd.db"),
		    "SELECT count(*) FROM account");
		expect_accounts_in(c->w.dir,
		    count == 1 ? ANN " " : ANN " " BOB " ");
		restored += count == 1;
		restore(c, in_copies(c, "one.db"));
		expect_accounts_in(c->w.dir, ANN " ");
	}
	print_message("%u of %d were restored\n", restored, ROUNDS);
	assert_in_range(restored, 1, ROUNDS - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, copy_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_copy_takes_the_place_of_what_there_is),
		TEST(what_was_there_is_kept),
		TEST(what_was_kept_before_stays),
		TEST(there_is_an_end_to_what_is_kept),
		TEST(a_new_folder_gets_its_accounts_from_a_copy),
		TEST(names_may_be_strange),
		TEST(messages_are_not_touched),
		TEST(an_older_copy_is_brought_up_to_date),
		TEST(a_log_beside_the_copy_is_part_of_it),
		TEST(what_is_no_copy_is_refused),
		TEST(a_copy_with_other_tables_is_refused),
		TEST(a_damaged_copy_is_refused),
		TEST(the_log_of_the_old_one_does_not_get_into_the_new_one),
		TEST(a_damaged_old_one_is_no_hindrance),
		TEST(root_leaves_the_file_to_its_owner),
		TEST(a_full_disk_changes_nothing),
		TEST(who_is_killed_leaves_one_of_the_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
