/* SPDX-License-Identifier: ISC */
/* What an adapter's process may not do, whatever becomes of it. */

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "bridge/plugin_private.h"

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
#ifndef PRIMBRIDGE_SANITIZE
	/* The leak checker must look into us. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

bool br_plugin_sandbox_close(const struct br_adapter *adapter)
{
	const rlim_t count = adapter->descriptors + OWN_DESCRIPTORS;
	const struct rlimit descriptors = { count, count };

	return setrlimit(RLIMIT_NOFILE, &descriptors) == 0;
}
