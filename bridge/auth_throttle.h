/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_AUTH_THROTTLE_H
#define BRIDGE_AUTH_THROTTLE_H

/*
 * Who guesses passwords is slowed down: failed logins are counted a minute long
 * by where they come from (an IPv4 address, an IPv6 /64) and by account, in a
 * table of bounded size. Also counts how many exchanges a source has open.
 *
 * An account as such is delayed by a second at most: nobody locks its owner out
 * by guessing from elsewhere. Time is an argument; nothing here waits.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "prim/hash.h"
#include "prim/slice.h"
#include "prim/table.h"

#define BR_AUTH_THROTTLE_ENTRIES  16384
#define BR_AUTH_THROTTLE_OPEN     256 /* exchanges a source may have open */
#define BR_AUTH_THROTTLE_WINDOW_S 60

struct br_auth_throttle_entry;
TAILQ_HEAD(br_auth_throttle_list, br_auth_throttle_entry);

struct br_auth_throttle {
	struct prim_table table;           /* owns its entries */
	struct br_auth_throttle_list used; /* borrowed: oldest use first */
	struct prim_hash_key secret;       /* peers choose what is hashed */
};

/* Who tries to be whom, as the table knows them. */
struct br_auth_attempt {
	uint64_t source;
	uint64_t account;
};

void br_auth_throttle_init(struct br_auth_throttle *t,
    const struct prim_hash_key *secret);
void br_auth_throttle_fini(struct br_auth_throttle *t);

/* `remote` is a numeric address without a port; anything else is taken as a
 * name. `key` is the account's. */
struct br_auth_attempt
br_auth_throttle_attempt(const struct br_auth_throttle *t,
    struct prim_slice remote, struct prim_slice key);

/* An exchange begins; false when its source has too many. Each true is matched
 * by one br_auth_throttle_leave(). */
bool br_auth_throttle_enter(struct br_auth_throttle *t,
    const struct br_auth_attempt *a, int64_t now_ms);
void br_auth_throttle_leave(struct br_auth_throttle *t,
    const struct br_auth_attempt *a);

void br_auth_throttle_fail(struct br_auth_throttle *t,
    const struct br_auth_attempt *a, int64_t now_ms);

/* How long this attempt has to wait before it is looked at; 0 as a rule. */
int64_t br_auth_throttle_wait_ms(const struct br_auth_throttle *t,
    const struct br_auth_attempt *a, int64_t now_ms);

/* The rule itself: failures of the last minute, by source and by account. */
int64_t br_auth_throttle_delay_ms(unsigned source_failures,
    unsigned account_failures);

#endif
