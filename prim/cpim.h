/* SPDX-License-Identifier: ISC */
#ifndef PRIM_CPIM_H
#define PRIM_CPIM_H

/*
 * message/cpim (RFC 3862), the object without its outer MIME headers: message
 * headers, empty line, MIME content headers, empty line, content.
 *
 * Parsing borrows from the octets it is given and changes nothing: an object
 * that is relayed is relayed as it came (CPIM-074, CPIM-075). Building writes
 * exactly what RFC 3862 prescribes for generators.
 */

#include "prim/address.h"
#include "prim/buf.h"
#include "prim/slice.h"

#define PRIM_CPIM_HEADERS_MAX         128 /* message headers; more: refused */
#define PRIM_CPIM_CONTENT_HEADERS_MAX 64
#define PRIM_CPIM_LINE_MAX            16384 /* octets of a header line */
#define PRIM_CPIM_CORE                "urn:ietf:params:cpim-headers:"
#define PRIM_CPIM_IMDN                "urn:ietf:params:imdn"
#define PRIM_CPIM_PRIM                "http://www.fujitsulabs.com/prim/"

/* One message header. Values are still escaped: prim_cpim_unescape(). */
struct prim_cpim_header {
	struct prim_slice uri;  /* borrowed: its namespace, CORE by default */
	struct prim_slice name; /* borrowed: without prefix; exact (CPIM-054) */
	struct prim_slice lang; /* borrowed: ;lang=, or empty (i-default) */
	struct prim_slice value; /* borrowed */
};

struct prim_cpim_content_header {
	struct prim_slice name;  /* borrowed */
	struct prim_slice value; /* borrowed; if folded, with its CRLFs */
};

struct prim_cpim {
	unsigned header_count;
	struct prim_cpim_header headers[PRIM_CPIM_HEADERS_MAX];
	unsigned content_header_count;
	struct prim_cpim_content_header
	    content_headers[PRIM_CPIM_CONTENT_HEADERS_MAX];
	struct prim_slice content; /* borrowed: to the end of the object */
};

/* Takes an object apart. False when it is not a message/cpim object, or one
 * without From, To and DateTime (CPIM-080), or one of those or cc malformed;
 * then `out_why` (may be NULL) is a static sentence that says what is wrong. */
bool prim_cpim_parse(struct prim_slice object, struct prim_cpim *out,
    const char **out_why);

/* The first header `name` of namespace `uri`, or NULL. */
const struct prim_cpim_header *prim_cpim_find(const struct prim_cpim *c,
    const char *uri, const char *name);

/* The content header `name` (ASCII case-insensitive) or the empty slice. */
struct prim_slice prim_cpim_content_header(const struct prim_cpim *c,
    const char *name);

/* A header that somebody knows. */
struct prim_cpim_known {
	const char *uri;
	const char *name;
};

/* All core headers, for who can show a whole message. */
#define PRIM_CPIM_CORE_COUNT 7
extern const struct prim_cpim_known prim_cpim_core[PRIM_CPIM_CORE_COUNT];

/* Does every name that a Require header lists (CPIM-067) appear in `known`?
 * True without Require. `out_name` (may be NULL) is the first that does not. */
bool prim_cpim_require_met(const struct prim_cpim *c,
    const struct prim_cpim_known *known, size_t known_count,
    struct prim_slice *out_name);

/* From, To, cc values: [Formal-name] "<" URI ">" (CPIM-069). `out_name` is
 * still escaped and without its quotes; empty when absent. The URI has a scheme
 * and only visible ASCII. */
bool prim_cpim_mailbox(struct prim_slice value, struct prim_slice *out_name,
    struct prim_slice *out_uri);

/* Is `lang` a language tag (RFC 3066)? */
bool prim_cpim_lang_ok(struct prim_slice lang);

/* Appends the text that an escaped value stands for (CPIM-060..062). False on
 * an unpaired surrogate or a \u without four digits. */
bool prim_cpim_unescape(struct prim_buf *b, struct prim_slice value);

/*
 * Building: headers in order, then prim_cpim_put_content(), which ends the
 * message headers, then the content octets themselves.
 */

/* "Name: value" with the value escaped as CPIM-060 says. `name` with prefix
 * where it has one. `lang` may be empty; one that is no tag is left out. The
 * value may hold any UTF-8. */
void prim_cpim_put_text(struct prim_buf *b, const char *name,
    struct prim_slice lang, struct prim_slice value);
/* "From: <im:...>", or with a quoted formal name when `formal` is not empty. */
void prim_cpim_put_mailbox(struct prim_buf *b, const char *name,
    struct prim_slice formal, struct prim_slice uri);
/* "NS: prefix <uri>". */
void prim_cpim_put_namespace(struct prim_buf *b, const char *prefix,
    const char *uri);
/* The empty line, "Content-type: ..." (and "Content-Language: ..." when
 * `language` is not empty), the empty line. */
void prim_cpim_put_content(struct prim_buf *b, struct prim_slice content_type,
    struct prim_slice language);

/* Is a Content-Type value the media type `type` ("message/cpim"), whatever its
 * case and parameters (CPIM-048)? */
bool prim_cpim_type_is(struct prim_slice content_type, const char *type);
/* The parameter `name` of a Content-Type value, unquoted when it is a simple
 * quoted string; or the empty slice. */
struct prim_slice prim_cpim_type_parameter(struct prim_slice content_type,
    const char *name);

#endif
