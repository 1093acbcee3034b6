/* SPDX-License-Identifier: ISC */
/* Adapter hosts with real processes: primd-adapter and the fault adapter of
 * this build, which stand beside the test. */

#include "tests/lib/t.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bridge/metric.h"
#include "prim/base.h"
#include "prim/imdn.h"
#include "tests/bridge/world_host.h"

#define OPTIONS "domain: fault.localhost\n"

static struct world w;

static void begin(const char *options)
{
	world_init(&w, "fault", options);
	br_host_start(w.host);
	assert_true(world_wait(&w, &w.ups, 1));
}

static void end(void)
{
	world_fini(&w);
}

static void an_adapter_starts_and_is_up(void **state)
{
	(void)state;
	begin(OPTIONS);
	assert_string_equal(br_host_state(w.host), "up");
	assert_string_equal(br_host_name(w.host), "fault");
	assert_true(br_host_pid(w.host) > 0);
	assert_true(br_host_has_room(w.host));
	assert_true(world_logged(&w, "fault: ready"));
	assert_int_equal(br_host_deaths(w.host), 0);
	end();
}

static void a_fate_is_reported_with_its_code(void **state)
{
	static const struct {
		const char *to;
		unsigned code;
	} CASES[] = {
		{"ok@fault.localhost",          200},
		{ "anybody@fault.localhost",    200},
		{ "refuse-403@fault.localhost", 403},
		{ "report-101@fault.localhost", 101},
		{ "report-408@fault.localhost", 408},
		{ "transient@fault.localhost",  504},
		{ "late-30@fault.localhost",    200},
	};

	(void)state;
	begin(OPTIONS);
	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++)
		world_deliver(&w, CASES[i].to, (uint8_t)(i + 1));
	assert_true(world_wait(&w, &w.report_count, PRIM_COUNT(CASES)));
	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++)
		assert_int_equal(world_reported(&w, (uint8_t)(i + 1)),
		    CASES[i].code);
	assert_int_equal(w.host->untaken, 0);
	assert_int_equal(w.host->untaken_octets, 0);
	assert_int_equal(w.host->asks.count, w.host->pinging);
	end();
}

static void later_word_may_follow(void **state)
{
	(void)state;
	begin(OPTIONS);
	world_deliver(&w, "bounce-403-30@fault.localhost", 1);
	assert_true(world_wait(&w, &w.report_count, 2));
	assert_int_equal(w.reports[0].code, 101);
	assert_int_equal(w.reports[1].code, 403);
	assert_memory_equal(&w.reports[0].delivery, &w.reports[1].delivery,
	    sizeof(w.reports[0].delivery));
	end();
}

static void what_is_taken_may_be_its_death(void **state)
{
	(void)state;
	begin(OPTIONS);
	world_deliver(&w, "dieafter-30@fault.localhost", 7);
	br_host_probe(w.host);
	assert_true(world_wait(&w, &w.alives, 1));
	assert_int_equal(w.takens, 1);
	assert_int_equal(w.last_taken.octets[0], 7);
	assert_int_equal(w.downs, 0);
	assert_true(world_wait(&w, &w.downs, 1));
	assert_int_equal(w.deaths, 1);
	assert_int_equal(w.report_count, 0);
	/* At once it is not even taken. */
	assert_true(world_wait(&w, &w.ups, 2));
	world_deliver(&w, "die@fault.localhost", 8);
	br_host_probe(w.host);
	assert_true(world_wait(&w, &w.downs, 2));
	assert_int_equal(w.deaths, 2);
	assert_int_equal(w.takens, 1);
	assert_int_equal(w.alives, 1);
	end();
}

static void what_is_said_twice_arrives_twice(void **state)
{
	(void)state;
	begin(OPTIONS);
	world_deliver(&w, "dup-3@fault.localhost", 1);
	assert_true(world_wait(&w, &w.requests, 6));
	assert_true(world_wait(&w, &w.report_count, 2));
	world_turn(&w, 30);
	assert_int_equal(w.requests, 6);
	assert_int_equal(br_host_deaths(w.host), 0);
	end();
}

