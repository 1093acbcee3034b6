/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_TLS_H
#define BRIDGE_TLS_H

/*
 * TLS for connections we accept. The only bridge file that knows OpenSSL is
 * tls.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bridge/err.h"

struct bufferevent;
struct event_base;
struct br_tls;

#define BR_TLS_BINDING_LEN 32

/* Where certificate and key are. All is borrowed during br_tls_open(). */
struct br_tls_files {
	const char *certificate; /* PEM, with its chain */
	const char *key;
	/* When both are NULL: self-signed.pem and self-signed.key in here are
	 * used, and made (EC P-256, ten years) where they are missing. */
	const char *data_dir;
	char *const *domains; /* the names in what is made */
	size_t domain_count;
};

/* TLS 1.2 and up. NULL with a sentence in `err`. */
struct br_tls *br_tls_open(const struct br_tls_files *files,
    struct br_err *err);
struct br_tls *br_tls_close(struct br_tls *tls);

/* Reads the files again; on error nothing changes. Connections that are open
 * keep what they have. */
bool br_tls_reload(struct br_tls *tls, struct br_err *err);

/* A server-side TLS bufferevent on `fd`, which is its own from here on (closed
 * with it). NULL when out of resources; `fd` is then still the caller's. */
struct bufferevent *br_tls_accept(struct br_tls *tls, struct event_base *base,
    int fd);

/* Says close_notify on a TLS bufferevent whose output is drained; call before
 * bufferevent_free(). Harmless on others. */
void br_tls_bye(struct bufferevent *bev);

/* Does the event of a bufferevent error mean just that the peer closed without
 * close_notify? */
bool br_tls_is_eof(struct bufferevent *bev);

/* A sentence about the last TLS error of `bev`, valid until the next call; NULL
 * when there was none. */
const char *br_tls_error(struct bufferevent *bev);

/* The RFC 9266 tls-exporter channel binding of an open TLS bufferevent. */
bool br_tls_binding(struct bufferevent *bev,
    uint8_t out_binding[BR_TLS_BINDING_LEN]);

#endif
