/* SPDX-License-Identifier: ISC */
/* A primd that starts with another idea of the time than the one before it had:
 * what waits has its time, no less than a minute and no more than it was given. */

#include "tests/bridge/store_world.h"

#include "bridge/outbox.h"
#include "bridge/server.h"

#define T0     INT64_C(1764000000000)
#define MINUTE INT64_C(60000)
#define YEAR   (365 * 24 * 60 * MINUTE)

/* The message came at T0 and had an hour; primd starts again at T0 + ahead. */
static const struct {
	int64_t ahead, lasts;
} STARTS[] = {
	{10 * MINUTE,          50 * MINUTE},
	{ 59 * MINUTE + 30000, MINUTE     }, /* like all that is nearly over */
	{ 2 * 60 * MINUTE,     MINUTE     },
	{ 10 * YEAR,           MINUTE     },
	{ -10 * MINUTE,        60 * MINUTE},
	{ -10 * YEAR,          60 * MINUTE},
};

static void leave_message(struct world *w)
{
	struct br_store_message m = message_make(1, PRIM_SLICE("m"));

	m.accepted_ms = T0;
	m.expires_ms = T0 + 60 * MINUTE;
	m.notice_from = PRIM_SLICE_NONE;
	world_open(w);
	assert_true(message_store(w, &m).seq > 0);
	world_close(w);
}

static void turn(struct br_server *s, int64_t ms)
{
	br_clock_turn(&s->clock, ms);
	br_server_turn(s);
	br_store_settle(s->store);
}

static void expect_life(const struct world *w, int64_t ahead, int64_t lasts)
{
	struct br_err err = { "" };
	struct br_config *config = br_config_parse("config",
	    PRIM_SLICE("domains: [here.example]\n"), NULL, &err);
	struct br_server_options options = { .config = config,
		.data_dir = w->dir,
		.by_hand_ms = T0 + ahead };
	struct br_server *s;

	assert_non_null(config);
	options.base = event_base_new();
	s = br_server_new(&options, &err);
	assert_string_equal(err.text, "");
	assert_int_equal(br_outbox_rows(s->outbox), 1);
	turn(s, lasts - 1000);
	assert_int_equal(br_outbox_rows(s->outbox), 1);
	turn(s, 2000);
	assert_int_equal(br_outbox_rows(s->outbox), 0);
	assert_null(br_server_free(s));
	event_base_free(options.base);
	br_config_free(config);
}

static void what_waits_has_its_time_whatever_the_clock_says(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < PRIM_COUNT(STARTS); i++) {
		world_folder(w);
		leave_message(w);
		expect_life(w, STARTS[i].ahead, STARTS[i].lasts);
		world_sweep(w);
	}
}

static int set_up(void **state)
{
	static struct world w;

	br_log_set_sink(world_hush, NULL);
	*state = &w;
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    what_waits_has_its_time_whatever_the_clock_says, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
