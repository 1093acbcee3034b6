/* SPDX-License-Identifier: ISC */
/* Lanes of stored messages, and whose turn it is. */

#include "bridge/outbox.h"

#include <assert.h>
#include <string.h>

#include "bridge/ending.h"
#include "bridge/metric.h"
#include "bridge/server.h"
#include "bridge/transit.h"
#include "prim/base.h"

/* reliability 4.7: 5 s, doubling, at most 5 min, a fifth more or less. */
#define RETRY_FIRST_MS 5000
#define RETRY_MAX_MS   300000

struct br_outbox {
	struct br_server *server;  /* borrowed: owns us */
	struct prim_table lanes;   /* owned, by key */
	struct prim_table dests;   /* owned, by name */
	struct br_dest **adapters; /* owned array, borrowed: by index */
	size_t row_count;
	uint32_t random; /* jitter needs no better */
};

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
	d->host = host;
	d->key = host ? NULL : strchr(name, ':') + 1;
	TAILQ_INIT(&d->lanes);
	TAILQ_INIT(&d->ready);
	TAILQ_INIT(&d->handed);
	TAILQ_INIT(&d->holding);
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

struct br_outbox *br_outbox_new(struct br_server *s)
{
	struct br_outbox *o = prim_new(struct br_outbox);
	size_t count = s->config->adapter_count;

	o->server = s;
	o->random = (uint32_t)s->seed.k0 | 1;
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

static void dest_release(struct br_outbox *o, struct br_dest *d)
{
	/* Adapters stay: there are few, and hosts report to them. */
	if (d->host || !TAILQ_EMPTY(&d->lanes) || d->is_kicked)
		return;
	prim_table_drop(&o->dests, &d->node);
	prim_free(d->name);
	prim_free(d);
}

/* ---- lanes ---- */

static uint64_t lane_hash(const struct prim_digest *key)
{
	return br_dedup_prefix(key); /* a keyed hash already */
}

static void lane_unready(struct br_lane *lane)
{
	if (!lane->is_ready)
		return;
	TAILQ_REMOVE(&lane->dest->ready, lane, of_ready);
	lane->is_ready = false;
}

static void lane_ready(struct br_lane *lane)
{
	if (lane->is_ready || !lane->next || prim_timer_is_set(&lane->retry))
		return;
	TAILQ_INSERT_TAIL(&lane->dest->ready, lane, of_ready);
	lane->is_ready = true;
}

static void on_retry(struct prim_timer *t)
{
	struct br_lane *lane = PRIM_CONTAINER(t, struct br_lane, retry);

	lane_ready(lane);
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
		lane_unready(lane);
		TAILQ_REMOVE(&dest->lanes, lane, of_dest);
		dest_release(o, dest);
	}
	prim_free(lane);
}

/* ---- rows ---- */

/* The first row that is not in motion, from `from` on. */
static struct br_row *next_waiting(struct br_row *from)
{
	while (from && from->transit)
		from = TAILQ_NEXT(from, link);
	return from;
}

static void row_drop(struct br_outbox *o, struct br_row *row)
{
	struct br_lane *lane = row->lane;
	struct br_server *s = o->server;

	prim_timer_stop(&s->wheel, &row->expiry);
	br_row_set_transit(row, NULL);
	if (lane->next == row)
		lane->next = next_waiting(TAILQ_NEXT(row, link));
	TAILQ_REMOVE(&lane->rows, row, link);
	if (!lane->next)
		lane_unready(lane);
	lane->dest->row_count--;
	o->row_count--;
	br_metric_set(BR_METRIC_OUTBOX_ROWS, (int64_t)o->row_count);
	prim_free(row);
	br_lane_release(o, lane);
}

