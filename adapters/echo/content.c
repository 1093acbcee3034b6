/* SPDX-License-Identifier: ISC */
/* What of a message comes back, and what a watcher sees. */

#include "adapters/echo/content.h"

#include "prim/address.h"
#include "prim/cpim.h"
#include "prim/pidf.h"

static bool is_automaton(struct prim_slice from)
{
	struct prim_address address;

	return !prim_address_parse(from, &address) ||
	    prim_slice_eq_nocase(address.local, PRIM_SLICE("postmaster")) ||
	    prim_slice_eq_nocase(address.local, PRIM_SLICE("primbridge"));
}

/* IMDN-029. */
static bool is_notice(struct prim_slice type, struct prim_slice disposition)
{
	return prim_cpim_type_is(type, "message/imdn+xml") ||
	    prim_cpim_type_is(disposition, "notification");
}

/* New names, and the content with its own headers octet for octet. Nothing in
 * it differs from one try to the next, not even the date: a second try is to be
 * recognised. */
static bool put_cpim(struct prim_buf *out, const struct bridge_message *m)
{
	const struct prim_cpim_header *date;
	struct prim_cpim c;
	size_t at;

	if (!prim_cpim_parse(m->body, &c, NULL) ||
	    c.content_header_count == 0 ||
	    is_notice(prim_cpim_content_header(&c, "Content-Type"),
		prim_cpim_content_header(&c, "Content-Disposition")))
		return false;
	at = (size_t)(c.content_headers[0].name.ptr - m->body.ptr);
	prim_cpim_put_mailbox(out, "From", PRIM_SLICE_NONE, m->to);
	prim_cpim_put_mailbox(out, "To", PRIM_SLICE_NONE, m->from);
	date = prim_cpim_find(&c, PRIM_CPIM_CORE, "DateTime");
	if (date)
		prim_cpim_put_text(out, "DateTime", PRIM_SLICE_NONE,
		    date->value);
	prim_buf_puts(out, "\r\n");
	prim_buf_put(out, prim_slice_from(m->body, at));
	return true;
}

bool ea_content_put(struct prim_buf *out, const struct bridge_message *m)
{
	if (m->notice || is_automaton(m->from) ||
	    is_notice(m->content_type, PRIM_SLICE_NONE))
		return false;
	if (prim_cpim_type_is(m->content_type, "message/cpim"))
		return put_cpim(out, m);
	prim_buf_put(out, m->body);
	return true;
}

void ea_content_put_open(struct prim_buf *out, struct prim_slice presentity)
{
	static struct prim_pidf document; /* large; the loop's only */

	document = (struct prim_pidf){
		.entity = presentity,
		.idle_since_ms = PRIM_PIDF_NO_TIME,
		.tuple_count = 1,
	};
	document.tuples[0] = (struct prim_pidf_tuple){
		.id = PRIM_SLICE("echo"),
		.basic = PRIM_BASIC_OPEN,
		.has_status = true,
		.priority = PRIM_PIDF_NO_PRIORITY,
		.idle_since_ms = PRIM_PIDF_NO_TIME,
		.timestamp_ms = PRIM_PIDF_NO_TIME,
	};
	prim_pidf_put(out, &document);
}
