/* SPDX-License-Identifier: ISC */
/*
 * Random lives of one contact who is watched and follows, between a small model
 * of an XMPP server and one of the core. Whatever happened: once it is quiet,
 * either side sees the truth.
 */

#include "tests/lib/t.h"

#include "tests/adapters/xmpp/roster_world.h"
#include "tests/lib/random.h"

#define LIVES     60
#define STEPS     400
#define RESOURCES 3

enum how { GONE, HERE, AWAY, HOW_MAX };

struct play {
	struct world w;
	struct xa_roster_ops ops;
	struct t_random random;
	bool is_up;
	/* The XMPP side. */
	enum how user[RESOURCES];
	bool approves, was_probed;
	/* What the user sees. */
	enum how seen[RESOURCES];
	bool may_follow;
	/* The core. */
	enum how principal[RESOURCES];
	bool has_lease; /* of the principal's watch */
	enum how told[RESOURCES];
	bool was_told;
	char follow_id[64];
	bool has_follow, is_asked, owes_notify;
	unsigned unanswered;
};

static struct play *play; /* what the fakes reach into */

static unsigned pick(unsigned count)
{
	return (unsigned)t_random_below(&play->random, count);
}

static void play_say(void *ctx, unsigned leg, const struct xa_word *word)
{
	fake_say(ctx, leg, word);
	assert_true(play->is_up);
	if (strcmp(word->type, "probe") == 0)
		play->was_probed = true;
	else if (strcmp(word->type, "subscribe") == 0)
		play->was_probed = play->approves = true;
	else if (strcmp(word->type, "subscribed") == 0)
		play->may_follow = true;
	else if (strcmp(word->type, "unsubscribed") == 0)
		play->may_follow = false;
	else if (strcmp(word->type, "unavailable") == 0)
		memset(play->seen, 0, sizeof(play->seen));
}

static bool is_online(void)
{
	for (unsigned i = 0; i < RESOURCES; i++) {
		if (play->user[i] != GONE)
			return true;
	}
	return false;
}

/* What comes for one who is not there, his server forgets. */
static void play_show(void *ctx, unsigned leg, const struct xa_presence *p,
    const struct xa_presence_route *route)
{
	fake_show(ctx, leg, p, route);
	assert_true(play->is_up);
	if (!is_online())
		return;
	if (!p->resource) {
		assert_false(p->is_available);
		memset(play->seen, 0, sizeof(play->seen));
		return;
	}
	play->seen[p->resource[0] - '0'] = !p->is_available ? GONE
	    : p->show == XA_SHOW_AWAY                       ? AWAY
							    : HERE;
}

static bool play_subscribe(void *ctx, const struct bridge_subscription *s)
{
	fake_subscribe(ctx, s);
	if (!prim_slice_eq(s->id, prim_slice_of(play->follow_id)))
		play->has_follow = false;
	keep_id(play->follow_id, s->id);
	play->is_asked = true;
	return true;
}

static bool play_unsubscribe(void *ctx, const struct bridge_subscription *s)
{
	(void)ctx;
	if (prim_slice_eq(s->id, prim_slice_of(play->follow_id)))
		play->has_follow = false;
	return true;
}

static bool play_notify(void *ctx, const struct bridge_notification *n)
{
	const struct prim_pidf *p = &((struct world *)ctx)->pidf;

	fake_notify(ctx, n);
	assert_true(play->has_lease);
	assert_int_equal(play->unanswered, 0);
	play->unanswered++;
	play->was_told = true;
	memset(play->told, 0, sizeof(play->told));
	for (unsigned i = 0; i < p->tuple_count; i++) {
		const struct prim_pidf_tuple *t = &p->tuples[i];

		if (t->basic == PRIM_BASIC_OPEN)
			play->told[t->id.ptr[t->id.len - 1] - '0'] = t->show.len
			    ? AWAY
			    : HERE;
	}
	return true;
}

