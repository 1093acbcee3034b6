/* SPDX-License-Identifier: ISC */
/* May it? What can be said of a request before anything is looked up. */

#include "bridge/presence_private.h"

#include "bridge/dispatch.h"
#include "prim/base.h"
#include "prim/octet.h"

#define DURATION_DIGITS_MAX 40

static bool is_stranger(struct prim_slice watcher, struct prim_slice presentity)
{
	return !prim_slice_eq(br_key_domain(watcher),
	    br_key_domain(presentity));
}

bool br_presence_allows(const struct br_server *s, struct prim_slice watcher,
    struct prim_slice presentity, enum br_right right)
{
	unsigned rights = is_stranger(watcher, presentity)
	    ? s->config->acl_everyone
	    : s->config->acl_own_domain;

	return prim_slice_eq(watcher, presentity) || (rights & right) != 0;
}

unsigned br_presence_absent_code(const struct br_server *s,
    struct prim_slice watcher, struct prim_slice presentity,
    enum br_right right)
{
	return s->config->disclosure_hide &&
		!br_presence_allows(s, watcher, presentity, right)
	    ? PRIM_FORBIDDEN
	    : PRIM_NOT_FOUND;
}

/* ---- Duration ---- */

bool br_presence_duration(const struct prim_command *c, int64_t fallback,
    int64_t *out_s)
{
	struct prim_slice text = prim_command_get(c, PRIM_HEADER_DURATION);
	int64_t value = 0;

	*out_s = fallback;
	if (!prim_command_has(c, PRIM_HEADER_DURATION))
		return true;
	if (text.len == 0 || text.len > DURATION_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
		if (value <= BR_LEASE_MAX_S)
			value = value * 10 + (text.ptr[i] - '0');
	}
	*out_s = value > BR_LEASE_MAX_S ? INT64_MAX : value;
	return true;
}

int64_t br_presence_grant(int64_t asked_s)
{
	return asked_s < BR_LEASE_MAX_S ? asked_s : BR_LEASE_MAX_S;
}

int64_t br_presence_repeated(const struct br_presence_request *r)
{
	bool is_same = r->asked_s == r->granted_s &&
	    prim_command_has(r->c, PRIM_HEADER_DURATION);

	return is_same ? BR_ERRAND_AS_ASKED : r->granted_s;
}

/* ---- syntax ---- */

/* S0 6.3.2: 1*(unreserved / escaped). */
static bool id_ok(struct prim_slice id)
{
	for (size_t i = 0; i < id.len; i++) {
		char c = id.ptr[i];

		if (!prim_octet_is_alnum(c) && c != '-' && c != '_' &&
		    c != '.' && c != '~' && c != '!' && c != '*' && c != '\'' &&
		    c != '(' && c != ')' && c != '%')
			return false;
	}
	return id.len > 0 && id.len <= BR_SUBSCRIPTION_ID_MAX;
}

bool br_presence_name(const struct prim_command *c, enum prim_header_id header,
    struct prim_address *out, struct prim_key *out_key)
{
	if (!prim_address_parse(prim_command_get(c, header), out) ||
	    out->scheme != PRIM_SCHEME_PRES)
		return false; /* PRIM-053 */
	prim_address_key(out, out_key);
	return true;
}

/* Ids are for servers; a client has one subscription a pair (ERR-78). */
static bool details_ok(struct br_presence_request *r)
{
	const struct prim_command *c = r->c;

	r->id = PRIM_SLICE_NONE;
	if (r->peer->kind != BR_PEER_CLIENT) {
		r->id = prim_command_get(c, PRIM_HEADER_SUBSCRIPTION_ID);
		if (!id_ok(r->id))
			return false;
	}
	if (!br_presence_duration(c, 0, &r->asked_s))
		return false;
	r->granted_s = br_presence_grant(r->asked_s);
	return true;
}

/* ---- who, and where ---- */

/* Presence is not relayed between others (PRIM-124). */
static bool is_relayed(const struct br_presence_request *r)
{
	return r->peer->kind != BR_PEER_CLIENT &&
	    r->route->kind != BR_ROUTE_LOCAL;
}

unsigned br_presence_check(struct br_presence_request *r)
{
	if (!br_presence_name(r->c, PRIM_HEADER_FROM, &r->from, &r->watcher) ||
	    !br_presence_name(r->c, PRIM_HEADER_TO, &r->to, &r->presentity) ||
	    !details_ok(r))
		return PRIM_BAD_REQUEST;
	if (!br_dispatch_may_speak(r->server, r->peer, &r->watcher))
		return PRIM_FORBIDDEN; /* ERR-113 */
	r->route = br_router_find(r->server->router,
	    prim_key_domain(&r->presentity));
	if (!r->route || is_relayed(r))
		return PRIM_NOT_FOUND;
	if (r->server->stopping || r->peer->ticket_count >= BR_PARKED_MAX)
		return PRIM_INTERNAL_ERROR; /* PRIM-289 */
	return 0;
}
