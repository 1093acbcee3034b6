/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_PRESENCE_WORLD_H
#define TESTS_BRIDGE_PRESENCE_WORLD_H

/* Values and subscriptions in a store, and what comes back of them, as text. */

#include "tests/bridge/store_world.h"

#include <sqlite3.h>

#include "prim/base.h"
#include "prim/buf.h"

#define ANN  PRIM_SLICE("ann@here.example")
#define BOB  PRIM_SLICE("bob@far.example")
#define CARL PRIM_SLICE("carl@here.example")
#define BIG  ((size_t)65536)

static inline void account_make(struct world *w, struct prim_slice key)
{
	const struct br_store_account a = {
		.key = key,
		.address = key,
		.iterations = 4096,
		.salt_len = 1,
	};
	struct heard heard = { 0 };

	br_store_account_put(w->store, &a, on_done, &heard);
	world_expect(w, &heard, BR_STORE_DONE);
}

/* ---- values ---- */

static inline struct br_store_value value_make(struct prim_slice tuple_id,
    bool is_lease)
{
	return (struct br_store_value){
		.presentity = ANN,
		.tuple_id = tuple_id,
		.type = PRIM_SLICE("text/plain"),
		.body = PRIM_SLICE("body"),
		.is_lease = is_lease,
		.at_ms = 1000,
		.expires_ms = 5000,
	};
}

struct rowed {
	unsigned count;
	enum br_store_outcome outcome;
	int64_t row;
};

static inline void on_row(void *arg, enum br_store_outcome outcome, int64_t row)
{
	struct rowed *got = arg;

	got->count++;
	got->outcome = outcome;
	got->row = row;
}

static inline struct rowed value_store(struct world *w,
    const struct br_store_value *v)
{
	struct rowed got = { .row = -1 };

	br_store_value_put(w->store, v, on_row, &got);
	assert_int_equal(got.count, 0);
	br_store_settle(w->store);
	assert_int_equal(got.count, 1);
	return got;
}

static inline void drop(struct world *w, struct prim_slice tuple_id,
    bool only_lease, enum br_store_outcome outcome)
{
	struct heard heard = { 0 };

	br_store_value_drop(w->store, ANN, tuple_id, only_lease, on_done,
	    &heard);
	world_expect(w, &heard, outcome);
}

static inline uint64_t octet_sum(struct prim_slice s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s.len; i++)
		sum = sum * 31 + (uint8_t)s.ptr[i];
	return sum;
}

/* ---- a principal ---- */

struct seen {
	unsigned count;
	bool is_there;
	size_t value_count, sub_count;
	char values[1024]; /* a line each */
	char subs[1024];
	int64_t last_row;
	size_t last_body;
	uint64_t last_sum;
};

static inline void add_line(char text[1024], const struct prim_buf *line)
{
	size_t used = strlen(text);

	(void)snprintf(text + used, 1024 - used, "%.*s\n",
	    PRIM_SLICE_ARG(prim_buf_slice(line)));
}

static inline void see_value(struct seen *seen, const struct br_store_value *v)
{
	struct prim_buf line = { 0 };

	assert_true(prim_slice_eq(v->presentity, ANN) ||
	    prim_slice_eq(v->presentity, CARL));
	prim_buf_put(&line, v->tuple_id);
	prim_buf_puts(&line, v->is_lease ? " lease " : " permanent ");
	prim_buf_put_number(&line, (uint64_t)v->expires_ms);
	prim_buf_putc(&line, ' ');
	prim_buf_put(&line, v->type);
	prim_buf_putc(&line, ' ');
	prim_buf_put(&line, v->body);
	add_line(seen->values, &line);
	prim_buf_fini(&line);
	seen->last_row = v->row;
	seen->last_body = v->body.len;
	seen->last_sum = octet_sum(v->body);
}

static inline void see_sub(struct seen *seen,
    const struct br_store_subscription *sub)
{
	struct prim_buf line = { 0 };

	prim_buf_put(&line, sub->watcher);
	prim_buf_putc(&line, ' ');
	prim_buf_put(&line, sub->presentity);
	prim_buf_puts(&line, " '");
	prim_buf_put(&line, sub->id);
	prim_buf_puts(&line, sub->is_outgoing ? "' out " : "' in ");
	prim_buf_put_number(&line, (uint64_t)sub->expires_ms);
	prim_buf_putc(&line, ' ');
	prim_buf_put(&line, sub->watcher_address);
	add_line(seen->subs, &line);
	prim_buf_fini(&line);
}

static inline void on_principal(void *arg, const struct br_store_principal *p,
    bool failed)
{
	struct seen *seen = arg;

	assert_false(failed);
	seen->count++;
	seen->is_there = p->account;
	seen->value_count = p->value_count;
	seen->sub_count = p->subscription_count;
	for (size_t i = 0; i < p->value_count; i++)
		see_value(seen, &p->values[i]);
	for (size_t i = 0; i < p->subscription_count; i++)
		see_sub(seen, &p->subscriptions[i]);
}

static inline void look(struct world *w, struct prim_slice key,
    struct seen *seen)
{
	memset(seen, 0, sizeof(*seen));
	br_store_principal_find(w->store, key, on_principal, seen);
	assert_int_equal(seen->count, 0);
	br_store_settle(w->store);
	assert_int_equal(seen->count, 1);
}

struct failing {
	unsigned failures;
};

