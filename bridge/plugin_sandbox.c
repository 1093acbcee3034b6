/* SPDX-License-Identifier: ISC */
/* What an adapter's process may not do, whatever becomes of it. */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "bridge/plugin_sandbox.h"

/* A sanitizer reads /proc, writes reports, looks into its own threads. */
#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || \
    __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#if defined(PRIMBRIDGE_SANITIZE) || defined(__SANITIZE_ADDRESS__) || \
    defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

/* The link, the loop, standard descriptors, and some for libraries. */
#define OWN_DESCRIPTORS 32

/* A parent that dies takes us along, even out of an endless loop. A crash
 * leaves no memory, secrets in it, on a disk, and nobody of our own user may
 * look into us. */
void br_plugin_sandbox_enter(void)
{
	const struct rlimit none = { 0, 0 };

	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &none);
	/* The leak checker must look into us. */
	if (!IS_SANITIZED)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static bool fail(struct bridge *b, const char *what)
{
	bridge_log(b, BRIDGE_ERROR, "the sandbox cannot be closed: %s: %s",
	    what, strerror(errno));
	return false;
}

static bool close_descriptors(struct bridge *b)
{
	const rlim_t count = b->plugin.adapter->descriptors + OWN_DESCRIPTORS;
	const struct rlimit descriptors = { count, count };

	if (setrlimit(RLIMIT_NOFILE, &descriptors) != 0)
		return fail(b, "descriptors");
	bridge_log(b, BRIDGE_DEBUG, "sandbox descriptors=%lu",
	    (unsigned long)count);
	return true;
}

static bool close_files(struct bridge *b)
{
	unsigned count;
	int abi;

	switch (br_plugin_sandbox_files(&b->plugin, &abi, &count)) {
	case PLUGIN_FENCE_UP:
		bridge_log(b, BRIDGE_DEBUG, "sandbox landlock=%d paths=%u", abi,
		    count);
		return true;
	case PLUGIN_FENCE_UNKNOWN:
		bridge_log(b, BRIDGE_INFO,
		    "this kernel has no Landlock: the adapter may read "
		    "whatever its user may");
		return true;
	case PLUGIN_FENCE_FAILED:
		break;
	}
	return fail(b, "Landlock");
}

static bool close_calls(struct bridge *b)
{
	switch (br_plugin_sandbox_calls()) {
	case PLUGIN_FENCE_UP:
		bridge_log(b, BRIDGE_DEBUG, "sandbox seccomp=on");
		return true;
	case PLUGIN_FENCE_UNKNOWN:
		bridge_log(b, BRIDGE_WARN,
		    "this kernel has no seccomp: the adapter may make any "
		    "system call");
		return true;
	case PLUGIN_FENCE_FAILED:
		break;
	}
	return fail(b, "seccomp");
}

bool br_plugin_sandbox_close(struct bridge *b)
{
	if (!close_descriptors(b))
		return false;
	if (IS_SANITIZED) {
		bridge_log(b, BRIDGE_DEBUG,
		    "sandbox landlock=off seccomp=off why=sanitizers");
		return true;
	}
	/* seccomp last: it has no place for Landlock's own calls. */
	return close_files(b) && close_calls(b);
}
