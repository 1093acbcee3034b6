/* SPDX-License-Identifier: ISC */
/* Destinations of stored messages, and whose turn it is. */

#include "bridge/outbox_private.h"

#include <assert.h>
#include <string.h>

#include "bridge/server.h"
#include "bridge/transit.h"
#include "prim/base.h"

size_t br_outbox_rows(const struct br_outbox *o)
{
	return o->row_count;
}

/* ---- destinations ---- */

static struct br_dest *dest_find(const struct br_outbox *o, const char *name)
{
	struct prim_slice text = prim_slice_of(name);
	struct prim_table_node *n = prim_table_first(&o->dests,
	    prim_hash(&o->server->seed, text));

	for (; n; n = prim_table_next(n)) {
		struct br_dest *d = PRIM_CONTAINER(n, struct br_dest, node);

		if (strcmp(d->name, name) == 0)
			return d;
	}
	return NULL;
}

/* Takes `name`. */
static struct br_dest *dest_named(struct br_outbox *o, char *name,
    struct br_host *host)
{
	struct br_dest *d = dest_find(o, name);

	if (d) {
		prim_free(name);
		return d;
	}
	d = prim_new(struct br_dest);
	d->name = name;
	d->outbox = o;
	d->host = host;
	d->key = host ? NULL : strchr(name, ':') + 1;
	TAILQ_INIT(&d->lanes);
	TAILQ_INIT(&d->ready);
	TAILQ_INIT(&d->handed);
	TAILQ_INIT(&d->holding);
	TAILQ_INIT(&d->suspects);
	prim_timer_init(&d->acquittal, br_dest_on_acquittal);
	prim_table_put(&o->dests, &d->node,
	    prim_hash(&o->server->seed, prim_slice_of(name)));
	return d;
}

static char *join(const char *kind, struct prim_slice rest)
{
	struct prim_buf b = { 0 };

	prim_buf_puts(&b, kind);
	prim_buf_put(&b, rest);
	return prim_buf_steal(&b);
}

/* ---- handing over ---- */

static bool is_full(const struct br_outbox *o)
{
	return o->octets >= BR_OUTBOX_OCTETS || o->reading >= BR_OUTBOX_READS;
}

static void hunger(struct br_outbox *o, struct br_dest *d)
{
	if (d->is_hungry)
		return;
	d->is_hungry = true;
	TAILQ_INSERT_TAIL(&o->hungry, d, of_hungry);
}

void br_dest_soon(struct br_dest *dest)
{
	hunger(dest->outbox, dest);
}

static bool feed_one(void *arg)
{
	struct br_outbox *o = arg;
	struct br_dest *d = is_full(o) ? NULL : TAILQ_FIRST(&o->hungry);

	if (!d)
		return false;
	TAILQ_REMOVE(&o->hungry, d, of_hungry);
	d->is_hungry = false;
	if (d->host)
		br_transit_host_room(o->server, d);
	else
		br_dest_kick(o, d);
	return true;
}

void br_outbox_turn(struct br_outbox *o)
{
	if (!TAILQ_EMPTY(&o->hungry) && !is_full(o))
		br_chore_due(&o->feeding);
}

/* Can `dest` take one more row now? */
static bool has_room(struct br_outbox *o, const struct br_dest *dest)
{
	const struct br_entity *e;

	if (dest->reading >= BR_READS_MAX || dest->octets >= BR_MOTION_OCTETS)
		return false;
	if (dest->host)
		return dest->in_motion < BR_ADAPTER_WINDOW &&
		    br_host_has_room(dest->host);
	if (!dest->key || dest->in_motion >= BR_INBOX_WINDOW ||
	    dest->reading > 0 || dest->octets >= BR_INBOX_OCTETS)
		return false;
	e = br_entity_find(o->server->entities, prim_slice_of(dest->key));
	return e && prim_inbox_is_open(&e->inbox);
}

/* In turn: one row, then the next lane of the site, after the next site. */
static void hand_one(struct br_outbox *o, struct br_site *site)
{
	struct br_dest *dest = site->dest;
	struct br_lane *lane = TAILQ_FIRST(&site->ready);
	struct br_row *row = lane->next;

	br_site_rotate(site);
	br_lane_unready(lane);
	br_transit_redeliver(o->server, row);
	if (TAILQ_EMPTY(&dest->lanes))
		return;
	br_lane_ready(lane);
}

/* While there are suspects they go alone. */
static void try_one(struct br_outbox *o, struct br_dest *dest)
{
	struct br_row *row = br_dest_next_trial(dest);

	if (!row || !has_room(o, dest))
		return;
	if (is_full(o)) {
		hunger(o, dest);
		return;
	}
	dest->trial = row;
	br_transit_redeliver(o->server, row);
}

static void hand_all(struct br_outbox *o, struct br_dest *dest)
{
	while (!TAILQ_EMPTY(&dest->ready) && has_room(o, dest) && !is_full(o))
		hand_one(o, TAILQ_FIRST(&dest->ready));
	if (!TAILQ_EMPTY(&dest->ready) && is_full(o) && has_room(o, dest))
		hunger(o, dest);
}

