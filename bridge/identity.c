/* SPDX-License-Identifier: ISC */
/* The links: read at start, and looked up. */

#include "bridge/identity_private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "prim/base.h"

#define HOUR_MS 3600000

/* ---- life ---- */

static void load_link(void *arg, const struct br_store_link *link)
{
	br_identity_put(arg, link, false);
}

static void load_order(void *arg, struct prim_slice principal,
    struct prim_slice order)
{
	br_identity_order_keep(arg, principal, order);
}

struct br_identities *
br_identities_new(const struct br_identities_context *context,
    struct br_err *err)
{
	struct br_identities *all = prim_new(struct br_identities);
	const struct br_store_links each = {
		.link = load_link,
		.order = load_order,
		.arg = all,
	};
	uint8_t secret[32];

	all->c = *context;
	br_log_init(&all->log, NULL, "identities");
	TAILQ_INIT(&all->asked);
	TAILQ_INIT(&all->phantoms);
	STAILQ_INIT(&all->changes);
	br_tally_init(&all->askers, HOUR_MS);
	br_tally_init(&all->told, HOUR_MS);
	while (getrandom(&all->seed, sizeof(all->seed), 0) != sizeof(all->seed))
		continue;
	br_store_secret(context->store, secret);
	br_identity_code_keys(all, secret);
	explicit_bzero(secret, sizeof(secret));
	if (!br_store_links_each(context->store, &each, err))
		return br_identities_free(all);
	br_identities_expire(all);
	return all;
}

struct br_identities *br_identities_free(struct br_identities *all)
{
	if (!all)
		return NULL;
	br_identity_changes_free(all);
	br_identity_drop_all(all);
	prim_table_fini(&all->owners);
	prim_table_fini(&all->addresses);
	br_tally_fini(&all->askers);
	br_tally_fini(&all->told);
	explicit_bzero(all->code_keys, sizeof(all->code_keys));
	prim_buf_fini(&all->why);
	return prim_free(all);
}

/* ---- looking up ---- */

const struct br_identity *br_identity_of(const struct br_identities *all,
    struct prim_slice address)
{
	const struct br_identity_entry *e = br_identity_first(all, address);

	while (e && !e->row.verified_ms)
		e = br_identity_next(e);
	return e ? &e->shown : NULL;
}

/* As its owner wants it. */
static void order_walk(const struct br_identities *all,
    const struct br_identity_owner *o,
    bool (*each)(void *arg, const struct br_identity *link), void *arg)
{
	struct prim_slice rest = prim_slice_make(o->order, o->order_len);
	bool more = true;

	while (more && rest.len) {
		struct prim_slice word = prim_slice_cut(&rest, '\n');
		const struct br_identity_entry *e;

		if (prim_slice_eq(word, PRIM_SLICE("prim"))) {
			more = each(arg, NULL);
			continue;
		}
		e = br_identity_find(all, prim_slice_make(o->key, o->key_len),
		    word);
		if (e && e->row.verified_ms)
			more = each(arg, &e->shown);
	}
}

void br_identities_order(const struct br_identities *all,
    struct prim_slice principal,
    bool (*each)(void *arg, const struct br_identity *link), void *arg)
{
	const struct br_identity_owner *o = br_identity_owner_find(all,
	    principal);
	const struct br_identity_entry *e;

	if (o && o->order) {
		order_walk(all, o, each, arg);
		return;
	}
	if (!each(arg, NULL) || !o)
		return;
	TAILQ_FOREACH(e, &o->links, of_owner)
		if (!e->row.verified_ms || !each(arg, &e->shown))
			return;
}

/* For a list in the order of names. */
struct picture {
	const struct br_identities *all;
	const struct br_identity **links;
	size_t count;
};

static void pick_owner(struct picture *p, const struct br_identity_owner *o)
{
	const struct br_identity_entry *e;

	TAILQ_FOREACH(e, &o->links, of_owner)
		if (!e->is_phantom && !br_identity_is_expired(p->all, e))
			p->links[p->count++] = &e->shown;
}

static void pick_node(struct prim_table_node *n, void *arg)
{
	pick_owner(arg, PRIM_CONTAINER(n, struct br_identity_owner, by_key));
}

static int compare_slices(struct prim_slice a, struct prim_slice b)
{
	int sign = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);

	return sign ? sign : (a.len > b.len) - (a.len < b.len);
}

static int compare(const void *a, const void *b)
{
	const struct br_identity *x = *(const struct br_identity *const *)a;
	const struct br_identity *y = *(const struct br_identity *const *)b;
	int sign = compare_slices(x->principal, y->principal);

	return sign ? sign : compare_slices(x->address, y->address);
}

void br_identities_each(const struct br_identities *all,
    struct prim_slice principal,
    void (*each)(void *arg, const struct br_identity *link), void *arg)
{
	const struct br_identity_owner *o = principal.len
	    ? br_identity_owner_find(all, principal)
	    : NULL;
	struct picture p = { .all = all };
	/* Walking with prim_table_each() changes nothing. */
	struct prim_table owners = all->owners;

	p.links = prim_alloc(((o ? o->count : all->addresses.count) + 1) *
	    sizeof(*p.links));
	if (o)
		pick_owner(&p, o);
	else if (!principal.len)
		prim_table_each(&owners, pick_node, &p);
	if (p.count)
		qsort(p.links, p.count, sizeof(struct br_identity *), compare);
	for (size_t i = 0; i < p.count; i++)
		each(arg, p.links[i]);
	prim_free(p.links);
}
