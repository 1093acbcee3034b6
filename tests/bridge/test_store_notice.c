/* SPDX-License-Identifier: ISC */
/* Notices: who is told of an end or a delay, and that nobody is told twice. */

#include "tests/bridge/store_world.h"

static void an_end_tells_its_sender_what_is_due(void **state)
{
	static const struct {
		unsigned code, reports;
		bool is_notice, has_no_writer;
		unsigned notices;
		enum br_notice_kind kind;
	} CASES[] = {
		{.code = 200					 },
		{			 .code = 200,
                 .reports = BR_REPORT_NEGATIVE | BR_REPORT_PROCESSING },
		{			.code = 200,
                 .reports = BR_REPORT_POSITIVE,
                 .notices = 1,
                 .kind = BR_NOTICE_DELIVERED },
		{								   .code = 200,
                 .reports = BR_REPORT_POSITIVE,
                 .is_notice = true },
		{.code = 101,				    .reports = BR_REPORT_POSITIVE },
		{							   .code = 408,.notices = 1, .kind = BR_NOTICE_FAILED },
		{           .code = 407,						     .notices = 1, .kind = BR_NOTICE_FAILED },
		{						     .code = 500,
                 .reports = 7,
                 .notices = 1,
                 .kind = BR_NOTICE_FAILED },
		{.code = 408,						   .has_no_writer = true },
		{            .code = 408,					 .is_notice = true },
	};
	struct world *w = *state;

	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++) {
		struct br_store_message m = message_make(i, PRIM_SLICE("m"));
		unsigned before = messages(w);
		int64_t seq;

		m.reports = CASES[i].reports;
		m.is_notice = CASES[i].is_notice;
		if (CASES[i].has_no_writer)
			m.notice_from = PRIM_SLICE_NONE;
		seq = message_store(w, &m).seq;
		message_end(w, seq, CASES[i].code, "reason");
		world_expect_notices(w, CASES[i].notices, &m, CASES[i].kind);
		assert_false(message_get(w, seq, NULL));
		assert_int_equal(messages(w), before + CASES[i].notices);
	}
}

static void a_notice_is_stored_like_any_message(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message_make(1, PRIM_SLICE("Lost"));
	struct message_got got = { 0 };
	struct history_lines lines;
	char expected[512];

	message_end(w, message_store(w, &m).seq, 408, "closed");
	world_expect_notices(w, 1, &m, BR_NOTICE_FAILED);
	world_reopen(w);
	assert_int_equal(messages(w), 1);
	assert_true(message_get(w, w->notice.seq, &got));
	assert_true(got.m.is_notice);
	assert_int_equal(got.m.octets, w->notice.octets);
	assert_int_equal(got.m.octets, got.content.len - 1);
	assert_non_null(strstr(got.content.ptr, "To: im:ann@here.example"));
	assert_non_null(strstr(got.content.ptr, "<message-id>Lost<"));
	assert_non_null(strstr(got.content.ptr, "<failed"));
	assert_int_equal(answer(w, &w->notice), 101);

	history_read(w, PRIM_SLICE("Lost"), &lines);
	(void)snprintf(expected, sizeof(expected),
	    "accepted from=ann@here.example to=bob@here.example"
	    " via=inbox:bob@here.example\n"
	    "end code=408 reason=closed\n"
	    "notice kind=failed id=%.*s\n",
	    PRIM_SLICE_ARG(w->notice.message_id));
	assert_string_equal(lines.text, expected);
	history_read(w, w->notice.message_id, &lines);
	assert_string_equal(lines.text,
	    "accepted from=postmaster@here.example to=ann@here.example"
	    " via=inbox:ann@here.example\n");

	/* It has an end, and nobody is told of that. */
	message_end(w, w->notice.seq, 408, "expired");
	world_expect_notices(w, 0, NULL, BR_NOTICE_FAILED);
	assert_int_equal(messages(w), 0);
	prim_buf_fini(&got.content);
}

