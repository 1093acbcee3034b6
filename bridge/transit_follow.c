/* SPDX-License-Identifier: ISC */
/*
 * Follow-me (DESIGN 6): a message whose recipient nobody speaks for is taken
 * along the recipient's links, in the owner's order. Only what is refused for
 * good goes on to the next place; whoever is silent may have it.
 */

#include "bridge/transit_private.h"

#include "bridge/metric.h"
#include "bridge/server.h"
#include "prim/base.h"

struct choice {
	const struct br_transit *t;
	const struct br_entity *entity;  /* of the recipient, or NULL */
	const struct br_identity *found; /* or NULL: the inbox, or nothing */
	bool is_prim;                    /* the inbox, where somebody listens */
};

static bool has_tried(const struct br_transit *t, struct prim_slice address)
{
	struct prim_slice rest = prim_buf_slice(&t->tried);

	while (rest.len > 0) {
		if (prim_slice_eq(prim_slice_cut(&rest, '\n'), address))
			return true;
	}
	return false;
}

/* Never back to who sent it, nor twice to one address. */
static bool consider(void *arg, const struct br_identity *link)
{
	struct choice *c = arg;
	const struct br_server *s = c->t->server;

	if (!link) {
		c->is_prim = c->entity && prim_inbox_is_open(&c->entity->inbox);
		return !c->is_prim;
	}
	if (has_tried(c->t, link->address) ||
	    (prim_slice_eq(link->address, c->t->message->sender) &&
		!PRIM_SEED(follow_back_to_sender)) ||
	    !br_outbox_adapter_named(s->outbox, link->network))
		return true;
	c->found = link;
	return false;
}

static struct choice choose(const struct br_transit *t,
    const struct br_entity *entity)
{
	struct choice c = { .t = t, .entity = entity };

	br_identities_order(t->server->identities, t->message->recipient,
	    consider, &c);
	return c;
}

/* Who refused it is not asked again. */
static void note_tried(struct br_transit *t, const char *address)
{
	prim_buf_puts(&t->tried, address);
	prim_buf_putc(&t->tried, '\n');
}

/* For `primctl trace`: which way it went. */
static void log_way(const struct br_transit *t, struct prim_slice address)
{
	const struct br_message *m = t->message;

	br_metric_add(BR_METRIC_FOLLOWED, 1);
	br_info(&t->server->log, "message follows id=%s to=%s along=%s",
	    br_quote(m->message_id), br_quote(m->recipient), br_quote(address));
}

/* ---- while its sender waits ---- */

static void go_along(struct br_transit *t, const struct br_identity *link)
{
	log_way(t, link->address);
	t->target = prim_slice_copy(link->address);
	t->dest = br_outbox_adapter_named(t->server->outbox, link->network);
	br_transit_to_adapter(t);
}

static void stay(struct br_transit *t)
{
	/* Its owner may look nowhere here, and listen all the same. */
	if (prim_inbox_is_open(&t->entity->inbox))
		br_transit_offer(t);
	else if (br_transit_is_kept(t->server, t->message))
		br_transit_commit(t);
	else
		br_transit_end(t, PRIM_INBOX_CLOSED, PRIM_SLICE_NONE);
}

void br_transit_seek(struct br_transit *t, unsigned code)
{
	struct choice c;

	if (t->target) {
		br_info(&t->server->log,
		    "message refused id=%s along=%s code=%u",
		    br_quote(t->message->message_id),
		    br_quote(prim_slice_of(t->target)), code);
		note_tried(t, t->target);
		t->target = prim_free(t->target);
		t->dest = NULL;
	}
	c = choose(t, t->entity);
	if (c.found)
		go_along(t, c.found);
	else
		stay(t);
}

/* ---- stored ---- */

const struct br_identity *br_transit_link(const struct br_transit *t)
{
	struct prim_slice target = prim_slice_of(t->row ? t->row->lane->target
							: t->target);
	const struct br_identity *link = br_identity_of(t->server->identities,
	    target);

	return link && prim_slice_eq(link->principal, t->message->recipient)
	    ? link
	    : NULL;
}

/* The row goes on in `lane`, this motion is over. */
static void move(struct br_transit *t, struct br_lane *lane)
{
	struct br_outbox *o = t->server->outbox;
	struct br_row *row = t->row;
	struct br_dest *old = row->lane->dest;

	br_transit_unhand(t);
	prim_timer_stop(&t->server->wheel, &t->timer);
	t->row = NULL;
	br_row_move(o, row, lane, prim_buf_slice(&t->tried));
	br_dest_kick(o, lane->dest);
	br_dest_kick(o, old); /* an adapter's: it stays */
	br_transit_release(t);
}

void br_transit_row_home(struct br_transit *t)
{
	struct br_lane *lane = br_outbox_lane(t->server->outbox,
	    &t->message->lane);

	br_lane_set_dest(lane,
	    br_outbox_inbox(t->server->outbox, t->message->recipient),
	    PRIM_SLICE_NONE);
	move(t, lane);
}

bool br_transit_is_awaited(const struct br_transit *t)
{
	const struct br_entity *e = br_entity_find(t->server->entities,
	    t->message->recipient);

	return e && prim_inbox_is_open(&e->inbox);
}

bool br_transit_row_seek(struct br_transit *t)
{
	struct br_server *s = t->server;
	struct br_lane *lane = NULL;
	struct choice c;

	note_tried(t, t->row->lane->target);
	c = choose(t, br_entity_find(s->entities, t->message->recipient));
	if (c.found)
		lane = br_outbox_lane_to(s->outbox, &t->message->lane, c.found);
	if (lane)
		log_way(t, c.found->address);
	if (lane)
		move(t, lane);
	else if (c.is_prim || br_transit_is_kept(s, t->message))
		br_transit_row_home(t);
	else
		return false;
	return true;
}
