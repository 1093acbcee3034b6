/* SPDX-License-Identifier: ISC */
/* The links in memory: found by address and by principal. */

#include "bridge/identity_private.h"

#include <string.h>

#include "prim/base.h"
#include "prim/seed.h"

/* ---- owners ---- */

struct br_identity_owner *
br_identity_owner_find(const struct br_identities *all,
    struct prim_slice principal)
{
	struct prim_table_node *n = prim_table_first(&all->owners,
	    prim_hash(&all->seed, principal));

	for (; n; n = prim_table_next(n)) {
		struct br_identity_owner *o = PRIM_CONTAINER(n,
		    struct br_identity_owner, by_key);

		if (prim_slice_eq(prim_slice_make(o->key, o->key_len),
			principal))
			return o;
	}
	return NULL;
}

static struct br_identity_owner *owner_get(struct br_identities *all,
    struct prim_slice principal)
{
	struct br_identity_owner *o = br_identity_owner_find(all, principal);

	if (o)
		return o;
	o = prim_alloc(sizeof(*o) + principal.len);
	TAILQ_INIT(&o->links);
	memcpy(o->key, principal.ptr, principal.len);
	o->key_len = principal.len;
	prim_table_put(&all->owners, &o->by_key,
	    prim_hash(&all->seed, principal));
	return o;
}

/* Who has neither link nor order is not remembered. */
static void owner_let_go(struct br_identities *all, struct br_identity_owner *o)
{
	if (!TAILQ_EMPTY(&o->links) || o->order)
		return;
	prim_table_drop(&all->owners, &o->by_key);
	prim_free(o);
}

void br_identity_order_keep(struct br_identities *all,
    struct prim_slice principal, struct prim_slice order)
{
	struct br_identity_owner *o = owner_get(all, principal);

	prim_free(o->order);
	o->order = order.len ? prim_slice_copy(order) : NULL;
	o->order_len = order.len;
	owner_let_go(all, o);
}

void br_identity_order_cut(struct br_identities *all,
    struct prim_slice principal, struct prim_slice address)
{
	const struct br_identity_owner *o = br_identity_owner_find(all,
	    principal);
	struct prim_buf left = { 0 };

	if (!o || !o->order)
		return;
	br_store_order_without(&left, prim_slice_make(o->order, o->order_len),
	    address);
	br_identity_order_keep(all, principal, prim_buf_slice(&left));
	prim_buf_fini(&left);
}

/* ---- entries ---- */

struct br_identity_entry *br_identity_first(const struct br_identities *all,
    struct prim_slice address)
{
	struct prim_table_node *n = prim_table_first(&all->addresses,
	    prim_hash(&all->seed, address));

	for (; n; n = prim_table_next(n)) {
		struct br_identity_entry *e = PRIM_CONTAINER(n,
		    struct br_identity_entry, by_address);

		if (prim_slice_eq(e->row.address, address))
			return e;
	}
	return NULL;
}

struct br_identity_entry *br_identity_next(const struct br_identity_entry *e)
{
	struct prim_table_node *n = prim_table_next(&e->by_address);

	for (; n; n = prim_table_next(n)) {
		struct br_identity_entry *next = PRIM_CONTAINER(n,
		    struct br_identity_entry, by_address);

		if (prim_slice_eq(next->row.address, e->row.address))
			return next;
	}
	return NULL;
}

struct br_identity_entry *br_identity_find(const struct br_identities *all,
    struct prim_slice principal, struct prim_slice address)
{
	struct br_identity_entry *e = br_identity_first(all, address);

	while (e && !prim_slice_eq(e->row.principal, principal))
		e = br_identity_next(e);
	return e;
}

static struct br_identity_entry *entry_new(const struct br_store_link *row)
{
	struct br_identity_entry *e = prim_alloc(sizeof(*e) +
	    row->principal.len + row->address.len + row->network.len +
	    row->how.len);
	char *room = e->octets;

	e->row = *row;
	e->row.principal = prim_slice_keep(&room, row->principal);
	e->row.address = prim_slice_keep(&room, row->address);
	e->row.network = prim_slice_keep(&room, row->network);
	e->row.how = prim_slice_keep(&room, row->how);
	e->shown = (struct br_identity){
		.principal = e->row.principal,
		.network = e->row.network,
		.address = e->row.address,
		.made_ms = row->made_ms,
		.verified_ms = row->verified_ms,
		.how = e->row.how,
	};
	return e;
}

