/* SPDX-License-Identifier: ISC */
#ifndef PRIM_PRESENCE_H
#define PRIM_PRESENCE_H

/*
 * The presence of one principal: its tuples, with what was published for good
 * and what was leased on top of it (PRIM-200..222).
 *
 *	leased value     ── if there is one, it is what is seen
 *	permanent value  ── else this
 *	                    else the tuple is gone
 *
 * A publication is done in two steps, because it must last before it is seen
 * (DESIGN 3): prim_presentity_plan() says what would change, the owner stores
 * that, prim_presentity_apply() makes it so. Between the two no other one is
 * planned for this presentity.
 *
 * Until there are class tables every class name means the default class
 * (DESIGN 11), so a tuple is known by its Tuple-ID alone.
 */

#include <stdbool.h>

#include "prim/document.h"
#include "prim/watch.h"

#define PRIM_TUPLES_MAX          64     /* of a presentity */
#define PRIM_TUPLE_ID_MAX        255    /* octets */
#define PRIM_PRESENCE_OCTETS_MAX 524288 /* all values of a presentity */

/* May a tuple be called that: 1 to PRIM_TUPLE_ID_MAX octets of visible ASCII
 * (ERR-42)? */
bool prim_tuple_id_ok(struct prim_slice id);

struct prim_presentity;

struct prim_tuple {
	TAILQ_ENTRY(prim_tuple) link;
	struct prim_presentity *presentity; /* borrowed: owns us */
	struct prim_document *permanent;    /* owned ref, or NULL */
	struct prim_document *leased;       /* owned ref, or NULL */
	int64_t permanent_ms, leased_ms;    /* when published; wall clock */
	int64_t expires_ms;                 /* of the lease */
	struct prim_timer timer;            /* of the lease */
	int64_t lease_row; /* the owner's: where it is stored */
	size_t id_len;
	char id[]; /* Tuple-ID, as it was first spelled */
};

struct prim_presentity_ops {
	/* The lease of `t` is over. The callee ends it, prim_tuple_expire(), or
	 * sets another time, prim_tuple_wait(). */
	void (*lease_due)(struct prim_presentity *p, struct prim_tuple *t);
};

struct prim_presentity {
	const struct prim_presentity_ops *ops; /* borrowed: static */
	struct prim_source source;
	struct prim_slice entity;        /* borrowed: "pres:local@domain" */
	TAILQ_HEAD(, prim_tuple) tuples; /* owned, in order of appearance */
	unsigned tuple_count;
	unsigned lease_count;
	size_t octets; /* of all values */
};

/* PI-Type, and REMOVE. */
enum prim_publication_kind {
	PRIM_PUBLISH_LEASED,
	PRIM_PUBLISH_PERMANENT,
	PRIM_PUBLISH_RENEW,
	PRIM_PUBLISH_REVERT,
	PRIM_PUBLISH_REMOVE,
};

struct prim_publication {
	enum prim_publication_kind kind;
	struct prim_slice tuple_id; /* 1 to PRIM_TUPLE_ID_MAX octets */
	/* The body may be empty (ERR-96); checked by prim_compose_check(). */
	struct prim_document_parts content;
	int64_t duration_ms; /* > 0 for LEASED and RENEW, as granted */
};

/* What has to be stored, and then applied. */
enum prim_change_kind {
	PRIM_CHANGE_NONE, /* 200, and nothing to do */
	PRIM_CHANGE_PERMANENT,
	PRIM_CHANGE_LEASE,
	PRIM_CHANGE_EXPIRY, /* of the lease */
	PRIM_CHANGE_DROP_LEASE,
	PRIM_CHANGE_DROP_TUPLE,
};

struct prim_change {
	enum prim_change_kind kind;
	struct prim_document *content; /* owned ref; PERMANENT and LEASE; its
	                                  name is the Tuple-ID */
	char *tuple_id;                /* owned; as it was first spelled */
	int64_t expires_ms;            /* LEASE and EXPIRY */
	int64_t at_ms;                 /* when it was published */
	int64_t lease_row;             /* LEASE: the owner sets it once stored;
	                                  EXPIRY: of the lease */
};

/* `entity` is borrowed. */
void prim_presentity_init(struct prim_presentity *p,
    const struct prim_presentity_ops *ops, struct prim_fan *fan,
    struct prim_slice entity);
/* Asserts that nobody watches; forgets all tuples. */
void prim_presentity_fini(struct prim_presentity *p);

/* Would `what` be accepted at `now_ms`? 200 with `out` set (release with
 * prim_change_fini()), or 400 (no body where one is needed), 403 (renew without
 * lease and body, ERR-97; revert or REMOVE of an unknown tuple, ERR-98,
 * PRIM-221), 500 (a bound would be passed). */
unsigned prim_presentity_plan(const struct prim_presentity *p,
    const struct prim_publication *what, int64_t now_ms,
    struct prim_change *out);
void prim_change_fini(struct prim_change *c);

/* Makes it so. The source changes as PRIM-181 and PRIM-182 say: not for
 * EXPIRY, not for PERMANENT below a lease. Also for what comes out of the
 * store. */
void prim_presentity_apply(struct prim_presentity *p,
    const struct prim_change *c);

/* The lease is over: its value goes, the source changes (PRIM-218). */
void prim_tuple_expire(struct prim_tuple *t);
/* lease_due is called again at `at_ms`. */
void prim_tuple_wait(struct prim_tuple *t, int64_t at_ms);
struct prim_slice prim_tuple_id(const struct prim_tuple *t);
/* By its Tuple-ID, compared after percent-decoding (ERR-42); or NULL. */
struct prim_tuple *prim_presentity_find(const struct prim_presentity *p,
    struct prim_slice tuple_id);
/* What is seen of it. Borrowed. */
const struct prim_document *prim_tuple_value(const struct prim_tuple *t);

#endif
