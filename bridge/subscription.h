/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_SUBSCRIPTION_H
#define BRIDGE_SUBSCRIPTION_H

/*
 * Somebody watches a principal of ours: a client's principal, or a user behind
 * an adapter. In memory only while it lasts; the store has it too.
 */

#include "bridge/presence_private.h"

/* One subscription to a principal of ours. */
struct br_subscription {
	struct prim_subscription sub; /* its node is in p->subscriptions */
	bool is_foreign;              /* the watcher is behind an adapter */
	uint16_t address_len, key_len, id_len;
	char text[]; /* the watcher's address and key, the id */
};

/* The names of one, for look-ups and for the store. */
struct br_subscription_names {
	struct prim_slice watcher;         /* key */
	struct prim_slice watcher_address; /* as spelled */
	struct prim_slice presentity;      /* key */
	struct prim_slice id;
};

struct br_subscription *br_subscription_of(struct prim_subscription *s);
struct br_entity *br_subscription_presentity(const struct br_subscription *s);
void br_subscription_names(const struct br_subscription *s,
    struct br_subscription_names *out);
/* Made from the store; NULL: its watcher has no way to be told any more. */
struct br_subscription *br_subscription_restore(struct br_presence *p,
    struct br_entity *presentity, const struct br_store_subscription *row);
/* Ends and frees it. `tell`: the watcher hears that it is over. `lasting`: it is
 * forgotten in the store, too. */
void br_subscription_end(struct br_subscription *s, bool tell, bool lasting);

/* The one with these names; or NULL. */
struct br_subscription *br_subscription_find(struct br_presence *p,
    const struct br_subscription_names *names);
/* Begins one that is not there yet. NULL: there is no way to its watcher. */
struct br_subscription *br_subscription_start(struct br_presence *p,
    struct br_entity *presentity, const struct br_subscription_names *names,
    int64_t expires_ms);
/* Forgets it in the store. `done` may be NULL. */
void br_subscription_forget(struct br_presence *p,
    const struct br_subscription_names *names, br_store_done_fn done,
    void *arg);

#endif
