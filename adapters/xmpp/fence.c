/* SPDX-License-Identifier: ISC */
/* The ping fence. */

#include "adapters/xmpp/fence.h"

void xa_fence_init(struct xa_fence *f)
{
	*f = (struct xa_fence){ .open = 1 };
}

uint64_t xa_fence_add(struct xa_fence *f, int64_t now_ms)
{
	if (f->count++ == 0)
		f->first_ms = now_ms;
	return f->open;
}

int64_t xa_fence_due(const struct xa_fence *f)
{
	if (f->count == 0)
		return INT64_MAX;
	if (f->count >= XA_FENCE_STANZAS)
		return f->first_ms;
	return f->first_ms + XA_FENCE_MS;
}

uint64_t xa_fence_close(struct xa_fence *f)
{
	f->count = 0;
	return f->open++;
}

void xa_fence_pass(struct xa_fence *f, uint64_t batch)
{
	if (batch < f->open && batch > f->passed)
		f->passed = batch;
}

bool xa_fence_has_passed(const struct xa_fence *f, uint64_t batch)
{
	return batch <= f->passed;
}
