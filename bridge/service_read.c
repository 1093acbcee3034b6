/* SPDX-License-Identifier: ISC */
/* What people write: the text of a message, its words, addresses among them. */

#include "bridge/service_private.h"

#include <string.h>

#include "prim/base.h"
#include "prim/cpim.h"
#include "prim/imdn.h"
#include "prim/octet.h"
#include "prim/utf8.h"

/* ---- automata ---- */

/* RFC 3834, and what lists put on their mail. */
static bool says_automatic(struct prim_slice name, struct prim_slice value)
{
	if (prim_slice_eq_nocase(name, PRIM_SLICE("Auto-Submitted")))
		return !prim_slice_eq_nocase(prim_slice_trim(value),
		    PRIM_SLICE("no"));
	if (prim_slice_eq_nocase(name, PRIM_SLICE("Precedence")))
		return true;
	return prim_slice_eq_nocase(name, PRIM_SLICE("List-Id"));
}

static bool head_is_automatic(const struct prim_command *c)
{
	for (unsigned i = 0; i < c->header_count; i++) {
		if (says_automatic(c->headers[i].name, c->headers[i].value))
			return true;
	}
	return false;
}

static bool cpim_is_automatic(const struct prim_cpim *cpim)
{
	for (unsigned i = 0; i < cpim->header_count; i++) {
		if (says_automatic(cpim->headers[i].name,
			cpim->headers[i].value))
			return true;
	}
	for (unsigned i = 0; i < cpim->content_header_count; i++) {
		if (says_automatic(cpim->content_headers[i].name,
			cpim->content_headers[i].value))
			return true;
	}
	return false;
}

/* Whoever answers these talks to a machine, and maybe for ever. */
static bool is_automaton(struct prim_slice key)
{
	static const char *const NAMES[] = { "postmaster", "primbridge",
		"mailer-daemon" };
	struct prim_slice rest = key;
	struct prim_slice local = prim_slice_cut(&rest, '@');

	for (size_t i = 0; i < PRIM_COUNT(NAMES); i++) {
		if (prim_slice_eq(local, prim_slice_of(NAMES[i])))
			return true;
	}
	return false;
}

/* ---- text ---- */

static bool is_text(struct prim_slice type)
{
	struct prim_slice charset = prim_cpim_type_parameter(type, "charset");

	return (!type.len || prim_cpim_type_is(type, "text/plain")) &&
	    (!charset.len ||
		prim_slice_eq_nocase(charset, PRIM_SLICE("utf-8")) ||
		prim_slice_eq_nocase(charset, PRIM_SLICE("us-ascii")));
}

/* Is it written as it is? */
static bool is_plain(struct prim_slice encoding)
{
	return !encoding.len ||
	    prim_slice_eq_nocase(encoding, PRIM_SLICE("7bit")) ||
	    prim_slice_eq_nocase(encoding, PRIM_SLICE("8bit")) ||
	    prim_slice_eq_nocase(encoding, PRIM_SLICE("binary"));
}

static enum br_service_reading read_cpim(struct prim_slice body,
    struct prim_slice *out_text)
{
	static struct prim_cpim cpim; /* large; the loop's only */

	if (!prim_cpim_parse(body, &cpim, NULL) ||
	    !prim_cpim_require_met(&cpim, prim_cpim_core, PRIM_CPIM_CORE_COUNT,
		NULL))
		return BR_SERVICE_NO_TEXT;
	if (cpim_is_automatic(&cpim))
		return BR_SERVICE_AUTOMATIC;
	if (!is_text(prim_cpim_content_header(&cpim, "Content-type")) ||
	    !is_plain(prim_cpim_content_header(&cpim,
		"Content-Transfer-Encoding")))
		return BR_SERVICE_NO_TEXT;
	*out_text = cpim.content;
	return BR_SERVICE_LINE;
}

static enum br_service_reading read_text(const struct br_message *m,
    struct prim_slice *out_text)
{
	static struct prim_command c; /* large; the loop's only */
	struct prim_imdn_request asked;
	struct prim_slice type;

