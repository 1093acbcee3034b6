/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_IDENTITY_H
#define BRIDGE_IDENTITY_H

/*
 * Links (DESIGN 6): which addresses of foreign networks a principal of ours
 * has. All of them are in memory, so that a look-up never waits; what changes
 * one is committed first, then seen.
 *
 *	asked (a code went to the other side) ──code──> verified
 *	      └─ 15 min, or 5 wrong codes ─> forgotten
 *
 * One owner an address. A link holds for SEND only, never for presence. Used by
 * primd and, where no primd runs, by primctl.
 */

#include <stdbool.h>
#include <stdint.h>

#include "bridge/config.h"
#include "bridge/err.h"
#include "bridge/router.h"
#include "bridge/store.h"
#include "prim/address.h"
#include "prim/buf.h"

struct br_identities;

#define BR_CODE_DIGITS    8
#define BR_CODE_WITHIN_MS ((int64_t)15 * 60 * 1000)
#define BR_CODE_TRIES     5
#define BR_CODES_PER_HOUR 5  /* asked for by one side; more: refused */
#define BR_LINKS_MAX      32 /* of one principal, asked ones too */

/* A link, as it is in memory. Borrowed from the table; gone when it changes. */
struct br_identity {
	struct prim_slice principal;  /* key */
	struct prim_slice network;    /* the name of an adapter */
	struct prim_slice address;    /* key */
	int64_t made_ms, verified_ms; /* verified_ms 0: not yet */
	struct prim_slice how;        /* "code", "operator" */
};

struct br_identities_context {
	struct br_store *store;         /* borrowed: outlives us */
	const struct br_config *config; /* borrowed */
	const struct br_router *router; /* borrowed */
	int64_t (*now_ms)(void *ctx);   /* wall clock */
	/* A link was verified or is no more: whoever keeps what follows from it
	 * is told after the commit. NULL: nobody. `address` is its key. */
	void (*changed)(void *ctx, struct prim_slice principal,
	    struct prim_slice address);
	void *ctx; /* borrowed */
};

/* Reads all links. NULL with a sentence. */
struct br_identities *
br_identities_new(const struct br_identities_context *context,
    struct br_err *err);
/* The store makes no more callbacks. NULL is fine; returns NULL. */
struct br_identities *br_identities_free(struct br_identities *all);

/* ---- looking up; O(1) ---- */

/* The verified link of `address` (a key), or NULL. */
const struct br_identity *br_identity_of(const struct br_identities *all,
    struct prim_slice address);

/* Nothing may be changed from inside an `each`. */

/* Where a principal is looked for, in its owner's order: `each` is called with
 * NULL for its PRIM inbox, else with a verified link, until it returns false.
 * Usually first PRIM, then the links as they were verified. */
void br_identities_order(const struct br_identities *all,
    struct prim_slice principal,
    bool (*each)(void *arg, const struct br_identity *link), void *arg);

/* Every link of `principal` (empty: of all), the asked ones too, in the order
 * of principals and addresses. */
void br_identities_each(const struct br_identities *all,
    struct prim_slice principal,
    void (*each)(void *arg, const struct br_identity *link), void *arg);

/* ---- changing ---- */

/* Told when it is committed, or refused: `why` is NULL, or a sentence for a
 * person that says what is wrong and what to do, without its full stop; borrowed
 * during the callback. Once, maybe from inside. Changes are made one after the
 * other, in the order of the calls. */
typedef void (*br_identity_done_fn)(void *arg, const char *why);

/* Who asks. */
enum br_identity_side {
	BR_SIDE_PRINCIPAL, /* the code goes to the foreign address */
	BR_SIDE_FOREIGN,   /* the code goes to the principal */
	BR_SIDE_OPERATOR,  /* no code: it is verified at once */
};

struct br_identity_wish {
	struct prim_slice principal; /* key */
	struct prim_slice address;   /* key, canonical in its network */
	enum br_identity_side side;
};

/* Begins a link. `out_code` (BR_CODE_DIGITS digits and NUL; NULL for the
 * operator) is set at once and has to stay until `done`; once that said NULL the
 * code is to be told to the other side. Refused: the principal does not exist,
 * the address is of a domain we serve, reserved, of a domain that leads to no
 * adapter, is linked to somebody (whose name is not said) or to this one already,
 * has BR_LINKS_MAX; too many codes were asked for by this side, or sent to the
 * other one. What was asked for before by either side is replaced.
 *
 * A foreign side does not learn who exists: where there is no such principal, or
 * he has too many links, `done` says NULL and `out_code` is empty: there is
 * nobody to tell. A code for such a link is wrong, as often as any other. */
void br_identity_ask(struct br_identities *all,
    const struct br_identity_wish *wish, char out_code[BR_CODE_DIGITS + 1],
    br_identity_done_fn done, void *arg);

/* The code came back, from the side that asked for the link. `address` may be
 * empty when only one is asked for; `principal` the same for a foreign side. The
 * operator needs no code, and may say one for either side. Refused: nothing was
 * asked for, it is wrong (how many tries are left), too late, or the address has
 * an owner by now. Wrong codes are counted durably and compared in constant
 * time; while the store cannot write, right and wrong ones are answered alike. */
struct br_identity_answer {
	struct prim_slice principal, address; /* keys */
	struct prim_slice code;
	enum br_identity_side side;
};

void br_identity_verify(struct br_identities *all,
    const struct br_identity_answer *answer, br_identity_done_fn done,
    void *arg);

/* Ends a link, asked or verified. Refused: there is none. */
void br_identity_remove(struct br_identities *all, struct prim_slice principal,
    struct prim_slice address, br_identity_done_fn done, void *arg);

/* Sets the owner's order: words "prim" and addresses of verified links, separated
 * by blanks or commas; the empty text: the usual one again. Links that are not
 * named get nothing any more. Refused: a word that is neither, or twice. */
void br_identity_order_set(struct br_identities *all,
    struct prim_slice principal, struct prim_slice words,
    br_identity_done_fn done, void *arg);

/* The account `principal` is gone: so are its links (the store has dropped them
 * already). */
void br_identities_forget(struct br_identities *all,
    struct prim_slice principal);

#endif
