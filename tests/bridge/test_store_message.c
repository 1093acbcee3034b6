/* SPDX-License-Identifier: ISC */
/* Messages: stored, read back, told at start, damaged. */

#include "tests/bridge/store_world.h"

struct got {
	unsigned calls;
	bool there, failed;
	struct br_store_message m; /* its slices borrow from `text` */
	char text[11][64];
	size_t body_len;
	uint64_t body_sum;
	int64_t seq_before;
};

static struct prim_slice copy(char *to, struct prim_slice s)
{
	(void)snprintf(to, 64, "%.*s", PRIM_SLICE_ARG(s));
	return prim_slice_of(to);
}

static uint64_t sum(struct prim_slice s)
{
	const struct prim_hash_key key = { 1, 2 };

	return prim_hash(&key, s);
}

static void on_message(void *arg, const struct br_store_message *m, bool failed)
{
	struct got *got = arg;

	got->calls++;
	got->failed = failed;
	got->there = m;
	if (!m)
		return;
	assert_true(m->seq > got->seq_before);
	got->seq_before = m->seq;
	got->m = *m;
	got->m.destination = copy(got->text[0], m->destination);
	got->m.origin = copy(got->text[1], m->origin);
	got->m.sender = copy(got->text[2], m->sender);
	got->m.recipient = copy(got->text[3], m->recipient);
	got->m.message_id = copy(got->text[4], m->message_id);
	got->m.return_token = copy(got->text[5], m->return_token);
	got->m.head = copy(got->text[6], m->head);
	got->m.notice_from = copy(got->text[7], m->notice_from);
	got->m.target = copy(got->text[8], m->target);
	got->m.tried = copy(got->text[9], m->tried);
	got->m.last_reason = copy(got->text[10], m->last_reason);
	got->body_len = m->body.len;
	got->body_sum = sum(m->body);
}

static void get(struct world *w, int64_t seq, struct got *got)
{
	memset(got, 0, sizeof(*got));
	br_store_message_get(w->store, seq, on_message, got);
	br_store_settle(w->store);
	assert_int_equal(got->calls, 1);
}

static void assert_same(const struct br_store_message *a,
    const struct br_store_message *b)
{
	assert_memory_equal(&a->key, &b->key, sizeof(a->key));
	assert_memory_equal(&a->lane, &b->lane, sizeof(a->lane));
	assert_int_equal(a->content_hash, b->content_hash);
	assert_true(prim_slice_eq(a->destination, b->destination));
	assert_true(prim_slice_eq(a->origin, b->origin));
	assert_true(prim_slice_eq(a->sender, b->sender));
	assert_true(prim_slice_eq(a->recipient, b->recipient));
	assert_true(prim_slice_eq(a->message_id, b->message_id));
	assert_true(prim_slice_eq(a->return_token, b->return_token));
	assert_int_equal(a->hops, b->hops);
	assert_int_equal(a->accepted_ms, b->accepted_ms);
	assert_int_equal(a->expires_ms, b->expires_ms);
	assert_int_equal(a->attempts, b->attempts);
	assert_int_equal(a->next_try_ms, b->next_try_ms);
	assert_memory_equal(&a->delivery, &b->delivery, sizeof(a->delivery));
	assert_true(prim_slice_eq(a->target, b->target));
	assert_true(prim_slice_eq(a->tried, b->tried));
	assert_true(prim_slice_eq(a->notice_from, b->notice_from));
	assert_true(prim_slice_eq(a->last_reason, b->last_reason));
	assert_int_equal(a->reports, b->reports);
	assert_int_equal(a->delay_notice_ms, b->delay_notice_ms);
	assert_int_equal(a->is_notice, b->is_notice);
	assert_int_equal(a->deaths, b->deaths);
	assert_int_equal(a->last_code, b->last_code);
	assert_int_equal(a->is_told, b->is_told);
	assert_int_equal(a->is_quarantined, b->is_quarantined);
}

static void a_message_comes_back_as_it_was_put(void **state)
{
	static char big[1 << 20];
	struct world *w = *state;
	const struct prim_slice bodies[] = {
		PRIM_SLICE_NONE,
		prim_slice_make("a\0\xff\r\n", 5),
		prim_slice_make(big, sizeof(big)),
	};
	struct got got;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * i >> 3);
	for (unsigned i = 0; i < PRIM_COUNT(bodies); i++) {
		struct br_store_message m = message_make(UINT64_MAX - i,
		    PRIM_SLICE("Id-1"));
		struct br_store_put_result result;

		m.body = bodies[i];
		m.return_token = PRIM_SLICE("token");
		m.next_try_ms = 12345678901234;
		result = message_store(w, &m);
		assert_int_equal(result.outcome, BR_STORE_DONE);
		assert_int_equal(result.seq, i + 1);
		get(w, result.seq, &got);
		assert_true(got.there);
		assert_same(&got.m, &m);
		assert_true(prim_slice_eq(got.m.head, m.head));
		assert_int_equal(got.body_len, bodies[i].len);
		assert_int_equal(got.body_sum, sum(bodies[i]));
		assert_int_equal(got.m.octets, m.head.len + bodies[i].len);
	}
	get(w, 99, &got);
	assert_false(got.there);
	assert_false(got.failed);
}

