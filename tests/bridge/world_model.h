/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_WORLD_MODEL_H
#define TESTS_BRIDGE_WORLD_MODEL_H

/*
 * What must be true in a world that is played at random, if the server does as
 * it should. The model knows what was asked and what was answered, nothing
 * else. Where that leaves room (an answer that nobody read, two at once, a clock
 * that jumps) it expects nothing.
 */

#include "tests/bridge/world_play.h"

/* A publication, or a SUBSCRIBE or UNSUBSCRIBE, was answered. */
void play_published(struct play *p, unsigned who, const struct play_asked *a,
    unsigned code);
void play_subscribed(struct play *p, unsigned who, const struct play_asked *a,
    unsigned code);
/* How many SUBSCRIBEs and UNSUBSCRIBEs of a pair have no answer yet. */
unsigned play_still_asked(const struct play *p, unsigned who, unsigned target);
/* Something else may have begun or ended a subscription. */
void play_unsure(struct play *p, unsigned who, unsigned target);
/* There will be no answer, or none that is read. */
void play_lost(struct play *p, unsigned who, const struct play_asked *a);
/* The account has gone, with all it had. */
void play_removed(struct play *p, unsigned who);
/* Is `seen` what was published? */
void play_expect_published(struct play *p, unsigned who,
    const struct play_view *seen);
/* May there be a subscription, or must there be one? */
void play_expect_watched(struct play *p, unsigned who, unsigned target,
    bool is_there);

#endif
