/* SPDX-License-Identifier: ISC */
/* What may happen at random in a world of messages. */

#include "tests/bridge/world_deed.h"

#include <string.h>

#include "bridge/outbox_private.h"
#include "bridge/store_private.h"
#include "prim/base.h"
#include "tests/bridge/world_fate.h"
#include "tests/bridge/world_kill.h"

/* In all worlds together nobody's time runs out who waits for a reader. */
#define DAYS_MAX 5
#define DAY_MS   86400000

void town_open(struct town *town, unsigned seed)
{
	mail_open(&town->mail, seed);
	readers_init(town->readers, &town->mail);
	carriers_init(town->carriers, &town->mail);
	town->orders = 0;
}

void town_close(struct town *town)
{
	if (town->orders > 0)
		br_store_settle(town->mail.world.server->store);
	mail_close(&town->mail);
}

static struct reader *some_reader(struct town *town)
{
	return &town->readers[mail_below(&town->mail, MAIL_GUESTS)];
}

static struct carrier *some_carrier(struct town *town)
{
	return &town->carriers[mail_below(&town->mail, MAIL_CARRIERS)];
}

/* ---- messages ---- */

static void send_some(struct town *town)
{
	struct mail *m = &town->mail;
	struct reader *r = some_reader(town);

	for (unsigned i = mail_below(m, 6) ? 1 : mail_below(m, 80); i > 0; i--)
		reader_send(m, r);
}

static void repeat_some(struct town *town)
{
	reader_repeat(&town->mail, some_reader(town));
}

static void carriers_send(struct town *town)
{
	carrier_send(&town->mail, some_carrier(town));
}

static void carriers_act(struct town *town)
{
	struct carrier *c = some_carrier(town);

	for (unsigned i = mail_below(&town->mail, 4); i > 0; i--)
		carrier_act(&town->mail, c);
}

static void answer_late(struct town *town)
{
	reader_settle(&town->mail, some_reader(town));
}

/* ---- coming and going ---- */

static void come_or_go(struct town *town)
{
	struct mail *m = &town->mail;
	struct reader *r = some_reader(town);

	if (!reader_is_good(r)) {
		reader_come(m, r, mail_below(m, MAIL_PEOPLE));
		if (mail_below(m, 3))
			reader_listen(m, r, true);
	} else if (mail_may(m, MAIL_LOST, 3)) {
		reader_go(m, r);
	} else if (mail_may(m, MAIL_DEAF, 3)) {
		reader_deafen(r, !r->conn->is_deaf);
	} else {
		reader_listen(m, r, mail_below(m, 3) > 0);
	}
}

static void change_carrier(struct town *town)
{
	struct mail *m = &town->mail;
	struct carrier *c = some_carrier(town);

	if (!carrier_is_up(c))
		carrier_come(m, c);
	else if (mail_may(m, MAIL_DYING, 3))
		carrier_die(m, c);
	else if (mail_below(m, 3) == 0)
		carrier_window(m, c, 0);
	else
		carrier_window(m, c,
		    mail_below(m, 2) ? 1024 : mail_below(m, 8));
}

static void turn_clock(struct town *town)
{
	static const int64_t FAR[] = { 12000, 70000, 400000, 1300000, 3600000,
		DAY_MS };
	struct mail *m = &town->mail;
	int64_t ms = mail_below(m, 4) ? mail_below(m, 2000) : 6000;

	if (mail_may(m, MAIL_JUMPS, 3))
		ms = FAR[mail_below(m, PRIM_COUNT(FAR))];
	if (mail_now(m) + ms < TALK_START_MS + (int64_t)DAYS_MAX * DAY_MS)
		talk_world_advance(&m->world, ms);
}

/* ---- identities ---- */

static void change_link(struct town *town)
{
	struct mail *m = &town->mail;
	unsigned place = MAIL_FOREIGN +
	    mail_below(m, MAIL_PLACES - MAIL_FOREIGN);
	unsigned who = mail_below(m, MAIL_PEOPLE), owner = m->owner[place];
	struct prim_slice address = prim_slice_of(mail_address(place));

	if (!mail_may(m, MAIL_LINKED, 1))
		return;
	if (owner == MAIL_PEOPLE) {
		if (talk_world_link(&m->world, mail_name(who), address))
			m->owner[place] = who;
	} else if (mail_below(m, 3) &&
	    talk_world_unlink(&m->world, mail_name(owner), address)) {
		m->owner[place] = MAIL_PEOPLE;
	}
}

static void change_order(struct town *town)
{
	static const char *const ORDERS[] = { "rob@far.example prim",
		"prim rob@far.example", "may@off.example rob@far.example",
		"prim", "" };
	struct mail *m = &town->mail;
	struct prim_slice name = mail_name(mail_below(m, MAIL_PEOPLE));

	if (mail_may(m, MAIL_LINKED, 1))
		(void)talk_world_order(&m->world, name,
		    prim_slice_of(ORDERS[mail_below(m, PRIM_COUNT(ORDERS))]));
}

