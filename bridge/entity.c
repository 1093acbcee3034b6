/* SPDX-License-Identifier: ISC */
/* Principals of ours that are in memory. */

#include "bridge/entity.h"

#include <assert.h>
#include <string.h>
#include <sys/random.h>

#include "prim/base.h"
#include "prim/hash.h"

struct br_entity_wait {
	TAILQ_ENTRY(br_entity_wait) link;
	br_entity_fn fn;
	void *arg;
};

/* What a look-up knows when it comes back. */
struct load {
	LIST_ENTRY(load) link;
	struct br_entities *all;
	struct br_entity *e; /* pinned */
};

#define URI_SCHEME PRIM_SLICE("pres:")

struct br_entities {
	struct br_entities_context context;
	struct prim_hash_key seed;
	struct prim_table table;      /* owned entities */
	TAILQ_HEAD(, br_entity) idle; /* least recently used first */
	size_t idle_count;
	LIST_HEAD(, load) loads; /* owned: look-ups under way */
};

struct br_entities *br_entities_new(const struct br_entities_context *context)
{
	struct br_entities *all = prim_new(struct br_entities);

	all->context = *context;
	TAILQ_INIT(&all->idle);
	while (getrandom(&all->seed, sizeof(all->seed), 0) != sizeof(all->seed))
		continue;
	return all;
}

struct prim_slice br_entity_key(const struct br_entity *e)
{
	return prim_slice_make(e->uri + URI_SCHEME.len, e->key_len);
}

struct prim_slice br_entity_uri(const struct br_entity *e)
{
	return prim_slice_make(e->uri, URI_SCHEME.len + e->key_len);
}

static void leave_idle(struct br_entities *all, struct br_entity *e)
{
	if (!e->is_idle)
		return;
	TAILQ_REMOVE(&all->idle, e, idle);
	all->idle_count--;
	e->is_idle = false;
}

static void entity_free(struct br_entities *all, struct br_entity *e)
{
	assert(e->pins == 0 && TAILQ_EMPTY(&e->waits));
	leave_idle(all, e);
	if (!e->was_removed)
		prim_table_drop(&all->table, &e->node);
	prim_inbox_fini(&e->inbox);
	prim_presentity_fini(&e->presentity);
	prim_watcher_fini(&e->watcher);
	prim_free(e);
}

static void enter_idle(struct br_entities *all, struct br_entity *e)
{
	if (e->was_removed) {
		entity_free(all, e);
		return;
	}
	TAILQ_INSERT_TAIL(&all->idle, e, idle);
	e->is_idle = true;
	if (++all->idle_count > BR_ENTITY_IDLE_MAX)
		entity_free(all, TAILQ_FIRST(&all->idle));
}

void br_entity_pin(struct br_entities *all, struct br_entity *e)
{
	leave_idle(all, e);
	e->pins++;
}

void br_entity_unpin(struct br_entities *all, struct br_entity *e)
{
	assert(e->pins > 0);
	if (--e->pins == 0)
		enter_idle(all, e);
}

static void visit_free(struct prim_table_node *n, void *arg)
{
	entity_free(arg, PRIM_CONTAINER(n, struct br_entity, node));
}

struct br_entities *br_entities_free(struct br_entities *all)
{
	if (!all)
		return NULL;
	prim_table_each(&all->table, visit_free, all);
	prim_table_fini(&all->table);
	return prim_free(all);
}

static struct br_entity *find(struct br_entities *all, struct prim_slice key)
{
	struct prim_table_node *n = prim_table_first(&all->table,
	    prim_hash(&all->seed, key));

	for (; n; n = prim_table_next(n)) {
		struct br_entity *e = PRIM_CONTAINER(n, struct br_entity, node);

		if (prim_slice_eq(br_entity_key(e), key))
			return e;
	}
	return NULL;
}

struct br_entity *br_entity_find(struct br_entities *all, struct prim_slice key)
{
	struct br_entity *e = find(all, key);

	return e && e->state == BR_ENTITY_PRESENT ? e : NULL;
}

static void tell(struct br_entities *all, struct br_entity *e, br_entity_fn fn,
    void *arg)
{
	switch (e->state) {
	case BR_ENTITY_PRESENT:
		br_entity_pin(all, e);
		fn(arg, BR_ENTITY_IS_PRESENT, e);
		return;
	case BR_ENTITY_ABSENT:
		fn(arg, BR_ENTITY_IS_ABSENT, NULL);
		return;
	case BR_ENTITY_LOADING:
		fn(arg, BR_ENTITY_UNKNOWN, NULL);
		return;
	}
}

static void tell_waits(struct br_entities *all, struct br_entity *e)
{
	struct br_entity_wait *w;

	while ((w = TAILQ_FIRST(&e->waits))) {
		br_entity_fn fn = w->fn;
		void *arg = w->arg;

		TAILQ_REMOVE(&e->waits, w, link);
		e->wait_count--;
		prim_free(w);
		tell(all, e, fn, arg);
	}
}

/* The next one asks again. Who listens or watches stays with this one, and so it
 * keeps its name: two of one name would not meet. */
