/* SPDX-License-Identifier: ISC */
#ifndef TESTS_BRIDGE_WORLD_FATE_H
#define TESTS_BRIDGE_WORLD_FATE_H

/*
 * What is heard of messages that are sent at random, and what must not be
 * (spec/reliability 4.8): nothing comes that was refused, or again when it was
 * delivered, or before another of its lane, or when its time was over; its sender
 * is told once that it failed; and in the end each has had its end.
 */

#include "tests/bridge/world_mail.h"

/* A SEND of it was answered. */
void fate_answered(struct mail *m, unsigned index, unsigned code);
/* Somebody got it, whose ears are these. `is_alone`: nobody else can have got
 * what he has not. */
void fate_handed(struct mail *m, unsigned index, const struct mail_ear *ear,
    bool is_alone);
/* An adapter got it: nothing of its lane has gone back from there, and not come
 * again. */
void fate_check_order(const struct mail *m, unsigned index, unsigned session);
/* 200 was said of it. `is_certain`: in time, and by who has it now. */
void fate_taken(struct mail *m, unsigned index, bool is_certain);
/* It was refused for good by the system that had taken it. */
void fate_bounced(struct mail *m, unsigned index);
/* Is `c` from our postmaster? Then it is dealt with. */
bool fate_noticed(struct mail *m, const struct prim_command *c);
/* Somebody has gone: what he said since `epoch` may never have been heard. */
void fate_unsure(struct mail *m, unsigned epoch);
/* Looks at all of them, when everything has come to its end. */
void fate_look(const struct mail *m);

#endif
