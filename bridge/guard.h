/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_GUARD_H
#define BRIDGE_GUARD_H

/*
 * What evhttp does not watch over: how many connections there are, how long
 * each may take in all, and whether the octets of a request are strict HTTP/1.
 *
 * evhttp forgives a bare LF, folded lines and NUL before anybody could see
 * them, accepts two different lengths, a space before the colon and codings it
 * does not know. Somebody between us and the client may read such a request
 * differently, so each of them is refused.
 */

#include <stdbool.h>

struct br_guard;
struct evhttp;
struct evhttp_request;

/* Watches every connection of `http`, which is borrowed: end it first, then
 * the guard. More than `connections_max` at a time are closed unheard, all are
 * closed after `total_ms`. */
struct br_guard *br_guard_new(struct evhttp *http, unsigned connections_max,
    unsigned total_ms);
struct br_guard *br_guard_free(struct br_guard *guard);

/* Is the request, of a connection of that evhttp, strict? If not, answer 400
 * and close. */
bool br_guard_ok(const struct br_guard *guard, struct evhttp_request *request);

#endif
