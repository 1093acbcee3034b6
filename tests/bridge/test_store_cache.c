/* SPDX-License-Identifier: ISC */
/* Syncs fail, processes die, and the kernel remembers what the disk does not. What
 * was acknowledged is there when the power is cut after all that. */

#include "tests/bridge/store_cache.h"
#include "tests/bridge/store_world.h"

#include <sys/wait.h>

#include "tests/lib/random.h"

#define NUMBERS     600 /* messages of one folder */
#define CANNOT_OPEN 3

/* What processes tell each other. */
static struct said {
	bool acknowledged[NUMBERS];
	bool put[NUMBERS];
	unsigned next;
} * said;

static char body[60000];

static struct br_store_message message_of(unsigned number, size_t len)
{
	static char ids[NUMBERS][16];
	struct br_store_message m;

	(void)snprintf(ids[number], sizeof(ids[number]), "m-%u", number);
	m = message_make(number + 1, prim_slice_of(ids[number]));
	memset(body, 'a' + (int)(number % 26), sizeof(body));
	m.body = prim_slice_make(body, len);
	return m;
}

static bool put(struct world *w, size_t len)
{
	unsigned number = said->next++;
	struct br_store_put_result result = { BR_STORE_FAILED, -1, 0, 0 };
	struct br_store_message m = message_of(number, len);

	said->put[number] = true;
	br_store_message_put(w->store, &m, on_put, &result);
	br_store_settle(w->store);
	said->acknowledged[number] = result.outcome == BR_STORE_DONE;
	return said->acknowledged[number];
}

static void on_known(void *arg, const struct br_store_duplicate *d, bool failed)
{
	*(bool *)arg = !failed && d && d->answer == 101;
}

static bool is_there(struct world *w, unsigned number)
{
	struct br_store_message m = message_of(number, 0);
	bool there = false;

	br_store_duplicate_find(w->store, &m.key, m.message_id, on_known,
	    &there);
	br_store_settle(w->store);
	return there;
}

/* ---- processes ---- */

typedef bool (*life_fn)(struct world *w);

static void child(struct world *w, life_fn life)
{
	struct br_err err = { "" };

	w->base = event_base_new();
	cache_install();
	w->store = br_store_open(w->base, w->dir, &err);
	if (!w->store)
		_exit(strstr(err.text, "disk I/O error") ? CANNOT_OPEN : 1);
	_exit(life(w) ? 0 : 1);
}

/* How it ended: without closing the store. */
static int live(struct world *w, life_fn life)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		child(w, life);
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void begin(struct world *w, unsigned random)
{
	world_folder(w);
	cache_new(random);
	memset(said, 0, sizeof(*said));
}

/* Expects every message that was acknowledged, once, and none that nobody put. */
static void end(struct world *w)
{
	assert_true(cache_power_cut(w->dir));
	world_open(w);
	for (unsigned i = 0; i < NUMBERS; i++) {
		if (said->acknowledged[i] && !is_there(w, i))
			fail_msg("message %u is lost", i);
		if (!said->put[i] && is_there(w, i))
			fail_msg("message %u was never put", i);
	}
	world_close(w);
	world_sweep(w);
	cache_free();
}

/* ---- the tests ---- */

static bool one_is_stored_and_one_fails(struct world *w)
{
	bool fine = put(w, 3000);

	cached.cache->failing = 100;
	fine = fine && !put(w, 30000);
	cached.cache->failing = 0;
	return fine;
}

/* The second one came back: the kernel has it. */
static bool the_next_builds_on_that(struct world *w)
{
	return is_there(w, 1) && put(w, 3000) && put(w, 3000);
}

static void what_a_sync_failed_at_is_written_again_at_the_start(void **state)
{
	struct world *w = *state;

	/* Which of its pages are lost is by chance. */
	for (unsigned random = 1; random <= 8; random++) {
		begin(w, random);
		assert_int_equal(live(w, one_is_stored_and_one_fails), 0);
		assert_int_equal(live(w, the_next_builds_on_that), 0);
		end(w);
	}
}

