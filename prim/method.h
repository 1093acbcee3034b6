/* SPDX-License-Identifier: ISC */
#ifndef PRIM_METHOD_H
#define PRIM_METHOD_H

/*
 * The method matrix of the drafts as data: who may send a method, under which
 * version tokens, with which headers, whether it has a body and an answer
 * (spec A.3). And the methods of our own adapter links, which no other peer
 * may use.
 */

#include <stdbool.h>

#include "prim/header.h"
#include "prim/slice.h"

enum prim_family {
	PRIM_FAMILY_PP,      /* PP/1.0: presence, March 2001 */
	PRIM_FAMILY_IMP,     /* IMP/1.0: im, March 2001 */
	PRIM_FAMILY_PRIM_PR, /* PRIM-PR/1.0: presence, July 2001 */
	PRIM_FAMILY_PRIM_IM, /* PRIM-IM/1.0: im, July 2001 */
	PRIM_FAMILY_PRIM, /* PRIM/1.0: both, server to server, October 2001 */
	PRIM_FAMILY_UNKNOWN, /* a well-formed version of something else */
};

enum prim_service {
	PRIM_SERVICE_GENERAL,
	PRIM_SERVICE_PRESENCE,
	PRIM_SERVICE_IM,
	PRIM_SERVICE_LOCAL, /* adapter links only */
};

enum prim_method {
	PRIM_METHOD_UNKNOWN,
	PRIM_METHOD_LOGIN,
	PRIM_METHOD_STARTTLS,
	PRIM_METHOD_LOGOUT,
	PRIM_METHOD_PING,
	PRIM_METHOD_VERIFYSERVER,
	PRIM_METHOD_SETACL,
	PRIM_METHOD_GETACL,
	PRIM_METHOD_SUBSCRIBE,
	PRIM_METHOD_UNSUBSCRIBE,
	PRIM_METHOD_FETCH,
	PRIM_METHOD_CANCELSUBSCRIPTION,
	PRIM_METHOD_NOTIFY,
	PRIM_METHOD_PUBLISH,
	PRIM_METHOD_REMOVE,
	PRIM_METHOD_SETCLASSTABLE,
	PRIM_METHOD_GETCLASSTABLE,
	PRIM_METHOD_STARTWATCHERNOTIFY,
	PRIM_METHOD_STOPWATCHERNOTIFY,
	PRIM_METHOD_WATCHERNOTIFY,
	PRIM_METHOD_LISTEN,
	PRIM_METHOD_SILENCE,
	PRIM_METHOD_SEND,
	/* DESIGN 7: local to adapter links. */
	PRIM_METHOD_CONFIG,
	PRIM_METHOD_READY,
	PRIM_METHOD_WINDOW,
	PRIM_METHOD_REPORT,
	PRIM_METHOD_STATE,
	PRIM_METHOD_LINK,
	PRIM_METHOD_DRAIN,
	PRIM_METHOD_LOG,
	PRIM_METHOD_METRIC,
	PRIM_METHOD_COUNT,
};

/* Who talks to whom. Bits. */
enum prim_direction {
	PRIM_CLIENT_TO_SERVER = 1,
	PRIM_SERVER_TO_CLIENT = 2,
	PRIM_SERVER_TO_SERVER = 4,
};

/* Whether a request of the method has a body. */
enum prim_body_rule {
	PRIM_BODY_NONE, /* one is 400 (PRIM-014) */
	PRIM_BODY_ALLOWED,
	PRIM_BODY_REQUIRED, /* its absence is 400 */
};

struct prim_method_info {
	struct prim_slice name;
	enum prim_service service;
	unsigned client_server; /* directions of the C-S texts */
	unsigned server_server; /* directions of PRIM/1.0 (S0) */
	bool answered;          /* a response is mandatory */
	bool read_only;         /* ERR-06: with id "-" it is dropped */
	enum prim_body_rule body_cs;
	enum prim_body_rule body_ss;
	/* Required request headers, one bit (1ULL << prim_header_id) each. */
	uint64_t required_cs;
	uint64_t required_ss;
	/* Headers of the request that its response repeats, in the order in
	 * which they are sent (PRIM-041). */
	uint64_t echoed;
};

/* Exact, upper-case match (PRIM-009). PRIM_METHOD_UNKNOWN when there is no
 * such method. */
enum prim_method prim_method_find(struct prim_slice name);

/* Never NULL; `method` is not PRIM_METHOD_UNKNOWN. */
const struct prim_method_info *prim_method_info(enum prim_method method);

/* May `method` travel under `family` (PRIM-023..026)? Local methods go with
 * PRIM only. General methods go with every family. */
bool prim_method_fits(enum prim_method method, enum prim_family family);

/* "PP", "IMP", "PRIM-PR", "PRIM-IM", "PRIM"; unknown gives "PRIM". */
struct prim_slice prim_family_name(enum prim_family family);
/* Exact match; PRIM_FAMILY_UNKNOWN otherwise. */
enum prim_family prim_family_find(struct prim_slice name);
/* The service a client-server family speaks of; GENERAL for PRIM and unknown. */
enum prim_service prim_family_service(enum prim_family family);

#endif
