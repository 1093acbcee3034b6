/* SPDX-License-Identifier: ISC */
/* A token bucket. */

#include "adapters/xmpp/bucket.h"

#define TOKEN 1000

void xa_bucket_init(struct xa_bucket *b, unsigned rate, unsigned burst,
    int64_t now_ms)
{
	b->rate = rate;
	b->full = b->level = (int64_t)burst * TOKEN;
	b->then_ms = now_ms;
}

bool xa_bucket_has(struct xa_bucket *b, int64_t now_ms)
{
	int64_t passed = now_ms - b->then_ms;

	/* A long rest fills it, whatever the product would be. */
	if (passed >= (b->full - b->level) / b->rate + 1)
		b->level = b->full;
	else if (passed > 0)
		b->level += passed * b->rate;
	if (passed > 0)
		b->then_ms = now_ms;
	return b->level >= TOKEN;
}

void xa_bucket_take(struct xa_bucket *b, unsigned count)
{
	b->level -= (int64_t)count * TOKEN;
}

int64_t xa_bucket_next(const struct xa_bucket *b, int64_t now_ms)
{
	int64_t missing = TOKEN - b->level, at;

	if (missing <= 0)
		return now_ms;
	at = b->then_ms + (missing + b->rate - 1) / b->rate;
	return at > now_ms ? at : now_ms;
}
