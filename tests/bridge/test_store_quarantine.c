/* SPDX-License-Identifier: ISC */
/* Quarantine: what nobody may be given, because it kills or is damaged. */

#include "tests/bridge/store_world.h"

#include "bridge/clock.h"
#include "bridge/metric.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)

static void release(struct world *w, int64_t seq, enum br_store_outcome outcome)
{
	struct heard heard = { 0 };

	br_store_message_release(w->store, seq, 9000, on_done, &heard);
	world_expect(w, &heard, outcome);
}

static void it_stays_for_the_operator_and_its_sender_is_told(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message_make(1, PRIM_SLICE("m"));
	struct message_got got = { 0 };
	struct history_lines lines;
	int64_t seq;

	m.delay_notice_ms = 1500;
	seq = message_store(w, &m).seq;
	message_quarantine(w, seq, BR_STORE_DONE);
	world_expect_notices(w, 1, &m, BR_NOTICE_FAILED);
	message_quarantine(w, seq, BR_STORE_DONE);
	world_expect_notices(w, 0, NULL, BR_NOTICE_FAILED);
	world_reopen(w);
	assert_int_equal(messages(w), 2); /* and its notice */
	assert_true(message_get(w, seq, &got));
	assert_true(got.m.is_quarantined);
	assert_true(got.m.is_told);
	assert_int_equal(got.m.delay_notice_ms, 0);
	assert_int_equal(got.m.last_code, 500);
	assert_int_equal(answer(w, &m), 101);
	message_end(w, seq, 500, "dropped");
	world_expect_notices(w, 0, NULL, BR_NOTICE_FAILED);
	message_quarantine(w, seq, BR_STORE_ABSENT);
	release(w, seq, BR_STORE_ABSENT);
	history_read(w, PRIM_SLICE("m"), &lines);
	assert_int_equal(lines.count, 4);
	assert_non_null(strstr(lines.text,
	    "\nquarantined code=500 reason=poison\nnotice kind=failed id="));
	prim_buf_fini(&got.content);
}

static void it_comes_back_and_its_sender_is_not_told_again(void **state)
{
	static const unsigned CODES[] = { 200, 408 };
	struct world *w = *state;
	struct message_got got = { 0 };
	struct history_lines lines;

	for (unsigned i = 0; i < PRIM_COUNT(CODES); i++) {
		struct br_store_message m = message_make(i, PRIM_SLICE("m"));
		int64_t seq;

		m.reports = BR_REPORT_POSITIVE;
		m.deaths = 3;
		m.next_try_ms = 5000;
		seq = message_store(w, &m).seq;
		release(w, seq, BR_STORE_ABSENT);
		message_quarantine(w, seq, BR_STORE_DONE);
		world_expect_notices(w, 1, &m, BR_NOTICE_FAILED);
		release(w, seq, BR_STORE_DONE);
		release(w, seq, BR_STORE_ABSENT);
		world_reopen(w);
		assert_true(message_get(w, seq, &got));
		assert_false(got.m.is_quarantined);
		assert_int_equal(got.m.expires_ms, 9000);
		assert_int_equal(got.m.deaths, 0);
		assert_int_equal(got.m.next_try_ms, 0);
		message_end(w, seq, CODES[i], "end");
		world_expect_notices(w, 0, NULL, BR_NOTICE_FAILED);
	}
	history_read(w, PRIM_SLICE("m"), &lines);
	assert_non_null(strstr(lines.text,
	    "\nreleased\nend code=200 reason=end"));
	prim_buf_fini(&got.content);
}

static void expire(struct world *w, int64_t now_ms)
{
	br_store_expire(w->store, now_ms);
	br_store_settle(w->store);
}

static void it_is_over_after_thirty_days(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message_make(1000, PRIM_SLICE("m"));
	int64_t now = br_clock_wall_ms();
	struct history_lines lines;

	store_many(w, 0, 99);
	message_quarantine(w, message_store(w, &m).seq, BR_STORE_DONE);
	for (int64_t seq = 1; seq <= 69; seq++)
		message_quarantine(w, seq, BR_STORE_DONE);
	assert_int_equal(w->notices, 70);
	w->notices = 0;
	expire(w, now + 29 * DAY_MS);
	assert_int_equal(messages(w), 170);
	expire(w, now + 30 * DAY_MS + 60000);
	assert_int_equal(messages(w), 100);
	world_expect_notices(w, 0, NULL, BR_NOTICE_FAILED);
	assert_int_equal(answer(w, &m), 101);
	history_read(w, PRIM_SLICE("m"), &lines);
	assert_non_null(strstr(lines.text,
	    "\nend code=500 reason=quarantine over\n"));
	expire(w, now + 33 * DAY_MS);
	assert_int_equal(answer(w, &m), 0);
	assert_int_equal(keys(w), 100);
}

