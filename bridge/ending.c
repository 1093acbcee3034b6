/* SPDX-License-Identifier: ISC */
/* Ends of stored messages on their way to the store. */

#include "bridge/ending.h"

#include "bridge/server.h"
#include "prim/base.h"

/* A duplicate is recognised this long after the message's end (DESIGN 5). */
#define REMEMBER_MS ((int64_t)48 * 3600 * 1000)
#define AGAIN_MS    5000

struct br_ending {
	LIST_ENTRY(br_ending) link;
	struct br_server *server; /* borrowed: outlives us */
	struct prim_timer again;
	int64_t seq;
	unsigned code;
	const char *reason; /* static */
};

static void ending_free(struct br_ending *e)
{
	LIST_REMOVE(e, link);
	prim_timer_stop(&e->server->wheel, &e->again);
	prim_free(e);
}

static void on_written(void *arg, enum br_store_outcome outcome)
{
	struct br_ending *e = arg;
	struct br_server *s = e->server;

	if (outcome == BR_STORE_FAILED)
		prim_timer_set(&s->wheel, &e->again,
		    br_server_now(s) + AGAIN_MS);
	else
		ending_free(e);
}

static void ending_write(struct br_ending *e)
{
	struct br_server *s = e->server;
	const struct br_store_end end = { .code = e->code,
		.reason = prim_slice_of(e->reason),
		.forget_ms = br_server_now(s) + REMEMBER_MS };

	br_store_message_end(s->store, e->seq, &end, on_written, e);
}

static void on_again(struct prim_timer *t)
{
	ending_write(PRIM_CONTAINER(t, struct br_ending, again));
}

void br_ending_start(struct br_server *s, int64_t seq, unsigned code,
    const char *reason)
{
	struct br_ending *e = prim_new(struct br_ending);

	e->server = s;
	e->seq = seq;
	e->code = code;
	e->reason = reason;
	prim_timer_init(&e->again, on_again);
	LIST_INSERT_HEAD(&s->endings, e, link);
	ending_write(e);
}

void br_ending_free_all(struct br_server *s)
{
	struct br_ending *e;

	while ((e = LIST_FIRST(&s->endings)))
		ending_free(e);
}
