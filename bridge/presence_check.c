/* SPDX-License-Identifier: ISC */
/* May it? What can be said of a request before anything is looked up. */

#include "bridge/presence_private.h"

#include "prim/base.h"
#include "prim/octet.h"

#define DURATION_DIGITS_MAX 40

struct prim_slice br_key_domain(struct prim_slice key)
{
	return prim_slice_from(key,
	    (size_t)(prim_slice_find_last(key, '@') + 1));
}

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

static bool names_ok(struct br_presence_request *r)
{
	const struct prim_command *c = r->c;

	if (!prim_address_parse(prim_command_get(c, PRIM_HEADER_FROM),
		&r->from) ||
	    !prim_address_parse(prim_command_get(c, PRIM_HEADER_TO), &r->to))
		return false;
	if (r->from.scheme != PRIM_SCHEME_PRES ||
	    r->to.scheme != PRIM_SCHEME_PRES)
		return false; /* PRIM-053 */
	prim_address_key(&r->from, &r->watcher);
	prim_address_key(&r->to, &r->presentity);
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

static unsigned check_client(const struct br_presence_request *r)
{
	const struct br_conn *conn = PRIM_CONTAINER(r->peer,
	    const struct br_conn, peer);

	return prim_slice_eq(prim_session_who(&conn->session),
		   prim_key_slice(&r->watcher))
	    ? 0
	    : PRIM_FORBIDDEN; /* ERR-113 */
}

/* It speaks for those whom the router would route to it (DESIGN 6). */
static unsigned check_adapter(const struct br_presence_request *r)
{
	const struct br_route *home = br_router_find(r->server->router,
	    prim_key_domain(&r->watcher));

	if (!home || home->kind != BR_ROUTE_ADAPTER ||
	    br_host_peer(r->server->hosts[home->adapter]) != r->peer)
		return PRIM_FORBIDDEN;
	/* Presence is not relayed between others (PRIM-124). */
	if (r->route && r->route->kind != BR_ROUTE_LOCAL)
		return PRIM_NOT_FOUND;
	return 0;
}

unsigned br_presence_check(struct br_presence_request *r)
{
	unsigned code;

	if (!names_ok(r) || !details_ok(r))
		return PRIM_BAD_REQUEST;
	r->route = br_router_find(r->server->router,
	    prim_key_domain(&r->presentity));
	code = r->peer->kind == BR_PEER_CLIENT ? check_client(r)
					       : check_adapter(r);
	if (code)
		return code;
	if (!r->route)
		return PRIM_NOT_FOUND;
	if (r->server->stopping || r->peer->ticket_count >= BR_PARKED_MAX)
		return PRIM_INTERNAL_ERROR; /* PRIM-289 */
	return 0;
}
