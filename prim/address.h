/* SPDX-License-Identifier: ISC */
#ifndef PRIM_ADDRESS_H
#define PRIM_ADDRESS_H

/*
 * Identifiers: pres:local@domain and im:local@domain (PRIM-045..054).
 *
 * An address is kept as it was spelled and compared by its key: scheme-less,
 * ASCII letters in lower case, escapes of unreserved characters undone, other
 * escapes with upper-case digits. Two addresses are the same principal exactly
 * when their keys are equal octet for octet.
 */

#include "prim/buf.h"
#include "prim/slice.h"

#define PRIM_ADDRESS_MAX 2048 /* octets of a whole address, and of a key */
#define PRIM_LOCAL_MAX   1023 /* octets of a local-part after unescaping */
#define PRIM_DOMAIN_MAX  253

enum prim_scheme {
	PRIM_SCHEME_NONE, /* "local@domain", where a text allows it */
	PRIM_SCHEME_PRES,
	PRIM_SCHEME_IM,
};

struct prim_address {
	enum prim_scheme scheme;
	struct prim_slice text;   /* borrowed: the whole, as spelled */
	struct prim_slice local;  /* borrowed: as spelled, still escaped */
	struct prim_slice domain; /* borrowed: as spelled */
};

/* A canonical address: "local@domain". */
struct prim_key {
	size_t len;
	size_t at; /* index of the '@' */
	char text[PRIM_ADDRESS_MAX];
};

/* Parses "im:local@domain" or "pres:local@domain"; the scheme in any case
 * (ERR-36). False: another scheme, no or a second '@', an empty or over-long
 * part, a character that had to be escaped (PRIM-046), a '%' without two
 * hexadecimal digits, an escaped control character (%00-%1F, %7F), a domain
 * that is not LDH labels (ERR-33; A-labels are LDH; 1-63 octets a label, no
 * hyphen at its ends, no trailing dot). Percent-escapes of unreserved
 * characters are accepted in the local-part (ERR-35), none in the domain. */
bool prim_address_parse(struct prim_slice text, struct prim_address *out);

/* The same without a scheme: "local@domain". */
bool prim_address_parse_bare(struct prim_slice text, struct prim_address *out);

/* The key of a parsed address. Never fails: parsed addresses fit. */
void prim_address_key(const struct prim_address *a, struct prim_key *out);

struct prim_slice prim_key_slice(const struct prim_key *k);
struct prim_slice prim_key_domain(const struct prim_key *k);
struct prim_slice prim_key_local(const struct prim_key *k);

/* Is `text` a domain name as prim_address_parse() wants it? */
bool prim_address_domain_ok(struct prim_slice text);

/* Appends `octets` as a local-part: every octet outside the allowed set as %HH
 * with upper-case digits, allowed ones never (PRIM-046, PRIM-047). */
void prim_address_escape(struct prim_buf *b, struct prim_slice octets);

/* Appends the octets that `local` stands for. False if an escape is broken;
 * what was appended until then stays. */
bool prim_address_unescape(struct prim_buf *b, struct prim_slice local);

#endif
