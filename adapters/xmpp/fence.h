/* SPDX-License-Identifier: ISC */
#ifndef XA_FENCE_H
#define XA_FENCE_H

/*
 * The ping fence. A component stream has no acknowledgements, but it is
 * ordered: a ping sent behind some stanzas and answered proves that the server
 * has read them. Stanzas are counted into batches; a batch is closed by a
 * ping, and has passed when that ping, or a later one, is answered.
 */

#include <stdbool.h>
#include <stdint.h>

#define XA_FENCE_STANZAS 64 /* of a batch, at most */
#define XA_FENCE_MS      50 /* a batch stays open, at most */

struct xa_fence {
	uint64_t open;    /* the batch that is being filled */
	uint64_t passed;  /* the last one the server has read */
	unsigned count;   /* stanzas in the open batch */
	int64_t first_ms; /* when the first of them was sent */
};

void xa_fence_init(struct xa_fence *f);

/* A stanza is sent: the batch it belongs to. */
uint64_t xa_fence_add(struct xa_fence *f, int64_t now_ms);

/* When the open batch wants its ping; INT64_MAX while it is empty. */
int64_t xa_fence_due(const struct xa_fence *f);

/* The ping is sent: the batch that its answer lets pass. */
uint64_t xa_fence_close(struct xa_fence *f);
void xa_fence_pass(struct xa_fence *f, uint64_t batch);
bool xa_fence_has_passed(const struct xa_fence *f, uint64_t batch);

#endif
