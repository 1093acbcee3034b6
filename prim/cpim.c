/* SPDX-License-Identifier: ISC */
/* Taking message/cpim objects apart. */

#include "prim/cpim.h"

#include <string.h>

#include "prim/date.h"
#include "prim/octet.h"
#include "prim/scan.h"
#include "prim/utf8.h"

static const struct prim_slice CORE = { .ptr = PRIM_CPIM_CORE,
	.len = sizeof(PRIM_CPIM_CORE) - 1 };

/* CPIM-057. */
static bool is_name_char(char c)
{
	return prim_octet_is_alnum(c) ||
	    (c != '\0' && strchr("!#$%&'*+-^_`|~", c));
}

static bool is_token_char(char c)
{
	return is_name_char(c) || c == '.' || (unsigned char)c >= 0x80;
}

static bool name_ok(struct prim_slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		if (!is_name_char(name.ptr[i]))
			return false;
	}
	return name.len > 0;
}

/*
 * Namespaces. They are not kept beside the headers but found in the NS headers
 * that stand before a place, the nearest first.
 */

/* "[prefix [SP]] <uri>" (CPIM-064, CPIM-065). */
static bool parse_ns(struct prim_slice value, struct prim_slice *out_prefix,
    struct prim_slice *out_uri)
{
	return value.len && value.ptr[0] != '"' &&
	    prim_cpim_mailbox(value, out_prefix, out_uri) &&
	    (out_prefix->len == 0 || name_ok(*out_prefix)) &&
	    prim_slice_find(*out_uri, '#') < 0;
}

static bool is_core(const struct prim_cpim_header *h, struct prim_slice name)
{
	return prim_slice_eq(h->name, name) && prim_slice_eq(h->uri, CORE);
}

/* What `prefix` (empty for none) means behind the first `count` headers. */
static bool find_namespace(const struct prim_cpim *c, unsigned count,
    struct prim_slice prefix, struct prim_slice *out_uri)
{
	struct prim_slice bound, uri;

	for (unsigned i = count; i > 0; i--) {
		const struct prim_cpim_header *h = &c->headers[i - 1];

		if (is_core(h, PRIM_SLICE("NS")) &&
		    parse_ns(h->value, &bound, &uri) &&
		    prim_slice_eq(bound, prefix)) {
			*out_uri = uri;
			return true;
		}
	}
	*out_uri = CORE;
	return prefix.len == 0;
}

/* Splits "[prefix.]name" and looks the prefix up. CPIM-068: NS and Require are
 * ours whatever the default namespace is. */
static bool expand(const struct prim_cpim *c, unsigned count,
    struct prim_slice full, struct prim_cpim_header *out)
{
	ptrdiff_t dot = prim_slice_find(full, '.');
	struct prim_slice prefix = prim_slice_make(full.ptr, 0);

	out->name = full;
	if (dot >= 0) {
		prefix.len = (size_t)dot;
		out->name = prim_slice_from(full, (size_t)dot + 1);
		if (!name_ok(prefix))
			return false;
	}
	if (!name_ok(out->name))
		return false;
	if (dot < 0 &&
	    (prim_slice_eq(full, PRIM_SLICE("NS")) ||
		prim_slice_eq(full, PRIM_SLICE("Require")))) {
		out->uri = CORE;
		return true;
	}
	return find_namespace(c, count, prefix, &out->uri);
}

/*
 * Message headers.
 */

/* The length of the quoted string at the front of `s`, or 0. */
static size_t string_len(struct prim_slice s)
{
	for (size_t i = 1; i < s.len; i++) {
		if (s.ptr[i] == '\\')
			i++;
		else if (s.ptr[i] == '"')
			return i + 1;
	}
	return 0;
}

static size_t token_len(struct prim_slice s)
{
	size_t len = 0;

	while (len < s.len && is_token_char(s.ptr[len]))
		len++;
	return len;
}

/* Takes *( ";" Parameter ) off the front of `rest`. The first lang counts. */
static bool take_parameters(struct prim_slice *rest,
    struct prim_slice *out_lang)
{
	*out_lang = PRIM_SLICE_NONE;
	while (rest->len && rest->ptr[0] == ';') {
		struct prim_slice name, value;
		size_t len;

		*rest = prim_slice_from(*rest, 1);
		name = prim_slice_cut(rest, '=');
		if (!name_ok(name) || rest->len == 0)
			return false;
		len = rest->ptr[0] == '"' ? string_len(*rest)
					  : token_len(*rest);
		value = prim_slice_make(rest->ptr, len);
		if (len == 0)
			return false;
		*rest = prim_slice_from(*rest, len);
		if (!prim_slice_eq(name, PRIM_SLICE("lang")))
			continue;
		if (!prim_cpim_lang_ok(value))
			return false;
		if (out_lang->len == 0)
			*out_lang = value;
	}
	return true;
}

