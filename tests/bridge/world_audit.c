/* SPDX-License-Identifier: ISC */
/* What must hold inside a server at any time. */

#include "tests/bridge/world_audit.h"

#include <stdio.h>

#include "bridge/host_private.h"
#include "bridge/metric.h"
#include "bridge/outbox_private.h"
#include "bridge/transit.h"
#include "prim/base.h"

#define STORED_MAX 10000

/* What is counted anew. */
struct count {
	const struct mail *m;
	const struct br_server *s;
	size_t rows, octets, charged, charged_octets, handed;
	unsigned reading;
};

#define EXPECT(c, what) mail_expect(m, c, "audit: " what ": " #c)

/* ---- transits ---- */

static void count_transits(struct count *k)
{
	const struct mail *m = k->m;
	const struct br_transit *t;
	size_t live = 0, parked = 0;

	TAILQ_FOREACH(t, &k->s->transits, of_server) {
		EXPECT(!t->row || t->row->transit == t, "transit");
		EXPECT(!t->is_handed || t->dest->host, "transit");
		EXPECT(!t->is_untaken || t->is_handed, "transit");
		EXPECT(!t->is_holding || !t->is_handed, "transit");
		EXPECT(!t->is_holding || t->site, "transit");
		EXPECT(!t->is_untaken || t->site, "transit");
		EXPECT(!t->row || t->message || t->is_waiting, "transit");
		EXPECT(!t->is_committing || t->lane, "transit");
		k->handed += t->is_handed;
		if (!t->is_answered) {
			live++;
			parked += br_message_size(t->message);
		}
		if (t->sender) {
			k->charged++;
			k->charged_octets += t->charged;
		}
	}
	EXPECT(live == k->s->live.count, "live");
	EXPECT(parked == k->s->parked_octets, "live");
	EXPECT(k->handed == k->s->handed.count, "handed");
}

static unsigned committing_in(const struct count *k, const struct br_dest *d,
    const struct br_lane *lane)
{
	const struct br_transit *t;
	unsigned count = 0;

	TAILQ_FOREACH(t, &k->s->transits, of_server)
		count += t->is_committing &&
		    (d ? t->dest == d : t->lane == lane);
	return count;
}

/* ---- lanes ---- */

/* What a destination has. */
struct dest_count {
	unsigned rows, moving, reading, lanes;
	size_t octets;
};

static void count_row(struct count *k, const struct br_row *row,
    struct dest_count *n)
{
	const struct mail *m = k->m;

	n->rows++;
	k->rows++;
	k->charged += row->sender != NULL;
	k->charged_octets += row->sender ? row->size : 0;
	if (!row->transit) {
		EXPECT(row->octets == 0, "row");
		EXPECT(prim_timer_is_set(&row->timer), "row");
		return;
	}
	EXPECT(row->transit->row == row, "row");
	EXPECT(prim_timer_is_set(&row->timer) || row->is_overdue, "row");
	n->moving++;
	n->reading += row->transit->is_waiting;
	n->octets += row->octets;
}

static void look_at_rows(struct count *k, const struct br_lane *lane,
    struct dest_count *n)
{
	const struct mail *m = k->m;
	const struct br_row *row, *next = NULL;
	int64_t seq = 0;

	TAILQ_FOREACH(row, &lane->rows, link) {
		EXPECT(row->lane == lane, "lane");
		EXPECT(row->seq > seq, "lane");
		EXPECT(br_outbox_find(k->s->outbox, row->seq) == row, "lane");
		seq = row->seq;
		if (!row->transit && !next)
			next = row;
		count_row(k, row, n);
	}
	EXPECT(lane->next == next, "lane");
	EXPECT(lane->is_ready ==
		(next && !prim_timer_is_set(&lane->retry) && lane->away == 0),
	    "lane");
}

/* Rows of its followers that are in motion. */
static unsigned away_from(const struct count *k, const struct br_lane *base)
{
	const struct br_transit *t;
	unsigned count = 0;

	TAILQ_FOREACH(t, &k->s->transits, of_server)
		count += t->row && t->row->lane->base == base;
	return count;
}

static void look_at_lane(const struct count *k, const struct br_lane *lane)
{
	const struct mail *m = k->m;
	const struct br_transit *t;

	TAILQ_FOREACH(t, &lane->live, of_lane)
		EXPECT(t->lane == lane, "lane");
	EXPECT(lane->committing == committing_in(k, NULL, lane), "lane");
	EXPECT(br_lane_is_closed(lane) || !TAILQ_EMPTY(&lane->live),
	    "a lane that is empty");
	EXPECT(lane->away == away_from(k, lane), "lane");
	EXPECT(!lane->target == !lane->base, "lane");
	EXPECT(!lane->follower || lane->follower->base == lane, "lane");
	EXPECT(!lane->follower || lane->followers > 0, "lane");
	EXPECT(lane->dest || TAILQ_EMPTY(&lane->rows), "lane");
}

