/* SPDX-License-Identifier: ISC */
#ifndef PRIM_HEADER_H
#define PRIM_HEADER_H

/*
 * The names of the headers we know. Everything else is relayed unread
 * (PRIM-013).
 */

#include <stdint.h>

#include "prim/slice.h"

enum prim_header_id {
	PRIM_HEADER_OTHER, /* a name we don't know */
	PRIM_HEADER_FROM,
	PRIM_HEADER_TO,
	PRIM_HEADER_DOMAIN,
	PRIM_HEADER_AUTH_STATE,
	PRIM_HEADER_SASL_MECH, /* also spelled SASL-Mechanism, ERR-14 */
	PRIM_HEADER_MAX_CONTENT_LENGTH,
	PRIM_HEADER_USER_AGENT_ID,
	PRIM_HEADER_REDIRECT,
	PRIM_HEADER_SERVER_ADDRESS,
	PRIM_HEADER_DATE,
	PRIM_HEADER_ASTRENGTH,
	PRIM_HEADER_DURATION,
	PRIM_HEADER_SUBSCRIPTION_ID,
	PRIM_HEADER_PI_TYPE,
	PRIM_HEADER_TUPLE_ID,
	PRIM_HEADER_CLASS,
	PRIM_HEADER_WATCHER_TYPE,
	PRIM_HEADER_MESSAGE_ID, /* also the literal form of ERR-44 */
	PRIM_HEADER_CONVERSATION_ID,
	PRIM_HEADER_REPLY_TO,
	PRIM_HEADER_CONTENT_TYPE,
	PRIM_HEADER_CONTENT_LENGTH,            /* ERR-23 */
	PRIM_HEADER_CONTENT_TRANSFER_ENCODING, /* always 400, PRIM-015 */
	/* Ours. From a client any Bridge-* is 400 (DESIGN 4). */
	PRIM_HEADER_BRIDGE_HOPS,
	PRIM_HEADER_BRIDGE_ORIGINAL_FROM,
	PRIM_HEADER_BRIDGE_ORIGINAL_TO,
	PRIM_HEADER_BRIDGE_OTHER, /* any other name that begins "Bridge-" */
	/* Adapter links only. */
	PRIM_HEADER_DELIVERY_ID,
	PRIM_HEADER_ATTEMPT,
	PRIM_HEADER_EXPIRES,
	PRIM_HEADER_RETURN,
	PRIM_HEADER_WINDOW,
	PRIM_HEADER_KEY,
	PRIM_HEADER_OPERATION,
	PRIM_HEADER_CODE,
	PRIM_HEADER_LEVEL,
	PRIM_HEADER_NAME,
	PRIM_HEADER_VALUE,
	PRIM_HEADER_RETRY,
	PRIM_HEADER_DELAY,
	PRIM_HEADER_COUNT,
};

#define PRIM_HEADER_BIT(id) (1ULL << (id))

/* One header line as it stood on the wire. */
struct prim_header {
	enum prim_header_id id;
	struct prim_slice name;  /* borrowed, as spelled */
	struct prim_slice value; /* borrowed, without the blanks around it */
	struct prim_slice line;  /* borrowed, without its CRLF */
};

/* Exact match first, then without regard to ASCII case (ERR-12). */
enum prim_header_id prim_header_find(struct prim_slice name);

/* The spelling we send, e.g. "Message-ID"; empty for the OTHER ids. */
struct prim_slice prim_header_name(enum prim_header_id id);

#endif
