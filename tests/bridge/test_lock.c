/* SPDX-License-Identifier: ISC */

#include "tests/lib/t.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridge/lock.h"

static char parent[256], dir[300], path[320];

static int set_up(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	(void)snprintf(parent, sizeof(parent), "%s/lock-XXXXXX",
	    tmp ? tmp : P_tmpdir);
	assert_non_null(mkdtemp(parent));
	(void)snprintf(dir, sizeof(dir), "%s/data", parent);
	(void)snprintf(path, sizeof(path), "%s/lock", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	(void)rmdir(dir);
	(void)unlink(dir);
	return rmdir(parent);
}

static void the_folder_is_made_and_private(void **state)
{
	struct br_err err = { "" };
	struct br_lock *lock = br_lock_open(dir, &err);
	struct stat st;

	(void)state;
	assert_non_null(lock);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_null(br_lock_close(lock));
	assert_null(br_lock_close(NULL));
}

static void a_second_holder_is_refused_and_told_who_has_it(void **state)
{
	struct br_err err = { "" };
	struct br_lock *lock = br_lock_open(dir, &err);
	char who[64];

	(void)state;
	assert_non_null(lock);
	assert_null(br_lock_open(dir, &err));
	(void)snprintf(who, sizeof(who), "in use by process %ld;",
	    (long)getpid());
	assert_non_null(strstr(err.text, who));
	br_lock_close(lock);
	lock = br_lock_open(dir, &err);
	assert_non_null(lock);
	br_lock_close(lock);
}

static void a_holder_that_does_not_say_who_it_is_is_no_trouble(void **state)
{
	struct br_err err = { "" };
	struct br_lock *lock = br_lock_open(dir, &err);

	(void)state;
	assert_non_null(lock);
	assert_int_equal(truncate(path, 0), 0);
	assert_null(br_lock_open(dir, &err));
	assert_non_null(strstr(err.text, "another process"));
	br_lock_close(lock);
}

static void the_lock_of_a_dead_process_is_free(void **state)
{
	struct br_err err = { "" };
	struct br_lock *lock;
	int status = 1;
	pid_t child = fork();

	(void)state;
	if (child == 0)
		_exit(br_lock_open(dir, NULL) ? 0 : 1);
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	lock = br_lock_open(dir, &err);
	assert_non_null(lock);
	br_lock_close(lock);
}

static void what_is_no_folder_is_refused(void **state)
{
	struct br_err err = { "" };
	FILE *file = fopen(dir, "w");
	char below[400];

	(void)state;
	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
	assert_null(br_lock_open(dir, &err));
	assert_non_null(strstr(err.text, "is not a folder"));
	assert_int_equal(unlink(dir), 0);
	(void)snprintf(below, sizeof(below), "%s/below", dir);
	assert_null(br_lock_open(below, &err));
	assert_non_null(strstr(err.text, "cannot make the data folder"));
}

static void a_link_in_place_of_the_lock_is_refused(void **state)
{
	struct br_err err = { "" };

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(symlink("/nowhere", path), 0);
	assert_null(br_lock_open(dir, &err));
	assert_non_null(strstr(err.text, "cannot open"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_folder_is_made_and_private),
		TEST(a_second_holder_is_refused_and_told_who_has_it),
		TEST(a_holder_that_does_not_say_who_it_is_is_no_trouble),
		TEST(the_lock_of_a_dead_process_is_free),
		TEST(what_is_no_folder_is_refused),
		TEST(a_link_in_place_of_the_lock_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
