/* SPDX-License-Identifier: ISC */
#ifndef XA_PENDING_H
#define XA_PENDING_H

/*
 * Deliveries that were sent to the XMPP server and have no report yet: at most
 * XA_PENDING_MAX. A receipt or an error settles one early; otherwise it is
 * handed over (101) when the server has read it and nobody has spoken up for a
 * while. When the link is lost all are forgotten: they are the core's again.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "adapters/xmpp/fence.h"
#include "prim/slice.h"
#include "prim/table.h"

#define XA_PENDING_MAX 16384
/* How long we wait for a receipt. The core waits 5 s for a report. */
#define XA_PENDING_HOLD_MS 3000
/* With this many waiting the oldest are not held: a crowd of recipients who
 * never send receipts must not stop everybody else. */
#define XA_PENDING_CROWD 512

struct xa_pending {
	TAILQ_ENTRY(xa_pending) link;
	struct prim_table_node node;
	char *id;   /* owned: the Delivery-ID, which is the id of the stanza */
	char *to;   /* owned: key of the recipient */
	char *from; /* owned: bare JID of the sender, as sent */
	uint64_t batch; /* of the fence */
	int64_t sent_ms;
};

TAILQ_HEAD(xa_pending_list, xa_pending);

struct xa_pendings {
	struct prim_table table;
	struct xa_pending_list list; /* owned; oldest first */
};

struct xa_pending_new {
	struct prim_slice id;
	struct prim_slice to;
	struct prim_slice from;
	uint64_t batch;
};

void xa_pendings_init(struct xa_pendings *p);
/* Asserts that none is left. */
void xa_pendings_fini(struct xa_pendings *p);

/* Copies what `n` holds. */
void xa_pendings_put(struct xa_pendings *p, const struct xa_pending_new *n,
    int64_t now_ms);
struct xa_pending *xa_pendings_find(struct xa_pendings *p,
    struct prim_slice id);
/* Ends it. */
void xa_pendings_drop(struct xa_pendings *p, struct xa_pending *pending);
struct xa_pending *xa_pendings_first(const struct xa_pendings *p);

/* Is the oldest handed over by now? `hold_ms`: how long one is held. */
bool xa_pendings_is_due(const struct xa_pendings *p, const struct xa_fence *f,
    int64_t hold_ms, int64_t now_ms);
/* When that may be; INT64_MAX when first the fence must pass. */
int64_t xa_pendings_deadline(const struct xa_pendings *p,
    const struct xa_fence *f, int64_t hold_ms);

#endif
