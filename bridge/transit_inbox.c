/* SPDX-License-Identifier: ISC */
/* A message at an inbox of ours. */

#include "bridge/transit_private.h"

#include "bridge/conn.h"
#include "bridge/server.h"
#include "prim/base.h"

static struct br_transit *transit_of_send(struct prim_send *send)
{
	return PRIM_CONTAINER(send, struct br_transit, send);
}

struct br_message *br_transit_message(const struct prim_offer *offer)
{
	return transit_of_send(offer->send)->message;
}

static void inbox_settled(struct prim_send *send, unsigned code)
{
	br_transit_outcome(transit_of_send(send), code, PRIM_SLICE_NONE);
}

static void inbox_late(struct prim_send *send, unsigned code)
{
	br_transit_outcome(transit_of_send(send), code, PRIM_SLICE_NONE);
}

const struct prim_inbox_ops br_transit_inbox_ops = {
	.offer = br_conn_offer,
	.settled = inbox_settled,
	.late = inbox_late,
};

/* ---- offering ---- */

static struct prim_slice domain_of(struct prim_slice key)
{
	return prim_slice_from(key,
	    (size_t)(prim_slice_find_last(key, '@') + 1));
}

/* Is the sender of another domain than the recipient? */
static bool is_stranger(const struct br_message *m)
{
	return !prim_slice_eq(domain_of(m->sender), domain_of(m->recipient));
}

/* DESIGN 6: the default rule; documents of the owner come later. */
static bool may_send(const struct br_server *s, const struct br_message *m)
{
	unsigned rights = is_stranger(m) ? s->config->acl_everyone
					 : s->config->acl_own_domain;

	return prim_slice_eq(m->sender, m->recipient) ||
	    (rights & BR_RIGHT_SEND) != 0;
}

/* Where nobody listens: is it kept? Not for strangers of a domain that hides,
 * or 101 would tell them who exists (DESIGN 6). */
static bool is_kept(const struct br_server *s, const struct br_message *m)
{
	return s->config->offline_store &&
	    !(s->config->disclosure_hide && is_stranger(m));
}

bool br_transit_is_crowded(const struct br_server *s)
{
	return s->parked_octets > BR_PARKED_TOTAL_MAX;
}

void br_transit_offer(struct br_transit *t)
{
	if (prim_send_start(&t->send, &t->entity->inbox, t->row != NULL)) {
		br_transit_expect_word(t);
	} else if (t->row) {
		/* Whoever listens cannot take it now: not at once again. */
		br_transit_row_back(t, !prim_inbox_is_open(&t->entity->inbox));
	} else {
		br_transit_outcome(t, 0, PRIM_SLICE("no listener took it"));
	}
}

/* No more is parked: stored at once, or not taken (DESIGN 4). */
void br_transit_to_store(struct br_transit *t)
{
	if (t->route->queues)
		br_transit_commit(t);
	else
		br_transit_end(t, PRIM_INTERNAL_ERROR,
		    PRIM_SLICE("too much waits"));
}

static void admit(struct br_transit *t)
{
	const struct br_config *config = t->server->config;

	if (!may_send(t->server, t->message))
		br_transit_end(t,
		    config->disclosure_hide ? PRIM_INBOX_CLOSED
					    : PRIM_FORBIDDEN,
		    PRIM_SLICE("not allowed"));
	else if (br_lane_is_closed(t->lane))
		br_transit_commit(t);
	else if (br_transit_is_crowded(t->server))
		br_transit_to_store(t);
	else if (prim_inbox_is_open(&t->entity->inbox))
		br_transit_offer(t);
	else if (is_kept(t->server, t->message))
		br_transit_commit(t);
	else
		br_transit_end(t, PRIM_INBOX_CLOSED, PRIM_SLICE_NONE);
}

static void on_recipient(void *arg, enum br_entity_outcome known,
    struct br_entity *e)
{
	struct br_transit *t = arg;

	t->is_waiting = false;
	t->entity = e;
	if (t->is_answered) { /* time was up before the store knew */
		br_transit_release(t);
		return;
	}
	switch (known) {
	case BR_ENTITY_IS_PRESENT:
		admit(t);
		return;
	case BR_ENTITY_IS_ABSENT:
		br_transit_end_absent(t);
		return;
	case BR_ENTITY_UNKNOWN:
		br_transit_end(t, PRIM_INTERNAL_ERROR,
		    PRIM_SLICE("not looked up"));
		return;
	}
}

void br_transit_to_inbox(struct br_transit *t)
{
	t->is_waiting = true;
	br_entity_with(t->server->entities, t->message->recipient, on_recipient,
	    t);
}
