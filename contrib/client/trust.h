/* SPDX-License-Identifier: ISC */
#ifndef CLIENT_TRUST_H
#define CLIENT_TRUST_H

/*
 * Is this the server it says it is?
 */

#include <stdbool.h>

#include "contrib/client/err.h"
#include "contrib/client/options.h"

struct ssl_st;
struct ssl_ctx_st;

/* What we trust: --ca, else the system's certificates. TLS 1.2 and up. The
 * caller's; NULL with a sentence. */
struct ssl_ctx_st *cl_trust_open(const struct cl_options *options,
    struct cl_err *err);

/* Tells the server which name we mean. */
void cl_trust_name(struct ssl_st *ssl, const struct cl_options *options);

/* After the handshake. True and not `out_is_verified`: a certificate nobody
 * vouches for, on this machine; that was said on standard error. */
bool cl_trust_check(struct ssl_st *ssl, const struct cl_options *options,
    bool is_loopback, bool *out_is_verified, struct cl_err *err);

/* The last TLS error in words. */
const char *cl_trust_reason(void);

#endif
