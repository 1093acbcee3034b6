/* SPDX-License-Identifier: ISC */
#ifndef TESTS_TALK_PROOF_H
#define TESTS_TALK_PROOF_H

/*
 * The client's arithmetic in a SCRAM-SHA-256 login (RFC 5802, RFC 7677).
 */

#include "tests/talk/pattern.h"

/* "NAME PASSWORD": out of `cnonce`, `nonce`, `salt` and `count` that were kept,
 * keeps `proof` and `verifier` (what the server proves itself by). `cnonce` is
 * what the client began with, its first message "n,,n=NAME,r=CNONCE". False:
 * one of them is missing. */
bool talk_proof(struct talk_names *names, struct prim_slice args);

#endif