/* ---- sites ---- */

struct site_look {
	struct count *k;
	const struct br_dest *dest;
};

static void look_at_site(struct prim_table_node *node, void *arg)
{
	const struct site_look *look = arg;
	const struct mail *m = look->k->m;
	const struct br_site *site = PRIM_CONTAINER(node, struct br_site, node);
	const struct br_lane *lane;
	const struct br_transit *t;
	unsigned lanes = 0, untaken = 0;
	size_t ready = 0, holding = 0;

	TAILQ_FOREACH(lane, &look->dest->lanes, of_dest) {
		lanes += lane->site == site;
		ready += lane->site == site && lane->is_ready;
	}
	TAILQ_FOREACH(t, &look->k->s->transits, of_server) {
		untaken += t->is_untaken && t->site == site;
		holding += t->is_holding && t->site == site;
	}
	TAILQ_FOREACH(lane, &site->ready, of_ready)
		ready--;
	TAILQ_FOREACH(t, &site->holding, of_dest)
		holding--;
	EXPECT(ready == 0, "site");
	EXPECT(holding == 0, "site");
	EXPECT(site->dest == look->dest, "site");
	EXPECT(site->lane_count == lanes, "site");
	EXPECT(site->untaken == untaken, "site");
	EXPECT(lanes + untaken > 0 || !TAILQ_EMPTY(&site->holding),
	    "a site that is empty");
	EXPECT(site->is_holding ==
		(!TAILQ_EMPTY(&site->holding) && br_site_has_room(site)),
	    "site");
	EXPECT(site->is_ready ==
		(!TAILQ_EMPTY(&site->ready) && br_site_has_room(site) &&
		    TAILQ_EMPTY(&site->holding)),
	    "site");
}

/* ---- destinations ---- */

static void look_at_suspects(const struct mail *m, const struct br_dest *d)
{
	const struct br_row *row;

	TAILQ_FOREACH(row, &d->suspects, of_suspects)
		EXPECT(row->is_suspect && row->lane->dest == d, "suspects");
	EXPECT(!d->trial || d->trial->transit, "suspects");
	EXPECT(!d->trial || d->trial->lane->dest == d, "suspects");
}

static void look_at_dest(struct prim_table_node *node, void *arg)
{
	struct count *k = arg;
	const struct mail *m = k->m;
	const struct br_dest *d = PRIM_CONTAINER(node, struct br_dest, node);
	struct site_look look = { k, d };
	struct dest_count n = { 0 };
	const struct br_lane *lane;
	const struct br_transit *t;

	TAILQ_FOREACH(lane, &d->lanes, of_dest) {
		EXPECT(lane->dest == d && lane->site->dest == d, "dest");
		look_at_rows(k, lane, &n);
		n.lanes++;
	}
	TAILQ_FOREACH(t, &d->handed, of_dest)
		EXPECT(t->is_handed && t->dest == d, "dest");
	EXPECT(d->row_count == n.rows, "dest");
	EXPECT(d->in_motion == n.moving, "dest");
	EXPECT(d->reading == n.reading, "dest");
	EXPECT(d->octets == n.octets, "dest");
	EXPECT(d->committing == committing_in(k, d, NULL), "dest");
	EXPECT(d->host || n.lanes > 0 || d->is_hungry || k->s->stopping,
	    "a destination that is empty");
	EXPECT(!d->is_busy, "dest");
	look_at_suspects(m, d);
	prim_table_each((struct prim_table *)&d->sites, look_at_site, &look);
	k->reading += n.reading;
	k->octets += n.octets;
}

static void visit_lane(struct prim_table_node *node, void *arg)
{
	look_at_lane(arg, PRIM_CONTAINER(node, struct br_lane, node));
}

void audit(const struct mail *m)
{
	struct br_outbox *o = m->world.server->outbox;
	struct count k = { .m = m, .s = m->world.server };

	count_transits(&k);
	prim_table_each(&o->lanes, visit_lane, &k);
	prim_table_each(&o->dests, look_at_dest, &k);
	EXPECT(o->row_count == k.rows, "outbox");
	EXPECT(o->reading == k.reading, "outbox");
	EXPECT(o->octets == k.octets, "outbox");
	EXPECT(o->charged == k.charged, "outbox");
	EXPECT(o->charged_octets == k.charged_octets, "outbox");
}

/* ---- progress ---- */

static bool adapter_takes(const struct br_dest *d)
{
	return d->reading < BR_READS_MAX && d->octets < BR_MOTION_OCTETS &&
	    d->in_motion < BR_ADAPTER_WINDOW && br_host_has_room(d->host);
}

