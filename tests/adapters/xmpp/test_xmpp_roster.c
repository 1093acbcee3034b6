/* SPDX-License-Identifier: ISC */
/* Many contacts: the pace, the bounds, and what lasts. */

#include "tests/lib/t.h"

#include "adapters/xmpp/bucket.h"
#include "tests/adapters/xmpp/roster_world.h"

struct many {
	struct xa_pair pair;
	char ours[64], principal[64], theirs[64], user[64];
};

/* The n-th pair. */
static const struct xa_pair *pair_of(struct many *m, unsigned n)
{
	snprintf(m->ours, sizeof(m->ours), "p%u@prim.example", n);
	snprintf(m->principal, sizeof(m->principal), "pres:p%u@prim.example",
	    n);
	snprintf(m->theirs, sizeof(m->theirs), "u%u@jabber.example", n);
	snprintf(m->user, sizeof(m->user), "pres:u%u@jabber.example", n);
	m->pair = (struct xa_pair){
		.ours = prim_slice_of(m->ours),
		.theirs = prim_slice_of(m->theirs),
		.principal = prim_slice_of(m->principal),
		.user = prim_slice_of(m->user),
	};
	return &m->pair;
}

static unsigned subscribe(struct world *w, unsigned n)
{
	struct many m;
	struct bridge_subscription s = { .id = PRIM_SLICE("s"),
		.duration_s = 3600 };
	uint32_t granted_s = 0;

	pair_of(&m, n);
	s.watcher = m.pair.principal;
	s.presentity = m.pair.user;
	return xa_roster_subscribe(w->roster, &m.pair, &s, &granted_s,
	    w->now_ms);
}

static void hear(struct world *w, unsigned n, enum xa_heard_kind kind)
{
	const struct xa_heard h = {
		.kind = kind,
		.from = PRIM_SLICE("juliet@jabber.example"),
	};
	struct many m;

	xa_roster_hear(w->roster, pair_of(&m, n), &h, w->now_ms);
}

static void refuse(struct world *w, unsigned n)
{
	struct bridge_presence_outcome o = {
		.kind = BRIDGE_SUBSCRIBE,
		.id = prim_slice_of(w->sub_id),
		.code = 402,
	};
	struct many m;

	pair_of(&m, n);
	o.watcher = m.pair.user;
	o.presentity = m.pair.principal;
	xa_roster_outcome(w->roster, &m.pair, &o, w->now_ms);
}

static int setup(void **state)
{
	struct world *w = prim_new(struct world);

	world_init(w);
	xa_roster_restored(w->roster, true, w->now_ms);
	xa_roster_up(w->roster, 0, w->now_ms);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	world_fini(*state);
	prim_free(*state);
	return 0;
}

static size_t contacts(struct world *w)
{
	struct xa_roster_counts counts;

	xa_roster_count(w->roster, &counts);
	return counts.contacts;
}

static void a_bucket_lets_so_many_through(void **state)
{
	struct xa_bucket b;

	(void)state;
	xa_bucket_init(&b, 200, 400, 1000);
	for (unsigned i = 0; i < 400; i++) {
		assert_true(xa_bucket_has(&b, 1000));
		xa_bucket_take(&b, 1);
	}
	assert_false(xa_bucket_has(&b, 1000));
	assert_int_equal(xa_bucket_next(&b, 1000), 1005);
	assert_false(xa_bucket_has(&b, 1004));
	assert_true(xa_bucket_has(&b, 1005));
	xa_bucket_take(&b, 11);
	assert_int_equal(xa_bucket_next(&b, 1005), 1060);
	assert_true(xa_bucket_has(&b, INT64_C(1) << 60));
	xa_bucket_take(&b, 400);
	assert_false(xa_bucket_has(&b, INT64_C(1) << 60));
}

static void stanzas_keep_to_the_pace(void **state)
{
	struct world *w = *state;

	w->room = 100000;
	for (unsigned i = 0; i < 3000; i++)
		assert_int_equal(subscribe(w, i), 200);
	xa_roster_go(w->roster, w->now_ms);
	assert_int_equal(w->shown, XA_PACE_BURST);
	do_wait(w, 1000);
	assert_in_range(w->shown, XA_PACE_BURST + XA_PACE_RATE - 1,
	    XA_PACE_BURST + XA_PACE_RATE);
	do_wait(w, 5000);
	assert_in_range(w->shown, XA_PACE_BURST + 6 * XA_PACE_RATE - 1,
	    XA_PACE_BURST + 6 * XA_PACE_RATE);
	do_wait(w, 20000);
	assert_int_equal(w->shown, 3000);
}