static void somebody_else_may_be_claimed(void **state)
{
	static const struct {
		const char *to, *from, *original;
	} CASES[] = {
		{"as+alice%40localhost@fault.localhost",              "im:alice@localhost",
                 "im:as+alice%40localhost@fault.localhost"                                              },
		{ "as+alice%40localhost%3Deve%40far@fault.localhost",
                 "im:alice@localhost",						      "im:eve@far"},
		{ "spoof+eve%40far@fault.localhost",                  "im:eve@far",         ""          },
	};

	(void)state;
	begin(OPTIONS);
	w.answer = 402;
	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++) {
		world_deliver(&w, CASES[i].to, (uint8_t)(i + 1));
		assert_true(world_wait(&w, &w.report_count, i + 1));
		assert_int_equal(world_reported(&w, (uint8_t)(i + 1)), 402);
		assert_true(prim_slice_eq(prim_buf_slice(&w.last_from),
		    prim_slice_of(CASES[i].from)));
		assert_true(prim_slice_eq(prim_buf_slice(&w.last_original),
		    prim_slice_of(CASES[i].original)));
	}
	end();
}

/* One that was about something the recipient submitted: he obeys no order. */
static void deliver_notice(uint8_t number)
{
	const struct prim_imdn notice = {
		.status = PRIM_IMDN_FAILED,
		.message_id = PRIM_SLICE("m-1"),
		.date = PRIM_SLICE("2026-01-01T00:00:00Z"),
		.recipient = PRIM_SLICE("im:alice@localhost"),
		.code = 408,
	};
	struct prim_buf body = { 0 };
	struct br_message *m;

	prim_imdn_put(&body, &notice);
	m = world_message("flood-9@fault.localhost", "", number);
	m->lines = PRIM_SLICE("From: im:postmaster@localhost\r\n"
			      "To: im:flood-9@fault.localhost\r\n"
			      "Message-ID: n\r\nConversation-ID: c\r\n"
			      "Content-Type: message/imdn+xml\r\n");
	m->return_token = PRIM_SLICE("flood1.2");
	m->body = prim_buf_slice(&body);
	br_host_deliver(w.host, m,
	    &(struct br_host_handover){ .attempt = 1, .is_notice = true });
	br_message_unref(m);
	world_turn(&w, 1);
	prim_buf_fini(&body);
}

static void a_notice_is_logged_and_obeys_its_own_option(void **state)
{
	(void)state;
	begin(OPTIONS);
	deliver_notice(1);
	assert_true(world_wait(&w, &w.report_count, 1));
	assert_int_equal(world_reported(&w, 1), 200);
	assert_true(world_logged(&w,
	    "notice kind=failed return=flood1.2 about=m-1 "
	    "to=im:flood-9@fault.localhost code=408 attempt=1"));
	assert_int_equal(w.requests, 0);
	end();
	begin(OPTIONS "notice: refuse-403\n");
	deliver_notice(1);
	assert_true(world_wait(&w, &w.report_count, 1));
	assert_int_equal(world_reported(&w, 1), 403);
	end();
}

/* All that the adapter recorded, from its start to its end. */
static char *read_record(int listener)
{
	const int fd = accept(listener, NULL, NULL);
	struct prim_buf text = { 0 };
	char *all;
	ssize_t n;

	assert_true(fd >= 0);
	do {
		n = recv(fd, prim_buf_room(&text, 4096), 4096, 0);
		prim_buf_grow(&text, n > 0 ? (size_t)n : 0);
	} while (n > 0);
	close(fd);
	all = prim_slice_copy(prim_buf_slice(&text));
	prim_buf_fini(&text);
	return all;
}

static int listen_somewhere(unsigned *out_port)
{
	struct sockaddr_in where = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(where);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&where, len), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&where, &len), 0);
	*out_port = ntohs(where.sin_port);
	return fd;
}

