/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_AUTH_BODY_H
#define BRIDGE_AUTH_BODY_H

/*
 * What stands in LOGIN's SASL-Mech and in its bodies, as far as it can be read
 * without knowing anybody. Pure functions over slices.
 */

#include <stdbool.h>

#include "prim/slice.h"

/* Takes the next name off a list separated by any run of SP, HTAB and comma
 * (ERR-50). False at its end. */
bool br_auth_body_mechanism(struct prim_slice *rest,
    struct prim_slice *out_name);

/* `body` without one CRLF at its end (ERR-63). Nothing that a mechanism of ours
 * could accept ends in CRLF (SASLprep prohibits controls, SCRAM's messages are
 * printable), so trying the exact octets first would always fail. */
struct prim_slice br_auth_body_trim(struct prim_slice body);

struct br_auth_plain {
	struct prim_slice authzid; /* empty when there is none */
	struct prim_slice user;
	struct prim_slice password; /* ends where the body ends */
};

/* PLAIN's body: "user CRLF password" as the drafts have it, or, when there is a
 * NUL in it, "[authzid] NUL user NUL password" as RFC 4616 has it, where the
 * authzid may be left out with its NUL (ERR-61). False when it is neither. */
bool br_auth_body_plain(struct prim_slice body, struct br_auth_plain *out);

/* Does a user name, "local@domain" in any spelling, mean `key`? */
bool br_auth_body_names(struct prim_slice user, struct prim_slice key);

/* A first message of SCRAM that the mechanism may take: printable, and the
 * client binds to TLS by "tls-exporter" if the mechanism `binds`, else not at
 * all. (libgsasl would go on with "p=" there.) */
bool br_auth_body_scram_first(struct prim_slice body, bool binds);

/* A message of SCRAM has no NUL and no other control characters. */
bool br_auth_body_scram(struct prim_slice body);

#define BR_AUTH_CRAM_LEN 32

struct br_auth_cram {
	struct prim_slice user;
	char digest[BR_AUTH_CRAM_LEN + 1]; /* in lower case */
};

/* CRAM-MD5's answer: "user CRLF digest" as the drafts have it, with LF or the SP
 * of RFC 2195 for CRLF too (ERR-62). False when it is none of these. */
bool br_auth_body_cram(struct prim_slice body, struct br_auth_cram *out);

#endif