static void on_expiry(struct prim_timer *t)
{
	struct br_row *row = PRIM_CONTAINER(t, struct br_row, expiry);
	struct br_outbox *o = row->lane->outbox;
	struct br_server *s = o->server;

	if (row->transit) { /* not under the adapter's hands */
		row->is_overdue = true;
		return;
	}
	br_metric_add(BR_METRIC_MESSAGES_EXPIRED, 1);
	br_ending_start_unheld(s, row->seq, PRIM_TIMEOUT, "expired");
	row_drop(o, row);
}

struct br_row *br_outbox_append(struct br_outbox *o, struct br_lane *lane,
    int64_t seq, int64_t expires_ms)
{
	struct br_row *row = prim_new(struct br_row);

	row->lane = lane;
	row->seq = seq;
	prim_timer_init(&row->expiry, on_expiry);
	prim_timer_set(&o->server->wheel, &row->expiry, expires_ms);
	TAILQ_INSERT_TAIL(&lane->rows, row, link);
	if (!lane->next)
		lane->next = row;
	lane->dest->row_count++;
	o->row_count++;
	br_metric_set(BR_METRIC_OUTBOX_ROWS, (int64_t)o->row_count);
	lane_ready(lane);
	return row;
}

void br_row_set_transit(struct br_row *row, struct br_transit *t)
{
	struct br_lane *lane = row->lane;

	if (t && !row->transit)
		lane->dest->in_motion++;
	if (!t && row->transit) {
		lane->dest->in_motion--;
		lane->dest->octets -= row->octets;
		row->octets = 0;
	}
	row->transit = t;
	if (t && lane->next == row)
		lane->next = next_waiting(row);
	else if (!t && (!lane->next || row->seq < lane->next->seq))
		lane->next = row;
	if (!lane->next)
		lane_unready(lane);
}

void br_row_set_octets(struct br_row *row, size_t octets)
{
	row->octets = octets;
	row->lane->dest->octets += octets;
}

static int64_t retry_delay(struct br_outbox *o, unsigned attempts)
{
	int64_t delay = RETRY_FIRST_MS;

	for (unsigned i = 1; i < attempts && delay < RETRY_MAX_MS; i++)
		delay *= 2;
	if (delay > RETRY_MAX_MS)
		delay = RETRY_MAX_MS;
	o->random ^= o->random << 13;
	o->random ^= o->random >> 17;
	o->random ^= o->random << 5;
	return delay * (80 + o->random % 41) / 100;
}

static void on_attempt(void *arg, enum br_store_outcome outcome)
{
	(void)arg; /* a row that ended meanwhile is ABSENT, and that is fine */
	(void)outcome;
}

void br_row_back(struct br_outbox *o, struct br_row *row, bool now)
{
	struct br_lane *lane = row->lane;
	struct br_server *s = o->server;
	struct br_store_attempt attempt;

	br_row_set_transit(row, NULL);
	if (row->is_overdue)
		prim_timer_set(&s->wheel, &row->expiry, br_server_now(s));
	if (!now) {
		row->attempts++;
		attempt = (struct br_store_attempt){ .seq = row->seq,
			.attempts = row->attempts,
			.next_try_ms = br_server_now(s) +
			    retry_delay(o, row->attempts) };
		prim_timer_set(&s->wheel, &lane->retry, attempt.next_try_ms);
		lane_unready(lane);
		br_store_message_attempt(s->store, &attempt, on_attempt, NULL);
	}
	lane_ready(lane);
}

void br_row_end(struct br_outbox *o, struct br_row *row, unsigned code,
    const char *reason)
{
	br_ending_start(o->server, row->seq, code, reason);
	row_drop(o, row);
}

/* ---- handing over ---- */

/* Can `dest` take one more row now? */
static bool has_room(struct br_outbox *o, const struct br_dest *dest)
{
	const struct br_entity *e;

	if (dest->reading >= BR_READS_MAX || dest->octets >= BR_MOTION_OCTETS)
		return false;
	if (dest->host)
		return dest->in_motion < BR_ADAPTER_WINDOW &&
		    br_host_is_up(dest->host) && TAILQ_EMPTY(&dest->holding);
	if (!dest->key || dest->in_motion >= BR_INBOX_WINDOW ||
	    dest->reading > 0 || dest->octets >= BR_INBOX_OCTETS)
		return false;
	e = br_entity_find(o->server->entities, prim_slice_of(dest->key));
	return e && prim_inbox_is_open(&e->inbox);
}

