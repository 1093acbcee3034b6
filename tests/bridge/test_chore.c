/* SPDX-License-Identifier: ISC */
/* What can wait is done in slices, so that nobody who talks live waits behind a
 * heap of it: by itself, and where heaps come from. */

#include "tests/bridge/store_world.h"

#include <event2/event.h>
#include <sys/socket.h>

#include "bridge/chore.h"
#include "bridge/link.h"
#include "bridge/server.h"

#define STEP_NS  10000 /* what every step takes */
#define COMMANDS 400U

/* A clock that goes on whenever something was done. */
static int64_t test_now_ns;
static bool is_standing_still; /* between two looks at it */

static int64_t now_ns(void)
{
	if (!is_standing_still)
		test_now_ns += STEP_NS;
	return test_now_ns;
}

static struct br_chores *chores_new(void)
{
	static struct br_chores all;

	br_chores_init(&all);
	all.now_ns = now_ns;
	test_now_ns = 0;
	is_standing_still = false;
	return &all;
}

struct heap {
	struct br_chore chore;
	unsigned left, done;
	bool stops; /* itself */
};

static bool heap_step(void *arg)
{
	struct heap *h = arg;

	if (h->left == 0)
		return false;
	h->done++;
	h->left--;
	if (h->stops)
		br_chore_stop(&h->chore);
	return h->left > 0;
}

static struct heap *heap_new(struct br_chores *owner, unsigned left)
{
	static struct heap heaps[8];
	static unsigned next;
	struct heap *h = &heaps[next++ % PRIM_COUNT(heaps)];

	*h = (struct heap){ .left = left };
	br_chore_init(&h->chore, owner, heap_step, h);
	br_chore_due(&h->chore);
	return h;
}

static void a_heap_is_done_slice_by_slice(void **state)
{
	struct br_chores *all = chores_new();
	struct heap *h = heap_new(all, 7);

	(void)state;
	assert_int_equal(h->done, 0);
	for (unsigned turn = 1; turn <= 2; turn++) {
		br_chores_turn(all);
		assert_int_equal(h->done, turn * (BR_CHORE_SLICE_NS / STEP_NS));
		assert_true(br_chores_are_due(all));
	}
	br_chores_turn(all);
	assert_int_equal(h->done, 7);
	assert_false(br_chores_are_due(all));
	br_chores_turn(all);
	assert_int_equal(h->done, 7);
}

static void each_heap_has_a_slice_in_turn(void **state)
{
	struct br_chores *all = chores_new();
	struct heap *a = heap_new(all, 100), *b = heap_new(all, 100);
	unsigned slice = BR_CHORE_SLICE_NS / STEP_NS;

	(void)state;
	br_chores_turn(all);
	assert_int_equal(a->done, slice);
	assert_int_equal(b->done, 0);
	br_chores_turn(all);
	assert_int_equal(b->done, slice);
	br_chores_turn(all);
	assert_int_equal(a->done, 2 * slice);
	br_chore_stop(&a->chore);
	br_chore_stop(&b->chore);
}

static void small_heaps_share_a_slice(void **state)
{
	struct br_chores *all = chores_new();
	struct heap *a = heap_new(all, 1), *b = heap_new(all, 1);

	(void)state;
	br_chores_turn(all);
	assert_int_equal(a->done + b->done, 2);
	assert_false(br_chores_are_due(all));
}

/* Every look at the clock is a step of it: at the start, and after a step. */
static void a_heap_stands_back_behind_clients_but_not_for_long(void **state)
{
	struct br_chores *all = chores_new();
	struct heap *h = heap_new(all, 1000);
	const unsigned turns = BR_CHORE_WAIT_NS / STEP_NS;

	(void)state;
	for (unsigned i = 1; i < turns; i++) {
		br_chores_stand_back(all);
		br_chores_turn(all);
		assert_int_equal(h->done, 0);
		assert_true(br_chores_are_due(all));
	}
	br_chores_stand_back(all);
	br_chores_turn(all);
	assert_int_equal(h->done, BR_CHORE_WAIT_NS / STEP_NS);
	br_chore_stop(&h->chore);
}

