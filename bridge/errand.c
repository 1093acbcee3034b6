/* SPDX-License-Identifier: ISC */
/* Requests that wait for their answer. */

#include "bridge/errand.h"

#include "bridge/metric.h"
#include "prim/session.h"

void *br_errand_new(struct br_server *s, struct br_peer *peer,
    const struct prim_command *c, size_t size, int64_t granted_s)
{
	struct br_errand *e = prim_alloc(size);
	struct prim_buf echo = { 0 };
	size_t len;

	if (granted_s == BR_ERRAND_AS_ASKED)
		prim_session_put_echo(&echo, c);
	else
		prim_session_put_granted(&echo, c, (uint64_t)granted_s);
	len = echo.len;
	e->server = s;
	e->family = c->family;
	e->id = prim_slice_copy(c->id);
	e->echo = prim_buf_steal(&echo);
	br_ticket_open(&e->ticket, peer, c->family,
	    prim_slice_make(e->id, c->id.len), prim_slice_make(e->echo, len));
	return e;
}

bool br_errand_is_open(const struct br_errand *e)
{
	return e->ticket.peer != NULL;
}

void br_errand_answer(struct br_errand *e, unsigned code,
    struct prim_slice extra, struct prim_slice body)
{
	br_ticket_settle(&e->ticket, code, extra, body);
}

void *br_errand_free(struct br_errand *e)
{
	br_ticket_close(&e->ticket);
	prim_free(e->id);
	prim_free(e->echo);
	return prim_free(e);
}

void br_errand_end(struct br_errand *e, unsigned code)
{
	br_errand_answer(e, code, PRIM_SLICE_NONE, PRIM_SLICE_NONE);
	br_errand_free(e);
}

void br_errand_refuse(struct br_peer *peer, const struct prim_command *c,
    unsigned code)
{
	static struct prim_buf echo; /* the loop's only */
	struct br_ticket ticket;

	if (code == PRIM_BAD_REQUEST)
		br_metric_add(BR_METRIC_BAD_REQUESTS, 1);
	prim_buf_reset(&echo);
	prim_session_put_echo(&echo, c);
	if (peer->kind == BR_PEER_ADAPTER &&
	    prim_command_has(c, PRIM_HEADER_RETURN))
		prim_command_put_header(&echo, PRIM_HEADER_RETURN,
		    prim_command_get(c, PRIM_HEADER_RETURN));
	br_ticket_open(&ticket, peer, c->family, c->id, prim_buf_slice(&echo));
	br_ticket_settle(&ticket, code, PRIM_SLICE_NONE, PRIM_SLICE_NONE);
}