/* Behind the parameters: exactly one SP, then the value (CPIM-052). */
static bool take_value(struct prim_slice rest, struct prim_slice *out_value)
{
	if (rest.len == 0 || rest.ptr[0] != ' ')
		return false;
	rest.ptr++;
	rest.len--;
	*out_value = rest;
	return rest.len == 0 ||
	    (rest.ptr[0] != ' ' && rest.ptr[rest.len - 1] != ' ');
}

/* NULL, or what is wrong with the line. */
static const char *add_header(struct prim_cpim *c, struct prim_slice line)
{
	struct prim_cpim_header *h = &c->headers[c->header_count];
	struct prim_slice prefix, uri, full, rest = line;

	if (line.len > PRIM_CPIM_LINE_MAX)
		return "a header line is too long";
	if (prim_slice_find(line, '\t') >= 0)
		return "a message header has a control character";
	if (prim_slice_find(line, ':') < 0)
		return "a message header has no colon";
	full = prim_slice_cut(&rest, ':');
	if (!take_parameters(&rest, &h->lang))
		return "a message header has a bad parameter";
	if (!take_value(rest, &h->value))
		return "a message header has blanks in the wrong places";
	if (c->header_count == PRIM_CPIM_HEADERS_MAX)
		return "there are too many message headers";
	if (!expand(c, c->header_count, full, h))
		return "a message header has a bad name";
	if (is_core(h, PRIM_SLICE("NS")) && !parse_ns(h->value, &prefix, &uri))
		return "a namespace is badly declared";
	c->header_count++;
	return NULL;
}

/* CPIM-069..071: the headers whose values everybody needs. */
static const char *check_header(const struct prim_cpim_header *h)
{
	struct prim_slice name, uri;
	int64_t ms;

	if (is_core(h, PRIM_SLICE("DateTime")))
		return prim_date_parse_3339(h->value, &ms)
		    ? NULL
		    : "DateTime is no date";
	if (is_core(h, PRIM_SLICE("From")) || is_core(h, PRIM_SLICE("To")) ||
	    is_core(h, PRIM_SLICE("cc")))
		return prim_cpim_mailbox(h->value, &name, &uri)
		    ? NULL
		    : "an address is malformed";
	return NULL;
}

/* CPIM-080. */
static const char *check_headers(const struct prim_cpim *c)
{
	for (unsigned i = 0; i < c->header_count; i++) {
		const char *why = check_header(&c->headers[i]);

		if (why)
			return why;
	}
	if (!prim_cpim_find(c, PRIM_CPIM_CORE, "From"))
		return "there is no From";
	if (!prim_cpim_find(c, PRIM_CPIM_CORE, "To"))
		return "there is no To";
	if (!prim_cpim_find(c, PRIM_CPIM_CORE, "DateTime"))
		return "there is no DateTime";
	return NULL;
}

/*
 * Content headers: MIME, so they may be folded.
 */

static const char *add_content_header(struct prim_cpim *c,
    struct prim_slice line)
{
	struct prim_cpim_content_header *h;
	struct prim_slice value = line;

	if (line.len > PRIM_CPIM_LINE_MAX)
		return "a header line is too long";
	if (line.ptr[0] == ' ' || line.ptr[0] == '\t') {
		if (c->content_header_count == 0)
			return "the content headers begin with a blank";
		h = &c->content_headers[c->content_header_count - 1];
		h->value.len = (size_t)(line.ptr + line.len - h->value.ptr);
		return NULL;
	}
	if (c->content_header_count == PRIM_CPIM_CONTENT_HEADERS_MAX)
		return "there are too many content headers";
	if (prim_slice_find(line, ':') < 0)
		return "a content header has no colon";
	h = &c->content_headers[c->content_header_count++];
	h->name = prim_slice_cut(&value, ':');
	h->value = prim_slice_make(h->name.ptr + h->name.len + 1, value.len);
	h->value = prim_slice_trim(h->value);
	return name_ok(h->name) ? NULL : "a content header has a bad name";
}

/* IMDN-032: what stands without the empty line before the content headers, as
 * in the examples of RFC 5438. */
static const char CONTENT_BEGINS[] = "the content headers begin";

static const char *add_header_tolerantly(struct prim_cpim *c,
    struct prim_slice line)
{
	struct prim_slice prefix = PRIM_SLICE("Content-");
	const char *why;

