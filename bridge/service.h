/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_SERVICE_H
#define BRIDGE_SERVICE_H

/*
 * im:primbridge@<domain>: what users, of ours and of foreign networks, say to the
 * bridge itself, in text. Every answer is an instant message.
 *
 *	link ADDRESS            ask for a link; a code goes to the other side
 *	verify [ADDRESS] CODE   the code that came
 *	unlink ADDRESS          end a link
 *	links                   show them
 *	order [prim] ADDRESS... where to look for me, in this order
 *	help                    what there is
 *
 * A principal links addresses of other networks; an address of another network
 * links itself to a principal. `order` is for principals.
 */

#include "bridge/message.h"

struct br_server;

#define BR_SERVICE "primbridge"

/* Is `key` the service of a domain we serve? */
bool br_service_is(const struct br_server *s, struct prim_slice key);

typedef void (*br_service_done_fn)(void *arg, unsigned code);

/* Executes what `m` says (a reference is taken) and answers by messages through
 * br_transit_post(). `done`, once, maybe from inside: 200 when what it says is
 * done and committed, or was refused with a sentence; 400 when it is no text;
 * 500 when nothing could be stored. What comes from automata (notices, ourselves)
 * is 200 and unanswered. At most a few words are read of it. */
void br_service_take(struct br_server *s, struct br_message *m,
    br_service_done_fn done, void *arg);

#endif
