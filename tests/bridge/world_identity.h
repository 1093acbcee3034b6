/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_WORLD_IDENTITY_H
#define TESTS_BRIDGE_WORLD_IDENTITY_H

/*
 * A store in a folder of its own, a configuration, a router, a clock that is
 * turned by hand, and the links on top. The domains are here.example and
 * also.example; far.example and gw.example lead to xmpp, mail.example to mail.
 */

#include "tests/lib/slice.h"
#include "tests/lib/t.h"

#include "bridge/identity.h"

struct event_base;

#define WORLD_CHANGES_MAX 16

struct world {
	struct event_base *base; /* owned */
	struct br_store *store;  /* owned */
	struct br_config *config;
	struct br_router *router;
	struct br_identities *all; /* owned */
	int64_t now_ms;
	char dir[256];
	struct prim_buf changes; /* "principal address\n" each time */
};

/* What a change said: once. */
struct told {
	unsigned count;
	bool is_granted;
	char why[512];
};

int world_set_up(void **state);
int world_tear_down(void **state);
/* Closes and opens the store and all that came out of it. */
void world_restart(struct world *w);
void world_account(struct world *w, const char *key);
void world_account_drop(struct world *w, const char *key);

void world_told(void *arg, const char *why);
/* Waits for the answer. `part` of the sentence, or NULL: granted. */
void world_expect(struct world *w, struct told *told, const char *part);

/* One change, waited for, with its answer. `out_code` may be NULL. */
void world_ask(struct world *w, const char *principal, const char *address,
    enum br_identity_side side, char *out_code, const char *part);
void world_verify(struct world *w, const char *principal, const char *address,
    enum br_identity_side side, const char *code, const char *part);
void world_remove(struct world *w, const char *principal, const char *address,
    const char *part);
void world_order(struct world *w, const char *principal, const char *words,
    const char *part);
/* Asked for by the principal, and verified. */
void world_link(struct world *w, const char *principal, const char *address);

/* Every link as "PRINCIPAL ADDRESS NETWORK HOW" or "... asked". */
void world_expect_links(struct world *w, const char *principal,
    const char *expected);
/* "prim romeo@far.example " */
void world_expect_order(struct world *w, const char *principal,
    const char *expected);
/* NULL: nobody's. */
void world_expect_owner(struct world *w, const char *address,
    const char *principal);
/* A code that is not `code`. */
const char *world_wrong(const char *code);
/* The disk is full, or has room again. */
void world_disk(bool is_full);

#endif