static void messages_go_first(void **state)
{
	struct world *w = *state;

	w->is_busy = true;
	subscribe(w, 1);
	xa_roster_go(w->roster, w->now_ms);
	do_wait(w, 1000);
	assert_int_equal(w->shown, 0);
	w->is_busy = false;
	do_wait(w, 60);
	assert_int_equal(w->shown, 1);
}

static void the_core_is_asked_within_its_room(void **state)
{
	struct world *w = *state;
	unsigned asked = 0;

	w->room = 2;
	for (unsigned i = 0; i < 5; i++)
		hear(w, i, XA_HEARD_SUBSCRIBE);
	while (asked < 5) {
		prim_buf_reset(&w->said);
		xa_roster_go(w->roster, w->now_ms);
		prim_buf_putc(&w->said, '\0');
		assert_string_equal(w->said.ptr,
		    asked < 4 ? "SUBSCRIBE; SUBSCRIBE" : "SUBSCRIBE");
		assert_int_equal(w->room, asked < 4 ? 0 : 1);
		asked += 2;
		w->room = 2;
	}
	prim_buf_reset(&w->said);
	xa_roster_go(w->roster, w->now_ms);
	assert_int_equal(w->said.len, 0);
}

static void there_is_a_bound_each_way(void **state)
{
	struct world *w = *state;

	xa_roster_down(w->roster, 0, w->now_ms);
	w->room = 0;
	for (unsigned i = 0; i < XA_ROSTER_MAX; i++) {
		assert_int_equal(subscribe(w, i), 200);
		hear(w, i, XA_HEARD_SUBSCRIBE);
	}
	assert_int_equal(subscribe(w, XA_ROSTER_MAX), 505);
	assert_int_equal(contacts(w), XA_ROSTER_MAX);
	xa_roster_up(w->roster, 0, w->now_ms);
	prim_buf_reset(&w->said);
	hear(w, XA_ROSTER_MAX, XA_HEARD_SUBSCRIBE);
	prim_buf_putc(&w->said, '\0');
	assert_string_equal(w->said.ptr, "error resource-constraint");
	assert_int_equal(contacts(w), XA_ROSTER_MAX);
	assert_int_equal(subscribe(w, 5), 200);
}

static void probes_of_strangers_leave_nothing_behind(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < 3000; i++)
		hear(w, i, XA_HEARD_PROBE);
	assert_int_equal(contacts(w), 3000);
	do_wait(w, 20000);
	assert_int_equal(w->shown, 3000);
	assert_int_equal(contacts(w), 0);
	for (unsigned i = 0; i < 100; i++) {
		hear(w, i, XA_HEARD_UNSUBSCRIBE);
		hear(w, i, XA_HEARD_UNSUBSCRIBED);
		hear(w, i, XA_HEARD_SUBSCRIBED);
	}
	assert_int_equal(contacts(w), 0);
}

/* spec/xmpp.md 5.5 */
static void fifty_changes_in_a_second_are_few_stanzas(void **state)
{
	struct world *w = *state;
	unsigned shown;
	char what[64];

	run_step(w, "subscribe");
	run_step(w, "answer 200");
	run_step(w, "NOTIFY same +phone");
	do_wait(w, 1000);
	shown = w->shown;
	for (unsigned i = 0; i < 50; i++) {
		snprintf(what, sizeof(what), "NOTIFY same +phone %s",
		    i % 2 ? "away" : "dnd");
		run_step(w, what);
		do_wait(w, 20);
	}
	do_wait(w, 1000);
	assert_in_range(w->shown - shown, 4, 5);
}

/* The n-th principal, probed by one and the same. */
static void probe_by_mercutio(struct world *w, unsigned n)
{
	struct xa_heard h = {
		.kind = XA_HEARD_PROBE,
		.from = PRIM_SLICE("mercutio@jabber.example/x"),
	};
	struct many m;

	pair_of(&m, n);
	m.pair.theirs = PRIM_SLICE("mercutio@jabber.example");
	xa_roster_hear(w->roster, &m.pair, &h, w->now_ms);
}

