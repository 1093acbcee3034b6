/* SPDX-License-Identifier: ISC */
#ifndef FAULT_PRESENCE_H
#define FAULT_PRESENCE_H

/*
 * Presence to order: the local part of whoever is watched says what his server
 * does; a message makes the one it goes to watch the one it is from.
 */

#include "adapters/fault/order.h"
#include "bridge/adapter.h"
#include "prim/buf.h"

/* Who watches whom. */
struct fa_names {
	struct prim_buf watcher, presentity, id; /* owned */
};

/* The first member of the plugin's state: the members below get that. */
struct fa_presence {
	struct bridge *bridge;   /* borrowed */
	struct fa_order mode;    /* for addresses that are no order */
	struct fa_names watch;   /* of the last FA_WATCH or FA_FORGET */
	struct prim_buf unwatch; /* owned: the delivery that ended it */
	struct fa_names flood;   /* of the last FA_FLOOD */
	unsigned flood_left;
	unsigned shown; /* notifications, for names of messages */
};

void fa_presence_fini(struct fa_presence *p);

/* Whoever `m` goes to watches whoever it is from, for so many seconds; what
 * becomes of that is reported as the fate of `m`. 0, or the code to refuse
 * with. */
unsigned fa_presence_watch(struct fa_presence *p,
    const struct bridge_message *m, unsigned seconds);
/* The last one that watched stops. */
unsigned fa_presence_unwatch(struct fa_presence *p,
    const struct bridge_message *m);

/* Members of struct br_adapter. */
unsigned fa_presence_subscribe(void *state, const struct bridge_subscription *s,
    uint32_t *granted_s);
unsigned fa_presence_unsubscribe(void *state,
    const struct bridge_subscription *s);
unsigned fa_presence_notify(void *state, const struct bridge_notification *n);
void fa_presence_outcome(void *state, const struct bridge_presence_outcome *o);

#endif
