/* SPDX-License-Identifier: ISC */
/* The adapters of a server: what they say, and their life. */

#include "bridge/server_private.h"

#include "bridge/dispatch.h"
#include "bridge/outbox.h"
#include "bridge/presence.h"
#include "bridge/transit.h"
#include "prim/base.h"
#include "prim/seed.h"

static unsigned index_of(const struct br_server *s, const struct br_host *h)
{
	unsigned i = 0;

	while (s->hosts[i] != h)
		i++;
	return i;
}

static struct br_dest *dest_of(struct br_server *s, const struct br_host *h)
{
	return br_outbox_adapter(s->outbox, index_of(s, h));
}

static void host_up(void *ctx, struct br_host *h)
{
	struct br_server *s = ctx;

	br_server_wake(s);
	br_dest_wake(s->outbox, dest_of(s, h));
}

static void host_down(void *ctx, struct br_host *h, bool died)
{
	struct br_server *s = ctx;

	br_server_wake(s);
	if (died)
		br_dest_died(dest_of(s, h));
	br_transit_host_down(s, dest_of(s, h));
}

static void host_taken(void *ctx, struct br_host *h,
    const struct prim_digest *delivery)
{
	struct br_server *s = ctx;

	br_server_wake(s);
	br_transit_taken(s, dest_of(s, h), delivery);
}

static void host_alive(void *ctx, struct br_host *h)
{
	br_server_wake(ctx);
	br_dest_alive(dest_of(ctx, h));
}

static bool host_linked(void *ctx, struct br_host *h, struct prim_slice address,
    struct prim_buf *out)
{
	const struct br_server *s = ctx;
	const struct br_identity *link;
	struct prim_address a;
	struct prim_key key;

	if (!prim_address_parse(address, &a))
		return false;
	prim_address_key(&a, &key);
	link = br_identity_of(s->identities, prim_key_slice(&key));
	/* Whose others are is none of its business. */
	if (!link ||
	    (!prim_slice_eq(link->network, prim_slice_of(br_host_name(h))) &&
		!PRIM_SEED(link_of_another_told)))
		return false;
	prim_buf_puts(out, "im:");
	prim_buf_put(out, link->principal);
	return true;
}

static void host_room(void *ctx, struct br_host *h)
{
	struct br_server *s = ctx;

	br_server_wake(s);
	br_transit_host_room(s, dest_of(s, h));
}

static void host_report(void *ctx, struct br_host *h,
    const struct prim_digest *delivery, unsigned code, struct prim_slice text)
{
	struct br_server *s = ctx;
	struct br_dest *dest = dest_of(s, h);

	br_server_wake(s);
	br_transit_report(s, dest, delivery, code, text);
	br_transit_host_room(s, dest);
}

static void host_request(void *ctx, struct br_host *h,
    const struct prim_command *c)
{
	br_server_wake(ctx);
	br_dispatch_adapter(ctx, h, c);
}

static void host_ready(void *ctx, struct br_host *h)
{
	br_server_wake(ctx);
	br_presence_host_ready(((struct br_server *)ctx)->presence,
	    index_of(ctx, h));
}

static void host_gone(void *ctx, struct br_host *h)
{
	br_server_wake(ctx);
	dest_of(ctx, h)->probes = 0; /* nobody answers them any more */
	br_presence_host_gone(((struct br_server *)ctx)->presence,
	    index_of(ctx, h));
}

static void host_ask_room(void *ctx, struct br_host *h)
{
	br_server_wake(ctx);
	br_presence_host_room(((struct br_server *)ctx)->presence,
	    index_of(ctx, h));
}

static const struct br_host_ops HOST_OPS = {
	.ready = host_ready,
	.gone = host_gone,
	.ask_room = host_ask_room,
	.up = host_up,
	.down = host_down,
	.taken = host_taken,
	.alive = host_alive,
	.linked = host_linked,
	.room = host_room,
	.report = host_report,
	.request = host_request,
};

static int64_t host_now(void *ctx)
{
	return br_server_now(ctx);
}

void br_server_hosts_make(struct br_server *s, const int *sockets)
{
	const struct br_config *config = s->config;
	struct br_host_context context = {
		.base = s->base,
		.chores = s->paced,
		.store = s->store,
		.config = config,
		.log = &s->log,
		.ops = &HOST_OPS,
		.ctx = s,
		.body_max = config->limit_body,
		.now_ms = host_now,
	};

	s->hosts = prim_alloc((config->adapter_count + 1) * sizeof(*s->hosts));
	for (size_t i = 0; i < config->adapter_count; i++) {
		s->hosts[i] = br_host_new(&context, &config->adapters[i],
		    sockets);
		/* An adapter may always be sure of its own network only. */
		br_host_peer(s->hosts[i])->strength = PRIM_ASTRENGTH_MEDIUM;
		if (sockets)
			sockets += config->adapters[i].listen_count;
	}
}

void br_server_hosts_stop(struct br_server *s)
{
	for (size_t i = 0; i < s->config->adapter_count; i++)
		br_host_stop(s->hosts[i]);
}

bool br_server_hosts_are_stopped(const struct br_server *s)
{
	for (size_t i = 0; i < s->config->adapter_count; i++) {
		if (!br_host_is_stopped(s->hosts[i]))
			return false;
	}
	return true;
}

void br_server_hosts_free(struct br_server *s)
{
	for (size_t i = 0; s->hosts && i < s->config->adapter_count; i++)
		s->hosts[i] = br_host_free(s->hosts[i]);
	s->hosts = prim_free(s->hosts);
}
