/* SPDX-License-Identifier: ISC */
#ifndef BRIDGE_SERVICE_H
#define BRIDGE_SERVICE_H

/*
 * im:primbridge@<domain>: what users, of ours and of foreign networks, say to the
 * bridge itself, in text: the first line of a message; who writes commands below
 * it is told that they are not read. Every answer is an instant message.
 *
 *	link ADDRESS            ask for a link; a code goes to the other side
 *	verify [ADDRESS] CODE   the code that came
 *	unlink ADDRESS          end a link
 *	links                   show them
 *	order [prim] ADDRESS... where to look for me, in this order; "usual"
 *	                        forgets it, nothing shows it
 *	password NEW            a new password
 *	help                    what there is
 *
 * A principal links addresses of other networks; an address of another network
 * links itself to a principal. `order` and `password` are for principals. Who
 * writes from a linked address is not its principal here.
 */

#include "bridge/message.h"

struct br_server;
struct br_service;

#define BR_SERVICE "primbridge"

struct br_service *br_service_new(struct br_server *s);
/* No done() is called any more; the store has called back for the last time.
 * NULL is fine. */
void br_service_cancel(struct br_service *service);
/* The adapters and the workers are gone, too. NULL is fine; returns NULL. */
struct br_service *br_service_free(struct br_service *service);

/* Is `key` the service of a domain we serve? */
bool br_service_is(const struct br_server *s, struct prim_slice key);

typedef void (*br_service_done_fn)(void *arg, unsigned code);

/* Executes what `m` says (a reference is taken) and answers by messages through
 * br_transit_post(). `done`, once, maybe from inside: 200 when what it says is
 * done and committed, or was refused with a sentence; 400 when it is no text;
 * 500 when this sender has had 20 answers within a minute, or waits for 20. What
 * comes from automata (notices, lists, ourselves, what passed several bridges) is
 * 200 and unanswered. The same message taken again is answered with the same
 * Message-ID. What one sender says is done and answered in the order in which he
 * said it, in whichever conversations; nobody waits for another sender. */
void br_service_take(struct br_server *s, struct br_message *m,
    br_service_done_fn done, void *arg);

#endif
