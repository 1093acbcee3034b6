/* SPDX-License-Identifier: ISC */
/* What a <message/> says. */

#include "adapters/xmpp/content.h"

#include <string.h>

#include "adapters/xmpp/stanza.h"
#include "adapters/xmpp/text.h"
#include "prim/base.h"

#define NS_CORRECT "urn:xmpp:message-correct:0"
#define CORRECTED  "(corrected) "

/* Whoever sends one of these says that the body is not the message. */
static const struct {
	const char *name;
	const char *ns;
} ENCRYPTED[] = {
	{"encryption", "urn:xmpp:eme:0"                 },
	{ "encrypted", "eu.siacs.conversations.axolotl" },
	{ "encrypted", "urn:xmpp:omemo:1"               },
	{ "encrypted", "urn:xmpp:omemo:2"               },
	{ "openpgp",   "urn:xmpp:openpgp:0"             },
	{ "x",         "jabber:x:encrypted"             },
	{ "e2e",       "urn:ietf:params:xml:ns:xmpp-e2e"},
};

static bool is_encrypted(xmpp_stanza_t *message)
{
	for (size_t i = 0; i < PRIM_COUNT(ENCRYPTED); i++) {
		if (xa_stanza_find(message, ENCRYPTED[i].name, ENCRYPTED[i].ns))
			return true;
	}
	return false;
}

static xmpp_stanza_t *next_core(xmpp_stanza_t *s, const char *name)
{
	while (s && !xa_stanza_is_core(s, name))
		s = xmpp_stanza_get_next(s);
	return s;
}

static xmpp_stanza_t *first_core(xmpp_stanza_t *message, const char *name)
{
	return next_core(xmpp_stanza_get_children(message), name);
}

static xmpp_stanza_t *link_url(xmpp_stanza_t *message)
{
	xmpp_stanza_t *x = xa_stanza_find(message, "x", XA_NS_OOB);

	return x ? xa_stanza_find(x, "url", XA_NS_OOB) : NULL;
}

enum xa_content_kind xa_content_kind(xmpp_stanza_t *message)
{
	if (is_encrypted(message))
		return XA_CONTENT_ENCRYPTED;
	if (first_core(message, "body") || first_core(message, "subject") ||
	    link_url(message))
		return XA_CONTENT_TEXT;
	return XA_CONTENT_NONE;
}

static struct prim_slice language_of(xmpp_stanza_t *s, struct prim_slice other)
{
	struct prim_slice own = xa_stanza_get(s, "xml:lang");

	return own.len ? own : other;
}

static xmpp_stanza_t *choose_body(xmpp_stanza_t *message,
    struct prim_slice language)
{
	xmpp_stanza_t *first = first_core(message, "body");
	xmpp_stanza_t *s = first;

	for (; s; s = next_core(xmpp_stanza_get_next(s), "body")) {
		if (prim_slice_eq_nocase(language_of(s, language), language))
			return s;
	}
	return first;
}

static void put_link(struct prim_buf *b, xmpp_stanza_t *message)
{
	xmpp_stanza_t *x = xa_stanza_find(message, "x", XA_NS_OOB);
	xmpp_stanza_t *desc = x ? xa_stanza_find(x, "desc", XA_NS_OOB) : NULL;
	xmpp_stanza_t *url = link_url(message);

	if (url)
		xa_stanza_text(b, url);
	if (desc) {
		prim_buf_putc(b, '\n');
		xa_stanza_text(b, desc);
	}
}

void xa_content_text(struct prim_buf *b, xmpp_stanza_t *message,
    struct prim_slice *out_language)
{
	struct prim_slice language = xa_stanza_get(message, "xml:lang");
	xmpp_stanza_t *body = choose_body(message, language);

	*out_language = body ? language_of(body, language) : language;
	if (body && xa_stanza_find(message, "replace", NS_CORRECT))
		prim_buf_puts(b, CORRECTED);
	if (body)
		xa_stanza_text(b, body);
	else
		put_link(b, message);
}

bool xa_content_languages_ok(xmpp_stanza_t *message)
{
	struct prim_slice language = xa_stanza_get(message, "xml:lang");
	xmpp_stanza_t *s = xmpp_stanza_get_children(message);

	if (language.len && !xa_text_language_ok(language))
		return false;
	for (; s; s = xmpp_stanza_get_next(s)) {
		if (!xa_stanza_is_core(s, "body") &&
		    !xa_stanza_is_core(s, "subject"))
			continue;
		language = xa_stanza_get(s, "xml:lang");
		if (language.len && !xa_text_language_ok(language))
			return false;
	}
	return true;
}