	if (is_automaton(m->sender) || m->hops > BR_SERVICE_HOPS_MAX)
		return BR_SERVICE_AUTOMATIC;
	if (!prim_command_lines(m->lines, &c))
		return BR_SERVICE_NO_TEXT;
	type = prim_command_get(&c, PRIM_HEADER_CONTENT_TYPE);
	prim_imdn_request_read(type, m->body, &asked);
	if (asked.is_notice || head_is_automatic(&c))
		return BR_SERVICE_AUTOMATIC;
	if (prim_cpim_type_is(type, "message/cpim"))
		return read_cpim(m->body, out_text);
	*out_text = m->body;
	return is_text(type) ? BR_SERVICE_LINE : BR_SERVICE_NO_TEXT;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

enum br_service_reading br_service_read(const struct br_message *m,
    struct prim_slice *out_line)
{
	struct prim_slice text = PRIM_SLICE_NONE;
	enum br_service_reading reading = read_text(m, &text);
	size_t len = 0;

	if (reading != BR_SERVICE_LINE)
		return reading;
	if (!prim_utf8_ok(text))
		return BR_SERVICE_NO_TEXT;
	while (text.len && is_blank(*text.ptr))
		text = prim_slice_from(text, 1);
	while (len < text.len && text.ptr[len] != '\r' && text.ptr[len] != '\n')
		len++;
	if (len > BR_SERVICE_LINE_MAX)
		return BR_SERVICE_LONG;
	*out_line = prim_slice_trim(prim_slice_make(text.ptr, len));
	return BR_SERVICE_LINE;
}

struct prim_slice br_service_word(struct prim_slice *rest)
{
	size_t len = 0;
	struct prim_slice word;

	while (rest->len && (is_blank(*rest->ptr) || *rest->ptr == ','))
		*rest = prim_slice_from(*rest, 1);
	while (len < rest->len && !is_blank(rest->ptr[len]) &&
	    rest->ptr[len] != ',')
		len++;
	word = prim_slice_make(rest->ptr, len);
	*rest = prim_slice_from(*rest, len);
	return word;
}

/* ---- addresses ---- */

static void strip_scheme(struct prim_slice *word)
{
	static const char *const SCHEMES[] = { "im:", "pres:", "xmpp:",
		"mailto:" };

	for (size_t i = 0; i < PRIM_COUNT(SCHEMES); i++) {
		struct prim_slice scheme = prim_slice_of(SCHEMES[i]);

		if (word->len < scheme.len ||
		    !prim_slice_eq_nocase(scheme,
			prim_slice_make(word->ptr, scheme.len)))
			continue;
		*word = prim_slice_from(*word, scheme.len);
		return;
	}
}

/* What has to be escaped and is not: "rené@example.org". */
static bool parse_escaped(struct prim_slice local, struct prim_slice domain,
    struct prim_key *out)
{
	struct prim_buf text = { 0 };
	struct prim_address address;
	bool fine;

	prim_address_escape(&text, local);
	prim_buf_putc(&text, '@');
	prim_buf_put(&text, domain);
	fine = prim_address_parse_bare(prim_buf_slice(&text), &address);
	if (fine)
		prim_address_key(&address, out);
	prim_buf_fini(&text);
	return fine;
}

bool br_service_address(struct prim_slice word, struct prim_key *out)
{
	struct prim_slice local, domain;
	struct prim_address address;
	ptrdiff_t at;
	size_t len = 0;

	if (word.len > 2 && word.ptr[0] == '<' && word.ptr[word.len - 1] == '>')
		word = prim_slice_make(word.ptr + 1, word.len - 2);
	strip_scheme(&word);
	at = prim_slice_find(word, '@');
	if (at < 0)
		return false;
	local = prim_slice_make(word.ptr, (size_t)at);
	domain = prim_slice_from(word, (size_t)at + 1);
	/* A resource, or what belongs to a URI. */
	while (len < domain.len && !strchr("/?#;", domain.ptr[len]))
		len++;
	domain.len = len;
	word.len = (size_t)at + 1 + len;
	if (!prim_address_parse_bare(word, &address))
		return prim_slice_find(local, '%') < 0 &&
		    parse_escaped(local, domain, out);
	prim_address_key(&address, out);
	return true;
}
