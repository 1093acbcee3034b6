/* SPDX-License-Identifier: ISC */
/* What our principals watch elsewhere: asked of the adapter, renewed for them,
 * and told to all their connections (PRIM-272..276). */

#include "bridge/presence_remote.h"

#include <assert.h>
#include <string.h>
#include <sys/random.h>

#include "bridge/log.h"
#include "prim/base.h"

#define POSTPONE_MS 1000
#define SLACK_MS    1000 /* so much sooner may an adapter's lease end */

struct prim_slice br_remote_key(const struct br_remote *r)
{
	return prim_slice_make(r->text, r->key_len);
}

struct prim_slice br_remote_address(const struct br_remote *r)
{
	return prim_slice_make(r->text + r->key_len, r->address_len);
}

static struct prim_slice id_of(const struct br_remote *r)
{
	return prim_slice_of(r->id);
}

/* ---- tables ---- */

static uint64_t hash_names(const struct br_presence *p,
    struct prim_slice watcher, struct prim_slice presentity)
{
	return prim_hash(&p->server->seed, watcher) * 31 +
	    prim_hash(&p->server->seed, presentity);
}

struct br_remote *br_remote_find(struct br_presence *p,
    struct prim_slice watcher, struct prim_slice presentity)
{
	struct prim_table_node *n = prim_table_first(&p->remotes,
	    hash_names(p, watcher, presentity));

	for (; n; n = prim_table_next(n)) {
		struct br_remote *r = PRIM_CONTAINER(n, struct br_remote,
		    by_names);

		if (prim_slice_eq(br_entity_key(r->watcher), watcher) &&
		    prim_slice_eq(br_remote_key(r), presentity))
			return r;
	}
	return NULL;
}

struct br_remote *br_remote_find_id(struct br_presence *p, struct prim_slice id)
{
	struct prim_table_node *n = prim_table_first(&p->remote_ids,
	    prim_hash(&p->server->seed, id));

	for (; n; n = prim_table_next(n)) {
		struct br_remote *r = PRIM_CONTAINER(n, struct br_remote,
		    by_id);

		if (prim_slice_eq(id_of(r), id))
			return r;
	}
	return NULL;
}

/* ---- what is seen ---- */

static struct prim_document *compose(struct prim_source *s, enum prim_form form)
{
	struct br_remote *r = PRIM_CONTAINER(s, struct br_remote, source);
	const struct prim_document_parts nothing = { .type = PRIM_SLICE_NONE };

	(void)form; /* relayed as it came (CPIM-099) */
	return r->known ? prim_document_ref(r->known)
			: prim_document_new(&nothing);
}

static const struct prim_source_ops SOURCE_OPS = { .compose = compose };

bool br_remote_is(const struct prim_subscription *s)
{
	return s->source->ops == &SOURCE_OPS;
}

struct prim_slice br_remote_presentity(const struct prim_subscription *s)
{
	return br_remote_address(PRIM_CONTAINER(s, const struct br_remote,
	    sub));
}

/* ---- life ---- */

static void make_id(struct br_remote *r)
{
	uint8_t octets[BR_REMOTE_ID_OCTETS];
	struct prim_buf text = { 0 };

	while (getrandom(octets, sizeof(octets), 0) != sizeof(octets))
		continue;
	prim_buf_put_hex(&text, octets, sizeof(octets));
	memcpy(r->id, text.ptr, text.len);
	prim_buf_fini(&text);
}

struct br_remote *br_remote_new(const struct br_remote_making *m)
{
	struct br_presence *p = m->host->presence;
	struct br_remote *r = prim_alloc(sizeof(*r) + m->presentity.len +
	    m->address.len);

	r->host = m->host;
	r->watcher = m->watcher;
	r->is_fetch = m->is_fetch;
	r->key_len = m->presentity.len;
	r->address_len = m->address.len;
	memcpy(r->text, m->presentity.ptr, m->presentity.len);
	memcpy(r->text + r->key_len, m->address.ptr, m->address.len);
	if (m->id.len == 2 * BR_REMOTE_ID_OCTETS)
		memcpy(r->id, m->id.ptr, m->id.len);
	else
		make_id(r);
	br_remote_init_asking(r);
	TAILQ_INIT(&r->waitings);
	prim_source_init(&r->source, &SOURCE_OPS, &p->fan);
	TAILQ_INSERT_TAIL(&m->host->remotes, r, of_host);
	prim_table_put(&p->remote_ids, &r->by_id,
	    prim_hash(&p->server->seed, id_of(r)));
	if (!m->is_fetch)
		prim_table_put(&p->remotes, &r->by_names,
		    hash_names(p, br_entity_key(r->watcher), br_remote_key(r)));
	return r;
}

void br_remote_free(struct br_remote *r)
{
	struct br_presence *p = r->host->presence;

	assert(TAILQ_EMPTY(&r->waitings));
	br_remote_stop_asking(r);
	if (r->is_started)
		prim_subscription_end(&r->sub);
	prim_source_fini(&r->source);
	TAILQ_REMOVE(&r->host->remotes, r, of_host);
	prim_table_drop(&p->remote_ids, &r->by_id);
	if (!r->is_fetch)
		prim_table_drop(&p->remotes, &r->by_names);
	prim_document_unref(r->known);
	br_entity_unpin(p->server->entities, r->watcher);
	prim_free(r);
}

