/* SPDX-License-Identifier: ISC */
#ifndef TESTS_TALK_ADAPTER_H
#define TESTS_TALK_ADAPTER_H

/*
 * The far end of an adapter's link: the script is the adapter. It is a
 * connection like others, but there is no process, no socket, and no PING.
 */

#include "tests/talk/world.h"

/* Begins the configured adapter `name`; again when it has ended. False: there
 * is none. */
bool talk_adapter_open(struct talk_world *w, struct talk_conn *c,
    struct prim_slice name);
/* It dies. */
void talk_adapter_close(struct talk_conn *c);
/* Hands over what it says. */
void talk_adapter_flush(struct talk_conn *c);
/* Takes what it hears. Was there anything? */
bool talk_adapter_fill(struct talk_conn *c);

#endif
