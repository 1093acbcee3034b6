/* SPDX-License-Identifier: ISC */
/* Opening: new, old, newer and damaged files. */

#include "tests/bridge/store_world.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include "prim/base.h"

static int set_up(void **state)
{
	static struct world w;

	br_log_set_sink(world_hush, NULL);
	memset(&w, 0, sizeof(w));
	world_folder(&w);
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	world_sweep(*state);
	return 0;
}

static const char *path_of(const struct world *w, const char *name)
{
	static char path[300];

	(void)snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	return path;
}

static void exec(const struct world *w, const char *name, const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(path_of(w, name), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int ask(const struct world *w, const char *name, const char *sql)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	int answer;

	assert_int_equal(sqlite3_open(path_of(w, name), &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	answer = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return answer;
}

/* Expects that opening fails with `part` in the sentence. */
static void refused(struct world *w, const char *part)
{
	struct br_err err = { "" };
	struct event_base *base = event_base_new();

	assert_null(br_store_open(base, w->dir, &err));
	if (!strstr(err.text, part))
		fail_msg("no '%s' in '%s'", part, err.text);
	event_base_free(base);
}

static void new_files_are_private_and_current(void **state)
{
	static const char *const NAMES[] = { "primd.db", "queue.db" };
	static const int VERSIONS[] = { 3, 2 };
	struct world *w = *state;
	struct stat st;

	world_open(w);
	for (unsigned i = 0; i < PRIM_COUNT(NAMES); i++) {
		assert_int_equal(stat(path_of(w, NAMES[i]), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
	assert_int_equal(stat(path_of(w, "queue.db-wal"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	world_close(w);
	for (unsigned i = 0; i < PRIM_COUNT(NAMES); i++)
		assert_int_equal(ask(w, NAMES[i], "PRAGMA user_version"),
		    VERSIONS[i]);
}

static void a_file_without_a_schema_is_migrated(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message_make(1, PRIM_SLICE("m"));

	exec(w, "primd.db", "PRAGMA user_version = 0");
	exec(w, "queue.db", "CREATE TABLE x (y); DROP TABLE x");
	assert_int_equal(ask(w, "queue.db", "PRAGMA user_version"), 0);
	world_open(w);
	assert_int_equal(message_store(w, &m).outcome, BR_STORE_DONE);
	world_close(w);
	assert_int_equal(ask(w, "queue.db", "PRAGMA user_version"), 2);
	assert_int_equal(ask(w, "primd.db", "PRAGMA user_version"), 3);
}

static void on_account(void *arg, const struct br_store_account *account,
    bool failed)
{
	unsigned *iterations = arg;

	assert_false(failed);
	*iterations = account ? account->iterations : 0;
}

/* As the first version left it. */
static void what_had_no_presence_gets_it(void **state)
{
	struct world *w = *state;
	const struct br_store_subscription sub = {
		.watcher = PRIM_SLICE("bob@far.example"),
		.presentity = PRIM_SLICE("ann@here.example"),
		.watcher_address = PRIM_SLICE("pres:bob@far.example"),
		.presentity_address = PRIM_SLICE("pres:ann@here.example"),
	};
	struct heard heard = { 0 };
	unsigned iterations = 0;

	world_open(w);
	world_close(w);
	exec(w, "primd.db",
	    "DROP TABLE lease; DROP TABLE value; DROP TABLE subscription;"
	    "DROP TABLE link; DROP TABLE link_order;"
	    "INSERT INTO account VALUES ('ann@here.example',"
	    " 'Ann@here.example', 4096, x'01', zeroblob(32), zeroblob(32),"
	    " x'', 7);"
	    "PRAGMA user_version = 1");
	world_open(w);
	br_store_account_find(w->store, sub.presentity, on_account,
	    &iterations);
	br_store_subscription_put(w->store, &sub, on_done, &heard);
	world_expect(w, &heard, BR_STORE_DONE);
	assert_int_equal(iterations, 4096);
	world_close(w);
	assert_int_equal(ask(w, "primd.db", "PRAGMA user_version"), 3);
	assert_int_equal(ask(w, "primd.db",
			     "SELECT count(*) FROM subscription"),
	    1);
}

static void a_migration_that_fails_leaves_no_half(void **state)
{
	struct world *w = *state;

	exec(w, "queue.db", "CREATE TABLE event (other)");
	refused(w, "table event already exists");
	assert_int_equal(ask(w, "queue.db",
			     "SELECT count(*) FROM sqlite_schema"),
	    1);
}

static void the_secret_lasts(void **state)
{
	struct world *w = *state;
	uint8_t first[32], again[32], zero[32] = { 0 };

	world_open(w);
	br_store_secret(w->store, first);
	world_reopen(w);
	br_store_secret(w->store, again);
	world_close(w);
	assert_memory_equal(first, again, sizeof(first));
	assert_memory_not_equal(first, zero, sizeof(first));
}

/* Whatever happens to one copy of it, in its value or in its name. */
static void a_secret_survives_a_flipped_bit(void **state)
{
	static const char *const FLIPS[] = {
		"UPDATE meta SET value = x'00' WHERE name = 'secret'",
		"UPDATE meta SET value = zeroblob(32) WHERE name = 'secret'",
		"UPDATE meta SET value = zeroblob(32) WHERE name = 'secret_2'",
		"UPDATE meta SET value = zeroblob(32) WHERE name = 'secret_3'",
		"UPDATE meta SET name = 'sebret' WHERE name = 'secret'",
		"DELETE FROM meta WHERE name = 'secret_3'",
		"DELETE FROM meta WHERE name <> 'secret'",
	};
	struct world *w = *state;
	uint8_t first[32], again[32];

	world_open(w);
	br_store_secret(w->store, first);
	world_close(w);
	for (unsigned i = 0; i < PRIM_COUNT(FLIPS); i++) {
		exec(w, "queue.db", FLIPS[i]);
		world_open(w);
		br_store_secret(w->store, again);
		world_close(w);
		assert_memory_equal(first, again, sizeof(first));
	}
}

/* A new one would make everything look damaged. */
static void a_lost_secret_is_not_made_anew(void **state)
{
	struct world *w = *state;

	world_open(w);
	store_many(w, 0, 1);
	world_close(w);
	exec(w, "queue.db", "DELETE FROM meta WHERE name LIKE 'secret%'");
	assert_int_equal(unlink(path_of(w, "queue.key")), 0);
	refused(w, "its secret is damaged");
}

static void a_newer_schema_is_refused(void **state)
{
	struct world *w = *state;

	world_open(w);
	world_close(w);
	exec(w, "queue.db", "PRAGMA user_version = 99");
	refused(w, "queue.db has schema 99");
	refused(w, "with the messages that wait in it");
}

static void a_damaged_secret_is_refused(void **state)
{
	struct world *w = *state;

	world_open(w);
	world_close(w);
	exec(w, "queue.db", "UPDATE meta SET value = x'00'");
	assert_int_equal(unlink(path_of(w, "queue.key")), 0);
	refused(w, "its secret is damaged");
}

/* Whatever happens to those in the file, there is one beside it. */
static void a_secret_is_also_kept_beside(void **state)
{
	static const char *const HARM[] = {
		"DELETE FROM meta WHERE name LIKE 'secret%'",
		"UPDATE meta SET value = x'00'",
		("UPDATE meta SET value = zeroblob(32) WHERE name > 'secret';"
		 "DELETE FROM meta WHERE name = 'secret_2'"),
	};
	struct world *w = *state;
	uint8_t first[32], again[32];
	struct stat st;

	world_open(w);
	store_many(w, 0, 1);
	br_store_secret(w->store, first);
	world_close(w);
	assert_int_equal(stat(path_of(w, "queue.key"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	for (unsigned i = 0; i < PRIM_COUNT(HARM); i++) {
		exec(w, "queue.db", HARM[i]);
		world_open(w);
		br_store_secret(w->store, again);
		assert_true(message_get(w, 1, NULL));
		world_close(w);
		assert_memory_equal(first, again, sizeof(first));
	}
	/* One that belongs to another is replaced. */
	assert_int_equal(truncate(path_of(w, "queue.key"), 31), 0);
	world_open(w);
	world_close(w);
	assert_int_equal(stat(path_of(w, "queue.key"), &st), 0);
	assert_int_equal(st.st_size, 32);
}

static void scribble(const struct world *w, const char *name, long at,
    const char *text)
{
	FILE *file = fopen(path_of(w, name), "r+");

	assert_non_null(file);
	assert_int_equal(fseek(file, at, SEEK_SET), 0);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
	struct world *w = *state;

	world_open(w);
	world_close(w);
	scribble(w, "primd.db", 0, "something else entirely");
	refused(w, "primd.db is damaged: ");
	refused(w, "move it away");
}

/* One bit of the version in its head, and SQLite only reads it. */
static void a_file_that_cannot_be_written_is_refused(void **state)
{
	struct world *w = *state;

	world_open(w);
	world_close(w);
	scribble(w, "primd.db", 18, "\n");
	refused(w, "primd.db is damaged: it cannot be written; ");
}

static void a_damaged_page_is_refused(void **state)
{
	struct world *w = *state;

	world_open(w);
	world_close(w);
	scribble(w, "primd.db", 4096, "not the head of a page");
	refused(w, "primd.db is damaged: ");
	refused(w, "primctl restore DIR");
}

static void a_cut_file_is_refused(void **state)
{
	struct world *w = *state;

	world_open(w);
	world_close(w);
	assert_int_equal(truncate(path_of(w, "primd.db"), 8192), 0);
	refused(w, "primd.db is damaged: ");
}

static void a_folder_that_is_not_there_is_refused(void **state)
{
	struct world *w = *state, other;

	other = *w;
	(void)snprintf(other.dir, sizeof(other.dir), "%.200s/none", w->dir);
	refused(&other, "No such file or directory");
	memset(other.dir, 'x', sizeof(other.dir) - 1);
	other.dir[sizeof(other.dir) - 1] = '\0';
	refused(&other, "cannot open");
}

static void a_link_in_place_of_a_file_is_refused(void **state)
{
	struct world *w = *state;

	assert_int_equal(symlink("elsewhere", path_of(w, "primd.db")), 0);
	refused(w, "cannot open");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(new_files_are_private_and_current),
		TEST(a_file_without_a_schema_is_migrated),
		TEST(what_had_no_presence_gets_it),
		TEST(a_migration_that_fails_leaves_no_half),
		TEST(the_secret_lasts),
		TEST(a_secret_survives_a_flipped_bit),
		TEST(a_lost_secret_is_not_made_anew),
		TEST(a_newer_schema_is_refused),
		TEST(a_damaged_secret_is_refused),
		TEST(a_secret_is_also_kept_beside),
		TEST(a_file_that_is_no_database_is_refused),
		TEST(a_file_that_cannot_be_written_is_refused),
		TEST(a_damaged_page_is_refused),
		TEST(a_cut_file_is_refused),
		TEST(a_folder_that_is_not_there_is_refused),
		TEST(a_link_in_place_of_a_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
