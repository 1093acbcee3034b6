/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_AUTH_MECHANISM_H
#define BRIDGE_AUTH_MECHANISM_H

/*
 * The steps of the mechanisms that are more than a line; for auth.c only.
 */

#include "bridge/auth_body.h"
#include "bridge/auth_exchange.h"

/* SCRAM-SHA-256, and -PLUS where the mechanism binds. */
void br_auth_scram_message(struct br_auth_exchange *x);
void br_auth_scram_found(struct br_auth_exchange *x);
void br_auth_scram_fini(struct br_auth_exchange *x);

/* CRAM-MD5. */
void br_auth_cram_begin(struct br_auth_exchange *x);
void br_auth_cram_message(struct br_auth_exchange *x);
void br_auth_cram_found(struct br_auth_exchange *x);

/* The right answer to a challenge, in lower case. False when SASLprep does not
 * allow the password. */
bool br_auth_cram_digest(struct Gsasl *sasl, struct prim_slice challenge,
    const char *password, char out_digest[BR_AUTH_CRAM_LEN + 1]);

#endif
