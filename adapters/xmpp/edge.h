/* SPDX-License-Identifier: ISC */
#ifndef XA_EDGE_H
#define XA_EDGE_H

/*
 * Where in a stream of XML no tag is open: up to there octets go to expat, the
 * rest waits. So expat never sees half a tag, and a tag that trickles in costs
 * what its length costs, not its square.
 *
 * This tells tags, text and CDATA apart and nothing else; whether it is XML at
 * all is expat's business.
 */

#include <stddef.h>

#include "prim/slice.h"

enum xa_edge_place {
	XA_EDGE_TEXT,
	XA_EDGE_OPEN,    /* behind '<' */
	XA_EDGE_TAG,     /* inside a tag */
	XA_EDGE_SINGLE,  /* inside '...' of a tag */
	XA_EDGE_DOUBLE,  /* inside "..." of a tag */
	XA_EDGE_BANG,    /* behind "<!" */
	XA_EDGE_CDATA,   /* behind "<![" */
	XA_EDGE_FOREIGN, /* a comment, DOCTYPE or instruction: expat's at once */
};

struct xa_edge {
	enum xa_edge_place place;
	unsigned brackets; /* of "]]>" seen */
};

/* All zero is a fresh one. Looks at the next octets of the stream; returns how
 * many of them stand before the last place where no tag is open. */
size_t xa_edge_scan(struct xa_edge *e, struct prim_slice octets);

#endif
