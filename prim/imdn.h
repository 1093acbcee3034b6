/* SPDX-License-Identifier: ISC */
#ifndef PRIM_IMDN_H
#define PRIM_IMDN_H

/*
 * Delivery notifications, RFC 5438: what a message asks to be told, and the
 * document that tells it. Pure; the document is read through prim/xml.h.
 */

#include <stdbool.h>

#include "prim/buf.h"
#include "prim/slice.h"

#define PRIM_IMDN_NAMESPACE "urn:ietf:params:xml:ns:imdn"
#define PRIM_IMDN_TYPE      "message/imdn+xml"
/* Of our elements with the code and the reason, and with the Message-ID, behind
 * the standard ones. */
#define PRIM_IMDN_REASON "urn:primbridge:reason"
#define PRIM_IMDN_MAX    16384 /* octets of a document that is read */

/* What a message asks for (IMDN-004); bits. */
enum prim_imdn_wish {
	PRIM_IMDN_POSITIVE = 1,
	PRIM_IMDN_NEGATIVE = 2,
	PRIM_IMDN_PROCESSING = 4,
	PRIM_IMDN_DISPLAY = 8,
};

struct prim_imdn_request {
	unsigned wishes;              /* enum prim_imdn_wish */
	struct prim_slice message_id; /* borrowed: imdn.Message-ID, or empty */
	struct prim_slice date;       /* borrowed: DateTime, or empty */
	/* borrowed: "im:..." of imdn.Original-To, or empty (IMDN-017) */
	struct prim_slice original_to;
	bool is_notice; /* it is an IMDN itself (IMDN-029) */
};

/* Reads what a SEND with this Content-Type and body asks for. Anything but a
 * message/cpim asks for nothing, and so does a malformed one. A bare
 * message/imdn+xml is a notice, too. */
void prim_imdn_request_read(struct prim_slice content_type,
    struct prim_slice body, struct prim_imdn_request *out);

enum prim_imdn_status {
	PRIM_IMDN_DELIVERED, /* delivery: delivered */
	PRIM_IMDN_FAILED,    /* delivery: failed */
	PRIM_IMDN_STORED,    /* processing: stored; it is late */
	PRIM_IMDN_PROCESSED, /* processing: processed */
	PRIM_IMDN_DISPLAYED, /* display: displayed */
	PRIM_IMDN_FORBIDDEN, /* any: the report, not the message, is refused */
	PRIM_IMDN_ERROR,     /* any: nothing is known (IMDN-019) */
};

struct prim_imdn {
	enum prim_imdn_status status;
	struct prim_slice message_id;         /* of the message it is about */
	struct prim_slice date;               /* its DateTime, RFC 3339 */
	struct prim_slice recipient;          /* "im:..."; may be empty */
	struct prim_slice original_recipient; /* the same */
	/* ours: the Message-ID of the SEND, where `message_id` is another name
	 * that the message has for itself; may be empty */
	struct prim_slice prim_message_id;
	unsigned code;            /* ours: PRIM status; 0: not said */
	struct prim_slice reason; /* ours: for a person; may be empty */
};

/* Appends the document (IMDN-014..017). Every text is written so that it is XML;
 * what no XML can carry becomes U+FFFD. */
void prim_imdn_put(struct prim_buf *b, const struct prim_imdn *imdn);
/* Reads a document; texts go to `room` (owned by the caller), from which `out`
 * borrows. False: it is none, too large, or has a DOCTYPE. */
bool prim_imdn_parse(struct prim_slice document, struct prim_buf *room,
    struct prim_imdn *out);

/* The same for the body of a SEND: a message/cpim with one inside, or a bare
 * document. False: it is no notice. */
bool prim_imdn_parse_message(struct prim_slice content_type,
    struct prim_slice body, struct prim_buf *room, struct prim_imdn *out);

#endif