static void what_comes_and_goes_is_recorded(void **state)
{
	/* FNV-1a of "hello" and of "flood". */
	static const char *const PARTS[] = {
		"\"event\":\"got\",\"who\":\"ok@fault.localhost\","
		"\"from\":\"alice@localhost\",\"id\":\"m1\","
		"\"conversation\":\"c\",\"delivery\":"
		"\"01010101010101010101010101010101\",\"attempt\":1,"
		"\"hops\":1,\"hash\":\"a430d84680aabd0b\",\"answer\":200}\n",
		"\"who\":\"refuse-403@fault.localhost\"",
		"\"answer\":403}",
		"\"event\":\"send\",\"who\":\"dup@fault.localhost\","
		"\"to\":\"alice@localhost\",\"id\":\"flood0.",
		"\"n\":1}",
		"\"n\":2}",
		"\"event\":\"answer\",\"who\":\"dup@fault.localhost\"",
		"\"code\":101}",
		"\"event\":\"notice\",\"who\":\"flood-9@fault.localhost\","
		"\"id\":\"m-1\",\"to\":\"alice@localhost\","
		"\"kind\":\"failed\",\"code\":408,\"notice\":\"n\","
		"\"return\":\"flood1.2\"",
		"\"who\":\"die@fault.localhost\"",
		"\"answer\":null}\n",
	};
	char options[100], *all;
	const char *at;
	unsigned port;
	const int listener = listen_somewhere(&port);

	(void)state;
	snprintf(options, sizeof(options), OPTIONS "record: %u\n", port);
	begin(options);
	w.answer = 101;
	world_deliver(&w, "ok@fault.localhost", 1);
	world_deliver(&w, "refuse-403@fault.localhost", 2);
	world_deliver(&w, "dup@fault.localhost", 3);
	assert_true(world_wait(&w, &w.report_count, 4));
	assert_true(world_wait(&w, &w.requests, 2));
	deliver_notice(4);
	assert_true(world_wait(&w, &w.report_count, 5));
	world_deliver(&w, "die@fault.localhost", 5);
	assert_true(world_wait(&w, &w.downs, 1));
	at = all = read_record(listener);
	for (unsigned i = 0; i < PRIM_COUNT(PARTS); i++) {
		const char *found = strstr(at, PARTS[i]);

		if (found)
			at = found;
		else
			fail_msg("%s is not in %s", PARTS[i], at);
	}
	prim_free(all);
	close(listener);
	end();
}

static void one_that_cannot_record_does_not_start(void **state)
{
	char options[100];
	unsigned port;

	(void)state;
	close(listen_somewhere(&port));
	snprintf(options, sizeof(options), OPTIONS "record: %u\n", port);
	world_init(&w, "fault", options);
	br_host_start(w.host);
	assert_true(world_wait(&w, &w.host->deaths, 1));
	assert_true(world_logged(&w, "nobody records at port="));
	assert_int_equal(w.ups, 0);
	end();
}

static void options_say_when_to_try_again(void **state)
{
	(void)state;
	begin(OPTIONS);
	assert_int_equal(br_host_schedule(w.host)->count, 7);
	assert_int_equal(br_host_schedule(w.host)->delay_notice_s, 900);
	end();
	begin(OPTIONS "retry: 1\ndelay: 2\n");
	assert_int_equal(br_host_schedule(w.host)->count, 1);
	assert_int_equal(br_host_schedule(w.host)->pause_s[0], 1);
	assert_int_equal(br_host_schedule(w.host)->delay_notice_s, 2);
	end();
}

static void the_mode_is_for_recipients_that_are_no_order(void **state)
{
	(void)state;
	begin(OPTIONS "mode: report-408\n");
	world_deliver(&w, "anybody@fault.localhost", 1);
	assert_true(world_wait(&w, &w.report_count, 1));
	assert_int_equal(world_reported(&w, 1), 408);
	end();
}

static void the_window_fills_and_empties(void **state)
{
	(void)state;
	begin(OPTIONS);
	for (unsigned i = 0; i < HOST_WINDOW_MAX; i++) {
		assert_true(br_host_has_room(w.host));
		world_deliver(&w, "ok@fault.localhost", 1);
	}
	assert_false(br_host_has_room(w.host));
	assert_true(world_wait(&w, &w.rooms, 1));
	assert_true(world_wait(&w, &w.report_count, HOST_WINDOW_MAX));
	assert_int_equal(w.downs, 0);
	end();
}