/* ---- damage ---- */

/* What is spoiled when this is changed. */
enum spoils {
	NOTHING,  /* that could do harm */
	ENVELOPE, /* nobody can be told */
	CONTENT,  /* or where it goes: its sender is told */
};

static const struct {
	const char *column; /* of message; NULL: `sql` is all */
	const char *value;
	enum spoils spoils;
} HARM[] = {
	{"key",              "x'00'",				      ENVELOPE},
	{ "lane",            "zeroblob(16)",                               ENVELOPE},
	{ "delivery",        "zeroblob(16)",                               ENVELOPE},
	{ "content_hash",    "content_hash + 1",                           ENVELOPE},
	{ "destination",     "'adapter:mail'",                             CONTENT },
	{ "via",             "'adapter:mail'",                             CONTENT },
	{ "target",          "'eve@there.example'",                        CONTENT },
	{ "tried",           "'eve@there.example'",                        CONTENT },
	{ "origin",          "'xmpp'",				     ENVELOPE},
	{ "sender",          "'eve@there.example'",                        ENVELOPE},
	{ "recipient",       "'eve@there.example'",                        ENVELOPE},
	{ "message_id",      "'n'",					ENVELOPE},
	{ "return_token",    "x'01'",				      ENVELOPE},
	{ "notice_from",     "''",					 ENVELOPE},
	{ "octets",          "octets + 65536",                             ENVELOPE},
	{ "hops",            "17",					 ENVELOPE},
	{ "reports",         "reports + 1",                                ENVELOPE},
	{ "is_notice",       "1",					  ENVELOPE},
	{ "accepted_ms",     "accepted_ms + 1024",                         ENVELOPE},
	{ "expires_ms",      "expires_ms + 1024",                          ENVELOPE},
	{ "delay_notice_ms", "1",					  CONTENT },
	{ "attempts",        "attempts + 1024",                            NOTHING },
	{ "next_try_ms",     "1",					  NOTHING },
	{ "deaths",          "1",					  NOTHING },
	{ "is_told",         "1",					  CONTENT },
	{ "quarantine_ms",   "9223372036854775807",                        CONTENT },
	{ "last_code",       "200",					NOTHING },
	{ "last_reason",     "'reason'",                                   NOTHING },
	{ "envelope",        "envelope + 1",                               ENVELOPE},
	{ "state",           "state + 1",				  CONTENT },
	{ NULL,              "UPDATE content SET checksum = checksum + 1", CONTENT },
	{ NULL,              "UPDATE content SET head = x'00'",            CONTENT },
	{ NULL,              "UPDATE content SET body = x'68656c6c70'",    CONTENT },
	{ NULL,              "DELETE FROM content",                        CONTENT },
 /* Another row, and none. */
	{ "seq",             "seq + 1000",				 ENVELOPE},
};

static int64_t harmed_make(struct world *w, unsigned i,
    const struct br_store_message *m)
{
	int64_t seq = message_store(w, m).seq;
	char sql[256];

	assert_true(message_get(w, seq, NULL));
	if (HARM[i].column)
		(void)snprintf(sql, sizeof(sql),
		    "UPDATE message SET %s = %s WHERE seq = %lld",
		    HARM[i].column, HARM[i].value, (long long)seq);
	else
		(void)snprintf(sql, sizeof(sql), "%s WHERE seq = %lld",
		    HARM[i].value, (long long)seq);
	world_harm(w, sql);
	return HARM[i].column && strcmp(HARM[i].column, "seq") == 0 ? seq + 1000
								    : seq;
}