static void many_strangers_wait_behind_one_friend(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < 50000; i++)
		hear(w, i, XA_HEARD_PROBE);
	assert_int_equal(contacts(w), 10000);
	xa_roster_go(w->roster, w->now_ms);
	prim_buf_reset(&w->said);
	assert_int_equal(subscribe(w, 3), 200);
	subscribe(w, 60000);
	do_wait(w, 20);
	prim_buf_putc(&w->said, '\0');
	assert_non_null(strstr(w->said.ptr, "; subscribe"));
	assert_non_null(strstr(w->said.ptr, "; subscribe; unsubscribed"));
}

static void one_user_does_not_use_up_the_pace(void **state)
{
	struct world *w = *state;
	unsigned shown;

	for (unsigned i = 0; i < 5000; i++)
		probe_by_mercutio(w, i);
	do_wait(w, 10000);
	assert_in_range(w->shown, XA_USER_BURST, XA_USER_BURST + 250);
	shown = w->shown;
	for (unsigned i = 0; i < 100; i++)
		hear(w, i, XA_HEARD_PROBE);
	do_wait(w, 1000);
	assert_in_range(w->shown - shown, 115, 135);
	do_wait(w, 300000);
	assert_int_equal(w->shown, 5100);
	assert_int_equal(contacts(w), 0);
}

/* Each time it would be a SUBSCRIBE at the core, and lines of the log. */
static void who_asks_without_end_is_not_heard(void **state)
{
	struct world *w = *state;
	unsigned asked = 0;

	for (unsigned i = 0; i < 2000; i++) {
		w->room = 256;
		hear(w, 1, XA_HEARD_SUBSCRIBE);
		xa_roster_go(w->roster, w->now_ms);
		asked += 256 - w->room;
		refuse(w, 1);
		xa_roster_go(w->roster, w->now_ms);
	}
	assert_in_range(asked, 100, XA_USER_BURST / 2 + 1);
	do_wait(w, 60000);
	w->room = 256;
	hear(w, 1, XA_HEARD_SUBSCRIBE);
	xa_roster_go(w->roster, w->now_ms);
	assert_int_equal(w->room, 255);
}

static void a_busy_leg_does_not_silence_the_other(void **state)
{
	struct world *w = *state;
	struct many m;
	struct xa_heard h = {
		.kind = XA_HEARD_PROBE,
		.from = PRIM_SLICE("juliet@jabber.example/x"),
	};

	xa_roster_up(w->roster, 1, w->now_ms);
	w->is_busy = true;
	w->is_gateway_clear = true;
	hear(w, 1, XA_HEARD_PROBE);
	pair_of(&m, 2);
	m.pair.ours = PRIM_SLICE("p2@gw.example");
	xa_roster_hear(w->roster, &m.pair, &h, w->now_ms);
	do_wait(w, 200);
	assert_int_equal(w->shown, 1);
	w->is_busy = false;
	do_wait(w, 200);
	assert_int_equal(w->shown, 2);
}

static void a_watch_has_so_many_leases(void **state)
{
	struct world *w = *state;
	struct bridge_subscription s = {
		.watcher = PAIR.principal,
		.presentity = PAIR.user,
		.duration_s = 3600,
	};
	char id[16], who[32];
	uint32_t granted_s;

	for (unsigned i = 0; i <= XA_LEASES_MAX; i++) {
		snprintf(id, sizeof(id), "s%u", i);
		snprintf(who, sizeof(who), "pres:juliet@%u.example", i);
		s.id = prim_slice_of(id);
		s.presentity = prim_slice_of(who);
		assert_int_equal(xa_roster_subscribe(w->roster, &PAIR, &s,
				     &granted_s, w->now_ms),
		    i < XA_LEASES_MAX ? 200 : 505);
	}
}

static void the_last_words_are_bounded(void **state)
{
	struct world *w = *state;
	unsigned shown;

	w->room = 100000;
	for (unsigned i = 0; i < 2 * XA_DRAIN_MAX; i++) {
		struct many m;
		struct bridge_notification n = {
			.content_type = PRIM_SLICE("application/pidf+xml"),
			.duration_s = 600,
		};
		struct prim_buf body = { 0 };

		hear(w, i, XA_HEARD_SUBSCRIBE);
		xa_roster_go(w->roster, w->now_ms);
		pair_of(&m, i);
		prim_buf_putf(&body,
		    "<presence xmlns='urn:ietf:params:xml:ns:pidf' "
		    "entity='%s'><tuple id='ID-x'><status><basic>open"
		    "</basic></status></tuple></presence>",
		    m.principal);
		n.watcher = m.pair.user;
		n.presentity = m.pair.principal;
		n.id = prim_slice_of(w->sub_id);
		n.body = prim_buf_slice(&body);
		assert_int_equal(xa_roster_notify(w->roster, &m.pair, &n,
				     w->now_ms),
		    200);
		prim_buf_fini(&body);
	}
	do_wait(w, 60000);
	shown = w->shown;
	xa_roster_drain(w->roster, w->now_ms);
	assert_int_equal(w->shown - shown, XA_DRAIN_MAX);
	assert_true(xa_roster_deadline(w->roster) == INT64_MAX);
}

