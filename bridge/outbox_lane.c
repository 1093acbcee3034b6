/* SPDX-License-Identifier: ISC */
/* Lanes: messages of one sender to one recipient, in order. */

#include "bridge/outbox_private.h"

#include <string.h>

#include "bridge/dedup.h"
#include "bridge/server.h"
#include "prim/base.h"

static uint64_t lane_hash(const struct prim_digest *key)
{
	return br_dedup_prefix(key); /* a keyed hash already */
}

void br_lane_unready(struct br_lane *lane)
{
	if (!lane->is_ready)
		return;
	TAILQ_REMOVE(&lane->site->ready, lane, of_ready);
	lane->is_ready = false;
	br_site_update(lane->site);
}

void br_lane_ready(struct br_lane *lane)
{
	if (lane->is_ready || !lane->next || prim_timer_is_set(&lane->retry) ||
	    lane->away > 0)
		return;
	TAILQ_INSERT_TAIL(&lane->site->ready, lane, of_ready);
	lane->is_ready = true;
	br_site_update(lane->site);
}

void br_lane_goes_away(struct br_lane *base)
{
	base->away++;
	br_lane_unready(base);
}

void br_lane_came_back(struct br_lane *base)
{
	if (--base->away > 0 || !base->next)
		return;
	br_lane_ready(base);
	br_dest_soon(base->dest);
}

static void on_retry(struct prim_timer *t)
{
	struct br_lane *lane = PRIM_CONTAINER(t, struct br_lane, retry);

	br_lane_ready(lane);
	br_dest_kick(lane->outbox, lane->dest);
}

struct br_lane *br_outbox_lane(struct br_outbox *o,
    const struct prim_digest *key)
{
	struct prim_table_node *n = prim_table_first(&o->lanes, lane_hash(key));
	struct br_lane *lane;

	for (; n; n = prim_table_next(n)) {
		lane = PRIM_CONTAINER(n, struct br_lane, node);
		if (prim_digest_eq(&lane->key, key))
			return lane;
	}
	lane = prim_new(struct br_lane);
	lane->outbox = o;
	lane->key = *key;
	TAILQ_INIT(&lane->rows);
	TAILQ_INIT(&lane->live);
	prim_timer_init(&lane->retry, on_retry);
	prim_table_put(&o->lanes, &lane->node, lane_hash(key));
	return lane;
}

static void follow(struct br_lane *lane, struct br_lane *base,
    const struct br_identity *link)
{
	lane->target = prim_slice_copy(link->address);
	lane->principal = prim_slice_copy(link->principal);
	lane->base = base;
	prim_table_put(&lane->outbox->followed, &lane->by_principal,
	    prim_hash(&lane->outbox->server->seed, link->principal));
	base->followers++;
	base->follower = lane;
}

struct br_lane *br_outbox_lane_to(struct br_outbox *o,
    const struct prim_digest *key, const struct br_identity *link)
{
	struct br_dest *dest = br_outbox_adapter_named(o, link->network);
	struct br_lane *lane;
	struct prim_digest own;
	struct prim_hasher h;

	if (!dest)
		return NULL;
	prim_hasher_init(&h, &o->server->keys.lane);
	prim_hasher_feed_field(&h,
	    prim_slice_make((const char *)key->octets, PRIM_DIGEST_LEN));
	prim_hasher_feed_field(&h, link->address);
	own = prim_hasher_digest(&h);
	lane = br_outbox_lane(o, &own);
	if (!lane->target)
		follow(lane, br_outbox_lane(o, key), link);
	br_lane_set_dest(lane, dest, br_key_domain(link->address));
	return lane;
}

void br_lane_set_dest(struct br_lane *lane, struct br_dest *dest,
    struct prim_slice domain)
{
	if (lane->dest)
		return;
	lane->dest = dest;
	lane->site = br_dest_site(dest, domain);
	lane->site->lane_count++;
	TAILQ_INSERT_TAIL(&dest->lanes, lane, of_dest);
}

bool br_lane_is_closed(const struct br_lane *lane)
{
	return lane->committing > 0 || !TAILQ_EMPTY(&lane->rows) ||
	    lane->followers > 0;
}

static void leave_dest(struct br_lane *lane)
{
	struct br_dest *dest = lane->dest;
	struct br_site *site = lane->site;

	if (!dest)
		return;
	br_lane_unready(lane);
	TAILQ_REMOVE(&dest->lanes, lane, of_dest);
	site->lane_count--;
	br_site_release(site);
	br_dest_release(lane->outbox, dest);
}

void br_lane_release(struct br_outbox *o, struct br_lane *lane)
{
	struct br_lane *base = lane->base;

	if (br_lane_is_closed(lane) || !TAILQ_EMPTY(&lane->live))
		return;
	prim_timer_stop(&o->server->wheel, &lane->retry);
	prim_table_drop(&o->lanes, &lane->node);
	leave_dest(lane);
	if (base) {
		prim_table_drop(&o->followed, &lane->by_principal);
		base->followers--;
		if (base->follower == lane)
			base->follower = NULL;
	}
	prim_free(lane->target);
	prim_free(lane->principal);
	prim_free(lane);
	if (base)
		br_lane_release(o, base);
}
