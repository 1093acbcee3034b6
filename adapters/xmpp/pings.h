/* SPDX-License-Identifier: ISC */
#ifndef XA_PINGS_H
#define XA_PINGS_H

/*
 * Pings on their way. The stream is ordered, so an answer answers all pings
 * before it too. Each carries a mark for whoever sent it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "prim/buf.h"
#include "prim/slice.h"

#define XA_PINGS_MAX 16 /* unanswered at once */

struct xa_pings {
	uint64_t nonce; /* of this connection: nobody else can make our ids */
	uint64_t asked; /* number of the last ping sent */
	uint64_t answered;

	struct {
		int64_t sent_ms;
		uint64_t mark;
	} ring[XA_PINGS_MAX];
};

void xa_pings_init(struct xa_pings *p, uint64_t nonce);

bool xa_pings_has_room(const struct xa_pings *p);
/* Notes a ping and appends its id. Only with room. */
void xa_pings_put(struct xa_pings *p, struct prim_buf *id, uint64_t mark,
    int64_t now_ms);
/* Is `id` that of a ping that waits? Then it and all before it are answered,
 * and `out_mark` is the highest mark among them. */
bool xa_pings_take(struct xa_pings *p, struct prim_slice id,
    uint64_t *out_mark);
/* When the oldest unanswered one was sent; INT64_MAX without one. */
int64_t xa_pings_oldest(const struct xa_pings *p);
/* Makes all that wait begin their time anew. */
void xa_pings_renew(struct xa_pings *p, int64_t now_ms);

#endif
