/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_IDENTITY_PRIVATE_H
#define BRIDGE_IDENTITY_PRIVATE_H

/*
 * What identity.c (looking up), identity_table.c, identity_change.c,
 * identity_ask.c and identity_verify.c (what changes it), identity_rule.c (what
 * may be linked) and identity_code.c know of each other.
 *
 * Changes run one after the other: the next one begins when the one before is
 * committed or refused. They are rare, and so each sees what is true.
 */

#include "bridge/identity.h"
#include "bridge/log.h"
#include "bridge/tally.h"

/* Links that nobody has: what an address asked for without being told that there
 * is no such principal. A code for one is always wrong. */
#define BR_IDENTITY_PHANTOMS 4096

struct br_identity_owner;

/* A link in memory. */
struct br_identity_entry {
	struct br_store_link row; /* its slices stand in `octets` */
	struct br_identity shown; /* the same for those who look */
	struct prim_table_node by_address;
	struct br_identity_owner *owner; /* borrowed */
	TAILQ_ENTRY(br_identity_entry) of_owner;
	TAILQ_ENTRY(br_identity_entry) of_asked; /* until it is verified */
	bool is_phantom;
	char octets[];
};

TAILQ_HEAD(br_identity_list, br_identity_entry);

/* A principal with links. */
struct br_identity_owner {
	struct prim_table_node by_key;
	/* The verified ones first, as they were verified; owned. */
	struct br_identity_list links;
	unsigned count; /* without phantoms */
	char *order;    /* owned: as in the store; NULL: the usual one */
	size_t order_len;
	size_t key_len;
	char key[];
};

struct br_identity_change;
STAILQ_HEAD(br_identity_changes, br_identity_change);

/* A wish on its way. */
struct br_identity_change {
	STAILQ_ENTRY(br_identity_change) link;
	struct br_identities *all; /* borrowed: outlives us */
	/* Ends it, or gives it to the store. */
	void (*run)(struct br_identity_change *c);
	/* It is committed: makes it so in memory. What is said then, NULL when
	 * it was granted. */
	const char *(*commit)(struct br_identity_change *c);
	/* The same where the store had nothing to change; NULL: there is no
	 * such account. */
	const char *(*absent)(struct br_identity_change *c);
	br_identity_done_fn done;
	void *arg; /* borrowed */
	struct prim_slice principal, address;
	struct prim_slice words; /* a code, or an order */
	enum br_identity_side side;
	struct br_store_link row; /* on its way to the store */
	char code[BR_CODE_DIGITS + 1];
	char *out_code;       /* borrowed until done; may be NULL */
	struct prim_buf held; /* owned: an order, or what `row` borrows from */
	char octets[];
};

struct br_identities {
	struct br_identities_context c;
	struct br_log log;
	struct prim_table owners;         /* owned */
	struct prim_table addresses;      /* the entries, by address */
	struct br_identity_list asked;    /* the first to expire first */
	struct br_identity_list phantoms; /* the same */
	unsigned phantom_count;
	struct prim_hash_key seed;          /* peers choose the names */
	struct prim_hash_key code_keys[2];  /* of code_hash */
	struct br_tally askers;             /* codes asked for, by who asked */
	struct br_tally told;               /* by who got them */
	struct br_identity_changes changes; /* owned; the first one runs */
	bool running;        /* its run() or what it calls is on the stack */
	bool storing;        /* the store has it */
	struct prim_buf why; /* the last sentence */
};

/* ---- the table (identity_table.c) ---- */

struct br_identity_owner *
br_identity_owner_find(const struct br_identities *all,
    struct prim_slice principal);
/* Of this pair, or NULL. */
struct br_identity_entry *br_identity_find(const struct br_identities *all,
    struct prim_slice principal, struct prim_slice address);
/* The first asked or verified link of an address, and the next. */
struct br_identity_entry *br_identity_first(const struct br_identities *all,
    struct prim_slice address);
struct br_identity_entry *br_identity_next(const struct br_identity_entry *e);

/* In the place of one of the same pair. `row` is copied. */
struct br_identity_entry *br_identity_put(struct br_identities *all,
    const struct br_store_link *row, bool is_phantom);
/* `e` is gone then, and maybe its owner. */
void br_identity_drop(struct br_identities *all, struct br_identity_entry *e);
/* Forgets everything. */
void br_identity_drop_all(struct br_identities *all);
/* Sets the order of `principal`; empty: the usual one. */
void br_identity_order_keep(struct br_identities *all,
    struct prim_slice principal, struct prim_slice order);
/* Takes `address` out of the order of `principal`. */
void br_identity_order_cut(struct br_identities *all,
    struct prim_slice principal, struct prim_slice address);
bool br_identity_is_expired(const struct br_identities *all,
    const struct br_identity_entry *e);
/* Drops the asked ones whose time is over. */
void br_identities_expire(struct br_identities *all);

static inline int64_t br_identities_now(const struct br_identities *all)
{
	return all->c.now_ms(all->c.ctx);
}

/* ---- changes (identity_change.c) ---- */

struct br_identity_change *br_identity_change_new(struct br_identities *all,
    struct prim_slice principal, struct prim_slice address,
    struct prim_slice words);
/* Puts it behind those that wait. */
void br_identity_change_take(struct br_identity_change *c);
/* Tells who asked, and ends it; the next one's turn comes later. */
void br_identity_settle(struct br_identity_change *c, const char *why);
/* For the store: calls commit(), or settles with what went wrong. */
void br_identity_stored(void *arg, enum br_store_outcome outcome);
/* Gives c->row to the store; commit() is called when it is there. */
void br_identity_change_store(struct br_identity_change *c,
    const char *(*commit)(struct br_identity_change *c));
/* The same for dropping the link. */
void br_identity_change_drop(struct br_identity_change *c,
    const char *(*commit)(struct br_identity_change *c));
/* Forgets those that wait, without a word. */
void br_identity_changes_free(struct br_identities *all);
/* Tells who wants to know. */
void br_identity_changed(struct br_identities *all, struct prim_slice principal,
    struct prim_slice address);

/* ---- sentences and rules (identity_rule.c) ---- */

/* Formats a sentence; valid until the next one. */
const char *br_identity_say(struct br_identities *all, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* NULL, or what is wrong with it as a principal of ours. */
const char *br_identity_rule_principal(struct br_identities *all,
    struct prim_slice key);
/* NULL, or why nobody can be linked to it; sets the adapter it belongs to. */
const char *br_identity_rule_address(struct br_identities *all,
    struct prim_slice key, struct prim_slice *out_network);

/* ---- codes (identity_code.c) ---- */

/* BR_CODE_DIGITS digits, each code as likely as any other, and NUL. */
void br_identity_code_make(char out_code[BR_CODE_DIGITS + 1]);
bool br_identity_code_ok(struct prim_slice code);
void br_identity_code_keys(struct br_identities *all, const uint8_t secret[32]);
/* Sets salt, hash and expiry of `row`, which has no wrong tries then. */
void br_identity_code_set(const struct br_identities *all,
    struct br_store_link *row, struct prim_slice code);
/* Takes the same time wherever they differ. */
bool br_identity_code_is(const struct br_identities *all,
    const struct br_store_link *row, struct prim_slice code);
/* NULL and counted, or why no code can be had now. */
const char *br_identity_code_throttle(struct br_identities *all,
    struct prim_slice asker, struct prim_slice told);

#endif
