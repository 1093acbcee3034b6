/* SPDX-License-Identifier: ISC */
/* How old the oldest of what waits is, whatever comes and goes. */

#include "tests/lib/t.h"

#include "bridge/outbox_private.h"
#include "tests/lib/random.h"

#define ROWS   200
#define ROUNDS 20000

static struct br_dest adapter = { .host = (struct br_host *)(void *)&adapter };
static struct br_dest *adapters[] = { &adapter };
static struct br_outbox outbox = { .adapters = adapters };
static struct br_dest inboxes[2] = { { .outbox = &outbox },
	{ .outbox = &outbox } };
static struct br_lane lanes[3] = { { .dest = &inboxes[0] },
	{ .dest = &inboxes[1] }, { .dest = &adapter } };

/* All inboxes are one, the adapter is another. */
static void expect(const struct br_row *rows, bool of_adapter)
{
	struct br_outbox_depth depth, wanted = { 0 };

	for (size_t i = 0; i < ROWS; i++) {
		if (!rows[i].lane ||
		    (rows[i].lane->dest->host != NULL) != of_adapter)
			continue;
		wanted.messages++;
		if (!wanted.oldest_ms || rows[i].accepted_ms < wanted.oldest_ms)
			wanted.oldest_ms = rows[i].accepted_ms;
	}
	if (of_adapter)
		br_outbox_depth(&outbox, 0, &depth);
	else
		br_outbox_inbox_depth(&outbox, &depth);
	assert_int_equal(depth.messages, wanted.messages);
	assert_int_equal(depth.oldest_ms, wanted.oldest_ms);
}

static void remove_row(struct br_row *row)
{
	br_pile_remove(row);
	row->lane = NULL;
}

static void the_oldest_is_known_whatever_comes_and_goes(void **state)
{
	static struct br_row rows[ROWS];
	struct t_random random = { 7 };

	(void)state;
	expect(rows, true);
	expect(rows, false);
	for (int round = 0; round < ROUNDS; round++) {
		struct br_row *row = &rows[t_random_below(&random, ROWS)];

		if (row->lane) {
			remove_row(row);
		} else {
			/* Some are older than what is there: they moved. */
			row->accepted_ms = 1 + round +
			    (int64_t)t_random_below(&random, 500);
			row->lane = &lanes[t_random_below(&random, 3)];
			br_pile_add(row);
		}
		expect(rows, true);
		expect(rows, false);
	}
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].lane)
			remove_row(&rows[i]);
	expect(rows, true);
	expect(rows, false);
	assert_null(outbox.inboxes.rows);
	assert_null(adapter.pile.rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_oldest_is_known_whatever_comes_and_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
