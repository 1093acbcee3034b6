/* SPDX-License-Identifier: ISC */
#ifndef XA_DIGEST_H
#define XA_DIGEST_H

/* Digests in hexadecimal, and the packing of return tokens. OpenSSL. */

#include <stdbool.h>
#include <stddef.h>

#include "prim/buf.h"
#include "prim/slice.h"

/* Appends what a component proves itself with (XEP-0114): the SHA-1 of the
 * stream's id and the secret, 40 lower-case digits. */
void xa_digest_handshake(struct prim_buf *b, struct prim_slice id,
    struct prim_slice secret);

/* Appends 32 digits of the SHA-256 of `parts`, each counted with its length. */
void xa_digest_id(struct prim_buf *b, const struct prim_slice *parts,
    size_t count);

/* Appends base64; and back: false if `text` is none. */
void xa_digest_base64(struct prim_buf *b, struct prim_slice octets);
bool xa_digest_unbase64(struct prim_buf *b, struct prim_slice text);

#endif