static void what_lasts_is_written_before_it_is_said(void **state)
{
	struct world *w = *state;
	static const struct step STEPS[] = {
		{"SUBSCRIBE s1 3600",
                 "keep; 200; NOTIFY s1 -; subscribe; keep"            },
		{ "took 200",                ""                       },
		{ "subscribed",              "keep; probe"            },
		{ "subscribe",               "keep; SUBSCRIBE"        },
		{ "answer 200",              "keep; subscribed"       },
		{ "NOTIFY same +phone",      "200; +phone; keep"      },
		{ "wait 1s",                 ""                       },
		{ "NOTIFY same +phone away", "200; +phone away"       },
		{ "unsubscribe",
                 "keep; UNSUBSCRIBE; -phone; keep; unsubscribed"      },
		{ "unsubscribed",            "forget; NOTIFY s1 - end"},
	};

	w->shows_state = true;
	for (size_t i = 0; i < PRIM_COUNT(STEPS); i++) {
		run_step(w, STEPS[i].what);
		prim_buf_putc(&w->said, '\0');
		assert_string_equal(w->said.ptr, STEPS[i].said);
	}
}

/* A granted user says `subscribe` again and again, a client looks once. */
static void what_did_not_change_is_not_written(void **state)
{
	static const struct step STEPS[] = {
		{"subscribe",           "keep; SUBSCRIBE"     },
		{ "answer 200",         "keep; subscribed"    },
		{ "NOTIFY same +phone", "200; +phone; keep"   },
		{ "subscribe",          "subscribed; +phone"  },
		{ "subscribe",          "subscribed; +phone"  },
		{ "SUBSCRIBE s1 3600",
                 "keep; 200; NOTIFY s1 -; subscribe; keep"    },
		{ "subscribed",         "keep; probe"         },
		{ "UNSUBSCRIBE s1",     "keep; 200"           },
		{ "SUBSCRIBE f1 0",     "200"                 },
		{ "-",                  ""                    },
		{ "wait 1s",            "NOTIFY f1 - end"     },
		{ "took 200",           ""                    },
		{ "SUBSCRIBE f2 0",     "200; NOTIFY f2 - end"},
		{ "took 200",           ""                    },
	};
	struct world *w = *state;

	w->shows_state = true;
	for (size_t i = 0; i < PRIM_COUNT(STEPS); i++) {
		run_step(w, STEPS[i].what);
		prim_buf_putc(&w->said, '\0');
		assert_string_equal(w->said.ptr, STEPS[i].said);
	}
}

/* The store takes a transaction for each, and who asks too much of it dies. */
static void strangers_do_not_fill_the_store(void **state)
{
	struct world *w = *state;

	w->room = 100000;
	for (unsigned i = 0; i < 20000; i++) {
		hear(w, i, XA_HEARD_SUBSCRIBE);
		xa_roster_go(w->roster, w->now_ms);
		w->room = 100000;
		refuse(w, i);
		xa_roster_go(w->roster, w->now_ms);
	}
	assert_in_range(w->written, 1, XA_KEEP_BURST + 1);
	do_wait(w, 600000);
	assert_int_equal(contacts(w), 0);
	assert_int_equal(w->record_count, 0);
}

/* The leg is busy, so the stranger's contact is still there. */
static void a_stranger_who_probes_and_subscribes_has_a_name(void **state)
{
	struct world *w = *state;
	struct xa_pair nameless = { .ours = PAIR.ours, .theirs = PAIR.theirs };
	struct xa_heard h = { .kind = XA_HEARD_PROBE, .from = PAIR.theirs };
	struct xa_record record;

	w->is_busy = true;
	xa_roster_hear(w->roster, &nameless, &h, w->now_ms);
	h.kind = XA_HEARD_SUBSCRIBE;
	xa_roster_hear(w->roster, &PAIR, &h, w->now_ms);
	assert_int_equal(w->record_count, 1);
	assert_true(xa_record_parse(prim_slice_of(w->records[0].value),
	    &record));
	assert_true(prim_slice_eq(record.principal, PAIR.principal));
	assert_true(prim_slice_eq(record.user, PAIR.user));
}

