/* SPDX-License-Identifier: ISC */
#ifndef XA_BUCKET_H
#define XA_BUCKET_H

/*
 * A token bucket: so many things a second, and some more at once after a time
 * of rest. No clock in it.
 */

#include <stdbool.h>
#include <stdint.h>

struct xa_bucket {
	int64_t level;   /* thousandths of a token; may be below 0 */
	int64_t full;    /* the most there can be */
	int64_t rate;    /* tokens a second, which is thousandths a ms */
	int64_t then_ms; /* when `level` was right */
};

/* Begins full. */
void xa_bucket_init(struct xa_bucket *b, unsigned rate, unsigned burst,
    int64_t now_ms);
/* Is there a token at all? */
bool xa_bucket_has(struct xa_bucket *b, int64_t now_ms);
/* Takes `count`, also more than there are: the debt is waited for later, so
 * what belongs together is not torn apart. */
void xa_bucket_take(struct xa_bucket *b, unsigned count);
/* When xa_bucket_has() will be true; not before `now_ms`. */
int64_t xa_bucket_next(const struct xa_bucket *b, int64_t now_ms);

#endif