static void expect_quarantined(struct world *w, int64_t seq,
    const struct br_store_message *m, enum spoils spoils)
{
	char sql[128];

	world_expect_notices(w, spoils == CONTENT, m, BR_NOTICE_FAILED);
	assert_false(message_get(w, seq, NULL) && spoils == ENVELOPE);
	(void)snprintf(sql, sizeof(sql),
	    "SELECT quarantine_ms FROM message WHERE seq = %lld",
	    (long long)seq);
	assert_in_range(world_ask(w, sql), br_clock_wall_ms() + 29 * DAY_MS,
	    br_clock_wall_ms() + 31 * DAY_MS);
}

static void damage_that_is_found_on_reading(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < PRIM_COUNT(HARM); i++) {
		struct br_store_message m = message_make(i + 1,
		    PRIM_SLICE("m"));
		int64_t seq = harmed_make(w, i, &m);
		int64_t errors = br_metric_get(BR_METRIC_STORE_ERRORS);

		assert_int_equal(message_get(w, seq, NULL),
		    HARM[i].spoils == NOTHING);
		assert_int_equal(br_metric_get(BR_METRIC_STORE_ERRORS),
		    errors + (HARM[i].spoils != NOTHING));
		if (HARM[i].spoils == NOTHING)
			continue;
		message_quarantine(w, seq, BR_STORE_DONE);
		expect_quarantined(w, seq, &m, HARM[i].spoils);
		message_quarantine(w, seq, BR_STORE_DONE);
		world_expect_notices(w, 0, NULL, BR_NOTICE_FAILED);
		message_end(w, seq, 500, "dropped");
		world_expect_notices(w, 0, NULL, BR_NOTICE_FAILED);
	}
}

/* A content that is damaged is found when it is read, the rest at start. */
static void damage_that_is_found_at_start(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < PRIM_COUNT(HARM); i++) {
		struct br_store_message m = message_make(i + 1,
		    PRIM_SLICE("m"));
		bool found = HARM[i].spoils != NOTHING && HARM[i].column;
		int64_t seq = harmed_make(w, i, &m);
		unsigned before = (unsigned)world_ask(w,
		    "SELECT count(*) FROM message");

		world_reopen(w);
		assert_int_equal(messages(w), before - found);
		if (found)
			expect_quarantined(w, seq, &m, HARM[i].spoils);
		world_expect_notices(w, 0, NULL, BR_NOTICE_FAILED);
		/* Once. */
		world_reopen(w);
		(void)messages(w);
		world_expect_notices(w, 0, NULL, BR_NOTICE_FAILED);
		world_harm(w, "DELETE FROM message; DELETE FROM content;");
	}
}

/* What is damaged is not given back, whoever asks. */
static void damage_is_not_released(void **state)
{
	struct world *w = *state;

	for (unsigned i = 0; i < PRIM_COUNT(HARM); i++) {
		struct br_store_message m = message_make(i + 1,
		    PRIM_SLICE("m"));
		bool is_state = HARM[i].column && HARM[i].spoils == CONTENT;
		int64_t seq = harmed_make(w, i, &m);

		message_quarantine(w, seq, BR_STORE_DONE);
		/* Where it goes is forgotten with the damage. */
		release(w, seq,
		    HARM[i].spoils == NOTHING || is_state ? BR_STORE_DONE
							  : BR_STORE_ABSENT);
		if (is_state) {
			struct message_got got = { 0 };

			assert_true(message_get(w, seq, &got));
			assert_int_equal(got.m.target.len + got.m.tried.len, 0);
			assert_true(got.m.is_told);
			prim_buf_fini(&got.content);
		}
	}
}

/* The table above has them all. */
static void every_column_is_harmed(void **state)
{
	struct world *w = *state;
	unsigned count = 0;

	for (unsigned i = 0; i < PRIM_COUNT(HARM); i++)
		count += HARM[i].column != NULL;
	assert_int_equal(
	    world_ask(w, "SELECT count(*) FROM pragma_table_info('message')"),
	    count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(it_stays_for_the_operator_and_its_sender_is_told),
		IN_FOLDER(it_comes_back_and_its_sender_is_not_told_again),
		IN_MEMORY(it_is_over_after_thirty_days),
		IN_FOLDER(damage_that_is_found_on_reading),
		IN_FOLDER(damage_that_is_found_at_start),
		IN_FOLDER(damage_is_not_released),
		IN_FOLDER(every_column_is_harmed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
