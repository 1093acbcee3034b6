/* SPDX-License-Identifier: ISC */
#ifndef XA_OUT_H
#define XA_OUT_H

/*
 * PRIM to XMPP: a SEND becomes a <message/>. Pure: what it needs to know comes
 * in the context. Whatever a stanza cannot carry is refused here, so that
 * nothing that reaches the stream can close it.
 */

#include <stdbool.h>
#include <stdint.h>
#include <strophe.h>

#include "bridge/adapter.h"
#include "prim/buf.h"

/* Octets of a stanza we send. Prosody closes a component's stream over one of
 * 524,288; this leaves room for what it counts besides. */
#define XA_OUT_STANZA_MAX 507904

/* A message older than this, or one that is tried again, says when it was
 * written; a time further ahead than this is no time. */
#define XA_OUT_STALE_MS 60000
#define XA_OUT_AHEAD_MS 120000

struct xa_out_context {
	xmpp_ctx_t *xmpp;          /* borrowed */
	struct prim_slice domain;  /* of the component */
	struct prim_slice gateway; /* the gateway's domain, or empty */
	int64_t now_ms;            /* wall clock */
};

/* Workspace and result. All zero is a fresh one. */
struct xa_out {
	bool via_gateway;     /* the sender is a JID of the gateway's */
	struct prim_buf from; /* the sender's bare JID */
	struct prim_buf to;   /* the recipient's bare JID */
	struct prim_buf key;  /* the recipient, as xa_jid_key() has it */
	struct prim_buf xml;  /* the stanza */
	const char *why;      /* after a refusal: static */
	struct prim_buf text, thread;
};

/* 0: the stanza is made. Else the PRIM status that refuses the message. */
unsigned xa_out_translate(struct xa_out *out, const struct xa_out_context *c,
    const struct bridge_message *m);
void xa_out_fini(struct xa_out *out);

#endif
