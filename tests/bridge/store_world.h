/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_STORE_WORLD_H
#define TESTS_BRIDGE_STORE_WORLD_H

/* A store in a folder of its own, or in memory, with a loop to turn. It keeps
 * the last notice it was told of, and counts them. */

#include "tests/lib/t.h"

#include <dirent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/log.h"
#include "bridge/notice.h"
#include "bridge/store.h"
#include "prim/base.h"

#define POSTMASTER "im:postmaster@here.example"

struct world {
	struct event_base *base;
	struct br_store *store;
	char dir[256];
	unsigned notices;
	unsigned ends;                  /* told by br_store_on_end() */
	struct br_store_message notice; /* its slices borrow from `text` */
	char text[8][256];
};

static inline void world_hush(void *arg, struct prim_slice line)
{
	(void)arg;
	(void)line;
}

static inline struct prim_slice world_keep(char to[256], struct prim_slice s)
{
	assert_true(s.len < 256);
	if (s.len)
		memcpy(to, s.ptr, s.len);
	return prim_slice_make(to, s.len);
}

static inline void world_on_notice(void *arg, const struct br_store_message *m,
    bool failed)
{
	struct world *w = arg;

	assert_false(failed);
	assert_int_equal(m->head.len + m->body.len, 0);
	w->notices++;
	w->notice = *m;
	w->notice.destination = world_keep(w->text[0], m->destination);
	w->notice.origin = world_keep(w->text[1], m->origin);
	w->notice.sender = world_keep(w->text[2], m->sender);
	w->notice.recipient = world_keep(w->text[3], m->recipient);
	w->notice.message_id = world_keep(w->text[4], m->message_id);
	w->notice.return_token = world_keep(w->text[5], m->return_token);
}

static inline void world_on_end(void *arg, const struct br_store_message *m,
    bool failed)
{
	struct world *w = arg;

	assert_false(failed);
	assert_int_equal(m->last_code, 403);
	assert_true(prim_slice_eq(m->last_reason,
	    PRIM_SLICE("account removed")));
	assert_true(m->message_id.len > 0 && m->recipient.len > 0);
	w->ends++;
}

static inline void world_open(struct world *w)
{
	struct br_err err = { "" };

	w->base = event_base_new();
	w->store = br_store_open(w->base, w->dir, &err);
	assert_string_equal(err.text, "");
	assert_non_null(w->store);
	br_store_on_notice(w->store, world_on_notice, w);
	br_store_on_end(w->store, world_on_end, w);
}

static inline void world_close(struct world *w)
{
	w->store = br_store_close(w->store);
	event_base_free(w->base);
	w->base = NULL;
}

static inline void world_reopen(struct world *w)
{
	world_close(w);
	world_open(w);
}

static inline void world_folder(struct world *w)
{
	const char *parent = getenv("TMPDIR");

	(void)snprintf(w->dir, sizeof(w->dir), "%s/store-XXXXXX",
	    parent ? parent : P_tmpdir);
	assert_non_null(mkdtemp(w->dir));
}

