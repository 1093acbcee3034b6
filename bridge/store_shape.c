/* SPDX-License-Identifier: ISC */
/* Are the tables of a file those that we made? */

#include "bridge/store_private.h"

#include <stdio.h>
#include <string.h>

#include "bridge/log.h"

/* What is in a schema, in the order of its names. Blanks may differ: SQLite puts
 * some in when a table is altered. */
static const char PARTS[] =
    "SELECT name, type, tbl_name || replace(coalesce(sql, ''), ' ', '')"
    " FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%'"
    " ORDER BY name, type";

struct part {
	sqlite3_stmt *st; /* owned; NULL: it cannot be read */
	bool is_there;
};

static struct part part_first(sqlite3 *sql)
{
	struct part part = { 0 };

	if (sql &&
	    sqlite3_prepare_v2(sql, PARTS, -1, &part.st, NULL) == SQLITE_OK)
		part.is_there = sqlite3_step(part.st) == SQLITE_ROW;
	return part;
}

static const char *part_text(const struct part *part, int column)
{
	const char *text = part->is_there
	    ? (const char *)sqlite3_column_text(part->st, column)
	    : NULL;

	return text ? text : "";
}

/* Where both are: which comes first; the end comes last. */
static int part_compare(const struct part *is, const struct part *wanted)
{
	int by_name;

	if (!is->is_there || !wanted->is_there)
		return is->is_there ? -1 : 1;
	by_name = strcmp(part_text(is, 0), part_text(wanted, 0));
	return by_name ? by_name
		       : strcmp(part_text(is, 1), part_text(wanted, 1));
}

static bool is_same(struct part *is, struct part *wanted, char *out_what)
{
	while (is->is_there || wanted->is_there) {
		int order = part_compare(is, wanted);
		const struct part *odd = order < 0 ? is : wanted;

		if (order != 0 ||
		    strcmp(part_text(is, 2), part_text(wanted, 2)) != 0) {
			(void)snprintf(out_what, BR_STORE_WHAT_MAX,
			    "its %s %s is %s",
			    br_quote(prim_slice_of(part_text(odd, 1))),
			    br_quote(prim_slice_of(part_text(odd, 0))),
			    order < 0       ? "none of primd's"
				: order > 0 ? "missing"
					    : "not as primd made it");
			return false;
		}
		is->is_there = sqlite3_step(is->st) == SQLITE_ROW;
		wanted->is_there = sqlite3_step(wanted->st) == SQLITE_ROW;
	}
	return true;
}

bool br_store_shape_is_whole(sqlite3 *sql, enum br_store_file file, int version,
    char out_what[BR_STORE_WHAT_MAX])
{
	sqlite3 *model = br_store_schema_model(file, version);
	struct part is = part_first(sql), wanted = part_first(model);
	bool fine = is.st && wanted.st;

	if (!fine)
		(void)snprintf(out_what, BR_STORE_WHAT_MAX, "%s",
		    "its tables cannot be read");
	else
		fine = is_same(&is, &wanted, out_what);
	sqlite3_finalize(is.st);
	sqlite3_finalize(wanted.st);
	sqlite3_close(model);
	return fine;
}

/* Every version has had accounts, and nothing but primd.db has. */
static bool has_accounts(sqlite3 *sql)
{
	static const char TEXT[] =
	    "SELECT 1 FROM sqlite_schema WHERE name = 'account'";
	sqlite3_stmt *st = NULL;
	bool fine = sqlite3_prepare_v2(sql, TEXT, -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW;

	return sqlite3_finalize(st) == SQLITE_OK && fine;
}

static bool is_readable(sqlite3 *sql)
{
	return sqlite3_exec(sql, "SELECT count(*) FROM sqlite_schema", NULL,
		   NULL, NULL) == SQLITE_OK;
}

bool br_store_shape_is_copy(sqlite3 *sql, const char *path, struct br_err *err)
{
	char what[BR_STORE_WHAT_MAX];
	int version = 0;

	if (!is_readable(sql))
		return br_err_set(err, "%s is no copy of a primd.db: %s", path,
		    sqlite3_errmsg(sql));
	if (!br_store_schema_version(sql, BR_STORE_PRIMD, path, &version, err))
		return false;
	if (version == 0 || !has_accounts(sql))
		return br_err_set(err, "%s is no copy of a primd.db", path);
	return br_store_shape_is_whole(sql, BR_STORE_PRIMD, version, what) ||
	    br_err_set(err, "%s is damaged: %s; use another copy", path, what);
}

bool br_store_shape_is_ours(sqlite3 *sql, const char *path, struct br_err *err)
{
	char what[BR_STORE_WHAT_MAX] = "its table account is missing";
	int version = 0;

	if (!is_readable(sql))
		return br_store_db_err(sql, path, err);
	if (!br_store_schema_version(sql, BR_STORE_PRIMD, path, &version, err))
		return false;
	return (has_accounts(sql) &&
		   br_store_shape_is_whole(sql, BR_STORE_PRIMD, version,
		       what)) ||
	    br_store_db_damaged(path, what, err);
}