/* The first begins where the second did, and is longer than it. */
static bool ever_smaller_ones_fail(struct world *w)
{
	bool fine = put(w, 3000);

	cached.cache->failing = 100;
	fine = fine && !put(w, 50000) && !put(w, 30000);
	cached.cache->failing = 0;
	return fine && put(w, 3000);
}

static bool has_kept(const struct world *w)
{
	DIR *dir = opendir(w->dir);
	struct dirent *entry;
	bool found = false;

	while (dir && (entry = readdir(dir)))
		found = found || strstr(entry->d_name, ".damaged-");
	if (dir)
		closedir(dir);
	return found;
}

static bool the_next_has_what_was_stored(struct world *w)
{
	return is_there(w, 0) && !is_there(w, 1) && !is_there(w, 2) &&
	    is_there(w, 3) && !has_kept(w);
}

/* They are still in the log when the next one reads it. */
static void what_failed_is_not_taken_for_what_damage_hides(void **state)
{
	struct world *w = *state;

	begin(w, 1);
	assert_int_equal(live(w, ever_smaller_ones_fail), 0);
	assert_int_equal(live(w, the_next_has_what_was_stored), 0);
	end(w);
}

static bool one_is_stored_and_one_not_synced(struct world *w)
{
	bool fine = put(w, 3000);

	cached.cache->dies = true;
	return fine && put(w, 3000);
}

/* As an answer to its sender, who sends it again. */
static bool the_next_says_that_it_has_it(struct world *w)
{
	said->acknowledged[1] = is_there(w, 1);
	return said->acknowledged[1];
}

static void what_nobody_synced_is_synced_at_the_start(void **state)
{
	struct world *w = *state;

	for (unsigned random = 1; random <= 8; random++) {
		begin(w, random);
		assert_int_equal(live(w, one_is_stored_and_one_not_synced),
		    CACHE_EXIT);
		cached.cache->dies = false;
		assert_int_equal(live(w, the_next_says_that_it_has_it), 0);
		end(w);
	}
}

/* It lives on; the log is emptied into the database now and then. */
static bool syncs_fail_now_and_then(struct world *w)
{
	struct t_random random = { .state = cached.cache->random };
	unsigned count = 5 + (unsigned)t_random_below(&random, 100);

	cached.cache->failing = (unsigned)t_random_below(&random, 3) * 10;
	for (unsigned i = 0; i < count && said->next < NUMBERS; i++)
		(void)put(w, t_random_below(&random, sizeof(body)));
	return true;
}

static void syncs_fail_in_one_life_after_the_other(void **state)
{
	struct world *w = *state;
	unsigned worlds = getenv("PRIM_LONG") ? 500 : 6;
	unsigned failed = 0, revived = 0, acknowledged = 0, refused = 0;

	for (unsigned random = 1; random <= worlds; random++) {
		begin(w, random * 7919);
		for (unsigned i = 0; i < 6; i++) {
			int code = live(w, syncs_fail_now_and_then);

			assert_true(code == 0 || code == CANNOT_OPEN);
			refused += code == CANNOT_OPEN;
		}
		failed += cached.cache->failed;
		revived += cached.cache->revived;
		for (unsigned i = 0; i < NUMBERS; i++)
			acknowledged += said->acknowledged[i];
		end(w);
	}
	print_message("%u syncs failed, %u lost pages written again, %u starts "
		      "refused, %u acknowledged\n",
	    failed, revived, refused, acknowledged);
	assert_true(failed > 0 && revived > 0 && acknowledged > 0);
}

static int set_up(void **state)
{
	static struct world w;

	br_log_set_sink(world_hush, NULL);
	memset(&w, 0, sizeof(w));
	said = mmap(NULL, sizeof(*said), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*state = &w;
	return said == MAP_FAILED;
}

static int tear_down(void **state)
{
	(void)state;
	return munmap(said, sizeof(*said));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_a_sync_failed_at_is_written_again_at_the_start),
		cmocka_unit_test(what_nobody_synced_is_synced_at_the_start),
		cmocka_unit_test(
		    what_failed_is_not_taken_for_what_damage_hides),
		cmocka_unit_test(syncs_fail_in_one_life_after_the_other),
	};

	if (access("/dev/shm", W_OK) == 0)
		(void)setenv("TMPDIR", "/dev/shm", 1);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
