/* SPDX-License-Identifier: ISC */
/* Fair shares: what of a destination goes to one domain. */

#include "bridge/outbox_private.h"

#include <string.h>

#include "bridge/server.h"
#include "prim/base.h"
#include "prim/seed.h"

static uint64_t hash_of(const struct br_dest *dest, struct prim_slice domain)
{
	return prim_hash(&dest->outbox->server->seed, domain);
}

static struct br_site *site_new(struct br_dest *dest, struct prim_slice domain)
{
	struct br_site *site = prim_alloc(sizeof(*site) + domain.len + 1);

	site->dest = dest;
	TAILQ_INIT(&site->ready);
	TAILQ_INIT(&site->holding);
	site->len = domain.len;
	if (domain.len)
		memcpy(site->domain, domain.ptr, domain.len);
	prim_table_put(&dest->sites, &site->node, hash_of(dest, domain));
	return site;
}

struct br_site *br_dest_site(struct br_dest *dest, struct prim_slice domain)
{
	struct prim_slice name = dest->host ? domain : PRIM_SLICE_NONE;
	struct prim_table_node *n = prim_table_first(&dest->sites,
	    hash_of(dest, name));

	for (; n; n = prim_table_next(n)) {
		struct br_site *site = PRIM_CONTAINER(n, struct br_site, node);

		if (prim_slice_eq(prim_slice_make(site->domain, site->len),
			name))
			return site;
	}
	return site_new(dest, name);
}

void br_site_release(struct br_site *site)
{
	if (site->lane_count > 0 || site->untaken > 0 ||
	    !TAILQ_EMPTY(&site->holding))
		return;
	prim_table_drop(&site->dest->sites, &site->node);
	prim_free(site);
}

bool br_site_has_room(const struct br_site *site)
{
	return !site->dest->host || site->untaken < BR_SITE_WINDOW ||
	    PRIM_SEED(no_fair_share);
}

static void update_ready(struct br_site *site)
{
	struct br_dest *dest = site->dest;
	bool ready = !TAILQ_EMPTY(&site->ready) && br_site_has_room(site) &&
	    TAILQ_EMPTY(&site->holding);

	if (ready == site->is_ready)
		return;
	site->is_ready = ready;
	if (ready)
		TAILQ_INSERT_TAIL(&dest->ready, site, of_ready);
	else
		TAILQ_REMOVE(&dest->ready, site, of_ready);
}

static void update_holding(struct br_site *site)
{
	struct br_dest *dest = site->dest;
	bool holding = !TAILQ_EMPTY(&site->holding) && br_site_has_room(site);

	if (holding == site->is_holding)
		return;
	site->is_holding = holding;
	if (holding)
		TAILQ_INSERT_TAIL(&dest->holding, site, of_holding);
	else
		TAILQ_REMOVE(&dest->holding, site, of_holding);
}

/* Whatever made room may have had no thought of who waits for it. */
void br_site_update(struct br_site *site)
{
	update_ready(site);
	update_holding(site);
	if (site->dest->host && (site->is_ready || site->is_holding))
		br_dest_soon(site->dest);
}

void br_site_rotate(struct br_site *site)
{
	struct br_dest *dest = site->dest;

	if (site->is_ready) {
		TAILQ_REMOVE(&dest->ready, site, of_ready);
		TAILQ_INSERT_TAIL(&dest->ready, site, of_ready);
	}
	if (site->is_holding) {
		TAILQ_REMOVE(&dest->holding, site, of_holding);
		TAILQ_INSERT_TAIL(&dest->holding, site, of_holding);
	}
}

static void free_visited(struct prim_table_node *n, void *arg)
{
	prim_table_drop(arg, n);
	prim_free(PRIM_CONTAINER(n, struct br_site, node));
}

void br_dest_free_sites(struct br_dest *dest)
{
	prim_table_each(&dest->sites, free_visited, &dest->sites);
	prim_table_fini(&dest->sites);
}
