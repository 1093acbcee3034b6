/* SPDX-License-Identifier: ISC */
/* What is stored comes into memory, and what loses its way goes elsewhere. */

#include "bridge/outbox_private.h"

#include "bridge/destination.h"
#include "bridge/ending.h"
#include "bridge/metric.h"
#include "bridge/server.h"
#include "prim/base.h"
#include "prim/seed.h"

/* A message that is overdue when we start gets one more minute and a try: it
 * may be the clock that is wrong. */
#define GRACE_MS 60000

static struct br_lane *lane_followed(struct br_outbox *o,
    const struct br_store_message *m)
{
	const struct br_identity *link = br_identity_of(o->server->identities,
	    m->target);

	if (!link || !prim_slice_eq(link->principal, m->recipient))
		return NULL;
	return br_outbox_lane_to(o, &m->lane, link);
}

/* A notice goes back the way its message came. */
static struct br_dest *dest_of_notice(struct br_outbox *o,
    const struct br_store_message *m)
{
	const struct prim_slice name = br_destination_adapter(m->destination);

	return m->is_notice && name.len > 0 ? br_outbox_adapter_named(o, name)
					    : NULL;
}

static struct br_lane *lane_of(struct br_outbox *o,
    const struct br_store_message *m)
{
	struct br_lane *lane = m->target.len ? lane_followed(o, m) : NULL;
	struct br_dest *dest;
	const struct br_route *route;

	if (lane)
		return lane;
	dest = dest_of_notice(o, m);
	route = br_server_route(o->server, m->recipient);
	if (!dest && route && route->kind == BR_ROUTE_ADAPTER)
		dest = o->adapters[route->adapter];
	if (!dest)
		dest = br_outbox_inbox(o, m->recipient);
	lane = br_outbox_lane(o, &m->lane);
	br_lane_set_dest(lane, dest, br_key_domain(m->recipient));
	return lane;
}

static struct br_row *load(struct br_outbox *o,
    const struct br_store_message *m)
{
	struct br_sender *sender = NULL;
	struct br_row *row;

	if (!m->is_notice)
		sender = br_outbox_charge_stored(o, m->sender, m->octets);
	row = br_outbox_append(lane_of(o, m), m, sender);
	if (row->deaths > 0)
		br_row_suspect(row);
	return row;
}

void br_outbox_take(struct br_outbox *o, const struct br_store_message *m)
{
	struct br_row *row = load(o, m);

	br_dest_kick(o, row->lane->dest);
}

/* The clock was put back while we were away. What came later than now has all of
 * its time before it, and no more: it would be there for years. */
static void from_the_future(struct br_store_message *m, int64_t now)
{
	int64_t ahead = m->accepted_ms - now;

	if (ahead <= 0 || PRIM_SEED(future_lasts))
		return;
	m->accepted_ms = now;
	m->expires_ms -= ahead;
	if (m->delay_notice_ms)
		m->delay_notice_ms -= ahead;
}

static void on_stored(void *arg, const struct br_store_message *m, bool failed)
{
	struct br_outbox *o = arg;
	int64_t now = br_server_now(o->server);
	struct br_store_message late;

	if (failed || !m)
		return;
	if (m->is_quarantined) {
		br_metric_add(BR_METRIC_OUTBOX_QUARANTINED, 1);
		return;
	}
	late = *m;
	from_the_future(&late, now);
	if (late.expires_ms < now + GRACE_MS)
		late.expires_ms = now + GRACE_MS;
	load(o, &late);
}

bool br_outbox_load(struct br_outbox *o, struct br_err *err)
{
	return br_store_message_each(o->server->store, on_stored, o, err);
}

/* Ends what is not in motion; the rest ends by its own answer. */
static void lane_drop(struct br_outbox *o, struct br_lane *lane)
{
	struct br_row *row = TAILQ_FIRST(&lane->rows);

	while (row) {
		struct br_row *next = TAILQ_NEXT(row, link);

		/* The lane goes with its last row, and then `next` is NULL. */
		if (!row->transit) {
			br_ending_start_unheld(o->server, row->seq,
			    PRIM_NOT_FOUND, PRIM_SLICE("account removed"));
			br_row_drop(o, row);
		}
		row = next;
	}
}

/* Does `fn` with each lane along which `principal` is followed, to `address`
 * (empty: to anywhere). It may free that lane. */
