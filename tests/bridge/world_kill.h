/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_WORLD_KILL_H
#define TESTS_BRIDGE_WORLD_KILL_H

/*
 * A server that ends and is there again, with what was committed: after it was
 * asked to stop; at once; or at once and without all that it did since the store
 * last answered, as if the store had been slow.
 */

#include "tests/bridge/world_deed.h"

void kill_server(struct town *town);

#endif
