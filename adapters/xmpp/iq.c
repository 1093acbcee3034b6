/* SPDX-License-Identifier: ISC */
/* What every JID of a component must answer. */

#include "adapters/xmpp/iq.h"

#include <string.h>

#include "adapters/xmpp/stanza.h"
#include "prim/base.h"

static const char *const COMPONENT_FEATURES[] = { XMPP_NS_DISCO_INFO,
	XMPP_NS_DISCO_ITEMS, XA_NS_PING, XA_NS_VERSION, XA_NS_REGISTER,
	"jid\\20escaping" };
static const char *const CONTACT_FEATURES[] = { XMPP_NS_DISCO_INFO,
	XMPP_NS_DISCO_ITEMS, XA_NS_PING, XA_NS_VERSION, XA_NS_RECEIPTS };

static struct xa_envelope turned(xmpp_stanza_t *iq, const char *type)
{
	return (struct xa_envelope){
		.from = xmpp_stanza_get_to(iq),
		.to = xmpp_stanza_get_from(iq),
		.id = xmpp_stanza_get_id(iq),
		.type = type,
	};
}

static void add_features(xmpp_stanza_t *query, const char *const *features,
    size_t count)
{
	for (size_t i = 0; i < count; i++)
		xmpp_stanza_set_attribute(xa_stanza_add(query, "feature", NULL),
		    "var", features[i]);
}

static void add_identity(xmpp_stanza_t *query, const char *category,
    const char *type, const char *name)
{
	xmpp_stanza_t *s = xa_stanza_add(query, "identity", NULL);

	xmpp_stanza_set_attribute(s, "category", category);
	xmpp_stanza_set_type(s, type);
	if (name)
		xmpp_stanza_set_attribute(s, "name", name);
}

/* XEP-0030: an answer repeats the node it was asked for. */
static xmpp_stanza_t *add_query(xmpp_stanza_t *reply, xmpp_stanza_t *query)
{
	xmpp_stanza_t *s = xa_stanza_add(reply, "query",
	    xmpp_stanza_get_ns(query));
	const char *node = xmpp_stanza_get_attribute(query, "node");

	if (node)
		xmpp_stanza_set_attribute(s, "node", node);
	return s;
}

static void answer_info(xmpp_stanza_t *reply, xmpp_stanza_t *query)
{
	xmpp_stanza_t *s = add_query(reply, query);

	if (strchr(xmpp_stanza_get_from(reply), '@')) {
		add_identity(s, "account", "registered", NULL);
		add_features(s, CONTACT_FEATURES, PRIM_COUNT(CONTACT_FEATURES));
	} else {
		/* The registry has no type for PRIM; this one means "another
		 * network of the same kind". */
		add_identity(s, "gateway", "simple", "Primbridge");
		add_features(s, COMPONENT_FEATURES,
		    PRIM_COUNT(COMPONENT_FEATURES));
	}
}

static void answer_items(xmpp_stanza_t *reply, xmpp_stanza_t *query)
{
	add_query(reply, query);
}

static void answer_ping(xmpp_stanza_t *reply, xmpp_stanza_t *query)
{
	(void)reply;
	(void)query;
}

static void answer_version(xmpp_stanza_t *reply, xmpp_stanza_t *query)
{
	xmpp_stanza_t *s = xa_stanza_add(reply, "query",
	    xmpp_stanza_get_ns(query));

	xa_stanza_add_text(xa_stanza_add(s, "name", NULL),
	    PRIM_SLICE("Primbridge"));
	xa_stanza_add_text(xa_stanza_add(s, "version", NULL),
	    PRIM_SLICE(PRIMBRIDGE_VERSION));
}

static const struct {
	const char *name;
	const char *ns;
	void (*answer)(xmpp_stanza_t *reply, xmpp_stanza_t *query);
} KNOWN[] = {
	{"query",  XMPP_NS_DISCO_INFO,  answer_info   },
	{ "query", XMPP_NS_DISCO_ITEMS, answer_items  },
	{ "query", XA_NS_VERSION,       answer_version},
	{ "ping",  XA_NS_PING,          answer_ping   },
};

xmpp_stanza_t *xa_iq_answer(xmpp_ctx_t *ctx, xmpp_stanza_t *iq)
{
	struct xa_envelope envelope = turned(iq, "result");
	bool is_get = xa_stanza_type_is(iq, "get");
	xmpp_stanza_t *reply, *query;

	if ((!is_get && !xa_stanza_type_is(iq, "set")) || !envelope.id ||
	    !envelope.from || !envelope.to)
		return NULL;
	for (size_t i = 0; is_get && i < PRIM_COUNT(KNOWN); i++) {
		query = xa_stanza_find(iq, KNOWN[i].name, KNOWN[i].ns);
		if (!query)
			continue;
		reply = xa_stanza_new(ctx, "iq", &envelope);
		KNOWN[i].answer(reply, query);
		return reply;
	}
	return xa_stanza_error(ctx, "iq", &envelope,
	    &xa_error_service_unavailable, NULL);
}
