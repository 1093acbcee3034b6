/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_STORE_WORLD_H
#define TESTS_BRIDGE_STORE_WORLD_H

/* A store in a folder of its own, or in memory, with a loop to turn. */

#include "tests/lib/t.h"

#include <dirent.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/log.h"
#include "bridge/store.h"

struct world {
	struct event_base *base;
	struct br_store *store;
	char dir[256];
};

static inline void world_hush(void *arg, struct prim_slice line)
{
	(void)arg;
	(void)line;
}

static inline void world_open(struct world *w)
{
	struct br_err err = { "" };

	w->base = event_base_new();
	w->store = br_store_open(w->base, w->dir, &err);
	assert_string_equal(err.text, "");
	assert_non_null(w->store);
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
		.head = PRIM_SLICE("From: im:ann@here.example\r\n"),
		.body = PRIM_SLICE("hello"),
		.hops = 1,
		.accepted_ms = 1000,
		.expires_ms = 2000,
	};
	/* Spread, as real keys are. */
	uint64_t spread = number * 0x9e3779b97f4a7c15U;

	memcpy(m.key.octets, &spread, sizeof(spread));
	memcpy(m.key.octets + 8, &number, sizeof(number));
	memcpy(m.lane.octets, &number, sizeof(number));
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
