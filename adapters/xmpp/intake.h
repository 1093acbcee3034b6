/* SPDX-License-Identifier: ISC */
#ifndef XA_INTAKE_H
#define XA_INTAKE_H

/*
 * Stanzas of XMPP users that wait until it is known whose account their
 * sender's address is linked to; and after that for room, in the order in which
 * they came. Nobody has been told anything about them: what is lost with the
 * process was never acknowledged.
 */

#include <stdbool.h>
#include <stdint.h>
#include <strophe.h>
#include <sys/queue.h>

#include "prim/slice.h"

#define XA_INTAKE_MAX    256     /* all of them are questions to the bridge */
#define XA_INTAKE_OCTETS 4194304 /* of memory; one may be larger, alone */

struct xa_leg;

enum xa_intake_kind {
	XA_INTAKE_MESSAGE,
	XA_INTAKE_REGISTER, /* an iq of registration */
	/* The same, executed: is he linked now? Is he not any more? */
	XA_INTAKE_LINKED,
	XA_INTAKE_UNLINKED,
};

struct xa_intake_item {
	TAILQ_ENTRY(xa_intake_item) link;
	uint64_t cookie;
	enum xa_intake_kind kind;
	struct xa_leg *leg;    /* borrowed: where it came from */
	xmpp_stanza_t *stanza; /* owned: a reference */
	size_t size;
	bool is_known;   /* the answer is there */
	char *principal; /* owned: "im:..."; NULL: not linked */
};

TAILQ_HEAD(xa_intake_list, xa_intake_item);

struct xa_intake {
	struct xa_intake_list list; /* owned; oldest first */
	unsigned count;
	size_t octets;
	uint64_t last_cookie;
};

void xa_intake_init(struct xa_intake *in);
/* Asserts that it is empty. */
void xa_intake_fini(struct xa_intake *in);

/* A new one at the end; takes a reference to `stanza`. NULL: there is no room. */
struct xa_intake_item *xa_intake_put(struct xa_intake *in,
    enum xa_intake_kind kind, struct xa_leg *leg, xmpp_stanza_t *stanza);
/* The newest is gone: it could not be asked for. */
void xa_intake_undo(struct xa_intake *in);

/* The answer to the question `cookie`; `principal` may be empty. False: nobody
 * asked. */
bool xa_intake_answer(struct xa_intake *in, uint64_t cookie,
    struct prim_slice principal);

/* The oldest, if its answer is there; NULL otherwise. */
struct xa_intake_item *xa_intake_next(const struct xa_intake *in);
/* The oldest, or NULL. */
struct xa_intake_item *xa_intake_first(const struct xa_intake *in);
/* Ends the oldest. */
void xa_intake_drop(struct xa_intake *in);

#endif
