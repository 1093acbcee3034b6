/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_WORLD_REST_H
#define TESTS_BRIDGE_WORLD_REST_H

/* What must hold when a world that was played has come to rest. */

#include "tests/bridge/world_far.h"
#include "tests/bridge/world_play.h"

/* Turns everything until nobody has anything to say. */
void rest(struct play *p, struct far *f);
/* Everybody reads, answers well and has time to; then looks at all. */
void rest_and_look(struct play *p, struct far *f);

#endif