static void four_mib_fill_the_window_too(void **state)
{
	char *body = prim_alloc(90001);
	struct br_message *m;
	unsigned count = 0;

	(void)state;
	memset(body, 'x', 90000);
	begin(OPTIONS);
	m = world_message("ok@fault.localhost", body, 1);
	for (; br_host_has_room(w.host); count++)
		br_host_deliver(w.host, m,
		    &(struct br_host_handover){ .attempt = 1 });
	assert_in_range(count, 40, 60);
	assert_true(world_wait(&w, &w.report_count, count));
	assert_int_equal(w.host->untaken_octets, 0);
	assert_int_equal(m->refs, 1);
	br_message_unref(m);
	prim_free(body);
	end();
}

/* `to` makes the adapter end in its own way; what was handed over is given
 * back, and it lives again. */
static void expect_restart(const char *to, const char *why)
{
	int pid;

	begin(OPTIONS);
	pid = br_host_pid(w.host);
	world_deliver(&w, to, 1);
	assert_true(world_wait(&w, &w.ups, 2));
	assert_int_equal(w.downs, 1);
	assert_int_equal(w.deaths, 1);
	assert_int_not_equal(br_host_pid(w.host), pid);
	assert_int_equal(br_host_deaths(w.host), 1);
	assert_true(world_logged(&w, why));
	world_deliver(&w, "ok@fault.localhost", 2);
	assert_true(world_wait(&w, &w.report_count, 1));
	assert_int_equal(world_reported(&w, 2), 200);
	end();
}

static void one_that_hangs_is_killed_and_started_again(void **state)
{
	(void)state;
	expect_restart("hang@fault.localhost", "it hangs");
}

static void one_that_dies_is_started_again(void **state)
{
	(void)state;
	expect_restart("die@fault.localhost", "died code=9");
}

static void one_that_talks_garbage_is_killed(void **state)
{
	(void)state;
	expect_restart("garbage@fault.localhost", "killed: a broken head");
}

static void one_that_answers_what_nobody_asked_is_killed(void **state)
{
	(void)state;
	expect_restart("lie@fault.localhost", "killed: a response to nothing");
}

static void the_pause_grows_until_a_life_is_long(void **state)
{
	(void)state;
	world_init(&w, "fault", OPTIONS);
	w.now_ms = 1000000;
	br_host_start(w.host);
	for (unsigned i = 1; i <= 4; i++) {
		assert_true(world_wait(&w, &w.ups, i));
		world_deliver(&w, "die@fault.localhost", 1);
		assert_true(world_wait(&w, &w.downs, i));
	}
	assert_true(world_wait(&w, &w.ups, 5));
	assert_int_equal(w.host->pause_ms, 100);
	w.now_ms += 60000;
	world_deliver(&w, "die@fault.localhost", 1);
	assert_true(world_wait(&w, &w.ups, 6));
	assert_int_equal(w.host->pause_ms, 40);
	end();
}

static void what_it_said_before_it_died_counts(void **state)
{
	(void)state;
	begin(OPTIONS);
	world_deliver(&w, "ok@fault.localhost", 1);
	world_deliver(&w, "die@fault.localhost", 2);
	assert_true(world_wait(&w, &w.downs, 1));
	assert_int_equal(world_reported(&w, 1), 0);
	end();
	/* Written in one turn it dies before the loop sends it; in two it
	 * arrives, however late we read. */
	begin(OPTIONS);
	world_deliver(&w, "ok@fault.localhost", 1);
	world_turn(&w, 30);
	world_deliver(&w, "die@fault.localhost", 2);
	assert_true(world_wait(&w, &w.downs, 1));
	assert_int_equal(world_reported(&w, 1), 200);
	end();
}

static void a_link_that_goes_down_gives_back(void **state)
{
	(void)state;
	begin(OPTIONS);
	world_deliver(&w, "silence@fault.localhost", 1);
	world_deliver(&w, "down-100@fault.localhost", 2);
	assert_true(world_wait(&w, &w.downs, 1));
	assert_string_equal(br_host_state(w.host), "ready");
	assert_false(br_host_has_room(w.host));
	assert_true(world_wait(&w, &w.ups, 2));
	world_deliver(&w, "ok@fault.localhost", 1);
	assert_true(world_wait(&w, &w.report_count, 1));
	assert_int_equal(world_reported(&w, 1), 200);
	assert_int_equal(br_host_deaths(w.host), 0);
	end();
}

