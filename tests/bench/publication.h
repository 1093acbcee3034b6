/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BENCH_PUBLICATION_H
#define TESTS_BENCH_PUBLICATION_H

/* PUBLISH, as a client that says little would write it. */

#include "tests/bench/client.h"

struct bench_publication {
	struct prim_slice id;   /* of the request */
	struct prim_slice kind; /* PI-Type */
	struct prim_slice tuple_id;
	const char *note; /* in the document; NULL: no body */
};

/* Appends it to c->out: about 300 octets of application/pidf+xml. */
void bench_publication_put(struct bench_client *c,
    const struct bench_publication *p);

#endif