/* The verified ones as they were verified, the others behind them. */
static void owner_insert(struct br_identity_owner *o,
    struct br_identity_entry *e)
{
	struct br_identity_entry *before = TAILQ_LAST(&o->links,
	    br_identity_list);

	while (before && e->row.verified_ms &&
	    (!before->row.verified_ms ||
		before->row.verified_ms > e->row.verified_ms))
		before = TAILQ_PREV(before, br_identity_list, of_owner);
	if (before)
		TAILQ_INSERT_AFTER(&o->links, before, e, of_owner);
	else
		TAILQ_INSERT_HEAD(&o->links, e, of_owner);
}

static void asked_insert(struct br_identity_list *list,
    struct br_identity_entry *e)
{
	struct br_identity_entry *before = TAILQ_LAST(list, br_identity_list);

	while (before && before->row.code_expires_ms > e->row.code_expires_ms)
		before = TAILQ_PREV(before, br_identity_list, of_asked);
	if (before)
		TAILQ_INSERT_AFTER(list, before, e, of_asked);
	else
		TAILQ_INSERT_HEAD(list, e, of_asked);
}

static struct br_identity_list *asked_of(struct br_identities *all,
    const struct br_identity_entry *e)
{
	return e->is_phantom ? &all->phantoms : &all->asked;
}

static void entry_unlink(struct br_identities *all, struct br_identity_entry *e)
{
	TAILQ_REMOVE(&e->owner->links, e, of_owner);
	if (e->is_phantom)
		all->phantom_count--;
	else
		e->owner->count--;
	prim_table_drop(&all->addresses, &e->by_address);
	if (!e->row.verified_ms)
		TAILQ_REMOVE(asked_of(all, e), e, of_asked);
}

struct br_identity_entry *br_identity_put(struct br_identities *all,
    const struct br_store_link *row, bool is_phantom)
{
	struct br_identity_owner *o = owner_get(all, row->principal);
	struct br_identity_entry *old = br_identity_find(all, row->principal,
	    row->address);
	struct br_identity_entry *e = entry_new(row);

	if (old)
		entry_unlink(all, old);
	prim_free(old);
	e->owner = o;
	e->is_phantom = is_phantom;
	owner_insert(o, e);
	if (is_phantom)
		all->phantom_count++;
	else
		o->count++;
	prim_table_put(&all->addresses, &e->by_address,
	    prim_hash(&all->seed, row->address));
	if (!row->verified_ms)
		asked_insert(asked_of(all, e), e);
	return e;
}

void br_identity_drop(struct br_identities *all, struct br_identity_entry *e)
{
	struct br_identity_owner *o = e->owner;

	entry_unlink(all, e);
	prim_free(e);
	owner_let_go(all, o);
}

bool br_identity_is_expired(const struct br_identities *all,
    const struct br_identity_entry *e)
{
	return !e->row.verified_ms && !PRIM_SEED(code_for_ever) &&
	    e->row.code_expires_ms <= br_identities_now(all);
}

/* What the store does not drop now it drops after the next start. */
void br_identities_expire(struct br_identities *all)
{
	struct br_identity_entry *e;

	while ((e = TAILQ_FIRST(&all->asked)) &&
	    br_identity_is_expired(all, e)) {
		br_store_link_drop(all->c.store, e->row.principal,
		    e->row.address, NULL, NULL);
		br_identity_drop(all, e);
	}
	while ((e = TAILQ_FIRST(&all->phantoms)) &&
	    (br_identity_is_expired(all, e) ||
		all->phantom_count > BR_IDENTITY_PHANTOMS))
		br_identity_drop(all, e);
}

static void free_owner(struct prim_table_node *n, void *arg)
{
	struct br_identities *all = arg;
	struct br_identity_owner *o = PRIM_CONTAINER(n,
	    struct br_identity_owner, by_key);
	struct br_identity_entry *e;

	while ((e = TAILQ_FIRST(&o->links))) {
		entry_unlink(all, e);
		prim_free(e);
	}
	prim_table_drop(&all->owners, n);
	prim_free(o->order);
	prim_free(o);
}

void br_identity_drop_all(struct br_identities *all)
{
	prim_table_each(&all->owners, free_owner, all);
}
