/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_ADMIN_H
#define BRIDGE_ADMIN_H

/*
 * The operator's HTTP port: /healthz for supervisors, /metrics for Prometheus,
 * and a page that names them. Reads only (GET and HEAD), one request a
 * connection, at most 32 connections, each at most 10 s.
 *
 * It trusts nobody: what is not strict HTTP/1 is answered 400, also where
 * libevent would let it pass. It knows nothing about messages.
 */

#include <stdint.h>

#include "bridge/config.h"
#include "bridge/err.h"

struct br_admin;
struct event_base;

struct br_admin_ops {
	/* NULL: all is well. Otherwise what is not, one line for each; borrowed
	 * until the loop turns. */
	const char *(*health)(void *arg);
	/* Brings the gauges up to date. May be NULL. */
	void (*before_metrics)(void *arg);
};

/* Binds and listens on config->admin at once; serves when the loop runs.
 * Without an address in `config` it is there and does nothing. NULL with a
 * sentence in `err`. `ops` and `arg` are borrowed and outlive it. */
struct br_admin *br_admin_open(struct event_base *base,
    const struct br_config *config, const struct br_admin_ops *ops, void *arg,
    struct br_err *err);

/* Ends all its connections. Returns NULL; NULL is fine. */
struct br_admin *br_admin_close(struct br_admin *admin);

/* The port it listens on, which the kernel may have picked; 0: none. */
uint16_t br_admin_port(const struct br_admin *admin);

#endif
