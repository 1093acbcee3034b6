/* SPDX-License-Identifier: ISC */
#ifndef XA_COUNTS_H
#define XA_COUNTS_H

/* The operator's numbers. */

#include <stdint.h>

#include "bridge/adapter.h"

enum xa_count {
	XA_COUNT_IN,
	XA_COUNT_OUT,
	XA_COUNT_RECEIPTS_IN,
	XA_COUNT_RECEIPTS_OUT,
	XA_COUNT_HANDED_OVER,
	XA_COUNT_ERRORS_IN,
	XA_COUNT_ERRORS_OUT,
	XA_COUNT_LINKS_LOST,
	XA_COUNT_UNFENCED,
	XA_COUNT_DROPPED,
	XA_COUNT_NOTICES,
	XA_COUNT_LATE,
	XA_COUNT_LATE_DROPPED,
	XA_COUNT_PRESENCE_IN,
	XA_COUNT_PRESENCE_OUT,
	XA_COUNT_PROBES,
	XA_COUNT_CONTACTS,
	XA_COUNT_WATCHES,
	XA_COUNT_FOLLOWS,
	XA_COUNT_MAX,
};

/* All zero is a fresh one. */
struct xa_counts {
	int64_t values[XA_COUNT_MAX];
	int64_t told[XA_COUNT_MAX];
};

/* Tells those that have changed since they were told. */
void xa_counts_tell(struct xa_counts *c, struct bridge *b);

#endif