static void a_record_comes_back_as_it_was(void **state)
{
	const struct xa_record record = {
		.ours = PAIR.ours,
		.theirs = PAIR.theirs,
		.principal = PAIR.principal,
		.user = PAIR.user,
		.watch = XA_APPROVAL_DENIED,
		.watch_code = 403,
		.watch_ms = 5,
		.asked_ms = 6,
		.used_ms = 7,
		.follow = XA_APPROVAL_GRANTED,
		.follow_ms = 8,
		.told_count = 2,
		.told = {PRIM_SLICE("my phone"), PRIM_SLICE("desk")},
	};
	struct prim_buf a = { 0 }, b = { 0 };
	struct xa_record back;

	(void)state;
	xa_record_put(&a, &record);
	assert_true(xa_record_parse(prim_buf_slice(&a), &back));
	assert_int_equal(back.watch_code, 403);
	assert_int_equal(back.told_count, 2);
	xa_record_put(&b, &back);
	assert_true(prim_slice_eq(prim_buf_slice(&a), prim_buf_slice(&b)));
	prim_buf_fini(&a);
	prim_buf_fini(&b);
}

#define HEAD "1\nours a@b\ntheirs c@d\nprincipal pres:a@b\nuser pres:c@d\n"

static void records_are_checked(void **state)
{
	static const struct {
		const char *name;
		const char *text;
		bool ok;
	} CASES[] = {
		{"nothing",           "",                              false},
		{ "no permission",    HEAD,                            true },
		{ "later version",    "2\n",                           false},
		{ "no user",          "1\nours a@b\ntheirs c@d\n",     false},
		{ "unknown word",     HEAD "watch maybe 0 1 2 3\n",    false},
		{ "missing number",   HEAD "watch granted 0 1 2\n",    false},
		{ "strange code",     HEAD "watch denied 777 1 2 3\n", false},
		{ "negative number",  HEAD "follow granted -1\n",      false},
		{ "all",
                 HEAD "watch granted 0 1 2 3\n"
			 "follow pending 9\ntold x\n",                 true },
		{ "an item of later", HEAD "mood sanguine\n",          true },
		{ "no characters",    HEAD "told \x01\n",              false},
	};

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		struct xa_record r;

		if (xa_record_parse(prim_slice_of(CASES[i].text), &r) !=
		    CASES[i].ok)
			fail_msg("%s", CASES[i].name);
	}
}

static void a_record_under_another_key_is_not_taken(void **state)
{
	struct world *w = *state;

	assert_false(xa_roster_restore(w->roster, PRIM_SLICE("presence/0"),
	    PRIM_SLICE(HEAD)));
	assert_int_equal(contacts(w), 0);
}

static void a_roster_with_gaps_sends_nobody_away(void **state)
{
	struct world *w = *state;

	xa_roster_restored(w->roster, false, w->now_ms);
	hear(w, 1, XA_HEARD_PROBE);
	do_wait(w, 1000);
	assert_int_equal(w->shown, 0);
	assert_int_equal(contacts(w), 0);
}

#define TEST(function) \
	cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bucket_lets_so_many_through),
		TEST(stanzas_keep_to_the_pace),
		TEST(messages_go_first),
		TEST(the_core_is_asked_within_its_room),
		TEST(there_is_a_bound_each_way),
		TEST(probes_of_strangers_leave_nothing_behind),
		TEST(many_strangers_wait_behind_one_friend),
		TEST(one_user_does_not_use_up_the_pace),
		TEST(who_asks_without_end_is_not_heard),
		TEST(a_busy_leg_does_not_silence_the_other),
		TEST(fifty_changes_in_a_second_are_few_stanzas),
		TEST(a_watch_has_so_many_leases),
		TEST(the_last_words_are_bounded),
		TEST(what_lasts_is_written_before_it_is_said),
		TEST(what_did_not_change_is_not_written),
		TEST(strangers_do_not_fill_the_store),
		TEST(a_stranger_who_probes_and_subscribes_has_a_name),
		cmocka_unit_test(a_record_comes_back_as_it_was),
		cmocka_unit_test(records_are_checked),
		TEST(a_record_under_another_key_is_not_taken),
		TEST(a_roster_with_gaps_sends_nobody_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
