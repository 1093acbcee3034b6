/* SPDX-License-Identifier: ISC */
#ifndef XA_PRESENCE_H
#define XA_PRESENCE_H

/*
 * Presence, as XMPP has it (a state for every resource) and as PRIM has it (a
 * document with a tuple for each), and the way between them without loss: what
 * came from XMPP and goes back to XMPP is the same. Pure.
 */

#include <stdbool.h>
#include <stdint.h>
#include <strophe.h>

#include "prim/buf.h"
#include "prim/pidf.h"
#include "prim/slice.h"

#define XA_RESOURCES_MAX 32 /* of one contact that we keep */
#define XA_STATUSES_MAX  8  /* languages of one status text */
#define XA_STATUS_TEXT_MAX \
	2048               /* octets of one; a longer one is cut at a
                                    character, marked by an ellipsis */
#define XA_TEXTS_MAX 32768 /* octets of all status texts of a contact */
#define XA_NO_TIME   PRIM_PIDF_NO_TIME

enum xa_show {
	XA_SHOW_NONE,
	XA_SHOW_CHAT,
	XA_SHOW_AWAY,
	XA_SHOW_XA,
	XA_SHOW_DND,
};

struct xa_status {
	char *language; /* owned; "" for none */
	char *text;     /* owned; not empty */
};

/* One resource. All zero is an unavailable bare JID. */
struct xa_presence {
	char *resource; /* owned; NULL or "" for the bare JID */
	bool is_available;
	enum xa_show show;     /* only while available */
	int priority;          /* -128..127; 0 while unavailable */
	int64_t idle_since_ms; /* XEP-0319, or XA_NO_TIME */
	int64_t stamp_ms;      /* XEP-0203, else when it arrived */
	unsigned status_count;
	struct xa_status statuses[XA_STATUSES_MAX];
};

/* All resources of a contact, as one watcher sees them. All zero is nothing
 * known. */
struct xa_presences {
	struct xa_presence *items; /* owned, in order of appearance */
	unsigned count;
};

void xa_presence_fini(struct xa_presence *p);
void xa_presences_fini(struct xa_presences *all);

/* Reads a <presence/> without type or with "unavailable". False: ill-formed (no
 * sender; a show or a priority that there is not, or two of them, or a longer
 * text in their place): such a stanza is ignored as a whole, and `out` is not
 * touched. Of an unavailable one show, priority and idle time do not count. A
 * status in what is no language, in one that there was already, or after
 * XA_STATUSES_MAX is left out. `now_ms` is the time of arrival. */
bool xa_presence_read(struct xa_presence *out, xmpp_stanza_t *stanza,
    int64_t now_ms);

/* Takes `p` (which is empty afterwards) in the place of what we knew of its
 * resource. An unavailable one from the bare JID clears all (RFC 6121 4.5.4). A
 * resource over XA_RESOURCES_MAX takes the place of the one that is unavailable
 * or else the least recent. One whose texts are over XA_TEXTS_MAX, with those of
 * the others, goes without. True: something a watcher can see has changed
 * (stamps alone do not count). */
bool xa_presences_take(struct xa_presences *all, struct xa_presence *p);
/* Is any resource available? */
bool xa_presences_any(const struct xa_presences *all);
/* Forgets resources that are unavailable, but keeps the last one (spec/xmpp.md
 * 4.1): they were told once. */
void xa_presences_prune(struct xa_presences *all);
/* Forgets resources that are unavailable and no news for whoever was told
 * `told`: closed there in the same words, or not there and without a word. If
 * nothing else is left it keeps the last one, of those in `told` if it can. */
void xa_presences_drop_told(struct xa_presences *all,
    const struct xa_presences *told);

/* Appends a PIDF of `entity` ("pres:local@domain"), whose instant inbox is
 * `contact` ("im:local@domain"), by spec/xmpp.md 4.1, 4.3, 4.4, 4.5 and 2.5:
 * never without a tuple. Timestamps are those of the resources, never later
 * than `now_ms`. The bare JID is the tuple "ID-". What would be over 64 KiB, of
 * which the bridge takes none, goes without the status texts. */
void xa_presences_put_pidf(struct prim_buf *b, const struct xa_presences *all,
    struct prim_slice entity, struct prim_slice contact, int64_t now_ms);

/* What `p` says, by spec/xmpp.md 4.2..4.5, as resources: always at least one,
 * unavailable and bare where there is nothing. Ids that we made of resources
 * become them again; any other id becomes a resource that is allowed there. A
 * tuple whose contact is no im: address is left out, and a second one of the
 * same resource. Who is idle and says no more is away, unless the id is one of
 * those that we make: XMPP can say that itself. Text that XML cannot hold
 * cannot be in a parsed model. Replaces what is in `out`. */
void xa_presences_from_pidf(struct xa_presences *out, const struct prim_pidf *p,
    int64_t now_ms);

/* What has to be sent so that whoever was told `told` knows `now`: calls `tell`
 * for each resource that changed, is new, or is gone (as unavailable), those
 * that are gone first. The bare JID's being unavailable is told only where no
 * resource's is, or where it has a text. `told` NULL: nothing was ever told.
 * Cost linear in both while their order is the same. */
typedef void (*xa_presence_tell_fn)(void *arg, const struct xa_presence *p);
void xa_presences_diff(const struct xa_presences *told,
    const struct xa_presences *now, xa_presence_tell_fn tell, void *arg);

/* Replaces what is in `to` by a copy of `from`. */
void xa_presences_copy(struct xa_presences *to,
    const struct xa_presences *from);

/* The stanza: `from` is the bare JID of the sender, to which the resource is
 * added, `to` a JID; `id` may be NULL. A stamp older than a minute before
 * `now_ms` makes a <delay/>. Always less than 64 KiB: texts that would make it
 * more are left out. Release with xmpp_stanza_release(). */
struct xa_presence_route {
	const char *from;
	const char *to;
	const char *id;
	int64_t now_ms;
};

xmpp_stanza_t *xa_presence_stanza(xmpp_ctx_t *xmpp, const struct xa_presence *p,
    const struct xa_presence_route *route);

#endif
