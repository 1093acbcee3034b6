/* SPDX-License-Identifier: ISC */
/*
 * Worlds in which messages are sent at random: by clients who come and go,
 * refuse and say nothing, through adapters that lie, die and close their windows,
 * along links that change, to accounts that are removed, while the clock jumps,
 * the store fails, the operator drops this and that, and the server dies and is
 * there again; then all are good, everything comes to its end, and what must
 * hold then is looked at. Some worlds end in the middle of it instead.
 *
 * Every world has a number, which is its seed. PRIM_LONG=1 plays many that nobody
 * has played before; PRIM_RANDOM=n plays only the number n and prints what is
 * said in it, or with PRIM_WORLDS=k as many from there on and prints nothing.
 */

#include "tests/lib/t.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#ifdef PRIMBRIDGE_SANITIZE
#include <sanitizer/lsan_interface.h>
#endif

#include "bridge/log.h"
#include "bridge/outbox_private.h"
#include "prim/base.h"
#include "tests/bridge/world_audit.h"
#include "tests/bridge/world_carrier.h"
#include "tests/bridge/world_deed.h"
#include "tests/bridge/world_fate.h"
#include "tests/bridge/world_kill.h"
#include "tests/bridge/world_mail.h"
#include "tests/bridge/world_reader.h"
#include "tests/talk/world.h"

#define FIRST      4001 /* of the short form */
#define WORLDS     20
#define LONG_FORM  90 /* times as many */
#define STEPS_MIN  50
#define STEPS_MAX  400
#define ROUNDS_MAX 400

static struct town town; /* large */
static unsigned long messages, notices;

/* Nothing, a turn without the store, or all that can happen by itself; then
 * some hear it. */
static void turn(struct mail *m)
{
	unsigned how = mail_below(m, 4);

	if (how == 0)
		return;
	if (how < 3 || mail_may(m, MAIL_SLOW, 2)) {
		mail_nudge(m);
		audit(m);
	} else {
		mail_turn(m);
		audit_progress(m);
	}
	deed_hear_some(&town);
	audit(m);
}

/* ---- the end ---- */

/* Until nobody says anything. */
static void rest(struct mail *m)
{
	unsigned before, rounds = 0;

	do {
		before = m->heard;
		mail_turn(m);
		audit_progress(m);
		deed_hear_all(&town);
		mail_expect(m, ++rounds < ROUNDS_MAX, "it never rests");
	} while (m->heard != before);
}

static void be_good(struct mail *m)
{
	struct reader *hosts = town.readers + MAIL_GUESTS;

	if (m->is_broken)
		deed_break(&town, false);
	for (unsigned i = 0; i < MAIL_READERS; i++)
		reader_deafen(&town.readers[i], false);
	rest(m);
	m->is_ending = true;
	for (unsigned i = 0; i < MAIL_READERS; i++)
		reader_settle(m, &town.readers[i]);
	for (unsigned i = 0; i < MAIL_CARRIERS; i++) {
		carrier_settle(m, &town.carriers[i]);
		if (!carrier_is_up(&town.carriers[i]))
			carrier_come(m, &town.carriers[i]);
		else
			carrier_window(m, &town.carriers[i], 100);
	}
	rest(m);
	for (unsigned i = 0; i < MAIL_PEOPLE; i++) {
		if (m->has_account[i] && reader_come(m, &hosts[i], i))
			reader_listen(m, &hosts[i], true);
	}
	rest(m);
}

/* All that is tried again is tried within this time. */
static void come_to_the_end(struct mail *m)
{
	static const int64_t PAUSES[] = { 6000, 6000, 60000, 60000, 60000,
		400000, 400000, 400000 };

	be_good(m);
	for (unsigned i = 0; i < PRIM_COUNT(PAUSES); i++) {
		talk_world_advance(&m->world, PAUSES[i]);
		rest(m);
	}
	for (unsigned i = 0; i < MAIL_READERS; i++)
		mail_expect(m, reader_waits_ms(m, &town.readers[i]) == 0,
		    "a reader is never answered");
	audit_empty(m);
	fate_look(m);
}

static void cut(struct mail *m)
{
	if (mail_below(m, 2))
		return;
	br_server_stop(m->world.server);
	for (unsigned i = mail_below(m, 6); i > 0; i--)
		turn(m);
}

static void play_world(unsigned seed)
{
	struct mail *m = &town.mail;
	unsigned steps;

	town_open(&town, seed);
	steps = STEPS_MIN + mail_below(m, STEPS_MAX - STEPS_MIN);
	for (; m->step < steps; m->step++) {
		deed_any(&town);
		turn(m);
	}
	if (mail_below(m, 8) == 0)
		cut(m);
	else
		come_to_the_end(m);
	messages += m->count;
	for (unsigned i = 0; i < m->count; i++)
		notices += m->messages[i].failures;
	town_close(&town);
}

static unsigned number_in(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static void worlds_come_to_their_end(void **state)
{
	bool is_long = getenv("PRIM_LONG") && !getenv("PRIM_RANDOM");
	unsigned first = number_in("PRIM_RANDOM",
	    is_long ? (unsigned)time(NULL) : FIRST);
	unsigned count = number_in("PRIM_WORLDS",
	    getenv("PRIM_RANDOM") ? 1 : WORLDS * (is_long ? LONG_FORM : 1));

	(void)state;
	print_message("PRIM_RANDOM=%u PRIM_WORLDS=%u\n", first, count);
	for (unsigned i = 0; i < count; i++)
		play_world(first + i);
	print_message("%lu messages, %lu notices of failure\n", messages,
	    notices);
#ifdef PRIMBRIDGE_SANITIZE
	assert_int_equal(__lsan_do_recoverable_leak_check(), 0);
#endif
}

/* Whatever happens, nothing stored is ever found damaged. */
static void on_line(void *arg, struct prim_slice line)
{
	(void)arg;
	if (br_log_wants(BR_LOG_DEBUG))
		print_message("%.*s\n", PRIM_SLICE_ARG(line));
	for (; line.len > 0; line = prim_slice_from(line, 1))
		mail_expect(&town.mail,
		    !prim_slice_starts(line, PRIM_SLICE("damaged")),
		    "something stored is found damaged");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worlds_come_to_their_end),
	};
	bool is_one = getenv("PRIM_RANDOM") && !getenv("PRIM_WORLDS");

	(void)signal(SIGPIPE, SIG_IGN);
	br_log_set_level(is_one ? BR_LOG_DEBUG : BR_LOG_ERROR);
	br_log_set_sink(on_line, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
