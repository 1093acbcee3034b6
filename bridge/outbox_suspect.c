/* SPDX-License-Identifier: ISC */
/*
 * Messages that may have killed their adapter (DESIGN 7). After a death all it
 * had are suspects. They are handed over alone, one after the other: the next
 * one when the adapter has outlived the former. So a death has one culprit, and
 * the third in his name ends it.
 *
 * One that kills late, when others are with the adapter again, makes all of them
 * suspects a second time; from then on a trial lasts until there is word of it,
 * or a while.
 */

#include "bridge/outbox_private.h"

#include "bridge/server.h"
#include "bridge/transit.h"
#include "prim/base.h"
#include "prim/seed.h"

#define TRIAL_MS 2000

/* A lane that waits for its next try holds up nobody else. */
static bool is_pausing(const struct br_row *row)
{
	return prim_timer_is_set(&row->lane->retry);
}

bool br_dest_is_careful(const struct br_dest *dest)
{
	const struct br_row *row;

	if (PRIM_SEED(suspects_together))
		return false;
	if (dest->trial)
		return true;
	TAILQ_FOREACH(row, &dest->suspects, of_suspects) {
		if (row->transit || !is_pausing(row))
			return true;
	}
	return false;
}

void br_row_suspect(struct br_row *row)
{
	struct br_dest *dest = row->lane->dest;
	struct br_row *before = TAILQ_LAST(&dest->suspects, br_rows);

	if (row->is_suspect || !dest->host)
		return;
	row->is_suspect = true;
	/* In the order of seq, which is that of their lanes. */
	while (before && before->seq > row->seq)
		before = TAILQ_PREV(before, br_rows, of_suspects);
	if (before)
		TAILQ_INSERT_AFTER(&dest->suspects, before, row, of_suspects);
	else
		TAILQ_INSERT_HEAD(&dest->suspects, row, of_suspects);
}

static void end_trial(struct br_dest *dest)
{
	prim_timer_stop(&dest->outbox->server->wheel, &dest->acquittal);
	dest->trial = NULL;
	dest->is_probed = false;
	br_dest_soon(dest);
}

void br_row_absolve(struct br_row *row)
{
	row->deaths = 0;
	br_row_acquit(row);
}

void br_row_acquit(struct br_row *row)
{
	struct br_dest *dest = row->lane->dest;

	if (row->is_suspect) {
		row->is_suspect = false;
		TAILQ_REMOVE(&dest->suspects, row, of_suspects);
		br_dest_soon(dest); /* others may go, or the next suspect */
	}
	if (dest->trial == row)
		end_trial(dest);
}

void br_row_untry(struct br_row *row)
{
	struct br_dest *dest = row->lane->dest;

	if (dest && dest->trial == row)
		end_trial(dest);
}

struct br_row *br_dest_next_trial(struct br_dest *dest)
{
	struct br_row *row = TAILQ_FIRST(&dest->suspects);

	if (dest->trial)
		return NULL;
	while (row && (row->transit || is_pausing(row)))
		row = TAILQ_NEXT(row, of_suspects);
	/* In its lane nothing overtakes. */
	if (row && row->lane->next->seq < row->seq)
		return row->lane->next;
	return row;
}

void br_dest_taken(struct br_dest *dest, const struct br_row *row)
{
	if (!row || row != dest->trial)
		return;
	dest->is_probed = true;
	dest->probes++;
	br_host_probe(dest->host);
}

static void acquit(struct br_dest *dest)
{
	br_row_acquit(dest->trial);
	br_dest_soon(dest);
}

void br_dest_alive(struct br_dest *dest)
{
	struct br_server *s = dest->outbox->server;

	if (dest->probes > 0)
		dest->probes--;
	/* The last of them went behind the trial; those before tell of others. */
	if (!dest->trial || !dest->is_probed || dest->probes > 0)
		return;
	if (dest->trial->suspicions <= 1)
		acquit(dest);
	else if (!prim_timer_is_set(&dest->acquittal))
		prim_timer_set(&s->wheel, &dest->acquittal,
		    br_server_now(s) + TRIAL_MS);
}

void br_dest_on_acquittal(struct prim_timer *t)
{
	struct br_dest *dest = PRIM_CONTAINER(t, struct br_dest, acquittal);

	if (dest->trial)
		acquit(dest);
}

/* The only one that can have done it. */
static struct br_transit *culprit_of(const struct br_dest *dest)
{
	struct br_transit *t = dest->trial ? dest->trial->transit : NULL;

	if (t && t->is_handed)
		return t;
	t = TAILQ_FIRST(&dest->handed);
	return t && !TAILQ_NEXT(t, of_dest) ? t : NULL;
}

static void accuse(struct br_transit *t, bool is_culprit)
{
	if (!t->row) { /* it will be stored, with this */
		t->deaths += is_culprit;
		t->is_suspect = true;
		return;
	}
	t->row->deaths += is_culprit;
	t->row->suspicions++;
	br_row_suspect(t->row);
}

void br_dest_died(struct br_dest *dest)
{
	struct br_transit *culprit = culprit_of(dest);
	struct br_transit *t;

	dest->probes = 0; /* nobody answers them any more */
	if (culprit) {
		accuse(culprit, !PRIM_SEED(death_not_counted));
	} else {
		TAILQ_FOREACH(t, &dest->handed, of_dest)
			accuse(t, PRIM_SEED(all_suspects_counted));
	}
}
