/* SPDX-License-Identifier: ISC */
/*
 * The power is cut at any write or sync while messages live their lives. After
 * that each of them stands where it was answered that it stands, or one step
 * further; and what ended in failure has one notice, no more, no less.
 */

#include "tests/bridge/store_lives.h"
#include "tests/bridge/store_power.h"

#include <sys/wait.h>

#include "bridge/metric.h"

/* Its children are copies of it, so it had better stay small. */
#ifdef PRIMBRIDGE_SANITIZE
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "quarantine_size_mb=1";
}
#endif

/* How a child is to die. */
struct death {
	void (*live)(struct child *c);
	long cut_after;
	unsigned scatter;
	unsigned first; /* number */
};

/* True: its power was cut. False: it came to its end. */
static bool child_run(const struct world *w, const struct death *death, int fd)
{
	struct child c = { .fd = fd, .next = death->first };
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		power_install(false);
		power_cut_after(death->cut_after, death->scatter);
		c.store = br_store_open(event_base_new(), w->dir, NULL);
		if (!c.store)
			_exit(5);
		death->live(&c);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 0)
		assert_int_equal(WEXITSTATUS(status), POWER_EXIT);
	return WEXITSTATUS(status) != 0;
}

/* ---- what is left ---- */

struct view {
	unsigned steps[NUMBERS]; /* that were acknowledged */
	struct facts facts[NUMBERS];
	bool has_dropped; /* the account; that was acknowledged */
	bool has_gone;    /* it is not there */
	unsigned notices; /* that belong to something */
};

