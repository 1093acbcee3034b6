/* SPDX-License-Identifier: ISC */
/* Where a stored message goes: reading the text that says it. */

#include "bridge/destination.h"

bool br_destination_is_inbox(struct prim_slice destination)
{
	return prim_slice_starts(destination, PRIM_SLICE(BR_DESTINATION_INBOX));
}

struct prim_slice br_destination_adapter(struct prim_slice destination)
{
	const struct prim_slice start = PRIM_SLICE(BR_DESTINATION_ADAPTER);

	return prim_slice_starts(destination, start)
	    ? prim_slice_from(destination, start.len)
	    : PRIM_SLICE_NONE;
}

struct prim_slice br_destination_via(struct prim_slice destination)
{
	return br_destination_is_inbox(destination)
	    ? PRIM_SLICE("inbox")
	    : br_destination_adapter(destination);
}