static void a_notice_goes_back_where_its_message_came_from(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message_make(1, PRIM_SLICE("m"));

	m.origin = PRIM_SLICE("xmpp");
	m.sender = PRIM_SLICE("romeo@there.example");
	m.return_token = PRIM_SLICE("token");
	message_end(w, message_store(w, &m).seq, 403, "no such user");
	world_expect_notices(w, 1, &m, BR_NOTICE_FAILED);
	assert_true(prim_slice_eq(w->notice.destination,
	    PRIM_SLICE("adapter:xmpp")));
	assert_true(prim_slice_eq(w->notice.return_token, PRIM_SLICE("token")));
	assert_true(prim_slice_eq(w->notice.recipient, m.sender));
	assert_true(prim_slice_eq(w->notice.origin, PRIM_SLICE("primbridge")));
}

struct order {
	struct world *w;
	unsigned calls, notices;
};

static void on_ended(void *arg, enum br_store_outcome outcome)
{
	struct order *order = arg;

	assert_int_equal(outcome, BR_STORE_DONE);
	order->calls++;
	order->notices = order->w->notices;
}

static void a_notice_is_told_before_the_callback_of_its_cause(void **state)
{
	struct world *w = *state;
	struct br_store_message m[2] = { message_make(1, PRIM_SLICE("m")),
		message_make(2, PRIM_SLICE("m")) };
	struct order order[2] = { { .w = w }, { .w = w } };
	const struct br_store_end end = end_make(408, "closed");
	int64_t seqs[2];

	for (unsigned i = 0; i < 2; i++)
		seqs[i] = message_store(w, &m[i]).seq;
	for (unsigned i = 0; i < 2; i++)
		br_store_message_end(w->store, seqs[i], &end, on_ended,
		    &order[i]);
	br_store_settle(w->store);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(order[i].calls, 1);
		assert_int_equal(order[i].notices, i + 1);
	}
}

/* The same message once more, after its key was forgotten: its notice still
 * waits, and is not written again. */
static void a_notice_that_is_there_is_not_made_again(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message_make(1, PRIM_SLICE("m"));

	message_end(w, message_store(w, &m).seq, 408, "closed");
	world_expect_notices(w, 1, &m, BR_NOTICE_FAILED);
	br_store_expire(w->store, 6000);
	br_store_settle(w->store);
	assert_int_equal(answer(w, &m), 0);
	message_end(w, message_store(w, &m).seq, 408, "closed");
	world_expect_notices(w, 0, NULL, BR_NOTICE_FAILED);
	assert_int_equal(messages(w), 1);
}

static void delayed(struct world *w, int64_t seq, enum br_store_outcome outcome)
{
	struct heard heard = { 0 };

	br_store_message_delayed(w->store, seq, on_done, &heard);
	world_expect(w, &heard, outcome);
}

static void a_delay_is_told_once(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message_make(1, PRIM_SLICE("Late"));
	struct br_store_message quiet = message_make(2, PRIM_SLICE("quiet"));
	struct message_got got = { 0 };
	struct history_lines lines;
	int64_t seq;

	m.delay_notice_ms = 1500;
	seq = message_store(w, &m).seq;
	delayed(w, seq, BR_STORE_DONE);
	world_expect_notices(w, 1, &m, BR_NOTICE_DELAYED);
	delayed(w, seq, BR_STORE_DONE);
	world_expect_notices(w, 0, NULL, BR_NOTICE_DELAYED);
	world_reopen(w);
	assert_true(message_get(w, seq, &got));
	assert_int_equal(got.m.delay_notice_ms, 0);
	assert_false(got.m.is_told);
	prim_buf_fini(&got.content);
	message_end(w, seq, 408, "expired");
	world_expect_notices(w, 1, &m, BR_NOTICE_FAILED);
	delayed(w, seq, BR_STORE_ABSENT);

	seq = message_store(w, &quiet).seq;
	delayed(w, seq, BR_STORE_DONE);
	world_expect_notices(w, 0, NULL, BR_NOTICE_DELAYED);

	history_read(w, PRIM_SLICE("Late"), &lines);
	assert_int_equal(lines.count, 5);
	assert_non_null(strstr(lines.text,
	    "\ndelayed\nnotice kind=delayed id="));
	assert_non_null(strstr(lines.text,
	    "\nend code=408 reason=expired\nnotice kind=failed id="));
}

