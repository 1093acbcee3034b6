/* SPDX-License-Identifier: ISC */
#ifndef XA_PRESENCE_PRIVATE_H
#define XA_PRESENCE_PRIVATE_H

/*
 * What the files of presence share: presence.c (what is known),
 * presence_map.c (words, numbers and names of both worlds), presence_read.c
 * and presence_stanza.c (XMPP), presence_pidf.c and presence_from.c (PRIM).
 */

#include "adapters/xmpp/presence.h"

#define XA_NS_IDLE "urn:xmpp:idle:1"

/* ---- presence.c ---- */

/* "" for the bare JID. */
struct prim_slice xa_presence_name(const struct xa_presence *p);
const struct xa_presence *xa_presences_find(const struct xa_presences *all,
    struct prim_slice resource);

/* Adds `p` (which is empty afterwards), whose resource is not in `all`. False:
 * `p` was not worth the place of another and is forgotten. */
bool xa_presences_add(struct xa_presences *all, struct xa_presence *p);

/* Forgets that everything is unavailable, if that is said. True: a text went
 * with it. */
bool xa_presences_drop_cleared(struct xa_presences *all);

/* Adds a status text, cut where it is too long. One that no stanza can carry
 * (empty, no XML, an odd language), a second one of its language and one too
 * many are left out. */
void xa_presence_add_status(struct xa_presence *p, struct prim_slice language,
    struct prim_slice text);

/* ---- presence_map.c ---- */

/* The word for `show`; "" for none. */
const char *xa_presence_map_word(enum xa_show show);
/* Is there such a show? The empty word is none. */
bool xa_presence_map_show(struct prim_slice word, enum xa_show *out_show);

/* What RPID has for `show` (spec/xmpp.md 4.3), and back. */
unsigned xa_presence_map_activity(enum xa_show show);
enum xa_show xa_presence_map_activities(unsigned activities);

/* A priority of 0..127 in thousandths, and back (spec/xmpp.md 4.4). */
int xa_presence_map_thousandths(int priority);
int xa_presence_map_priority(int thousandths);

/* The id of the tuple that stands for a resource (spec/xmpp.md 2.5). The bare
 * JID is "ID-". */
#define XA_TUPLE_ID_PREFIX "ID-"
#define XA_TUPLE_ID_MORE   32 /* octets it is longer at most */
void xa_presence_map_put_id(struct prim_buf *b, struct prim_slice resource);
/* Does `id` say that it is one of those? */
bool xa_presence_map_is_ours(struct prim_slice id);

/* Appends `name` if it may be a resource (RFC 7622 3.4), else what stands for
 * it: always the same, and of no other name. */
void xa_presence_map_put_resource(struct prim_buf *b, struct prim_slice name);
/* Appends what stands for `name` in any case. */
void xa_presence_map_put_alias(struct prim_buf *b, struct prim_slice name);

#endif
