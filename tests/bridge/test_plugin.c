/* SPDX-License-Identifier: ISC */
/* primd-adapter, with the test as its core. */

#include "tests/lib/t.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bridge/place.h"
#include "bridge/plugin_private.h"
#include "prim/base.h"
#include "tests/bridge/world_host.h"

#define CONFIG_HEAD                                \
	"CONFIG PRIM/1.0 1 %zu\r\nName: fault\r\n" \
	"Max-Content-Length: 1000\r\nContent-Type: text/plain\r\n\r\n%s"
#define SETTINGS                                                  \
	"serve localhost\nadapter fault fault.localhost -\n"      \
	"adapter other other.localhost gw.localhost\n"            \
	"route .far.example fault\nroute x.far.example other\n\n" \
	"domain: fault.localhost\n"
#define SEND                                                                   \
	"SEND PRIM/1.0 2 5\r\nFrom: im:alice@localhost\r\n"                    \
	"To: im:%s@fault.localhost\r\nMessage-ID: m\r\nConversation-ID: c\r\n" \
	"Date: Thu, 01 Jan 2026 00:00:00 +0000\r\nBridge-Hops: 1\r\n"          \
	"Content-Type: text/plain\r\nAttempt: 1\r\n"                           \
	"Delivery-ID: 01010101010101010101010101010101\r\n\r\nhello"
#define PATIENCE_MS 10000

static struct world w;
static int fd;
static char heard[8192];
static size_t heard_len;

static void begin(void)
{
	world_init(&w, "fault", "{}");
	heard[0] = '\0';
	heard_len = 0;
	assert_true(br_host_process_start(w.host, &fd));
}

static void say(const char *text)
{
	const size_t len = strlen(text);

	assert_int_equal(send(fd, text, len, MSG_NOSIGNAL), len);
}

static void configure(const char *settings)
{
	char text[1024];

	snprintf(text, sizeof(text), CONFIG_HEAD, strlen(settings), settings);
	say(text);
}

/* Reads until `text` has come, and forgets all up to its end. */
static void expect(const char *text)
{
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	const char *found;
	ssize_t n;

	while (!(found = strstr(heard, text))) {
		assert_int_equal(poll(&poller, 1, PATIENCE_MS), 1);
		n = recv(fd, heard + heard_len, sizeof(heard) - heard_len - 1,
		    0);
		assert_true(n > 0);
		heard_len += (size_t)n;
		heard[heard_len] = '\0';
	}
	found += strlen(text);
	heard_len -= (size_t)(found - heard);
	memmove(heard, found, heard_len + 1);
}

static void expect_end(const char *how)
{
	char is[32];

	assert_true(br_host_process_reap(w.host, true, is));
	assert_string_equal(is, how);
	close(fd);
	world_fini(&w);
}

static void the_end_of_the_link_is_a_good_end(void **state)
{
	(void)state;
	begin();
	configure(SETTINGS);
	expect("WINDOW PRIM/1.0 - 0\r\nWindow: 1024\r\n\r\n");
	shutdown(fd, SHUT_RDWR);
	expect_end("code=0");
}

static void it_reports_ready_and_its_window(void **state)
{
	(void)state;
	begin();
	configure(SETTINGS);
	expect("PRIM/1.0 1 0 200 OK\r\n\r\n");
	/* Between these it says what its sandbox is like. */
	expect("READY PRIM/1.0 - 0\r\n\r\n"
	       "WINDOW PRIM/1.0 - 0\r\nWindow: 1024\r\n\r\n");
	say("PING PRIM/1.0 2 0\r\n\r\n");
	expect("PRIM/1.0 2 0 200 OK\r\n\r\n");
	shutdown(fd, SHUT_WR);
	expect_end("code=0");
}

static void a_drain_with_nothing_to_do_is_a_good_end(void **state)
{
	(void)state;
	begin();
	configure(SETTINGS);
	say("DRAIN PRIM/1.0 - 0\r\n\r\n");
	expect_end("code=0");
}

static void a_core_that_breaks_the_rules_is_left(void **state)
{
	static const char *const BAD[] = {
		"rubbish\r\n\r\n",
		"\r\nPING PRIM/1.0 2 0\r\n\r\n",
		"READY PRIM/1.0 - 0\r\n\r\n",
		"PING PRIM/1.0 - 0\r\n\r\n",
		"PRIM/1.0 1 0 200 OK\r\n\r\n",
		"SEND PRIM/1.0 2 0\r\n\r\n",
		"DRAIN PRIM/1.0 - 0\r\n\r\n",
		"CONFIG PRIM/1.0 1 0\r\nName: other\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(BAD); i++) {
		begin();
		say(BAD[i]);
		expect_end("code=3");
	}
}

static void strange_settings_are_left_too(void **state)
{
	static const char *const BAD[] = {
		"",
		"serve localhost\n",
		"\n{}",
		"serve\n\n{}",
		"serve localhost\nadapter x\n\n{}",
		"serve localhost\nroute a b\n\n{}",
		"serve localhost\nfoo bar\n\n{}",
	};

	(void)state;
	/* An empty body goes without Content-Type; that is well, too. */
	for (size_t i = 0; i < PRIM_COUNT(BAD); i++) {
		begin();
		configure(BAD[i]);
		expect_end("code=3");
	}
}