static void remove_account(struct town *town)
{
	struct mail *m = &town->mail;
	unsigned who = mail_below(m, MAIL_PEOPLE);
	struct prim_slice key = prim_slice_of(mail_address(who));

	if (m->is_broken || !mail_may(m, MAIL_REMOVED, 4))
		return;
	for (unsigned i = 0; i < m->count; i++)
		m->messages[i].is_excused |= m->messages[i].sender == who;
	for (unsigned i = 0; i < MAIL_PLACES; i++) {
		if (m->owner[i] == who)
			m->owner[i] = MAIL_PEOPLE;
	}
	m->has_account[who] = false;
	mail_trace(m, "account goes ", who, key);
	talk_world_remove(&m->world, mail_name(who));
	if (mail_below(m, 3) == 0)
		return;
	br_clock_turn(&m->world.server->clock, 1); /* or it would be the same */
	m->has_account[who] = talk_world_account(&m->world, mail_name(who),
	    PRIM_SLICE_NONE);
	br_server_account_changed(m->world.server, key);
}

/* ---- the operator ---- */

static void on_ordered(void *arg, const char *why)
{
	unsigned *pending = arg;

	(void)why;
	--*pending;
}

/* One that waits, or one that did. */
static int64_t some_seq(struct mail *m)
{
	const struct br_outbox *o = m->world.server->outbox;
	const struct br_row *row = TAILQ_FIRST(&o->rows);
	size_t skip = o->row_count ? mail_below(m, (unsigned)o->row_count) : 0;

	if (!row || mail_below(m, 3) == 0)
		return 1 + mail_below(m, m->count + 1);
	while (skip-- > 0)
		row = TAILQ_NEXT(row, of_outbox);
	return row->seq;
}

/* Notices are left alone: nobody would hear of it. */
static void order_something(struct town *town)
{
	struct mail *m = &town->mail;
	struct br_outbox *o = m->world.server->outbox;
	int64_t seq = some_seq(m);
	const struct br_row *row = br_outbox_find(o, seq);
	enum br_outbox_verb verb = (enum br_outbox_verb)mail_below(m, 3);

	if (!mail_may(m, MAIL_ORDERS, 1) || (row && row->is_notice) ||
	    (!row && verb != BR_OUTBOX_RETRY))
		return;
	town->orders++;
	br_outbox_order(o, seq, verb, on_ordered, &town->orders);
	if (!mail_may(m, MAIL_SLOW, 2))
		br_store_settle(m->world.server->store);
}

static void reload(struct town *town)
{
	if (mail_may(&town->mail, MAIL_RELOADED, 2))
		mail_reload(&town->mail);
}

/* ---- what is done to it ---- */

static int interrupt(void *arg)
{
	(void)arg;
	return 1;
}

void deed_break(struct town *town, bool is_broken)
{
	struct mail *m = &town->mail;
	struct br_store *s = m->world.server->store;
	struct sqlite3 *write = s->write[BR_STORE_QUEUE].sql;
	struct sqlite3 *read = s->read[BR_STORE_QUEUE].sql;
	bool also_read = mail_below(m, 2);

	mail_turn(m); /* the store has nothing to do */
	mail_trace(m, is_broken ? "store fails" : "store works", 0,
	    PRIM_SLICE_NONE);
	m->is_broken = is_broken;
	m->was_broken |= is_broken;
	sqlite3_progress_handler(write, 1, is_broken ? interrupt : NULL, NULL);
	sqlite3_progress_handler(read, 1,
	    is_broken && also_read ? interrupt : NULL, NULL);
}

static void break_store(struct town *town)
{
	if (town->mail.is_broken)
		deed_break(town, false);
	else if (mail_may(&town->mail, MAIL_BROKEN, 2))
		deed_break(town, true);
}

static void kill_it(struct town *town)
{
	if (mail_may(&town->mail, MAIL_KILLED, 2))
		kill_server(town);
}

/* ---- one of them ---- */

static const struct deed {
	unsigned share;
	void (*act)(struct town *town);
} DEEDS[] = {
	{4,   repeat_some    },
	{ 40, send_some      },
	{ 10, carriers_send  },
	{ 16, carriers_act   },
	{ 6,  answer_late    },
	{ 10, come_or_go     },
	{ 8,  change_carrier },
	{ 8,  turn_clock     },
	{ 4,  change_link    },
	{ 2,  change_order   },
	{ 1,  remove_account },
	{ 6,  order_something},
	{ 1,  reload         },
	{ 2,  break_store    },
	{ 1,  kill_it        },
};

#define SMALL 5 /* of them are */

static void act(struct town *town, unsigned count)
{
	unsigned total = 0, i = 0, k;

	for (k = 0; k < count; k++)
		total += DEEDS[k].share;
	for (k = mail_below(&town->mail, total); k >= DEEDS[i].share; i++)
		k -= DEEDS[i].share;
	DEEDS[i].act(town);
}

void deed_any(struct town *town)
{
	act(town, PRIM_COUNT(DEEDS));
}

void deed_small(struct town *town)
{
	act(town, SMALL);
}

/* ---- hearing ---- */

void deed_hear_all(struct town *town)
{
	for (unsigned i = 0; i < MAIL_READERS; i++)
		reader_hear(&town->mail, &town->readers[i]);
	for (unsigned i = 0; i < MAIL_CARRIERS; i++)
		carrier_hear(&town->mail, &town->carriers[i]);
}

void deed_hear_some(struct town *town)
{
	for (unsigned i = 0; i < MAIL_READERS; i++) {
		if (mail_below(&town->mail, 4))
			reader_hear(&town->mail, &town->readers[i]);
	}
	for (unsigned i = 0; i < MAIL_CARRIERS; i++) {
		if (mail_below(&town->mail, 4))
			carrier_hear(&town->mail, &town->carriers[i]);
	}
}