/* What was on its way when the window closed is never shown to the plugin: it
 * would act on it twice. */
static void what_crosses_a_closed_window_is_not_delivered(void **state)
{
	(void)state;
	begin(OPTIONS);
	world_deliver(&w, "down-0@fault.localhost", 1);
	world_deliver(&w, "die@fault.localhost", 2);
	assert_true(world_wait(&w, &w.ups, 2));
	world_deliver(&w, "ok@fault.localhost", 3);
	assert_true(world_wait(&w, &w.report_count, 1));
	assert_int_equal(br_host_deaths(w.host), 0);
	assert_int_equal(world_reported(&w, 2), 0);
	end();
}

static void a_flood_keeps_to_its_limit(void **state)
{
	(void)state;
	begin(OPTIONS);
	world_deliver(&w, "flood-2000@fault.localhost", 1);
	assert_true(world_wait(&w, &w.requests, 2000));
	assert_int_equal(br_host_deaths(w.host), 0);
	end();
}

static void the_outcome_of_a_submission_comes_back(void **state)
{
	(void)state;
	begin(OPTIONS);
	w.answer = 402;
	world_deliver(&w, "spoof+alice%40localhost@fault.localhost", 1);
	assert_true(world_wait(&w, &w.report_count, 1));
	assert_int_equal(world_reported(&w, 1), 402);
	assert_true(prim_slice_eq(prim_buf_slice(&w.last_from),
	    PRIM_SLICE("im:alice@localhost")));
	end();
}

static void state_is_kept_and_given_back(void **state)
{
	(void)state;
	begin(OPTIONS);
	world_deliver(&w, "state@fault.localhost", 1);
	assert_true(world_wait(&w, &w.report_count, 1));
	assert_int_equal(world_reported(&w, 1), 200);
	assert_int_equal(w.host->states, 0);
	assert_int_equal(w.host->peer.ticket_count, 0);
	end();
}

static void state_is_asked_again_when_the_store_fails(void **state)
{
	(void)state;
	begin(OPTIONS);
	w.store_fails = true;
	world_deliver(&w, "state@fault.localhost", 1);
	assert_true(world_wait(&w, &w.report_count, 1));
	assert_int_equal(world_reported(&w, 1), 200);
	assert_true(world_logged(&w, "the store does not answer"));
	end();
}

static void an_answer_of_the_store_survives_the_one_who_asked(void **state)
{
	(void)state;
	begin(OPTIONS);
	w.store_us = 200000;
	world_deliver(&w, "state@fault.localhost", 1);
	assert_true(world_wait(&w, &w.host->states, 1));
	w.host = br_host_free(w.host);
	world_turn(&w, 300);
	end();
}

static void listening_sockets_are_handed_over(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char name[] = "fault";

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(listen(fd, 1), 0);
	memset(&w, 0, sizeof(w));
	w.adapter.name = name;
	world_init_sockets(&w, OPTIONS, &fd, 1);
	br_host_start(w.host);
	/* Also to the second life. */
	for (unsigned i = 1; i <= 2; i++) {
		assert_true(world_wait(&w, &w.ups, i));
		world_deliver(&w, "socket@fault.localhost", 1);
		assert_true(world_wait(&w, &w.report_count, i));
		assert_int_equal(w.reports[i - 1].code, 200);
		world_deliver(&w, "die@fault.localhost", 2);
	}
	end();
}

static void a_drained_adapter_ends_by_itself(void **state)
{
	(void)state;
	begin(OPTIONS);
	world_deliver(&w, "late-100@fault.localhost", 1);
	world_turn(&w, 30);
	br_host_stop(w.host);
	assert_string_equal(br_host_state(w.host), "draining");
	assert_false(br_host_has_room(w.host));
	assert_true(world_wait_stopped(&w));
	assert_int_equal(world_reported(&w, 1), 200);
	assert_int_equal(w.downs, 1);
	assert_int_equal(w.deaths, 0);
	assert_int_equal(br_host_deaths(w.host), 0);
	assert_true(world_logged(&w, "stopped code=0"));
	end();
}

