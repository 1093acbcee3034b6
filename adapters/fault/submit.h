/* SPDX-License-Identifier: ISC */
#ifndef FAULT_SUBMIT_H
#define FAULT_SUBMIT_H

/* What it hands in, truly or not, and what it asks the bridge. */

#include <sys/queue.h>

#include "adapters/fault/record.h"
#include "bridge/adapter.h"
#include "prim/buf.h"

struct fa_asked;
STAILQ_HEAD(fa_asked_list, fa_asked);

struct fa_submit {
	struct bridge *bridge;    /* borrowed */
	struct fa_record *record; /* borrowed */
	/* The flood that goes on. */
	unsigned left, number;
	bool twice, is_second;
	struct prim_buf from, to;   /* owned */
	struct fa_asked_list asked; /* owned: who waits for fa_linked() */
};

void fa_submit_init(struct fa_submit *s, struct bridge *b,
    struct fa_record *record);
void fa_submit_fini(struct fa_submit *s);

/* `count` messages to the sender of `m`, from its recipient; each `twice`, with
 * the same Message-ID, if so. */
void fa_flood(struct fa_submit *s, const struct bridge_message *m,
    unsigned count, bool twice);
/* There is room: goes on with it. */
void fa_flood_on(struct fa_submit *s);

/* One to the sender of `m` that is from `from` and really from `original`, as it
 * says ("" leaves that out). Its outcome is reported for `m`. */
bool fa_claim(struct fa_submit *s, const struct bridge_message *m,
    struct prim_slice from, struct prim_slice original);

/* The answer to one of those. */
void fa_outcome(struct fa_submit *s, const struct bridge_outcome *o);

/* Asks whose `address` is: reported for `m` with 200 or 403. */
bool fa_ask(struct fa_submit *s, const struct bridge_message *m,
    struct prim_slice address);
void fa_linked(struct fa_submit *s, const struct bridge_linked *l);

#endif
