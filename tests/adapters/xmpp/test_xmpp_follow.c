/* SPDX-License-Identifier: ISC */
/* A user of XMPP follows a principal: the tables of spec/xmpp.md 5.1. */

#include "tests/lib/t.h"

#include "tests/adapters/xmpp/roster_world.h"

/* Follows a principal who has a phone. */
#define FOLLOWS                                                       \
	{ "subscribe", "SUBSCRIBE" }, { "answer 200", "subscribed" }, \
	    { "NOTIFY same +phone", "200; +phone" },                  \
	{                                                             \
		"wait 1s", ""                                         \
	}

/* Is watched himself, and is there. */
#define WATCHED                                                            \
	{ "SUBSCRIBE s1 86400", "200; NOTIFY s1 -; subscribe" },           \
	    { "took 200", "" }, { "subscribed", "probe" }, { "+any", "" }, \
	    { "wait 1s", "NOTIFY s1 +any" },                               \
	{                                                                  \
		"took 200", ""                                             \
	}

/* clang-format off */
static const struct row CASES[] = {
	{"who subscribes is asked for, then told", {
	    FOLLOWS,
	}},
	{"a shorter duration is renewed by what was granted", {
	    { "subscribe", "SUBSCRIBE" },
	    { "answer 201", "subscribed" },
	    { "NOTIFY same -", "200; -" },
	    { "wait 2500s", "" },
	    { "wait 700s", "SUBSCRIBE again" },
	    { "answer 200", "" },
	    { "wait 2500s", "" },
	    { "wait 700s", "SUBSCRIBE again" },
	}},
	{"a request is not repeated while it is pending", {
	    { "subscribe", "SUBSCRIBE" },
	    { "subscribe", "" },
	    { "probe phone", "" },
	    { "answer 200", "subscribed" },
	}},
	{"who may follow already is told again", {
	    FOLLOWS,
	    { "subscribe", "subscribed; +phone" },
	}},
	{"changes are told", {
	    FOLLOWS,
	    { "NOTIFY same +phone away", "200; +phone away" },
	    { "NOTIFY same +phone away", "200" },
	    { "wait 1s", "" },
	    { "NOTIFY same +desk +phone", "200; +desk; +phone" },
	    { "wait 1s", "" },
	    { "NOTIFY same +desk", "200; -phone" },
	    { "wait 1s", "" },
	    { "NOTIFY same -desk", "200; -desk" },
	}},
	{"changes are bundled over a quarter of a second", {
	    FOLLOWS,
	    { "NOTIFY same +phone away", "200; +phone away" },
	    { "NOTIFY same +phone dnd", "200" },
	    { "NOTIFY same +phone", "200" },
	    { "wait 240ms", "" },
	    { "NOTIFY same +phone dnd", "200" },
	    { "wait 20ms", "+phone dnd" },
	    { "wait 1s", "" },
	}},
	{"a probe is answered to the address that asked", {
	    FOLLOWS,
	    { "probe phone", "+phone>phone" },
	    { "NOTIFY same -phone", "200; -phone" },
	    { "probe desk", "-phone>desk" },
	}},
	{"a probe of one resource tells that it is there, no more", {
	    FOLLOWS,
	    { "NOTIFY same +phone away", "200; +phone away" },
	    { "probe-of phone", "+phone>phone" },
	    { "probe-of desk", "-desk>phone" },
	}},
	{"a probe of somebody who may not follow puts his roster right", {
	    { "probe phone", "unsubscribed" },
	}},
	{"who is refused hears it", {
	    { "subscribe", "SUBSCRIBE" },
	    { "answer 402", "error forbidden; unsubscribed" },
	    { "probe phone", "unsubscribed" },
	    { "subscribe", "SUBSCRIBE" },
	}},
	{"who follows nobody hears it", {
	    { "subscribe", "SUBSCRIBE" },
	    { "answer 403", "error item-not-found" },
	}},
	{"what a network cannot do is said", {
	    { "subscribe", "SUBSCRIBE" },
	    { "answer 501", "error feature-not-implemented; unsubscribed" },
	}},
	{"where there are too many he waits", {
	    { "subscribe", "SUBSCRIBE" },
	    { "answer 505", "error resource-constraint" },
	    { "wait 599s", "" },
	    { "wait 122s", "SUBSCRIBE" },
	    { "answer 505", "" },
	    { "wait 722s", "SUBSCRIBE" },
	    { "answer 200", "subscribed" },
	}},
	{"a failure that passes is tried again, ever more slowly", {
	    { "subscribe", "SUBSCRIBE" },
	    { "answer 504", "" },
	    { "wait 4900ms", "" },
	    { "wait 1200ms", "SUBSCRIBE" },
	    { "answer 407", "" },
	    { "wait 9900ms", "" },
	    { "wait 2200ms", "SUBSCRIBE" },
	    { "answer 200", "subscribed" },
	}},
	{"a renewal that fails leaves all as it is until the lease ends", {
	    FOLLOWS,
	    { "wait 3200s", "SUBSCRIBE again" },
	    { "answer 500", "" },
	    { "wait 7s", "SUBSCRIBE again" },
	    { "wait 300s", "" },
	    { "answer 500", "" },
	    { "wait 80s", "SUBSCRIBE again" },
	    { "answer 500", "" },
	    { "wait 30s", "SUBSCRIBE; -phone" },
	}},
	{"a renewal that is forbidden ends it", {
	    FOLLOWS,
	    { "wait 3200s", "SUBSCRIBE again" },
	    { "answer 402", "-phone; unsubscribed" },
	    { "probe phone", "unsubscribed" },
	}},
	{"who is missing for an hour is gone", {
	    FOLLOWS,
	    { "wait 3200s", "SUBSCRIBE again" },
	    { "answer 403", "-phone" },
	    { "wait 59s", "" },
	    { "wait 14s", "SUBSCRIBE" },
	    { "answer 403", "" },
	    { "wait 59s", "" },
	    { "wait 14s", "SUBSCRIBE" },
	    { "answer 504", "" },
	    { "wait 1h", "SUBSCRIBE" },
	    { "answer 403", "unsubscribed" },
	}},
	{"who is missing once may come back", {
	    FOLLOWS,
	    { "wait 3200s", "SUBSCRIBE again" },
	    { "answer 403", "-phone" },
	    { "wait 73s", "SUBSCRIBE" },
	    { "answer 200", "" },
	    { "NOTIFY same +phone", "200; +phone" },
	}},
	{"an account that goes and comes is found without a word", {
	    FOLLOWS,
	    { "wait 60s", "" },
	    { "NOTIFY same end", "200; SUBSCRIBE" },
	    { "answer 403", "-phone" },
	    { "wait 59s", "" },
	    { "wait 14s", "SUBSCRIBE" },
	    { "answer 200", "" },
	    { "NOTIFY same +desk", "200; +desk" },
	}},
	{"an account that came again is seen by who subscribes at once", {
	    FOLLOWS,
	    { "wait 60s", "" },
	    { "NOTIFY same end", "200; SUBSCRIBE" },
	    { "answer 403", "-phone" },
	    { "wait 2s", "" },
	    { "subscribe", "SUBSCRIBE; subscribed" },
	    { "answer 200", "" },
	    { "NOTIFY same +desk", "200; +desk" },
	}},
	{"an account that came again is seen by who logs in at once", {
	    FOLLOWS,
	    { "wait 60s", "" },
	    { "NOTIFY same end", "200; SUBSCRIBE" },
	    { "answer 403", "-phone" },
	    { "wait 2s", "" },
	    { "probe desk", "SUBSCRIBE" },
	    { "answer 200", "" },
	    { "NOTIFY same +desk", "200; +desk; +desk>desk" },
	}},
	{"who asks for a missing one again and again asks twice a minute", {
	    FOLLOWS,
	    { "wait 60s", "" },
	    { "NOTIFY same end", "200; SUBSCRIBE" },
	    { "answer 403", "-phone" },
	    { "probe desk", "SUBSCRIBE" },
	    { "answer 403", "" },
	    { "probe desk", "" },
	    { "subscribe", "subscribed" },
	    { "wait 29s", "" },
	    { "probe desk", "" },
	    { "wait 2s", "SUBSCRIBE" },
	    { "answer 403", "" },
	    { "probe desk", "" },
	    { "wait 28s", "" },
	    { "wait 2s", "SUBSCRIBE" },
	    { "answer 200", "" },
	    { "NOTIFY same +desk", "200; +desk; +desk>desk" },
	}},
	{"an account that came again soon after an end waits for its turn", {
	    FOLLOWS,
	    { "NOTIFY same end", "200; -phone" },
	    { "subscribe", "subscribed" },
	    { "wait 27s", "" },
	    { "probe desk", "" },
	    { "wait 3s", "SUBSCRIBE" },
	    { "answer 200", "" },
	    { "NOTIFY same +desk", "200; +desk; +desk>desk" },
	}},
	{"a lease that was lost is made anew, silently", {
	    FOLLOWS,
	    { "wait 3200s", "SUBSCRIBE again" },
	    { "answer 404", "SUBSCRIBE" },
	    { "answer 200", "" },
	    { "NOTIFY same +phone", "200" },
	}},
	{"an end is tried again once, silently", {
	    FOLLOWS,
	    { "wait 60s", "" },
	    { "NOTIFY same end", "200; SUBSCRIBE" },
	    { "answer 200", "" },
	    { "NOTIFY same +phone away", "200; +phone away" },
	}},
	{"an end that is meant is told", {
	    FOLLOWS,
	    { "wait 60s", "" },
	    { "NOTIFY same end", "200; SUBSCRIBE" },
	    { "answer 402", "-phone; unsubscribed" },
	}},
	{"ends in a row do not go round in a circle", {
	    FOLLOWS,
	    { "wait 60s", "" },
	    { "NOTIFY same end", "200; SUBSCRIBE" },
	    { "answer 200", "" },
	    { "NOTIFY same end", "200; -phone" },
	    { "wait 29s", "" },
	    { "wait 2s", "SUBSCRIBE" },
	}},
	{"unsubscribe takes back what was shown", {
	    FOLLOWS,
	    { "unsubscribe", "UNSUBSCRIBE; -phone; unsubscribed" },
	    { "unsubscribe", "" },
	    { "NOTIFY same +phone", "403" },
	    { "subscribe", "SUBSCRIBE" },
	}},
	{"unsubscribe may overtake the answer", {
	    { "subscribe", "SUBSCRIBE" },
	    { "unsubscribe", "UNSUBSCRIBE; unsubscribed" },
	    { "answer 200", "" },
	    { "NOTIFY same +phone", "403" },
	}},
	{"a removed contact is forgotten, in any order", {
	    FOLLOWS,
	    { "unsubscribed", "" },
	    { "-any", "" },
	    { "unsubscribe", "UNSUBSCRIBE; -phone; unsubscribed" },
	    { "unsubscribe", "" },
	    { "unsubscribed", "" },
	}},
	{"presence of a subscription we do not know is refused", {
	    { "NOTIFY 0123456789abcdef0123456789abcdef +phone", "403" },
	    { "subscribe", "SUBSCRIBE" },
	    { "answer 200", "subscribed" },
	    { "NOTIFY 0123456789abcdef0123456789abcdef +phone", "403" },
	}},
	{"a document that cannot be read is not shown as if it were", {
	    FOLLOWS,
	    { "NOTIFY same ?",
		"200; -phone; - 'this contact's presence cannot be shown here'" },
	    { "wait 1s", "" },
	    { "NOTIFY same +phone", "200; +phone" },
	}},
	{"after the leg was away all is said again", {
	    FOLLOWS,
	    { "NOTIFY same +phone +desk", "200; +desk" },
	    { "down", "" },
	    { "NOTIFY same +desk away", "200" },
	    { "wait 60s", "" },
	    { "up", "-phone; +desk away" },
	}},
	{"a probe that waits is forgotten with the leg", {
	    { "subscribe", "SUBSCRIBE" },
	    { "answer 200", "subscribed" },
	    { "probe phone", "" },
	    { "down", "" },
	    { "NOTIFY same +phone", "200" },
	    { "up", "+phone" },
	}},
	{"after a death what lives is gone on with", {
	    FOLLOWS,
	    { "die", "" },
	    { "restored", "" },
	    { "up", "" },
	    { "NOTIFY same +phone away", "200; +phone away" },
	    { "wait 2500s", "" },
	    { "wait 700s", "SUBSCRIBE again" },
	}},
	{"a resource that went during a death is taken back", {
	    FOLLOWS,
	    { "die", "" },
	    { "restored", "" },
	    { "up", "" },
	    { "NOTIFY same +desk", "200; -phone; +desk" },
	}},
	{"a lease that ended during a death is made anew", {
	    FOLLOWS,
	    { "die", "" },
	    { "restored", "" },
	    { "up", "" },
	    { "wait 4900ms", "" },
	    { "wait 200ms", "SUBSCRIBE" },
	    { "answer 200", "" },
	    { "NOTIFY same +phone away", "200; +phone away" },
	}},
	{"what ended while the link was away is taken back after a death", {
	    FOLLOWS,
	    { "wait 3200s", "SUBSCRIBE again" },
	    { "down", "" },
	    { "answer 402", "" },
	    { "die", "" },
	    { "restored", "" },
	    { "up", "-phone; unsubscribed" },
	    { "die", "" },
	    { "restored", "" },
	    { "up", "" },
	}},
	{"names of resources are told apart after a death", {
	    { "subscribe", "SUBSCRIBE" },
	    { "answer 200", "subscribed" },
	    { "NOTIFY same +a/b", "200; +a/b" },
	    { "wait 1s", "" },
	    { "NOTIFY same +a +b", "200; -a/b; +a; +b" },
	    { "die", "" },
	    { "restored", "" },
	    { "up", "" },
	    { "NOTIFY same +c", "200; -a; -b; +c" },
	}},
	{"who was pending at a death is asked for again", {
	    { "subscribe", "SUBSCRIBE" },
	    { "die", "" },
	    { "restored", "" },
	    { "up", "" },
	    { "wait 6s", "SUBSCRIBE" },
	    { "answer 200", "subscribed" },
	}},
	{"who was granted while the link was away hears it after a death", {
	    { "subscribe", "SUBSCRIBE" },
	    { "down", "" },
	    { "answer 200", "" },
	    { "die", "" },
	    { "restored", "" },
	    { "NOTIFY same +phone", "200" },
	    { "up", "subscribed; +phone" },
	}},
	{"who was granted during a death hears it", {
	    { "subscribe", "SUBSCRIBE" },
	    { "die", "" },
	    { "restored", "" },
	    { "up", "" },
	    { "NOTIFY same +phone", "200; subscribed; +phone" },
	}},
	{"who is unknown is not sent away before STATE was read", {
	    { "die", "" },
	    { "up", "" },
	    { "probe phone", "" },
	    { "restored", "" },
	    { "probe phone", "unsubscribed" },
	}},
	{"a probe of a lease that ended brings it back", {
	    FOLLOWS,
	    { "wait 60s", "" },
	    { "error item-not-found", "" },
	    { "error item-not-found", "" },
	    { "error item-not-found", "" },
	    { "NOTIFY same +phone away", "200" },
	    { "wait 2h", "" },
	    { "probe desk", "SUBSCRIBE" },
	    { "answer 200", "" },
	    { "NOTIFY same +phone", "200; +phone; +phone>desk" },
	}},
	{"who probes in between is not left with what has passed", {
	    FOLLOWS,
	    { "NOTIFY same +phone dnd", "200; +phone dnd" },
	    { "NOTIFY same +phone away", "200" },
	    { "probe desk", "+phone away; +phone away>desk" },
	    { "NOTIFY same +phone dnd", "200" },
	    { "wait 1s", "+phone dnd" },
	}},
	{"several who probe are answered together", {
	    FOLLOWS,
	    { "die", "" },
	    { "restored", "" },
	    { "up", "" },
	    { "wait 1s", "" },
	    { "probe desk", "SUBSCRIBE" },
	    { "probe phone", "" },
	    { "answer 200", "" },
	    { "NOTIFY same +phone", "200; +phone; +phone" },
	}},
	{"the bridge stops: nobody can be reached", {
	    FOLLOWS,
	    { "drain", "-phone" },
	    { "NOTIFY same +desk", "200" },
	    { "probe phone", "" },
	}},
	{"who is offline is not renewed for, until he comes back", {
	    { "SUBSCRIBE s1 86400", "200; NOTIFY s1 -; subscribe" },
	    { "took 200", "" },
	    { "subscribed", "probe" },
	    { "+any", "" },
	    { "wait 1s", "NOTIFY s1 +any" },
	    { "took 200", "" },
	    FOLLOWS,
	    { "-any", "" },
	    { "wait 1s", "NOTIFY s1 -any" },
	    { "took 200", "" },
	    { "wait 2h", "" },
	    { "+any", "SUBSCRIBE" },
	    { "answer 200", "" },
	    { "NOTIFY same +phone away", "200; +phone away" },
	}},
	{"who is offline is shown nothing, and what changed when he is back", {
	    WATCHED,
	    FOLLOWS,
	    { "-any", "" },
	    { "wait 1s", "NOTIFY s1 -any" },
	    { "took 200", "" },
	    { "NOTIFY same +phone away", "200" },
	    { "NOTIFY same +phone dnd", "200" },
	    { "wait 1s", "" },
	    { "+any", "+phone dnd" },
	    { "wait 1s", "NOTIFY s1 +any" },
	    { "took 200", "" },
	    { "-any", "" },
	    { "wait 1s", "NOTIFY s1 -any" },
	    { "took 200", "" },
	    { "NOTIFY same +phone away", "200" },
	    { "probe desk", "+phone away; +phone away>desk" },
	}},
	{"who went may have come while the link was away", {
	    WATCHED,
	    FOLLOWS,
	    { "UNSUBSCRIBE s1", "200" },
	    { "-any", "" },
	    { "NOTIFY same +phone away", "200" },
	    { "wait 1s", "" },
	    { "down", "" },
	    { "up", "+phone away" },
	    { "wait 1s", "" },
	    { "NOTIFY same +phone dnd", "200; +phone dnd" },
	}},
	{"silence does not mean that a follower has gone", {
	    WATCHED,
	    FOLLOWS,
	    { "down", "" },
	    { "up", "probe; +phone" },
	    { "wait 6s", "NOTIFY s1 -" },
	    { "took 200", "" },
	    { "NOTIFY same +phone away", "200; +phone away" },
	}},
	{"what was shown long ago is not shown again", {
	    WATCHED,
	    FOLLOWS,
	    { "-any", "" },
	    { "wait 1s", "NOTIFY s1 -any" },
	    { "took 200", "" },
	    { "wait 2h", "" },
	    { "UNSUBSCRIBE s1", "200" },
	    { "down", "" },
	    { "up", "-phone" },
	    { "wait 1s", "SUBSCRIBE" },
	    { "answer 200", "" },
	    { "NOTIFY same +desk", "200; +desk" },
	}},
	{"of whom nothing is heard for a day nothing is renewed", {
	    { "subscribe", "SUBSCRIBE" },
	    { "answer 201 120000", "subscribed" },
	    { "NOTIFY same +phone", "200; +phone" },
	    { "wait 33h", "" },
	    { "wait 1h", "-phone" },
	    { "wait 30d", "" },
	    { "probe desk", "SUBSCRIBE" },
	    { "answer 200", "" },
	    { "NOTIFY same +phone away", "200; +phone away; +phone away>desk" },
	}},
	{"a sign of life in time renews", {
	    { "subscribe", "SUBSCRIBE" },
	    { "answer 201 120000", "subscribed" },
	    { "NOTIFY same +phone", "200; +phone" },
	    { "wait 30h", "" },
	    { "sign", "" },
	    { "wait 3h", "SUBSCRIBE again" },
	    { "answer 200", "" },
	    { "wait 1h", "SUBSCRIBE again" },
	}},
	{"who goes and comes is renewed for in time", {
	    { "SUBSCRIBE s1 86400", "200; NOTIFY s1 -; subscribe" },
	    { "took 200", "" },
	    { "subscribed", "probe" },
	    { "+any", "" },
	    { "wait 1s", "NOTIFY s1 +any" },
	    { "took 200", "" },
	    FOLLOWS,
	    { "-any", "" },
	    { "wait 1s", "NOTIFY s1 -any" },
	    { "took 200", "" },
	    { "wait 1h", "" },
	    { "subscribe", "SUBSCRIBE; subscribed" },
	    { "answer 200", "" },
	    { "NOTIFY same +phone", "200; +phone" },
	}},
	{"what was known for a follower's sake is forgotten with him", {
	    { "SUBSCRIBE s1 86400", "200; NOTIFY s1 -; subscribe" },
	    { "took 200", "" },
	    { "subscribed", "probe" },
	    { "+any", "" },
	    { "wait 1s", "NOTIFY s1 +any" },
	    { "took 200", "" },
	    FOLLOWS,
	    { "UNSUBSCRIBE s1", "200" },
	    { "+any away", "" },
	    { "SUBSCRIBE s2 3600", "200; NOTIFY s2 +any away" },
	    { "took 200", "" },
	    { "UNSUBSCRIBE s2", "200" },
	    { "unsubscribe", "UNSUBSCRIBE; -phone; unsubscribed" },
	    { "-any", "" },
	    { "SUBSCRIBE s3 3600", "200; probe" },
	    { "-", "" },
	    { "wait 1s", "NOTIFY s3 -" },
	}},
	{"the end of a watch does not take back what a follower sees", {
	    FOLLOWS,
	    { "SUBSCRIBE s1 3600", "200; NOTIFY s1 -; subscribe" },
	    { "took 200", "" },
	    { "subscribed", "probe" },
	    { "-", "" },
	    { "wait 1s", "NOTIFY s1 -" },
	    { "took 200", "" },
	    { "UNSUBSCRIBE s1", "200" },
	}},
};

