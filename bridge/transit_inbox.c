/* SPDX-License-Identifier: ISC */
/* A message at an inbox of ours. */

#include "bridge/transit_private.h"

#include "bridge/conn.h"
#include "bridge/rule.h"
#include "bridge/server.h"
#include "bridge/service.h"
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

/* The key of whom `m` is from: for a linked sender his principal. Borrows from
 * both. */
static struct prim_slice principal_of(const struct br_message *m,
    struct prim_key *room)
{
	struct prim_address from;

	if (!m->original_from.len || !prim_address_parse(m->from, &from))
		return m->sender;
	prim_address_key(&from, room);
	return prim_key_slice(room);
}

/* DESIGN 6: the default rule; documents of the owner come later. Of a linked
 * sender both must be allowed, the principal and the address. */
static bool may_send(const struct br_server *s, const struct br_message *m)
{
	struct prim_key room;

	return PRIM_SEED(no_acl) ||
	    ((PRIM_SEED(acl_of_principal_only) ||
		 br_rule_may_send(s->config, m->sender, m->recipient)) &&
		br_rule_may_send(s->config, principal_of(m, &room),
		    m->recipient));
}

bool br_transit_is_kept(const struct br_server *s, const struct br_message *m)
{
	struct prim_key room;

	return br_rule_is_kept(s->config, principal_of(m, &room), m->recipient);
}

bool br_transit_is_crowded(const struct br_server *s)
{
	return s->parked_octets > BR_PARKED_TOTAL_MAX;
}

/* Whoever listens cannot take it now: not at once again. */
static void unheard(struct br_transit *t)
{
	if (prim_inbox_is_open(&t->entity->inbox))
		br_transit_row_pause(t, 0, PRIM_SLICE("no listener took it"));
	else
		br_transit_row_back(t, 0, PRIM_SLICE("nobody listens"));
}

void br_transit_offer(struct br_transit *t)
{
	if (prim_send_start(&t->send, &t->entity->inbox, t->row != NULL)) {
		br_transit_history(t, BR_HISTORY_HAND, 0, PRIM_SLICE_NONE);
		br_transit_expect_word(t);
	} else if (t->row) {
		unheard(t);
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

/* Behind what waits already: along a link, if that is where it is to go. */
static void queue_up(struct br_transit *t)
{
	struct br_lane *follower = t->lane->follower;

	if (follower && follower->dest &&
	    !prim_inbox_is_open(&t->entity->inbox) &&
	    !prim_slice_eq(prim_slice_of(follower->target),
		t->message->sender)) {
		t->target = prim_slice_copy(prim_slice_of(follower->target));
		t->dest = follower->dest;
	}
	br_transit_commit(t);
}

/* Has something of its lane to go first? Where somebody listens, what goes along
 * a link counts only as long as somebody else may just be getting it. */
static bool is_behind(const struct br_transit *t)
{
	const struct br_lane *lane = t->lane;

	return lane->committing > 0 ||
	    (!TAILQ_EMPTY(&lane->rows) && !PRIM_SEED(drain_overtaken)) ||
	    (prim_inbox_is_open(&t->entity->inbox) ? lane->away > 0
						   : lane->followers > 0);
}

static void admit(struct br_transit *t)
{
	const struct br_config *config = t->server->config;

	if (!may_send(t->server, t->message))
		br_transit_end(t,
		    config->disclosure_hide ? PRIM_INBOX_CLOSED
					    : PRIM_FORBIDDEN,
		    PRIM_SLICE("not allowed"));
	else if (is_behind(t))
		queue_up(t);
	else if (br_transit_is_crowded(t->server))
		br_transit_to_store(t);
	else
		br_transit_seek(t, 0);
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

static void on_served(void *arg, unsigned code)
{
	struct br_transit *t = arg;

	t->is_waiting = false;
	if (code == PRIM_INTERNAL_ERROR && !t->server->stopping)
		t->reason = "you write faster than primbridge reads; wait a "
			    "minute";
	if (t->is_answered)
		br_transit_release(t);
	else
		br_transit_end(t, code, PRIM_SLICE("service"));
}

void br_transit_to_inbox(struct br_transit *t)
{
	if (br_service_is(t->server, t->message->recipient)) {
		t->is_waiting = true;
		br_service_take(t->server, t->message, on_served, t);
		return;
	}
	t->is_waiting = true;
	br_entity_with(t->server->entities, t->message->recipient, on_recipient,
	    t);
}
