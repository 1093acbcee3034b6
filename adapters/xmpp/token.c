/* SPDX-License-Identifier: ISC */
/* The return token: flags, NUL-separated id, from and to, in base64. */

#include "adapters/xmpp/token.h"

#include "adapters/xmpp/digest.h"
#include "bridge/adapter.h"

#define FLAG_RECEIPT 1
#define FLAG_CHAT    2
#define FLAG_KIND    4 /* times the kind */
#define FLAG_MAX     15
#define FLAG_BASE    'A' /* keeps the octet printable when looked at */

/* Octets that base64 turns into BRIDGE_RETURN_MAX. */
#define RAW_MAX ((size_t)BRIDGE_RETURN_MAX / 4 * 3)

bool xa_token_put(struct prim_buf *b, const struct xa_token *t)
{
	struct prim_buf raw = { 0 };
	int flags = FLAG_BASE;

	if (t->id.len + t->from.len + t->to.len + 3 > RAW_MAX)
		return false;
	flags += t->wants_receipt ? FLAG_RECEIPT : 0;
	flags += t->is_chat ? FLAG_CHAT : 0;
	flags += (int)t->kind * FLAG_KIND;
	prim_buf_putc(&raw, (char)flags);
	prim_buf_put(&raw, t->id);
	prim_buf_putc(&raw, '\0');
	prim_buf_put(&raw, t->from);
	prim_buf_putc(&raw, '\0');
	prim_buf_put(&raw, t->to);
	xa_digest_base64(b, prim_buf_slice(&raw));
	prim_buf_fini(&raw);
	return true;
}

bool xa_token_parse(struct prim_slice text, struct prim_buf *store,
    struct xa_token *out)
{
	struct prim_slice rest;
	int flags;

	prim_buf_reset(store);
	if (text.len > BRIDGE_RETURN_MAX || !xa_digest_unbase64(store, text))
		return false;
	rest = prim_buf_slice(store);
	flags = rest.len ? rest.ptr[0] - FLAG_BASE : -1;
	if (flags < 0 || flags > FLAG_MAX)
		return false;
	rest = prim_slice_from(rest, 1);
	out->wants_receipt = (flags & FLAG_RECEIPT) != 0;
	out->is_chat = (flags & FLAG_CHAT) != 0;
	out->kind = (enum xa_token_kind)(flags / FLAG_KIND);
	out->id = prim_slice_cut(&rest, '\0');
	out->from = prim_slice_cut(&rest, '\0');
	out->to = rest;
	return out->from.len > 0 && out->to.len > 0;
}
