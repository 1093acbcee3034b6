/* SPDX-License-Identifier: ISC */
#ifndef CLIENT_LOGIN_H
#define CLIENT_LOGIN_H

/*
 * LOGIN (PRIM-083..110): SCRAM-SHA-256, so that the server never sees the
 * password and must prove that it knows the account, bound to the TLS
 * connection where the server can do that; PLAIN only for a server that knows
 * nothing better and is verified.
 */

#include "contrib/client/session.h"

enum cl_login_mechanism {
	CL_LOGIN_SCRAM,
	CL_LOGIN_PLAIN,
};

enum cl_login_outcome {
	CL_LOGIN_OK,
	CL_LOGIN_FAILED,      /* `err` says why */
	CL_LOGIN_WANTS_PLAIN, /* no SCRAM there, PLAIN may be tried on a new
	                         connection; `err` says so too */
};

enum cl_login_outcome cl_login(struct cl_session *s,
    enum cl_login_mechanism mechanism, int64_t deadline_ms, struct cl_err *err);

#endif