static void hand_one(struct br_outbox *o, struct br_lane *lane)
{
	struct br_dest *dest = lane->dest;
	struct br_row *row = lane->next;

	/* In turn: one row, then the next lane. */
	lane_unready(lane);
	br_transit_redeliver(o->server, row);
	if (TAILQ_EMPTY(&dest->lanes))
		return;
	lane_ready(lane);
}

void br_dest_kick(struct br_outbox *o, struct br_dest *dest)
{
	if (dest->is_kicked || o->server->stopping)
		return;
	dest->is_kicked = true;
	while (!TAILQ_EMPTY(&dest->ready) && has_room(o, dest))
		hand_one(o, TAILQ_FIRST(&dest->ready));
	dest->is_kicked = false;
	dest_release(o, dest);
}

void br_dest_wake(struct br_outbox *o, struct br_dest *dest)
{
	struct br_lane *lane;

	TAILQ_FOREACH(lane, &dest->lanes, of_dest) {
		prim_timer_stop(&o->server->wheel, &lane->retry);
		lane_ready(lane);
	}
	br_dest_kick(o, dest);
}

/* ---- start, end ---- */

static void on_stored(void *arg, const struct br_store_message *m, bool failed)
{
	struct br_outbox *o = arg;
	const struct br_route *route;
	struct br_lane *lane;
	struct br_row *row;
	ptrdiff_t at;

	if (failed || !m)
		return;
	at = prim_slice_find_last(m->recipient, '@');
	route = br_router_find(o->server->router,
	    prim_slice_from(m->recipient, (size_t)(at + 1)));
	lane = br_outbox_lane(o, &m->lane);
	br_lane_set_dest(lane,
	    route && route->kind == BR_ROUTE_ADAPTER
		? o->adapters[route->adapter]
		: br_outbox_inbox(o, m->recipient));
	row = br_outbox_append(o, lane, m->seq, m->expires_ms);
	row->attempts = m->attempts;
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
			    PRIM_NOT_FOUND, "removed");
			row_drop(o, row);
		}
		row = next;
	}
}

void br_outbox_drop_inbox(struct br_outbox *o, struct prim_slice key)
{
	struct br_dest *dest = br_outbox_inbox_find(o, key);
	struct br_lane *lane, *next;

	if (!dest)
		return;
	dest->is_kicked = true; /* keeps it while its lanes go */
	PRIM_TAILQ_FOREACH_SAFE(lane, &dest->lanes, of_dest, next)
	lane_drop(o, lane);
	dest->is_kicked = false;
	dest_release(o, dest);
}

static void free_rows(struct br_outbox *o, struct br_lane *lane)
{
	struct br_row *row;

	while ((row = TAILQ_FIRST(&lane->rows))) {
		TAILQ_REMOVE(&lane->rows, row, link);
		prim_timer_stop(&o->server->wheel, &row->expiry);
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
	prim_free(lane);
}

static void visit_dest(struct prim_table_node *n, void *arg)
{
	struct br_outbox *o = arg;
	struct br_dest *d = PRIM_CONTAINER(n, struct br_dest, node);

	prim_table_drop(&o->dests, n);
	prim_free(d->name);
	prim_free(d);
}

struct br_outbox *br_outbox_free(struct br_outbox *o)
{
	if (!o)
		return NULL;
	prim_table_each(&o->lanes, visit_lane, o);
	prim_table_fini(&o->lanes);
	prim_table_each(&o->dests, visit_dest, o);
	prim_table_fini(&o->dests);
	prim_free(o->adapters);
	return prim_free(o);
}
