/* SPDX-License-Identifier: ISC */
/* The far end of an adapter's link. */

#include "tests/talk/adapter.h"

#include <event2/buffer.h>

#include "bridge/host_private.h"
#include "prim/base.h"

#define NEVER_MS 1000000000 /* by the real clock */

static struct br_host *find(const struct talk_world *w, struct prim_slice name)
{
	for (size_t i = 0; i < w->config->adapter_count; i++) {
		struct br_host *h = w->server->hosts[i];

		if (prim_slice_eq(prim_slice_of(br_host_name(h)), name))
			return h;
	}
	return NULL;
}

bool talk_adapter_open(struct talk_world *w, struct talk_conn *c,
    struct prim_slice name)
{
	struct br_host *h = find(w, name);

	if (!h)
		return false;
	h->times.ping = h->times.restart_min = h->times.restart_max = NEVER_MS;
	h->pause_ms = NEVER_MS;
	c->host = h;
	c->was_opened = true;
	c->is_ended = false;
	br_host_start_bare(h);
	talk_world_turn(w);
	return true;
}

void talk_adapter_close(struct talk_conn *c)
{
	br_host_end_of_link(c->host);
	c->host = NULL;
	c->was_opened = false;
}

void talk_adapter_flush(struct talk_conn *c)
{
	struct prim_buf out = c->out;

	c->out = (struct prim_buf){ 0 };
	if (out.len > 0)
		br_link_feed(&c->host->link, prim_buf_slice(&out));
	prim_buf_fini(&out);
}

bool talk_adapter_fill(struct talk_conn *c)
{
	struct br_link *l = &c->host->link;
	char room[4096];
	bool came = false;
	int len;

	while (!c->is_deaf &&
	    (len = evbuffer_remove(l->out, room, sizeof(room))) > 0) {
		prim_buf_put(&c->in, prim_slice_make(room, (size_t)len));
		came = true;
	}
	if (l->closed && !c->is_ended)
		c->is_ended = came = true;
	return came;
}
