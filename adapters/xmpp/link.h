/* SPDX-License-Identifier: ISC */
#ifndef XA_LINK_H
#define XA_LINK_H

/*
 * One component link (XEP-0114): the protocol of a connection to the XMPP
 * server and of its loss, without sockets and without a clock.
 *
 *	idle -start-> connecting -connected-> greeting -header-> proving
 *	                  |                      |                  |
 *	                  +------- lost, 10 s, stream error --------+
 *	                  |                                         |
 *	              waiting <--- lost, silent, stream error --- up
 *	                  |
 *	                  +-- up to 1 s, doubling to 4 s, after a minute to
 *	                      60 s; half of it is jitter: connecting
 *
 * While up, a ping goes out every 30 s; one without answer for 10 s ends the
 * connection. We ping our own domain: the server routes the ping back to us,
 * any answer counts, and no address of the server need be known.
 *
 * Every function may lead to ops being called. After stop none is called.
 */

#include <stdbool.h>
#include <strophe.h>

#include "adapters/xmpp/pings.h"
#include "adapters/xmpp/stream.h"
#include "bridge/adapter.h"
#include "prim/slice.h"

#define XA_LINK_PING_MS    30000
#define XA_LINK_ANSWER_MS  10000
#define XA_LINK_SETUP_MS   10000 /* a step of connecting */
#define XA_LINK_WAIT_MS    1000  /* the first wait, at most */
#define XA_LINK_WAIT_MAX   60000
#define XA_LINK_EAGER_MS   60000 /* of failing: so long no wait is longer than */
#define XA_LINK_WAIT_EAGER 4000
#define XA_LINK_STEADY_MS  10000 /* up this long: the waits begin anew */

struct xa_link;

struct xa_link_ops {
	/* Open and close the connection underneath. A connect ends in
	 * xa_link_connected() or xa_link_lost(), not from inside. */
	void (*connect)(void *ctx);
	void (*disconnect)(void *ctx);
	void (*write)(void *ctx, struct prim_slice octets);
	/* xa_link_feed() is wanted no more, and is wanted again. */
	void (*hold)(void *ctx);
	void (*go)(void *ctx);
	/* Stanzas may be sent; none may any more. */
	void (*up)(void *ctx);
	void (*down)(void *ctx);
	/* While up. Borrowed. */
	void (*stanza)(void *ctx, xmpp_stanza_t *stanza);
	void (*refused)(void *ctx, xmpp_stanza_t *head);
	/* A ping with a mark was answered. */
	void (*passed)(void *ctx, uint64_t mark);
	uint64_t (*random)(void *ctx);
	void (*log)(void *ctx, enum bridge_level level, const char *text);
};

struct xa_link_state;

struct xa_link {
	const struct xa_link_ops *ops; /* borrowed: outlives us */
	void *ctx;                     /* borrowed: outlives us */
	xmpp_ctx_t *xmpp;              /* borrowed: outlives us */
	struct prim_slice host;        /* borrowed: whose component we are */
	struct prim_slice secret;      /* borrowed */
	const struct xa_link_state *state;
	struct xa_stream *stream; /* owned; NULL before `connected` */
	struct xa_pings pings;
	int64_t now_ms;      /* as last told */
	int64_t deadline_ms; /* of the state; INT64_MAX: none */
	int64_t up_ms;       /* since when */
	int64_t pinged_ms;   /* when the last ping went out */
	unsigned failures;   /* since the last steady time */
	int64_t failing_ms;  /* when the first of them was */
	bool holding;
};

/* `host` and `secret` are borrowed. */
void xa_link_init(struct xa_link *l, const struct xa_link_ops *ops, void *ctx,
    xmpp_ctx_t *xmpp);
/* Not from inside an op. Closes nothing: stop first. */
void xa_link_fini(struct xa_link *l);

void xa_link_start(struct xa_link *l, int64_t now_ms);
/* Says goodbye and disconnects. Idempotent. */
void xa_link_stop(struct xa_link *l);

/* What the connection tells. */
void xa_link_connected(struct xa_link *l, int64_t now_ms);
void xa_link_feed(struct xa_link *l, struct prim_slice octets, int64_t now_ms);
void xa_link_lost(struct xa_link *l, const char *why, int64_t now_ms);

/* To be called at xa_link_deadline() or later; INT64_MAX: never. */
void xa_link_tick(struct xa_link *l, int64_t now_ms);
int64_t xa_link_deadline(const struct xa_link *l);

bool xa_link_is_up(const struct xa_link *l);

/* Sends a ping whose answer calls passed(mark). False, and nothing sent, when
 * the link is not up or XA_PINGS_MAX are unanswered. */
bool xa_link_ping(struct xa_link *l, uint64_t mark, int64_t now_ms);

/* From inside `stanza`: that was the last one until xa_link_go(). A link that
 * holds hears nothing, so it does not miss the answers to its pings. */
void xa_link_hold(struct xa_link *l);
void xa_link_go(struct xa_link *l, int64_t now_ms);

/* "idle", "waiting", "connecting", "greeting", "proving", "up". */
const char *xa_link_state_name(const struct xa_link *l);

#endif
