/* SPDX-License-Identifier: ISC */
/* A principal watches a user of XMPP: the tables of spec/xmpp.md 5.2. */

#include "tests/lib/t.h"

#include "tests/adapters/xmpp/roster_world.h"

/* Approved, with a phone that is there. */
#define APPROVED                                                        \
	{ "SUBSCRIBE s1 3600", "200; NOTIFY s1 -; subscribe" },         \
	    { "took 200", "" }, { "-", "" }, { "subscribed", "probe" }, \
	    { "+phone", "" }, { "wait 120ms", "NOTIFY s1 +phone" },     \
	{                                                               \
		"took 200", ""                                          \
	}

/* clang-format off */
static const struct row CASES[] = {
	{"the first SUBSCRIBE asks the user and leaks nothing", {
	    { "SUBSCRIBE s1 3600", "200; NOTIFY s1 -; subscribe" },
	    { "took 200", "" },
	    { "-", "" },
	    { "+phone", "" },
	    { "wait 60s", "" },
	}},
	{"a duration is clamped", {
	    { "SUBSCRIBE s1 10", "201 60; NOTIFY s1 -; subscribe" },
	    { "took 200", "" },
	    { "SUBSCRIBE s1 999999", "201 86400; NOTIFY s1 -" },
	}},
	{"while it is pending nothing is asked for a day", {
	    { "SUBSCRIBE s1 86400", "200; NOTIFY s1 -; subscribe" },
	    { "took 200", "" },
	    { "wait 12h", "" },
	    { "SUBSCRIBE s1 86400", "200; NOTIFY s1 -" },
	    { "took 200", "" },
	    { "wait 13h", "" },
	    { "SUBSCRIBE s1 86400", "200; NOTIFY s1 -; subscribe" },
	}},
	{"who approves is seen", {
	    APPROVED,
	}},
	{"who approves and is not there stays closed", {
	    { "SUBSCRIBE s1 3600", "200; NOTIFY s1 -; subscribe" },
	    { "took 200", "" },
	    { "subscribed", "probe" },
	    { "-", "" },
	    { "wait 200ms", "NOTIFY s1 -" },
	}},
	{"what the server pushes after approval counts", {
	    { "SUBSCRIBE s1 3600", "200; NOTIFY s1 -; subscribe" },
	    { "took 200", "" },
	    { "subscribed", "probe" },
	    { "+phone away", "" },
	    { "+desk", "" },
	    { "wait 200ms", "NOTIFY s1 +phone away +desk" },
	}},
	{"who denies ends it, and is not bothered for a week", {
	    { "SUBSCRIBE s1 3600", "200; NOTIFY s1 -; subscribe" },
	    { "took 200", "" },
	    { "unsubscribed", "NOTIFY s1 - end" },
	    { "took 200", "" },
	    { "SUBSCRIBE s2 3600", "402" },
	    { "wait 6d", "" },
	    { "SUBSCRIBE s3 3600", "402" },
	    { "wait 2d", "" },
	    { "SUBSCRIBE s4 3600", "200; NOTIFY s4 -; subscribe" },
	}},
	{"who cancels later ends it likewise", {
	    APPROVED,
	    { "unsubscribed", "NOTIFY s1 - end" },
	    { "took 200", "" },
	    { "-phone", "" },
	    { "SUBSCRIBE s2 3600", "402" },
	}},
	{"who thinks better of it is heard", {
	    { "SUBSCRIBE s1 3600", "200; NOTIFY s1 -; subscribe" },
	    { "took 200", "" },
	    { "unsubscribed", "NOTIFY s1 - end" },
	    { "took 200", "" },
	    { "subscribed", "" },
	    { "SUBSCRIBE s2 3600", "200; probe" },
	    { "+phone", "" },
	    { "wait 200ms", "NOTIFY s2 +phone" },
	}},
	{"nobody is taken for approved who was not asked", {
	    { "subscribed", "" },
	    { "+phone", "" },
	    { "SUBSCRIBE s1 3600", "200; NOTIFY s1 -; subscribe" },
	}},
	{"changes are told, and only changes", {
	    APPROVED,
	    { "wait 1s", "" },
	    { "+phone away", "" },
	    { "wait 20ms", "NOTIFY s1 +phone away" },
	    { "took 200", "" },
	    { "+phone away", "" },
	    { "wait 1s", "" },
	}},
	{"changes are bundled over a quarter of a second", {
	    APPROVED,
	    { "+phone away", "" },
	    { "+phone", "" },
	    { "+phone dnd", "" },
	    { "+desk", "" },
	    { "wait 300ms", "NOTIFY s1 +phone dnd +desk" },
	}},
	{"what changes back is not told", {
	    APPROVED,
	    { "+phone away", "" },
	    { "+phone", "" },
	    { "wait 1s", "" },
	}},
	{"one NOTIFY is unanswered, then the newest follows", {
	    APPROVED,
	    { "wait 1s", "" },
	    { "+phone away", "" },
	    { "wait 1s", "NOTIFY s1 +phone away" },
	    { "+phone dnd", "" },
	    { "wait 1s", "" },
	    { "+phone", "" },
	    { "wait 1s", "" },
	    { "took 200", "NOTIFY s1 +phone" },
	}},
	{"a resource that goes is closed once, then gone", {
	    APPROVED,
	    { "+desk", "" },
	    { "wait 1s", "NOTIFY s1 +phone +desk" },
	    { "took 200", "" },
	    { "-phone", "" },
	    { "wait 1s", "NOTIFY s1 -phone +desk" },
	    { "took 200", "" },
	    { "+desk away", "" },
	    { "wait 1s", "NOTIFY s1 +desk away" },
	    { "took 200", "" },
	    { "-desk", "" },
	    { "wait 1s", "NOTIFY s1 -desk" },
	    { "took 200", "" },
	    { "SUBSCRIBE s1 3600", "200; NOTIFY s1 -desk" },
	}},
	{"a renewal is told at once what is known", {
	    APPROVED,
	    { "wait 30s", "" },
	    { "SUBSCRIBE s1 3600", "200; NOTIFY s1 +phone" },
	}},
	{"another id of the same watcher takes the place", {
	    APPROVED,
	    { "SUBSCRIBE s2 3600", "200; NOTIFY s2 +phone" },
	    { "took 200", "" },
	    { "UNSUBSCRIBE s1", "404" },
	    { "UNSUBSCRIBE s2", "200; unavailable" },
	}},
	{"UNSUBSCRIBE is said to the user, who stays approved", {
	    APPROVED,
	    { "UNSUBSCRIBE s1", "200; unavailable" },
	    { "UNSUBSCRIBE s1", "404" },
	    { "+phone away", "" },
	    { "SUBSCRIBE s2 3600", "200; probe" },
	    { "wait 2s", "" },
	    { "+phone dnd", "" },
	    { "wait 200ms", "NOTIFY s2 +phone dnd" },
	}},
	{"the end of the lease does the same", {
	    APPROVED,
	    { "wait 3601s", "unavailable" },
	    { "wait 29d", "" },
	    { "wait 2d", "unsubscribe" },
	    { "SUBSCRIBE s2 3600", "200; NOTIFY s2 -; subscribe" },
	}},
	{"who does not answer a probe is closed after 3 s", {
	    APPROVED,
	    { "UNSUBSCRIBE s1", "200; unavailable" },
	    { "SUBSCRIBE s2 3600", "200; probe" },
	    { "wait 2900ms", "" },
	    { "wait 200ms", "NOTIFY s2 -" },
	}},
	{"silence is asked again, and then the user is", {
	    APPROVED,
	    { "UNSUBSCRIBE s1", "200; unavailable" },
	    { "SUBSCRIBE s2 3600", "200; probe" },
	    { "wait 3100ms", "NOTIFY s2 -" },
	    { "took 200", "" },
	    { "SUBSCRIBE s2 3600", "200; NOTIFY s2 -" },
	    { "took 200", "" },
	    { "wait 60s", "" },
	    { "SUBSCRIBE s2 3600", "200; probe" },
	    { "wait 5100ms", "NOTIFY s2 -; subscribe" },
	    { "took 200", "" },
	    { "-", "" },
	    { "subscribed", "probe" },
	    { "+phone", "" },
	    { "wait 200ms", "NOTIFY s2 +phone" },
	    { "took 200", "" },
	    { "subscribed", "" },
	}},
	{"silence upon silence asks the user ever more seldom", {
	    APPROVED,
	    { "UNSUBSCRIBE s1", "200; unavailable" },
	    { "wait 60s", "" },
	    { "SUBSCRIBE s2 3600", "200; probe" },
	    { "wait 40s", "NOTIFY s2 -" },
	    { "took 200", "" },
	    { "SUBSCRIBE s2 3600", "200; probe" },
	    { "wait 40s", "NOTIFY s2 -; subscribe" },
	    { "took 200", "" },
	    { "SUBSCRIBE s2 3600", "200; probe" },
	    { "wait 40s", "NOTIFY s2 -" },
	    { "took 200", "" },
	    { "SUBSCRIBE s2 3600", "200; probe" },
	    { "-", "" },
	    { "wait 200ms", "NOTIFY s2 -" },
	    { "took 200", "" },
	    { "wait 40s", "" },
	    { "SUBSCRIBE s2 3600", "200; NOTIFY s2 -" },
	}},
	{"an error to something else refuses nothing", {
	    { "SUBSCRIBE s1 3600", "200; NOTIFY s1 -; subscribe" },
	    { "took 200", "" },
	    { "subscribe", "SUBSCRIBE" },
	    { "answer 200", "subscribed" },
	    { "NOTIFY same +phone", "200; +phone" },
	    { "bounce item-not-found", "" },
	    { "error item-not-found", "NOTIFY s1 - end" },
	    { "took 200", "" },
	    { "SUBSCRIBE s2 3600", "403" },
	}},
	{"an error to something else is no answer to a probe", {
	    APPROVED,
	    { "subscribe", "SUBSCRIBE" },
	    { "answer 200", "subscribed" },
	    { "NOTIFY same +phone", "200; +phone" },
	    { "down", "" },
	    { "up", "probe; +phone" },
	    { "bounce forbidden", "" },
	    { "wait 1s", "" },
	    { "+phone away", "" },
	    { "wait 1s", "NOTIFY s1 +phone away" },
	}},
	{"a single look ends with its NOTIFY", {
	    APPROVED,
	    { "SUBSCRIBE f1 0", "200; NOTIFY f1 +phone end" },
	    { "took 200", "" },
	    { "UNSUBSCRIBE f1", "404" },
	}},
	{"a single look waits for the answer to a probe", {
	    APPROVED,
	    { "UNSUBSCRIBE s1", "200; unavailable" },
	    { "SUBSCRIBE f1 0", "200; probe" },
	    { "+desk", "" },
	    { "wait 200ms", "NOTIFY f1 +desk end; unavailable" },
	}},
	{"a single look of somebody who may not is closed", {
	    { "SUBSCRIBE f1 0", "200; NOTIFY f1 - end" },
	    { "took 200", "" },
	    { "wait 1d", "" },
	}},
	{"Duration 0 ends the lease with a last NOTIFY", {
	    APPROVED,
	    { "SUBSCRIBE s1 0", "200; NOTIFY s1 +phone end; unavailable" },
	}},
	{"a probe that is answered with unsubscribed: never approved", {
	    APPROVED,
	    { "UNSUBSCRIBE s1", "200; unavailable" },
	    { "SUBSCRIBE s2 3600", "200; probe" },
	    { "unsubscribed", "NOTIFY s2 - end" },
	    { "took 200", "" },
	    { "SUBSCRIBE s3 3600", "200; NOTIFY s3 -; subscribe" },
	}},
	{"an error that lasts refuses", {
	    { "SUBSCRIBE s1 3600", "200; NOTIFY s1 -; subscribe" },
	    { "took 200", "" },
	    { "error item-not-found", "NOTIFY s1 - end" },
	    { "took 200", "" },
	    { "SUBSCRIBE s2 3600", "403" },
	}},
	{"an error that means offline does not", {
	    { "SUBSCRIBE s1 3600", "200; NOTIFY s1 -; subscribe" },
	    { "took 200", "" },
	    { "error service-unavailable", "" },
	    { "subscribed", "probe" },
	}},
	{"a server that cannot be reached is asked again", {
	    { "SUBSCRIBE s1 3600", "200; NOTIFY s1 -; subscribe" },
	    { "took 200", "" },
	    { "error remote-server-timeout", "" },
	    { "SUBSCRIBE s1 3600", "200; NOTIFY s1 -" },
	    { "took 200", "" },
	    { "wait 601s", "" },
	    { "SUBSCRIBE s1 3600", "200; NOTIFY s1 -; subscribe" },
	}},
	{"a server that goes away is told, and asked now and then", {
	    APPROVED,
	    { "error remote-server-not-found", "probe" },
	    { "error remote-server-not-found",
		"NOTIFY s1 - 'the contact's server cannot be reached'" },
	    { "took 200", "" },
	    { "wait 61s", "probe" },
	    { "+phone", "" },
	    { "wait 200ms", "NOTIFY s1 +phone" },
	}},
	{"a NOTIFY that nobody wants ends the lease", {
	    APPROVED,
	    { "+phone away", "" },
	    { "wait 1s", "NOTIFY s1 +phone away" },
	    { "took 404", "unavailable" },
	    { "UNSUBSCRIBE s1", "404" },
	}},
	{"a NOTIFY that could not be taken is repeated", {
	    APPROVED,
	    { "+phone away", "" },
	    { "wait 1s", "NOTIFY s1 +phone away" },
	    { "took 500", "" },
	    { "wait 6s", "NOTIFY s1 +phone away" },
	}},
	{"the leg is away for a moment", {
	    APPROVED,
	    { "down", "" },
	    { "wait 10s", "" },
	    { "up", "probe" },
	    { "+phone", "" },
	    { "wait 6s", "" },
	}},
	{"the leg is away for long", {
	    APPROVED,
	    { "down", "" },
	    { "wait 31s", "NOTIFY s1 - 'the link to the XMPP server is down'" },
	    { "took 200", "" },
	    { "wait 1h", "" },
	}},
	{"after the leg was away who does not answer is closed", {
	    APPROVED,
	    { "down", "" },
	    { "wait 31s", "NOTIFY s1 - 'the link to the XMPP server is down'" },
	    { "took 200", "" },
	    { "up", "probe" },
	    { "wait 4900ms", "" },
	    { "wait 200ms", "NOTIFY s1 -" },
	}},
	{"a resource that went while the leg was away is told", {
	    APPROVED,
	    { "+desk", "" },
	    { "wait 1s", "NOTIFY s1 +phone +desk" },
	    { "took 200", "" },
	    { "down", "" },
	    { "up", "probe" },
	    { "+desk", "" },
	    { "wait 200ms", "NOTIFY s1 +desk" },
	}},
	{"a subscribe whose answer may be lost is said again", {
	    { "SUBSCRIBE s1 3600", "200; NOTIFY s1 -; subscribe" },
	    { "took 200", "" },
	    { "down", "" },
	    { "wait 5s", "" },
	    { "up", "subscribe" },
	}},
	{"who subscribes without a leg is told so after 3 s", {
	    APPROVED,
	    { "UNSUBSCRIBE s1", "200; unavailable" },
	    { "down", "" },
	    { "SUBSCRIBE s2 3600", "200" },
	    { "wait 3100ms",
		"NOTIFY s2 - 'the link to the XMPP server is down'" },
	    { "took 200", "" },
	    { "up", "probe" },
	}},
	{"after a death the truth is asked before anything is told", {
	    APPROVED,
	    { "die", "" },
	    { "restored", "" },
	    { "SUBSCRIBE s1 3000", "200" },
	    { "up", "probe" },
	    { "+desk away", "" },
	    { "wait 200ms", "NOTIFY s1 +desk away" },
	}},
	{"what was denied stays denied after a death", {
	    { "SUBSCRIBE s1 3600", "200; NOTIFY s1 -; subscribe" },
	    { "took 200", "" },
	    { "error not-allowed", "NOTIFY s1 - end" },
	    { "die", "" },
	    { "restored", "" },
	    { "up", "" },
	    { "SUBSCRIBE s2 3600", "402" },
	}},
	{"what was pending stays so after a death", {
	    { "SUBSCRIBE s1 3600", "200; NOTIFY s1 -; subscribe" },
	    { "die", "" },
	    { "restored", "" },
	    { "up", "" },
	    { "SUBSCRIBE s1 3000", "200; NOTIFY s1 -; subscribe" },
	    { "took 200", "" },
	    { "subscribed", "probe" },
	}},
	{"a subscribe that was never sent is sent after a death", {
	    { "down", "" },
	    { "SUBSCRIBE s1 3600", "200; NOTIFY s1 -" },
	    { "die", "" },
	    { "restored", "" },
	    { "up", "" },
	    { "SUBSCRIBE s1 3000", "200; NOTIFY s1 -; subscribe" },
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