static void what_had_to_wait_long_has_half_of_the_time(void **state)
{
	struct br_chores *all = chores_new();
	struct heap *h = heap_new(all, 1000);

	(void)state;
	test_now_ns += 20 * STEP_NS - STEP_NS;
	br_chores_stand_back(all);
	br_chores_turn(all);
	assert_int_equal(h->done, 20);
	test_now_ns += 3 * BR_CHORE_MAX_NS;
	br_chores_stand_back(all);
	br_chores_turn(all);
	assert_int_equal(h->done, 20 + BR_CHORE_MAX_NS / STEP_NS);
	br_chore_stop(&h->chore);
}

static void a_chore_may_stop_itself(void **state)
{
	struct br_chores *all = chores_new();
	struct heap *h = heap_new(all, 5), *other = heap_new(all, 1);

	(void)state;
	h->stops = true;
	br_chores_turn(all);
	assert_int_equal(h->done, 1);
	assert_int_equal(other->done, 1);
	assert_false(br_chores_are_due(all));
}

static void a_chore_without_owner_is_done_at_once(void **state)
{
	struct heap *h = heap_new(NULL, 1000);

	(void)state;
	assert_int_equal(h->done, 1000);
}

/* ---- where heaps come from ---- */

/* The store: what a transaction did is told little by little. */
static void a_commit_of_many_is_told_little_by_little(void **state)
{
	struct world *w = *state;
	struct br_chores *all = chores_new();
	struct heard heard = { 0 };

	br_store_set_chores(w->store, all);
	for (unsigned i = 0; i < COMMANDS; i++)
		br_store_state_put(w->store, PRIM_SLICE("a"), PRIM_SLICE("k"),
		    PRIM_SLICE("v"), on_done, &heard);
	while (!br_chores_are_due(all))
		event_base_loop(w->base, EVLOOP_ONCE);
	assert_int_equal(heard.count, 0);
	br_chores_turn(all);
	assert_in_range(heard.count, 1, BR_CHORE_SLICE_NS / STEP_NS);
	br_store_settle(w->store);
	assert_int_equal(heard.count, COMMANDS);
	assert_int_equal(br_store_pending(w->store), 0);
}

static void on_state(void *arg, const struct prim_slice *key,
    const struct prim_slice *value, bool failed)
{
	struct heard *heard = arg;

	(void)key;
	(void)value;
	heard->count += !failed;
}

static void so_is_what_was_looked_up(void **state)
{
	struct world *w = *state;
	struct br_chores *all = chores_new();
	struct heard heard = { 0 };

	br_store_set_chores(w->store, all);
	for (unsigned i = 0; i < COMMANDS; i++)
		br_store_state_find(w->store, PRIM_SLICE("a"), PRIM_SLICE("k"),
		    on_state, &heard);
	while (!br_chores_are_due(all))
		event_base_loop(w->base, EVLOOP_ONCE);
	br_chores_turn(all);
	assert_in_range(heard.count, 1, BR_CHORE_SLICE_NS / STEP_NS);
	br_store_settle(w->store);
	assert_int_equal(heard.count, COMMANDS);
}

static void a_store_may_close_with_much_untold(void **state)
{
	struct world *w = *state;
	struct br_chores *all = chores_new();
	struct heard heard = { 0 };

	br_store_set_chores(w->store, all);
	for (unsigned i = 0; i < COMMANDS; i++) {
		br_store_state_put(w->store, PRIM_SLICE("a"), PRIM_SLICE("k"),
		    PRIM_SLICE("v"), on_done, &heard);
		br_store_state_find(w->store, PRIM_SLICE("a"), PRIM_SLICE("k"),
		    on_state, &heard);
	}
	while (!br_chores_are_due(all))
		event_base_loop(w->base, EVLOOP_ONCE);
	br_chores_turn(all);
	w->store = br_store_close(w->store);
	assert_false(br_chores_are_due(all));
	assert_in_range(heard.count, 1, 2 * COMMANDS - 1);
}

/* An adapter: what it says is read little by little. */

static void link_command(void *ctx, const struct prim_command *c)
{
	(void)c;
	++*(unsigned *)ctx;
}

static void link_gone(void *ctx, const char *why)
{
	(void)why;
	*(unsigned *)ctx += 1000 * COMMANDS;
}

