/* SPDX-License-Identifier: ISC */
/*
 * Worlds that are played at random: clients who subscribe, publish, leave and
 * come back, an adapter that lies and dies, accounts that go and come as
 * others, rules that change; then all comes to rest, and what must hold then is
 * looked at. Some worlds end in the middle of it instead.
 *
 * PRIM_LONG=1 plays more of them, PRIM_WORLD=n only the number n, and
 * prints what is said in it.
 */

#include "tests/lib/t.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef PRIMBRIDGE_SANITIZE
#include <sanitizer/lsan_interface.h>
#endif

#include "bridge/log.h"
#include "prim/base.h"
#include "tests/bridge/world_client.h"
#include "tests/bridge/world_far.h"
#include "tests/bridge/world_model.h"
#include "tests/bridge/world_play.h"
#include "tests/bridge/world_rest.h"
#include "tests/talk/world.h"

#define FIRST     2779 /* the seeds count from here */
#define WORLDS    120
#define LONG_FORM 30 /* times as many */
#define STEPS_MIN 100
#define STEPS_MAX 500

static struct play play; /* large */
static struct far far;
static unsigned long answers, notifies;

/* ---- steps ---- */

static struct play_client *some_client(struct play *p)
{
	return &p->clients[play_below(p, PLAY_GUESTS)];
}

static int64_t some_seconds(struct play *p)
{
	static const int64_t SECONDS[] = { 0, 1, 5, 60, 600, 3000000 };

	return SECONDS[play_below(p, PRIM_COUNT(SECONDS))];
}

static void ask(struct play *p)
{
	static const enum prim_method METHODS[] = { PRIM_METHOD_SUBSCRIBE,
		PRIM_METHOD_SUBSCRIBE, PRIM_METHOD_UNSUBSCRIBE,
		PRIM_METHOD_FETCH };
	enum prim_method method = METHODS[play_below(p, PRIM_COUNT(METHODS))];
	struct play_client *c = some_client(p);
	unsigned target = play_below(p, PLAY_TARGETS);

	client_ask(p, c, method, target,
	    method == PRIM_METHOD_SUBSCRIBE ? some_seconds(p) : 0);
}

static void publish(struct play *p)
{
	struct play_client *c = some_client(p);
	unsigned kind = play_below(p, PRIM_PUBLISH_REMOVE + 1);
	unsigned tuple = play_below(p, PLAY_TUPLES);

	if (client_publishes(p, c->who, c) && !(p->temper & PLAY_CROWDED))
		return;
	client_publish(p, c, (enum prim_publication_kind)kind, tuple,
	    1 + play_below(p, 40));
}

static void far_asks(struct play *p)
{
	bool is_more = play_below(p, 3) > 0;

	far_ask(&far, p,
	    is_more ? PRIM_METHOD_SUBSCRIBE : PRIM_METHOD_UNSUBSCRIBE,
	    is_more ? some_seconds(p) : 0);
}

static void far_tells(struct play *p)
{
	unsigned count = far.watched_count < FAR_WATCHED ? far.watched_count
							 : FAR_WATCHED;

	if (count > 0)
		far_tell(&far, p, play_below(p, count),
		    play_may(p, PLAY_LYING, 6));
}

static void far_ends(struct play *p)
{
	if (play_may(p, PLAY_DYING, 2))
		far_die(&far);
	else
		far_come(&far, p);
}

static void come_or_go(struct play *p)
{
	struct play_client *c = some_client(p);

	if (!client_is_good(c)) {
		client_come(p, c, play_below(p, PLAY_PEOPLE));
		return;
	}
	if (play_below(p, 4))
		return;
	if (!play_may(p, PLAY_LOST, 1))
		rest(p, &far);
	if (play_below(p, 4) == 0)
		client_logout(p, c);
	else
		client_go(p, c, play_below(p, 4) == 0);
}

static void turn_clock(struct play *p)
{
	if (!play_may(p, PLAY_JUMPS, 1))
		rest(p, &far);
	br_clock_turn(&p->world.server->clock,
	    play_below(p, 4) ? play_below(p, 2000) : 12000);
	br_server_turn(p->world.server); /* what is due is not late */
}

static void be_deaf(struct play *p)
{
	struct play_client *c = some_client(p);

	c->conn->is_deaf = play_may(p, PLAY_DEAF, 2);
}

