/* SPDX-License-Identifier: ISC */
#ifndef XA_PART_H
#define XA_PART_H

/*
 * The part of a SEND that an XMPP user can read: text/plain, bare or inside a
 * message/cpim. Borrows from the message.
 */

#include <stdbool.h>
#include <stdint.h>

#include "bridge/adapter.h"
#include "prim/buf.h"
#include "prim/cpim.h"
#include "prim/slice.h"

struct xa_part {
	bool is_cpim;
	struct prim_cpim cpim;      /* if it is */
	struct prim_slice language; /* may be empty */
	bool has_time;
	int64_t time_ms; /* when it was written, as it claims */
};

/* Takes `m` apart and appends its text in UTF-8. 0, or the status that refuses
 * it with a static sentence in `out_why`. */
unsigned xa_part_read(struct xa_part *p, const struct bridge_message *m,
    struct prim_buf *text, const char **out_why);

#endif
