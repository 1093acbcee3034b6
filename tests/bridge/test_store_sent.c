/* SPDX-License-Identifier: ISC */
/* What another system took: remembered until it can no longer come back. */

#include "tests/bridge/store_world.h"

#include "bridge/clock.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)

static struct br_store_message mail_make(uint64_t number)
{
	struct br_store_message m = message_make(number, PRIM_SLICE("Mail"));

	m.destination = PRIM_SLICE("adapter:mail");
	m.recipient = PRIM_SLICE("eve@there.example");
	return m;
}

static struct br_store_put_result sent_store(struct world *w,
    const struct br_store_message *m)
{
	struct br_store_put_result result = { BR_STORE_FAILED, -1, 0, 0 };

	br_store_sent_put(w->store, m, on_put, &result);
	assert_int_equal(result.seq, -1);
	br_store_settle(w->store);
	return result;
}

/* Either way there is `m` with 101, and nothing of it is kept as a message. */
static void sent_make(struct world *w, const struct br_store_message *m,
    bool live)
{
	if (live) {
		assert_int_equal(sent_store(w, m).outcome, BR_STORE_DONE);
		return;
	}
	message_end(w, message_store(w, m).seq, 101, "accepted");
}

static void report(struct world *w, const struct br_store_message *m,
    unsigned code, enum br_store_outcome outcome)
{
	const struct br_store_report r = { .delivery = m->delivery,
		.destination = m->destination,
		.code = code,
		.reason = PRIM_SLICE("bounced") };
	struct heard heard = { 0 };

	br_store_report(w->store, &r, on_done, &heard);
	world_expect(w, &heard, outcome);
}

static void what_was_taken_at_once_is_known(void **state)
{
	struct world *w = *state;
	struct br_store_message m = mail_make(1);
	struct br_store_put_result result = sent_store(w, &m);
	struct history_lines lines;

	assert_int_equal(result.outcome, BR_STORE_DONE);
	assert_int_equal(result.seq, 0);
	assert_int_equal(result.answer, 101);
	assert_int_equal(messages(w), 0);
	world_reopen(w);
	assert_int_equal(answer(w, &m), 101);
	m.content_hash++;
	result = sent_store(w, &m);
	assert_int_equal(result.outcome, BR_STORE_DUPLICATE);
	assert_int_equal(result.answer, 101);
	assert_int_equal(result.content_hash, 7);
	assert_int_equal(message_store(w, &m).outcome, BR_STORE_DUPLICATE);
	world_expect_notices(w, 0, NULL, BR_NOTICE_FAILED);
	history_read(w, PRIM_SLICE("Mail"), &lines);
	assert_string_equal(lines.text,
	    "accepted from=ann@here.example to=eve@there.example"
	    " via=adapter:mail\n"
	    "end code=101 reason=accepted\n");
}

static void late_word_ends_it_once_more(void **state)
{
	static const struct {
		unsigned code, reports;
		unsigned notices;
		enum br_notice_kind kind;
		unsigned answer;
	} CASES[] = {
		{408,  0,                  1, BR_NOTICE_FAILED,    101},
		{ 501, 0,                  1, BR_NOTICE_FAILED,    101},
		{ 200, 0,                  0, BR_NOTICE_FAILED,    200},
		{ 200, BR_REPORT_POSITIVE, 1, BR_NOTICE_DELIVERED, 200},
	};
	struct world *w = *state;

	for (unsigned i = 0; i < 2 * PRIM_COUNT(CASES); i++) {
		struct br_store_message m = mail_make(i);
		unsigned c = i / 2;

		m.reports = CASES[c].reports;
		sent_make(w, &m, i % 2 == 0);
		world_expect_notices(w, 0, NULL, BR_NOTICE_FAILED);
		world_reopen(w);
		m.destination = PRIM_SLICE("adapter:xmpp");
		report(w, &m, CASES[c].code, BR_STORE_ABSENT);
		m.destination = PRIM_SLICE("adapter:mail");
		report(w, &m, CASES[c].code, BR_STORE_DONE);
		world_expect_notices(w, CASES[c].notices, &m, CASES[c].kind);
		assert_int_equal(answer(w, &m), CASES[c].answer);
		report(w, &m, 408, BR_STORE_ABSENT);
		world_expect_notices(w, 0, NULL, BR_NOTICE_FAILED);
	}
}

static void word_that_says_nothing_final_changes_nothing(void **state)
{
	static const unsigned CODES[] = { 500, 502, 503, 504, 505, 407, 101 };
	struct world *w = *state;
	struct br_store_message m = mail_make(1);
	struct history_lines lines;

	sent_make(w, &m, true);
	for (unsigned i = 0; i < PRIM_COUNT(CODES); i++) {
		report(w, &m, CODES[i], BR_STORE_DONE);
		world_expect_notices(w, 0, NULL, BR_NOTICE_FAILED);
	}
	report(w, &m, 403, BR_STORE_DONE);
	world_expect_notices(w, 1, &m, BR_NOTICE_FAILED);
	history_read(w, PRIM_SLICE("Mail"), &lines);
	assert_int_equal(lines.count, 4);
	assert_non_null(strstr(lines.text,
	    "\nend code=101 reason=accepted\nend code=403 reason=bounced\n"
	    "notice kind=failed id="));
}