static inline void on_failing(void *arg, const struct br_store_principal *p,
    bool failed)
{
	assert_null(p);
	assert_true(failed);
	((struct failing *)arg)->failures++;
}

/* ---- subscriptions ---- */

static inline struct br_store_subscription sub_make(struct prim_slice watcher,
    struct prim_slice presentity, struct prim_slice id)
{
	return (struct br_store_subscription){
		.watcher = watcher,
		.presentity = presentity,
		.watcher_address = PRIM_SLICE("pres:watcher@w.example"),
		.presentity_address = PRIM_SLICE("pres:presentity@p.example"),
		.id = id,
		.expires_ms = 7000,
	};
}

static inline void sub_store(struct world *w,
    const struct br_store_subscription *sub)
{
	struct heard heard = { 0 };

	br_store_subscription_put(w->store, sub, on_done, &heard);
	world_expect(w, &heard, BR_STORE_DONE);
}

/* `count` watchers of Ann. */
static inline void many_subs(struct world *w, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char name[32];
		int len = snprintf(name, sizeof(name), "w%u@far.example",
		    i * 7 % count);
		struct br_store_subscription sub =
		    sub_make(prim_slice_make(name, (size_t)len), ANN,
			PRIM_SLICE("x"));

		br_store_subscription_put(w->store, &sub, NULL, NULL);
	}
	br_store_settle(w->store);
}

/* Are these names, joined, behind `last`? Then they are the last. */
static inline bool goes_on(char last[512],
    const struct br_store_subscription *sub)
{
	char names[512];
	bool behind;

	(void)snprintf(names, sizeof(names), "%.*s\1%.*s\1%.*s",
	    PRIM_SLICE_ARG(sub->watcher), PRIM_SLICE_ARG(sub->presentity),
	    PRIM_SLICE_ARG(sub->id));
	behind = strcmp(names, last) > 0;
	memcpy(last, names, sizeof(names));
	return behind;
}

struct listed {
	unsigned count, ends;
	bool is_sorted;
	char ids[1024];
	char last[512];
};

static inline void on_listed(void *arg, const struct br_store_subscription *sub)
{
	struct listed *got = arg;
	size_t used = strlen(got->ids);

	if (!sub) {
		got->ends++;
		return;
	}
	got->count++;
	got->is_sorted = goes_on(got->last, sub) && got->is_sorted;
	if (used + sub->id.len + 2 < sizeof(got->ids))
		(void)snprintf(got->ids + used, sizeof(got->ids) - used,
		    "%.*s.", PRIM_SLICE_ARG(sub->id));
}

struct paged {
	unsigned count, ends, in_page;
	bool is_sorted;
	char last[512];
	char watcher[128], presentity[128], id[128]; /* of the last */
};

static inline void on_paged(void *arg, const struct br_store_subscription *sub,
    bool failed)
{
	struct paged *got = arg;

	assert_false(failed);
	if (!sub) {
		got->ends++;
		return;
	}
	got->count++;
	got->in_page++;
	got->is_sorted = goes_on(got->last, sub) && got->is_sorted;
	(void)snprintf(got->watcher, 128, "%.*s", PRIM_SLICE_ARG(sub->watcher));
	(void)snprintf(got->presentity, 128, "%.*s",
	    PRIM_SLICE_ARG(sub->presentity));
	(void)snprintf(got->id, 128, "%.*s", PRIM_SLICE_ARG(sub->id));
}

static inline struct br_store_subscription paged_last(const struct paged *got)
{
	return (struct br_store_subscription){
		.watcher = prim_slice_of(got->watcher),
		.presentity = prim_slice_of(got->presentity),
		.id = prim_slice_of(got->id),
	};
}

/* ---- at start ---- */

struct residents {
	char text[1024]; /* "+" a principal, ">" the id of an outgoing one */
};

static inline void add_resident(void *arg, char sign, struct prim_slice name)
{
	struct residents *got = arg;
	size_t used = strlen(got->text);

	(void)snprintf(got->text + used, sizeof(got->text) - used, "%c%.*s",
	    sign, PRIM_SLICE_ARG(name));
}

static inline void on_resident(void *arg, struct prim_slice key)
{
	add_resident(arg, '+', key);
}

static inline void on_outgoing(void *arg,
    const struct br_store_subscription *sub)
{
	add_resident(arg, '>', sub->id);
}

static inline void residents(struct world *w, struct residents *got)
{
	const struct br_store_resident each = {
		.principal = on_resident,
		.outgoing = on_outgoing,
		.arg = got,
	};

	memset(got, 0, sizeof(*got));
	assert_true(br_store_resident_each(w->store, &each, NULL));
}

/* ---- from outside ---- */

static inline void on_lease(void *arg, const struct br_store_principal *p,
    bool failed)
{
	assert_false(failed);
	for (size_t i = 0; i < p->value_count; i++)
		*(unsigned *)arg += p->values[i].is_lease;
}

/* How many leases Ann has. */
static inline unsigned leases(struct world *w)
{
	unsigned count = 0;

	br_store_principal_find(w->store, ANN, on_lease, &count);
	br_store_settle(w->store);
	return count;
}

/* Changes what is stored behind the store's back. */
static inline void harm(struct world *w, const char *statements)
{
	char path[300];
	sqlite3 *db = NULL;

	world_close(w);
	(void)snprintf(path, sizeof(path), "%s/primd.db", w->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, statements, NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	world_open(w);
}

#endif
