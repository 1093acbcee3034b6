/* SPDX-License-Identifier: ISC */
/* Landlock: which files an adapter may read. */

/* For O_PATH. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bridge/plugin_sandbox.h"

#define FS_OF_ABI_1  ((UINT64_C(1) << 13) - 1) /* EXECUTE to MAKE_SYM */
#define FS_REFER     (UINT64_C(1) << 13)
#define FS_TRUNCATE  (UINT64_C(1) << 14)
#define FS_IOCTL_DEV (UINT64_C(1) << 15)
#define NET_BIND_TCP UINT64_C(1)
#define SCOPE_ALL    UINT64_C(3) /* abstract sockets, signals */

/* What is denied unless a rule says otherwise. Ours, because the headers of the
 * system know less than newer kernels, and those take zeros for what they do
 * not know. */
struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

static const struct {
	int abi;
	struct ruleset adds;
} KNOWN[] = {
	{1,  { .fs = FS_OF_ABI_1 }  },
	{ 2, { .fs = FS_REFER }     },
	{ 3, { .fs = FS_TRUNCATE }  },
	{ 4, { .net = NET_BIND_TCP }},
	{ 5, { .fs = FS_IOCTL_DEV } },
	{ 6, { .scoped = SCOPE_ALL }},
};

static const char *const READABLE[] = {
	/* Names. */
	"/etc/resolv.conf",
	"/etc/hosts",
	"/etc/host.conf",
	"/etc/nsswitch.conf",
	"/etc/gai.conf",
	"/etc/services",
	"/etc/protocols",
	/* Libraries that are loaded when first needed, by NSS for instance. */
	"/etc/ld.so.cache",
	"/lib",
	"/lib64",
	"/usr/lib",
	"/usr/lib64",
	"/usr/local/lib",
	/* Whom TLS trusts. */
	"/etc/ssl",
	"/etc/pki",
	"/usr/share/ca-certificates",
	"/usr/local/share/ca-certificates",
	/* Time and chance. */
	"/etc/localtime",
	"/usr/share/zoneinfo",
	"/dev/urandom",
	"/proc/sys/kernel/random",
};

/* Paths that are not there, or not for us, are passed over: whoever needs them
 * says so better. */
static void allow(int ruleset, const char *path, unsigned *count)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
		.parent_fd = open(path, O_PATH | O_CLOEXEC),
	};
	struct stat about;

	if (rule.parent_fd < 0)
		return;
	if (fstat(rule.parent_fd, &about) == 0 && S_ISDIR(about.st_mode))
		rule.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
		&rule, 0) == 0)
		(*count)++;
	close(rule.parent_fd);
}

/* A rule is about a file, not a name. Where resolv.conf leads out of /etc, its
 * folder belongs to whoever replaces it (systemd-resolved, for one). */
static void allow_resolver(int ruleset, unsigned *count)
{
	char path[PATH_MAX];

	if (!realpath("/etc/resolv.conf", path) ||
	    strncmp(path, "/etc/", 5) == 0 || strncmp(path, "/run/", 5) != 0)
		return;
	*strrchr(path, '/') = '\0';
	if (strcmp(path, "/run") != 0)
		allow(ruleset, path, count);
}

static void allow_variable(int ruleset, const char *name, unsigned *count)
{
	const char *path = getenv(name);

	if (path)
		allow(ruleset, path, count);
}

static bool names_file(const cyaml_schema_field_t *field)
{
	return field->value.type == CYAML_STRING &&
	    (field->value.flags & CYAML_FLAG_POINTER) &&
	    prim_slice_ends(prim_slice_of(field->key), PRIM_SLICE("_file"));
}

static void allow_options(int ruleset, const struct plugin *p, unsigned *count)
{
	const cyaml_schema_value_t *schema = p->adapter->options;
	const char *path;

	if (schema->type != CYAML_MAPPING)
		return;
	for (const cyaml_schema_field_t *field = schema->mapping.fields;
	     field->key; field++) {
		if (!names_file(field))
			continue;
		memcpy(&path, (const char *)p->options + field->data_offset,
		    sizeof(path));
		if (path)
			allow(ruleset, path, count);
	}
}

static void allow_all(int ruleset, const struct plugin *p, unsigned *count)
{
	for (size_t i = 0; i < PRIM_COUNT(READABLE); i++)
		allow(ruleset, READABLE[i], count);
	allow_resolver(ruleset, count);
	allow_variable(ruleset, "SSL_CERT_FILE", count);
	allow_variable(ruleset, "SSL_CERT_DIR", count);
	allow_options(ruleset, p, count);
}

/* -1 with errno, or a descriptor. */
static int open_ruleset(int abi)
{
	struct ruleset all = { 0 };

	for (size_t i = 0; i < PRIM_COUNT(KNOWN); i++) {
		if (KNOWN[i].abi > abi)
			break;
		all.fs |= KNOWN[i].adds.fs;
		all.net |= KNOWN[i].adds.net;
		all.scoped |= KNOWN[i].adds.scoped;
	}
	return (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
}

enum plugin_fence br_plugin_sandbox_files(const struct plugin *p, int *out_abi,
    unsigned *out_count)
{
	const int abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	unsigned count = 0;
	int ruleset, error;
	bool ok;

	if (abi < 1)
		return errno == ENOSYS || errno == EOPNOTSUPP
		    ? PLUGIN_FENCE_UNKNOWN
		    : PLUGIN_FENCE_FAILED;
	ruleset = open_ruleset(abi);
	if (ruleset < 0)
		return PLUGIN_FENCE_FAILED;
	allow_all(ruleset, p, &count);
	ok = syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;
	error = errno;
	close(ruleset);
	errno = error;
	if (!ok)
		return PLUGIN_FENCE_FAILED;
	*out_abi = abi;
	*out_count = count;
	return PLUGIN_FENCE_UP;
}