static void a_duplicate_gets_the_first_ones_answer(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message_make(5, PRIM_SLICE("m5"));
	struct br_store_put_result result;
	struct got got;

	assert_int_equal(answer(w, &m), 0);
	result = message_store(w, &m);
	assert_int_equal(result.outcome, BR_STORE_DONE);
	assert_int_equal(answer(w, &m), 101);
	m.content_hash = 1;
	result = message_store(w, &m);
	assert_int_equal(result.outcome, BR_STORE_DUPLICATE);
	assert_int_equal(result.answer, 101);
	assert_int_equal(result.content_hash, 35);
	assert_int_equal(result.seq, 0);
	get(w, 2, &got);
	assert_false(got.there);
}

static void count_message(void *arg, const struct br_store_message *m,
    bool failed)
{
	assert_false(failed);
	assert_int_equal(m->body.len, 0);
	on_message(arg, m, failed);
}

static void everything_is_told_at_start(void **state)
{
	struct world *w = *state;
	struct got got = { 0 };

	store_many(w, 0, 3000);
	world_reopen(w);
	assert_true(br_store_message_each(w->store, count_message, &got, NULL));
	assert_int_equal(got.calls, 3000);
	assert_int_equal(keys(w), 3000);
}

static void a_seq_is_never_given_twice(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message_make(1, PRIM_SLICE("m"));
	struct br_store_message n = message_make(2, PRIM_SLICE("n"));
	int64_t seq = message_store(w, &m).seq;

	br_store_message_end(w->store, seq,
	    &(struct br_store_end){ 200, PRIM_SLICE("d"), 0 }, NULL, NULL);
	world_reopen(w);
	assert_int_equal(message_store(w, &n).seq, seq + 1);
}

static void pages_have_everything_in_order(void **state)
{
	struct world *w = *state;
	struct got got = { 0 };
	int64_t after = 0;

	store_many(w, 0, 25);
	for (unsigned page = 1; page <= 3; page++) {
		br_store_message_page(w->store, after, 10, on_message, &got);
		br_store_settle(w->store);
		assert_false(got.there); /* the end of the page */
		after = got.seq_before;
		assert_int_equal(after, page < 3 ? page * 10 : 25);
		assert_int_equal(got.calls, after + page);
	}
	assert_int_equal(got.m.octets,
	    message_make(0, PRIM_SLICE("m")).head.len + strlen("hello"));
	assert_int_equal(got.body_len, 0);
	br_store_message_page(w->store, 25, 10, on_message, &got);
	br_store_settle(w->store);
	assert_int_equal(got.calls, 29);
}

static void count_reason(void *arg, const struct br_store_message *m,
    bool failed)
{
	assert_false(failed);
	if (m)
		((struct got *)arg)->body_len = m->last_reason.len;
}

static void what_is_put_with_how_it_fared_keeps_that(void **state)
{
	struct world *w = *state;
	struct br_store_message m = message_make(3, PRIM_SLICE("Id-3"));
	char reason[300];
	struct got got;

	memset(reason, 'r', sizeof(reason));
	m.target = PRIM_SLICE("romeo@there.example");
	m.tried = PRIM_SLICE("juliet@there.example\n");
	m.reports = BR_REPORT_POSITIVE | BR_REPORT_PROCESSING;
	m.delay_notice_ms = 77;
	m.attempts = 1;
	m.deaths = 2;
	m.last_code = 503;
	m.last_reason = PRIM_SLICE("gone");
	m.is_notice = true;
	get(w, message_store(w, &m).seq, &got);
	assert_true(got.there);
	assert_same(&got.m, &m);

	/* A long reason is cut, and not in the middle of a character. */
	m = message_make(4, PRIM_SLICE("Id-4"));
	memcpy(reason + BR_REASON_MAX - 1, "\xc3\xa4", 2);
	br_store_message_attempt(w->store,
	    &(struct br_store_attempt){ .seq = message_store(w, &m).seq,
		.last_reason = prim_slice_make(reason, sizeof(reason)) },
	    NULL, NULL);
	memset(reason, 'x', 10);
	br_store_settle(w->store);
	br_store_message_page(w->store, 1, 1, count_reason, &got);
	br_store_settle(w->store);
	assert_int_equal(got.body_len, BR_REASON_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(a_message_comes_back_as_it_was_put),
		IN_MEMORY(a_message_comes_back_as_it_was_put),
		IN_MEMORY(a_duplicate_gets_the_first_ones_answer),
		IN_FOLDER(everything_is_told_at_start),
		IN_FOLDER(a_seq_is_never_given_twice),
		IN_FOLDER(pages_have_everything_in_order),
		IN_FOLDER(what_is_put_with_how_it_fared_keeps_that),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