void br_remote_free_all(struct br_presence *p)
{
	struct br_remote *r;

	for (unsigned i = 0; i < p->server->config->adapter_count; i++) {
		while ((r = TAILQ_FIRST(&p->hosts[i].remotes)))
			br_remote_free(r);
	}
}

/* ---- the store ---- */

void br_remote_row(const struct br_remote *r, struct br_store_subscription *row)
{
	*row = (struct br_store_subscription){
		.watcher = br_entity_key(r->watcher),
		.presentity = br_remote_key(r),
		.watcher_address = br_entity_uri(r->watcher),
		.presentity_address = br_remote_address(r),
		.id = id_of(r),
		.is_outgoing = true,
	};
}

void br_remote_forget(struct br_remote *r, br_store_done_fn done, void *arg)
{
	struct br_store_subscription row;

	br_remote_row(r, &row);
	br_store_subscription_drop(br_remote_server(r)->store, &row, done, arg);
}

/* ---- watching ---- */

static void on_expiry(struct prim_timer *t)
{
	struct prim_subscription *sub = PRIM_CONTAINER(t,
	    struct prim_subscription, timer);
	struct br_remote *r = PRIM_CONTAINER(sub, struct br_remote, sub);

	if (TAILQ_EMPTY(&r->waitings))
		br_remote_end_of(sub, true);
	else
		/* It may be just being renewed. */
		prim_subscription_renew(sub,
		    br_server_now(br_remote_server(r)) + POSTPONE_MS);
}

void br_remote_start(struct br_remote *r, int64_t expires_ms)
{
	if (r->is_started)
		prim_subscription_renew(&r->sub, expires_ms);
	else
		prim_subscription_start(&r->sub, &r->source,
		    &r->watcher->watcher, expires_ms, on_expiry);
	r->is_started = true;
	r->is_stored = true;
	prim_subscription_saw(&r->sub);
	/* Unless it is to be renewed anyway. */
	if (r->is_granted && expires_ms > r->covered_ms + SLACK_MS &&
	    !prim_timer_is_set(&r->renewal))
		br_remote_want(r);
}

void br_remote_end_of(struct prim_subscription *sub, bool lasting)
{
	struct br_remote *r = PRIM_CONTAINER(sub, struct br_remote, sub);

	if (lasting)
		br_remote_forget(r, NULL, NULL);
	br_remote_refuse_all(r, PRIM_INTERNAL_ERROR);
	br_remote_leave(r);
}

void br_remote_end_all(struct br_presence *p, const struct br_entity *watcher)
{
	struct br_remote *r, *next;

	for (unsigned i = 0; i < p->server->config->adapter_count; i++) {
		for (r = TAILQ_FIRST(&p->hosts[i].remotes); r; r = next) {
			next = TAILQ_NEXT(r, of_host);
			if (r->watcher == watcher && !r->is_fetch)
				br_remote_end_of(&r->sub, true);
		}
	}
}

void br_remote_cancelled(struct br_remote *r)
{
	char *address = prim_slice_copy(br_remote_address(r));
	struct br_server *s = br_remote_server(r);
	struct br_entity *watcher = r->watcher;
	bool is_told = r->is_started;

	br_entity_pin(s->entities, watcher);
	if (r->is_stored)
		br_remote_forget(r, NULL, NULL);
	br_remote_free(r);
	if (is_told)
		br_conn_cancel_all(&watcher->watcher,
		    prim_slice_of(address)); /* PRIM-275 */
	br_entity_unpin(s->entities, watcher);
	prim_free(address);
}

void br_remote_rename(struct br_remote *r)
{
	struct br_presence *p = r->host->presence;
	struct br_store_subscription row;
	int64_t end_ms = br_remote_stored_ms(r);

	if (r->is_stored)
		br_remote_forget(r, NULL, NULL);
	prim_table_drop(&p->remote_ids, &r->by_id);
	make_id(r);
	prim_table_put(&p->remote_ids, &r->by_id,
	    prim_hash(&p->server->seed, id_of(r)));
	if (end_ms == 0)
		return;
	br_remote_row(r, &row);
	row.expires_ms = end_ms;
	br_store_subscription_put(p->server->store, &row, NULL, NULL);
}

/* ---- out of the store ---- */

bool br_remote_restore(struct br_presence *p,
    const struct br_store_subscription *row)
{
	struct br_server *s = p->server;
	const struct br_route *route = br_router_find(s->router,
	    br_key_domain(row->presentity));
	struct br_remote_making m;
	struct br_remote *r;

	if (row->expires_ms <= br_server_now(s)) {
		br_store_subscription_drop(s->store, row, NULL, NULL);
		return true;
	}
	if (!route || route->kind != BR_ROUTE_ADAPTER)
		return false;
	m = (struct br_remote_making){
		.host = &p->hosts[route->adapter],
		.watcher = br_entity_hold(s->entities, row->watcher),
		.presentity = row->presentity,
		.address = row->presentity_address,
		.id = row->id,
	};
	r = br_remote_new(&m);
	r->is_granted = true;
	br_remote_start(r, br_presence_end(s, 0, row->expires_ms));
	br_remote_want(r);
	return true;
}
