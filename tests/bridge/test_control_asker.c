/* SPDX-License-Identifier: ISC */
/* Commands without a server: the store is opened once, and locked. */
#include "tests/bridge/store_world.h"

#include <jansson.h>
#include <unistd.h>

#include "bridge/config.h"
#include "bridge/control.h"
#include "bridge/lock.h"
#include "prim/base.h"
#include "prim/buf.h"

struct asking {
	struct world w; /* for its folder */
	struct br_config *config;
	struct br_control_asker *asker;
};

static int setup(void **state)
{
	static struct asking a;
	struct prim_buf yaml = { 0 };
	struct br_err err = { "" };

	memset(&a, 0, sizeof(a));
	br_log_set_sink(world_hush, NULL);
	world_folder(&a.w);
	prim_buf_putf(&yaml, "domains: [example.org]\ndata_dir: %s\n", a.w.dir);
	a.config = br_config_parse("test.yaml", prim_buf_slice(&yaml), NULL,
	    &err);
	assert_string_equal(err.text, "");
	prim_buf_fini(&yaml);
	a.asker = br_control_asker_open(a.config, true);
	*state = &a;
	return 0;
}

static bool is_there(const struct asking *a, const char *name)
{
	char path[300];

	(void)snprintf(path, sizeof(path), "%s/%s", a->w.dir, name);
	return access(path, F_OK) == 0;
}

static int setup_data(void **state)
{
	struct asking *a;
	char path[300];
	FILE *file;

	setup(state);
	a = *state;
	(void)snprintf(path, sizeof(path), "%s/primd.db", a->w.dir);
	file = fopen(path, "w"); /* a new database */
	assert_non_null(file);
	fclose(file);
	return 0;
}

static int teardown(void **state)
{
	struct asking *a = *state;

	br_control_asker_close(a->asker);
	br_config_free(a->config);
	world_sweep(&a->w);
	br_log_set_sink(NULL, NULL);
	return 0;
}

/* The number of elements of `list` in the result; -1: it failed. */
static int ask(struct asking *a, const char *command, const char *list)
{
	json_t *request = json_loads(command, 0, NULL);
	struct br_err err = { "" };
	json_t *answer = br_control_asker_ask(a->asker, request, &err);
	const json_t *result = json_object_get(answer, "result");
	int count = -1;

	assert_string_equal(err.text, "");
	if (json_is_true(json_object_get(answer, "ok")))
		count = (int)json_array_size(json_object_get(result, list));
	json_decref(request);
	json_decref(answer);
	return count;
}

static void the_store_stays_open_from_one_command_to_the_next(void **state)
{
	struct asking *a = *state;
	struct br_err err = { "" };
	struct br_lock *lock;

	assert_int_equal(ask(a, "{\"command\":\"account list\"}", "accounts"),
	    0);
	assert_null(br_lock_open(a->w.dir, &err));
	assert_int_equal(ask(a,
			     "{\"command\":\"subscription list\","
			     "\"address\":\"\",\"after\":\"\"}",
			     "subscriptions"),
	    0);
	assert_int_equal(ask(a,
			     "{\"command\":\"presence show\","
			     "\"address\":\"ann@example.org\"}",
			     "tuples"),
	    -1);
	a->asker = br_control_asker_close(a->asker);
	lock = br_lock_open(a->w.dir, &err);
	assert_non_null(lock);
	br_lock_close(lock);
}

/* A wrong folder must not look like a bridge without accounts. */
static void looking_makes_no_data(void **state)
{
	static const char *const COMMANDS[] = { "account list", "outbox list",
		"account remove" };
	struct asking *a = *state;
	struct br_err err;

	for (size_t i = 0; i < PRIM_COUNT(COMMANDS); i++) {
		json_t *request = json_pack("{s:s, s:s, s:s}", "command",
		    COMMANDS[i], "address", "ann@example.org", "after", "");

		assert_null(br_control_asker_ask(a->asker, request, &err));
		json_decref(request);
		assert_non_null(strstr(err.text, "there is no primd.db in "));
		assert_false(is_there(a, "primd.db"));
		assert_false(is_there(a, "queue.db"));
	}
	assert_int_equal(ask(a,
			     "{\"command\":\"account add\","
			     "\"address\":\"ann@example.org\","
			     "\"password\":\"secret\"}",
			     "accounts"),
	    0);
	assert_true(is_there(a, "primd.db"));
}

static void a_locked_folder_is_told_after_a_while(void **state)
{
	struct asking *a = *state;
	struct br_err err = { "" };
	struct br_lock *lock = br_lock_open(a->w.dir, &err);
	json_t *request = json_pack("{s:s}", "command", "account list");

	assert_non_null(lock);
	assert_null(br_control_asker_ask(a->asker, request, &err));
	assert_true(strlen(err.text) > 0);
	br_lock_close(lock);
	json_decref(request);
	assert_int_equal(ask(a, "{\"command\":\"account list\"}", "accounts"),
	    0);
}

static void status_leaves_the_lock_alone(void **state)
{
	struct asking *a = *state;
	struct br_err err = { "" };
	struct br_lock *lock = br_lock_open(a->w.dir, &err);

	br_control_asker_close(a->asker);
	a->asker = br_control_asker_open(a->config, false);
	assert_int_equal(ask(a, "{\"command\":\"status\"}", "domains"), 1);
	br_lock_close(lock);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_data, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_store_stays_open_from_one_command_to_the_next),
		cmocka_unit_test_setup_teardown(looking_makes_no_data, setup,
		    teardown),
		TEST(a_locked_folder_is_told_after_a_while),
		TEST(status_leaves_the_lock_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
