/* SPDX-License-Identifier: ISC */
#ifndef PRIM_WATCH_PRIVATE_H
#define PRIM_WATCH_PRIVATE_H

/*
 * What the watch*.c files know of each other: watch.c (the fan, sources,
 * subscriptions), watch_outlet.c (watchers, outlets, feeds).
 */

#include "prim/watch.h"

/* A feed of `s` at `o`, which is open; CURRENT or WAITING. Both lists have it
 * until prim_feed_free(). */
void prim_feed_new(struct prim_subscription *s, struct prim_outlet *o,
    enum prim_feed_place place);
/* Ends it in whatever place it is. Sends nothing. */
void prim_feed_free(struct prim_feed *f);
/* A current feed has something to show: a NOTIFY, or it waits for room. */
void prim_feed_push(struct prim_feed *f);

#endif
