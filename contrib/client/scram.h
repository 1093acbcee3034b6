/* SPDX-License-Identifier: ISC */
#ifndef CLIENT_SCRAM_H
#define CLIENT_SCRAM_H

/*
 * The client's half of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, 7677,
 * 9266). libgsasl derives the keys; it cannot say "I could bind to TLS, but you
 * do not offer it", which is how a server learns that somebody on the way took
 * the offer away.
 */

#include <stdbool.h>

#include "contrib/client/err.h"
#include "contrib/client/link.h"
#include "prim/buf.h"

#define CL_SCRAM_HASH 32

enum cl_scram_kind {
	CL_SCRAM_UNBOUND, /* we cannot bind to the connection */
	CL_SCRAM_HIDDEN,  /* we could; the server offers only the other */
	CL_SCRAM_BOUND,   /* -PLUS */
};

struct cl_scram {
	enum cl_scram_kind kind;
	const char *password;             /* borrowed */
	uint8_t binding[CL_LINK_BINDING]; /* set when BOUND */
	char nonce[48];                   /* ours */
	struct prim_buf bare;             /* owned: first message, no header */
	uint8_t signature[CL_SCRAM_HASH]; /* the server's, when it knows us */
};

/* Borrows `password` until cl_scram_fini(). */
void cl_scram_init(struct cl_scram *s, enum cl_scram_kind kind,
    const char *password);
void cl_scram_fini(struct cl_scram *s);

/* Appends what we say first, as `user`. */
void cl_scram_first(struct cl_scram *s, const char *user, struct prim_buf *out);

/* Appends the answer to `challenge`. False with a final error when there is none:
 * it is not SCRAM, too weak, too costly, or the password is none. */
bool cl_scram_prove(struct cl_scram *s, struct prim_slice challenge,
    struct prim_buf *out, struct cl_err *err);

/* Is the server's last word right, so that it knows the account? */
bool cl_scram_check(const struct cl_scram *s, struct prim_slice last);

#endif
