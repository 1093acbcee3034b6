/* SPDX-License-Identifier: ISC */
/* Peers and the questions they wait on. */

#include "bridge/peer.h"

#include <string.h>

void br_peer_init(struct br_peer *p, enum br_peer_kind kind,
    const struct br_peer_ops *ops, const char *origin)
{
	memset(p, 0, sizeof(*p));
	p->kind = kind;
	p->ops = ops;
	p->origin = origin;
	p->strength = PRIM_ASTRENGTH_NONE;
	LIST_INIT(&p->tickets);
}

enum prim_astrength br_peer_strength(const struct br_peer *p,
    const struct prim_command *c)
{
	if (!prim_command_has(c, PRIM_HEADER_ASTRENGTH))
		return p->kind == BR_PEER_CLIENT ? p->strength
						 : PRIM_ASTRENGTH_NONE;
	return prim_astrength_weaker(p->strength,
	    prim_astrength_parse(prim_command_get(c, PRIM_HEADER_ASTRENGTH)));
}

void br_peer_fini(struct br_peer *p)
{
	struct br_ticket *t;

	while ((t = LIST_FIRST(&p->tickets)))
		br_ticket_close(t);
}

void br_ticket_open(struct br_ticket *t, struct br_peer *p,
    enum prim_family family, struct prim_slice id, struct prim_slice echo)
{
	t->peer = p;
	t->family = family;
	t->id = id;
	t->echo = echo;
	t->octets = 0;
	LIST_INSERT_HEAD(&p->tickets, t, of_peer);
	p->ticket_count++;
}

void br_ticket_charge(struct br_ticket *t, size_t octets)
{
	if (!t->peer)
		return;
	t->octets += octets;
	t->peer->ticket_octets += octets;
}

void br_ticket_close(struct br_ticket *t)
{
	if (!t->peer)
		return;
	LIST_REMOVE(t, of_peer);
	t->peer->ticket_count--;
	t->peer->ticket_octets -= t->octets;
	t->peer = NULL;
}

void br_ticket_settle(struct br_ticket *t, unsigned code,
    struct prim_slice extra, struct prim_slice body)
{
	/* One scratch buffer: everything here runs on the loop. */
	static struct prim_buf scratch;
	struct br_peer *peer = t->peer;

	if (!peer)
		return;
	br_ticket_close(t);
	if (prim_slice_eq(t->id, PRIM_SLICE("-")))
		return; /* PRIM-037 */
	prim_buf_reset(&scratch);
	prim_command_put_response(&scratch, t->family, t->id, code, body.len);
	prim_buf_put(&scratch, t->echo);
	prim_buf_put(&scratch, extra);
	prim_command_end(&scratch);
	prim_buf_put(&scratch, body);
	peer->ops->respond(peer, prim_buf_slice(&scratch));
}
