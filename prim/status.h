/* SPDX-License-Identifier: ISC */
#ifndef PRIM_STATUS_H
#define PRIM_STATUS_H

/*
 * The status codes of the drafts, and how they rank. The numbers look like
 * HTTP's and are not: 402 is Forbidden, 403 Resource Not Found, 407 Timeout.
 */

#include <stdbool.h>

enum prim_status {
	PRIM_AUTHENTICATION_CONTINUED = 100,
	PRIM_UNKNOWN_DELIVERY = 101,
	PRIM_OK = 200,
	PRIM_DURATION_ADJUSTED = 201,
	PRIM_REDIRECT = 300,
	PRIM_BAD_REQUEST = 400,
	PRIM_UNAUTHORIZED = 401,
	PRIM_FORBIDDEN = 402,
	PRIM_NOT_FOUND = 403,
	PRIM_SUBSCRIPTION_NOT_FOUND = 404,
	PRIM_AUTHENTICATION_FAILED = 406,
	PRIM_TIMEOUT = 407,
	PRIM_INBOX_CLOSED = 408,
	PRIM_ALREADY_AUTHENTICATED = 409,
	PRIM_ASTRENGTH_TOO_WEAK = 410,
	PRIM_INTERNAL_ERROR = 500,
	PRIM_NOT_IMPLEMENTED = 501,
	PRIM_BAD_GATEWAY = 502,
	PRIM_VERSION_NOT_SUPPORTED = 503,
	PRIM_GATEWAY_TIMEOUT = 504,
	PRIM_TOO_MANY_SUBSCRIPTIONS = 505,
};

/* The phrase of `code`; for a code the drafts don't assign, a phrase for its
 * class. Never NULL. */
const char *prim_status_phrase(unsigned code);

/* Is `a` the more positive answer to a SEND than `b`? 200, then 101, then 4xx
 * (408 last), then 5xx (PRIM-245, ERR-122, DESIGN 11). */
bool prim_status_better(unsigned a, unsigned b);

/* Is `code` the end of a SEND (DESIGN 4.5: 200, 101, 400, 402, 403, 408, 410,
 * 501 and other 4xx than 407), or may a later attempt still succeed? */
bool prim_status_is_final(unsigned code);

#endif
