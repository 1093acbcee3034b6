/* SPDX-License-Identifier: ISC */
#ifndef PRIM_HASH_H
#define PRIM_HASH_H

/*
 * Keyed hashing (SipHash-2-4): tables that a peer cannot fill one slot of,
 * and identifiers that a peer cannot guess.
 */

#include "prim/slice.h"

#define PRIM_HASH_KEY_LEN 16
#define PRIM_DIGEST_LEN   16

struct prim_hash_key {
	uint64_t k0, k1;
};

/* 128 bits of a keyed hash. */
struct prim_digest {
	uint8_t octets[PRIM_DIGEST_LEN];
};

/* A running hash: several slices, each counted with its length so that
 * ("ab","c") and ("a","bc") differ. */
struct prim_hasher {
	uint64_t v0, v1, v2, v3;
	uint64_t tail;  /* octets that wait for a full word */
	uint64_t total; /* octets fed so far */
};

struct prim_hash_key
prim_hash_key_from(const uint8_t octets[PRIM_HASH_KEY_LEN]);

uint64_t prim_hash(const struct prim_hash_key *key, struct prim_slice s);

void prim_hasher_init(struct prim_hasher *h, const struct prim_hash_key *key);
void prim_hasher_feed(struct prim_hasher *h, struct prim_slice s);
/* Feeds the length as 8 octets, then the octets. */
void prim_hasher_feed_field(struct prim_hasher *h, struct prim_slice s);
struct prim_digest prim_hasher_digest(struct prim_hasher *h);

bool prim_digest_eq(const struct prim_digest *a, const struct prim_digest *b);

#endif
