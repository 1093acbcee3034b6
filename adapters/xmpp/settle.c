/* SPDX-License-Identifier: ISC */
/* Which delivery a <message/> speaks about. */

#include "adapters/xmpp/settle.h"

#include <string.h>

#include "adapters/xmpp/errors.h"
#include "adapters/xmpp/jid.h"
#include "adapters/xmpp/stanza.h"
#include "prim/base.h"
#include "prim/status.h"

#define DELIVERY_ID_LEN 32

static bool is_error(xmpp_stanza_t *message)
{
	return xa_stanza_type_is(message, "error");
}

static struct prim_slice subject_of(xmpp_stanza_t *message)
{
	xmpp_stanza_t *received;

	if (is_error(message))
		return xa_stanza_get(message, "id");
	received = xa_stanza_find(message, "received", XA_NS_RECEIPTS);
	return received ? xa_stanza_get(received, "id") : PRIM_SLICE_NONE;
}

/* Is `from` the recipient, or for an error the server of the recipient? */
static bool is_from(const struct xa_pending *p, struct prim_slice from,
    bool error)
{
	struct prim_slice host = prim_slice_of(p->to);
	struct prim_buf key = { 0 };
	struct xa_jid jid;
	bool same = false;

	if (!xa_jid_split(from, &jid))
		return false;
	prim_slice_cut(&host, '@');
	if (jid.local.len == 0)
		return error && prim_slice_eq_nocase(jid.domain, host);
	same = xa_jid_key(&key, &jid) &&
	    prim_slice_eq(prim_buf_slice(&key), prim_slice_of(p->to));
	prim_buf_fini(&key);
	return same;
}

static bool is_to(const struct xa_pending *p, struct prim_slice to)
{
	struct xa_jid jid;

	return xa_jid_split(to, &jid) &&
	    prim_slice_eq_nocase(jid.bare, prim_slice_of(p->from));
}

/* XMPP has a type "continue": a warning, not a failure. */
static bool is_warning(xmpp_stanza_t *message)
{
	xmpp_stanza_t *c = xmpp_stanza_get_children(message);

	while (c && !xa_stanza_is_core(c, "error"))
		c = xmpp_stanza_get_next(c);
	return c && xa_stanza_type_is(c, "continue");
}

unsigned xa_settle_find(struct xa_pendings *p, xmpp_stanza_t *message,
    struct xa_pending **out_pending)
{
	struct prim_slice id = subject_of(message);
	bool error = is_error(message);
	struct xa_pending *pending;

	pending = id.len ? xa_pendings_find(p, id) : NULL;
	if (!pending ||
	    !is_from(pending, xa_stanza_get(message, "from"), error) ||
	    !is_to(pending, xa_stanza_get(message, "to")))
		return 0;
	if (error && is_warning(message))
		return 0;
	*out_pending = pending;
	return error ? xa_error_code(xa_stanza_condition(message)) : PRIM_OK;
}

/* As the core makes them. */
static bool is_delivery_id(struct prim_slice id)
{
	if (id.len != DELIVERY_ID_LEN)
		return false;
	for (size_t i = 0; i < id.len; i++) {
		char c = id.ptr[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
			return false;
	}
	return true;
}

/* What may be tried again while it waits is over when nobody waits: the core
 * has let it go, and the server has thrown it away. */
static unsigned final_code(unsigned code)
{
	return code < 500 ? code : PRIM_INBOX_CLOSED;
}

unsigned xa_settle_late(struct xa_pendings *p, xmpp_stanza_t *message,
    struct prim_slice *out_id)
{
	struct prim_slice id = subject_of(message);

	/* Somebody else's word about one that waits is none. */
	if (!is_delivery_id(id) || xa_pendings_find(p, id))
		return 0;
	*out_id = id;
	if (!is_error(message))
		return PRIM_OK;
	return is_warning(message)
	    ? 0
	    : final_code(xa_error_code(xa_stanza_condition(message)));
}

const char *xa_settle_text(xmpp_stanza_t *message)
{
	return is_error(message) ? xa_stanza_condition(message) : "receipt";
}
