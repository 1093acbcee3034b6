/* SPDX-License-Identifier: ISC */
/* How many bridges a message has passed. */

#include "adapters/xmpp/hops.h"

#include <stdio.h>
#include <string.h>

#include "adapters/xmpp/stanza.h"

#define ELEMENT   "bridge"
#define ATTRIBUTE "hops"
#define SAID_MAX  1000 /* more is no count */

void xa_hops_add(xmpp_stanza_t *message, unsigned hops)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", hops);
	xmpp_stanza_set_attribute(xa_stanza_add(message, ELEMENT, XA_NS_HOPS),
	    ATTRIBUTE, text);
}

static bool is_count(xmpp_stanza_t *s)
{
	const char *ns = xmpp_stanza_is_tag(s) ? xmpp_stanza_get_ns(s) : NULL;

	return ns && strcmp(ns, XA_NS_HOPS) == 0 &&
	    xa_stanza_has_name(s, ELEMENT);
}

bool xa_hops_read(xmpp_stanza_t *message, unsigned *out_hops)
{
	xmpp_stanza_t *s = xmpp_stanza_get_children(message);
	uint64_t most = 0, hops;

	for (; s; s = xmpp_stanza_get_next(s)) {
		if (!is_count(s))
			continue;
		if (!prim_slice_number(xa_stanza_get(s, ATTRIBUTE), SAID_MAX,
			&hops))
			return false;
		most = hops > most ? hops : most;
	}
	*out_hops = (unsigned)most;
	return true;
}
