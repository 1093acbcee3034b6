/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_NOTICE_H
#define BRIDGE_NOTICE_H

/*
 * Notices: what the bridge tells the sender of a message that it had answered
 * 101 for (DESIGN 5). A notice is a message like any other: from postmaster, in
 * the Conversation-ID of the one it is about, with a message/cpim that holds an
 * IMDN (IMDN-009, IMDN-031). It has no notices itself (IMDN-007).
 *
 * Everything here is pure and may be called by any thread: the store makes the
 * notice in the transaction of the end.
 */

#include <stdbool.h>

#include "bridge/message.h"
#include "bridge/store.h"

#define BR_POSTMASTER "postmaster"

enum br_notice_kind {
	BR_NOTICE_FAILED,
	BR_NOTICE_DELAYED,
	BR_NOTICE_DELIVERED,
};

/* "failed", "delayed", "delivered" */
const char *br_notice_kind_name(enum br_notice_kind kind);

struct br_notice_cause {
	enum br_notice_kind kind;
	unsigned code;            /* PRIM status of the end; 0: none */
	struct prim_slice reason; /* as the log has it; for a person it is said
	                             in other words */
	int64_t now_ms;           /* wall clock */
};

/* Is there to be one about `m`? Not about notices, not twice (see
 * br_store_message_end()), not to those who cannot be told. */
bool br_notice_is_due(const struct br_store_message *m,
    enum br_notice_kind kind);

/* Makes the notice about `m` (its head, too, must be there; its body is looked
 * into for the IMDN Message-ID, and may be empty). `out` borrows from `room`,
 * which is the caller's and is reset first. Its origin is "primbridge", its
 * destination leads to the sender of `m`: the inbox for origin "client", else
 * the adapter that brought it, with its Return token. The same notice made twice
 * has the same key, delivery and Message-ID. Expires as a message to that place
 * does: a week in an inbox, a day elsewhere. False: the head of `m` is damaged. */
bool br_notice_make(const struct br_message_keys *keys,
    const struct br_store_message *m, const struct br_notice_cause *cause,
    struct prim_buf *room, struct br_store_message *out);

/* The sentence for a person: "it could not be delivered in time". By what the
 * reason begins with, if we know it ("expired", "the adapter died", "dropped",
 * "quarantined", "damaged", "account removed", "loop"), else by the code.
 * Static. */
const char *br_notice_sentence(unsigned code, struct prim_slice reason);

#endif
