/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_WORLD_CLIENT_H
#define TESTS_BRIDGE_WORLD_CLIENT_H

/* The clients of a world that is played at random. */

#include "tests/bridge/world_play.h"

/* Opens a connection and logs in as `who`. False: it is refused. */
bool client_come(struct play *p, struct play_client *c, unsigned who);
/* Closes it; `half`: it only says that nothing more will come. */
void client_go(struct play *p, struct play_client *c, bool half);
void client_logout(struct play *p, struct play_client *c);
/* Is it logged in, and stays? */
bool client_is_good(const struct play_client *c);

/* SUBSCRIBE (`seconds` of it), UNSUBSCRIBE or FETCH. */
void client_ask(struct play *p, struct play_client *c, enum prim_method method,
    unsigned target, int64_t seconds);
/* PUBLISH or REMOVE. Returns the number of what is published. */
unsigned client_publish(struct play *p, struct play_client *c,
    enum prim_publication_kind kind, unsigned tuple, int64_t seconds);
/* Is a publication of `who` not answered, on another connection than `c` (or
 * NULL)? */
bool client_publishes(const struct play *p, unsigned who,
    const struct play_client *c);

/* Takes what came, and answers it. */
void client_hear(struct play *p, struct play_client *c);

#endif
