/* SPDX-License-Identifier: ISC */
#ifndef FAULT_H
#define FAULT_H

/*
 * What the files of the fault adapter share: fault.c (what the bridge calls),
 * obey.c (what an order does), delay.c (later), submit.c (what it hands in),
 * record.c (who is told), presence.c, escape.c and misdeed.c.
 */

#include "adapters/fault/delay.h"
#include "adapters/fault/order.h"
#include "adapters/fault/presence.h"
#include "adapters/fault/record.h"
#include "adapters/fault/submit.h"
#include "bridge/adapter.h"
#include "prim/buf.h"

#define FA_WINDOW 1024

struct fault {
	struct fa_presence presence; /* the first: it has members of its own */
	struct bridge *bridge;       /* borrowed: outlives us */
	int listener;                /* owned; -1: none */
	unsigned deliveries;         /* taken by this process */
	struct fa_order notice;      /* for notices */
	struct fa_delays delays;
	struct fa_submit submit;
	struct fa_record record;
	struct prim_buf state_id, state_value; /* of the last FA_STATE */
};

/* Does what `order` says to `m`. 0, or the code to refuse with. */
unsigned fa_obey(struct fault *f, const struct fa_order *order,
    const struct bridge_message *m);

#endif
