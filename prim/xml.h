/* SPDX-License-Identifier: ISC */
#ifndef PRIM_XML_H
#define PRIM_XML_H

/*
 * XML in and out: whole documents of a peer, read with namespaces and within
 * bounds, and text made fit for a document of ours. It refuses to know what a
 * document means. Only xml.c knows the library that reads.
 *
 * A DOCTYPE ends the reading where it begins: no entity is declared, none
 * expanded, nothing external looked at (PRIM-271). UTF-8, US-ASCII, ISO-8859-1
 * and UTF-16 are read; what comes out is UTF-8 always, and at most twice as
 * long as the document.
 */

#include <stdbool.h>

#include "prim/buf.h"
#include "prim/slice.h"

#define PRIM_XML_NS "http://www.w3.org/XML/1998/namespace" /* xml:lang */

/* What begins. Everything borrowed until the callback returns. */
struct prim_xml_element {
	struct prim_slice ns; /* empty: in no namespace */
	struct prim_slice name;
	const char **attributes; /* see prim_xml_attribute() */
};

struct prim_xml_bounds {
	unsigned depth;    /* elements in each other */
	unsigned elements; /* altogether */
};

/* What is found, in order. Each returns NULL to go on, or a static sentence
 * that ends the reading. Text comes in pieces. */
struct prim_xml_ops {
	const char *(*start)(void *ctx, const struct prim_xml_element *e);
	const char *(*text)(void *ctx, struct prim_slice text);
	const char *(*end)(void *ctx);
};

/* Reads the document `xml`. NULL, or a static English sentence about what is
 * wrong with it; `ops` has then seen what comes before that. */
const char *prim_xml_parse(struct prim_slice xml,
    const struct prim_xml_bounds *bounds, const struct prim_xml_ops *ops,
    void *ctx);

/* The value of attribute `name` in the namespace `ns`; NULL means in none. */
bool prim_xml_attribute(const struct prim_xml_element *e, const char *ns,
    const char *name, struct prim_slice *out_value);

/* `s` without the blanks of XML (SP, TAB, CR, LF) at both ends. */
struct prim_slice prim_xml_trim(struct prim_slice s);

/* Can XML 1.0 hold `text`: UTF-8, no control but TAB, LF and CR, no surrogate,
 * no U+FFFE and U+FFFF? */
bool prim_xml_text_ok(struct prim_slice text);

/* Is `s` a name without a colon, as an xs:ID has to be? */
bool prim_xml_ncname_ok(struct prim_slice s);

/* Appends `text`, which is prim_xml_text_ok(), so that a reader gets exactly
 * that. */
void prim_xml_put_text(struct prim_buf *b, struct prim_slice text);
/* Appends ` name="value"`. */
void prim_xml_put_attribute(struct prim_buf *b, const char *name,
    struct prim_slice value);
/* Appends `<name>text</name>`, or `<name/>` when there is no text. */
void prim_xml_put_element(struct prim_buf *b, const char *name,
    struct prim_slice text);

#endif