/* Half of the time nobody has noticed when it is there again. */
static void replace_account(struct play *p, unsigned who)
{
	struct prim_slice key = prim_slice_of(play_address(who)), rest_of = key;
	struct prim_slice name = prim_slice_cut(&rest_of, '@');
	struct br_server *s = p->world.server;

	play_trace(p, "account goes ", who, key);
	if (play_below(p, 2)) {
		talk_world_remove(&p->world, name);
	} else {
		br_store_account_drop(s->store, key, NULL, NULL);
		br_store_settle(s->store);
		br_server_account_changed(s, key);
	}
	if (play_below(p, 4) == 0)
		return;
	br_clock_turn(&s->clock, 1); /* or it would be the same */
	play_trace(p, "account comes ", who, key);
	p->people[who].has_account = talk_world_account(&p->world, name,
	    PRIM_SLICE_NONE);
	br_server_account_changed(s, key);
}

static void change_account(struct play *p)
{
	unsigned who = play_below(p, PLAY_PEOPLE);

	if (!play_may(p, PLAY_REMOVED, 3)) {
		br_server_account_changed(p->world.server,
		    prim_slice_of(play_address(who)));
		return;
	}
	if (!play_may(p, PLAY_LOST, 1))
		rest(p, &far);
	if (client_publishes(p, who, NULL))
		p->people[who].is_unknown = true;
	play_removed(p, who);
	replace_account(p, who);
}

static void change_rules(struct play *p)
{
	if (!play_may(p, PLAY_RULED, 3))
		return;
	play_rule(p, play_below(p, 3) == 0);
	for (unsigned who = 0; who < PLAY_PEOPLE; who++) {
		for (unsigned i = 0; i < PLAY_TARGETS; i++)
			play_unsure(p, who, i);
	}
}

static const struct {
	unsigned share;
	void (*act)(struct play *p);
} ACTS[] = {
	{10,  come_or_go    },
	{ 28, ask           },
	{ 16, publish       },
	{ 8,  far_asks      },
	{ 10, far_tells     },
	{ 4,  far_ends      },
	{ 6,  turn_clock    },
	{ 2,  be_deaf       },
	{ 2,  change_account},
	{ 1,  change_rules  },
};

static void act(struct play *p)
{
	unsigned total = 0, i = 0, k;

	for (k = 0; k < PRIM_COUNT(ACTS); k++)
		total += ACTS[k].share;
	for (k = play_below(p, total); k >= ACTS[i].share; i++)
		k -= ACTS[i].share;
	ACTS[i].act(p);
}

/* Nothing, a turn without the store, or all that can happen by itself; then
 * some hear it. */
static void turn(struct play *p)
{
	unsigned how = play_below(p, 4);

	if (how == 0)
		return;
	if (how < 3)
		talk_world_nudge(&p->world);
	else
		talk_world_turn(&p->world);
	for (unsigned i = 0; i < PLAY_GUESTS; i++) {
		if (play_below(p, 4))
			client_hear(p, &p->clients[i]);
	}
	far_hear(&far, p);
}

/* ---- worlds ---- */

static unsigned open_files(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

static void cut(struct play *p)
{
	if (play_below(p, 2))
		return;
	br_server_stop(p->world.server);
	for (unsigned i = play_below(p, 6); i > 0; i--)
		turn(p);
}

static void play_world(unsigned seed)
{
	unsigned files = open_files(), steps;

	play_open(&play, seed);
	far_init(&far, &play);
	steps = STEPS_MIN + play_below(&play, STEPS_MAX - STEPS_MIN);
	for (; play.step < steps; play.step++) {
		act(&play);
		turn(&play);
	}
	if (play_below(&play, 3) == 0)
		cut(&play);
	else
		rest_and_look(&play, &far);
	answers += play.answers;
	notifies += play.notifies;
	play_close(&play);
	play_expect(&play, open_files() == files, "a file is left open");
}

static void worlds_come_to_rest(void **state)
{
	const char *one = getenv("PRIM_WORLD");
	unsigned count = getenv("PRIM_LONG") ? WORLDS * LONG_FORM : WORLDS;
	unsigned first = one ? (unsigned)strtoul(one, NULL, 10) : FIRST;

	(void)state;
	count = one ? 1 : count;
	print_message("worlds %u to %u\n", first, first + count - 1);
	for (unsigned i = 0; i < count; i++)
		play_world(first + i);
	print_message("%lu answers, %lu NOTIFYs\n", answers, notifies);
#ifdef PRIMBRIDGE_SANITIZE
	assert_int_equal(__lsan_do_recoverable_leak_check(), 0);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worlds_come_to_rest),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	br_log_set_level(getenv("PRIM_WORLD") ? BR_LOG_DEBUG : BR_LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