static void each_followed(struct br_outbox *o, struct prim_slice principal,
    struct prim_slice address,
    void (*fn)(struct br_outbox *o, struct br_lane *lane))
{
	struct prim_table_node *n = prim_table_first(&o->followed,
	    prim_hash(&o->server->seed, principal));

	while (n) {
		struct br_lane *lane = PRIM_CONTAINER(n, struct br_lane,
		    by_principal);

		n = prim_table_next(n);
		if (prim_slice_eq(prim_slice_of(lane->principal), principal) &&
		    (!address.len ||
			prim_slice_eq(prim_slice_of(lane->target), address)))
			fn(o, lane);
	}
}

void br_outbox_drop_inbox(struct br_outbox *o, struct prim_slice key)
{
	struct br_dest *dest = br_outbox_inbox_find(o, key);
	struct br_lane *lane, *next;

	each_followed(o, key, PRIM_SLICE_NONE, lane_drop);
	if (!dest)
		return;
	dest->is_busy = true;
	PRIM_TAILQ_FOREACH_SAFE(lane, &dest->lanes, of_dest, next)
		lane_drop(o, lane);
	dest->is_busy = false;
	br_dest_release(o, dest);
}

/* ---- another way ---- */

struct place {
	const struct br_outbox *outbox;
	const struct br_row *row;
	const struct br_identity *found;
};

static bool consider(void *arg, const struct br_identity *link)
{
	struct place *p = arg;
	const struct br_sender *sender = p->row->sender;

	if (!link ||
	    (sender &&
		prim_slice_eq(prim_slice_make(sender->key, sender->len),
		    link->address)) ||
	    !br_outbox_adapter_named((struct br_outbox *)p->outbox,
		link->network))
		return true;
	p->found = link;
	return false;
}

/* The next of its reader's places; what was refused somewhere stays here. */
static struct br_lane *next_lane(struct br_outbox *o,
    const struct br_lane *lane, const struct br_row *row)
{
	struct place p = { .outbox = o, .row = row };

	if (!row->tried)
		br_identities_order(o->server->identities,
		    prim_slice_of(lane->principal), consider, &p);
	return p.found ? br_outbox_lane_to(o, &lane->base->key, p.found)
		       : lane->base;
}

/* The base of `lane` leads to the inbox, if it leads nowhere yet. */
static struct br_lane *open_base(struct br_outbox *o, struct br_lane *lane)
{
	br_lane_set_dest(lane->base,
	    br_outbox_inbox(o, prim_slice_of(lane->principal)),
	    PRIM_SLICE_NONE);
	return lane->base;
}

/* The link is no more. */
static void move_on(struct br_outbox *o, struct br_lane *lane)
{
	struct br_lane *base = open_base(o, lane);
	struct br_row *row, *next;

	PRIM_TAILQ_FOREACH_SAFE(row, &lane->rows, link, next) {
		struct br_lane *to;

		if (row->transit)
			continue;
		/* `lane` goes with its last row, and then `next` is NULL. */
		to = next_lane(o, lane, row);
		br_row_move(o, row, to, PRIM_SLICE_NONE);
		br_dest_soon(to->dest);
	}
	br_dest_soon(base->dest);
}

/* Somebody listens: what its adapter has not got, or has refused, comes home. */
static void move_home(struct br_outbox *o, struct br_lane *lane)
{
	struct br_lane *base = open_base(o, lane);
	struct br_row *row, *next;

	PRIM_TAILQ_FOREACH_SAFE(row, &lane->rows, link, next) {
		if (!row->transit &&
		    (row->attempts == 0 || row->last_code != 0))
			br_row_move(o, row, base, PRIM_SLICE_NONE);
	}
	br_dest_soon(base->dest);
}

void br_outbox_home(struct br_outbox *o, struct prim_slice principal)
{
	each_followed(o, principal, PRIM_SLICE_NONE, move_home);
}

/* What is in motion comes back by itself, and is moved then. */
void br_outbox_unlinked(struct br_outbox *o, struct prim_slice principal,
    struct prim_slice address)
{
	if (!PRIM_SEED(unlinked_leaves_queue))
		each_followed(o, principal, address, move_on);
}

static void visit_keys(struct prim_table_node *n, void *arg)
{
	struct br_outbox *o = arg;
	struct br_lane *lane = PRIM_CONTAINER(n, struct br_lane, node);
	struct br_row *row;

	TAILQ_FOREACH(row, &lane->rows, link)
		br_dedup_note_durable(o->server->dedup, row->prefix);
}

void br_outbox_note_keys(struct br_outbox *o)
{
	prim_table_each(&o->lanes, visit_keys, o);
}
