/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_METRIC_H
#define BRIDGE_METRIC_H

/*
 * Counters and gauges of the daemon, as /metrics shows them (Prometheus text
 * format). Adding one is a row here and a row in metric.c. Only the thread of
 * the loop touches them.
 */

#include <stdint.h>

#include "prim/buf.h"

enum br_metric {
	BR_METRIC_CONNECTIONS, /* gauge: client connections open */
	BR_METRIC_CONNECTIONS_TOTAL,
	BR_METRIC_CONNECTIONS_REFUSED, /* over a limit */
	BR_METRIC_LOGINS,
	BR_METRIC_LOGINS_FAILED,
	BR_METRIC_REQUESTS,
	BR_METRIC_BAD_REQUESTS,       /* answered 400, or closed for framing */
	BR_METRIC_MESSAGES_DELIVERED, /* ends by outcome: 200 ... */
	BR_METRIC_MESSAGES_ACCEPTED, /* ... 101 because another system took it */
	BR_METRIC_MESSAGES_QUEUED,   /* 101 because it is in the outbox */
	BR_METRIC_MESSAGES_REFUSED,  /* 4xx and 501 */
	BR_METRIC_MESSAGES_ERROR,    /* other 5xx */
	BR_METRIC_MESSAGES_EXPIRED,
	BR_METRIC_MESSAGES_DUPLICATE,
	BR_METRIC_PUBLICATIONS,
	BR_METRIC_SUBSCRIPTIONS, /* gauge: to principals of ours */
	BR_METRIC_NOTIFIES,
	BR_METRIC_OUTBOX_ROWS,        /* gauge */
	BR_METRIC_OUTBOX_OLDEST_S,    /* gauge: age of the oldest in it */
	BR_METRIC_OUTBOX_QUARANTINED, /* gauge */
	BR_METRIC_HANDOFFS, /* given to an adapter or a listener out of the
	                       outbox, each time */
	BR_METRIC_RETRIES,  /* ... and not for the first time */
	BR_METRIC_NOTICES_FAILED, /* made, by kind: one metric with a label */
	BR_METRIC_NOTICES_DELAYED,
	BR_METRIC_NOTICES_DELIVERED,
	BR_METRIC_QUARANTINES,   /* messages put there */
	BR_METRIC_QUOTA_REFUSED, /* 500 because the outbox is full */
	BR_METRIC_LOOPS,         /* refused: more hops than there may be */
	BR_METRIC_FOLLOWED,      /* sent after a principal to a linked one */
	BR_METRIC_LINKS,         /* gauge: verified links */
	BR_METRIC_PARKED,        /* gauge: SENDs that wait for an answer */
	BR_METRIC_PARKED_BYTES,  /* gauge */
	BR_METRIC_COMMITS,
	BR_METRIC_COMMIT_ROWS,
	BR_METRIC_STORE_ERRORS,
	BR_METRIC_STORE_SALVAGED, /* gauge: a damaged queue.db is kept */
	BR_METRIC_ADAPTER_STARTS,
	BR_METRIC_ADAPTER_DEATHS,
	BR_METRIC_LOG_LINES,
	BR_METRIC_COUNT,
};

void br_metric_add(enum br_metric m, int64_t n);
void br_metric_set(enum br_metric m, int64_t value);
int64_t br_metric_get(enum br_metric m);

/* A metric of an adapter (its METRIC method): name [a-z_]{1,48}, at most 64 an
 * adapter; false when refused. */
bool br_metric_adapter_set(const char *adapter, struct prim_slice name,
    int64_t value);

/* What waits for a destination: "inbox", or "adapter:" and the name of one. There
 * are no more of them than the configuration has. */
void br_metric_destination_set(const char *destination, int64_t messages,
    int64_t oldest_s);

/* Appends all of them in the Prometheus text format, each with HELP and TYPE;
 * names begin "primd_". */
void br_metric_put_all(struct prim_buf *b);

#endif
