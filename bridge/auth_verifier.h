/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_AUTH_VERIFIER_H
#define BRIDGE_AUTH_VERIFIER_H

/*
 * What we keep instead of a password (SCRAM-SHA-256, RFC 5802 and 7677), and
 * trying a password against it. May be called on any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/store.h"

#define BR_AUTH_PASSWORD_MAX 1024 /* octets */
#define BR_AUTH_ITERATIONS   4096 /* RFC 7677's least; more slows only us */
#define BR_AUTH_SALT_LEN     16

struct br_auth_verifier {
	bool is_real; /* there is such an account; else nothing is right */
	uint32_t iterations;
	uint8_t salt[BR_SALT_MAX];
	size_t salt_len;
	uint8_t stored_key[BR_HASH_LEN];
	uint8_t server_key[BR_HASH_LEN];
};

/* Is `password` (ends in NUL) the right one? NULL never is, and costs as much
 * as one that is wrong. */
bool br_auth_verifier_check(const struct br_auth_verifier *v,
    const char *password);

/* Compares; takes the same time wherever they differ. */
bool br_auth_verifier_same(const void *a, const void *b, size_t len);

/* br_auth_verifier() itself is in auth.h: it is what others may use. */

#endif
