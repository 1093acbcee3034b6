/* SPDX-License-Identifier: ISC */
#ifndef XA_RECORD_H
#define XA_RECORD_H

/*
 * What lasts about a contact, as it is kept in STATE: who may see whom. Leases
 * are not here; they are short, and the core tells them again. One record
 * for a pair:
 *
 *	key     presence/<32 hexadecimal digits of the pair>
 *	value   1
 *	        ours romeo@prim.example
 *	        theirs juliet@jabber.example
 *	        principal pres:romeo@prim.example
 *	        user pres:juliet@jabber.example
 *	        watch granted 0 1793004800000 1793004800000 1793004800000
 *	        follow granted 1793004800000
 *	        told phone
 *
 * one item a line. A first line that is not 1 is of a later version: such a
 * record is not read, and left alone.
 */

#include <stdbool.h>
#include <stdint.h>

#include "adapters/xmpp/presence.h"
#include "prim/buf.h"
#include "prim/slice.h"

/* A permanent permission, apart from any lease (spec/xmpp.md 5). */
enum xa_approval {
	XA_APPROVAL_NONE,
	XA_APPROVAL_PENDING, /* asked, not answered */
	XA_APPROVAL_GRANTED,
	XA_APPROVAL_DENIED,
};

struct xa_record {
	struct prim_slice ours;      /* bare JID of the principal */
	struct prim_slice theirs;    /* bare JID of the XMPP user */
	struct prim_slice principal; /* "pres:..." */
	struct prim_slice user;      /* "pres:..." */
	/* The principal watches the user. */
	enum xa_approval watch;
	unsigned watch_code; /* DENIED: what a SUBSCRIBE is answered */
	int64_t watch_ms;    /* since when it is so */
	int64_t asked_ms;    /* the last `subscribe` was sent; 0: none */
	int64_t used_ms;     /* the last lease ended */
	/* The user follows the principal. */
	enum xa_approval follow;
	int64_t follow_ms;
	/* The principal's resources that the user was told are available. */
	unsigned told_count;
	struct prim_slice told[XA_RESOURCES_MAX];
};

/* Appends the key of the record of these two. */
void xa_record_put_key(struct prim_buf *b, struct prim_slice ours,
    struct prim_slice theirs);
void xa_record_put(struct prim_buf *b, const struct xa_record *r);
/* False: it is none, or of another version. `out` borrows from `text`. */
bool xa_record_parse(struct prim_slice text, struct xa_record *out);

#endif
