/* SPDX-License-Identifier: ISC */
/* Who may be linked to what, and the sentences that say why not. */

#include "bridge/identity_private.h"

#include <stdio.h>

#include "prim/base.h"

#define TEXT_MAX   8192 /* some addresses, and words around them */
#define NESTED_MAX 8    /* addresses inside addresses that are looked into */

/* Names at which no person reads (DESIGN 6). */
static const char *const RESERVED[] = { "postmaster", "primbridge", "echo" };

const char *br_identity_say(struct br_identities *all, const char *format, ...)
{
	va_list args;

	prim_buf_reset(&all->why);
	va_start(args, format);
	(void)vsnprintf(prim_buf_room(&all->why, TEXT_MAX), TEXT_MAX, format,
	    args);
	va_end(args);
	return all->why.ptr;
}

static bool is_reserved(struct prim_slice local)
{
	for (size_t i = 0; i < PRIM_COUNT(RESERVED); i++) {
		if (prim_slice_eq(local, prim_slice_of(RESERVED[i])))
			return true;
	}
	return false;
}

/* Only what is its own key; anything else would be a second name. */
static bool parse(struct prim_slice key, struct prim_key *out_key)
{
	struct prim_address address;

	if (!prim_address_parse_bare(key, &address))
		return false;
	prim_address_key(&address, out_key);
	return prim_slice_eq(prim_key_slice(out_key), key);
}

static const char *no_address(struct br_identities *all)
{
	return br_identity_say(all,
	    "that is no address; one looks like romeo@example.org");
}

const char *br_identity_rule_principal(struct br_identities *all,
    struct prim_slice key)
{
	struct prim_key parsed;

	if (!parse(key, &parsed))
		return no_address(all);
	if (!br_config_serves(all->c.config, prim_key_domain(&parsed)))
		return br_identity_say(all,
		    "%.*s has no account here; the accounts here are those of "
		    "%s",
		    PRIM_SLICE_ARG(key), all->c.config->domains[0]);
	if (is_reserved(prim_key_local(&parsed)))
		return br_identity_say(all,
		    "%.*s belongs to the bridge itself and cannot be linked",
		    PRIM_SLICE_ARG(key));
	return NULL;
}

/* An address of ours in the clothes of another network (alice%40ours@gateway)
 * is one of ours; so is, to be safe, what has too many of them on. */
static bool is_ours(const struct br_identities *all, const struct prim_key *key)
{
	struct prim_key inner = *key;
	struct prim_buf local = { 0 };
	bool is_it = false, is_nested = true;

	for (int depth = 0; is_nested && !is_it && depth < NESTED_MAX;
	     depth++) {
		struct prim_address address;

		is_it = br_config_serves(all->c.config,
		    prim_key_domain(&inner));
		prim_buf_reset(&local);
		is_nested = prim_address_unescape(&local,
				prim_key_local(&inner)) &&
		    prim_address_parse_bare(prim_buf_slice(&local), &address);
		if (is_nested)
			prim_address_key(&address, &inner);
	}
	prim_buf_fini(&local);
	return is_it || is_nested;
}

const char *br_identity_rule_address(struct br_identities *all,
    struct prim_slice key, struct prim_slice *out_network)
{
	const struct br_route *route;
	struct prim_key parsed;

	if (!parse(key, &parsed))
		return no_address(all);
	if (is_ours(all, &parsed))
		return br_identity_say(all,
		    "%.*s is an address of this bridge itself; only an address "
		    "of another network can be linked",
		    PRIM_SLICE_ARG(key));
	if (is_reserved(prim_key_local(&parsed)))
		return br_identity_say(all,
		    "%.*s is not the address of a person and cannot be linked",
		    PRIM_SLICE_ARG(key));
	route = br_router_find(all->c.router, prim_key_domain(&parsed));
	if (!route || route->kind != BR_ROUTE_ADAPTER)
		return br_identity_say(all,
		    "%.*s cannot be linked: no network that this bridge speaks "
		    "to has addresses of that domain",
		    PRIM_SLICE_ARG(key));
	*out_network =
	    prim_slice_of(all->c.config->adapters[route->adapter].name);
	return NULL;
}