	if (line.len < prefix.len ||
	    !prim_slice_eq_nocase(prim_slice_make(line.ptr, prefix.len),
		prefix))
		return add_header(c, line);
	why = add_content_header(c, line);
	return why ? why : CONTENT_BEGINS;
}

/* One of the two blocks of headers, up to its empty line. */
typedef const char *(*add_fn)(struct prim_cpim *c, struct prim_slice line);

static const char *parse_block(struct prim_scan *s, struct prim_cpim *c,
    add_fn add)
{
	const char *why = NULL;
	struct prim_slice line;

	while (!why) {
		switch (prim_scan_line(s, &line)) {
		case PRIM_SCAN_LINE:
			if (line.len == 0)
				return NULL;
			why = add(c, line);
			break;
		case PRIM_SCAN_MORE:
			why = "it ends before its content";
			break;
		case PRIM_SCAN_BROKEN:
			why = "a header line does not end in CRLF";
			break;
		}
	}
	return why;
}

static const char *parse(struct prim_slice object, add_fn add,
    struct prim_cpim *c)
{
	struct prim_scan s;
	const char *why;

	c->header_count = 0;
	c->content_header_count = 0;
	prim_scan_init(&s, object);
	why = parse_block(&s, c, add);
	if (!why || why == CONTENT_BEGINS)
		why = check_headers(c);
	if (!why)
		why = parse_block(&s, c, add_content_header);
	if (why)
		return why;
	if (s.has_control)
		return "a header has a control character";
	if (s.has_high && !prim_utf8_ok(prim_slice_make(object.ptr, s.at)))
		return "the headers are not UTF-8";
	if (prim_cpim_content_header(c, "Content-Type").len == 0)
		return "there is no Content-Type";
	c->content = prim_slice_from(object, s.at);
	return NULL;
}

bool prim_cpim_parse(struct prim_slice object, struct prim_cpim *out,
    const char **out_why)
{
	const char *why = object.len ? parse(object, add_header, out)
				     : "it is empty";

	if (why && object.len && !parse(object, add_header_tolerantly, out))
		return true;
	if (why && out_why)
		*out_why = why;
	return !why;
}

const struct prim_cpim_header *prim_cpim_find(const struct prim_cpim *c,
    const char *uri, const char *name)
{
	for (unsigned i = 0; i < c->header_count; i++) {
		const struct prim_cpim_header *h = &c->headers[i];

		if (prim_slice_eq(h->name, prim_slice_of(name)) &&
		    prim_slice_eq(h->uri, prim_slice_of(uri)))
			return h;
	}
	return NULL;
}

struct prim_slice prim_cpim_content_header(const struct prim_cpim *c,
    const char *name)
{
	for (unsigned i = 0; i < c->content_header_count; i++) {
		const struct prim_cpim_content_header *h =
		    &c->content_headers[i];

		if (prim_slice_eq_nocase(h->name, prim_slice_of(name)))
			return h->value;
	}
	return PRIM_SLICE_NONE;
}

const struct prim_cpim_known prim_cpim_core[PRIM_CPIM_CORE_COUNT] = {
	{PRIM_CPIM_CORE,  "From"    },
	{ PRIM_CPIM_CORE, "To"      },
	{ PRIM_CPIM_CORE, "cc"      },
	{ PRIM_CPIM_CORE, "DateTime"},
	{ PRIM_CPIM_CORE, "Subject" },
	{ PRIM_CPIM_CORE, "NS"      },
	{ PRIM_CPIM_CORE, "Require" },
};

static bool is_known(const struct prim_cpim_header *h,
    const struct prim_cpim_known *known, size_t known_count)
{
	for (size_t i = 0; i < known_count; i++) {
		if (prim_slice_eq(h->name, prim_slice_of(known[i].name)) &&
		    prim_slice_eq(h->uri, prim_slice_of(known[i].uri)))
			return true;
	}
	return false;
}

bool prim_cpim_require_met(const struct prim_cpim *c,
    const struct prim_cpim_known *known, size_t known_count,
    struct prim_slice *out_name)
{
	for (unsigned i = 0; i < c->header_count; i++) {
		struct prim_slice rest = c->headers[i].value;
		struct prim_cpim_header wanted;

		if (!is_core(&c->headers[i], PRIM_SLICE("Require")))
			continue;
		while (rest.len) {
			struct prim_slice full =
			    prim_slice_trim(prim_slice_cut(&rest, ','));

			if (expand(c, i, full, &wanted) &&
			    is_known(&wanted, known, known_count))
				continue;
			if (out_name)
				*out_name = full;
			return false;
		}
	}
	return true;
}
