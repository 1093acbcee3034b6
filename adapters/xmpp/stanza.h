/* SPDX-License-Identifier: ISC */
#ifndef XA_STANZA_H
#define XA_STANZA_H

/*
 * Stanzas as libstrophe models them, and the few things it leaves us to do.
 * libstrophe copies what it is given; pointers it gives live as long as the
 * stanza. It wants NUL-terminated strings.
 */

#include <stdbool.h>
#include <strophe.h>

#include "adapters/xmpp/errors.h"
#include "prim/buf.h"
#include "prim/slice.h"

#define XA_NS_PING     "urn:xmpp:ping"
#define XA_NS_RECEIPTS "urn:xmpp:receipts"
#define XA_NS_SID      "urn:xmpp:sid:0"
#define XA_NS_DELAY    "urn:xmpp:delay"
#define XA_NS_STYLING  "urn:xmpp:styling:0"
#define XA_NS_HINTS    "urn:xmpp:hints"
#define XA_NS_VERSION  "jabber:iq:version"
#define XA_NS_NICK     "http://jabber.org/protocol/nick"
#define XA_NS_OOB      "jabber:x:oob"
#define XA_NS_REGISTER "jabber:iq:register"
#define XA_NS_HOPS     "urn:primbridge:hops"

/* Who a stanza is from and for. Any of them may be NULL. */
struct xa_envelope {
	const char *from;
	const char *to;
	const char *type;
	const char *id;
};

/* libstrophe with our memory: it never runs out. xmpp_ctx_free() it. */
xmpp_ctx_t *xa_stanza_context(void);

/* Release with xmpp_stanza_release(). */
xmpp_stanza_t *xa_stanza_new(xmpp_ctx_t *ctx, const char *name,
    const struct xa_envelope *envelope);

/* A new child at the end of `parent`; `ns` NULL: the parent's. Borrowed. */
xmpp_stanza_t *xa_stanza_add(xmpp_stanza_t *parent, const char *name,
    const char *ns);
void xa_stanza_add_text(xmpp_stanza_t *parent, struct prim_slice text);

/* The message or iq, turned round: "error" of the kind `error`, in the name of
 * `by`, with `text` (may be NULL) for whoever looks into it. */
xmpp_stanza_t *xa_stanza_error(xmpp_ctx_t *ctx, const char *name,
    const struct xa_envelope *envelope, const struct xa_error *error,
    const char *text);

/* The attribute, or the empty slice. */
struct prim_slice xa_stanza_get(xmpp_stanza_t *s, const char *attribute);
bool xa_stanza_has_name(xmpp_stanza_t *s, const char *name);
bool xa_stanza_type_is(xmpp_stanza_t *s, const char *type);
/* Is `s` `name` of the stanza's own namespace, whichever of the two a server
 * uses? */
bool xa_stanza_is_core(xmpp_stanza_t *s, const char *name);
/* The first child `name` of `ns`, or NULL. */
xmpp_stanza_t *xa_stanza_find(xmpp_stanza_t *s, const char *name,
    const char *ns);
/* Appends the text of `s`, without that of its children. */
void xa_stanza_text(struct prim_buf *b, xmpp_stanza_t *s);

/* The condition of the <error/> in `s`, "undefined-condition" without one. */
const char *xa_stanza_condition(xmpp_stanza_t *s);

/* What `s` costs in memory, about. */
size_t xa_stanza_size(xmpp_stanza_t *s);

/* Appends `s` as XML. */
void xa_stanza_put(struct prim_buf *b, xmpp_stanza_t *s);

#endif
