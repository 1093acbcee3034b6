/* SPDX-License-Identifier: ISC */
/* What the operator is told when the server ends the stream. */

#include "adapters/xmpp/diagnosis.h"

#include <string.h>

#include "adapters/xmpp/stanza.h"
#include "prim/base.h"

static const struct {
	const char *condition;
	enum bridge_level level;
	const char *text;
} KNOWN[] = {
	{"not-authorized", BRIDGE_ERROR,
         "the XMPP server refuses our secret: compare secret_file with its "
	    "component_secret (Prosody) or password (ejabberd, which says the "
	    "same when the component is not among the hosts of its listener)"},
	{ "host-unknown",  BRIDGE_ERROR,
         "the XMPP server has no such component"                             },
	{ "conflict",      BRIDGE_WARN,
         "another connection holds the component, or the server itself has "
	    "that domain; trying again; Prosody lets a new one win with "
	    "component_conflict_resolve = \"kick_old\""                      },
};

bool xa_diagnosis_is_error(xmpp_stanza_t *stanza)
{
	const char *ns = xmpp_stanza_get_ns(stanza);

	return ns && strcmp(ns, XMPP_NS_STREAMS) == 0 &&
	    xa_stanza_has_name(stanza, "error");
}

static const char *condition_of(xmpp_stanza_t *error)
{
	xmpp_stanza_t *c = xmpp_stanza_get_children(error);

	for (; c; c = xmpp_stanza_get_next(c)) {
		if (xmpp_stanza_is_tag(c) && !xa_stanza_has_name(c, "text"))
			return xmpp_stanza_get_name(c);
	}
	return "undefined-condition";
}

enum bridge_level xa_diagnosis_put(struct prim_buf *b, xmpp_stanza_t *error,
    struct prim_slice host)
{
	const char *condition = condition_of(error);
	const char *text = "the XMPP server ends the stream";
	enum bridge_level level = BRIDGE_WARN;

	for (size_t i = 0; i < PRIM_COUNT(KNOWN); i++) {
		if (strcmp(KNOWN[i].condition, condition) == 0) {
			text = KNOWN[i].text;
			level = KNOWN[i].level;
		}
	}
	prim_buf_putf(b, "%s condition=%s host=%.*s", text,
	    bridge_quote(prim_slice_of(condition)), PRIM_SLICE_ARG(host));
	return level;
}
