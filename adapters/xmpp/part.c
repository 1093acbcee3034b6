/* SPDX-License-Identifier: ISC */
/* The part of a SEND that an XMPP user can read. */

#include "adapters/xmpp/part.h"

#include "adapters/xmpp/charset.h"
#include "adapters/xmpp/text.h"
#include "prim/address.h"
#include "prim/base.h"
#include "prim/date.h"

/* What a Require may name and we honour (CPIM-067). */
static const struct prim_cpim_known KNOWN[] = {
	{PRIM_CPIM_CORE,  "From"           },
	{ PRIM_CPIM_CORE, "To"             },
	{ PRIM_CPIM_CORE, "DateTime"       },
	{ PRIM_CPIM_CORE, "Subject"        },
	{ PRIM_CPIM_CORE, "NS"             },
	{ PRIM_CPIM_CORE, "Require"        },
	{ PRIM_CPIM_PRIM, "Message-ID"     },
	{ PRIM_CPIM_PRIM, "Conversation-ID"},
};

static unsigned refuse(const char **out_why, unsigned code, const char *why)
{
	*out_why = why;
	return code;
}

static bool same_address(struct prim_slice a, struct prim_slice b)
{
	struct prim_address left, right;
	struct prim_key left_key, right_key;

	if (!prim_address_parse(a, &left) || !prim_address_parse(b, &right))
		return false;
	prim_address_key(&left, &left_key);
	prim_address_key(&right, &right_key);
	return prim_slice_eq(prim_key_slice(&left_key),
	    prim_key_slice(&right_key));
}

/* DESIGN 11: what it says of itself must be what its command says. */
static bool from_agrees(const struct xa_part *p, const struct bridge_message *m)
{
	const struct prim_cpim_header *from = prim_cpim_find(&p->cpim,
	    PRIM_CPIM_CORE, "From");
	struct prim_slice name, uri;

	return from && prim_cpim_mailbox(from->value, &name, &uri) &&
	    same_address(uri, m->from);
}

static void read_time(struct xa_part *p, const struct bridge_message *m)
{
	const struct prim_cpim_header *stamp = NULL;

	if (p->is_cpim)
		stamp = prim_cpim_find(&p->cpim, PRIM_CPIM_CORE, "DateTime");
	if (stamp)
		p->has_time = prim_date_parse_3339(stamp->value, &p->time_ms);
	if (!p->has_time)
		p->has_time = prim_date_parse_1123(m->date, &p->time_ms);
}

static unsigned read_cpim(struct xa_part *p, const struct bridge_message *m,
    const char **out_why)
{
	if (!prim_cpim_parse(m->body, &p->cpim, out_why))
		return PRIM_BAD_REQUEST;
	if (!prim_cpim_require_met(&p->cpim, KNOWN, PRIM_COUNT(KNOWN), NULL))
		return refuse(out_why, PRIM_NOT_IMPLEMENTED,
		    "it requires a header we do not honour");
	if (!from_agrees(p, m))
		return refuse(out_why, PRIM_FORBIDDEN,
		    "the From inside is not the sender");
	p->language = prim_cpim_content_header(&p->cpim, "Content-Language");
	if (p->language.len && !xa_text_language_ok(p->language))
		return refuse(out_why, PRIM_BAD_REQUEST,
		    "Content-Language is no language");
	return 0;
}

/* Only what needs no decoding: text that is sent as it is. */
static bool is_identity(struct prim_slice encoding)
{
	return encoding.len == 0 ||
	    prim_slice_eq_nocase(encoding, PRIM_SLICE("7bit")) ||
	    prim_slice_eq_nocase(encoding, PRIM_SLICE("8bit")) ||
	    prim_slice_eq_nocase(encoding, PRIM_SLICE("binary"));
}

static unsigned read_text(const struct prim_slice type,
    struct prim_slice octets, struct prim_buf *text, const char **out_why)
{
	if (type.len && !prim_cpim_type_is(type, "text/plain"))
		return refuse(out_why, PRIM_NOT_IMPLEMENTED,
		    "only text/plain can go to XMPP");
	switch (xa_charset_put(text, prim_cpim_type_parameter(type, "charset"),
	    octets)) {
	case XA_CHARSET_OK:
		break;
	case XA_CHARSET_UNKNOWN:
		return refuse(out_why, PRIM_NOT_IMPLEMENTED,
		    "a character set we do not convert");
	case XA_CHARSET_BAD:
		return refuse(out_why, PRIM_BAD_REQUEST,
		    "the text is not in its character set");
	}
	if (!xa_text_ok(prim_buf_slice(text)))
		return refuse(out_why, PRIM_BAD_REQUEST,
		    "the text has characters that XML cannot carry");
	return 0;
}

unsigned xa_part_read(struct xa_part *p, const struct bridge_message *m,
    struct prim_buf *text, const char **out_why)
{
	struct prim_slice type = m->content_type, octets = m->body, encoding;
	unsigned code;

	p->is_cpim = prim_cpim_type_is(type, "message/cpim");
	p->language = PRIM_SLICE_NONE;
	p->has_time = false;
	if (p->is_cpim) {
		code = read_cpim(p, m, out_why);
		if (code)
			return code;
		encoding = prim_cpim_content_header(&p->cpim,
		    "Content-Transfer-Encoding");
		if (!is_identity(encoding))
			return refuse(out_why, PRIM_NOT_IMPLEMENTED,
			    "a transfer encoding we do not decode");
		type = prim_cpim_content_header(&p->cpim, "Content-type");
		octets = p->cpim.content;
	}
	read_time(p, m);
	return read_text(type, octets, text, out_why);
}
