/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_DESTINATION_H
#define BRIDGE_DESTINATION_H

/*
 * Where a stored message goes, as a text that means the same after a restart:
 * "inbox:alice@example.org" is an inbox of ours, "adapter:xmpp" the configured
 * adapter of that name. Pure functions over slices.
 */

#include <stdbool.h>

#include "prim/slice.h"

#define BR_DESTINATION_INBOX   "inbox:"   /* and its key */
#define BR_DESTINATION_ADAPTER "adapter:" /* and its name */

bool br_destination_is_inbox(struct prim_slice destination);

/* The name of the adapter; empty when it is none. Borrows. */
struct prim_slice br_destination_adapter(struct prim_slice destination);

/* As logs and lists have it: the name of the adapter, or "inbox". Borrows. */
struct prim_slice br_destination_via(struct prim_slice destination);

#endif
