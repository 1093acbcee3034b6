/* SPDX-License-Identifier: ISC */
#ifndef PRIM_PIDF_WORDS_H
#define PRIM_PIDF_WORDS_H

/*
 * The vocabulary of PIDF, its drafts and what extends it: which element is
 * what where, and what the short values mean. Nothing here holds a state.
 */

#include "prim/pidf.h"
#include "prim/xml.h"

/* What an element is. From PERSON on they are extensions, which something in
 * them can make void (CPIM-096). */
enum prim_pidf_kind {
	PRIM_PIDF_IGNORED, /* and all in it (CPIM-095) */
	PRIM_PIDF_DOCUMENT,
	PRIM_PIDF_PRESENTITY,
	PRIM_PIDF_TUPLE,
	PRIM_PIDF_STATUS,
	PRIM_PIDF_BASIC,
	PRIM_PIDF_CONTACT,
	PRIM_PIDF_NOTE,
	PRIM_PIDF_TIMESTAMP,
	PRIM_PIDF_PERSON,
	PRIM_PIDF_PERSON_NOTE,
	PRIM_PIDF_ACTIVITIES,
	PRIM_PIDF_ACTIVITIES_NOTE,
	PRIM_PIDF_ACTIVITY,
	PRIM_PIDF_USER_INPUT,
	PRIM_PIDF_SHOW,
	PRIM_PIDF_IM,
	PRIM_PIDF_KIND_COUNT,
};

/* Which text a document follows. */
enum prim_pidf_dialect {
	PRIM_PIDF_FIRST = 1 << 0, /* draft-ietf-impp-cpim-pidf-01 */
	PRIM_PIDF_CPIM = 1 << 1,  /* -05 */
	PRIM_PIDF_RFC = 1 << 2,   /* RFC 3863 */
};

struct prim_pidf_space {
	const char *ns;
	enum prim_pidf_dialect dialect;
};

#define PRIM_PIDF_NS       "urn:ietf:params:xml:ns:pidf"
#define PRIM_PIDF_NS_MODEL "urn:ietf:params:xml:ns:pidf:data-model"
#define PRIM_PIDF_NS_RPID  "urn:ietf:params:xml:ns:pidf:rpid"
#define PRIM_PIDF_NS_SHOW  "jabber:client"

/* Of a root element; NULL when it is no presence document. */
const struct prim_pidf_space *
prim_pidf_space_of(const struct prim_xml_element *e);

enum prim_pidf_kind prim_pidf_kind_of(const struct prim_pidf_space *space,
    enum prim_pidf_kind parent, const struct prim_xml_element *e);

/* Does `e` say that it must be understood? */
bool prim_pidf_must(const struct prim_pidf_space *space,
    const struct prim_xml_element *e);

/* The values of contact/@priority and <basic/>; NO_PRIORITY and NONE for what
 * is neither. */
int prim_pidf_priority(const struct prim_pidf_space *space,
    struct prim_slice value);
enum prim_basic prim_pidf_basic(const struct prim_pidf_space *space,
    struct prim_slice value);

/* What pidf:im says, as XMPP shows it; or empty. Never longer than `value`. */
struct prim_slice prim_pidf_im(struct prim_slice value);

#endif