void br_dest_kick(struct br_outbox *o, struct br_dest *dest)
{
	if (dest->is_busy || o->server->stopping)
		return;
	dest->is_busy = true;
	if (br_dest_is_careful(dest))
		try_one(o, dest);
	else
		hand_all(o, dest);
	dest->is_busy = false;
	br_dest_release(o, dest);
}

void br_dest_wake(struct br_outbox *o, struct br_dest *dest)
{
	struct br_lane *lane;

	TAILQ_FOREACH(lane, &dest->lanes, of_dest) {
		prim_timer_stop(&o->server->wheel, &lane->retry);
		br_lane_ready(lane);
	}
	br_dest_kick(o, dest);
}

/* ---- destinations, found ---- */

struct br_outbox *br_outbox_new(struct br_server *s)
{
	struct br_outbox *o = prim_new(struct br_outbox);
	size_t count = s->config->adapter_count;

	o->server = s;
	br_chore_init(&o->feeding, s->paced, feed_one, o);
	o->random = (uint32_t)s->seed.k0 | 1;
	o->dir = s->data_dir;
	TAILQ_INIT(&o->rows);
	TAILQ_INIT(&o->hungry);
	o->adapters = prim_alloc((count + 1) * sizeof(*o->adapters));
	for (size_t i = 0; i < count; i++) {
		const char *name = br_host_name(s->hosts[i]);

		o->adapters[i] = dest_named(o,
		    join("adapter:", prim_slice_of(name)), s->hosts[i]);
	}
	return o;
}

struct br_dest *br_outbox_adapter(struct br_outbox *o, unsigned adapter)
{
	return o->adapters[adapter];
}

struct br_dest *br_outbox_adapter_named(struct br_outbox *o,
    struct prim_slice name)
{
	char *full = join("adapter:", name);
	struct br_dest *d = dest_find(o, full);

	prim_free(full);
	return d;
}

struct br_dest *br_outbox_inbox(struct br_outbox *o, struct prim_slice key)
{
	return dest_named(o, join("inbox:", key), NULL);
}

struct br_dest *br_outbox_inbox_find(struct br_outbox *o, struct prim_slice key)
{
	char *name;
	struct br_dest *d;

	if (o->dests.count == o->server->config->adapter_count)
		return NULL;
	name = join("inbox:", key);
	d = dest_find(o, name);
	prim_free(name);
	return d;
}

static void dest_free(struct br_outbox *o, struct br_dest *d)
{
	prim_table_drop(&o->dests, &d->node);
	prim_timer_stop(&o->server->wheel, &d->acquittal);
	br_dest_free_sites(d);
	br_pile_fini(&d->pile);
	prim_free(d->name);
	prim_free(d);
}

void br_dest_release(struct br_outbox *o, struct br_dest *d)
{
	/* Adapters stay: there are few, and hosts report to them. */
	if (d->host || !TAILQ_EMPTY(&d->lanes) || d->is_busy)
		return;
	if (d->is_hungry)
		TAILQ_REMOVE(&o->hungry, d, of_hungry);
	dest_free(o, d);
}

/* ---- the end ---- */

static void free_rows(struct br_outbox *o, struct br_lane *lane)
{
	struct br_row *row;

	while ((row = TAILQ_FIRST(&lane->rows))) {
		TAILQ_REMOVE(&lane->rows, row, link);
		br_row_recall_end(row);
		TAILQ_REMOVE(&o->rows, row, of_outbox);
		prim_table_drop(&o->by_seq, &row->by_seq);
		br_outbox_uncharge(o, row->sender, row->size);
		prim_timer_stop(&o->server->wheel, &row->timer);
		prim_free(row->tried);
		prim_free(row);
	}
}

static void visit_lane(struct prim_table_node *n, void *arg)
{
	struct br_outbox *o = arg;
	struct br_lane *lane = PRIM_CONTAINER(n, struct br_lane, node);

	assert(TAILQ_EMPTY(&lane->live));
	free_rows(o, lane);
	prim_timer_stop(&o->server->wheel, &lane->retry);
	prim_table_drop(&o->lanes, n);
	if (lane->target)
		prim_table_drop(&o->followed, &lane->by_principal);
	prim_free(lane->target);
	prim_free(lane->principal);
	prim_free(lane);
}

static void visit_dest(struct prim_table_node *n, void *arg)
{
	struct br_outbox *o = arg;
	struct br_dest *d = PRIM_CONTAINER(n, struct br_dest, node);

	dest_free(o, d);
}

struct br_outbox *br_outbox_free(struct br_outbox *o)
{
	if (!o)
		return NULL;
	br_chore_stop(&o->feeding);
	prim_table_each(&o->lanes, visit_lane, o);
	prim_table_fini(&o->lanes);
	prim_table_each(&o->dests, visit_dest, o);
	prim_table_fini(&o->dests);
	prim_table_fini(&o->by_seq);
	prim_table_fini(&o->recalled);
	prim_table_fini(&o->followed);
	prim_table_fini(&o->senders);
	br_pile_fini(&o->inboxes);
	prim_free(o->adapters);
	return prim_free(o);
}
