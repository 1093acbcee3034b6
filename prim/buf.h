/* SPDX-License-Identifier: ISC */
#ifndef PRIM_BUF_H
#define PRIM_BUF_H

/*
 * A growing run of octets that we build ourselves. Whoever appends what came
 * from a peer has bounded it before.
 */

#include "prim/slice.h"

struct prim_buf {
	char *ptr;  /* owned */
	size_t len; /* octets in use */
	size_t cap; /* octets allocated */
};

/* In memory the caller has; all zero is also a valid empty buffer. */
void prim_buf_init(struct prim_buf *b);
void prim_buf_fini(struct prim_buf *b);

/* Empty again, memory kept. */
void prim_buf_reset(struct prim_buf *b);

void prim_buf_put(struct prim_buf *b, struct prim_slice s);
void prim_buf_putc(struct prim_buf *b, char c);
void prim_buf_puts(struct prim_buf *b, const char *text);
void prim_buf_putf(struct prim_buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void prim_buf_put_number(struct prim_buf *b, uint64_t value);
/* Two lower-case hexadecimal digits an octet. */
void prim_buf_put_hex(struct prim_buf *b, const void *octets, size_t len);

/* Room for `len` more octets at the end; they count only after
 * prim_buf_grow(). Valid until the next call on `b`. */
char *prim_buf_room(struct prim_buf *b, size_t len);
void prim_buf_grow(struct prim_buf *b, size_t len);

/* What is in it; valid until the next call that appends. */
struct prim_slice prim_buf_slice(const struct prim_buf *b);

/* The contents as a NUL-terminated string that is the caller's now; `b` is
 * empty afterwards. Release with prim_free(). */
char *prim_buf_steal(struct prim_buf *b);

#endif
