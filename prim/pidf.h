/* SPDX-License-Identifier: ISC */
#ifndef PRIM_PIDF_H
#define PRIM_PIDF_H

/*
 * Presence documents as data: PIDF (RFC 3863) with the part of RPID (RFC 4480)
 * that instant messengers have, and the drafts' own format (D1 15, D2 14), both
 * read into one model and written from it.
 *
 * Reading is bounded before it spends: octets by the caller, everything else by
 * the constants here. A DOCTYPE is refused at once, so no entity is ever
 * expanded (PRIM-271); external things are never looked at. What the model has
 * no place for is passed over with all its content (CPIM-095), also what
 * mustUnderstand makes void (CPIM-096). A document over a bound is refused, not
 * cut.
 */

#include <stdbool.h>
#include <stdint.h>

#include "prim/buf.h"
#include "prim/slice.h"
#include "prim/xml.h"

#define PRIM_PIDF_TUPLES_MAX   64
#define PRIM_PIDF_NOTES_MAX    32 /* in a tuple, and beside the tuples */
#define PRIM_PIDF_DEPTH_MAX    32
#define PRIM_PIDF_ELEMENTS_MAX 4096

enum prim_basic {
	PRIM_BASIC_NONE, /* there is no <basic/> */
	PRIM_BASIC_OPEN,
	PRIM_BASIC_CLOSED,
};

/* "open", "closed" or "unknown". */
const char *prim_basic_name(enum prim_basic basic);

/* RPID activities (RFC 4480 3.2). Bits. */
enum prim_activity {
	PRIM_ACTIVITY_AWAY = 1 << 0, /* also what means it: appointment,
	    breakfast, lunch, dinner, meal, in-transit, travel, shopping,
	    spectator, tv, playing (spec/xmpp.md 4.3) */
	PRIM_ACTIVITY_XA = 1 << 1,   /* vacation, holiday, sleeping,
	    permanent-absence */
	PRIM_ACTIVITY_BUSY = 1 << 2, /* busy, meeting, on-the-phone,
	    presentation, performance, steering, worship */
};

struct prim_pidf_note {
	struct prim_slice
	    language;           /* xml:lang, its own or inherited; or empty */
	struct prim_slice text; /* never empty */
};

#define PRIM_PIDF_NO_TIME     INT64_MIN
#define PRIM_PIDF_NO_PRIORITY (-1)

struct prim_pidf_tuple {
	struct prim_slice id; /* of the tuple: not empty */
	enum prim_basic basic;
	bool has_status;        /* <status/> has any child */
	struct prim_slice show; /* <show xmlns='jabber:client'/> in <status/>,
	                           else what pidf:im says as away or dnd; or
	                           empty. Not checked further. */
	struct prim_slice contact; /* without blanks around it; or empty */
	int priority; /* of the contact, thousandths 0..1000, or NO_PRIORITY;
	                 out of range or ill-formed counts as missing */
	unsigned activities;   /* RPID, in the tuple */
	bool is_idle;          /* RPID user-input says idle */
	int64_t idle_since_ms; /* its last-input, or NO_TIME */
	int64_t timestamp_ms;  /* or NO_TIME */
	unsigned note_count;
	struct prim_pidf_note notes[PRIM_PIDF_NOTES_MAX];
};

struct prim_pidf {
	struct prim_slice entity; /* the presentity, as spelled; the drafts'
	                             format may leave it empty */
	unsigned activities;      /* RPID person */
	bool is_idle;             /* RPID person's user-input */
	int64_t idle_since_ms;
	unsigned note_count; /* beside the tuples, and of RPID person */
	struct prim_pidf_note notes[PRIM_PIDF_NOTES_MAX];
	unsigned tuple_count;
	struct prim_pidf_tuple tuples[PRIM_PIDF_TUPLES_MAX];
	struct prim_buf text; /* owned: what the slices above borrow from */
};

/* A large struct: make one and use it again. All zero is a fresh one. */
void prim_pidf_fini(struct prim_pidf *p);

enum prim_presence_type {
	PRIM_PRESENCE_OTHER,   /* nothing we read */
	PRIM_PRESENCE_PIDF,    /* application/pidf+xml, cpim-pidf+xml */
	PRIM_PRESENCE_NATIVE,  /* application/presence */
	PRIM_PRESENCE_MIXED,   /* multipart/mixed */
	PRIM_PRESENCE_CPIM,    /* message/cpim */
	PRIM_PRESENCE_SECURED, /* multipart/signed, multipart/encrypted,
	                          application/pkcs7-mime: opaque */
};

/* What a Content-Type says, without regard to case and parameters. */
enum prim_presence_type prim_presence_type_of(struct prim_slice content_type);

/* Reads a document of RFC 3863, of its drafts, -01 among them (A.5: priority
 * and status spelled differently), under any of their namespaces
 * (CPIM-081..098). False with a static English sentence in `*why` (may be
 * NULL): not well-formed, a DOCTYPE, another root or namespace, no entity, two
 * equal tuple ids, a <basic/> that is neither open nor closed, over a bound. */
bool prim_pidf_parse(struct prim_pidf *p, struct prim_slice xml,
    const char **why);

/* The same for the drafts' own format (application/presence), in either
 * spelling (ERR-109). Its single tuple has the id `tuple_id`; preference
 * becomes a priority of 1000 for one contact; status/@detail and presentity/
 * note become notes. False: as above. */
bool prim_native_parse(struct prim_pidf *p, struct prim_slice xml,
    struct prim_slice tuple_id, const char **why);

/* Reads whatever `content_type` says: PIDF, native, multipart/mixed of those
 * (tuples of all parts; a part's Tuple-ID header names a native one),
 * message/cpim around any of them. An empty body is a document without tuples.
 * False: as above, or a type that is none of these. `tuple_id` names a native
 * document that has no name of its own. */
bool prim_presence_parse(struct prim_pidf *p, struct prim_slice content_type,
    struct prim_slice body, struct prim_slice tuple_id, const char **why);

/* Appends `p` as application/pidf+xml: XML declaration, UTF-8, elements in the
 * order of the schema. An id that is no NCName is made one, uniquely and always
 * the same way. Activities, idle times and show are written as spec/xmpp.md 4.3
 * has them (AWAY: away, XA: away, BUSY: busy). Text that XML cannot hold is not
 * in a model that was parsed; a model made otherwise is checked by its maker
 * with prim_xml_text_ok(). */
void prim_pidf_put(struct prim_buf *b, const struct prim_pidf *p);

/* Appends tuple `t` of `entity` as application/presence. */
void prim_native_put(struct prim_buf *b, struct prim_slice entity,
    const struct prim_pidf_tuple *t);

#endif