/* clang-format on */

static void every_row_is_so(void **state)
{
	bool ok = true;

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++)
		ok &= run_row(&CASES[i]);
	assert_true(ok);
}

/* clang-format off */
static const struct {
	struct row row;
	const char *line;
} ENDS[] = {
	{{"left", {
	    FOLLOWS,
	    { "unsubscribe", "UNSUBSCRIBE; -phone; unsubscribed" },
	}}, "follows no more reason=left"},
	{{"refused", {
	    { "subscribe", "SUBSCRIBE" },
	    { "answer 402", "error forbidden; unsubscribed" },
	}}, "follows no more reason=refused code=402"},
	{{"nobody there", {
	    { "subscribe", "SUBSCRIBE" },
	    { "answer 403", "error item-not-found" },
	}}, "follows no more reason=\"nobody there\" code=403"},
	{{"not possible", {
	    { "subscribe", "SUBSCRIBE" },
	    { "answer 501", "error feature-not-implemented; unsubscribed" },
	}}, "follows no more reason=\"not possible there\" code=501"},
	{{"too much for the bridge", {
	    { "refuse-all", "" },
	    { "subscribe", "error bad-request; unsubscribed" },
	}}, "follows no more reason=\"ended by the bridge\""},
};

/* clang-format on */

static void the_log_says_why_somebody_follows_no_more(void **state)
{
	bool ok = true;

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(ENDS); i++) {
		struct world w;

		world_init(&w);
		ok &= run_row_in(&w, &ENDS[i].row);
		assert_string_equal(w.logged, ENDS[i].line);
		world_fini(&w);
	}
	assert_true(ok);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_so),
		cmocka_unit_test(the_log_says_why_somebody_follows_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