/* One job of a transaction fails and all run again, each in its own. */
static void what_runs_again_tells_nobody_twice(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message_make(1, PRIM_SLICE("m"));
	struct br_store_message bad = message_make(2, PRIM_SLICE("poison"));
	const struct br_store_end end = end_make(408, "closed");
	struct br_store_put_result result = { BR_STORE_DONE, 0, 0, 0 };
	struct heard heard = { 0 };
	int64_t seq = message_store(w, &m).seq;

	world_harm(w,
	    "CREATE TRIGGER t BEFORE INSERT ON message"
	    " WHEN NEW.message_id = 'poison' BEGIN"
	    " SELECT RAISE(ABORT, 'poison'); END");
	br_store_message_end(w->store, seq, &end, on_done, &heard);
	br_store_message_put(w->store, &bad, on_put, &result);
	world_expect(w, &heard, BR_STORE_DONE);
	assert_int_equal(result.outcome, BR_STORE_FAILED);
	world_expect_notices(w, 1, &m, BR_NOTICE_FAILED);
	assert_int_equal(messages(w), 1);
	assert_int_equal(answer(w, &bad), 0);
}

static void an_end_that_fails_leaves_nothing(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message_make(1, PRIM_SLICE("m"));
	const struct br_store_end end = end_make(408, "closed");
	struct heard heard = { 0 };
	int64_t seq = message_store(w, &m).seq;

	world_harm(w,
	    "CREATE TRIGGER t BEFORE INSERT ON content BEGIN"
	    " SELECT RAISE(ABORT, 'no notice'); END");
	br_store_message_end(w->store, seq, &end, on_done, &heard);
	world_expect(w, &heard, BR_STORE_FAILED);
	world_expect_notices(w, 0, NULL, BR_NOTICE_FAILED);
	assert_true(message_get(w, seq, NULL));
	assert_int_equal(messages(w), 1);
	world_harm(w, "DROP TRIGGER t");

	/* The same when the commit fails. */
	world_limit(0);
	br_store_message_end(w->store, seq, &end, on_done, &heard);
	world_expect(w, &heard, BR_STORE_FAILED);
	world_limit(RLIM_INFINITY);
	world_expect_notices(w, 0, NULL, BR_NOTICE_FAILED);
	assert_int_equal(messages(w), 1);
	message_end(w, seq, 408, "closed");
	world_expect_notices(w, 1, &m, BR_NOTICE_FAILED);
	assert_int_equal(messages(w), 1);
}

static void on_line(void *arg, const struct br_store_event *e)
{
	if (e)
		*(int64_t *)arg = e->at_ms;
}

/* The wall clock may jump; that of the core does not. */
static void the_time_is_what_the_core_says(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message_make(1, PRIM_SLICE("m"));
	int64_t now = 1000000000000, last = 0;
	struct message_got got = { 0 };

	br_store_set_clock(w->store, &now);
	message_end(w, message_store(w, &m).seq, 408, "closed");
	now += 5000;
	message_quarantine(w, w->notice.seq, BR_STORE_DONE);
	assert_int_equal(w->notice.accepted_ms, 1000000000000);
	assert_true(message_get(w, w->notice.seq, &got));
	assert_int_equal(got.m.expires_ms,
	    1000000000000 + (int64_t)7 * 24 * 3600 * 1000);
	br_store_history_find(w->store, m.message_id, on_line, &last);
	br_store_settle(w->store);
	assert_int_equal(last, 1000000000000);
	br_store_history_find(w->store, w->notice.message_id, on_line, &last);
	br_store_settle(w->store);
	assert_int_equal(last, now);
	br_store_set_clock(w->store, NULL);
	prim_buf_fini(&got.content);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(an_end_tells_its_sender_what_is_due),
		IN_FOLDER(a_notice_is_stored_like_any_message),
		IN_MEMORY(a_notice_goes_back_where_its_message_came_from),
		IN_FOLDER(a_notice_is_told_before_the_callback_of_its_cause),
		IN_MEMORY(a_notice_that_is_there_is_not_made_again),
		IN_FOLDER(a_delay_is_told_once),
		IN_FOLDER(what_runs_again_tells_nobody_twice),
		IN_FOLDER(an_end_that_fails_leaves_nothing),
		IN_MEMORY(the_time_is_what_the_core_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
