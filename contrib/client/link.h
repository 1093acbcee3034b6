/* SPDX-License-Identifier: ISC */
#ifndef CLIENT_LINK_H
#define CLIENT_LINK_H

/*
 * Octets to and from the server, in clear text or in TLS. Every wait has a
 * deadline on the clock of cl_link_now_ms().
 */

#include <stdbool.h>
#include <stdint.h>

#include "contrib/client/err.h"
#include "contrib/client/options.h"
#include "prim/buf.h"

#define CL_LINK_BINDING 32

struct ssl_st;
struct ssl_ctx_st;

struct cl_link {
	int fd;                 /* owned; -1: closed */
	bool is_loopback;       /* the server is on this machine */
	bool is_verified;       /* TLS, and we know to whom */
	struct ssl_ctx_st *ctx; /* owned; NULL without TLS */
	struct ssl_st *ssl;     /* owned; NULL without TLS */
};

enum cl_link_outcome {
	CL_LINK_READY,
	CL_LINK_OTHER, /* cl_link_wait(): the other descriptor is readable */
	CL_LINK_TIMEOUT,
	CL_LINK_CLOSED, /* by the server, or broken */
};

/* Monotonic. */
int64_t cl_link_now_ms(void);

/* Connects to options->host; tries each of its addresses. On failure `l` is
 * closed. */
bool cl_link_open(struct cl_link *l, const struct cl_options *options,
    int64_t deadline_ms, struct cl_err *err);

/* Begins TLS and checks the certificate. */
bool cl_link_secure(struct cl_link *l, const struct cl_options *options,
    int64_t deadline_ms, struct cl_err *err);

/* The tls-exporter channel binding (RFC 9266). False when there is none that is
 * sound: no TLS, or TLS 1.2 without the extended master secret. */
bool cl_link_binding(const struct cl_link *l,
    uint8_t out_binding[CL_LINK_BINDING]);

/* Waits until something can be read from the server, or from `other` (-1:
 * none). */
enum cl_link_outcome cl_link_wait(struct cl_link *l, int other,
    int64_t deadline_ms);

/* Appends what is there to `b`; READY also when that was nothing. */
enum cl_link_outcome cl_link_read(struct cl_link *l, struct prim_buf *b);

/* Writes all of `s`, or fails. */
bool cl_link_write(struct cl_link *l, struct prim_slice s, int64_t deadline_ms);

/* Harmless when closed. */
void cl_link_close(struct cl_link *l);

#endif
