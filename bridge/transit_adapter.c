/* SPDX-License-Identifier: ISC */
/* A message at an adapter. */

#include "bridge/transit_private.h"

#include "bridge/ending.h"
#include "bridge/metric.h"
#include "bridge/server.h"
#include "prim/base.h"

struct prim_slice br_transit_domain(const struct br_transit *t)
{
	const char *target = t->row ? t->row->lane->target : t->target;

	return br_key_domain(target ? prim_slice_of(target)
				    : t->message->recipient);
}

static void put_target(struct prim_buf *b, const struct br_transit *t)
{
	const char *target = t->row ? t->row->lane->target : t->target;

	if (!target)
		return;
	prim_buf_puts(b, "im:");
	prim_buf_puts(b, target);
}

static void hand(struct br_transit *t, struct br_site *site)
{
	struct prim_buf target = { 0 };
	struct br_server *s = t->server;
	struct br_host_handover how = {
		.attempt = t->row ? t->row->attempts : 1,
		.is_notice = t->row && t->row->is_notice,
	};

	put_target(&target, t);
	how.target = prim_buf_slice(&target);
	if (t->row)
		br_row_recall_end(t->row);
	t->is_handed = t->was_handed = t->is_untaken = true;
	t->site = site;
	site->untaken++;
	br_site_update(site);
	TAILQ_INSERT_TAIL(&t->dest->handed, t, of_dest);
	prim_table_put(&s->handed, &t->by_delivery,
	    br_transit_hash(&t->message->delivery));
	br_transit_expect_word(t);
	br_transit_history(t, BR_HISTORY_HAND, 0, PRIM_SLICE_NONE);
	br_metric_add(BR_METRIC_HANDOFFS, 1);
	br_host_deliver(t->dest->host, t->message, &how);
	prim_buf_fini(&target);
}

static void hold(struct br_transit *t, struct br_site *site)
{
	t->is_holding = true;
	t->site = site;
	TAILQ_INSERT_TAIL(&site->holding, t, of_dest);
	br_site_update(site);
	if (!t->row) /* a row has time, as long as the link is up */
		br_transit_expect_word(t);
}

static bool is_trial(const struct br_transit *t)
{
	return t->row && t->dest->trial == t->row;
}

/* Who waits while there are suspects waits behind the trial, whenever he came. */
static bool is_next(const struct br_transit *t, const struct br_site *site)
{
	return is_trial(t) ||
	    (TAILQ_EMPTY(&site->holding) && !br_dest_is_careful(t->dest));
}

void br_transit_to_adapter(struct br_transit *t)
{
	struct br_host *host = t->dest->host;
	struct br_site *site;

	if (!br_host_is_up(host)) {
		br_transit_outcome(t, 0, PRIM_SLICE("adapter down"));
		return;
	}
	site = br_dest_site(t->dest, br_transit_domain(t));
	if (br_host_fits(host, br_message_size(t->message)) &&
	    br_site_has_room(site) && is_next(t, site))
		hand(t, site);
	else
		hold(t, site);
}

/* Who waits longest, of every site in turn; while there are suspects only the
 * trial. */
static struct br_transit *next_holding(const struct br_dest *dest)
{
	struct br_transit *t = dest->trial ? dest->trial->transit : NULL;
	struct br_site *site;

	if (br_dest_is_careful(dest))
		return t && t->is_holding ? t : NULL;
	site = TAILQ_FIRST(&dest->holding);
	return site ? TAILQ_FIRST(&site->holding) : NULL;
}

void br_transit_host_room(struct br_server *s, struct br_dest *dest)
{
	struct br_transit *t;

	while ((t = next_holding(dest)) &&
	    br_host_fits(dest->host, br_message_size(t->message))) {
		br_site_rotate(t->site);
		br_transit_unhand(t); /* its site may be gone with that */
		hand(t, br_dest_site(dest, br_transit_domain(t)));
	}
	br_dest_kick(s->outbox, dest);
}

