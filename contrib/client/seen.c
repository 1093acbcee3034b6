/* SPDX-License-Identifier: ISC */
/* Recognising what comes twice. */

#include "contrib/client/seen.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void cl_seen_init(struct cl_seen *seen)
{
	uint8_t octets[PRIM_HASH_KEY_LEN];

	if (getrandom(octets, sizeof(octets), 0) != (ssize_t)sizeof(octets))
		abort();
	memset(seen, 0, sizeof(*seen));
	seen->key = prim_hash_key_from(octets);
}

static struct prim_digest digest_of(const struct cl_seen *seen,
    const struct prim_command *c)
{
	struct prim_hasher h;
	struct prim_buf id = { 0 };
	struct prim_digest digest;

	prim_command_put_message_id(&id, c);
	prim_hasher_init(&h, &seen->key);
	prim_hasher_feed_field(&h, prim_command_get(c, PRIM_HEADER_FROM));
	prim_hasher_feed_field(&h, prim_buf_slice(&id));
	digest = prim_hasher_digest(&h);
	prim_buf_fini(&id);
	return digest;
}

bool cl_seen_find(const struct cl_seen *seen, const struct prim_command *c)
{
	struct prim_digest digest = digest_of(seen, c);
	size_t kept = seen->count < CL_SEEN_MAX ? seen->count : CL_SEEN_MAX;

	for (size_t i = 0; i < kept; i++) {
		if (prim_digest_eq(&seen->digests[i], &digest))
			return true;
	}
	return false;
}

void cl_seen_put(struct cl_seen *seen, const struct prim_command *c)
{
	seen->digests[seen->count++ % CL_SEEN_MAX] = digest_of(seen, c);
}
