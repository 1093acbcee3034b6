/* SPDX-License-Identifier: ISC */
#ifndef PRIM_COMPOSE_H
#define PRIM_COMPOSE_H

/*
 * What a watcher gets to see: one document out of the tuples of a presentity.
 * Composed once for all watchers who see the same and speak the same dialect.
 */

#include "prim/document.h"

enum prim_form {
	/* For clients (ERR-92, ERR-93): one tuple as it was published, its name
	 * in `name`; two and more as multipart/mixed, each part with its
	 * Content-Type and Tuple-ID; none as an empty document. Never altered
	 * (PRIM-215). */
	PRIM_FORM_CLIENT,
	/* For servers and adapters: application/pidf+xml. A single PIDF tuple
	 * goes as it was published (CPIM-099); otherwise one document with the
	 * tuples of all that can be read, ids made unique (CPIM-100, CPIM-108);
	 * secured ones are left out. None: a document without tuples
	 * (ERR-85). */
	PRIM_FORM_PIDF,
	PRIM_FORM_COUNT,
};

struct prim_compose_tuple {
	struct prim_slice id;                /* Tuple-ID */
	const struct prim_document *content; /* borrowed */
	int64_t published_ms;                /* wall clock */
};

/* `entity` is "pres:local@domain". The result is the caller's reference. */
struct prim_document *prim_compose(enum prim_form form,
    struct prim_slice entity, const struct prim_compose_tuple *tuples,
    size_t count);

/* May `content` be published by `entity` (PRIM-211, PRIM-214, PRIM-216)? Its
 * type is one we take, and where it is XML it is a well-formed presence
 * document about `entity` or about nobody in particular. False with a static
 * sentence in `*why`. */
bool prim_compose_check(struct prim_slice entity,
    const struct prim_document_parts *content, const char **why);

#endif
