/* SPDX-License-Identifier: ISC */
/* JIDs and PRIM identifiers. */

#include "adapters/xmpp/jid.h"

#include "adapters/xmpp/escape.h"
#include "adapters/xmpp/idna.h"
#include "adapters/xmpp/precis.h"

bool xa_jid_split(struct prim_slice text, struct xa_jid *out)
{
	struct xa_jid jid = { .bare = text };
	ptrdiff_t slash = prim_slice_find(text, '/');
	ptrdiff_t at;

	if (slash >= 0) {
		jid.bare.len = (size_t)slash;
		jid.resource = prim_slice_from(text, (size_t)slash + 1);
		if (jid.resource.len == 0)
			return false;
	}
	jid.domain = jid.bare;
	at = prim_slice_find(jid.bare, '@');
	if (at == 0)
		return false;
	if (at > 0) {
		jid.local = prim_slice_make(text.ptr, (size_t)at);
		jid.domain = prim_slice_from(jid.bare, (size_t)at + 1);
	}
	if (jid.domain.len == 0 || jid.domain.len > XA_LOCAL_MAX ||
	    jid.local.len > XA_LOCAL_MAX || jid.resource.len > XA_RESOURCE_MAX)
		return false;
	*out = jid;
	return true;
}

bool xa_jid_key(struct prim_buf *b, const struct xa_jid *jid)
{
	size_t start = b->len;
	struct prim_slice local;

	if (jid->local.len == 0 || !xa_precis_map(b, jid->local))
		return false;
	local = prim_slice_from(prim_buf_slice(b), start);
	if (!xa_precis_local_ok(local))
		return false;
	prim_buf_putc(b, '@');
	return xa_idna_to_ascii(b, jid->domain);
}

/* Appends the localpart for octets no longer escaped. */
static bool put_local(struct prim_buf *b, struct prim_slice plain)
{
	struct prim_buf mapped = { 0 };
	size_t start = b->len;
	bool ok = xa_precis_map(&mapped, plain);

	if (ok)
		xa_escape_put(b, prim_buf_slice(&mapped));
	prim_buf_fini(&mapped);
	if (!ok ||
	    !xa_escape_edges_ok(prim_slice_from(prim_buf_slice(b), start)))
		return false;
	return xa_precis_local_ok(prim_slice_from(prim_buf_slice(b), start));
}

bool xa_jid_put_at(struct prim_buf *b, const struct prim_address *a,
    struct prim_slice host)
{
	struct prim_buf plain = { 0 };
	bool ok = prim_address_unescape(&plain, a->local) &&
	    put_local(b, prim_buf_slice(&plain));

	prim_buf_fini(&plain);
	prim_buf_putc(b, '@');
	prim_buf_put(b, host);
	return ok;
}

bool xa_jid_put(struct prim_buf *b, const struct prim_address *a)
{
	struct prim_buf host = { 0 };
	bool ok = xa_idna_to_unicode(&host, a->domain) &&
	    xa_jid_put_at(b, a, prim_buf_slice(&host));

	prim_buf_fini(&host);
	return ok;
}

bool xa_jid_put_hosted(struct prim_buf *b, const struct prim_address *a,
    struct prim_slice gateway)
{
	struct prim_buf plain = { 0 };
	bool ok = prim_address_unescape(&plain, a->local);

	prim_buf_putc(&plain, '@');
	ok = ok && xa_idna_to_ascii(&plain, a->domain) &&
	    put_local(b, prim_buf_slice(&plain));
	prim_buf_fini(&plain);
	prim_buf_putc(b, '@');
	prim_buf_put(b, gateway);
	return ok;
}

/* Splits at the last '@': the local-part may hold one of its own, a domain
 * cannot. */
static bool split_last(struct prim_slice plain, struct prim_slice *out_local,
    struct prim_slice *out_domain)
{
	ptrdiff_t at = prim_slice_find_last(plain, '@');

	if (at <= 0)
		return false;
	*out_local = prim_slice_make(plain.ptr, (size_t)at);
	*out_domain = prim_slice_from(plain, (size_t)at + 1);
	return true;
}

bool xa_jid_put_unhosted(struct prim_buf *b, const struct prim_address *a)
{
	struct prim_buf plain = { 0 };
	struct prim_slice local, domain;
	bool ok = prim_address_unescape(&plain, a->local) &&
	    split_last(prim_buf_slice(&plain), &local, &domain) &&
	    put_local(b, local);

	prim_buf_putc(b, '@');
	ok = ok && xa_idna_to_unicode(b, domain);
	prim_buf_fini(&plain);
	return ok;
}

/* Appends what the localpart of `jid` means. Refuses a spelling that we would
 * not write back: two JIDs must not become one address. */
static bool plain_local(struct prim_buf *b, const struct xa_jid *jid)
{
	struct prim_buf mapped = { 0 }, again = { 0 };
	size_t start = b->len;
	bool ok = jid->local.len && xa_precis_map(&mapped, jid->local) &&
	    xa_precis_local_ok(prim_buf_slice(&mapped)) &&
	    xa_escape_edges_ok(prim_buf_slice(&mapped));

	if (ok) {
		xa_escape_undo(b, prim_buf_slice(&mapped));
		xa_escape_put(&again,
		    prim_slice_from(prim_buf_slice(b), start));
		ok = prim_slice_eq(prim_buf_slice(&again),
		    prim_buf_slice(&mapped));
	}
	prim_buf_fini(&mapped);
	prim_buf_fini(&again);
	return ok;
}

static bool put_uri(struct prim_buf *b, struct prim_slice plain,
    struct prim_slice domain)
{
	struct prim_address parsed;
	size_t start = b->len;

	prim_buf_puts(b, "im:");
	prim_address_escape(b, plain);
	prim_buf_putc(b, '@');
	return xa_idna_to_ascii(b, domain) &&
	    prim_address_parse(prim_slice_from(prim_buf_slice(b), start),
		&parsed);
}

bool xa_jid_uri(struct prim_buf *b, const struct xa_jid *jid)
{
	struct prim_buf plain = { 0 };
	bool ok = plain_local(&plain, jid) &&
	    put_uri(b, prim_buf_slice(&plain), jid->domain);

	prim_buf_fini(&plain);
	return ok;
}

bool xa_jid_uri_hosted(struct prim_buf *b, const struct xa_jid *jid,
    struct prim_slice gateway)
{
	struct prim_buf plain = { 0 };
	bool ok = plain_local(&plain, jid);

	prim_buf_putc(&plain, '@');
	ok = ok && xa_idna_to_ascii(&plain, jid->domain) &&
	    put_uri(b, prim_buf_slice(&plain), gateway);
	prim_buf_fini(&plain);
	return ok;
}

bool xa_jid_uri_unhosted(struct prim_buf *b, const struct xa_jid *jid)
{
	struct prim_buf plain = { 0 };
	struct prim_slice local, domain;
	bool ok = plain_local(&plain, jid) &&
	    split_last(prim_buf_slice(&plain), &local, &domain) &&
	    put_uri(b, local, domain);

	prim_buf_fini(&plain);
	return ok;
}