/* The size of one of its files. */
static inline off_t world_size(const struct world *w, const char *name)
{
	char path[300];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

/* The disk is full: no file may grow beyond `size`. RLIM_INFINITY: it has room
 * again. */
static inline void world_limit(rlim_t size)
{
	struct rlimit limit;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size < limit.rlim_max ? size : limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static inline void world_sweep(const struct world *w)
{
	DIR *dir = opendir(w->dir);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	(void)rmdir(w->dir);
}

static inline int world_set_up(void **state)
{
	static struct world w;

	br_log_set_sink(world_hush, NULL);
	memset(&w, 0, sizeof(w));
	world_folder(&w);
	world_open(&w);
	*state = &w;
	return 0;
}

static inline int world_set_up_memory(void **state)
{
	static struct world w;

	br_log_set_sink(world_hush, NULL);
	memset(&w, 0, sizeof(w));
	(void)snprintf(w.dir, sizeof(w.dir), ":memory:");
	world_open(&w);
	*state = &w;
	return 0;
}

static inline int world_tear_down(void **state)
{
	struct world *w = *state;

	world_close(w);
	world_sweep(w);
	return 0;
}

/* A callback that remembers. */
struct heard {
	unsigned count;
	enum br_store_outcome outcome;
};

static inline void on_done(void *arg, enum br_store_outcome outcome)
{
	struct heard *heard = arg;

	heard->count++;
	heard->outcome = outcome;
}

static inline void on_put(void *arg, const struct br_store_put_result *result)
{
	*(struct br_store_put_result *)arg = *result;
}

/* Turns the loop until all is answered, and expects one answer. */
static inline void world_expect(struct world *w, struct heard *heard,
    enum br_store_outcome outcome)
{
	assert_int_equal(heard->count, 0);
	br_store_settle(w->store);
	assert_int_equal(heard->count, 1);
	assert_int_equal(heard->outcome, outcome);
	memset(heard, 0, sizeof(*heard));
}

/* A message whose key, lane and id come from `number`. */
static inline struct br_store_message message_make(uint64_t number,
    struct prim_slice id)
{
	struct br_store_message m = {
		.content_hash = number * 7,
		.destination = PRIM_SLICE("inbox:bob@here.example"),
		.origin = PRIM_SLICE("client"),
		.sender = PRIM_SLICE("ann@here.example"),
		.recipient = PRIM_SLICE("bob@here.example"),
		.message_id = id,
		.head = PRIM_SLICE("From: im:ann@here.example\r\n"
				   "To: im:bob@here.example\r\n"),
		.body = PRIM_SLICE("hello"),
		.notice_from = PRIM_SLICE(POSTMASTER),
		.hops = 1,
		.accepted_ms = 1000,
		.expires_ms = 2000,
	};
	/* Spread, as real keys are. */
	uint64_t spread = number * 0x9e3779b97f4a7c15U;

	memcpy(m.key.octets, &spread, sizeof(spread));
	memcpy(m.key.octets + 8, &number, sizeof(number));
	memcpy(m.lane.octets, &number, sizeof(number));
	memcpy(m.delivery.octets, &spread, sizeof(spread));
	memcpy(m.delivery.octets + 8, "delivery", 8);
	return m;
}

static inline struct br_store_put_result message_store(struct world *w,
    const struct br_store_message *m)
{
	struct br_store_put_result result = { BR_STORE_FAILED, -1, 0, 0 };

	br_store_message_put(w->store, m, on_put, &result);
	assert_int_equal(result.seq, -1);
	br_store_settle(w->store);
	return result;
}

struct duplicate {
	bool there, failed;
	struct br_store_duplicate d;
};

static inline void on_duplicate(void *arg, const struct br_store_duplicate *d,
    bool failed)
{
	struct duplicate *got = arg;

	got->there = d;
	got->failed = failed;
	if (d)
		got->d = *d;
}

/* 0 when the key is not remembered. */
static inline unsigned answer(struct world *w, const struct br_store_message *m)
{
	struct duplicate got = { .failed = true };

	br_store_duplicate_find(w->store, &m->key, m->message_id, on_duplicate,
	    &got);
	br_store_settle(w->store);
	assert_false(got.failed);
	return got.there ? got.d.answer : 0;
}

static inline void store_many(struct world *w, unsigned from, unsigned count)
{
	struct br_store_message *m = calloc(count, sizeof(*m));
	struct br_store_put_result *results = calloc(count, sizeof(*results));

	assert_non_null(m);
	assert_non_null(results);
	for (unsigned i = 0; i < count; i++) {
		m[i] = message_make(from + i, PRIM_SLICE("many"));
		br_store_message_put(w->store, &m[i], on_put, &results[i]);
	}
	br_store_settle(w->store);
	for (unsigned i = 0; i < count; i++) {
		assert_int_equal(results[i].outcome, BR_STORE_DONE);
		if (i > 0)
			assert_int_equal(results[i].seq,
			    results[i - 1].seq + 1);
	}
	free(m);
	free(results);
}

static inline void count_key(void *arg, uint64_t prefix)
{
	(void)prefix;
	++*(unsigned *)arg;
}

static inline struct br_store_end end_make(unsigned code, const char *reason)
{
	return (struct br_store_end){ .code = code,
		.reason = prim_slice_of(reason),
		.forget_ms = 5000 };
}

/* Ends `seq`, which is there. */
static inline void message_end(struct world *w, int64_t seq, unsigned code,
    const char *reason)
{
	const struct br_store_end end = end_make(code, reason);
	struct heard heard = { 0 };

	br_store_message_end(w->store, seq, &end, on_done, &heard);
	world_expect(w, &heard, BR_STORE_DONE);
}

static inline void message_quarantine(struct world *w, int64_t seq,
    enum br_store_outcome outcome)
{
	const struct br_store_end end = end_make(500, "poison");
	struct heard heard = { 0 };

	br_store_message_quarantine(w->store, seq, &end, on_done, &heard);
	world_expect(w, &heard, outcome);
}

/* Expects that `count` notices were told since the last time, the last of them
 * of `kind` about `m`. */
static inline void world_expect_notices(struct world *w, unsigned count,
    const struct br_store_message *m, enum br_notice_kind kind)
{
	assert_int_equal(w->notices, count);
	w->notices = 0;
	if (!count)
		return;
	assert_memory_equal(&w->notice.about, &m->delivery,
	    sizeof(m->delivery));
	assert_int_equal(w->notice.notice_kind, kind);
	assert_true(w->notice.seq > 0);
	assert_true(w->notice.is_notice);
	assert_true(w->notice.octets > 0);
}

/* What the store knows of a message; slices without head and body are lost. */
struct message_got {
	unsigned calls;
	bool is_there, failed;
	struct br_store_message m;
	struct prim_buf content; /* head and body */
};

static inline void on_message_got(void *arg, const struct br_store_message *m,
    bool failed)
{
	struct message_got *got = arg;

	got->calls++;
	got->failed = failed;
	got->is_there = m != NULL;
	prim_buf_reset(&got->content);
	if (!m)
		return;
	got->m = *m;
	prim_buf_put(&got->content, m->head);
	prim_buf_put(&got->content, m->body);
	prim_buf_putc(&got->content, '\0');
}

/* False: it is not there, or damaged. */
static inline bool message_get(struct world *w, int64_t seq,
    struct message_got *got)
{
	struct message_got own = { 0 };

	got = got ? got : &own;
	got->calls = 0;
	br_store_message_get(w->store, seq, on_message_got, got);
	br_store_settle(w->store);
	assert_int_equal(got->calls, 1);
	assert_false(got->failed);
	prim_buf_fini(&own.content);
	return got->is_there;
}

struct history_lines {
	unsigned count, ends;
	char text[4096];
};

static inline void on_history_line(void *arg, const struct br_store_event *e)
{
	struct history_lines *lines = arg;
	size_t used = strlen(lines->text);

	if (!e) {
		lines->ends++;
		return;
	}
	assert_true(e->at_ms > 0);
	lines->count++;
	(void)snprintf(lines->text + used, sizeof(lines->text) - used, "%.*s\n",
	    PRIM_SLICE_ARG(e->text));
}

static inline void history_read(struct world *w, struct prim_slice id,
    struct history_lines *lines)
{
	memset(lines, 0, sizeof(*lines));
	br_store_history_find(w->store, id, on_history_line, lines);
	br_store_settle(w->store);
	assert_int_equal(lines->ends, 1);
}

/* Does `sql` to queue.db behind the store's back. */
static inline void world_harm(const struct world *w, const char *sql)
{
	char path[300];
	sqlite3 *db = NULL;

	(void)snprintf(path, sizeof(path), "%s/queue.db", w->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* The number that `sql` finds in queue.db. */
static inline int64_t world_ask(const struct world *w, const char *sql)
{
	char path[300];
	sqlite3_stmt *st = NULL;
	sqlite3 *db = NULL;
	int64_t answer;

	(void)snprintf(path, sizeof(path), "%s/queue.db", w->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	answer = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return answer;
}

static inline void count_message_told(void *arg,
    const struct br_store_message *m, bool failed)
{
	assert_false(failed);
	assert_non_null(m);
	++*(unsigned *)arg;
}

/* How many are told at start. */
static inline unsigned messages(struct world *w)
{
	unsigned count = 0;

	assert_true(br_store_message_each(w->store, count_message_told, &count,
	    NULL));
	br_store_settle(w->store);
	return count;
}

static inline unsigned keys(struct world *w)
{
	unsigned count = 0;

	assert_true(br_store_duplicate_each(w->store, count_key, &count, NULL));
	return count;
}

#define IN_FOLDER(test) \
	cmocka_unit_test_setup_teardown(test, world_set_up, world_tear_down)
#define IN_MEMORY(test)                                            \
	cmocka_unit_test_setup_teardown(test, world_set_up_memory, \
	    world_tear_down)

#endif
