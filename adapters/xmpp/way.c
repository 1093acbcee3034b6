/* SPDX-License-Identifier: ISC */
/* The way an address takes across the bridge. */

#include "adapters/xmpp/way.h"

#include "adapters/xmpp/idna.h"
#include "prim/address.h"
#include "prim/status.h"

static unsigned refuse(const char **out_why, unsigned code, const char *why)
{
	*out_why = why;
	return code;
}

/* The server closes the stream over a sender that is not of the component, so
 * a sender of another domain goes by the gateway's, or not at all. */
unsigned xa_way_put_principal(const struct xa_way *w, struct prim_buf *b,
    struct prim_slice address, bool *out_via_gateway, const char **out_why)
{
	struct prim_address a;
	bool via_gateway, ok;

	if (!prim_address_parse(address, &a))
		return refuse(out_why, PRIM_BAD_REQUEST, "a malformed sender");
	via_gateway = !prim_slice_eq_nocase(a.domain, w->domain);
	if (via_gateway && w->gateway.len == 0)
		return refuse(out_why, PRIM_NOT_FOUND,
		    "the sender's domain has no component");
	ok = via_gateway ? xa_jid_put_hosted(b, &a, w->gateway)
			 : xa_jid_put_at(b, &a, w->domain);
	if (!ok)
		return refuse(out_why, PRIM_NOT_FOUND,
		    "XMPP cannot carry the sender's address");
	*out_via_gateway = via_gateway;
	return 0;
}

static bool is_ours(const struct xa_way *w, struct prim_slice domain)
{
	return prim_slice_eq_nocase(domain, w->domain) ||
	    (w->gateway.len && prim_slice_eq_nocase(domain, w->gateway));
}

bool xa_way_is_elsewhere(const struct xa_way *w, struct prim_slice jid)
{
	struct prim_buf key = { 0 };
	struct prim_slice domain;
	struct xa_jid split;
	bool ok = xa_jid_split(jid, &split) && xa_jid_key(&key, &split);

	domain = prim_buf_slice(&key);
	prim_slice_cut(&domain, '@');
	ok = ok && !is_ours(w, domain);
	prim_buf_fini(&key);
	return ok;
}

unsigned xa_way_put_user(const struct xa_way *w, struct prim_buf *b,
    struct prim_slice address, const char **out_why)
{
	size_t start = b->len;
	struct prim_address a;
	bool ok;

	if (!prim_address_parse(address, &a))
		return refuse(out_why, PRIM_BAD_REQUEST,
		    "a malformed recipient");
	ok = w->gateway.len && prim_slice_eq_nocase(a.domain, w->gateway)
	    ? xa_jid_put_unhosted(b, &a)
	    : xa_jid_put(b, &a);
	if (!ok)
		return refuse(out_why, PRIM_NOT_FOUND,
		    "XMPP cannot carry the recipient's address");
	if (!xa_way_is_elsewhere(w, prim_slice_from(prim_buf_slice(b), start)))
		return refuse(out_why, PRIM_NOT_FOUND,
		    "the recipient is on this side");
	return 0;
}

static bool is_known(const struct xa_way *w, const struct xa_jid *jid)
{
	struct prim_address a;
	struct prim_buf uri = { 0 };
	bool known = w->gateway.len == 0;

	if (!known && xa_jid_uri(&uri, jid) &&
	    prim_address_parse(prim_buf_slice(&uri), &a))
		known = w->routes(w->ctx, a.domain);
	prim_buf_fini(&uri);
	return known;
}

bool xa_way_put_user_uri(const struct xa_way *w, struct prim_buf *b,
    const struct xa_jid *jid)
{
	if (is_known(w, jid))
		return xa_jid_uri(b, jid);
	return xa_jid_uri_hosted(b, jid, w->gateway);
}

bool xa_way_put_canonical(const struct xa_way *w, struct prim_buf *b,
    struct prim_slice address)
{
	struct prim_buf user = { 0 };
	struct xa_jid jid;
	const char *why;
	bool ok = xa_way_put_user(w, &user, address, &why) == 0 &&
	    xa_jid_split(prim_buf_slice(&user), &jid) &&
	    xa_way_put_user_uri(w, b, &jid);

	prim_buf_fini(&user);
	return ok;
}

bool xa_way_put_principal_uri(struct prim_buf *b, const struct xa_jid *jid,
    bool is_gateway)
{
	return is_gateway ? xa_jid_uri_unhosted(b, jid) : xa_jid_uri(b, jid);
}

bool xa_way_put_bare(struct prim_buf *b, const struct xa_jid *jid)
{
	struct prim_buf key = { 0 };
	struct prim_slice local, domain;
	bool ok = xa_jid_key(&key, jid);

	domain = prim_buf_slice(&key);
	local = prim_slice_cut(&domain, '@');
	prim_buf_put(b, local);
	prim_buf_putc(b, '@');
	ok = ok && xa_idna_to_unicode(b, domain);
	prim_buf_fini(&key);
	return ok;
}
