/* SPDX-License-Identifier: ISC */
/* A queue.db of the first version: what waits in it is delivered, and what was
 * promised about it is kept. */

#include "tests/bridge/store_first.h"
#include "tests/bridge/store_world.h"

#include "bridge/message.h"

static int set_up(void **state)
{
	static struct world w;

	br_log_set_sink(world_hush, NULL);
	memset(&w, 0, sizeof(w));
	world_folder(&w);
	for (unsigned i = 0; i < PRIM_COUNT(STORE_FIRST); i++)
		world_harm(&w, STORE_FIRST[i]);
	world_harm(&w, "PRAGMA user_version = 1");
	*state = &w;
	return 0;
}

static int tear_down(void **state)
{
	world_sweep(*state);
	return 0;
}

static const struct prim_slice IDS[] = {
	[1] = {"Id-1",  4},
	[2] = { "Id-2", 4},
	[3] = { "Id-3", 4},
	[4] = { "Id-4", 4},
	[5] = { "Id-5", 4},
};

/* It was stored as it would be today. */
static void on_whole(void *arg, const struct br_store_message *m, bool failed)
{
	const struct world *w = arg;
	struct br_message_keys keys;
	struct br_message *message;
	uint8_t secret[32];

	assert_false(failed);
	assert_non_null(m);
	br_store_secret(w->store, secret);
	br_message_keys_init(&keys, secret);
	message = br_message_restore(m, &keys);
	assert_non_null(message);
	assert_memory_equal(&message->delivery, &m->delivery,
	    sizeof(m->delivery));
	assert_memory_equal(&message->lane, &m->lane, sizeof(m->lane));
	assert_int_equal(message->content_hash, m->content_hash);
	assert_int_equal(m->octets, m->head.len + m->body.len);
	assert_true(prim_slice_eq(m->message_id, IDS[m->seq]));
	assert_true(prim_slice_eq(m->body,
	    m->seq == 1 ? PRIM_SLICE("one") : PRIM_SLICE("two")));
	br_message_unref(message);
}

static void what_waits_is_there(void **state)
{
	struct world *w = *state;
	struct message_got got = { 0 };

	world_open(w);
	assert_int_equal(messages(w), 2);
	for (int64_t seq = 1; seq <= 2; seq++)
		br_store_message_get(w->store, seq, on_whole, w);
	assert_true(message_get(w, 1, &got));
	assert_int_equal(got.m.attempts, 1);
	assert_int_equal(got.m.next_try_ms, 1795352405000);
	prim_buf_fini(&got.content);
	world_reopen(w);
	assert_int_equal(messages(w), 2);
	world_close(w);
}

static void who_sent_it_is_told_of_its_end(void **state)
{
	static const struct {
		const char *destination, *to;
	} CASES[] = {
		{"inbox:ann@here.example", "ann@here.example" },
		{ "adapter:mail",          "eve@there.example"},
	};
	struct world *w = *state;

	world_open(w);
	for (unsigned i = 0; i < 2; i++) {
		message_end(w, i + 1, 408, "expired");
		assert_int_equal(w->notices, i + 1);
		assert_true(prim_slice_eq(w->notice.destination,
		    prim_slice_of(CASES[i].destination)));
		assert_true(prim_slice_eq(w->notice.sender,
		    PRIM_SLICE("postmaster@here.example")));
		assert_true(prim_slice_eq(w->notice.recipient,
		    prim_slice_of(CASES[i].to)));
	}
	world_close(w);
}

static void what_is_damaged_is_set_aside(void **state)
{
	struct world *w = *state;

	world_open(w);
	assert_false(message_get(w, 5, NULL));
	assert_int_equal(messages(w), 2);
	assert_int_equal(w->notices, 0);
	world_close(w);
	assert_int_equal(world_ask(w,
			     "SELECT count(*) FROM message"
			     " WHERE seq = 5 AND quarantine_ms <> 0"),
	    1);
}

static void duplicates_and_history_are_remembered(void **state)
{
	static const struct {
		unsigned answer;
		uint8_t key[PRIM_DIGEST_LEN];
		const char *lines;
	} CASES[] = {
		[1] = {101,
		       { 0x96, 0x84, 0x34, 0xea, 0x8c, 0xfc, 0x29, 0x2e, 0x27,
			0x17, 0xbc, 0xa0, 0xb0, 0x18, 0xe6, 0xba },
		       "accepted from=ann@here.example to=eve@there.example"
		    " via=adapter:mail\nattempt n=1\n"                },
		[3] = { 200,
		       { 0x2c, 0x40, 0x42, 0x31, 0x1a, 0x54, 0xc5, 0xe8, 0xad,
			0xa8, 0x2e, 0xc8, 0x16, 0x95, 0xad, 0x42 },
		       "accepted from=ann@here.example to=eve@there.example"
		    " via=adapter:mail\nattempt n=1\n"
		    "end code=200 reason=delivered\n"                 },
		[4] = { 101,
		       { 0xc0, 0x94, 0x54, 0x16, 0x22, 0x4d, 0x92, 0xf6, 0xbb,
			0x09, 0x35, 0xcf, 0x71, 0xa5, 0x5b, 0x9f },
		       "accepted from=ann@here.example to=eve@there.example"
		    " via=adapter:mail\nend code=408 reason=refused\n"},
	};
	struct world *w = *state;
	struct history_lines lines;

	world_open(w);
	assert_int_equal(keys(w), 5);
	for (unsigned i = 1; i < PRIM_COUNT(CASES); i++) {
		struct br_store_message m = { .message_id = IDS[i] };

		if (!CASES[i].answer)
			continue;
		memcpy(m.key.octets, CASES[i].key, PRIM_DIGEST_LEN);
		assert_int_equal(answer(w, &m), CASES[i].answer);
		history_read(w, IDS[i], &lines);
		assert_string_equal(lines.text, CASES[i].lines);
	}
	br_store_expire(w->store, 1795525200000);
	br_store_settle(w->store);
	assert_int_equal(keys(w), 3);
	world_close(w);
}

static void no_seq_is_given_twice(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message_make(1, PRIM_SLICE("m"));

	world_harm(w, "UPDATE sqlite_sequence SET seq = 77");
	world_open(w);
	assert_int_equal(message_store(w, &m).seq, 78);
	world_close(w);
}

/* Killed between the schema and the sums. */
static void an_upgrade_is_taken_up_again(void **state)
{
	struct world *w = *state;

	world_open(w);
	world_close(w);
	world_harm(w,
	    "UPDATE message SET envelope = 0, state = 0, delivery = x'',"
	    " notice_from = '';"
	    "UPDATE content SET checksum = -3295170083883030422 WHERE seq = 1;"
	    "UPDATE content SET checksum = -7696673848450969897 WHERE seq = 2;"
	    "INSERT INTO meta VALUES ('upgrade', x'01');");
	world_open(w);
	for (int64_t seq = 1; seq <= 2; seq++)
		br_store_message_get(w->store, seq, on_whole, w);
	assert_int_equal(messages(w), 2);
	world_close(w);
	assert_int_equal(
	    world_ask(w, "SELECT count(*) FROM meta WHERE name = 'upgrade'"),
	    0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_waits_is_there),
		TEST(who_sent_it_is_told_of_its_end),
		TEST(what_is_damaged_is_set_aside),
		TEST(duplicates_and_history_are_remembered),
		TEST(no_seq_is_given_twice),
		TEST(an_upgrade_is_taken_up_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
