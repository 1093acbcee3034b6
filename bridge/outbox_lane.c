/* SPDX-License-Identifier: ISC */
/* Lanes: messages of one sender to one recipient, in order. */

#include "bridge/outbox_private.h"

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
	TAILQ_REMOVE(&lane->dest->ready, lane, of_ready);
	lane->is_ready = false;
}

void br_lane_ready(struct br_lane *lane)
{
	if (lane->is_ready || !lane->next || prim_timer_is_set(&lane->retry))
		return;
	TAILQ_INSERT_TAIL(&lane->dest->ready, lane, of_ready);
	lane->is_ready = true;
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

void br_lane_set_dest(struct br_lane *lane, struct br_dest *dest)
{
	if (lane->dest)
		return;
	lane->dest = dest;
	TAILQ_INSERT_TAIL(&dest->lanes, lane, of_dest);
}

bool br_lane_is_closed(const struct br_lane *lane)
{
	return lane->committing > 0 || !TAILQ_EMPTY(&lane->rows);
}

void br_lane_release(struct br_outbox *o, struct br_lane *lane)
{
	struct br_dest *dest = lane->dest;

	if (br_lane_is_closed(lane) || !TAILQ_EMPTY(&lane->live))
		return;
	prim_timer_stop(&o->server->wheel, &lane->retry);
	prim_table_drop(&o->lanes, &lane->node);
	if (dest) {
		br_lane_unready(lane);
		TAILQ_REMOVE(&dest->lanes, lane, of_dest);
		br_dest_release(o, dest);
	}
	prim_free(lane);
}
