/* SPDX-License-Identifier: ISC */
#ifndef TESTS_PRIM_FEED_H
#define TESTS_PRIM_FEED_H

/* Giving heads to the parser, whole and octet by octet. */

#include "tests/lib/slice.h"

#include "prim/command.h"

#define HEAD   PRIM_COMMAND_HEAD
#define MORE   PRIM_COMMAND_MORE
#define BROKEN PRIM_COMMAND_BROKEN

static struct prim_command command;

static inline enum prim_command_status feed(struct prim_slice in)
{
	size_t scanned = 0;

	return prim_command_head(in, &scanned, &command);
}

/* The same octet by octet; `out_len` is how many were enough for a result. */
static inline enum prim_command_status feed_octets(struct prim_slice in,
    size_t *out_len)
{
	enum prim_command_status status = MORE;
	size_t scanned = 0, len;

	for (len = 0; len < in.len && status == MORE; len++)
		status = prim_command_head(prim_slice_make(in.ptr, len + 1),
		    &scanned, &command);
	*out_len = len;
	return status;
}

#endif
