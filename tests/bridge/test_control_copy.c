/* SPDX-License-Identifier: ISC */
/* backup and restore. */
#include "tests/bridge/store_world.h"

#include <jansson.h>

#include "bridge/config.h"
#include "bridge/control.h"
#include "bridge/control_copy.h"
#include "bridge/lock.h"
#include "prim/base.h"
#include "prim/buf.h"

struct copying {
	struct world w; /* its folder is data_dir */
	struct world copy;
	struct br_config *config;
	char to[300]; /* a folder in that of `copy` that is not there yet */
};

static int setup(void **state)
{
	static struct copying c;
	struct prim_buf yaml = { 0 };
	struct br_err err = { "" };

	memset(&c, 0, sizeof(c));
	br_log_set_sink(world_hush, NULL);
	world_folder(&c.w);
	world_folder(&c.copy);
	(void)snprintf(c.to, sizeof(c.to), "%s/monday", c.copy.dir);
	prim_buf_putf(&yaml, "domains: [example.org]\ndata_dir: %s\n", c.w.dir);
	c.config = br_config_parse("test.yaml", prim_buf_slice(&yaml), NULL,
	    &err);
	assert_string_equal(err.text, "");
	prim_buf_fini(&yaml);
	*state = &c;
	return 0;
}

static int teardown(void **state)
{
	struct copying *c = *state;
	char path[320];

	br_config_free(c->config);
	(void)snprintf(path, sizeof(path), "%s/primd.db", c->to);
	(void)unlink(path);
	(void)rmdir(c->to);
	world_sweep(&c->copy);
	world_sweep(&c->w);
	br_log_set_sink(NULL, NULL);
	return 0;
}

/* ---- what is in the store ---- */

static void make_account(struct world *w, const char *key)
{
	const struct br_store_account a = {
		.key = prim_slice_of(key),
		.address = prim_slice_of(key),
		.iterations = 4096,
	};

	br_store_account_put(w->store, &a, NULL, NULL);
	br_store_settle(w->store);
}

static void on_account(void *arg, const struct br_store_account *account,
    bool failed)
{
	assert_false(failed);
	*(bool *)arg = account != NULL;
}

static bool has_account(struct world *w, const char *key)
{
	bool is_there = false;

	br_store_account_find(w->store, prim_slice_of(key), on_account,
	    &is_there);
	br_store_settle(w->store);
	return is_there;
}

static void on_message_put(void *arg, const struct br_store_put_result *r)
{
	(void)arg;
	assert_int_equal(r->outcome, BR_STORE_DONE);
}

static void put_message(struct world *w)
{
	const struct br_store_message m = {
		.destination = PRIM_SLICE("inbox:ann@example.org"),
		.origin = PRIM_SLICE("client"),
		.sender = PRIM_SLICE("bob@example.org"),
		.recipient = PRIM_SLICE("ann@example.org"),
		.message_id = PRIM_SLICE("m1"),
		.head = PRIM_SLICE("Message-ID: m1\r\n"),
		.body = PRIM_SLICE("hello"),
		.expires_ms = INT64_MAX,
	};

	br_store_message_put(w->store, &m, on_message_put, NULL);
	br_store_settle(w->store);
}

static void on_each(void *arg, const struct br_store_message *m, bool failed)
{
	assert_false(failed);
	*(unsigned *)arg += m != NULL;
}

static unsigned message_count(struct world *w)
{
	struct br_err err = { "" };
	unsigned count = 0;

	assert_true(br_store_message_each(w->store, on_each, &count, &err));
	return count;
}

/* ---- doing it ---- */

static void assert_shown(const char *command, const json_t *result,
    const char *part)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	br_control_show(out, command, result);
	fclose(out);
	if (!strstr(text, part))
		fail_msg("'%s' does not show '%s'", text, part);
	free(text);
}

static void backup(const struct copying *c)
{
	struct br_err err = { "" };
	json_t *result = br_control_backup(c->config, c->to, &err);

	assert_string_equal(err.text, "");
	assert_non_null(result);
	assert_true(json_integer_value(json_object_get(result, "octets")) > 0);
	assert_shown("backup", result, "/monday/primd.db is written, ");
	assert_shown("backup", result, "It does not hold messages that wait");
	json_decref(result);
}

static void assert_refused(json_t *result, const struct br_err *err,
    const char *part)
{
	assert_null(result);
	if (!strstr(err->text, part))
		fail_msg("'%s' does not say '%s'", err->text, part);
}

static void what_is_restored_is_what_was_copied(void **state)
{
	struct copying *c = *state;
	struct br_err err = { "" };
	json_t *result;

	world_open(&c->w);
	make_account(&c->w, "ann@example.org");
	put_message(&c->w);
	backup(c); /* while it is open */
	make_account(&c->w, "bob@example.org");
	world_close(&c->w);
	result = br_control_restore(c->config, c->to, &err);
	assert_string_equal(err.text, "");
	assert_shown("restore", result, "Untouched: queue.db");
	json_decref(result);
	world_open(&c->w);
	assert_true(has_account(&c->w, "ann@example.org"));
	assert_false(has_account(&c->w, "bob@example.org"));
	assert_int_equal(message_count(&c->w), 1);
	world_close(&c->w);
}

static void a_copy_is_not_written_over(void **state)
{
	struct copying *c = *state;
	struct br_err err = { "" };

	world_open(&c->w);
	world_close(&c->w);
	backup(c);
	assert_refused(br_control_backup(c->config, c->to, &err), &err,
	    "/monday/primd.db is there already");
}

static void a_copy_goes_to_a_folder(void **state)
{
	struct copying *c = *state;
	struct br_err err = { "" };
	char path[320];

	world_open(&c->w);
	world_close(&c->w);
	(void)snprintf(path, sizeof(path), "%s/primd.db", c->w.dir);
	assert_refused(br_control_backup(c->config, path, &err), &err,
	    "is not a folder");
	(void)snprintf(path, sizeof(path), "%s/no/such", c->copy.dir);
	assert_refused(br_control_backup(c->config, path, &err), &err,
	    "cannot make the folder");
}

static void nothing_is_restored_under_a_primd(void **state)
{
	struct copying *c = *state;
	struct br_err err = { "" };
	struct br_lock *lock;

	world_open(&c->w);
	world_close(&c->w);
	backup(c);
	lock = br_lock_open(c->w.dir, &err);
	assert_non_null(lock);
	assert_refused(br_control_restore(c->config, c->to, &err), &err,
	    "is in use by process");
	br_lock_close(lock);
}

static void what_is_no_copy_is_refused(void **state)
{
	struct copying *c = *state;
	struct br_err err = { "" };

	world_open(&c->w);
	make_account(&c->w, "ann@example.org");
	world_close(&c->w);
	assert_refused(br_control_restore(c->config, c->copy.dir, &err), &err,
	    "name the folder that 'primctl backup' wrote to");
	world_open(&c->w);
	assert_true(has_account(&c->w, "ann@example.org"));
	world_close(&c->w);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_restored_is_what_was_copied),
		TEST(a_copy_is_not_written_over),
		TEST(a_copy_goes_to_a_folder),
		TEST(nothing_is_restored_under_a_primd),
		TEST(what_is_no_copy_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