/*
 * The XMPP server.
 */

static void user_says(unsigned resource)
{
	struct xa_presence p = {
		.is_available = play->user[resource] != GONE,
		.show = play->user[resource] == AWAY ? XA_SHOW_AWAY
						     : XA_SHOW_NONE,
		.resource = prim_alloc(2),
		.idle_since_ms = XA_NO_TIME,
		.stamp_ms = play->w.now_ms,
	};
	const struct xa_heard h = {
		.kind = XA_HEARD_PRESENCE,
		.from = PAIR.theirs,
		.presence = &p,
	};

	p.resource[0] = (char)('0' + resource);
	xa_roster_hear(play->w.roster, &PAIR, &h, play->w.now_ms);
}

static void answer_probe(void)
{
	unsigned count = 0;

	if (!play->was_probed || !play->is_up)
		return;
	play->was_probed = false;
	run_step(&play->w, "subscribed");
	for (unsigned i = 0; i < RESOURCES; i++) {
		if (play->user[i] != GONE) {
			user_says(i);
			count++;
		}
	}
	if (count == 0)
		run_step(&play->w, "-");
}

static void user_changes(void)
{
	unsigned i = pick(RESOURCES);
	enum how how = (enum how)pick(HOW_MAX);
	bool was_online = is_online();

	if (how == play->user[i])
		return;
	play->user[i] = how;
	if (play->is_up && play->approves)
		user_says(i);
	if (was_online == is_online())
		return;
	/* A session that begins knows nothing, and its server asks. */
	memset(play->seen, 0, sizeof(play->seen));
	if (play->is_up && play->may_follow && is_online())
		do_hear(&play->w, XA_HEARD_PROBE, "x");
}

/*
 * The core.
 */

static void core_tells(void)
{
	struct prim_buf list = { 0 };
	char word[16], *text;

	for (unsigned i = 0; i < RESOURCES; i++) {
		snprintf(word, sizeof(word), "%s%c%u%s", i ? " " : "",
		    play->principal[i] == GONE ? '-' : '+', i,
		    play->principal[i] == AWAY ? " away" : "");
		prim_buf_puts(&list, word);
	}
	text = prim_buf_steal(&list);
	prim_buf_reset(&play->w.said);
	do_notify(&play->w, play->follow_id, text, 3600);
	prim_free(text);
	prim_buf_putc(&play->w.said, '\0');
	if (strncmp(play->w.said.ptr, "403", 3) == 0)
		play->has_follow = false;
	xa_roster_go(play->w.roster, play->w.now_ms);
}

static void core_answers(void)
{
	if (play->unanswered) {
		play->unanswered--;
		do_outcome(&play->w, BRIDGE_NOTIFY, 200, 0);
		xa_roster_go(play->w.roster, play->w.now_ms);
	}
	if (play->is_asked) {
		play->is_asked = false;
		play->has_follow = true;
		do_outcome(&play->w, BRIDGE_SUBSCRIBE, 200, 3600);
		core_tells();
	}
}

static void core_watches(void)
{
	play->has_lease = true;
	do_subscribe(&play->w, "s1", 3600);
}

static void core_stops(void)
{
	if (!play->has_lease)
		return;
	play->has_lease = play->was_told = false;
	play->unanswered = 0;
	do_unsubscribe(&play->w, "s1");
}

static void principal_changes(void)
{
	play->principal[pick(RESOURCES)] = (enum how)pick(HOW_MAX);
	if (play->has_follow)
		core_tells();
}

/* kill -9 of the adapter. */
static void adapter_dies(void)
{
	xa_roster_free(play->w.roster);
	play->is_up = play->was_probed = false;
	play->is_asked = false;
	play->unanswered = 0;
	play->w.room = 256;
	do_restore(&play->w);
	xa_roster_restored(play->w.roster, true, play->w.now_ms);
	if (play->has_lease)
		core_watches();
	if (play->has_follow)
		core_tells();
}