void br_transit_host_down(struct br_server *s, struct br_dest *dest)
{
	struct br_transit *t;
	struct br_site *site;

	(void)s;
	while ((t = TAILQ_FIRST(&dest->handed))) {
		br_transit_unhand(t);
		br_transit_outcome(t,
		    PRIM_SEED(lost_link_is_delivery) ? PRIM_OK : 0,
		    PRIM_SLICE("link lost"));
	}
	while ((site = TAILQ_FIRST(&dest->holding))) {
		t = TAILQ_FIRST(&site->holding);
		br_transit_unhand(t);
		br_transit_outcome(t, 0, PRIM_SLICE("link lost"));
	}
}

static struct br_transit *handed_find(const struct br_server *s,
    const struct br_dest *dest, const struct prim_digest *delivery)
{
	struct prim_table_node *n = prim_table_first(&s->handed,
	    br_transit_hash(delivery));

	for (; n; n = prim_table_next(n)) {
		struct br_transit *t = PRIM_CONTAINER(n, struct br_transit,
		    by_delivery);

		if ((t->dest == dest || PRIM_SEED(report_of_another)) &&
		    prim_digest_eq(&t->message->delivery, delivery))
			return t;
	}
	return NULL;
}

void br_transit_taken(struct br_server *s, struct br_dest *dest,
    const struct prim_digest *delivery)
{
	struct br_transit *t = handed_find(s, dest, delivery);
	bool was_full;

	if (!t || !t->is_untaken)
		return;
	if (PRIM_SEED(taken_is_delivered)) {
		br_transit_report(s, dest, delivery, PRIM_OK, PRIM_SLICE_NONE);
		return;
	}
	was_full = !br_site_has_room(t->site);
	br_transit_leave_site(t);
	br_dest_taken(dest, t->row);
	if (was_full || !TAILQ_EMPTY(&dest->holding))
		br_transit_host_room(s, dest);
}

/* ---- later word ---- */

/* About a message that another system had taken, or about none at all. */
static void report_late(struct br_server *s,
    const struct br_store_report *report)
{
	if (br_transit_is_final(report->code) &&
	    report->code != PRIM_UNKNOWN_DELIVERY &&
	    !PRIM_SEED(late_word_unheard))
		br_ending_report(s, report);
}

/* Its next turn may have begun: what is just being read ends when it was. */
static void end_recalled(struct br_server *s, struct br_row *row,
    const struct br_store_report *report)
{
	struct br_transit *t = row->transit;

	if (t && t->is_holding) {
		br_transit_row_end(t, report->code, report->reason);
	} else if (t) {
		br_row_note_recalled(row, report->code);
	} else {
		br_ending_start_unheld(s, row->seq, report->code,
		    br_transit_reason(report->code, report->reason));
		br_row_drop(s->outbox, row);
	}
}

/* About one that was taken back and has not been handed over again. */
static bool settle_recalled(struct br_server *s, const struct br_dest *dest,
    const struct br_store_report *report)
{
	struct br_row *row = br_dest_recalled(dest, &report->delivery);

	if (!row)
		return false;
	/* What follows links is not at its end with a refusal: it is asked
	 * there again, and goes on then. */
	if (br_transit_is_final(report->code) &&
	    !(row->lane->target && br_transit_is_refusal(report->code)))
		end_recalled(s, row, report);
	return true;
}

/* One that was taken back from `dest` while it is on its way to be a row. There
 * are few of them, for a moment. */
static struct br_transit *committing_find(const struct br_server *s,
    const struct br_dest *dest, const struct prim_digest *delivery)
{
	struct br_transit *t;

	if (dest->committing == 0)
		return NULL;
	TAILQ_FOREACH(t, &s->transits, of_server) {
		if (t->is_committing && t->was_handed && t->dest == dest &&
		    prim_digest_eq(&t->message->delivery, delivery))
			return t;
	}
	return NULL;
}

void br_transit_report(struct br_server *s, struct br_dest *dest,
    const struct prim_digest *delivery, unsigned code, struct prim_slice text)
{
	struct br_transit *t = handed_find(s, dest, delivery);
	const struct br_store_report report = { .delivery = *delivery,
		.destination = prim_slice_of(dest->name),
		.code = code,
		.reason = text };

	if (!t)
		t = committing_find(s, dest, delivery);
	if (!t && !settle_recalled(s, dest, &report))
		report_late(s, &report);
	if (!t)
		return;
	br_transit_unhand(t);
	if (t->row)
		br_row_absolve(t->row);
	br_transit_outcome(t, code, text);
}
