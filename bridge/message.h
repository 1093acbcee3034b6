/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_MESSAGE_H
#define BRIDGE_MESSAGE_H

/*
 * One instant message inside the bridge: what it says, who it is from and for,
 * and by what it is recognised when it comes again. Immutable and shared by
 * reference; one allocation.
 */

#include <stdint.h>

#include "prim/astrength.h"
#include "prim/command.h"
#include "prim/hash.h"
#include "prim/slice.h"

#define BR_HOPS_MAX 16
#define BR_DELIVERY_ID_LEN 32 /* hexadecimal digits */

struct br_message {
	unsigned refs;
	/* All slices are borrowed from `octets`, behind the struct. */
	struct prim_slice lines; /* header lines to relay, each with CRLF: what
	                            came without AStrength, Bridge-* and what
	                            belongs to one link, with AStrength, Date and
	                            Content-Type added where DESIGN 4 says */
	struct prim_slice body;
	struct prim_slice echo;  /* the header lines a response repeats */
	struct prim_slice from, to, message_id, conversation_id; /* as spelled */
	struct prim_slice sender;        /* key, as authenticated */
	struct prim_slice recipient;     /* key */
	struct prim_slice origin;        /* "client" or an adapter's name */
	struct prim_slice return_token;  /* or empty */
	struct prim_digest key;          /* of duplicates */
	struct prim_digest delivery;     /* Delivery-ID, equal on every attempt */
	struct prim_digest lane;
	uint64_t content_hash;           /* equal in a true duplicate */
	unsigned hops;                   /* as it leaves us */
	int64_t accepted_ms;             /* wall clock */
	int64_t expires_ms;
	char octets[];
};

struct br_message *br_message_ref(struct br_message *m);
/* NULL is fine; returns NULL. */
struct br_message *br_message_unref(struct br_message *m);

/* Appends the Delivery-ID of `m` as text. */
void br_message_put_delivery(struct prim_buf *b, const struct br_message *m);
/* Reads it back: 32 hexadecimal digits. */
bool br_message_parse_delivery(struct prim_slice text,
    struct prim_digest *out_delivery);

/* What it costs in memory. */
size_t br_message_size(const struct br_message *m);

#endif
