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

#define BR_HOPS_MAX        16
#define BR_ORIGIN_CLIENT   "client"     /* of what a principal of ours says */
#define BR_ORIGIN_SELF     "primbridge" /* of what the bridge itself says */
#define BR_DELIVERY_ID_LEN 32           /* hexadecimal digits */

struct br_message {
	unsigned refs;
	/* All slices are borrowed from `octets`, behind the struct. */
	struct prim_slice lines; /* header lines to relay, each with CRLF: what
	                            came without AStrength, Bridge-* and what
	                            belongs to one link, with AStrength, Date and
	                            Content-Type added where DESIGN 4 says */
	struct prim_slice body;
	struct prim_slice echo;       /* the header lines a response repeats */
	struct prim_slice request_id; /* of the SEND it came by */
	struct prim_slice from, to, conversation_id; /* as spelled */
	struct prim_slice message_id;   /* as it compares (ERR-44) */
	struct prim_slice sender;       /* key, as authenticated */
	struct prim_slice recipient;    /* key */
	struct prim_slice origin;       /* BR_ORIGIN_... or an adapter's name */
	struct prim_slice return_token; /* or empty */
	/* "im:...": who really sent it, when `from` is the principal of that
	 * address (DESIGN 6); then `sender` is its key. Or empty. */
	struct prim_slice original_from;
	struct prim_digest key;      /* of duplicates */
	struct prim_digest delivery; /* Delivery-ID, equal on every attempt */
	struct prim_digest lane;
	uint64_t content_hash; /* equal in a true duplicate; the DateTime of an
	                          adapter's message/cpim may differ */
	unsigned hops;         /* as it leaves us */
	int64_t accepted_ms;   /* wall clock */
	int64_t expires_ms;
	char octets[];
};

/* The keys of everything we derive, out of the store's secret. */
struct br_message_keys {
	struct prim_hash_key duplicate, lane, delivery, content;
};

void br_message_keys_init(struct br_message_keys *keys,
    const uint8_t secret[32]);

/* What a SEND becomes a message from. */
struct br_message_source {
	const struct prim_command *command; /* with its body; checked */
	struct prim_slice sender;           /* key */
	struct prim_slice recipient;        /* key */
	struct prim_slice origin;
	struct prim_slice date;       /* now, RFC 1123 */
	struct prim_slice id;         /* of the request, kept for us */
	enum prim_astrength strength; /* as it leaves us */
	unsigned hops;
	int64_t accepted_ms;
	int64_t expires_ms;
};

/* A message with one reference. Copies everything; what the owner needs for
 * its ticket (`request_id`, `echo`) is kept with it. */
struct br_message *br_message_new(const struct br_message_source *source,
    const struct br_message_keys *keys);

struct br_store_message;

/* A message that comes back from the store; NULL when its head is damaged. */
struct br_message *br_message_restore(const struct br_store_message *stored,
    const struct br_message_keys *keys);

/* Sets what `m` is recognised by (key, delivery, lane, content_hash) out of its
 * origin, sender, recipient, message_id, conversation_id and body. */
void br_message_derive(struct br_message *m, struct prim_slice content_type,
    const struct br_message_keys *keys);

struct br_message *br_message_ref(struct br_message *m);
/* NULL is fine; returns NULL. */
struct br_message *br_message_unref(struct br_message *m);

/* Appends the Delivery-ID of `m` as text. */
void br_message_put_delivery(struct prim_buf *b, const struct br_message *m);
/* Reads it back: 32 hexadecimal digits. */
bool br_message_parse_delivery(struct prim_slice text,
    struct prim_digest *out_delivery);

/* The domain of a key. */
struct prim_slice br_key_domain(struct prim_slice key);

/* What it costs in memory. */
size_t br_message_size(const struct br_message *m);

#endif
