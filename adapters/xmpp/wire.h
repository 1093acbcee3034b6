/* SPDX-License-Identifier: ISC */
#ifndef XA_WIRE_H
#define XA_WIRE_H

/*
 * The connection under a link: TCP by libevent. Knows nothing of XML.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "prim/slice.h"

struct bufferevent;
struct event;
struct event_base;
struct evdns_base;

/* With this much unsent we stop reading: what we read makes us write. */
#define XA_WIRE_UNSENT_MAX 4194304
#define XA_WIRE_UNSENT_LOW 1048576
#define XA_WIRE_CHUNK_MAX  65536 /* octets read at once */

struct xa_wire_ops {
	void (*connected)(void *ctx);
	void (*octets)(void *ctx, struct prim_slice octets);
	/* `why` is a sentence. The wire is closed already. */
	void (*lost)(void *ctx, const char *why);
};

struct xa_wire {
	const struct xa_wire_ops *ops; /* borrowed: outlives us */
	void *ctx;                     /* borrowed: outlives us */
	struct event_base *base;       /* borrowed: outlives us */
	struct evdns_base *dns;        /* owned; NULL for a numeric host */
	struct event *starter;         /* owned */
	struct bufferevent *bev;       /* owned; NULL while closed */
	char *host;                    /* owned */
	uint16_t port;
	bool holding; /* asked to read no more */
	bool choked;  /* too much unsent */
};

/* Takes "127.0.0.1:5347", "[::1]:5347" or "name:5347" apart. False if it is
 * none; `out_host` borrows from `text`. */
bool xa_wire_parse(struct prim_slice text, struct prim_slice *out_host,
    uint16_t *out_port);

/* `server` has passed xa_wire_parse(). */
void xa_wire_init(struct xa_wire *w, struct event_base *base,
    const struct xa_wire_ops *ops, void *ctx);
void xa_wire_set_server(struct xa_wire *w, struct prim_slice server);
void xa_wire_fini(struct xa_wire *w);

/* Ends in `connected` or `lost`, later. */
void xa_wire_connect(struct xa_wire *w);
/* Without a word to `ops`; what is unsent gets one chance. Idempotent. */
void xa_wire_close(struct xa_wire *w);

void xa_wire_write(struct xa_wire *w, struct prim_slice octets);
/* Octets that wait to be sent. */
size_t xa_wire_waiting(const struct xa_wire *w);

/* No `octets` any more; and again, beginning with what waits. */
void xa_wire_hold(struct xa_wire *w);
void xa_wire_go(struct xa_wire *w);

#endif