static void load_failed(struct br_entities *all, struct br_entity *e)
{
	bool is_alone = e->pins == 1; /* the look-up's */

	if (prim_inbox_is_open(&e->inbox) || e->has_presence) {
		e->state = BR_ENTITY_PRESENT;
	} else if (is_alone && !e->was_removed) {
		prim_table_drop(&all->table, &e->node);
		e->was_removed = true;
	}
}

static void load_start(struct br_entities *all, struct br_entity *e);

static int64_t now(const struct br_entities *all)
{
	return *all->context.now_ms;
}

static void settle(struct br_entities *all, struct br_entity *e,
    const struct br_store_principal *p)
{
	e->known_ms = now(all);
	if (p->account) {
		e->state = BR_ENTITY_PRESENT;
		all->context.ops->loaded(all->context.ctx, e, p);
	} else {
		e->state = BR_ENTITY_ABSENT;
		all->context.ops->absent(all->context.ctx, e);
	}
}

static void on_principal(void *arg, const struct br_store_principal *p,
    bool failed)
{
	struct load *load = arg;
	struct br_entities *all = load->all;
	struct br_entity *e = load->e;

	LIST_REMOVE(load, link);
	prim_free(load);
	e->is_loading = false;
	if (e->is_outdated && !failed) {
		load_start(all, e);
	} else {
		if (!failed)
			settle(all, e, p);
		tell_waits(all, e);
		if (failed)
			load_failed(all, e);
	}
	br_entity_unpin(all, e);
}

static void load_start(struct br_entities *all, struct br_entity *e)
{
	struct load *load = prim_new(struct load);

	load->all = all;
	load->e = e;
	e->is_loading = true;
	e->is_outdated = false;
	LIST_INSERT_HEAD(&all->loads, load, link);
	br_entity_pin(all, e);
	br_store_principal_find(all->context.store, br_entity_key(e),
	    on_principal, load);
}

void br_entities_cancel(struct br_entities *all)
{
	struct load *load;

	while ((load = LIST_FIRST(&all->loads)))
		on_principal(load, NULL, true);
}

static struct br_entity *entity_new(struct br_entities *all,
    struct prim_slice key)
{
	struct br_entity *e = prim_alloc(sizeof(*e) + URI_SCHEME.len + key.len +
	    1);

	memcpy(e->uri, URI_SCHEME.ptr, URI_SCHEME.len);
	memcpy(e->uri + URI_SCHEME.len, key.ptr, key.len);
	e->key_len = key.len;
	e->state = BR_ENTITY_LOADING;
	TAILQ_INIT(&e->waits);
	prim_inbox_init(&e->inbox);
	prim_presentity_init(&e->presentity, all->context.presentity_ops,
	    all->context.fan, br_entity_uri(e));
	prim_watcher_init(&e->watcher);
	STAILQ_INIT(&e->turns);
	prim_table_put(&all->table, &e->node, prim_hash(&all->seed, key));
	return e;
}

static bool is_stale(const struct br_entities *all, const struct br_entity *e)
{
	return e->state == BR_ENTITY_ABSENT &&
	    now(all) - e->known_ms > BR_ENTITY_ABSENT_MS;
}

static void wait_for(struct br_entity *e, br_entity_fn fn, void *arg)
{
	struct br_entity_wait *w;

	if (e->wait_count >= BR_ENTITY_WAITS_MAX) {
		fn(arg, BR_ENTITY_UNKNOWN, NULL);
		return;
	}
	w = prim_new(struct br_entity_wait);
	w->fn = fn;
	w->arg = arg;
	TAILQ_INSERT_TAIL(&e->waits, w, link);
	e->wait_count++;
}

static struct br_entity *find_or_load(struct br_entities *all,
    struct prim_slice key)
{
	struct br_entity *e = find(all, key);

	if (e && is_stale(all, e) && e->pins == 0) {
		entity_free(all, e);
		e = NULL;
	}
	if (!e)
		e = entity_new(all, key);
	if (e->state == BR_ENTITY_LOADING && !e->is_loading)
		load_start(all, e);
	return e;
}

struct br_entity *br_entity_hold(struct br_entities *all, struct prim_slice key)
{
	struct br_entity *e = find_or_load(all, key);

	br_entity_pin(all, e);
	return e;
}

void br_entity_with(struct br_entities *all, struct prim_slice key,
    br_entity_fn fn, void *arg)
{
	struct br_entity *e = find_or_load(all, key);

	if (e->state == BR_ENTITY_LOADING || !TAILQ_EMPTY(&e->waits))
		wait_for(e, fn, arg);
	else
		tell(all, e, fn, arg);
}

void br_entity_forget(struct br_entities *all, struct prim_slice key)
{
	struct br_entity *e = find(all, key);

	if (!e)
		return;
	if (e->pins == 0) {
		entity_free(all, e);
	} else if (e->is_loading) {
		e->is_outdated = true; /* what comes may be from before */
	} else {
		e->state = BR_ENTITY_LOADING;
		load_start(all, e);
	}
}
