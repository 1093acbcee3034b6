/* SPDX-License-Identifier: ISC */
/* Copies of primd.db that are made: also while it is written to, while the disk
 * is full, and by somebody who is killed. */

#define _GNU_SOURCE /* unshare() */

#include "tests/bridge/world_copy.h"

#include <pthread.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

#include "prim/base.h"
#include "tests/lib/random.h"

static void a_copy_has_what_there_is(void **state)
{
	struct copy_world *c = *state;
	const char *to = in_copies(c, "one.db");
	unsigned char head[20];
	struct stat st;
	FILE *file;

	account_put(&c->w, "ann@here.example");
	backup(c, to);
	/* What comes later is not in it. */
	account_put(&c->w, "bob@here.example");
	assert_int_equal(ask(to, "SELECT count(*) FROM account"), 1);
	assert_int_equal(stat(to, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_nlink, 1);
	/* One file: it says itself that it has no log beside it. */
	assert_int_equal(files_in(c->copies), 1);
	file = fopen(to, "r");
	assert_non_null(file);
	assert_int_equal(fread(head, 1, sizeof(head), file), sizeof(head));
	fclose(file);
	assert_int_equal(head[18], 1);
	assert_int_equal(head[19], 1);
	backup(c, in_copies(c, "two.db"));
	assert_int_equal(ask(in_copies(c, "two.db"),
			     "SELECT count(*) FROM account"),
	    2);
}

static void a_copy_needs_nobody_running(void **state)
{
	struct copy_world *c = *state;

	account_put(&c->w, "ann@here.example");
	world_close(&c->w);
	backup(c, in_copies(c, "one.db"));
	assert_int_equal(ask(in_copies(c, "one.db"),
			     "SELECT count(*) FROM account"),
	    1);
	assert_int_equal(files_in(c->w.dir), 3); /* and queue.key */
	expect_accounts_in(c->w.dir, "ann@here.example ");
}

/* As a crash leaves it: all that was committed is in the log. */
static void a_copy_has_what_a_crash_left_in_the_log(void **state)
{
	struct copy_world *c = *state;
	pid_t pid;

	world_close(&c->w);
	pid = fork();
	if (pid == 0) {
		world_open(&c->w);
		account_put(&c->w, "ann@here.example");
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(world_size(&c->w, "primd.db-wal") > 0);
	backup(c, in_copies(c, "one.db"));
	assert_int_equal(ask(in_copies(c, "one.db"),
			     "SELECT count(*) FROM account"),
	    1);
}

static void nothing_is_overwritten(void **state)
{
	struct copy_world *c = *state;
	struct stat st;

	write_file(in_copies(c, "file"), "mine");
	backup_refused(c, in_copies(c, "file"), "nothing is overwritten");
	assert_int_equal(stat(in_copies(c, "file"), &st), 0);
	assert_int_equal(st.st_size, 4);
	assert_int_equal(symlink("/nonexistent", in_copies(c, "link")), 0);
	backup_refused(c, in_copies(c, "link"), "nothing is overwritten");
	backup_refused(c, c->copies, "nothing is overwritten");
	backup_refused(c, in_data(c, "primd.db"), "nothing is overwritten");
	assert_int_equal(files_in(c->copies), 2);
}

static void what_cannot_be_copied_is_told(void **state)
{
	struct copy_world *c = *state;
	struct br_err err = { "" };
	char long_name[5000];

	backup_refused(c, in_copies(c, "no/such/folder"), "No such file");
	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	backup_refused(c, long_name, "longer than");
	assert_false(br_store_backup(c->away.dir, in_copies(c, "x"), &err));
	assert_non_null(strstr(err.text, "cannot read"));
	assert_int_equal(files_in(c->away.dir), 0);
	world_close(&c->w);
	write_file(in_data(c, "primd.db"),
	    "something else entirely, and long "
	    "enough to be taken for a database");
	backup_refused(c, in_copies(c, "x"),
	    "primd.db is damaged: file is not a database; go back to a backup");
	assert_int_equal(truncate(in_data(c, "primd.db"), 0), 0);
	backup_refused(c, in_copies(c, "x"), "its table account is missing");
	assert_int_equal(files_in(c->copies), 0);
}

static void damage_is_not_copied(void **state)
{
	struct copy_world *c = *state;
	FILE *file;

	account_put(&c->w, "ann@here.example");
	world_close(&c->w);
	file = fopen(in_data(c, "primd.db"), "r+");
	assert_non_null(file);
	assert_int_equal(fseek(file, 4096, SEEK_SET), 0);
	assert_true(fputs("not the head of a page", file) >= 0);
	fclose(file);
	backup_refused(c, in_copies(c, "x"), "primd.db is damaged: Page 2: ");
	assert_int_equal(files_in(c->copies), 0);
}

/* ---- while it is written to ---- */

#define PAIRS 2000

struct writer {
	const char *path;
	atomic_bool stop;
	atomic_uint commits;
	pthread_t thread;
};

/* Each transaction leaves all rows with one number. */
static void *write_on(void *arg)
{
	struct writer *writer = arg;
	sqlite3 *db = NULL;

	if (sqlite3_open(writer->path, &db) != SQLITE_OK)
		return NULL;
	sqlite3_busy_timeout(db, 5000);
	while (!atomic_load(&writer->stop)) {
		if (sqlite3_exec(db,
			"UPDATE state SET value ="
			" CAST(CAST(value AS INTEGER) + 1 AS BLOB)",
			NULL, NULL, NULL) == SQLITE_OK)
			atomic_fetch_add(&writer->commits, 1);
	}
	sqlite3_close(db);
	return NULL;
}

static void writer_start(struct writer *writer, const char *path)
{
	static char kept[300];

	exec(path,
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
	    " WHERE i < 2000) INSERT INTO state (adapter, key, value)"
	    " SELECT 'x', CAST(zeroblob(400) || i AS BLOB), x'31' FROM n");
	(void)snprintf(kept, sizeof(kept), "%s", path);
	writer->path = kept;
	atomic_init(&writer->stop, false);
	atomic_init(&writer->commits, 0);
	assert_int_equal(pthread_create(&writer->thread, NULL, write_on,
			     writer),
	    0);
	while (atomic_load(&writer->commits) < 3)
		(void)sched_yield();
}

static void writer_stop(struct writer *writer)
{
	atomic_store(&writer->stop, true);
	assert_int_equal(pthread_join(writer->thread, NULL), 0);
}

static void a_writer_that_never_rests_holds_up_no_copy(void **state)
{
	struct copy_world *c = *state;
	struct writer writer;
	unsigned before;
	char name[32];

	writer_start(&writer, in_data(c, "primd.db"));
	before = atomic_load(&writer.commits);
	for (int i = 0; i < 10; i++) {
		const char *to;

		(void)snprintf(name, sizeof(name), "%d.db", i);
		to = in_copies(c, name);
		backup(c, to);
		/* Of one moment. */
		assert_int_equal(ask(to,
				     "SELECT count(DISTINCT value) FROM state"),
		    1);
		assert_int_equal(ask(to, "SELECT count(*) FROM state"), PAIRS);
		account_put(&c->w, name);
	}
	assert_true(atomic_load(&writer.commits) > before);
	writer_stop(&writer);
	expect_accounts(&c->w,
	    "0.db 1.db 2.db 3.db 4.db 5.db 6.db 7.db 8.db 9.db ");
}

/* ---- trouble ---- */

static void a_full_disk_leaves_nothing_behind(void **state)
{
	struct copy_world *c = *state;

	account_put(&c->w, "ann@here.example");
	for (rlim_t size = 0; size < 5 * 4096; size += 4096) {
		world_limit(size);
		backup_refused(c, in_copies(c, "x"), "cannot write");
		world_limit(RLIM_INFINITY);
		assert_int_equal(files_in(c->copies), 0);
	}
	backup(c, in_copies(c, "x"));
}

/* The child's own; gone with it. 0: fine, 1: not, 77: not allowed to mount. */
static int fill_tmpfs(const struct copy_world *c)
{
	struct br_err err = { "" };
	bool is_told;

	if (unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", c->copies, "tmpfs", 0, "size=32k") != 0)
		return 77;
	is_told = !br_store_backup(c->w.dir, in_copies(c, "x"), &err) &&
	    strstr(err.text, "full") && files_in(c->copies) == 0;
	if (!is_told)
		print_message("%s\n", err.text);
	return is_told &&
		mount("tmpfs", c->copies, "tmpfs", MS_REMOUNT, "size=8m") ==
		    0 &&
		br_store_backup(c->w.dir, in_copies(c, "x"), &err)
	    ? 0
	    : 1;
}

static void a_full_file_system_leaves_nothing_behind(void **state)
{
	struct copy_world *c = *state;
	int status;
	pid_t pid;

	account_put(&c->w, "ann@here.example");
	pid = fork();
	if (pid == 0)
		_exit(fill_tmpfs(c));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void nap(unsigned us)
{
	const struct timespec time = { .tv_nsec = us * 1000L };

	(void)nanosleep(&time, NULL);
}

/* The moment is by chance; that it is there whole or not at all is not. */
static void who_is_killed_leaves_all_or_nothing(void **state)
{
	struct copy_world *c = *state;
	struct t_random random = { 4 };
	struct writer writer;
	unsigned whole = 0;

	writer_start(&writer, in_data(c, "primd.db"));
	writer_stop(&writer);
	world_close(&c->w);
	for (int round = 0; round < 40; round++) {
		const char *to = in_copies(c, "x");
		pid_t pid = fork();

		if (pid == 0) {
			struct br_err err;

			_exit(br_store_backup(c->w.dir, to, &err) ? 0 : 1);
		}
		nap((unsigned)t_random_below(&random, 40000));
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		if (!exists(to))
			continue;
		assert_int_equal(ask(to, "SELECT count(*) FROM state"), PAIRS);
		assert_int_equal(unlink(to), 0);
		whole++;
	}
	print_message("%u of 40 were whole\n", whole);
	backup(c, in_copies(c, "x"));
	assert_int_equal(ask(in_copies(c, "x"), "SELECT count(*) FROM state"),
	    PAIRS);
	expect_accounts_in(c->w.dir, "");
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, copy_set_up, copy_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_copy_has_what_there_is),
		TEST(a_copy_needs_nobody_running),
		TEST(a_copy_has_what_a_crash_left_in_the_log),
		TEST(nothing_is_overwritten),
		TEST(what_cannot_be_copied_is_told),
		TEST(damage_is_not_copied),
		TEST(a_writer_that_never_rests_holds_up_no_copy),
		TEST(a_full_disk_leaves_nothing_behind),
		TEST(a_full_file_system_leaves_nothing_behind),
		TEST(who_is_killed_leaves_all_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
