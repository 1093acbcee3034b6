/* SPDX-License-Identifier: ISC */
/* Copies of what primd knows: made, and put back. */

#include "bridge/control_copy.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/config.h"
#include "bridge/lock.h"
#include "bridge/store.h"
#include "prim/base.h"
#include "prim/buf.h"

#define COPY_NAME "primd.db"

/* A name in a folder; release with prim_free(). */
static char *path_in(const char *dir, const char *name)
{
	struct prim_buf b = { 0 };

	prim_buf_putf(&b, "%s/%s", dir, name);
	return prim_buf_steal(&b);
}

static json_t *text_json(const char *text)
{
	json_t *json = json_string(text);

	return json ? json : json_string("(its name is not UTF-8)");
}

static json_t *copy_json(const char *file, const struct br_config *config)
{
	struct stat st = { 0 };

	(void)!stat(file, &st);
	return json_pack("{s:o, s:I, s:o}", "file", text_json(file), "octets",
	    (json_int_t)st.st_size, "data_dir", text_json(config->data_dir));
}

/* ---- backup ---- */

bool br_control_has_data(const struct br_config *config, struct br_err *err)
{
	char *file = path_in(config->data_dir, COPY_NAME);
	struct stat st;
	bool is_there = stat(file, &st) == 0 ||
	    (errno != ENOENT && errno != ENOTDIR);

	prim_free(file);
	return is_there ||
	    br_err_set(err,
		"there is no primd.db in %s; name the configuration of primd "
		"with -c. Where there is none yet, 'primctl account add' or "
		"the first start of primd makes it",
		config->data_dir);
}

static bool folder_make(const char *dir, bool *out_made, struct br_err *err)
{
	struct stat st;

	*out_made = mkdir(dir, 0700) == 0;
	if (!*out_made && errno != EEXIST)
		return br_err_set(err, "cannot make the folder %s: %s", dir,
		    strerror(errno));
	if (stat(dir, &st) != 0)
		return br_err_set(err, "cannot use the folder %s: %s", dir,
		    strerror(errno));
	return S_ISDIR(st.st_mode) ||
	    br_err_set(err, "%s is not a folder", dir);
}

static bool file_is_new(const char *file, struct br_err *err)
{
	struct stat st;

	if (lstat(file, &st) == 0)
		return br_err_set(err,
		    "%s is there already; name another folder, one for each "
		    "copy",
		    file);
	return errno == ENOENT ||
	    br_err_set(err, "cannot look for %s: %s", file, strerror(errno));
}

json_t *br_control_backup(const struct br_config *config, const char *dir,
    struct br_err *err)
{
	char *file = path_in(dir, COPY_NAME);
	json_t *result = NULL;
	bool is_made = false;

	if (br_control_has_data(config, err) &&
	    folder_make(dir, &is_made, err) && file_is_new(file, err) &&
	    br_store_backup(config->data_dir, file, err))
		result = copy_json(file, config);
	if (!result && is_made)
		(void)rmdir(dir); /* nothing is in it */
	prim_free(file);
	return result;
}

/* ---- restore ---- */

static bool file_is_there(const char *file, struct br_err *err)
{
	struct stat st;

	if (stat(file, &st) == 0)
		return true;
	if (errno == ENOENT || errno == ENOTDIR)
		return br_err_set(err,
		    "there is no %s; name the folder that 'primctl backup' "
		    "wrote to",
		    file);
	return br_err_set(err, "cannot read %s: %s", file, strerror(errno));
}

static json_t *restore(const struct br_config *config, const char *file,
    struct br_err *err)
{
	char name[BR_STORE_KEPT_MAX], *kept;
	json_t *result;

	if (!br_store_restore(config->data_dir, file, name, err))
		return NULL;
	result = copy_json(file, config);
	kept = path_in(config->data_dir, name);
	if (*name)
		json_object_set_new(result, "kept", text_json(kept));
	prim_free(kept);
	return result;
}

json_t *br_control_restore(const struct br_config *config, const char *dir,
    struct br_err *err)
{
	char *file = path_in(dir, COPY_NAME);
	struct br_lock *lock = NULL;
	json_t *result = NULL;

	if (file_is_there(file, err))
		lock = br_lock_open(config->data_dir, err);
	if (lock)
		result = restore(config, file, err);
	br_lock_close(lock);
	prim_free(file);
	return result;
}
