/* SPDX-License-Identifier: ISC */
/* Folders with databases, and copies of them. */

#include "tests/bridge/world_copy.h"

#include <sqlite3.h>

#include "prim/base.h"
#include "tests/lib/slice.h"

int copy_set_up(void **state)
{
	struct copy_world *c = prim_new(struct copy_world);
	struct world copies = { 0 };

	br_log_set_sink(world_hush, NULL);
	world_folder(&c->w);
	world_folder(&c->away);
	world_folder(&copies);
	memcpy(c->copies, copies.dir, sizeof(c->copies));
	world_open(&c->w);
	*state = c;
	return 0;
}

int copy_tear_down(void **state)
{
	struct copy_world *c = *state;
	struct world copies = { 0 };

	if (c->w.store)
		world_close(&c->w);
	memcpy(copies.dir, c->copies, sizeof(copies.dir));
	world_sweep(&c->w);
	world_sweep(&c->away);
	world_sweep(&copies);
	prim_free(c);
	return 0;
}

static const char *path(const char *dir, const char *name)
{
	static char paths[8][300];
	static unsigned next;
	char *to = paths[next++ % PRIM_COUNT(paths)];

	(void)snprintf(to, sizeof(paths[0]), "%s/%s", dir, name);
	return to;
}

const char *in_data(const struct copy_world *c, const char *name)
{
	return path(c->w.dir, name);
}

const char *in_copies(const struct copy_world *c, const char *name)
{
	return path(c->copies, name);
}

void account_put(struct world *w, const char *key)
{
	const struct br_store_account account = { .key = prim_slice_of(key),
		.address = prim_slice_of(key),
		.iterations = 4096,
		.salt_len = 1 };
	struct heard heard = { 0 };

	br_store_account_put(w->store, &account, on_done, &heard);
	world_expect(w, &heard, BR_STORE_DONE);
}

static void put_account(void *arg, const struct br_store_account *a,
    bool failed)
{
	assert_false(failed);
	if (a)
		prim_buf_putf(arg, "%.*s ", PRIM_SLICE_ARG(a->key));
}

void expect_accounts(struct world *w, const char *expected)
{
	struct prim_buf keys = { 0 };

	br_store_account_list(w->store, put_account, &keys);
	br_store_settle(w->store);
	t_buf_is("accounts", &keys, expected);
	prim_buf_fini(&keys);
}

void expect_accounts_in(const char *dir, const char *expected)
{
	struct world w = { 0 };

	(void)snprintf(w.dir, sizeof(w.dir), "%s", dir);
	world_open(&w);
	expect_accounts(&w, expected);
	world_close(&w);
}

void backup(const struct copy_world *c, const char *to)
{
	struct br_err err = { "" };
	bool fine = br_store_backup(c->w.dir, to, &err);

	assert_string_equal(err.text, "");
	assert_true(fine);
}

static void expect_sentence(const struct br_err *err, const char *part)
{
	if (!strstr(err->text, part))
		fail_msg("no '%s' in '%s'", part, err->text);
}

void backup_refused(const struct copy_world *c, const char *to,
    const char *part)
{
	struct br_err err = { "" };

	assert_false(br_store_backup(c->w.dir, to, &err));
	expect_sentence(&err, part);
}

void restore(const struct copy_world *c, const char *from)
{
	struct br_err err = { "" };
	char kept[BR_STORE_KEPT_MAX];
	bool fine = br_store_restore(c->w.dir, from, kept, &err);

	assert_string_equal(err.text, "");
	assert_true(fine);
}

static struct prim_buf read_file(const char *name)
{
	struct prim_buf b = { 0 };
	FILE *file = fopen(name, "r");
	size_t len = 1;

	while (file && len) {
		len = fread(prim_buf_room(&b, 65536), 1, 65536, file);
		prim_buf_grow(&b, len);
	}
	if (file)
		fclose(file);
	return b;
}

void restore_refused(const struct copy_world *c, const char *from,
    const char *part)
{
	struct prim_buf before = read_file(in_data(c, "primd.db")), after;
	unsigned files = files_in(c->w.dir);
	struct br_err err = { "" };
	char kept[BR_STORE_KEPT_MAX];

	assert_false(br_store_restore(c->w.dir, from, kept, &err));
	expect_sentence(&err, part);
	after = read_file(in_data(c, "primd.db"));
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.ptr, after.ptr, before.len);
	assert_int_equal(files_in(c->w.dir), files);
	prim_buf_fini(&before);
	prim_buf_fini(&after);
}

unsigned files_in(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *entry;
	unsigned count = 0;

	assert_non_null(d);
	while ((entry = readdir(d)))
		count += entry->d_name[0] != '.';
	closedir(d);
	return count;
}

bool exists(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0;
}

void exec(const char *name, const char *sql)
{
	sqlite3 *db = NULL;

	assert_int_equal(sqlite3_open(name, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int ask(const char *name, const char *sql)
{
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	int answer;

	assert_int_equal(sqlite3_open_v2(name, &db, SQLITE_OPEN_READONLY, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	answer = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return answer;
}

void write_file(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}