static void nobody_is_told_who_cannot_be_or_was(void **state)
{
	struct world *w = *state;
	struct br_store_message m = mail_make(1);
	struct heard heard = { 0 };
	int64_t seq;

	m.notice_from = PRIM_SLICE_NONE;
	sent_make(w, &m, true);
	report(w, &m, 408, BR_STORE_DONE);
	world_expect_notices(w, 0, NULL, BR_NOTICE_FAILED);

	m = mail_make(2);
	m.reports = BR_REPORT_POSITIVE;
	seq = message_store(w, &m).seq;
	message_quarantine(w, seq, BR_STORE_DONE);
	world_expect_notices(w, 1, &m, BR_NOTICE_FAILED);
	br_store_message_release(w->store, seq, 9000, on_done, &heard);
	world_expect(w, &heard, BR_STORE_DONE);
	message_end(w, seq, 101, "accepted");
	report(w, &m, 200, BR_STORE_DONE);
	world_expect_notices(w, 0, NULL, BR_NOTICE_FAILED);
	assert_int_equal(answer(w, &m), 200);
}

/* The notice names it as its sender does, though the body is large. */
static void the_id_inside_a_large_body_is_kept(void **state)
{
	static char body[100000];
	static const char HEAD[] = "From: <im:ann@here.example>\r\n"
				   "To: <im:eve@there.example>\r\n"
				   "DateTime: 2026-11-22T13:00:00Z\r\n"
				   "NS: imdn <urn:ietf:params:imdn>\r\n"
				   "imdn.Message-ID: inner-id\r\n"
				   "imdn.Disposition-Notification: "
				   "positive-delivery\r\n\r\n"
				   "Content-Type: text/plain\r\n\r\n";
	struct world *w = *state;
	struct message_got got = { 0 };

	memset(body, 'x', sizeof(body));
	memcpy(body, HEAD, sizeof(HEAD) - 1);
	for (unsigned i = 0; i < 2; i++) {
		struct br_store_message m = mail_make(i);

		m.head = PRIM_SLICE("From: im:ann@here.example\r\n"
				    "To: im:eve@there.example\r\n"
				    "Content-Type: message/cpim\r\n");
		m.body = prim_slice_make(body, sizeof(body));
		m.reports = BR_REPORT_POSITIVE;
		sent_make(w, &m, i == 0);
		report(w, &m, i ? 200 : 408, BR_STORE_DONE);
		world_expect_notices(w, 1, &m,
		    i ? BR_NOTICE_DELIVERED : BR_NOTICE_FAILED);
		assert_true(message_get(w, w->notice.seq, &got));
		assert_non_null(strstr(got.content.ptr,
		    "<message-id>inner-id<"));
	}
	prim_buf_fini(&got.content);
	assert_int_equal(world_ask(w, "SELECT count(*) FROM sent"), 0);
}

static void it_is_forgotten_after_six_days(void **state)
{
	struct world *w = *state;
	struct br_store_message live = mail_make(1), stored = mail_make(2);
	int64_t now = br_clock_wall_ms();

	sent_make(w, &live, true);
	sent_make(w, &stored, false); /* and its forget_ms was soon over */
	br_store_expire(w->store, now + 5 * DAY_MS);
	br_store_settle(w->store);
	assert_int_equal(keys(w), 2);
	br_store_expire(w->store, now + 6 * DAY_MS + 60000);
	br_store_settle(w->store);
	assert_int_equal(keys(w), 0);
	report(w, &live, 408, BR_STORE_ABSENT);
	report(w, &stored, 408, BR_STORE_ABSENT);
	assert_int_equal(world_ask(w, "SELECT count(*) FROM sent"), 0);
	assert_int_equal(world_ask(w, "SELECT count(*) FROM trace"), 0);
	assert_int_equal(sent_store(w, &live).outcome, BR_STORE_DONE);
}

static void a_damaged_row_tells_nobody(void **state)
{
	static const char *const CASES[] = {
		"UPDATE sent SET origin = 'xmpp'",
		"UPDATE sent SET return_token = x'00'",
		"UPDATE sent SET notice_from = 'im:eve@here.example'",
		"UPDATE sent SET reports = 2",
		"UPDATE sent SET is_notice = 1",
		"UPDATE sent SET head = x'00'",
		"UPDATE sent SET body = x'00'",
		"UPDATE sent SET checksum = checksum + 1",
		"UPDATE sent SET seq = seq + 1000",
		"UPDATE trace SET key = x'00'",
		"UPDATE trace SET sender = 'eve@here.example'",
		"UPDATE trace SET recipient = 'eve@here.example'",
		"UPDATE trace SET message_id = 'other'",
		"UPDATE trace SET accepted_ms = 1",
		"DELETE FROM trace",
	};
	struct world *w = *state;

	for (unsigned i = 0; i < PRIM_COUNT(CASES); i++) {
		struct br_store_message m = mail_make(i);

		sent_make(w, &m, true);
		world_harm(w, CASES[i]);
		report(w, &m, 408, BR_STORE_DONE);
		world_expect_notices(w, 0, NULL, BR_NOTICE_FAILED);
		report(w, &m, 408, BR_STORE_ABSENT);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(what_was_taken_at_once_is_known),
		IN_FOLDER(late_word_ends_it_once_more),
		IN_MEMORY(word_that_says_nothing_final_changes_nothing),
		IN_MEMORY(nobody_is_told_who_cannot_be_or_was),
		IN_FOLDER(the_id_inside_a_large_body_is_kept),
		IN_FOLDER(it_is_forgotten_after_six_days),
		IN_FOLDER(a_damaged_row_tells_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