static const struct br_link_ops LINK_OPS = { link_command, link_gone };

/* In one piece: the socket has no room for hundreds of small ones. */
static void say(int fd, unsigned count, size_t body)
{
	struct prim_buf b = { 0 };

	for (unsigned i = 0; i < count; i++)
		prim_buf_putf(&b,
		    "REPORT PRIM/1.0 - %zu\r\nContent-Type: text/plain\r\n"
		    "\r\n%*s",
		    body, (int)body, "");
	assert_int_equal(send(fd, b.ptr, b.len, 0), b.len);
	prim_buf_fini(&b);
}

static void an_adapter_is_heard_little_by_little(void **state)
{
	struct br_chores *all = chores_new();
	struct event_base *base = event_base_new();
	struct br_link l;
	unsigned heard = 0, turns = 0;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	br_link_init(&l, &LINK_OPS, &heard);
	l.chores = all;
	br_link_open(&l, base, pair[0]);
	say(pair[1], COMMANDS, 10);
	while (heard < COMMANDS) {
		unsigned before = heard;

		event_base_loop(base, EVLOOP_ONCE);
		assert_int_equal(heard, before);
		br_chores_turn(all);
		assert_in_range(heard, before + 1, before + 120);
		turns++;
	}
	assert_int_equal(heard, COMMANDS);
	/* A long one takes no more turns than it has pieces of 64 KiB. */
	is_standing_still = true;
	say(pair[1], 1, 90000);
	event_base_loop(base, EVLOOP_ONCE);
	br_chores_turn(all);
	assert_int_equal(heard, COMMANDS + 1);
	close(pair[1]);
	event_base_loop(base, EVLOOP_ONCE);
	br_chores_turn(all);
	assert_int_equal(heard, 1001 * COMMANDS + 1);
	assert_false(br_chores_are_due(all));
	br_link_fini(&l);
	event_base_free(base);
}

static void on_far(struct prim_timer *t)
{
	(void)t;
}

/* A timer that is set in the same turn must not put it to sleep. */
static void the_loop_does_not_sleep_while_something_is_due(void **state)
{
	struct br_err err = { "" };
	struct br_config *config = br_config_parse("config",
	    PRIM_SLICE("domains: [here.example]\n"), NULL, &err);
	struct br_server_options options = { .config = config,
		.base = event_base_new(),
		.data_dir = ":memory:" };
	struct br_server *s = br_server_new(&options, &err);
	struct prim_timer far;
	struct heap *h;

	(void)state;
	assert_string_equal(err.text, "");
	assert_non_null(s->paced);
	prim_timer_init(&far, on_far);
	h = heap_new(s->paced, 1U << 30);
	br_server_turn(s);
	prim_timer_set(&s->wheel, &far, br_server_now(s) + 20000);
	br_server_turn(s);
	assert_int_equal(event_base_get_num_events(options.base,
			     EVENT_BASE_COUNT_ACTIVE),
	    1);
	assert_true(h->done > 0);
	br_chore_stop(&h->chore);
	prim_timer_stop(&s->wheel, &far);
	assert_null(br_server_free(s));
	event_base_free(options.base);
	br_config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_heap_is_done_slice_by_slice),
		cmocka_unit_test(each_heap_has_a_slice_in_turn),
		cmocka_unit_test(small_heaps_share_a_slice),
		cmocka_unit_test(
		    a_heap_stands_back_behind_clients_but_not_for_long),
		cmocka_unit_test(what_had_to_wait_long_has_half_of_the_time),
		cmocka_unit_test(a_chore_may_stop_itself),
		cmocka_unit_test(a_chore_without_owner_is_done_at_once),
		cmocka_unit_test_setup_teardown(
		    a_commit_of_many_is_told_little_by_little,
		    world_set_up_memory, world_tear_down),
		cmocka_unit_test_setup_teardown(so_is_what_was_looked_up,
		    world_set_up_memory, world_tear_down),
		cmocka_unit_test_setup_teardown(
		    a_store_may_close_with_much_untold, world_set_up_memory,
		    world_tear_down),
		cmocka_unit_test(an_adapter_is_heard_little_by_little),
		cmocka_unit_test(
		    the_loop_does_not_sleep_while_something_is_due),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