static void one_that_does_not_end_is_killed(void **state)
{
	(void)state;
	begin(OPTIONS);
	w.host->times.drain = 100;
	world_deliver(&w, "silence@fault.localhost", 1);
	world_turn(&w, 30);
	br_host_stop(w.host);
	assert_true(world_wait_stopped(&w));
	assert_true(world_logged(&w, "stopped signal=9"));
	end();
}

static void a_stopped_one_stays_stopped(void **state)
{
	(void)state;
	world_init(&w, "fault", OPTIONS);
	br_host_start(w.host);
	br_host_stop(w.host);
	assert_true(world_wait_stopped(&w));
	world_turn(&w, 150);
	assert_int_equal(br_host_pid(w.host), 0);
	assert_int_equal(w.ups, 0);
	end();
}

static void options_that_are_wrong_are_told_and_tried_again(void **state)
{
	(void)state;
	world_init(&w, "fault", "\ndomain: x\nmode: fly\n");
	br_host_start(w.host);
	assert_true(world_wait(&w, &w.host->deaths, 2));
	assert_true(world_logged(&w,
	    "error fault: cannot start: \"3:7: mode: there is no such"));
	assert_int_equal(w.ups, 0);
	assert_int_equal(w.downs, 0);
	end();
}

static void a_plugin_that_is_not_there_is_told(void **state)
{
	(void)state;
	world_init(&w, "nosuch", "{}");
	br_host_start(w.host);
	assert_true(world_wait(&w, &w.host->deaths, 1));
	assert_true(world_logged(&w, "the plugin nosuch cannot be loaded"));
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_adapter_starts_and_is_up),
		cmocka_unit_test(a_fate_is_reported_with_its_code),
		cmocka_unit_test(later_word_may_follow),
		cmocka_unit_test(what_is_taken_may_be_its_death),
		cmocka_unit_test(what_is_said_twice_arrives_twice),
		cmocka_unit_test(somebody_else_may_be_claimed),
		cmocka_unit_test(a_notice_is_logged_and_obeys_its_own_option),
		cmocka_unit_test(what_comes_and_goes_is_recorded),
		cmocka_unit_test(one_that_cannot_record_does_not_start),
		cmocka_unit_test(options_say_when_to_try_again),
		cmocka_unit_test(the_mode_is_for_recipients_that_are_no_order),
		cmocka_unit_test(the_window_fills_and_empties),
		cmocka_unit_test(four_mib_fill_the_window_too),
		cmocka_unit_test(one_that_hangs_is_killed_and_started_again),
		cmocka_unit_test(one_that_dies_is_started_again),
		cmocka_unit_test(one_that_talks_garbage_is_killed),
		cmocka_unit_test(one_that_answers_what_nobody_asked_is_killed),
		cmocka_unit_test(the_pause_grows_until_a_life_is_long),
		cmocka_unit_test(what_it_said_before_it_died_counts),
		cmocka_unit_test(a_link_that_goes_down_gives_back),
		cmocka_unit_test(what_crosses_a_closed_window_is_not_delivered),
		cmocka_unit_test(a_flood_keeps_to_its_limit),
		cmocka_unit_test(the_outcome_of_a_submission_comes_back),
		cmocka_unit_test(state_is_kept_and_given_back),
		cmocka_unit_test(state_is_asked_again_when_the_store_fails),
		cmocka_unit_test(
		    an_answer_of_the_store_survives_the_one_who_asked),
		cmocka_unit_test(listening_sockets_are_handed_over),
		cmocka_unit_test(a_drained_adapter_ends_by_itself),
		cmocka_unit_test(one_that_does_not_end_is_killed),
		cmocka_unit_test(a_stopped_one_stays_stopped),
		cmocka_unit_test(
		    options_that_are_wrong_are_told_and_tried_again),
		cmocka_unit_test(a_plugin_that_is_not_there_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
