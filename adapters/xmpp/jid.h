/* SPDX-License-Identifier: ISC */
#ifndef XA_JID_H
#define XA_JID_H

/*
 * JIDs, and the way between them and PRIM identifiers (RFC 7247 6, RFC 7622,
 * XEP-0106). Folding comes before escaping: "\2F" is no escape, but folds into
 * one, and two addresses must not become one JID that way.
 *
 * An address whose domain is the gateway's stands for a user of another
 * domain: juliet@jabber.example is im:juliet%40jabber.example@gw.example, and
 * im:romeo@prim.example is romeo\40prim.example@gw.example.
 */

#include <stdbool.h>

#include "prim/address.h"
#include "prim/buf.h"
#include "prim/slice.h"

#define XA_JID_MAX      3071
#define XA_RESOURCE_MAX 1023

struct xa_jid {
	struct prim_slice bare;     /* borrowed: without the resource */
	struct prim_slice local;    /* borrowed: empty for a bare domain */
	struct prim_slice domain;   /* borrowed */
	struct prim_slice resource; /* borrowed: empty without one */
};

/* Takes a JID apart. False when a part is empty that must not be, or longer
 * than RFC 7622 allows. The parts are as spelled and not checked further. */
bool xa_jid_split(struct prim_slice text, struct xa_jid *out);

/* Appends "local@domain" as it is compared: mapped, with A-labels. False if it
 * is no user's address. */
bool xa_jid_key(struct prim_buf *b, const struct xa_jid *jid);

/* Appends the bare JID of `a`. False if no JID can carry it. */
bool xa_jid_put(struct prim_buf *b, const struct prim_address *a);
/* The same for a JID of the component `host`, which stands as it is given. */
bool xa_jid_put_at(struct prim_buf *b, const struct prim_address *a,
    struct prim_slice host);
/* Appends local\40domain@gateway. */
bool xa_jid_put_hosted(struct prim_buf *b, const struct prim_address *a,
    struct prim_slice gateway);
/* Appends the JID that the local-part of `a`, local%40domain, stands for. */
bool xa_jid_put_unhosted(struct prim_buf *b, const struct prim_address *a);

/* Appends "im:local@domain". False if `jid` is malformed, has no localpart, or
 * no address can carry it. */
bool xa_jid_uri(struct prim_buf *b, const struct xa_jid *jid);
/* Appends im:local%40domain@gateway. */
bool xa_jid_uri_hosted(struct prim_buf *b, const struct xa_jid *jid,
    struct prim_slice gateway);
/* Appends the address that the localpart of `jid`, local\40domain, stands
 * for. */
bool xa_jid_uri_unhosted(struct prim_buf *b, const struct xa_jid *jid);

#endif