static void a_refused_configuration_says_why(void **state)
{
	(void)state;
	begin();
	configure("serve localhost\n\n\n  domian: x\n");
	expect("PRIM/1.0 1 49 400 Bad Request\r\n"
	       "Content-Type: text/plain; charset=UTF-8\r\n\r\n"
	       "2:3: unknown key `domian`; did you mean `domain`?");
	expect_end("code=4");
}

static void a_delivery_is_taken_and_reported(void **state)
{
	char text[1024];

	(void)state;
	begin();
	configure(SETTINGS);
	snprintf(text, sizeof(text), SEND, "report-403");
	say(text);
	expect("REPORT PRIM/1.0 - 10\r\n"
	       "Delivery-ID: 01010101010101010101010101010101\r\n"
	       "Code: 403\r\nContent-Type: text/plain; charset=UTF-8\r\n\r\n"
	       "as orderedPRIM/1.0 2 0 200 OK\r\n\r\n");
	shutdown(fd, SHUT_WR);
	expect_end("code=0");
}

static void what_comes_before_the_fence_is_refused(void **state)
{
	char text[1024];

	(void)state;
	begin();
	configure(SETTINGS);
	snprintf(text, sizeof(text), SEND, "down-0");
	say(text);
	expect("WINDOW PRIM/1.0 - 0\r\nWindow: 0\r\n\r\n"
	       "PING PRIM/1.0 1 0\r\n\r\n");
	expect("Window: 1024\r\n\r\n");
	snprintf(text, sizeof(text), SEND, "die");
	say(text);
	expect("PRIM/1.0 2 0 504 Gateway Timeout\r\n\r\n");
	say("PRIM/1.0 1 0 200 OK\r\n\r\n");
	snprintf(text, sizeof(text), SEND, "die");
	say(text);
	expect_end("code=9");
}

static void the_answer_to_a_submission_is_its_outcome(void **state)
{
	char text[1024];

	(void)state;
	begin();
	configure(SETTINGS);
	snprintf(text, sizeof(text), SEND, "spoof+eve%40far.example");
	say(text);
	expect("From: im:eve@far.example\r\n");
	say("PRIM/1.0 1 0 402 Forbidden\r\n\r\n");
	expect("Code: 402\r\n");
	shutdown(fd, SHUT_WR);
	expect_end("code=0");
}

static void domains_lead_where_the_core_leads_them(void **state)
{
	static const struct {
		const char *domain;
		bool ours;
	} CASES[] = {
		{"fault.localhost",  true },
		{ "a.far.example",   true },
		{ "b.a.far.example", true },
		{ "far.example",     false},
		{ "x.far.example",   false},
		{ "other.localhost", false},
		{ "localhost",       false},
		{ "nowhere.example", false},
	};
	struct prim_slice text = PRIM_SLICE(SETTINGS);
	struct bridge *b = prim_new(struct bridge);
	size_t count;

	(void)state;
	b->name = "fault";
	assert_true(br_plugin_config_read(b, &text));
	assert_true(prim_slice_eq(text,
	    PRIM_SLICE("domain: fault.localhost\n")));
	assert_string_equal(bridge_domains(b, &count)[0], "localhost");
	assert_int_equal(count, 1);
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++)
		assert_int_equal(bridge_routes(b,
				     prim_slice_of(CASES[i].domain)),
		    CASES[i].ours);
	br_plugin_config_fini(b);
	prim_free(b);
}

/* Runs `primd-adapter --check fault` with `options` and gives its code. */
static int check(const char *options, char *out_text, size_t size)
{
	char command[BR_PLACE_MAX + 200], program[BR_PLACE_MAX];
	size_t len;
	FILE *pipe;

	assert_true(br_place_program("primd-adapter", program));
	snprintf(command, sizeof(command),
	    "printf '%s' | %s --check fault 2>&1", options, program);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	len = fread(out_text, 1, size - 1, pipe);
	out_text[len] = '\0';
	return WEXITSTATUS(pclose(pipe));
}

static void options_are_checked_with_their_place(void **state)
{
	static const struct {
		const char *options;
		int code;
		const char *text;
	} CASES[] = {
		{"domain: x",                  0, ""                           },
		{ "{domain: x, mode: late-5}", 0, ""                           },
		{ "\\n\\n  domian: x",         2, "3:3: unknown key `domian`"  },
		{ "{}",			2, "1:1: "                      },
		{ "domain: x\\nmode: fly",     2, "2:7: mode: there is no such"},
		{ "domain: [",                 2, "this is not YAML"           },
	};

	char text[1024];

	(void)state;
	for (size_t i = 0; i < PRIM_COUNT(CASES); i++) {
		assert_int_equal(check(CASES[i].options, text, sizeof(text)),
		    CASES[i].code);
		if (!strstr(text, CASES[i].text))
			fail_msg("%s: %s", CASES[i].options, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_of_the_link_is_a_good_end),
		cmocka_unit_test(it_reports_ready_and_its_window),
		cmocka_unit_test(a_drain_with_nothing_to_do_is_a_good_end),
		cmocka_unit_test(a_core_that_breaks_the_rules_is_left),
		cmocka_unit_test(strange_settings_are_left_too),
		cmocka_unit_test(a_refused_configuration_says_why),
		cmocka_unit_test(a_delivery_is_taken_and_reported),
		cmocka_unit_test(what_comes_before_the_fence_is_refused),
		cmocka_unit_test(the_answer_to_a_submission_is_its_outcome),
		cmocka_unit_test(domains_lead_where_the_core_leads_them),
		cmocka_unit_test(options_are_checked_with_their_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