static bool inbox_takes(const struct br_server *s, const struct br_dest *d)
{
	const struct br_entity *e = br_entity_find(s->entities,
	    prim_slice_of(d->key));

	return d->in_motion < BR_INBOX_WINDOW && d->reading == 0 &&
	    d->octets < BR_INBOX_OCTETS && e && prim_inbox_is_open(&e->inbox);
}

/* As br_host_fits(), which would owe it a word. */
static bool fits(const struct br_dest *d, const struct br_transit *t)
{
	return br_host_has_room(d->host) &&
	    (d->host->untaken == 0 ||
		d->host->untaken_octets + br_message_size(t->message) <=
		    HOST_WINDOW_OCTETS);
}

static void look_at_careful(const struct mail *m, struct br_dest *d)
{
	const struct br_transit *t = d->trial ? d->trial->transit : NULL;

	EXPECT(t || !br_dest_next_trial(d) || !adapter_takes(d),
	    "a suspect waits");
	EXPECT(!t || !t->is_holding || !fits(d, t) || t->site->untaken > 0,
	    "the trial waits");
}

static void look_at_progress(struct prim_table_node *node, void *arg)
{
	const struct mail *m = arg;
	struct br_dest *d = PRIM_CONTAINER(node, struct br_dest, node);
	const struct br_site *site = TAILQ_FIRST(&d->holding);

	if (d->is_hungry)
		return;
	if (d->host && br_dest_is_careful(d)) {
		look_at_careful(m, d);
		return;
	}
	EXPECT(!site || !fits(d, TAILQ_FIRST(&site->holding)),
	    "who holds could go");
	EXPECT(TAILQ_EMPTY(&d->ready) ||
		!(d->host ? adapter_takes(d) : inbox_takes(m->world.server, d)),
	    "who is ready could go");
}

void audit_progress(const struct mail *m)
{
	audit(m);
	if (!m->world.server->stopping)
		prim_table_each(&m->world.server->outbox->dests,
		    look_at_progress, (void *)(uintptr_t)m);
}

/* ---- the end ---- */

static void tell_rows(const struct mail *m)
{
	const struct br_row *row;
	char text[200];

	TAILQ_FOREACH(row, &m->world.server->outbox->rows, of_outbox) {
		(void)snprintf(text, sizeof(text),
		    "to %s attempts %u code %u ready %d pauses %d away %u "
		    "moving %d suspect %d",
		    row->lane->dest->name, row->attempts, row->last_code,
		    row->lane->is_ready, prim_timer_is_set(&row->lane->retry),
		    row->lane->away, row->transit != NULL, row->is_suspect);
		mail_trace(m, "left: row ", (unsigned)row->seq,
		    prim_slice_of(text));
	}
}

struct stored_count {
	const struct mail *m;
	unsigned quarantined, others;
};

static void on_stored(void *arg, const struct br_store_message *message,
    bool failed)
{
	struct stored_count *n = arg;
	char text[200];

	mail_expect(n->m, !failed, "what is stored is not read");
	if (!message)
		return;
	if (message->is_quarantined) {
		n->quarantined++;
		return;
	}
	n->others++;
	(void)snprintf(text, sizeof(text), "%.*s to %.*s at %.*s attempts %u",
	    PRIM_SLICE_ARG(message->message_id),
	    PRIM_SLICE_ARG(message->recipient),
	    PRIM_SLICE_ARG(message->destination), message->attempts);
	mail_trace(n->m, "left: stored ", (unsigned)message->seq,
	    prim_slice_of(text));
}

/* What is in memory is what is stored. */
static void audit_stored(const struct mail *m)
{
	struct stored_count n = { .m = m };
	struct br_store *s = m->world.server->store;

	br_store_message_page(s, 0, STORED_MAX, on_stored, &n);
	br_store_settle(s);
	EXPECT(n.others == 0, "the store");
	/* The gauge does not hear of those that go with their account. */
	EXPECT((m->temper & MAIL_REMOVED) ||
		br_metric_get(BR_METRIC_OUTBOX_QUARANTINED) == n.quarantined,
	    "the store");
}

void audit_empty(const struct mail *m)
{
	const struct br_server *s = m->world.server;
	const struct br_outbox *o = s->outbox;
	const size_t adapters = s->config->adapter_count;

	audit_progress(m);
	tell_rows(m);
	EXPECT(o->row_count == 0, "the end");
	EXPECT(TAILQ_EMPTY(&s->transits), "the end");
	EXPECT(LIST_EMPTY(&s->endings), "the end");
	EXPECT(s->late_reports == 0, "the end");
	EXPECT(o->lanes.count == 0, "the end");
	EXPECT(o->dests.count == adapters, "the end");
	EXPECT(o->senders.count == 0, "the end");
	EXPECT(o->recalled.count == 0, "the end");
	for (size_t i = 0; i < adapters; i++)
		EXPECT(o->adapters[i]->sites.count == 0, "the end");
	audit_stored(m);
}
