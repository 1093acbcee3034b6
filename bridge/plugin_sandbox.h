/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_PLUGIN_SANDBOX_H
#define BRIDGE_PLUGIN_SANDBOX_H

/*
 * The two fences of the sandbox, for plugin_sandbox.c: which files the process
 * may read (Landlock), and which system calls it may make (seccomp). Once up
 * they hold for every thread begun later, and nothing takes them down.
 */

#include "bridge/plugin_private.h"

enum plugin_fence {
	PLUGIN_FENCE_UP,
	PLUGIN_FENCE_UNKNOWN, /* this kernel has no such thing */
	PLUGIN_FENCE_FAILED,  /* errno says why */
};

/* ---- plugin_sandbox_files.c ---- */

/* Nothing can be written or executed, no TCP port be bound; what name
 * resolution, TLS and the loader of libraries need can be read, and what the
 * options of `p` name as their files. UP: `out_abi` is how much of Landlock
 * this kernel knows, `out_count` how many of those paths there are. */
enum plugin_fence br_plugin_sandbox_files(const struct plugin *p, int *out_abi,
    unsigned *out_count);

/* ---- plugin_sandbox_calls.c ---- */

/* A network client on an event loop can work, threads and all. Nothing else
 * can: most of it is answered EPERM, and what only an intruder would do ends
 * the process with SIGSYS. */
enum plugin_fence br_plugin_sandbox_calls(void);

#endif