static void each_row(const struct world *w, const char *sql,
    void (*row)(struct view *v, sqlite3_stmt *st), struct view *v)
{
	char path[300];
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	int code;

	(void)snprintf(path, sizeof(path), "%s/queue.db", w->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	while ((code = sqlite3_step(st)) == SQLITE_ROW)
		row(v, st);
	assert_int_equal(code, SQLITE_DONE);
	sqlite3_finalize(st);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static struct facts *facts_of(struct view *v, sqlite3_stmt *st)
{
	const char *id = (const char *)sqlite3_column_text(st, 0);
	unsigned long number;

	assert_non_null(id);
	assert_int_equal(id[0], 'n');
	number = strtoul(id + 1, NULL, 10);
	assert_true(number < NUMBERS);
	return &v->facts[number];
}

static void row_waits(struct view *v, sqlite3_stmt *st)
{
	struct facts *f = facts_of(v, st);

	f->waits = true;
	f->is_quarantined = sqlite3_column_int(st, 1) != 0;
	f->attempts = (unsigned)sqlite3_column_int(st, 2);
}

static void row_ended(struct view *v, sqlite3_stmt *st)
{
	struct facts *f = facts_of(v, st);

	assert_int_equal(f->code, 0); /* once */
	f->code = (unsigned)sqlite3_column_int(st, 1);
	f->is_sent = sqlite3_column_int(st, 2) != 0;
}

static void row_told(struct view *v, sqlite3_stmt *st)
{
	struct facts *f = facts_of(v, st);
	const char *kind = (const char *)sqlite3_column_text(st, 1);

	v->notices++;
	f->failed += strcmp(kind, "failed") == 0;
	f->delayed += strcmp(kind, "delayed") == 0;
	f->delivered += strcmp(kind, "delivered") == 0;
}

/* A notice counts when it is a message with all its parts. */
static void view_read(struct view *v, const struct world *w)
{
	memset(v->facts, 0, sizeof(v->facts));
	v->notices = 0;
	each_row(w,
	    "SELECT message_id, quarantine_ms <> 0, attempts FROM message"
	    " WHERE is_notice = 0",
	    row_waits, v);
	each_row(w,
	    "SELECT message_id, code, EXISTS (SELECT 1 FROM sent"
	    " WHERE sent.seq = trace.seq) FROM trace",
	    row_ended, v);
	each_row(w,
	    "SELECT coalesce(m.message_id, t.message_id),"
	    " substr(e.text, 13, instr(e.text, ' id=') - 13)"
	    " FROM event AS e"
	    " JOIN message AS n"
	    " ON n.message_id = substr(e.text, instr(e.text, ' id=') + 4)"
	    " JOIN content AS c ON c.seq = n.seq"
	    " LEFT JOIN message AS m ON m.seq = e.seq"
	    " LEFT JOIN trace AS t ON t.seq = e.seq"
	    " WHERE e.text LIKE 'notice %' AND n.is_notice = 1",
	    row_told, v);
	assert_int_equal(v->notices,
	    world_ask(w, "SELECT count(*) FROM message WHERE is_notice = 1"));
	assert_int_equal(0,
	    world_ask(w,
		"SELECT count(*) FROM (SELECT seq FROM message"
		" UNION ALL SELECT seq FROM trace) AS x"
		" WHERE NOT EXISTS (SELECT 1 FROM known"
		" WHERE known.seq = x.seq)"));
}

static void on_gone(void *arg, const struct br_store_account *account,
    bool failed)
{
	assert_false(failed);
	((struct view *)arg)->has_gone = !account;
}

/* Opens what is left, as a primd does; nothing of it may be damaged. */
static void world_recover(struct world *w, struct view *v)
{
	int64_t errors = br_metric_get(BR_METRIC_STORE_ERRORS);

	world_open(w);
	(void)messages(w);
	br_store_account_find(w->store, PRIM_SLICE("gone@here.example"),
	    on_gone, v);
	br_store_settle(w->store);
	assert_int_equal(br_metric_get(BR_METRIC_STORE_ERRORS), errors);
	world_close(w);
}

static void expect_facts(const struct view *v, unsigned number,
    const enum op *life)
{
	const struct facts *f = &v->facts[number];
	struct facts before = facts_after(life, v->steps[number]);
	struct facts after = before;

	if (life[v->steps[number]] != OVER)
		after = facts_after(life, v->steps[number] + 1);
	if (!facts_eq(f, &before) && !facts_eq(f, &after))
		fail_msg("message %u after %u steps: waits=%d quarantined=%d "
			 "sent=%d code=%u attempts=%u failed=%u delayed=%u "
			 "delivered=%u",
		    number, v->steps[number], f->waits, f->is_quarantined,
		    f->is_sent, f->code, f->attempts, f->failed, f->delayed,
		    f->delivered);
}

/* The account goes with all that waited for it, or not at all. */
static void expect_gone(const struct view *v, unsigned number)
{
	const struct facts *f = &v->facts[number];

	assert_true(v->has_gone || !v->has_dropped);
	if (!v->has_gone || v->steps[number] == 0) {
		expect_facts(v, number, LIVES[GONE]);
		return;
	}
	assert_false(f->waits);
	assert_int_equal(f->code, 403);
	assert_int_equal(f->failed, 1);
}

static void expect_all(struct view *v, const struct world *w, unsigned lives)
{
	view_read(v, w);
	for (unsigned i = 0; i < NUMBERS; i++) {
		if (i % lives == GONE)
			expect_gone(v, i);
		else
			expect_facts(v, i, LIVES[i % lives]);
	}
}

/* False: it came to its end. */
static bool cut(struct world *w, const struct death *death, struct view *v)
{
	unsigned number;
	bool was_cut;
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	was_cut = child_run(w, death, ends[1]);
	close(ends[1]);
	while (read(ends[0], &number, sizeof(number)) == sizeof(number)) {
		if (number == UINT32_MAX)
			v->has_dropped = true;
		else
			v->steps[number]++;
	}
	close(ends[0]);
	world_recover(w, v);
	return was_cut;
}

/* ---- the tests ---- */

static struct view view; /* large */

/* A number from the environment. */
static unsigned number(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

static unsigned cuts(unsigned few)
{
	return number("PRIM_TIMES", getenv("PRIM_LONG") ? few * 36 : few);
}

/* At every write and sync of the script, or at as many as there is time for. */
static void a_cut_anywhere_in_a_script_breaks_no_promise(void **state)
{
	struct world *w = *state;
	struct death death = { .live = child_script };
	unsigned stride = getenv("PRIM_LONG") ? 1 : 4;
	unsigned count = 0;
	bool was_cut = true;

	world_sweep(w);
	for (unsigned at = 1; was_cut; at += stride) {
		world_folder(w);
		memset(&view, 0, sizeof(view));
		death.cut_after = at;
		death.scatter = at;
		was_cut = cut(w, &death, &view);
		expect_all(&view, w, PRIM_COUNT(LIVES));
		world_sweep(w);
		count += was_cut;
	}
	assert_true(view.has_dropped);
	assert_true(count > 100);
	print_message("%u cuts\n", count);
}

static void a_cut_among_many_breaks_no_promise(void **state)
{
	struct world *w = *state;
	struct death death = { .live = child_crowd };
	unsigned random = number("PRIM_RANDOM", 20261122), count = 0;

	world_sweep(w);
	while (count < cuts(250)) {
		world_folder(w);
		memset(&view, 0, sizeof(view));
		/* Again and again, on what the cut before left. */
		for (unsigned i = 0; i < 8; i++) {
			death.first = i * NUMBERS / 8;
			death.cut_after = 1 + rand_r(&random) % 1500;
			death.scatter = rand_r(&random);
			count += cut(w, &death, &view);
			expect_all(&view, w, GONE);
		}
		world_sweep(w);
	}
	print_message("%u cuts\n", count);
}

static int set_up(void **state)
{
	static struct world w;

	br_log_set_sink(world_hush, NULL);
	memset(&w, 0, sizeof(w));
	world_folder(&w);
	*state = &w;
	return 0;
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

/* The disk is one of ours, so what it stands on need not be one. */
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_cut_anywhere_in_a_script_breaks_no_promise),
		TEST(a_cut_among_many_breaks_no_promise),
	};

	if (access("/dev/shm", W_OK) == 0)
		(void)setenv("TMPDIR", "/dev/shm", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
