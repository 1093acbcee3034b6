/* SPDX-License-Identifier: ISC */
#ifndef CLIENT_SEEN_H
#define CLIENT_SEEN_H

/*
 * Which messages were printed already: the newest few thousand. A server that
 * did not hear our answer sends again, with the same From and Message-ID.
 */

#include <stdbool.h>
#include <stddef.h>

#include "prim/command.h"
#include "prim/hash.h"

#define CL_SEEN_MAX 4096

struct cl_seen {
	struct prim_hash_key key;
	size_t count; /* ever put; the newest CL_SEEN_MAX are kept */
	struct prim_digest digests[CL_SEEN_MAX];
};

void cl_seen_init(struct cl_seen *seen);
bool cl_seen_find(const struct cl_seen *seen, const struct prim_command *c);
void cl_seen_put(struct cl_seen *seen, const struct prim_command *c);

#endif