/*
 * The play.
 */

static void turn_leg(bool is_up)
{
	play->is_up = is_up;
	if (is_up)
		xa_roster_up(play->w.roster, 0, play->w.now_ms);
	else
		xa_roster_down(play->w.roster, 0, play->w.now_ms);
	if (!is_up)
		play->was_probed = false;
}

static void leave(void)
{
	if (play->is_up)
		do_hear(&play->w, XA_HEARD_UNSUBSCRIBE, "");
}

static void step(void)
{
	play->w.room = pick(8) ? 256 : 1;
	switch (pick(16)) {
	case 0:
		turn_leg(!play->is_up);
		break;
	case 1:
		core_watches();
		break;
	case 2:
		if (pick(4) == 0)
			core_stops();
		break;
	case 3:
		if (play->is_up)
			do_hear(&play->w, XA_HEARD_SUBSCRIBE, "");
		break;
	case 4:
		if (pick(4) == 0)
			leave();
		break;
	case 5:
		if (pick(4) == 0)
			adapter_dies();
		break;
	case 6:
	case 7:
		if (play->is_up)
			do_hear(&play->w, XA_HEARD_PROBE, "x");
		break;
	case 8:
	case 9:
	case 10:
		user_changes();
		break;
	default:
		principal_changes();
		break;
	}
	xa_roster_go(play->w.roster, play->w.now_ms);
	if (pick(3))
		answer_probe();
	if (pick(3))
		core_answers();
	if (pick(2))
		do_wait(&play->w, pick(2) ? 50 : (int64_t)pick(20000));
	prim_buf_reset(&play->w.said);
}

static void settle(void)
{
	if (!play->is_up)
		turn_leg(true);
	for (unsigned i = 0; i < 80; i++) {
		play->w.room = 256;
		xa_roster_go(play->w.roster, play->w.now_ms);
		answer_probe();
		core_answers();
		do_wait(&play->w, 500);
	}
	prim_buf_reset(&play->w.said);
}

static void check(unsigned life, unsigned at)
{
	if (play->has_lease &&
	    (!play->was_told ||
		memcmp(play->told, play->user, sizeof(play->told)) != 0))
		fail_msg("life %u, step %u: the watcher sees %d%d%d, not "
			 "%d%d%d",
		    life, at, play->told[0], play->told[1], play->told[2],
		    play->user[0], play->user[1], play->user[2]);
	if (play->may_follow && play->has_follow && is_online() &&
	    memcmp(play->seen, play->principal, sizeof(play->seen)) != 0)
		fail_msg("life %u, step %u: the follower sees %d%d%d, not "
			 "%d%d%d",
		    life, at, play->seen[0], play->seen[1], play->seen[2],
		    play->principal[0], play->principal[1], play->principal[2]);
	if (!play->may_follow &&
	    play->seen[0] + play->seen[1] + play->seen[2] > 0)
		fail_msg("life %u, step %u: seen by who may not", life, at);
}

static void live(unsigned life)
{
	struct play p = { .random = { life + 1 } };

	play = &p;
	p.ops = FAKE_OPS;
	p.ops.say = play_say;
	p.ops.show = play_show;
	p.ops.subscribe = play_subscribe;
	p.ops.unsubscribe = play_unsubscribe;
	p.ops.notify = play_notify;
	world_init_with(&p.w, &p.ops);
	xa_roster_restored(p.w.roster, true, p.w.now_ms);
	for (unsigned i = 0; i < STEPS; i++) {
		step();
		if (i % 40 == 39) {
			settle();
			check(life, i);
		}
	}
	world_fini(&p.w);
}

static void whatever_happens_the_truth_is_seen_in_the_end(void **state)
{
	(void)state;
	for (unsigned life = 0; life < LIVES; life++)
		live(life);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_happens_the_truth_is_seen_in_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
